// What somebody changed while an answer was on its way stays, and is not judged by that answer: it knows only what it
// was asked with. What decides for the whole form is marked `data-judges`; the answer to the newest question sets it.
import htmx from "htmx.org";

export function startKeepingTyped() {
  let asked = null;
  let late = false;
  htmx.registerExtension("keep-typed", {
    htmx_before_swap: (element, { ctx }) => {
      asked = ctx.request.body;
      late = changedSince(asked, element.closest("form"));
    },
    htmx_before_morph_node: (part) => !(late && part.matches?.("[data-judges]")),
    htmx_before_morph_attr: (field, { attrName }) => {
      const sent = attrName === "value" && field instanceof HTMLInputElement && asked?.get?.(field.name);
      return typeof sent !== "string" || ["radio", "checkbox"].includes(field.type) || sent === field.value;
    },
  });
}

function changedSince(asked, form) {
  if (!asked?.getAll || !form) return false;
  return [...new FormData(form)].some(
    ([name, value]) => typeof value === "string" && !asked.getAll(name).includes(value),
  );
}
