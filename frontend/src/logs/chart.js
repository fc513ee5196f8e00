// How many lines came when, as bars above the log; the peak is said in words beside them.
import { isError } from "./store.js";
import { amount, tell } from "./words.js";
import { local } from "./zone.js";

const STEPS = [1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400, 604800]; // seconds
const MOST_BARS = 60;
const [WIDTH, HEIGHT] = [400, 28];
const SVG = "http://www.w3.org/2000/svg";

const seconds = (at) => Math.floor(Date.parse(`${at.slice(0, 19)}Z`) / 1000);
const iso = (second) => new Date(second * 1000).toISOString();

export function bucketsOf(lines) {
  if (!lines.length) return { step: 60, bars: [] };
  const [first, last] = [seconds(lines[0].written_at), seconds(lines[lines.length - 1].written_at)];
  const step = STEPS.find((one) => Math.floor(last / one) - Math.floor(first / one) < MOST_BARS) ?? 2592000;
  const start = Math.floor(first / step) * step;
  const bars = Array.from({ length: Math.floor((last - start) / step) + 1 }, (_, place) => ({ at: start + place * step, lines: 0, errors: 0 }));
  let [second, bar] = ["", bars[0]];
  for (const line of lines) {
    const now = line.written_at.slice(0, 19);
    if (now !== second) {
      second = now;
      bar = bars[Math.min(bars.length - 1, Math.max(0, Math.floor((seconds(now) - start) / step)))];
    }
    bar.lines += 1;
    if (isError(line)) bar.errors += 1;
  }
  return { step, bars };
}

function rect(css, x, y, width, height) {
  const made = document.createElementNS(SVG, "rect");
  Object.entries({ class: css, x, y, width, height }).forEach(([name, value]) => made.setAttribute(name, value));
  return made;
}

function clockOf(second, step, days) {
  const at = local(iso(second));
  return (days ? `${at.slice(5, 10)} ` : "") + at.slice(11, step < 60 ? 19 : 16);
}

function spanOf(step) {
  if (step < 60) return tell("perSeconds", { n: step });
  if (step < 3600) return tell("perMinutes", { n: step / 60 });
  return tell("perHours", { n: step / 3600 });
}

export class Chart {
  constructor(part, goTo) {
    this.part = part;
    this.drawing = part.querySelector("svg");
    this.drawing.addEventListener("click", (event) => {
      const box = this.drawing.getBoundingClientRect();
      const bar = this.bars?.[Math.floor(((event.clientX - box.left) / box.width) * this.bars.length)];
      if (bar) goTo(iso(bar.at));
    });
  }

  draw(lines) {
    const { step, bars } = bucketsOf(lines);
    this.bars = bars;
    this.part.classList.toggle("is-empty", bars.length === 0);
    const peak = bars.reduce((best, one) => (one.lines > (best?.lines ?? 0) ? one : best), null);
    const width = WIDTH / Math.max(1, bars.length);
    const high = (count) => (count ? Math.max(1.5, (count / peak.lines) * HEIGHT) : 0);
    this.drawing.replaceChildren(...bars.flatMap((bar, place) => {
      const [x, wide] = [place * width, Math.max(0.5, width * 0.8)];
      const drawn = [rect("used", x, HEIGHT - high(bar.lines), wide, high(bar.lines))];
      if (bar.errors) drawn.push(rect("bad", x, HEIGHT - high(bar.errors), wide, high(bar.errors)));
      return drawn;
    }));
    const days = bars.length > 1 && iso(bars[0].at).slice(0, 10) !== iso(bars[bars.length - 1].at).slice(0, 10);
    const [first, words, last] = this.part.querySelectorAll("p > span");
    first.textContent = bars.length ? clockOf(bars[0].at, step, days) : "";
    last.textContent = bars.length > 1 ? clockOf(bars[bars.length - 1].at, step, days) : "";
    words.textContent = peak ? tell("peak", { time: clockOf(peak.at, step, days), lines: amount(peak.lines), span: spanOf(step) }) : "";
    this.drawing.setAttribute("aria-label", words.textContent);
  }
}
