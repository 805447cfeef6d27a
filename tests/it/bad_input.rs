//! Bad input: every kind has its documented answer, is never our fault, and writes nothing.

use api::{
    demo::id_of,
    id::{self, Kind},
};
use sea_orm::DatabaseConnection;
use serde_json::{Map, Value, json};
use tests::{Answer, Client, DemoApp, TODAY, both, catalogue};

mod documents;
mod values;

const OWN: &str = "red-de-accion-carcelaria";

/// A request, who sends it, and what must come back.
pub struct Case {
    pub name: &'static str,
    pub who: Who,
    pub body: Body,
    pub status: u16,
    /// `extensions.code` of an error, or the code of a user error.
    pub code: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Who {
    Nobody,
    Partner,
    Coordinator,
}

pub enum Body {
    /// A document, with its variables.
    Query(String, Value),
    /// Bytes as they are.
    Raw(Vec<u8>),
}

pub fn global(kind: Kind, table: &str, key: &str) -> String {
    id::text(kind, id_of(table, key))
}

/// A document without variables.
pub fn ask(
    name: &'static str,
    who: Who,
    document: impl Into<String>,
    status: u16,
    code: &'static str,
) -> Case {
    Case { name, who, body: Body::Query(document.into(), Value::Null), status, code }
}

/// A mutation with this input, which has user errors.
pub fn write(name: &'static str, mutation: &str, input: Value, code: &'static str) -> Case {
    Case { name, who: Who::Coordinator, body: mutation_of(mutation, input), status: 200, code }
}

/// A mutation whose input is refused before anything runs.
pub fn refuse(name: &'static str, mutation: &str, input: Value) -> Case {
    let body = mutation_of(mutation, input);
    Case { name, who: Who::Coordinator, body, status: 400, code: "GRAPHQL_VALIDATION_FAILED" }
}

fn mutation_of(mutation: &str, input: Value) -> Body {
    let kind = mutation[..1].to_uppercase() + &mutation[1..];
    let document = format!(
        "mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ userErrors {{ code field message }} }} }}"
    );
    Body::Query(document, json!({ "input": input }))
}

/// An object with some members set anew; null stands for one that is left out.
pub fn but(mut object: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("no object: {changes}") };
    for (name, value) in changes {
        match value {
            Value::Null => object.as_object_mut().and_then(|object: &mut Map<_, _>| object.remove(&name)),
            value => object.as_object_mut().and_then(|object| object.insert(name, value)),
        };
    }
    object
}

/// A delivery that could be recorded.
pub fn delivery() -> Value {
    json!({
        "idempotencyKey": "bad-input",
        "facility": global(Kind::Facility, "facility", "cpf-talca"),
        "program": global(Kind::Program, "program", &format!("{OWN}:kits-de-higiene")),
        "occurredOn": "2026-10-01",
        "peopleReached": 40,
        "reachMethod": "COUNTED",
        "lines": [{ "supplied": { "kit": kit() }, "quantity": 40 }],
    })
}

pub fn kit() -> String {
    global(Kind::Kit, "kit", &format!("{OWN}:hygiene-kit"))
}

pub fn item() -> String {
    global(Kind::Item, "item", &format!("{OWN}:soap"))
}

/// How many rows there are that a request could write.
async fn rows(db: &DatabaseConnection) -> Vec<(&'static str, i64)> {
    let mut counts = Vec::new();
    for table in [
        "agreement",
        "audit_event",
        "award",
        "distribution",
        "distribution_line",
        "facility",
        "gift",
        "idempotency",
        "item",
        "kit",
        "kit_version",
        "presence",
        "program",
        "program_site",
        "statement",
    ] {
        let row = catalogue::query(db, &format!("SELECT COUNT(*) AS rows FROM {table}")).await;
        counts.push((table, row[0].try_get("", "rows").unwrap()));
    }
    counts
}

async fn send(client: &Client, body: &Body) -> Answer {
    match body {
        Body::Query(document, variables) => client.query(document, variables.clone()).await,
        Body::Raw(bytes) => {
            let request = client.request("POST", "/graphql").header("content-type", "application/json");
            request.header("accept", "application/graphql-response+json").body(bytes.clone()).send().await
        }
    }
}

/// The codes of an answer: of its errors, and of the user errors in its data.
fn codes(answer: &Answer) -> Vec<String> {
    let mut codes = Vec::new();
    for error in answer.json()["errors"].as_array().into_iter().flatten() {
        codes.push(error["extensions"]["code"].as_str().unwrap_or("none").to_owned());
    }
    for payload in answer.json()["data"].as_object().into_iter().flat_map(|data| data.values()) {
        for error in payload["userErrors"].as_array().into_iter().flatten() {
            assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
            codes.push(error["code"].as_str().unwrap_or("none").to_owned());
        }
    }
    codes
}

both!(
    async fn every_kind_has_its_answer_and_writes_nothing(app: &DemoApp) {
        let db = app.database.connect().await;
        let partner = app.member("partner", "demo-partner-network");
        let coordinator = app.member("coordinator", OWN);
        let mut cases = documents::cases();
        cases.extend(values::cases(&partner, &coordinator).await);
        assert!(cases.len() >= 100, "{}", cases.len());

        let before = rows(&db).await;
        let mut wrong = Vec::new();
        for case in &cases {
            let client = match case.who {
                Who::Nobody => app.anonymous(),
                Who::Partner => partner.clone(),
                Who::Coordinator => coordinator.clone(),
            };
            let answer = send(&client, &case.body).await;
            let codes = codes(&answer);
            if answer.status != case.status || !codes.iter().any(|code| code == case.code) {
                let text: String = answer.to_string().chars().take(600).collect();
                wrong.push(format!("{}: {} {} expected: {text}", case.name, case.status, case.code));
            }
            if codes.iter().any(|code| code == "INTERNAL") || answer.status >= 500 {
                wrong.push(format!("{}: our fault", case.name));
            }
        }
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
        assert_eq!(rows(&db).await, before);
        // The server is as well as before.
        let answer = app.anonymous().query("{ __typename }", Value::Null).await;
        assert_eq!(answer.data(), &json!({ "__typename": "Query" }));
        assert!(TODAY.starts_with("2026-11-20"), "the cases speak of days around this one");
    }
);

both!(
    /// What the cases above vary is good itself, so that each of them is refused for its own fault.
    async fn the_good_forms_are_good(app: &DemoApp) {
        let coordinator = app.member("coordinator", OWN);
        for (mutation, input) in values::good() {
            let answer = send(&coordinator, &mutation_of(mutation, input)).await;
            answer.data();
            assert_eq!(codes(&answer), Vec::<String>::new(), "{mutation}: {answer}");
        }
    }
);
