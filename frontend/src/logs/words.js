// Sentences of the log page, translated by the server on the log itself; counted ones come as [one, many].
let words = {};

export function learn(root) {
  words = JSON.parse(root.dataset.words || "{}");
}

export const amount = (number) => number.toLocaleString(document.documentElement.lang || "en");

export function tell(name, values = {}) {
  const known = words[name] ?? "";
  const text = Array.isArray(known) ? known[values.n === 1 ? 0 : 1] : known;
  return Object.entries(values).reduce((told, [key, value]) =>
    told.replace(`%(${key})s`, typeof value === "number" ? amount(value) : value), text);
}
