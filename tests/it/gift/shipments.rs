//! What those who gave may know of goods that are sent for deliveries.

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use super::{Books, balance, item};
use crate::{
    talk::{ask, done},
    world::*,
};

/// Soap of a lot that leaves the warehouse for a planned delivery: the delivery.
async fn sent(books: &Books<'_>, day: &str, lot: &str, women: i64, quantity: i64) -> Value {
    let world = books.world;
    world.set_now(&format!("{day}T09:00:00Z"));
    let client = world.coordinator();
    let plan = json!({ "idempotencyKey": format!("{day} {quantity}"), "facility": id(Kind::Facility, 1),
        "program": id(Kind::Program, SUPPLIES), "occurredOn": day, "peopleExpected": women,
        "lines": [{ "supplied": item(SOAP), "quantity": quantity }] });
    let row = done(&client, "planDistribution", "distribution", "id version", &plan).await;
    let dispatch = json!({ "id": row["id"], "expectedVersion": 1, "dispatchedOn": day,
        "place": books.places.warehouse, "via": books.places.transit,
        "lines": [{ "supplied": item(SOAP), "quantity": quantity, "lot": lot }] });
    done(&client, "dispatchDistribution", "distribution", "id version", &dispatch).await
}

/// That it took place on a day: so much was handed over to so many women, and the rest came back.
async fn arrived(world: &World, day: &str, row: &Value, women: i64, parts: (i64, i64)) -> Value {
    world.set_now(&format!("{day}T09:00:00Z"));
    let delivery = json!({ "id": row["id"], "expectedVersion": row["version"], "occurredOn": day,
        "peopleReached": women, "reachMethod": "COUNTED",
        "lines": [{ "supplied": item(SOAP), "quantity": parts.0, "returned": parts.1 }] });
    done(&world.coordinator(), "deliverDistribution", "distribution", "id version class", &delivery).await
}

both!(
    async fn what_is_sent_is_told_with_the_delivery_and_not_before(world: &World) {
        let books = Books::open(world, "2027-01-05").await;
        let soap = books.gave("2027-01-05", GIVER, None, item(SOAP), 200).await;
        // A hidden delivery that could be counted by taking from the balance what is known.
        books.soap("2027-01-10", 2, 12, &soap, 5).await;
        let row = sent(&books, "2027-02-01", &soap, 40, 50).await;
        // On its way it stands for nobody.
        assert_eq!(balance(world, "2027-04-02", "2027-03-31").await, 200);
        let dispatches = "{ bulkDispatches(quarterEnd: \"2027-03-31\") { quantity } }";
        assert_eq!(ask(&world.member("donor", "giver"), dispatches).await, json!({ "bulkDispatches": [] }));
        let row = arrived(world, "2027-05-03", &row, 38, (38, 12)).await;
        assert_eq!(row["class"], json!("OPERATIONS"));
        // What outsiders see of a delivery lets no other through: five of five women are hidden still.
        assert_eq!(balance(world, "2027-07-02", "2027-06-30").await, 200 - 38);
        let next = dispatches.replace("03-31", "06-30");
        assert_eq!(ask(&world.member("donor", "giver"), &next).await, json!({ "bulkDispatches": [] }));
        let void = json!({ "id": row["id"], "expectedVersion": row["version"], "reason": "ENTRY_ERROR" });
        done(&world.coordinator(), "voidDistribution", "distribution", "id", &void).await;
        assert_eq!(balance(world, "2027-10-02", "2027-09-30").await, 200);
    }
);

both!(
    async fn a_small_delivery_is_hidden_from_its_dispatch_to_its_end(world: &World) {
        let books = Books::open(world, "2027-01-05").await;
        let soap = books.gave("2027-01-05", GIVER, None, item(SOAP), 200).await;
        let few = sent(&books, "2027-01-10", &soap, 5, 20).await;
        let few = arrived(world, "2027-01-11", &few, 5, (5, 15)).await;
        // Meant for many, and few came.
        let many = sent(&books, "2027-02-01", &soap, 20, 22).await;
        let many = arrived(world, "2027-02-02", &many, 4, (4, 18)).await;
        assert_eq!((&few["class"], &many["class"]), (&json!("RECORDS"), &json!("RECORDS")));
        assert_eq!(balance(world, "2027-04-02", "2027-03-31").await, 200);
        // With other hidden deliveries they stand for enough women.
        books.soap("2027-05-03", 2, 8, &soap, 8).await;
        assert_eq!(balance(world, "2027-07-02", "2027-06-30").await, 200 - 5 - 4 - 8);
    }
);

both!(
    async fn a_correction_below_the_threshold_is_hidden_again(world: &World) {
        let books = Books::open(world, "2027-01-05").await;
        let soap = books.gave("2027-01-05", GIVER, None, item(SOAP), 200).await;
        // Two lots, of which one gives fewer than ten: outsiders know the line, and so both.
        let more = books.gave("2027-01-06", GIVER, None, item(SOAP), 5).await;
        let row = sent(&books, "2027-02-01", &soap, 20, 20).await;
        let row = arrived(world, "2027-02-02", &row, 20, (20, 0)).await;
        books.soap("2027-02-03", 1, 3, &more, 3).await;
        assert_eq!(balance(world, "2027-04-02", "2027-03-31").await, 205 - 20);
        let row = arrived(world, "2027-04-10", &row, 4, (4, 16)).await;
        assert_eq!(row["class"], json!("OPERATIONS"));
        assert_eq!(balance(world, "2027-07-02", "2027-06-30").await, 205);
    }
);
