//! Questionnaires.

use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::{
    participant::{at, coordinator, refusal},
    talk::{Walk, act, ask, fault, faults},
};

const WHOLE: &str = "id version code title { text } archivedAt versions { number questions { code kind text { text } \
    riskClass required options { code text { text } } min max unit askedWhen { question anyOf } } }";

both!(
    async fn an_instrument_lives(world: &World) {
        let client = coordinator(world);
        let input = instrument_input("impact");
        let before = world.counts().await;
        let checked = with(&input, json!({ "validateOnly": true }));
        let checked = act(&client, "createInstrument", "instrument", "id", &checked).await;
        assert_eq!(checked, json!({ "instrument": null, "userErrors": [] }));
        assert_eq!(world.counts().await, before);
        let made = done(&client, "createInstrument", "instrument", WHOLE, &input).await;
        assert_eq!(done(&client, "createInstrument", "instrument", WHOLE, &input).await, made);
        let questions = &made["versions"][0]["questions"];
        assert_eq!(questions.as_array().unwrap().len(), 5);
        assert_eq!(
            questions[4],
            json!({ "code": "sends", "kind": "SINGLE", "text": { "text": "¿A quién manda dinero?" },
                "riskClass": "RETALIATION", "required": true, "min": null, "max": null, "unit": null,
                "options": [{ "code": "mother", "text": { "text": "A su madre" } },
                    { "code": "nobody", "text": { "text": "A nadie" } }],
                "askedWhen": { "question": "why", "anyOf": ["money"] } })
        );
        // A version more; the first one stays as it was.
        let fewer = json!([question("busy", "YES_NO", "¿Ocupada?", json!({}))]);
        let revise = with(&at(&made), json!({ "questions": fewer }));
        let revised = done(&client, "reviseInstrument", "instrument", WHOLE, &revise).await;
        assert_eq!(revised["version"], json!(2));
        assert_eq!(revised["versions"][1], made["versions"][0]);
        assert_eq!(revised["versions"][0]["number"], json!(2));
        assert_eq!(revised["versions"][0]["questions"].as_array().unwrap().len(), 1);
        let late = act(&client, "reviseInstrument", "instrument", "version", &revise).await;
        assert_eq!(
            (faults(&late), &late["instrument"]["version"]),
            (fault("CONFLICT", "expectedVersion"), &json!(2))
        );
        let archived = done(&client, "archiveInstrument", "instrument", "archivedAt", &at(&revised)).await;
        assert!(archived["archivedAt"].is_string());
        let begun = round_input("late", &made);
        let begun = act(&client, "createSurveyRound", "surveyRound", "id", &begun).await;
        assert_eq!(faults(&begun), fault("NOT_FOUND", "instrument"));
        let mut actions: Vec<String> = world.audit().await.into_iter().map(|row| row.action).collect();
        actions.sort();
        assert_eq!(actions, ["ARCHIVE", "CREATE", "REVISE"]);
    }
);

