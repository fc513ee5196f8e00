// What the server found in the text, each at its place. The same list is read by people without scripts.
const SEVERITY = { bad: "error", warn: "warning", info: "info" };

function at(doc, line, column) {
  if (line < 1) return 0;
  if (line > doc.lines) return doc.length;
  const found = doc.line(line);
  return Math.min(found.to, found.from + Math.max(0, column - 1));
}

function markOf(doc, { dataset, textContent }) {
  const from = at(doc, Number(dataset.line), Number(dataset.column));
  const to = at(doc, Number(dataset.endLine), Number(dataset.endColumn));
  return { from, to: Math.max(from, to), severity: SEVERITY[dataset.kind] ?? "info", message: textContent.trim() };
}

export function marksOf(doc) {
  return [...document.querySelectorAll("[data-marks] > li")].map((entry) => markOf(doc, entry))
    .sort((one, other) => one.from - other.from);
}
