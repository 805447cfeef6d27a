//! Two hundred clients at the same few lots: nothing is below zero, lost or doubled, and whoever is refused is told
//! why.

use std::collections::{BTreeMap, BTreeSet};

use api::id::Kind;
use serde_json::{Value, json};
use tests::{Backend, Client, Fixture, both};
use tokio::task::JoinSet;

use super::{adds_up, lot, on_hand, places};
use crate::{
    distribution::{record::item, sync::sync},
    lifecycle::with,
    talk::mutation,
    world::*,
};

/// A world whose server talks to the database over many connections.
struct Busy(World);

impl Fixture for Busy {
    async fn start(backend: Backend) -> Self {
        Self(World::configured(backend, |config| config.pool = 24).await)
    }

    async fn stop(self) {
        World::stop(self.0).await;
    }
}

/// What everybody wants.
#[derive(Clone)]
struct Shelf {
    store: String,
    warehouse: String,
    transit: String,
    soap: [String; 2],
    pads: [String; 2],
    /// Deliveries that are there before, at version 1: many want to change them.
    shared: Vec<String>,
}

/// Of each lot.
const THERE: i64 = 70;
const SHARED: usize = 6;

/// What a delivery says as it was acknowledged last.
#[derive(Clone, Debug, PartialEq)]
struct Delivered {
    version: i64,
    soap: i64,
    pads: i64,
    void: bool,
}

/// What one client was told.
#[derive(Default)]
struct Heard {
    deliveries: Vec<(String, Delivered)>,
    /// Soap that left the store, arrived in the warehouse, or was lost on the way.
    moved: Vec<(i64, i64)>,
    /// By the device's id: the row that it became.
    known_as: Vec<(String, String)>,
    refused: usize,
}

/// A client of its own kind.
struct Someone {
    client: Client,
    n: usize,
    shelf: Shelf,
    heard: Heard,
}

fn client_id(n: usize) -> String {
    format!("7c1d2a90-5b3e-4f6a-8d21-{n:012x}")
}

impl Someone {
    fn day(&self) -> String {
        format!("2026-10-{:02}", 2 + self.n * 7 % 25)
    }

    fn row(&self, lines: Value) -> Value {
        json!({ "facility": id(Kind::Facility, 1), "program": id(Kind::Program, SUPPLIES), "occurredOn": self.day(),
            "peopleReached": 12, "reachMethod": "COUNTED", "place": self.shelf.store, "lines": lines })
    }

    /// Sends a mutation twice, as a phone does that has not heard the first answer: its object, unless it was refused.
    async fn send(&mut self, name: &str, subject: &str, input: Value) -> Option<Value> {
        let document = mutation(name, subject, "id");
        let variables = json!({ "input": input });
        let first = self.client.query(&document, variables.clone()).await;
        let payload = first.data()[name].clone();
        if self.is_refused(&payload["userErrors"]) {
            return None;
        }
        let again = self.client.query(&document, variables).await;
        if input.get("idempotencyKey").is_some() {
            assert_eq!(again.data()[name], payload, "the same key is another answer");
        } else {
            self.is_refused(&again.data()[name]["userErrors"]);
        }
        Some(payload[subject]["id"].clone())
    }

    /// Whether there are errors, each of which is one that a client can act on.
    fn is_refused(&mut self, errors: &Value) -> bool {
        let errors = errors.as_array().unwrap();
        for error in errors {
            let code = error["code"].as_str().unwrap();
            assert!(["INSUFFICIENT_STOCK", "CONFLICT"].contains(&code), "{error}");
        }
        self.heard.refused += usize::from(!errors.is_empty());
        !errors.is_empty()
    }

    fn learn(&mut self, id: &Value, says: Delivered) {
        self.heard.deliveries.push((id.as_str().unwrap().to_owned(), says));
    }

    async fn record(&mut self, lines: Value, soap: i64, pads: i64) -> Option<Value> {
        let key = json!({ "idempotencyKey": format!("crowd {}", self.n) });
        let made = self.send("recordDistribution", "distribution", with(&self.row(lines), key)).await?;
        self.learn(&made, says(1, soap, pads));
        Some(made)
    }

