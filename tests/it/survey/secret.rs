//! Answers are ciphertext, and go with the woman who gave them.

use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::{
    participant::{at, canary::at_rest, coordinator, steward},
    talk::ask,
};

/// A number that is nowhere else.
const CANARY: i32 = 17_359;

async fn answers(client: &Client) -> Vec<(String, Value, String)> {
    let list = "{ surveyResponses(first: 9) { nodes { participantCode answers { number } } } }";
    let answer = client.query(list, Value::Null).await;
    let body = answer.json();
    let nodes = body["data"]["surveyResponses"]["nodes"].as_array().unwrap();
    let code_of = |place: usize| {
        let at = json!(["surveyResponses", "nodes", place, "answers"]);
        let mut errors = body["errors"].as_array().into_iter().flatten();
        let error = errors.find(|error| error["path"] == at);
        error.map(|error| error["extensions"]["code"].as_str().unwrap().to_owned()).unwrap_or_default()
    };
    let row = |(place, node): (usize, &Value)| {
        (
            node["participantCode"].as_str().unwrap().to_owned(),
            node["answers"][1]["number"].clone(),
            code_of(place),
        )
    };
    let mut rows: Vec<_> = nodes.iter().enumerate().map(row).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

async fn two(world: &World) -> Vec<Value> {
    let client = coordinator(world);
    let round = round(&client, "R-1").await;
    let mut women = Vec::new();
    for n in 1..=2 {
        let her = consenting(&client, &format!("W-{n}")).await;
        let said =
            json!([{ "question": "busy", "yes": true }, { "question": "income", "number": CANARY + n }]);
        assert_eq!(outcomes(&submit(&client, &[row(n as u128, &round, &her, said)]).await), ["CREATED"]);
        women.push(her);
    }
    women
}

fn said(code: &str, number: i32) -> (String, Value, String) {
    (code.to_owned(), json!(number), String::new())
}

fn lost(code: &str) -> (String, Value, String) {
    (code.to_owned(), Value::Null, "UNDECIPHERABLE".to_owned())
}

both!(
    async fn nothing_at_rest_holds_an_answer_in_clear(world: &World) {
        two(world).await;
        let words = [CANARY + 1, CANARY + 2].map(|number| number.to_string());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(at_rest(world, &words).await, Vec::<String>::new());
        // The test can fail: the codes of questions are no secret.
        assert!(!at_rest(world, &["busy"]).await.is_empty());
    }
);

both!(
    async fn an_answer_that_was_moved_or_put_back_is_found_out(world: &World) {
        two(world).await;
        let client = coordinator(world);
        assert_eq!(answers(&client).await, [said("W-1", CANARY + 1), said("W-2", CANARY + 2)]);
        let of = |code: &str| format!("(SELECT id FROM participant WHERE code = '{code}')");
        // Hers stands in the row of another.
        world
            .sql(&format!(
                "CREATE TABLE kept AS SELECT participant_id, answers FROM survey_response; \
                 UPDATE survey_response SET answers = (SELECT answers FROM kept WHERE participant_id = {}) \
                 WHERE participant_id = {}",
                of("W-1"),
                of("W-2")
            ))
            .await;
        assert_eq!(answers(&client).await, [said("W-1", CANARY + 1), lost("W-2")]);
        // An old one stands in a newer version.
        world
            .sql(&format!(
                "UPDATE survey_response SET version = 2 WHERE participant_id = {}; \
                 UPDATE survey_response SET answers = (SELECT answers FROM kept WHERE participant_id = {1}) \
                 WHERE participant_id = {1}",
                of("W-1"),
                of("W-2")
            ))
            .await;
        assert_eq!(answers(&client).await, [lost("W-1"), said("W-2", CANARY + 2)]);
        world.sql("UPDATE survey_response SET answers = substr(answers, 1, 20)").await;
        assert_eq!(answers(&client).await, [lost("W-1"), lost("W-2")]);
        world.sql("DROP TABLE kept").await;
    }
);

both!(
    async fn who_is_erased_is_erased_from_surveys(world: &World) {
        let women = two(world).await;
        let client = coordinator(world);
        world.sql("CREATE TABLE kept AS SELECT * FROM survey_response").await;
        let erase = with(&at(&women[0]), json!({ "reason": "REQUEST" }));
        done(&steward(world), "eraseParticipant", "participant", "id", &erase).await;
        assert_eq!(world.number("SELECT count(*) FROM survey_response WHERE answers IS NOT NULL").await, 1);
        let left = answers(&client).await;
        assert_eq!((left[1].clone(), left.len()), (said("W-2", CANARY + 2), 2));
        assert!(left[0].0.starts_with("ERASED-") && left[0].1.is_null(), "{left:?}");
        // A backup of the rows does not bring her answers back.
        world
            .sql(
                "UPDATE survey_response SET answers = (SELECT answers FROM kept WHERE kept.id = survey_response.id); \
                 DROP TABLE kept",
            )
            .await;
        let back = answers(&client).await;
        assert_eq!((back[0].1.clone(), back[0].2.as_str()), (Value::Null, "UNDECIPHERABLE"));
        assert_eq!(back[1], said("W-2", CANARY + 2));
        let list = "{ surveyResponses(first: 9) { nodes { formNumber } } }";
        let found = ask(&client, list).await["surveyResponses"]["nodes"].clone();
        let mut numbers = crate::talk::column(&found, "formNumber");
        numbers.sort();
        assert_eq!(numbers, ["E-7", "null"], "no sheet leads to her");
    }
);
