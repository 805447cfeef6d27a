//! Alliance agreements: what they open, to whom, and from when to when.

use std::collections::BTreeSet;

use api::id::Kind;
use serde_json::{Value, json};
use tests::{Client, both};

use crate::{
    lifecycle::{Entry, with},
    talk::{Walk, act, ask, column, done, fault, faults},
    world::*,
};

fn input() -> Value {
    json!({ "title": "Convenio", "partners": [id(Kind::Organization, STRANGER)], "startsOn": "2026-01-01",
        "endsOn": "2026-12-31", "timeZone": "America/Santiago", "facilities": [id(Kind::Facility, 1)],
        "programs": [id(Kind::Program, SUPPLIES), id(Kind::Program, MATERNITY)], "shares": ["DISTRIBUTIONS"] })
}

both!(
    async fn lives(world: &World) {
        let entry = Entry {
            name: "Agreement",
            create: input(),
            other: with(&input(), json!({ "title": "Otro" })),
            update: json!({ "endsOn": null, "facilities": null, "shares": ["STOCK"] }),
            selection: "title endsOn startsOn facilities { slug } programs { slug } shares active partners { slug }",
            updated: json!({ "title": "Convenio", "endsOn": null, "facilities": null, "shares": ["STOCK"], "active": true,
                "partners": [{ "slug": "stranger" }] }),
            publishes: false,
            steward_publishes: false,
            role: "admin",
            role_name: "ADMIN",
            account: 5,
            without_right: &["field", "coordinator", "steward", "auditor"],
        };
        entry.live(world).await;
    }
);

both!(
    async fn what_is_wrong_is_said_at_its_field(world: &World) {
        let before = world.counts().await;
        for (change, code, field) in [
            (json!({ "timeZone": "America/Nowhere" }), "INVALID", "timeZone"),
            (json!({ "endsOn": "2025-12-31" }), "OUT_OF_RANGE", "endsOn"),
            (json!({ "partners": [] }), "INVALID", "partners"),
            (json!({ "partners": [id(Kind::Organization, OWN)] }), "NOT_FOUND", "partners.0"),
            (json!({ "partners": [id(Kind::Organization, 99)] }), "NOT_FOUND", "partners.0"),
            (json!({ "programs": [id(Kind::Program, THEIRS)] }), "NOT_FOUND", "programs.0"),
            (json!({ "facilities": [id(Kind::Facility, 99)] }), "NOT_FOUND", "facilities.0"),
            (json!({ "title": "" }), "INVALID", "title"),
            (json!({ "shares": [] }), "INVALID", "shares"),
            // The place is that of the input, whatever the order of the ids.
            (
                json!({ "partners": [id(Kind::Organization, STRANGER), id(Kind::Organization, ALLY), id(Kind::Organization, OWN)] }),
                "NOT_FOUND",
                "partners.2",
            ),
        ] {
            let input = with(&with(&input(), change), json!({ "idempotencyKey": "bad" }));
            let payload =
                act(&world.member("admin", "own"), "createAgreement", "agreement", "id", &input).await;
            assert_eq!(faults(&payload), fault(code, field), "{input}");
        }
        assert_eq!(world.counts().await, before);
    }
);

fn seeds() -> Vec<Seed> {
    let days = ["2026-11-20", "2026-11-21", "2026-11-25", "2026-11-26"];
    let places = [(1, SUPPLIES), (1, WORKSHOP), (2, SUPPLIES), (3, WORKSHOP)];
    let all = days.iter().flat_map(|on| places.iter().map(move |place| (*on, *place)));
    let mut seeds: Vec<Seed> = all
        .zip(1..)
        .map(|((on, (facility, program)), n)| {
            Seed::new(n, facility, program, on, 20).line(Goods::Item(SOAP), 20)
        })
        .collect();
    seeds.push(Seed::new(50, 1, SUPPLIES, "2026-11-21", 5).records().line(Goods::Item(SOAP), 5));
    seeds.push(Seed::new(51, 1, MATERNITY, "2026-11-21", 50).records().line(Goods::Item(FORMULA), 50));
    seeds
}

