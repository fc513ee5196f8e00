// A search field that narrows a list on this page: the place switcher and the palette.
function choose(field, links, wanted) {
  links.forEach((link) => {
    link.classList.toggle("is-on", link === wanted);
    if (link.matches('[role="option"]')) link.setAttribute("aria-selected", String(link === wanted));
  });
  if (wanted && field.matches('[role="combobox"]')) field.setAttribute("aria-activedescendant", wanted.id);
  wanted?.scrollIntoView({ block: "nearest" });
}

const shown = (list) => [...list.querySelectorAll("li:not([hidden]) > a")];

function narrow(field) {
  const list = document.getElementById(field.dataset.narrows);
  const asked = field.value.trim().toLowerCase().split(/\s+/);
  list.querySelectorAll("li").forEach((line) => {
    const text = line.textContent.toLowerCase();
    line.hidden = !asked.every((word) => text.includes(word));
  });
  const links = shown(list);
  const none = list.parentElement.querySelector(".none-found");
  if (none) none.hidden = links.length > 0;
  choose(field, list.querySelectorAll("a"), links[0]);
}

function move(field, event) {
  const list = document.getElementById(field.dataset.narrows);
  const links = shown(list);
  const place = links.findIndex((link) => link.classList.contains("is-on"));
  if (event.key === "Enter") {
    event.preventDefault();
    links[Math.max(place, 0)]?.click();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || links.length === 0) return;
  event.preventDefault();
  choose(field, list.querySelectorAll("a"), links[(place + step + links.length) % links.length]);
}

export function startNarrowing() {
  document.querySelectorAll("[data-narrows]").forEach((field) => {
    const list = document.getElementById(field.dataset.narrows);
    list.querySelectorAll("a").forEach((link, place) => { link.id ||= `${list.id}-${place}`; });
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-narrows]")) narrow(event.target);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.matches?.("[data-narrows]")) move(event.target, event);
  });
}
