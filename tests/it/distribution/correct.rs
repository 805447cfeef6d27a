//! Correcting, verifying and voiding deliveries.

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use super::record::{input, item, kit};
use crate::{
    lifecycle::with,
    seed::account,
    talk::{act, ask, done, fault, faults, mutation},
    world::*,
};

async fn record(world: &World, key: &str, change: Value) -> String {
    let made =
        done(&world.coordinator(), "recordDistribution", "distribution", "id", &with(&input(key), change))
            .await;
    made["id"].as_str().unwrap().to_owned()
}

fn at(id: &str, version: i64) -> Value {
    json!({ "id": id, "expectedVersion": version })
}

const CHANGES: [&str; 3] = ["updateDistribution", "verifyDistribution", "voidDistribution"];

/// An input for one of [`CHANGES`].
fn change(name: &str, id: &str, version: i64) -> Value {
    match name {
        "updateDistribution" => with(&at(id, version), json!({ "reachMethod": "ESTIMATED_OTHER" })),
        "voidDistribution" => with(&at(id, version), json!({ "reason": "DUPLICATE", "note": "dos veces" })),
        _ => at(id, version),
    }
}

both!(
    async fn changes_happen_at_a_version_and_leave_their_trace(world: &World) {
        let second = world.member("coordinator2", "own");
        for name in CHANGES {
            let made = record(world, name, json!({})).await;
            for wrong in [0, 2, -1, i64::from(i32::MAX), i64::from(i32::MIN)] {
                let payload =
                    act(&second, name, "distribution", "id version", &change(name, &made, wrong)).await;
                assert_eq!(faults(&payload), fault("CONFLICT", "expectedVersion"), "{name}");
                assert_eq!(payload["distribution"], json!({ "id": made, "version": 1 }));
            }
            let before = world.counts().await;
            let check = with(&change(name, &made, 1), json!({ "validateOnly": true }));
            let checked = done(&second, name, "distribution", "version status", &check).await;
            assert_eq!(checked, json!({ "version": 1, "status": "DELIVERED" }));
            assert_eq!(world.counts().await, before);
            // Two at once: one wins.
            let input = change(name, &made, 1);
            let (a, b) = tokio::join!(
                act(&second, name, "distribution", "version", &input),
                act(&second, name, "distribution", "version", &input)
            );
            let won: Vec<&Value> =
                [&a, &b].into_iter().filter(|payload| faults(payload).is_empty()).collect();
            assert_eq!(won.len(), 1, "{name}: {a} {b}");
            assert_eq!(won[0]["distribution"]["version"], json!(2));
            let after = world.counts().await;
            assert_eq!(after["audit_event"], before["audit_event"] + 1, "{name}");
            let action = match name {
                "updateDistribution" => "CORRECT",
                "verifyDistribution" => "VERIFY",
                _ => "VOID",
            };
            let audit = world.audit().await;
            let trace: Vec<_> = audit.iter().filter(|row| row.action == action).collect();
            assert_eq!(trace.len(), 1, "{name}");
            let trace = trace[0];
            assert_eq!(
                (trace.version, trace.entity_id),
                (Some(2), api::id::GlobalId::parse(&made).unwrap().id)
            );
            assert_eq!(
                (trace.entity.as_str(), trace.role.as_str(), trace.account),
                ("distribution", "COORDINATOR", Some(account(2)))
            );
        }
    }
);

both!(
    async fn a_correction_keeps_what_is_absent(world: &World) {
        let client = world.coordinator();
        let made = record(world, "a", json!({ "lines": [item(SOAP, 40), kit(HYGIENE, 20)] })).await;
        let selection = "version status occurredOn peopleReached reachMethod lines { quantity kitVersion item { code } kit { code } }";
        let first = done(
            &client,
            "updateDistribution",
            "distribution",
            selection,
            &with(&at(&made, 1), json!({ "reachMethod": "ESTIMATED_PER_KIT" })),
        )
        .await;
        let lines = json!([{ "quantity": 40, "kitVersion": null, "item": { "code": "SOAP" }, "kit": null },
            { "quantity": 20, "kitVersion": 2, "item": null, "kit": { "code": "HYGIENE" } }]);
        assert_eq!(
            first,
            json!({ "version": 2, "status": "DELIVERED", "occurredOn": "2026-11-19", "peopleReached": 40, "reachMethod": "ESTIMATED_PER_KIT", "lines": lines })
        );
        let new = json!({ "occurredOn": "2025-12-31", "lines": [kit(HYGIENE, 30)] });
        let second =
            done(&client, "updateDistribution", "distribution", selection, &with(&at(&made, 2), new)).await;
        let lines = json!([{ "quantity": 30, "kitVersion": 1, "item": null, "kit": { "code": "HYGIENE" } }]);
        assert_eq!(
            second,
            json!({ "version": 3, "status": "DELIVERED", "occurredOn": "2025-12-31", "peopleReached": 40, "reachMethod": "ESTIMATED_PER_KIT", "lines": lines })
        );
        let before = world.counts().await;
        for (change, code, field) in [
            (json!({ "occurredOn": "2026-11-21" }), "OUT_OF_RANGE", "occurredOn"),
            (json!({ "occurredOn": "2019-01-01" }), "OUT_OF_RANGE", "occurredOn"),
            (json!({ "peopleReached": -1 }), "OUT_OF_RANGE", "peopleReached"),
            (json!({ "lines": [] }), "OUT_OF_RANGE", "lines"),
            (
                json!({ "lines": [with(&item(SOAP, 50), json!({ "peopleReached": 41 }))] }),
                "OUT_OF_RANGE",
                "lines.0.peopleReached",
            ),
        ] {
            let payload = act(
                &client,
                "updateDistribution",
                "distribution",
                "id",
                &with(&at(&made, 3), change.clone()),
            )
            .await;
            assert_eq!(faults(&payload), fault(code, field), "{change}");
        }
        assert_eq!(world.counts().await, before);
    }
);

