//! Work that a device noted without a network.

use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::participant::refusal;

const SYNC: &str = "mutation($rows: [SyncWorkRowInput!]!) { syncWork(input: { rows: $rows }) { results { clientId outcome \
    id userErrors { code field } } } }";

async fn sync(client: &Client, rows: &Value) -> Vec<Value> {
    let answer = client.query(SYNC, json!({ "rows": rows })).await;
    answer.data()["syncWork"]["results"].as_array().unwrap().clone()
}

fn outcomes(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["outcome"].as_str().unwrap()).collect()
}

both!(
    async fn each_row_is_what_its_mutation_takes(world: &World) {
        women(world).await;
        let client = staff(world, "coordinator");
        let workshop = workshop(&client, "a", Value::Null).await;
        let product = product(&client, "BAG").await;
        let enrol = enrol_input("e1", 1, json!(workshop), "ENROLLED");
        let skill = keyed(
            "k1",
            json!({ "participant": w(2), "technique": "weaving", "level": "BASIC",
            "attestedOn": "2026-11-10" }),
        );
        let rows = json!([
            { "createSession": session_input("s1", json!(workshop)) },
            { "enrol": enrol },
            { "attestSkill": skill },
            { "recordProduction": batch_input("b1", &product, &[(1, 1), (2, 1)], 10) },
            { "openLegalMatter": keyed("l1", json!({ "participant": w(3), "openedOn": "2026-10-01" })) },
            // Refused, and stops no other.
            { "enrol": enrol_input("e2", 77, json!(workshop), "ENROLLED") },
            { "enrol": enrol_input("e3", 2, json!(workshop), "ENROLLED") },
        ]);
        let results = sync(&client, &rows).await;
        let created = ["CREATED"; 5];
        assert_eq!(outcomes(&results), [&created[..], &["REFUSED", "CREATED"]].concat());
        assert_eq!(
            results[5]["userErrors"],
            json!([{ "code": "NOT_FOUND", "field": ["rows", "5", "enrol", "participant"] }])
        );
        assert_eq!(results[5]["id"], Value::Null);
        let node = format!(
            "{{ nodes(ids: [{}, {}]) {{ __typename ... on Enrolment {{ participantCode }} }} }}",
            results[0]["id"], results[1]["id"]
        );
        let found = crate::talk::ask(&client, &node).await["nodes"].clone();
        assert_eq!(
            found,
            json!([{ "__typename": "Session" }, { "__typename": "Enrolment", "participantCode": "W001" }])
        );
        // Sent again, by whoever has the device now, it is what it was.
        let before = world.number("SELECT count(*) FROM enrolment").await;
        for role in ["coordinator", "coordinator2"] {
            let again = sync(&staff(world, role), &rows).await;
            assert_eq!(outcomes(&again), [&["REPEATED"; 5][..], &["REFUSED", "REPEATED"]].concat(), "{role}");
            assert_eq!(again[1]["id"], results[1]["id"]);
        }
        for (table, count) in
            [("enrolment", before), ("production_batch", 1), ("session", 1), ("legal_matter", 1)]
        {
            assert_eq!(world.number(&format!("SELECT count(*) FROM {table}")).await, count, "{table}");
        }
        // Another input under a key is a conflict, and so is another mutation.
        let other = json!([{ "enrol": with(&enrol, json!({ "participant": w(3) })) },
            { "openLegalMatter": keyed("e1", json!({ "participant": w(3), "openedOn": "2026-10-01" })) }]);
        let conflicts = sync(&client, &other).await;
        assert_eq!(outcomes(&conflicts), ["CONFLICT", "CONFLICT"]);
        assert_eq!(conflicts[0]["userErrors"][0]["field"], json!(["rows", "0", "enrol", "idempotencyKey"]));
    }
);

both!(
    async fn a_row_needs_what_its_mutation_needs(world: &World) {
        women(world).await;
        let workshop = workshop(&staff(world, "coordinator"), "a", Value::Null).await;
        let enrol = json!({ "enrol": enrol_input("e1", 1, json!(workshop), "ENROLLED") });
        let legal = json!({ "openLegalMatter": keyed("l1", json!({ "participant": w(1), "openedOn": "2026-10-01" })) });
        // A field worker enrols, and does no legal work.
        let results = sync(&staff(world, "field"), &json!([legal, enrol])).await;
        assert_eq!(outcomes(&results), ["REFUSED", "CREATED"]);
        assert_eq!(
            results[0]["userErrors"],
            json!([{ "code": "NOT_PERMITTED", "field": ["rows", "0", "openLegalMatter"] }])
        );
        let silent = world.coordinator().query(SYNC, json!({ "rows": [legal] })).await;
        assert_eq!(silent.code(), "PURPOSE_NEEDED");
        for row in [json!({}), with(&enrol, legal.clone())] {
            let refused = staff(world, "coordinator").query(SYNC, json!({ "rows": [row] })).await;
            assert_eq!(refusal(&refused), "GRAPHQL_VALIDATION_FAILED", "{row}");
        }
        // A row that is no row stops no other, nor does a key that cannot be kept.
        let odd = json!([
            { "enrol": with(&enrol["enrol"], json!({ "idempotencyKey": "x", "participant": "no id" })) },
            { "enrol": with(&enrol["enrol"], json!({ "idempotencyKey": "a\u{0}b" })) },
            { "openLegalMatter": keyed("l2", json!({ "participant": w(2), "openedOn": "2026-10-01" })) },
        ]);
        let results = sync(&staff(world, "coordinator"), &odd).await;
        assert_eq!(outcomes(&results), ["REFUSED", "REFUSED", "CREATED"]);
        for role in ["admin", "auditor"] {
            let results = sync(&staff(world, role), &json!([enrol])).await;
            assert_eq!(outcomes(&results), ["REFUSED"], "{role}");
        }
        assert_eq!(world.number("SELECT count(*) FROM legal_matter").await, 1);
    }
);
