//! What staff record and read of stock, step by step.

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use super::{MOVEMENT, lot, moved, on_hand, places, tried};
use crate::{
    distribution::record,
    lifecycle::with,
    talk::{act, ask, done, fault, faults},
    world::*,
};

both!(
    async fn a_late_form_is_refused_with_the_first_day_that_breaks(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let soap = lot(&client, &places.warehouse, SOAP, 10, "2026-10-01", None).await;
        let take = |on: &str, quantity: i64| {
            json!({ "place": places.warehouse, "occurredOn": on, "formNumber": "F-17",
                "lines": [{ "lot": soap, "quantity": quantity }] })
        };
        moved(&client, "issueStock", "a", take("2026-10-20", 8)).await;
        // On the 5th there were ten; on the 20th two would be missing.
        let input = with(&take("2026-10-05", 4), json!({ "idempotencyKey": "late" }));
        let document = "mutation($input: IssueStockInput!) { issueStock(input: $input) { stockMovement { id } \
                        userErrors { code field message day } } }";
        let before = world.counts().await;
        let answer = client.query(document, json!({ "input": input })).await;
        assert_eq!(
            answer.data()["issueStock"],
            json!({ "stockMovement": null, "userErrors": [{ "code": "INSUFFICIENT_STOCK", "field": ["lines", "0"],
                "message": "There is not enough stock: on 2026-10-20 less would be left than nothing.", "day": "2026-10-20" }] })
        );
        assert_eq!(world.counts().await, before);
        // Two fit, and the days after it follow.
        moved(&client, "issueStock", "late", take("2026-10-05", 2)).await;
        for (day, left) in
            [("2026-09-30", 0), ("2026-10-04", 10), ("2026-10-05", 8), ("2026-10-19", 8), ("2026-10-20", 0)]
        {
            let rows = on_hand(&client, Some(day)).await;
            assert_eq!(rows.iter().map(|(.., quantity)| quantity).sum::<i64>(), left, "{day}");
        }
        // Before it came nothing can leave, and nothing happens in the future.
        let early = tried(&client, "issueStock", "b", take("2026-09-30", 1)).await;
        assert_eq!(faults(&early), fault("INSUFFICIENT_STOCK", "lines.0"));
        let future = tried(&client, "issueStock", "c", take("2026-11-21", 1)).await;
        assert_eq!(faults(&future), fault("OUT_OF_RANGE", "occurredOn"));
    }
);

both!(
    async fn what_has_expired_leaves_by_no_path_to_women(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let old = lot(&client, &places.store, SOAP, 40, "2026-09-01", Some("2026-10-15")).await;
        let line = json!({ "lot": old, "quantity": 4 });
        let at = |place: &str| json!({ "place": place, "occurredOn": "2026-10-16", "lines": [line] });
        let issue = tried(&client, "issueStock", "a", at(&places.store)).await;
        assert_eq!(faults(&issue), fault("EXPIRED", "lines.0"));
        let unnamed = json!({ "place": places.store, "occurredOn": "2026-10-16",
            "lines": [{ "supplied": { "item": id(Kind::Item, SOAP) }, "quantity": 4 }] });
        assert_eq!(faults(&tried(&client, "issueStock", "b", unnamed).await), fault("EXPIRED", "lines.0"));
        let kits = json!({ "place": places.store, "occurredOn": "2026-10-16", "kit": id(Kind::Kit, BATH), "quantity": 1,
            "lots": [old] });
        assert_eq!(faults(&tried(&client, "assembleKits", "c", kits).await), fault("EXPIRED", "quantity"));
        for lot in [Some(&old), None] {
            let delivery = json!({ "idempotencyKey": "d", "facility": id(Kind::Facility, 1), "program": id(Kind::Program, SUPPLIES),
                "occurredOn": "2026-10-16", "peopleReached": 12, "reachMethod": "COUNTED", "place": places.store,
                "lines": [{ "supplied": { "item": id(Kind::Item, SOAP) }, "quantity": 4, "lot": lot }] });
            let payload = act(&client, "recordDistribution", "distribution", "id", &delivery).await;
            assert_eq!(faults(&payload), fault("EXPIRED", "lines.0"));
        }
        // The day before it is fine, also when the form comes late; and what is past can be written off.
        moved(&client, "issueStock", "e", with(&at(&places.store), json!({ "occurredOn": "2026-10-15" })))
            .await;
        moved(&client, "loseStock", "f", with(&at(&places.store), json!({ "reason": "EXPIRED" }))).await;
        assert_eq!(on_hand(&client, None).await, [(places.store.clone(), old.clone(), 32)]);
    }
);

