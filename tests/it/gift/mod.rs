//! What those who gave may know of stock.

mod account;
mod balances;
mod outside;
mod shipments;
mod subtraction;
mod trace;
mod twins;

use api::id::Kind;
use entity::{agreement, agreement_party, value::*};
use serde_json::{Value, json};
use tests::Client;

use crate::{
    lifecycle::with,
    stock::{Places, moved, places},
    talk::done,
    world::*,
};

/// Records what happened day by day, each on its own day.
pub struct Books<'a> {
    pub world: &'a World,
    pub places: Places,
    keys: std::cell::Cell<u32>,
}

/// A delivery out of the warehouse: facility, program, women, and the lots with a quantity of each.
pub struct Handed<'a> {
    pub facility: u128,
    pub program: u128,
    pub women: i64,
    pub lines: &'a [(Value, Option<&'a str>, i64)],
}

impl<'a> Books<'a> {
    pub async fn open(world: &'a World, day: &str) -> Self {
        let places = places(&Self::at(world, day)).await;
        Self { world, places, keys: std::cell::Cell::new(0) }
    }

    /// A coordinator on a day, in the morning.
    fn at(world: &World, day: &str) -> Client {
        world.set_now(&format!("{day}T09:00:00Z"));
        world.coordinator()
    }

    fn key(&self) -> String {
        self.keys.set(self.keys.get() + 1);
        format!("book {}", self.keys.get())
    }

    /// A movement that is recorded on the day on which it happened.
    pub async fn moved(&self, name: &str, day: &str, input: Value) -> Value {
        let input = with(&input, json!({ "occurredOn": day }));
        moved(&Self::at(self.world, day), name, &self.key(), input).await
    }

    /// Goods that came into the warehouse from somebody who gave them: the lot.
    pub async fn gave(
        &self,
        day: &str,
        donor: u128,
        gift: Option<&str>,
        goods: Value,
        quantity: i64,
    ) -> String {
        let receipt = json!({ "place": self.places.warehouse, "source": "DONATION", "gift": gift,
            "donor": id(Kind::Organization, donor), "lines": [{ "supplied": goods, "quantity": quantity }] });
        let receipt = self.moved("receiveStock", day, receipt).await;
        receipt["entries"][0]["lot"]["id"].as_str().unwrap().to_owned()
    }

    pub async fn lost(&self, day: &str, lot: &str, quantity: i64) {
        let loss = json!({ "place": self.places.warehouse, "reason": "DAMAGED",
            "lines": [{ "lot": lot, "quantity": quantity }] });
        self.moved("loseStock", day, loss).await;
    }

    pub async fn sent(&self, day: &str, lot: &str, quantity: i64) -> Value {
        let transfer = json!({ "from": self.places.warehouse, "via": self.places.transit, "to": self.places.store,
            "lines": [{ "lot": lot, "quantity": quantity }] });
        self.moved("transferStock", day, transfer).await
    }

    /// A delivery on a day, recorded then or on a later day: the input's answer.
    pub async fn delivered(&self, day: &str, recorded: &str, handed: Handed<'_>) -> Value {
        let lines: Vec<Value> = handed
            .lines
            .iter()
            .map(|(goods, lot, quantity)| json!({ "supplied": goods, "lot": lot, "quantity": quantity }))
            .collect();
        let input = json!({ "idempotencyKey": self.key(), "facility": id(Kind::Facility, handed.facility),
            "program": id(Kind::Program, handed.program), "occurredOn": day, "peopleReached": handed.women,
            "reachMethod": "COUNTED", "place": self.places.warehouse, "lines": lines });
        let client = Self::at(self.world, recorded);
        done(&client, "recordDistribution", "distribution", "id version class", &input).await
    }

    /// Soap of a lot to women at a facility, recorded on the day.
    pub async fn soap(&self, day: &str, facility: u128, women: i64, lot: &str, quantity: i64) -> Value {
        let lines = [(item(SOAP), Some(lot), quantity)];
        self.delivered(day, day, Handed { facility, program: SUPPLIES, women, lines: &lines }).await
    }
}

pub fn item(n: u128) -> Value {
    json!({ "item": id(Kind::Item, n) })
}

pub fn kit(n: u128) -> Value {
    json!({ "kit": id(Kind::Kit, n) })
}

/// A published gift of a donor, with lines of goods and quantities.
pub async fn gift(world: &World, donor: u128, lines: &[(Value, i64)]) -> String {
    let lines: Vec<Value> =
        lines.iter().map(|(goods, quantity)| json!({ "supplied": goods, "quantity": quantity })).collect();
    let client = world.coordinator();
    let input = json!({ "idempotencyKey": format!("gift {donor}"), "donor": id(Kind::Organization, donor),
        "receivedOn": "2026-11-01", "programs": [], "lines": lines });
    let made = done(&client, "createGift", "gift", "id version", &input).await;
    let publish = json!({ "id": made["id"], "expectedVersion": made["version"] });
    done(&client, "publishGift", "gift", "id", &publish).await["id"].as_str().unwrap().to_owned()
}

/// An agreement with the partner that shares stock too.
pub async fn share_stock(world: &World, n: u128, ends: Option<&str>) {
    let organization_id = uuid(Kind::Organization, OWN);
    let row = agreement::Model {
        organization_id,
        id: uuid(Kind::Agreement, n),
        title: "Existencias".to_owned(),
        starts_on: day("2024-01-01"),
        ends_on: ends.map(day),
        time_zone: "America/Mexico_City".to_owned(),
        all_facilities: true,
        all_programs: true,
        shares: Shares(vec![AgreementShare::Distributions, AgreementShare::Stock]),
        version: 1,
        recorded_at: moment("2024-01-01T00:00:00Z"),
        published_at: Some(moment("2024-01-01T00:00:00Z")),
        archived_at: None,
    };
    world.insert::<agreement::Entity>(vec![row]).await;
    let party = agreement_party::Model {
        organization_id,
        agreement_id: uuid(Kind::Agreement, n),
        partner_id: uuid(Kind::Organization, ALLY),
    };
    world.insert::<agreement_party::Entity>(vec![party]).await;
}

/// What a viewer is shown of a quarter, asked on a day.
pub async fn shown(world: &World, who: (&str, &str), on: &str, quarter_end: &str) -> Value {
    world.set_now(&format!("{on}T09:00:00Z"));
    let document = format!(
        "{{ warehouseBalances(quarterEnd: \"{quarter_end}\") {{ organization {{ slug }} item {{ code }} kit {{ code }} \
         kitVersion quantity asOf }} }}"
    );
    let answer = world.member(who.0, who.1).query(&document, Value::Null).await;
    answer.data()["warehouseBalances"].clone()
}

/// The quantity of the only row that a donor is shown.
pub async fn balance(world: &World, on: &str, quarter_end: &str) -> i64 {
    let rows = shown(world, ("donor", "giver"), on, quarter_end).await;
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows[0]["quantity"].as_i64().unwrap()
}
