// What somebody changed while an answer was on its way stays, and is not judged by that answer: it knows only what it
// was asked with. Every change in a part with `data-judged` asks anew, and the answer to that sets what `data-judges`.
import htmx from "htmx.org";

let changes = 0;

export function startKeepingTyped() {
  let asked = null;
  let late = false;
  // in the capture phase: counted before the change asks
  for (const kind of ["input", "change"]) document.addEventListener(kind, count, true);
  htmx.registerExtension("keep-typed", {
    htmx_config_request: (_element, { ctx }) => { ctx.changes = changes; },
    htmx_before_swap: (_element, { ctx }) => {
      asked = ctx.request.body;
      late = ctx.changes !== changes;
    },
    htmx_before_morph_node: (part) => !(late && part.matches?.("[data-judges]")),
    htmx_before_morph_attr: (field, { attrName }) => {
      const sent = attrName === "value" && field instanceof HTMLInputElement && asked?.get?.(field.name);
      return typeof sent !== "string" || ["radio", "checkbox"].includes(field.type) || sent === field.value;
    },
  });
}

function count(event) {
  if (event.target.closest?.("[data-judged]")) changes += 1;
}
