//! Random histories against the model: after each step the server's stock, ledger and statistics are the model's.
//!
//! Two histories are played each time. `HISTORIES=50 cargo test -p tests random_histories` plays fifty more.

mod deliveries;
mod devices;
mod movements;
mod shipments;

use std::collections::BTreeMap;

use api::id::Kind;
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use tests::{Client, both};

use super::{
    Places, adds_up,
    model::{Dice, Entry, Fault, Model},
    on_hand, places,
};
use crate::{
    talk::{ask, done},
    world::*,
};
use devices::Devices;
use shipments::Sent;

const STEPS: usize = 220;
const WAREHOUSE: usize = 0;
const STORE: usize = 1;
const TRANSIT: usize = 2;

/// The seeds of the histories.
fn seeds() -> Vec<u64> {
    #[expect(clippy::disallowed_methods, reason = "a person asks for it on the command line")]
    let more = std::env::var("HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    [20_261_120, 105].into_iter().chain(1..1 + more).collect()
}

both!(
    async fn random_histories_agree_with_the_model(world: &World) {
        for (n, seed) in seeds().into_iter().enumerate() {
            let client = world.member(["coordinator", "coordinator2"][n % 2], "own");
            // Each history has places of its own; later ones run beside what the first ones have left.
            let places = if n == 0 { places(&client).await } else { other_places(&client, seed).await };
            let mut history = History::new(world, client, places, seed).await;
            for step in 0..STEPS {
                history.step(step).await;
                history.compare(step).await;
            }
            history.adds_up("at the end").await;
            let kinds = history.tally.len();
            assert!(kinds >= 30, "seed {seed}: only {kinds} outcomes were tried: {:?}", history.tally);
        }
    }
);

async fn other_places(client: &Client, seed: u64) -> Places {
    let make = async |kind: &str, facility: Option<String>| {
        let name = format!("{kind} {seed}");
        let input = json!({ "idempotencyKey": name, "kind": kind, "name": name, "facility": facility });
        let place = done(client, "createStockPlace", "stockPlace", "id", &input).await;
        place["id"].as_str().unwrap().to_owned()
    };
    Places {
        warehouse: make("WAREHOUSE", None).await,
        store: make("FACILITY_STORE", Some(id(Kind::Facility, 1))).await,
        transit: make("IN_TRANSIT", None).await,
    }
}

struct Recorded {
    id: String,
    entries: Vec<Entry>,
    undone: bool,
    /// For transfers what is still on its way; movements that others follow are not undone.
    in_transit: Option<(usize, i64)>,
    followed: bool,
}

/// What a delivery says.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Says {
    day: NaiveDate,
    people: i64,
    soap: i64,
    kits: i64,
    /// Whether it draws from stock, which it does for ever or never.
    stocked: bool,
}

#[derive(Clone, Debug)]
struct Delivery {
    id: String,
    /// The id that a device gave it.
    client: Option<String>,
    version: i64,
    says: Says,
    entries: Vec<Entry>,
    void: bool,
    /// Whether partners see it, which never changes.
    open: bool,
}

impl Delivery {
    fn new(id: String, client: Option<String>, says: Says, entries: Vec<Entry>) -> Self {
        let open = says.people >= 10 && says.soap >= 10 && says.kits == 0;
        Self { id, client, version: 1, says, entries, void: false, open }
    }
}

struct History<'a> {
    world: &'a World,
    client: Client,
    places: [String; 3],
    dice: Dice,
    seed: u64,
    model: Model,
    movements: Vec<Recorded>,
    deliveries: Vec<Delivery>,
    devices: Devices,
    sent: Vec<Sent>,
    /// What the statistics said before this history.
    before: Sums,
    tally: BTreeMap<String, usize>,
}

impl<'a> History<'a> {
    async fn new(world: &'a World, client: Client, places: Places, seed: u64) -> Self {
        let before = statistics(world, &client).await;
        let devices = Devices::new(world, seed);
        Self {
            world,
            client,
            places: [places.warehouse, places.store, places.transit],
            dice: Dice(seed),
            seed,
            model: Model::default(),
            movements: Vec::new(),
            deliveries: Vec::new(),
            devices,
            sent: Vec::new(),
            before,
            tally: BTreeMap::new(),
        }
    }

    fn day(&mut self) -> NaiveDate {
        day("2026-09-01") + Days::new(self.dice.below(40) as u64)
    }

    async fn step(&mut self, step: usize) {
        let key = format!("{} {step}", self.seed);
        match self.dice.below(23) {
            0 | 1 => self.receive(&key).await,
            2 => self.take(&key, "issueStock", json!({}), true).await,
            3 => self.take(&key, "loseStock", json!({ "reason": "DAMAGED" }), false).await,
            4 => self.transfer(&key).await,
            5 | 6 => self.arrive(&key).await,
            7 => self.adjust(&key).await,
            8 => self.count(&key).await,
            9 => self.reverse(&key).await,
            10 | 11 => self.deliver(&key).await,
            12 => self.correct().await,
            13 => self.void().await,
            14 => self.kits(&key).await,
            15 => self.send_movements(step).await,
            16 => self.send(&key).await,
            17 => self.hand_over().await,
            18 if self.dice.below(2) == 0 => self.call_back().await,
            _ => self.send_deliveries().await,
        }
    }

