// What htmx asked for and did not get: said in a toast, never swapped into the page.
import { say } from "./words.js";
import { toast } from "./toasts.js";

function problemOf(text) {
  const page = new DOMParser().parseFromString(text ?? "", "text/html");
  const part = (name) => page.querySelector(`[data-problem-${name}]`)?.textContent.trim() ?? "";
  return { title: part("title"), detail: [part("detail"), part("hint")].filter(Boolean).join(" ") };
}

function tell({ ctx }) {
  const status = ctx?.response?.status ?? 0;
  if (status === 422) return; // the form comes back with its errors
  if (status === 401) location.reload(); // signing in leads back here
  const { title, detail } = problemOf(ctx?.text);
  toast(title || say("failed"), { detail });
}

export function startRequests() {
  document.addEventListener("htmx:response:error", (event) => tell(event.detail));
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx) toast(say("failed"));
  });
}
