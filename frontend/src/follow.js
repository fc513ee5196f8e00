// A log that grows: <button data-does="follow"> streams JSON lines into the log of the page, as text and nothing else.
import { deed } from "./deeds.js";
import { say } from "./words.js";

const MOST_LINES = 5000; // kept in the page; the download has them all
const ERROR = /\b(error|err|fatal|critical|crit|panic|exception|traceback)\b/i;
const WARN = /\bwarn(ing)?\b/i;

class Follower {
  constructor(log, button) {
    this.log = log;
    this.button = button;
    this.pattern = log.querySelector("template");
    this.held = [];
    this.paused = false;
    this.start();
  }

  async start() {
    this.show("pause", "player-pause");
    this.mark("live", say("live"));
    this.toEnd();
    try {
      const answer = await fetch(this.log.dataset.logFollow, { headers: { Accept: "application/x-ndjson" } });
      if (!answer.ok) throw new TypeError(String(answer.status));
      await this.read(answer.body.pipeThrough(new TextDecoderStream()).getReader());
      this.end("stale", say("ended"));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // a TypeError is the network's
      this.end("stale", say("failed"));
    }
  }

  async read(reader) {
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      this.take(lines.filter(Boolean).map((line) => JSON.parse(line)));
    }
  }

  take(lines) {
    if (this.paused) {
      this.held.push(...lines);
      this.held.splice(0, this.held.length - MOST_LINES);
      this.mark("retry", say("held", { n: this.held.length }));
      return;
    }
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 24;
    this.pattern.before(...lines.map((line) => this.drawn(line)));
    const all = this.log.querySelectorAll(".log-line");
    for (let place = 0; place < all.length - MOST_LINES; place += 1) all[place].remove();
    if (atEnd) this.toEnd();
  }

  drawn({ written_at: at = "", service = "", number = "", text = "" }) {
    const line = this.pattern.content.firstElementChild.cloneNode(true);
    const source = `${service} ${number}`;
    const level = ERROR.test(text.slice(0, 400)) ? "error" : WARN.test(text.slice(0, 400)) ? "warn" : "";
    const [time, from, levelPlace, words] = line.children;
    time.dateTime = at;
    time.textContent = at.slice(11, 23);
    from.textContent = source;
    from.classList.add(this.colour(source, Number(number)));
    levelPlace.textContent = level;
    words.textContent = text;
    if (level) line.classList.add(`is-${level}`);
    return line;
  }

  // an instance keeps the colour that the server gave it
  colour(source, number) {
    const known = [...this.log.querySelectorAll(".from")].find((one) => one.textContent === source);
    return known?.classList[1] ?? `s${1 + (number % 6)}`;
  }

  turn() {
    this.paused = !this.paused;
    this.show(this.paused ? "follow" : "pause", this.paused ? "player-play" : "player-pause");
    if (this.paused) {
      this.mark("retry", say("held", { n: 0 }));
      return;
    }
    this.mark("live", say("live"));
    this.take(this.held.splice(0));
    this.toEnd();
  }

  end(state, words) {
    this.ended = true;
    this.show("follow", "player-play");
    this.mark(state, words);
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  show(word, icon) {
    const use = this.button.querySelector("use");
    use?.setAttribute("href", use.getAttribute("href").replace(/#.*$/, `#${icon}`));
    [...this.button.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).forEach((node) => node.remove());
    this.button.append(say(word));
  }

  mark(state, words) {
    document.querySelectorAll("[data-follow-state] [data-fresh], [data-follow-state] .fresh").forEach((mark) => {
      mark.classList.toggle("is-retry", state === "retry");
      mark.classList.toggle("is-stale", state === "stale");
      mark.textContent = words;
    });
  }
}

export function startFollowing() {
  const log = document.querySelector("[data-log-follow]");
  if (!log) return;
  log.scrollTop = log.scrollHeight;
  let follower = null;
  deed("follow", (button) => {
    if (follower && !follower.ended) follower.turn();
    else follower = new Follower(log, button);
  });
}
