//! Balances at quarter ends, and what came in and left in bulk.

use serde_json::{Value, json};
use tests::both;

use super::{Books, Handed, balance, item, kit, share_stock, shown};
use crate::{stock::moved, talk::ask, world::*};

/// Whether somebody asks when a quarter is over, or nobody before the end.
#[derive(Clone, Copy, PartialEq)]
enum Asked {
    Each,
    Last,
}

async fn two_quarters_wait_and_the_third_tells(world: &World, asked: Asked) {
    let books = Books::open(world, "2027-01-05").await;
    let ask = async |on: &str, quarter: &str, quantity: i64| {
        if asked == Asked::Each {
            assert_eq!(balance(world, on, quarter).await, quantity);
        }
    };
    let soap = books.gave("2027-01-05", GIVER, None, item(SOAP), 200).await;
    books.soap("2027-01-20", 1, 40, &soap, 40).await;
    books.soap("2027-02-10", 1, 5, &soap, 5).await;
    ask("2027-04-02", "2027-03-31", 160).await;
    // Nine women, a loss, and a small transfer.
    books.soap("2027-04-20", 2, 4, &soap, 4).await;
    books.lost("2027-05-04", &soap, 7).await;
    books.sent("2027-05-05", &soap, 2).await;
    ask("2027-07-02", "2027-06-30", 160).await;
    // Five at one facility and six at the other: all that was left out is in the balance at once.
    books.soap("2027-08-04", 2, 6, &soap, 6).await;
    ask("2027-10-02", "2027-09-30", 160 - 5 - 4 - 7 - 2 - 6).await;
    // A new sum begins.
    books.soap("2027-11-04", 2, 9, &soap, 9).await;
    assert_eq!(balance(world, "2028-01-02", "2027-12-31").await, 136);
    // What has been shown stays as it was.
    for (quarter, quantity) in [("2027-03-31", 160), ("2027-06-30", 160), ("2027-09-30", 136)] {
        assert_eq!(balance(world, "2028-01-02", quarter).await, quantity, "{quarter}");
    }
    // Staff see what there is.
    let staff = shown(world, ("coordinator", "own"), "2028-01-02", "2027-12-31").await;
    assert_eq!(staff[0]["quantity"], json!(127));
}

both!(
    async fn what_is_hidden_waits_until_it_stands_for_enough_women(world: &World) {
        two_quarters_wait_and_the_third_tells(world, Asked::Each).await;
    }
);

both!(
    async fn when_somebody_asks_changes_nothing(world: &World) {
        two_quarters_wait_and_the_third_tells(world, Asked::Last).await;
    }
);

both!(
    async fn a_late_entry_counts_in_the_next_quarter(world: &World) {
        let books = Books::open(world, "2027-01-05").await;
        let soap = books.gave("2027-01-05", GIVER, None, item(SOAP), 100).await;
        let twenty = [(item(SOAP), Some(soap.as_str()), 20)];
        let handed = || Handed { facility: 1, program: SUPPLIES, women: 20, lines: &twenty };
        assert_eq!(balance(world, "2027-04-01", "2027-03-31").await, 100);
        let late = books.delivered("2027-02-01", "2027-04-03", handed()).await;
        assert_eq!(balance(world, "2027-04-04", "2027-03-31").await, 100);
        // Nobody had asked for the second quarter when the first form of the third came.
        let other = books.delivered("2027-06-01", "2027-07-03", handed()).await;
        assert_eq!(balance(world, "2027-07-04", "2027-06-30").await, 80);
        // A correction below the threshold puts back what was seen, and what it takes instead is hidden.
        let correction = json!({ "id": late["id"], "expectedVersion": 1, "peopleReached": 5,
            "lines": [{ "supplied": item(SOAP), "lot": soap, "quantity": 5 }] });
        crate::talk::done(&world.coordinator(), "updateDistribution", "distribution", "id", &correction)
            .await;
        assert_eq!(balance(world, "2027-10-02", "2027-09-30").await, 100 - 20);
        assert_eq!(balance(world, "2027-10-02", "2027-06-30").await, 80);
        assert_ne!(late["id"], other["id"]);
    }
);

both!(
    async fn only_quarters_that_are_over_are_shown(world: &World) {
        Books::open(world, "2027-05-05").await;
        for who in [("donor", "giver"), ("partner", "ally"), ("coordinator", "own")] {
            for field in ["warehouseBalances", "giftReceipts", "bulkDispatches"] {
                for day in ["2027-06-30", "2027-03-30", "2027-05-31", "2199-12-31", "2027-04-30"] {
                    let document = format!("{{ {field}(quarterEnd: \"{day}\") {{ quantity }} }}");
                    let answer = world.member(who.0, who.1).query(&document, Value::Null).await;
                    assert_eq!(answer.code(), "BAD_USER_INPUT", "{answer}");
                    assert!(answer.to_string().contains("The last one ended on 2027-03-31."), "{answer}");
                }
                let document = format!("{{ {field}(quarterEnd: \"2027-03-31\") {{ quantity }} }}");
                assert_eq!(ask(&world.member(who.0, who.1), &document).await, json!({ field: [] }));
            }
        }
        for role in ["field", "admin", "auditor"] {
            let document = "{ warehouseBalances(quarterEnd: \"2027-03-31\") { quantity } }";
            let answer = world.member(role, "own").query(document, Value::Null).await;
            assert_eq!(answer.code(), "NOT_PERMITTED", "{role}");
        }
    }
);

