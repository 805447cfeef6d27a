//! The stock ledger.

mod concurrent;
mod crowd;
mod ledger;
pub mod model;
mod property;
pub mod sync;

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

/// What is kept is what the ledger adds up to, in the database itself, and no day closes below zero.
pub async fn adds_up(world: &World, context: &str) {
    let off = "SELECT count(*) FROM stock_balance b WHERE b.on_hand <> COALESCE((SELECT sum(e.quantity) \
         FROM stock_entry e WHERE e.organization_id = b.organization_id AND e.place_id = b.place_id \
         AND e.lot_id = b.lot_id), 0) OR b.on_hand <> COALESCE((SELECT sum(d.change) FROM stock_day d \
         WHERE d.organization_id = b.organization_id AND d.place_id = b.place_id AND d.lot_id = b.lot_id), 0)";
    assert_eq!(world.number(off).await, 0, "{context}");
    let unbalanced = "SELECT count(*) FROM (SELECT 1 FROM stock_entry \
         GROUP BY organization_id, movement_id, lot_id HAVING sum(quantity) <> 0) AS wrong";
    assert_eq!(world.number(unbalanced).await, 0, "{context}");
    // By the entries, and by what is kept of each day: whoever is below zero, and wherever the two differ.
    let days = "SELECT e.organization_id, e.place_id, e.lot_id, m.occurred_on AS day, sum(e.quantity) AS change, \
         sum(sum(e.quantity)) OVER (PARTITION BY e.organization_id, e.place_id, e.lot_id ORDER BY m.occurred_on) \
         AS closing FROM stock_entry e JOIN stock_movement m ON m.organization_id = e.organization_id \
         AND m.id = e.movement_id WHERE e.place_id IS NOT NULL \
         GROUP BY e.organization_id, e.place_id, e.lot_id, m.occurred_on";
    let wrong = format!(
        "SELECT count(*) FROM ({days}) AS d LEFT JOIN stock_day k ON k.organization_id = d.organization_id \
         AND k.place_id = d.place_id AND k.lot_id = d.lot_id AND k.day = d.day \
         WHERE d.closing < 0 OR k.closing IS NULL OR k.closing <> d.closing OR k.change <> d.change"
    );
    assert_eq!(world.number(&wrong).await, 0, "{context}");
}
