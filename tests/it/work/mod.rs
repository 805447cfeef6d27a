//! Programs at work: workshops, sessions, enrolments, attendance, skills, production, sales and legal matters.

mod attendance;
mod enrolment;
mod graph;
mod legal;
mod merge;
mod production;
mod scope;
mod session;
mod sync;

use api::id::Kind;
use entity::{custody_stay, participant, value::StayEnding};
use serde_json::{Value, json};
use tests::Client;

use crate::{lifecycle::with, talk::done, world::*};

/// A woman of an organisation: nothing of her but a code.
pub fn woman(organization: u128, n: u128) -> participant::Model {
    participant::Model {
        organization_id: uuid(Kind::Organization, organization),
        id: uuid(Kind::Participant, n),
        code: format!("W{n:03}"),
        given_names: None,
        family_names: None,
        birth_date: None,
        documents: None,
        notes: None,
        identity_version: 1,
        version: 1,
        recorded_at: moment("2026-01-01T00:00:00Z"),
        recorded_by: None,
        erased_at: None,
        merged_into: None,
    }
}

/// A stay of a woman, open unless it has a last day.
pub fn stay(organization: u128, n: u128, facility: u128, ends_on: Option<&str>) -> custody_stay::Model {
    custody_stay::Model {
        organization_id: uuid(Kind::Organization, organization),
        id: uuid(Kind::CustodyStay, n * 10 + facility),
        participant_id: uuid(Kind::Participant, n),
        facility_id: uuid(Kind::Facility, facility),
        starts_on: day("2026-01-01"),
        ends_on: ends_on.map(day),
        ending: ends_on.map(|_| StayEnding::LeftPrison),
        version: 1,
        recorded_at: moment("2026-01-01T00:00:00Z"),
        recorded_by: None,
    }
}

/// Women 1 to 3 are at the first facility, where the field worker is, 4 is at the second, 5 has left; 6 is of the other
/// organisation.
pub async fn women(world: &World) {
    let of = |n| if n == 6 { OTHER } else { OWN };
    world.insert::<participant::Entity>((1..=6).map(|n| woman(of(n), n)).collect()).await;
    let stays = vec![
        stay(OWN, 1, 1, None),
        stay(OWN, 2, 1, None),
        stay(OWN, 3, 1, None),
        stay(OWN, 4, 2, None),
        stay(OWN, 5, 1, Some("2026-11-19")),
        stay(OTHER, 6, 4, None),
    ];
    world.insert::<custody_stay::Entity>(stays).await;
}

/// Somebody of the own organisation who says why.
pub fn staff(world: &World, role: &str) -> Client {
    world.member(role, "own").purpose("SERVICE")
}

pub fn w(n: u128) -> String {
    id(Kind::Participant, n)
}

/// An input with a key of its own.
pub fn keyed(key: &str, input: Value) -> Value {
    with(&input, json!({ "idempotencyKey": key }))
}

/// A workshop at the first facility.
pub fn workshop_input(key: &str, capacity: Value) -> Value {
    keyed(
        key,
        json!({ "program": id(Kind::Program, WORKSHOP), "facility": id(Kind::Facility, 1), "title": words("Telar"),
            "technique": "weaving", "level": "BASIC", "hours": 40, "capacity": capacity,
            "startsOn": "2026-10-01", "endsOn": "2026-12-15" }),
    )
}

pub async fn workshop(client: &Client, key: &str, capacity: Value) -> String {
    let made = done(client, "createWorkshop", "workshop", "id", &workshop_input(key, capacity)).await;
    made["id"].as_str().unwrap().to_owned()
}

pub fn session_input(key: &str, workshop: Value) -> Value {
    keyed(
        key,
        json!({ "program": id(Kind::Program, WORKSHOP), "workshop": workshop, "facility": id(Kind::Facility, 1),
            "startsAt": "2026-11-02T16:00:00Z", "minutes": 90, "status": "HELD", "provider": "Instructora" }),
    )
}

pub async fn session(client: &Client, key: &str) -> String {
    let made = done(client, "createSession", "session", "id", &session_input(key, Value::Null)).await;
    made["id"].as_str().unwrap().to_owned()
}

pub fn enrol_input(key: &str, woman: u128, workshop: Value, status: &str) -> Value {
    keyed(
        key,
        json!({ "participant": w(woman), "program": id(Kind::Program, WORKSHOP), "workshop": workshop,
            "status": status, "since": "2026-11-01" }),
    )
}

/// How many traces of readings there are, and how many women they name.
pub async fn readings(world: &World) -> (i64, i64) {
    let traces = world.number("SELECT count(*) FROM audit_event WHERE action = 'READ'").await;
    let sql = "SELECT count(*) FROM record_reach r JOIN audit_event e ON e.organization_id = r.organization_id \
               AND e.id = r.event_id WHERE e.action = 'READ'";
    (traces, world.number(sql).await)
}

pub async fn product(client: &Client, code: &str) -> String {
    let input = keyed(code, json!({ "code": code, "name": words("Bolsa") }));
    let made = done(client, "createProduct", "product", "id", &input).await;
    made["id"].as_str().unwrap().to_owned()
}

/// So many pieces, one of them no good, by women with their parts.
pub fn batch_input(key: &str, product: &str, makers: &[(u128, i32)], quantity: i32) -> Value {
    let makers: Vec<Value> =
        makers.iter().map(|(n, parts)| json!({ "participant": w(*n), "parts": parts })).collect();
    keyed(
        key,
        json!({ "product": product, "program": id(Kind::Program, WORKSHOP), "facility": id(Kind::Facility, 1),
            "madeOn": "2026-11-01", "quantity": quantity, "rejected": 1, "makers": makers }),
    )
}

pub fn sale_input(key: &str, product: &str, batch: &Value, quantity: i32, gross: (&str, &str)) -> Value {
    keyed(
        key,
        json!({ "product": product, "program": id(Kind::Program, WORKSHOP), "batch": batch, "channel": "FAIR",
            "soldOn": "2026-11-10", "quantity": quantity, "gross": { "amount": gross.0, "currency": gross.1 } }),
    )
}
