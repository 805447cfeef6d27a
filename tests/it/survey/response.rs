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
    let list = format!("{{ surveyResponses(first: 9{filter}) {{ totalCount nodes {{ {RESPONSE} }} }} }}");
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
        let before = world.counts().await;
        let checked = send(&worker, &rows, true).await;
        assert_eq!(outcomes(&checked), ["CREATED", "CREATED"]);
        assert_eq!(world.counts().await, before);
        let results = submit(&worker, &rows).await;
        assert_eq!(outcomes(&results), ["CREATED", "CREATED"]);
        // Who records does not read.
        assert_eq!(results[0]["response"], Value::Null);
        let list = "{ surveyResponses(first: 1) { totalCount } }";
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
        // Sent again, in another order and under another id, it is the same.
        assert_eq!(outcomes(&submit(&worker, &rows).await), ["REPEATED", "REPEATED"]);
        let mut turned = answered();
        turned.as_array_mut().unwrap().reverse();
        assert_eq!(outcomes(&submit(&worker, &[row(5, &round, &her, turned)]).await), ["REPEATED"]);
        assert_eq!(world.number("SELECT count(*) FROM survey_response").await, 2);
        // What differs is told, and of answers not how.
        let mut changed = row(1, &round, &her, answered());
        changed["formNumber"] = json!("E-8");
        changed["answers"][2]["number"] = json!(1_600);
        let conflict = submit(&worker, std::slice::from_ref(&changed)).await;
        assert_eq!(outcomes(&conflict), ["CONFLICT"]);
        assert_eq!(
            conflict[0]["differences"],
            json!([{ "field": "formNumber", "here": "\"E-7\"", "sent": "\"E-8\"" }, { "field": "answers", "here": "null", "sent": "null" }])
        );
        let seen = with(&changed, json!({ "expectedVersion": 1 }));
        assert_eq!(outcomes(&submit(&client, &[seen]).await), ["UPDATED"]);
        let now = read(&client, ", filter: { outcome: [ANSWERED] }").await["nodes"][0].clone();
        assert_eq!((&now["version"], &now["answers"][1]["number"]), (&json!(2), &json!(1600)));
        // An id stands for one woman.
        let moved = submit(&worker, &[row(1, &round, &other, answered())]).await;
        assert_eq!(moved[0]["userErrors"][0]["code"], json!("DUPLICATE"));
        let trail: Vec<String> = world
            .text("SELECT CAST(detail AS text) FROM audit_event WHERE entity = 'survey_response' AND action = 'UPDATE'")
            .await;
        assert_eq!(trail.len(), 1);
        assert!(
            trail[0].contains("answers") && !trail[0].contains("1500") && !trail[0].contains("1600"),
            "{trail:?}"
        );
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
    /// Her consent counts as it was on the day on which she answered.
    async fn answers_rest_on_consent(world: &World) {
        let client = coordinator(world);
        let her = consenting(&client, "W-1").await;
        let round = round(&client, "R-1").await;
        consent(&client, &her, "WITHDRAWN", "2026-11-10").await;
        let on = |day: &str| with(&row(1, &round, &her, answered()), json!({ "answeredOn": day }));
        assert_eq!(outcomes(&submit(&client, &[on("2026-11-10")]).await), ["REFUSED"]);
        assert_eq!(outcomes(&submit(&client, &[on("2026-11-09")]).await), ["CREATED"]);
        let sql = "SELECT count(*) FROM survey_response r JOIN consent c ON c.id = r.consent_id \
                   WHERE c.decision = 'GIVEN' AND c.participant_id = r.participant_id";
        assert_eq!(world.number(sql).await, 1);
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
        let nobody = |n: u128| with(&row(n, &round, &her, answered()), json!({ "participant": null }));
        let before = world.counts().await;
        assert_eq!(outcomes(&send(&client, &[nobody(1)], true).await), ["CREATED"]);
        assert_eq!(world.counts().await, before);
        assert_eq!(outcomes(&submit(&client, &[nobody(1), nobody(2)]).await), ["CREATED", "CREATED"]);
        assert_eq!(outcomes(&submit(&client, &[nobody(1)]).await), ["REPEATED"]);
        let found = read(&client, "").await;
        assert_eq!(found["totalCount"], json!(2));
        assert_eq!(found["nodes"][0]["answers"][1]["number"], json!(1500));
        assert_eq!(
            (&found["nodes"][0]["participant"], &found["nodes"][0]["participantCode"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(
            world.number("SELECT count(*) FROM survey_response WHERE participant_id IS NOT NULL").await,
            0
        );
        let reached = "SELECT count(*) FROM record_reach r JOIN audit_event e ON e.id = r.event_id \
                       WHERE e.entity = 'survey_response'";
        assert_eq!(world.number(reached).await, 0);
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
        assert_eq!(world.number("SELECT count(*) FROM survey_response WHERE answers IS NOT NULL").await, 0);
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
                "{{ surveyResponses(first: 5, filter: {{ participant: [{}] }}) {{ totalCount }} }}",
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
        assert_eq!(ask(&theirs, &hers(&women[0])).await["surveyResponses"]["totalCount"], json!(0));
    }
);
