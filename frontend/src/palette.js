// Fields that find: the palette (Ctrl K) and the place switcher. What is typed goes to the server, which answers with
// the list for whoever asks; arrows choose in it, Enter opens. The last answer that was asked for is the one shown.
import { deed } from "./deeds.js";
import { say } from "./words.js";

const PAUSE_MS = 90;

const kept = new Map(); // answers of this page by their whole address
const asked = new Map(); // by list, the address that was asked for last

const listOf = (field) => document.getElementById(field.dataset.finds);
const choices = (field) => [...(listOf(field)?.querySelectorAll("a[href], button.entry") ?? [])];
const inPalette = (field) => field.matches('[role="combobox"]');

function choose(field, wanted) {
  choices(field).forEach((one, place) => {
    one.id ||= `${field.dataset.finds}-${place}`;
    one.classList.toggle("is-on", one === wanted);
    if (inPalette(field)) one.setAttribute("aria-selected", String(one === wanted));
  });
  if (wanted) field.setAttribute("aria-activedescendant", wanted.id);
  else field.removeAttribute("aria-activedescendant");
  wanted?.scrollIntoView({ block: "nearest" });
}

function addressOf(field) {
  const address = new URL(field.dataset.address, location.href);
  address.searchParams.set("q", field.value.trim());
  address.searchParams.set("at", location.pathname);
  return address.href;
}

async function answerTo(address) {
  if (!kept.has(address)) {
    const answer = await fetch(address, { headers: { "HX-Request": "true", Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new TypeError(String(answer.status));
    kept.set(address, await answer.text());
  }
  return kept.get(address);
}

function show(field, text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const list = listOf(field);
  const fresh = page.getElementById(field.dataset.finds);
  if (!list || !fresh) return;
  const none = page.querySelector(".none-found:not([hidden])");
  if (none) fresh.append(none);
  list.replaceWith(fresh);
  const found = choices(field);
  choose(field, field.value.trim() || inPalette(field) ? found[0] : undefined);
  if (field.value.trim()) announce(found.length, none);
}

function announce(count, none) {
  const place = document.getElementById("announcer");
  if (place) place.textContent = none ? none.textContent : say("found", { n: count });
}

async function find(field) {
  const address = addressOf(field);
  asked.set(field.dataset.finds, address);
  try {
    const text = await answerTo(address);
    if (asked.get(field.dataset.finds) === address) show(field, text);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // a TypeError is the network's: what is listed stays
  }
}

function move(field, event) {
  const found = choices(field);
  const place = found.findIndex((one) => one.classList.contains("is-on"));
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Enter") {
    event.preventDefault();
    found[Math.max(place, 0)]?.click();
  } else if (step && found.length > 0) {
    event.preventDefault();
    const next = place < 0 && step < 0 ? found.length - 1 : (place + step + found.length) % found.length;
    choose(field, found[next]);
  } else if (event.key === "Home" && event.ctrlKey) choose(field, found[0]);
  else if (event.key === "End" && event.ctrlKey) choose(field, found.at(-1));
}

function later(field) {
  clearTimeout(Number(field.dataset.timer));
  field.dataset.timer = String(setTimeout(() => find(field), PAUSE_MS));
}

// Typing faster than the answer comes: Enter waits for the list that belongs to what was typed.
async function press(field, event) {
  const behind = asked.get(field.dataset.finds) !== addressOf(field) || !kept.has(addressOf(field));
  if (event.key !== "Enter" || !behind) return move(field, event);
  event.preventDefault();
  clearTimeout(Number(field.dataset.timer));
  await find(field);
  if (kept.has(addressOf(field))) choices(field).find((one) => one.classList.contains("is-on"))?.click();
}

export function openPalette() {
  const dialog = document.getElementById("palette");
  const field = dialog?.querySelector("[data-finds]");
  if (!field) return false;
  if (!dialog.open) dialog.showModal();
  field.value = "";
  kept.clear(); // what is running or stopped changes while a page is open
  find(field);
  return true;
}

export function startFinding() {
  deed("palette", openPalette);
  document.addEventListener("input", (event) => {
    if (event.target.matches?.("[data-finds]")) later(event.target);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.matches?.("[data-finds]")) press(event.target, event);
  });
  document.addEventListener("toggle", (event) => {
    if (event.newState === "open") event.target.querySelector?.("[data-finds]")?.focus();
  }, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#palette .entry")) document.getElementById("palette").close();
  });
}
