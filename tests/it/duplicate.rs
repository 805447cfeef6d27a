//! Deliveries that were likely entered twice.

use api::id::Kind;
use serde_json::{Value, json};
use tests::{Client, both};

use crate::{
    lifecycle::with,
    stock::{lot, on_hand, places},
    talk::{act, ask, done, fault, faults},
    world::*,
};

fn line(item: u128, quantity: i32) -> Value {
    json!({ "supplied": { "item": id(Kind::Item, item) }, "quantity": quantity })
}

async fn recorded(client: &Client, key: &str, more: Value) -> Value {
    let input = json!({ "idempotencyKey": key, "facility": id(Kind::Facility, 1),
        "program": id(Kind::Program, SUPPLIES), "occurredOn": "2026-11-18", "peopleReached": 40,
        "reachMethod": "COUNTED", "lines": [line(SOAP, 40), line(PADS, 30)] });
    done(client, "recordDistribution", "distribution", "id version", &with(&input, more)).await
}

/// The groups of a report, each as the ids of its deliveries, sorted.
async fn report(client: &Client, filter: &str) -> Vec<Vec<String>> {
    let document = format!(
        "{{ likelyDuplicates(first: 50, filter: {{ {filter} }}) {{ totalCount nodes {{ occurredOn facility {{ slug }} \
         distributions {{ id lines {{ quantity }} }} }} }} }}"
    );
    let data = ask(client, &document).await;
    let nodes = data["likelyDuplicates"]["nodes"].as_array().unwrap();
    assert_eq!(data["likelyDuplicates"]["totalCount"], json!(nodes.len()));
    let ids = |node: &Value| {
        let all = node["distributions"].as_array().unwrap();
        let mut ids: Vec<String> = all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    };
    nodes.iter().map(ids).collect()
}

const NOVEMBER: &str = "occurredOn: { from: \"2026-11-01\", to: \"2026-11-30\" }";

