//! Planned deliveries: what was sent, what became of it, and who signed.

use api::id::Kind;
use serde_json::{Value, json};
use tests::{Client, both};

use crate::{
    lifecycle::with,
    stock::{Places, lot, on_hand, places},
    talk::{act, ask, data, done, fault, faults},
    world::*,
};

const ALL: &str = "id version class status occurredOn recordedAt peopleReached peopleExpected reachMethod \
    lines { quantity item { code } } \
    shipment { dispatchedOn lossReason lines { item { code } shipped received returned lost } } \
    proofs { signedBy signedOn documentSha256 } voided { reason }";

fn soap(quantity: i32) -> Value {
    json!({ "supplied": { "item": id(Kind::Item, SOAP) }, "quantity": quantity })
}

/// A plan for forty women at the first facility.
fn plan(key: &str, lines: &[Value]) -> Value {
    json!({ "idempotencyKey": key, "facility": id(Kind::Facility, 1), "program": id(Kind::Program, SUPPLIES),
        "occurredOn": "2026-11-25", "peopleExpected": 40, "lines": lines })
}

async fn planned(client: &Client, key: &str, lines: &[Value]) -> Value {
    done(client, "planDistribution", "distribution", ALL, &plan(key, lines)).await
}

/// What a mutation says of a delivery at the version at hand.
fn of(row: &Value, more: Value) -> Value {
    with(&json!({ "id": row["id"], "expectedVersion": row["version"] }), more)
}

async fn dispatched(client: &Client, row: &Value, more: Value) -> Value {
    let input = with(&of(row, json!({ "dispatchedOn": "2026-11-18" })), more);
    done(client, "dispatchDistribution", "distribution", ALL, &input).await
}

fn delivery(row: &Value, women: i32, more: Value) -> Value {
    let head = json!({ "occurredOn": "2026-11-19", "peopleReached": women, "reachMethod": "COUNTED" });
    with(&of(row, head), more)
}

async fn delivered(client: &Client, row: &Value, women: i32, more: Value) -> Value {
    done(client, "deliverDistribution", "distribution", ALL, &delivery(row, women, more)).await
}

/// From the warehouse, by the way.
fn by(places: &Places) -> Value {
    json!({ "place": places.warehouse, "via": places.transit })
}

/// What is on hand in the warehouse and in transit, by lot.
async fn held(client: &Client, places: &Places, lots: &[&String]) -> Vec<[i64; 2]> {
    let rows = on_hand(client, None).await;
    let of = |place: &String, lot: &String| {
        rows.iter().filter(|row| (&row.0, &row.1) == (place, lot)).map(|row| row.2).sum()
    };
    lots.iter().map(|lot| [of(&places.warehouse, lot), of(&places.transit, lot)]).collect()
}