/// The deliveries that a viewer sees, which every way to them has to agree on.
async fn visible(client: &Client, seeds: &[Seed]) -> BTreeSet<String> {
    let ids: Vec<String> = seeds.iter().map(Seed::id).collect();
    let one = |(n, id): (usize, &String)| format!("a{n}: distribution(id: \"{id}\") {{ id }} ");
    let document = format!(
        "query($ids: [ID!]!, $all: [ID!]!) {{ distributions(first: 100) {{ totalCount nodes {{ id }} }} \
         filtered: distributions(first: 100, filter: {{ facility: $all }}) {{ totalCount }} \
         nodes(ids: $ids) {{ id }} {} \
         facilities(first: 9) {{ nodes {{ distributions(first: 50) {{ totalCount nodes {{ id }} }} }} }} \
         programs(first: 9) {{ nodes {{ distributions(last: 50) {{ totalCount nodes {{ id }} }} }} }} \
         distributionStats(groupBy: [ORGANIZATION], first: 9) {{ rows {{ deliveries units contacts }} }} \
         byItem: distributionStats(groupBy: [ITEM, FACILITY], first: 99) {{ rows {{ deliveries }} }} }}",
        ids.iter().enumerate().map(one).collect::<String>()
    );
    let all: Vec<String> = (1..=4).map(|n| id(Kind::Facility, n)).collect();
    let answer = client.query(&document, json!({ "ids": ids, "all": all })).await;
    let data = answer.data();
    let set =
        |nodes: &Value| column(nodes, "id").into_iter().filter(|id| id != "null").collect::<BTreeSet<_>>();
    let found = set(&data["distributions"]["nodes"]);
    assert_eq!(data["distributions"]["totalCount"], json!(found.len()));
    assert_eq!(data["filtered"]["totalCount"], json!(found.len()));
    let nodes: Vec<Value> =
        data["nodes"].as_array().unwrap().iter().filter(|node| !node.is_null()).cloned().collect();
    assert_eq!(set(&json!(nodes)), found);
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(!data[format!("a{n}")].is_null(), found.contains(id));
    }
    for parent in ["facilities", "programs"] {
        let mut under = BTreeSet::new();
        for node in data[parent]["nodes"].as_array().unwrap() {
            let list = &node["distributions"];
            assert_eq!(list["totalCount"], json!(list["nodes"].as_array().unwrap().len()));
            under.extend(set(&list["nodes"]));
        }
        assert_eq!(under, found, "{parent}");
    }
    let rows = data["distributionStats"]["rows"].as_array().unwrap();
    let count = |rows: &[Value]| rows.iter().map(|row| row["deliveries"].as_i64().unwrap()).sum::<i64>();
    assert_eq!(count(rows), found.len() as i64);
    assert_eq!(count(data["byItem"]["rows"].as_array().unwrap()), found.len() as i64);
    for backwards in [false, true] {
        let walk =
            Walk { client, frame: "{ LIST }", field: "distributions", arguments: "", size: 3, backwards };
        assert_eq!(walk.all().await.into_iter().collect::<BTreeSet<_>>(), found);
    }
    found
}

fn those(seeds: &[Seed], which: impl Fn(&entity::distribution::Model) -> bool) -> BTreeSet<String> {
    let operations = |seed: &&Seed| seed.row.class == entity::value::RowClass::Operations;
    seeds.iter().filter(operations).filter(|seed| which(&seed.row)).map(Seed::id).collect()
}

both!(
    async fn begins_and_ends_at_midnight_where_it_says(world: &World) {
        let seeds = seeds();
        world.add(&seeds).await;
        // The first day and the day after the last, in UTC.
        for (zone, partner, begins, ends) in [
            (
                "America/Santiago",
                "stranger",
                ["2026-11-21T02:59:59Z", "2026-11-21T03:00:00Z"],
                ["2026-11-26T02:59:59Z", "2026-11-26T03:00:00Z"],
            ),
            (
                "Asia/Tokyo",
                "stranger",
                ["2026-11-20T14:59:59Z", "2026-11-20T15:00:00Z"],
                ["2026-11-25T14:59:59Z", "2026-11-25T15:00:00Z"],
            ),
        ] {
            world.set_now("2026-11-20T12:00:00Z");
            let create = with(
                &input(),
                json!({ "idempotencyKey": zone, "timeZone": zone, "startsOn": "2026-11-21", "endsOn": "2026-11-25",
                "facilities": null, "programs": null }),
            );
            let made =
                done(&world.member("admin", "own"), "createAgreement", "agreement", "id active", &create)
                    .await;
            assert_eq!(made["active"], json!(false));
            let inside = those(&seeds, |row| {
                row.occurred_on >= day("2026-11-21") && row.occurred_on <= day("2026-11-25")
            });
            assert_eq!(inside.len(), 8);
            for (now, expected) in [(begins[0], false), (begins[1], true), (ends[0], true), (ends[1], false)]
            {
                world.set_now(now);
                let client = world.member("partner", partner);
                let found = visible(&client, &seeds).await;
                assert_eq!(found, if expected { inside.clone() } else { BTreeSet::new() }, "{zone} at {now}");
                let node = ask(
                    &client,
                    &format!("{{ node(id: {}) {{ ... on Agreement {{ active }} }} }}", made["id"]),
                )
                .await;
                assert_eq!(node["node"]["active"], json!(expected));
            }
            // Before the next one begins.
            world.set_now("2026-11-20T12:00:00Z");
            let at = json!({ "id": made["id"], "expectedVersion": 1 });
            done(&world.member("admin", "own"), "archiveAgreement", "agreement", "id", &at).await;
        }
    }
);

