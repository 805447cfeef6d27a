//! What a woman did goes with her when two records of hers are merged, and comes back.

use api::id::Kind;
use serde_json::{Value, json};
use tests::{Client, both};

use super::*;
use crate::{
    participant::merge::merged,
    talk::{act, ask, column, fault, faults},
};

/// The codes of the women of a list, sorted.
async fn codes(client: &Client, list: &str) -> Vec<String> {
    let (name, _) = list.split_once('(').unwrap();
    let found = ask(client, &format!("{{ {list} {{ nodes {{ participantCode }} }} }}")).await;
    let mut codes = column(&found[name]["nodes"], "participantCode");
    codes.sort();
    codes
}

async fn attend(client: &Client, n: u128, session: &str, woman: u128) -> Value {
    let document = "mutation($rows: [AttendanceRowInput!]!) { recordAttendance(input: { rows: $rows }) { \
        results { outcome userErrors { code field } } } }";
    let row = json!({ "clientId": uuid(Kind::Attendance, n).to_string(), "session": session,
        "participant": w(woman), "mark": "PRESENT", "minutes": 60 });
    let answer = client.query(document, json!({ "rows": [row] })).await;
    answer.data()["recordAttendance"]["results"][0].clone()
}

async fn enrolled(client: &Client, key: &str, woman: u128, workshop: &Value, status: &str) -> Value {
    let input = enrol_input(key, woman, workshop.clone(), status);
    done(client, "enrol", "enrolment", "id version status", &input).await
}

async fn attest(client: &Client, woman: u128, level: &str) {
    let input = json!({ "participant": w(woman), "technique": "weaving", "level": level, "attestedOn": "2026-11-01" });
    done(client, "attestSkill", "skill", "id", &keyed(&format!("{woman}{level}"), input)).await;
}

