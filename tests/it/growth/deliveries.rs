use api::id::Kind;
use chrono::Days;
use serde_json::Value;
use tests::{Client, both};

use super::{Costs, Watched, same};
use crate::world::*;

/// So many deliveries over the days of a year, numbered from `first`.
fn over(year: i32, first: u128, count: u128) -> Vec<Seed> {
    (first..first + count)
        .map(|n| {
            let on = day(&format!("{year}-01-01")) + Days::new((n % 360) as u64);
            let seed = Seed::new(n, n % 3 + 1, [SUPPLIES, WORKSHOP][n as usize % 2], &on.to_string(), 25);
            seed.line(Goods::Item(SOAP), 30).line(Goods::Kit(HYGIENE, 1), 25)
        })
        .collect()
}

fn documents() -> Vec<String> {
    let facility = id(Kind::Facility, 1);
    let soap = id(Kind::Item, SOAP);
    let days = "occurredOn: { from: \"2026-01-01\", to: \"2026-12-31\" }";
    let at = format!("facility: [\"{facility}\"]");
    let of = format!("item: [\"{soap}\"]");
    let stats = |by: &str, filter: &str, totals: &str| {
        format!(
            "{{ distributionStats(groupBy: [{by}], first: 100, filter: {{ {filter} }}) {{ rows {{ {totals} }} }} }}"
        )
    };
    let page = |filter: &str| {
        format!("{{ distributions(first: 20{filter}) {{ nodes {{ id occurredOn lines {{ quantity }} }} }} }}")
    };
    vec![
        stats("FACILITY, MONTH", days, "deliveries units kits contacts"),
        stats("FACILITY, MONTH", &format!("{days}, {at}"), "units"),
        stats("ITEM, MONTH", days, "deliveries units"),
        stats("KIT", &format!("{days}, {of}"), "deliveries kits"),
        stats("QUARTER", &format!("{days}, {of}"), "units"),
        page(""),
        page(&format!(", filter: {{ {at} }}")),
        page(&format!(", filter: {{ {days} }}")),
        page(&format!(", filter: {{ {days}, {at} }}")),
        page(&format!(", filter: {{ {days} }}, orderBy: {{ field: OCCURRED_ON, direction: ASC }}")),
    ]
}

both!(
    async fn deliveries_outside_a_period_are_not_read(world: &Watched) {
        world.add(&over(2026, 1, 300)).await;
        world.add(&over(2025, 301, 1_000)).await;
        let viewers: [(&str, Client); 3] = [
            ("coordinator", world.coordinator()),
            ("partner", world.partner()),
            ("field", world.member("field", "own")),
        ];
        let costs = async || {
            world.analyze().await;
            let mut costs = Costs::new();
            for (name, client) in &viewers {
                for document in documents() {
                    let cost = world.cost(client, &document, Value::Null).await;
                    costs.push((format!("{name}: {document}"), cost));
                }
            }
            costs
        };
        let before = costs().await;
        for (place, year) in (2020..2025).enumerate() {
            world.add(&over(year, 2_000 + 1_000 * place as u128, 1_000)).await;
        }
        same(&before, &costs().await);
    }
);
