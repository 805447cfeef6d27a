//! How many statements an answer takes: as many for one row as for a hundred.

use std::cmp::Reverse;

use api::id::Kind;
use serde_json::{Value, json};
use tests::{Client, both};

use crate::{
    talk::{ask, column},
    world::*,
};

/// How many statements a document takes once the reference tables are in memory.
async fn statements(client: &Client, document: &str) -> u64 {
    ask(client, "{ __typename }").await;
    let answer = client.query(document, Value::Null).await;
    answer.data();
    answer.statements()
}

both!(
    async fn the_total_costs_a_statement_only_when_selected(world: &World) {
        world.add(&some()).await;
        let client = world.coordinator();
        let without = statements(&client, "{ distributions(first: 5) { nodes { id } } }").await;
        let facility = id(Kind::Facility, 2);
        let with = format!(
            "{{ distributions(first: 5, filter: {{ facility: [\"{facility}\"] }}) {{ nodes {{ id }} totalCount }} }}"
        );
        let answer = client.query(&with, Value::Null).await;
        let expected = some().iter().filter(|seed| seed.row.facility_id == uuid(Kind::Facility, 2)).count();
        assert_eq!(answer.data()["distributions"]["totalCount"], json!(expected));
        assert_eq!(answer.statements(), without + 1);
    }
);

both!(
    async fn statements_do_not_grow_with_rows_or_parents(world: &World) {
        // 100 facilities with three deliveries each.
        let site = |n: u128| entity::facility::Model {
            id: uuid(Kind::Facility, 1_000 + n),
            organization_id: uuid(Kind::Organization, OWN),
            slug: format!("site-{n:03}"),
            name: format!("Site {n:03}"),
            aliases: entity::value::Names(vec![]),
            country: "MX".to_owned(),
            region_iso: "MX-MEX".to_owned(),
            municipality: None,
            kind: entity::value::FacilityKind::Other,
            version: 1,
            recorded_at: moment("2020-01-01T00:00:00Z"),
            published_at: Some(moment("2020-01-01T00:00:00Z")),
            archived_at: None,
            hidden_at: None,
            hidden_before: None,
        };
        world.insert::<entity::facility::Entity>((0..100).map(site).collect()).await;
        let seeds: Vec<Seed> = (0..300)
            .map(|n: u128| {
                let on = format!("2026-0{}-15", n % 3 + 1);
                Seed::new(1_000 + n, 1_000 + n / 3, SUPPLIES, &on, 25)
                    .line(Goods::Item(SOAP), 30)
                    .line(Goods::Kit(HYGIENE, 2), 30)
            })
            .collect();
        world.add(&seeds).await;
        for client in [world.coordinator(), world.partner()] {
            let counted = async |first: usize| {
                let order = "orderBy: { field: NAME, direction: DESC }";
                let nested = format!(
                    "{{ facilities(first: {first}, {order}) {{ nodes {{ slug distributions(first: 2) {{ totalCount nodes {{ id occurredOn program {{ name {{ text }} }} lines {{ quantity item {{ code }} items {{ quantity item {{ name {{ text }} }} }} }} }} }} }} }} }}"
                );
                let page = format!(
                    "{{ distributions(first: {first}) {{ nodes {{ id facility {{ name }} program {{ slug }} lines {{ quantity kit {{ code }} items {{ quantity }} }} }} }} }}"
                );
                let deep = format!(
                    "{{ facilities(first: {first}, {order}) {{ nodes {{ programs(first: 5) {{ nodes {{ slug distributions(first: 3) {{ nodes {{ id lines {{ quantity }} }} }} }} }} }} }} }}"
                );
                let mut counts = Vec::new();
                for document in [nested, page, deep] {
                    counts.push(statements(&client, &document).await);
                }
                counts
            };
            assert_eq!(counted(10).await, counted(100).await);
            // Each parent has its own newest rows.
            let data = ask(&client, "{ facilities(first: 100, filter: { kind: [OTHER] }) { nodes { id distributions(first: 2) { totalCount nodes { id occurredOn } pageInfo { hasNextPage } } } } }").await;
            let nodes = data["facilities"]["nodes"].as_array().unwrap();
            assert_eq!(nodes.len(), 100);
            for node in nodes {
                let mut own: Vec<&Seed> = seeds
                    .iter()
                    .filter(|seed| node["id"] == json!(api::id::text(Kind::Facility, seed.row.facility_id)))
                    .collect();
                own.sort_by_key(|seed| Reverse((seed.row.occurred_on, seed.row.id)));
                let newest: Vec<String> = own.iter().take(2).map(|seed| seed.id()).collect();
                assert_eq!(column(&node["distributions"]["nodes"], "id"), newest);
                assert_eq!(node["distributions"]["totalCount"], json!(3));
                assert_eq!(node["distributions"]["pageInfo"]["hasNextPage"], json!(true));
            }
            // The oldest ones, from the end, and by a nullable key.
            let data = ask(&client, "{ facilities(first: 100, filter: { kind: [OTHER] }) { nodes { id a: distributions(last: 1) { nodes { id } } b: distributions(first: 1, orderBy: { field: PEOPLE_REACHED, direction: ASC }) { nodes { id } } c: distributions(last: 1, orderBy: { field: PEOPLE_REACHED, direction: DESC }) { nodes { id } } } } }").await;
            for node in data["facilities"]["nodes"].as_array().unwrap() {
                let own = seeds
                    .iter()
                    .filter(|seed| node["id"] == json!(api::id::text(Kind::Facility, seed.row.facility_id)));
                let oldest = own.clone().min_by_key(|seed| (seed.row.occurred_on, seed.row.id)).unwrap();
                let least = own.min_by_key(|seed| seed.row.id).unwrap();
                assert_eq!(column(&node["a"]["nodes"], "id"), [oldest.id()]);
                assert_eq!(column(&node["b"]["nodes"], "id"), [least.id()]);
                assert_eq!(column(&node["c"]["nodes"], "id"), [least.id()]);
            }
        }
    }
);

both!(
    async fn many_lookups_by_id_are_one(world: &World) {
        let seeds: Vec<Seed> =
            some().into_iter().map(|seed| seed.line(Goods::Item(SOAP), 20)).take(10).collect();
        world.add(&seeds).await;
        for client in [world.coordinator(), world.partner()] {
            let one = format!("{{ distribution(id: \"{}\") {{ id lines {{ quantity }} }} }}", seeds[0].id());
            let fields = |field: &str| {
                seeds.iter().enumerate().fold(String::new(), |text, (n, seed)| {
                    format!("{text} a{n}: {field}(id: \"{}\") {{ id ... on Distribution {{ lines {{ quantity }} }} }}", seed.id())
                })
            };
            let one = statements(&client, &one).await;
            for field in ["distribution", "node"] {
                let answer = client.query(&format!("{{ {} }}", fields(field)), Value::Null).await;
                for (n, seed) in seeds.iter().enumerate() {
                    assert_eq!(
                        answer.data()[format!("a{n}")],
                        json!({ "id": seed.id(), "lines": [{ "quantity": 20 }] })
                    );
                }
                assert_eq!(answer.statements(), one, "{field}");
            }
            let ids: Vec<String> = seeds.iter().map(Seed::id).collect();
            let answer = client.query("query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Distribution { lines { quantity } } } }", json!({ "ids": ids })).await;
            assert_eq!(column(&answer.data()["nodes"], "id"), ids);
            assert_eq!(answer.statements(), one);
        }
    }
);

fn some() -> Vec<Seed> {
    (1..=20).map(|n| Seed::new(n, n % 3 + 1, SUPPLIES, "2026-02-02", 20)).collect()
}
