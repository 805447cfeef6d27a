//! Surveys: instruments, rounds and responses.

mod import;
mod instrument;
mod response;
mod round;
mod secret;

use api::id::Kind;
use serde_json::{Value, json};
use tests::Client;

use crate::{lifecycle::with, talk::done, world::*};

/// A question of a kind.
pub fn question(code: &str, kind: &str, text: &str, more: Value) -> Value {
    let plain = json!({ "code": code, "kind": kind, "text": words(text), "riskClass": "SELF_REPORTED" });
    with(&plain, more)
}

pub fn option(code: &str, text: &str) -> Value {
    json!({ "code": code, "text": words(text) })
}

/// One question of each kind, and one that is put to some women only.
pub fn questions() -> Value {
    json!([
        question("busy", "YES_NO", "¿La mantienen ocupada?", json!({ "required": true })),
        question("income", "NUMBER", "¿Cuánto gana?", json!({ "min": 0, "max": 20_000, "unit": "MXN" })),
        question(
            "why",
            "MULTIPLE",
            "¿Por qué viene?",
            json!({ "options": [option("learn", "Aprender"), option("money", "Dinero"), option("others", "Otras")] })
        ),
        question("mood", "SCALE", "¿Cómo se siente?", json!({ "min": 1, "max": 5 })),
        question(
            "sends",
            "SINGLE",
            "¿A quién manda dinero?",
            json!({ "required": true, "riskClass": "RETALIATION", "askedWhen": { "question": "why", "anyOf": ["money"] },
                "options": [option("mother", "A su madre"), option("nobody", "A nadie")] })
        ),
    ])
}

pub fn instrument_input(code: &str) -> Value {
    json!({ "idempotencyKey": code, "code": code, "title": words("Impacto"), "questions": questions() })
}

pub async fn instrument(client: &Client, code: &str) -> Value {
    done(client, "createInstrument", "instrument", "id version", &instrument_input(code)).await
}

pub fn round_input(code: &str, instrument: &Value) -> Value {
    json!({ "idempotencyKey": format!("round {code}"), "code": code, "instrument": instrument["id"],
        "facilities": [id(Kind::Facility, 1), id(Kind::Facility, 2)], "mode": "INTERVIEW",
        "linkage": "PSEUDONYMOUS", "noticeVersion": "2026-1", "startsOn": "2026-11-01", "endsOn": "2026-11-30" })
}

/// A round of an instrument of its own.
pub async fn round(client: &Client, code: &str) -> Value {
    let instrument = instrument(client, code).await;
    done(client, "createSurveyRound", "surveyRound", "id version", &round_input(code, &instrument)).await
}

/// The id that a device makes.
pub fn device_id(n: u128) -> String {
    uuid(Kind::SurveyResponse, n).to_string()
}

/// What a woman answered.
pub fn row(n: u128, round: &Value, woman: &Value, answers: Value) -> Value {
    json!({ "clientId": device_id(n), "round": round["id"], "facility": id(Kind::Facility, 1),
        "participant": woman["id"], "outcome": "ANSWERED", "answeredOn": "2026-11-18", "channel": "PAPER",
        "formNumber": "E-7", "answers": answers })
}

const SUBMIT: &str = "mutation($rows: [SurveyResponseInput!]!, $check: Boolean) { \
    submitResponses(input: { rows: $rows, validateOnly: $check }) { results { clientId outcome \
    response { id version } differences { field here sent } userErrors { code field } } } }";

async fn send(client: &Client, rows: &[Value], check: bool) -> Vec<Value> {
    let answer = client.query(SUBMIT, json!({ "rows": rows, "check": check })).await;
    answer.data()["submitResponses"]["results"].as_array().unwrap().clone()
}

pub async fn submit(client: &Client, rows: &[Value]) -> Vec<Value> {
    send(client, rows, false).await
}

pub fn outcomes(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["outcome"].as_str().unwrap()).collect()
}

/// A woman who consents to statistics.
async fn consenting(client: &Client, code: &str) -> Value {
    let her = crate::participant::registered(client, code, "Ana", "Soto", json!({ "code": code })).await;
    consent(client, &her, "GIVEN", "2026-03-01").await;
    her
}

async fn consent(client: &Client, her: &Value, decision: &str, on: &str) {
    let key = format!("{} {decision} {on}", her["code"]);
    let input = json!({ "idempotencyKey": key, "participant": her["id"], "purpose": "STATISTICS",
        "decision": decision, "noticeVersion": "2026-1", "language": "es", "method": "WRITTEN", "decidedOn": on });
    done(client, "recordConsent", "participant", "id", &input).await;
}
