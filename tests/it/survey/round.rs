//! Rounds of field work.

use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::{
    participant::{at, coordinator},
    talk::{Walk, act, ask, fault, faults},
};

const ROUND: &str = "id version code instrumentVersion questions { code } instrument { code versions { number } } \
    facilities { slug } mode linkage noticeVersion startsOn endsOn universe eligible invited closedAt";

both!(
    async fn a_round_lives(world: &World) {
        let client = coordinator(world);
        let questions = instrument(&client, "impact").await;
        let input =
            with(&round_input("R-1", &questions), json!({ "universe": 60, "eligible": 55, "invited": 55 }));
        let made = done(&client, "createSurveyRound", "surveyRound", ROUND, &input).await;
        assert_eq!(done(&client, "createSurveyRound", "surveyRound", ROUND, &input).await, made);
        assert_eq!(
            made,
            json!({ "id": made["id"], "version": 1, "code": "R-1", "instrumentVersion": 1,
                "questions": [{ "code": "busy" }, { "code": "income" }, { "code": "why" }, { "code": "mood" }, { "code": "sends" }],
                "instrument": { "code": "impact", "versions": [{ "number": 1 }] },
                "facilities": [{ "slug": "neza" }, { "slug": "ecatepec" }], "mode": "INTERVIEW",
                "linkage": "PSEUDONYMOUS", "noticeVersion": "2026-1", "startsOn": "2026-11-01",
                "endsOn": "2026-11-30", "universe": 60, "eligible": 55, "invited": 55, "closedAt": null })
        );
        // A new version of the questions leaves the round with its own.
        let fewer = json!([question("busy", "YES_NO", "¿Ocupada?", json!({}))]);
        let revise = with(&at(&questions), json!({ "questions": fewer }));
        done(&client, "reviseInstrument", "instrument", "id", &revise).await;
        let update = with(&at(&made), json!({ "endsOn": "2026-12-05", "universe": null, "invited": 50 }));
        let updated = done(&client, "updateSurveyRound", "surveyRound", ROUND, &update).await;
        assert_eq!(
            (&updated["endsOn"], &updated["universe"], &updated["eligible"], &updated["invited"]),
            (&json!("2026-12-05"), &Value::Null, &json!(55), &json!(50))
        );
        assert_eq!((&updated["instrumentVersion"], &updated["questions"]), (&json!(1), &made["questions"]));
        let newer =
            done(&client, "createSurveyRound", "surveyRound", ROUND, &round_input("R-2", &questions)).await;
        assert_eq!(newer["instrumentVersion"], json!(2));
        let late = act(&client, "updateSurveyRound", "surveyRound", "version", &update).await;
        assert_eq!(faults(&late), fault("CONFLICT", "expectedVersion"));
        let closed =
            done(&client, "closeSurveyRound", "surveyRound", "id version closedAt", &at(&updated)).await;
        assert!(closed["closedAt"].is_string());
        let again = act(&client, "closeSurveyRound", "surveyRound", "id", &at(&closed)).await;
        assert_eq!(faults(&again), fault("INVALID", "id"));
        let of_rounds = world.audit().await.into_iter().filter(|row| row.entity == "survey_round");
        let mut actions: Vec<String> = of_rounds.map(|row| row.action).collect();
        actions.sort();
        assert_eq!(actions, ["CLOSE", "CREATE", "CREATE", "UPDATE"]);
    }
);

both!(
    async fn rounds_that_cannot_be_are_refused(world: &World) {
        let client = coordinator(world);
        let questions = instrument(&client, "impact").await;
        let input = round_input("R-1", &questions);
        for (more, code, field) in [
            (json!({ "code": "R 1" }), "INVALID", "code"),
            (json!({ "noticeVersion": " " }), "INVALID", "noticeVersion"),
            (json!({ "endsOn": "2026-10-31" }), "OUT_OF_RANGE", "endsOn"),
            (json!({ "facilities": [] }), "INVALID", "facilities"),
            (json!({ "facilities": [id(Kind::Facility, 4)] }), "NOT_FOUND", "facilities.0"),
            (json!({ "instrumentVersion": 2 }), "NOT_FOUND", "instrument"),
            (json!({ "instrument": id(Kind::Instrument, 9) }), "NOT_FOUND", "instrument"),
            (json!({ "universe": -1 }), "OUT_OF_RANGE", "universe"),
            (json!({ "universe": 10, "eligible": 11 }), "OUT_OF_RANGE", "eligible"),
            (json!({ "universe": 10, "invited": 11 }), "OUT_OF_RANGE", "invited"),
        ] {
            let refused =
                act(&client, "createSurveyRound", "surveyRound", "id", &with(&input, more.clone())).await;
            let expected = fault(code, field);
            assert_eq!(faults(&refused)[0], expected[0], "{more}");
        }
        assert_eq!(world.number("SELECT count(*) FROM survey_round").await, 0);
        // Of another organisation's instrument there is none.
        let theirs = world.member("coordinator", "other");
        let foreign = with(&input, json!({ "facilities": [id(Kind::Facility, 4)] }));
        let foreign = act(&theirs, "createSurveyRound", "surveyRound", "id", &foreign).await;
        assert_eq!(faults(&foreign), fault("NOT_FOUND", "instrument"));
    }
);

both!(
    async fn rounds_are_listed_the_latest_first(world: &World) {
        let client = coordinator(world);
        let questions = instrument(&client, "impact").await;
        for (code, from, facility) in
            [("R-1", "2026-01-01", 1), ("R-3", "2026-11-01", 2), ("R-2", "2026-06-01", 1)]
        {
            let more = json!({ "startsOn": from, "facilities": [id(Kind::Facility, facility)] });
            done(
                &client,
                "createSurveyRound",
                "surveyRound",
                "id",
                &with(&round_input(code, &questions), more),
            )
            .await;
        }
        let codes = async |arguments: String| {
            let list = format!("{{ surveyRounds(first: 9{arguments}) {{ totalCount nodes {{ code }} }} }}");
            let found = ask(&client, &list).await["surveyRounds"].clone();
            let codes = crate::talk::column(&found["nodes"], "code");
            assert_eq!(found["totalCount"], json!(codes.len()));
            codes
        };
        assert_eq!(codes(String::new()).await, ["R-3", "R-2", "R-1"]);
        let there = format!(", filter: {{ facility: [\"{}\"], closed: false }}", id(Kind::Facility, 1));
        assert_eq!(codes(there).await, ["R-2", "R-1"]);
        assert_eq!(codes(format!(", filter: {{ instrument: [{}] }}", questions["id"])).await.len(), 3);
        assert_eq!(codes(", filter: { code: [] }".to_owned()).await, Vec::<String>::new());
        for backwards in [false, true] {
            let walk = Walk {
                client: &client,
                frame: "{ LIST }",
                field: "surveyRounds",
                arguments: "",
                size: 2,
                backwards,
            };
            assert_eq!(walk.all().await.len(), 3);
        }
        // As many statements for one round as for three.
        let statements = async |first: u32| {
            let list = format!("{{ surveyRounds(first: {first}) {{ nodes {{ {ROUND} }} }} }}");
            let answer = client.query(&list, Value::Null).await;
            answer.data();
            answer.statements()
        };
        assert_eq!(statements(1).await, statements(3).await);
    }
);
