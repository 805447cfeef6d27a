//! Pay-outs: from a sale to what a woman has signed for.

mod merge;
mod property;
mod refused;
mod run;

use api::id::Kind;
use serde_json::{Value, json};
use tests::Client;

use crate::{
    lifecycle::with,
    talk::{ask, done},
    work::{batch_input, keyed, product, sale_input},
    world::*,
};

/// What a run says of itself.
const RUN: &str = "id version status currency sold { amount } gross { amount } deductions { amount } net { amount } \
    remainder { amount } women acknowledged reconciles policy { number }";

/// Thirty percent of what is sold, a tenth of it each for reparation and savings.
pub fn policy_input(key: &str, currency: &str, rounding: &str) -> Value {
    keyed(
        key,
        json!({ "program": id(Kind::Program, WORKSHOP), "validFrom": "2026-01-01", "currency": currency,
            "basis": "SHARE", "shareBasisPoints": 3000, "rounding": rounding,
            "deductions": [{ "kind": "REPARATION", "basisPoints": 1000 },
                { "kind": "SAVINGS_FUND", "basisPoints": 1000 }] }),
    )
}

pub fn run_input(key: &str, currency: Value) -> Value {
    keyed(
        key,
        json!({ "program": id(Kind::Program, WORKSHOP), "startsOn": "2026-11-01", "endsOn": "2026-11-15",
            "currency": currency }),
    )
}

/// A product, and a batch of it by women with their parts.
async fn batch(client: &Client, makers: &[(u128, i32)]) -> (String, Value) {
    let product = product(client, "BAG").await;
    let input = batch_input("batch", &product, makers, 1_000);
    let made = done(client, "recordProduction", "productionBatch", "id", &input).await;
    (product, made["id"].clone())
}

async fn sell(client: &Client, key: &str, (product, batch): &(String, Value), gross: (&str, &str)) -> Value {
    let input = sale_input(key, product, batch, 3, gross);
    done(client, "recordSale", "sale", "id", &input).await["id"].clone()
}

async fn run(client: &Client, run: &Value) -> Value {
    ask(client, &format!("{{ payoutRun(id: {run}) {{ {RUN} }} }}")).await["payoutRun"].clone()
}

/// What each woman of a run is paid, by her code: gross, what is taken off, net.
async fn paid(client: &Client, run: &Value) -> Vec<(String, i64, Vec<i64>, i64)> {
    let document = format!(
        "{{ payouts(first: 50, filter: {{ run: [{run}] }}) {{ nodes {{ participantCode gross {{ amount }} \
         deductions {{ kind amount {{ amount }} }} net {{ amount }} }} }} }}"
    );
    let found = ask(client, &document).await;
    let amount = |money: &Value| money["amount"].as_str().unwrap().parse::<i64>().unwrap();
    let mut paid: Vec<_> = found["payouts"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let taken =
                one["deductions"].as_array().unwrap().iter().map(|part| amount(&part["amount"])).collect();
            let code = one["participantCode"].as_str().unwrap().to_owned();
            (code, amount(&one["gross"]), taken, amount(&one["net"]))
        })
        .collect();
    paid.sort();
    paid
}

/// Approves a run as the steward and pays it.
pub async fn pay(client: &Client, steward: &Client, run: &Value) {
    let at = |version: i32| json!({ "id": run, "expectedVersion": version });
    done(steward, "approvePayoutRun", "payoutRun", "status", &at(1)).await;
    let paid = with(&at(2), json!({ "paidOn": "2026-11-18" }));
    done(client, "payPayoutRun", "payoutRun", "status", &paid).await;
}