    /// Stock now and on a day of the past, the ledger added up, and the statistics.
    async fn compare(&mut self, step: usize) {
        let context = format!("seed {} step {step}", self.seed);
        let past = self.day();
        for as_of in [None, Some(past)] {
            let until = as_of.unwrap_or(NaiveDate::MAX);
            let mut expected = Vec::new();
            for place in [WAREHOUSE, STORE, TRANSIT] {
                for lot in 0..self.model.lots.len() {
                    let quantity = self.model.on_hand(place, lot, until);
                    if quantity > 0 {
                        expected.push((
                            self.places[place].clone(),
                            self.model.lots[lot].id.clone(),
                            quantity,
                        ));
                    }
                }
            }
            expected.sort();
            let text = as_of.map(|day| day.to_string());
            let mut found = on_hand(&self.client, text.as_deref()).await;
            found.retain(|(place, ..)| self.places.contains(place));
            assert_eq!(found, expected, "{context} as of {as_of:?}");
        }
        // What the statistics count is what deliveries hand over, and for partners what they see of it.
        let standing = self.deliveries.iter().filter(|delivery| !delivery.void);
        let standing = standing.map(|delivery| (delivery.says, delivery.open));
        let sent = self.sent.iter().filter(|sent| !sent.void);
        let sent = sent.filter_map(|sent| sent.says.map(|says| (says, sent.open)));
        let sums = standing.chain(sent).fold(self.before, |sums, (says, open)| Sums {
            units: sums.units + says.soap + 4 * says.kits,
            kits: sums.kits + says.kits,
            open: sums.open + if open && says.people >= 10 && says.soap >= 10 { says.soap } else { 0 },
        });
        assert_eq!(statistics(self.world, &self.client).await, sums, "{context}");
        if step.is_multiple_of(20) {
            self.adds_up(&context).await;
        }
    }

    /// The ledger agrees with itself, and every delivery is there once and at its version.
    async fn adds_up(&self, context: &str) {
        adds_up(self.world, context).await;
        for some in self.deliveries.chunks(50) {
            let ids: Vec<&String> = some.iter().map(|delivery| &delivery.id).collect();
            let document = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Distribution { version occurredOn \
                peopleReached clientId voided { reason } } } }";
            let answer = self.client.query(document, json!({ "ids": ids })).await;
            for (node, delivery) in answer.data()["nodes"].as_array().unwrap().iter().zip(some) {
                let void = delivery.void.then(|| json!({ "reason": "ENTRY_ERROR" }));
                let expected = json!({ "version": delivery.version, "occurredOn": delivery.says.day,
                    "peopleReached": delivery.says.people, "clientId": delivery.client, "voided": void });
                assert_eq!(*node, expected, "{context}");
            }
        }
    }
}

/// What statistics say: pieces of soap, those in kits included, and kits; and the soap that partners see.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sums {
    units: i64,
    kits: i64,
    open: i64,
}

async fn statistics(world: &World, client: &Client) -> Sums {
    const ITEMS: &str =
        "items: distributionStats(groupBy: [ITEM], first: 50) { rows { item { code } units } }";
    const KITS: &str = "kits: distributionStats(groupBy: [KIT], first: 50) { rows { kit { code } kits } }";
    let data = ask(client, &format!("{{ {ITEMS} {KITS} }}")).await;
    let open = ask(&world.partner(), &format!("{{ {ITEMS} }}")).await;
    let find = |data: &Value, list: &str, of: &str, code: &str, number: &str| {
        let rows = data[list]["rows"].as_array().unwrap();
        rows.iter().find(|row| row[of]["code"] == json!(code)).map_or(0, |row| row[number].as_i64().unwrap())
    };
    Sums {
        units: find(&data, "items", "item", "SOAP", "units"),
        kits: find(&data, "kits", "kit", "BATH", "kits"),
        open: find(&open, "items", "item", "SOAP", "units"),
    }
}

/// The faults of a payload, as the model names them. Their days are in the message as well.
fn said(payload: &Value) -> Vec<Fault> {
    let errors = payload["userErrors"].as_array().unwrap();
    let mut faults: Vec<Fault> = errors
        .iter()
        .map(|error| {
            let message = error["message"].as_str().unwrap();
            let code =
                ["EXPIRED", "INSUFFICIENT_STOCK"].into_iter().find(|code| error["code"] == json!(code));
            let code = code.unwrap_or_else(|| panic!("another fault: {payload}"));
            let start = message.find("2026-").unwrap_or_else(|| panic!("no day in: {message}"));
            (code, day(&message[start..start + 10]))
        })
        .collect();
    faults.sort();
    faults
}
