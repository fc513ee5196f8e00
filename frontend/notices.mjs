// The licences of what is shipped below static/vendor, word for word as their authors wrote them.
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";

const SHIPPED = [
  "@tabler/core", "@tabler/icons", "@xterm/addon-fit", "@xterm/addon-search", "@xterm/addon-unicode11",
  "@xterm/addon-web-links", "@xterm/xterm", "ansi_up", "htmx.org", "uplot",
  "codemirror", "@codemirror/autocomplete", "@codemirror/commands", "@codemirror/lang-yaml", "@codemirror/language", "@codemirror/lint", "@codemirror/search", "@codemirror/state", "@codemirror/view", "@lezer/common", "@lezer/highlight", "@lezer/lr", "@lezer/yaml", "@marijn/find-cluster-break", "crelt", "style-mod", "w3c-keyname",
];

// a package that forgot its licence file: the licence it names, of the project it names
const FORGOTTEN = { "@tabler/core": { copyOf: "@tabler/icons", holder: "Copyright (c) 2018-2026 The Tabler Authors" } };

async function licenceOf(root, name) {
  const folder = path.join(root, "node_modules", name);
  const file = (await readdir(folder)).find((entry) => /^licen[sc]e/i.test(entry));
  if (file) return (await readFile(path.join(folder, file), "utf8")).trim();
  const { copyOf, holder } = FORGOTTEN[name];
  return (await licenceOf(root, copyOf)).replace(/^Copyright.*$/m, holder);
}

async function noticeOf(root, name) {
  const about = JSON.parse(await readFile(path.join(root, "node_modules", name, "package.json"), "utf8"));
  const text = await licenceOf(root, name);
  return `${name} ${about.version} (${about.license})\n${about.homepage ?? ""}\n\n${text}\n`;
}

export async function makeNotices(root) {
  const notices = await Promise.all(SHIPPED.map((name) => noticeOf(root, name)));
  const head = "Berth ships parts of the following works below static/vendor.\n";
  return [head, ...notices].join(`\n${"-".repeat(72)}\n\n`);
}
