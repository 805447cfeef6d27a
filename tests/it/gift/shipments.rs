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
    async fn bulk_that_is_sent_is_a_dispatch_and_what_came_back_is_there_again(world: &World) {
        let books = Books::open(world, "2027-01-05").await;
        let soap = books.gave("2027-01-05", GIVER, None, item(SOAP), 200).await;
        let row = sent(&books, "2027-02-01", &soap, 40, 50).await;
        assert_eq!(balance(world, "2027-04-02", "2027-03-31").await, 150);
        let dispatches = "{ bulkDispatches(quarterEnd: \"2027-03-31\") { quantity facility { slug } } }";
        let donor = world.member("donor", "giver");
        // Where it was meant for is told by the delivery alone.
        let expected = json!({ "bulkDispatches": [{ "quantity": 50, "facility": null }] });
        assert_eq!(ask(&donor, dispatches).await, expected);
        let row = arrived(world, "2027-05-03", &row, 38, (38, 12)).await;
        assert_eq!(row["class"], json!("OPERATIONS"));
        assert_eq!(balance(world, "2027-07-02", "2027-06-30").await, 162);
        let void = json!({ "id": row["id"], "expectedVersion": row["version"], "reason": "ENTRY_ERROR" });
        done(&world.coordinator(), "voidDistribution", "distribution", "id", &void).await;
        assert_eq!(balance(world, "2027-10-02", "2027-09-30").await, 200);
    }
);

both!(
    async fn a_small_delivery_is_hidden_from_its_dispatch_to_its_end(world: &World) {
        let books = Books::open(world, "2027-01-05").await;
        let soap = books.gave("2027-01-05", GIVER, None, item(SOAP), 200).await;
        // Meant for few: nothing is told of it.
        let few = sent(&books, "2027-01-10", &soap, 5, 20).await;
        let few = arrived(world, "2027-01-11", &few, 5, (5, 15)).await;
        // Meant for many, and few came: what left in bulk is told, and what came back is not, so that nothing is left
        // when the one is taken from the other.
        let many = sent(&books, "2027-02-01", &soap, 20, 22).await;
        let many = arrived(world, "2027-02-02", &many, 4, (4, 18)).await;
        assert_eq!((&few["class"], &many["class"]), (&json!("RECORDS"), &json!("RECORDS")));
        assert_eq!(balance(world, "2027-04-02", "2027-03-31").await, 200 - 22);
        // With other hidden deliveries they stand for enough women.
        books.soap("2027-05-03", 2, 8, &soap, 8).await;
        assert_eq!(balance(world, "2027-07-02", "2027-06-30").await, 200 - 5 - 4 - 8);
    }
);

both!(
    async fn women_of_a_sent_delivery_count_once_it_has_taken_place(world: &World) {
        let books = Books::open(world, "2027-01-05").await;
        let soap = books.gave("2027-01-05", GIVER, None, item(SOAP), 200).await;
        // Meant for few, so that its dispatch is hidden, and more came.
        let row = sent(&books, "2027-02-01", &soap, 5, 20).await;
        assert_eq!(balance(world, "2027-04-02", "2027-03-31").await, 200);
        let row = arrived(world, "2027-04-10", &row, 20, (20, 0)).await;
        assert_eq!(row["class"], json!("OPERATIONS"));
        assert_eq!(balance(world, "2027-07-02", "2027-06-30").await, 180);
    }
);
