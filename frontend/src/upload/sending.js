// One file on its way to the server, in pieces, each from where the server says that the last one ended.
const PIECE = 8 * 1024 * 1024;
const MEGABYTE = 1000 * 1000;
const LONGEST_WAIT_SECONDS = 30;
const MOST_FAILURES = 40; // some minutes without any answer
const LATER = new Set([408, 429, 502, 503, 504]); // may be well the next time

class Refused extends Error {
  constructor(problem) {
    super(problem.title ?? "");
    this.problem = problem;
  }
}

export class Sending {
  constructor(address, file, csrf, tell) {
    Object.assign(this, { address, file, csrf, tell, at: 0, failures: 0 });
    this.control = new AbortController();
  }

  stop() {
    this.stopped = true;
    this.control.abort();
    this.wake?.();
  }

  get percent() {
    return Math.floor((100 * this.at) / this.file.size);
  }

  async perform(asked) {
    try {
      await this.begin(asked);
      while (this.at < this.file.size && !this.stopped) await this.piece();
      this.say(this.stopped ? "Stopped" : "Done");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.refused(error.problem);
    }
  }

  refused(problem) {
    const fields = (problem.errors ?? []).map((one) => one.message);
    const text = [problem.detail, ...fields, problem.hint].filter(Boolean).join(" ");
    this.tell("problem", { title: problem.title ?? "", text });
  }

  say(kind, more = {}) {
    const size = Math.ceil(this.file.size / MEGABYTE);
    this.tell(kind, { file: this.file.name, percent: this.percent, size, ...more });
  }

  // The one that was begun with this file before, or a new one.
  async begin(asked) {
    const before = await this.found(asked.purpose ?? "image");
    if (before) {
      this.upload = `${this.address}/${before.id}`;
      this.at = before.received_bytes;
      this.say("GoesOn");
      if (this.at === this.file.size) await this.piece();
      return;
    }
    const answer = await this.insist(() => this.ask("POST", this.address, { body: JSON.stringify(asked), type: "application/json" }));
    if (!answer) return;
    this.upload = `${this.address}/${(await answer.json()).id}`;
    this.say("Begun");
  }

  async found(purpose) {
    const answer = await this.insist(() => this.ask("GET", `${this.address}?own=true&state=receiving&purpose=${purpose}`));
    const { results } = answer ? await answer.json() : { results: [] };
    return results.find((one) => one.file_name === this.file.name && one.size_bytes === this.file.size);
  }

  async piece() {
    const body = this.file.slice(this.at, this.at + PIECE);
    try {
      const more = { body, type: "application/offset+octet-stream", headers: { "Upload-Offset": String(this.at) } };
      const answer = await this.ask("PATCH", this.upload, more);
      this.at = Number(answer.headers.get("Upload-Offset"));
      this.failures = 0;
      this.say("Begun");
    } catch (error) {
      await this.recover(error);
    }
  }

  // Whatever went wrong: wait, ask how far it is, and go on from there.
  async recover(error) {
    const code = error instanceof Refused ? error.problem.code : "";
    const again = !(error instanceof Refused) || LATER.has(error.problem.status) || code === "upload_offset";
    if (!again) throw error;
    await this.pause(error);
    const answer = await this.insist(() => this.ask("HEAD", this.upload));
    if (answer) this.at = Number(answer.headers.get("Upload-Offset"));
  }

  // Asks until there is an answer; nothing once it was stopped.
  async insist(act) {
    while (!this.stopped) {
      try {
        return await act();
      } catch (error) {
        if (error instanceof Refused && !LATER.has(error.problem.status)) throw error;
        await this.pause(error);
      }
    }
    return undefined;
  }

  async pause(error) {
    if (this.stopped) return;
    this.failures += 1;
    if (this.failures > MOST_FAILURES) throw error instanceof Refused ? error : new Refused({ title: String(error.message) });
    const seconds = Math.min(LONGEST_WAIT_SECONDS, 2 ** Math.min(this.failures, 5) / 2);
    this.say("Again", { seconds: Math.ceil(seconds) });
    await new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, seconds * 1000);
    });
  }

  async ask(method, address, { body, type, headers = {} } = {}) {
    const sent = { Accept: "application/json", "X-CSRFToken": this.csrf, ...(type && { "Content-Type": type }), ...headers };
    const answer = await fetch(address, { method, body, headers: sent, signal: this.control.signal });
    if (answer.ok) return answer;
    const problem = await answer.json().catch(() => ({}));
    throw new Refused({ title: `${answer.status}`, ...problem, status: answer.status });
  }
}
