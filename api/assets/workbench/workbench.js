// Starts GraphiQL with Umbral's examples and a field for the token. The token stays in this page's memory.

import { fillSelect, findExample, loadExamples, localized, prepare } from "../examples.js";

const { React, ReactDOM, GraphiQL } = window;
const ENDPOINT = new URL("graphql", document.baseURI);
const TEXTS = {
  example: { en: "Example", es: "Ejemplo" },
  token: { en: "Token", es: "Token" },
  explorer: { en: "Plain explorer", es: "Explorador sencillo" },
  none: { en: "none: you are anyone", es: "ninguno: eres cualquier persona" },
  makeToken: { en: "A token for it", es: "Un token para esto" },
};

const find = (id) => document.getElementById(id);

function send(body, headers = {}) {
  const token = find("token").value.trim().replace(/^Bearer\s+/i, "");
  return fetch(ENDPOINT, {
    method: "POST",
    credentials: "omit",
    headers: {
      Accept: "application/graphql-response+json, application/json;q=0.9",
      "Content-Type": "application/json",
      ...(token && { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify(body),
  });
}

async function ask(query) {
  const { data, errors } = await (await send({ query })).json();
  if (!data || errors) throw new Error(errors?.[0]?.message ?? "no data");
  return data;
}

// A new function makes GraphiQL load the schema anew, which is another one for another token.
function makeFetcher() {
  return async (body, options) => (await send(body, options?.headers)).json();
}

const root = ReactDOM.createRoot(find("graphiql"));
let shown = { fetcher: makeFetcher(), query: undefined, variables: undefined };
function show(changes) {
  shown = { ...shown, ...changes };
  root.render(React.createElement(GraphiQL, { ...shown, shouldPersistHeaders: false, defaultEditorToolsVisibility: "variables" }));
}

find("example-label").textContent = localized(TEXTS.example);
find("token-label").textContent = localized(TEXTS.token);
find("explorer").textContent = localized(TEXTS.explorer);
find("token").placeholder = localized(TEXTS.none);
find("token").addEventListener("change", () => show({ fetcher: makeFetcher() }));

const roles = await loadExamples().catch(() => []);
fillSelect(find("example"), roles);
find("example").addEventListener("change", async () => {
  const chosen = findExample(roles, find("example").value);
  if (!chosen) return;
  const about = find("about");
  about.replaceChildren(localized(chosen.role.about));
  if (chosen.role.role !== "anonymous") {
    const command = document.createElement("code");
    command.textContent = `umbral token --role ${chosen.role.role}`;
    about.append(` ${localized(TEXTS.makeToken)}: `, command);
  }
  show(await prepare(chosen.example, ask));
});

const first = roles[0]?.examples[0];
show(first ? await prepare(first, ask) : {});
