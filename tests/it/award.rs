//! Grants of money and gifts in kind.

use api::id::Kind;
use serde_json::{Value, json};
use tests::{Client, both};

use crate::{
    lifecycle::{Entry, with},
    talk::{act, ask, column, done, fault, faults},
    world::*,
};

fn award(donor: u128, awarded: &str) -> Value {
    json!({ "donor": id(Kind::Organization, donor), "title": words("Fondo"), "amount": { "amount": "9007199254740993", "currency": "CLP" },
        "awardedOn": awarded, "startsOn": "2026-01-01", "endsOn": "2026-12-31", "programs": [id(Kind::Program, SUPPLIES)] })
}

fn gift(donor: u128, received: &str) -> Value {
    json!({ "donor": id(Kind::Organization, donor), "receivedOn": received, "value": { "amount": "100", "currency": "MXN" },
        "programs": [id(Kind::Program, SUPPLIES)], "lines": [
            { "supplied": { "item": id(Kind::Item, SOAP) }, "quantity": 50 }, { "supplied": { "kit": id(Kind::Kit, HYGIENE) }, "quantity": 5 }] })
}

const WITHOUT: &[&str] = &["field", "steward", "admin", "auditor"];

both!(
    async fn awards_live(world: &World) {
        let entry = Entry {
            name: "Award",
            create: award(GIVER, "2026-01-01"),
            other: award(GIVER, "2026-02-01"),
            update: json!({ "title": words("Otro"), "endsOn": null, "programs": [id(Kind::Program, WORKSHOP)] }),
            selection: "title { text } endsOn startsOn amount { amount currency } programs { slug } donor { slug }",
            updated: json!({ "title": { "text": "Otro" }, "endsOn": null, "startsOn": "2026-01-01", "programs": [{ "slug": "workshop" }],
                "amount": { "amount": "9007199254740993", "currency": "CLP" }, "donor": { "slug": "giver" } }),
            publishes: true,
            steward_publishes: false,
            role: "coordinator",
            role_name: "COORDINATOR",
            account: 1,
            without_right: WITHOUT,
        };
        entry.live(world).await;
    }
);

both!(
    async fn gifts_live(world: &World) {
        let entry = Entry {
            name: "Gift",
            create: gift(GIVER, "2026-01-01"),
            other: gift(GIVER, "2026-02-01"),
            update: Value::Null,
            selection: "receivedOn value { amount } lines { quantity kitVersion item { code } kit { code } }",
            updated: Value::Null,
            publishes: true,
            steward_publishes: false,
            role: "coordinator",
            role_name: "COORDINATOR",
            account: 1,
            without_right: WITHOUT,
        };
        entry.live(world).await;
    }
);

async fn seen(client: &Client, award: &str, gift: &str) -> Value {
    let document = format!(
        "{{ awards(first: 9) {{ totalCount nodes {{ id }} }} gifts(first: 9) {{ totalCount nodes {{ id }} }} \
         a: node(id: \"{award}\") {{ id }} g: node(id: \"{gift}\") {{ id }} }}"
    );
    ask(client, &document).await
}

both!(
    async fn donors_see_their_own_once_published(world: &World) {
        let client = world.coordinator();
        let key = |input: Value| with(&input, json!({ "idempotencyKey": input["donor"] }));
        let made = |object: Value| object["id"].as_str().unwrap().to_owned();
        let award = made(done(&client, "createAward", "award", "id", &key(award(GIVER, "2026-01-01"))).await);
        let gift_key = |input: Value| with(&input, json!({ "idempotencyKey": "gift" }));
        let gift =
            made(done(&client, "createGift", "gift", "id", &gift_key(gift(GIVER, "2026-01-01"))).await);
        let nothing = json!({ "awards": { "totalCount": 0, "nodes": [] }, "gifts": { "totalCount": 0, "nodes": [] }, "a": null, "g": null });
        let all = json!({ "awards": { "totalCount": 1, "nodes": [{ "id": award }] }, "gifts": { "totalCount": 1, "nodes": [{ "id": gift }] },
            "a": { "id": award }, "g": { "id": gift } });
        let (donor, other) = (world.member("donor", "giver"), world.member("donor", "giver2"));
        assert_eq!(seen(&donor, &award, &gift).await, nothing);
        assert_eq!(seen(&client, &award, &gift).await, all);
        assert_eq!(seen(&world.member("coordinator", "other"), &award, &gift).await, nothing);
        done(&client, "publishAward", "award", "id", &json!({ "id": award, "expectedVersion": 1 })).await;
        done(&client, "publishGift", "gift", "id", &json!({ "id": gift, "expectedVersion": 1 })).await;
        assert_eq!(seen(&donor, &award, &gift).await, all);
        assert_eq!(seen(&other, &award, &gift).await, nothing);
        assert_eq!(seen(&world.member("coordinator", "other"), &award, &gift).await, nothing);
        // For partners and the public there is no such list, and no such node.
        for client in [world.partner(), world.anonymous()] {
            client.query("{ awards(first: 1) { totalCount } }", Value::Null).await.errors();
            let node = ask(
                &client,
                &format!("{{ a: node(id: \"{award}\") {{ id }} g: node(id: \"{gift}\") {{ id }} }}"),
            )
            .await;
            assert_eq!(node, json!({ "a": null, "g": null }));
        }
        // Roles that read no awards.
        for role in ["field", "admin", "auditor"] {
            let answer =
                world.member(role, "own").query("{ awards(first: 1) { totalCount } }", Value::Null).await;
            assert_eq!(answer.code(), "NOT_PERMITTED");
        }
    }
);

