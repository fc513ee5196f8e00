// The socket of live numbers. It comes back by itself, unless it was told not to.
const FOR_GOOD = new Set([1008, 4401, 4403, 4404]);
const TOO_MANY = 4429;
const FIRST_WAIT_MS = 800;
const LONGEST_WAIT_MS = 30000;

export class Stream {
  constructor(address, { heard, state }) {
    this.address = address;
    this.heard = heard;
    this.state = state; // called with live, away, retry, full or ended
    this.failures = 0;
    this.connect();
  }

  connect() {
    const url = new URL(this.address, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(url);
    this.socket.addEventListener("message", (event) => {
      this.failures = 0;
      const message = JSON.parse(event.data);
      this.state(message.away ? "away" : "live");
      this.heard(message);
    });
    this.socket.addEventListener("close", (event) => this.closed(event.code));
  }

  closed(code) {
    if (FOR_GOOD.has(code)) {
      this.state("ended");
      return;
    }
    this.failures += 1;
    this.state(code === TOO_MANY ? "full" : "retry");
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.failures - 1));
    const wait = code === TOO_MANY ? LONGEST_WAIT_MS : longest / 2 + Math.random() * (longest / 2);
    setTimeout(() => this.connect(), wait);
  }
}
