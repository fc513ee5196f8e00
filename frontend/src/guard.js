// <form data-guard>: warns before what was typed is lost.
import { say } from "./words.js";

const changed = new WeakSet();

const unsaved = (within = document) => [...within.querySelectorAll("form[data-guard]")].some((form) => changed.has(form));

export function mayLeave(within) {
  return !unsaved(within) || window.confirm(say("unsaved"));
}

export function startGuarding() {
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form[data-guard]");
    if (form && event.isTrusted) changed.add(form);
  });
  document.addEventListener("submit", (event) => changed.delete(event.target));
  window.addEventListener("beforeunload", (event) => {
    if (unsaved()) event.preventDefault();
  });
}
