//! What is read of the audit, by whom, and the trace that this leaves.

use entity::value::{AccountKind, Role};
use serde_json::{Value, json};
use tests::{Client, both};

use super::*;
use crate::{
    live::recorded,
    seed::account,
    talk::{Walk, ask, column, done},
};

const ALL: &str = "id organization { slug } at account { id name } role action entity object version purpose \
                   fields rowCount reason documentHash";

async fn events(client: &Client, arguments: &str) -> Value {
    ask(client, &format!("{{ auditEvents({arguments}) {{ nodes {{ {ALL} }} }} }}")).await["auditEvents"]["nodes"].clone()
}

both!(
    async fn the_audit_says_who_did_what_and_not_what_was_before(world: &World) {
        let coordinator = world.coordinator();
        let made = recorded(&coordinator, "one").await;
        let at = json!({ "id": made, "expectedVersion": 1, "peopleReached": 31 });
        done(&coordinator, "updateDistribution", "distribution", "id", &at).await;
        let void =
            json!({ "id": made, "expectedVersion": 2, "reason": "ENTRY_ERROR", "note": "Doble captura" });
        done(&coordinator, "voidDistribution", "distribution", "id", &void).await;
        let steward = world.member("steward", "own");
        let nodes = events(&steward, "first: 10").await;
        let mut actions = column(&nodes, "action");
        actions.sort();
        assert_eq!(actions, ["CORRECT", "RECORD", "VOID"]);
        let voided = nodes.as_array().unwrap().iter().find(|node| node["action"] == "VOID").unwrap();
        let name = api::id::text(Kind::AuditActor, account(1));
        assert_eq!(
            *voided,
            json!({ "id": voided["id"], "organization": { "slug": "own" }, "at": "2026-11-20T12:00:00.000000Z",
                "account": { "id": name, "name": "account 1" }, "role": "COORDINATOR", "action": "VOID",
                "entity": "distribution", "object": made, "version": 3, "purpose": null, "fields": null,
                "rowCount": null, "reason": "ENTRY_ERROR", "documentHash": null })
        );
        // No former value, and no text that somebody wrote.
        for word in ["Doble", "before", "Before", "class"] {
            assert!(!nodes.to_string().contains(word), "{word}: {nodes}");
        }
    }
);

both!(
    async fn a_reason_in_free_text_stays_in_the_database(world: &World) {
        let row = |n: u128, reason: &str| entity::audit_event::Model {
            organization_id: uuid(Kind::Organization, OWN),
            id: Uuid::from_u128(n),
            recorded_at: moment("2026-11-20T11:00:00Z"),
            account_id: Some(account(7)),
            role: "STEWARD".to_owned(),
            action: "OPEN".to_owned(),
            entity: "something".to_owned(),
            entity_id: Uuid::from_u128(1),
            entity_version: None,
            detail: json!({ "reason": reason }),
            purpose: None,
            fields: None,
            rows: None,
            document_hash: None,
        };
        let rows = vec![row(1, "PERPETUA"), row(2, "DUPLICATE")];
        world.insert::<entity::audit_event::Entity>(rows).await;
        let nodes = events(&world.member("auditor", "own"), "first: 10").await;
        assert_eq!(column(&nodes, "reason"), ["DUPLICATE", "null"]);
        // Somebody of another organisation is known by the role alone.
        assert_eq!(column(&nodes, "account"), ["null", "null"]);
        assert!(nodes[0]["object"].is_string());
    }
);

both!(
    async fn each_read_of_the_audit_is_in_it(world: &World) {
        recorded(&world.coordinator(), "one").await;
        let auditor = world.member("auditor", "own");
        let document = "{ auditEvents(first: 5) { edges { node { action role } } nodes { id } totalCount } }";
        ask(&auditor, document).await;
        let nodes = events(&auditor, "first: 5, filter: { action: [\"READ\"] }").await;
        let [read] = nodes.as_array().unwrap().as_slice() else { panic!("{nodes}") };
        assert_eq!(read["account"]["name"], json!("account 6"));
        assert_eq!(read["entity"], json!("audit_event"));
        assert_eq!(read["fields"], json!(["action", "id", "role"]));
        assert_eq!(read["rowCount"], json!(1));
        let hash = read["documentHash"].as_str().unwrap();
        let again = ask(&auditor, document).await;
        assert_eq!(again["auditEvents"]["totalCount"], json!(3));
        let nodes = events(&auditor, "first: 5, filter: { action: [\"READ\"] }").await;
        let same =
            nodes.as_array().unwrap().iter().filter(|node| node["documentHash"] == json!(hash)).count();
        assert_eq!((nodes.as_array().unwrap().len(), same, hash.len()), (3, 2, 64));
        assert_eq!(world.number("SELECT count(*) FROM audit_event WHERE action = 'READ'").await, 4);
    }
);

both!(
    async fn an_export_says_how_many_rows_it_took(world: &World) {
        recorded(&world.coordinator(), "one").await;
        world.coordinator().request("GET", "/export/distributions").send().await;
        let nodes =
            events(&world.member("auditor", "own"), "first: 5, filter: { action: [\"EXPORT\"] }").await;
        assert_eq!((&nodes[0]["rowCount"], &nodes[0]["entity"]), (&json!(1), &json!("export")));
        assert_eq!(nodes[0]["fields"], Value::Null);
    }
);

