//! Canaries: a text of its own in every personal column, looked for in everything that a woman's data could get into.

use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::seed::MEMBERS;

const CANARIES: [&str; 6] =
    ["Zyxquenombre", "Zyxqueapellido", "1987-06-05", "ZYXQUEDOC", "Zyxquenota", "Zyxquemotivo"];

/// Where a canary is in some bytes.
fn found(bytes: &[u8]) -> Vec<&'static str> {
    CANARIES.into_iter().filter(|canary| holds(bytes, canary)).collect()
}

async fn plant(world: &World) -> Value {
    let client = coordinator(world);
    let more = json!({ "code": "W-1", "birthDate": "1987-06-05", "notes": "Zyxquenota",
        "documents": [{ "kind": "CURP", "number": "ZYXQUEDOC" }] });
    let made = registered(&client, "one", "Zyxquenombre", "Zyxqueapellido", more).await;
    let change = with(&at(&made), json!({ "notes": "Zyxquenota, otra vez" }));
    let made = done(&client, "updateParticipant", "participant", RECORD, &change).await;
    let take = json!({ "code": "W-1", "reason": "Zyxquemotivo de urgencia", "minutes": 5 });
    done(&client, "takeRecord", "participant", "id", &take).await;
    codes(&client, ", filter: { name: \"Zyxquenombre\", document: \"ZYXQUEDOC\" }").await;
    made
}

/// Where the database, as rows and as files, and the keys beside it hold any of some words in clear.
pub async fn at_rest(world: &World, words: &[&str]) -> Vec<String> {
    let mut places = Vec::new();
    // All rows of all tables, whatever their type.
    let db = world.database.connect().await;
    let mut tables = 0;
    for (table, described) in tests::catalogue::tables(&db).await {
        for column in described.columns.keys() {
            let text = match world.database.backend {
                tests::Backend::Sqlite => format!("SELECT hex(CAST({column} AS blob)) FROM {table}"),
                tests::Backend::Postgres => {
                    format!("SELECT encode(convert_to(CAST({column} AS text), 'UTF8'), 'hex') FROM {table}")
                }
            };
            for row in tests::catalogue::query(&db, &text).await {
                let Some(hex) = row.try_get_by_index::<Option<String>>(0).unwrap() else { continue };
                let hex = hex.to_ascii_lowercase();
                for word in words {
                    let sought: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
                    // A bytea as text is its digits, and so its hexadecimal form is that of these.
                    let twice: String = sought.bytes().map(|byte| format!("{byte:02x}")).collect();
                    if hex.contains(&sought) || hex.contains(&twice) {
                        places.push(format!("{word} in {table}.{column}"));
                    }
                }
            }
        }
        tables += 1;
    }
    db.close().await.unwrap();
    assert!(tables > 50, "{tables}");
    // A backup, where it is another file than the database. Bytes are hexadecimal digits in it.
    if world.database.backend == tests::Backend::Postgres {
        let dump = tests::postgres::dump(&world.database.url);
        assert!(holds(&dump, "COPY public.participant "), "{}", dump.len());
        for word in words {
            let digits: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
            if holds(&dump, word) || holds(&dump, &digits) {
                places.push(format!("{word} in a dump"));
            }
        }
    }
    // The files themselves: the database where it is one, its journal, and the keys.
    let mut files = vec![world.data_dir.path().to_owned()];
    if let Some(path) = world.database.url.strip_prefix("sqlite://") {
        let path = std::path::Path::new(path.split('?').next().unwrap());
        files.push(path.parent().unwrap().to_owned());
    }
    let mut read = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            for word in words.iter().filter(|word| holds(&bytes, word)) {
                places.push(format!("{word} in {}", path.display()));
            }
            read += 1;
        }
    }
    assert!(read >= 3, "{read}");
    places
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

both!(
    async fn nothing_at_rest_holds_her_in_clear(world: &World) {
        let made = plant(world).await;
        assert_eq!(at_rest(world, &CANARIES).await, Vec::<String>::new());
        // The test can fail: what she is read by holds them.
        let shown = read_all(&coordinator(world), &made).await;
        assert_eq!(found(&shown).len(), 5);
    }
);

async fn read_all(client: &Client, record: &Value) -> Vec<u8> {
    let document = format!("query($id: ID!) {{ participant(id: $id) {{ {RECORD} }} }}");
    client.query(&document, json!({ "id": record["id"] })).await.body.to_vec()
}

both!(
    async fn nobody_else_is_told_of_her(world: &World) {
        let made = plant(world).await;
        let documents = [
            format!(
                "{{ participant(id: {0}) {{ {RECORD} }} node(id: {0}) {{ id __typename }} }}",
                made["id"]
            ),
            format!(
                "{{ participants(first: 9, filter: {{ name: \"Zyxquenombre\" }}) {{ totalCount nodes {{ {RECORD} }} }} }}"
            ),
            "{ brokenGlass { reason participantCode } }".to_owned(),
            "{ viewer { role } changes(first: 50) { nodes { __typename } } }".to_owned(),
            // Wrong in every way.
            format!("{{ participant(id: {}) {{ identity {{ nombre }} }} }}", made["id"]),
        ];
        let authorised = ["coordinator", "coordinator2", "field", "steward"];
        for (_, role, _, organization) in MEMBERS {
            if organization == OWN && authorised.contains(&role) {
                continue;
            }
            let member = world.member(role, ORGANIZATIONS[organization as usize - 1]).purpose("SERVICE");
            for document in &documents {
                let answer = member.query(document, Value::Null).await;
                let body = String::from_utf8_lossy(&answer.body).replace("name: \\\"Zyxquenombre\\\"", "");
                assert_eq!(found(body.as_bytes()), Vec::<&str>::new(), "{role} of {organization}: {body}");
                assert!(!body.contains("W-1"), "{role} of {organization}: {body}");
            }
            for file in ["distributions", "facilities", "programs", "items", "kits"] {
                let answer = member.request("GET", &format!("/export/{file}?format=jsonl")).send().await;
                assert_eq!(found(&answer.body), Vec::<&str>::new(), "{role} {file}");
            }
        }
        // Errors about her own input do not repeat it.
        let client = coordinator(world);
        for (name, input) in [
            (
                "registerParticipant",
                with(&super::input("one", "Zyxquenombre", "Otra"), json!({ "code": "W-1" })),
            ),
            (
                "registerParticipant",
                with(
                    &super::input("x", "Zyxquenombre\u{7}", "Zyxqueapellido"),
                    json!({ "facility": "Zyxquenota" }),
                ),
            ),
            (
                "updateParticipant",
                with(&at(&made), json!({ "birthDate": "1787-06-05", "givenNames": "Zyxquenombre\n\u{1}" })),
            ),
            ("takeRecord", json!({ "code": "Zyxqueapellido", "reason": "Zyxquemotivo", "minutes": 5 })),
        ] {
            let answer = client
                .query(&crate::talk::mutation(name, "participant", "code"), json!({ "input": input }))
                .await;
            assert_eq!(found(&answer.body), Vec::<&str>::new(), "{name}: {answer}");
        }
    }
);
