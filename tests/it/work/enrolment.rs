//! Enrolments and skills.

use std::collections::BTreeMap;

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;
use tokio::task::JoinSet;

use super::*;
use crate::talk::{act, ask, fault, faults, mutation};

const SELECTION: &str = "id version status startsOn since participant { id } participantCode workshop { id } \
    steps { status since }";

both!(
    async fn an_enrolment_goes_step_by_step(world: &World) {
        women(world).await;
        let client = staff(world, "coordinator");
        let workshop = workshop(&client, "w", json!(5)).await;
        let input = enrol_input("e", 1, json!(workshop), "APPLIED");
        let made = done(&client, "enrol", "enrolment", SELECTION, &input).await;
        assert_eq!(done(&client, "enrol", "enrolment", SELECTION, &input).await, made);
        assert_eq!((&made["participant"]["id"], &made["participantCode"]), (&json!(w(1)), &json!("W001")));
        // Once at a time; beside it in the program as a whole, and again when it has ended.
        let again = enrol_input("again", 1, json!(workshop), "ENROLLED");
        assert_eq!(
            faults(&act(&client, "enrol", "enrolment", "id", &again).await),
            fault("DUPLICATE", "participant")
        );
        done(&client, "enrol", "enrolment", "id", &enrol_input("p", 1, Value::Null, "ENROLLED")).await;
        let step = async |version: i32, status: &str, since: &str| {
            let input =
                json!({ "id": made["id"], "expectedVersion": version, "status": status, "since": since });
            act(&client, "changeEnrolment", "enrolment", SELECTION, &input).await
        };
        assert_eq!(faults(&step(1, "COMPLETED", "2026-11-02").await), fault("INVALID", "status"));
        assert_eq!(faults(&step(1, "ENROLLED", "2026-10-31").await), fault("OUT_OF_RANGE", "since"));
        assert_eq!(faults(&step(1, "ENROLLED", "2026-11-21").await), fault("OUT_OF_RANGE", "since"));
        for (version, status, since) in
            [(1, "ENROLLED", "2026-11-02"), (2, "ACTIVE", "2026-11-03"), (3, "COMPLETED", "2026-11-18")]
        {
            let payload = step(version, status, since).await;
            assert_eq!(payload["userErrors"], json!([]));
            assert_eq!(payload["enrolment"]["status"], json!(status));
        }
        let stale = step(3, "WITHDRAWN", "2026-11-19").await;
        assert_eq!(faults(&stale), fault("CONFLICT", "expectedVersion"));
        let steps = json!([
            { "status": "APPLIED", "since": "2026-11-01" }, { "status": "ENROLLED", "since": "2026-11-02" },
            { "status": "ACTIVE", "since": "2026-11-03" }, { "status": "COMPLETED", "since": "2026-11-18" }]);
        assert_eq!(stale["enrolment"]["steps"], steps);
        assert_eq!(faults(&step(4, "WITHDRAWN", "2026-11-19").await), fault("INVALID", "status"));
        done(&client, "enrol", "enrolment", "id", &again).await;
    }
);

both!(
    async fn what_is_beyond_the_places_waits(world: &World) {
        women(world).await;
        let client = staff(world, "coordinator");
        let workshop = workshop(&client, "w", json!(1)).await;
        let enrol = async |key: &str, woman: u128, status: &str| {
            let input = enrol_input(key, woman, json!(workshop), status);
            done(&client, "enrol", "enrolment", "id status version", &input).await
        };
        let first = enrol("1", 1, "ENROLLED").await;
        let second = enrol("2", 2, "ACTIVE").await;
        let third = enrol("3", 3, "APPLIED").await;
        assert_eq!(
            [&first, &second, &third].map(|one| one["status"].clone()),
            [json!("ENROLLED"), json!("WAITLISTED"), json!("APPLIED")]
        );
        let step = async |of: &Value, version: i32, status: &str| {
            let input = json!({ "id": of["id"], "expectedVersion": version, "status": status, "since": "2026-11-05" });
            act(&client, "changeEnrolment", "enrolment", "status", &input).await
        };
        assert_eq!(step(&third, 1, "ENROLLED").await["enrolment"]["status"], json!("WAITLISTED"));
        assert_eq!(faults(&step(&second, 1, "ENROLLED").await), fault("INVALID", "status"));
        assert_eq!(step(&first, 1, "LEFT_PRISON").await["userErrors"], json!([]));
        assert_eq!(step(&second, 1, "ENROLLED").await["enrolment"]["status"], json!("ENROLLED"));
        assert_eq!(faults(&step(&third, 2, "ENROLLED").await), fault("INVALID", "status"));
    }
);

both!(
    async fn no_place_is_given_twice(world: &World) {
        let rows = (1..=16).map(|n| woman(OWN, n)).collect();
        world.insert::<entity::participant::Entity>(rows).await;
        let client = staff(world, "coordinator");
        let workshop = workshop(&client, "w", json!(5)).await;
        let mut tasks = JoinSet::new();
        for n in 1..=16 {
            let client = staff(world, if n % 2 == 0 { "coordinator" } else { "coordinator2" });
            let input = enrol_input(&format!("e{n}"), n, json!(workshop), "ENROLLED");
            tasks.spawn(async move {
                let document = mutation("enrol", "enrolment", "status");
                let answer = client.query(&document, json!({ "input": input })).await;
                answer.data()["enrol"]["enrolment"]["status"].as_str().unwrap().to_owned()
            });
        }
        let mut counted: BTreeMap<String, usize> = BTreeMap::new();
        for status in tasks.join_all().await {
            *counted.entry(status).or_default() += 1;
        }
        assert_eq!(counted, BTreeMap::from([("ENROLLED".to_owned(), 5), ("WAITLISTED".to_owned(), 11)]));
    }
);

