//! The safeguarding log.

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use crate::{
    participant::{self, canary::at_rest},
    talk::{Walk, act, ask, done, fault, faults, mutation},
    world::*,
};

both!(
    async fn the_log_is_written_by_staff_and_read_by_stewards(world: &World) {
        let input = |key: &str, kind: &str| {
            json!({ "idempotencyKey": key, "kind": kind, "text": "Preguntan por una sola mujer.",
                "about": id(Kind::Facility, 1) })
        };
        const NOTE: &str = "id kind text about recordedAt recordedBy { name } status closedAt closedBy { name } \
                            closingReason version";
        let name = "recordSafeguardingNote";
        for role in ["field", "coordinator"] {
            let payload =
                act(&world.member(role, "own"), name, "safeguardingNote", NOTE, &input(role, "REPORT")).await;
            assert_eq!(payload, json!({ "safeguardingNote": null, "userErrors": [] }));
            // Sent twice, written once.
            act(&world.member(role, "own"), name, "safeguardingNote", NOTE, &input(role, "REPORT")).await;
        }
        let steward = world.member("steward", "own");
        world.set_now("2026-11-20T13:00:00Z");
        let made = done(&steward, name, "safeguardingNote", NOTE, &input("steward", "PATTERN")).await;
        assert_eq!(
            made,
            json!({ "id": made["id"], "kind": "PATTERN", "text": "Preguntan por una sola mujer.",
                "about": id(Kind::Facility, 1), "recordedAt": "2026-11-20T13:00:00.000000Z",
                "recordedBy": { "name": "account 4" }, "status": "OPEN", "closedAt": null, "closedBy": null,
                "closingReason": null, "version": 1 })
        );
        for (text, field) in [("", "text"), (" ", "text")] {
            let mut bad = input("bad", "REPORT");
            bad["text"] = json!(text);
            let payload = act(&steward, name, "safeguardingNote", "id", &bad).await;
            assert_eq!(faults(&payload), fault("INVALID", field));
        }
        let list = format!("{{ safeguardingNotes(first: 5) {{ totalCount nodes {{ {NOTE} }} }} }}");
        let notes = ask(&steward, &list).await["safeguardingNotes"].clone();
        assert_eq!((&notes["totalCount"], &notes["nodes"][0]), (&json!(3), &made));
        for (filter, count) in [
            ("kind: [PATTERN]".to_owned(), 1),
            ("kind: [BREAK_GLASS]".to_owned(), 0),
            ("status: [OPEN]".to_owned(), 3),
            ("status: [CLOSED]".to_owned(), 0),
            (format!("about: [\"{}\"]", id(Kind::Facility, 1)), 3),
            (format!("about: [\"{}\"]", id(Kind::Facility, 2)), 0),
        ] {
            let list = format!("{{ safeguardingNotes(first: 5, filter: {{ {filter} }}) {{ totalCount }} }}");
            assert_eq!(
                ask(&steward, &list).await["safeguardingNotes"]["totalCount"],
                json!(count),
                "{filter}"
            );
        }
        let walk = Walk {
            client: &steward,
            frame: "{ LIST }",
            field: "safeguardingNotes",
            arguments: "",
            size: 2,
            backwards: true,
        };
        assert_eq!(walk.all().await.len(), 3);

        let at = json!({ "id": made["id"], "expectedVersion": 1, "reason": "Fue un informe trimestral." });
        let closed = done(&steward, "closeSafeguardingNote", "safeguardingNote", NOTE, &at).await;
        assert_eq!(
            (&closed["status"], &closed["closedBy"]["name"], &closed["closingReason"], &closed["version"]),
            (&json!("CLOSED"), &json!("account 4"), &json!("Fue un informe trimestral."), &json!(2))
        );
        let stale = act(&steward, "closeSafeguardingNote", "safeguardingNote", "version", &at).await;
        assert_eq!(faults(&stale), fault("CONFLICT", "expectedVersion"));
        assert_eq!(stale["safeguardingNote"]["version"], json!(2));
        let again = json!({ "id": made["id"], "expectedVersion": 2, "reason": "Otra vez." });
        let refused = act(&steward, "closeSafeguardingNote", "safeguardingNote", "version", &again).await;
        assert_eq!(faults(&refused), fault("INVALID", "id"));

        // Nobody else reads or closes.
        let open = json!({ "id": notes["nodes"][1]["id"], "expectedVersion": 1, "reason": "No." });
        for role in ["field", "coordinator", "admin", "auditor"] {
            let client = world.member(role, "own");
            let answer = client.query(&list, Value::Null).await;
            assert_eq!(answer.errors()[0]["extensions"]["code"], json!("NOT_PERMITTED"), "{role}");
            let close = mutation("closeSafeguardingNote", "safeguardingNote", "id");
            let answer = client.query(&close, json!({ "input": open })).await;
            assert_eq!(answer.errors()[0]["extensions"]["code"], json!("NOT_PERMITTED"), "{role}");
        }
        for role in ["admin", "auditor"] {
            let record = mutation(name, "safeguardingNote", "id");
            let answer =
                world.member(role, "own").query(&record, json!({ "input": input("no", "REPORT") })).await;
            assert_eq!(answer.errors()[0]["extensions"]["code"], json!("NOT_PERMITTED"), "{role}");
        }
        let theirs = mutation(name, "safeguardingNote", "id");
        world
            .member("coordinator", "other")
            .query(&theirs, json!({ "input": input("other", "REPORT") }))
            .await
            .data();
        assert_eq!(ask(&steward, &list).await["safeguardingNotes"]["totalCount"], json!(3));
        let written = world.audit().await;
        let count = |action: &str| {
            let of = written.iter().filter(|row| row.entity == "safeguarding_note" && row.action == action);
            of.count()
        };
        assert_eq!((count("CREATE"), count("CLOSE")), (4, 1));
        assert!(count("READ") >= 8);
    }
);