    /// Sends rows twice. Each row comes with what it says.
    async fn sync(&mut self, rows: Vec<(Value, Delivered)>) {
        let sent: Vec<Value> = rows.iter().map(|(row, _)| row.clone()).collect();
        for _ in 0..2 {
            let results = sync(&self.client, &sent).await;
            assert_eq!(results.len(), rows.len());
            for (result, (row, says)) in results.iter().zip(&rows) {
                assert_eq!(result["clientId"], row["clientId"]);
                let id = result["distribution"]["id"].as_str().map(str::to_owned);
                match (result["outcome"].as_str().unwrap(), id) {
                    ("CREATED" | "UPDATED", Some(id)) => {
                        self.heard.deliveries.push((id.clone(), says.clone()));
                        self.heard.known_as.push((row["clientId"].to_string(), id));
                    }
                    ("REPEATED" | "CONFLICT", Some(id)) => {
                        self.heard.known_as.push((row["clientId"].to_string(), id));
                    }
                    ("REFUSED", None) => {
                        let errors = result["userErrors"].as_array().unwrap();
                        assert!(!errors.is_empty(), "{result}");
                        let of_group = |error: &Value| {
                            error["code"] == json!("INVALID") && error["field"][2] == json!("group")
                        };
                        if !errors.iter().all(of_group) {
                            self.is_refused(&result["userErrors"]);
                        }
                    }
                    _ => panic!("{result}"),
                }
            }
        }
    }

    /// New deliveries of a device, each with lines and what they take.
    fn new_rows(&self, of: &[(Value, i64, i64)]) -> Vec<(Value, Delivered)> {
        let rows = of.iter().enumerate().map(|(k, (lines, soap, pads))| {
            let more = json!({ "clientId": client_id(1_000 + self.n * 10 + k), "group": "van" });
            (with(&self.row(lines.clone()), more), says(1, *soap, *pads))
        });
        rows.collect()
    }