both!(
    async fn opens_its_facilities_and_programs_and_nothing_else(world: &World) {
        let seeds = seeds();
        world.add(&seeds).await;
        world.set_now("2026-11-30T12:00:00Z");
        let admin = world.member("admin", "own");
        let create = with(&input(), json!({ "idempotencyKey": "a" }));
        let made = done(&admin, "createAgreement", "agreement", "id", &create).await;
        let client = world.member("partner", "stranger");
        let (neza, supplies) = (uuid(Kind::Facility, 1), uuid(Kind::Program, SUPPLIES));
        let narrow = those(&seeds, |row| row.facility_id == neza && row.program_id == supplies);
        assert_eq!(narrow.len(), 4);
        assert_eq!(visible(&client, &seeds).await, narrow);
        // A second agreement adds to it.
        let second = with(
            &input(),
            json!({ "idempotencyKey": "b", "facilities": [id(Kind::Facility, 3)], "programs": null, "startsOn": "2026-11-21", "endsOn": "2026-12-31" }),
        );
        let second = done(&admin, "createAgreement", "agreement", "id", &second).await;
        let martha = uuid(Kind::Facility, 3);
        let wide = those(&seeds, |row| {
            row.facility_id == neza && row.program_id == supplies
                || row.facility_id == martha && row.occurred_on >= day("2026-11-21")
        });
        assert_eq!(visible(&client, &seeds).await, wide);
        // What it shares decides.
        let change = json!({ "id": made["id"], "expectedVersion": 1, "shares": ["STOCK", "PROGRAMS"] });
        done(&admin, "updateAgreement", "agreement", "id", &change).await;
        let only_second =
            those(&seeds, |row| row.facility_id == martha && row.occurred_on >= day("2026-11-21"));
        assert_eq!(visible(&client, &seeds).await, only_second);
        // Null opens all facilities, an empty list none.
        let change = json!({ "id": second["id"], "expectedVersion": 1, "facilities": null });
        done(&admin, "updateAgreement", "agreement", "id", &change).await;
        assert_eq!(visible(&client, &seeds).await, those(&seeds, |row| row.occurred_on >= day("2026-11-21")));
        let change = json!({ "id": second["id"], "expectedVersion": 2, "programs": [] });
        done(&admin, "updateAgreement", "agreement", "id", &change).await;
        assert_eq!(visible(&client, &seeds).await, BTreeSet::new());
        let change = json!({ "id": second["id"], "expectedVersion": 3, "programs": null });
        done(&admin, "updateAgreement", "agreement", "id", &change).await;
        assert!(!visible(&client, &seeds).await.is_empty());
        // Archived, it ends at once.
        done(
            &admin,
            "archiveAgreement",
            "agreement",
            "active",
            &json!({ "id": second["id"], "expectedVersion": 4 }),
        )
        .await;
        assert_eq!(visible(&client, &seeds).await, BTreeSet::new());
        // The ally's own one is as it was, and staff see all of theirs and nothing of others.
        assert_eq!(visible(&world.partner(), &seeds).await, those(&seeds, |_| true));
        assert_eq!(visible(&world.coordinator(), &seeds).await.len(), seeds.len());
        assert_eq!(visible(&world.member("coordinator", "other"), &seeds).await, BTreeSet::new());
        let field = those(&seeds, |row| row.facility_id == neza).len() + 2;
        assert_eq!(visible(&world.member("field", "own"), &seeds).await.len(), field);
    }
);