both!(
    async fn shipped_received_returned_and_lost_are_four_numbers(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let soap = lot(&client, &places.warehouse, SOAP, 50, "2026-10-01", None).await;
        let transfer = json!({ "from": places.warehouse, "via": places.transit, "to": places.store,
            "occurredOn": "2026-10-02", "lines": [{ "lot": soap, "quantity": 30 }] });
        let transfer = moved(&client, "transferStock", "a", transfer).await;
        let arrival = |parts: Value, reason: Option<&str>| {
            json!({ "transfer": transfer["id"], "occurredOn": "2026-10-03", "reason": reason,
                "lines": [with(&json!({ "lot": soap }), parts)] })
        };
        moved(&client, "receiveTransfer", "b", arrival(json!({ "received": 20, "lost": 3 }), Some("STOLEN")))
            .await;
        moved(&client, "receiveTransfer", "c", arrival(json!({ "returned": 5 }), None)).await;
        let too_many = tried(&client, "receiveTransfer", "d", arrival(json!({ "received": 3 }), None)).await;
        assert_eq!(faults(&too_many), fault("OUT_OF_RANGE", "lines.0"));
        let node =
            format!("{{ node(id: {}) {{ ... on StockMovement {{ {} }} }} }}", transfer["id"], MOVEMENT);
        assert_eq!(
            ask(&client, &node).await["node"]["progress"],
            json!([{ "shipped": 30, "received": 20, "returned": 5, "lost": 3, "inTransit": 2 }])
        );
        let mut expected = vec![
            (places.warehouse.clone(), soap.clone(), 25),
            (places.store, soap.clone(), 20),
            (places.transit, soap, 2),
        ];
        expected.sort();
        assert_eq!(on_hand(&client, None).await, expected);
        // What others follow is not undone before them.
        let reverse = json!({ "movement": transfer["id"], "reason": "ENTRY_ERROR" });
        assert_eq!(
            faults(&tried(&client, "reverseStockMovement", "e", reverse).await),
            fault("INVALID", "movement")
        );
    }
);

both!(
    async fn a_return_gives_back_no_more_than_was_issued(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let soap = lot(&client, &places.warehouse, SOAP, 10, "2026-10-01", None).await;
        let issue = json!({ "place": places.warehouse, "occurredOn": "2026-10-02", "lines": [{ "lot": soap, "quantity": 6 }] });
        let issue = moved(&client, "issueStock", "a", issue).await;
        let back = |quantity: i64| {
            json!({ "issue": issue["id"], "place": places.warehouse, "occurredOn": "2026-10-04", "reason": "UNUSED",
                "lines": [{ "lot": soap, "quantity": quantity }] })
        };
        let returned = moved(&client, "returnStock", "b", back(4)).await;
        assert_eq!(
            faults(&tried(&client, "returnStock", "c", back(3)).await),
            fault("OUT_OF_RANGE", "lines.0.quantity")
        );
        assert_eq!(on_hand(&client, None).await, [(places.warehouse.clone(), soap.clone(), 8)]);
        // Undone, it can come back again; and it is undone once.
        let undo = json!({ "movement": returned["id"], "reason": "ENTRY_ERROR" });
        moved(&client, "reverseStockMovement", "d", undo.clone()).await;
        assert_eq!(
            faults(&tried(&client, "reverseStockMovement", "e", undo).await),
            fault("INVALID", "movement")
        );
        moved(&client, "returnStock", "f", back(6)).await;
        assert_eq!(on_hand(&client, None).await, [(places.warehouse.clone(), soap, 10)]);
    }
);

both!(
    async fn what_a_facility_does_not_let_in_does_not_go_there(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let soap = lot(&client, &places.warehouse, SOAP, 90, "2026-10-01", None).await;
        let rule = |since: &str, permitted: bool| {
            json!({ "idempotencyKey": since, "facility": id(Kind::Facility, 1), "item": id(Kind::Item, SOAP),
                "permitted": permitted, "since": since, "source": "Oficio 12" })
        };
        done(&client, "setItemPermission", "itemPermission", "permitted", &rule("2026-10-05", false)).await;
        done(&client, "setItemPermission", "itemPermission", "permitted", &rule("2026-10-20", true)).await;
        let deliver = |on: &str, supplied: Value| {
            json!({ "idempotencyKey": format!("{on}{supplied}"), "facility": id(Kind::Facility, 1),
                "program": id(Kind::Program, SUPPLIES), "occurredOn": on, "peopleReached": 12,
                "reachMethod": "COUNTED", "lines": [{ "supplied": supplied, "quantity": 12 }] })
        };
        for supplied in [json!({ "item": id(Kind::Item, SOAP) }), json!({ "kit": id(Kind::Kit, BATH) })] {
            for (on, refused) in
                [("2026-10-04", false), ("2026-10-05", true), ("2026-10-19", true), ("2026-10-20", false)]
            {
                let payload =
                    act(&client, "recordDistribution", "distribution", "id", &deliver(on, supplied.clone()))
                        .await;
                let expected = if refused { fault("NOT_PERMITTED", "lines.0.supplied") } else { vec![] };
                assert_eq!(faults(&payload), expected, "{on} {supplied}");
            }
        }
        let transfer = json!({ "from": places.warehouse, "via": places.transit, "to": places.store,
            "occurredOn": "2026-10-06", "lines": [{ "lot": soap, "quantity": 3 }] });
        assert_eq!(
            faults(&tried(&client, "transferStock", "a", transfer).await),
            fault("NOT_PERMITTED", "lines.0")
        );
    }
);

