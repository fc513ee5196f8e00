// Amounts with their units, as the server writes them too (core/wording.py).
const language = document.documentElement.lang || "en";
const UNITS = ["B", "KB", "MB", "GB", "TB"];
let say = (_name, values) => values.amount;

export function useWords(words) {
  say = (name, values) => Object.entries(values).reduce((text, [key, value]) => text.replace(`%(${key})s`, value), words[name] ?? "");
}

const number = (value, places) => new Intl.NumberFormat(language, { maximumFractionDigits: places }).format(value);

function bytes(value) {
  let unit = 0;
  let left = value;
  while (Math.abs(left) >= 1024 && unit < UNITS.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${number(left, left < 100 ? 1 : 0)} ${UNITS[unit]}`;
}

const cores = (value) => say("cores", { amount: number(value / 1000, value < 100 ? 3 : 2) });
const rate = (value) => say("per_second", { amount: bytes(value) });

export const MEASURES = {
  cpu: { field: "cpu_millicores", place: 1, limit: "cpu_millicores", text: cores, base: 10 },
  memory: { field: "memory_bytes", place: 2, limit: "memory_bytes", text: bytes, base: 2 },
  received: { field: "network_in_bytes_per_second", place: 3, limit: null, text: rate, base: 2 },
  sent: { field: "network_out_bytes_per_second", place: 4, limit: null, text: rate, base: 2 },
};

let zone = "UTC";
const formats = new Map();

// The server writes times in one zone; the charts use the same.
export function useZone(name) {
  zone = name || "UTC";
}

export const zoned = (seconds, tzDate) => tzDate(new Date(seconds * 1000), zone);

function format(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(language, { timeZone: zone, ...options }));
  return formats.get(key);
}

export function clock(seconds, { withSeconds = true, withDay = false } = {}) {
  const at = new Date(seconds * 1000);
  const digits = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(withSeconds ? { second: "2-digit" } : {}) };
  const time = format(digits).format(at);
  return withDay ? `${format({ month: "short", day: "numeric" }).format(at)} ${time}` : time;
}

export { say };
