// The schema to read: the roots, every type, and where a type is found. The place is in the address
// (`#/Facility`), so that the browser's own way back works, and a link to a type can be sent.

import { named, skeleton } from "./schema.js";
import { text } from "./texts.js";

const GROUPS = ["OBJECT", "INPUT_OBJECT", "ENUM", "INTERFACE", "UNION", "SCALAR"];

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** A description: paragraphs, and `code` in them. */
function prose(source) {
  return (source ?? "").split(/\n\s*\n/).filter(Boolean).map((paragraph) => {
    const parts = paragraph.split("`").map((part, index) => (index % 2 ? make("code", { textContent: part }) : part));
    return make("p", {}, ...parts);
  });
}

function typeLink(name) {
  return make("a", { href: `#/${name}`, className: "type", textContent: name });
}

function reference(type) {
  if (type.kind === "NON_NULL") return [...reference(type.ofType), "!"];
  if (type.kind === "LIST") return ["[", ...reference(type.ofType), "]"];
  return [typeLink(type.name)];
}

function deprecation(entry) {
  return entry.isDeprecated
    ? [make("p", { className: "deprecated" }, make("strong", { textContent: text.deprecated }), ` ${entry.deprecationReason ?? ""}`)]
    : [];
}

function signature(entry) {
  const standard = entry.defaultValue ? [make("span", { className: "standard", textContent: ` = ${entry.defaultValue}` })] : [];
  return [make("span", { className: "name", textContent: entry.name }), ": ", ...reference(entry.type), ...standard];
}

function fieldEntry(field, onUse) {
  const title = make("div", { className: "signature" }, make("code", {}, ...signature(field)));
  if (onUse) {
    const button = make("button", { type: "button", textContent: text.use });
    button.setAttribute("aria-label", `${text.useLabel}: ${field.name}`);
    button.addEventListener("click", onUse);
    title.append(button);
  }
  const entry = make("li", { id: `field-${field.name}` }, title, ...prose(field.description), ...deprecation(field));
  if (field.args?.length) {
    const count = make("summary", { textContent: `${text.arguments}: ${field.args.map((arg) => arg.name).join(", ")}` });
    const list = make("ul", {}, ...field.args.map((arg) => make("li", {}, make("code", {}, ...signature(arg)), ...prose(arg.description))));
    entry.append(make("details", {}, count, list));
  }
  return entry;
}

function section(title, ...children) {
  return make("section", {}, make("h3", { textContent: title }), ...children);
}

/** Fields and arguments whose type this is, as links: `Query.facility`. */
function usesOf(schema, name) {
  const uses = [];
  for (const type of schema.types.values()) {
    for (const field of [...(type.fields ?? []), ...(type.inputFields ?? [])]) {
      const here = named(field.type) === name || field.args?.some((arg) => named(arg.type) === name);
      if (here) uses.push(make("li", {}, make("a", { href: `#/${type.name}`, textContent: `${type.name}.${field.name}` })));
    }
  }
  return uses;
}

function typePage(schema, type, use) {
  const root = schema.roots.find((entry) => entry.type === type);
  const page = [
    make("h3", { className: "type-title" }, make("span", { textContent: type.name }), make("small", { textContent: type.kind.toLowerCase().replace("_", " ") })),
    ...prose(type.description),
  ];
  if (type.interfaces?.length) {
    page.push(make("p", {}, `${text.implements} `, ...type.interfaces.flatMap((entry) => [typeLink(entry.name), " "])));
  }
  const fields = type.fields ?? type.inputFields;
  if (fields) {
    const entries = fields.map((field) => fieldEntry(field, root && (() => use(skeleton(schema, root.kind, field)))));
    page.push(section(text.fields, make("ul", { className: "entries" }, ...entries)));
  }
  if (type.enumValues) {
    const values = type.enumValues.map((value) =>
      make("li", {}, make("code", { className: "name", textContent: value.name }), ...prose(value.description), ...deprecation(value)));
    page.push(section(text.values, make("ul", { className: "entries" }, ...values)));
  }
  if (type.possibleTypes?.length) {
    page.push(section(text.possible, make("ul", { className: "chips" }, ...type.possibleTypes.map((entry) => make("li", {}, typeLink(entry.name))))));
  }
  const uses = root ? [] : usesOf(schema, type.name);
  if (uses.length) page.push(section(text.usedBy, make("ul", { className: "uses" }, ...uses)));
  return page;
}