both!(
    async fn no_correction_changes_the_class(world: &World) {
        let client = world.coordinator();
        let (shown, hidden) = (
            record(world, "shown", json!({})).await,
            record(world, "hidden", json!({ "peopleReached": 5, "lines": [item(SOAP, 5)] })).await,
        );
        let listed = "{ distributions(first: 9) { totalCount nodes { id peopleReached reachMethod lines { quantity } } } }";
        let small = json!({ "peopleReached": 3, "lines": [item(SOAP, 3)] });
        let large = json!({ "peopleReached": 300, "lines": [item(SOAP, 300)] });
        for (made, change, class) in [(&shown, small, "OPERATIONS"), (&hidden, large, "RECORDS")] {
            let after =
                done(&client, "updateDistribution", "distribution", "class", &with(&at(made, 1), change))
                    .await;
            assert_eq!(after["class"], json!(class));
        }
        let row = json!({ "id": shown, "peopleReached": null, "reachMethod": null, "lines": [] });
        assert_eq!(
            ask(&world.partner(), listed).await["distributions"],
            json!({ "totalCount": 1, "nodes": [row] })
        );
        let back = json!({ "peopleReached": 30, "lines": [item(SOAP, 30), item(BOOK, 4)] });
        done(&client, "updateDistribution", "distribution", "class", &with(&at(&shown, 2), back)).await;
        let row = json!({ "id": shown, "peopleReached": 30, "reachMethod": "COUNTED", "lines": [{ "quantity": 30 }] });
        assert_eq!(
            ask(&world.partner(), listed).await["distributions"],
            json!({ "totalCount": 1, "nodes": [row] })
        );
        // Sensitive goods go on a delivery of their own.
        let before = world.counts().await;
        for lines in [json!([item(SOAP, 30), item(FORMULA, 30)]), json!([item(SOAP, 30), kit(MATERNAL, 30)])]
        {
            let payload = act(
                &client,
                "updateDistribution",
                "distribution",
                "id",
                &with(&at(&shown, 3), json!({ "lines": lines })),
            )
            .await;
            assert_eq!(faults(&payload), fault("NOT_PERMITTED", "lines.1"));
        }
        assert_eq!(world.counts().await, before);
        let lines = json!({ "lines": [item(FORMULA, 30)] });
        done(&client, "updateDistribution", "distribution", "class", &with(&at(&hidden, 2), lines)).await;
        // An item that becomes sensitive later changes no row that is there, and none that is new is shown.
        let sensitive =
            json!({ "id": id(Kind::Item, SOAP), "expectedVersion": 1, "sensitivity": "SENSITIVE" });
        done(&client, "updateItem", "item", "id", &sensitive).await;
        assert_eq!(ask(&world.partner(), listed).await["distributions"]["totalCount"], json!(1));
        let new = done(&client, "recordDistribution", "distribution", "class", &input("new")).await;
        assert_eq!(new["class"], json!("RECORDS"));
        // Of a kit that holds it too.
        let new = done(
            &client,
            "recordDistribution",
            "distribution",
            "class",
            &with(&input("kit"), json!({ "lines": [kit(BATH, 40)] })),
        )
        .await;
        assert_eq!(new["class"], json!("RECORDS"));
    }
);

both!(
    async fn who_recorded_does_not_verify(world: &World) {
        let made = record(world, "a", json!({})).await;
        let before = world.counts().await;
        let payload =
            act(&world.coordinator(), "verifyDistribution", "distribution", "id", &at(&made, 1)).await;
        assert_eq!(faults(&payload), fault("NOT_PERMITTED", "id"));
        assert_eq!(payload["distribution"], Value::Null);
        assert_eq!(world.counts().await, before);
        let verified = done(
            &world.member("steward", "own"),
            "verifyDistribution",
            "distribution",
            "status version",
            &at(&made, 1),
        )
        .await;
        assert_eq!(verified, json!({ "status": "VERIFIED", "version": 2 }));
        // A correction takes the confirmation away.
        let corrected = done(
            &world.coordinator(),
            "updateDistribution",
            "distribution",
            "status",
            &with(&at(&made, 2), json!({ "peopleReached": 50 })),
        )
        .await;
        assert_eq!(corrected["status"], json!("DELIVERED"));
    }
);

