//! Deliveries that are recorded, corrected and voided one by one.

use api::id::Kind;
use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{Delivery, History, STORE, Says, said};
use crate::{
    lifecycle::with,
    stock::model::{Entry, Fault, Model},
    talk::{act, fault, faults},
    world::*,
};

/// A line as the model takes it.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub goods: &'static str,
    pub quantity: i64,
    pub lot: Option<usize>,
}

impl History<'_> {
    /// What a delivery would take, line after line: of the lot that a line names, or of what expires first.
    pub(super) fn draw(&self, day: NaiveDate, wanted: &[Wanted]) -> (Model, Result<Vec<Entry>, Vec<Fault>>) {
        let mut model = self.model.clone();
        let (mut taken, mut faults) = (Vec::new(), Vec::new());
        for want in wanted.iter().filter(|want| want.quantity > 0) {
            let picks = match want.lot {
                Some(lot) => Ok(vec![(lot, want.quantity)]),
                None => model.pick(STORE, want.goods, want.quantity, day),
            };
            match picks {
                Err(more) => faults.extend(more),
                Ok(picks) => {
                    let leave = |(lot, some): (usize, i64)| Entry { day, place: STORE, lot, quantity: -some };
                    taken.extend(picks.into_iter().map(leave));
                }
            }
        }
        if faults.is_empty() {
            faults.extend(model.post(&taken, true).err().into_iter().flatten());
        }
        faults.sort();
        (model, if faults.is_empty() { Ok(taken) } else { Err(faults) })
    }

    pub(super) fn wanted(soap: i64, kits: i64) -> [Wanted; 2] {
        [("SOAP", soap), ("BATH", kits)].map(|(goods, quantity)| Wanted { goods, quantity, lot: None })
    }

    pub(super) fn lines(soap: i64, kits: i64) -> Value {
        let soap_line = json!({ "supplied": { "item": id(Kind::Item, SOAP) }, "quantity": soap });
        let kit_line = json!({ "supplied": { "kit": id(Kind::Kit, BATH) }, "quantity": kits });
        let lines = [(soap, soap_line), (kits, kit_line)].into_iter().filter(|(quantity, _)| *quantity > 0);
        Value::Array(lines.map(|(_, line)| line).collect())
    }

    pub(super) async fn deliver(&mut self, key: &str) {
        let day = self.day();
        let (soap, kits) = (1 + self.dice.below(14) as i64, self.dice.below(2) as i64);
        let input = json!({ "idempotencyKey": key, "facility": id(Kind::Facility, 1), "program": id(Kind::Program, SUPPLIES),
            "occurredOn": day, "peopleReached": 12, "reachMethod": "COUNTED", "place": self.places[STORE],
            "lines": Self::lines(soap, kits) });
        let (after, expected) = self.draw(day, &Self::wanted(soap, kits));
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
                let says = Says { day, people: 12, soap, kits, stocked: true };
                self.deliveries.push(Delivery::new(id, None, says, entries));
                *self.tally.entry("deliver done".into()).or_default() += 1;
            }
            Err(faults) => {
                assert_eq!(said(&payload), faults, "seed {} {payload}", self.seed);
                *self.tally.entry(format!("deliver {}", faults[0].0)).or_default() += 1;
            }
        }
    }

    pub(super) fn standing(&mut self) -> Option<usize> {
        let stands = |n: &usize| !self.deliveries[*n].void && self.deliveries[*n].says.stocked;
        let standing: Vec<usize> = (0..self.deliveries.len()).filter(stands).collect();
        self.dice.of(&standing).copied()
    }

    pub(super) fn give_back(&mut self, n: usize) {
        let opposite = |entry: &Entry| Entry { quantity: -entry.quantity, ..*entry };
        let entries: Vec<Entry> = self.deliveries[n].entries.iter().map(opposite).collect();
        self.model.post(&entries, false).unwrap();
    }

    pub(super) async fn correct(&mut self) {
        let Some(n) = self.standing() else { return };
        let (soap, kits) = (1 + self.dice.below(14) as i64, self.dice.below(2) as i64);
        let day = self.deliveries[n].says.day;
        let input = json!({ "id": self.deliveries[n].id, "expectedVersion": self.deliveries[n].version,
            "lines": Self::lines(soap, kits) });
        if self.dice.below(6) == 0 {
            let stale = with(&input, json!({ "expectedVersion": self.deliveries[n].version + 1 }));
            let payload = act(&self.client, "updateDistribution", "distribution", "id version", &stale).await;
            assert_eq!(faults(&payload), fault("CONFLICT", "expectedVersion"), "seed {}", self.seed);
        }
        let before = self.model.clone();
        self.give_back(n);
        let (after, expected) = self.draw(day, &Self::wanted(soap, kits));
        let payload = act(&self.client, "updateDistribution", "distribution", "id version", &input).await;
        match expected {
            Ok(entries) => {
                assert_eq!(payload["userErrors"], json!([]), "seed {} {payload}", self.seed);
                self.model = after;
                let delivery = &mut self.deliveries[n];
                (delivery.says.soap, delivery.says.kits, delivery.entries) = (soap, kits, entries);
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

    pub(super) async fn void(&mut self) {
        let Some(n) = self.standing() else { return };
        let input = json!({ "id": self.deliveries[n].id, "expectedVersion": self.deliveries[n].version,
            "reason": "ENTRY_ERROR" });
        let payload = act(&self.client, "voidDistribution", "distribution", "id version", &input).await;
        assert_eq!(payload["userErrors"], json!([]), "seed {} {payload}", self.seed);
        self.give_back(n);
        self.deliveries[n].void = true;
        self.deliveries[n].version += 1;
        *self.tally.entry("void done".into()).or_default() += 1;
    }
}
