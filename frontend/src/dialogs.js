// Dialogs: open and close, type the name of what is destroyed.
import { deed } from "./deeds.js";

function forgetAsk() {
  const address = new URL(location.href);
  if (!address.searchParams.has("ask")) return;
  address.searchParams.delete("ask");
  history.replaceState(history.state, "", address);
}

function show(dialog) {
  if (!dialog || dialog.matches(":modal")) return;
  if (dialog.open) dialog.close();
  dialog.showModal();
  const field = dialog.querySelector("[data-must-be]");
  if (field) judge(field);
  field?.focus();
}

function judge(field) {
  const right = field.value.trim() === field.dataset.mustBe;
  field.form.querySelector('[type="submit"]').setAttribute("aria-disabled", String(!right));
  return right;
}

export function startDialogs() {
  deed("open", (part) => {
    const dialog = document.getElementById(part.dataset.what);
    if (!dialog) return false;
    show(dialog);
    return true;
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-must-be]")) judge(event.target);
  });
  document.addEventListener("submit", (event) => {
    const field = event.target.querySelector?.("[data-must-be]");
    if (!field || judge(field)) return;
    event.preventDefault();
    field.focus();
  });
  document.addEventListener("click", (event) => {
    // the scrim belongs to the dialog element itself
    if (event.target.matches("dialog.palette, dialog.dialog")) event.target.close();
  });
  document.addEventListener("close", forgetAsk, true);
  show(document.querySelector("dialog.dialog[open]"));
}
