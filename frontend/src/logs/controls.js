// The buttons, fields and links around the log.
import { tell } from "./words.js";

const WAIT_MS = 150;
const LOCAL = new Set(["level", "number", "search", "only", "wrap", "times"]);
const part = (name) => document.querySelector(`[data-log-part="${name}"]`);

export function startControls(page) {
  startFollow(page);
  startSearch(page);
  startLinks(page);
  startJump(page);
  startMenus();
  part("older").addEventListener("click", () => page.loadOlder());
  part("end")?.addEventListener("click", () => { page.screen.toEnd(true); page.log.classList.remove("is-away"); });
  page.log.addEventListener("scroll", () => { part("end").hidden = !page.log.classList.contains("is-away"); }, { passive: true });
}

function startFollow(page) {
  const button = part("follow");
  if (!button) return;
  button.addEventListener("click", () => {
    if (page.link === "ended" && !page.paused) page.stream.start(page.store.lines);
    else if (page.paused) page.resume();
    else page.pause();
    draw(button, page.paused);
  });
}

function draw(button, paused) {
  const use = button.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*$/, paused ? "#player-play" : "#player-pause"));
  [...button.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).forEach((node) => node.remove());
  button.append(tell(paused ? "follow" : "pause"));
}

function startSearch(page) {
  const form = part("ask");
  const field = form.querySelector('[type="search"]');
  let timer = 0;
  const look = () => {
    page.address.change({ search: field.value });
    page.filter();
    if (page.address.get("only")) page.redraw();
    else page.screen.redrawRows();
    page.search.look();
    downloads(page);
  };
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, WAIT_MS); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    if (field.value !== page.address.get("search")) look();
    page.search.step(page.search.current ? 1 : -1);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      page.search.step(-1);
    }
    if (event.key === "Escape" && !field.value) page.log.focus();
  });
  form.querySelector('[name="level"]').addEventListener("change", ({ target }) => {
    page.address.change({ level: target.value });
    page.redraw();
    downloads(page);
  });
  form.querySelector('[name="service"]')?.addEventListener("change", ({ target }) => {
    location.assign(page.address.with({ service: target.value, number: "", instance: "" }));
  });
  part("only").addEventListener("click", () => {
    page.address.change({ only: page.address.get("only") ? "" : "1" });
    sayOnly(page);
    page.redraw();
  });
  sayOnly(page);
}

const sayOnly = (page) => part("only").setAttribute("aria-pressed", String(Boolean(page.address.get("only"))));

// Links that change only how or which of the loaded lines are shown work in place.
function startLinks(page) {
  document.querySelector("main").addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="?"]');
    const changes = link && page.address.changesOf(link);
    const local = changes && Object.keys(changes).length > 0 && Object.keys(changes).every((name) => LOCAL.has(name));
    if (!local || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    page.address.change(changes);
    if ("wrap" in changes || "times" in changes) look(page, link, changes);
    else page.redraw();
    downloads(page);
  });
}

// A second click turns it back.
function look(page, link, changes) {
  const [[name, value]] = Object.entries(changes);
  page.log.classList.toggle(name === "wrap" ? "is-unwrapped" : "is-timeless", value === "0");
  if (value === "0") link.removeAttribute("aria-current");
  else link.setAttribute("aria-current", "true");
  changes[name] = value === "0" ? "" : "0";
  page.address.change({});
  page.screen.toEnd();
}

function downloads(page) {
  document.querySelectorAll("a[data-log-download]").forEach((link) => {
    const url = new URL(link.href);
    ["search", "level", "number", "service"].forEach((name) => {
      const value = page.address.get(name);
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    });
    link.href = url.pathname + url.search;
  });
}

function startJump(page) {
  part("jump")?.addEventListener("submit", (event) => {
    const { value } = event.target.elements.at;
    const at = value && new Date(`${value}${value.length === 16 ? ":00" : ""}${page.log.dataset.offset}`).toISOString();
    const { lines } = page.store;
    if (!at || !lines.length || at < lines[0].written_at || at > lines[lines.length - 1].written_at) return;
    event.preventDefault();
    event.target.closest("details").open = false;
    page.address.change({ at: value });
    page.goToTime(at);
    page.log.focus({ preventScroll: true });
  });
  document.querySelectorAll("form[data-log-keeps]:not([role=search])").forEach((form) => form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    event.preventDefault(); // the hidden fields are those of the page as it came; the filters may have changed since
    const fields = [...form.querySelectorAll("input[type=datetime-local]")].map((field) => [field.name, field.value]);
    location.assign(page.address.with({ range: "", from: "", to: "", at: "", ...Object.fromEntries(fields) }));
  }));
}

// Small menus are <details>: one at a time, closed by Escape and by a click elsewhere.
function startMenus() {
  const menus = [...document.querySelectorAll("details.log-menu")];
  document.addEventListener("click", (event) => menus.forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));
  menus.forEach((menu) => menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.stopPropagation();
    menu.open = false;
    menu.querySelector("summary").focus();
  }));
}
