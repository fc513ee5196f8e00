// The numbers of the page: the past from the API, the present from the socket, on one line of time.
const MOST_LIVE = 900;
const COLOURS = 6;

export class Numbers {
  constructor(source, { seconds, step }) {
    this.source = source;
    this.seconds = seconds;
    this.step = step;
    this.past = null;
    this.live = []; // [{at, samples: Map(instance -> sample)}]
  }

  async fetch() {
    const address = new URL(this.source, location.href);
    address.searchParams.set("from", new Date(Date.now() - this.seconds * 1000).toISOString());
    address.searchParams.set("step_seconds", this.step);
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw Object.assign(new TypeError(String(answer.status)), { status: answer.status });
    this.past = await answer.json();
    this.from = Date.parse(this.past.from) / 1000;
    this.known = new Map(this.past.series.map((line) => [line.instance, line]));
    this.live = this.live.filter(({ at }) => at > this.until());
  }

  // When the newest point of the past is from: what is live comes after it.
  until() {
    const last = this.past.series.reduce((most, line) => Math.max(most, lastIndex(line.memory_bytes)), -1);
    return this.from + last * this.past.step_seconds;
  }

  // False: an instance came that the past does not know.
  take({ at, samples }) {
    if (samples.length === 0 && this.live.length === 0) return true; // it has only begun
    this.live.push({ at, samples: new Map(samples.map((sample) => [sample[0], sample])) });
    this.live.splice(0, this.live.length - MOST_LIVE);
    return samples.every(([instance]) => this.known?.has(instance));
  }

  lines() {
    const names = [...new Set(this.past.series.map((line) => nameOf(line)))];
    return this.past.series.map((line) => ({
      line, name: nameOf(line), colour: 1 + (names.indexOf(nameOf(line)) % COLOURS),
    }));
  }

  sums() {
    const services = [...new Set(this.past.series.map((line) => line.service))];
    const numbers = (service) => this.past.series.filter((line) => line.service === service).map((line) => line.number);
    return services.filter((service) => new Set(numbers(service)).size > 1);
  }

  times() {
    const count = this.past.series[0]?.memory_bytes.length ?? 0;
    const past = Array.from({ length: count }, (_none, place) => this.from + place * this.past.step_seconds);
    const until = this.until();
    const kept = past.filter((at) => at <= until);
    return [...kept, ...this.live.map(({ at }) => at)];
  }

  // Of one line: as long as times(); null is a gap.
  values(line, { field, place }) {
    const count = Math.max(0, Math.round((this.until() - this.from) / this.past.step_seconds) + 1);
    const past = line[field].slice(0, count);
    return [...past, ...this.live.map(({ samples }) => samples.get(line.instance)?.[place] ?? null)];
  }

  sum(service, measure) {
    const columns = this.past.series.filter((line) => line.service === service).map((line) => this.values(line, measure));
    return columns[0].map((_none, place) => columns.reduce(
      (total, column) => (column[place] === null ? total : (total ?? 0) + column[place]), null,
    ));
  }

  limit(measure) {
    if (!measure.limit) return null;
    const limits = this.past.limits.map((one) => one[measure.limit]).filter(Boolean);
    const services = new Set(this.past.series.map((line) => line.service));
    return services.size === 1 ? this.past.limits.find((one) => services.has(one.service))?.[measure.limit] ?? null
      : limits.length === 1 ? limits[0] : null;
  }
}

const nameOf = (line) => `${line.service} ${line.number}`;
const lastIndex = (values) => values.findLastIndex((value) => value !== null);
