// What is drawn: xterm.js with our colours, and with everything off by which output could reach beyond its screen.
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";

const LINES_BACK = 10000;
const SIZE_KEY = "berth.console.size";
const SMALLEST = 9;
const LARGEST = 28;
const USUAL = 13;
const TITLES_AND_CLIPBOARD = [0, 1, 2, 50, 52]; // no page's title, font or clipboard is the output's to change
const FOUND = {
  matchBackground: "#5a4a17", matchOverviewRuler: "#f2c26b", activeMatchBackground: "#a8741a", activeMatchColorOverviewRuler: "#ffffff",
};

// xterm.js writes a sheet for its sizes and colours, on which the page's policy wants our mark; and colours that are
// in no table into style attributes, which the policy refuses, while the same through the object model is allowed.
function markStyles() {
  const nonce = document.querySelector("[data-nonce-of-styles]")?.nonce;
  const make = Document.prototype.createElement;
  document.createElement = (name, options) => {
    const element = make.call(document, name, options);
    if (nonce && String(name).toLowerCase() === "style") element.nonce = nonce;
    return element;
  };
  HTMLSpanElement.prototype.setAttribute = function setAttribute(name, value) {
    if (name === "style") this.style.cssText = value;
    else Element.prototype.setAttribute.call(this, name, value);
  };
}
markStyles();

function themeOf(element) {
  const style = getComputedStyle(element);
  const probe = element.appendChild(document.createElement("i"));
  const colour = (name) => {
    probe.style.color = style.getPropertyValue(name);
    return getComputedStyle(probe).color;
  };
  const of = Object.fromEntries(["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]
    .flatMap((name) => [[name, colour(`--t-${name}`)], [`bright${name[0].toUpperCase()}${name.slice(1)}`, colour(`--t-${name === "black" ? "grey" : name}`)]]));
  const theme = {
    ...of, background: colour("--b-term"), foreground: colour("--b-term-text"), cursor: colour("--b-term-text"),
    cursorAccent: colour("--b-term"), selectionBackground: "#3d5a8a",
  };
  probe.remove();
  return theme;
}

function follow(event, address) {
  if (!/^https?:\/\//i.test(address)) return;
  const link = document.createElement("a");
  Object.assign(link, { href: address, target: "_blank", rel: "noopener noreferrer" });
  link.click();
}

const sizeKept = () => Math.min(LARGEST, Math.max(SMALLEST, Number(localStorage.getItem(SIZE_KEY)) || USUAL));

export class Screen {
  constructor(host, { name, onType, onResize, onKey }) {
    this.host = host;
    this.term = new Terminal({
      allowProposedApi: true, // for the widths of Unicode 11 and the marks of a search
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      fontFamily: getComputedStyle(host).getPropertyValue("--b-mono"),
      fontSize: sizeKept(), lineHeight: 1.25, scrollback: LINES_BACK, theme: themeOf(host), minimumContrastRatio: 4.5,
      screenReaderMode: "reader" in document.body.dataset && document.body.dataset.reader !== "off",
      linkHandler: { activate: follow }, macOptionIsMeta: true, rightClickSelectsWord: true,
    });
    this.fitter = new FitAddon();
    this.finder = new SearchAddon({ highlightLimit: 2000 });
    [this.fitter, this.finder, new Unicode11Addon(), new WebLinksAddon(follow)].forEach((addon) => this.term.loadAddon(addon));
    this.term.unicode.activeVersion = "11";
    TITLES_AND_CLIPBOARD.forEach((number) => this.term.parser.registerOscHandler(number, () => true));
    this.term.attachCustomKeyEventHandler((event) => event.type !== "keydown" || !onKey(event));
    this.term.open(host);
    this.term.textarea?.setAttribute("aria-label", name);
    const encoder = new TextEncoder();
    this.term.onData((text) => onType(encoder.encode(text)));
    this.term.onBinary((text) => onType(Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 255)));
    this.term.onResize(({ cols, rows }) => onResize(cols, rows));
    // keys are the terminal's own here: nothing of them reaches the page's shortcuts
    host.addEventListener("keydown", (event) => event.stopPropagation());
    new ResizeObserver(() => this.fit()).observe(host);
  }

  get size() {
    return [this.term.cols, this.term.rows];
  }

  fit() {
    if (this.host.hidden || !this.host.clientHeight) return;
    this.fitter.fit();
  }

  draw(bytes, done) {
    this.term.write(bytes, done);
  }

  scale(by) {
    const size = Math.min(LARGEST, Math.max(SMALLEST, this.term.options.fontSize + by));
    localStorage.setItem(SIZE_KEY, String(size));
    this.term.options.fontSize = size;
    this.fit();
  }

  takeSize() {
    this.term.options.fontSize = sizeKept();
    this.fit();
  }

  find(words, { back = false, growing = false } = {}) {
    const options = { decorations: FOUND, incremental: growing };
    return back ? this.finder.findPrevious(words, options) : this.finder.findNext(words, options);
  }

  onFound(tell) {
    this.finder.onDidChangeResults(tell);
  }

  unfind() {
    this.finder.clearDecorations();
    this.term.clearSelection();
  }
}
