// One console of the page: its tab, its screen and its session, and what the bars say while it is in front.
import { Screen } from "./screen.js";
import { MOST_PASTED, Session } from "./session.js";
import { say } from "./words.js";

const GLYPHS = { connecting: "busy", connected: "ok", reconnecting: "warn", ended: "off" };

export class Tab {
  constructor(page, about) {
    this.page = page;
    this.about = about; // {id, path, name, reason, shell, instance, since}
    this.state = "connecting";
    this.end = null;
    this.endsAt = null;
    this.makeHandle();
    this.host = document.createElement("div");
    this.host.className = "console-screen";
    this.host.id = `screen-${about.id}`;
    this.host.setAttribute("role", "tabpanel");
    this.host.setAttribute("aria-labelledby", this.button.id);
    page.screens.append(this.host);
    this.screen = new Screen(this.host, {
      name: say("terminal", { name: about.name }),
      onType: (bytes) => this.type(bytes),
      onResize: (columns, rows) => { this.session.resize(columns, rows); page.show(); },
      onKey: (event) => page.pressed(event),
    });
    this.screen.onFound((found) => page.found(this, found));
    this.session = new Session(about.path, this.view());
  }

  makeHandle() {
    this.handle = this.page.tabForm.content.firstElementChild.cloneNode(true);
    [this.button, this.closer] = this.handle.children;
    this.button.id = `tab-${this.about.id}`;
    this.button.setAttribute("aria-controls", `screen-${this.about.id}`);
    this.button.firstElementChild.textContent = `${this.about.name} · ${this.about.shell}`;
    this.closer.title = say("closeTab", { name: this.about.name });
    this.button.addEventListener("click", () => this.page.bring(this));
    this.closer.addEventListener("click", () => this.page.close(this));
    this.page.tabs.append(this.handle);
  }

  view() {
    return {
      state: (name) => this.turn(name),
      ready: (about, anew) => this.ready(about, anew),
      draw: (bytes, done) => this.screen.draw(bytes, done),
      exit: (code) => this.over({ said: say("exit", { code }), hint: say("exitHint") }),
      over: (end) => this.over(end),
      note: (name, value) => this.note(name, value),
    };
  }

  begin(ticket) {
    this.screen.fit();
    this.session.size = this.screen.size;
    this.session.open(ticket);
  }

  turn(state) {
    this.state = state;
    Object.keys(GLYPHS).forEach((name) => this.handle.classList.toggle(`is-${name}`, name === state));
    this.screen.term.options.disableStdin = state === "ended";
    this.page.show();
  }

  get glyph() {
    return GLYPHS[this.state];
  }

  ready({ user = "" }, anew) {
    if (anew) this.screen.term.reset();
    this.about.user = user;
    this.page.keep();
  }

  type(bytes) {
    if (bytes.length > MOST_PASTED) return this.page.toast(say("tooMuch"));
    this.endsAt = null;
    this.session.type(bytes);
    this.page.showIdle();
  }

  note(name, value) {
    if (name !== "idle_seconds_left" && name !== "limit_seconds_left") return;
    this.endsAt = value === null ? null : performance.now() + value * 1000;
    this.endsWhy = name === "limit_seconds_left" ? "limit" : "idle";
    this.page.showIdle();
  }

  stay() {
    this.endsAt = null;
    this.session.tell({ stay: true });
    this.page.showIdle();
  }

  over({ why = "", said = "", hint = "" }) {
    const known = {
      away: [say("goneWhileAway"), say("goneHint")], lost: [say("lost"), ""], 4429: [say("tooMany"), ""], 4403: [say("denied"), ""],
    };
    const [words, next] = known[why] ?? [said || say("lost"), hint];
    this.end = { said: words, hint: next };
    this.endsAt = null;
    this.page.keep();
    this.page.show();
  }

  front(is) {
    this.host.hidden = !is;
    this.handle.classList.toggle("is-on", is);
    this.button.setAttribute("aria-selected", String(is));
    this.button.tabIndex = is ? 0 : -1;
    if (is) this.screen.takeSize();
  }

  remove() {
    this.session.over = true;
    this.session.socket?.close(1000);
    this.screen.term.dispose();
    this.host.remove();
    this.handle.remove();
  }
}
