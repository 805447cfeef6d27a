//! Recording deliveries.

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use crate::{
    lifecycle::{stop_audit, with},
    seed::account,
    talk::{act, ask, column, done, fault, faults, mutation},
    world::*,
};

/// A delivery that partners see.
pub fn input(key: &str) -> Value {
    json!({ "idempotencyKey": key, "facility": id(Kind::Facility, 1), "program": id(Kind::Program, SUPPLIES),
        "occurredOn": "2026-11-19", "peopleReached": 40, "reachMethod": "COUNTED", "lines": [item(SOAP, 40)] })
}

pub fn item(n: u128, quantity: i32) -> Value {
    json!({ "supplied": { "item": id(Kind::Item, n) }, "quantity": quantity })
}

pub fn kit(n: u128, quantity: i32) -> Value {
    json!({ "supplied": { "kit": id(Kind::Kit, n) }, "quantity": quantity })
}

const ALL: &str = "id version class status occurredOn recordedAt peopleReached reachMethod facility { slug } program { slug } \
                   organization { slug } lines { quantity kitVersion item { code } kit { code } items { quantity item { code } } } voided { at }";

both!(
    async fn a_delivery_is_recorded_once(world: &World) {
        let client = world.coordinator();
        let mut recorded = input("one");
        recorded["lines"] = json!([item(SOAP, 40), kit(HYGIENE, 12)]);
        let before = world.counts().await;
        let made = done(&client, "recordDistribution", "distribution", ALL, &recorded).await;
        let expected = json!({ "id": made["id"], "version": 1, "class": "OPERATIONS", "status": "DELIVERED", "occurredOn": "2026-11-19",
            "recordedAt": "2026-11-20T12:00:00.000000Z", "peopleReached": 40, "reachMethod": "COUNTED", "facility": { "slug": "neza" },
            "program": { "slug": "supplies" }, "organization": { "slug": "own" }, "voided": null, "lines": [
                { "quantity": 40, "kitVersion": null, "item": { "code": "SOAP" }, "kit": null, "items": [{ "quantity": 40, "item": { "code": "SOAP" } }] },
                { "quantity": 12, "kitVersion": 2, "item": null, "kit": { "code": "HYGIENE" }, "items": [{ "quantity": 12, "item": { "code": "PADS" } },
                    { "quantity": 60, "item": { "code": "SOAP" } }, { "quantity": 12, "item": { "code": "BOOK" } }] }] });
        assert_eq!(made, expected);
        // What is read later is what was answered.
        let read = ask(&client, &format!("{{ distribution(id: {}) {{ {ALL} }} }}", made["id"])).await;
        assert_eq!(read["distribution"], expected);
        let after = world.counts().await;
        for (table, more) in
            [("distribution", 1), ("distribution_line", 2), ("audit_event", 1), ("idempotency", 1)]
        {
            assert_eq!(after[table], before[table] + more, "{table}");
        }
        assert_eq!(after["(catalog version)"], before["(catalog version)"]);
        let audit = world.audit().await;
        assert_eq!(
            (audit[0].role.as_str(), audit[0].action.as_str(), audit[0].entity.as_str()),
            ("COORDINATOR", "RECORD", "distribution")
        );
        assert_eq!((audit[0].account, audit[0].version), (Some(account(1)), Some(1)));
        // Again, also after its program has ended, and after it has been corrected.
        assert_eq!(done(&client, "recordDistribution", "distribution", ALL, &recorded).await, expected);
        done(
            &client,
            "updateProgram",
            "program",
            "id",
            &json!({ "id": id(Kind::Program, SUPPLIES), "expectedVersion": 1, "status": "CANCELLED" }),
        )
        .await;
        assert_eq!(done(&client, "recordDistribution", "distribution", ALL, &recorded).await, expected);
        done(
            &client,
            "updateDistribution",
            "distribution",
            "id",
            &json!({ "id": made["id"], "expectedVersion": 1, "peopleReached": 41 }),
        )
        .await;
        let again =
            done(&client, "recordDistribution", "distribution", "id version peopleReached", &recorded).await;
        assert_eq!(again, json!({ "id": made["id"], "version": 2, "peopleReached": 41 }));
        let counts = world.counts().await;
        assert_eq!(counts["distribution"], after["distribution"]);
        // Another input, another member.
        done(
            &client,
            "updateProgram",
            "program",
            "id",
            &json!({ "id": id(Kind::Program, SUPPLIES), "expectedVersion": 2, "status": "ACTIVE" }),
        )
        .await;
        let payload = act(
            &client,
            "recordDistribution",
            "distribution",
            "id",
            &with(&recorded, json!({ "peopleReached": 39 })),
        )
        .await;
        assert_eq!(faults(&payload), fault("CONFLICT", "idempotencyKey"));
        let other =
            done(&world.member("coordinator2", "own"), "recordDistribution", "distribution", "id", &recorded)
                .await;
        assert_ne!(other["id"], made["id"]);
    }
);

