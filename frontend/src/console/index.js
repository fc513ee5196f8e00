// The page of consoles: opens them, brings them back after a reload, and has the bars speak for the one in front.
import { ask, Refused } from "./api.js";
import { toast } from "../toasts.js";
import { Tab } from "./tab.js";
import { length, say, setup } from "./words.js";

const part = (name) => document.querySelector(`[data-console-${name}]`);

class Page {
  constructor(section) {
    this.section = section;
    this.tabs = part("tabs");
    this.screens = part("screens");
    this.tabForm = part("tab");
    this.form = part("ask");
    this.all = [];
    this.front = null;
    this.glyphs = [...part("glyphs").content.children];
    this.listen();
    this.restore();
    setInterval(() => { this.showTime(); this.showIdle(); }, 1000);
    this.show();
    if (setup.asked && this.all.length === 0 && document.referrer.startsWith(`${location.origin}/`)) this.form.requestSubmit();
  }

  listen() {
    const deeds = {
      end: () => this.finish(), search: () => this.search(), unsearch: () => this.unsearch(), copy: () => this.copy(),
      paste: () => this.paste(), smaller: () => this.scale(-1), larger: () => this.scale(1), whole: () => this.whole(),
      stay: () => this.front?.stay(), again: () => this.again(), close: () => this.close(this.front),
      previous: () => this.find({ back: true }), unask: () => this.reasonDialog.close(),
    };
    document.addEventListener("click", (event) => {
      const button = event.target.closest?.("[data-console-does]");
      if (button) deeds[button.dataset.consoleDoes]?.();
    });
    this.reasonDialog = document.getElementById("console-reason");
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.asked(); });
    part("why")?.addEventListener("submit", (event) => this.open(new FormData(event.target).get("reason").trim()));
    const search = part("search");
    search.addEventListener("submit", (event) => { event.preventDefault(); this.find(); });
    search.addEventListener("input", () => this.find({ growing: true }));
    search.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.unsearch();
      else if (event.key === "Enter" && event.shiftKey) { event.preventDefault(); this.find({ back: true }); }
      event.stopPropagation();
    });
    this.tabs.addEventListener("keydown", (event) => this.arrow(event));
  }

  // -- opening and coming back

  asked() {
    if (this.reasonDialog) this.reasonDialog.showModal();
    else this.open("");
  }

  async open(reason) {
    const { instance, shell } = Object.fromEntries(new FormData(this.form));
    const name = this.form.elements.instance.selectedOptions[0].textContent.split(",")[0];
    await this.start({ instance, shell, reason, name: `${name} · ${setup.environment}`, api: setup.api });
  }

  async start(wish) {
    try {
      const { instance, shell, reason } = wish;
      const ticket = await ask("POST", wish.api, { instance, shell, ...(reason ? { reason } : {}) });
      const tab = this.add({ ...wish, id: ticket.id, path: `${wish.api}/${ticket.id}`, since: Date.now() });
      tab.begin(ticket);
      tab.screen.term.focus();
    } catch (error) {
      this.told(error);
    }
  }

  again() {
    const old = this.front;
    if (!old) return;
    this.drop(old);
    this.start(old.about);
  }

  add(about) {
    const tab = new Tab(this, about);
    this.all.push(tab);
    this.bring(tab);
    this.keep();
    return tab;
  }

  restore() {
    const kept = JSON.parse(sessionStorage.getItem(setup.kept) ?? "[]");
    kept.forEach((about) => {
      const tab = this.add(about);
      tab.session.lostAt = performance.now();
      tab.screen.fit();
      tab.session.size = tab.screen.size;
      tab.session.again();
    });
    if (document.activeElement === document.body) this.front?.screen.term.focus();
  }

  // What a reload needs; of consoles that have ended nothing.
  keep() {
    sessionStorage.setItem(setup.kept, JSON.stringify(this.all.filter((tab) => !tab.end).map((tab) => tab.about)));
  }

  async finish() {
    try {
      await this.front?.session.finish();
    } catch (error) {
      this.told(error);
    }
  }

  async close(tab) {
    if (!tab) return;
    this.drop(tab);
    try {
      if (!tab.end) await ask("DELETE", tab.about.path);
    } catch (error) {
      this.told(error);
    }
  }

  drop(tab) {
    const place = this.all.indexOf(tab);
    this.all.splice(place, 1);
    tab.remove();
    this.keep();
    this.bring(this.all[Math.min(place, this.all.length - 1)] ?? null);
  }

  told(error) {
    if (!(error instanceof Refused || error instanceof TypeError)) throw error;
    this.toast(error instanceof Refused ? error.message : say("failed"), error.hint);
  }

  toast(text, detail = "") {
    toast(text, { detail: detail ?? "" });
  }

  // -- what is in front

  bring(tab) {
    this.front = tab;
    this.all.forEach((one) => one.front(one === tab));
    this.show();
    if (tab && document.activeElement?.closest(".console, .console-ask")) tab.screen.term.focus();
  }

  // Left and right go between tabs, Delete closes one: a tab list may hold nothing but tabs.
  arrow(event) {
    if (event.key === "Delete") this.close(this.front);
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || this.all.length === 0) return;
    const place = (this.all.indexOf(this.front) + by + this.all.length) % this.all.length;
    event.preventDefault();
    event.stopPropagation();
    this.bring(this.all[place]);
    this.all[place].button.focus();
  }

  show() {
    const { front } = this;
    this.tabs.hidden = this.all.length === 0;
    part("blank").hidden = this.all.length > 0;
    const state = part("state");
    state.className = `state is-${front ? front.glyph : "off"}`;
    const order = ["ok", "busy", "warn", "bad", "off"];
    const words = say(front ? front.state : "none");
    if (state.dataset.now !== words) {
      state.dataset.now = words;
      const label = document.createElement("span");
      label.textContent = words;
      state.replaceChildren(this.glyphs[order.indexOf(front ? front.glyph : "off")].cloneNode(true), label);
    }
    document.querySelector('[data-console-does="end"]').hidden = !front || Boolean(front.end);
    part("size").textContent = front ? say("size", { columns: front.screen.size[0], rows: front.screen.size[1] }) : "";
    const reason = part("reason");
    reason.hidden = !front?.about.reason;
    reason.textContent = front?.about.reason ? say("reason", { reason: front.about.reason }) : "";
    const user = part("user");
    user.hidden = !front?.about.user;
    user.textContent = front?.about.user ? say("user", { user: front.about.user }) : "";
    user.title = front?.about.user ? say("userHint") : "";
    this.showEnd();
    this.showTime();
    this.showIdle();
  }

  showEnd() {
    const end = part("end");
    end.hidden = !this.front?.end;
    if (end.hidden) return;
    part("said").textContent = this.front.end.said;
    part("hint").textContent = this.front.end.hint ?? "";
  }

  showTime() {
    const { front } = this;
    part("time").textContent = front && !front.end ? length((Date.now() - front.about.since) / 1000) : "";
  }

  showIdle() {
    const ends = this.front?.endsAt ?? null;
    const idle = part("idle");
    const words = ends === null ? "" : say(this.front.endsWhy, { time: length((ends - performance.now()) / 1000) });
    if (idle.textContent !== words) idle.textContent = words;
    document.querySelector('[data-console-does="stay"]').hidden = ends === null || this.front.endsWhy !== "idle";
  }

  // -- tools

  pressed(event) {
    if (!event.ctrlKey || !event.shiftKey || event.altKey) return false;
    const deed = { KeyF: () => this.search(), KeyC: () => this.copy(), Period: () => this.leave(), Escape: () => this.leave() }[event.code];
    if (!deed) return false;
    event.preventDefault();
    deed();
    return true;
  }

  // Out of the terminal by key, to the first thing after it that takes the focus.
  leave() {
    this.front?.button.focus();
  }

  search() {
    part("search").hidden = false;
    part("search").elements.words.select();
    part("search").elements.words.focus();
  }

  unsearch() {
    part("search").hidden = true;
    part("found").textContent = "";
    this.front?.screen.unfind();
    this.front?.screen.term.focus();
  }

  find(options) {
    const words = part("search").elements.words.value;
    if (!words) part("found").textContent = "";
    else if (this.front && !this.front.screen.find(words, options)) part("found").textContent = say("notFound");
  }

  found(tab, { resultIndex, resultCount }) {
    if (tab !== this.front || part("search").hidden) return;
    part("found").textContent = resultCount ? say("found", { n: resultIndex + 1, all: resultCount }) : say("notFound");
  }

  async copy() {
    const text = this.front?.screen.term.getSelection() ?? "";
    if (!text) return this.toast(say("nothing"));
    if (navigator.clipboard && isSecureContext) await navigator.clipboard.writeText(text);
    else document.execCommand("copy"); // xterm's own field holds the selection
    document.getElementById("announcer").textContent = say("copied");
    this.front.screen.term.focus();
  }

  async paste() {
    if (!this.front) return;
    this.front.screen.term.focus();
    try {
      this.front.screen.term.paste(await navigator.clipboard.readText());
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
      this.toast(say("pasteByKey")); // no right to read it, or no clipboard over plain http
    }
  }

  scale(by) {
    this.front?.screen.scale(by);
  }

  whole() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.section.requestFullscreen();
    this.front?.screen.term.focus();
  }
}

const section = document.querySelector("section[data-console]");
if (section) {
  section.hidden = false;
  part("ask").hidden = false;
  new Page(section);
}
