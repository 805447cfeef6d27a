// The example queries, shared by the explorer and by GraphiQL's page.
//
// A value in the variables of an example may stand for something that only the server or the day knows:
//   { "$from": "facilities.nodes.0.id" }   taken from the answer to the example's `lookup` query
//   { "$daysAgo": 30 }                     a calendar day, counted back from today
//   { "$random": true }                    a new idempotency key

const language = (navigator.language || "en").toLowerCase().startsWith("es") ? "es" : "en";

/** The text in the reader's language. */
export function localized(text) {
  return text[language] ?? text.en;
}

export async function loadExamples() {
  const response = await fetch("assets/examples.json");
  if (!response.ok) throw new Error(`examples.json: ${response.status}`);
  return (await response.json()).roles;
}

/**
 * The example as texts for the editors. `ask` sends a document and resolves to its `data`; when it cannot
 * answer, what it would have filled in is left empty, and the reader sees where.
 */
export async function prepare(example, ask) {
  const found = example.lookup ? await ask(example.lookup.join("\n")).catch(() => null) : null;
  return {
    query: example.query.join("\n") + "\n",
    variables: example.variables ? JSON.stringify(fill(example.variables, found), null, 2) : "",
  };
}

function fill(value, found) {
  if (Array.isArray(value)) return value.map((entry) => fill(entry, found));
  if (value === null || typeof value !== "object") return value;
  if ("$from" in value) return value.$from.split(".").reduce((at, step) => at?.[step], found) ?? "";
  if ("$daysAgo" in value) return day(value.$daysAgo);
  if ("$random" in value) return randomKey();
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, fill(entry, found)]));
}

function day(ago) {
  const date = new Date();
  date.setDate(date.getDate() - ago);
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

// Not crypto.randomUUID, which browsers offer on secure addresses only.
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return "example-" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Fills a select element: one group for each role, one option for each example. */
export function fillSelect(select, roles) {
  for (const role of roles) {
    const group = document.createElement("optgroup");
    group.label = localized(role.label);
    for (const example of role.examples) {
      const option = document.createElement("option");
      option.value = `${role.role}/${example.id}`;
      option.textContent = localized(example.title);
      group.append(option);
    }
    select.append(group);
  }
}

/** The role and the example that an option stands for, or null. */
export function findExample(roles, value) {
  const [name, id] = value.split("/");
  const role = roles.find((entry) => entry.role === name);
  const example = role?.examples.find((entry) => entry.id === id);
  return example ? { role, example } : null;
}
