// The log page: lines come by the socket into the store, and from there onto the screen.
import { Address } from "./address.js";
import { Chart } from "./chart.js";
import { startControls } from "./controls.js";
import { Legend } from "./legend.js";
import { startReading } from "./reading.js";
import { Screen } from "./screen.js";
import { Search } from "./search.js";
import { MOST_LINES, Store, isError } from "./store.js";
import { LogStream, addressOf, fetchLines } from "./stream.js";
import { learn, tell } from "./words.js";
import { setZone } from "./zone.js";

const MOST_HELD = 20000; // while paused; what comes after is read again from the engine
const STEP = 2000;
const QUIET_MS = 1000;

export const part = (name) => document.querySelector(`[data-log-part="${name}"]`);

export class LogPage {
  constructor(log) {
    learn(log);
    setZone(log.dataset.offset);
    this.log = log;
    this.address = new Address(log);
    this.store = new Store();
    this.legend = new Legend(part("legend"), JSON.parse(log.dataset.series), (service, number) => this.only(service, number));
    this.screen = new Screen(log, { seriesOf: (line) => this.legend.seriesOf(line), onTop: () => this.loadOlder() });
    this.chart = new Chart(part("volume"), (at) => this.goToTime(at));
    this.search = new Search(this, { next: part("next"), previous: part("previous"), count: part("found"), tools: part("found-tools") });
    this.window = log.dataset.window === "1"; // a stretch of the past: it has an end
    this.held = [];
    this.coming = [];
    this.errors = 0;
    this.rates = [];
    this.filter();
    this.stream = new LogStream(log.dataset.stream, {
      lines: (lines) => this.take(lines),
      state: (name, detail) => this.state(name, detail),
      again: () => this.stream.start([...this.store.lines.slice(-MOST_LINES), ...this.coming, ...this.held]),
    });
    startControls(this);
    startReading(this);
    this.stream.start();
    setInterval(() => this.everySecond(), QUIET_MS);
  }

  filter() {
    this.store.ask(this.address.asked);
    this.screen.style.finder = this.store.asked.finder;
    this.legend.mark({ service: this.address.get("service"), number: this.address.get("number") });
  }

  // Lines of one frame; the next frames wait until these are on the page.
  take(lines) {
    if (this.paused) {
      for (const line of lines) this.held.push(line);
      if (this.held.length >= MOST_HELD) this.overfull();
      this.sayPaused();
      return undefined;
    }
    for (const line of lines) this.coming.push(line);
    if (performance.now() - (this.liveAt ?? Infinity) > 1000) this.rates.push({ at: performance.now(), n: lines.length });
    if (document.hidden) return this.flush(); // there are no frames to wait for, and timers hardly run
    this.next ??= new Promise((done) => {
      const flush = () => { this.next = null; this.flush(); done(); };
      requestAnimationFrame(flush);
      setTimeout(() => { if (document.hidden && this.next) flush(); }, 1000);
    });
    return this.next;
  }

  overfull() {
    this.stream.stop();
    this.left = true; // on resume the engine is asked from the last line that was held
  }

  flush() {
    const batch = this.coming;
    this.coming = [];
    if (!batch.length) return;
    const first = this.store.lines.length === 0;
    const { place, late } = this.store.add(batch);
    this.legend.meet(batch);
    this.errors += batch.filter(isError).length;
    this.changed = true;
    if (first) this.screen.draw(this.store.items());
    else if (this.screen.withdraw(late.filter((line) => this.store.shows(line)))) this.screen.append(this.store.items(place));
    else this.screen.draw(this.store.items());
    if (first) this.begun();
    this.forget();
  }

  begun() {
    part("none")?.remove();
    part("older").hidden = this.window;
    const at = this.address.get("at");
    if (at) this.goToTime(this.log.dataset.at || at);
    this.everySecond();
  }

  // Lets go of the oldest lines; a stretch of the past stops there instead.
  forget() {
    if (this.store.lines.length <= MOST_LINES) return;
    if (this.window) {
      this.stream.stop();
      this.mark("stale", tell("firstLines", { n: this.store.lines.length }));
      return;
    }
    while (this.store.lines.length > MOST_LINES && this.screen.chunks.length > 1) {
      const items = this.screen.dropFirst();
      this.store.dropOldest(this.store.lines.indexOf(items[items.length - 1].line) + 1);
      this.beginning = false;
    }
    if (this.store.lines.length > MOST_LINES * 1.2) this.store.dropOldest(this.store.lines.length - MOST_LINES); // hidden ones
  }

