//! What women say in rounds.

use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::{
    participant::{at, coordinator, field, refusal},
    talk::{Walk, act, ask, fault, faults},
    work::readings,
};

fn answered() -> Value {
    json!([
        { "question": "why", "options": ["money", "learn"] },
        { "question": "busy", "yes": true },
        { "question": "income", "number": 1_500 },
        { "question": "mood", "missing": "DOES_NOT_KNOW" },
        { "question": "sends", "options": ["mother"] },
    ])
}

const RESPONSE: &str = "id version round { code questions { code } } facility { slug } participant { code } \
    participantCode outcome answeredOn channel formNumber answers { question options number yes missing } withdrawnAt";

async fn read(client: &Client, filter: &str) -> Value {
    let list = format!("{{ surveyResponses(first: 9{filter}) {{ nodes {{ {RESPONSE} }} }} }}");
    ask(client, &list).await["surveyResponses"].clone()
}

both!(
    async fn responses_are_answered_one_by_one(world: &World) {
        let client = coordinator(world);
        let her = consenting(&client, "W-1").await;
        let other = consenting(&client, "W-2").await;
        let round = round(&client, "R-1").await;
        let worker = field(world);
        let refused = with(&row(2, &round, &other, json!([])), json!({ "outcome": "REFUSED" }));
        let rows = [row(1, &round, &her, answered()), refused.clone()];
        let before = world.stored().await;
        let checked = send(&worker, &rows, true).await;
        assert_eq!(outcomes(&checked), ["CREATED", "CREATED"]);
        assert_eq!(world.stored().await, before);
        let results = submit(&worker, &rows).await;
        assert_eq!(outcomes(&results), ["CREATED", "CREATED"]);
        // Who records does not read.
        assert_eq!(results[0]["response"], Value::Null);
        let list = "{ surveyResponses(first: 1) { nodes { id } } }";
        assert_eq!(refusal(&worker.query(list, Value::Null).await), "NOT_PERMITTED");
        let found = read(&client, ", filter: { outcome: [ANSWERED] }").await;
        let response = &found["nodes"][0];
        assert_eq!(
            *response,
            json!({ "id": response["id"], "version": 1, "round": { "code": "R-1", "questions": [{ "code": "busy" },
                { "code": "income" }, { "code": "why" }, { "code": "mood" }, { "code": "sends" }] },
                "facility": { "slug": "neza" }, "participant": { "code": "W-1" }, "participantCode": "W-1",
                "outcome": "ANSWERED", "answeredOn": "2026-11-18", "channel": "PAPER", "formNumber": "E-7",
                "withdrawnAt": null, "answers": [
                    { "question": "busy", "options": [], "number": null, "yes": true, "missing": null },
                    { "question": "income", "options": [], "number": 1500, "yes": null, "missing": null },
                    { "question": "why", "options": ["learn", "money"], "number": null, "yes": null, "missing": null },
                    { "question": "mood", "options": [], "number": null, "yes": null, "missing": "DOES_NOT_KNOW" },
                    { "question": "sends", "options": ["mother"], "number": null, "yes": null, "missing": null }] })
        );
        assert_eq!(
            read(&client, ", filter: { outcome: [REFUSED] }").await["nodes"][0]["answers"],
            Value::Null
        );
        // Sent again, in another order, it is the same.
        assert_eq!(outcomes(&submit(&worker, &rows).await), ["REPEATED", "REPEATED"]);
        let mut turned = answered();
        turned.as_array_mut().unwrap().reverse();
        let under = |n: u128| row(n, &round, &her, turned.clone());
        assert_eq!(outcomes(&submit(&worker, &[under(1)]).await), ["REPEATED"]);
        // Under another id that is told to who reads responses; to others it would confirm a guess.
        assert_eq!(outcomes(&submit(&client, &[under(5)]).await), ["REPEATED"]);
        let differ = json!([{ "field": "answers", "here": "null", "sent": "null" }]);
        for answers in [turned.clone(), json!([{ "question": "busy", "yes": false }])] {
            for more in [
                json!({}),
                json!({ "expectedVersion": 1 }),
                json!({ "outcome": "REFUSED", "answers": [], "expectedVersion": 1 }),
            ] {
                let guess = with(&row(6, &round, &her, answers.clone()), more);
                for check in [false, true] {
                    let told = send(&worker, std::slice::from_ref(&guess), check).await;
                    assert_eq!((outcomes(&told), &told[0]["differences"]), (vec!["CONFLICT"], &differ));
                }
            }
        }
        assert_eq!(world.number("SELECT count(*) FROM survey_response").await, 2);
        // What differs is told, and of answers not how; and what is here to who reads responses alone.
        let mut changed = row(1, &round, &her, answered());
        changed["formNumber"] = json!("E-8");
        changed["answers"][2]["number"] = json!(1_600);
        for (client, here) in [(&client, "\"E-7\""), (&worker, "null")] {
            let conflict = submit(client, std::slice::from_ref(&changed)).await;
            assert_eq!(outcomes(&conflict), ["CONFLICT"]);
            assert_eq!(
                conflict[0]["differences"],
                json!([{ "field": "formNumber", "here": here, "sent": "\"E-8\"" },
                    { "field": "answers", "here": "null", "sent": "null" }])
            );
        }
        let seen = with(&changed, json!({ "expectedVersion": 1 }));
        assert_eq!(outcomes(&submit(&worker, std::slice::from_ref(&seen)).await), ["UPDATED"]);
        let now = read(&client, ", filter: { outcome: [ANSWERED] }").await["nodes"][0].clone();
        assert_eq!((&now["version"], &now["answers"][1]["number"]), (&json!(2), &json!(1600)));
        // Another worker with the same device empties nothing.
        world.sql("UPDATE survey_response SET recorded_by = NULL").await;
        let emptied = with(&seen, json!({ "expectedVersion": 2, "outcome": "REFUSED", "answers": [] }));
        assert_eq!(outcomes(&submit(&worker, &[emptied]).await), ["CONFLICT"]);
        let again = with(&seen, json!({ "expectedVersion": 2, "formNumber": "E-9" }));
        assert_eq!(outcomes(&submit(&client, &[again]).await), ["UPDATED"]);
        // An id stands for one woman.
        let moved = submit(&worker, &[row(1, &round, &other, answered())]).await;
        assert_eq!(moved[0]["userErrors"][0]["code"], json!("DUPLICATE"));
        let trail: Vec<String> = world
            .text("SELECT CAST(detail AS text) FROM audit_event WHERE entity = 'survey_response' AND action = 'UPDATE'")
            .await;
        assert_eq!(trail.len(), 2);
        let trail = trail.concat();
        assert!(trail.contains("answers") && !trail.contains("1500") && !trail.contains("1600"), "{trail}");
    }
);

