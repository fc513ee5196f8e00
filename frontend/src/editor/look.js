// How the editor looks: the tokens of the page, which reach into the shadow root. No images: the policy has none.
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const wavy = (colour) => ({ backgroundImage: "none", textDecoration: `underline wavy ${colour}`, textDecorationSkipInk: "none" });
const dot = (colour) => ({ content: '"●"', color: colour, fontSize: "0.75em" });

const theme = EditorView.theme({
  "&": { color: "var(--b-text)", backgroundColor: "var(--b-surface)", fontSize: "13px", border: "1px solid var(--b-edge)", borderRadius: "6px", overflow: "hidden" },
  "&.cm-focused": { outline: "2px solid var(--b-focus)" },
  ".cm-scroller": { fontFamily: "var(--b-mono)", lineHeight: "1.6", maxHeight: "60vh", overflow: "auto" },
  ".cm-content, .cm-gutter": { minHeight: "20rem" },
  ".cm-content": { caretColor: "var(--b-text)" },
  ".cm-cursor": { borderLeftColor: "var(--b-text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--b-selected)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--b-hover)" },
  ".cm-gutters": { backgroundColor: "var(--b-sunken)", color: "var(--b-muted)", borderRight: "1px solid var(--b-line)" },
  ".cm-tooltip": { backgroundColor: "var(--b-overlay)", color: "var(--b-text)", border: "1px solid var(--b-line)", borderRadius: "6px", boxShadow: "var(--b-shadow-menu)", fontSize: "13px" },
  ".cm-tooltip .told, .cm-completionInfo": { maxWidth: "26rem", padding: "6px 10px", whiteSpace: "normal" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--b-mono)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--b-accent-fill)", color: "var(--b-on-accent)" },
  ".cm-diagnostic": { padding: "6px 10px", borderLeftWidth: "3px" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--b-bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--b-warn)" },
  ".cm-diagnostic-info": { borderLeftColor: "var(--b-busy)" },
  ".cm-lintRange-error": wavy("var(--b-bad)"),
  ".cm-lintRange-warning": wavy("var(--b-warn)"),
  ".cm-lintRange-info": wavy("var(--b-busy)"),
  ".cm-lint-marker-error, .cm-lint-marker-warning, .cm-lint-marker-info": { content: "normal" },
  ".cm-lint-marker-error::before": dot("var(--b-bad)"),
  ".cm-lint-marker-warning::before": dot("var(--b-warn)"),
  ".cm-lint-marker-info::before": dot("var(--b-busy)"),
  ".cm-foldPlaceholder": { backgroundColor: "var(--b-hover)", color: "var(--b-muted)", border: "1px solid var(--b-line)" },
  ".cm-panels": { backgroundColor: "var(--b-sunken)", color: "var(--b-text)" },
  ".cm-searchMatch": { backgroundColor: "var(--b-mark)", color: "var(--b-mark-text)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--b-selected)", outline: "1px solid var(--b-edge)" },
});

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--b-accent)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--b-ok)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--b-busy)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--b-faint)" },
  { tag: [tags.typeName, tags.labelName], color: "var(--b-warn)" },
  { tag: tags.invalid, color: "var(--b-bad)" },
]);

export const look = [theme, syntaxHighlighting(colours)];
