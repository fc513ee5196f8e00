// One socket for each address, however many parts of the page listen to it. A message only says that something
// changed, up to `seq`; after a break the server repeats what came after the last one.
const FIRST_WAIT_MS = 800;
const LONGEST_WAIT_MS = 30000;
const FOR_GOOD = new Set([1000, 4401, 4403, 4404]); // ended well, or we may not listen any more

const sockets = new Map();

class Doorbell {
  constructor(address, seq) {
    this.address = address;
    this.seq = seq;
    this.failures = 0;
    this.listeners = new Set();
    this.connect();
  }

  connect() {
    const url = new URL(this.address, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("last_seq", this.seq);
    this.socket = new WebSocket(url);
    this.socket.addEventListener("open", () => this.opened());
    this.socket.addEventListener("message", (event) => this.heard(event.data));
    this.socket.addEventListener("close", (event) => this.closed(event.code));
  }

  opened() {
    const again = this.failures > 0;
    this.failures = 0;
    this.tell("open", { again });
  }

  heard(data) {
    const { seq } = JSON.parse(data);
    if (Number.isInteger(seq)) this.seq = Math.max(this.seq, seq);
    this.tell("changed", {});
  }

  closed(code) {
    if (FOR_GOOD.has(code) || this.listeners.size === 0) {
      sockets.delete(this.address);
      this.tell("ended", { code });
      return;
    }
    this.failures += 1;
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.failures - 1));
    const wait = longest / 2 + Math.random() * (longest / 2); // so that not all pages come back at once
    this.tell("lost", { wait });
    this.timer = setTimeout(() => this.connect(), wait);
  }

  tell(kind, detail) {
    this.listeners.forEach((listener) => listener(kind, detail));
  }

  leave(listener) {
    this.listeners.delete(listener);
    if (this.listeners.size > 0) return;
    clearTimeout(this.timer);
    sockets.delete(this.address);
    this.socket.close(1000);
  }
}

// Calls listener(kind, detail) with kind open, changed, lost or ended; answers how to stop.
export function listen(address, seq, listener) {
  const bell = sockets.get(address) ?? new Doorbell(address, seq);
  sockets.set(address, bell);
  bell.listeners.add(listener);
  return () => bell.leave(listener);
}
