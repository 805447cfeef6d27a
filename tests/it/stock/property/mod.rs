//! Random histories against the model: after each step the server's stock, ledger and statistics are the model's.

use std::collections::BTreeMap;

use api::id::{GlobalId, Kind};
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use tests::{Client, both};

use super::{
    Places, adds_up,
    model::{Dice, Entry, Fault, Lot, Model},
    moved, on_hand, places, tried,
};
use crate::{
    lifecycle::with,
    talk::{act, ask},
    world::*,
};

const STEPS: usize = 260;
const WAREHOUSE: usize = 0;
const STORE: usize = 1;
const TRANSIT: usize = 2;

both!(
    async fn random_histories_agree_with_the_model(world: &World) {
        for seed in [20_261_120, 7] {
            let client = world.member(if seed == 7 { "coordinator2" } else { "coordinator" }, "own");
            // Each history has places of its own; the second one runs beside what the first has left.
            let places = if seed == 7 { second_places(&client).await } else { places(&client).await };
            let mut history = History::new(world, client, places, seed).await;
            for step in 0..STEPS {
                history.step(step).await;
                history.compare(step).await;
            }
            let kinds = history.tally.len();
            assert!(kinds >= 20, "seed {seed}: only {kinds} outcomes were tried: {:?}", history.tally);
        }
    }
);

