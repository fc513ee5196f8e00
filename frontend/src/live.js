// Parts that keep themselves new: a socket rings, or time passes, and the part fetches its own fragment again.
import htmx from "htmx.org";
import { listen } from "./socket.js";
import { ago } from "./times.js";
import { say } from "./words.js";

const NOT_SIGNED_IN = 4401;
const TOGETHER_MS = 200; // the first message is answered at once, those that follow this close by one fetch
const NET_SECONDS = 5; // looked at so often while nothing rings
const GONE = new Set([401, 403, 404]);
const parts = new Map(); // by id, so that a morph which replaces the element keeps the part

// Whether a message concerns a part that listens to `kinds`: "cluster" any, "place:<id>" one, "operation@<id>" those
// of a project or tenant. Without kinds everything does.
function concerns(kinds, message) {
  if (!kinds.length || !message?.kind || message.kind === "reset") return true;
  const { kind, id, tenant, project } = message;
  const names = new Set([kind, `${kind}:${id}`, `${kind}@${project}`, `${kind}@${tenant}`]);
  return kinds.some((one) => names.has(one));
}

class LivePart {
  constructor(element) {
    this.id = element.id;
    this.seenAt = Date.now();
    this.fetchedAt = 0;
    this.failures = 0;
    this.broken = ""; // what the part says while its socket is away
    this.settings = null;
    this.adopt();
  }

  get element() {
    return document.getElementById(this.id);
  }

  // A new fragment may name another socket, other kinds, or none: then nothing more will change.
  adopt() {
    const { liveSocket = "", liveKinds = "", liveEvery = "", liveSeq = "0" } = this.element.dataset;
    const { liveFeed = "", liveSeq: pageSeq = "0" } = document.body.dataset;
    this.kinds = liveKinds.split(" ").filter(Boolean);
    const socket = liveSocket || (this.kinds.length ? liveFeed : "");
    const settings = `${socket} ${liveEvery}`;
    if (settings === this.settings) return;
    this.settings = settings;
    this.stop();
    const seq = Number(liveSocket ? liveSeq : pageSeq);
    if (socket) this.unlisten = listen(socket, seq, (kind, detail) => this.on(kind, detail));
    if (Number(liveEvery) > 0) this.pace = this.every(Number(liveEvery)); // numbers that nobody tells of
  }

  stop() {
    this.unlisten?.();
    clearInterval(this.timer);
    clearInterval(this.pace);
    this.unlisten = this.timer = this.pace = undefined;
  }

  every(seconds) {
    return setInterval(() => { if (!document.hidden) this.refresh(); }, seconds * 1000);
  }

  on(kind, detail) {
    if (kind === "changed" && concerns(this.kinds, detail.message)) this.refresh();
    if (kind === "open") this.opened(detail.again);
    if (kind === "lost") this.lost(detail.wait);
    if (kind === "slow") this.say("retry", say("slow"));
    if (kind === "prompt") this.say("live");
    if (kind === "ended") this.ended(detail.code);
  }

  opened(again) {
    clearInterval(this.timer);
    this.timer = undefined;
    this.say("live");
    // what was missed is told by the feed; without kinds, or where looking failed meanwhile, nobody tells
    if (again && (!this.kinds.length || this.failures > 0)) this.refresh();
  }

  lost(wait) {
    this.say("retry", wait < NET_SECONDS * 1000
      ? say("retry", { n: Math.max(1, Math.round(wait / 1000)) }) : say("lost", { n: NET_SECONDS }));
    this.timer ??= this.every(NET_SECONDS);
  }

  ended(code) {
    if (code === NOT_SIGNED_IN) location.reload(); // leads to the door, and from there back here
    else if (code === 1000) this.refresh();
    else this.mark("stale", say("stale", { time: ago(this.seenAt) }));
  }

  say(state, words) {
    this.broken = state === "live" ? "" : words;
    this.mark(state, words);
  }

  // Says so by text where the part has a mark for it, and greys its numbers while they are old.
  mark(state, words = say("live")) {
    const element = this.element;
    if (!element) return;
    element.classList.toggle("is-unfresh", state === "stale");
    element.querySelectorAll("[data-fresh]").forEach((mark) => {
      if (mark.dataset.at) return; // the server itself says since when it knows nothing
      mark.classList.toggle("is-retry", state === "retry");
      mark.classList.toggle("is-stale", state === "stale");
      if (mark.textContent !== words) mark.textContent = words;
    });
  }

