// Keeps "12 min ago" true. The words and limits are those of core/wording.py.
import { say } from "./words.js";

const EVERY_MS = 15000;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

function past(gap) {
  if (gap < 5) return say("now");
  if (gap < MINUTE) return say("secondsAgo", { n: Math.floor(gap) });
  if (gap < HOUR) return say("minutesAgo", { n: Math.floor(gap / MINUTE) });
  if (gap < DAY) return say("hoursAgo", { n: Math.floor(gap / HOUR) });
  return gap < 2 * DAY ? say("yesterday") : say("daysAgo", { n: Math.floor(gap / DAY) });
}

function future(gap) {
  if (gap < MINUTE) return say("inSeconds", { n: Math.floor(gap) });
  if (gap < HOUR) return say("inMinutes", { n: Math.floor(gap / MINUTE) });
  if (gap < DAY) return say("inHours", { n: Math.floor(gap / HOUR) });
  return gap < 2 * DAY ? say("tomorrow") : say("inDays", { n: Math.floor(gap / DAY) });
}

export function ago(when, now = Date.now()) {
  const gap = (now - when) / 1000;
  return gap >= 0 ? past(gap) : future(-gap);
}

function refresh() {
  document.querySelectorAll("time[data-relative]").forEach((part) => {
    const when = Date.parse(part.dateTime);
    // past 30 days the server wrote a date, which stays true
    if (Math.abs(Date.now() - when) >= 30 * DAY * 1000) return;
    const text = ago(when);
    if (part.textContent !== text) part.textContent = text;
  });
}

export function startTimes() {
  setInterval(refresh, EVERY_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
}
