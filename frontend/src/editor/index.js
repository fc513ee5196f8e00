// The editor of a specification: CodeMirror over a textarea that stays the field of the form.
//
// It lives in a shadow root: its style sheets are adopted there, so the strict policy needs no exception for it, on
// whatever page the sheet was opened.
import { EditorView, basicSetup } from "codemirror";
import { autocompletion } from "@codemirror/autocomplete";
import { indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { hoverTooltip, keymap } from "@codemirror/view";
import { look } from "./look.js";
import { marksOf } from "./marks.js";
import { Schema } from "./schema.js";

const views = new WeakMap(); // textarea -> its view
const LEAVE_WITHIN = 5000; // milliseconds from Escape to Tab

// Tab indents, so Escape and then Tab leaves: also where that Escape has closed a list of completions.
// The editor itself gives two seconds for it, from the key's going down: too few for slow hands.
const leaving = EditorView.domEventObservers({
  keyup: (event, view) => { if (event.key === "Escape") view.setTabFocusMode(LEAVE_WITHIN); },
});

function describe(field) {
  const label = document.querySelector(`label[for="${field.id}"]`);
  const help = document.getElementById(`${field.id}_help`)?.textContent ?? "";
  label?.addEventListener("click", () => views.get(field)?.focus());
  return EditorView.contentAttributes.of({
    "aria-label": label?.textContent.trim() ?? "", "aria-description": help.trim(), spellcheck: "false",
  });
}

// What is typed is the editor's own; only what is meant for the whole page goes on to it.
function keepKeys(host) {
  host.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
  });
}

function store(field) {
  return EditorView.updateListener.of((update) => {
    if (!update.docChanged || field.value === update.state.doc.toString()) return;
    field.value = update.state.doc.toString();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

function open(part, field) {
  const host = document.createElement("div");
  host.className = "editor-host";
  field.after(host);
  const { selectionStart: anchor, selectionEnd: head } = field;
  const typing = document.activeElement === field;
  field.hidden = true;
  const shadow = host.attachShadow({ mode: "open" });
  const schema = new Schema(part.dataset.schema);
  const view = new EditorView({
    doc: field.value, parent: shadow, root: shadow, selection: { anchor, head },
    extensions: [
      basicSetup, yaml(), lintGutter(), look, describe(field), store(field), keymap.of([indentWithTab]), leaving,
      autocompletion({ override: [(context) => schema.complete(context)] }),
      hoverTooltip((at, position) => schema.explain(at, position)),
    ],
  });
  keepKeys(host);
  views.set(field, view);
  if (typing) view.focus(); // somebody was quicker than the editor came
  return view;
}

// The server may have put another text into the field: it is taken over as one change, so that it can be undone.
function follow(view, text) {
  const now = view.state.doc.toString();
  if (now !== text) view.dispatch({ changes: { from: 0, to: now.length, insert: text } });
}

export function edit(part) {
  const field = part.querySelector("textarea");
  if (!field) return;
  const known = views.get(field);
  const kept = known?.dom.isConnected;
  const view = kept ? known : open(part, field);
  if (kept) {
    field.hidden = true;
    follow(view, field.value);
  }
  view.dispatch(setDiagnostics(view.state, marksOf(view.state.doc)));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#"]');
  const field = link && document.getElementById(link.getAttribute("href").slice(1));
  const view = field && views.get(field);
  if (!view) return;
  event.preventDefault();
  view.focus();
});
