// A form that came back with errors: the summary takes the focus, so that it is read first.
export function startProblems() {
  document.querySelector("[data-problems]")?.focus();
  document.addEventListener("htmx:after:swap", () => {
    const summary = document.querySelector("[data-problems]:not([data-seen])");
    summary?.setAttribute("data-seen", "");
    summary?.focus();
  });
}
