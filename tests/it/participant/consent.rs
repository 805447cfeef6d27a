//! Consent: added, never changed, and read by whoever counts.

use api::store::participant::consent::consenting;
use entity::value::ConsentPurpose;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::talk::{act, fault, faults};

fn decision(made: &Value, key: &str, purpose: &str, decision: &str, on: &str) -> Value {
    json!({ "idempotencyKey": key, "participant": made["id"], "purpose": purpose, "decision": decision,
        "noticeVersion": "2026-1", "language": "es", "method": "ORAL_WITNESSED", "decidedOn": on })
}

/// How many women may be counted.
async fn counted(world: &World, on: &str) -> usize {
    let db = world.database.connect().await;
    let own = uuid(Kind::Organization, OWN);
    let rows = db.query_all(&consenting(own, ConsentPurpose::Statistics, day(on))).await.unwrap();
    db.close().await.unwrap();
    rows.len()
}

both!(
    async fn the_latest_decision_holds_and_no_row_is_ever_changed(world: &World) {
        let client = coordinator(world);
        let made = registered(&client, "one", "Ana", "Soto", json!({})).await;
        registered(&client, "two", "Eva", "Luna", json!({})).await;
        let withdrawn = decision(&made, "w", "STATISTICS", "WITHDRAWN", "2026-11-03");
        let refused = act(&client, "recordConsent", "participant", "id", &withdrawn).await;
        assert_eq!(faults(&refused), fault("INVALID", "decision"));
        // Who was never asked is not counted.
        assert_eq!(counted(world, "2026-11-20").await, 0);
        let given = decision(&made, "g", "STATISTICS", "GIVEN", "2026-11-01");
        done(&client, "recordConsent", "participant", "id", &given).await;
        done(&client, "recordConsent", "participant", "id", &given).await;
        done(
            &client,
            "recordConsent",
            "participant",
            "id",
            &decision(&made, "t", "TESTIMONY", "REFUSED", "2026-11-02"),
        )
        .await;
        let told = done(&client, "recordConsent", "participant", RECORD, &withdrawn).await;
        let said = told["consents"].as_array().unwrap();
        let said: Vec<_> =
            said.iter().map(|row| (row["purpose"].as_str(), row["decision"].as_str())).collect();
        assert_eq!(
            said,
            [
                (Some("STATISTICS"), Some("GIVEN")),
                (Some("TESTIMONY"), Some("REFUSED")),
                (Some("STATISTICS"), Some("WITHDRAWN")),
            ]
        );
        for (on, count) in [("2026-10-31", 0), ("2026-11-01", 1), ("2026-11-02", 1), ("2026-11-03", 0)] {
            assert_eq!(counted(world, on).await, count, "{on}");
        }
        // A refusal changes nothing else: the record reads as before.
        assert_eq!(told["identity"], made["identity"]);
        assert_eq!(told["version"], made["version"]);
        let changed = world.try_sql("UPDATE consent SET decision = 'GIVEN'").await;
        assert!(changed.unwrap_err().contains("consent is never changed"));
        // At facilities where she is, field workers record what she says; administrators never.
        done(
            &field(world),
            "recordConsent",
            "participant",
            "id",
            &decision(&made, "f", "FOLLOW_UP", "GIVEN", "2026-11-04"),
        )
        .await;
        let admin = world.member("admin", "own").purpose("SERVICE");
        let answer = admin
            .query(&crate::talk::mutation("recordConsent", "participant", "id"), json!({ "input": given }))
            .await;
        assert_eq!(refusal(&answer), "NOT_PERMITTED");
    }
);
