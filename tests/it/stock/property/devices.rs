//! Devices that were without a network. Each has rows that it has not sent, and sends them in any order, in part, twice,
//! in groups, or at a version that somebody else has changed meanwhile.

use std::collections::BTreeMap;

use api::id::Kind;
use chrono::NaiveDate;
use serde_json::{Value, json};
use tests::Client;

use super::{Delivery, History, STORE, Says, deliveries::Wanted};
use crate::{
    distribution,
    lifecycle::with,
    stock::{
        self,
        model::{Entry, Model},
    },
    world::*,
};

/// All devices of a history, and what the server remembers of what they have sent.
pub(super) struct Devices {
    all: Vec<Device>,
    keys: Keys,
    movements: BTreeMap<String, Issue>,
    /// How many ids devices have made.
    made: u64,
    seed: u64,
}

/// What was sent under an id at a version.
type Keys = BTreeMap<(String, Option<i64>), Value>;

struct Device {
    client: Client,
    /// Field workers record, and correct nothing.
    corrects: bool,
    unsent: Vec<Row>,
    sent: Vec<Row>,
    /// By delivery: the version that it has seen.
    seen: BTreeMap<usize, i64>,
    issues: Vec<Issue>,
}

#[derive(Clone, Debug)]
struct Row {
    client: String,
    id: Option<String>,
    expected: Option<i64>,
    group: Option<&'static str>,
    says: Says,
    void: bool,
}

/// Goods of a lot that leave a place, under a key.
#[derive(Clone, Debug, PartialEq)]
struct Issue {
    key: String,
    day: NaiveDate,
    place: usize,
    lot: usize,
    quantity: i64,
}

/// What the server should answer to a row.
#[derive(Clone, Debug, PartialEq)]
struct Reply {
    outcome: &'static str,
    delivery: Option<usize>,
    differences: Vec<&'static str>,
    errors: Vec<(String, Value)>,
}

impl Reply {
    fn new(outcome: &'static str, delivery: usize) -> Self {
        Self { outcome, delivery: Some(delivery), differences: Vec::new(), errors: Vec::new() }
    }

    fn refused(code: &str) -> Self {
        let errors = vec![(code.to_owned(), Value::Null)];
        Self { outcome: "REFUSED", delivery: None, differences: Vec::new(), errors }
    }

    fn failed(&self) -> bool {
        ["REFUSED", "CONFLICT"].contains(&self.outcome)
    }
}

impl Devices {
    pub(super) fn new(world: &World, seed: u64) -> Self {
        let device = |role| Device {
            client: world.member(role, "own"),
            corrects: role != "field",
            unsent: Vec::new(),
            sent: Vec::new(),
            seen: BTreeMap::new(),
            issues: Vec::new(),
        };
        let all = ["coordinator", "coordinator2", "field"].map(device).into();
        Self { all, keys: Keys::new(), movements: BTreeMap::new(), made: 0, seed }
    }

    fn new_id(&mut self) -> String {
        self.made += 1;
        format!("3f0c9d52-{:04x}-4b1e-8a6d-{:012x}", self.seed % 0x1_0000, self.made)
    }
}

impl Row {
    /// What it says of the delivery, whoever says it.
    fn content(&self, store: &str) -> Value {
        json!({ "id": self.id, "facility": id(Kind::Facility, 1), "program": id(Kind::Program, SUPPLIES),
            "occurredOn": self.says.day, "peopleReached": self.says.people, "reachMethod": "COUNTED",
            "place": self.says.stocked.then_some(store), "lines": History::lines(self.says.soap, self.says.kits),
            "void": self.void.then(|| json!({ "reason": "ENTRY_ERROR" })) })
    }

    fn differences(&self, here: &Delivery) -> Vec<&'static str> {
        let (says, there) = (&self.says, &here.says);
        // Each line says how many it reached.
        let lines = (says.soap, says.kits, says.people) != (there.soap, there.kits, there.people);
        let all = [
            ("lines", lines),
            ("occurredOn", says.day != there.day),
            ("peopleReached", says.people != there.people),
            ("voided", self.void != here.void),
        ];
        all.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
    }
}

