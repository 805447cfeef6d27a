// What the page says, in the language of the browser.

const TEXTS = {
  en: {
    title: "API explorer", skip: "Skip to the query", example: "Example", choose: "Choose one…",
    token: "Token", tokenHint: "none: you are anyone", query: "Query", operation: "Operation", run: "Run",
    more: "Variables and headers", variables: "Variables", variablesHint: '{ "first": 10 }', headers: "Headers",
    answer: "Answer", copy: "Copy", copied: "Copied", schema: "Schema", search: "Search types and fields",
    trail: "Where you are in the schema", running: "Running…", empty: "Run a query to see its answer here.",
    cost: "cost", badVariables: "The variables are not a JSON object", badHeader: "Not a header, “Name: value” is expected",
    noAnswer: "No answer from the server", notJson: "The answer is not JSON",
    loading: "Loading the schema…", noSchema: "The schema could not be loaded", again: "Try again",
    audience: "What you see here is what this token may see.", makeToken: "A token for it",
    Query: "Queries", Mutation: "Mutations", Subscription: "Subscriptions",
    OBJECT: "Objects", INTERFACE: "Interfaces", UNION: "Unions", ENUM: "Enums", INPUT_OBJECT: "Inputs", SCALAR: "Scalars",
    fields: "Fields", values: "Values", possible: "Is one of", implements: "Implements", arguments: "Arguments",
    deprecated: "Deprecated", use: "Use", useLabel: "Use in the editor", nothing: "Nothing found.", usedBy: "Found in",
    unknownType: "There is no such type for this token.",
  },
  es: {
    title: "Explorador de la API", skip: "Ir a la consulta", example: "Ejemplo", choose: "Elige uno…",
    token: "Token", tokenHint: "ninguno: eres cualquier persona", query: "Consulta", operation: "Operación", run: "Ejecutar",
    more: "Variables y cabeceras", variables: "Variables", variablesHint: '{ "first": 10 }', headers: "Cabeceras",
    answer: "Respuesta", copy: "Copiar", copied: "Copiado", schema: "Esquema", search: "Buscar tipos y campos",
    trail: "Dónde estás en el esquema", running: "Ejecutando…", empty: "Ejecuta una consulta para ver aquí su respuesta.",
    cost: "costo", badVariables: "Las variables no son un objeto JSON", badHeader: "No es una cabecera, se espera «Nombre: valor»",
    noAnswer: "El servidor no responde", notJson: "La respuesta no es JSON",
    loading: "Cargando el esquema…", noSchema: "No se pudo cargar el esquema", again: "Reintentar",
    audience: "Aquí ves lo que este token permite ver.", makeToken: "Un token para esto",
    Query: "Consultas", Mutation: "Mutaciones", Subscription: "Suscripciones",
    OBJECT: "Objetos", INTERFACE: "Interfaces", UNION: "Uniones", ENUM: "Enumeraciones", INPUT_OBJECT: "Entradas", SCALAR: "Escalares",
    fields: "Campos", values: "Valores", possible: "Es uno de", implements: "Implementa", arguments: "Argumentos",
    deprecated: "Obsoleto", use: "Usar", useLabel: "Usar en el editor", nothing: "No se encontró nada.", usedBy: "Aparece en",
    unknownType: "No hay un tipo así para este token.",
  },
};

export const language = (navigator.language || "en").toLowerCase().startsWith("es") ? "es" : "en";
export const text = TEXTS[language];

/** Puts the texts where the page asks for them. */
export function translatePage() {
  document.documentElement.lang = language;
  document.title = `Umbral · ${text.title}`;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text[element.dataset.text];
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", text[element.dataset.label]);
  for (const element of document.querySelectorAll("[data-placeholder]")) element.placeholder = text[element.dataset.placeholder];
}