  refresh() {
    if (document.hidden) {
      this.late = true;
      return;
    }
    if (this.fetching) {
      this.again = true;
      return;
    }
    this.fetching = true;
    setTimeout(() => this.fetchNow(), Math.max(0, this.fetchedAt + TOGETHER_MS - Date.now()));
  }

  async fetchNow() {
    this.again = this.late = false;
    this.fetchedAt = Date.now();
    const element = this.element;
    if (!element) return this.forget();
    try {
      const answer = await fetch(element.dataset.liveFragment, { headers: { "HX-Request": "true", Accept: "text/html" } });
      await this.take(answer);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // a TypeError is the network's
      this.missed();
    } finally {
      this.fetching = false;
    }
    if (this.again) this.refresh();
  }

  async take(answer) {
    if (GONE.has(answer.status) || answer.redirected) return this.end();
    if (!answer.ok) return this.missed();
    const text = await answer.text();
    const element = this.element;
    if (!element) return this.forget();
    // an answer without this part is another page, such as the one to sign in
    if (!new DOMParser().parseFromString(text, "text/html").getElementById(this.id)) return this.end();
    const before = sentenceOf(element);
    const logs = logsAtTheirEnd(element);
    await htmx.swap({
      text, target: element, sourceElement: element, swap: "outerMorph", select: `#${CSS.escape(this.id)}`, request: {},
    });
    this.failures = 0;
    this.seenAt = Date.now();
    if (this.broken) this.mark("retry", this.broken); // new numbers, but the next ones do not come by themselves
    logs.forEach((log) => { log.scrollTop = log.scrollHeight; });
    announce(before, this.element);
    if (this.element) this.adopt();
  }

  missed() {
    this.failures += 1;
    const wait = Math.min(30000, 1000 * 2 ** this.failures);
    this.mark(this.failures > 2 ? "stale" : "retry", this.failures > 2
      ? say("stale", { time: ago(this.seenAt) }) : say("retry", { n: Math.round(wait / 1000) }));
    if (!this.timer && !this.pace) setTimeout(() => this.refresh(), wait);
  }

  end() {
    this.stop();
    this.mark("stale", say("stale", { time: ago(this.seenAt) }));
  }

  forget() {
    this.stop();
    parts.delete(this.id);
  }
}

const sentenceOf = (element) => element?.querySelector(".said, [data-announce]")?.textContent.trim() ?? "";

// The one sentence of the part is read out when it changed; numbers are not, they change too often.
function announce(before, element) {
  const now = sentenceOf(element);
  const place = document.getElementById("announcer");
  if (place && now && now !== before) place.textContent = now;
}

const logsAtTheirEnd = (element) => [...element.querySelectorAll('[role="log"]')]
  .filter((log) => log.scrollHeight > log.clientHeight && log.scrollHeight - log.scrollTop - log.clientHeight < 24);

// A value that comes into the very field in which the reader is, and has typed nothing yet, is there to be typed over.
function suggested(field, value) {
  if (value === null || field.type !== "text" || field.value !== field.defaultValue) return false;
  field.defaultValue = field.value = value;
  field.select();
  return true;
}

// Takes up live parts that came with the page, a sheet or a swap, and lets go of those that went.
export function findLive() {
  document.querySelectorAll("[data-live-fragment][id]").forEach((element) => {
    if (!parts.has(element.id)) parts.set(element.id, new LivePart(element));
  });
  parts.forEach((part) => { if (!part.element) part.forget(); });
}

export function startLive() {
  htmx.registerExtension("keep", {
    htmx_before_morph_attr: (element, { attrName, newValue }) => {
      // a morph must not close what the reader opened
      if (attrName === "open" && newValue === null && element.matches("details")) return false;
      return !(attrName === "value" && element === document.activeElement && suggested(element, newValue));
    },
  });
  findLive();
  document.addEventListener("htmx:after:swap", findLive);
  document.addEventListener("visibilitychange", () => {
    // a page that slept asks once, whether or not a socket that slept, too, has told it anything
    if (!document.hidden) parts.forEach((part) => { if (part.late || part.pace || part.unlisten) part.refresh(); });
  });
}
