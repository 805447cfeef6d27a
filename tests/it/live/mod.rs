//! Live events over a WebSocket.

mod events;
mod protocol;
mod resume;
mod stock;

use api::store::outbox::Position;
use serde_json::{Value, json};
use tests::{Client, Socket};

use crate::{distribution::record::input, lifecycle::with, talk::done, world::*};

/// What a partner may ask of a delivery.
pub const RECORDED: &str = "subscription { distributionRecorded { id distribution { \
    id status peopleReached facility { slug } lines { quantity } } } }";

/// Only who it is about.
pub const IDS: &str =
    "subscription($after: ID) { distributionRecorded(after: $after) { id distribution { id } } }";

pub fn bearer(token: &str) -> Value {
    json!({ "authorization": format!("Bearer {token}") })
}

/// A socket of a member of an organisation. What it subscribes to begins behind all that was recorded before.
pub async fn socket(world: &World, role: &str, organization: &str) -> Socket {
    caught_up(world).await;
    Socket::of(world.address, &world.token(&format!("demo:{role}:{organization}"))).await
}

/// Waits until the server has read all events that there are. Transactions in other databases of the cluster can hold
/// it up.
async fn caught_up(world: &World) {
    let store = &world.running.store;
    let mut feed = store.feed.follow();
    loop {
        let upto = feed.borrow_and_update().upto;
        let settled = store.events_after(Position::default(), usize::MAX >> 1).await.unwrap();
        let is_all = settled.len() as i64 >= world.number("SELECT count(*) FROM outbox").await;
        if is_all && settled.last().is_none_or(|event| event.at <= upto) {
            return;
        }
        feed.changed().await.unwrap();
    }
}

/// Records a delivery that partners see, and gives its id.
pub async fn recorded(client: &Client, key: &str) -> String {
    made(client, key, json!({})).await
}

/// Records a delivery with other details.
pub async fn made(client: &Client, key: &str, details: Value) -> String {
    let input = with(&input(key), details);
    let made = done(client, "recordDistribution", "distribution", "id", &input).await;
    made["id"].as_str().unwrap().to_owned()
}

/// Records a delivery that is too small for partners.
pub async fn small(client: &Client, key: &str) -> String {
    made(client, key, json!({ "peopleReached": 1, "lines": [crate::distribution::record::item(SOAP, 1)] }))
        .await
}

/// The delivery that the next event of a subscription is about, and the event's id.
pub async fn told(socket: &mut Socket, id: &str) -> (String, String) {
    let event = socket.event(id).await["distributionRecorded"].clone();
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{event}")).to_owned();
    (text(&event["distribution"]["id"]), text(&event["id"]))
}
