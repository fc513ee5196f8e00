// Builds everything below static/vendor. The result is committed: running Berth needs no Node.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { purgeTabler } from "./purge.mjs";
import { makeNotices } from "./notices.mjs";
import { makeSprite } from "./sprite.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const vendor = path.join(root, "static", "vendor");
const TARGETS = ["chrome111", "firefox113", "safari16.4"];

// What the build reads. tests/frontend/test_build.py hashes the same files in the same way.
const SOURCE_FOLDERS = ["frontend", "static/css"];
const SOURCE_FILES = ["package.json", "package-lock.json"];

async function filesBelow(folder) {
  const found = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)));
}

async function hashOf(file) {
  return createHash("sha256").update(await readFile(path.join(root, file))).digest("hex");
}

async function hashesOf(files) {
  const named = {};
  for (const file of files.map((name) => name.split(path.sep).join("/")).sort()) named[file] = await hashOf(file);
  return named;
}

// Every page has berth.js; what is heavy is a bundle of the page that needs it.
const SCRIPTS = {
  berth: "berth.js", logs: "logs/index.js", console: "console/index.js", editor: "editor/index.js",
  metrics: "metrics/index.js", upload: "upload/index.js",
};

async function bundleScripts() {
  await Promise.all(Object.entries(SCRIPTS).map(([name, source]) => build({
    entryPoints: [path.join(root, "frontend/src", source)],
    outfile: path.join(vendor, `${name}.js`),
    bundle: true, minify: true, format: "esm", target: TARGETS, legalComments: "inline",
  })));
}

// The console's own sheet: xterm's, then ours for its page.
async function bundleConsoleStyles() {
  await build({
    stdin: {
      contents: ["node_modules/@xterm/xterm/css/xterm.css", "static/css/terminal.css"]
        .map((file) => `@import "./${file}";`).join("\n"),
      resolveDir: root, loader: "css",
    },
    outfile: path.join(vendor, "console.css"), bundle: true, minify: true, target: TARGETS, legalComments: "inline",
  });
}

// data-bs-theme="auto" (nobody chose yet) is dark where the system is: the same tokens, written once.
async function tokensFollowingTheSystem() {
  const css = await readFile(path.join(root, "static/css/tokens.css"), "utf8");
  const [, dark] = css.match(/\[data-bs-theme="dark"\] \{\n(.*?)\n\}/s);
  return `${css}\n@media (prefers-color-scheme: dark) { [data-bs-theme="auto"] {\n${dark}\n} }\n`;
}

async function bundleStyles() {
  const parts = path.join(root, "node_modules", ".berth");
  await mkdir(parts, { recursive: true });
  await writeFile(path.join(parts, "tabler.css"), await purgeTabler(root));
  await writeFile(path.join(parts, "tokens.css"), await tokensFollowingTheSystem());
  await build({
    stdin: {
      contents: ["node_modules/.berth/tabler.css", "node_modules/.berth/tokens.css", "static/css/look.css"]
        .map((file) => `@import "./${file}";`).join("\n"),
      resolveDir: root, loader: "css",
    },
    outfile: path.join(vendor, "berth.css"),
    bundle: true, minify: true, target: TARGETS, legalComments: "inline",
    external: ["../img/*"],
  });
  await rm(parts, { recursive: true });
}

async function main() {
  await rm(vendor, { recursive: true, force: true });
  await mkdir(vendor, { recursive: true });
  await Promise.all([bundleScripts(), bundleStyles(), bundleConsoleStyles()]);
  await writeFile(path.join(vendor, "icons.svg"), await makeSprite(root));
  await writeFile(path.join(vendor, "NOTICES.txt"), await makeNotices(root));
  const sources = [...SOURCE_FILES];
  for (const folder of SOURCE_FOLDERS) sources.push(...await filesBelow(folder));
  const manifest = { sources: await hashesOf(sources), built: await hashesOf(await filesBelow("static/vendor")) };
  await writeFile(path.join(vendor, "MANIFEST.json"), `${JSON.stringify(manifest, null, 1)}\n`);
}

await main();
