// What somebody changed in a field while an answer was on its way stays: the answer knows only what it was asked with.
import htmx from "htmx.org";

export function startKeepingTyped() {
  let asked = null;
  htmx.registerExtension("keep-typed", {
    htmx_before_swap: (_element, { ctx }) => { asked = ctx.request.body; },
    htmx_before_morph_attr: (field, { attrName }) => {
      const sent = attrName === "value" && field instanceof HTMLInputElement && asked?.get?.(field.name);
      return typeof sent !== "string" || ["radio", "checkbox"].includes(field.type) || sent === field.value;
    },
  });
}
