// Single keys, as the list under ? says. Off while typing, in a terminal, and for who turned them off.
import { closeDrawer } from "./drawer.js";
import { openPalette } from "./palette.js";
import { closeSheet } from "./sheets.js";
import { turnTheme } from "./theme.js";

const SECOND_KEY_MS = 1200;

let waitingSince = -Infinity;

const typing = (target) => target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable], .xterm, .terminal");

const deployLink = () => document.querySelector('.page-head use[href$="#rocket"]')?.closest("a, button");

function open(id) {
  const dialog = document.getElementById(id);
  if (dialog && !dialog.open) dialog.showModal();
  return Boolean(dialog);
}

// Over the list rows: the link of a row takes the focus, and Enter opens it.
function step(by) {
  const links = [...document.querySelectorAll("[data-list] tbody tr")].map((row) => row.querySelector("a.thing, th a, a")).filter(Boolean);
  const place = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
  const next = links[Math.min(links.length - 1, Math.max(0, place + by))];
  next?.focus();
  return Boolean(next);
}

const boxes = () => [...document.querySelectorAll("[data-list] tbody .is-pick input[type=checkbox]")];
let lastPicked = null;

// The box of the row that has the focus; with Shift all from the one picked before to here, as that one is.
function pick(upTo) {
  const box = document.activeElement?.closest?.("[data-list] tbody tr")?.querySelector(".is-pick input[type=checkbox]");
  if (!box) return false;
  const all = boxes();
  const from = upTo ? all.indexOf(lastPicked) : -1;
  if (from < 0) box.click();
  else {
    const to = all.indexOf(box);
    all.slice(Math.min(from, to), Math.max(from, to) + 1).filter((one) => one.checked !== lastPicked.checked).forEach((one) => one.click());
  }
  lastPicked = box;
  return true;
}

function press(part) {
  part?.click();
  return Boolean(part);
}

function search() {
  const field = document.querySelector('#sheet-place [type="search"], main [type="search"]');
  field?.focus();
  return Boolean(field);
}

function turn() {
  turnTheme();
  return true;
}

const singles = {
  "?": () => open("keys"),
  "/": search,
  d: () => press(document.querySelector('[data-key="d"]') ?? deployLink()),
  j: () => step(1),
  k: () => step(-1),
  x: () => pick(false),
  X: () => pick(true),
  t: turn,
  "[": () => press(document.querySelector('[data-key="["]')),
  "]": () => press(document.querySelector('[data-key="]"]')),
  g: () => { waitingSince = performance.now(); return true; },
  Escape: () => closeDrawer() || closeSheet(),
};

// Another dialog asks something: it is answered first. Within a terminal Ctrl K belongs to the shell, Cmd K is ours.
function paletteMay(event) {
  if (event.ctrlKey && event.target.closest?.(".xterm, .terminal")) return false;
  const dialog = document.querySelector("dialog:modal");
  return dialog && dialog.id !== "palette" ? false : openPalette();
}

// Logs have no place in the side bar: they are those of the app that is looked at.
const tabOf = (key) => (key === "l" ? document.querySelector('.tabs a[href*="/logs/"]') : null);

function perform(event) {
  const second = performance.now() - waitingSince < SECOND_KEY_MS;
  waitingSince = -Infinity;
  if (second) return press(document.querySelector(`.side [data-go="${CSS.escape(event.key)}"]`) ?? tabOf(event.key));
  return singles[event.key]?.() ?? false;
}

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !event.altKey && !event.shiftKey && paletteMay(event)) event.preventDefault();
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const floats = document.querySelector("dialog:modal, [popover]:popover-open");
    const off = floats || document.body.dataset.keys === "off" || (typing(event.target) && event.key !== "Escape");
    if (!off && perform(event)) event.preventDefault();
  });
}
