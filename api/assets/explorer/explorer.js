// The explorer: a query, its answer, and the schema beside them. It is served with the API and loads nothing
// from anywhere else. The token stays in this page's memory and is gone when the page is.

import { fillSelect, findExample, loadExamples, localized, prepare } from "../examples.js";
import { makeDocs } from "./docs.js";
import { makeEditor, paintJson } from "./editor.js";
import { loadSchema } from "./schema.js";
import { text, translatePage } from "./texts.js";

const ENDPOINT = new URL("graphql", document.baseURI);
const FIRST_QUERY = `# ${text.run}: Ctrl + Enter
query WhoAmI {
  viewer {
    audience
    role
    rights
  }
}
`;

const find = (id) => document.getElementById(id);

function headersOf(source) {
  const headers = { Accept: "application/graphql-response+json, application/json;q=0.9", "Content-Type": "application/json" };
  const token = find("token").value.trim().replace(/^Bearer\s+/i, "");
  if (token) headers.Authorization = `Bearer ${token}`;
  for (const line of source.split("\n").filter((entry) => entry.trim())) {
    const [, name, value] = line.match(/^\s*([\w-]+)\s*:\s*(.*?)\s*$/) ?? [];
    if (!name) throw new Error(`${text.badHeader}: ${line}`);
    headers[name] = value;
  }
  return headers;
}

function variablesOf(source) {
  if (!source.trim()) return undefined;
  try {
    const variables = JSON.parse(source);
    if (variables && typeof variables === "object" && !Array.isArray(variables)) return variables;
  } catch (error) {
    throw new Error(`${text.badVariables}: ${error.message}`);
  }
  throw new Error(text.badVariables);
}

function send(body, signal) {
  return fetch(ENDPOINT, { method: "POST", headers: headersOf(headers.value), body: JSON.stringify(body), credentials: "omit", signal });
}

/** The data that a document of the page's own answers; what is only half an answer counts as none. */
async function ask(query) {
  const response = await send({ query });
  const { data, errors } = await response.json();
  if (!data || errors) throw new Error(errors?.[0]?.message ?? String(response.status));
  return data;
}

// ---------------------------------------------------------------- the answer

function size(bytes) {
  return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KB`;
}

function showStatus(state, ...parts) {
  find("status").dataset.state = state;
  find("status").textContent = parts.filter(Boolean).join(" · ");
}

function showAnswer(source, status) {
  find("copy").hidden = false;
  find("answer").dataset.source = source;
  paintJson(find("answer"), source);
  find("answer").scrollTop = 0;
  if (status) showStatus(...status);
}

function costOf(answer) {
  const cost = answer?.extensions?.cost;
  return cost ? `${text.cost} ${cost.requested ?? cost}${cost.limit ? `/${cost.limit}` : ""}` : "";
}

let current = null;

async function run() {
  current?.abort();
  const mine = (current = new AbortController());
  showStatus("busy", text.running);
  const started = performance.now();
  try {
    const operationName = operations.length > 1 ? find("operation").value : undefined;
    const response = await send({ query: query.value, variables: variablesOf(variables.value), operationName }, mine.signal);
    const source = await response.text();
    const parts = [`${response.status}`, `${Math.round(performance.now() - started)} ms`, size(new Blob([source]).size)];
    let answer;
    try {
      answer = JSON.parse(source);
    } catch {
      return showAnswer(source, ["bad", ...parts, text.notJson]);
    }
    const state = response.ok && !answer.errors ? "good" : "bad";
    showAnswer(JSON.stringify(answer, null, 2), [state, ...parts, costOf(answer)]);
  } catch (error) {
    if (mine.signal.aborted) return;
    showStatus("bad", error instanceof TypeError ? text.noAnswer : error.message);
  }
}

// ---------------------------------------------------------------- the page

translatePage();

let operations = [];
/** Offers a choice when the document holds several operations; the one round the cursor is chosen. */
function listOperations(source) {
  const plain = source.replace(/#[^\n]*|"(?:\\.|[^"\\\n])*"/g, (found) => " ".repeat(found.length));
  const found = [...plain.matchAll(/\b(?:query|mutation|subscription)\s+(\w+)/g)];
  const kept = find("operation").value;
  operations = found.map((match) => match[1]);
  find("operation").replaceChildren(...operations.map((name) => new Option(name)));
  if (operations.includes(kept)) find("operation").value = kept;
  find("operation-field").hidden = operations.length < 2;
}

const headers = makeEditor("headers");
const variables = makeEditor("variables");
const query = makeEditor("query", listOperations);

function edit(next) {
  query.value = next.query;
  variables.value = next.variables;
  selectTab("variables");
}

const tabs = ["variables", "headers"];
function selectTab(chosen) {
  for (const name of tabs) {
    find(`tab-${name}`).setAttribute("aria-selected", String(name === chosen));
    find(`tab-${name}`).tabIndex = name === chosen ? 0 : -1;
    find(`panel-${name}`).hidden = name !== chosen;
  }
}
for (const name of tabs) {
  find(`tab-${name}`).addEventListener("click", () => selectTab(name));
  find(`tab-${name}`).addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = tabs.find((entry) => entry !== name);
    selectTab(other);
    find(`tab-${other}`).focus();
  });
}

const docs = makeDocs((next) => {
  edit(next);
  query.focus();
});
let asked = 0;
async function refreshSchema() {
  const mine = ++asked;
  docs.loading();
  try {
    const schema = await loadSchema(ask);
    if (mine === asked) docs.loaded(schema);
  } catch (error) {
    if (mine === asked) docs.failed(error instanceof TypeError ? text.noAnswer : error.message, refreshSchema);
  }
}

function aboutRole(role) {
  const about = find("about");
  about.replaceChildren(localized(role.about));
  if (role.role === "anonymous") return;
  const command = document.createElement("code");
  command.textContent = `umbral token --role ${role.role}`;
  about.append(` ${text.makeToken}: `, command);
}

find("run").addEventListener("click", run);
addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run();
  }
});
find("token").addEventListener("change", refreshSchema);
find("copy").addEventListener("click", async () => {
  // The clipboard is there on secure addresses only; elsewhere the answer is selected instead.
  try {
    await navigator.clipboard.writeText(find("answer").dataset.source);
    find("copy").textContent = text.copied;
    setTimeout(() => (find("copy").textContent = text.copy), 1500);
  } catch {
    getSelection().selectAllChildren(find("answer"));
  }
});

query.value = FIRST_QUERY;
find("answer").textContent = text.empty;
refreshSchema();

try {
  const roles = await loadExamples();
  fillSelect(find("example"), roles);
  find("example").addEventListener("change", async () => {
    const chosen = findExample(roles, find("example").value);
    if (!chosen) return;
    aboutRole(chosen.role);
    edit(await prepare(chosen.example, ask));
  });
} catch {
  // Without examples the page still works; the choice would only be empty.
  find("example").disabled = true;
}