both!(
    async fn cover_is_stock_by_norm_and_population(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let facility = id(Kind::Facility, 1);
        let cover = format!(
            "{{ stockCover(facility: \"{facility}\") {{ item {{ code }} quantity days months norm {{ source edition }} population {{ women countedOn }} }} }}"
        );
        lot(&client, &places.store, SOAP, 100, "2026-10-01", None).await;
        lot(&client, &places.store, SOAP, 50, "2026-10-01", Some("2026-10-30")).await;
        let norm = json!({ "idempotencyKey": "n", "item": id(Kind::Item, SOAP), "source": "Sphere", "edition": "2018",
            "quantity": 3, "months": 1, "validFrom": "2026-01-01" });
        done(&client, "setAdequacyNorm", "adequacyNorm", "quantity", &norm).await;
        assert_eq!(ask(&client, &cover).await["stockCover"], json!([]));
        for (on, women) in [("2026-08-01", 100), ("2026-09-01", 20)] {
            let input = json!({ "idempotencyKey": on, "facility": facility, "countedOn": on, "women": women, "source": "Boletín" });
            done(&client, "recordFacilityPopulation", "facilityPopulation", "women", &input).await;
        }
        // A hundred pieces for sixty a month; what has expired does not count.
        assert_eq!(
            ask(&client, &cover).await["stockCover"],
            json!([{ "item": { "code": "SOAP" }, "quantity": 100, "days": 50, "months": 1.6,
                "norm": { "source": "Sphere", "edition": "2018" }, "population": { "women": 20, "countedOn": "2026-09-01" } }])
        );
    }
);

both!(
    async fn only_staff_of_the_organisation_know_of_stock(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let soap = lot(&client, &places.warehouse, SOAP, 10, "2026-10-01", None).await;
        let near = lot(&client, &places.store, SOAP, 5, "2026-10-01", None).await;
        let list = "{ stockOnHand { quantity } stockPlaces { name } lots(first: 9) { nodes { id } } stockMovements(first: 9) { nodes { id } } }";
        // Members that are cut to a facility see its store and what was there.
        let field = ask(&world.member("field", "own"), list).await;
        assert_eq!(field["stockOnHand"], json!([{ "quantity": 5 }]));
        assert_eq!(field["stockPlaces"], json!([{ "name": "Depósito" }]));
        assert_eq!(field["lots"]["nodes"], json!([{ "id": near }]));
        assert_eq!(field["stockMovements"]["nodes"].as_array().unwrap().len(), 1);
        let others = ask(&world.member("coordinator", "other"), list).await;
        assert_eq!(
            others,
            json!({ "stockOnHand": [], "stockPlaces": [], "lots": { "nodes": [] }, "stockMovements": { "nodes": [] } })
        );
        // Theirs is not there, in a filter, as a node and in a movement.
        for other in [
            world.member("coordinator", "other"),
            world.partner(),
            world.member("donor", "giver"),
            world.anonymous(),
        ] {
            let nodes = format!(
                "{{ a: node(id: \"{soap}\") {{ id }} b: node(id: \"{}\") {{ id }} }}",
                places.warehouse
            );
            assert_eq!(ask(&other, &nodes).await, json!({ "a": null, "b": null }));
        }
        let take = json!({ "place": places.warehouse, "occurredOn": "2026-10-02", "lines": [{ "lot": soap, "quantity": 1 }] });
        let other = tried(&world.member("coordinator", "other"), "issueStock", "a", take.clone()).await;
        assert_eq!(faults(&other), fault("NOT_FOUND", "place"));
        let cut = tried(&world.member("field", "own"), "issueStock", "a", take.clone()).await;
        assert_eq!(faults(&cut), fault("NOT_FOUND", "place"));
        for role in ["steward", "admin", "auditor"] {
            let input = with(&take, json!({ "idempotencyKey": "x" }));
            let document = crate::talk::mutation("issueStock", "stockMovement", "id");
            let answer = world.member(role, "own").query(&document, json!({ "input": input })).await;
            assert_eq!(answer.code(), "NOT_PERMITTED", "{role}");
        }
    }
);