both!(
    async fn pages_and_filters_give_each_row_once(world: &World) {
        let coordinator = world.coordinator();
        let mut made = Vec::new();
        for n in 0..7 {
            world.set_now(&format!("2026-11-20T12:0{}:00Z", n / 2));
            made.push(recorded(&coordinator, &format!("key {n}")).await);
        }
        recorded(&world.member("field", "own"), "field").await;
        let auditor = world.member("auditor", "own");
        let all = events(&auditor, "first: 50, filter: { action: [\"RECORD\"] }").await;
        let ids = column(&all, "id");
        assert_eq!(ids.len(), 8);
        assert!(column(&all, "at").is_sorted_by(|one, other| one >= other));
        for (size, backwards) in [(1, false), (3, false), (3, true), (8, true)] {
            let arguments = "filter: { action: [\"RECORD\"] }";
            let walk = Walk {
                client: &auditor,
                frame: "{ LIST }",
                field: "auditEvents",
                arguments,
                size,
                backwards,
            };
            assert_eq!(walk.all().await, ids);
        }
        let actor = |n: u128| api::id::text(Kind::AuditActor, account(n));
        for (filter, count) in [
            (format!("account: [\"{}\"]", actor(1)), 7),
            (format!("account: [\"{}\", \"{}\"], action: [\"RECORD\"]", actor(1), actor(3)), 8),
            (format!("account: [\"{}\"]", id(Kind::Item, 1)), 0),
            ("account: []".to_owned(), 0),
            ("role: [\"FIELD\"]".to_owned(), 1),
            ("entity: [\"item\"]".to_owned(), 0),
            ("entity: [\"distribution\"]".to_owned(), 8),
            (format!("object: [\"{}\"]", made[2]), 1),
            (
                "action: [\"RECORD\"], at: { from: \"2026-11-20T12:01:00Z\", to: \"2026-11-20T12:03:00Z\" }"
                    .to_owned(),
                4,
            ),
        ] {
            let nodes = events(&auditor, &format!("first: 50, filter: {{ {filter} }}")).await;
            assert_eq!(nodes.as_array().unwrap().len(), count, "{filter}");
        }
    }
);

both!(
    async fn as_many_statements_for_one_row_as_for_a_hundred(world: &World) {
        let coordinator = world.coordinator();
        for n in 0..30 {
            recorded(&coordinator, &format!("key {n}")).await;
        }
        let auditor = world.member("auditor", "own");
        let mut counts = Vec::new();
        for first in [1, 2, 30] {
            let document = format!("{{ auditEvents(first: {first}) {{ nodes {{ {ALL} }} }} }}");
            ask(&auditor, "{ __typename }").await;
            counts.push(auditor.query(&document, Value::Null).await.statements());
        }
        assert_eq!(counts, [counts[0]; 3]);
        assert!(counts[0] > 0);
    }
);

both!(
    async fn only_stewards_and_auditors_of_the_organisation_read_it(world: &World) {
        recorded(&world.coordinator(), "one").await;
        seal(world).await;
        let before = world.number("SELECT count(*) FROM audit_event").await;
        let lists = ["auditEvents(first: 5) { nodes { id } totalCount }", "auditHead { number digest }"];
        for role in ["admin", "coordinator", "field"] {
            for list in lists {
                let answer = world.member(role, "own").query(&format!("{{ {list} }}"), Value::Null).await;
                assert_eq!(
                    answer.errors()[0]["extensions"]["code"],
                    json!("NOT_PERMITTED"),
                    "{role}: {answer}"
                );
                assert!(!answer.to_string().contains("digest\":\""), "{answer}");
            }
        }
        for client in [world.anonymous(), world.partner(), world.member("donor", "giver")] {
            for list in lists {
                let answer = client.query(&format!("{{ {list} }}"), Value::Null).await;
                assert_eq!(answer.status, 400, "{answer}");
            }
        }
        assert_eq!(world.number("SELECT count(*) FROM audit_event").await, before);
        // An auditor of the other organisation.
        let key = account(90);
        let row = entity::account::Model {
            id: key,
            kind: AccountKind::Service,
            name: "account 90".to_owned(),
            recorded_at: moment("2020-01-01T00:00:00Z"),
            disabled_at: None,
            tokens_valid_from: None,
        };
        world.insert::<entity::account::Entity>(vec![row]).await;
        let row = entity::identity::Model {
            issuer: "umbral-demo".to_owned(),
            subject: "demo:auditor:other".to_owned(),
            account_id: key,
        };
        world.insert::<entity::identity::Entity>(vec![row]).await;
        let row = entity::membership::Model {
            organization_id: uuid(Kind::Organization, OTHER),
            id: key,
            account_id: key,
            role: Role::Auditor,
            starts_on: day("2020-01-01"),
            ends_on: None,
            recorded_at: moment("2020-01-01T00:00:00Z"),
        };
        world.insert::<entity::membership::Entity>(vec![row]).await;
        let other = world.member("auditor", "other");
        let data =
            ask(&other, "{ auditEvents(first: 5) { nodes { id } totalCount } auditHead { number } }").await;
        assert_eq!(data, json!({ "auditEvents": { "nodes": [], "totalCount": 0 }, "auditHead": null }));
        let nodes = events(&other, "first: 5").await;
        assert_eq!(column(&nodes, "action"), ["READ"]);
        let known = events(&world.member("auditor", "own"), "first: 1").await[0]["id"].clone();
        let by_id = format!("{{ node(id: {known}) {{ id }} }}");
        for client in [world.member("auditor", "own"), other] {
            assert_eq!(ask(&client, &by_id).await["node"], Value::Null);
        }
    }
);