both!(
    async fn what_is_void_stays_void(world: &World) {
        let client = world.coordinator();
        let made = record(world, "a", json!({})).await;
        let payload = act(
            &client,
            "voidDistribution",
            "distribution",
            "id",
            &with(&at(&made, 1), json!({ "reason": "RETURNED", "note": "n".repeat(501) })),
        )
        .await;
        assert_eq!(faults(&payload), fault("INVALID", "note"));
        let note = json!({ "reason": "NOT_DELIVERED", "note": "no llegó" });
        let voided = done(
            &client,
            "voidDistribution",
            "distribution",
            "status voided { reason note at }",
            &with(&at(&made, 1), note),
        )
        .await;
        let at_now = "2026-11-20T12:00:00.000000Z";
        assert_eq!(
            voided,
            json!({ "status": "VOIDED", "voided": { "reason": "NOT_DELIVERED", "note": "no llegó", "at": at_now } })
        );
        for name in CHANGES {
            let payload = act(
                &world.member("coordinator2", "own"),
                name,
                "distribution",
                "id",
                &change(name, &made, 2),
            )
            .await;
            assert_eq!(faults(&payload), fault("INVALID", "id"), "{name}");
        }
        // Partners see that it is void and why, not the note, and it counts no more.
        let document = format!(
            "{{ distribution(id: \"{made}\") {{ status voided {{ reason at }} }} distributionStats(groupBy: [FACILITY], first: 1) {{ rows {{ deliveries }} }} }}"
        );
        let seen = ask(&world.partner(), &document).await;
        assert_eq!(
            seen["distribution"],
            json!({ "status": "VOIDED", "voided": { "reason": "NOT_DELIVERED", "at": at_now } })
        );
        assert_eq!(seen["distributionStats"]["rows"], json!([]));
        world
            .partner()
            .query(&format!("{{ distribution(id: \"{made}\") {{ voided {{ note }} }} }}"), Value::Null)
            .await
            .errors();
        world
            .partner()
            .query(&format!("{{ distribution(id: \"{made}\") {{ version }} }}"), Value::Null)
            .await
            .errors();
    }
);

both!(
    async fn only_who_may_changes_and_others_find_nothing(world: &World) {
        let made = record(world, "a", json!({ "facility": id(Kind::Facility, 2) })).await;
        let before = world.counts().await;
        for name in CHANGES {
            let document = mutation(name, "distribution", "id");
            for role in ["field", "steward", "admin", "auditor"] {
                if (name, role) == ("verifyDistribution", "steward") {
                    continue;
                }
                let answer = world
                    .member(role, "own")
                    .query(&document, json!({ "input": change(name, &made, 1) }))
                    .await;
                assert_eq!(answer.code(), "NOT_PERMITTED", "{name} as {role}");
            }
            for (client, there) in [
                (world.member("coordinator", "other"), made.clone()),
                (world.coordinator(), id(Kind::Distribution, 999_999)),
                (world.coordinator(), id(Kind::Facility, 1)),
            ] {
                let payload = act(&client, name, "distribution", "id", &change(name, &there, 1)).await;
                assert_eq!(faults(&payload), fault("NOT_FOUND", "id"), "{name}");
                assert_eq!(payload["distribution"], Value::Null);
            }
        }
        assert_eq!(world.counts().await, before);
    }
);

both!(
    async fn what_was_on_a_delivery_may_stay_when_it_is_archived(world: &World) {
        let client = world.coordinator();
        let lines = json!([item(SOAP, 40), kit(HYGIENE, 20)]);
        let made = record(world, "a", json!({ "lines": lines })).await;
        for (name, subject, entry) in [
            ("archiveItem", "item", id(Kind::Item, SOAP)),
            ("archiveItem", "item", id(Kind::Item, PADS)),
            ("archiveKit", "kit", id(Kind::Kit, HYGIENE)),
            ("archiveFacility", "facility", id(Kind::Facility, 1)),
            ("archiveProgram", "program", id(Kind::Program, SUPPLIES)),
        ] {
            done(&client, name, subject, "id", &json!({ "id": entry, "expectedVersion": 1 })).await;
        }
        let change = json!({ "occurredOn": "2026-11-18", "lines": [item(SOAP, 41), kit(HYGIENE, 21)] });
        let correct = with(&at(&made, 1), change);
        done(&client, "updateDistribution", "distribution", "id", &correct).await;
        let add = with(&at(&made, 2), json!({ "lines": [item(SOAP, 41), item(PADS, 30)] }));
        let payload = act(&client, "updateDistribution", "distribution", "id", &add).await;
        assert_eq!(faults(&payload), fault("NOT_FOUND", "lines.1.supplied"));
        // Nothing new is recorded there.
        let payload = act(&client, "recordDistribution", "distribution", "id", &input("new")).await;
        let expected = [("NOT_FOUND", "facility"), ("INVALID", "program"), ("NOT_FOUND", "lines.0.supplied")];
        assert_eq!(faults(&payload), expected.map(|(code, field)| (code.to_owned(), field.to_owned())));
    }
);
