//! Workshops and sessions.

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::talk::{Walk, act, ask, fault, faults};

both!(
    async fn a_workshop_lives(world: &World) {
        let client = world.coordinator();
        let selection =
            "id version capacity cancelled technique level hours program { slug } facility { slug }";
        let input = workshop_input("a", json!(12));
        let before = world.counts().await;
        let checked = with(&input, json!({ "validateOnly": true }));
        let payload = act(&client, "createWorkshop", "workshop", selection, &checked).await;
        assert_eq!(payload, json!({ "workshop": null, "userErrors": [] }));
        assert_eq!(world.counts().await, before);
        let made = done(&client, "createWorkshop", "workshop", selection, &input).await;
        assert_eq!(done(&client, "createWorkshop", "workshop", selection, &input).await, made);
        assert_eq!(made["program"]["slug"], json!("workshop"));
        assert_eq!((&made["version"], &made["cancelled"]), (&json!(1), &json!(false)));
        let at = |version: i32, change: Value| {
            with(&change, json!({ "id": made["id"], "expectedVersion": version }))
        };
        let change = at(1, json!({ "capacity": null, "hours": 60 }));
        let changed = done(&client, "updateWorkshop", "workshop", selection, &change).await;
        assert_eq!(
            (&changed["version"], &changed["capacity"], &changed["hours"], &changed["level"]),
            (&json!(2), &json!(null), &json!(60), &json!("BASIC"))
        );
        // Somebody who has seen the first version gets the row as it is.
        let stale = act(&client, "updateWorkshop", "workshop", "version", &change).await;
        assert_eq!(faults(&stale), fault("CONFLICT", "expectedVersion"));
        assert_eq!(stale["workshop"]["version"], json!(2));
        let cancelled = done(&client, "cancelWorkshop", "workshop", selection, &at(2, json!({}))).await;
        assert_eq!((&cancelled["version"], &cancelled["cancelled"]), (&json!(3), &json!(true)));
        let late = act(&client, "updateWorkshop", "workshop", "id", &at(3, json!({ "hours": 1 }))).await;
        assert_eq!(faults(&late), fault("INVALID", "id"));
        let actions: Vec<String> = world
            .audit()
            .await
            .into_iter()
            .filter(|row| row.entity == "workshop")
            .map(|row| row.action)
            .collect();
        assert_eq!(actions, ["CREATE", "UPDATE", "CANCEL"]);
    }
);

both!(
    async fn a_workshop_that_cannot_be_is_refused(world: &World) {
        let client = world.coordinator();
        for (change, wanted) in [
            (json!({ "program": id(Kind::Program, THEIRS) }), fault("NOT_FOUND", "program")),
            (json!({ "facility": id(Kind::Facility, 4) }), fault("INVALID", "facility")),
            (json!({ "technique": "embroidery" }), fault("NOT_FOUND", "technique")),
            (json!({ "capacity": 0 }), fault("OUT_OF_RANGE", "capacity")),
            (json!({ "endsOn": "2026-09-30" }), fault("OUT_OF_RANGE", "endsOn")),
            (json!({ "endsOn": "2028-01-01" }), fault("OUT_OF_RANGE", "endsOn")),
            (json!({ "startsOn": "2019-12-31" }), fault("OUT_OF_RANGE", "startsOn")),
        ] {
            let input = with(&workshop_input("bad", json!(3)), change.clone());
            let payload = act(&client, "createWorkshop", "workshop", "id", &input).await;
            assert_eq!(faults(&payload), wanted, "{change}");
        }
        assert_eq!(world.number("SELECT count(*) FROM workshop").await, 0);
    }
);

