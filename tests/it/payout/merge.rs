//! Money when two records of one woman are merged: none is lost, and none is paid twice.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::{
    participant::merge::{merged, proposed, refused},
    work::{w, women},
};

/// What is kept for each of two women.
async fn balances(client: &Client) -> BTreeMap<u128, Vec<String>> {
    let mut balances = BTreeMap::new();
    for n in [1, 2] {
        let document =
            format!("{{ savings(participant: \"{}\") {{ balance {{ amount currency }} }} }}", w(n));
        let found = ask(client, &document).await;
        let amount = |one: &Value| {
            let money = &one["balance"];
            format!("{} {}", money["amount"].as_str().unwrap(), money["currency"].as_str().unwrap())
        };
        balances.insert(n, found["savings"].as_array().unwrap().iter().map(amount).collect());
    }
    balances
}

/// A batch of women, and a sale of it.
async fn sold(client: &Client, key: &str, makers: &[(u128, i32)], gross: &str) {
    let product = product(client, key).await;
    let batch = batch_input(&format!("batch {key}"), &product, makers, 10);
    let batch = done(client, "recordProduction", "productionBatch", "id", &batch).await;
    let sale = sale_input(&format!("sale {key}"), &product, &batch["id"], 3, (gross, "MXN"));
    done(client, "recordSale", "sale", "id", &sale).await;
}

async fn made(client: &Client, key: &str) -> Value {
    done(client, "createPayoutRun", "payoutRun", RUN, &run_input(key, Value::Null)).await
}

async fn withdraw(client: &Client, key: &str, woman: u128, amount: &str) {
    let input = json!({ "participant": w(woman), "amount": { "amount": amount, "currency": "MXN" },
        "withdrawnOn": "2026-11-19", "reason": "OTHER" });
    done(client, "recordSavingsWithdrawal", "savingsWithdrawal", "id", &keyed(key, input)).await;
}

/// Two women for whom a tenth of thirty percent is kept: 300 and 600.
async fn savers(world: &World) -> Client {
    women(world).await;
    let client = world.coordinator().purpose("PAYMENT");
    let steward = world.member("steward", "own").purpose("PAYMENT");
    done(&client, "createPayoutPolicy", "payoutPolicy", "id", &policy_input("p", "MXN", "FLOOR")).await;
    for (key, woman, gross) in [("one", 1, "10000"), ("two", 2, "20000")] {
        sold(&client, key, &[(woman, 1)], gross).await;
        let run = made(&client, &format!("run {key}")).await;
        pay(&client, &steward, &run["id"]).await;
    }
    client
}

both!(
    async fn savings_are_those_of_both_records_and_then_each_ones_own(world: &World) {
        let client = savers(world).await;
        withdraw(&client, "before", 2, "100").await;
        let before = balances(&client).await;
        assert_eq!(before, [(1, vec!["300 MXN".to_owned()]), (2, vec!["500 MXN".to_owned()])].into());
        let (kept, other) = (json!(w(1)), json!(w(2)));
        let merge = merged(world, "m", &kept, &other).await;
        assert_eq!(balances(&client).await, [(1, vec!["800 MXN".to_owned()]), (2, vec![])].into());
        let runs = ask(&client, "{ payoutRuns(first: 9) { nodes { reconciles women } } }").await;
        assert_eq!(
            runs["payoutRuns"]["nodes"],
            json!([{ "reconciles": true, "women": 1 }, { "reconciles": true, "women": 1 }])
        );
        // What she is handed meanwhile stays with the record that was kept.
        withdraw(&client, "meanwhile", 1, "250").await;
        let undo = json!({ "id": merge["id"], "expectedVersion": merge["version"] });
        done(&client, "undoMerge", "participantMerge", "id", &undo).await;
        assert_eq!(
            balances(&client).await,
            [(1, vec!["50 MXN".to_owned()]), (2, vec!["500 MXN".to_owned()])].into()
        );
    }
);

both!(
    /// What was handed out for both cannot be taken back to one.
    async fn a_merge_is_not_undone_over_savings_that_are_spent(world: &World) {
        let client = savers(world).await;
        let merge = merged(world, "m", &json!(w(1)), &json!(w(2))).await;
        withdraw(&client, "of both", 1, "301").await;
        let undo = json!({ "id": merge["id"], "expectedVersion": merge["version"] });
        let refused = crate::talk::act(&client, "undoMerge", "participantMerge", "id", &undo).await;
        assert_eq!(crate::talk::faults(&refused), crate::talk::fault("CONFLICT", "id"));
        assert_eq!(balances(&client).await, [(1, vec!["599 MXN".to_owned()]), (2, vec![])].into());
    }
);

both!(
    async fn what_names_both_records_is_put_right_first(world: &World) {
        women(world).await;
        let client = world.coordinator().purpose("PAYMENT");
        done(&client, "createPayoutPolicy", "payoutPolicy", "id", &policy_input("p", "MXN", "FLOOR")).await;
        sold(&client, "one", &[(1, 1)], "10000").await;
        sold(&client, "two", &[(2, 1), (3, 1)], "20000").await;
        let run = made(&client, "run").await;
        let merge = proposed(&client, "m", &json!(w(1)), &json!(w(2))).await;
        assert_eq!(refused(world, &merge).await, crate::talk::fault("CONFLICT", "id"));
        assert_eq!(world.number("SELECT count(*) FROM participant_merge_row").await, 0);
        let void = json!({ "id": run["id"], "expectedVersion": 1 });
        done(&client, "voidPayoutRun", "payoutRun", "id", &void).await;
        // One batch that both are makers of cannot be shared out to one.
        let both = proposed(&client, "n", &json!(w(3)), &json!(w(5))).await;
        sold(&client, "both", &[(3, 1), (5, 1)], "100").await;
        assert_eq!(refused(world, &both).await, crate::talk::fault("CONFLICT", "id"));
        let yes = crate::participant::merge::decision(&merge, "MERGE");
        let steward = world.member("steward", "own").purpose("PAYMENT");
        done(&steward, "decideMerge", "participantMerge", "id", &yes).await;
        // She is paid once for both batches; the run that was voided is left as it was.
        let again = made(&client, "again").await;
        let grosses: Vec<(String, i64)> =
            paid(&client, &again["id"]).await.into_iter().map(|(code, gross, ..)| (code, gross)).collect();
        let of = |code: &str, gross| (code.to_owned(), gross);
        assert_eq!(grosses, [of("W001", 6_000), of("W003", 3_015), of("W005", 15)]);
        assert_eq!(again["reconciles"], json!(true));
        let sql = format!(
            "SELECT count(*) FROM payout WHERE run_id = {}",
            world.literal_of(run["id"].as_str().unwrap())
        );
        assert_eq!(world.number(&sql).await, 3);
    }
);
