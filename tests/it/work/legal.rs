//! Legal matters.

use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::talk::{act, fault, faults};

both!(
    async fn a_legal_matter_goes_on_to_its_outcome(world: &World) {
        women(world).await;
        let client = staff(world, "coordinator");
        let selection = "id version stage outcome openedOn participantCode";
        let input = keyed("m", json!({ "participant": w(4), "openedOn": "2026-10-01" }));
        let made = done(&client, "openLegalMatter", "legalMatter", selection, &input).await;
        assert_eq!((&made["stage"], &made["outcome"]), (&json!("OPENED"), &json!("PENDING")));
        let step = async |version: i32, stage: &str, outcome: &str| {
            let input =
                json!({ "id": made["id"], "expectedVersion": version, "stage": stage, "outcome": outcome });
            act(&client, "changeLegalMatter", "legalMatter", selection, &input).await
        };
        assert_eq!(faults(&step(1, "HEARING", "RELEASED").await), fault("INVALID", "outcome"));
        assert_eq!(step(1, "HEARING", "PENDING").await["legalMatter"]["version"], json!(2));
        assert_eq!(step(2, "CLOSED", "RELEASED").await["legalMatter"]["outcome"], json!("RELEASED"));
        assert_eq!(faults(&step(2, "APPEAL", "PENDING").await), fault("CONFLICT", "expectedVersion"));
        assert_eq!(faults(&step(3, "APPEAL", "PENDING").await), fault("INVALID", "id"));
        for (stages, count) in [("[CLOSED]", 1), ("[OPENED, APPEAL]", 0)] {
            let list =
                format!("{{ legalMatters(first: 9, filter: {{ stage: {stages} }}) {{ nodes {{ id }} }} }}");
            let found = crate::talk::ask(&client, &list).await["legalMatters"]["nodes"].clone();
            assert_eq!(found.as_array().unwrap().len(), count, "{stages}");
        }
        // Others learn nothing of it.
        let node = format!("{{ node(id: {}) {{ id }} }}", made["id"]);
        for role in ["field", "steward", "admin", "auditor"] {
            let found = staff(world, role).query(&node, Value::Null).await;
            assert_eq!(found.data()["node"], Value::Null, "{role}");
        }
    }
);