both!(
    async fn a_session_lives(world: &World) {
        let client = world.coordinator();
        let workshop = workshop(&client, "w", json!(5)).await;
        let selection = "id version status startsAt minutes provider attended workshop { id title { text } }";
        let planned = with(
            &session_input("s", json!(workshop)),
            json!({ "startsAt": "2026-12-01T16:00:00Z", "status": null }),
        );
        let made = done(&client, "createSession", "session", selection, &planned).await;
        assert_eq!((&made["status"], &made["workshop"]["id"]), (&json!("PLANNED"), &json!(workshop)));
        let at = |version: i32, change: Value| {
            with(&change, json!({ "id": made["id"], "expectedVersion": version }))
        };
        // It has not begun.
        let early = act(&client, "updateSession", "session", "id", &at(1, json!({ "status": "HELD" }))).await;
        assert_eq!(faults(&early), fault("OUT_OF_RANGE", "startsAt"));
        let held = at(1, json!({ "status": "HELD", "startsAt": "2026-11-19T16:00:00Z", "provider": null }));
        let held = done(&client, "updateSession", "session", selection, &held).await;
        assert_eq!(
            (&held["status"], &held["provider"], &held["version"]),
            (&json!("HELD"), &json!(null), &json!(2))
        );
        // Here names are taken, so nobody is counted.
        let counted = act(&client, "updateSession", "session", "id", &at(2, json!({ "attended": 3 }))).await;
        assert_eq!(faults(&counted), fault("INVALID", "attended"));
        for (change, wanted) in [
            (json!({ "minutes": 0 }), fault("OUT_OF_RANGE", "minutes")),
            (json!({ "workshop": id(Kind::Workshop, 99) }), fault("NOT_FOUND", "workshop")),
            (
                json!({ "workshop": workshop, "startsAt": "2026-09-30T12:00:00Z" }),
                fault("OUT_OF_RANGE", "startsAt"),
            ),
        ] {
            let input = with(&session_input("bad", Value::Null), change.clone());
            let payload = act(&client, "createSession", "session", "id", &input).await;
            assert_eq!(faults(&payload), wanted, "{change}");
        }
        let cancelled = done(&client, "cancelSession", "session", selection, &at(2, json!({}))).await;
        assert_eq!((&cancelled["status"], &cancelled["version"]), (&json!("CANCELLED"), &json!(3)));
    }
);

both!(
    async fn lists_are_narrowed_and_walked(world: &World) {
        let client = world.coordinator();
        let workshop = workshop(&client, "w", json!(5)).await;
        let mut wanted = Vec::new();
        for n in 0..7 {
            let of = if n % 2 == 0 { json!(workshop) } else { Value::Null };
            let day = json!({ "startsAt": format!("2026-11-{:02}T16:00:00Z", 3 + n / 2) });
            let input = with(&session_input(&format!("s{n}"), of), day);
            wanted
                .push(done(&client, "createSession", "session", "id startsAt workshop { id }", &input).await);
        }
        wanted.sort_by_key(|one| (one["startsAt"].to_string(), decoded(&one["id"])));
        wanted.reverse();
        let all: Vec<String> = wanted.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        for backwards in [false, true] {
            let walk = Walk {
                client: &client,
                frame: "{ LIST }",
                field: "sessions",
                arguments: "",
                size: 3,
                backwards,
            };
            assert_eq!(walk.all().await, all);
        }
        let filter = format!(
            "filter: {{ workshop: [\"{workshop}\"], status: [HELD], during: {{ from: \"2026-11-04\", to: \"2026-11-05\" }} }}"
        );
        let walk = Walk {
            client: &client,
            frame: "{ LIST }",
            field: "sessions",
            arguments: &filter,
            size: 2,
            backwards: false,
        };
        let narrowed: Vec<String> = wanted
            .iter()
            .filter(|one| one["workshop"]["id"] == json!(workshop))
            .filter(|one| ("2026-11-04".."2026-11-06").contains(&&one["startsAt"].as_str().unwrap()[..10]))
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect();
        assert!(!narrowed.is_empty());
        assert_eq!(walk.all().await, narrowed);
        // However many rows, the same number of statements.
        let list = async |first: usize| {
            let document = format!("{{ sessions(first: {first}) {{ nodes {{ id workshop {{ id }} }} }} }}");
            client.query(&document, Value::Null).await.statements()
        };
        assert_eq!(list(1).await, list(7).await);
        let found =
            ask(&client, &format!("{{ node(id: \"{workshop}\") {{ ... on Workshop {{ capacity }} }} }}"))
                .await;
        assert_eq!(found["node"]["capacity"], json!(5));
    }
);

fn decoded(id: &Value) -> sea_orm::prelude::Uuid {
    api::id::GlobalId::parse(id.as_str().unwrap()).unwrap().id
}
