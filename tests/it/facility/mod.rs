//! Facilities.

mod hide;

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use crate::{
    lifecycle::Entry,
    talk::{act, ask, column, done, fault, faults},
    world::*,
};

fn input(slug: &str) -> Value {
    json!({ "slug": slug, "name": "Centro Nuevo", "country": "MX", "region": "MX-CMX", "kind": "OTHER",
        "aliases": ["El Nuevo"], "municipality": "Tláhuac", "presentSince": "2024-01-01" })
}

both!(
    async fn lives(world: &World) {
        let entry = Entry {
            name: "Facility",
            create: input("nuevo"),
            other: input("nuevo-2"),
            update: json!({ "name": "Otro", "municipality": null }),
            selection: "slug name aliases municipality kind",
            updated: json!({ "name": "Otro", "municipality": null, "aliases": ["El Nuevo"], "kind": "OTHER" }),
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
    async fn a_draft_is_for_its_own_staff_only(world: &World) {
        let create = json!({ "idempotencyKey": "a", "slug": "borrador", "name": "Borrador", "country": "MX", "region": "MX-CMX", "kind": "OTHER" });
        let made = done(&world.coordinator(), "createFacility", "facility", "id published", &create).await;
        assert_eq!(made["published"], json!(false));
        let node = format!(
            "{{ node(id: {}) {{ id }} facility(slug: \"borrador\") {{ id }} facilities(first: 9, filter: {{ search: \"borrador\" }}) {{ totalCount }} }}",
            made["id"]
        );
        let there = json!({ "node": { "id": made["id"] }, "facility": { "id": made["id"] }, "facilities": { "totalCount": 1 } });
        let not_there = json!({ "node": null, "facility": null, "facilities": { "totalCount": 0 } });
        let outsiders = [
            world.partner(),
            world.anonymous(),
            world.member("coordinator", "other"),
            world.member("donor", "giver"),
        ];
        assert_eq!(ask(&world.coordinator(), &node).await, there);
        for client in &outsiders {
            assert_eq!(ask(client, &node).await, not_there);
        }
        let at = json!({ "id": made["id"], "expectedVersion": 1 });
        // A steward publishes.
        done(&world.member("steward", "own"), "publishFacility", "facility", "published", &at).await;
        for client in &outsiders {
            assert_eq!(ask(client, &node).await, there);
        }
        // Archived: out of lists, and still there for what refers to it.
        let at = json!({ "id": made["id"], "expectedVersion": 2 });
        done(&world.coordinator(), "archiveFacility", "facility", "archived", &at).await;
        let archived = json!({ "node": { "id": made["id"] }, "facility": { "id": made["id"] }, "facilities": { "totalCount": 0 } });
        for client in outsiders.iter().chain([&world.coordinator()]) {
            assert_eq!(ask(client, &node).await, archived);
        }
    }
);

both!(
    async fn filters_and_search(world: &World) {
        let own = id(Kind::Organization, OWN);
        let item = id(Kind::Item, SOAP);
        for (filter, expected) in [
            ("search: \"NEZAHUALCOYOTL\"".to_owned(), vec!["neza"]),
            ("search: \"  xochiaca \"".to_owned(), vec!["neza"]),
            ("search: \"joaquin\"".to_owned(), vec!["san-joaquin"]),
            ("search: \"%\"".to_owned(), vec![]),
            ("country: [\"CL\"]".to_owned(), vec!["san-joaquin"]),
            ("country: []".to_owned(), vec![]),
            ("region: [\"MX-MEX\"]".to_owned(), vec!["neza", "ecatepec"]),
            ("region: [\"MX-MEX\", \"CL-RM\"], kind: [WOMEN_PRISON]".to_owned(), vec!["neza", "san-joaquin"]),
            ("kind: [MIXED_PRISON]".to_owned(), vec!["ecatepec"]),
            // Its presence in Santa Martha has ended.
            (format!("organization: [\"{own}\"]"), vec!["neza", "ecatepec"]),
            (format!("organization: [\"{item}\"]"), vec![]),
        ] {
            let document = format!(
                "{{ facilities(first: 9, filter: {{ {filter} }}) {{ nodes {{ slug }} totalCount }} }}"
            );
            let data = ask(&world.anonymous(), &document).await["facilities"].clone();
            let mut found = column(&data["nodes"], "slug");
            found.sort_by_key(|slug| FACILITIES.iter().position(|(other, ..)| other == slug));
            assert_eq!(found, expected, "{filter}");
            assert_eq!(data["totalCount"], json!(expected.len()));
        }
        let answer = world
            .anonymous()
            .query("{ facilities(first: 1, filter: { organization: [\"x\"] }) { totalCount } }", Value::Null)
            .await;
        assert_eq!(answer.code(), "BAD_USER_INPUT");
    }
);

both!(
    async fn what_is_wrong_is_said_at_its_field(world: &World) {
        let client = world.coordinator();
        let bad = [
            (json!({ "slug": "Neza" }), "INVALID", "slug"),
            (json!({ "slug": "neza" }), "DUPLICATE", "slug"),
            (json!({ "name": "  " }), "INVALID", "name"),
            (json!({ "name": "a\u{0}b" }), "INVALID", "name"),
            (json!({ "aliases": ["fine", ""] }), "INVALID", "aliases.1"),
            (json!({ "region": "CL-RM" }), "INVALID", "region"),
            (json!({ "region": "MX-XXX" }), "INVALID", "region"),
            (json!({ "municipality": "m".repeat(201) }), "INVALID", "municipality"),
        ];
        let before = world.counts().await;
        for (change, code, field) in bad {
            let input = crate::lifecycle::with(&input("bueno"), change);
            let input = crate::lifecycle::with(&input, json!({ "idempotencyKey": "bad" }));
            let payload = act(&client, "createFacility", "facility", "id", &input).await;
            assert_eq!(faults(&payload), fault(code, field), "{input}");
        }
        assert_eq!(world.counts().await, before);
        // An id of another type, or of nothing.
        for id in [id(Kind::Program, 1), id(Kind::Facility, 99), id(Kind::Distribution, 1)] {
            for name in ["updateFacility", "publishFacility", "archiveFacility"] {
                let payload =
                    act(&client, name, "facility", "id", &json!({ "id": id, "expectedVersion": 1 })).await;
                assert_eq!(faults(&payload), fault("NOT_FOUND", "id"));
                assert_eq!(payload["facility"], Value::Null);
            }
        }
    }
);

both!(
    async fn messages_are_in_the_language_asked_for(world: &World) {
        let document =
            "mutation { updateFacility(input: { id: ID, expectedVersion: 1 }) { userErrors { message } } }"
                .replace("ID", &format!("\"{}\"", id(Kind::Facility, 99)));
        for (language, message) in [
            ("es-CL, en;q=0.5", "No existe ese objeto."),
            ("en", "There is no such object."),
            ("", "There is no such object."),
        ] {
            let answer = world
                .coordinator()
                .request("POST", "/graphql")
                .header("content-type", "application/json")
                .header("accept-language", language)
                .body(json!({ "query": document }).to_string())
                .send()
                .await;
            assert_eq!(answer.data()["updateFacility"]["userErrors"], json!([{ "message": message }]));
        }
    }
);
