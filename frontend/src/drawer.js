// On a phone the side bar is a drawer. Without scripts the link to #side opens it.
import { deed } from "./deeds.js";

const side = () => document.getElementById("side");

export function closeDrawer() {
  if (!side()?.classList.contains("is-out")) return false;
  side().classList.remove("is-out");
  document.querySelector(".menu-button")?.focus();
  return true;
}

export function startDrawer() {
  deed("drawer", () => {
    if (closeDrawer()) return;
    side().classList.add("is-out");
    side().querySelector("a, button").focus();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".side, .menu-button, .menu")) side()?.classList.remove("is-out");
  });
}