const TEXT: &str = "Zyxquenotadeltexto";
const REASON: &str = "Zyxquemotivodelcierre";

fn note(key: &str, text: &str) -> Value {
    json!({ "idempotencyKey": key, "kind": "REPORT", "text": text })
}

async fn written(world: &World, key: &str, text: &str) -> Value {
    let steward = world.member("steward", "own");
    done(&steward, "recordSafeguardingNote", "safeguardingNote", "id text", &note(key, text)).await
}

/// All texts and reasons by id, and the codes of all errors.
async fn texts(world: &World) -> (Value, Vec<String>) {
    let list = "{ safeguardingNotes(first: 9) { nodes { id text closingReason } } }";
    let answer = world.member("steward", "own").query(list, Value::Null).await;
    let body = answer.json();
    let notes = body["data"]["safeguardingNotes"]["nodes"].as_array().unwrap();
    let notes = notes
        .iter()
        .map(|note| (note["id"].as_str().unwrap().to_owned(), json!([note["text"], note["closingReason"]])));
    let errors = body.get("errors").and_then(Value::as_array).cloned().unwrap_or_default();
    let codes = errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap().to_owned());
    (notes.collect::<serde_json::Map<_, _>>().into(), codes.collect())
}

fn key_files(world: &World) -> usize {
    let folders = walk(world.data_dir.path());
    folders.iter().filter(|path| path.extension().is_some_and(|end| end == "key")).count()
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

both!(
    async fn its_texts_are_nowhere_in_clear(world: &World) {
        let made = written(world, "one", TEXT).await;
        assert_eq!(made["text"], json!(TEXT));
        let steward = world.member("steward", "own");
        let close = json!({ "id": made["id"], "expectedVersion": 1, "reason": REASON });
        let closed = done(&steward, "closeSafeguardingNote", "safeguardingNote", "id", &close).await;
        assert_eq!(texts(world).await, (json!({ closed["id"].as_str().unwrap(): [TEXT, REASON] }), vec![]));
        assert_eq!(at_rest(world, &[TEXT, REASON]).await, Vec::<String>::new());
        // What was sent is known again, and nothing else is.
        assert_eq!(written(world, "one", TEXT).await["id"], made["id"]);
        let name = "recordSafeguardingNote";
        let other = act(&steward, name, "safeguardingNote", "id", &note("one", "Otra cosa.")).await;
        assert_eq!(faults(&other), fault("CONFLICT", "idempotencyKey"));
    }
);

both!(
    async fn a_text_that_was_moved_does_not_open_and_hides_no_other(world: &World) {
        let notes = [written(world, "one", TEXT).await, written(world, "two", "Otra nota.").await];
        let [one, two] = [&notes[0]["id"], &notes[1]["id"]].map(|id| id.as_str().unwrap().to_owned());
        let steward = world.member("steward", "own");
        let close = json!({ "id": two, "expectedVersion": 1, "reason": REASON });
        done(&steward, "closeSafeguardingNote", "safeguardingNote", "id", &close).await;
        let row = world.literal_of(&one);
        let from = |column: &str| {
            let other = world.literal_of(&two);
            format!(
                "UPDATE safeguarding_note SET sealed_text = (SELECT {column} FROM safeguarding_note \
                     WHERE id = {other}) WHERE id = {row}"
            )
        };
        // To another row, to another column, and cut.
        let cut = match world.database.backend {
            tests::Backend::Sqlite => "substr(sealed_text, 1, 20)",
            tests::Backend::Postgres => "substring(sealed_text from 1 for 20)",
        };
        for column in ["sealed_text", "sealed_reason", cut] {
            world.sql(&from(column)).await;
            let (found, errors) = texts(world).await;
            assert_eq!(errors, ["UNDECIPHERABLE"], "{column}");
            let expected = json!({ one.as_str(): [null, null], two.as_str(): ["Otra nota.", REASON] });
            assert_eq!(found, expected, "{column}");
        }
    }
);

both!(
    async fn the_key_of_the_log_is_made_once_and_outlives_women_and_master_keys(world: &World) {
        let before = (world.counts().await, key_files(world));
        let steward = world.member("steward", "own");
        let mut checked = note("checked", TEXT);
        checked["validateOnly"] = json!(true);
        act(&steward, "recordSafeguardingNote", "safeguardingNote", "id", &checked).await;
        assert_eq!((world.counts().await, key_files(world)), before);
        let keys: Vec<String> = (0..6).map(|n| format!("{n}")).collect();
        let all = keys.iter().map(|key| written(world, key, TEXT));
        futures_util::future::join_all(all).await;
        assert_eq!(world.number("SELECT count(*) FROM organization_key").await, 1);
        assert_eq!(key_files(world), before.1 + 1);
        let made: Vec<_> = world.audit().await.into_iter().filter(|row| row.action == "KEY_CREATE").collect();
        assert_eq!(made.len(), 1);
        // Another organisation has another one.
        let other = mutation("recordSafeguardingNote", "safeguardingNote", "id");
        let input = json!({ "input": note("other", TEXT) });
        world.member("coordinator", "other").query(&other, input).await.data();
        assert_eq!(world.number("SELECT count(*) FROM organization_key").await, 2);

        let readable = texts(world).await;
        assert_eq!(readable.1, Vec::<String>::new());
        let client = participant::coordinator(world);
        let woman = participant::registered(&client, "a", "Ana", "Soto", json!({})).await;
        let erase = crate::lifecycle::with(&participant::at(&woman), json!({ "reason": "REQUEST" }));
        done(&participant::steward(world), "eraseParticipant", "participant", "id", &erase).await;
        assert_eq!(texts(world).await, readable);
        let rotated = tokio::process::Command::new(tests::program())
            .args(["keys", "rotate-master"])
            .env_clear()
            .env("DATABASE_URL", &world.database.url)
            .env("UMBRAL_DATA_DIR", world.data_dir.path())
            .output()
            .await
            .unwrap();
        let told = String::from_utf8_lossy(&rotated.stdout);
        assert_eq!(told, "2 of 2 bucket keys wrapped by the new master key.\n");
        assert_eq!(texts(world).await, readable);
    }
);

both!(
    async fn what_an_older_server_wrote_is_enciphered_at_the_start(world: &World) {
        let made = written(world, "one", "Otra nota.").await;
        let row = world.literal_of(made["id"].as_str().unwrap());
        world
            .sql(&format!(
                "UPDATE safeguarding_note SET text = '{TEXT}', sealed_text = NULL, status = 'CLOSED', \
                 version = 2, closed_at = recorded_at, closing_reason = '{REASON}' WHERE id = {row}"
            ))
            .await;
        let expected = (json!({ made["id"].as_str().unwrap(): [TEXT, REASON] }), vec![]);
        assert_eq!(texts(world).await, expected);
        let second = world.second().await;
        assert_eq!(texts(world).await, expected);
        assert_eq!(at_rest(world, &[TEXT, REASON]).await, Vec::<String>::new());
        let audit = world.audit().await;
        assert_eq!(audit.iter().filter(|row| row.action == "ENCIPHER").count(), 1);
        // There is nothing left to do.
        world.running.store.encipher_notes().await.unwrap();
        assert_eq!(world.audit().await.iter().filter(|row| row.action == "ENCIPHER").count(), 1);
        second.stop().await;
    }
);
