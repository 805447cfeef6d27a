//! Filters of deliveries.

use api::id::Kind;
use entity::value::DistributionStatus;
use serde_json::{Value, json};
use tests::both;

use crate::{
    talk::{ask, column},
    world::*,
};

both!(
    async fn every_member_narrows_the_list(world: &World) {
        let seeds = [
            Seed::new(1, 1, SUPPLIES, "2026-01-01", 20)
                .line(Goods::Item(SOAP), 20)
                .recorded_at("2026-11-01T00:00:00Z"),
            Seed::new(2, 2, SUPPLIES, "2026-01-31", 20)
                .line(Goods::Kit(HYGIENE, 1), 20)
                .recorded_at("2026-11-01T00:00:00.000001Z"),
            Seed::new(3, 3, WORKSHOP, "2026-02-01", 20)
                .line(Goods::Kit(HYGIENE, 2), 20)
                .recorded_at("2026-11-02T00:00:00Z"),
            Seed::new(4, 3, WORKSHOP, "2026-02-28", 20)
                .status(DistributionStatus::Verified)
                .line(Goods::Item(PADS), 20)
                .line(Goods::Kit(BATH, 1), 20)
                .recorded_at("2026-11-03T00:00:00Z"),
            Seed::new(5, 1, MATERNITY, "2026-03-01", 3)
                .records()
                .line(Goods::Kit(MATERNAL, 1), 3)
                .recorded_at("2026-11-04T00:00:00Z"),
        ];
        world.add(&seeds).await;
        let f = |n: u128| id(Kind::Facility, n);
        let cases: Vec<(Value, &[usize])> = vec![
            (json!({}), &[1, 2, 3, 4, 5]),
            (json!(null), &[1, 2, 3, 4, 5]),
            (json!({ "facility": null, "status": null }), &[1, 2, 3, 4, 5]),
            (json!({ "organization": [id(Kind::Organization, OWN)] }), &[1, 2, 3, 4, 5]),
            (json!({ "organization": [id(Kind::Organization, OTHER)] }), &[]),
            (json!({ "facility": [f(1)] }), &[1, 5]),
            (json!({ "facility": [f(1), f(2), f(2), f(99)] }), &[1, 2, 5]),
            (json!({ "facility": f(2) }), &[2]),
            (json!({ "program": [id(Kind::Program, WORKSHOP)] }), &[3, 4]),
            (json!({ "item": [id(Kind::Item, SOAP)] }), &[1, 2, 3, 4]),
            // A book is in the second version of the kit only.
            (json!({ "item": [id(Kind::Item, BOOK)] }), &[3]),
            (json!({ "item": [id(Kind::Item, PADS)] }), &[2, 3, 4]),
            (json!({ "item": [id(Kind::Item, TOWEL)] }), &[]),
            (json!({ "item": [id(Kind::Item, TOWEL), id(Kind::Item, FORMULA)] }), &[5]),
            (json!({ "kit": [id(Kind::Kit, HYGIENE)] }), &[2, 3]),
            (json!({ "kit": [id(Kind::Kit, BATH)], "item": [id(Kind::Item, PADS)] }), &[4]),
            (json!({ "region": ["MX-MEX"] }), &[1, 2, 5]),
            (json!({ "region": ["MX-CMX", "XX"] }), &[3, 4]),
            (json!({ "region": ["MX-MEX"], "facility": [f(3)] }), &[]),
            (json!({ "status": ["VERIFIED"] }), &[4]),
            (json!({ "status": ["DELIVERED", "VERIFIED"] }), &[1, 2, 3, 4, 5]),
            (json!({ "occurredOn": { "from": "2026-01-31", "to": "2026-02-28" } }), &[2, 3, 4]),
            (json!({ "occurredOn": { "from": "2026-02-28" } }), &[4, 5]),
            (json!({ "occurredOn": { "to": "2026-01-01" } }), &[1]),
            (json!({ "occurredOn": {} }), &[1, 2, 3, 4, 5]),
            (json!({ "occurredOn": { "from": "2026-03-02", "to": "2026-01-01" } }), &[]),
            (
                json!({ "recordedAt": { "from": "2026-11-01T00:00:00.000001Z", "to": "2026-11-03T00:00:00Z" } }),
                &[2, 3],
            ),
            (json!({ "recordedAt": { "to": "2026-11-01T00:00:00.000001Z" } }), &[1]),
            (json!({ "recordedAt": { "from": "2026-11-02T18:00:00-06:00" } }), &[4, 5]),
        ];
        let document = "query($filter: DistributionFilter) { distributions(first: 9, filter: $filter, \
            orderBy: { field: OCCURRED_ON, direction: ASC }) { totalCount nodes { id } } }";
        for (client, outside) in [(world.coordinator(), false), (world.partner(), true)] {
            for (filter, expected) in &cases {
                let answer = client.query(document, json!({ "filter": filter })).await;
                let list = &answer.data()["distributions"];
                let expected: Vec<String> =
                    expected.iter().filter(|n| !outside || **n != 5).map(|n| seeds[n - 1].id()).collect();
                assert_eq!(column(&list["nodes"], "id"), expected, "{filter}");
                assert_eq!(list["totalCount"], json!(expected.len()), "{filter}");
            }
            // An empty list, and an id of another type, match nothing.
            for member in ["organization", "facility", "program", "item", "kit", "region", "status"] {
                let mut filters = vec![json!({ member: [] })];
                if member != "region" && member != "status" {
                    filters.push(json!({ member: [id(Kind::Claim, 1)] }));
                }
                for filter in filters {
                    let answer = client.query(document, json!({ "filter": filter })).await;
                    assert_eq!(
                        answer.data()["distributions"],
                        json!({ "totalCount": 0, "nodes": [] }),
                        "{filter}"
                    );
                }
            }
            for filter in [json!({ "facility": ["nonsense"] }), json!({ "item": [""] })] {
                let answer = client.query(document, json!({ "filter": filter })).await;
                assert_eq!(answer.code(), "BAD_USER_INPUT", "{filter}");
            }
        }
        // Nested lists take the same filter beside their parent.
        let nested = format!(
            "{{ facility(slug: \"santa-martha\") {{ distributions(first: 9, filter: {{ status: [VERIFIED] }}) {{ totalCount nodes {{ id }} }} other: distributions(first: 9, filter: {{ facility: [\"{}\"] }}) {{ totalCount }} }} }}",
            f(1)
        );
        let data = ask(&world.partner(), &nested).await["facility"].clone();
        assert_eq!(data["distributions"], json!({ "totalCount": 1, "nodes": [{ "id": seeds[3].id() }] }));
        assert_eq!(data["other"]["totalCount"], json!(0));
        assert_eq!(ask(&world.coordinator(), "{ distributions(first: 1) { nodes { facility { name } program { slug } organization { slug } voided { at } } } }").await["distributions"]["nodes"][0]["organization"]["slug"], json!("own"));
    }
);
