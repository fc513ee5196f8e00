// Light or dark: at once here, kept in a cookie for the next page, told to the server for the person.
import { deed } from "./deeds.js";

const root = document.documentElement;
const YEAR = 365 * 24 * 3600;

export function isDark() {
  const theme = root.dataset.bsTheme;
  return theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
}

function show() {
  const dark = isDark();
  document.querySelectorAll('form[data-turn="theme"]').forEach((form) => {
    form.elements.theme.value = dark ? "light" : "dark";
    form.querySelector("[aria-pressed]")?.setAttribute("aria-pressed", String(dark));
  });
}

export function turnTheme(form = document.querySelector('form[data-turn="theme"]')) {
  const wanted = isDark() ? "light" : "dark";
  root.dataset.bsTheme = wanted;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${wanted}; path=/; max-age=${YEAR}; SameSite=Lax${secure}`;
  if (form) {
    form.elements.theme.value = wanted;
    const told = fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" });
    told.catch(() => { /* the cookie holds the choice; the profile keeps the old one until the next turn */ });
  }
  show();
}

export function startTheme() {
  show();
  deed("turn-theme", () => turnTheme());
  document.addEventListener("submit", (event) => {
    if (!event.target.matches('form[data-turn="theme"]')) return;
    event.preventDefault();
    turnTheme(event.target);
  });
}
