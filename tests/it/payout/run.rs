//! Runs, from a sale to what is signed for.

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::{
    talk::{act, fault, faults},
    work::{readings, staff, w, women},
};

both!(
    async fn in_mexico_a_sale_becomes_what_women_sign_for(world: &World) {
        women(world).await;
        let client = world.coordinator().purpose("PAYMENT");
        let steward = world.member("steward", "own").purpose("PAYMENT");
        let batch = batch(&client, &[(1, 2), (2, 1), (5, 1)]).await;
        // 100.01 and 33.33 pesos.
        sell(&client, "a", &batch, ("10001", "MXN")).await;
        sell(&client, "b", &batch, ("3333", "MXN")).await;
        let policy = policy_input("p", "MXN", "FLOOR");
        let terms =
            "id number rounding deductions { kind basisPoints amount { amount } } rates { rate { amount } }";
        let policy = done(&client, "createPayoutPolicy", "payoutPolicy", terms, &policy).await;
        assert_eq!(policy["number"], json!(1));
        assert_eq!(
            policy["deductions"][0],
            json!({ "kind": "REPARATION", "basisPoints": 1000, "amount": null })
        );
        let input = run_input("r", Value::Null);
        let checked = with(&input, json!({ "validateOnly": true }));
        let before = world.counts().await;
        assert_eq!(
            act(&client, "createPayoutRun", "payoutRun", "id", &checked).await["userErrors"],
            json!([])
        );
        assert_eq!(world.counts().await, before);
        let made = done(&client, "createPayoutRun", "payoutRun", RUN, &input).await;
        assert_eq!(done(&client, "createPayoutRun", "payoutRun", RUN, &input).await, made);
        // 3000.3 and 999.9 centavos are shared: 1500 + 499, 750 + 249, 750 + 249.
        let women = [
            ("W001".to_owned(), 1_999, vec![199, 199], 1_601),
            ("W002".to_owned(), 999, vec![99, 99], 801),
            ("W005".to_owned(), 999, vec![99, 99], 801),
        ];
        assert_eq!(paid(&client, &made["id"]).await, women);
        let sums = json!({ "id": made["id"], "version": 1, "status": "DRAFT", "currency": "MXN",
            "sold": { "amount": "13334" }, "gross": { "amount": "3997" }, "deductions": { "amount": "794" },
            "net": { "amount": "3203" }, "remainder": { "amount": "9337" }, "women": 3, "acknowledged": 0,
            "reconciles": true, "policy": { "number": 1 } });
        assert_eq!(made, sums);
        // Whoever made it does not approve it; whoever may not pay does not either.
        let at = |version: i32| json!({ "id": made["id"], "expectedVersion": version });
        let own = act(&client, "approvePayoutRun", "payoutRun", "id", &at(1)).await;
        assert_eq!(faults(&own), fault("NOT_PERMITTED", "id"));
        let early = with(&at(1), json!({ "paidOn": "2026-11-18" }));
        assert_eq!(
            faults(&act(&client, "payPayoutRun", "payoutRun", "id", &early).await),
            fault("INVALID", "id")
        );
        let found = ask(
            &client,
            &format!(
                "{{ payouts(first: 9, filter: {{ run: [{}] }}) {{ nodes {{ id \
            participantCode }} }} }}",
                made["id"]
            ),
        )
        .await;
        let first = found["payouts"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["participantCode"] == json!("W001"))
            .unwrap()["id"]
            .clone();
        let sign = |version: i32, on: &str| {
            json!({ "id": first, "expectedVersion": version,
            "method": "FINGERPRINT", "acknowledgedOn": on })
        };
        let unpaid = act(&client, "acknowledgePayout", "payout", "id", &sign(1, "2026-11-18")).await;
        assert_eq!(faults(&unpaid), fault("INVALID", "id"));
        let nothing =
            ask(&client, &format!("{{ savings(participant: \"{}\") {{ balance {{ amount }} }} }}", w(1)))
                .await;
        assert_eq!(nothing["savings"], json!([]));
        pay(&client, &steward, &made["id"]).await;
        let before = act(&client, "acknowledgePayout", "payout", "id", &sign(1, "2026-11-17")).await;
        assert_eq!(faults(&before), fault("OUT_OF_RANGE", "acknowledgedOn"));
        let signed = done(
            &client,
            "acknowledgePayout",
            "payout",
            "method acknowledgedOn version",
            &sign(1, "2026-11-19"),
        )
        .await;
        assert_eq!(signed, json!({ "method": "FINGERPRINT", "acknowledgedOn": "2026-11-19", "version": 2 }));
        let twice = act(&client, "acknowledgePayout", "payout", "id", &sign(2, "2026-11-19")).await;
        assert_eq!(faults(&twice), fault("INVALID", "id"));
        let after = run(&steward, &made["id"]).await;
        assert_eq!(
            (&after["status"], &after["acknowledged"], &after["reconciles"]),
            (&json!("PAID"), &json!(1), &json!(true))
        );
        let late = act(&client, "voidPayoutRun", "payoutRun", "id", &at(3)).await;
        assert_eq!(faults(&late), fault("INVALID", "id"));
    }
);

