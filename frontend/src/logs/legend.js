// Which colour belongs to which instance; an entry shows only its instance, and all again.
import { element } from "./row.js";

const SERIES = 6;

export class Legend {
  constructor(part, series, onOnly) {
    this.part = part;
    this.series = new Map(Object.entries(series));
    this.onOnly = onOnly;
    this.entries = new Map();
    part.replaceChildren();
  }

  seriesOf(line) {
    let series = this.series.get(line.source);
    if (!series) {
      series = 1 + (line.number % SERIES);
      this.series.set(line.source, series);
    }
    return series;
  }

  meet(lines) {
    for (const line of lines) if (!this.entries.has(line.source)) this.add(line);
  }

  add(line) {
    const entry = element("button", "log-key");
    entry.type = "button";
    entry.append(element("span", `key s${this.seriesOf(line)}`), line.source);
    entry.addEventListener("click", () => this.onOnly(line.service, String(line.number)));
    const item = element("li");
    item.append(entry);
    this.entries.set(line.source, { entry, item, service: line.service, number: line.number });
    const after = [...this.entries.values()].filter((one) => one.service > line.service
      || (one.service === line.service && one.number > line.number))[0];
    this.part.insertBefore(item, after?.item ?? null);
    this.mark(this.only);
  }

  // `only`: {service, number} of the one instance that is shown, or nothing.
  mark(only) {
    this.only = only;
    this.entries.forEach(({ entry, service, number }) => {
      const on = Boolean(only?.number) && only.service === service && String(number) === only.number;
      entry.setAttribute("aria-pressed", String(on));
      entry.classList.toggle("is-off", Boolean(only?.number) && !on);
    });
  }
}