both!(
    async fn a_planned_delivery_is_for_staff_until_it_has_taken_place(world: &World) {
        let (client, partner) = (world.coordinator(), world.partner());
        let row = planned(&client, "plan", &[soap(40)]).await;
        let expected = json!({ "id": row["id"], "version": 1, "class": "RECORDS", "status": "PLANNED",
            "occurredOn": "2026-11-25", "recordedAt": "2026-11-20T12:00:00.000000Z", "peopleReached": null,
            "peopleExpected": 40, "reachMethod": null, "lines": [{ "quantity": 40, "item": { "code": "SOAP" } }],
            "shipment": null, "proofs": [], "voided": null });
        assert_eq!(row, expected);
        let change = of(&row, json!({ "peopleExpected": 44, "occurredOn": "2026-11-24" }));
        let row = done(&client, "updateDistribution", "distribution", ALL, &change).await;
        assert_eq!((&row["peopleExpected"], &row["occurredOn"]), (&json!(44), &json!("2026-11-24")));
        let row = dispatched(&client, &row, json!({ "lines": [soap(36)] })).await;
        let sent = json!({ "dispatchedOn": "2026-11-18", "lossReason": null, "lines": [
            { "item": { "code": "SOAP" }, "shipped": 36, "received": null, "returned": null, "lost": null }] });
        assert_eq!((&row["status"], &row["shipment"]), (&json!("DISPATCHED"), &sent));
        // For outsiders it is a row that never was, and it is in no total.
        let asked = |id: &Value| {
            format!(
                "{{ distribution(id: {id}) {{ id }} node(id: {id}) {{ id }} \
                 distributions(first: 5, filter: {{ status: [PLANNED, DISPATCHED] }}) {{ totalCount nodes {{ id }} }} \
                 distributionStats(groupBy: [ITEM], first: 5) {{ rows {{ deliveries }} }} }}"
            )
        };
        let never = json!(id(Kind::Distribution, 99));
        let hidden = partner.query(&asked(&row["id"]), Value::Null).await;
        assert_eq!(hidden.body, partner.query(&asked(&never), Value::Null).await.body);
        assert_eq!(hidden.data()["distributions"]["totalCount"], json!(0));
        let stats =
            ask(&client, "{ distributionStats(groupBy: [ITEM], first: 5) { rows { deliveries } } }").await;
        assert_eq!(stats["distributionStats"]["rows"], json!([]));

        world.set_now("2026-11-20T15:30:00Z");
        let lines = json!([with(&soap(30), json!({ "returned": 5, "lost": 1 }))]);
        let row = delivered(&client, &row, 30, json!({ "lines": lines, "lossReason": "DAMAGED" })).await;
        assert_eq!((&row["class"], &row["status"]), (&json!("OPERATIONS"), &json!("DELIVERED")));
        assert_eq!((&row["peopleReached"], &row["peopleExpected"]), (&json!(30), &Value::Null));
        let became = json!({ "dispatchedOn": "2026-11-18", "lossReason": "DAMAGED", "lines": [
            { "item": { "code": "SOAP" }, "shipped": 36, "received": 30, "returned": 5, "lost": 1 }] });
        assert_eq!(row["shipment"], became);
        // Outsiders see it as if it had been recorded now.
        let document = format!(
            "{{ distribution(id: {}) {{ status occurredOn recordedAt peopleReached lines {{ quantity }} }} }}",
            row["id"]
        );
        let seen = json!({ "status": "DELIVERED", "occurredOn": "2026-11-19", "peopleReached": 30,
            "recordedAt": "2026-11-20T15:30:00.000000Z", "lines": [{ "quantity": 30 }] });
        assert_eq!(ask(&partner, &document).await["distribution"], seen);
        let hidden = format!("{{ distribution(id: {}) {{ shipment {{ dispatchedOn }} }} }}", row["id"]);
        assert_eq!(partner.query(&hidden, Value::Null).await.code(), "GRAPHQL_VALIDATION_FAILED");
        // Who said that it took place does not verify it.
        let at = of(&row, json!({}));
        let same = act(&client, "verifyDistribution", "distribution", "id", &at).await;
        assert_eq!(faults(&same), fault("NOT_PERMITTED", "id"));
        let other = world.member("steward", "own");
        let row = done(&other, "verifyDistribution", "distribution", ALL, &at).await;
        assert_eq!(row["status"], json!("VERIFIED"));
        let actions: Vec<String> = world.audit().await.into_iter().map(|event| event.action).collect();
        assert_eq!(actions, ["PLAN", "REPLAN", "DISPATCH", "DELIVER", "VERIFY"]);
    }
);

both!(
    async fn the_class_is_that_of_what_took_place(world: &World) {
        let client = world.coordinator();
        let small = planned(&client, "small", &[soap(12)]).await;
        let small = delivered(&client, &small, 12, json!({ "lines": [soap(5)] })).await;
        assert_eq!(small["class"], json!("RECORDS"));
        let large = with(&plan("large", &[soap(5)]), json!({ "peopleExpected": 5 }));
        let large = done(&client, "planDistribution", "distribution", ALL, &large).await;
        let large = delivered(&client, &large, 20, json!({ "lines": [soap(20)] })).await;
        assert_eq!(large["class"], json!("OPERATIONS"));
        let visible = ask(&world.partner(), "{ distributions(first: 5) { nodes { id } } }").await;
        assert_eq!(visible["distributions"]["nodes"], json!([{ "id": large["id"] }]));
        // From then on it is fixed, in the database as well.
        for (class, other) in [("RECORDS", "OPERATIONS"), ("OPERATIONS", "RECORDS")] {
            let change = format!("UPDATE distribution SET class = '{other}' WHERE class = '{class}'");
            let fault = world.try_sql(&change).await.unwrap_err();
            assert!(fault.contains("is fixed"), "{fault}");
        }
        planned(&client, "ahead", &[soap(40)]).await;
        let early = "UPDATE distribution SET class = 'OPERATIONS' WHERE status = 'PLANNED'";
        assert!(world.try_sql(early).await.unwrap_err().contains("is fixed"));
    }
);

