//! What pay-outs refuse.

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::{
    talk::{act, fault, faults, mutation},
    work::women,
};

both!(
    async fn two_currencies_are_never_added(world: &World) {
        women(world).await;
        let client = world.coordinator().purpose("PAYMENT");
        let batch = batch(&client, &[(1, 1)]).await;
        sell(&client, "a", &batch, ("10000", "MXN")).await;
        sell(&client, "b", &batch, ("700", "CLP")).await;
        for (key, currency) in [("p", "MXN"), ("q", "CLP")] {
            let policy = policy_input(key, currency, "FLOOR");
            done(&client, "createPayoutPolicy", "payoutPolicy", "id", &policy).await;
        }
        let before = world.counts().await;
        let both = act(&client, "createPayoutRun", "payoutRun", "id", &run_input("r", Value::Null)).await;
        assert_eq!(faults(&both), fault("INVALID", "currency"));
        assert_eq!(world.counts().await, before);
        for (key, currency, sold) in [("s", "CLP", "700"), ("t", "MXN", "10000")] {
            let made =
                done(&client, "createPayoutRun", "payoutRun", RUN, &run_input(key, json!(currency))).await;
            assert_eq!((&made["currency"], &made["sold"]["amount"]), (&json!(currency), &json!(sold)));
        }
    }
);

both!(
    async fn a_sale_is_shared_out_once(world: &World) {
        women(world).await;
        let client = world.coordinator().purpose("PAYMENT");
        let batch = batch(&client, &[(1, 1)]).await;
        sell(&client, "a", &batch, ("10000", "MXN")).await;
        done(&client, "createPayoutPolicy", "payoutPolicy", "id", &policy_input("p", "MXN", "FLOOR")).await;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..6 {
            let client = client.clone();
            let input = run_input(&format!("r{n}"), Value::Null);
            tasks.spawn(async move { act(&client, "createPayoutRun", "payoutRun", "id", &input).await });
        }
        let runs = tasks.join_all().await;
        let (made, refused): (Vec<_>, Vec<_>) = runs.iter().partition(|run| run["userErrors"] == json!([]));
        assert_eq!((made.len(), refused.len()), (1, 5));
        assert!(refused.iter().all(|run| faults(run) == fault("INVALID", "startsOn")));
    }
);

both!(
    async fn a_version_of_a_policy_stays_as_it_is(world: &World) {
        women(world).await;
        let client = world.coordinator().purpose("PAYMENT");
        let batch = batch(&client, &[(1, 1)]).await;
        sell(&client, "a", &batch, ("10000", "MXN")).await;
        let first = policy_input("p", "MXN", "FLOOR");
        done(&client, "createPayoutPolicy", "payoutPolicy", "id", &first).await;
        for table in ["payout_policy SET share_basis_points = 1", "payout_deduction SET basis_points = 1"] {
            let fault = world.try_sql(&format!("UPDATE {table}")).await.unwrap_err();
            assert!(fault.contains("never changed"), "{fault}");
        }
        let next = with(
            &first,
            json!({ "idempotencyKey": "q", "validFrom": "2026-11-08", "shareBasisPoints": 9999 }),
        );
        let next = done(&client, "createPayoutPolicy", "payoutPolicy", "number", &next).await;
        assert_eq!(next["number"], json!(2));
        // Half of the period is under the one, and half under the other.
        let split = act(&client, "createPayoutRun", "payoutRun", "id", &run_input("r", Value::Null)).await;
        assert_eq!(faults(&split), fault("INVALID", "startsOn"));
        let part = with(&run_input("s", Value::Null), json!({ "startsOn": "2026-11-08" }));
        let made = done(&client, "createPayoutRun", "payoutRun", RUN, &part).await;
        assert_eq!((&made["policy"]["number"], &made["gross"]["amount"]), (&json!(2), &json!("9999")));
    }
);

both!(
    async fn a_policy_that_cannot_be_is_refused(world: &World) {
        let client = world.coordinator();
        let share = policy_input("bad", "MXN", "FLOOR");
        for (change, wanted) in [
            (json!({ "program": id(Kind::Program, THEIRS) }), fault("NOT_FOUND", "program")),
            (json!({ "currency": "XXX" }), fault("INVALID", "currency")),
            (json!({ "shareBasisPoints": 10001 }), fault("OUT_OF_RANGE", "shareBasisPoints")),
            (json!({ "shareBasisPoints": null }), fault("INVALID", "shareBasisPoints")),
            (json!({ "paidFor": "SOLD" }), fault("INVALID", "paidFor")),
            (
                json!({ "rates": [{ "product": id(Kind::Product, 9), "rate": "5" }] }),
                [fault("INVALID", "rates"), fault("NOT_FOUND", "rates.0.product")].concat(),
            ),
            (json!({ "deductions": [{ "kind": "OTHER" }] }), fault("INVALID", "deductions.0")),
            (
                json!({ "deductions": [{ "kind": "OTHER", "basisPoints": 6000 }, { "kind": "OTHER", "basisPoints": 6000 }] }),
                fault("OUT_OF_RANGE", "deductions"),
            ),
        ] {
            let input = with(&share, change.clone());
            let refused = act(&client, "createPayoutPolicy", "payoutPolicy", "id", &input).await;
            assert_eq!(faults(&refused), wanted, "{change}");
        }
    }
);

both!(
    async fn a_run_needs_a_policy_a_reason_and_the_right(world: &World) {
        women(world).await;
        let client = world.coordinator().purpose("PAYMENT");
        let batch = batch(&client, &[(1, 1)]).await;
        sell(&client, "a", &batch, ("10000", "MXN")).await;
        let without = act(&client, "createPayoutRun", "payoutRun", "id", &run_input("r", Value::Null)).await;
        assert_eq!(faults(&without), fault("NOT_FOUND", "program"));
        done(&client, "createPayoutPolicy", "payoutPolicy", "id", &policy_input("p", "MXN", "FLOOR")).await;
        let document = mutation("createPayoutRun", "payoutRun", "id");
        let input = json!({ "input": run_input("r", Value::Null) });
        let silent = world.coordinator().query(&document, input.clone()).await;
        assert_eq!(silent.code(), "PURPOSE_NEEDED");
        for role in ["field", "steward", "admin", "auditor"] {
            let refused = world.member(role, "own").purpose("PAYMENT").query(&document, input.clone()).await;
            assert_eq!(refused.code(), "NOT_PERMITTED", "{role}");
        }
        // Of another organisation there is nothing to approve or to read.
        let made = done(&client, "createPayoutRun", "payoutRun", "id", &run_input("r", Value::Null)).await;
        let theirs = world.member("coordinator", "other").purpose("PAYMENT");
        let at = json!({ "id": made["id"], "expectedVersion": 1 });
        let refused = act(&theirs, "approvePayoutRun", "payoutRun", "id", &at).await;
        assert_eq!(faults(&refused), fault("NOT_FOUND", "id"));
        assert_eq!(run(&theirs, &made["id"]).await, Value::Null);
        assert_eq!(
            ask(&theirs, "{ payouts(first: 5) { nodes { id } } }").await["payouts"]["nodes"],
            json!([])
        );
        // The field worker does not approve.
        let document = mutation("approvePayoutRun", "payoutRun", "id");
        let field = world.member("field", "own").query(&document, json!({ "input": at })).await;
        assert_eq!(field.code(), "NOT_PERMITTED");
    }
);
