use serde_json::{Value, json};
use tests::{Client, both};

use super::{Costs, Watched, same, stock::used_up};
use crate::{
    stock::{lot, places},
    world::*,
};

const CHANGES: &str = "query($since: String, $first: Int!) { changes(since: $since, first: $first) { \
    changes { id node { ... on Distribution { version lines { quantity } } \
    ... on StockMovement { entries { quantity } } } } next more } }";

/// Deliveries at all facilities, in one transaction.
fn some(first: u128, count: u128) -> Vec<Seed> {
    let seed = |n: u128| Seed::new(n, n % 3 + 1, SUPPLIES, "2026-02-01", 25).line(Goods::Item(SOAP), 30);
    (first..first + count).map(seed).collect()
}

/// The positions after each page of a walk.
async fn positions(client: &Client, mut since: Value) -> Vec<Value> {
    let mut positions = Vec::new();
    loop {
        let answer = client.query(CHANGES, json!({ "since": since, "first": 100 })).await;
        let page = &answer.data()["changes"];
        since = page["next"].clone();
        positions.push(since.clone());
        if page["more"] == json!(false) {
            return positions;
        }
    }
}

both!(
    async fn a_device_reads_what_is_new_and_not_what_was(world: &Watched) {
        let coordinator = world.coordinator();
        let places = places(&coordinator).await;
        let viewers = [("coordinator", &coordinator), ("field", &world.member("field", "own"))];
        let costs = async |first: u128| {
            world.analyze().await;
            let mut ends = Vec::new();
            let mut costs = Costs::new();
            for (name, client) in viewers {
                let positions = positions(client, Value::Null).await;
                // In the midst of the newest large transaction, which is of deliveries.
                let midst = json!({ "since": positions[positions.len() * 4 / 5], "first": 100 });
                costs.push((format!("{name}: in a first walk"), world.cost(client, CHANGES, midst).await));
                let end = json!({ "since": positions.last(), "first": 100 });
                costs.push((format!("{name}: nothing"), world.cost(client, CHANGES, end.clone()).await));
                ends.push(end);
            }
            world.add(&some(first, 30)).await;
            for quantity in 1..=5 {
                let day = format!("2026-10-{quantity:02}");
                lot(&coordinator, &places.store, SOAP, (first + quantity) as i64, &day, None).await;
            }
            for ((name, client), end) in viewers.into_iter().zip(ends) {
                costs.push((format!("{name}: what is new"), world.cost(client, CHANGES, end).await));
            }
            costs
        };
        used_up(world, &places.store, 1, 500).await;
        world.add(&some(1, 1_500)).await;
        let before = costs(10_000).await;
        used_up(world, &places.store, 10_001, 2_000).await;
        world.add(&some(20_000, 6_000)).await;
        same(&before, &costs(30_000).await);
    }
);
