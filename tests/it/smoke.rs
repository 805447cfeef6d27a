use serde_json::Value;
use tests::{DemoApp, both};

both!(
    async fn every_role_reads_what_it_may(app: &DemoApp) {
        for (role, organization) in
            [("partner", "demo-partner-network"), ("coordinator", "red-de-accion-carcelaria")]
        {
            let viewer = app.member(role, organization);
            let answer = viewer
                .query(
                    "{ viewer { role rights } distributions(first: 2) { totalCount pageInfo { endCursor hasNextPage } nodes { id occurredOn status peopleReached facility { name } program { name { text } } lines { quantity item { code } kit { code } items { quantity item { code } } } } } distributionStats(groupBy: [FACILITY, MONTH], first: 5, filter: {occurredOn: {from: \"2026-01-01\", to: \"2026-03-31\"}}) { truncated rows { facility { slug } period { start end } deliveries units kits contacts } } facilities(first: 3) { nodes { slug distributions(first: 2) { nodes { occurredOn } } } } }",
                    Value::Null,
                )
                .await;
            println!("{answer}");
            println!("{}", answer.statements());
            answer.data();
        }
    }
);