both!(
    async fn goods_that_were_dispatched_are_somewhere(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let first = lot(&client, &places.warehouse, SOAP, 20, "2026-10-01", Some("2027-01-31")).await;
        let last = lot(&client, &places.warehouse, SOAP, 30, "2026-10-01", Some("2027-06-30")).await;
        let lots = [&first, &last];
        let row = planned(&client, "plan", &[soap(40)]).await;
        let row = dispatched(&client, &row, by(&places)).await;
        assert_eq!(held(&client, &places, &lots).await, [[0, 20], [10, 20]]);
        // Nothing else touches what is of a delivery.
        let transfers = "{ stockMovements(first: 9, filter: { kind: [TRANSFER] }) { nodes { id } } }";
        let transfer = ask(&client, transfers).await["stockMovements"]["nodes"][0]["id"].clone();
        let arrival = json!({ "transfer": transfer, "occurredOn": "2026-11-20",
            "lines": [{ "lot": first, "received": 1 }] });
        let reversal = json!({ "movement": transfer, "reason": "ENTRY_ERROR" });
        for (name, input, field) in
            [("receiveTransfer", arrival, "transfer"), ("reverseStockMovement", reversal, "movement")]
        {
            let refused = crate::stock::tried(&client, name, name, input).await;
            assert_eq!(faults(&refused), fault("INVALID", field), "{name}");
            assert!(refused.to_string().contains("belongs to a delivery"), "{refused}");
        }
        let fate = |received: i32, returned: i32, lost: i32| {
            json!([with(&soap(received), json!({ "returned": returned, "lost": lost }))])
        };
        let row =
            delivered(&client, &row, 25, json!({ "lines": fate(25, 10, 5), "lossReason": "MISSING" })).await;
        // What expires first was handed over, and what expires last came back.
        assert_eq!(held(&client, &places, &lots).await, [[0, 0], [20, 0]]);
        let movements = "{ stockMovements(first: 9, filter: { kind: [TRANSFER] }) { nodes { toPlace { id } \
            distribution { id } progress { lot { id } shipped received returned lost inTransit } } } }";
        let transfer = ask(&client, movements).await["stockMovements"]["nodes"][0].clone();
        assert_eq!((&transfer["toPlace"], &transfer["distribution"]["id"]), (&Value::Null, &row["id"]));
        let mut progress = transfer["progress"].as_array().unwrap().clone();
        progress.sort_by_key(|of_lot| of_lot["lost"].as_i64());
        assert_eq!(
            progress,
            [
                json!({ "lot": { "id": first }, "shipped": 20, "received": 20, "returned": 0, "lost": 0, "inTransit": 0 }),
                json!({ "lot": { "id": last }, "shipped": 20, "received": 5, "returned": 10, "lost": 5, "inTransit": 0 }),
            ]
        );
        // Said again without lines, what became of the goods stays; with lines it is what they say.
        let row = delivered(&client, &row, 25, json!({})).await;
        assert_eq!(held(&client, &places, &lots).await, [[0, 0], [20, 0]]);
        assert_eq!(row["shipment"]["lossReason"], json!("MISSING"));
        let row = delivered(&client, &row, 38, json!({ "lines": fate(40, 0, 0) })).await;
        assert_eq!(held(&client, &places, &lots).await, [[0, 0], [10, 0]]);
        assert_eq!(row["shipment"]["lossReason"], Value::Null);
        let fewer = of(&row, json!({ "peopleReached": 30 }));
        let row = done(&client, "updateDistribution", "distribution", ALL, &fewer).await;
        let women = "SELECT CAST(sum(people_reached) AS bigint) FROM stock_entry e WHERE quantity > 0 \
            AND people_reached IS NOT NULL AND NOT EXISTS (SELECT 1 FROM stock_movement m \
            WHERE m.reverses_id = e.movement_id OR m.id = e.movement_id AND m.reverses_id IS NOT NULL)";
        assert_eq!(world.number(women).await, 30 * 2);
        for (field, value) in [
            ("lines", json!([soap(1)])),
            ("place", json!(places.warehouse)),
            ("occurredOn", json!("2026-11-20")),
            ("peopleExpected", json!(3)),
        ] {
            let change = of(&row, json!({ field: value }));
            let refused = act(&client, "updateDistribution", "distribution", "id", &change).await;
            assert_eq!(faults(&refused), fault("INVALID", field));
        }
        // Void, everything is back where it came from.
        let void = of(&row, json!({ "reason": "RETURNED" }));
        done(&client, "voidDistribution", "distribution", "id", &void).await;
        assert_eq!(held(&client, &places, &lots).await, [[20, 0], [30, 0]]);
        let plan = planned(&client, "another", &[soap(50)]).await;
        let sent = dispatched(&client, &plan, by(&places)).await;
        assert_eq!(held(&client, &places, &lots).await, [[0, 20], [0, 30]]);
        let void = of(&sent, json!({ "reason": "NOT_DELIVERED" }));
        let void = done(&client, "voidDistribution", "distribution", ALL, &void).await;
        assert_eq!((&void["peopleReached"], &void["voided"]["reason"]), (&json!(0), &json!("NOT_DELIVERED")));
        assert_eq!(held(&client, &places, &lots).await, [[20, 0], [30, 0]]);
    }
);

