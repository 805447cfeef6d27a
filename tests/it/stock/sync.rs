//! Movements that devices send which were without a network.

use serde_json::{Value, json};
use tests::{Client, both};

use super::{lot, on_hand, places, receipt};
use crate::{lifecycle::with, talk::done, world::*};

const SYNC: &str = "mutation($rows: [SyncStockMovementRow!]!) { syncStockMovements(input: { rows: $rows }) { \
    results { clientId outcome stockMovement { id kind occurredOn } differences { field here sent } \
    userErrors { code field day } } } }";

/// The answers to movements that a device sends.
pub async fn sync(client: &Client, rows: &[Value]) -> Vec<Value> {
    let answer = client.query(SYNC, json!({ "rows": rows })).await;
    answer.data()["syncStockMovements"]["results"].as_array().unwrap().clone()
}

fn outcomes(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["outcome"].as_str().unwrap()).collect()
}

both!(
    async fn movements_of_a_device_are_answered_one_by_one(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let soap = lot(&client, &places.store, SOAP, 10, "2026-10-01", None).await;
        let keyed = |key: &str, input: Value| with(&input, json!({ "idempotencyKey": key }));
        let issue = |key: &str, quantity: i64, on: &str| {
            let lines = json!([{ "lot": soap, "quantity": quantity }]);
            json!({ "issue": keyed(key, json!({ "place": places.store, "occurredOn": on, "lines": lines })) })
        };
        let count = json!({ "count": keyed("count", json!({ "place": places.store, "occurredOn": "2026-11-04",
            "lines": [{ "lot": soap, "counted": 2 }] })) });
        let received = receipt(&places.store, PADS, 5, "2026-11-05", None);
        let rows = [
            issue("a", 7, "2026-11-02"),
            issue("b", 4, "2026-11-03"),
            count.clone(),
            json!({ "receive": keyed("receipt", received) }),
            issue("a", 7, "2026-11-02"),
            issue("a", 6, "2026-11-01"),
        ];
        let results = sync(&client, &rows).await;
        assert_eq!(outcomes(&results), ["CREATED", "REFUSED", "CREATED", "CREATED", "REPEATED", "CONFLICT"]);
        assert_eq!(results[0]["stockMovement"]["id"], results[4]["stockMovement"]["id"]);
        let refused = &results[1]["userErrors"][0];
        assert_eq!((&refused["code"], &refused["day"]), (&json!("INSUFFICIENT_STOCK"), &json!("2026-11-03")));
        assert_eq!((&refused["field"][0], &refused["field"][1]), (&json!("rows"), &json!("1")));
        assert_eq!(results[5]["stockMovement"]["id"], results[0]["stockMovement"]["id"]);
        let differences = results[5]["differences"].as_array().unwrap();
        assert_eq!(differences.len(), 1);
        assert_eq!(differences[0]["field"], json!("occurredOn"));
        assert_eq!(differences[0]["here"], json!("\"2026-11-02\""));
        let held: i64 = on_hand(&client, None).await.iter().map(|(.., quantity)| quantity).sum();
        assert_eq!(held, 2 + 5);
        // Whoever sends it again, nothing happens twice; goods that differ are a conflict as well.
        let other = world.member("coordinator2", "own");
        let again = sync(&other, &[issue("a", 7, "2026-11-02"), count, issue("a", 8, "2026-11-02")]).await;
        assert_eq!(outcomes(&again), ["REPEATED", "REPEATED", "CONFLICT"]);
        assert_eq!(again[2]["differences"][0]["field"], json!("movement"));
        assert!(again[2]["differences"][0]["sent"].as_str().unwrap().contains("8"));
        let held: i64 = on_hand(&client, None).await.iter().map(|(.., quantity)| quantity).sum();
        assert_eq!(held, 7);
        // What a role may not do stops no other row.
        let field = world.member("field", "own");
        let place = json!({ "adjust": keyed("adjust", json!({ "place": places.store, "occurredOn": "2026-11-06",
            "reason": "FOUND", "lines": [{ "lot": soap, "change": 1 }] })) });
        let results = sync(&field, &[place, issue("c", 1, "2026-11-06")]).await;
        assert_eq!(outcomes(&results), ["REFUSED", "CREATED"]);
        assert_eq!(results[0]["userErrors"][0]["code"], json!("NOT_PERMITTED"));
        // A movement that stands in no row of the list is no movement.
        let answer = client.query(SYNC, json!({ "rows": [{}] })).await;
        assert_eq!(answer.errors()[0]["extensions"]["code"], json!("GRAPHQL_VALIDATION_FAILED"));
        let hidden = "mutation { syncStockMovements { __typename } }";
        assert_eq!(world.partner().query(hidden, Value::Null).await.code(), "GRAPHQL_VALIDATION_FAILED");
    }
);

