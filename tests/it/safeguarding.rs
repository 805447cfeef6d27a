//! The safeguarding log.

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use crate::{
    talk::{Walk, act, ask, done, fault, faults, mutation},
    world::*,
};

both!(
    async fn the_log_is_written_by_staff_and_read_by_stewards(world: &World) {
        let input = |key: &str, kind: &str| {
            json!({ "idempotencyKey": key, "kind": kind, "text": "Preguntan por una sola mujer.",
                "about": id(Kind::Facility, 1) })
        };
        const NOTE: &str = "id kind text about recordedAt recordedBy { name } status closedAt closedBy { name } \
                            closingReason version";
        let name = "recordSafeguardingNote";
        for role in ["field", "coordinator"] {
            let payload =
                act(&world.member(role, "own"), name, "safeguardingNote", NOTE, &input(role, "REPORT")).await;
            assert_eq!(payload, json!({ "safeguardingNote": null, "userErrors": [] }));
            // Sent twice, written once.
            act(&world.member(role, "own"), name, "safeguardingNote", NOTE, &input(role, "REPORT")).await;
        }
        let steward = world.member("steward", "own");
        world.set_now("2026-11-20T13:00:00Z");
        let made = done(&steward, name, "safeguardingNote", NOTE, &input("steward", "PATTERN")).await;
        assert_eq!(
            made,
            json!({ "id": made["id"], "kind": "PATTERN", "text": "Preguntan por una sola mujer.",
                "about": id(Kind::Facility, 1), "recordedAt": "2026-11-20T13:00:00.000000Z",
                "recordedBy": { "name": "account 4" }, "status": "OPEN", "closedAt": null, "closedBy": null,
                "closingReason": null, "version": 1 })
        );
        for (text, field) in [("", "text"), (" ", "text")] {
            let mut bad = input("bad", "REPORT");
            bad["text"] = json!(text);
            let payload = act(&steward, name, "safeguardingNote", "id", &bad).await;
            assert_eq!(faults(&payload), fault("INVALID", field));
        }
        let list = format!("{{ safeguardingNotes(first: 5) {{ totalCount nodes {{ {NOTE} }} }} }}");
        let notes = ask(&steward, &list).await["safeguardingNotes"].clone();
        assert_eq!((&notes["totalCount"], &notes["nodes"][0]), (&json!(3), &made));
        for (filter, count) in [
            ("kind: [PATTERN]".to_owned(), 1),
            ("kind: [BREAK_GLASS]".to_owned(), 0),
            ("status: [OPEN]".to_owned(), 3),
            ("status: [CLOSED]".to_owned(), 0),
            (format!("about: [\"{}\"]", id(Kind::Facility, 1)), 3),
            (format!("about: [\"{}\"]", id(Kind::Facility, 2)), 0),
        ] {
            let list = format!("{{ safeguardingNotes(first: 5, filter: {{ {filter} }}) {{ totalCount }} }}");
            assert_eq!(
                ask(&steward, &list).await["safeguardingNotes"]["totalCount"],
                json!(count),
                "{filter}"
            );
        }
        let walk = Walk {
            client: &steward,
            frame: "{ LIST }",
            field: "safeguardingNotes",
            arguments: "",
            size: 2,
            backwards: true,
        };
        assert_eq!(walk.all().await.len(), 3);

        let at = json!({ "id": made["id"], "expectedVersion": 1, "reason": "Fue un informe trimestral." });
        let closed = done(&steward, "closeSafeguardingNote", "safeguardingNote", NOTE, &at).await;
        assert_eq!(
            (&closed["status"], &closed["closedBy"]["name"], &closed["closingReason"], &closed["version"]),
            (&json!("CLOSED"), &json!("account 4"), &json!("Fue un informe trimestral."), &json!(2))
        );
        let stale = act(&steward, "closeSafeguardingNote", "safeguardingNote", "version", &at).await;
        assert_eq!(faults(&stale), fault("CONFLICT", "expectedVersion"));
        assert_eq!(stale["safeguardingNote"]["version"], json!(2));
        let again = json!({ "id": made["id"], "expectedVersion": 2, "reason": "Otra vez." });
        let refused = act(&steward, "closeSafeguardingNote", "safeguardingNote", "version", &again).await;
        assert_eq!(faults(&refused), fault("INVALID", "id"));

        // Nobody else reads or closes.
        let open = json!({ "id": notes["nodes"][1]["id"], "expectedVersion": 1, "reason": "No." });
        for role in ["field", "coordinator", "admin", "auditor"] {
            let client = world.member(role, "own");
            let answer = client.query(&list, Value::Null).await;
            assert_eq!(answer.errors()[0]["extensions"]["code"], json!("NOT_PERMITTED"), "{role}");
            let close = mutation("closeSafeguardingNote", "safeguardingNote", "id");
            let answer = client.query(&close, json!({ "input": open })).await;
            assert_eq!(answer.errors()[0]["extensions"]["code"], json!("NOT_PERMITTED"), "{role}");
        }
        for role in ["admin", "auditor"] {
            let record = mutation(name, "safeguardingNote", "id");
            let answer =
                world.member(role, "own").query(&record, json!({ "input": input("no", "REPORT") })).await;
            assert_eq!(answer.errors()[0]["extensions"]["code"], json!("NOT_PERMITTED"), "{role}");
        }
        let theirs = mutation(name, "safeguardingNote", "id");
        world
            .member("coordinator", "other")
            .query(&theirs, json!({ "input": input("other", "REPORT") }))
            .await
            .data();
        assert_eq!(ask(&steward, &list).await["safeguardingNotes"]["totalCount"], json!(3));
        let written = world.audit().await;
        let count = |action: &str| {
            let of = written.iter().filter(|row| row.entity == "safeguarding_note" && row.action == action);
            of.count()
        };
        assert_eq!((count("CREATE"), count("CLOSE")), (4, 1));
        assert!(count("READ") >= 8);
    }
);