both!(
    async fn reading_stock_takes_as_many_statements_after_a_long_history(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let soap = lot(&client, &places.warehouse, SOAP, 900, "2026-01-01", None).await;
        let documents = [
            "{ stockOnHand { quantity } }",
            "{ stockOnHand(asOf: \"2026-02-01\") { quantity lot { item { code } } place { name } } }",
            "{ stockMovements(first: 20) { nodes { id entries { lot { id } } reversedBy { id entries { quantity } } } } }",
            "{ lots(first: 20) { nodes { id } } }",
        ];
        let take = |n: u32| {
            json!({ "place": places.warehouse, "occurredOn": format!("2026-{:02}-{:02}", n % 10 + 1, n % 28 + 1),
                "lines": [{ "lot": soap, "quantity": 1 }] })
        };
        let count = async || {
            let mut counts = Vec::new();
            for document in documents {
                ask(&client, "{ __typename }").await;
                counts.push(client.query(document, Value::Null).await.statements());
            }
            counts
        };
        moved(&client, "issueStock", "first", take(0)).await;
        let undo = async |movement: &Value, key: &str| {
            let input = json!({ "movement": movement["id"], "reason": "ENTRY_ERROR" });
            moved(&client, "reverseStockMovement", key, input).await;
        };
        let other = moved(&client, "issueStock", "second", take(1)).await;
        undo(&other, "undo").await;
        let short = count().await;
        for n in 2..40 {
            let movement = moved(&client, "issueStock", &format!("{n}"), take(n)).await;
            if n % 3 == 0 {
                undo(&movement, &format!("undo {n}")).await;
            }
        }
        assert_eq!(count().await, short);
    }
);

both!(
    async fn a_corrected_number_of_women_is_in_the_ledger(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        // Two lots serve one line.
        lot(&client, &places.store, SOAP, 8, "2026-10-01", Some("2027-01-01")).await;
        lot(&client, &places.store, SOAP, 20, "2026-10-01", Some("2027-02-01")).await;
        let input =
            with(&record::input("one"), json!({ "place": places.store, "lines": [record::item(SOAP, 12)] }));
        let made = done(&client, "recordDistribution", "distribution", "id", &input).await;
        let before = on_hand(&client, None).await;
        // What stands, as (entries, lots, women at least and at most, shown).
        let standing = async || {
            let of = async |what: &str| {
                let sql = format!(
                    "SELECT CAST({what} AS bigint) FROM stock_entry e JOIN stock_movement m ON m.id = e.movement_id \
                     WHERE m.distribution_id IS NOT NULL AND m.reverses_id IS NULL AND e.quantity < 0 AND NOT EXISTS \
                     (SELECT 1 FROM stock_movement u WHERE u.reverses_id = m.id)"
                );
                world.number(&sql).await
            };
            (
                of("count(*)").await,
                of("sum(e.quantity)").await,
                of("min(e.people_reached)").await,
                of("max(e.people_reached)").await,
                of("sum(CASE WHEN e.open THEN 1 ELSE 0 END)").await,
            )
        };
        assert_eq!(standing().await, (2, -12, 40, 40, 2));
        for (version, people, shown) in [(1, 4, 0), (2, 30, 2)] {
            let change = json!({ "id": made["id"], "expectedVersion": version, "peopleReached": people });
            done(&client, "updateDistribution", "distribution", "id", &change).await;
            assert_eq!(standing().await, (2, -12, people, people, shown));
            assert_eq!(on_hand(&client, None).await, before, "the same of the same lots");
        }
    }
);

both!(
    async fn kits_are_not_made_of_what_does_not_fit(world: &World) {
        let client = world.coordinator();
        let places = places(&client).await;
        let towels = lot(&client, &places.warehouse, TOWEL, 10, "2026-10-01", None).await;
        let kits = |lots: Value| {
            json!({ "place": places.warehouse, "occurredOn": "2026-10-05", "kit": id(Kind::Kit, HYGIENE),
                "quantity": 1, "lots": lots })
        };
        for lots in [json!([towels]), json!([id(Kind::StockLot, 77)])] {
            let payload = tried(&client, "assembleKits", "a", kits(lots)).await;
            assert_eq!(faults(&payload), fault("NOT_FOUND", "lots.0"));
        }
    }
);
