//! The stock ledger.

mod concurrent;
mod ledger;
pub mod model;
mod property;
mod sync;

use api::id::Kind;
use serde_json::{Value, json};
use tests::Client;

use crate::{
    lifecycle::with,
    talk::{act, done},
    world::*,
};

/// A warehouse, the store of the first facility, and the way between them.
pub struct Places {
    pub warehouse: String,
    pub store: String,
    pub transit: String,
}

pub async fn places(client: &Client) -> Places {
    let make = async |kind: &str, name: &str, facility: Option<u128>| {
        let input = json!({ "idempotencyKey": name, "kind": kind, "name": name,
            "facility": facility.map(|n| id(Kind::Facility, n)) });
        let place = done(client, "createStockPlace", "stockPlace", "id", &input).await;
        place["id"].as_str().unwrap().to_owned()
    };
    Places {
        warehouse: make("WAREHOUSE", "Bodega", None).await,
        store: make("FACILITY_STORE", "Depósito", Some(1)).await,
        transit: make("IN_TRANSIT", "Camioneta", None).await,
    }
}

/// A movement as tests look at it.
pub const MOVEMENT: &str = "id kind occurredOn entries { lot { id } side place { id } quantity } \
    progress { shipped received returned lost inTransit }";

/// Records a movement of stock that has to succeed.
pub async fn moved(client: &Client, name: &str, key: &str, input: Value) -> Value {
    let input = with(&input, json!({ "idempotencyKey": key }));
    done(client, name, "stockMovement", MOVEMENT, &input).await
}

/// Tries to record a movement of stock: its payload, with the days of its faults.
pub async fn tried(client: &Client, name: &str, key: &str, input: Value) -> Value {
    let input = with(&input, json!({ "idempotencyKey": key }));
    act(client, name, "stockMovement", MOVEMENT, &input).await
}

/// Brings in some of one item as one lot, and gives the lot.
pub async fn lot(
    client: &Client,
    place: &str,
    item: u128,
    quantity: i64,
    on: &str,
    expires: Option<&str>,
) -> String {
    let key = format!("{item} {quantity} {on} {expires:?} {place}");
    let receipt = moved(client, "receiveStock", &key, receipt(place, item, quantity, on, expires)).await;
    receipt["entries"][0]["lot"]["id"].as_str().unwrap().to_owned()
}

pub fn receipt(place: &str, item: u128, quantity: i64, on: &str, expires: Option<&str>) -> Value {
    json!({ "place": place, "source": "PURCHASE", "occurredOn": on, "lines": [
        { "supplied": { "item": id(Kind::Item, item) }, "quantity": quantity, "expiresOn": expires }] })
}

/// What is on hand, as (place, lot, quantity), sorted.
pub async fn on_hand(client: &Client, as_of: Option<&str>) -> Vec<(String, String, i64)> {
    let document = "query($day: Date) { stockOnHand(asOf: $day) { place { id } lot { id } quantity } }";
    let answer = client.query(document, json!({ "day": as_of })).await;
    let rows = answer.data()["stockOnHand"].as_array().unwrap().clone();
    let text = |row: &Value, key: &str| row[key]["id"].as_str().unwrap().to_owned();
    let mut rows: Vec<_> = rows
        .iter()
        .map(|row| (text(row, "place"), text(row, "lot"), row["quantity"].as_i64().unwrap()))
        .collect();
    rows.sort();
    rows
}
