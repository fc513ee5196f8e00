// One <symbol> for each name of icons.txt, from Tabler Icons' outline set.
import { readFile } from "node:fs/promises";
import path from "node:path";

export async function iconNames(root) {
  const text = await readFile(path.join(root, "frontend/icons.txt"), "utf8");
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}

async function symbolOf(root, name) {
  const file = path.join(root, "node_modules/@tabler/icons/icons/outline", `${name}.svg`);
  const drawing = (await readFile(file, "utf8"))
    .replace(/<!--[\s\S]*?-->/g, "").replace(/<\/?svg[^>]*>/g, "")
    .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none" ?\/>/, "")
    .replace(/\s*\n\s*/g, "").replace(/ \/>/g, "/>");
  return `<symbol id="${name}" viewBox="0 0 24 24" stroke-linecap="round" stroke-linejoin="round">${drawing}</symbol>`;
}

export async function makeSprite(root) {
  const symbols = await Promise.all((await iconNames(root)).map((name) => symbolOf(root, name)));
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}