both!(
    async fn what_does_not_fit_is_refused_and_changes_nothing(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let old = lot(&client, &places.warehouse, SOAP, 20, "2026-10-01", Some("2026-11-10")).await;
        let good = lot(&client, &places.warehouse, SOAP, 20, "2026-10-01", None).await;
        let row = planned(&client, "plan", &[soap(20)]).await;
        let before = world.counts().await;
        let refused = async |name: &str, input: Value, code: &str, field: &str| {
            let payload = act(&client, name, "distribution", "id", &input).await;
            assert_eq!(faults(&payload), fault(code, field), "{name} {input}");
        };
        let bad = |more: Value| with(&plan("bad", &[soap(20)]), more);
        let lines = |line: Value| json!({ "lines": [with(&soap(20), line)] });
        refused("planDistribution", bad(json!({ "peopleExpected": -1 })), "OUT_OF_RANGE", "peopleExpected")
            .await;
        refused("planDistribution", bad(lines(json!({ "returned": 1 }))), "INVALID", "lines.0.returned")
            .await;
        refused("planDistribution", bad(lines(json!({ "lot": good }))), "INVALID", "lines.0.lot").await;
        let replan = of(&row, lines(json!({ "lot": good })));
        refused("updateDistribution", replan, "INVALID", "lines.0.lot").await;
        let dispatch = |more: Value| with(&of(&row, json!({ "dispatchedOn": "2026-11-18" })), more);
        let name = "dispatchDistribution";
        refused(name, dispatch(json!({ "dispatchedOn": "2026-11-21" })), "OUT_OF_RANGE", "dispatchedOn")
            .await;
        refused(name, dispatch(json!({ "place": places.warehouse })), "INVALID", "via").await;
        refused(name, dispatch(lines(json!({ "lot": good }))), "INVALID", "lines.0.lot").await;
        let named = |lot: &str| with(&by(&places), lines(json!({ "lot": lot })));
        refused(name, dispatch(named(&old)), "EXPIRED", "lines.0").await;
        let all = with(&by(&places), json!({ "lines": [soap(40)] }));
        refused(name, dispatch(all), "EXPIRED", "lines.0").await;
        let update = of(&row, json!({ "peopleReached": 20 }));
        refused("updateDistribution", update, "INVALID", "peopleReached").await;
        let deliver = |row: &Value, more: Value| delivery(row, 20, more);
        let name = "deliverDistribution";
        refused(name, deliver(&row, lines(json!({ "lost": 1 }))), "INVALID", "lines.0.lost").await;
        refused(name, deliver(&row, json!({ "lossReason": "DAMAGED" })), "INVALID", "lossReason").await;
        refused(name, deliver(&row, json!({ "occurredOn": "2026-11-21" })), "OUT_OF_RANGE", "occurredOn")
            .await;
        let proof = |more: Value| {
            let proof = json!({ "signedBy": "Custodia de guardia", "signedOn": "2026-11-19" });
            json!({ "proof": with(&proof, more) })
        };
        let early = proof(json!({ "signedOn": "2026-11-18" }));
        refused(name, deliver(&row, early), "OUT_OF_RANGE", "proof.signedOn").await;
        let digest = proof(json!({ "documentSha256": "abc" }));
        refused(name, deliver(&row, digest), "INVALID", "proof.documentSha256").await;
        refused("recordDeliveryProof", of(&row, proof(json!({}))), "INVALID", "id").await;
        let field = world.member("field", "own");
        let answer = field.query(
            "mutation($input: DispatchDistributionInput!) { dispatchDistribution(input: $input) { __typename } }",
            json!({ "input": dispatch(json!({})) }),
        );
        assert_eq!(answer.await.code(), "NOT_PERMITTED");
        assert_eq!(world.counts().await, before);

        let row = dispatched(&client, &row, by(&places)).await;
        let before = world.counts().await;
        let dispatch = of(&row, json!({ "dispatchedOn": "2026-11-18" }));
        refused("dispatchDistribution", dispatch, "INVALID", "id").await;
        let update = of(&row, json!({ "lines": [soap(3)] }));
        refused("updateDistribution", update, "INVALID", "lines").await;
        let fates = |received: i32, rest: Value| json!({ "lines": [with(&soap(received), rest)] });
        refused(name, deliver(&row, fates(19, json!({}))), "OUT_OF_RANGE", "lines.0").await;
        refused(name, deliver(&row, fates(21, json!({ "returned": -1 }))), "OUT_OF_RANGE", "lines.0").await;
        refused(name, deliver(&row, fates(19, json!({ "lost": 1 }))), "INVALID", "lossReason").await;
        refused(name, deliver(&row, json!({ "lossReason": "MISSING" })), "INVALID", "lossReason").await;
        refused(name, deliver(&row, fates(0, json!({ "returned": 20 }))), "OUT_OF_RANGE", "peopleReached")
            .await;
        let nobody = fates(19, json!({ "returned": 1, "peopleReached": -1 }));
        refused(name, deliver(&row, nobody), "OUT_OF_RANGE", "lines.0.peopleReached").await;
        let twice = json!({ "lines": [soap(20), soap(20)] });
        refused(name, deliver(&row, twice), "INVALID", "lines.1").await;
        let early = json!({ "occurredOn": "2026-11-17" });
        refused(name, deliver(&row, early), "OUT_OF_RANGE", "occurredOn").await;
        let placed = json!({ "place": places.warehouse });
        refused(name, deliver(&row, placed), "INVALID", "place").await;
        let checked = delivery(&row, 20, json!({ "validateOnly": true }));
        done(&client, name, "distribution", "id", &checked).await;
        assert_eq!(world.counts().await, before);
        // What was recorded at once is not delivered again.
        let recorded = json!({ "idempotencyKey": "one", "facility": id(Kind::Facility, 1),
            "program": id(Kind::Program, SUPPLIES), "occurredOn": "2026-11-19", "peopleReached": 40,
            "reachMethod": "COUNTED", "lines": [soap(40)] });
        let recorded = done(&client, "recordDistribution", "distribution", "id version", &recorded).await;
        refused(name, deliver(&recorded, json!({})), "INVALID", "id").await;
    }
);

