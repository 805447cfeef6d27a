//! What women ask about their data: the register, their files, and who has used their records.

mod file;
mod register;

use serde_json::{Value, json};
use tests::{Answer, Client};

use crate::{lifecycle::with, talk::done, world::*};

/// What a client asks of a request.
const REQUEST: &str = "id version kind purpose status ground receivedOn country answerBy extendedAt isOverdue answeredOn \
    fulfilBy fulfilledOn participant { code }";

pub fn request_input(key: &str, woman: &Value, kind: &str, received_on: &str) -> Value {
    json!({ "idempotencyKey": key, "participant": woman["id"], "kind": kind, "channel": "IN_PERSON",
        "receivedOn": received_on })
}

pub async fn requested(client: &Client, input: &Value) -> Value {
    done(client, "recordRightsRequest", "rightsRequest", REQUEST, input).await
}

/// A step of a request at the version that it is at.
async fn step(client: &Client, name: &str, request: &Value, more: Value) -> Value {
    let at = json!({ "id": request["id"], "expectedVersion": request["version"] });
    done(client, name, "rightsRequest", REQUEST, &with(&at, more)).await
}

/// The woman's file as somebody gets it.
async fn file(client: &Client, woman: &Value, query: &str) -> Answer {
    let path = format!("/export/participants/{}?{query}", woman["id"].as_str().unwrap());
    client.request("GET", &path).send().await
}
