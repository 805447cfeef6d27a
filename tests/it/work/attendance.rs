//! Attendance from devices.

use api::id::Kind;
use serde_json::{Value, json};
use tests::{Client, both};

use super::*;
use crate::talk::{act, ask, fault, faults};

const RECORD: &str = "mutation($rows: [AttendanceRowInput!]!, $check: Boolean) { \
    recordAttendance(input: { rows: $rows, validateOnly: $check }) { results { clientId outcome \
    attendance { id version mark reason minutes formNumber participantCode } \
    differences { field here sent } userErrors { code field } } } }";

async fn record(client: &Client, rows: &[Value], check: bool) -> Vec<Value> {
    let answer = client.query(RECORD, json!({ "rows": rows, "check": check })).await;
    answer.data()["recordAttendance"]["results"].as_array().unwrap().clone()
}

fn outcomes(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["outcome"].as_str().unwrap()).collect()
}

fn device_id(n: u128) -> String {
    uuid(Kind::Attendance, n).to_string()
}

fn present(n: u128, session: &str, woman: u128, minutes: i32) -> Value {
    json!({ "clientId": device_id(n), "session": session, "participant": w(woman), "mark": "PRESENT",
        "minutes": minutes, "formNumber": "F-17" })
}

both!(
    async fn rows_are_answered_one_by_one(world: &World) {
        women(world).await;
        let client = staff(world, "field");
        let session = session(&client, "s").await;
        let absent = json!({ "clientId": device_id(2), "session": session, "participant": w(2),
            "mark": "ABSENT_EXCUSED", "reason": "HEARING" });
        let rows = [
            present(1, &session, 1, 90),
            absent.clone(),
            present(3, &session, 3, 91),
            with(&absent, json!({ "clientId": device_id(4), "participant": w(3), "reason": null })),
            present(5, &session, 4, 60),
            present(6, &session, 6, 60),
            present(7, &id(Kind::Session, 77), 1, 60),
            with(&present(8, &session, 3, 60), json!({ "reason": "VISIT" })),
        ];
        let stored = world.stored().await;
        let checked = record(&client, &rows, true).await;
        let wanted = ["CREATED", "CREATED", "REFUSED", "REFUSED", "REFUSED", "REFUSED", "REFUSED", "REFUSED"];
        assert_eq!(outcomes(&checked), wanted);
        assert_eq!(world.stored().await, stored);
        let results = record(&client, &rows, false).await;
        assert_eq!(outcomes(&results), wanted);
        assert_eq!(results[0]["attendance"]["formNumber"], json!("F-17"));
        assert_eq!(results[1]["attendance"]["reason"], json!("HEARING"));
        let errors: Vec<String> = results[2..]
            .iter()
            .map(|result| {
                let error = &result["userErrors"][0];
                format!("{} {}", error["code"].as_str().unwrap(), error["field"][2].as_str().unwrap())
            })
            .collect();
        let wanted = [
            "OUT_OF_RANGE minutes",
            "INVALID reason",
            "NOT_FOUND participant",
            "NOT_FOUND participant",
            "NOT_FOUND session",
            "INVALID reason",
        ];
        assert_eq!(errors, wanted);
        assert_eq!(outcomes(&record(&client, &rows[..2], false).await), ["REPEATED", "REPEATED"]);
        assert_eq!(world.number("SELECT count(*) FROM attendance").await, 2);
        // Below the session, under the same scope.
        let list = "{ sessions(first: 5) { nodes { attendance { participantCode mark } } } }";
        let found = ask(&client, list).await;
        let wanted = json!([{ "participantCode": "W001", "mark": "PRESENT" },
            { "participantCode": "W002", "mark": "ABSENT_EXCUSED" }]);
        assert_eq!(found["sessions"]["nodes"][0]["attendance"], wanted);
        // Without a reason the session is there, and who came is not.
        let silent = world.member("field", "own").query(list, Value::Null).await;
        assert_eq!(silent.code(), "PURPOSE_NEEDED");
        assert_eq!(silent.json()["data"]["sessions"]["nodes"], json!([{ "attendance": null }]));
    }
);

both!(
    /// Nothing is written, and yet the answer says what is recorded of her.
    async fn what_a_device_is_told_leaves_a_trace(world: &World) {
        women(world).await;
        let client = staff(world, "field");
        let session = session(&client, "s").await;
        record(&client, &[present(1, &session, 1, 90)], false).await;
        let bare = "mutation($rows: [AttendanceRowInput!]!, $check: Boolean) { recordAttendance(input: { rows: $rows, \
                    validateOnly: $check }) { results { outcome differences { here } } } }";
        for (minutes, check, outcome) in
            [(90, false, "REPEATED"), (90, true, "REPEATED"), (60, false, "CONFLICT"), (60, true, "CONFLICT")]
        {
            let before = readings(world).await;
            let rows = [present(2, &session, 1, minutes)];
            let answer = client.query(bare, json!({ "rows": rows, "check": check })).await;
            assert_eq!(answer.data()["recordAttendance"]["results"][0]["outcome"], json!(outcome));
            let told = readings(world).await;
            assert_eq!((told.0 - before.0, told.1 - before.1), (1, 1), "{outcome} {check}");
        }
    }
);