    /// One of the kinds of clients that there are.
    async fn act(mut self) -> Heard {
        let Shelf { soap, pads, store, warehouse, transit, shared } = self.shelf.clone();
        let named = |n: u128, lot: &String, quantity| with(&item(n, quantity), json!({ "lot": lot }));
        match self.n % 8 {
            // What expires first, of two kinds of goods.
            0 => drop(self.record(json!([item(SOAP, 2), item(PADS, 1)]), 2, 1).await),
            1 => {
                let lines = json!([named(PADS, &pads[1], 2), named(SOAP, &soap[1], 2)]);
                self.record(lines, 2, 2).await;
            }
            // Groups that take two lots one after the other, in either order.
            2 => {
                let of = [
                    (json!([named(SOAP, &soap[0], 2)]), 2, 0),
                    (json!([named(PADS, &pads[0], 2)]), 0, 2),
                    (json!([named(SOAP, &soap[1], 1)]), 1, 0),
                ];
                self.sync(self.new_rows(&of)).await;
            }
            3 => {
                let of = [
                    (json!([named(SOAP, &soap[1], 1)]), 1, 0),
                    (json!([named(PADS, &pads[0], 2)]), 0, 2),
                    (json!([named(SOAP, &soap[0], 2)]), 2, 0),
                ];
                self.sync(self.new_rows(&of)).await;
            }
            // The same ten rows as others have, in another order and alone or as a group.
            4 => {
                let rows = (0..10).map(|k| {
                    let k = (k + self.n / 8) % 10;
                    let row = json!({ "clientId": client_id(100 + k), "occurredOn": "2026-10-09",
                        "group": (self.n % 16 == 4).then_some("bag") });
                    (with(&self.row(json!([item(SOAP, 1)])), row), says(1, 1, 0))
                });
                self.sync(rows.collect()).await;
            }
            // One that is corrected and then void.
            5 => {
                let Some(made) = self.record(json!([item(SOAP, 4)]), 4, 0).await else { return self.heard };
                let mut version = 1;
                let (soap, pads) = [(6, 0), (1, 3)][self.n / 8 % 2];
                let lines: Vec<Value> = [(SOAP, soap), (PADS, pads)]
                    .into_iter()
                    .filter(|(_, quantity)| *quantity > 0)
                    .map(|(goods, quantity)| item(goods, quantity))
                    .collect();
                let input = json!({ "id": made, "expectedVersion": 1, "lines": lines });
                if self.send("updateDistribution", "distribution", input).await.is_some() {
                    version = 2;
                    self.learn(&made, says(2, soap.into(), pads.into()));
                }
                let input = json!({ "id": made, "expectedVersion": version, "reason": "ENTRY_ERROR" });
                self.send("voidDistribution", "distribution", input).await.unwrap();
                self.learn(&made, Delivered { void: true, ..says(version + 1, 0, 0) });
            }
            6 => {
                let input = json!({ "idempotencyKey": format!("there {}", self.n), "from": store, "via": transit,
                    "to": warehouse, "occurredOn": self.day(),
                    "lines": [{ "supplied": { "item": id(Kind::Item, SOAP) }, "quantity": 1 }] });
                let Some(transfer) = self.send("transferStock", "stockMovement", input).await else {
                    return self.heard;
                };
                let document = format!(
                    "{{ node(id: {transfer}) {{ ... on StockMovement {{ entries {{ lot {{ id }} }} }} }} }}"
                );
                let answer = self.client.query(&document, Value::Null).await;
                let lot = &answer.data()["node"]["entries"][0]["lot"]["id"];
                let lost = self.n as i64 / 8 % 2;
                let input = json!({ "idempotencyKey": format!("here {}", self.n), "transfer": transfer,
                    "occurredOn": "2026-11-01", "reason": (lost > 0).then_some("MISSING"),
                    "lines": [{ "lot": lot, "received": 1 - lost, "lost": lost }] });
                self.send("receiveTransfer", "stockMovement", input).await.unwrap();
                self.heard.moved.push((1, 1 - lost));
            }
            // Changes of what is there already, at the version that everybody has seen.
            _ => {
                let turn = self.n / 8;
                let ids: Vec<usize> = (0..3).map(|k| (turn + k) % SHARED).collect();
                if turn.is_multiple_of(3) {
                    let one = &shared[ids[0]];
                    let input = json!({ "id": one, "expectedVersion": 1, "reason": "DUPLICATE" });
                    if self.send("voidDistribution", "distribution", input).await.is_some() {
                        self.learn(&json!(one), Delivered { void: true, ..says(2, 0, 0) });
                    }
                    return self.heard;
                }
                let edits = ids.iter().map(|k| {
                    let row = json!({ "clientId": client_id(*k), "expectedVersion": 1, "occurredOn": "2026-10-05",
                        "group": "book" });
                    let lines = json!([item(SOAP, 1 + (turn % 4) as i32), item(PADS, 2)]);
                    (with(&self.row(lines), row), says(2, 1 + (turn % 4) as i64, 2))
                });
                let mut edits: Vec<_> = edits.collect();
                if turn % 3 == 1 {
                    edits.reverse();
                }
                self.sync(edits).await;
            }
        }
        self.heard
    }
}

fn says(version: i64, soap: i64, pads: i64) -> Delivered {
    Delivered { version, soap, pads, void: false }
}

async fn shelf(client: &Client) -> Shelf {
    let places = places(client).await;
    let of = async |item, last| lot(client, &places.store, item, THERE, "2026-10-01", last).await;
    let soap = [of(SOAP, Some("2027-01-01")).await, of(SOAP, None).await];
    let pads = [of(PADS, Some("2027-01-01")).await, of(PADS, None).await];
    let (store, warehouse, transit) = (places.store, places.warehouse, places.transit);
    Shelf { store, warehouse, transit, soap, pads, shared: Vec::new() }
}

