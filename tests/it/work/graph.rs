//! From programs, workshops and women to what hangs on them, and from that to the woman.

use api::id::Kind;
use serde_json::{Value, json};
use tests::{Client, both};

use super::*;
use crate::talk::{Walk, ask, column};

/// Women 1 to 3, each in two workshops and in the program, and three sessions of each workshop.
async fn filled(world: &World) -> [String; 2] {
    women(world).await;
    let client = staff(world, "coordinator");
    let workshops = [workshop(&client, "a", Value::Null).await, workshop(&client, "b", Value::Null).await];
    for (place, workshop) in workshops.iter().enumerate() {
        for n in 1..=3 {
            let key = format!("{place}{n}");
            let input = enrol_input(&key, n, json!(workshop), "ENROLLED");
            done(&client, "enrol", "enrolment", "id", &input).await;
            let input = with(
                &session_input(&format!("s{key}"), json!(workshop)),
                json!({
                "startsAt": format!("2026-11-{:02}T16:00:00Z", n + 1) }),
            );
            done(&client, "createSession", "session", "id", &input).await;
        }
    }
    for n in 1..=3 {
        let input = enrol_input(&format!("p{n}"), n, Value::Null, "APPLIED");
        done(&client, "enrol", "enrolment", "id", &input).await;
    }
    workshops
}

async fn statements(client: &Client, document: &str) -> u64 {
    let answer = client.query(document, Value::Null).await;
    answer.data();
    answer.statements()
}

both!(
    async fn lists_hang_below_what_they_are_of(world: &World) {
        let workshops = filled(world).await;
        let client = staff(world, "coordinator");
        // Each list is that of the query with its filter set.
        let program = id(Kind::Program, WORKSHOP);
        for (kind, under, lists) in [
            ("Program", &program, &["workshops", "sessions"][..]),
            ("Workshop", &workshops[0], &["sessions", "enrolments"][..]),
            ("Participant", &w(2), &["enrolments"][..]),
        ] {
            for list in lists {
                let filter = format!("filter: {{ {}: [\"{under}\"] }}", kind.to_lowercase());
                let walk = |frame, arguments, size, backwards| Walk {
                    client: &client,
                    frame,
                    field: list,
                    arguments,
                    size,
                    backwards,
                };
                let wanted = walk("{ LIST }", &filter, 50, false).all().await;
                assert!(wanted.len() > 1, "{kind} {list}");
                let frame = format!("{{ node(id: \"{under}\") {{ ... on {kind} {{ LIST }} }} }}");
                for backwards in [false, true] {
                    for size in [1, 2] {
                        let found = walk(&frame, "", size, backwards).all().await;
                        assert_eq!(found, wanted, "{kind} {list} {size} {backwards}");
                    }
                }
                let nothing = walk(&frame, "filter: { program: [] }", 2, false);
                if *list != "workshops" || kind != "Program" {
                    assert_eq!(nothing.all().await, Vec::<String>::new(), "{kind} {list}");
                }
            }
        }
        // Of several at once each has its own first rows, and a cursor is of one of them.
        let document = format!(
            "{{ nodes(ids: [\"{}\", \"{}\"]) {{ ... on Workshop {{ id enrolments(first: 2) {{ nodes {{ participantCode \
             workshop {{ id }} }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}",
            workshops[0], workshops[1]
        );
        let found = ask(&client, &document).await["nodes"].clone();
        for place in [0, 1] {
            let page = &found[place]["enrolments"];
            assert_eq!(page["pageInfo"]["hasNextPage"], json!(true));
            let of = page["nodes"].as_array().unwrap();
            assert_eq!(of.len(), 2);
            assert!(of.iter().all(|row| row["workshop"]["id"] == found[place]["id"]), "{page}");
        }
        let document = format!(
            "{{ node(id: \"{}\") {{ ... on Workshop {{ enrolments(first: 2, after: {}) {{ nodes {{ id }} }} }} }} }}",
            workshops[1], found[0]["enrolments"]["pageInfo"]["endCursor"]
        );
        assert_eq!(client.query(&document, Value::Null).await.code(), "BAD_CURSOR");
    }
);

