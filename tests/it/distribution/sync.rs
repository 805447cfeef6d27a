//! What devices send that were without a network.

use std::collections::BTreeSet;

use api::id::Kind;
use serde_json::{Value, json};
use tests::{Client, both};
use tokio::task::JoinSet;

use super::record::item;
use crate::{
    lifecycle::with,
    stock::{lot, on_hand, places},
    talk::{ask, done},
    world::*,
};

const SYNC: &str = "mutation($rows: [SyncDistributionRow!]!, $only: Boolean) { \
    syncDistributions(input: { rows: $rows, validateOnly: $only }) { results { clientId outcome \
    distribution { id version status peopleReached clientId formNumber enteredFromPaperBy lines { quantity } } \
    differences { field here sent } userErrors { code field day } } } }";

fn client_id(n: u32) -> String {
    format!("5b7b1f0e-1c7e-4a3c-9d5e-{n:012x}")
}

/// A new delivery as a device has it.
fn row(n: u32) -> Value {
    json!({ "clientId": client_id(n), "facility": id(Kind::Facility, 1), "program": id(Kind::Program, SUPPLIES),
        "occurredOn": "2026-11-18", "peopleReached": 40, "reachMethod": "COUNTED", "lines": [item(SOAP, 40)] })
}

/// The answers to rows that a device sends.
pub async fn sync(client: &Client, rows: &[Value]) -> Vec<Value> {
    let answer = client.query(SYNC, json!({ "rows": rows })).await;
    answer.data()["syncDistributions"]["results"].as_array().unwrap().clone()
}

fn outcomes(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["outcome"].as_str().unwrap()).collect()
}

