// What an app wrote, made safe to look at. Colours (SGR) become classes; every other escape sequence is left out and
// every other control character becomes a picture of itself. Nothing here makes HTML of text.
import { AnsiUp } from "ansi_up";

const SEQUENCES = new RegExp("(?:\\x1b\\[|\\x9b)[0-?]*[ -/]*[@-~]?"
  + "|(?:\\x1b[\\]PX^_]|[\\x9d\\x90\\x98\\x9e\\x9f])[^\\x07\\x1b\\x9c]*(?:\\x07|\\x1b\\\\|\\x9c|$)|\\x1b[ -/]*[0-~]?", "g");
const COLOUR = new RegExp("^\\x1b\\[[0-9;]*m$");
const UNSEEN = new RegExp("[\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]", "g");
const ESCAPE = "\x1b";
const MOST_COLOURS = 500; // in one line; one with more is shown without any

function picture(character) {
  const code = character.charCodeAt(0);
  if (code === 0) return "\ufffd";
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : `\u2039U+${code.toString(16).toUpperCase().padStart(4, "0")}\u203a`;
}

export function plain(text) {
  UNSEEN.lastIndex = 0;
  if (!UNSEEN.test(text)) return text;
  return text.replace(SEQUENCES, "").replace(UNSEEN, picture);
}

// ansi_up reads the colours; what it would make HTML of is only collected
class Pieces extends AnsiUp {
  found = [];

  transform_to_html({ text, ...style }) {
    if (text) this.found.push({ text, css: cssOf(style) });
    return "";
  }

  process_hyperlink({ text }) {
    return this.transform_to_html(this.with_state({ text }));
  }
}

function cssOf({ bold, faint, italic, underline, fg, bg }) {
  const named = [[bold, "ansi-bold"], [faint, "ansi-faint"], [italic, "ansi-italic"], [underline, "ansi-underline"]];
  const css = named.filter(([on]) => on).map(([, name]) => name);
  if (fg) css.push(`${nearest(fg)}-fg`);
  if (bg) css.push(`${nearest(bg)}-bg`);
  return css.join(" ");
}

const PALETTE = new AnsiUp().ansi_colors.flat();

function nearest(colour) {
  if (colour.class_name !== "truecolor") return colour.class_name;
  const far = ({ rgb }) => rgb.reduce((sum, part, place) => sum + (part - colour.rgb[place]) ** 2, 0);
  return PALETTE.reduce((best, one) => (far(one) < far(best) ? one : best)).class_name;
}

// [{text, css}] whose texts together are plain(text)
export function pieces(text) {
  if (!text.includes(ESCAPE)) return [{ text: plain(text), css: "" }];
  let colours = 0;
  const kept = text.replace(SEQUENCES, (one) => (COLOUR.test(one) && (colours += 1) ? one : ""));
  if (!colours || colours > MOST_COLOURS) return [{ text: plain(text), css: "" }];
  const reader = new Pieces();
  reader.ansi_to_html(kept.replace(UNSEEN, (one) => (one === ESCAPE ? one : picture(one))));
  return reader.found;
}
