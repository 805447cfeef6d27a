//! A release that is taken back is gone from everything that outsiders read, on every server, and stays known to the audit.

use serde_json::{Value, json};
use tests::{Client, OutcomesApp, both};

use super::{at, tell, told};
use crate::talk::{ask, fault, faults};

both!(
    async fn a_retracted_release_is_gone_at_once(app: &OutcomesApp) {
        let second = app.second().await;
        let there = Client::anonymous(format!("http://{}", second.address));
        let steward = app.member("steward", "la-cana");
        let shown = ask(
            &steward,
            "{ releases(first: 1) { nodes { id version digest outcomes(first: 1) { nodes { id } } } } }",
        )
        .await;
        let release = shown["releases"]["nodes"][0].clone();
        let digest = release["digest"].as_str().unwrap();
        let cell = release["outcomes"]["nodes"][0]["id"].as_str().unwrap();
        there.request("GET", &format!("/releases/{digest}.json")).send().await.expect_status(200);
        let coordinator = app.member("coordinator", "la-cana");
        let refused = coordinator.query(
            "mutation($input: RetractReleaseInput!) { retractRelease(input: $input) { userErrors { code } } }",
            json!({ "input": at(&release, json!({ "reason": "Error" })) }),
        );
        assert_eq!(refused.await.code(), "NOT_PERMITTED");
        let empty = tell(&steward, "retractRelease", at(&release, json!({ "reason": " " }))).await;
        assert_eq!(faults(&empty).len(), 1, "{empty}");
        told(&steward, "retractRelease", at(&release, json!({ "reason": "Se publicó con un error." }))).await;
        for client in [app.anonymous(), there, app.member("donor", "demo-donor-craft")] {
            client.request("GET", &format!("/releases/{digest}.json")).send().await.expect_status(410);
            let after = ask(
                &client,
                &format!(
                    "{{ impact(organization: \"la-cana\") {{ release {{ id }} headline {{ id }} sections {{ outcomes {{ id }} }} }} \
                     outcomes(filter: {{}}, first: 5) {{ totalCount }} indicators(first: 5) {{ totalCount }} \
                     releases(first: 5) {{ nodes {{ status outcomes(first: 5) {{ totalCount }} }} }} node(id: \"{cell}\") {{ id }} }}"
                ),
            )
            .await;
            assert_eq!(after["impact"]["release"], Value::Null);
            assert_eq!(after["impact"]["headline"], json!([]));
            assert_eq!(after["outcomes"]["totalCount"], 0);
            assert_eq!(after["indicators"]["totalCount"], 0);
            assert_eq!(after["node"], Value::Null);
            assert_eq!(
                after["releases"]["nodes"],
                json!([{ "status": "RETRACTED", "outcomes": { "totalCount": 0 } }])
            );
        }
        // What it taught is known: its period is not released a second time as if nothing had been said.
        let input = json!({ "idempotencyKey": "again", "title": { "original": "es", "translations": [{ "lang": "es", "text": "Otra vez" }] },
            "period": { "year": 2025 } });
        assert_eq!(faults(&tell(&coordinator, "freezeRelease", input).await), fault("INVALID", "period"));
        second.stop().await;
    }
);
