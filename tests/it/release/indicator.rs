//! Definitions: what cannot be asked for is refused before anybody looks at data.

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use super::{at, tell, told};
use crate::{
    lifecycle::with,
    survey::instrument,
    talk::{fault, faults},
    world::*,
};

fn share(code: &str, question: &str, cut: Value) -> Value {
    json!({ "idempotencyKey": code, "code": code, "kind": "SHARE", "title": words(code), "base": "RESPONDENTS",
        "numerator": { "answers": { "instrument": "impact", "anyOf": [{ "question": question, "cut": cut }] } } })
}

both!(
    async fn wrong_sums_cannot_be_asked_for(world: &World) {
        let client = world.coordinator();
        instrument(&client, "impact").await;
        told(&client, "createIndicator", share("BUSY", "busy", json!({ "yes": true }))).await;
        let amount = |code: &str, more: Value| {
            let numerator = json!({ "answers": { "instrument": "impact", "anyOf": [{ "question": "income", "cut": { "amount": true } }] } });
            with(
                &share(code, "income", json!({ "amount": true })),
                with(&json!({ "kind": "MEAN", "numerator": numerator }), more),
            )
        };
        let enrolled = json!({ "enrolled": { "programs": [id(Kind::Program, WORKSHOP)] } });
        for (input, code, field) in [
            // One cut of a question, ever.
            (share("BUSY2", "busy", json!({ "yes": true })), "CONFLICT", "numerator.answers.anyOf"),
            (
                share("NONE", "nothing", json!({ "yes": true })),
                "NOT_FOUND",
                "numerator.answers.anyOf.0.question",
            ),
            (share("WRONG", "mood", json!({ "yes": true })), "INVALID", "numerator.answers.anyOf.0.cut"),
            (share("WHY", "why", json!({ "anyOf": ["fame"] })), "INVALID", "numerator.answers.anyOf.0.cut"),
            // A number of those who said yes would be an answer told as a membership.
            (
                with(&share("COUNTED", "mood", json!({ "atLeast": 4 })), json!({ "kind": "COUNT" })),
                "INVALID",
                "kind",
            ),
            (
                with(&share("ALL", "mood", json!({ "atLeast": 4 })), json!({ "base": "PRESENT" })),
                "INVALID",
                "base",
            ),
            // The range is fixed beforehand.
            (amount("MEAN", json!({ "unit": "PIECE" })), "OUT_OF_RANGE", "high"),
            (amount("MEAN", json!({ "low": 0, "high": 100 })), "INVALID", "unit"),
            (amount("SHARED", json!({ "kind": "SHARE" })), "INVALID", "kind"),
            (
                with(
                    &share("DEEP", "mood", json!({ "atLeast": 4 })),
                    json!({ "breakdowns": [["FACILITY", "AGE", "PROGRAM"]] }),
                ),
                "INVALID",
                "breakdowns",
            ),
            (
                with(
                    &share("TWICE", "mood", json!({ "atLeast": 4 })),
                    json!({ "breakdowns": [["FACILITY"], ["FACILITY"]] }),
                ),
                "INVALID",
                "breakdowns",
            ),
            (
                with(
                    &share("NESTED", "mood", json!({ "atLeast": 4 })),
                    json!({ "breakdowns": [["FACILITY", "REGION"]] }),
                ),
                "INVALID",
                "breakdowns",
            ),
            (
                with(&share("CODES", "mood", json!({ "atLeast": 4 })), json!({ "sdg": ["18.1"] })),
                "INVALID",
                "sdg",
            ),
            (
                with(&share("CODES", "mood", json!({ "atLeast": 4 })), json!({ "iati": ["123"] })),
                "INVALID",
                "iati",
            ),
            (
                with(&share("BUSY", "mood", json!({ "atLeast": 4 })), json!({ "idempotencyKey": "again" })),
                "DUPLICATE",
                "code",
            ),
            (
                with(
                    &share("THEIRS", "mood", json!({ "yes": true })),
                    json!({ "base": "PRESENT", "kind": "COUNT", "numerator": { "enrolled": { "programs": [id(Kind::Program, THEIRS)] } } }),
                ),
                "NOT_FOUND",
                "numerator.programs",
            ),
        ] {
            assert_eq!(
                faults(&tell(&client, "createIndicator", input.clone()).await),
                fault(code, field),
                "{input}"
            );
        }
        let count = json!({ "idempotencyKey": "count", "code": "ENROLLED", "kind": "COUNT", "title": words("Inscritas"), "base": "ENROLLED", "numerator": enrolled });
        told(&client, "createIndicator", count.clone()).await;
        // Two figures of the same records could be held against each other: by another base, or by what follows.
        let again = with(
            &count,
            json!({ "idempotencyKey": "again count", "code": "ENROLLED2", "kind": "SHARE", "base": "PRESENT" }),
        );
        assert_eq!(faults(&tell(&client, "createIndicator", again).await), fault("CONFLICT", "numerator"));
        let paid = json!({ "idempotencyKey": "paid", "code": "PAID", "kind": "SHARE", "title": words("Pagadas"), "base": "PRESENT", "numerator": { "wasPaid": true } });
        told(&client, "createIndicator", paid.clone()).await;
        let sum = with(
            &paid,
            json!({ "idempotencyKey": "sum", "code": "SUM", "kind": "SUM", "high": 100_000, "numerator": { "paid": { "currency": "MXN" } } }),
        );
        assert_eq!(faults(&tell(&client, "createIndicator", sum).await), fault("CONFLICT", "numerator"));
        told(&client, "createIndicator", amount("MEAN", json!({ "low": 0, "high": 100, "unit": "PIECE" })))
            .await;
    }
);

both!(
    async fn nobody_approves_alone(world: &World) {
        let (coordinator, steward) = (world.coordinator(), world.member("steward", "own"));
        instrument(&coordinator, "impact").await;
        let made = told(&coordinator, "createIndicator", share("BUSY", "busy", json!({ "yes": true }))).await;
        let alone = tell(&coordinator, "approveIndicator", at(&made, json!({}))).await;
        assert_eq!(faults(&alone), fault("NOT_PERMITTED", "id"));
        let approved = told(&steward, "approveIndicator", at(&made, json!({}))).await;
        assert_eq!(approved["version"], 2);
        let again = tell(&steward, "approveIndicator", at(&approved, json!({}))).await;
        assert_eq!(faults(&again), fault("INVALID", "id"));
        // The database holds it, too.
        let alone = "UPDATE indicator SET approved_by = recorded_by";
        assert!(world.try_sql(alone).await.is_err());
        for role in ["field", "admin", "auditor"] {
            let member = world.member(role, "own");
            let answer = member.query(
                "mutation($input: EntryInput!) { archiveIndicator(input: $input) { userErrors { code } } }",
                json!({ "input": at(&approved, json!({})) }),
            );
            assert_eq!(answer.await.code(), "NOT_PERMITTED", "{role}");
        }
        let theirs =
            tell(&world.member("coordinator", "other"), "archiveIndicator", at(&approved, json!({}))).await;
        assert_eq!(faults(&theirs), fault("NOT_FOUND", "id"));
    }
);