async fn second_places(client: &Client) -> Places {
    let make = async |kind: &str, facility: Option<String>| {
        let input = json!({ "idempotencyKey": kind, "kind": kind, "name": format!("Otro {kind}"), "facility": facility });
        let place = crate::talk::done(client, "createStockPlace", "stockPlace", "id", &input).await;
        place["id"].as_str().unwrap().to_owned()
    };
    Places {
        warehouse: make("WAREHOUSE", None).await,
        store: make("FACILITY_STORE", Some(id(Kind::Facility, 2))).await,
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

struct Delivery {
    id: String,
    version: i64,
    day: NaiveDate,
    soap: i64,
    kits: i64,
    entries: Vec<Entry>,
    void: bool,
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
    /// What the statistics said before this history.
    before: (i64, i64),
    tally: BTreeMap<String, usize>,
}

impl<'a> History<'a> {
    async fn new(world: &'a World, client: Client, places: Places, seed: u64) -> Self {
        let before = statistics(&client).await;
        Self {
            world,
            client,
            places: [places.warehouse, places.store, places.transit],
            dice: Dice(seed),
            seed,
            model: Model::default(),
            movements: Vec::new(),
            deliveries: Vec::new(),
            before,
            tally: BTreeMap::new(),
        }
    }

    fn day(&mut self) -> NaiveDate {
        day("2026-09-01") + Days::new(self.dice.below(40) as u64)
    }

    async fn step(&mut self, step: usize) {
        let key = format!("{} {step}", self.seed);
        match self.dice.below(15) {
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
            _ => self.kits(&key).await,
        }
    }

    async fn receive(&mut self, key: &str) {
        let (day, place) = (self.day(), self.dice.below(2));
        let quantity = 1 + self.dice.below(40) as i64;
        let goods = *self.dice.of(&["SOAP", "SOAP", "PADS"]).unwrap();
        let expires = (self.dice.below(3) > 0).then(|| day + Days::new(self.dice.below(60) as u64));
        let item = if goods == "SOAP" { SOAP } else { PADS };
        let text = expires.map(|day| day.to_string());
        let input = super::receipt(&self.places[place], item, quantity, &day.to_string(), text.as_deref());
        let receipt = moved(&self.client, "receiveStock", key, input).await;
        let lot = self.learn(&receipt["entries"][0]["lot"]["id"], goods, expires, None);
        let entries = vec![Entry { day, place, lot, quantity }];
        self.model.post(&entries, false).unwrap();
        self.keep(&receipt, entries, None, "receive");
    }

    fn learn(
        &mut self,
        id: &Value,
        goods: &'static str,
        expires: Option<NaiveDate>,
        part: Option<(usize, i64)>,
    ) -> usize {
        let id = id.as_str().unwrap().to_owned();
        let key = GlobalId::parse(&id).unwrap().id;
        self.model.lots.push(Lot { id, key, goods, expires, part });
        self.model.lots.len() - 1
    }

    fn keep(&mut self, movement: &Value, entries: Vec<Entry>, in_transit: Option<(usize, i64)>, what: &str) {
        *self.tally.entry(format!("{what} done")).or_default() += 1;
        let id = movement["id"].as_str().unwrap().to_owned();
        self.movements.push(Recorded { id, entries, undone: false, in_transit, followed: false });
    }

    fn lot(&mut self) -> Option<usize> {
        let lots: Vec<usize> = (0..self.model.lots.len()).collect();
        self.dice.of(&lots).copied()
    }

    /// Issues and losses, of a lot that is named or of whatever expires first.
    async fn take(&mut self, key: &str, name: &str, more: Value, uses: bool) {
        let (day, place) = (self.day(), self.dice.below(2));
        let quantity = 1 + self.dice.below(15) as i64;
        let named = self.dice.below(2) == 0 || !uses;
        let Some(lot) = self.lot().filter(|_| named || uses) else { return };
        let (line, picks) = if named {
            (json!({ "lot": self.model.lots[lot].id, "quantity": quantity }), Ok(vec![(lot, quantity)]))
        } else {
            let goods = if self.dice.below(2) == 0 { ("SOAP", SOAP) } else { ("PADS", PADS) };
            let line = json!({ "supplied": { "item": id(Kind::Item, goods.1) }, "quantity": quantity });
            (line, self.model.pick(place, goods.0, quantity, day))
        };
        let input = json!({ "place": self.places[place], "occurredOn": day, "lines": [line] });
        let expected = picks.and_then(|picks| {
            let leave = |(lot, some): (usize, i64)| Entry { day, place, lot, quantity: -some };
            let entries: Vec<Entry> = picks.into_iter().map(leave).collect();
            self.model.post(&entries, uses).map(|()| entries)
        });
        let payload = tried(&self.client, name, key, with(&input, more)).await;
        self.settle(&payload, expected, None, name);
    }

    /// Holds the server to what the model says of a movement.
    fn settle(
        &mut self,
        payload: &Value,
        expected: Result<Vec<Entry>, Vec<Fault>>,
        in_transit: Option<(usize, i64)>,
        what: &str,
    ) -> bool {
        let context = format!("seed {} {what}: {payload}", self.seed);
        match expected {
            Ok(entries) => {
                assert_eq!(payload["userErrors"], json!([]), "{context}");
                let movement = payload["stockMovement"].clone();
                self.keep(&movement, entries, in_transit, what);
                true
            }
            Err(faults) => {
                assert_eq!(said(payload), faults, "{context}");
                *self.tally.entry(format!("{what} {}", faults[0].0)).or_default() += 1;
                false
            }
        }
    }

    async fn transfer(&mut self, key: &str) {
        let day = self.day();
        let Some(lot) = self.lot() else { return };
        let quantity = 1 + self.dice.below(20) as i64;
        let input = json!({ "from": self.places[WAREHOUSE], "via": self.places[TRANSIT], "to": self.places[STORE],
            "occurredOn": day, "lines": [{ "lot": self.model.lots[lot].id, "quantity": quantity }] });
        let entries = vec![
            Entry { day, place: WAREHOUSE, lot, quantity: -quantity },
            Entry { day, place: TRANSIT, lot, quantity },
        ];
        let expected = self.model.post(&entries, false).map(|()| entries);
        let payload = tried(&self.client, "transferStock", key, input).await;
        self.settle(&payload, expected, Some((lot, quantity)), "transfer");
    }

    async fn arrive(&mut self, key: &str) {
        let open: Vec<usize> = (0..self.movements.len())
            .filter(|n| {
                !self.movements[*n].undone && self.movements[*n].in_transit.is_some_and(|(_, left)| left > 0)
            })
            .collect();
        let Some(transfer) = self.dice.of(&open).copied() else { return };
        let (lot, left) = self.movements[transfer].in_transit.unwrap();
        let day = self.movements[transfer].entries[0].day + Days::new(self.dice.below(5) as u64);
        let parts = [self.dice.below(12) as i64, self.dice.below(3) as i64, self.dice.below(3) as i64];
        let [received, returned, lost] = parts;
        let all: i64 = parts.iter().sum();
        let input = json!({ "transfer": self.movements[transfer].id, "occurredOn": day,
            "reason": (lost > 0).then_some("MISSING"),
            "lines": [{ "lot": self.model.lots[lot].id, "received": received, "returned": returned, "lost": lost }] });
        let payload = tried(&self.client, "receiveTransfer", key, input).await;
        if all == 0 || all > left {
            assert_eq!(crate::talk::faults(&payload)[0].0, "OUT_OF_RANGE", "seed {}: {payload}", self.seed);
            *self.tally.entry("arrival refused".into()).or_default() += 1;
            return;
        }
        let entries = vec![
            Entry { day, place: TRANSIT, lot, quantity: -all },
            Entry { day, place: STORE, lot, quantity: received },
            Entry { day, place: WAREHOUSE, lot, quantity: returned },
        ];
        let expected = self.model.post(&entries, false).map(|()| entries);
        if self.settle(&payload, expected, None, "arrival") {
            self.movements[transfer].in_transit = Some((lot, left - all));
            self.movements[transfer].followed = true;
            // An arrival is not undone here: its transfer would have to remember it.
            let last = self.movements.len() - 1;
            self.movements[last].undone = true;
        }
    }

    async fn adjust(&mut self, key: &str) {
        let (day, place) = (self.day(), self.dice.below(2));
        let Some(lot) = self.lot() else { return };
        let change = [-7, -2, 1, 3][self.dice.below(4)];
        let input = json!({ "place": self.places[place], "occurredOn": day, "reason": "ENTRY_ERROR",
            "lines": [{ "lot": self.model.lots[lot].id, "change": change }] });
        let entries = vec![Entry { day, place, lot, quantity: change }];
        let expected = self.model.post(&entries, false).map(|()| entries);
        let payload = tried(&self.client, "adjustStock", key, input).await;
        self.settle(&payload, expected, None, "adjust");
    }

    async fn count(&mut self, key: &str) {
        let (day, place) = (self.day(), self.dice.below(2));
        let Some(lot) = self.lot() else { return };
        let recorded = self.model.on_hand(place, lot, day);
        let counted = (recorded + self.dice.below(5) as i64 - 2).max(0);
        let input = json!({ "place": self.places[place], "occurredOn": day,
            "lines": [{ "lot": self.model.lots[lot].id, "counted": counted }] });
        let entries = vec![Entry { day, place, lot, quantity: counted - recorded }];
        let expected = self.model.post(&entries, false).map(|()| entries);
        let payload = tried(&self.client, "countStock", key, input).await;
        if self.settle(&payload, expected, None, "count") && counted == recorded {
            // It has moved nothing, and there is nothing to undo.
            self.movements.pop();
        }
    }

    async fn reverse(&mut self, key: &str) {
        let open: Vec<usize> = (0..self.movements.len())
            .filter(|n| !self.movements[*n].undone && !self.movements[*n].followed)
            .collect();
        let Some(chosen) = self.dice.of(&open).copied() else { return };
        let input = json!({ "movement": self.movements[chosen].id, "reason": "ENTRY_ERROR" });
        let opposite = |entry: &Entry| Entry { quantity: -entry.quantity, ..*entry };
        let entries: Vec<Entry> = self.movements[chosen].entries.iter().map(opposite).collect();
        let expected = self.model.post(&entries, false).map(|()| entries);
        let payload = tried(&self.client, "reverseStockMovement", key, input).await;
        if self.settle(&payload, expected, None, "reverse") {
            self.movements[chosen].undone = true;
            self.movements.pop();
        }
    }

    /// What a delivery would take, line after line.
    fn draw(&self, day: NaiveDate, soap: i64, kits: i64) -> (Model, Result<Vec<Entry>, Vec<Fault>>) {
        let mut model = self.model.clone();
        let (mut taken, mut faults) = (Vec::new(), Vec::new());
        for (goods, quantity) in [("SOAP", soap), ("BATH", kits)] {
            if quantity == 0 {
                continue;
            }
            match model.pick(STORE, goods, quantity, day) {
                Err(more) => faults.extend(more),
                Ok(picks) => {
                    let leave = |(lot, some): (usize, i64)| Entry { day, place: STORE, lot, quantity: -some };
                    let entries: Vec<Entry> = picks.into_iter().map(leave).collect();
                    model.post(&entries, true).unwrap();
                    taken.extend(entries);
                }
            }
        }
        faults.sort();
        (model, if faults.is_empty() { Ok(taken) } else { Err(faults) })
    }

    fn lines(soap: i64, kits: i64) -> Value {
        let soap_line = json!({ "supplied": { "item": id(Kind::Item, SOAP) }, "quantity": soap });
        let kit_line = json!({ "supplied": { "kit": id(Kind::Kit, BATH) }, "quantity": kits });
        let lines = [(soap, soap_line), (kits, kit_line)].into_iter().filter(|(quantity, _)| *quantity > 0);
        Value::Array(lines.map(|(_, line)| line).collect())
    }

    async fn deliver(&mut self, key: &str) {
        let day = self.day();
        let (soap, kits) = (1 + self.dice.below(14) as i64, self.dice.below(2) as i64);
        let input = json!({ "idempotencyKey": key, "facility": id(Kind::Facility, 1), "program": id(Kind::Program, SUPPLIES),
            "occurredOn": day, "peopleReached": 12, "reachMethod": "COUNTED", "place": self.places[STORE],
            "lines": Self::lines(soap, kits) });
        let (after, expected) = self.draw(day, soap, kits);
        // First without writing: the answer is the same, and nothing changes.
        let checked = with(&input, json!({ "validateOnly": true }));
        let payload = act(&self.client, "recordDistribution", "distribution", "id version", &checked).await;
        match &expected {
            Ok(_) => assert_eq!(payload["userErrors"], json!([]), "seed {}", self.seed),
            Err(faults) => assert_eq!(said(&payload), *faults, "seed {}", self.seed),
        }
        let payload = act(&self.client, "recordDistribution", "distribution", "id version", &input).await;
        match expected {
            Ok(entries) => {
                assert_eq!(payload["userErrors"], json!([]), "seed {} {payload}", self.seed);
                let id = payload["distribution"]["id"].as_str().unwrap().to_owned();
                self.model = after;
                self.deliveries.push(Delivery { id, version: 1, day, soap, kits, entries, void: false });
                *self.tally.entry("deliver done".into()).or_default() += 1;
            }
            Err(faults) => {
                assert_eq!(said(&payload), faults, "seed {} {payload}", self.seed);
                *self.tally.entry(format!("deliver {}", faults[0].0)).or_default() += 1;
            }
        }
    }

    fn standing(&mut self) -> Option<usize> {
        let standing: Vec<usize> = (0..self.deliveries.len()).filter(|n| !self.deliveries[*n].void).collect();
        self.dice.of(&standing).copied()
    }

    fn give_back(&mut self, n: usize) {
        let opposite = |entry: &Entry| Entry { quantity: -entry.quantity, ..*entry };
        let entries: Vec<Entry> = self.deliveries[n].entries.iter().map(opposite).collect();
        self.model.post(&entries, false).unwrap();
    }

    async fn correct(&mut self) {
        let Some(n) = self.standing() else { return };
        let (soap, kits) = (1 + self.dice.below(14) as i64, self.dice.below(2) as i64);
        let day = self.deliveries[n].day;
        let input = json!({ "id": self.deliveries[n].id, "expectedVersion": self.deliveries[n].version,
            "lines": Self::lines(soap, kits) });
        let before = self.model.clone();
        self.give_back(n);
        let (after, expected) = self.draw(day, soap, kits);
        let payload = act(&self.client, "updateDistribution", "distribution", "id version", &input).await;
        match expected {
            Ok(entries) => {
                assert_eq!(payload["userErrors"], json!([]), "seed {} {payload}", self.seed);
                self.model = after;
                let delivery = &mut self.deliveries[n];
                (delivery.soap, delivery.kits, delivery.entries) = (soap, kits, entries);
                delivery.version += 1;
                *self.tally.entry("correct done".into()).or_default() += 1;
            }
            Err(faults) => {
                assert_eq!(said(&payload), faults, "seed {} {payload}", self.seed);
                self.model = before;
                *self.tally.entry(format!("correct {}", faults[0].0)).or_default() += 1;
            }
        }
    }

    async fn void(&mut self) {
        let Some(n) = self.standing() else { return };
        let input = json!({ "id": self.deliveries[n].id, "expectedVersion": self.deliveries[n].version,
            "reason": "ENTRY_ERROR" });
        let payload = act(&self.client, "voidDistribution", "distribution", "id version", &input).await;
        assert_eq!(payload["userErrors"], json!([]), "seed {} {payload}", self.seed);
        self.give_back(n);
        self.deliveries[n].void = true;
        *self.tally.entry("void done".into()).or_default() += 1;
    }

    /// Four soaps make a kit, and come out of it again.
    async fn kits(&mut self, key: &str) {
        let day = self.day();
        let quantity = 1 + self.dice.below(3) as i64;
        let made: Vec<usize> =
            (0..self.model.lots.len()).filter(|lot| self.model.lots[*lot].part.is_some()).collect();
        let kit = self.dice.of(&made).copied().filter(|_| self.dice.below(2) == 0);
        if let Some(kit) = kit {
            let (soap, each) = self.model.lots[kit].part.unwrap();
            let input = json!({ "place": self.places[STORE], "occurredOn": day, "lot": self.model.lots[kit].id,
                "quantity": quantity });
            let entries = vec![
                Entry { day, place: STORE, lot: kit, quantity: -quantity },
                Entry { day, place: STORE, lot: soap, quantity: quantity * each },
            ];
            let expected = self.model.post(&entries, false).map(|()| entries);
            let payload = tried(&self.client, "unpackKits", key, input).await;
            self.settle(&payload, expected, None, "unpack");
            return;
        }
        let soaps: Vec<usize> =
            (0..self.model.lots.len()).filter(|lot| self.model.lots[*lot].goods == "SOAP").collect();
        let Some(soap) = self.dice.of(&soaps).copied() else { return };
        let input = json!({ "place": self.places[STORE], "occurredOn": day, "kit": id(Kind::Kit, BATH),
            "quantity": quantity, "lots": [self.model.lots[soap].id] });
        let entries = vec![Entry { day, place: STORE, lot: soap, quantity: -4 * quantity }];
        let mut expected = self.model.post(&entries, true).map(|()| entries);
        let payload = tried(&self.client, "assembleKits", key, input).await;
        if let Ok(entries) = &mut expected {
            let made = payload["stockMovement"]["entries"].as_array().into_iter().flatten();
            let others =
                made.map(|entry| &entry["lot"]["id"]).find(|lot| **lot != json!(self.model.lots[soap].id));
            let lot = others.cloned().unwrap_or_else(|| panic!("seed {} no kits: {payload}", self.seed));
            let expires = self.model.lots[soap].expires;
            let lot = self.learn(&lot, "BATH", expires, Some((soap, 4)));
            let kits = Entry { day, place: STORE, lot, quantity };
            self.model.post(&[kits], false).unwrap();
            entries.push(kits);
        }
        self.settle(&payload, expected, None, "assemble");
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
        // What the statistics count is what deliveries have taken.
        let standing = self.deliveries.iter().filter(|delivery| !delivery.void);
        let (units, kits) = standing.fold((0, 0), |(units, kits), delivery| {
            (units + delivery.soap + 4 * delivery.kits, kits + delivery.kits)
        });
        let (all_units, all_kits) = statistics(&self.client).await;
        assert_eq!((all_units - self.before.0, all_kits - self.before.1), (units, kits), "{context}");
        if step.is_multiple_of(20) {
            adds_up(self.world, &context).await;
        }
    }
}

/// Pieces of soap, those in kits included, and kits, as delivered.
async fn statistics(client: &Client) -> (i64, i64) {
    let data = ask(
        client,
        "{ items: distributionStats(groupBy: [ITEM], first: 50) { rows { item { code } units } } \
           kits: distributionStats(groupBy: [KIT], first: 50) { rows { kit { code } kits } } }",
    )
    .await;
    let find = |list: &str, of: &str, code: &str, number: &str| {
        let rows = data[list]["rows"].as_array().unwrap();
        rows.iter().find(|row| row[of]["code"] == json!(code)).map_or(0, |row| row[number].as_i64().unwrap())
    };
    (find("items", "item", "SOAP", "units"), find("kits", "kit", "BATH", "kits"))
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