both!(
    async fn responses_that_cannot_be_are_refused(world: &World) {
        let client = coordinator(world);
        let her = consenting(&client, "W-1").await;
        let silent =
            crate::participant::registered(&client, "W-2", "Ana", "Soto", json!({ "code": "W-2" })).await;
        let round = round(&client, "R-1").await;
        let good = row(1, &round, &her, answered());
        let answers = |answers: Value| json!({ "answers": answers });
        let busy = json!({ "question": "busy", "yes": true });
        let none = json!({ "question": "why", "options": ["others"] });
        for (more, code, field) in [
            (json!({ "round": id(Kind::SurveyRound, 9) }), "NOT_FOUND", "round"),
            (json!({ "facility": id(Kind::Facility, 3) }), "NOT_FOUND", "facility"),
            (json!({ "participant": null }), "INVALID", "participant"),
            (json!({ "participant": id(Kind::Participant, 9) }), "NOT_FOUND", "participant"),
            (json!({ "participant": silent["id"] }), "INVALID", "participant"),
            (json!({ "answeredOn": "2026-10-31" }), "OUT_OF_RANGE", "answeredOn"),
            (json!({ "answeredOn": "2026-11-21" }), "OUT_OF_RANGE", "answeredOn"),
            (json!({ "formNumber": " " }), "INVALID", "formNumber"),
            (json!({ "outcome": "ABSENT" }), "INVALID", "answers"),
            (answers(json!([])), "INVALID", "answers"),
            (answers(json!([busy, busy])), "DUPLICATE", "answers.1.question"),
            (answers(json!([busy, { "question": "age", "number": 3 }])), "NOT_FOUND", "answers.1.question"),
            (answers(json!([{ "question": "busy" }])), "INVALID", "answers.0"),
            (answers(json!([{ "question": "busy", "number": 1 }])), "INVALID", "answers.0"),
            (
                answers(json!([{ "question": "busy", "yes": true, "missing": "REFUSED" }])),
                "INVALID",
                "answers.0",
            ),
            (answers(json!([busy, { "question": "income", "number": -1 }])), "INVALID", "answers.1"),
            (answers(json!([busy, { "question": "mood", "number": 6 }])), "INVALID", "answers.1"),
            (answers(json!([busy, { "question": "why", "options": [] }])), "INVALID", "answers.1"),
            (
                answers(json!([busy, { "question": "why", "options": ["learn", "learn"] }])),
                "INVALID",
                "answers.1",
            ),
            (answers(json!([busy, { "question": "why", "options": ["love"] }])), "INVALID", "answers.1"),
            // Not put to her, by what she said before; and put to her, and not answered.
            (
                answers(json!([busy, none, { "question": "sends", "options": ["mother"] }])),
                "INVALID",
                "answers.2",
            ),
            (answers(json!([busy, { "question": "why", "options": ["money"] }])), "INVALID", "answers"),
        ] {
            let results = submit(&client, &[with(&good, more.clone())]).await;
            assert_eq!(outcomes(&results), ["REFUSED"], "{more}");
            let error = &results[0]["userErrors"][0];
            let path: Vec<&str> =
                error["field"].as_array().unwrap()[2..].iter().filter_map(Value::as_str).collect();
            assert_eq!((&error["code"], path.join(".").as_str()), (&json!(code), field), "{more}");
        }
        assert_eq!(world.number("SELECT count(*) FROM survey_response").await, 0);
        // Rows of a group stand or fall together.
        let together = |row: Value| with(&row, json!({ "group": "g" }));
        let bad = with(&row(2, &round, &silent, answered()), json!({ "outcome": "LEFT" }));
        let results = submit(&client, &[together(good.clone()), together(bad)]).await;
        assert_eq!(outcomes(&results), ["REFUSED", "REFUSED"]);
        assert_eq!(world.number("SELECT count(*) FROM survey_response").await, 0);
        // That she did not answer needs no consent.
        let left = with(&row(2, &round, &silent, json!([])), json!({ "outcome": "LEFT" }));
        assert_eq!(outcomes(&submit(&client, &[left]).await), ["CREATED"]);
        let close = at(&round);
        done(&client, "closeSurveyRound", "surveyRound", "id", &close).await;
        let late = submit(&client, &[good]).await;
        assert_eq!(late[0]["userErrors"][0]["field"][2], json!("round"));
    }
);

