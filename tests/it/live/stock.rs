//! Items that do not last long enough.

use api::id::Kind;
use serde_json::json;
use tests::{Client, Socket, both};

use super::{IDS, recorded, socket, told};
use crate::{
    stock::{lot, moved, places},
    talk::done,
    world::*,
};

const BELOW: &str = "subscription($days: Int!, $at: [ID!]) { stockBelowCover(days: $days, facility: $at) { \
    facility { slug } cover { days quantity item { code } } } }";

async fn below(socket: &mut Socket, id: &str) -> (i64, i64) {
    let event = socket.event(id).await["stockBelowCover"].clone();
    assert_eq!(event["facility"]["slug"], json!("neza"));
    assert_eq!(event["cover"]["item"]["code"], json!("SOAP"));
    (event["cover"]["days"].as_i64().unwrap(), event["cover"]["quantity"].as_i64().unwrap())
}

both!(
    async fn staff_are_told_when_an_item_falls_below(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let soap = lot(&client, &places.store, SOAP, 100, "2026-10-01", None).await;
        let norm = json!({ "idempotencyKey": "n", "item": id(Kind::Item, SOAP), "source": "Sphere", "edition": "2018",
            "quantity": 3, "months": 1, "validFrom": "2026-01-01" });
        done(&client, "setAdequacyNorm", "adequacyNorm", "quantity", &norm).await;
        let women = json!({ "idempotencyKey": "p", "facility": id(Kind::Facility, 1), "countedOn": "2026-09-01",
            "women": 20, "source": "Boletín" });
        done(&client, "recordFacilityPopulation", "facilityPopulation", "women", &women).await;

        // A hundred pieces last fifty days.
        let mut staff = socket(world, "coordinator", "own").await;
        staff.subscribe("deliveries", IDS, json!({})).await;
        staff.subscribe("thirty", BELOW, json!({ "days": 30 })).await;
        staff.subscribe("elsewhere", BELOW, json!({ "days": 30, "at": [id(Kind::Facility, 2)] })).await;
        let mut field = socket(world, "field", "own").await;
        let payload = json!({ "query": BELOW, "variables": { "days": 60 } });
        field.say(json!({ "type": "subscribe", "id": "sixty", "payload": payload })).await;
        // What is below already is told at once.
        assert_eq!(below(&mut field, "sixty").await, (50, 100));

        let take = async |key: &str, lot: &str, quantity: i32| {
            let input = json!({ "place": places.store, "occurredOn": "2026-11-10",
                "lines": [{ "lot": lot, "quantity": quantity }] });
            moved(&client, "issueStock", key, input).await;
        };
        take("above", &soap, 10).await;
        take("below", &soap, 40).await;
        assert_eq!(below(&mut staff, "thirty").await, (25, 50));
        // It is told once, until it has been above again. A delivery shows that this has been looked at.
        take("lower", &soap, 10).await;
        let more = lot(&client, &places.store, SOAP, 60, "2026-11-01", None).await;
        let delivery = recorded(&client, "one").await;
        assert_eq!(told(&mut staff, "deliveries").await.0, delivery);
        staff.round_trip().await;
        take("again", &more, 45).await;
        assert_eq!(below(&mut staff, "thirty").await, (27, 55));
    }
);

both!(
    async fn stock_is_told_to_nobody_else(world: &World) {
        let (own, others) = (world.coordinator(), world.member("coordinator", "other"));
        let store = places(&own).await.store;
        let theirs = json!({ "idempotencyKey": "s", "kind": "FACILITY_STORE", "name": "Depósito",
            "facility": id(Kind::Facility, 4) });
        let theirs = done(&others, "createStockPlace", "stockPlace", "id", &theirs).await;
        for (client, goods, facility) in [(&own, SOAP, 1), (&others, TOWEL, 4)] {
            let norm = json!({ "idempotencyKey": "n", "item": id(Kind::Item, goods), "source": "Sphere",
                "edition": "2018", "quantity": 3, "months": 1, "validFrom": "2026-01-01" });
            done(client, "setAdequacyNorm", "adequacyNorm", "quantity", &norm).await;
            let women = json!({ "idempotencyKey": "p", "facility": id(Kind::Facility, facility),
                "countedOn": "2026-09-01", "women": 20, "source": "Boletín" });
            done(client, "recordFacilityPopulation", "facilityPopulation", "women", &women).await;
        }
        // A hundred pieces last fifty days in both places.
        let theirs = theirs["id"].as_str().unwrap();
        let soap = lot(&own, &store, SOAP, 100, "2026-10-01", None).await;
        let towels = lot(&others, theirs, TOWEL, 100, "2026-10-01", None).await;
        let days = json!({ "days": 30 });
        let mut here = socket(world, "coordinator", "own").await;
        here.subscribe("s", BELOW, days.clone()).await;
        // By name as well, and in the place of their own facility.
        let at = json!({ "days": 30, "at": [id(Kind::Facility, 1), id(Kind::Facility, 4)] });
        let mut there = [
            socket(world, "coordinator", "other").await,
            socket(world, "field", "other").await,
            socket(world, "coordinator", "other").await,
        ];
        for (socket, variables) in there.iter_mut().zip([&days, &days, &at]) {
            socket.subscribe("s", BELOW, variables.clone()).await;
        }
        let mut partner = socket(world, "partner", "ally").await;
        let mut donor = socket(world, "donor", "giver").await;
        partner.subscribe("s", IDS, json!({})).await;
        for socket in [&mut partner, &mut donor] {
            let fault = socket.refused("subscription { stockBelowCover(days: 9) { cover { days } } }").await;
            let unknown = "Unknown field \"stockBelowCover\" on type \"Subscription\".";
            assert_eq!(fault[0]["message"], json!(unknown));
        }
        // There is something to tell, and it is told here.
        let take = async |client: &Client, place: &str, lot: &str| {
            let input = json!({ "place": place, "occurredOn": "2026-11-10", "lines": [{ "lot": lot, "quantity": 60 }] });
            moved(client, "issueStock", "take", input).await;
        };
        take(&own, &store, &soap).await;
        assert_eq!(below(&mut here, "s").await.1, 40);
        // The first that the others hear is of their own.
        take(&others, theirs, &towels).await;
        for socket in &mut there {
            let event = socket.event("s").await["stockBelowCover"].clone();
            assert_eq!(
                (&event["facility"]["slug"], &event["cover"]["item"]["code"], &event["cover"]["quantity"]),
                (&json!("san-joaquin"), &json!("TOWEL"), &json!(40))
            );
        }
        // And the first that a partner hears is a delivery.
        let delivery = recorded(&own, "one").await;
        assert_eq!(told(&mut partner, "s").await.0, delivery);
    }
);
