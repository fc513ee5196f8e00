// Reading single lines: opening one, moving from one to the next by keys, what its details offer.
import { copyText } from "../copy.js";
import { detailOf } from "./row.js";
import { tell } from "./words.js";
import { local } from "./zone.js";

const AROUND = 20;

export function startReading(page) {
  page.log.addEventListener("click", (event) => click(page, event));
  page.log.addEventListener("keydown", (event) => key(page, event));
}

function click(page, event) {
  const pressed = event.target.closest?.("button[data-part]");
  if (pressed) return press(page, pressed);
  const row = event.target.closest?.(".log-line");
  const opener = event.target.closest?.(".log-open");
  if (!row?.line || (!opener && !getSelection().isCollapsed)) return undefined;
  return toggle(row);
}

function toggle(row) {
  const { line } = row;
  line.open = !line.open;
  row.querySelector(".log-open").setAttribute("aria-expanded", String(line.open));
  if (line.open) row.after(detailOf(line));
  else row.nextElementSibling.remove();
}

function press(page, pressed) {
  const gap = pressed.closest(".log-gap")?.gap;
  const line = pressed.closest(".log-detail, .log-line")?.line;
  const deeds = {
    reveal: () => reveal(page, gap.before, gap.gap, 0),
    around: () => reveal(page, line, AROUND, AROUND),
    whole: () => whole(page, line),
    "copy-line": () => copyText(line.whole ?? line.shown).then(() => said(pressed)),
    "copy-link": () => copyText(linkTo(page, line)).then(() => said(pressed)),
  };
  return deeds[pressed.dataset.part]?.();
}

function said(pressed) {
  pressed.textContent = tell("copied");
}

function linkTo(page, line) {
  const at = local(line.written_at).slice(0, 19);
  return new URL(page.address.with({ at }), location.href).href;
}

// Lines that a filter hides, so many before and after a line.
function reveal(page, line, before, after) {
  const place = page.store.lines.indexOf(line);
  if (!line || place < 0) return;
  let [from, to] = [place, place];
  if (after) [from, to] = [place - before, place + after];
  else while (from > 0 && !page.store.shows(page.store.lines[from - 1])) from -= 1;
  page.store.reveal(from, to);
  page.screen.stuck = false;
  page.screen.draw(page.store.items(), line);
  page.screen.goTo(line);
  page.search.look();
}

// All of a line that was cut on its way here.
async function whole(page, line) {
  const at = new Date(Date.parse(`${line.written_at.slice(0, 23)}Z`)).toISOString();
  const url = new URL(page.log.dataset.api, location.href);
  const asked = { format: "ndjson", service: line.service, instance: line.instance, since: at, until: line.written_at };
  Object.entries(asked).forEach(([name, value]) => { if (value) url.searchParams.set(name, value); });
  const answer = await fetch(url);
  const found = answer.ok ? (await answer.text()).split("\n").filter(Boolean).map((one) => JSON.parse(one)) : [];
  const same = found.find((one) => one.written_at === line.written_at && one.text.startsWith(line.text.slice(0, 1000)));
  if (!same) return;
  line.whole = same.text;
  line.open = true;
  const row = page.screen.show(line);
  if (row.nextElementSibling?.classList.contains("log-detail")) row.nextElementSibling.remove();
  row.after(detailOf(line));
}

function key(page, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const moves = { j: 1, k: -1 };
  if (event.key === "G" || event.key === "End") page.screen.toEnd(true);
  else if (event.key in moves) step(page, moves[event.key]);
  else return;
  event.preventDefault();
}

function step(page, by) {
  const rows = [...page.log.querySelectorAll(".log-open")];
  const box = page.log.getBoundingClientRect();
  const at = rows.indexOf(document.activeElement);
  const first = rows.findIndex((one) => one.getBoundingClientRect().top > box.top);
  const next = rows[at < 0 ? first : Math.min(rows.length - 1, Math.max(0, at + by))];
  if (!next) return;
  page.screen.stuck = false;
  next.focus({ preventScroll: true });
  next.closest(".log-line").scrollIntoView({ block: "nearest" });
}

