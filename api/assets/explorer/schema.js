// The schema as the token may see it: fetched by introspection, kept by type name.

const INTROSPECTION = `
query ExplorerSchema {
  __schema {
    queryType { name }
    mutationType { name }
    subscriptionType { name }
    types {
      kind
      name
      description
      fields(includeDeprecated: true) {
        name
        description
        isDeprecated
        deprecationReason
        args { name description defaultValue type { ...Reference } }
        type { ...Reference }
      }
      inputFields { name description defaultValue type { ...Reference } }
      enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
      interfaces { name }
      possibleTypes { name }
    }
  }
}
fragment Reference on __Type {
  kind
  name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }
}`;

/** `ask` sends a document and resolves to its `data`. */
export async function loadSchema(ask) {
  const { __schema: schema } = await ask(INTROSPECTION);
  const types = new Map(schema.types.filter((type) => !type.name.startsWith("__")).map((type) => [type.name, type]));
  const roots = ["query", "mutation", "subscription"]
    .filter((kind) => schema[`${kind}Type`])
    .map((kind) => ({ kind, type: types.get(schema[`${kind}Type`].name) }))
    .filter((root) => root.type);
  return { types, roots };
}

/** The name inside lists and non-nulls. */
export function named(reference) {
  return reference.ofType ? named(reference.ofType) : reference.name;
}

/** The reference as it is written: `[Facility!]!`. */
export function written(reference) {
  if (reference.kind === "NON_NULL") return `${written(reference.ofType)}!`;
  if (reference.kind === "LIST") return `[${written(reference.ofType)}]`;
  return reference.name;
}

/** A document that asks for a root field, and the variables that it needs. */
export function skeleton(schema, kind, field) {
  const needed = field.args.filter((arg) => arg.type.kind === "NON_NULL" && arg.defaultValue === null);
  const paged = field.args.some((arg) => arg.name === "first") && !needed.some((arg) => arg.name === "first");
  const title = field.name[0].toUpperCase() + field.name.slice(1);
  const head = needed.length ? `(${needed.map((arg) => `$${arg.name}: ${written(arg.type)}`).join(", ")})` : "";
  const values = [...(paged ? ["first: 10"] : []), ...needed.map((arg) => `${arg.name}: $${arg.name}`)];
  const call = field.name + (values.length ? `(${values.join(", ")})` : "");
  const variables = Object.fromEntries(needed.map((arg) => [arg.name, sample(schema, arg.type, 0)]));
  return {
    query: `${kind} ${title}${head} {\n  ${call}${selection(schema, field.type, 1, [])}\n}\n`,
    variables: needed.length ? JSON.stringify(variables, null, 2) : "",
  };
}

// The fields without arguments that must be given, three levels deep; a type is not entered again within itself.
function selection(schema, reference, depth, path) {
  const type = schema.types.get(named(reference));
  if (!type || type.kind === "SCALAR" || type.kind === "ENUM") return "";
  const pad = "  ".repeat(depth + 1);
  const lines = [];
  for (const field of type.fields ?? []) {
    if (field.isDeprecated || field.args.some((arg) => arg.name === "first" || arg.type.kind === "NON_NULL")) continue;
    const target = schema.types.get(named(field.type));
    const leaf = !target?.fields;
    if (leaf && target?.kind !== "UNION") lines.push(pad + field.name);
    // A connection's nodes are its edges without cursors: one of the two is enough.
    else if (!leaf && depth < 4 && field.name !== "edges" && !path.includes(target.name)) {
      const inner = selection(schema, field.type, depth + 1, [...path, type.name]);
      if (inner && (depth < 3 || target.fields.length < 4)) lines.push(pad + field.name + inner);
    }
  }
  if (lines.length === 0) lines.push(`${pad}__typename`);
  return ` {\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
}

function sample(schema, reference, depth) {
  if (reference.kind === "NON_NULL") return sample(schema, reference.ofType, depth);
  if (reference.kind === "LIST") return [sample(schema, reference.ofType, depth)];
  const type = schema.types.get(reference.name);
  if (type?.kind === "ENUM") return type.enumValues[0]?.name ?? "";
  if (type?.kind === "INPUT_OBJECT") {
    const needed = type.inputFields.filter((field) => field.type.kind === "NON_NULL" && field.defaultValue === null);
    // Where none is needed by itself, exactly one is, or one at least is of use.
    const fields = depth < 4 ? (needed.length ? needed : type.inputFields.slice(0, 1)) : [];
    return Object.fromEntries(fields.map((field) => [field.name, sample(schema, field.type, depth + 1)]));
  }
  return { Int: 1, Float: 1, Boolean: true, Date: new Date().toISOString().slice(0, 10) }[reference.name] ?? "";
}
