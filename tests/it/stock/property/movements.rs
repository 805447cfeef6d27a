//! Movements of stock, each held to what the model says of it.

use api::id::{GlobalId, Kind};
use chrono::Days;
use serde_json::{Value, json};

use super::{History, Recorded, STORE, TRANSIT, WAREHOUSE, said};
use crate::{
    lifecycle::with,
    stock::{
        model::{Entry, Fault, Lot},
        moved, receipt, tried,
    },
    world::*,
};
use chrono::NaiveDate;

impl History<'_> {
    pub(super) async fn receive(&mut self, key: &str) {
        let (day, place) = (self.day(), self.dice.below(2));
        let quantity = 1 + self.dice.below(90) as i64;
        let goods = *self.dice.of(&["SOAP", "SOAP", "PADS"]).unwrap();
        let expires = (self.dice.below(3) > 0).then(|| day + Days::new(self.dice.below(60) as u64));
        let item = if goods == "SOAP" { SOAP } else { PADS };
        let text = expires.map(|day| day.to_string());
        let input = receipt(&self.places[place], item, quantity, &day.to_string(), text.as_deref());
        let receipt = moved(&self.client, "receiveStock", key, input).await;
        let lot = self.learn(&receipt["entries"][0]["lot"]["id"], goods, expires, None);
        let entries = vec![Entry { day, place, lot, quantity }];
        self.model.post(&entries, false).unwrap();
        self.keep(&receipt, entries, None, "receive");
    }

    pub(super) fn learn(
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

    pub(super) fn keep(
        &mut self,
        movement: &Value,
        entries: Vec<Entry>,
        in_transit: Option<(usize, i64)>,
        what: &str,
    ) {
        *self.tally.entry(format!("{what} done")).or_default() += 1;
        let id = movement["id"].as_str().unwrap().to_owned();
        self.movements.push(Recorded { id, entries, undone: false, in_transit, followed: false });
    }

    pub(super) fn lot(&mut self) -> Option<usize> {
        let lots: Vec<usize> = (0..self.model.lots.len()).collect();
        self.dice.of(&lots).copied()
    }

    /// Issues and losses, of a lot that is named or of whatever expires first.
    pub(super) async fn take(&mut self, key: &str, name: &str, more: Value, uses: bool) {
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
    pub(super) fn settle(
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

    pub(super) async fn transfer(&mut self, key: &str) {
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

    pub(super) async fn arrive(&mut self, key: &str) {
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

    pub(super) async fn adjust(&mut self, key: &str) {
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

    pub(super) async fn count(&mut self, key: &str) {
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

    pub(super) async fn reverse(&mut self, key: &str) {
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

    /// Four soaps make a kit, and come out of it again.
    pub(super) async fn kits(&mut self, key: &str) {
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
}