both!(
    async fn in_chile_no_peso_is_lost(world: &World) {
        women(world).await;
        let client = world.coordinator().purpose("PAYMENT");
        let second = world.member("coordinator2", "own").purpose("PAYMENT");
        let batch = batch(&client, &[(1, 1), (2, 1), (3, 1)]).await;
        sell(&client, "a", &batch, ("1000", "CLP")).await;
        sell(&client, "b", &batch, ("335", "CLP")).await;
        let policy = policy_input("p", "CLP", "LARGEST_REMAINDER");
        done(&client, "createPayoutPolicy", "payoutPolicy", "id", &policy).await;
        let made = done(&client, "createPayoutRun", "payoutRun", RUN, &run_input("r", Value::Null)).await;
        // 300 are three times 100; of 100 one woman has 34.
        let mut grosses: Vec<i64> = paid(&client, &made["id"]).await.into_iter().map(|one| one.1).collect();
        grosses.sort_unstable();
        assert_eq!(grosses, [133, 133, 134]);
        assert_eq!(
            (&made["gross"]["amount"], &made["remainder"]["amount"], &made["reconciles"]),
            (&json!("400"), &json!("935"), &json!(true))
        );
        // The other coordinator approves.
        pay(&client, &second, &made["id"]).await;
        assert_eq!(run(&client, &made["id"]).await["status"], json!("PAID"));
        let nothing = act(&client, "createPayoutRun", "payoutRun", "id", &run_input("s", Value::Null)).await;
        assert_eq!(faults(&nothing), fault("INVALID", "startsOn"));
    }
);

both!(
    async fn a_piece_is_paid_whether_it_sells_or_not(world: &World) {
        women(world).await;
        let client = world.coordinator().purpose("PAYMENT");
        let batch = batch(&client, &[(1, 3), (2, 1)]).await;
        sell(&client, "a", &batch, ("1000", "MXN")).await;
        let policy = keyed(
            "p",
            json!({ "program": id(Kind::Program, WORKSHOP), "validFrom": "2026-01-01",
            "currency": "MXN", "basis": "PIECE_RATE", "paidFor": "MADE", "rounding": "FLOOR",
            "rates": [{ "product": batch.0, "rate": "100" }],
            "deductions": [{ "kind": "OTHER", "amount": "5000" }] }),
        );
        done(&client, "createPayoutPolicy", "payoutPolicy", "id", &policy).await;
        let made = done(&client, "createPayoutRun", "payoutRun", RUN, &run_input("r", Value::Null)).await;
        // 999 good pieces, at a peso each: the organisation adds what the sales do not hold.
        let women = [
            ("W001".to_owned(), 74_925, vec![5_000], 69_925),
            ("W002".to_owned(), 24_975, vec![5_000], 19_975),
        ];
        assert_eq!(paid(&client, &made["id"]).await, women);
        assert_eq!((&made["remainder"]["amount"], &made["reconciles"]), (&json!("-98900"), &json!(true)));
        // Voided, it gives everything back; paid, it is paid once.
        let void = json!({ "id": made["id"], "expectedVersion": 1 });
        let voided = done(&client, "voidPayoutRun", "payoutRun", "status reconciles", &void).await;
        assert_eq!(voided, json!({ "status": "VOIDED", "reconciles": true }));
        let again = done(&client, "createPayoutRun", "payoutRun", RUN, &run_input("s", Value::Null)).await;
        assert_eq!(again["gross"], made["gross"]);
        let twice = act(&client, "createPayoutRun", "payoutRun", "id", &run_input("t", json!("MXN"))).await;
        assert_eq!(faults(&twice), fault("INVALID", "startsOn"));
    }
);

