// Rows of name and value: there is always an empty last one, and pasted NAME=value lines become rows.
const LINE = /^\s*(?:export\s+)?([^=\s#][^=\s]*)\s*=(.*)$/;
const NUMBER = /-\d+-/;

const rowsOf = (list) => [...list.querySelectorAll("[data-row]")];

function addRow(list) {
  const rows = rowsOf(list);
  const row = rows.at(-1).cloneNode(true);
  const renumber = (text) => text.replace(NUMBER, `-${rows.length}-`);
  row.querySelectorAll("input").forEach((field) => {
    field.name = renumber(field.name);
    field.id = renumber(field.id);
    field.removeAttribute("value");
    field.value = "";
  });
  row.querySelectorAll("label").forEach((label) => {
    label.htmlFor = renumber(label.htmlFor);
    label.classList.add("unseen");
  });
  rows.at(-1).after(row);
  return row;
}

function unquoted(text) {
  const value = text.trim();
  return /^(["']).*\1$/s.test(value) && value.length > 1 ? value.slice(1, -1) : value;
}

function pairsIn(text) {
  return text.split(/\r?\n/).map((line) => LINE.exec(line)).filter(Boolean).map(([, name, value]) => [name, unquoted(value)]);
}

function paste(event) {
  const row = event.target.closest?.("[data-row]");
  const pairs = row && event.target.matches('[name$="-name"]') ? pairsIn(event.clipboardData.getData("text")) : [];
  if (pairs.length === 0) return;
  event.preventDefault();
  const list = row.closest("[data-rows]");
  pairs.forEach(([name, value], place) => {
    const to = place === 0 ? row : rowsOf(list).find((one) => !one.querySelector("input").value) ?? addRow(list);
    const [first, second] = to.querySelectorAll("input");
    first.value = name;
    second.value = value;
  });
  event.target.dispatchEvent(new Event("input", { bubbles: true }));
}

export function startRows() {
  document.addEventListener("paste", paste);
  document.addEventListener("input", (event) => {
    const list = event.target.closest?.("[data-rows]");
    if (list && rowsOf(list).at(-1).querySelector("input").value) addRow(list);
  });
}
