//! Cursors: a walk in pages gives the whole list, whatever comes and goes meanwhile.

use std::cmp::Ordering;

use api::id::Kind;
use entity::value::DistributionStatus;
use serde_json::{Value, json};
use tests::{Client, both};

use crate::{
    talk::{Walk, ask, column, done},
    world::*,
};

/// 40 rows with many ties: days, moments and numbers repeat, and some rows have no number.
fn seeds() -> Vec<Seed> {
    (1..=40)
        .map(|n: u128| {
            let on = format!("2026-0{}-15", n % 3 + 1);
            // Fractions of different lengths: their texts do not compare like moments.
            let at = ["2026-11-01T00:00:00Z", "2026-11-01T00:00:00.5Z", "2026-11-01T00:00:00.500100Z"];
            let seed = Seed::new(n, n % 3 + 1, n % 2 + 1, &on, [10, 25, 25, 400][n as usize % 4])
                .recorded_at(at[n as usize % 3]);
            if n.is_multiple_of(5) { seed.status(DistributionStatus::Planned) } else { seed }
        })
        .collect()
}

/// The number that staff read of a row.
fn people(seed: &Seed) -> Option<i32> {
    (seed.row.status != DistributionStatus::Planned).then_some(seed.row.people_reached)
}

/// Rows sorted as the list should be.
fn sorted<K: Ord>(seeds: &[Seed], descending: bool, key: impl Fn(&Seed) -> Option<K>) -> Vec<String> {
    let mut seeds: Vec<&Seed> = seeds.iter().collect();
    seeds.sort_by(|a, b| match (key(a), key(b)) {
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (a_key, b_key) => {
            let order = (a_key, a.row.id).cmp(&(b_key, b.row.id));
            if descending { order.reverse() } else { order }
        }
    });
    seeds.iter().map(|seed| seed.id()).collect()
}

/// Every offered order, and the whole list in it.
fn orders(seeds: &[Seed]) -> Vec<(String, Vec<String>)> {
    let mut orders = Vec::new();
    for descending in [false, true] {
        let direction = if descending { "DESC" } else { "ASC" };
        let by = |field| format!("orderBy: {{ field: {field}, direction: {direction} }}");
        orders.push((by("OCCURRED_ON"), sorted(seeds, descending, |seed| Some(seed.row.occurred_on))));
        orders.push((by("RECORDED_AT"), sorted(seeds, descending, |seed| Some(seed.row.recorded_at))));
        orders.push((by("PEOPLE_REACHED"), sorted(seeds, descending, people)));
    }
    orders.push((String::new(), sorted(seeds, true, |seed| Some(seed.row.occurred_on))));
    orders
}

fn walk<'a>(client: &'a Client, arguments: &'a str, size: usize, backwards: bool) -> Walk<'a> {
    Walk { client, frame: "{ LIST }", field: "distributions", arguments, size, backwards }
}

both!(
    async fn walks_in_pages_give_the_whole_list_in_every_order(world: &World) {
        let seeds = seeds();
        world.add(&seeds).await;
        let client = world.coordinator();
        for (arguments, expected) in orders(&seeds) {
            for size in [1, 3, 7] {
                for backwards in [false, true] {
                    let found = walk(&client, &arguments, size, backwards).all().await;
                    assert_eq!(found, expected, "{arguments}, {size} at a time, backwards: {backwards}");
                }
            }
        }
    }
);

both!(
    async fn rows_that_come_and_go_neither_repeat_nor_hide_others(world: &World) {
        let seeds = seeds();
        world.add(&seeds).await;
        let client = world.coordinator();
        let mut next = 100;
        let mut victims = seeds.iter().filter(|seed| people(seed).is_some());
        for (arguments, expected) in orders(&seeds) {
            for backwards in [false, true] {
                let before: Vec<String> = expected.clone();
                let walk = walk(&client, &arguments, 7, backwards);
                let found = walk
                    .with(async |number| {
                        // Otherwise the list would grow as fast as it is walked.
                        if number > 4 {
                            return;
                        }
                        // One row on each side of wherever the walk is, and one that is void.
                        let new = ["2025-12-31", "2026-02-15", "2026-04-01"].map(|on| {
                            next += 1;
                            Seed::new(next, 1, 1, on, 25).recorded_at("2026-11-01T00:00:00.25Z")
                        });
                        world.add(&new).await;
                        if let Some(victim) = victims.next() {
                            let input =
                                json!({ "id": victim.id(), "expectedVersion": 1, "reason": "ENTRY_ERROR" });
                            done(&client, "voidDistribution", "distribution", "status", &input).await;
                        }
                    })
                    .await;
                let there: Vec<&String> = found.iter().filter(|id| before.contains(id)).collect();
                assert_eq!(there, before.iter().collect::<Vec<_>>(), "{arguments}, backwards: {backwards}");
                let mut once = found.clone();
                once.sort();
                once.dedup();
                assert_eq!(once.len(), found.len(), "a row came twice");
            }
        }
        // A void row is still in the list, as what it is.
        let data = ask(
            &client,
            "{ distributions(first: 1, filter: { status: [VOIDED] }) { nodes { voided { reason note } } } }",
        )
        .await;
        assert_eq!(
            data["distributions"]["nodes"][0]["voided"],
            json!({ "reason": "ENTRY_ERROR", "note": null })
        );
    }
);