both!(
    async fn what_is_undone_is_nobodys_and_what_was_paid_stays(world: &World) {
        women(world).await;
        let client = world.coordinator().purpose("PAYMENT");
        let steward = world.member("steward", "own").purpose("PAYMENT");
        let batch = batch(&client, &[(1, 1)]).await;
        let undone = sell(&client, "a", &batch, ("5000", "MXN")).await;
        let stays = sell(&client, "b", &batch, ("1000", "MXN")).await;
        let reverse = async |key: &str, sale: &Value| {
            done(&client, "reverseSale", "sale", "id", &keyed(key, json!({ "sale": sale }))).await
        };
        reverse("x", &undone).await;
        done(&client, "createPayoutPolicy", "payoutPolicy", "id", &policy_input("p", "MXN", "FLOOR")).await;
        let made = done(&client, "createPayoutRun", "payoutRun", RUN, &run_input("r", Value::Null)).await;
        assert_eq!((&made["sold"]["amount"], &made["gross"]["amount"]), (&json!("1000"), &json!("300")));
        pay(&client, &steward, &made["id"]).await;
        // After she was paid, the organisation bears it.
        reverse("y", &stays).await;
        let next = done(&client, "createPayoutRun", "payoutRun", RUN, &run_input("s", Value::Null)).await;
        assert_eq!(
            (&next["sold"]["amount"], &next["women"], &next["remainder"]["amount"], &next["reconciles"]),
            (&json!("-1000"), &json!(0), &json!("-1000"), &json!(true))
        );
    }
);

both!(
    async fn what_comes_out_of_the_common_stock_is_shared_by_all_who_made_it(world: &World) {
        women(world).await;
        let client = world.coordinator().purpose("PAYMENT");
        let product = product(&client, "BAG").await;
        for (key, woman, pieces) in [("one", 1, 31), ("two", 2, 11)] {
            let input = batch_input(key, &product, &[(woman, 1)], pieces);
            done(&client, "recordProduction", "productionBatch", "id", &input).await;
        }
        let later = with(&batch_input("later", &product, &[(3, 1)], 100), json!({ "madeOn": "2026-11-11" }));
        done(&client, "recordProduction", "productionBatch", "id", &later).await;
        sell(&client, "a", &(product, Value::Null), ("40000", "MXN")).await;
        done(&client, "createPayoutPolicy", "payoutPolicy", "id", &policy_input("p", "MXN", "FLOOR")).await;
        let made = done(&client, "createPayoutRun", "payoutRun", "id", &run_input("r", Value::Null)).await;
        // 30 and 10 good pieces were there on the day.
        let grosses: Vec<(String, i64)> =
            paid(&client, &made["id"]).await.into_iter().map(|one| (one.0, one.1)).collect();
        assert_eq!(grosses, [("W001".to_owned(), 9_000), ("W002".to_owned(), 3_000)]);
    }
);