function overview(schema, use) {
  const page = [make("p", { className: "quiet", textContent: text.audience })];
  for (const root of schema.roots) {
    const entries = root.type.fields.map((field) => fieldEntry(field, () => use(skeleton(schema, root.kind, field))));
    page.push(section(text[root.type.name] ?? root.type.name, make("ul", { className: "entries" }, ...entries)));
  }
  const rest = [...schema.types.values()].filter((type) => !schema.roots.some((root) => root.type === type));
  for (const kind of GROUPS) {
    const group = rest.filter((type) => type.kind === kind).sort((a, b) => (a.name < b.name ? -1 : 1));
    if (group.length) page.push(section(text[kind], make("ul", { className: "chips" }, ...group.map((type) => make("li", {}, typeLink(type.name))))));
  }
  return page;
}

function searchPage(schema, words) {
  const wanted = words.toLowerCase();
  const hits = [];
  for (const type of schema.types.values()) {
    if (type.name.toLowerCase().includes(wanted)) hits.push([type.name, type.name, type.description]);
    for (const entry of [...(type.fields ?? []), ...(type.inputFields ?? []), ...(type.enumValues ?? [])]) {
      const path = `${type.name}.${entry.name}`;
      const found = entry.name.toLowerCase().includes(wanted) || path.toLowerCase() === wanted;
      if (found) hits.push([type.name, path, entry.description]);
    }
  }
  // What begins with the words comes first.
  const rank = ([, path]) => Math.min(...path.split(".").map((part) => part.toLowerCase().indexOf(wanted)).filter((at) => at >= 0), 99);
  hits.sort((a, b) => rank(a) - rank(b) || a[1].length - b[1].length);
  if (hits.length === 0) return [make("p", { className: "quiet", textContent: text.nothing })];
  return [make("ul", { className: "entries" }, ...hits.slice(0, 60).map(([type, path, about]) =>
    make("li", {}, make("a", { href: `#/${type}`, className: "type", textContent: path }), ...prose(about).slice(0, 1))))];
}

/** `use` receives a query and its variables when a reader picks a root field. */
export function makeDocs(use) {
  const [place, trail, search] = ["docs", "trail", "search"].map((id) => document.getElementById(id));
  let schema = null;

  const show = () => {
    if (!schema) return;
    const name = decodeURIComponent(location.hash.replace(/^#\/?/, ""));
    const type = schema.types.get(name);
    const words = search.value.trim();
    trail.replaceChildren();
    if (words) {
      place.replaceChildren(...searchPage(schema, words));
    } else if (location.hash.startsWith("#/") && name) {
      trail.append(make("a", { href: "#/", textContent: text.schema }), " › ", name);
      place.replaceChildren(...(type ? typePage(schema, type, use) : [make("p", { className: "quiet", textContent: text.unknownType })]));
    } else {
      place.replaceChildren(...overview(schema, use));
    }
    place.scrollTop = 0;
  };

  search.addEventListener("input", show);
  // A link to the type that is open already changes no address, and must end the search all the same.
  place.addEventListener("click", (event) => {
    if (event.target.closest('a[href^="#/"]')?.hash !== location.hash) return;
    search.value = "";
    show();
  });
  addEventListener("hashchange", () => {
    // Another fragment is the skip link's.
    if (location.hash && !location.hash.startsWith("#/")) return;
    search.value = "";
    show();
  });

  return {
    loading() {
      if (!schema) place.replaceChildren(make("p", { className: "quiet", textContent: text.loading }));
    },
    loaded(newer) {
      schema = newer;
      show();
    },
    failed(why, retry) {
      schema = null;
      trail.replaceChildren();
      const button = make("button", { type: "button", textContent: text.again });
      button.addEventListener("click", retry);
      place.replaceChildren(make("p", { className: "quiet", textContent: `${text.noSchema}: ${why}` }), button);
    },
  };
}