  // Anew, after a filter has changed; what is read stays where it is.
  redraw() {
    this.filter();
    this.screen.draw(this.store.items(), this.screen.stuck ? null : this.lineInSight());
    this.search.look();
    this.changed = true;
    this.everySecond();
  }

  lineInSight() {
    const top = this.log.getBoundingClientRect().top;
    const rows = [...this.log.querySelectorAll(".log-line")].filter((row) => row.line && row.getBoundingClientRect().bottom > top);
    return rows.map((row) => row.line).find((line) => this.store.shows(line)) ?? null;
  }

  only(service, number) {
    const same = this.address.get("number") === number && this.address.get("service") === service;
    const narrow = this.log.dataset.service; // what the stream itself was asked for
    this.address.change(same ? { service: narrow, number: "" } : { service, number });
    this.redraw();
  }

  // True when there were any.
  async loadOlder() {
    if (this.loading || this.beginning || this.window || !this.store.lines.length || this.store.lines.length >= MOST_LINES) return false;
    this.loading = true;
    const { lines } = this.store;
    const newest = Math.min(MOST_LINES, lines.length + this.coming.length + this.held.length + Math.max(STEP, lines.length));
    part("older").textContent = tell("loading");
    const answer = await fetchLines(addressOf(this.log.dataset.stream, { follow: "", newest: String(newest), until: lines[0].written_at }));
    const before = lines[0];
    const added = answer.complete ? this.store.addOlder(answer.lines) : 0;
    this.beginning = answer.complete && added === 0;
    this.loading = false;
    if (added) this.showOlder(before);
    this.sayOlder(answer.complete ? "" : answer.said);
    return added > 0;
  }

  showOlder(before) {
    const place = this.store.lines.indexOf(before);
    const older = this.store.lines.slice(0, place);
    this.legend.meet(older);
    this.errors += older.filter(isError).length;
    this.screen.prepend(this.store.items(0, place));
    this.search.look();
    this.changed = true;
  }

  sayOlder(said) {
    const full = this.store.lines.length >= MOST_LINES;
    part("older").textContent = said || (this.beginning ? tell("beginning") : full ? tell("full", { n: MOST_LINES }) : tell("older"));
    part("older").disabled = this.beginning || full;
  }

  goToTime(at) {
    const { lines } = this.store;
    const found = lines.slice(this.store.placeAt(at)).find((line) => this.store.shows(line));
    const line = found ?? lines.findLast?.((one) => this.store.shows(one));
    if (line) this.screen.goTo(line);
    return Boolean(line);
  }

  pause() {
    this.paused = true;
    this.sayPaused();
  }

  resume() {
    this.paused = false;
    const held = this.held.splice(0);
    for (const line of held) this.coming.push(line);
    this.flush();
    this.screen.toEnd(true);
    if (this.left) this.stream.start(this.store.lines);
    else this.state(this.link ?? "live", this.linkDetail ?? {});
    this.left = false;
  }

  state(name, detail) {
    this.link = name;
    this.linkDetail = detail;
    this.liveAt = name === "live" ? performance.now() : Infinity; // what comes first is the past
    if (this.paused) return;
    const said = detail.said ? `${detail.said} ` : "";
    if (name === "live") this.mark("live", tell(this.window ? "reading" : "live"));
    if (name === "lost") this.mark("retry", said + tell("retry", { n: Math.max(1, Math.round(detail.wait / 1000)) }));
    if (name === "ended") this.mark("stale", said || tell(this.window ? "complete" : "ended"));
    if (name === "ended" && part("none") && detail.code === 1000) part("none").hidden = false;
  }

  mark(state, words) {
    document.querySelectorAll('[data-log-part="state"] .fresh').forEach((mark) => {
      mark.classList.toggle("is-retry", state === "retry");
      mark.classList.toggle("is-stale", state === "stale");
      if (mark.textContent !== words) mark.textContent = words;
    });
  }

  sayPaused() {
    this.mark("stale", this.left ? tell("heldFull", { n: this.held.length }) : tell("held", { n: this.held.length }));
  }

  everySecond() {
    const now = performance.now();
    this.rates = this.rates.filter((one) => now - one.at < 5000);
    const rate = this.rates.reduce((sum, one) => sum + one.n, 0) / 5;
    const following = this.link === "live" && !this.paused && !this.window;
    part("rate").textContent = following && rate >= 0.2 ? tell("rate", { n: Math.round(rate * 10) / 10 }) : "";
    if (!this.changed || document.hidden) return;
    this.changed = false;
    this.chart.draw(this.store.lines);
    if (this.address.get("search")) this.search.look();
    part("count").textContent = tell("loaded", { n: this.store.lines.length });
    part("errors").textContent = this.errors ? tell("errors", { n: this.errors }) : "";
  }
}