both!(
    /// Answers of a day need her consent of that day, and that she has not withdrawn it since.
    async fn answers_rest_on_consent(world: &World) {
        let client = coordinator(world);
        let her = consenting(&client, "W-1").await;
        let round = round(&client, "R-1").await;
        consent(&client, &her, "WITHDRAWN", "2026-11-10").await;
        let on = |day: &str| with(&row(1, &round, &her, answered()), json!({ "answeredOn": day }));
        for day in ["2026-11-10", "2026-11-09"] {
            assert_eq!(outcomes(&submit(&client, &[on(day)]).await), ["REFUSED"], "{day}");
        }
        consent(&client, &her, "GIVEN", "2026-11-15").await;
        assert_eq!(outcomes(&submit(&client, &[on("2026-11-12")]).await), ["REFUSED"]);
        assert_eq!(outcomes(&submit(&client, &[on("2026-11-09")]).await), ["CREATED"]);
        let sql = "SELECT count(*) FROM survey_response r JOIN consent c ON c.id = r.consent_id \
                   WHERE c.decision = 'GIVEN' AND c.decided_on = '2026-03-01' AND c.participant_id = r.participant_id";
        assert_eq!(world.number(sql).await, 1);
        // After she has withdrawn it, nothing is written over what she said; that it is here is still told.
        consent(&client, &her, "WITHDRAWN", "2026-11-18").await;
        let corrected = with(&on("2026-11-09"), json!({ "expectedVersion": 1, "formNumber": "E-8" }));
        assert_eq!(outcomes(&submit(&client, &[corrected]).await), ["REFUSED"]);
        assert_eq!(outcomes(&submit(&client, &[on("2026-11-09")]).await), ["REPEATED"]);
    }
);

