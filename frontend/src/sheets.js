// Side sheets. Each has its own address, and a page without scripts shows it there; <a data-sheet> opens it in place.
import htmx from "htmx.org";
import { deed } from "./deeds.js";
import { mayLeave } from "./guard.js";
import { findLive } from "./live.js";

const place = () => document.getElementById("sheet-place");
const frame = () => document.querySelector(".frame");
const sheet = () => place()?.querySelector(".side-sheet");

let opener = null;
let below = null; // class and title of the page before a sheet was opened in place

function focusInside() {
  (sheet()?.querySelector("[autofocus]") ?? sheet())?.focus({ preventScroll: true });
}

function put(page) {
  below ??= { css: frame().className, title: document.title };
  place().replaceChildren(...page.getElementById("sheet-place").childNodes);
  frame().className = page.querySelector(".frame").className;
  frame().inert = sheet().getAttribute("aria-modal") === "true";
  document.title = page.title;
  htmx.process(place());
  findLive();
  focusInside();
}

async function open(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok || !page.querySelector("#sheet-place .side-sheet")) return false;
  put(page);
  return true;
}

async function openFrom(link) {
  opener = link;
  const shown = await open(link.href).catch(() => false);
  if (shown) history.pushState({ sheet: true }, "", link.href);
  else location.assign(link.href);
}

function shut() {
  place().replaceChildren();
  frame().inert = false;
  frame().className = below.css;
  document.title = below.title;
  below = null;
  opener?.focus();
}

function close(part) {
  const dialog = part.closest("dialog");
  if (dialog) {
    dialog.close();
    return true;
  }
  if (!mayLeave(place())) return true;
  if (!below) return false; // the server drew it: the link leads to the page below
  history.back();
  return true;
}

async function follow(event) {
  if (event.state?.sheet) {
    event.stopImmediatePropagation();
    if (!(await open(location.href))) location.reload();
  } else if (below) {
    event.stopImmediatePropagation();
    shut();
  }
}

export function closeSheet() {
  const link = sheet()?.querySelector('[data-does="close"]');
  link?.click();
  return Boolean(link);
}

export function startSheets() {
  deed("close", close);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-sheet]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    openFrom(link);
  });
  window.addEventListener("popstate", follow, true);
  if (sheet()) focusInside();
}
