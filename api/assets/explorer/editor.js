// A text area with line numbers and colours. The coloured copy lies under the text area, whose own letters are
// transparent: what is typed, selected and read aloud is always the text area's.

const GRAPHQL =
  /(?<comment>#[^\n]*)|(?<string>"""[\s\S]*?(?:"""|$)|"(?:\\.|[^"\\\n])*"?)|(?<variable>\$\w+)|(?<directive>@\w+)|(?<number>-?\b\d[\w.]*)|(?<word>[A-Za-z_]\w*)|(?<mark>[{}()[\]:!=|&]|\.\.\.)/g;
const JSON_TEXT =
  /(?<key>"(?:\\.|[^"\\\n])*"(?=\s*:))|(?<string>"(?:\\.|[^"\\\n])*"?)|(?<number>-?\b\d[\d.eE+-]*)|(?<keyword>\b(?:true|false|null)\b)|(?<mark>[{}[\],:])/g;
const HEADERS = /(?<key>^[^:\n]+(?=:))|(?<mark>:)/gm;
const KEYWORDS = new Set(["query", "mutation", "subscription", "fragment", "on", "true", "false", "null"]);

// Past this length colours cost more than they tell.
const PLAIN_FROM = 200_000;

function kindOf(groups) {
  const [kind, word] = Object.entries(groups).find(([, value]) => value !== undefined);
  if (kind !== "word") return kind;
  if (KEYWORDS.has(word)) return "keyword";
  return /^[A-Z]/.test(word) ? "type" : "name";
}

/** Shows the source in the element, with colours. Only text nodes are made, so nothing in it is markup. */
function paint(element, source, grammar) {
  const parts = document.createDocumentFragment();
  let end = 0;
  if (source.length < PLAIN_FROM) {
    for (const match of source.matchAll(grammar)) {
      if (match.index > end) parts.append(source.slice(end, match.index));
      const span = document.createElement("span");
      span.className = kindOf(match.groups);
      span.textContent = match[0];
      parts.append(span);
      end = match.index + match[0].length;
    }
  }
  parts.append(source.slice(end) + "\n");
  element.replaceChildren(parts);
}

export function paintJson(element, source) {
  paint(element, source, JSON_TEXT);
}

const GRAMMARS = { query: GRAPHQL, variables: JSON_TEXT, headers: HEADERS };

/** Brings an editor of the page to life; `changed` is called with its text whenever that changes. */
export function makeEditor(name, changed = () => {}) {
  const root = document.getElementById(`${name}-editor`);
  const [gutter, copy, area] = [root.querySelector(".gutter"), root.querySelector("pre"), root.querySelector("textarea")];

  const follow = () => {
    copy.style.transform = `translate(${-area.scrollLeft}px, ${-area.scrollTop}px)`;
    gutter.firstChild.style.transform = `translateY(${-area.scrollTop}px)`;
  };
  const draw = () => {
    paint(copy, area.value, GRAMMARS[name]);
    const numbers = document.createElement("div");
    numbers.textContent = area.value.split("\n").map((_, line) => line + 1).join("\n");
    gutter.replaceChildren(numbers);
    follow();
    changed(area.value);
  };

  area.addEventListener("input", draw);
  area.addEventListener("scroll", follow);
  // Tab stays the key that leaves the field, so that nobody is caught in it; a new line takes the indentation along.
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
    const before = area.value.slice(0, area.selectionStart);
    const line = before.slice(before.lastIndexOf("\n") + 1);
    const indent = line.match(/^ */)[0] + (/[{([]\s*$/.test(line) ? "  " : "");
    if (indent === "") return;
    event.preventDefault();
    area.setRangeText(`\n${indent}`, area.selectionStart, area.selectionEnd, "end");
    draw();
  });
  draw();

  return {
    get value() {
      return area.value;
    },
    set value(source) {
      area.value = source;
      area.scrollTop = 0;
      area.scrollLeft = 0;
      draw();
    },
    focus: () => area.focus(),
    get cursor() {
      return area.selectionStart;
    },
  };
}