both!(
    async fn outsiders_walk_over_what_a_correction_hid_as_over_nulls(world: &World) {
        // Numbers below ten can only come from corrections; they sort as if there were none.
        let mut seeds = seeds();
        for seed in seeds.iter_mut().filter(|seed| seed.row.people_reached == 25).step_by(2) {
            seed.row.people_reached = seed.row.occurred_on.to_string().len() as i32 - 1;
        }
        world.add(&seeds).await;
        let hidden = Seed::new(90, 1, 1, "2026-02-15", 30).records();
        world.add(&[hidden]).await;
        let known = |seed: &Seed| people(seed).filter(|people| *people >= 10);
        for descending in [false, true] {
            let direction = if descending { "DESC" } else { "ASC" };
            let arguments = format!("orderBy: {{ field: PEOPLE_REACHED, direction: {direction} }}");
            for size in [1, 3, 7] {
                for backwards in [false, true] {
                    let found = walk(&world.partner(), &arguments, size, backwards).all().await;
                    assert_eq!(found, sorted(&seeds, descending, known));
                }
            }
        }
        let data = ask(
            &world.partner(),
            "{ distributions(first: 100) { totalCount nodes { peopleReached reachMethod } } }",
        )
        .await;
        let nodes = data["distributions"]["nodes"].as_array().unwrap();
        let nulls = seeds.iter().filter(|seed| known(seed).is_none()).count();
        assert_eq!(nodes.iter().filter(|node| node["peopleReached"].is_null()).count(), nulls);
        assert!(nodes.iter().all(|node| node["peopleReached"].is_null() == node["reachMethod"].is_null()));
        assert_eq!(data["distributions"]["totalCount"], json!(40));
    }
);

both!(
    async fn lists_in_memory_are_walked_alike(world: &World) {
        for n in 0..12 {
            let input = json!({ "idempotencyKey": format!("{n}"), "code": format!("I{n:02}"),
                "name": words(["Ábaco", "abaco", "Zeta"][n % 3]), "unit": "piece", "sensitivity": "GENERAL" });
            done(&world.coordinator(), "createItem", "item", "id", &input).await;
        }
        let fields = [
            ("organizations", &["NAME", "ACTIVE_SINCE"][..]),
            ("facilities", &["NAME", "REGION"]),
            ("programs", &["NAME", "STARTS_ON", "ENDS_ON"]),
            ("items", &["CODE", "NAME"]),
            ("kits", &[]),
            ("agreements", &[]),
        ];
        let client = world.coordinator();
        for (field, orders) in fields {
            let mut arguments = vec![String::new()];
            for order in orders {
                for direction in ["ASC", "DESC"] {
                    arguments.push(format!("orderBy: {{ field: {order}, direction: {direction} }}"));
                }
            }
            for arguments in arguments {
                let walk = |size, backwards| Walk {
                    client: &client,
                    frame: "{ LIST }",
                    field,
                    arguments: &arguments,
                    size,
                    backwards,
                };
                let whole = walk(100, false).all().await;
                let total =
                    ask(&client, &format!("{{ {field}(first: 0) {{ totalCount nodes {{ id }} }} }}")).await;
                assert_eq!(total[field]["totalCount"], json!(whole.len()));
                for size in [1, 3, 7] {
                    assert_eq!(walk(size, false).all().await, whole, "{field} {arguments}");
                    assert_eq!(walk(size, true).all().await, whole, "{field} {arguments}");
                }
            }
        }
        // Rows without a value come last in both directions, and the others are sorted by it.
        for (direction, slugs) in [
            ("ASC", ["own", "other", "ally", "giver", "giver2", "stranger"]),
            ("DESC", ["giver2", "giver", "ally", "other", "own", "stranger"]),
        ] {
            let list = format!(
                "{{ organizations(first: 9, orderBy: {{ field: ACTIVE_SINCE, direction: {direction} }}) {{ nodes {{ slug }} }} }}"
            );
            assert_eq!(column(&ask(&client, &list).await["organizations"]["nodes"], "slug"), slugs);
        }
    }
);

