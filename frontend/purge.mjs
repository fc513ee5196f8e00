// Tabler, cut down to what our components stand on. What to keep is a list, not a scan of the templates:
// a page that needs a class of ours never changes the build.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { PurgeCSS } from "purgecss";

const CLASSES = ["btn", "form-control", "form-select", "form-check-input", "disabled", "active", "show"];
const ELEMENTS = ["html", "body", "h1", "h2", "h3", "h4", "p", "a", "b", "strong", "small", "code", "pre", "kbd", "mark",
  "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td", "svg", "img", "label",
  "input", "button", "select", "option", "optgroup", "textarea", "fieldset", "legend", "output", "progress", "iframe",
  "summary", "details", "dialog", "hr", "sub", "sup", "abbr", "address", "blockquote", "figure", "template",
  "type", "checkbox", "radio", "search", "file", "date", "number", "hidden", "href", "class", "tabindex", "disabled", "role"];

export async function purgeTabler(root) {
  const sheet = path.join(root, "node_modules/@tabler/core/dist/css/tabler.min.css");
  const css = (await readFile(sheet, "utf8")).replace(/\/\*# sourceMappingURL=.*?\*\//g, "");
  const [kept] = await new PurgeCSS().purge({
    content: [{ raw: [...CLASSES, ...ELEMENTS].join(" "), extension: "html" }],
    css: [{ raw: css }],
    safelist: { standard: [/^is-/, "data-bs-theme"] },
    variables: true, keyframes: true, fontFace: true,
    defaultExtractor: (content) => content.split(/\s+/),
  });
  // a strict img-src refuses data: images; form.css puts files in their place
  return kept.css.replace(/url\("data:[^"]*"\)/g, "none");
}