both!(
    async fn who_signed_is_kept_with_each_delivery(world: &World) {
        let (client, field) = (world.coordinator(), world.member("field", "own"));
        let digest = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08";
        let first = json!({ "signedBy": " Custodia de guardia ", "signedOn": "2026-11-19", "documentSha256": digest });
        let recorded = json!({ "idempotencyKey": "one", "facility": id(Kind::Facility, 1),
            "program": id(Kind::Program, SUPPLIES), "occurredOn": "2026-11-19", "peopleReached": 40,
            "reachMethod": "COUNTED", "lines": [soap(40)], "proof": first });
        let row = done(&field, "recordDistribution", "distribution", "id version", &recorded).await;
        let verify = of(&row, json!({}));
        let row = done(&client, "verifyDistribution", "distribution", "id version", &verify).await;
        world.set_now("2026-11-20T15:30:00Z");
        let second = json!({ "signedBy": "Subdirección", "signedOn": "2026-11-20" });
        let proven = of(&row, json!({ "proof": second }));
        let row = done(&field, "recordDeliveryProof", "distribution", ALL, &proven).await;
        let expected = json!([
            { "signedBy": "Custodia de guardia", "signedOn": "2026-11-19", "documentSha256": digest.to_lowercase() },
            { "signedBy": "Subdirección", "signedOn": "2026-11-20", "documentSha256": null },
        ]);
        assert_eq!(
            (&row["proofs"], &row["status"], &row["version"]),
            (&expected, &json!("VERIFIED"), &json!(3))
        );
        let again = act(&field, "recordDeliveryProof", "distribution", "id", &proven).await;
        assert_eq!(faults(&again), fault("CONFLICT", "expectedVersion"));
        // A list of deliveries takes as many statements with them as one delivery.
        let document =
            "{ distributions(first: 50) { nodes { shipment { lines { shipped } } proofs { signedBy } } } }";
        let few = client.query(document, Value::Null).await.statements();
        for n in 0..5 {
            let row = planned(&client, &format!("plan {n}"), &[soap(20)]).await;
            dispatched(&client, &row, json!({})).await;
        }
        let many = client.query(document, Value::Null).await;
        // The lines of shipments are read where there are any.
        assert_eq!(many.statements(), few + 1);
        let sent = data(&many)["distributions"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| !row["shipment"].is_null())
            .count();
        assert_eq!(sent, 5);
    }
);

