//! Items.

use api::id::Kind;
use serde_json::{Value, json};
use tests::{Client, both};

use crate::{
    lifecycle::{Entry, with},
    talk::{act, ask, column, done, fault, faults},
    world::*,
};

fn input(code: &str) -> Value {
    json!({ "code": code, "name": words("Cobija"), "unit": "piece", "sensitivity": "GENERAL" })
}

both!(
    async fn lives(world: &World) {
        let entry = Entry {
            name: "Item",
            create: input("BLANKET"),
            other: input("BLANKET-2"),
            update: json!({ "name": words("Manta"), "unit": null }),
            selection: "code unit sensitivity name { text }",
            updated: json!({ "code": "BLANKET", "name": { "text": "Manta" }, "unit": "piece", "sensitivity": "GENERAL" }),
            publishes: true,
            steward_publishes: true,
            role: "coordinator",
            role_name: "COORDINATOR",
            account: 1,
            without_right: &["field", "steward", "admin", "auditor"],
        };
        entry.live(world).await;
        let taken = with(&input("SOAP"), json!({ "idempotencyKey": "taken" }));
        // The audit is stopped by now, but a code that is taken is found before it.
        let payload = act(&world.coordinator(), "createItem", "item", "id", &taken).await;
        assert_eq!(faults(&payload), fault("DUPLICATE", "code"));
    }
);

both!(
    async fn a_key_is_its_members_own(world: &World) {
        let input = |code: &str| with(&input(code), json!({ "idempotencyKey": "mine" }));
        let first = done(&world.coordinator(), "createItem", "item", "id", &input("A")).await;
        let second =
            done(&world.member("coordinator2", "own"), "createItem", "item", "id", &input("B")).await;
        assert_ne!(first["id"], second["id"]);
        let third = done(
            &world.member("coordinator", "other"),
            "createItem",
            "item",
            "id organization { slug }",
            &input("A"),
        )
        .await;
        assert_eq!(third["organization"]["slug"], json!("other"));
        assert_eq!(done(&world.coordinator(), "createItem", "item", "id", &input("A")).await, first);
        // The same key for another mutation is another input.
        let facility = json!({ "idempotencyKey": "mine", "slug": "nuevo", "name": "N", "country": "MX", "region": "MX-CMX", "kind": "OTHER" });
        let payload = act(&world.coordinator(), "createFacility", "facility", "id", &facility).await;
        assert_eq!(faults(&payload), fault("CONFLICT", "idempotencyKey"));
    }
);

both!(
    async fn a_fault_in_one_mutation_leaves_the_others_answer(world: &World) {
        let document = "mutation($a: CreateItemInput!, $b: CreateAgreementInput!, $c: CreateItemInput!) { \
            first: createItem(input: $a) { item { code } userErrors { code } } \
            second: createAgreement(input: $b) { agreement { id } userErrors { code } } \
            third: createItem(input: $c) { item { code } userErrors { code } } }";
        let agreement = json!({ "idempotencyKey": "b", "title": "T", "partners": [id(Kind::Organization, ALLY)],
            "startsOn": "2026-01-01", "timeZone": "UTC", "shares": ["DISTRIBUTIONS"] });
        let variables = json!({ "a": with(&input("A"), json!({ "idempotencyKey": "a" })), "b": agreement,
            "c": with(&input("C"), json!({ "idempotencyKey": "c" })) });
        let answer = world.coordinator().query(document, variables).await;
        assert_eq!(answer.code(), "NOT_PERMITTED");
        assert_eq!(answer.json()["errors"][0]["path"], json!(["second"]));
        let expected = json!({ "first": { "item": { "code": "A" }, "userErrors": [] }, "second": null,
            "third": { "item": { "code": "C" }, "userErrors": [] } });
        assert_eq!(answer.json()["data"], expected);
        // A value that cannot be is found before anything runs.
        let before = world.counts().await;
        let document = "mutation { a: createItem(input: { idempotencyKey: \"z\", code: \"Z\", unit: \"u\", sensitivity: GENERAL, \
            name: { original: \"es\", translations: [{ lang: \"es\", text: \"Z\" }] } }) { item { id } } \
            b: updateItem(input: { id: 5.5, expectedVersion: \"x\" }) { item { id } } }";
        world.coordinator().query(document, Value::Null).await.errors();
        assert_eq!(world.counts().await, before);
    }
);

async fn seen(client: &Client, item: &str) -> Value {
    let document = format!(
        "{{ node(id: \"{item}\") {{ ... on Item {{ code unit sensitivity name {{ text }} }} }} \
         all: items(first: 50, orderBy: {{ field: NAME, direction: ASC }}) {{ nodes {{ code sensitivity name {{ text }} }} }} \
         old: items(first: 50, filter: {{ search: \"FORMULA (en)\" }}) {{ nodes {{ code }} }} \
         new: items(first: 50, filter: {{ search: \"leche\" }}) {{ nodes {{ code }} }} \
         sensitive: items(first: 50, filter: {{ sensitivity: [SENSITIVE] }}, orderBy: {{ field: CODE, direction: ASC }}) {{ nodes {{ code }} }} \
         kits(first: 50) {{ nodes {{ code sensitivity name {{ text }} versions {{ number contents {{ item {{ code unit name {{ text }} }} quantity }} }} }} }} }}"
    );
    ask(client, &document).await
}

