// One line as the page shows it, its details when it is opened, and the word about lines that are hidden.
import { pieces } from "./text.js";
import { tell } from "./words.js";
import { local } from "./zone.js";

const LONGEST = 16384; // characters of a line on the page

export function element(name, css = "", text = "") {
  const made = document.createElement(name);
  if (css) made.className = css;
  if (text) made.textContent = text;
  return made;
}

export function button(text, does, css = "btn is-small is-bare") {
  const made = element("button", css, text);
  made.type = "button";
  made.dataset.part = does;
  return made;
}

export const clock = (at) => local(at).slice(11);

function fill(place, text, finder) {
  const ranges = finder ? [...text.map((one) => one.text).join("").matchAll(finder)].map((one) => [one.index, one.index + one[0].length]) : [];
  let start = 0;
  for (const { text: words, css } of text) {
    let at = 0;
    for (const [from, to] of ranges) {
      const [first, last] = [Math.max(from - start, at), Math.min(to - start, words.length)];
      if (first >= last) continue;
      put(place, words.slice(at, first), css);
      put(place, words.slice(first, last), css, "mark");
      at = last;
    }
    put(place, words.slice(at), css);
    start += words.length;
  }
}

function put(place, text, css, name = css ? "span" : "") {
  if (!text) return;
  place.append(name ? element(name, css, text) : text);
}

export function rowOf(line, { finder, seriesOf }) {
  const row = element("div", "log-line");
  if (line.level === "error" || line.level === "fatal") row.classList.add("is-error");
  if (line.level === "warn") row.classList.add("is-warn");
  if (line.goes_on) row.classList.add("is-more");
  const open = element("button", "log-open");
  open.type = "button";
  open.tabIndex = -1;
  open.setAttribute("aria-expanded", String(Boolean(line.open)));
  open.setAttribute("aria-label", tell("details", { time: clock(line.written_at), source: line.source }));
  const time = element("time", "", line.goes_on ? "" : clock(line.written_at));
  time.dateTime = line.written_at;
  const from = element("span", `from s${seriesOf(line)}`, line.goes_on ? "" : line.source);
  const level = element("span", "level", line.goes_on ? "" : line.level);
  const words = element("span", "line");
  fill(words, pieces(line.text.slice(0, LONGEST)), finder);
  row.append(open, time, from, level, words);
  if (line.bytes || line.text.length > LONGEST) words.append(cutNote(line));
  row.line = line;
  return row;
}

function cutNote(line) {
  const note = element("span", "log-cut");
  note.append(tell("cut", { size: sizeOf(line.bytes ?? line.text.length) }), button(tell("showAll"), "whole"));
  return note;
}

export const sizeOf = (bytes) => (bytes < 1048576 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1048576).toFixed(1)} MB`);

export function gapOf(gap) {
  const row = element("div", "log-gap");
  row.append(element("span", "", tell("hidden", { n: gap.gap })), button(tell("showThem"), "reveal", "log-link"));
  row.gap = gap;
  return row;
}

export const textOf = ({ line, gap }) => (gap ? `… ${tell("hidden", { n: gap })}`
  : `${line.goes_on ? "" : `${clock(line.written_at)} ${line.source} ${line.level} `}${line.shown}`);

// JSON with its fields below one another, else the words as they are.
export function readable(line) {
  try {
    const document = JSON.parse(line.shown);
    return document && typeof document === "object" ? JSON.stringify(document, null, 2) : line.shown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return line.shown;
  }
}

export function detailOf(line) {
  const part = element("div", "log-detail");
  const tools = element("div", "actions");
  tools.append(button(tell("around"), "around"), button(tell("copyLine"), "copy-line"), button(tell("copyLink"), "copy-link"));
  const facts = element("p", "quiet small", `${line.written_at} · ${line.source}${line.stream === "stdout" ? "" : ` · ${line.stream}`}`);
  part.append(facts, element("pre", "", line.whole ?? readable(line)), tools);
  part.line = line;
  return part;
}
