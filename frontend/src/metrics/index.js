// The page of metrics: four charts over one set of numbers.
import "uplot/dist/uPlot.min.css";
import "../../../static/css/chart.css";
import { MEASURES, useWords, useZone } from "./amounts.js";
import { Chart } from "./chart.js";
import { Numbers } from "./numbers.js";
import { Stream } from "./stream.js";

const SOON_MS = 3000; // after an instance came that is not drawn yet

class Page {
  constructor(section) {
    const { metrics, metricsSocket, seconds, step, metricsWords } = section.dataset;
    this.words = JSON.parse(metricsWords);
    useWords(this.words);
    useZone(section.dataset.zone);
    this.numbers = new Numbers(metrics, { seconds: Number(seconds), step: Number(step) });
    this.charts = [...section.querySelectorAll("[data-chart]")].map(
      (figure) => new Chart(figure, MEASURES[figure.dataset.chart], this.numbers),
    );
    this.everyMs = Math.max(30, Number(step)) * 1000;
    this.start(metricsSocket);
  }

  async start(address) {
    await this.fetch();
    this.stream = new Stream(address, { heard: (message) => this.heard(message), state: (state) => this.mark(state) });
    const themed = () => this.numbers.past && this.charts.forEach((chart) => chart.build());
    new MutationObserver(themed).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themed);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.fetch(); });
  }

  async fetch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetch(), this.everyMs);
    if (document.hidden) return;
    const before = this.shape();
    try {
      await this.numbers.fetch();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // a TypeError is the network's, or an answer that is none
      if (!this.numbers.past) this.mark("failed");
      return;
    }
    const same = before === this.shape();
    this.charts.forEach((chart) => { if (same) chart.refresh(); else chart.build(); });
  }

  // Which lines there are: other ones need other charts.
  shape() {
    return JSON.stringify(this.numbers.past?.series.map((line) => [line.instance, line.service, line.number, line.started_at]) ?? null);
  }

  heard(message) {
    if (!this.numbers.past) return;
    if (!this.numbers.take(message) && !this.soon) {
      this.soon = setTimeout(() => { this.soon = null; this.fetch(); }, SOON_MS);
    }
    if (!document.hidden) this.charts.forEach((chart) => chart.refresh());
  }

  mark(state) {
    if (state === this.state) return;
    this.state = state;
    const old = state !== "live";
    document.querySelectorAll("[data-metrics-state] .fresh").forEach((mark) => {
      mark.classList.toggle("is-retry", state === "retry" || state === "away" || state === "failed");
      mark.classList.toggle("is-stale", state === "ended" || state === "full");
      mark.textContent = this.words[state];
    });
    this.charts.forEach((chart) => chart.grey(old));
  }
}

document.querySelectorAll("[data-metrics]").forEach((section) => new Page(section));
