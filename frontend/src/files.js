// <input type="file" data-reads-into="id">: the file is read here and put into the field, where it can be looked at.
const MOST_BYTES = 512 * 1024; // larger ones are sent as they are, and refused with their size

export function startReadingFiles() {
  document.addEventListener("change", async (event) => {
    const field = document.getElementById(event.target.dataset?.readsInto ?? "");
    const file = field && event.target.files?.[0];
    if (!file || file.size > MOST_BYTES) return;
    field.value = await file.text();
    event.target.value = ""; // not sent a second time
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });
}