both!(
    async fn questions_that_cannot_be_are_refused(world: &World) {
        let client = coordinator(world);
        let one = |more: Value| json!([question("q", "YES_NO", "¿Sí?", more)]);
        let of = |kind: &str, more: Value| json!([question("q", kind, "¿?", more)]);
        let yes = || question("a", "YES_NO", "¿Sí?", json!({}));
        let when = |question: &str, any_of: &[&str]| json!({ "askedWhen": { "question": question, "anyOf": any_of } });
        let second = |more: Value| json!([yes(), question("b", "YES_NO", "¿No?", more)]);
        let two = || json!([option("x", "X"), option("y", "Y")]);
        for (questions, code, field) in [
            (json!([]), "OUT_OF_RANGE", "questions"),
            (one(json!({ "code": "2nd" })), "INVALID", "questions.0.code"),
            (one(json!({ "code": "año" })), "INVALID", "questions.0.code"),
            (json!([yes(), yes()]), "DUPLICATE", "questions.1.code"),
            (of("SINGLE", json!({})), "INVALID", "questions.0.options"),
            (of("MULTIPLE", json!({ "options": [option("x", "X")] })), "INVALID", "questions.0.options"),
            (of("YES_NO", json!({ "options": two() })), "INVALID", "questions.0.options"),
            (
                of("SINGLE", json!({ "options": [option("x", "X"), option("x", "Y")] })),
                "DUPLICATE",
                "questions.0.options.1.code",
            ),
            (of("SCALE", json!({ "min": 1 })), "OUT_OF_RANGE", "questions.0.max"),
            (of("SCALE", json!({ "min": 5, "max": 5 })), "OUT_OF_RANGE", "questions.0.max"),
            (
                of("SCALE", json!({ "min": -2147483648, "max": 2147483647 })),
                "OUT_OF_RANGE",
                "questions.0.max",
            ),
            (of("NUMBER", json!({ "min": 5, "max": 1 })), "OUT_OF_RANGE", "questions.0.max"),
            (one(json!({ "max": 1 })), "OUT_OF_RANGE", "questions.0.max"),
            (one(json!({ "unit": "MXN" })), "INVALID", "questions.0.unit"),
            (one(when("q", &["YES"])), "INVALID", "questions.0.askedWhen"),
            (second(when("c", &["YES"])), "INVALID", "questions.1.askedWhen"),
            (second(when("a", &["x"])), "INVALID", "questions.1.askedWhen"),
            (second(when("a", &[])), "INVALID", "questions.1.askedWhen"),
        ] {
            let input = with(&instrument_input("bad"), json!({ "questions": questions }));
            let refused = act(&client, "createInstrument", "instrument", "id", &input).await;
            assert_eq!(faults(&refused), fault(code, field), "{questions}");
        }
        instrument(&client, "bad").await;
        let twice = with(&instrument_input("bad"), json!({ "idempotencyKey": "other" }));
        let twice = act(&client, "createInstrument", "instrument", "id", &twice).await;
        assert_eq!(faults(&twice), fault("DUPLICATE", "code"));
    }
);

both!(
    async fn staff_of_the_organisation_read_them(world: &World) {
        let client = coordinator(world);
        for code in ["c", "a", "d", "b"] {
            instrument(&client, code).await;
        }
        for backwards in [false, true] {
            let walk = Walk {
                client: &client,
                frame: "{ LIST }",
                field: "instruments",
                arguments: "",
                size: 3,
                backwards,
            };
            assert_eq!(walk.all().await.len(), 4);
        }
        let list = "{ instruments(first: 9, filter: { code: [\"b\", \"d\"], archived: false }) { totalCount nodes { id code } } }";
        let found = ask(&client, list).await["instruments"].clone();
        assert_eq!(
            (&found["totalCount"], crate::talk::column(&found["nodes"], "code")),
            (&json!(2), vec!["b".to_owned(), "d".to_owned()])
        );
        let node = format!("{{ node(id: {}) {{ id }} }}", found["nodes"][0]["id"]);
        for (role, organization, sees) in [
            ("field", "own", true),
            ("steward", "own", true),
            ("admin", "own", false),
            ("auditor", "own", false),
            ("coordinator", "other", false),
        ] {
            let member = world.member(role, organization);
            assert_eq!(ask(&member, &node).await["node"].is_null(), !sees, "{role} {organization}");
            let answer = member.query(list, Value::Null).await;
            match (sees, organization) {
                (true, _) => assert_eq!(answer.data()["instruments"]["totalCount"], json!(2), "{role}"),
                (false, "other") => assert_eq!(answer.data()["instruments"]["totalCount"], json!(0)),
                _ => assert_eq!(refusal(&answer), "NOT_PERMITTED", "{role}"),
            }
        }
        for role in ["field", "steward", "admin"] {
            let create = crate::talk::mutation("createInstrument", "instrument", "id");
            let answer =
                world.member(role, "own").query(&create, json!({ "input": instrument_input("no") })).await;
            assert_eq!(refusal(&answer), "NOT_PERMITTED", "{role}");
        }
    }
);
