// The lines that are in the page, in the order of time, and which of them are shown.
import { plain } from "./text.js";

export const MOST_LINES = 100000; // what is older is let go of, and can be loaded again
export const GAP = 10; // so many hidden lines in a row are worth a word
const ORDER = { trace: 0, debug: 1, info: 2, warn: 3, error: 4, fatal: 5 };
const INFO = ORDER.info;

export const orderOf = (level) => ORDER[level] ?? INFO;
export const isError = (line) => line.level === "error" || line.level === "fatal";

export function finderOf(search) {
  return search ? new RegExp(search.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu") : null;
}

export class Store {
  constructor() {
    this.lines = [];
    this.asked = {};
  }

  // Adds lines; gives back the place of the first one that changed, and the lines that late ones came before.
  add(batch) {
    batch.forEach((line) => {
      line.source = `${line.service} ${line.number}`;
      line.shown = plain(line.text);
    });
    batch.sort(byTime);
    let place = this.lines.length;
    const first = batch[0]?.written_at ?? "";
    while (place > 0 && first && this.lines[place - 1].written_at > first) place -= 1;
    const late = this.lines.splice(place);
    const added = late.length ? [...late, ...batch].sort(byTime) : batch;
    for (const line of added) this.lines.push(line);
    return { place, late };
  }

  // Older lines in front; those that are there already are left out. Gives back how many were new.
  addOlder(batch) {
    const oldest = this.lines[0]?.written_at ?? "~";
    const same = new Map();
    for (const line of this.lines) {
      if (line.written_at !== oldest) break;
      same.set(line.instance + line.text, (same.get(line.instance + line.text) ?? 0) + 1);
    }
    const older = batch.filter((line) => {
      if (line.written_at !== oldest) return line.written_at < oldest;
      const left = same.get(line.instance + line.text) ?? 0;
      same.set(line.instance + line.text, left - 1);
      return left <= 0;
    });
    const before = this.lines;
    this.lines = [];
    this.add(older);
    for (const line of before) this.lines.push(line);
    return older.length;
  }

  dropOldest(count) {
    this.lines.splice(0, count);
  }

  ask({ level = "", service = "", number = "", search = "", only = "" }) {
    this.asked = { order: level ? orderOf(level) : -1, service, number, finder: finderOf(search), only: Boolean(only && search) };
    this.lines.forEach((line) => { line.revealed = false; });
  }

  get narrowed() {
    const { order, service, number, only } = this.asked;
    return order >= 0 || Boolean(service) || Boolean(number) || only;
  }

  shows(line) {
    if (line.revealed) return true;
    const { order, service, number, only } = this.asked;
    if (order >= 0 && orderOf(line.level) < order) return false;
    if ((service && line.service !== service) || (number && String(line.number) !== number)) return false;
    return !only || this.found(line);
  }

  found(line) {
    const { finder } = this.asked;
    return Boolean(finder) && line.shown.search(finder) >= 0; // `test` would leave a place in it, where marking then began
  }

  // What stands on the page from a place on: lines, and gaps where many in a row are hidden.
  items(from = 0, to = this.lines.length) {
    const found = [];
    let hidden = 0;
    for (let place = from - 1; place >= 0 && !this.shows(this.lines[place]); place -= 1) hidden += 1;
    for (let place = from; place < to; place += 1) {
      const line = this.lines[place];
      if (!this.shows(line)) {
        hidden += 1;
        continue;
      }
      if (hidden >= GAP) found.push({ gap: hidden, before: line });
      found.push({ line });
      hidden = 0;
    }
    return found;
  }

  matches() {
    return this.asked.finder ? this.lines.filter((line) => this.shows(line) && this.found(line)) : [];
  }

  // The place of the first line that is not before a time.
  placeAt(at) {
    let [low, high] = [0, this.lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.lines[middle].written_at < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  reveal(from, to) {
    for (let place = Math.max(0, from); place <= Math.min(this.lines.length - 1, to); place += 1) this.lines[place].revealed = true;
  }
}

function byTime(one, other) {
  if (one.written_at === other.written_at) return 0;
  return one.written_at < other.written_at ? -1 : 1;
}