/// The codes and fields of a row's errors.
fn errors(result: &Value) -> Vec<(String, String)> {
    let field = |error: &Value| {
        let parts: Vec<_> = error["field"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        (error["code"].as_str().unwrap().to_owned(), parts.join("."))
    };
    result["userErrors"].as_array().unwrap().iter().map(field).collect()
}

both!(
    async fn each_row_is_answered_on_its_own(world: &World) {
        let device = world.member("field", "own");
        let before = world.counts().await;
        let mut bad = row(2);
        bad["peopleReached"] = json!(-1);
        bad["lines"][0]["quantity"] = json!(0);
        let rows = [with(&row(1), json!({ "formNumber": "F-17" })), bad, row(3)];
        let results = sync(&device, &rows).await;
        assert_eq!(outcomes(&results), ["CREATED", "REFUSED", "CREATED"]);
        assert_eq!(results[1]["clientId"], json!(client_id(2)));
        assert_eq!(results[1]["distribution"], Value::Null);
        let at = |code: &str, field: &str| (code.to_owned(), field.to_owned());
        assert_eq!(
            errors(&results[1]),
            [at("OUT_OF_RANGE", "rows.1.peopleReached"), at("OUT_OF_RANGE", "rows.1.lines.0.quantity"),]
        );
        let made = &results[0]["distribution"];
        assert_eq!(made["clientId"], json!(client_id(1)));
        assert_eq!((made["version"].clone(), made["formNumber"].clone()), (json!(1), json!("F-17")));
        assert_eq!(made["enteredFromPaperBy"], json!("account 3"));
        assert_eq!(results[2]["distribution"]["enteredFromPaperBy"], Value::Null);
        let after = world.counts().await;
        for (table, more) in [("distribution", 2), ("distribution_line", 2), ("audit_event", 2)] {
            assert_eq!(after[table], before[table] + more, "{table}");
        }
    }
);

both!(
    async fn a_repeat_is_a_repeat_whoever_sends_it(world: &World) {
        let device = world.member("field", "own");
        let rows = [row(1), row(2)];
        let first = sync(&device, &rows).await;
        let before = world.counts().await;
        let again = sync(&device, &rows).await;
        assert_eq!(outcomes(&again), ["REPEATED", "REPEATED"]);
        // Another member picks the device up.
        let other = sync(&world.coordinator(), &rows).await;
        assert_eq!(outcomes(&other), ["REPEATED", "REPEATED"]);
        for (one, two) in first.iter().zip(again.iter().chain(&other)) {
            assert_eq!(one["distribution"]["id"], two["distribution"]["id"]);
        }
        assert_eq!(world.counts().await, before);
        // Also after somebody has corrected it: the device did send it, and it was taken.
        let made = &first[0]["distribution"];
        let change = json!({ "id": made["id"], "expectedVersion": 1, "peopleReached": 44 });
        done(&world.coordinator(), "updateDistribution", "distribution", "id", &change).await;
        let late = sync(&device, &rows).await;
        assert_eq!(outcomes(&late), ["REPEATED", "REPEATED"]);
        assert_eq!(late[0]["distribution"]["peopleReached"], json!(44));
        // Twice in one request.
        let twice = sync(&device, &[row(9), row(9)]).await;
        assert_eq!(outcomes(&twice), ["CREATED", "REPEATED"]);
        assert!(twice[0]["distribution"]["id"].is_string());
        assert_eq!(twice[0]["distribution"], twice[1]["distribution"]);
    }
);

both!(
    async fn a_changed_repeat_is_a_conflict_with_both_versions(world: &World) {
        let device = world.member("field", "own");
        sync(&device, &[row(1)]).await;
        let before = world.counts().await;
        let changed = with(
            &row(1),
            json!({ "peopleReached": 41, "occurredOn": "2026-11-17", "lines": [item(SOAP, 39)] }),
        );
        let results = sync(&device, &[changed, row(2)]).await;
        assert_eq!(outcomes(&results), ["CONFLICT", "CREATED"]);
        let difference = |field: &str| {
            let all = results[0]["differences"].as_array().unwrap();
            let one = all.iter().find(|one| one["field"] == json!(field)).unwrap();
            let read = |key: &str| serde_json::from_str::<Value>(one[key].as_str().unwrap()).unwrap();
            (read("here"), read("sent"))
        };
        assert_eq!(results[0]["differences"].as_array().unwrap().len(), 3);
        assert_eq!(difference("peopleReached"), (json!(40), json!(41)));
        assert_eq!(difference("occurredOn"), (json!("2026-11-18"), json!("2026-11-17")));
        let (here, sent) = difference("lines");
        assert_eq!((here[0]["quantity"].clone(), sent[0]["quantity"].clone()), (json!(40), json!(39)));
        assert_eq!(results[0]["distribution"]["peopleReached"], json!(40));
        assert_eq!(world.counts().await["distribution"], before["distribution"] + 1);
    }
);

both!(
    async fn edits_carry_the_version_that_the_device_has_seen(world: &World) {
        let device = world.coordinator();
        let made = sync(&device, &[row(1)]).await[0]["distribution"].clone();
        let edit = with(&row(1), json!({ "expectedVersion": 1, "peopleReached": 50 }));
        let results = sync(&device, std::slice::from_ref(&edit)).await;
        assert_eq!(outcomes(&results), ["UPDATED"]);
        assert_eq!(results[0]["distribution"]["version"], json!(2));
        assert_eq!(results[0]["distribution"]["id"], made["id"]);
        // The answer was lost.
        assert_eq!(outcomes(&sync(&device, std::slice::from_ref(&edit)).await), ["REPEATED"]);
        // Another device has not seen it, and wants something else.
        let stale = with(&row(1), json!({ "expectedVersion": 1, "peopleReached": 60 }));
        let results = sync(&device, std::slice::from_ref(&stale)).await;
        assert_eq!(outcomes(&results), ["CONFLICT"]);
        assert_eq!(results[0]["differences"][0]["here"], json!("50"));
        // It wants the same: nothing is left to do.
        let same = with(
            &row(1),
            json!({ "id": made["id"], "clientId": client_id(7), "expectedVersion": 1,
            "peopleReached": 50 }),
        );
        assert_eq!(outcomes(&sync(&device, std::slice::from_ref(&same)).await), ["REPEATED"]);
        // A void, and what comes too late for it.
        let void = with(
            &row(1),
            json!({ "expectedVersion": 2, "peopleReached": 50,
            "void": { "reason": "DUPLICATE" } }),
        );
        let results = sync(&device, std::slice::from_ref(&void)).await;
        assert_eq!(outcomes(&results), ["UPDATED"]);
        assert_eq!(results[0]["distribution"]["status"], json!("VOIDED"));
        assert_eq!(outcomes(&sync(&device, std::slice::from_ref(&void)).await), ["REPEATED"]);
        let late = with(&row(1), json!({ "expectedVersion": 2, "peopleReached": 51 }));
        assert_eq!(outcomes(&sync(&device, &[late]).await), ["CONFLICT"]);
        // What was never here, or cannot change.
        let refused = [
            with(&row(3), json!({ "expectedVersion": 1 })),
            with(&row(4), json!({ "void": { "reason": "DUPLICATE" } })),
        ];
        let results = sync(&device, &refused).await;
        assert_eq!(outcomes(&results), ["REFUSED", "REFUSED"]);
        assert_eq!(errors(&results[0]), [("NOT_FOUND".to_owned(), "rows.0.clientId".to_owned())]);
        assert_eq!(errors(&results[1]), [("INVALID".to_owned(), "rows.1.void".to_owned())]);
        sync(&device, &[row(5)]).await;
        let moved = with(&row(5), json!({ "expectedVersion": 1, "facility": id(Kind::Facility, 2) }));
        let results = sync(&device, &[moved]).await;
        assert_eq!(errors(&results[0]), [("INVALID".to_owned(), "rows.0.facility".to_owned())]);
        // A field worker records, and corrects nothing.
        let edit = with(&row(5), json!({ "expectedVersion": 1, "peopleReached": 12 }));
        let results = sync(&world.member("field", "own"), &[edit]).await;
        assert_eq!(errors(&results[0]), [("NOT_PERMITTED".to_owned(), "rows.0.id".to_owned())]);
    }
);

both!(
    async fn a_group_is_written_whole_or_not_at_all(world: &World) {
        let device = world.member("field", "own");
        sync(&device, &[row(1)]).await;
        let before = world.counts().await;
        let group = |n: u32| with(&row(n), json!({ "group": "van" }));
        let mut bad = group(4);
        bad["lines"] = json!([]);
        let rows = [group(1), group(2), row(3), bad.clone(), group(5)];
        let results = sync(&device, &rows).await;
        assert_eq!(outcomes(&results), ["REPEATED", "REFUSED", "CREATED", "REFUSED", "REFUSED"]);
        assert_eq!(errors(&results[1]), [("INVALID".to_owned(), "rows.1.group".to_owned())]);
        assert_eq!(errors(&results[3]), [("OUT_OF_RANGE".to_owned(), "rows.3.lines".to_owned())]);
        assert_eq!(errors(&results[4]), [("INVALID".to_owned(), "rows.4.group".to_owned())]);
        assert_eq!(world.counts().await["distribution"], before["distribution"] + 1);
        // A repeat of what goes with the group is no repeat.
        let results = sync(&device, &[group(1), group(6), group(6), bad]).await;
        assert_eq!(outcomes(&results), ["REPEATED", "REFUSED", "REFUSED", "REFUSED"]);
        // Mended, and sent once more.
        let rows = [group(1), group(2), row(3), group(4), group(5)];
        let results = sync(&device, &rows).await;
        assert_eq!(outcomes(&results), ["REPEATED", "CREATED", "REPEATED", "CREATED", "CREATED"]);
        assert_eq!(world.counts().await["distribution"], before["distribution"] + 4);
    }
);

both!(
    async fn what_two_devices_void_alike_is_void_once(world: &World) {
        let device = world.coordinator();
        let places = places(&device).await;
        let soap = lot(&device, &places.store, SOAP, 100, "2026-10-01", None).await;
        let mut drawn = with(&row(1), json!({ "place": places.store }));
        drawn["lines"][0]["lot"] = json!(soap);
        let made = sync(&device, std::slice::from_ref(&drawn)).await[0]["distribution"].clone();
        let void = json!({ "expectedVersion": 1, "void": { "reason": "DUPLICATE" } });
        let mine = with(&drawn, void.clone());
        assert_eq!(outcomes(&sync(&device, &[mine]).await), ["UPDATED"]);
        // It has no place any more, which is no difference.
        let theirs = with(&with(&drawn, void), json!({ "id": made["id"], "clientId": client_id(2) }));
        let other = world.member("coordinator2", "own");
        assert_eq!(outcomes(&sync(&other, &[theirs]).await), ["REPEATED"]);
        assert_eq!(on_hand(&device, None).await[0].2, 100);
    }
);

both!(
    async fn checking_writes_nothing(world: &World) {
        let device = world.coordinator();
        let before = world.counts().await;
        let mut bad = row(2);
        bad["lines"] = json!([]);
        let answer = device.query(SYNC, json!({ "rows": [row(1), bad], "only": true })).await;
        let results = answer.data()["syncDistributions"]["results"].as_array().unwrap().clone();
        assert_eq!(outcomes(&results), ["CREATED", "REFUSED"]);
        assert_eq!(results[0]["distribution"], Value::Null);
        assert_eq!(world.counts().await, before);
        // The check has used no id up.
        assert_eq!(outcomes(&sync(&device, &[row(1)]).await), ["CREATED"]);
    }
);

both!(
    async fn five_hundred_rows_and_not_one_more(world: &World) {
        let device = world.coordinator();
        let rows: Vec<Value> = (0..501).map(row).collect();
        let short = "mutation($rows: [SyncDistributionRow!]!) { syncDistributions(input: { rows: $rows }) { \
                     results { outcome } } }";
        let before = world.counts().await;
        let answer = device.query(short, json!({ "rows": rows })).await;
        assert_eq!(
            answer.expect_status(400).errors()[0]["extensions"]["code"],
            json!("GRAPHQL_VALIDATION_FAILED")
        );
        assert_eq!(world.counts().await, before);
        let answer = device.query(short, json!({ "rows": rows[..500] })).await;
        let results = answer.data()["syncDistributions"]["results"].as_array().unwrap().clone();
        assert_eq!(results.len(), 500);
        assert!(outcomes(&results).iter().all(|outcome| *outcome == "CREATED"));
        assert_eq!(world.counts().await["distribution"], before["distribution"] + 500);
    }
);

both!(
    async fn devices_that_send_at_once_make_one_row_of_each(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        lot(&client, &places.store, SOAP, 100, "2026-10-01", None).await;
        let mut tasks = JoinSet::new();
        for n in 0..12 {
            let device = world.member(["field", "coordinator", "coordinator2"][n % 3], "own");
            let store = places.store.clone();
            tasks.spawn(async move {
                // All have the same ten rows in another order; together they ask for more than there is.
                let rows: Vec<Value> = (0..10)
                    .map(|k| (k + n as u32) % 10)
                    .map(|k| with(&row(k), json!({ "place": store, "lines": [item(SOAP, 15)] })))
                    .collect();
                sync(&device, &rows).await
            });
        }
        let results: Vec<Value> = tasks.join_all().await.into_iter().flatten().collect();
        let of = |outcome: &str| {
            let ids = results.iter().filter(|result| result["outcome"] == json!(outcome));
            ids.map(|result| result["clientId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let created: BTreeSet<String> = of("CREATED").into_iter().collect();
        assert_eq!(of("CREATED").len(), created.len(), "a row was made twice");
        // Six times fifteen fit into a hundred.
        assert_eq!(created.len(), 6);
        assert!(of("REPEATED").iter().all(|one| created.contains(one)));
        for refused in results.iter().filter(|result| result["outcome"] == json!("REFUSED")) {
            assert!(errors(refused).iter().all(|(code, _)| code == "INSUFFICIENT_STOCK"), "{refused}");
        }
        assert_eq!(results.len(), 120);
        assert_eq!(on_hand(&client, None).await[0].2, 10);
    }
);

both!(
    async fn a_row_of_another_organisation_is_not_there(world: &World) {
        let made = sync(&world.coordinator(), &[row(1)]).await[0]["distribution"].clone();
        let stranger = world.member("field", "other");
        let edit = with(&row(1), json!({ "id": made["id"], "expectedVersion": 1, "peopleReached": 50 }));
        let results = sync(&stranger, &[edit]).await;
        assert_eq!(errors(&results[0]), [("NOT_FOUND".to_owned(), "rows.0.id".to_owned())]);
        // The same client id in another organisation is another row, and its own facilities only.
        let results = sync(&stranger, &[row(1)]).await;
        assert_eq!(outcomes(&results), ["REFUSED"]);
        let at = |field: &str| ("NOT_FOUND".to_owned(), format!("rows.0.{field}"));
        assert_eq!(errors(&results[0]), [at("facility"), at("program")]);
        let hidden = "mutation { syncDistributions { __typename } }";
        assert_eq!(world.partner().query(hidden, Value::Null).await.code(), "GRAPHQL_VALIDATION_FAILED");
        let read =
            ask(&world.coordinator(), &format!("{{ distribution(id: {}) {{ version }} }}", made["id"])).await;
        assert_eq!(read["distribution"]["version"], json!(1));
    }
);
