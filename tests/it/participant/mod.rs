//! Women's records.

pub mod canary;
mod cipher;
mod consent;
mod erase;
mod keep;
pub mod merge;
mod named;
mod reach;

use api::id::Kind;
use serde_json::{Value, json};
use tests::Client;

use crate::{lifecycle::with, talk::done, world::*};

/// What a client asks of a record.
pub const RECORD: &str = "id version code erasedAt identity { givenNames familyNames birthDate documents { kind number } \
    notes } stays { id version facility { slug } startsOn endsOn ending } dependants { relation ageBand } consents { \
    purpose decision noticeVersion language method decidedOn }";

/// A coordinator who says why.
pub fn coordinator(world: &World) -> Client {
    world.coordinator().purpose("SERVICE")
}

pub fn field(world: &World) -> Client {
    world.member("field", "own").purpose("SERVICE")
}

pub fn steward(world: &World) -> Client {
    world.member("steward", "own").purpose("RIGHTS_REQUEST")
}

pub fn facility(n: u128) -> String {
    id(Kind::Facility, n)
}

/// The input that registers a woman at the first facility.
pub fn input(key: &str, given: &str, family: &str) -> Value {
    json!({ "idempotencyKey": key, "givenNames": given, "familyNames": family, "facility": facility(1),
        "startsOn": "2025-03-01" })
}

/// Registers a woman, and gives her record.
pub async fn registered(client: &Client, key: &str, given: &str, family: &str, more: Value) -> Value {
    let input = with(&input(key, given, family), more);
    done(client, "registerParticipant", "participant", RECORD, &input).await
}

/// Her id and version as a change wants them.
pub fn at(record: &Value) -> Value {
    json!({ "id": record["id"], "expectedVersion": record["version"] })
}

/// The record as a client reads it.
pub async fn read(client: &Client, record: &Value) -> Value {
    let document = format!("query($id: ID!) {{ participant(id: $id) {{ {RECORD} }} }}");
    let answer = client.query(&document, json!({ "id": record["id"] })).await;
    answer.data()["participant"].clone()
}

/// The codes of a list.
pub async fn codes(client: &Client, arguments: &str) -> Vec<String> {
    let document = format!("{{ participants(first: 50 {arguments}) {{ totalCount nodes {{ code }} }} }}");
    let data = crate::talk::ask(client, &document).await;
    let codes = crate::talk::column(&data["participants"]["nodes"], "code");
    assert_eq!(data["participants"]["totalCount"], json!(codes.len()));
    codes
}

/// The code of the first error.
pub fn refusal(answer: &tests::Answer) -> String {
    answer.errors()[0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}
