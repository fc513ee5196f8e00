// Keys, values and their meaning out of the JSON Schema of the specification.
import { ITEM, placeAt } from "./place.js";

const WORD = /[\w.-]*$/;

export class Schema {
  constructor(address) {
    this.whole = fetch(address, { headers: { Accept: "application/json" } })
      .then((answer) => (answer.ok ? answer.json() : {})).catch(() => ({}));
  }

  async complete(context) {
    const root = await this.whole;
    const place = placeAt(context.state.doc, context.pos);
    const typed = WORD.exec(place.typed)[0];
    if (!context.explicit && !typed && !place.value) return null;
    const here = walk(root, place.path);
    const options = place.value ? valuesAt(root, walk(root, [...place.path, place.key])) : [
      ...(place.path.at(-1) === ITEM ? namesFor(context.state.doc, place.path) : []),
      ...valuesAt(root, place.item ? here : []),
      ...keysAt(root, here, place.column),
    ];
    return options.length ? { from: context.pos - typed.length, options, validFor: /^[\w.-]*$/ } : null;
  }

  async explain(view, position) {
    const root = await this.whole;
    const word = view.state.wordAt(position);
    const place = placeAt(view.state.doc, word?.to ?? position);
    if (!place.key) return null;
    const text = walk(root, [...place.path, place.key]).map((one) => one.description).find(Boolean)
      ?? aboutKey(root, place);
    const line = view.state.doc.lineAt(position);
    return text ? { pos: word?.from ?? line.from, end: word?.to ?? line.to, above: true, create: () => ({ dom: told(text) }) } : null;
  }
}

function told(text) {
  const dom = document.createElement("div");
  dom.className = "told";
  dom.textContent = text;
  return dom;
}

// What is said beside a reference is meant of what it leads to.
function outer(schema, one) {
  const said = Object.fromEntries(["description", "examples"].filter((key) => schema[key]).map((key) => [key, schema[key]]));
  return { ...one, ...said };
}

// A schema may be several at once, and may stand elsewhere: all that it can be, spread out.
function spread(root, schema) {
  if (!schema) return [];
  if (schema.$ref) {
    const found = schema.$ref.split("/").slice(1).reduce((at, part) => at?.[part], root);
    return spread(root, found).map((one) => outer(schema, one));
  }
  const several = schema.anyOf ?? schema.oneOf;
  if (!several) return [schema];
  return several.flatMap((one) => spread(root, one)).map((one) => outer(schema, one));
}

function below(root, schema, part) {
  if (part === ITEM && schema.items) return spread(root, schema.items);
  const named = schema.properties?.[part];
  if (named) return spread(root, named);
  return typeof schema.additionalProperties === "object" ? spread(root, schema.additionalProperties) : [];
}

function walk(root, path) {
  return path.reduce((found, part) => found.flatMap((one) => below(root, one, part)), spread(root, root));
}

function aboutKey(root, place) {
  return walk(root, place.path).map((one) => one.properties?.[place.key]?.description).find(Boolean);
}

const isDeep = (schemas) => schemas.some((one) => one.properties || one.items || typeof one.additionalProperties === "object");
const isPlain = (schemas) => schemas.some((one) => ["string", "integer", "number", "boolean"].some((kind) => [one.type].flat().includes(kind)) || one.enum);

function keysAt(root, here, column) {
  const properties = Object.assign({}, ...here.map((one) => one.properties ?? {}));
  return Object.entries(properties).map(([name, schema]) => {
    const kinds = spread(root, schema);
    const deep = isDeep(kinds) && !isPlain(kinds);
    const step = `\n${" ".repeat(column + 2)}`;
    return {
      label: name, type: "property", info: kinds.map((one) => one.description).find(Boolean) ?? schema.description,
      apply: `${name}:${deep ? step : " "}`,
    };
  });
}

function valuesAt(root, schemas) {
  const found = schemas.flatMap((one) => {
    const given = one.enum ?? (one.const === undefined ? [] : [one.const]);
    return one.type === "boolean" ? [true, false] : [...given, ...(one.examples ?? [])];
  });
  return [...new Set(found.map(String))].map((label) => ({ label, type: "enum" }));
}

// What an entry of a list may name: services, volumes, configs and secrets of this very text.
function namesFor(doc, path) {
  const kind = { depends_on: "services", volumes: "volumes", configs: "configs", secrets: "secrets" }[path.at(-2)];
  const text = doc.toString();
  const section = kind && new RegExp(`^${kind}:[ \\t]*\\n((?:[ \\t#].*\\n?|\\n)*)`, "m").exec(text);
  if (!section) return [];
  const names = [...section[1].matchAll(/^ {1,4}([a-z][a-z0-9-]*):/gm)].map((match) => match[1]);
  return names.map((label) => ({ label, type: "variable" }));
}