both!(
    async fn one_key_is_one_row_however_many_ask(world: &World) {
        let client = world.coordinator();
        let before = world.counts().await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let client = client.clone();
            tasks.spawn(async move {
                done(&client, "recordDistribution", "distribution", "id lines { quantity }", &input("same"))
                    .await
                    .to_string()
            });
        }
        let mut made = tasks.join_all().await;
        made.dedup();
        assert_eq!(made.len(), 1);
        let after = world.counts().await;
        for table in ["distribution", "distribution_line", "audit_event", "idempotency"] {
            assert_eq!(after[table], before[table] + 1, "{table}");
        }
    }
);

both!(
    async fn thirty_at_once_are_thirty_rows(world: &World) {
        let client = world.coordinator();
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..30 {
            let client = client.clone();
            tasks.spawn(async move {
                let made =
                    done(&client, "recordDistribution", "distribution", "id", &input(&format!("{n}"))).await;
                made["id"].as_str().unwrap().to_owned()
            });
        }
        let mut ids = tasks.join_all().await;
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 30);
        let mut listed = column(
            &ask(&client, "{ distributions(first: 100) { nodes { id } } }").await["distributions"]["nodes"],
            "id",
        );
        listed.sort();
        assert_eq!(listed, ids);
        assert_eq!(world.counts().await["audit_event"], 30);
    }
);

both!(
    async fn its_class_is_decided_by_what_is_small_or_sensitive(world: &World) {
        let client = world.coordinator();
        let cases = [
            (json!({}), "OPERATIONS"),
            (json!({ "peopleReached": 10, "lines": [item(SOAP, 10)] }), "OPERATIONS"),
            (json!({ "peopleReached": 9 }), "RECORDS"),
            (json!({ "lines": [item(SOAP, 9)] }), "RECORDS"),
            (json!({ "lines": [item(SOAP, 90), kit(HYGIENE, 9)] }), "RECORDS"),
            (json!({ "lines": [with(&item(SOAP, 90), json!({ "peopleReached": 9 }))] }), "RECORDS"),
            (json!({ "lines": [with(&item(SOAP, 90), json!({ "peopleReached": 10 }))] }), "OPERATIONS"),
            (json!({ "lines": [item(SOAP, 90), item(FORMULA, 90)] }), "RECORDS"),
            (json!({ "lines": [kit(MATERNAL, 90)] }), "RECORDS"),
            (json!({ "program": id(Kind::Program, MATERNITY) }), "RECORDS"),
        ];
        let mut operations = 0;
        for (n, (change, class)) in cases.iter().enumerate() {
            let made = done(
                &client,
                "recordDistribution",
                "distribution",
                "id class",
                &with(&input(&format!("{n}")), change.clone()),
            )
            .await;
            assert_eq!(made["class"], json!(class), "{change}");
            operations += usize::from(*class == "OPERATIONS");
            let seen = ask(
                &world.partner(),
                &format!(
                    "{{ distribution(id: {}) {{ id }} distributions(first: 1) {{ totalCount }} }}",
                    made["id"]
                ),
            )
            .await;
            assert_eq!(seen["distribution"].is_null(), *class == "RECORDS", "{change}");
            assert_eq!(seen["distributions"]["totalCount"], json!(operations));
        }
    }
);