both!(
    async fn a_list_below_a_row_is_read_as_any_other(world: &World) {
        let workshops = filled(world).await;
        // For a purpose, with a trace of the women who were given and of who says that there are more.
        let document = format!(
            "{{ node(id: \"{}\") {{ ... on Workshop {{ enrolments(first: 2) {{ nodes {{ id }} }} }} }} }}",
            workshops[0]
        );
        let silent = world.coordinator().query(&document, Value::Null).await;
        assert_eq!(silent.errors()[0]["extensions"]["code"], json!("PURPOSE_NEEDED"));
        let before = readings(world).await;
        ask(&staff(world, "coordinator"), &document).await;
        let after = readings(world).await;
        assert_eq!((after.0 - before.0, after.1 - before.1), (1, 3));
        // A page without rows tells that there are some: of a woman who has any, and of one who has none.
        for (document, named) in [
            ("{ enrolments(first: 0) { pageInfo { hasNextPage } } }".to_owned(), 1),
            (
                format!(
                    "{{ enrolments(first: 0, filter: {{ participant: [\"{}\"] }}) {{ pageInfo {{ hasNextPage }} }} }}",
                    w(2)
                ),
                1,
            ),
            (
                format!(
                    "{{ enrolments(first: 0, filter: {{ participant: [\"{}\"] }}) {{ pageInfo {{ hasNextPage }} }} }}",
                    w(4)
                ),
                1,
            ),
            (
                format!(
                    "{{ node(id: \"{}\") {{ ... on Participant {{ enrolments(first: 0) {{ pageInfo {{ hasNextPage }} }} }} }} }}",
                    w(4)
                ),
                2,
            ),
            ("{ participants(first: 0) { pageInfo { hasNextPage } } }".to_owned(), 1),
        ] {
            let before = readings(world).await;
            ask(&staff(world, "coordinator"), &document).await;
            assert_eq!(readings(world).await.1 - before.1, named, "{document}");
        }
        // A field worker reads of a program what is at her facilities, and who is there.
        world
            .sql(&format!(
                "UPDATE custody_stay SET ends_on = '2026-11-19', ending = 'OTHER' WHERE participant_id = {}",
                world.literal(Kind::Participant, 1)
            ))
            .await;
        let document = format!(
            "{{ node(id: \"{}\") {{ ... on Program {{ workshops(first: 5) {{ nodes {{ enrolments(first: 5) {{ nodes {{ \
             participantCode }} }} }} }} }} }} }}",
            id(Kind::Program, WORKSHOP)
        );
        for (role, seen) in [("coordinator", vec!["W001", "W002", "W003"]), ("field", vec!["W002", "W003"])] {
            let found = ask(&staff(world, role), &document).await["node"]["workshops"]["nodes"].clone();
            for place in [0, 1] {
                let mut codes = column(&found[place]["enrolments"]["nodes"], "participantCode");
                codes.sort();
                assert_eq!(codes, seen, "{role}");
            }
        }
        // Of another organisation's program there is nothing, and nobody else reads any of it.
        let theirs = world.member("coordinator", "other").purpose("SERVICE");
        let foreign = ask(&theirs, &document).await["node"].clone();
        assert!(foreign.is_null() || foreign["workshops"]["nodes"] == json!([]), "{foreign}");
        for role in ["admin", "auditor"] {
            let answer = staff(world, role).query(&document, Value::Null).await;
            assert_eq!(answer.errors()[0]["extensions"]["code"], json!("NOT_PERMITTED"), "{role}");
        }
    }
);

both!(
    async fn statements_do_not_follow_the_number_of_rows(world: &World) {
        filled(world).await;
        let client = staff(world, "coordinator");
        for (document, few, many) in [
            ("{ enrolments(first: N) { nodes { participant { code stays { startsOn } } } } }", 1, 9),
            (
                "{ workshops(first: N) { nodes { enrolments(first: 3) { nodes { participant { code } } } sessions(first: 3) { \
              nodes { id } } } } }",
                1,
                2,
            ),
            (
                "{ participants(first: N) { nodes { enrolments(first: 2) { nodes { workshop { id } } } } } }",
                1,
                3,
            ),
        ] {
            let with = |n: i32| document.replace('N', &n.to_string());
            let counts = [statements(&client, &with(few)).await, statements(&client, &with(many)).await];
            assert_eq!(counts[0], counts[1], "{document}");
        }
        // The woman is one reading more, however many rows are about her.
        let without = statements(&client, "{ enrolments(first: 9) { nodes { id } } }").await;
        let with = statements(&client, "{ enrolments(first: 9) { nodes { participant { code } } } }").await;
        let record = statements(&client, &format!("{{ participant(id: \"{}\") {{ code }} }}", w(1))).await;
        // Each request asks once more whether the reference tables have changed.
        assert_eq!(with, without + record - 1);
    }
);

both!(
    /// The woman of a row is a record that is read: all kinds of rows offer her.
    async fn rows_offer_the_woman(world: &World) {
        women(world).await;
        let client = staff(world, "coordinator");
        done(&client, "enrol", "enrolment", "id", &enrol_input("e", 1, Value::Null, "ENROLLED")).await;
        let session = session(&client, "s").await;
        let row = json!({ "clientId": uuid(Kind::Attendance, 1).to_string(), "session": session,
            "participant": w(1), "mark": "PRESENT", "minutes": 60 });
        let document = "mutation($rows: [AttendanceRowInput!]!) { recordAttendance(input: { rows: $rows }) { results { \
            outcome } } }";
        client.query(document, json!({ "rows": [row] })).await.data();
        let skill = json!({ "participant": w(1), "technique": "weaving", "level": "BASIC", "attestedOn": "2026-11-01" });
        done(&client, "attestSkill", "skill", "id", &keyed("k", skill)).await;
        let matter = json!({ "participant": w(1), "openedOn": "2026-11-01" });
        done(&client, "openLegalMatter", "legalMatter", "id", &keyed("l", matter)).await;
        let product = product(&client, "BAG").await;
        done(&client, "recordProduction", "productionBatch", "id", &batch_input("b", &product, &[(1, 1)], 5))
            .await;
        let wanted = json!({ "id": w(1), "code": "W001", "stays": [{ "startsOn": "2026-01-01" }] });
        let shown = "participant { id code stays { startsOn } }";
        for (list, row) in [
            ("enrolments", shown),
            ("attendance", shown),
            ("skills", shown),
            ("legalMatters", shown),
            ("productionBatches", "makers { participant { id code stays { startsOn } } }"),
        ] {
            let before = readings(world).await;
            let found = ask(&client, &format!("{{ {list}(first: 5) {{ nodes {{ {row} }} }} }}")).await;
            let row = &found[list]["nodes"][0];
            let woman = if list == "productionBatches" { &row["makers"][0] } else { row };
            assert_eq!(woman["participant"], wanted, "{list}");
            // The row, the record and the stays are each a reading, of her.
            let after = readings(world).await;
            assert_eq!((after.0 - before.0, after.1 - before.1), (3, 3), "{list}");
        }
    }
);