fn sorted(rows: &[&Value]) -> Vec<String> {
    let mut ids: Vec<String> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn verdict(rows: &[&Value], verdict: &str, keep: Option<&Value>) -> Value {
    let seen: Vec<Value> =
        rows.iter().map(|row| json!({ "id": row["id"], "expectedVersion": row["version"] })).collect();
    json!({ "distributions": seen, "verdict": verdict, "keep": keep.map(|row| &row["id"]) })
}

async fn resolved(client: &Client, input: &Value) -> Value {
    done(
        client,
        "resolveLikelyDuplicates",
        "distributions",
        "id version status voided { reason note }",
        input,
    )
    .await
}

both!(
    async fn what_is_alike_is_reported_until_somebody_says_what_it_is(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let soap = lot(&client, &places.warehouse, SOAP, 100, "2026-10-01", None).await;
        let drawn = json!({ "place": places.warehouse, "lines": [line(SOAP, 40)] });
        let one = recorded(&client, "one", json!({})).await;
        // The same in another order, by another hand, for another program and another number of women.
        let again = json!({ "lines": [line(PADS, 30), line(SOAP, 40)], "peopleReached": 38,
            "program": id(Kind::Program, WORKSHOP) });
        let two = recorded(&world.member("field", "own"), "two", again).await;
        for (key, other) in [
            ("day", json!({ "occurredOn": "2026-11-17" })),
            ("quantity", json!({ "lines": [line(SOAP, 40), line(PADS, 31)] })),
            ("goods", json!({ "lines": [line(SOAP, 40), line(BOOK, 30)] })),
            ("fewer", json!({ "lines": [line(SOAP, 40)] })),
            ("facility", json!({ "facility": id(Kind::Facility, 2) })),
        ] {
            recorded(&client, key, other).await;
        }
        let three = recorded(&client, "three", with(&drawn, json!({ "occurredOn": "2026-10-20" }))).await;
        let four = recorded(&client, "four", with(&drawn, json!({ "occurredOn": "2026-10-20" }))).await;
        let pair = sorted(&[&one, &two]);
        assert_eq!(report(&client, NOVEMBER).await, std::slice::from_ref(&pair));
        let autumn = "occurredOn: { from: \"2026-10-01\", to: \"2026-11-30\" }";
        assert_eq!(report(&client, autumn).await, [pair.clone(), sorted(&[&three, &four])]);
        assert_eq!(report(&client, &format!("{NOVEMBER}, facility: []")).await, [] as [Vec<String>; 0]);
        let at = |n: u128| format!("{NOVEMBER}, facility: [\"{}\"]", id(Kind::Facility, n));
        assert_eq!(report(&client, &at(1)).await, std::slice::from_ref(&pair));
        assert_eq!(report(&client, &at(2)).await, [] as [Vec<String>; 0]);
        let year = "occurredOn: { from: \"2025-12-01\", to: \"2026-12-01\" }";
        assert_eq!(report(&client, year).await.len(), 2);
        let page = format!(
            "{{ likelyDuplicates(first: 1, filter: {{ {autumn} }}) {{ nodes {{ occurredOn }} \
            pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        let first = ask(&client, &page).await["likelyDuplicates"].clone();
        assert_eq!(first["pageInfo"]["hasNextPage"], json!(true));
        let after = format!("first: 1, after: {}, ", first["pageInfo"]["endCursor"]);
        let second = ask(&client, &page.replace("first: 1, ", &after)).await["likelyDuplicates"].clone();
        assert_eq!(second["nodes"], json!([{ "occurredOn": "2026-10-20" }]));
        assert_eq!(second["pageInfo"]["hasNextPage"], json!(false));

        // They are one: the other is void, and what it took is back.
        assert_eq!(on_hand(&client, None).await, [(places.warehouse.clone(), soap.clone(), 20)]);
        let same = with(&verdict(&[&three, &four], "SAME", Some(&four)), json!({ "note": "Dos veces." }));
        let rows = resolved(&client, &same).await;
        assert_eq!(
            rows,
            json!([
                { "id": three["id"], "version": 2, "status": "VOIDED", "voided": { "reason": "DUPLICATE", "note": "Dos veces." } },
                { "id": four["id"], "version": 1, "status": "DELIVERED", "voided": null }])
        );
        assert_eq!(on_hand(&client, None).await, [(places.warehouse.clone(), soap, 60)]);
        assert_eq!(report(&client, autumn).await, std::slice::from_ref(&pair));

        // They are two: nobody is asked again, also after one of them is verified.
        let checked = with(&verdict(&[&one, &two], "DIFFERENT", None), json!({ "validateOnly": true }));
        resolved(&client, &checked).await;
        assert_eq!(report(&client, NOVEMBER).await, [pair]);
        resolved(&client, &verdict(&[&one, &two], "DIFFERENT", None)).await;
        let at = json!({ "id": one["id"], "expectedVersion": 1 });
        let one =
            done(&world.member("steward", "own"), "verifyDistribution", "distribution", "id version", &at)
                .await;
        assert_eq!(report(&client, NOVEMBER).await, [] as [Vec<String>; 0]);
        // A third that is alike is asked about with both.
        let plan = json!({ "idempotencyKey": "plan", "facility": id(Kind::Facility, 1),
            "program": id(Kind::Program, SUPPLIES), "occurredOn": "2026-11-18", "peopleExpected": 40,
            "lines": [line(SOAP, 40), line(PADS, 30)] });
        let plan = done(&client, "planDistribution", "distribution", "id version", &plan).await;
        assert_eq!(report(&client, NOVEMBER).await, [sorted(&[&one, &two, &plan])]);
        resolved(&client, &verdict(&[&plan, &one], "SAME", Some(&one))).await;
        assert_eq!(report(&client, NOVEMBER).await, [] as [Vec<String>; 0]);
        let actions: Vec<String> = world.audit().await.into_iter().map(|event| event.action).collect();
        let said = |action: &str| actions.iter().filter(|one| *one == action).count();
        assert_eq!((said("KEEP"), said("CLEAR"), said("VOID")), (2, 2, 2));
    }
);

both!(
    async fn a_verdict_that_does_not_fit_changes_nothing(world: &World) {
        let client = world.coordinator();
        let one = recorded(&client, "one", json!({})).await;
        let two = recorded(&client, "two", json!({})).await;
        let far = recorded(&client, "far", json!({ "facility": id(Kind::Facility, 2) })).await;
        let before = world.counts().await;
        let stale = json!({ "id": two["id"], "version": 7 });
        let gone = json!({ "id": id(Kind::Distribution, 99), "version": 1 });
        for (input, code, field) in [
            (verdict(&[&one, &two], "SAME", None), "INVALID", "keep"),
            (verdict(&[&one, &two], "SAME", Some(&far)), "INVALID", "keep"),
            (verdict(&[&one, &two], "DIFFERENT", Some(&one)), "INVALID", "keep"),
            (verdict(&[&one], "DIFFERENT", None), "INVALID", "distributions"),
            (verdict(&[&one, &one], "DIFFERENT", None), "INVALID", "distributions"),
            (verdict(&[&one, &far], "DIFFERENT", None), "INVALID", "distributions"),
            (verdict(&[&one, &stale], "SAME", Some(&one)), "CONFLICT", "distributions.1.expectedVersion"),
            (verdict(&[&one, &gone], "DIFFERENT", None), "NOT_FOUND", "distributions.1.id"),
        ] {
            let refused = act(&client, "resolveLikelyDuplicates", "distributions", "id", &input).await;
            assert_eq!(faults(&refused), fault(code, field), "{input}");
            let here = if code == "CONFLICT" {
                json!([{ "id": one["id"] }, { "id": two["id"] }])
            } else {
                Value::Null
            };
            assert_eq!(refused["distributions"], here);
        }
        for role in ["field", "steward", "admin", "auditor"] {
            let member = world.member(role, "own");
            let document =
                format!("{{ likelyDuplicates(first: 5, filter: {{ {NOVEMBER} }}) {{ totalCount }} }}");
            assert_eq!(member.query(&document, Value::Null).await.code(), "NOT_PERMITTED", "{role}");
            let mutation = "mutation($input: ResolveLikelyDuplicatesInput!) { resolveLikelyDuplicates(input: $input) { __typename } }";
            let input = json!({ "input": verdict(&[&one, &two], "DIFFERENT", None) });
            assert_eq!(member.query(mutation, input).await.code(), "NOT_PERMITTED", "{role}");
        }
        for days in [
            "{ from: \"2026-11-01\" }",
            "{ to: \"2026-11-01\" }",
            "{ from: \"2025-11-30\", to: \"2026-12-01\" }",
        ] {
            let document = format!(
                "{{ likelyDuplicates(first: 5, filter: {{ occurredOn: {days} }}) {{ totalCount }} }}"
            );
            assert_eq!(client.query(&document, Value::Null).await.code(), "BAD_USER_INPUT", "{days}");
        }
        // Another organisation has deliveries of its own.
        let theirs = world.member("coordinator", "other");
        assert_eq!(report(&theirs, NOVEMBER).await, [] as [Vec<String>; 0]);
        let input = verdict(&[&one, &two], "DIFFERENT", None);
        let refused = act(&theirs, "resolveLikelyDuplicates", "distributions", "id", &input).await;
        assert_eq!(faults(&refused), fault("NOT_FOUND", "distributions.0.id"));
        assert_eq!(world.counts().await, before);
        assert_eq!(report(&client, NOVEMBER).await, [sorted(&[&one, &two])]);
    }
);
