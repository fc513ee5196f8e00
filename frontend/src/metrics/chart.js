// One chart: a line for each instance in its colour, the sum dashed, the limit, and what happened on the axis.
import uPlot from "uplot";
import { clock, say, zoned } from "./amounts.js";

const HEIGHT = 200;
const NEAR_PX = 6;
const together = uPlot.sync("metrics");
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Chart {
  constructor(figure, measure, numbers) {
    this.place = figure.querySelector("[data-chart-place]");
    this.said = figure.querySelector("[data-chart-said]");
    this.now = figure.querySelector("[data-chart-now]");
    this.measure = measure;
    this.numbers = numbers;
    this.title = this.place.getAttribute("aria-label");
    this.place.setAttribute("aria-label", say("keys", { measure: this.title }));
    this.place.addEventListener("keydown", (event) => this.key(event));
    this.place.addEventListener("focus", () => this.said.setAttribute("aria-live", "polite"));
    this.place.addEventListener("blur", () => this.said.removeAttribute("aria-live"));
    new ResizeObserver(() => this.resize()).observe(this.place);
  }

  // Lines came or went, or the theme changed: everything anew.
  build() {
    this.plot?.destroy();
    this.lines = this.numbers.lines();
    this.sums = this.numbers.sums();
    this.plot = new uPlot(this.options(), this.data(), this.place);
    this.legend();
  }

  options() {
    const { numbers } = this;
    const quiet = colour("--b-muted");
    const axis = { stroke: quiet, grid: { stroke: colour("--b-line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    const day = numbers.seconds > 86400;
    return {
      width: this.place.clientWidth || 400,
      height: HEIGHT,
      legend: { show: false },
      tzDate: (seconds) => zoned(seconds, uPlot.tzDate),
      cursor: { sync: { key: together.key, scales: ["x", null] }, points: { size: 6 }, drag: { x: false, y: false }, y: false },
      scales: {
        x: { time: true, range: () => this.range() },
        y: { range: (_plot, _low, high) => [0, this.top(high)] },
      },
      axes: [
        { ...axis, space: day ? 110 : 70, values: (_plot, ticks) => ticks.map((at) => clock(at, { withSeconds: false, withDay: day })) },
        { ...axis, size: 72, space: 36, values: (_plot, ticks) => ticks.map((value) => this.measure.text(value)),
          incrs: this.measure.base === 2 ? [...Array(40).keys()].map((power) => 2 ** power) : undefined },
      ],
      series: [{},
        ...this.lines.map(({ colour: place }) => ({
          stroke: colour(`--b-series-${place}`), width: 1.5, spanGaps: false, points: { show: alone },
        })),
        ...this.sums.map(() => ({ stroke: quiet, width: 1, dash: [5, 4], spanGaps: false, points: { show: false } })),
      ],
      hooks: { draw: [(plot) => this.drawLimit(plot), (plot) => this.drawMarks(plot)], setCursor: [(plot) => this.read(plot)] },
    };
  }

  data() {
    return [this.numbers.times(), ...this.lines.map(({ line }) => this.numbers.values(line, this.measure)),
      ...this.sums.map((service) => this.numbers.sum(service, this.measure))];
  }

  range() {
    const now = Date.now() / 1000;
    return [now - this.numbers.seconds, now];
  }

  // The limit is on the chart as soon as a tenth of it is used; below that it would only flatten the line.
  top(high) {
    const limit = this.numbers.limit(this.measure);
    const most = Math.max(high ?? 0, 0);
    if (limit && most >= limit / 10) return Math.max(limit, most) * 1.08;
    return most > 0 ? most * 1.15 : (limit ?? 1);
  }

  drawLimit(plot) {
    const limit = this.numbers.limit(this.measure);
    if (!limit) return;
    const { ctx, bbox } = plot;
    const above = plot.scales.y.max < limit;
    const y = above ? bbox.top + 1 : plot.valToPos(limit, "y", true);
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("--b-bad");
    ctx.lineWidth = devicePixelRatio;
    if (!above) {
      ctx.beginPath();
      ctx.setLineDash([8 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.font = `${11 * devicePixelRatio}px system-ui`;
    const room = y - bbox.top > 16 * devicePixelRatio;
    ctx.textAlign = "left";
    ctx.textBaseline = room ? "bottom" : "top";
    const text = say(this.lines.length > 1 ? "limits" : "limit", { amount: this.measure.text(limit) });
    ctx.fillText(`${above ? "↑ " : ""}${text}`, bbox.left + 4, y + (room ? -3 : 3) * devicePixelRatio);
    ctx.restore();
  }

  drawMarks(plot) {
    const { ctx, bbox } = plot;
    const [from] = this.range();
    ctx.save();
    this.numbers.past.marks.filter(({ at }) => Date.parse(at) / 1000 >= from).forEach(({ at, kind }) => {
      const x = plot.valToPos(Date.parse(at) / 1000, "x", true);
      ctx.strokeStyle = ctx.fillStyle = colour(kind === "end" ? "--b-bad" : "--b-text");
      ctx.globalAlpha = 0.55;
      ctx.lineWidth = devicePixelRatio;
      ctx.beginPath();
      ctx.setLineDash(kind === "release" ? [] : [2 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.globalAlpha = 1;
      ctx.beginPath();
      const size = 5 * devicePixelRatio;
      const foot = bbox.top + bbox.height;
      ctx.moveTo(x, foot - size);
      ctx.lineTo(x + size, foot + size / 2);
      ctx.lineTo(x - size, foot + size / 2);
      ctx.fill();
    });
    ctx.restore();
  }

  // Beside the pointer: the time, each line's value there, and what happened there.
  read(plot) {
    const { left, idx } = plot.cursor;
    if (left === undefined || left < 0 || idx === null || idx === undefined) return this.legend();
    const near = this.numbers.past.marks.filter(
      ({ at }) => Math.abs(plot.valToPos(Date.parse(at) / 1000, "x") - left) <= NEAR_PX,
    );
    const at = document.createElement("b");
    at.textContent = clock(plot.data[0][idx], { withDay: this.numbers.seconds > 86400 });
    const happened = near.map(({ text, kind }) => {
      const part = document.createElement("span");
      part.className = `chart-mark is-${kind}`;
      part.textContent = text;
      return part;
    });
    this.said.replaceChildren(at, ...happened, ...this.parts((values) => values[idx]));
    return undefined;
  }

  legend() {
    if (!this.plot) return;
    const parts = this.parts((values) => values.findLast((value) => value !== null) ?? null);
    this.said.replaceChildren(...(parts.length ? parts : [document.createTextNode(say("none", {}))]));
  }

  parts(pick) {
    const named = [...this.lines, ...this.sums.map((service) => ({ name: say("all", { service }), colour: 0, sum: true }))];
    return named.map(({ name, colour: place, line }, order) => ({ name, place, line, value: pick(this.plot.data[order + 1]) }))
      .filter(({ value, line }) => value !== null && value !== undefined && !(line?.ended_at && named.length > 12))
      .map(({ name, place, value }) => {
        const part = document.createElement("span");
        part.className = "chart-part";
        const key = document.createElement("span");
        key.className = place ? `key s${place}` : "key is-sum";
        part.append(key, ` ${name} `, Object.assign(document.createElement("b"), { textContent: this.measure.text(value) }));
        return part;
      });
  }

  // New numbers of the lines that are there.
  refresh() {
    if (!this.plot) return this.build();
    this.plot.setData(this.data(), false);
    const [min, max] = this.range();
    this.plot.setScale("x", { min, max });
    if (!(this.plot.cursor.left >= 0)) this.legend();
    this.sayNow();
    return undefined;
  }

  sayNow() {
    const last = this.numbers.live.at(-1);
    if (!last || last.samples.size === 0) return;
    const total = [...last.samples.values()].reduce((sum, sample) => sum + sample[this.measure.place], 0);
    this.now.textContent = this.measure.text(total);
  }

  grey(old) {
    this.now.classList.toggle("is-old-number", old);
    this.said.classList.toggle("is-old-number", old);
  }

  resize() {
    if (this.plot && this.place.clientWidth) this.plot.setSize({ width: this.place.clientWidth, height: HEIGHT });
  }

  key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
    const times = this.plot?.data[0] ?? [];
    if (event.key === "Escape") {
      this.plot?.setCursor({ left: -10, top: -10 });
      return;
    }
    if (times.length === 0 || !(event.key in steps || event.key === "Home" || event.key === "End")) return;
    event.preventDefault();
    const here = this.plot.cursor.idx ?? times.length - 1;
    const to = event.key === "Home" ? 0 : event.key === "End" ? times.length - 1 : here + steps[event.key];
    const place = Math.max(0, Math.min(times.length - 1, to));
    this.plot.setCursor({ left: this.plot.valToPos(times[place], "x"), top: 10 });
  }
}

// A point between two gaps has no line: it is shown as a dot.
function alone(plot, series, first, last) {
  const values = plot.data[series];
  const found = [];
  for (let place = first; place <= last; place += 1) {
    if (values[place] !== null && (values[place - 1] ?? null) === null && (values[place + 1] ?? null) === null) found.push(place);
  }
  return found.length > 0 && found;
}