both!(
    async fn a_device_says_that_a_planned_delivery_took_place(world: &World) {
        let (client, device) = (world.coordinator(), world.member("field", "own"));
        let places = places(&client).await;
        let of_lot = lot(&client, &places.warehouse, SOAP, 50, "2026-10-01", None).await;
        let row = planned(&client, "plan", &[soap(40)]).await;
        let row = dispatched(&client, &row, by(&places)).await;
        // The device has it from the feed.
        let feed =
            "{ changes(first: 100) { changes { node { ... on Distribution { id version status } } } } }";
        let changes = device.query(feed, Value::Null).await;
        let changes = changes.json().to_string();
        assert!(changes.contains("DISPATCHED"), "{changes}");
        let document = "mutation($rows: [SyncDistributionRow!]!) { syncDistributions(input: { rows: $rows }) { \
            results { outcome distribution { id version status class } differences { field here sent } \
            userErrors { code field } } } }";
        let sync = async |row: &Value| {
            let answer = device.query(document, json!({ "rows": [row] })).await;
            answer.data()["syncDistributions"]["results"][0].clone()
        };
        let sent = json!({ "clientId": "5b7b1f0e-1c7e-4a3c-9d5e-000000000001", "id": row["id"],
            "expectedVersion": row["version"], "facility": id(Kind::Facility, 1),
            "program": id(Kind::Program, SUPPLIES), "occurredOn": "2026-11-19", "peopleReached": 33,
            "reachMethod": "COUNTED", "formNumber": "AE-1", "lossReason": "STOLEN",
            "lines": [with(&soap(33), json!({ "returned": 3, "lost": 4 }))],
            "proof": { "signedBy": "Custodia de guardia", "signedOn": "2026-11-19" } });
        let stale = sync(&with(&sent, json!({ "expectedVersion": 1 }))).await;
        assert_eq!(stale["outcome"], json!("CONFLICT"));
        let unknown = with(&sent, json!({ "id": null, "clientId": "5b7b1f0e-1c7e-4a3c-9d5e-000000000009" }));
        let unknown = sync(&unknown).await;
        assert_eq!(
            unknown["userErrors"][0],
            json!({ "code": "NOT_FOUND", "field": ["rows", "0", "clientId"] })
        );
        let malformed = with(&sent, json!({ "facility": "soap" }));
        let malformed = device.query(document, json!({ "rows": [sent, malformed] })).await;
        assert!(malformed.to_string().contains("rows.1"), "{malformed}");
        let fields: Vec<&str> =
            stale["differences"].as_array().unwrap().iter().filter_map(|d| d["field"].as_str()).collect();
        assert!(fields.contains(&"status") && fields.contains(&"proof"), "{fields:?}");
        let bad = sync(&with(&sent, json!({ "lines": [soap(33)] }))).await;
        assert_eq!(
            bad["userErrors"][0],
            json!({ "code": "OUT_OF_RANGE", "field": ["rows", "0", "lines", "0"] })
        );
        let updated = sync(&sent).await;
        assert_eq!(
            (&updated["outcome"], &updated["userErrors"]),
            (&json!("UPDATED"), &json!([])),
            "{updated}"
        );
        assert_eq!(updated["distribution"]["class"], json!("OPERATIONS"));
        assert_eq!(held(&client, &places, &[&of_lot]).await, [[13, 0]]);
        assert_eq!(sync(&sent).await["outcome"], json!("REPEATED"));
        // From now on the device's id stands for the delivery, also without the id that it has here.
        let nameless = with(&sent, json!({ "id": null, "expectedVersion": null }));
        let again = sync(&nameless).await;
        assert_eq!((&again["outcome"], &again["distribution"]["id"]), (&json!("REPEATED"), &row["id"]));
        let other = sync(&with(&nameless, json!({ "peopleReached": 35 }))).await;
        assert_eq!((&other["outcome"], &other["distribution"]["id"]), (&json!("CONFLICT"), &row["id"]));
        let elsewhere = planned(&client, "elsewhere", &[soap(40)]).await;
        let taken = json!({ "id": elsewhere["id"], "expectedVersion": 1 });
        let taken = sync(&with(&sent, taken)).await;
        assert_eq!(
            taken["userErrors"][0],
            json!({ "code": "DUPLICATE", "field": ["rows", "0", "clientId"] })
        );
        // Also when it sends it as another version.
        let version = &updated["distribution"]["version"];
        let again = with(&sent, json!({ "expectedVersion": version }));
        assert_eq!(sync(&again).await["outcome"], json!("REPEATED"));
        // Another proof is added by who records deliveries; other changes need the right to correct.
        let proof = json!({ "signedBy": "Subdirección", "signedOn": "2026-11-20" });
        let proven = sync(&with(&again, json!({ "proof": proof }))).await;
        assert_eq!(proven["outcome"], json!("UPDATED"), "{proven}");
        let next = json!({ "expectedVersion": proven["distribution"]["version"], "peopleReached": 34 });
        let fewer = sync(&with(&sent, next)).await;
        assert_eq!(fewer["userErrors"][0]["code"], json!("NOT_PERMITTED"), "{fewer}");
        assert_eq!(held(&client, &places, &[&of_lot]).await, [[13, 0]]);
        // What a device may correct takes the place of what was said.
        let office = with(
            &sent,
            json!({ "expectedVersion": proven["distribution"]["version"],
            "lines": [with(&soap(37), json!({ "returned": 3 }))], "lossReason": null }),
        );
        let answer = client.query(document, json!({ "rows": [office] })).await;
        let answer = answer.data()["syncDistributions"]["results"][0].clone();
        assert_eq!(answer["outcome"], json!("UPDATED"), "{answer}");
        assert_eq!(held(&client, &places, &[&of_lot]).await, [[13, 0]]);
    }
);

