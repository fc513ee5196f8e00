// One console's socket: tickets, credit, signs of life, and the way back within half a minute.
import { ask, Refused } from "./api.js";

const RETURN_MS = 30000;
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 3000;
const PIECE = 16 * 1024;
export const MOST_PASTED = 512 * 1024;
const OVER = new Set([1000, 1008, 1009, 4401, 4403, 4404, 4408, 4429, 4503]);

export class Session {
  // `view` is told: state(name), ready({from, ...}), draw(bytes, done), exit(code), over({why, said, hint}), note(name, value)
  constructor(path, view) {
    this.path = path;
    this.view = view;
    this.received = 0;
    this.size = null;
    this.over = false;
    this.waited = 0;
  }

  open(ticket) {
    this.view.state(this.received || this.lostAt ? "reconnecting" : "connecting");
    const url = new URL(ticket.url, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      this.tell({ ticket: ticket.ticket, seen: this.received, ...(this.size ? { size: this.size } : {}) });
    });
    socket.addEventListener("message", ({ data }) => {
      if (socket !== this.socket) return;
      if (typeof data === "string") this.told(JSON.parse(data));
      else this.wrote(new Uint8Array(data));
    });
    socket.addEventListener("close", ({ code }) => { if (socket === this.socket) this.closed(code); });
  }

  tell(document_) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(document_));
  }

  type(bytes) {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    for (let at = 0; at < bytes.length; at += PIECE) this.socket.send(bytes.subarray(at, at + PIECE));
  }

  resize(columns, rows) {
    this.size = [columns, rows];
    this.tell({ resize: this.size });
  }

  wrote(bytes) {
    this.received += bytes.length;
    const { socket } = this;
    this.view.draw(bytes, () => { if (socket === this.socket) this.tell({ ack: bytes.length }); });
  }

  told(message) {
    if ("ping" in message) this.tell({ pong: message.ping });
    else if ("ready" in message) this.ready(message.ready);
    else if ("exit" in message) this.end(() => this.view.exit(message.exit));
    else if ("ended" in message) this.end(() => this.view.over(message.ended));
    else Object.entries(message).forEach(([name, value]) => this.view.note(name, value));
  }

  ready(about) {
    this.lostAt = null;
    this.waited = 0;
    this.view.ready(about, about.from !== this.received); // what was lost in between leaves a hole: begin anew
    this.received = about.from;
    this.view.state("connected");
  }

  end(say) {
    this.over = true;
    say();
    this.view.state("ended");
  }

  closed(code) {
    if (this.over) return;
    if (OVER.has(code)) this.end(() => this.view.over({ why: String(code) }));
    else this.comeBack();
  }

  // Asks for a new ticket until the time is over within which the console waits.
  comeBack() {
    this.lostAt ??= performance.now();
    this.view.state("reconnecting");
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.waited);
    this.waited += 1;
    setTimeout(() => this.again(), longest / 2 + Math.random() * (longest / 2));
  }

  async again() {
    if (this.over) return;
    try {
      this.open(await ask("POST", `${this.path}/tickets`));
    } catch (error) {
      if (error instanceof Refused && error.status < 500) {
        this.end(() => this.view.over({ why: error.status === 409 || error.status === 404 ? "away" : "refused", said: error.message, hint: error.hint }));
      } else if (performance.now() - this.lostAt > RETURN_MS) {
        this.end(() => this.view.over({ why: "lost" }));
      } else {
        this.comeBack();
      }
    }
  }

  async finish() {
    if (!this.over) await ask("DELETE", this.path);
  }
}
