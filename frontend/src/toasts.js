// Results of what one just did. Good news without a button goes away by itself; the rest stays until closed.
import { deed } from "./deeds.js";

const SHOWN_MS = 10000;

function leaveLater(notice) {
  if (!notice.classList.contains("is-ok") || notice.querySelector("form")) return;
  setTimeout(() => {
    if (notice.matches(":hover, :focus-within")) leaveLater(notice);
    else notice.remove();
  }, SHOWN_MS);
}

export function toast(text, { kind = "bad", detail = "" } = {}) {
  const place = document.getElementById("toasts");
  const form = document.querySelector(`template[data-toast="${kind}"]`);
  if (!place || !form) return;
  const notice = form.content.firstElementChild.cloneNode(true);
  notice.querySelector("b").textContent = text;
  notice.querySelector("p").textContent = detail;
  place.append(notice);
  leaveLater(notice);
}

export function startToasts() {
  deed("dismiss", (button) => button.closest(".notice").remove());
  document.querySelectorAll("#toasts .notice").forEach(leaveLater);
}