both!(
    /// Who answered under a record that was merged into another does not answer a second time.
    async fn a_woman_answers_once_in_both_records(world: &World) {
        let client = coordinator(world);
        let (kept, other) = (consenting(&client, "W-1").await, consenting(&client, "W-2").await);
        // The last word about her data is in the record that is kept.
        consent(&client, &kept, "GIVEN", "2026-03-02").await;
        let round = round(&client, "R-1").await;
        assert_eq!(outcomes(&submit(&client, &[row(1, &round, &other, answered())]).await), ["CREATED"]);
        crate::participant::merge::merged(world, "m", &kept["id"], &other["id"]).await;
        let twice = submit(&client, &[row(2, &round, &kept, answered())]).await;
        let error = &twice[0]["userErrors"][0];
        assert_eq!((&error["code"], &error["field"][2]), (&json!("DUPLICATE"), &json!("participant")));
        let hers = read(&client, &format!(", filter: {{ participant: [{}] }}", kept["id"])).await;
        assert_eq!(hers["nodes"][0]["answers"][1]["number"], json!(1500));
    }
);

both!(
    async fn of_two_who_send_her_at_once_one_is_first(world: &World) {
        let (client, second) = (coordinator(world), world.member("coordinator2", "own").purpose("SERVICE"));
        let her = consenting(&client, "W-1").await;
        let round = round(&client, "R-1").await;
        let rows = [1, 2].map(|n| [row(n, &round, &her, answered())]);
        let (one, other) = futures_util::join!(submit(&client, &rows[0]), submit(&second, &rows[1]));
        let mut found = [outcomes(&one), outcomes(&other)].concat();
        found.sort_unstable();
        assert_eq!(found, ["CREATED", "REPEATED"]);
        assert_eq!(world.number("SELECT count(*) FROM survey_response").await, 1);
    }
);

both!(
    /// A key that does not open is the fault of one row.
    async fn one_bad_row_stops_no_other(world: &World) {
        let client = coordinator(world);
        let (bad, good) = (consenting(&client, "W-1").await, consenting(&client, "W-2").await);
        let round = round(&client, "R-1").await;
        world
            .sql(
                "UPDATE participant_key SET wrapped = substr(wrapped, 1, 20) \
                 WHERE participant_id IN (SELECT id FROM participant WHERE code = 'W-1')",
            )
            .await;
        let rows = [row(1, &round, &bad, answered()), row(2, &round, &good, answered())];
        let results = submit(&client, &rows).await;
        assert_eq!(outcomes(&results), ["REFUSED", "CREATED"]);
        assert_eq!(results[0]["userErrors"][0]["field"][2], json!("participant"));
    }
);

