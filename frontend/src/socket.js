// One socket for each address, however many parts of the page listen to it. A message only says that something
// changed, up to `seq`; after a break the server repeats what came after the last one.
const SHORTEST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30000;
const FIRST_SPAN_MS = 4000; // the first wait is between one and five seconds
const FOR_GOOD = new Set([1000, 4401, 4403, 4404]); // ended well, or we may not listen any more
const CROWDED = new Set([1012, 4429]); // the server restarts or has enough: everybody else is coming back, too

const sockets = new Map();

class Doorbell {
  constructor(address, seq) {
    this.address = address;
    this.seq = seq;
    this.failures = 0;
    this.slow = false;
    this.listeners = new Set();
    this.connect();
  }

  connect() {
    this.timer = undefined;
    const url = new URL(this.address, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("last_seq", this.seq);
    this.socket = new WebSocket(url);
    this.socket.addEventListener("open", () => this.opened());
    this.socket.addEventListener("message", (event) => this.heard(JSON.parse(event.data)));
    this.socket.addEventListener("close", (event) => this.closed(event.code));
  }

  opened() {
    const again = this.failures > 0;
    this.failures = 0;
    this.slow = false;
    this.tell("open", { again });
  }

  heard(message) {
    if (Number.isInteger(message.seq)) this.seq = Math.max(this.seq, message.seq);
    if (message.kind === "hello") return;
    if (message.kind === "slow" || message.kind === "prompt") {
      this.slow = message.kind === "slow";
      this.tell(message.kind, {});
      return;
    }
    if (message.kind === "reset") this.seq = message.seq; // numbers may have begun anew
    this.tell("changed", { message });
  }

  closed(code) {
    if (FOR_GOOD.has(code) || this.listeners.size === 0) {
      sockets.delete(this.address);
      this.tell("ended", { code });
      return;
    }
    this.failures += 1;
    const grown = CROWDED.has(code) || document.hidden ? LONGEST_WAIT_MS : FIRST_SPAN_MS * 2 ** (this.failures - 1);
    const span = Math.min(LONGEST_WAIT_MS - SHORTEST_WAIT_MS, grown);
    const wait = SHORTEST_WAIT_MS + Math.random() * span; // so that not all pages come back at once
    this.timer = setTimeout(() => this.connect(), wait);
    this.tell("lost", { wait });
  }

  // Somebody looks again: the wait of a page in the background ends, and a socket that slept is asked for news.
  wake() {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.connect();
  }

  tell(kind, detail) {
    [...this.listeners].forEach((listener) => listener(kind, detail));
  }

  leave(listener) {
    this.listeners.delete(listener);
    if (this.listeners.size > 0) return;
    clearTimeout(this.timer);
    sockets.delete(this.address);
    this.socket.close(1000);
  }
}

// Calls listener(kind, detail) with kind open, changed, slow, prompt, lost or ended; answers how to stop.
export function listen(address, seq, listener) {
  const bell = sockets.get(address) ?? new Doorbell(address, seq);
  sockets.set(address, bell);
  bell.listeners.add(listener);
  if (bell.slow) listener("slow", {});
  return () => bell.leave(listener);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) sockets.forEach((bell) => bell.wake());
});
