// The socket of a log: frames of JSON lines, one answer for each that is dealt with. After a break it asks again from
// ten seconds before the newest line, and leaves out what is there already, so that nothing is missed or comes twice.
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15000;
const OVERLAP_MS = 10000;
const FOR_GOOD = new Set([1000, 1008, 4401, 4403, 4404]);

const keyOf = (line) => `${line.instance}|${line.written_at}|${line.stream}|${line.text.length}|${line.text.slice(0, 60)}`;

// What is there of the overlap, each as often as it is there.
class Known {
  constructor(lines) {
    this.newest = lines.length ? lines[lines.length - 1].written_at : "";
    this.since = this.newest ? before(this.newest, OVERLAP_MS) : "";
    this.oldest = lines.length ? lines[0].written_at : "";
    this.counts = new Map();
    for (let place = lines.length - 1; place >= 0 && lines[place].written_at >= this.since; place -= 1) {
      const key = keyOf(lines[place]);
      this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
      if (lines[place].written_at > this.newest) this.newest = lines[place].written_at;
    }
  }

  has(line) {
    if (!this.newest || line.written_at > this.newest) return false;
    if (line.written_at < this.oldest) return true;
    const key = keyOf(line);
    const left = this.counts.get(key) ?? 0;
    if (left) this.counts.set(key, left - 1);
    return left > 0;
  }
}

function before(at, milliseconds) {
  return `${new Date(Date.parse(`${at.slice(0, 23)}Z`) - milliseconds).toISOString().slice(0, 23)}000000Z`;
}

export function addressOf(address, changes) {
  const url = new URL(address, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  Object.entries(changes).forEach(([name, value]) => (value ? url.searchParams.set(name, value) : url.searchParams.delete(name)));
  return url;
}

export class LogStream {
  // `on.lines(lines)` may give back a promise: the next frames wait for it. `on.state(name, detail)`: live, lost, ended.
  constructor(address, on) {
    this.address = address;
    this.on = on;
    this.failures = 0;
  }

  // From the beginning of what the address asks for, or on from these lines.
  start(lines = []) {
    this.stop();
    this.known = new Known(lines);
    const { since } = this.known;
    const socket = new WebSocket(addressOf(this.address, since ? { since, newest: "", tail: "" } : {}));
    this.socket = socket;
    socket.addEventListener("message", (event) => this.take(socket, event.data));
    socket.addEventListener("close", (event) => { if (this.socket === socket) this.closed(event); });
  }

  async take(socket, data) {
    if (socket !== this.socket) return;
    if (!data) {
      this.failures = 0;
      this.on.state("live", {});
    } else {
      const lines = JSON.parse(`[${data.trimEnd().replaceAll("\n", ",")}]`);
      await this.on.lines(lines.filter((line) => !this.known.has(line)));
    }
    if (socket.readyState === WebSocket.OPEN) socket.send('{"ack":1}');
  }

  closed({ code, reason }) {
    this.socket = null;
    if (FOR_GOOD.has(code)) {
      this.on.state("ended", { code, said: reason });
      return;
    }
    this.failures += 1;
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.failures - 1));
    const wait = longest / 2 + Math.random() * (longest / 2);
    this.on.state("lost", { wait, said: reason });
    this.timer = setTimeout(() => this.on.again(), wait);
  }

  stop() {
    clearTimeout(this.timer);
    const { socket } = this;
    this.socket = null;
    socket?.close(1000);
  }
}

// Lines of one question that ends by itself.
export function fetchLines(address) {
  return new Promise((resolve) => {
    const found = [];
    const socket = new WebSocket(address);
    socket.addEventListener("message", ({ data }) => {
      if (data) found.push(...JSON.parse(`[${data.trimEnd().replaceAll("\n", ",")}]`));
      socket.send('{"ack":1}');
    });
    socket.addEventListener("close", ({ code, reason }) => resolve({ lines: found, complete: code === 1000, said: reason }));
  });
}
