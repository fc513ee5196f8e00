// Finding words in the lines that are loaded: how many, and from one to the next.
import { tell } from "./words.js";

export class Search {
  constructor(page, parts) {
    this.page = page;
    this.parts = parts;
    this.current = null;
    this.found = [];
    parts.next?.addEventListener("click", () => this.step(1));
    parts.previous?.addEventListener("click", () => this.step(-1));
    document.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const typing = event.target.closest?.("input, textarea, select, dialog, [popover]");
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing || !this.page.address.get("search")) return;
    if (document.body.dataset.keys === "off" || !["n", "N"].includes(event.key)) return;
    event.preventDefault();
    this.step(event.key === "n" ? 1 : -1);
  }

  // Counts anew.
  look() {
    this.found = this.page.store.matches();
    if (this.current && !this.found.includes(this.current)) this.current = this.page.screen.current = null;
    this.say();
  }

  say() {
    const { count, tools } = this.parts;
    const on = Boolean(this.page.address.get("search"));
    if (tools) tools.hidden = !on;
    if (!count) return;
    const place = this.current ? this.found.indexOf(this.current) + 1 : 0;
    count.textContent = !on ? "" : place ? tell("foundAt", { place, n: this.found.length }) : tell("found", { n: this.found.length });
  }

  async step(by) {
    this.look();
    const { found } = this;
    const place = this.current ? found.indexOf(this.current) + by : by > 0 ? 0 : found.length - 1;
    if (place < 0 && (await this.page.loadOlder())) {
      this.look();
      const again = this.current ? this.found.indexOf(this.current) - 1 : this.found.length - 1;
      if (again >= 0) return this.go(this.found[again]);
    }
    const next = found[Math.min(found.length - 1, Math.max(0, place))];
    return next ? this.go(next) : this.say();
  }

  go(line) {
    this.current = line;
    this.page.screen.goTo(line);
    this.say();
  }
}