both!(
    async fn two_devices_agree_or_hear_of_each_other(world: &World) {
        women(world).await;
        let (one, other) = (staff(world, "field"), staff(world, "coordinator"));
        let session = session(&one, "s").await;
        assert_eq!(outcomes(&record(&one, &[present(1, &session, 1, 90)], false).await), ["CREATED"]);
        // The other has seen the same, under an id of its own.
        let same = record(&other, &[present(2, &session, 1, 90)], false).await;
        assert_eq!(outcomes(&same), ["REPEATED"]);
        // Or something else: both versions are in the answer.
        let row = present(2, &session, 1, 60);
        let differs = record(&other, std::slice::from_ref(&row), false).await;
        assert_eq!(outcomes(&differs), ["CONFLICT"]);
        assert_eq!(differs[0]["differences"], json!([{ "field": "minutes", "here": "90", "sent": "60" }]));
        assert_eq!(differs[0]["attendance"]["version"], json!(1));
        let seen = with(&row, json!({ "expectedVersion": 1 }));
        let changed = record(&other, std::slice::from_ref(&seen), false).await;
        assert_eq!(outcomes(&changed), ["UPDATED"]);
        let now = &changed[0]["attendance"];
        assert_eq!((&now["version"], &now["minutes"]), (&json!(2), &json!(60)));
        assert_eq!(outcomes(&record(&other, &[seen], false).await), ["REPEATED"]);
        // The first one sends again what it had.
        assert_eq!(outcomes(&record(&one, &[present(1, &session, 1, 90)], false).await), ["CONFLICT"]);
        // An id stands for one woman.
        let moved = record(&one, &[present(1, &session, 2, 90)], false).await;
        assert_eq!(outcomes(&moved), ["REFUSED"]);
        assert_eq!(moved[0]["userErrors"][0]["code"], json!("DUPLICATE"));
    }
);

both!(
    async fn at_the_same_time_a_woman_is_once_in_a_session(world: &World) {
        women(world).await;
        let session = session(&world.coordinator(), "s").await;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 1..=8 {
            let client = staff(world, if n % 2 == 0 { "field" } else { "coordinator" });
            let row = present(n, &session, 1, if n % 2 == 0 { 60 } else { 90 });
            tasks.spawn(async move { record(&client, &[row], false).await });
        }
        let results: Vec<Value> = tasks.join_all().await.concat();
        let made = results.iter().filter(|result| result["outcome"] == json!("CREATED")).count();
        let same = results.iter().filter(|result| result["outcome"] == json!("REPEATED")).count();
        let other = results.iter().filter(|result| result["outcome"] == json!("CONFLICT")).count();
        assert_eq!((made, same, other), (1, 3, 4));
    }
);

both!(
    async fn rows_of_a_group_are_written_together_or_not_at_all(world: &World) {
        women(world).await;
        let client = staff(world, "coordinator");
        let session = session(&client, "s").await;
        let grouped = |row: Value| with(&row, json!({ "group": "sheet" }));
        let rows = [
            grouped(present(1, &session, 1, 90)),
            present(2, &session, 2, 90),
            grouped(present(3, &session, 3, 900)),
        ];
        assert_eq!(outcomes(&record(&client, &rows, false).await), ["REFUSED", "CREATED", "REFUSED"]);
        let rows = [rows[0].clone(), rows[1].clone(), grouped(present(3, &session, 3, 80))];
        assert_eq!(outcomes(&record(&client, &rows, false).await), ["CREATED", "REPEATED", "CREATED"]);
    }
);

both!(
    async fn a_session_stays_true_to_its_attendance(world: &World) {
        women(world).await;
        let client = staff(world, "coordinator");
        let session = session(&client, "s").await;
        record(&client, &[present(1, &session, 1, 90)], false).await;
        let at = |change: Value| with(&change, json!({ "id": session, "expectedVersion": 1 }));
        let shorter = act(&client, "updateSession", "session", "id", &at(json!({ "minutes": 60 }))).await;
        assert_eq!(faults(&shorter), fault("OUT_OF_RANGE", "minutes"));
        let cancelled = act(&client, "cancelSession", "session", "id", &at(json!({}))).await;
        assert_eq!(faults(&cancelled), fault("INVALID", "id"));
        // Nobody comes to a session that is still ahead, or was cancelled.
        let ahead = with(
            &session_input("t", Value::Null),
            json!({ "startsAt": "2026-12-01T16:00:00Z", "status": "PLANNED" }),
        );
        let ahead = done(&client, "createSession", "session", "id", &ahead).await;
        let early = record(&client, &[present(2, ahead["id"].as_str().unwrap(), 1, 90)], false).await;
        assert_eq!(early[0]["userErrors"][0]["code"], json!("OUT_OF_RANGE"));
    }
);

both!(
    async fn where_it_is_confidential_nobody_is_named(world: &World) {
        women(world).await;
        let client = staff(world, "coordinator");
        let areas = "UPDATE program SET area = 'MENTAL_HEALTH', areas = '[\"MENTAL_HEALTH\"]' WHERE slug = 'workshop'";
        world.sql(areas).await;
        let session = session(&client, "s").await;
        let named = record(&client, &[present(1, &session, 1, 90)], false).await;
        assert_eq!(outcomes(&named), ["REFUSED"]);
        let error = &named[0]["userErrors"][0];
        assert_eq!((&error["code"], &error["field"][2]), (&json!("INVALID"), &json!("session")));
        let count = json!({ "id": session, "expectedVersion": 1, "attended": 11 });
        let counted = done(&client, "updateSession", "session", "attended", &count).await;
        assert_eq!(counted["attended"], json!(11));
        assert_eq!(world.number("SELECT count(*) FROM attendance").await, 0);
    }
);
