//! Who reaches what of programs at work.

use api::id::Kind;
use serde_json::{Value, json};
use tests::{Client, both};

use super::*;
use crate::talk::{act, ask, column, fault, faults};

/// The codes of the women whose enrolments somebody reads.
async fn seen(client: &Client) -> Vec<String> {
    let found = ask(client, "{ enrolments(first: 50) { nodes { participantCode } } }").await;
    let mut codes = column(&found["enrolments"]["nodes"], "participantCode");
    codes.sort();
    codes
}

both!(
    async fn a_field_worker_reaches_the_women_who_are_at_her_facilities(world: &World) {
        women(world).await;
        let (coordinator, field) = (staff(world, "coordinator"), staff(world, "field"));
        let mut ids = Vec::new();
        for n in 1..=5 {
            let input = enrol_input(&format!("e{n}"), n, Value::Null, "ENROLLED");
            let made = done(&coordinator, "enrol", "enrolment", "id", &input).await;
            ids.push(made["id"].as_str().unwrap().to_owned());
        }
        assert_eq!(seen(&coordinator).await, ["W001", "W002", "W003", "W004", "W005"]);
        assert_eq!(seen(&staff(world, "steward")).await.len(), 5);
        assert_eq!(seen(&field).await, ["W001", "W002", "W003"]);
        // Neither another facility, nor one who has left, nor somebody else's: byte for byte nothing.
        let node = async |client: &Client, id: &str| {
            client.query(&format!("{{ node(id: \"{id}\") {{ id }} }}"), Value::Null).await.body
        };
        let nothing = node(&field, &id(Kind::Enrolment, 99)).await;
        for hidden in [&ids[3], &ids[4]] {
            assert_eq!(node(&field, hidden).await, nothing);
            let input =
                json!({ "id": hidden, "expectedVersion": 1, "status": "ACTIVE", "since": "2026-11-02" });
            let refused = act(&field, "changeEnrolment", "enrolment", "id", &input).await;
            assert_eq!(faults(&refused), fault("NOT_FOUND", "id"));
        }
        for hidden in [4, 5, 6] {
            let input = enrol_input(&format!("f{hidden}"), hidden, Value::Null, "ENROLLED");
            let refused = act(&field, "enrol", "enrolment", "id", &input).await;
            assert_eq!(faults(&refused), fault("NOT_FOUND", "participant"));
        }
        let theirs = world.member("coordinator", "other").purpose("SERVICE");
        assert_eq!(seen(&theirs).await, Vec::<String>::new());
        assert_eq!(node(&theirs, &ids[0]).await, nothing);
        // She leaves, and is out of reach the day after her last.
        world
            .sql(
                "UPDATE custody_stay SET ends_on = '2026-11-20' WHERE facility_id = (SELECT id FROM facility \
                   WHERE slug = 'neza') AND ends_on IS NULL",
            )
            .await;
        assert_eq!(seen(&field).await.len(), 3);
        world.set_now("2026-11-21T00:00:00Z");
        let (coordinator, field) = (staff(world, "coordinator"), staff(world, "field"));
        assert_eq!(seen(&field).await, Vec::<String>::new());
        assert_eq!(seen(&coordinator).await.len(), 5);
    }
);

both!(
    async fn workshops_and_sessions_are_those_of_her_facilities(world: &World) {
        let (coordinator, field) = (world.coordinator(), world.member("field", "own"));
        let here = workshop(&coordinator, "here", json!(5)).await;
        let there = with(&workshop_input("there", json!(5)), json!({ "facility": id(Kind::Facility, 2) }));
        let there = done(&coordinator, "createWorkshop", "workshop", "id", &there).await;
        let found = ask(&field, "{ workshops(first: 9) { nodes { id } } }").await;
        assert_eq!(column(&found["workshops"]["nodes"], "id"), [here]);
        let node = format!("{{ node(id: {}) {{ id }} }}", there["id"]);
        assert_eq!(ask(&field, &node).await["node"], Value::Null);
        let elsewhere = with(&session_input("s", Value::Null), json!({ "facility": id(Kind::Facility, 2) }));
        let refused = act(&field, "createSession", "session", "id", &elsewhere).await;
        assert_eq!(faults(&refused), fault("NOT_FOUND", "facility"));
        let made = done(&coordinator, "createSession", "session", "id", &elsewhere).await;
        let change = json!({ "id": made["id"], "expectedVersion": 1, "minutes": 30 });
        let refused = act(&field, "updateSession", "session", "id", &change).await;
        assert_eq!(faults(&refused), fault("NOT_FOUND", "id"));
    }
);

both!(
    async fn what_a_role_may_not_do_is_refused(world: &World) {
        women(world).await;
        let workshop = workshop(&world.coordinator(), "w", json!(5)).await;
        let lists = [
            "workshops",
            "sessions",
            "enrolments",
            "attendance",
            "skills",
            "products",
            "productionBatches",
            "sales",
            "legalMatters",
            "payoutPolicies",
            "payoutRuns",
            "payouts",
            "savingsWithdrawals",
        ];
        let read = async |role: &str| {
            let client = staff(world, role);
            let mut read = Vec::new();
            for list in lists {
                let answer =
                    client.query(&format!("{{ {list}(first: 1) {{ nodes {{ id }} }} }}"), Value::Null).await;
                if answer.json().get("errors").is_none() {
                    read.push(list);
                } else {
                    assert_eq!(answer.code(), "NOT_PERMITTED", "{role} {list}");
                }
            }
            read
        };
        assert_eq!(read("coordinator").await, lists);
        let field =
            ["workshops", "sessions", "enrolments", "attendance", "skills", "products", "productionBatches"];
        assert_eq!(read("field").await, field);
        let steward: Vec<&str> = lists.into_iter().filter(|list| *list != "legalMatters").collect();
        assert_eq!(read("steward").await, steward);
        for role in ["admin", "auditor"] {
            assert_eq!(read(role).await, Vec::<&str>::new());
            let client = staff(world, role);
            let node = format!("{{ node(id: \"{workshop}\") {{ id }} }}");
            assert_eq!(ask(&client, &node).await["node"], Value::Null);
        }
        for (role, name, ty, input) in [
            ("field", "createWorkshop", "workshop", workshop_input("x", json!(1))),
            ("steward", "createSession", "session", session_input("x", Value::Null)),
            ("steward", "enrol", "enrolment", enrol_input("x", 1, Value::Null, "APPLIED")),
            ("admin", "enrol", "enrolment", enrol_input("x", 1, Value::Null, "APPLIED")),
            (
                "field",
                "openLegalMatter",
                "legalMatter",
                keyed("x", json!({ "participant": w(1), "openedOn": "2026-11-01" })),
            ),
            ("field", "createProduct", "product", keyed("x", json!({ "code": "X", "name": words("X") }))),
        ] {
            let document = crate::talk::mutation(name, ty, "id");
            let answer = staff(world, role).query(&document, json!({ "input": input })).await;
            assert_eq!(answer.code(), "NOT_PERMITTED", "{role} {name}");
        }
    }
);