/// All deliveries, as somebody sees them who walks the list.
async fn found(client: &Client) -> BTreeMap<String, Delivered> {
    let mut all = BTreeMap::new();
    let mut after = Value::Null;
    loop {
        let document = "query($after: String) { distributions(first: 100, after: $after) { \
            pageInfo { hasNextPage endCursor } nodes { id version status lines { quantity item { code } } } } }";
        let answer = client.query(document, json!({ "after": after })).await;
        let list = &answer.data()["distributions"];
        for node in list["nodes"].as_array().unwrap() {
            let of = |code: &str| -> i64 {
                let lines = node["lines"].as_array().unwrap();
                let fits = lines.iter().filter(|line| line["item"]["code"] == json!(code));
                fits.map(|line| line["quantity"].as_i64().unwrap()).sum()
            };
            let void = node["status"] == json!("VOIDED");
            let (soap, pads) = if void { (0, 0) } else { (of("SOAP"), of("PADS")) };
            let one = Delivered { void, ..says(node["version"].as_i64().unwrap(), soap, pads) };
            assert_eq!(all.insert(node["id"].as_str().unwrap().to_owned(), one), None);
        }
        if list["pageInfo"]["hasNextPage"] == json!(false) {
            return all;
        }
        after = list["pageInfo"]["endCursor"].clone();
    }
}

both!(
    async fn a_crowd_takes_what_is_there_and_no_more(busy: &Busy) {
        let world = &busy.0;
        let crowd = if world.database.backend == Backend::Postgres { 200 } else { 20 };
        let client = world.coordinator();
        let mut shelf = shelf(&client).await;
        let mut first =
            Someone { client: client.clone(), n: 0, shelf: shelf.clone(), heard: Heard::default() };
        let before = (0..SHARED).map(|k| {
            let row = json!({ "clientId": client_id(k), "occurredOn": "2026-10-05" });
            (with(&first.row(json!([item(SOAP, 2), item(PADS, 2)])), row), says(1, 2, 2))
        });
        let before: Vec<_> = before.collect();
        first.sync(before).await;
        shelf.shared = first.heard.deliveries.iter().map(|(id, _)| id.clone()).collect();
        assert_eq!(shelf.shared.len(), SHARED);

        let mut tasks = JoinSet::new();
        for n in 0..crowd {
            let client = world.member(["coordinator", "coordinator2"][n % 2], "own");
            let someone = Someone { client, n, shelf: shelf.clone(), heard: Heard::default() };
            tasks.spawn(someone.act());
        }
        let mut heard = tasks.join_all().await;
        assert!(crowd < 200 || heard.iter().map(|one| one.refused).sum::<usize>() > 20, "nobody was refused");
        heard.push(first.heard);

        // What was acknowledged is there as it was acknowledged last, once, and nothing else is.
        let mut expected: BTreeMap<String, Delivered> = BTreeMap::new();
        for (id, said) in heard.iter().flat_map(|one| &one.deliveries) {
            let last = expected.entry(id.clone()).or_insert_with(|| said.clone());
            assert!(last.version != said.version || last == said, "{id} was changed twice at one version");
            if last.version < said.version {
                *last = said.clone();
            }
        }
        assert_eq!(found(&client).await, expected);
        let mut rows: BTreeMap<&String, BTreeSet<&String>> = BTreeMap::new();
        for (device, id) in heard.iter().flat_map(|one| &one.known_as) {
            rows.entry(device).or_default().insert(id);
        }
        assert!(rows.values().all(|ids| ids.len() == 1), "a row of a device became two: {rows:?}");

        // What has left is what was acknowledged.
        let sum = |of: fn(&Delivered) -> i64| expected.values().map(of).sum::<i64>();
        let moved = |of: fn(&(i64, i64)) -> i64| heard.iter().flat_map(|one| &one.moved).map(of).sum::<i64>();
        let left = [
            (&shelf.store, &shelf.soap, 2 * THERE - sum(|one| one.soap) - moved(|one| one.0)),
            (&shelf.store, &shelf.pads, 2 * THERE - sum(|one| one.pads)),
            (&shelf.warehouse, &shelf.soap, moved(|one| one.1)),
            (&shelf.transit, &shelf.soap, 0),
        ];
        let on_hand = on_hand(&client, None).await;
        for (place, lots, quantity) in left {
            let here = on_hand.iter().filter(|(at, lot, _)| at == place && lots.contains(lot));
            assert_eq!(here.map(|(.., quantity)| quantity).sum::<i64>(), quantity, "{on_hand:?}");
        }
        adds_up(world, "crowd").await;
    }
);