both!(
    async fn changes_of_sensitive_items_reach_outsiders_with_the_next_quarter(world: &World) {
        let item = id(Kind::Item, FORMULA);
        let soap = id(Kind::Item, SOAP);
        let before = seen(&world.anonymous(), &item).await;
        assert_eq!(column(&before["old"]["nodes"], "code"), ["FORMULA"]);
        let change = json!({ "id": item, "expectedVersion": 1, "name": words("Leche"), "unit": "can" });
        done(&world.coordinator(), "updateItem", "item", "id", &change).await;
        // A general one becomes sensitive, and with it every kit that holds it.
        let change = json!({ "id": soap, "expectedVersion": 1, "sensitivity": "SENSITIVE" });
        done(&world.coordinator(), "updateItem", "item", "id", &change).await;
        for now in ["2026-11-20T12:00:00Z", "2026-12-31T23:59:59Z"] {
            world.set_now(now);
            for client in [world.anonymous(), world.partner(), world.member("coordinator", "other")] {
                assert_eq!(seen(&client, &item).await, before, "{now}");
            }
        }
        let own = seen(&world.coordinator(), &item).await;
        assert_eq!(column(&own["kits"]["nodes"], "sensitivity"), ["SENSITIVE"; 3]);
        world.set_now("2027-01-01T00:00:00Z");
        let after = seen(&world.anonymous(), &item).await;
        assert_eq!(
            after["node"],
            json!({ "code": "FORMULA", "unit": "can", "sensitivity": "SENSITIVE", "name": { "text": "Leche" } })
        );
        assert_eq!(after["old"]["nodes"], json!([]));
        assert_eq!(column(&after["new"]["nodes"], "code"), ["FORMULA"]);
        assert_eq!(column(&after["sensitive"]["nodes"], "code"), ["FORMULA", "SOAP"]);
        assert_eq!(column(&after["kits"]["nodes"], "sensitivity"), ["SENSITIVE"; 3]);
        // Archived, it leaves lists with the quarter after.
        done(&world.coordinator(), "archiveItem", "item", "id", &json!({ "id": item, "expectedVersion": 2 }))
            .await;
        assert_eq!(seen(&world.anonymous(), &item).await, after);
        assert_eq!(seen(&world.coordinator(), &item).await["new"]["nodes"], json!([]));
        world.set_now("2027-04-01T00:00:00Z");
        assert_eq!(seen(&world.anonymous(), &item).await["new"]["nodes"], json!([]));
    }
);

both!(
    async fn a_new_sensitive_item_appears_with_the_next_quarter(world: &World) {
        let create = with(
            &input("MILK"),
            json!({ "idempotencyKey": "s", "sensitivity": "SENSITIVE", "name": words("Leche") }),
        );
        let made = done(&world.coordinator(), "createItem", "item", "id", &create).await;
        let item = made["id"].as_str().unwrap();
        let before = seen(&world.anonymous(), item).await;
        assert_eq!(before["node"], Value::Null);
        done(&world.coordinator(), "publishItem", "item", "id", &json!({ "id": item, "expectedVersion": 1 }))
            .await;
        world.set_now("2026-12-31T23:59:59Z");
        assert_eq!(seen(&world.anonymous(), item).await, before);
        world.set_now("2027-01-01T00:00:00Z");
        assert_eq!(seen(&world.anonymous(), item).await["node"]["code"], json!("MILK"));
        // To publish it again hides nothing.
        done(&world.coordinator(), "publishItem", "item", "id", &json!({ "id": item, "expectedVersion": 2 }))
            .await;
        assert_eq!(seen(&world.anonymous(), item).await["node"]["code"], json!("MILK"));
    }
);

both!(
    async fn a_kit_that_becomes_sensitive_shows_it_in_its_owners_trace(world: &World) {
        // A kit of another organisation holds the item as well.
        let contents = json!([{ "item": id(Kind::Item, SOAP), "quantity": 1 }]);
        let create = json!({ "idempotencyKey": "k", "code": "THEIRS", "name": words("Kit"), "validFrom": "2026-01-01", "contents": contents });
        let theirs = world.member("coordinator", "other");
        let kit = done(&theirs, "createKit", "kit", "id", &create).await["id"].clone();
        let change = json!({ "id": id(Kind::Item, SOAP), "expectedVersion": 1, "sensitivity": "SENSITIVE" });
        done(&world.coordinator(), "updateItem", "item", "id", &change).await;
        let audit = world.audit().await;
        let mut traces: Vec<_> = audit
            .iter()
            .filter(|row| row.entity == "kit" && row.action == "UPDATE")
            .map(|row| (row.organization, row.entity_id, row.version, row.account))
            .collect();
        traces.sort();
        let kit_id = api::id::GlobalId::parse(kit.as_str().unwrap()).unwrap().id;
        let mut expected: Vec<_> =
            [(OWN, uuid(Kind::Kit, HYGIENE)), (OWN, uuid(Kind::Kit, BATH)), (OTHER, kit_id)]
                .map(|(owner, kit)| {
                    (uuid(Kind::Organization, owner), kit, Some(2), Some(crate::seed::account(1)))
                })
                .into();
        expected.sort();
        assert_eq!(traces, expected);
        // Who has read the kit before is told that it has changed.
        let update = json!({ "id": kit, "expectedVersion": 1, "name": words("Otro") });
        let payload = act(&theirs, "updateKit", "kit", "version sensitivity", &update).await;
        assert_eq!(faults(&payload), fault("CONFLICT", "expectedVersion"));
        assert_eq!(payload["kit"], json!({ "version": 2, "sensitivity": "SENSITIVE" }));
        // A change that is refused leaves the kits alone.
        let stale = json!({ "id": id(Kind::Item, PADS), "expectedVersion": 7, "sensitivity": "SENSITIVE" });
        let before = world.counts().await;
        act(&world.coordinator(), "updateItem", "item", "id", &stale).await;
        assert_eq!(world.counts().await, before);
    }
);