both!(
    async fn is_seen_by_both_sides_only(world: &World) {
        let create = with(&input(), json!({ "idempotencyKey": "a" }));
        let made = done(&world.member("admin", "own"), "createAgreement", "agreement", "id", &create).await;
        let document = format!(
            "{{ agreements(first: 9) {{ totalCount nodes {{ id programs {{ slug }} }} }} node(id: {}) {{ id }} }}",
            made["id"]
        );
        let data = ask(&world.member("partner", "stranger"), &document).await;
        assert_eq!(data["agreements"]["totalCount"], json!(1));
        // Partners do not learn of sensitive programs in it.
        assert_eq!(
            data["agreements"]["nodes"],
            json!([{ "id": made["id"], "programs": [{ "slug": "supplies" }] }])
        );
        assert_eq!(data["node"]["id"], made["id"]);
        let data = ask(&world.coordinator(), &document).await;
        assert_eq!(data["agreements"]["totalCount"], json!(2));
        for client in [world.partner(), world.member("coordinator", "other")] {
            assert_eq!(ask(&client, &document).await["node"], Value::Null);
        }
        assert_eq!(ask(&world.partner(), &document).await["agreements"]["totalCount"], json!(1));
        assert_eq!(
            world
                .member("field", "own")
                .query("{ agreements(first: 1) { totalCount } }", Value::Null)
                .await
                .code(),
            "NOT_PERMITTED"
        );
    }
);

both!(
    async fn what_is_archived_comes_into_no_scope_and_stays_where_it_was(world: &World) {
        let (admin, coordinator) = (world.member("admin", "own"), world.coordinator());
        let create = with(&input(), json!({ "idempotencyKey": "a" }));
        let made = done(&admin, "createAgreement", "agreement", "id", &create).await;
        let award = json!({ "idempotencyKey": "w", "donor": id(Kind::Organization, GIVER), "title": words("Fondo"),
            "amount": { "amount": "1", "currency": "CLP" }, "awardedOn": "2026-01-01", "startsOn": "2026-01-01",
            "programs": [id(Kind::Program, SUPPLIES)] });
        let granted = done(&coordinator, "createAward", "award", "id", &award).await;
        for (name, subject, entry) in [
            ("archiveFacility", "facility", id(Kind::Facility, 1)),
            ("archiveFacility", "facility", id(Kind::Facility, 2)),
            ("archiveProgram", "program", id(Kind::Program, SUPPLIES)),
            ("archiveProgram", "program", id(Kind::Program, WORKSHOP)),
        ] {
            done(&coordinator, name, subject, "id", &json!({ "id": entry, "expectedVersion": 1 })).await;
        }
        // What was made before is answered as before.
        assert_eq!(done(&admin, "createAgreement", "agreement", "id", &create).await, made);
        assert_eq!(done(&coordinator, "createAward", "award", "id", &award).await, granted);
        for (change, field) in [
            (json!({ "facilities": [id(Kind::Facility, 3), id(Kind::Facility, 2)] }), "facilities.1"),
            (json!({ "programs": [id(Kind::Program, SUPPLIES), id(Kind::Program, WORKSHOP)] }), "programs.1"),
        ] {
            let update = with(&change, json!({ "id": made["id"], "expectedVersion": 1 }));
            let payload = act(&admin, "updateAgreement", "agreement", "id", &update).await;
            assert_eq!(faults(&payload), fault("NOT_FOUND", field));
        }
        let new = with(&input(), json!({ "idempotencyKey": "b", "programs": null }));
        let payload = act(&admin, "createAgreement", "agreement", "id", &new).await;
        assert_eq!(faults(&payload), fault("NOT_FOUND", "facilities.0"));
        let keep = json!({ "id": made["id"], "expectedVersion": 1, "facilities": [id(Kind::Facility, 1), id(Kind::Facility, 3)],
            "programs": [id(Kind::Program, SUPPLIES)] });
        done(&admin, "updateAgreement", "agreement", "id", &keep).await;
        let empty = json!({ "id": made["id"], "expectedVersion": 2, "shares": [] });
        let payload = act(&admin, "updateAgreement", "agreement", "id", &empty).await;
        assert_eq!(faults(&payload), fault("INVALID", "shares"));

        let new = with(&award, json!({ "idempotencyKey": "x" }));
        let payload = act(&coordinator, "createAward", "award", "id", &new).await;
        assert_eq!(faults(&payload), fault("NOT_FOUND", "programs.0"));
        let add = json!({ "id": granted["id"], "expectedVersion": 1, "programs": [id(Kind::Program, SUPPLIES), id(Kind::Program, WORKSHOP)] });
        let payload = act(&coordinator, "updateAward", "award", "id", &add).await;
        assert_eq!(faults(&payload), fault("NOT_FOUND", "programs.1"));
        let keep =
            json!({ "id": granted["id"], "expectedVersion": 1, "programs": [id(Kind::Program, SUPPLIES)] });
        done(&coordinator, "updateAward", "award", "id", &keep).await;
    }
);
