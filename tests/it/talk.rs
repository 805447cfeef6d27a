//! Short forms of what tests ask for again and again.

use serde_json::{Value, json};
use tests::Client;

/// The data of a query without errors.
#[track_caller]
pub fn data(answer: &tests::Answer) -> Value {
    answer.data().clone()
}

/// Asks, and gives the data.
pub async fn ask(client: &Client, document: &str) -> Value {
    data(&client.query(document, Value::Null).await)
}

/// The strings at a key of each node of a list.
pub fn column(nodes: &Value, key: &str) -> Vec<String> {
    let nodes = nodes.as_array().unwrap_or_else(|| panic!("a list expected: {nodes}"));
    nodes.iter().map(|node| node[key].as_str().unwrap_or("null").to_owned()).collect()
}

/// The document of a mutation that is named after its object, such as `createItem`.
pub fn mutation(name: &str, subject: &str, selection: &str) -> String {
    let entry = ["publish", "archive", "verify", "show"].iter().any(|verb| name.starts_with(verb));
    let mut ty = name[..1].to_uppercase() + &name[1..] + "Input";
    if entry {
        ty = "EntryInput".to_owned();
    }
    format!(
        "mutation($input: {ty}!) {{ {name}(input: $input) {{ {subject} {{ {selection} }} \
         userErrors {{ code field message }} }} }}"
    )
}

/// Runs a mutation and gives its payload.
pub async fn act(client: &Client, name: &str, subject: &str, selection: &str, input: &Value) -> Value {
    let answer = client.query(&mutation(name, subject, selection), json!({ "input": input })).await;
    data(&answer)[name].clone()
}

/// As [`act`], for one that has to succeed: its object.
pub async fn done(client: &Client, name: &str, subject: &str, selection: &str, input: &Value) -> Value {
    let payload = act(client, name, subject, selection, input).await;
    assert_eq!(payload["userErrors"], json!([]), "{name}: {payload}");
    payload[subject].clone()
}

/// The codes and the fields of a payload's user errors.
pub fn faults(payload: &Value) -> Vec<(String, String)> {
    let errors = payload["userErrors"].as_array().unwrap_or_else(|| panic!("a payload expected: {payload}"));
    let field = |error: &Value| {
        let parts = error["field"].as_array().cloned().unwrap_or_default();
        parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(".")
    };
    errors.iter().map(|error| (error["code"].as_str().unwrap_or_default().to_owned(), field(error))).collect()
}

/// One fault, as [`faults`] gives it.
pub fn fault(code: &str, field: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), field.to_owned())]
}

/// A list that is walked page by page.
pub struct Walk<'a> {
    pub client: &'a Client,
    /// Around the list, with `LIST` in its place: `{ LIST }`.
    pub frame: &'a str,
    pub field: &'a str,
    /// Arguments besides those of the page.
    pub arguments: &'a str,
    pub size: usize,
    pub backwards: bool,
}

impl Walk<'_> {
    /// One page from a cursor: its ids, whether there is more, whether there was some before, and the cursor
    /// to go on from.
    pub async fn page(&self, from: Option<&str>) -> (Vec<String>, bool, bool, Option<String>) {
        let (size, place) = if self.backwards { ("last", "before") } else { ("first", "after") };
        let from = from.map(|cursor| format!("{place}: \"{cursor}\"")).unwrap_or_default();
        let list = format!(
            "{}({size}: {} {from} {}) {{ edges {{ cursor node {{ id }} }} nodes {{ id }} pageInfo {{ \
             hasNextPage hasPreviousPage startCursor endCursor }} }}",
            self.field, self.size, self.arguments
        );
        let data = ask(self.client, &self.frame.replace("LIST", &list)).await;
        let mut page = &data;
        while page.get("pageInfo").is_none() {
            page = page.as_object().and_then(|object| object.values().next()).unwrap_or(&Value::Null);
            assert!(!page.is_null(), "no list: {data}");
        }
        let cursors = column(&page["edges"], "cursor");
        let ids = column(&page["nodes"], "id");
        let edges = page["edges"].as_array().cloned().unwrap_or_default();
        let in_edges: Vec<Value> = edges.iter().map(|edge| edge["node"]["id"].clone()).collect();
        assert_eq!(json!(ids), json!(in_edges));
        let info = &page["pageInfo"];
        assert_eq!(info["startCursor"], json!(cursors.first()));
        assert_eq!(info["endCursor"], json!(cursors.last()));
        let (next, previous) = (info["hasNextPage"] == json!(true), info["hasPreviousPage"] == json!(true));
        if self.backwards {
            (ids, previous, next, cursors.first().cloned())
        } else {
            (ids, next, previous, cursors.last().cloned())
        }
    }

    /// All rows in the list's own order, with something done between the pages.
    pub async fn with(&self, mut between: impl AsyncFnMut(usize)) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let mut from: Option<String> = None;
        for number in 0.. {
            assert!(number < 200, "the walk does not end");
            let (ids, more, before, cursor) = self.page(from.as_deref()).await;
            assert_eq!(before, number > 0, "page {number} of {}", self.arguments);
            assert!(ids.len() == self.size || !more, "a short page has a next one");
            if self.backwards {
                all.splice(0..0, ids);
            } else {
                all.extend(ids);
            }
            if !more {
                break;
            }
            from = cursor;
            between(number).await;
        }
        all
    }

    pub async fn all(&self) -> Vec<String> {
        self.with(async |_| ()).await
    }
}