both!(
    async fn nobody_knows_whose_an_anonymous_response_is(world: &World) {
        let client = coordinator(world);
        let her = consenting(&client, "W-1").await;
        let questions = instrument(&client, "impact").await;
        let input = with(&round_input("R-1", &questions), json!({ "linkage": "ANONYMOUS" }));
        let round = done(&client, "createSurveyRound", "surveyRound", "id", &input).await;
        let named = submit(&client, &[row(1, &round, &her, answered())]).await;
        assert_eq!(named[0]["userErrors"][0]["field"][2], json!("participant"));
        let reached = "SELECT count(*) FROM record_reach r JOIN audit_event e ON e.id = r.event_id \
                       WHERE e.entity = 'survey_response'";
        let of_her = world.number(reached).await;
        let numbered = with(&row(1, &round, &her, answered()), json!({ "participant": null }));
        let refused = submit(&client, std::slice::from_ref(&numbered)).await;
        assert_eq!(refused[0]["userErrors"][0]["field"][2], json!("formNumber"));
        let unnumbered = with(&numbered, json!({ "formNumber": null }));
        let nobody = |n: u128| with(&unnumbered, json!({ "clientId": device_id(n) }));
        let before = world.counts().await;
        assert_eq!(outcomes(&send(&client, &[nobody(1)], true).await), ["CREATED"]);
        assert_eq!(world.counts().await, before);
        assert_eq!(outcomes(&submit(&client, &[nobody(1), nobody(2)]).await), ["CREATED", "CREATED"]);
        assert_eq!(outcomes(&submit(&client, &[nobody(1)]).await), ["REPEATED"]);
        let found = read(&client, "").await;
        assert_eq!(found["nodes"].as_array().unwrap().len(), 2);
        assert_eq!(found["nodes"][0]["answers"][1]["number"], json!(1500));
        assert_eq!(
            (&found["nodes"][0]["participant"], &found["nodes"][0]["participantCode"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(
            world.number("SELECT count(*) FROM survey_response WHERE participant_id IS NOT NULL").await,
            0
        );
        // Neither the row nor the audit says who sent which when.
        let told =
            "SELECT count(*) FROM survey_response WHERE recorded_by IS NOT NULL OR form_number IS NOT NULL";
        assert_eq!(world.number(told).await, 0);
        let list = "{ surveyResponses(first: 2) { nodes { recordedAt } } }";
        for row in ask(&client, list).await["surveyResponses"]["nodes"].as_array().unwrap() {
            assert_eq!(row["recordedAt"], json!("2026-11-20T00:00:00.000000Z"));
        }
        let named = "SELECT count(*) FROM audit_event e JOIN survey_response r ON r.id = e.entity_id";
        assert_eq!(world.number(named).await, 0);
        assert_eq!(world.number(reached).await, of_her);
    }
);

both!(
    async fn answers_are_taken_back_for_good(world: &World) {
        let client = coordinator(world);
        let her = consenting(&client, "W-1").await;
        let round = round(&client, "R-1").await;
        submit(&client, &[row(1, &round, &her, answered())]).await;
        let made = read(&client, "").await["nodes"][0].clone();
        let worker = crate::talk::mutation("withdrawResponse", "surveyResponse", "id");
        let worker = field(world).query(&worker, json!({ "input": at(&made) })).await;
        assert_eq!(refusal(&worker), "NOT_PERMITTED");
        let empty = done(&client, "withdrawResponse", "surveyResponse", RESPONSE, &at(&made)).await;
        assert_eq!(
            (&empty["answers"], &empty["version"], &empty["outcome"]),
            (&Value::Null, &json!(2), &json!("ANSWERED"))
        );
        assert!(empty["withdrawnAt"].is_string());
        let left =
            "SELECT count(*) FROM survey_response WHERE answers IS NOT NULL OR form_number IS NOT NULL";
        assert_eq!(world.number(left).await, 0);
        let again = act(&client, "withdrawResponse", "surveyResponse", "id", &at(&empty)).await;
        assert_eq!(faults(&again), fault("INVALID", "id"));
        // A device that still has them does not bring them back.
        let back = with(&row(1, &round, &her, answered()), json!({ "expectedVersion": 2 }));
        assert_eq!(outcomes(&submit(&client, &[back]).await), ["REFUSED"]);
    }
);

both!(
    async fn a_reading_has_a_purpose_and_a_trace(world: &World) {
        let client = coordinator(world);
        let round = round(&client, "R-1").await;
        let mut women = Vec::new();
        for n in 1..=3 {
            let her = consenting(&client, &format!("W-{n}")).await;
            submit(&client, &[row(n, &round, &her, answered())]).await;
            women.push(her);
        }
        let nowhere =
            crate::participant::registered(&client, "W-9", "Ana", "Soto", json!({ "code": "W-9" })).await;
        let list = "{ surveyResponses(first: 2) { nodes { id } } }";
        assert_eq!(refusal(&world.coordinator().query(list, Value::Null).await), "PURPOSE_NEEDED");
        let hers = |her: &Value| {
            format!(
                "{{ surveyResponses(first: 5, filter: {{ participant: [{}] }}) {{ nodes {{ id }} }} }}",
                her["id"]
            )
        };
        for (document, named) in [
            (list.to_owned(), 3),
            ("{ surveyResponses(first: 0) { pageInfo { hasNextPage } } }".to_owned(), 1),
            (hers(&women[1]), 1),
            (hers(&nowhere), 1),
        ] {
            let before = readings(world).await;
            ask(&client, &document).await;
            let after = readings(world).await;
            assert_eq!((after.0 - before.0, after.1 - before.1), (1, named), "{document}");
        }
        for backwards in [false, true] {
            let walk = Walk {
                client: &client,
                frame: "{ LIST }",
                field: "surveyResponses",
                arguments: "",
                size: 2,
                backwards,
            };
            assert_eq!(walk.all().await.len(), 3);
        }
        let statements = async |first: u32| {
            let list = format!("{{ surveyResponses(first: {first}) {{ nodes {{ {RESPONSE} }} }} }}");
            let answer = client.query(&list, Value::Null).await;
            answer.data();
            answer.statements()
        };
        assert_eq!(statements(1).await, statements(3).await);
        // Others see nothing of it.
        let node = ask(&client, "{ surveyResponses(first: 1) { nodes { id } } }").await;
        let node = format!("{{ node(id: {}) {{ id }} }}", node["surveyResponses"]["nodes"][0]["id"]);
        assert!(ask(&client, &node).await["node"].is_object());
        for (role, organization) in [
            ("field", "own"),
            ("steward", "own"),
            ("admin", "own"),
            ("auditor", "own"),
            ("coordinator", "other"),
            ("partner", "ally"),
            ("donor", "giver"),
        ] {
            let member = world.member(role, organization).purpose("SERVICE");
            assert_eq!(ask(&member, &node).await["node"], Value::Null, "{role} {organization}");
        }
        let theirs = world.member("coordinator", "other").purpose("SERVICE");
        assert_eq!(ask(&theirs, &hers(&women[0])).await["surveyResponses"]["nodes"], json!([]));
        // What a sender is told of her leaves a trace, whatever is written.
        let refused = with(&row(9, &round, &nowhere, json!([])), json!({ "outcome": "REFUSED" }));
        for (row, check) in [
            (refused, true),
            (row(9, &round, &nowhere, answered()), false),
            (row(1, &round, &women[0], answered()), false),
            (row(8, &round, &women[0], json!([{ "question": "busy", "yes": false }])), true),
        ] {
            let before = readings(world).await;
            send(&crate::participant::field(world), std::slice::from_ref(&row), check).await;
            let after = readings(world).await;
            assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1), "{row}");
        }
    }
);