both!(
    async fn a_line_that_is_meant_for_few_stays_so(world: &World) {
        let client = world.coordinator();
        let few = with(&soap(40), json!({ "peopleReached": 5 }));
        let lines = [few.clone(), json!({ "supplied": { "item": id(Kind::Item, PADS) }, "quantity": 40 })];
        let sent = planned(&client, "sent", &lines).await;
        let sent = dispatched(&client, &sent, json!({})).await;
        let sent = delivered(&client, &sent, 40, json!({})).await;
        let here = planned(&client, "here", &lines).await;
        let here = delivered(&client, &here, 38, json!({})).await;
        assert_eq!((&sent["class"], &here["class"]), (&json!("RECORDS"), &json!("RECORDS")));
        // Those for all follow the number of all, and no line is for more.
        let women = "SELECT CAST(sum(people_reached) AS bigint) FROM distribution_line";
        assert_eq!(world.number(women).await, 5 + 40 + 5 + 38);
        // A fault is told at the line that the client has sent.
        let pads = &lines[1];
        let again = json!({ "lines": [with(&few, json!({ "quantity": 0, "returned": 40 })),
            with(pads, json!({ "peopleReached": 41 }))] });
        let refused =
            act(&client, "deliverDistribution", "distribution", "id", &delivery(&sent, 40, again)).await;
        assert_eq!(faults(&refused), fault("OUT_OF_RANGE", "lines.1.peopleReached"));
    }
);

