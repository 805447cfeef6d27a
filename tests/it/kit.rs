//! Kits and their versions.

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use crate::{
    lifecycle::{Entry, with},
    talk::{act, ask, done, fault, faults},
    world::*,
};

fn input(code: &str) -> Value {
    json!({ "code": code, "name": words("Kit"), "validFrom": "2026-01-01",
        "contents": [{ "item": id(Kind::Item, SOAP), "quantity": 2 }, { "item": id(Kind::Item, PADS), "quantity": 1 }] })
}

both!(
    async fn lives(world: &World) {
        let entry = Entry {
            name: "Kit",
            create: input("NEW"),
            other: input("NEW-2"),
            update: json!({ "name": words("Otro") }),
            selection: "code sensitivity name { text } versions { number validFrom contents { quantity item { code } } }",
            updated: json!({ "code": "NEW", "name": { "text": "Otro" }, "sensitivity": "GENERAL", "versions": [{ "number": 1,
                "validFrom": "2026-01-01", "contents": [{ "quantity": 2, "item": { "code": "SOAP" } }, { "quantity": 1, "item": { "code": "PADS" } }] }] }),
            publishes: true,
            steward_publishes: true,
            role: "coordinator",
            role_name: "COORDINATOR",
            account: 1,
            without_right: &["field", "steward", "admin", "auditor"],
        };
        entry.live(world).await;
    }
);

fn version(kit: u128, expected: i32, key: &str, from: &str, item: u128) -> Value {
    json!({ "idempotencyKey": key, "kit": id(Kind::Kit, kit), "expectedVersion": expected, "validFrom": from,
        "contents": [{ "item": id(Kind::Item, item), "quantity": 9 }] })
}

const NUMBERS: &str = "version versions { number validFrom } currentVersion { number }";

both!(
    async fn a_new_version_takes_over_from_its_day(world: &World) {
        let client = world.coordinator();
        let input = version(BATH, 1, "v2", "2026-12-01", BOOK);
        let made = done(&client, "createKitVersion", "kit", NUMBERS, &input).await;
        let versions =
            json!([{ "number": 1, "validFrom": "2020-01-01" }, { "number": 2, "validFrom": "2026-12-01" }]);
        assert_eq!(made, json!({ "version": 2, "versions": versions, "currentVersion": { "number": 1 } }));
        let before = world.counts().await;
        assert_eq!(done(&client, "createKitVersion", "kit", NUMBERS, &input).await, made);
        assert_eq!(world.counts().await, before);
        let payload =
            act(&client, "createKitVersion", "kit", "version", &version(BATH, 1, "v2", "2026-12-02", BOOK))
                .await;
        assert_eq!(faults(&payload), fault("CONFLICT", "idempotencyKey"));
        let payload =
            act(&client, "createKitVersion", "kit", "version", &version(BATH, 1, "v3", "2026-12-02", BOOK))
                .await;
        assert_eq!(faults(&payload), fault("CONFLICT", "expectedVersion"));
        assert_eq!(payload["kit"], json!({ "version": 2 }));
        for (input, code, field) in [
            (version(BATH, 2, "k", "2026-12-01", BOOK), "OUT_OF_RANGE", "validFrom"),
            (version(BATH, 2, "k", "2027-12-01", 99), "NOT_FOUND", "contents.0.item"),
            (version(99, 2, "k", "2027-12-01", BOOK), "NOT_FOUND", "kit"),
            (
                with(
                    &version(BATH, 2, "k", "2027-12-01", BOOK),
                    json!({ "contents": [{ "item": id(Kind::Item, BOOK), "quantity": 1 }, { "item": id(Kind::Item, SOAP), "quantity": 1 },
                        { "item": id(Kind::Item, BOOK), "quantity": 2 }] }),
                ),
                "DUPLICATE",
                "contents.2.item",
            ),
            (
                with(&version(BATH, 2, "k", "2027-12-01", BOOK), json!({ "contents": [] })),
                "OUT_OF_RANGE",
                "contents",
            ),
        ] {
            let payload = act(&client, "createKitVersion", "kit", "id", &input).await;
            assert_eq!(faults(&payload), fault(code, field), "{input}");
            assert_eq!(payload["kit"], Value::Null);
        }
        let payload = act(
            &world.member("coordinator", "other"),
            "createKitVersion",
            "kit",
            "id",
            &version(BATH, 2, "k", "2027-12-01", BOOK),
        )
        .await;
        assert_eq!(faults(&payload), fault("NOT_FOUND", "kit"));
        let check = with(&version(BATH, 2, "k", "2027-12-01", BOOK), json!({ "validateOnly": true }));
        act(&client, "createKitVersion", "kit", "id", &check).await;
        assert_eq!(world.counts().await, before);
        // Two at once: one wins.
        let (a, b) = (version(BATH, 2, "a", "2027-12-01", BOOK), version(BATH, 2, "b", "2027-12-01", SOAP));
        let (a, b) = tokio::join!(
            act(&client, "createKitVersion", "kit", NUMBERS, &a),
            act(&client, "createKitVersion", "kit", NUMBERS, &b)
        );
        assert_eq!([&a, &b].iter().filter(|payload| faults(payload).is_empty()).count(), 1, "{a} {b}");
        // A delivery takes the version that is valid on its day, and lists explode it.
        world.set_now("2026-12-05T12:00:00Z");
        for (day, number, item) in [("2026-11-30", 1, "SOAP"), ("2026-12-01", 2, "BOOK")] {
            let input = json!({ "idempotencyKey": day, "facility": id(Kind::Facility, 1), "program": id(Kind::Program, SUPPLIES),
                "occurredOn": day, "peopleReached": 20, "reachMethod": "COUNTED",
                "lines": [{ "supplied": { "kit": id(Kind::Kit, BATH) }, "quantity": 20 }] });
            let made = done(
                &world.coordinator(),
                "recordDistribution",
                "distribution",
                "lines { kitVersion items { item { code } } }",
                &input,
            )
            .await;
            assert_eq!(
                made["lines"],
                json!([{ "kitVersion": number, "items": [{ "item": { "code": item } }] }])
            );
        }
    }
);

