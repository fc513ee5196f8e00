// <button data-does="copy">: one listener for all, so that parts swapped in later work too.
const deeds = new Map();

export function deed(name, perform) {
  deeds.set(name, perform);
}

document.addEventListener("click", (event) => {
  const part = event.target.closest?.("[data-does]");
  const perform = part && deeds.get(part.dataset.does);
  const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0;
  if (!perform || (part.matches("a[href]") && elsewhere)) return;
  // a deed that answers false leaves the link or button to the browser
  if (perform(part, event) !== false) event.preventDefault();
});