both!(
    async fn what_nobody_received_is_lost_or_back_and_the_delivery_is_void(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let of_lot = lot(&client, &places.warehouse, SOAP, 30, "2026-10-01", None).await;
        for (key, (returned, lost, reason), (why, left)) in [
            ("seized", (4, 8, Some("SEIZED")), ("NOT_DELIVERED", 22)),
            ("back", (12, 0, None), ("RETURNED", 22)),
        ] {
            let row = planned(&client, key, &[soap(12)]).await;
            let row = dispatched(&client, &row, by(&places)).await;
            let line = with(&soap(0), json!({ "returned": returned, "lost": lost }));
            let input = delivery(&row, 0, json!({ "lines": [line], "lossReason": reason }));
            let row = done(&client, "deliverDistribution", "distribution", ALL, &input).await;
            assert_eq!((&row["status"], &row["voided"]["reason"]), (&json!("VOIDED"), &json!(why)));
            assert_eq!((&row["class"], &row["peopleReached"]), (&json!("RECORDS"), &json!(0)));
            let line = &row["shipment"]["lines"][0];
            assert_eq!(
                (&line["received"], &line["returned"], &line["lost"]),
                (&json!(0), &json!(returned), &json!(lost))
            );
            assert_eq!(held(&client, &places, &[&of_lot]).await, [[left, 0]]);
        }
    }
);

both!(
    async fn what_expires_on_its_way_is_lost_and_not_handed_over(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let old = lot(&client, &places.warehouse, SOAP, 10, "2026-10-01", Some("2026-11-18")).await;
        let new = lot(&client, &places.warehouse, SOAP, 10, "2026-10-01", Some("2027-11-18")).await;
        let row = planned(&client, "plan", &[soap(20)]).await;
        let row = dispatched(&client, &row, by(&places)).await;
        // On the nineteenth only one of the lots could be handed over.
        let all =
            act(&client, "deliverDistribution", "distribution", "id", &delivery(&row, 20, json!({}))).await;
        assert_eq!(faults(&all), fault("EXPIRED", "lines"));
        let line = with(&soap(10), json!({ "lost": 10 }));
        let fate = json!({ "lines": [line], "lossReason": "EXPIRED" });
        delivered(&client, &row, 10, fate).await;
        assert_eq!(held(&client, &places, &[&old, &new]).await, [[0, 0], [0, 0]]);
    }
);

both!(
    async fn what_was_sent_can_be_told_after_its_program_has_ended(world: &World) {
        let client = world.coordinator();
        let row = planned(&client, "plan", &[soap(20)]).await;
        let row = dispatched(&client, &row, json!({})).await;
        let unsent = planned(&client, "unsent", &[soap(20)]).await;
        let program =
            ask(&client, "{ program(organization: \"own\", slug: \"supplies\") { id version } }").await;
        let end = json!({ "id": program["program"]["id"], "expectedVersion": program["program"]["version"],
            "status": "CANCELLED" });
        done(&client, "updateProgram", "program", "id", &end).await;
        delivered(&client, &row, 20, json!({})).await;
        let refused =
            act(&client, "deliverDistribution", "distribution", "id", &delivery(&unsent, 20, json!({})))
                .await;
        assert_eq!(faults(&refused), fault("INVALID", "id"));
    }
);

both!(
    async fn a_member_of_one_facility_learns_nothing_of_goods_sent_to_another(world: &World) {
        let (client, field) = (world.coordinator(), world.member("field", "own"));
        let places = places(&client).await;
        let of_lot = lot(&client, &places.store, SOAP, 30, "2026-10-01", None).await;
        let there = with(&plan("there", &[soap(20)]), json!({ "facility": id(Kind::Facility, 2) }));
        let row = done(&client, "planDistribution", "distribution", ALL, &there).await;
        let row = dispatched(&client, &row, json!({ "place": places.store, "via": places.transit })).await;
        let fate = json!({ "lines": [with(&soap(3), json!({ "returned": 16, "lost": 1 }))], "lossReason": "STOLEN" });
        delivered(&client, &row, 3, fate).await;
        let document = "{ stockMovements(first: 9, filter: { kind: [TRANSFER, ARRIVAL, ISSUE] }) { nodes { kind reason \
            distribution { id } progress { received } entries { quantity lot { id } place { id } } } } }";
        let seen = ask(&field, document).await["stockMovements"]["nodes"].as_array().unwrap().clone();
        let side = |quantity: i32| json!([{ "quantity": quantity, "lot": { "id": of_lot }, "place": { "id": places.store } }]);
        // Its own store has fewer and then more again, as it would find by counting; the rest is not its.
        let expected = |kind: &str, quantity: i32| json!({ "kind": kind, "reason": null, "distribution": null, "progress": [], "entries": side(quantity) });
        assert_eq!(seen, [expected("ARRIVAL", 16), expected("TRANSFER", -20)]);
        let all = ask(&client, document).await["stockMovements"]["nodes"].clone();
        assert_eq!(all.as_array().unwrap().len(), 3);
    }
);