both!(
    async fn an_enrolment_that_cannot_be_is_refused(world: &World) {
        women(world).await;
        let client = staff(world, "coordinator");
        let before = world.counts().await;
        for (change, wanted) in [
            (json!({ "participant": w(6) }), fault("NOT_FOUND", "participant")),
            (json!({ "participant": w(99) }), fault("NOT_FOUND", "participant")),
            (json!({ "program": id(Kind::Program, THEIRS) }), fault("NOT_FOUND", "program")),
            (json!({ "workshop": id(Kind::Workshop, 99) }), fault("NOT_FOUND", "workshop")),
            (json!({ "status": "COMPLETED" }), fault("INVALID", "status")),
            (json!({ "since": "2026-11-21" }), fault("OUT_OF_RANGE", "since")),
            (json!({ "since": "2019-11-21" }), fault("OUT_OF_RANGE", "since")),
        ] {
            let input = with(&enrol_input("bad", 1, Value::Null, "APPLIED"), change.clone());
            assert_eq!(faults(&act(&client, "enrol", "enrolment", "id", &input).await), wanted, "{change}");
        }
        let checked = with(&enrol_input("e", 1, Value::Null, "APPLIED"), json!({ "validateOnly": true }));
        let payload = act(&client, "enrol", "enrolment", "id", &checked).await;
        assert_eq!(payload, json!({ "enrolment": null, "userErrors": [] }));
        assert_eq!(world.counts().await, before);
    }
);

both!(
    async fn whoever_reads_says_why_and_leaves_a_trace(world: &World) {
        women(world).await;
        let silent = world.coordinator();
        let client = staff(world, "coordinator");
        let input = enrol_input("e1", 1, Value::Null, "ENROLLED");
        let before = world.counts().await;
        let document = mutation("enrol", "enrolment", "id");
        let refused = silent.query(&document, json!({ "input": input })).await;
        assert_eq!(refused.code(), "PURPOSE_NEEDED");
        assert_eq!(world.counts().await, before);
        done(&client, "enrol", "enrolment", "__typename", &input).await;
        let second =
            done(&client, "enrol", "enrolment", "id", &enrol_input("e2", 2, Value::Null, "ENROLLED")).await;
        let node = format!("{{ node(id: {}) {{ id }} }}", second["id"]);
        for document in [
            "{ enrolments(first: 5) { nodes { id } } }",
            &node,
            "{ attendance(first: 1) { nodes { id } } }",
            "{ skills(first: 1) { nodes { id } } }",
            "{ legalMatters(first: 1) { nodes { id } } }",
            "{ productionBatches(first: 1) { nodes { id } } }",
            "{ payouts(first: 1) { nodes { id } } }",
            "{ savingsWithdrawals(first: 1) { nodes { id } } }",
        ] {
            assert_eq!(silent.query(document, Value::Null).await.code(), "PURPOSE_NEEDED", "{document}");
        }
        let (traces, women) = readings(world).await;
        ask(&client, "{ enrolments(first: 5) { nodes { id status workshop { id } } } }").await;
        assert_eq!(readings(world).await, (traces + 1, women + 2));
        ask(&client, &node).await;
        assert_eq!(readings(world).await, (traces + 2, women + 3));
        // Which fields, and why.
        let sql = "SELECT count(*) FROM audit_event WHERE action = 'READ' AND entity = 'enrolment' \
                   AND purpose = 'SERVICE' AND CAST(fields AS TEXT) LIKE '%status%'";
        assert_eq!(world.number(sql).await, 1);
        // What was written is about her as well.
        let sql = "SELECT count(*) FROM record_reach r JOIN audit_event e ON e.id = r.event_id WHERE e.action = 'CREATE'";
        assert_eq!(world.number(sql).await, 2);
    }
);

both!(
    async fn a_skill_is_attested_once(world: &World) {
        women(world).await;
        let client = staff(world, "coordinator");
        let input = keyed(
            "k",
            json!({ "participant": w(1), "technique": "weaving", "level": "BASIC", "attestedOn": "2026-11-10" }),
        );
        let made = done(&client, "attestSkill", "skill", "id technique level participantCode", &input).await;
        assert_eq!((&made["technique"], &made["participantCode"]), (&json!("weaving"), &json!("W001")));
        let again = with(&input, json!({ "idempotencyKey": "l", "attestedOn": "2026-11-11" }));
        assert_eq!(
            faults(&act(&client, "attestSkill", "skill", "id", &again).await),
            fault("DUPLICATE", "level")
        );
        let higher = with(&again, json!({ "idempotencyKey": "m", "level": "ADVANCED" }));
        done(&client, "attestSkill", "skill", "id", &higher).await;
        let list = format!(
            "{{ skills(first: 9, filter: {{ participant: [\"{}\"] }}) {{ nodes {{ level }} }} }}",
            w(1)
        );
        let levels = json!([{ "level": "ADVANCED" }, { "level": "BASIC" }]);
        assert_eq!(ask(&client, &list).await["skills"]["nodes"], levels);
    }
);