both!(
    async fn savings_are_hers_and_never_below_nothing(world: &World) {
        women(world).await;
        let client = world.coordinator().purpose("PAYMENT");
        let steward = world.member("steward", "own").purpose("PAYMENT");
        let batch = batch(&client, &[(1, 1)]).await;
        sell(&client, "a", &batch, ("10000", "MXN")).await;
        done(&client, "createPayoutPolicy", "payoutPolicy", "id", &policy_input("p", "MXN", "FLOOR")).await;
        let made = done(&client, "createPayoutRun", "payoutRun", "id", &run_input("r", Value::Null)).await;
        pay(&client, &steward, &made["id"]).await;
        let kept = async || {
            let document = format!(
                "{{ savings(participant: \"{}\") {{ saved {{ amount currency }} withdrawn {{ amount }} \
                balance {{ amount }} }} }}",
                w(1)
            );
            ask(&client, &document).await["savings"].clone()
        };
        let row = |withdrawn: &str, balance: &str| {
            json!([{ "saved": { "amount": "300", "currency": "MXN" },
            "withdrawn": { "amount": withdrawn }, "balance": { "amount": balance } }])
        };
        let (traces, reached) = readings(world).await;
        assert_eq!(kept().await, row("0", "300"));
        assert_eq!(readings(world).await, (traces + 1, reached + 1));
        let take = |key: &str, amount: &str, currency: &str, on: &str| {
            keyed(
                key,
                json!({ "participant": w(1),
            "amount": { "amount": amount, "currency": currency }, "withdrawnOn": on, "reason": "LEFT_PRISON" }),
            )
        };
        let refused = async |input: Value| {
            faults(&act(&client, "recordSavingsWithdrawal", "savingsWithdrawal", "id", &input).await)
        };
        assert_eq!(refused(take("x", "301", "MXN", "2026-11-20")).await, fault("OUT_OF_RANGE", "amount"));
        assert_eq!(refused(take("x", "1", "CLP", "2026-11-20")).await, fault("OUT_OF_RANGE", "amount"));
        // It was paid on the 18th.
        assert_eq!(refused(take("x", "1", "MXN", "2026-11-17")).await, fault("OUT_OF_RANGE", "amount"));
        // Many at once take no more than there is.
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..6 {
            let client = client.clone();
            let input = take(&format!("t{n}"), "100", "MXN", "2026-11-20");
            tasks.spawn(async move {
                act(&client, "recordSavingsWithdrawal", "savingsWithdrawal", "id", &input).await["userErrors"]
                    == json!([])
            });
        }
        let given = tasks.join_all().await.into_iter().filter(|given| *given).count();
        assert_eq!(given, 3);
        assert_eq!(kept().await, row("300", "0"));
        let list = ask(
            &staff(world, "steward"),
            "{ savingsWithdrawals(first: 9) { nodes { reason amount { amount } } } }",
        )
        .await;
        assert_eq!(list["savingsWithdrawals"]["nodes"].as_array().unwrap().len(), 3);
    }
);

both!(
    async fn however_many_women_the_statements_are_the_same(world: &World) {
        women(world).await;
        let client = world.coordinator().purpose("PAYMENT");
        let batch = batch(&client, &[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]).await;
        sell(&client, "a", &batch, ("10000", "MXN")).await;
        let policy = policy_input("p", "MXN", "FLOOR");
        done(&client, "createPayoutPolicy", "payoutPolicy", "id", &policy).await;
        done(&client, "createPayoutRun", "payoutRun", "id", &run_input("r", Value::Null)).await;
        for n in 1..=5 {
            let input = crate::work::enrol_input(&format!("e{n}"), n, Value::Null, "ENROLLED");
            done(&client, "enrol", "enrolment", "id", &input).await;
        }
        for document in [
            "{ payouts(first: FIRST) { nodes { net { amount } deductions { kind } run { reconciles } } } }",
            "{ enrolments(first: FIRST) { nodes { participantCode status steps { status } workshop { id } } } }",
        ] {
            let statements = async |first: &str| {
                let answer = client.query(&document.replace("FIRST", first), Value::Null).await;
                answer.data();
                answer.statements()
            };
            assert_eq!(statements("1").await, statements("5").await, "{document}");
        }
    }
);
