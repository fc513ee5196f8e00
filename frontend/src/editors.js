// <div data-editor="/static/vendor/editor.js"> around a textarea: its editor is loaded when it is there, never before.
export function startEditors() {
  const look = () => document.querySelectorAll("[data-editor]").forEach(async (part) => {
    const { edit } = await import(part.dataset.editor);
    edit(part);
  });
  const place = document.getElementById("sheet-place");
  if (place) new MutationObserver(look).observe(place, { childList: true, subtree: true });
  look();
}
