use api::id::Kind;
use chrono::Days;
use entity::{stock_balance, stock_day, stock_entry, stock_lot, stock_movement, value::*};
use serde_json::{Value, json};
use tests::both;

use super::{Costs, Watched, same};
use crate::{
    stock::{lot, places},
    talk::done,
    world::*,
};

/// Lots that came to a place and were used up within some days, long ago; numbered from `first`.
pub async fn used_up(world: &Watched, place: &str, first: u128, count: u128) {
    let organization_id = uuid(Kind::Organization, OWN);
    let place_id = api::id::GlobalId::parse(place).unwrap().id;
    let (mut lots, mut balances, mut days, mut movements, mut entries) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for n in first..first + count {
        let lot_id = uuid(Kind::StockLot, (n * 7_919) % 100_003);
        let came = day("2023-01-01") + Days::new((n % 700) as u64);
        let went = came + Days::new(20);
        lots.push(stock_lot::Model {
            organization_id,
            id: lot_id,
            item_id: Some(uuid(Kind::Item, SOAP)),
            kit_id: None,
            kit_version: None,
            number: None,
            expires_on: None,
            source: StockSource::Purchase,
            donor_id: None,
            gift_id: None,
            award_id: None,
            unit_value_minor: None,
            currency: None,
            recorded_at: moment("2023-01-01T00:00:00Z"),
        });
        balances.push(stock_balance::Model {
            organization_id,
            place_id,
            lot_id,
            on_hand: 0,
            last_day: Some(went),
        });
        let moved = [(StockMovementKind::Receipt, came, 10, 10), (StockMovementKind::Issue, went, -10, 0)];
        for (half, (kind, day, change, closing)) in (0..).zip(moved) {
            days.push(stock_day::Model { organization_id, place_id, lot_id, day, change, closing });
            let movement_id = uuid(Kind::StockMovement, 2 * n + half);
            movements.push(stock_movement::Model {
                organization_id,
                id: movement_id,
                kind,
                occurred_on: day,
                recorded_at: moment("2023-01-01T00:00:00Z"),
                reason: None,
                note: None,
                reverses_id: None,
                follows_id: None,
                to_place_id: None,
                distribution_id: None,
                form_number: None,
                recorded_by: None,
                counted: None,
            });
            let other = if half == 0 { StockSide::Supplier } else { StockSide::Consumed };
            for (position, side, place_id, quantity) in
                [(1, StockSide::Place, Some(place_id), change), (2, other, None, -change)]
            {
                entries.push(stock_entry::Model {
                    organization_id,
                    movement_id,
                    position,
                    lot_id,
                    side,
                    place_id,
                    quantity,
                    open: false,
                    people_reached: None,
                });
            }
        }
    }
    world.insert::<stock_lot::Entity>(lots).await;
    world.insert::<stock_balance::Entity>(balances).await;
    world.insert::<stock_day::Entity>(days).await;
    world.insert::<stock_movement::Entity>(movements).await;
    world.insert::<stock_entry::Entity>(entries).await;
}

both!(
    async fn stock_that_is_used_up_is_not_read(world: &Watched) {
        let client = world.coordinator();
        let places = places(&client).await;
        for quantity in 1..=20 {
            for place in [&places.store, &places.warehouse] {
                lot(&client, place, SOAP, quantity, "2026-01-01", None).await;
            }
        }
        let norm = json!({ "idempotencyKey": "n", "item": id(Kind::Item, SOAP), "source": "Sphere", "edition": "2018",
            "quantity": 3, "months": 1, "validFrom": "2026-01-01" });
        done(&client, "setAdequacyNorm", "adequacyNorm", "quantity", &norm).await;
        let women = json!({ "idempotencyKey": "p", "facility": id(Kind::Facility, 1), "countedOn": "2026-01-01",
            "women": 20, "source": "Boletín" });
        done(&client, "recordFacilityPopulation", "facilityPopulation", "women", &women).await;
        for (place, first) in [(&places.store, 1), (&places.warehouse, 20_001)] {
            used_up(world, place, first, 500).await;
        }
        let facility = id(Kind::Facility, 1);
        let at = format!("filter: {{ facility: [\"{facility}\"] }}");
        let past = "asOf: \"2026-06-01\"";
        let level = "{ quantity lot { id item { code } } place { name } }";
        let documents = [
            format!("{{ stockOnHand {level} }}"),
            format!("{{ stockOnHand({at}) {level} }}"),
            format!("{{ stockOnHand({past}) {level} }}"),
            format!("{{ stockOnHand({at}, {past}) {level} }}"),
            format!("{{ stockCover(facility: \"{facility}\") {{ days quantity }} }}"),
            format!("{{ stockCover(facility: \"{facility}\", {past}) {{ days quantity }} }}"),
        ];
        let viewers = [("coordinator", world.coordinator()), ("field", world.member("field", "own"))];
        let costs = async || {
            world.analyze().await;
            let mut costs = Costs::new();
            for (name, client) in &viewers {
                for document in &documents {
                    let cost = world.cost(client, document, Value::Null).await;
                    costs.push((format!("{name}: {document}"), cost));
                }
            }
            costs
        };
        let before = costs().await;
        for (place, first) in [(&places.store, 1_001), (&places.warehouse, 21_001)] {
            used_up(world, place, first, 4_000).await;
        }
        same(&before, &costs().await);
    }
);
