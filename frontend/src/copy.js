// Copies the text beside the button; says so to the eye and to a screen reader.
import { deed } from "./deeds.js";
import { say } from "./words.js";

const SHOWN_MS = 1600;

export async function copyText(text) {
  if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
  // over plain http there is no clipboard object
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

function draw(button, name) {
  const use = button.querySelector("use");
  use?.setAttribute("href", use.getAttribute("href").replace(/#.*$/, `#${name}`));
}

export function startCopying() {
  deed("copy", async (button) => {
    const text = button.dataset.text ?? button.parentElement.querySelector("pre, code, output")?.textContent ?? "";
    await copyText(text);
    const said = button.querySelector('[role="status"]');
    if (said) said.textContent = say("copied");
    draw(button, "check");
    setTimeout(() => {
      if (said) said.textContent = "";
      draw(button, "copy");
    }, SHOWN_MS);
  });
}
