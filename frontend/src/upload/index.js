// <form data-upload="/api/…/uploads">: sends a file in pieces. What is cut off, by the network or by a reload, goes on
// where it was: the server knows how far it is, and the same file chosen again is recognised by its name and size.
import { Sending } from "./sending.js";

class Page {
  constructor(form) {
    this.form = form;
    this.progress = form.querySelector("[data-upload-progress]");
    this.bar = this.progress.querySelector("progress");
    this.said = form.querySelector("[data-upload-said]");
    this.problem = form.querySelector("[data-upload-problem]");
    this.stop = form.querySelector("[data-upload-stop]");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.start();
    });
    this.stop.addEventListener("click", () => this.sending?.stop());
    addEventListener("beforeunload", (event) => { if (this.sending) event.preventDefault(); });
  }

  async start() {
    const file = this.form.elements.file.files[0];
    if (this.sending || !file) return;
    this.tell("", "");
    this.sending = new Sending(this.form.dataset.upload, file, token(), (kind, values) => this.show(kind, values));
    this.busy(true);
    try {
      await this.sending.perform(this.asked(file));
    } finally {
      this.sending = undefined;
      this.busy(false);
    }
  }

  asked(file) {
    const asked = { file_name: file.name, size_bytes: file.size };
    for (const name of ["repository", "image", "platform", "purpose", "tags"]) {
      const field = this.form.elements[name];
      if (field) asked[name] = name === "tags" ? field.value.split(/[\s,]+/).filter(Boolean) : field.value.trim();
    }
    return asked;
  }

  busy(on) {
    this.stop.hidden = !on;
    this.form.querySelector("[type=submit]").disabled = on;
    this.form.querySelectorAll("input").forEach((field) => { field.disabled = on; });
  }

  show(kind, values) {
    if (kind === "problem") return this.tell(values.title, values.text);
    const words = this.form.dataset[`said${kind}`] ?? "";
    this.progress.hidden = false;
    if (values.percent !== undefined) this.bar.value = values.percent;
    const said = Object.entries(values).reduce((text, [key, value]) => text.replace(`%(${key})s`, value), words);
    this.said.textContent = said.replace("%%", "%");
    if (kind === "Done") this.form.elements.file.value = "";
    return undefined;
  }

  tell(title, text) {
    this.problem.hidden = !title && !text;
    this.problem.querySelector("h2").textContent = title;
    this.problem.querySelector("p").textContent = text;
    if (title || text) this.progress.hidden = true;
  }
}

const token = () => JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"];

document.querySelectorAll("form[data-upload]").forEach((form) => new Page(form));
