// Sentences of the console page come translated with its section; "%(n)s" stands for a value.
export const setup = JSON.parse(document.querySelector("[data-console]")?.dataset.console ?? "{}");

export function say(name, values = {}) {
  return Object.entries(values).reduce((text, [key, value]) => text.replace(`%(${key})s`, value), setup.words[name] ?? "");
}

export function length(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? say("seconds", { s: whole }) : say("minutes", { m: Math.floor(whole / 60), s: whole % 60 });
}