both!(
    async fn bulk_is_shown_line_by_line(world: &World) {
        let books = Books::open(world, "2027-01-05").await;
        share_stock(world, 2, None).await;
        let soap = books.gave("2027-01-05", GIVER, None, item(SOAP), 200).await;
        books.gave("2027-01-06", GIVER, None, item(SOAP), 9).await;
        books.gave("2027-01-07", GIVER, None, item(FORMULA), 50).await;
        books.gave("2027-01-08", ALLY, None, kit(HYGIENE), 30).await;
        let mistake = books.sent("2027-02-01", &soap, 12).await;
        books.sent("2027-02-02", &soap, 25).await;
        books.sent("2027-02-03", &soap, 9).await;
        let document = "{ giftReceipts(quarterEnd: \"2027-03-31\") { quantity occurredOn item { code } kit { code } kitVersion \
                        facility { slug } undone organization { slug } } \
                        bulkDispatches(quarterEnd: \"2027-03-31\") { quantity occurredOn facility { slug } undone } }";
        world.set_now("2027-04-02T09:00:00Z");
        let own = json!({ "slug": "own" });
        assert_eq!(
            ask(&world.member("donor", "giver"), document).await,
            json!({ "giftReceipts": [{ "quantity": 200, "occurredOn": "2027-01-05", "item": { "code": "SOAP" }, "kit": null,
                "kitVersion": null, "facility": null, "undone": null, "organization": own }],
                "bulkDispatches": [
                    { "quantity": 12, "occurredOn": "2027-02-01", "facility": { "slug": "neza" }, "undone": null },
                    { "quantity": 25, "occurredOn": "2027-02-02", "facility": { "slug": "neza" }, "undone": null }] })
        );
        assert_eq!(
            ask(&world.partner(), document).await,
            json!({ "giftReceipts": [{ "quantity": 30, "occurredOn": "2027-01-08", "item": null, "kit": { "code": "HYGIENE" },
                "kitVersion": 2, "facility": null, "undone": null, "organization": own }], "bulkDispatches": [] })
        );
        // The small one left unseen.
        assert_eq!(balance(world, "2027-04-02", "2027-03-31").await, 209 - 12 - 25);
        let reverse = json!({ "movement": mistake["id"], "reason": "ENTRY_ERROR" });
        moved(&world.coordinator(), "reverseStockMovement", "undo", reverse).await;
        world.set_now("2027-07-02T09:00:00Z");
        assert_eq!(
            ask(&world.member("donor", "giver"), document).await["bulkDispatches"],
            json!([{ "quantity": 12, "occurredOn": "2027-02-01", "facility": { "slug": "neza" }, "undone": "2027-06-30" },
                { "quantity": 25, "occurredOn": "2027-02-02", "facility": { "slug": "neza" }, "undone": null }])
        );
        assert_eq!(balance(world, "2027-07-02", "2027-06-30").await, 209 - 25);
    }
);

both!(
    async fn a_filter_narrows_to_items_and_kits(world: &World) {
        let books = Books::open(world, "2027-01-05").await;
        books.gave("2027-01-05", GIVER, None, item(SOAP), 20).await;
        books.gave("2027-01-05", GIVER, None, item(BOOK), 30).await;
        books.gave("2027-01-05", GIVER, None, kit(BATH), 40).await;
        world.set_now("2027-04-02T09:00:00Z");
        use api::id::Kind;
        for (filter, quantities) in [
            (json!({ "item": [id(Kind::Item, SOAP)] }), json!([20, 40])),
            (json!({ "item": [id(Kind::Item, BOOK)] }), json!([30])),
            (json!({ "kit": [id(Kind::Kit, BATH)] }), json!([40])),
            (json!({ "kit": [] }), json!([])),
        ] {
            let document = "query($filter: StockFilter) { warehouseBalances(filter: $filter, quarterEnd: \"2027-03-31\") { quantity } }";
            let answer = world.member("donor", "giver").query(document, json!({ "filter": filter })).await;
            let rows = answer.data()["warehouseBalances"].as_array().unwrap().clone();
            let mut found: Vec<i64> = rows.iter().map(|row| row["quantity"].as_i64().unwrap()).collect();
            found.sort_unstable();
            assert_eq!(json!(found), quantities, "{filter}");
        }
    }
);