both!(
    async fn what_is_wrong_is_said_at_its_field(world: &World) {
        let client = world.coordinator();
        let open = json!({ "idempotencyKey": "draft", "slug": "draft", "name": "D", "country": "MX", "region": "MX-CMX", "kind": "OTHER" });
        let draft = done(&client, "createFacility", "facility", "id", &open).await["id"].clone();
        let many: Vec<Value> = (0..101).map(|_| item(SOAP, 20)).collect();
        let cases = [
            (
                json!({ "facility": id(Kind::Facility, 99) }),
                vec![("NOT_FOUND", "facility"), ("INVALID", "facility")],
            ),
            (json!({ "facility": id(Kind::Facility, 4) }), vec![("INVALID", "facility")]),
            (json!({ "facility": draft }), vec![("INVALID", "facility"), ("INVALID", "facility")]),
            (json!({ "program": id(Kind::Program, THEIRS) }), vec![("NOT_FOUND", "program")]),
            (json!({ "program": id(Kind::Facility, 1) }), vec![("NOT_FOUND", "program")]),
            (json!({ "occurredOn": "2026-11-21" }), vec![("OUT_OF_RANGE", "occurredOn")]),
            (json!({ "occurredOn": "2019-12-31" }), vec![("OUT_OF_RANGE", "occurredOn")]),
            (json!({ "peopleReached": -1 }), vec![("OUT_OF_RANGE", "peopleReached")]),
            (json!({ "peopleReached": 1_000_001 }), vec![("OUT_OF_RANGE", "peopleReached")]),
            (json!({ "lines": [] }), vec![("OUT_OF_RANGE", "lines")]),
            (json!({ "lines": [item(SOAP, 0)] }), vec![("OUT_OF_RANGE", "lines.0.quantity")]),
            (json!({ "lines": [item(SOAP, 20), item(SOAP, 21)] }), vec![("DUPLICATE", "lines.1.supplied")]),
            (
                json!({ "lines": [kit(BATH, 20), with(&kit(BATH, 20), json!({ "kitVersion": 1 }))] }),
                vec![("DUPLICATE", "lines.1.supplied")],
            ),
            (json!({ "lines": [item(99, 20)] }), vec![("NOT_FOUND", "lines.0.supplied")]),
            (
                json!({ "lines": [{ "supplied": { "kit": id(Kind::Item, SOAP) }, "quantity": 20 }] }),
                vec![("NOT_FOUND", "lines.0.supplied")],
            ),
            (
                json!({ "lines": [with(&item(SOAP, 20), json!({ "kitVersion": 1 }))] }),
                vec![("INVALID", "lines.0.supplied")],
            ),
            (
                json!({ "lines": [with(&kit(HYGIENE, 20), json!({ "kitVersion": 3 }))] }),
                vec![("NOT_FOUND", "lines.0.supplied")],
            ),
            (
                json!({ "lines": [with(&item(SOAP, 20), json!({ "peopleReached": 41 }))] }),
                vec![("OUT_OF_RANGE", "lines.0.peopleReached")],
            ),
        ];
        for (change, expected) in cases {
            let payload = act(
                &client,
                "recordDistribution",
                "distribution",
                "id",
                &with(&input("bad"), change.clone()),
            )
            .await;
            let expected: Vec<_> =
                expected.into_iter().map(|(code, field)| (code.to_owned(), field.to_owned())).collect();
            assert_eq!(faults(&payload), expected, "{change}");
            assert_eq!(payload["distribution"], Value::Null);
        }
        let payload = act(
            &client,
            "recordDistribution",
            "distribution",
            "id",
            &with(&input("bad"), json!({ "lines": many })),
        )
        .await;
        assert_eq!(faults(&payload)[0], ("OUT_OF_RANGE".to_owned(), "lines".to_owned()));
        // A plan takes no delivery, and the answer says what to do.
        let supplies = world.literal(Kind::Program, SUPPLIES);
        for (status, word) in [("PLANNED", "set its status to ACTIVE"), ("CANCELLED", "no new deliveries")] {
            world.sql(&format!("UPDATE program SET status = '{status}' WHERE id = {supplies}")).await;
            let payload = act(&client, "recordDistribution", "distribution", "id", &input("bad")).await;
            assert_eq!(faults(&payload), fault("INVALID", "program"));
            assert!(payload["userErrors"][0]["message"].as_str().unwrap().contains(word), "{payload}");
        }
        world.sql(&format!("UPDATE program SET status = 'ACTIVE' WHERE id = {supplies}")).await;
        let before = world.counts().await;
        // An item and a kit at once, or neither, never gets that far.
        for supplied in [
            json!({}),
            json!({ "item": id(Kind::Item, SOAP), "kit": id(Kind::Kit, BATH) }),
            json!({ "item": null }),
        ] {
            let lines = json!([{ "supplied": supplied, "quantity": 20 }]);
            let variables = json!({ "input": with(&input("bad"), json!({ "lines": lines })) });
            client.query(&mutation("recordDistribution", "distribution", "id"), variables).await.errors();
        }
        let checked = act(
            &client,
            "recordDistribution",
            "distribution",
            "id",
            &with(&input("bad"), json!({ "validateOnly": true })),
        )
        .await;
        assert_eq!(checked, json!({ "distribution": null, "userErrors": [] }));
        assert_eq!(world.counts().await, before);
        // The key is still free.
        done(&client, "recordDistribution", "distribution", "id", &input("bad")).await;
    }
);

both!(
    async fn only_who_may_records_and_where(world: &World) {
        let document = mutation("recordDistribution", "distribution", "id");
        let before = world.counts().await;
        for role in ["steward", "admin", "auditor"] {
            let answer = world.member(role, "own").query(&document, json!({ "input": input("x") })).await;
            assert_eq!(answer.code(), "NOT_PERMITTED", "{role}");
        }
        for client in [world.partner(), world.member("donor", "giver"), world.anonymous()] {
            client.query(&document, json!({ "input": input("x") })).await.errors();
        }
        // A program of another organisation is not there.
        let payload = act(
            &world.member("coordinator", "other"),
            "recordDistribution",
            "distribution",
            "id",
            &input("x"),
        )
        .await;
        assert_eq!(faults(&payload), fault("NOT_FOUND", "program"));
        // A field worker at another facility.
        let field = world.member("field", "own");
        let payload = act(
            &field,
            "recordDistribution",
            "distribution",
            "id",
            &with(&input("x"), json!({ "facility": id(Kind::Facility, 2) })),
        )
        .await;
        assert_eq!(faults(&payload), fault("NOT_FOUND", "facility"));
        assert_eq!(world.counts().await, before);
        done(&field, "recordDistribution", "distribution", "id", &input("x")).await;
        assert_eq!(world.audit().await[0].role, "FIELD");
        stop_audit(world).await;
        let before = world.counts().await;
        let answer = world.coordinator().query(&document, json!({ "input": input("y") })).await;
        assert_eq!(answer.code(), "INTERNAL");
        assert_eq!(world.counts().await, before);
    }
);
