//! From a snapshot to a file, step by step, and what is refused on the way.

use serde_json::{Value, json};
use tests::{OutcomesApp, both};

use super::{at, tell, told};
use crate::talk::{ask, fault, faults};

fn words(text: &str) -> Value {
    json!({ "original": "es", "translations": [{ "lang": "es", "text": text }] })
}

fn freeze(key: &str, year: i32, quarter: Value) -> Value {
    json!({ "idempotencyKey": key, "title": words(key), "period": { "year": year, "quarter": quarter } })
}

both!(
    async fn a_release_takes_two_people_and_its_time(app: &OutcomesApp) {
        let (coordinator, steward) = (app.member("coordinator", "la-cana"), app.member("steward", "la-cana"));
        // The third quarter ended on 30 September: 60 days have not passed.
        let early = tell(&coordinator, "freezeRelease", freeze("early", 2026, json!(3))).await;
        assert_eq!(faults(&early), fault("PERIOD_LOCKED", "period"));
        let none = tell(&coordinator, "freezeRelease", freeze("none", 2026, json!(5))).await;
        assert_eq!(faults(&none)[..1], fault("INVALID", "period"));
        // Of 2025 all was released.
        let again = tell(&coordinator, "freezeRelease", freeze("again", 2025, Value::Null)).await;
        assert_eq!(faults(&again), fault("INVALID", "period"));
        let checked = tell(
            &coordinator,
            "freezeRelease",
            crate::lifecycle::with(&freeze("check", 2026, json!(2)), json!({ "validateOnly": true })),
        )
        .await;
        assert_eq!(checked, json!({ "release": null, "userErrors": [] }));
        let frozen = told(&coordinator, "freezeRelease", freeze("second", 2026, json!(2))).await;
        assert_eq!(frozen["status"], "DRAFT");
        let repeated = told(&coordinator, "freezeRelease", freeze("second", 2026, json!(2))).await;
        assert_eq!(repeated, frozen);
        let another = tell(&coordinator, "freezeRelease", freeze("third", 2026, json!(1))).await;
        assert_eq!(faults(&another), fault("CONFLICT", "period"));

        let prepared = told(&coordinator, "prepareRelease", at(&frozen, json!({}))).await;
        assert_eq!(prepared["status"], "IN_REVIEW");
        let review = |of: &Value, decision: &str| {
            at(of, json!({ "decision": decision, "draftDigest": of["draftDigest"] }))
        };
        let unread = at(&prepared, json!({ "decision": "APPROVE", "draftDigest": "0".repeat(64) }));
        assert_eq!(faults(&tell(&steward, "reviewRelease", unread).await), fault("CONFLICT", "draftDigest"));
        let one = told(&coordinator, "reviewRelease", review(&prepared, "APPROVE")).await;
        assert_eq!(one["status"], "IN_REVIEW");
        let twice = tell(&coordinator, "reviewRelease", review(&one, "APPROVE")).await;
        assert_eq!(faults(&twice), fault("DUPLICATE", "id"));
        let unapproved = tell(&steward, "publishRelease", at(&one, json!({}))).await;
        assert_eq!(faults(&unapproved), fault("INVALID", "id"));
        // Who rejects it takes away what was approved.
        let rejected = told(&steward, "reviewRelease", review(&one, "REJECT")).await;
        assert_eq!(rejected["status"], "DRAFT");
        assert_eq!(rejected["draftDigest"], Value::Null);
        let prepared = told(&coordinator, "prepareRelease", at(&rejected, json!({}))).await;
        let one = told(&steward, "reviewRelease", review(&prepared, "APPROVE")).await;
        assert_eq!(one["status"], "IN_REVIEW", "the first approval does not count any more");
        let approved = told(&coordinator, "reviewRelease", review(&one, "APPROVE")).await;
        assert_eq!(approved["status"], "APPROVED");
        let outside = ask(&app.anonymous(), "{ releases(first: 5) { totalCount } }").await;
        assert_eq!(outside["releases"]["totalCount"], 1, "nobody outside sees it before it is published");
        let published = told(&steward, "publishRelease", at(&approved, json!({}))).await;
        assert_eq!((&published["status"], &published["number"]), (&json!("PUBLISHED"), &json!(2)));
        let chain =
            ask(&app.anonymous(), "{ releases(first: 5) { nodes { number previous { number } } } }").await;
        assert_eq!(
            chain["releases"]["nodes"],
            json!([{ "number": 2, "previous": { "number": 1 } }, { "number": 1, "previous": null }])
        );
        // A quarter holds counts only, and the year stays the newest of everything else.
        let newest = ask(&app.anonymous(), "{ outcomes(filter: { totalOnly: true }, first: 50) { nodes { indicator { code kind } release { number } } } }").await;
        for node in newest["outcomes"]["nodes"].as_array().unwrap() {
            let of_quarter = node["indicator"]["kind"] == "COUNT";
            assert_eq!(node["release"]["number"], if of_quarter { 2 } else { 1 }, "{node}");
        }
    }
);

both!(
    async fn only_those_who_may_see_a_draft(app: &OutcomesApp) {
        let (coordinator, steward) = (app.member("coordinator", "la-cana"), app.member("steward", "la-cana"));
        let frozen = told(&coordinator, "freezeRelease", freeze("quarter", 2026, json!(1))).await;
        let prepared = told(&coordinator, "prepareRelease", at(&frozen, json!({}))).await;
        let document = format!(
            "{{ release(id: {}) {{ status draftDigest preparation {{ done of }} report {{ draft questions {{ indicator outcome fresh hidden audited }} closest {{ women }} }} }} }}",
            prepared["id"]
        );
        let seen = ask(&steward, &document).await;
        assert_eq!(seen["release"]["status"], "IN_REVIEW");
        let draft: Value =
            serde_json::from_str(seen["release"]["report"]["draft"].as_str().unwrap()).unwrap();
        assert_eq!(draft["number"], 2);
        assert!(!seen["release"]["report"]["questions"].as_array().unwrap().is_empty());
        for (role, of) in [
            ("field", "la-cana"),
            ("admin", "la-cana"),
            ("auditor", "la-cana"),
            ("steward", "red-de-accion-carcelaria"),
        ] {
            let answer = ask(&app.member(role, of), &document).await;
            assert_eq!(answer["release"], Value::Null, "{role} of {of}");
        }
        for role in ["field", "admin", "auditor", "coordinator"] {
            let member = app.member(role, "la-cana");
            let answer = member.query(
                "mutation($input: EntryInput!) { publishRelease(input: $input) { userErrors { code } } }",
                json!({ "input": at(&prepared, json!({})) }),
            );
            assert_eq!(answer.await.code(), "NOT_PERMITTED", "{role}");
        }
        let gone = told(&coordinator, "discardRelease", at(&prepared, json!({}))).await;
        let stale = tell(&coordinator, "prepareRelease", at(&gone, json!({}))).await;
        assert_eq!(faults(&stale).len(), 1, "{stale}");
        let next = told(&coordinator, "freezeRelease", freeze("next", 2026, json!(1))).await;
        assert_eq!(next["status"], "DRAFT");
    }
);
