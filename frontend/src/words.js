// Sentences come translated from the server, on <body data-words>.
const words = JSON.parse(document.body.dataset.words || "{}");

export function say(name, values = {}) {
  return Object.entries(values).reduce((text, [key, value]) => text.replace(`%(${key})s`, value), words[name] ?? "");
}
