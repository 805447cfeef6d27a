//! Organisations, what they say of themselves, and what they claimed elsewhere.

use api::id::Kind;
use entity::{claim, value::ClaimStatus};
use serde_json::{Value, json};
use tests::both;

use crate::{
    lifecycle::Entry,
    talk::{ask, column, done},
    world::*,
};

both!(
    async fn statements_live(world: &World) {
        let input = |position: i32| json!({ "kind": "MISSION", "position": position, "title": words("Misión"), "text": words("Texto") });
        let entry = Entry {
            name: "Statement",
            create: input(1),
            other: input(2),
            update: json!({ "title": words("Otra"), "position": null }),
            selection: "kind position title { text } text { text }",
            updated: json!({ "kind": "MISSION", "position": 1, "title": { "text": "Otra" }, "text": { "text": "Texto" } }),
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

both!(
    async fn drafts_and_archived_statements_are_not_shown(world: &World) {
        let client = world.coordinator();
        let make = async |key: &str, position: i32| {
            let input = json!({ "idempotencyKey": key, "kind": "VALUE", "position": position, "title": words(key), "text": words(key) });
            done(&client, "createStatement", "statement", "id", &input).await["id"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let (draft, second, first) =
            (make("draft", 3).await, make("second", 2).await, make("first", 1).await);
        for id in [&second, &first] {
            done(&client, "publishStatement", "statement", "id", &json!({ "id": id, "expectedVersion": 1 }))
                .await;
        }
        let document = format!(
            "{{ organization(slug: \"own\") {{ statements(kind: VALUE) {{ id }} none: statements(kind: VISION) {{ id }} }} node(id: \"{draft}\") {{ id }} }}"
        );
        let outside = ask(&world.anonymous(), &document).await;
        assert_eq!(column(&outside["organization"]["statements"], "id"), [first.clone(), second.clone()]);
        assert_eq!(outside["organization"]["none"], json!([]));
        assert_eq!(outside["node"], Value::Null);
        let own = ask(&client, &document).await;
        assert_eq!(
            column(&own["organization"]["statements"], "id"),
            [first.clone(), second.clone(), draft.clone()]
        );
        assert_eq!(ask(&world.member("coordinator", "other"), &document).await, outside);
        done(&client, "archiveStatement", "statement", "id", &json!({ "id": first, "expectedVersion": 2 }))
            .await;
        assert_eq!(
            column(&ask(&world.anonymous(), &document).await["organization"]["statements"], "id"),
            [second]
        );
    }
);

both!(
    async fn withheld_claims_are_for_own_staff(world: &World) {
        let row = |n: u128, status, published: bool| claim::Model {
            organization_id: uuid(Kind::Organization, OWN),
            id: uuid(Kind::Claim, n),
            position: n as i32,
            section: "impact".to_owned(),
            text: both_languages("Cifra", "Figure"),
            value_thousandths: Some(1_500),
            unit: None,
            status,
            source: "page".to_owned(),
            as_of: None,
            note: None,
            version: 1,
            recorded_at: moment("2020-01-01T00:00:00Z"),
            published_at: published.then(|| moment("2020-01-01T00:00:00Z")),
            archived_at: None,
        };
        world
            .insert::<claim::Entity>(vec![
                row(1, ClaimStatus::LegacyUnverified, true),
                row(2, ClaimStatus::Withheld, true),
                row(3, ClaimStatus::Verified, false),
                row(4, ClaimStatus::DoesNotReconcile, true),
            ])
            .await;
        let ids = |all: &[u128]| -> Vec<String> { all.iter().map(|n| id(Kind::Claim, *n)).collect() };
        let document = format!(
            "{{ organization(slug: \"own\") {{ claims {{ id value status }} }} withheld: node(id: \"{}\") {{ id }} draft: node(id: \"{}\") {{ id }} }}",
            id(Kind::Claim, 2),
            id(Kind::Claim, 3)
        );
        for client in [
            world.anonymous(),
            world.partner(),
            world.member("donor", "giver"),
            world.member("coordinator", "other"),
            world.member("auditor", "own"),
        ] {
            let data = ask(&client, &document).await;
            assert_eq!(column(&data["organization"]["claims"], "id"), ids(&[1, 4]));
            assert_eq!([&data["withheld"], &data["draft"]], [&Value::Null; 2]);
            assert_eq!(data["organization"]["claims"][0]["value"], json!(1.5));
        }
        for role in ["coordinator", "steward", "field", "admin"] {
            let data = ask(&world.member(role, "own"), &document).await;
            assert_eq!(column(&data["organization"]["claims"], "id"), ids(&[1, 2, 3, 4]));
            assert_eq!(column(&data["organization"]["claims"], "status")[1], "WITHHELD");
            assert_eq!(data["withheld"]["id"], json!(id(Kind::Claim, 2)));
        }
    }
);

both!(
    async fn filters_and_search(world: &World) {
        for (filter, expected) in [
            ("kind: [PARTNER]", vec!["ally", "stranger"]),
            ("kind: [PARTNER, OPERATOR], search: \"ORGANIZACION O\"", vec!["other", "own"]),
            ("kind: []", vec![]),
            ("country: [\"CL\"]", vec![]),
            ("country: [\"MX\"], search: \"giver2\"", vec!["giver2"]),
        ] {
            let document = format!(
                "{{ organizations(first: 9, orderBy: {{ field: NAME, direction: ASC }}, filter: {{ {filter} }}) {{ totalCount nodes {{ slug }} }} }}"
            );
            let data = ask(&world.anonymous(), &document).await["organizations"].clone();
            assert_eq!(column(&data["nodes"], "slug"), expected, "{filter}");
            assert_eq!(data["totalCount"], json!(expected.len()));
        }
    }
);
