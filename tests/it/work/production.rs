//! Products, what was made and what was sold.

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::talk::{act, ask, fault, faults};

both!(
    async fn a_batch_sells_what_it_has(world: &World) {
        women(world).await;
        let client = staff(world, "coordinator");
        let product = product(&client, "BAG").await;
        let selection = "id quantity rejected product { code } makers { participantCode parts }";
        let input = batch_input("b", &product, &[(1, 2), (2, 1)], 10);
        let batch = done(&client, "recordProduction", "productionBatch", selection, &input).await;
        let makers =
            json!([{ "participantCode": "W001", "parts": 2 }, { "participantCode": "W002", "parts": 1 }]);
        assert_eq!((&batch["product"]["code"], &batch["makers"]), (&json!("BAG"), &makers));
        let sale = sale_input("s", &product, &batch["id"], 6, ("60000", "CLP"));
        let sold =
            done(&client, "recordSale", "sale", "id gross { amount currency } run { id }", &sale).await;
        assert_eq!(sold["gross"], json!({ "amount": "60000", "currency": "CLP" }));
        // One of the ten was no good.
        let more = sale_input("t", &product, &batch["id"], 4, ("40000", "CLP"));
        assert_eq!(
            faults(&act(&client, "recordSale", "sale", "id", &more).await),
            fault("OUT_OF_RANGE", "quantity")
        );
        let reversal = keyed("r", json!({ "sale": sold["id"] }));
        let undone =
            done(&client, "reverseSale", "sale", "id quantity gross { amount } reverses { id }", &reversal)
                .await;
        assert_eq!((&undone["quantity"], &undone["gross"]["amount"]), (&json!(-6), &json!("-60000")));
        assert_eq!(undone["reverses"]["id"], sold["id"]);
        let twice = keyed("q", json!({ "sale": sold["id"] }));
        assert_eq!(
            faults(&act(&client, "reverseSale", "sale", "id", &twice).await),
            fault("DUPLICATE", "sale")
        );
        let back = keyed("p", json!({ "sale": undone["id"] }));
        assert_eq!(faults(&act(&client, "reverseSale", "sale", "id", &back).await), fault("INVALID", "sale"));
        done(&client, "recordSale", "sale", "id", &more).await;
        for (change, wanted) in [
            (json!({ "gross": { "amount": "1", "currency": "XXX" } }), fault("INVALID", "gross.currency")),
            (json!({ "gross": { "amount": "0", "currency": "CLP" } }), fault("OUT_OF_RANGE", "gross")),
            (json!({ "soldOn": "2026-10-31" }), fault("OUT_OF_RANGE", "soldOn")),
            (json!({ "product": id(Kind::Product, 99) }), fault("NOT_FOUND", "product")),
            (json!({ "batch": id(Kind::ProductionBatch, 99) }), fault("NOT_FOUND", "batch")),
        ] {
            let input = with(&sale_input("bad", &product, &batch["id"], 1, ("5", "CLP")), change.clone());
            assert_eq!(faults(&act(&client, "recordSale", "sale", "id", &input).await), wanted, "{change}");
        }
    }
);

both!(
    async fn of_a_batch_a_field_worker_sees_the_makers_whom_she_reaches(world: &World) {
        women(world).await;
        let (coordinator, field) = (staff(world, "coordinator"), staff(world, "field"));
        let product = product(&coordinator, "BAG").await;
        let input = batch_input("b", &product, &[(1, 1), (4, 1), (5, 1)], 10);
        done(&coordinator, "recordProduction", "productionBatch", "id", &input).await;
        let list = "{ productionBatches(first: 5) { nodes { quantity makers { participantCode } } } }";
        let makers = |found: Value| {
            crate::talk::column(&found["productionBatches"]["nodes"][0]["makers"], "participantCode")
        };
        assert_eq!(makers(ask(&coordinator, list).await), ["W001", "W004", "W005"]);
        let (traces, women) = readings(world).await;
        assert_eq!(makers(ask(&field, list).await), ["W001"]);
        assert_eq!(readings(world).await, (traces + 1, women + 1));
        // She records who made what at her facility, of those whom she reaches.
        let mine = batch_input("c", &product, &[(1, 1), (2, 1)], 4);
        done(&field, "recordProduction", "productionBatch", "id", &mine).await;
        let not_hers = act(
            &field,
            "recordProduction",
            "productionBatch",
            "id",
            &batch_input("d", &product, &[(1, 1), (4, 1)], 4),
        )
        .await;
        assert_eq!(faults(&not_hers), fault("NOT_FOUND", "makers.1.participant"));
        for (change, wanted) in [
            (json!({ "rejected": 11 }), fault("OUT_OF_RANGE", "rejected")),
            (json!({ "makers": [] }), fault("INVALID", "makers")),
            (json!({ "madeOn": "2026-11-21" }), fault("OUT_OF_RANGE", "madeOn")),
            (
                json!({ "makers": [{ "participant": w(1) }, { "participant": w(1) }] }),
                fault("DUPLICATE", "makers.1.participant"),
            ),
        ] {
            let input = with(&batch_input("bad", &product, &[(1, 1)], 10), change.clone());
            let refused = act(&coordinator, "recordProduction", "productionBatch", "id", &input).await;
            assert_eq!(faults(&refused), wanted, "{change}");
        }
    }
);