both!(
    async fn what_she_did_goes_with_her_and_comes_back(world: &World) {
        women(world).await;
        let client = staff(world, "coordinator");
        // In a workshop for two both records have a place, and both have been at one session.
        let taught = json!(workshop(&client, "w", json!(2)).await);
        enrolled(&client, "e1", 1, &taught, "ENROLLED").await;
        enrolled(&client, "e2", 2, &taught, "ENROLLED").await;
        let applied = enrolled(&client, "p2", 2, &Value::Null, "APPLIED").await;
        let sessions = [session(&client, "s1").await, session(&client, "s2").await];
        for (n, place, woman) in [(1, 0, 1), (2, 0, 2), (3, 1, 2)] {
            assert_eq!(attend(&client, n, &sessions[place], woman).await["outcome"], json!("CREATED"));
        }
        attest(&client, 1, "BASIC").await;
        attest(&client, 2, "BASIC").await;
        attest(&client, 2, "INTERMEDIATE").await;
        let matter = keyed("l", json!({ "participant": w(2), "openedOn": "2026-11-01" }));
        done(&client, "openLegalMatter", "legalMatter", "id", &matter).await;
        let bag = product(&client, "BAG").await;
        done(&client, "recordProduction", "productionBatch", "id", &batch_input("b", &bag, &[(2, 1)], 5))
            .await;
        let named = |key: &str, women: &[u128]| {
            let recipients: Vec<String> = women.iter().map(|n| w(*n)).collect();
            keyed(
                key,
                json!({ "facility": id(Kind::Facility, 1), "program": id(Kind::Program, SUPPLIES),
                    "occurredOn": "2026-11-18", "peopleReached": women.len(), "reachMethod": "COUNTED",
                    "lines": [crate::distribution::record::item(SOAP, 4)], "recipients": recipients }),
            )
        };
        for input in [named("d1", &[1, 2]), named("d2", &[2])] {
            done(&client, "recordDistribution", "distribution", "id", &input).await;
        }
        let all = async |client: &Client| {
            let makers = "{ productionBatches(first: 9) { nodes { makers { participantCode } } } }";
            let makers = ask(client, makers).await["productionBatches"]["nodes"][0]["makers"].clone();
            let given = "{ distributions(first: 9) { nodes { recipients { code } } } }";
            let given = ask(client, given).await["distributions"]["nodes"].clone();
            let mut given: Vec<Vec<String>> =
                given.as_array().unwrap().iter().map(|one| column(&one["recipients"], "code")).collect();
            given.sort();
            (
                [
                    codes(client, "enrolments(first: 9)").await,
                    codes(client, "attendance(first: 9)").await,
                    codes(client, "skills(first: 9)").await,
                    codes(client, "legalMatters(first: 9)").await,
                    column(&makers, "participantCode"),
                ],
                given,
            )
        };
        let before = all(&client).await;
        let counts = world.counts().await;
        let (kept, other) = (json!(w(1)), json!(w(2)));
        let merge = merged(world, "m", &kept, &other).await;

        let once = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>();
        let one = || once(&["W001"]);
        let (lists, given) = all(&client).await;
        assert_eq!(lists, [once(&["W001"; 2]), once(&["W001"; 2]), once(&["W001"; 2]), one(), one()]);
        assert_eq!(given, [one(), one()]);
        let there = format!(
            "{{ node(id: \"{}\") {{ ... on Session {{ attendance {{ participantCode }} }} }} }}",
            sessions[0]
        );
        assert_eq!(ask(&client, &there).await["node"]["attendance"], json!([{ "participantCode": "W001" }]));
        // What the kept record has already is not lost.
        let left = format!("(first: 9, filter: {{ participant: [{other}] }})");
        for list in ["enrolments", "attendance", "skills"] {
            assert_eq!(codes(&client, &format!("{list}{left}")).await, ["W002"], "{list}");
        }
        for list in ["legalMatters", "productionBatches"] {
            let found = ask(&client, &format!("{{ {list}{left} {{ nodes {{ id }} }} }}")).await;
            assert_eq!(found[list]["nodes"], json!([]), "{list}");
        }
        // Who is named by her old record is not found.
        assert_eq!(attend(&client, 9, &sessions[1], 2).await["userErrors"][0]["code"], json!("NOT_FOUND"));
        let refused =
            act(&client, "enrol", "enrolment", "id", &enrol_input("x", 2, taught.clone(), "APPLIED")).await;
        assert_eq!(faults(&refused), fault("NOT_FOUND", "participant"));
        let refused = act(&client, "recordDistribution", "distribution", "id", &named("d3", &[2])).await;
        assert_eq!(faults(&refused), fault("NOT_FOUND", "recipients.0"));
        for (name, subject, input) in [
            (
                "attestSkill",
                "skill",
                json!({ "technique": "weaving", "level": "ADVANCED", "attestedOn": "2026-11-01" }),
            ),
            ("openLegalMatter", "legalMatter", json!({ "openedOn": "2026-11-01" })),
        ] {
            let input = keyed(name, with(&input, json!({ "participant": other })));
            assert_eq!(
                faults(&act(&client, name, subject, "id", &input).await),
                fault("NOT_FOUND", "participant")
            );
        }
        let made = batch_input("bx", &bag, &[(2, 1)], 5);
        let refused = act(&client, "recordProduction", "productionBatch", "id", &made).await;
        assert_eq!(faults(&refused), fault("NOT_FOUND", "makers.0.participant"));
        let left = format!(
            "{{ enrolments(first: 9, filter: {{ participant: [{other}] }}) {{ nodes {{ id version }} }} }}"
        );
        let left = ask(&client, &left).await["enrolments"]["nodes"][0].clone();
        let change = |row: &Value, status: &str| json!({ "id": row["id"], "expectedVersion": row["version"], "status": status, "since": "2026-11-02" });
        let refused = act(&client, "changeEnrolment", "enrolment", "id", &change(&left, "WITHDRAWN")).await;
        assert_eq!(faults(&refused), fault("NOT_FOUND", "id"));

        // Her second place is free, and what is recorded from now on is the kept record's.
        let third = enrolled(&client, "e3", 3, &taught, "ENROLLED").await;
        assert_eq!(third["status"], json!("ENROLLED"));
        let later = session(&client, "s3").await;
        assert_eq!(attend(&client, 4, &later, 1).await["outcome"], json!("CREATED"));
        done(&client, "changeEnrolment", "enrolment", "id", &change(&applied, "WITHDRAWN")).await;
        let undo = json!({ "id": merge["id"], "expectedVersion": merge["version"] });
        let full = act(&client, "undoMerge", "participantMerge", "id", &undo).await;
        assert_eq!(faults(&full), fault("CONFLICT", "id"));
        done(&client, "changeEnrolment", "enrolment", "id", &change(&third, "WITHDRAWN")).await;
        done(&client, "undoMerge", "participantMerge", "id", &undo).await;
        let (mut lists, given) = all(&client).await;
        assert_eq!(given, before.1);
        // But for the third woman and the third session.
        assert_eq!(lists[0].pop().as_deref(), Some("W003"));
        assert_eq!(lists[1].remove(0), "W001");
        assert_eq!(lists, before.0);
        let hers = format!(
            "{{ enrolments(first: 9, filter: {{ participant: [{other}], status: [WITHDRAWN] }}) {{ nodes {{ id }} }} }}"
        );
        assert_eq!(ask(&client, &hers).await["enrolments"]["nodes"], json!([{ "id": applied["id"] }]));
        let now = world.counts().await;
        for table in ["skill", "legal_matter", "production_maker", "distribution_recipient"] {
            assert_eq!(now[table], counts[table], "{table}");
        }
    }
);