both!(
    async fn a_reversal_from_a_device_is_done_once(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let input =
            with(&receipt(&places.store, SOAP, 9, "2026-10-01", None), json!({ "idempotencyKey": "in" }));
        let movement = done(&client, "receiveStock", "stockMovement", "id", &input).await;
        let row = json!({ "reverse": { "idempotencyKey": "undo", "movement": movement["id"],
            "reason": "ENTRY_ERROR" } });
        assert_eq!(outcomes(&sync(&client, std::slice::from_ref(&row)).await), ["CREATED"]);
        assert_eq!(outcomes(&sync(&client, std::slice::from_ref(&row)).await), ["REPEATED"]);
        assert!(on_hand(&client, None).await.is_empty());
    }
);

both!(
    async fn movements_of_a_group_are_written_together_or_not_at_all(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let soap = lot(&client, &places.warehouse, SOAP, 10, "2026-10-01", None).await;
        let loss = |key: &str, quantity: i64| {
            json!({ "lose": { "idempotencyKey": key, "place": places.warehouse, "occurredOn": "2026-11-02",
                "reason": "DAMAGED", "lines": [{ "lot": soap, "quantity": quantity }] } })
        };
        let document = SYNC.replace(
            "$rows: [SyncStockMovementRow!]!",
            "$rows: [SyncStockMovementRow!]!, $groups: [[String!]!]",
        );
        let document = document.replace("{ rows: $rows }", "{ rows: $rows, groups: $groups }");
        let grouped = async |rows: &[Value], groups: Value| {
            let answer = client.query(&document, json!({ "rows": rows, "groups": groups })).await;
            answer.data()["syncStockMovements"]["results"].as_array().unwrap().clone()
        };
        let rows = [loss("a", 3), loss("b", 1), loss("c", 8), loss("d", 1)];
        let results = grouped(&rows, json!([["a", "c", "d"]])).await;
        assert_eq!(outcomes(&results), ["REFUSED", "CREATED", "REFUSED", "REFUSED"]);
        let errors = |place: usize| results[place]["userErrors"][0].clone();
        assert_eq!(errors(0)["field"], json!(["rows", "0", "idempotencyKey"]));
        assert_eq!(
            (errors(2)["code"].clone(), errors(2)["day"].clone()),
            (json!("INSUFFICIENT_STOCK"), json!("2026-11-02"))
        );
        assert_eq!(errors(3)["field"], json!(["rows", "3", "idempotencyKey"]));
        assert_eq!(on_hand(&client, None).await[0].2, 9);
        let rows = [loss("a", 3), loss("b", 1), loss("c", 5), loss("d", 1)];
        let results = grouped(&rows, json!([["a", "c"], ["b", "d"]])).await;
        assert_eq!(outcomes(&results), ["CREATED", "REPEATED", "CREATED", "CREATED"]);
        assert_eq!(on_hand(&client, None).await, []);
        assert_eq!(outcomes(&grouped(&rows, json!([["a", "b", "c", "d"]])).await), ["REPEATED"; 4]);
        let mut checked = rows.to_vec();
        checked[0]["lose"]["validateOnly"] = json!(true);
        for (rows, groups) in [
            (rows.to_vec(), json!([["a"], ["a", "b"]])),
            (rows.to_vec(), json!([["a", "e"]])),
            (checked, json!([["a", "b"]])),
        ] {
            let refused = client.query(&document, json!({ "rows": rows, "groups": groups })).await;
            assert_eq!(refused.code(), "BAD_USER_INPUT", "{groups}");
        }
    }
);
