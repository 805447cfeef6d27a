//! Many at once on the same small lots.

use std::collections::BTreeSet;

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;
use tokio::task::JoinSet;

use super::{MOVEMENT, lot, on_hand, places};
use crate::{talk::mutation, world::*};

both!(
    async fn no_unit_is_handed_over_twice(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let first = lot(&client, &places.store, SOAP, 30, "2026-10-01", Some("2027-01-01")).await;
        let second = lot(&client, &places.store, SOAP, 25, "2026-10-01", None).await;
        // Deliveries, issues in the opposite order of lots, and transfers there and back.
        let mut tasks = JoinSet::new();
        for n in 0..48 {
            let who = world.member(if n % 2 == 0 { "coordinator" } else { "coordinator2" }, "own");
            let (store, warehouse, transit) =
                (places.store.clone(), places.warehouse.clone(), places.transit.clone());
            let (first, second) = (first.clone(), second.clone());
            tasks.spawn(async move {
                let (name, subject, selection, input) = match n % 3 {
                    0 => (
                        "recordDistribution",
                        "distribution",
                        "id",
                        json!({ "idempotencyKey": format!("d{n}"), "facility": id(Kind::Facility, 1),
                            "program": id(Kind::Program, SUPPLIES), "occurredOn": "2026-11-01", "peopleReached": 12,
                            "reachMethod": "COUNTED", "place": store,
                            "lines": [{ "supplied": { "item": id(Kind::Item, SOAP) }, "quantity": 3 }] }),
                    ),
                    1 => {
                        let lots = if n % 2 == 0 { [&first, &second] } else { [&second, &first] };
                        let lines = lots.map(|lot| json!({ "lot": lot, "quantity": 1 }));
                        (
                            "issueStock",
                            "stockMovement",
                            MOVEMENT,
                            json!({ "idempotencyKey": format!("i{n}"), "place": store, "occurredOn": "2026-11-02",
                                "lines": lines }),
                        )
                    }
                    _ => (
                        "transferStock",
                        "stockMovement",
                        MOVEMENT,
                        json!({ "idempotencyKey": format!("t{n}"), "from": store, "via": transit, "to": warehouse,
                            "occurredOn": "2026-11-03",
                            "lines": [{ "supplied": { "item": id(Kind::Item, SOAP) }, "quantity": 2 }] }),
                    ),
                };
                let document = mutation(name, subject, selection);
                let answer = who.query(&document, json!({ "input": input.clone() })).await;
                // Sent twice, as a phone does that has not heard the answer: still one.
                let again = who.query(&document, json!({ "input": input })).await;
                let payload = |answer: &tests::Answer| answer.data()[name].clone();
                (n % 3, subject, payload(&answer), payload(&again))
            });
        }
        let results: Vec<(i32, &str, Value, Value)> = tasks.join_all().await;
        let mut taken = 0;
        let mut made = BTreeSet::new();
        for (kind, subject, payload, again) in &results {
            let errors = payload["userErrors"].as_array().unwrap();
            if errors.is_empty() {
                taken += [3, 2, 2][*kind as usize];
                assert_eq!(payload[subject]["id"], again[subject]["id"]);
                assert!(made.insert(payload[subject]["id"].to_string()), "a row stands twice");
            } else {
                assert!(errors.iter().all(|error| error["code"] == json!("INSUFFICIENT_STOCK")), "{payload}");
            }
        }
        let store: i64 = on_hand(&client, None)
            .await
            .iter()
            .filter(|(place, ..)| *place == places.store)
            .map(|(.., quantity)| quantity)
            .sum();
        assert_eq!(store, 55 - taken, "what was answered as done is what is gone");
        assert!(store <= 2, "stock was refused that was there: {store} left");
        let rows = "SELECT (SELECT count(*) FROM stock_movement) + 0";
        // Two receipts, and one movement for each that was done.
        assert_eq!(world.number(rows).await, 2 + made.len() as i64);
        assert_eq!(world.number("SELECT count(*) FROM stock_day WHERE closing < 0").await, 0);
    }
);