impl History<'_> {
    /// A device writes some rows, and perhaps sends some.
    pub(super) async fn send_deliveries(&mut self) {
        let device = self.dice.below(self.devices.all.len());
        for _ in 0..1 + self.dice.below(3) {
            let row = self.write(device);
            self.devices.all[device].unsent.push(row);
        }
        if self.dice.below(4) == 0 {
            return;
        }
        let mut rows = Vec::new();
        for _ in 0..1 + self.dice.below(7) {
            let of = &self.devices.all[device];
            let from = if self.dice.below(4) == 0 { &of.sent } else { &of.unsent };
            let Some(row) = self.dice.of(from).cloned() else { continue };
            let group = [Some("a"), Some("b"), None, None, None][self.dice.below(5)];
            rows.push(Row { group, ..row });
        }
        if !rows.is_empty() {
            self.sync(device, &rows).await;
        }
    }

    fn says(&mut self) -> Says {
        Says {
            day: self.day(),
            people: [4, 12, 15][self.dice.below(3)],
            soap: 1 + self.dice.below(14) as i64,
            kits: self.dice.below(8) as i64 / 6,
            stocked: self.dice.below(4) > 0,
        }
    }

    /// A new delivery, or another word on one that the device knows.
    fn write(&mut self, device: usize) -> Row {
        let chosen = self.dice.below(5);
        let void = chosen == 4;
        let fresh = Row {
            client: self.devices.new_id(),
            id: None,
            expected: None,
            group: None,
            says: self.says(),
            void: void && self.dice.below(8) == 0,
        };
        if chosen < 2 {
            return fresh;
        }
        if self.dice.below(4) == 0 {
            // On one that is not here yet, as far as the device knows.
            let unsent = self.dice.of(&self.devices.all[device].unsent).cloned();
            let Some(row) = unsent else { return fresh };
            let says = Says { stocked: row.says.stocked, ..self.changed(row.says) };
            return Row { expected: Some(row.expected.map_or(1, |version| version + 1)), says, void, ..row };
        }
        let known: Vec<usize> = (0..self.deliveries.len()).collect();
        let Some(n) = self.dice.of(&known).copied() else { return fresh };
        let looks = self.dice.below(2) == 0;
        let delivery = self.deliveries[n].clone();
        let seen = self.devices.all[device].seen.entry(n).or_insert(delivery.version);
        if looks {
            *seen = delivery.version;
        }
        let expected = Some(*seen);
        let says = self.changed(delivery.says);
        match delivery.client.filter(|_| self.dice.below(2) == 0) {
            Some(client) => Row { client, expected, says, void, ..fresh },
            None => Row { id: Some(delivery.id), expected, says, void, ..fresh },
        }
    }

    fn changed(&mut self, says: Says) -> Says {
        let other = self.says();
        match self.dice.below(5) {
            0 => says,
            1 => Says { day: other.day, ..says },
            2 => Says { people: other.people, ..says },
            3 => Says { soap: other.soap, ..says },
            _ => Says { stocked: says.stocked, ..other },
        }
    }

    async fn sync(&mut self, device: usize, rows: &[Row]) {
        let replies = self.replies(rows, self.devices.all[device].corrects);
        let store = self.places[STORE].clone();
        let head = |row: &Row| json!({ "clientId": row.client, "expectedVersion": row.expected, "group": row.group });
        let sent: Vec<Value> = rows.iter().map(|row| with(&row.content(&store), head(row))).collect();
        let results = distribution::sync::sync(&self.devices.all[device].client, &sent).await;
        assert_eq!(results.len(), rows.len());
        let lost = self.dice.below(4) == 0;
        // A repeat may stand before what it repeats, when that is of a group which begins earlier.
        for (result, reply) in results.iter().zip(&replies) {
            if let (Some(n), "CREATED") = (reply.delivery, reply.outcome) {
                self.deliveries[n].id = result["distribution"]["id"].as_str().unwrap_or_default().to_owned();
            }
        }
        for ((result, reply), row) in results.iter().zip(&replies).zip(rows) {
            let context = format!("seed {}: {row:?} of {rows:#?}: {result}", self.seed);
            let id = result["distribution"]["id"].as_str();
            assert_eq!(id, reply.delivery.map(|n| self.deliveries[n].id.as_str()), "{context}");
            let texts = |list: &str, key: &str| -> Vec<Value> {
                result[list].as_array().unwrap().iter().map(|one| one[key].clone()).collect()
            };
            let mut fields = texts("differences", "field");
            fields.sort_by_key(Value::to_string);
            let codes = texts("userErrors", "code").into_iter().map(|code| code.as_str().unwrap().to_owned());
            let mut errors: Vec<(String, Value)> = codes.zip(texts("userErrors", "day")).collect();
            errors.sort_by_key(|(code, day)| (code.clone(), day.to_string()));
            let found = (result["outcome"].as_str().unwrap(), json!(fields), errors);
            assert_eq!(found, (reply.outcome, json!(reply.differences), reply.errors.clone()), "{context}");
            let why = reply.errors.first().map_or("", |(code, _)| code);
            let how = if row.group.is_some() { "group" } else { "row" };
            *self.tally.entry(format!("{how} {} {why}", reply.outcome)).or_default() += 1;
            if lost {
                // The device has not heard it.
                continue;
            }
            let version = reply.delivery.map(|n| self.deliveries[n].version);
            let of = &mut self.devices.all[device];
            if let (Some(n), Some(version)) = (reply.delivery, version) {
                of.seen.insert(n, version);
            }
            of.unsent.retain(|unsent| (&unsent.client, unsent.expected) != (&row.client, row.expected));
            of.sent.push(row.clone());
        }
    }

    /// What the server should say, unit by unit; the model follows.
    fn replies(&mut self, rows: &[Row], corrects: bool) -> Vec<Reply> {
        let mut units: Vec<Vec<usize>> = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            let known = units.iter_mut().find(|unit| row.group.is_some() && rows[unit[0]].group == row.group);
            match known {
                Some(unit) => unit.push(place),
                None => units.push(vec![place]),
            }
        }
        let mut replies: BTreeMap<usize, Reply> = BTreeMap::new();
        for unit in units {
            let before: (Model, Vec<Delivery>, Keys) =
                (self.model.clone(), self.deliveries.clone(), self.devices.keys.clone());
            let mut of_unit: Vec<Reply> = Vec::new();
            for place in &unit {
                of_unit.push(self.reply(&rows[*place], corrects));
                if of_unit.iter().any(Reply::failed) {
                    break;
                }
            }
            if of_unit.iter().any(Reply::failed) {
                let written: Vec<Option<usize>> = of_unit
                    .iter()
                    .filter(|reply| ["CREATED", "UPDATED"].contains(&reply.outcome))
                    .map(|reply| reply.delivery)
                    .collect();
                for reply in &mut of_unit {
                    let stands = reply.outcome == "REPEATED" && !written.contains(&reply.delivery);
                    if !reply.failed() && !stands {
                        *reply = Reply::refused("INVALID");
                    }
                    // What this unit has made is not here.
                    reply.delivery = reply.delivery.filter(|n| *n < before.1.len());
                }
                of_unit.resize(unit.len(), Reply::refused("INVALID"));
                (self.model, self.deliveries, self.devices.keys) = before;
            }
            replies.extend(unit.into_iter().zip(of_unit));
        }
        replies.into_values().collect()
    }

    fn reply(&mut self, row: &Row, corrects: bool) -> Reply {
        let means = |delivery: &Delivery| match &row.id {
            Some(id) => delivery.id == *id,
            None => delivery.client.as_ref() == Some(&row.client),
        };
        let (key, content) = ((row.client.clone(), row.expected), row.content(""));
        let says = row.says;
        let Some(n) = self.deliveries.iter().position(means) else {
            if row.id.is_some() || row.expected.is_some() {
                return Reply::refused("NOT_FOUND");
            }
            if row.void {
                return Reply::refused("INVALID");
            }
            return match self.take_for(says, &Self::wanted(says.soap, says.kits)) {
                Ok(entries) => {
                    self.devices.keys.insert(key, content);
                    let delivery = Delivery::new(String::new(), Some(row.client.clone()), says, entries);
                    self.deliveries.push(delivery);
                    Reply::new("CREATED", self.deliveries.len() - 1)
                }
                Err(refused) => refused,
            };
        };
        if self.devices.keys.get(&key) == Some(&content) {
            return Reply::new("REPEATED", n);
        }
        let here = self.deliveries[n].clone();
        let differences = row.differences(&here);
        if !differences.is_empty() {
            if row.expected != Some(here.version) {
                return Reply { differences, ..Reply::new("CONFLICT", n) };
            }
            if !corrects {
                return Reply::refused("NOT_PERMITTED");
            }
            if here.void {
                return Reply::refused("INVALID");
            }
        }
        // The first that was said under a key is remembered.
        let outcome = if differences.is_empty() { "REPEATED" } else { "UPDATED" };
        if row.void && outcome == "UPDATED" {
            self.give_back(n);
            self.deliveries[n] = Delivery { void: true, version: here.version + 1, ..here };
        } else if outcome == "UPDATED" {
            let before = self.model.clone();
            self.give_back(n);
            let mut wanted = Self::wanted(says.soap, says.kits);
            if !differences.contains(&"lines") {
                // Another day, and the same lots where one lot served a line.
                wanted = wanted.map(|want| Wanted { lot: self.only_lot(&here, want.goods), ..want });
            }
            match self.take_for(says, &wanted) {
                Ok(entries) => {
                    self.deliveries[n] = Delivery { says, entries, version: here.version + 1, ..here };
                }
                Err(refused) => {
                    self.model = before;
                    return refused;
                }
            }
        }
        self.devices.keys.entry(key).or_insert(content);
        Reply::new(outcome, n)
    }

    fn take_for(&mut self, says: Says, wanted: &[Wanted]) -> Result<Vec<Entry>, Reply> {
        if !says.stocked {
            return Ok(Vec::new());
        }
        let (after, drawn) = self.draw(says.day, wanted);
        match drawn {
            Ok(entries) => {
                self.model = after;
                Ok(entries)
            }
            Err(faults) => {
                let errors = faults.into_iter().map(|(code, day)| (code.to_owned(), json!(day))).collect();
                Err(Reply { errors, ..Reply::refused("") })
            }
        }
    }

    fn only_lot(&self, delivery: &Delivery, goods: &str) -> Option<usize> {
        let mut lots = delivery.entries.iter().filter(|entry| self.model.lots[entry.lot].goods == goods);
        let first = lots.next()?;
        lots.next().is_none().then_some(first.lot)
    }

    /// A device issues goods of a lot, and says it again, or otherwise.
    pub(super) async fn send_movements(&mut self, step: usize) {
        let device = self.dice.below(self.devices.all.len());
        for n in 0..2 {
            let Some(lot) = self.lot() else { return };
            let day = self.day();
            // A field worker's places are those of her facility.
            let place = if self.devices.all[device].corrects { self.dice.below(2) } else { STORE };
            let quantity = 1 + self.dice.below(9) as i64;
            let key = format!("{} {step} {device} {n}", self.seed);
            self.devices.all[device].issues.push(Issue { key, day, place, lot, quantity });
        }
        let mut issues = Vec::new();
        for _ in 0..1 + self.dice.below(4) {
            let Some(issue) = self.dice.of(&self.devices.all[device].issues).cloned() else { return };
            let quantity = issue.quantity + i64::from(self.dice.below(5) == 0);
            issues.push(Issue { quantity, ..issue });
        }
        let rows = issues.iter().map(|issue| {
            let lines = json!([{ "lot": self.model.lots[issue.lot].id, "quantity": issue.quantity }]);
            json!({ "issue": { "idempotencyKey": issue.key, "place": self.places[issue.place],
                "occurredOn": issue.day, "lines": lines } })
        });
        let rows: Vec<Value> = rows.collect();
        let results = stock::sync::sync(&self.devices.all[device].client, &rows).await;
        assert_eq!(results.len(), issues.len());
        for (result, issue) in results.iter().zip(issues) {
            let context = format!("seed {}: {issue:?}: {result}", self.seed);
            let Issue { day, place, lot, quantity, .. } = issue;
            let entries = vec![Entry { day, place, lot, quantity: -quantity }];
            let mut errors = Vec::new();
            let outcome = match self.devices.movements.get(&issue.key) {
                Some(known) if *known == issue => "REPEATED",
                Some(_) => "CONFLICT",
                None => match self.model.post(&entries, true) {
                    Ok(()) => "CREATED",
                    Err(faults) => {
                        errors = faults;
                        "REFUSED"
                    }
                },
            };
            assert_eq!(result["outcome"], json!(outcome), "{context}");
            let found = result["userErrors"].as_array().unwrap().iter();
            let mut found: Vec<(&str, Value)> =
                found.map(|error| (error["code"].as_str().unwrap(), error["day"].clone())).collect();
            found.sort_by_key(|(code, day)| (*code, day.to_string()));
            let errors: Vec<(&str, Value)> =
                errors.into_iter().map(|(code, day)| (code, json!(day))).collect();
            assert_eq!(found, errors, "{context}");
            if outcome == "CREATED" {
                self.keep(&result["stockMovement"], entries, None, "sent issue");
                self.devices.movements.insert(issue.key.clone(), issue);
            } else {
                *self.tally.entry(format!("sent issue {outcome}")).or_default() += 1;
            }
        }
    }
}
