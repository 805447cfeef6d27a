//! Deliveries that are planned and sent, and what became of them.

use api::id::Kind;
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use super::{History, Says, TRANSIT, WAREHOUSE, said};
use crate::{
    lifecycle::with,
    stock::model::{Entry, Fault},
    talk::{act, done},
    world::*,
};

/// A delivery whose goods have left the warehouse.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    id: String,
    version: i64,
    day: NaiveDate,
    /// How much of which lot, what expires first first.
    picks: Vec<(usize, i64)>,
    out: Vec<Entry>,
    /// What became of it.
    fate: Vec<Entry>,
    pub says: Option<Says>,
    /// Whether partners see it, which is decided when it takes place.
    pub open: bool,
    pub void: bool,
}

fn opposite(entry: &Entry) -> Entry {
    Entry { quantity: -entry.quantity, ..*entry }
}

impl History<'_> {
    pub(super) async fn send(&mut self, key: &str) {
        let day = self.day();
        let soap = 2 + self.dice.below(20) as i64;
        let lines = Self::lines(soap, 0);
        let plan = json!({ "idempotencyKey": key, "facility": id(Kind::Facility, 1), "program": id(Kind::Program, SUPPLIES),
            "occurredOn": day, "peopleExpected": 12, "lines": lines });
        let plan = done(&self.client, "planDistribution", "distribution", "id version", &plan).await;
        let input = json!({ "id": plan["id"], "expectedVersion": 1, "dispatchedOn": day,
            "place": self.places[WAREHOUSE], "via": self.places[TRANSIT] });
        let picks = self.model.pick(WAREHOUSE, "SOAP", soap, day);
        let payload = act(&self.client, "dispatchDistribution", "distribution", "id version", &input).await;
        let expected = picks.and_then(|picks| {
            let leg = |place, sign: i64| {
                move |(lot, some): &(usize, i64)| Entry { day, place, lot: *lot, quantity: sign * some }
            };
            let out: Vec<Entry> =
                picks.iter().map(leg(WAREHOUSE, -1)).chain(picks.iter().map(leg(TRANSIT, 1))).collect();
            self.model.post(&out, false).map(|()| (picks, out))
        });
        match expected {
            Ok((picks, out)) => {
                assert_eq!(payload["userErrors"], json!([]), "seed {} {payload}", self.seed);
                let id = plan["id"].as_str().unwrap().to_owned();
                let (says, fate) = (None, Vec::new());
                self.sent.push(Sent {
                    id,
                    version: 2,
                    day,
                    picks,
                    out,
                    fate,
                    says,
                    open: false,
                    void: false,
                });
                *self.tally.entry("send done".into()).or_default() += 1;
            }
            Err(faults) => {
                assert_eq!(said(&payload), faults, "seed {} {payload}", self.seed);
                *self.tally.entry(format!("send {}", faults[0].0)).or_default() += 1;
            }
        }
    }

    fn standing_sent(&mut self) -> Option<usize> {
        let standing: Vec<usize> = (0..self.sent.len()).filter(|n| !self.sent[*n].void).collect();
        self.dice.of(&standing).copied()
    }

    /// What was sent was handed over, came back or was lost; said again, it takes the place of what was said before.
    pub(super) async fn hand_over(&mut self) {
        let Some(n) = self.standing_sent() else { return };
        let sent = self.sent[n].clone();
        let all: i64 = sent.picks.iter().map(|(_, some)| some).sum();
        let received = 1 + self.dice.below(all as usize) as i64;
        let lost = self.dice.below((all - received + 1) as usize) as i64;
        let day = sent.day + Days::new(self.dice.below(30) as u64);
        let people = 8 + self.dice.below(8) as i64;
        let line =
            with(&Self::lines(received, 0)[0], json!({ "returned": all - received - lost, "lost": lost }));
        let input = json!({ "id": sent.id, "expectedVersion": sent.version, "occurredOn": day,
            "peopleReached": people, "reachMethod": "COUNTED", "lines": [line],
            "lossReason": (lost > 0).then_some("MISSING") });
        let out = |(lot, some): &(usize, i64)| Entry { day, place: TRANSIT, lot: *lot, quantity: -some };
        let mut fate: Vec<Entry> = sent.picks.iter().map(out).collect();
        let mut faults = Vec::<Fault>::new();
        let past = |lot: usize| self.model.lots[lot].expires.filter(|last| *last < day);
        // Expired lots are handed over last, which is a fault; what is left is lost, and then comes back.
        let mut left = sent.picks.clone();
        left.sort_by_key(|(lot, _)| past(*lot).is_some());
        let mut missing = received;
        for (lot, some) in &mut left {
            let taken = missing.min(*some);
            (missing, *some) = (missing - taken, *some - taken);
            faults.extend(past(*lot).filter(|_| taken > 0).map(|last| ("EXPIRED", last)));
        }
        let order = |lot: &usize| sent.picks.iter().position(|(picked, _)| picked == lot);
        left.sort_by_key(|(lot, _)| order(lot));
        let mut missing = lost;
        for (lot, some) in left {
            let taken = missing.min(some);
            missing -= taken;
            if some > taken {
                fate.push(Entry { day, place: WAREHOUSE, lot, quantity: some - taken });
            }
        }
        let both: Vec<Entry> = sent.fate.iter().map(opposite).chain(fate.clone()).collect();
        let mut after = self.model.clone();
        faults.extend(after.post(&both, false).err().into_iter().flatten());
        faults.sort();
        let payload = act(&self.client, "deliverDistribution", "distribution", "id version", &input).await;
        if faults.is_empty() {
            assert_eq!(payload["userErrors"], json!([]), "seed {} {payload}", self.seed);
            self.model = after;
            let sent = &mut self.sent[n];
            if sent.says.is_none() {
                sent.open = people >= 10 && received >= 10;
            }
            sent.says = Some(Says { day, people, soap: received, kits: 0, stocked: true });
            (sent.fate, sent.version) = (fate, sent.version + 1);
            *self.tally.entry("hand over done".into()).or_default() += 1;
        } else {
            assert_eq!(said(&payload), faults, "seed {} {payload}", self.seed);
            *self.tally.entry(format!("hand over {}", faults[0].0)).or_default() += 1;
        }
    }

    pub(super) async fn call_back(&mut self) {
        let Some(n) = self.standing_sent() else { return };
        let sent = self.sent[n].clone();
        let input = json!({ "id": sent.id, "expectedVersion": sent.version, "reason": "NOT_DELIVERED" });
        let payload = act(&self.client, "voidDistribution", "distribution", "id version", &input).await;
        assert_eq!(payload["userErrors"], Value::Array(Vec::new()), "seed {} {payload}", self.seed);
        let back: Vec<Entry> = sent.out.iter().chain(&sent.fate).map(opposite).collect();
        self.model.post(&back, false).unwrap();
        self.sent[n].void = true;
        *self.tally.entry("call back done".into()).or_default() += 1;
    }
}
