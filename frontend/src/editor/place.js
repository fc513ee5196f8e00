// Where in the document a position is, told by indentation: it must be known while the text is not yet YAML.
const ENTRY = /^(\s*)((?:-\s+)*)(.*)$/;
const KEY = /^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#:'"{}[\],-][^:#]*?)\s*:(?:\s|$)/;
export const ITEM = "*";

const bare = (key) => key.replace(/^(["'])(.*)\1$/, "$2");

function read(text) {
  const [, indent, dashes, content] = ENTRY.exec(text);
  const key = KEY.exec(content);
  return { indent: indent.length, dashes: dashes.length, column: indent.length + dashes.length, content, key: key && bare(key[1]) };
}

const empty = (text) => !text.trim() || text.trim().startsWith("#");

// Names from the top down to what encloses `number`, where the line begins at `column` (below `dashes` of a list).
function above(doc, number, line) {
  const path = line.dashes ? [ITEM] : [];
  let column = line.dashes ? line.indent + 1 : line.column;
  for (let at = number - 1; at >= 1 && column > 0; at -= 1) {
    const text = doc.line(at).text;
    if (empty(text)) continue;
    const other = read(text);
    if (other.column >= column) {
      if (other.dashes && other.indent < column && other.column === column) {
        path.unshift(ITEM);
        column = other.indent + 1;
      }
      continue;
    }
    if (other.key === null) continue;
    path.unshift(other.key);
    if (other.dashes) path.unshift(ITEM);
    column = other.dashes ? other.indent + 1 : other.column;
  }
  return path;
}

// { path: what encloses the position, key: the key of this line or null, value: whether the position is behind it,
//   typed: what stands between, from: where that begins, column: where the line's own text begins }
export function placeAt(doc, position) {
  const line = doc.lineAt(position);
  const whole = read(line.text);
  const before = line.text.slice(0, position - line.from);
  const value = /^\s*(?:-\s+)*[^\s#:][^:#]*:\s+(.*)$/.exec(before);
  const typed = value ? value[1] : before.slice(Math.min(whole.column, before.length));
  return {
    path: above(doc, line.number, whole), key: whole.key, value: Boolean(value), typed,
    from: position - typed.length, column: whole.column, item: whole.dashes > 0,
  };
}