both!(
    async fn changes_of_sensitive_kits_reach_outsiders_with_the_next_quarter(world: &World) {
        let list = "{ kits(first: 9) { nodes { code sensitivity name { text } versions { number contents { item { code } } } currentVersion { number } } } }";
        let before = ask(&world.anonymous(), list).await;
        // A general kit gets a version with something sensitive in it; a sensitive one gets a name.
        done(
            &world.coordinator(),
            "createKitVersion",
            "kit",
            "id",
            &version(BATH, 1, "s", "2026-11-01", FORMULA),
        )
        .await;
        let rename =
            json!({ "id": id(Kind::Kit, MATERNAL), "expectedVersion": 1, "name": words("Otro nombre") });
        done(&world.coordinator(), "updateKit", "kit", "id", &rename).await;
        done(
            &world.coordinator(),
            "archiveKit",
            "kit",
            "id",
            &json!({ "id": id(Kind::Kit, MATERNAL), "expectedVersion": 2 }),
        )
        .await;
        for now in ["2026-11-20T12:00:00Z", "2026-12-31T23:59:59Z"] {
            world.set_now(now);
            for client in [world.anonymous(), world.partner(), world.member("coordinator", "other")] {
                assert_eq!(ask(&client, list).await, before, "{now}");
            }
        }
        world.set_now("2027-01-01T00:00:00Z");
        let after = ask(&world.anonymous(), list).await;
        let bath = json!({ "code": "BATH", "sensitivity": "SENSITIVE", "name": { "text": "Kit BATH" },
            "versions": [{ "number": 1, "contents": [{ "item": { "code": "SOAP" } }] }, { "number": 2, "contents": [{ "item": { "code": "FORMULA" } }] }],
            "currentVersion": { "number": 2 } });
        assert_eq!(after["kits"]["nodes"][0], bath);
        assert_eq!(after["kits"]["nodes"].as_array().unwrap().len(), 2);
    }
);

both!(
    async fn an_archived_kit_gets_no_version(world: &World) {
        let client = world.coordinator();
        let first = version(BATH, 1, "v2", "2026-12-01", BOOK);
        let made = done(&client, "createKitVersion", "kit", "id", &first).await;
        // What was asked before is answered as before, whatever has happened to the kit and to its items.
        for (name, subject, entry, expected) in
            [("archiveKit", "kit", id(Kind::Kit, BATH), 2), ("archiveItem", "item", id(Kind::Item, BOOK), 1)]
        {
            done(&client, name, subject, "id", &json!({ "id": entry, "expectedVersion": expected })).await;
        }
        assert_eq!(done(&client, "createKitVersion", "kit", "id", &first).await, made);
        let next = version(BATH, 3, "v3", "2027-12-01", SOAP);
        let payload = act(&client, "createKitVersion", "kit", "id", &next).await;
        assert_eq!(faults(&payload), fault("INVALID", "kit"));
    }
);
