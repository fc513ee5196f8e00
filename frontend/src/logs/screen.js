// Puts lines on the page in chunks of 500. A chunk near what is seen has its lines as rows; one far away is a single
// text that the browser need not lay out, which searching in the page, selecting and reading aloud still find.
import { detailOf, element, gapOf, rowOf, textOf } from "./row.js";

export const CHUNK = 500;
const LINE_PIXELS = 19;
const NEAR = "1500px 0px";

export class Screen {
  constructor(log, { seriesOf, onTop }) {
    this.log = log;
    this.body = log.querySelector("[data-part=\"lines\"]");
    this.style = { seriesOf, finder: null };
    this.chunks = [];
    this.stuck = true; // the newest line stays in sight
    this.current = null; // the line somebody went to: it stays marked, also when its row is made anew
    this.seen = new IntersectionObserver((entries) => entries.forEach((one) => this.turn(one.target.chunk, one.isIntersecting)),
      { root: log, rootMargin: NEAR });
    log.addEventListener("scroll", () => this.scrolled(onTop), { passive: true });
  }

  scrolled(onTop) {
    const { log } = this;
    const down = log.scrollTop > (this.lastTop ?? 0);
    const end = log.scrollHeight - log.scrollTop - log.clientHeight;
    if (end < 24) this.stuck = true;
    else if (!down) this.stuck = false;
    this.lastTop = log.scrollTop;
    this.log.classList.toggle("is-away", !this.stuck);
    if (log.scrollTop < 400 && !down) onTop();
  }

  // Everything anew; `keep` is a line that stays where it is on the screen.
  draw(items, keep = null) {
    const before = keep && this.rowFor(keep)?.getBoundingClientRect().top;
    this.chunks.forEach((chunk) => this.seen.unobserve(chunk.element));
    this.chunks = [];
    this.body.replaceChildren();
    this.append(items);
    const row = keep && this.show(keep);
    if (row && before) this.log.scrollTop += row.getBoundingClientRect().top - before;
    else this.toEnd();
  }

  append(items) {
    let place = 0;
    while (place < items.length) {
      let last = this.chunks[this.chunks.length - 1];
      if (!last || last.items.length >= CHUNK) last = this.begin(null);
      const some = items.slice(place, place + CHUNK - last.items.length);
      this.fill(last, some);
      place += some.length;
    }
    this.toEnd();
  }

  prepend(items) {
    const { log } = this;
    if (log.scrollTop === 0) log.scrollTop = 1; // at the very top the browser does not keep the place
    const first = this.chunks[0] ?? null;
    const height = log.scrollHeight;
    for (let place = 0; place < items.length; place += CHUNK) this.fill(this.begin(first), items.slice(place, place + CHUNK));
    if (!CSS.supports("overflow-anchor", "auto")) log.scrollTop += log.scrollHeight - height;
  }

  begin(next) {
    const chunk = { items: [], rich: false, element: element("div", "log-chunk") };
    chunk.element.chunk = chunk;
    if (next) {
      next.element.before(chunk.element);
      this.chunks.splice(this.chunks.indexOf(next), 0, chunk);
    } else {
      this.body.append(chunk.element);
      this.chunks.push(chunk);
    }
    this.seen.observe(chunk.element);
    return chunk;
  }

  fill(chunk, items) {
    for (const item of items) chunk.items.push(item);
    if (chunk.rich) chunk.element.append(...items.flatMap((item) => this.nodesOf(item)));
    else chunk.element.append(`${items.map(textOf).join("\n")}\n`);
    chunk.element.style.containIntrinsicSize = `auto ${chunk.items.length * LINE_PIXELS}px`;
  }

  nodesOf(item) {
    if (item.gap) return [gapOf(item)];
    const row = rowOf(item.line, this.style);
    row.classList.toggle("is-current", item.line === this.current);
    return item.line.open ? [row, detailOf(item.line)] : [row];
  }

  turn(chunk, rich) {
    if (chunk.rich === rich || (!rich && getSelection().containsNode(chunk.element, true))) return;
    if (!rich && chunk.element.contains(document.activeElement)) return;
    chunk.rich = rich;
    this.refill(chunk);
    this.toEnd();
  }

  refill(chunk) {
    const { items } = chunk;
    chunk.items = [];
    chunk.element.replaceChildren();
    chunk.element.classList.toggle("is-rich", chunk.rich);
    this.fill(chunk, items);
  }

  // Takes away the last lines again, which late ones are to stand between. False where they are in several chunks.
  withdraw(lines) {
    const last = this.chunks[this.chunks.length - 1];
    const gone = new Set(lines);
    const kept = last ? last.items.findIndex((item) => gone.has(item.line ?? item.before)) : -1;
    if (!lines.length) return true;
    if (!last || kept < 0 || last.items.filter((item) => gone.has(item.line)).length < lines.length) return false;
    last.items = last.items.slice(0, kept);
    this.refill(last);
    return true;
  }

  dropFirst() {
    const [first] = this.chunks.splice(0, 1);
    this.seen.unobserve(first.element);
    first.element.remove();
    return first.items;
  }

  chunkOf(line) {
    return this.chunks.find((chunk) => chunk.items.some((item) => item.line === line));
  }

  rowFor(line) {
    const chunk = this.chunkOf(line);
    return chunk?.rich ? [...chunk.element.children].find((row) => row.line === line && row.classList.contains("log-line")) : undefined;
  }

  // The row of a line, made if it was far away.
  show(line) {
    const chunk = this.chunkOf(line);
    if (!chunk) return undefined;
    if (!chunk.rich) {
      chunk.rich = true;
      this.refill(chunk);
    }
    return this.rowFor(line);
  }

  goTo(line) {
    this.current = line;
    const row = this.show(line);
    if (!row) return undefined;
    this.stuck = false;
    this.log.classList.add("is-away");
    this.centre(row);
    requestAnimationFrame(() => this.centre(row)); // heights above it are known only now
    this.log.querySelectorAll(".log-line.is-current").forEach((one) => one.classList.remove("is-current"));
    row.classList.add("is-current");
    return row;
  }

  // Moves the log alone, never the page around it.
  centre(row) {
    const [box, inside] = [row.getBoundingClientRect(), this.log.getBoundingClientRect()];
    this.log.scrollTop += box.top - inside.top - (this.log.clientHeight - box.height) / 2;
  }

  redrawRows() {
    this.chunks.filter((chunk) => chunk.rich).forEach((chunk) => this.refill(chunk));
  }

  toEnd(always = false) {
    if (always) this.stuck = true;
    if (this.stuck) this.log.scrollTop = this.log.scrollHeight;
  }
}