both!(
    async fn filters_and_what_is_wrong(world: &World) {
        let client = world.coordinator();
        let mut ids = Vec::new();
        for (n, (awarded, currency)) in
            [("2026-01-31", "CLP"), ("2026-02-01", "MXN"), ("2026-02-28", "CLP")].into_iter().enumerate()
        {
            let input = with(
                &award(GIVER, awarded),
                json!({ "idempotencyKey": format!("{n}"), "amount": { "amount": "1", "currency": currency } }),
            );
            ids.push(
                done(&client, "createAward", "award", "id", &input).await["id"].as_str().unwrap().to_owned(),
            );
        }
        for (filter, expected) in [
            ("", vec![2, 1, 0]),
            ("awardedOn: { from: \"2026-02-01\", to: \"2026-02-28\" }", vec![2, 1]),
            ("awardedOn: { to: \"2026-01-31\" }", vec![0]),
            ("currency: [\"CLP\"]", vec![2, 0]),
            ("currency: []", vec![]),
        ] {
            let data =
                ask(&client, &format!("{{ awards(first: 9, filter: {{ {filter} }}) {{ nodes {{ id }} }} }}"))
                    .await;
            let expected: Vec<&String> = expected.iter().map(|n: &usize| &ids[*n]).collect();
            assert_eq!(
                column(&data["awards"]["nodes"], "id").iter().collect::<Vec<_>>(),
                expected,
                "{filter}"
            );
        }
        let before = world.counts().await;
        for (change, code, field) in [
            (json!({ "donor": id(Kind::Organization, 99) }), "NOT_FOUND", "donor"),
            (json!({ "amount": { "amount": "0", "currency": "CLP" } }), "OUT_OF_RANGE", "amount"),
            (json!({ "amount": { "amount": "-5", "currency": "CLP" } }), "OUT_OF_RANGE", "amount"),
            (json!({ "amount": { "amount": "5", "currency": "clp" } }), "INVALID", "amount"),
            (json!({ "endsOn": "2025-12-31" }), "OUT_OF_RANGE", "endsOn"),
            (json!({ "programs": [id(Kind::Program, THEIRS)] }), "NOT_FOUND", "programs.0"),
        ] {
            let input = with(&with(&award(GIVER, "2026-01-01"), change), json!({ "idempotencyKey": "bad" }));
            let payload = act(&client, "createAward", "award", "id", &input).await;
            assert_eq!(faults(&payload), fault(code, field), "{input}");
        }
        assert_eq!(world.counts().await, before);
    }
);

both!(
    async fn what_is_wrong_with_a_gift_or_a_donor_is_said_at_its_field(world: &World) {
        let client = world.coordinator();
        let (draft, gone) =
            (world.literal(Kind::Organization, GIVER2), world.literal(Kind::Organization, STRANGER));
        world.sql(&format!("UPDATE organization SET published_at = NULL WHERE id = {draft}")).await;
        world.sql(&format!("UPDATE organization SET archived_at = recorded_at WHERE id = {gone}")).await;
        let before = world.counts().await;
        let line = |n: u128, quantity: i32| json!([{ "supplied": { "item": id(Kind::Item, n) }, "quantity": quantity }]);
        for (change, code, field) in [
            (json!({ "receivedOn": "2026-11-21" }), "OUT_OF_RANGE", "receivedOn"),
            (json!({ "lines": line(99, 5) }), "NOT_FOUND", "lines.0.supplied"),
            (json!({ "lines": line(SOAP, 0) }), "OUT_OF_RANGE", "lines.0.quantity"),
            (json!({ "lines": [] }), "OUT_OF_RANGE", "lines"),
            (
                json!({ "programs": [id(Kind::Program, SUPPLIES), id(Kind::Program, THEIRS)] }),
                "NOT_FOUND",
                "programs.1",
            ),
        ] {
            let input = with(&with(&gift(GIVER, "2026-11-20"), change), json!({ "idempotencyKey": "bad" }));
            let payload = act(&client, "createGift", "gift", "id", &input).await;
            assert_eq!(faults(&payload), fault(code, field), "{input}");
        }
        // A donor that nobody outside sees, and one that is no more.
        for donor in [GIVER2, STRANGER] {
            let input = with(&gift(donor, "2026-11-20"), json!({ "idempotencyKey": "bad" }));
            let payload = act(&client, "createGift", "gift", "id", &input).await;
            assert_eq!(faults(&payload), fault("NOT_FOUND", "donor"));
            let input = with(&award(donor, "2026-01-01"), json!({ "idempotencyKey": "bad" }));
            let payload = act(&client, "createAward", "award", "id", &input).await;
            assert_eq!(faults(&payload), fault("NOT_FOUND", "donor"));
        }
        assert_eq!(world.counts().await, before);
        let today = with(&gift(GIVER, "2026-11-20"), json!({ "idempotencyKey": "today" }));
        done(&client, "createGift", "gift", "id", &today).await;
    }
);