both!(
    async fn a_cursor_opens_in_its_own_list_only(world: &World) {
        world.add(&seeds()).await;
        let client = world.coordinator();
        let document = "{ distributions(first: 3) { pageInfo { endCursor } } facilities(first: 1) { pageInfo { endCursor } } }";
        let data = ask(&client, document).await;
        let cursor = data["distributions"]["pageInfo"]["endCursor"].as_str().unwrap();
        let facility = data["facilities"]["pageInfo"]["endCursor"].as_str().unwrap();
        let fine = format!("{{ distributions(first: 3, after: \"{cursor}\") {{ nodes {{ id }} }} }}");
        ask(&client, &fine).await;
        let own_facility = id(Kind::Facility, 1);
        let elsewhere = [
            "{ distributions(first: 3, after: CURSOR, orderBy: { field: OCCURRED_ON, direction: ASC }) { nodes { id } } }".to_owned(),
            "{ distributions(first: 3, after: CURSOR, orderBy: { field: RECORDED_AT, direction: DESC }) { nodes { id } } }".to_owned(),
            "{ distributions(last: 3, before: CURSOR, filter: { status: [DELIVERED] }) { nodes { id } } }".to_owned(),
            "{ facility(slug: \"neza\") { distributions(first: 3, after: CURSOR) { nodes { id } } } }".to_owned(),
            format!("{{ distributions(first: 3, after: CURSOR, filter: {{ facility: [\"{own_facility}\"] }}) {{ nodes {{ id }} }} }}"),
            "{ facilities(first: 3, after: CURSOR) { nodes { id } } }".to_owned(),
        ];
        for document in elsewhere {
            let document = document.replace("CURSOR", &format!("\"{cursor}\""));
            let answer = client.query(&document, Value::Null).await;
            assert_eq!(answer.code(), "BAD_CURSOR", "{document}: {answer}");
        }
        for viewer in
            [world.member("coordinator2", "own"), world.partner(), world.member("coordinator", "other")]
        {
            assert_eq!(viewer.query(&fine, Value::Null).await.code(), "BAD_CURSOR");
        }
        let of_public = format!("{{ facilities(first: 1, after: \"{facility}\") {{ nodes {{ id }} }} }}");
        assert_eq!(world.anonymous().query(&of_public, Value::Null).await.code(), "BAD_CURSOR");
        let others =
            "{ organizations(first: 1, after: CURSOR) { nodes { id } } programs(first: 1) { nodes { id } } }";
        let answer = client.query(&others.replace("CURSOR", &format!("\"{facility}\"")), Value::Null).await;
        assert_eq!(answer.code(), "BAD_CURSOR");
        // Lists of one kind under two parents.
        let nested = "{ facility(slug: \"neza\") { programs(first: 1) { pageInfo { endCursor } } distributions(first: 1) { pageInfo { endCursor } } } }";
        let nested = ask(&client, nested).await["facility"].clone();
        for list in ["programs", "distributions"] {
            let cursor = &nested[list]["pageInfo"]["endCursor"];
            let other = format!(
                "{{ facility(slug: \"ecatepec\") {{ {list}(first: 1, after: {cursor}) {{ nodes {{ id }} }} }} }}"
            );
            assert_eq!(client.query(&other, Value::Null).await.code(), "BAD_CURSOR", "{list}");
        }
        for nonsense in ["", "a", "ñ", "AAAA", &"A".repeat(2_000), &cursor[1..], &format!("{cursor}A")] {
            let variables = json!({ "after": nonsense });
            let document =
                "query($after: String) { distributions(first: 1, after: $after) { nodes { id } } }";
            assert_eq!(client.query(document, variables).await.code(), "BAD_CURSOR", "{nonsense}");
        }
    }
);

both!(
    async fn pages_are_asked_for_one_way_at_a_time(world: &World) {
        let client = world.coordinator();
        for arguments in ["first: 1, last: 1", "first: -1", "last: 101", "first: 101", "last: -5"] {
            for list in ["distributions", "facilities", "items", "awards"] {
                let document = format!("{{ {list}({arguments}) {{ nodes {{ id }} }} }}");
                assert_eq!(client.query(&document, Value::Null).await.code(), "BAD_USER_INPUT", "{document}");
            }
        }
        let answer = client.query("{ distributions { nodes { id } } }", Value::Null).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT");
        world.add(&seeds()).await;
        let data = ask(&client, "{ distributions(first: 0) { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }").await;
        let info =
            json!({ "hasNextPage": true, "hasPreviousPage": false, "startCursor": null, "endCursor": null });
        assert_eq!(data["distributions"], json!({ "totalCount": 40, "nodes": [], "pageInfo": info }));
        // Between two cursors.
        let data = ask(&client, "{ distributions(first: 10) { edges { cursor node { id } } } }").await;
        let edges = data["distributions"]["edges"].as_array().unwrap();
        let (after, before) = (&edges[2]["cursor"], &edges[7]["cursor"]);
        let data = ask(
            &client,
            &format!("{{ distributions(last: 3, after: {after}, before: {before}) {{ nodes {{ id }} }} }}"),
        )
        .await;
        let expected: Vec<String> =
            edges[4..7].iter().map(|edge| edge["node"]["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(column(&data["distributions"]["nodes"], "id"), expected);
    }
);
