// The API with the page's session. A refusal is an error with the words of the answer.
import { say } from "./words.js";

const csrf = () => JSON.parse(document.body.getAttribute("hx-headers:inherited") ?? "{}")["X-CSRFToken"] ?? "";

export class Refused extends Error {
  constructor(status, title, hint) {
    super(title);
    this.status = status;
    this.hint = hint;
  }
}

async function problemOf(answer) {
  try {
    const { title = "", detail = "", hint = "", errors = [] } = await answer.json();
    const first = errors[0];
    return new Refused(answer.status, first?.message || detail || title, first?.hint || hint);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return new Refused(answer.status, say("failed"), "");
  }
}

export async function ask(method, path, document_) {
  const answer = await fetch(path, {
    method,
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrf() },
    body: method === "DELETE" ? undefined : JSON.stringify(document_ ?? {}),
  });
  if (!answer.ok) throw await problemOf(answer);
  return answer.status === 204 ? null : answer.json();
}
