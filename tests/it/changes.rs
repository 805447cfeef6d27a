//! The feed of a device.

use std::collections::{BTreeMap, BTreeSet};

use api::id::Kind;
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};
use tests::{Backend, Client, Fixture, TestApp, block_on, both};

use crate::{
    distribution::record,
    stock::places,
    talk::{ask, column, done},
    world::*,
};

const CHANGES: &str = "query($since: String, $first: Int!) { changes(since: $since, first: $first) { \
    changes { id ended node { __typename id ... on Distribution { version status lines { quantity } } } } next more } }";

/// The number of the id of a seeded delivery.
fn number(n: u128) -> u128 {
    (n * 7_919) % 100_003
}

fn delivery(n: u128) -> String {
    id(Kind::Distribution, number(n))
}

/// One page: its changes, the position after it, and whether there is more.
async fn page(client: &Client, since: Option<&str>, first: usize) -> (Vec<Value>, String, bool) {
    let answer = client.query(CHANGES, json!({ "since": since, "first": first })).await;
    let page = &answer.data()["changes"];
    let changes = page["changes"].as_array().unwrap().clone();
    assert!(changes.len() <= first);
    (changes, page["next"].as_str().unwrap().to_owned(), page["more"].as_bool().unwrap())
}

/// All pages from a position on, as a device keeps them: the last word on each object, and where it stands now.
async fn walk(client: &Client, since: Option<&str>, first: usize) -> (BTreeMap<String, Value>, String) {
    let mut held = BTreeMap::new();
    let mut since = since.map(str::to_owned);
    loop {
        let (changes, next, more) = page(client, since.as_deref(), first).await;
        for change in changes {
            assert_eq!(change["id"], change["node"]["id"]);
            held.insert(change["id"].as_str().unwrap().to_owned(), change);
        }
        if !more {
            return (held, next);
        }
        since = Some(next);
    }
}

both!(
    async fn a_device_gets_all_of_its_scope_and_then_what_changes(world: &World) {
        let client = world.coordinator();
        places(&client).await;
        world
            .add(&[
                Seed::new(1, 1, SUPPLIES, "2026-11-01", 40).line(Goods::Item(SOAP), 40),
                Seed::new(2, 1, SUPPLIES, "2026-11-02", 3).line(Goods::Item(SOAP), 3).records(),
                Seed::new(3, 1, SUPPLIES, "2026-11-03", 30).line(Goods::Item(PADS), 30),
                Seed::new(4, 2, SUPPLIES, "2026-11-04", 30).line(Goods::Item(PADS), 30),
            ])
            .await;
        // A member that is cut to the first facility.
        let device = world.member("field", "own");
        let (held, next) = walk(&device, None, 3).await;
        let mut expected: BTreeSet<String> = BTreeSet::new();
        for list in ["facilities", "programs", "items", "kits", "distributions"] {
            let document = format!("{{ {list}(first: 100) {{ nodes {{ id }} }} }}");
            expected.extend(column(&ask(&device, &document).await[list]["nodes"], "id"));
        }
        expected.extend(column(&ask(&device, "{ stockPlaces { id } }").await["stockPlaces"], "id"));
        assert_eq!(held.keys().cloned().collect::<BTreeSet<_>>(), expected);
        assert!(expected.contains(&delivery(2)), "small deliveries are the staff's own");
        assert!(!expected.contains(&delivery(4)));
        assert_eq!(held[&delivery(3)]["node"]["lines"], json!([{ "quantity": 30 }]));

        let change = json!({ "id": delivery(1), "expectedVersion": 1, "peopleReached": 44 });
        done(&client, "updateDistribution", "distribution", "id", &change).await;
        let void = json!({ "id": delivery(3), "expectedVersion": 1, "reason": "DUPLICATE" });
        done(&client, "voidDistribution", "distribution", "id", &void).await;
        let archive = json!({ "id": id(Kind::Item, SOAP), "expectedVersion": 1 });
        done(&client, "archiveItem", "item", "id", &archive).await;
        let elsewhere = json!({ "id": delivery(4), "expectedVersion": 1, "peopleReached": 31 });
        done(&client, "updateDistribution", "distribution", "id", &elsewhere).await;
        let mut made = record::input("new");
        made["lines"] = json!([record::item(PADS, 12)]);
        let made = done(&client, "recordDistribution", "distribution", "id", &made).await;

        let (changed, after) = walk(&device, Some(&next), 2).await;
        let state = |id: &str| (changed[id]["ended"].clone(), changed[id]["node"]["version"].clone());
        assert_eq!(state(&delivery(1)), (json!(false), json!(2)));
        assert_eq!(state(&delivery(3)), (json!(true), json!(2)));
        assert_eq!(changed[&id(Kind::Item, SOAP)]["ended"], json!(true));
        assert_eq!(state(made["id"].as_str().unwrap()), (json!(false), json!(1)));
        assert!(!changed.contains_key(&delivery(4)));
        // The same position again gives the same, as when an answer was lost.
        let (again, _) = walk(&device, Some(&next), 500).await;
        for id in changed.keys() {
            assert_eq!(again[id], changed[id]);
        }
        // By hand in SQL as well.
        let row = world.literal(Kind::Distribution, number(2));
        world.sql(&format!("UPDATE distribution SET people_reached = 4, version = 2 WHERE id = {row}")).await;
        let (changed, _) = walk(&device, Some(&after), 500).await;
        assert_eq!(changed[&delivery(2)]["node"]["version"], json!(2));
    }
);

both!(
    async fn a_position_is_of_one_viewer_and_one_scope(world: &World) {
        let device = world.member("field", "own");
        let (_, next) = walk(&device, None, 500).await;
        let ask = async |client: &Client, since: &str, first: i64| {
            client.query(CHANGES, json!({ "since": since, "first": first })).await.code().to_owned()
        };
        assert_eq!(ask(&world.coordinator(), &next, 10).await, "BAD_CURSOR");
        assert_eq!(ask(&device, "nonsense", 10).await, "BAD_CURSOR");
        assert_eq!(ask(&device, &next, 0).await, "BAD_USER_INPUT");
        assert_eq!(ask(&device, &next, 501).await, "BAD_USER_INPUT");
        let hidden = "{ changes(first: 1) { more } }";
        assert_eq!(world.partner().query(hidden, Value::Null).await.code(), "GRAPHQL_VALIDATION_FAILED");
        assert_eq!(world.anonymous().query(hidden, Value::Null).await.code(), "GRAPHQL_VALIDATION_FAILED");
        // With other facilities, other rows are in scope: the device begins anew.
        let facility = world.literal(Kind::Facility, 2);
        let first = world.literal(Kind::Facility, 1);
        world
            .sql(&format!(
                "UPDATE membership_facility SET facility_id = {facility} WHERE facility_id = {first}"
            ))
            .await;
        assert_eq!(ask(&device, &next, 10).await, "BAD_CURSOR");
    }
);

both!(
    async fn what_others_learn_later_tells_nothing_before(world: &World) {
        let stranger = world.member("coordinator", "other");
        let (held, next) = walk(&stranger, None, 500).await;
        // Sensitive entries of another organisation are in each walk, whatever became of them.
        let formula = id(Kind::Item, FORMULA);
        let quiet = async || {
            let (again, _) = walk(&stranger, Some(&next), 500).await;
            again.get(&formula).cloned()
        };
        let before = quiet().await;
        assert_eq!(before, held.get(&formula).cloned());
        assert!(before.is_some());
        world
            .sql(&format!(
                "UPDATE item SET version = version + 1 WHERE id = {}",
                world.literal(Kind::Item, FORMULA)
            ))
            .await;
        assert_eq!(quiet().await, before);
        let archive = json!({ "id": formula, "expectedVersion": 2 });
        done(&world.coordinator(), "archiveItem", "item", "id", &archive).await;
        assert_eq!(quiet().await, before, "it ends for them with the next quarter");
    }
);

both!(
    async fn members_of_one_facility_are_not_told_how_much_happens_elsewhere(world: &World) {
        let device = world.member("field", "own");
        let (_, next) = walk(&device, None, 500).await;
        let elsewhere: Vec<Seed> = (1..=5)
            .map(|n| Seed::new(n, 2, SUPPLIES, "2026-11-01", 40).line(Goods::Item(SOAP), 40))
            .collect();
        world.add(&elsewhere).await;
        world.add(&[Seed::new(9, 1, SUPPLIES, "2026-11-02", 40).line(Goods::Item(SOAP), 40)]).await;
        // The one row in scope, in no page after five empty ones.
        let mut since = next;
        loop {
            let (changes, after, more) = page(&device, Some(&since), 1).await;
            assert_eq!(changes.len(), usize::from(more || !changes.is_empty()));
            if changes.iter().any(|change| change["id"] == json!(delivery(9))) {
                break;
            }
            assert!(more, "the row in scope is missing");
            since = after;
        }
    }
);

#[test]
fn what_is_committed_late_is_not_passed_over() {
    block_on(async {
        let world = World::start(Backend::Postgres).await;
        world.add(&[Seed::new(1, 1, SUPPLIES, "2026-11-01", 40).line(Goods::Item(SOAP), 40)]).await;
        let device = world.coordinator();
        let (_, next) = walk(&device, None, 500).await;
        // A transaction that takes its number first and ends last.
        let other = world.database.connect().await;
        let late = other.begin().await.unwrap();
        let row = world.literal(Kind::Distribution, number(1));
        late.execute_unprepared(&format!("UPDATE distribution SET version = 2 WHERE id = {row}"))
            .await
            .unwrap();
        let made = done(&device, "recordDistribution", "distribution", "id", &record::input("new")).await;
        let made = made["id"].as_str().unwrap();
        let (changed, next) = walk(&device, Some(&next), 500).await;
        assert!(changed.contains_key(made), "what is committed is seen at once");
        assert_eq!(changed.get(&delivery(1)).map(|row| &row["node"]["version"]), None);
        late.commit().await.unwrap();
        let (changed, _) = walk(&device, Some(&next), 500).await;
        assert_eq!(changed[&delivery(1)]["node"]["version"], json!(2));
        other.close().await.unwrap();
        world.stop().await;
    });
}

#[test]
fn after_a_move_to_another_cluster_devices_begin_anew() {
    block_on(async {
        let world = World::start(Backend::Postgres).await;
        world.add(&[Seed::new(1, 1, SUPPLIES, "2026-11-01", 40).line(Goods::Item(SOAP), 40)]).await;
        let (held, next) = walk(&world.coordinator(), None, 500).await;
        // As if the numbers had been dumped where many more transactions had run.
        world.sql("UPDATE change SET changed = changed + 4000000000").await;
        let database = world.0.shut_down().await;
        let app = TestApp::start_on(database).await;
        let device = app.member("coordinator", "own");
        let answer = device.query(CHANGES, json!({ "since": next, "first": 10 })).await;
        assert_eq!(answer.code(), "BAD_CURSOR");
        let (again, next) = walk(&device, None, 500).await;
        assert_eq!(again.keys().collect::<Vec<_>>(), held.keys().collect::<Vec<_>>());
        let made = done(&device, "recordDistribution", "distribution", "id", &record::input("new")).await;
        let (changed, _) = walk(&device, Some(&next), 500).await;
        assert!(changed.contains_key(made["id"].as_str().unwrap()));
        app.shut_down().await;
    });
}

both!(
    async fn after_a_backup_was_put_back_devices_begin_anew(world: &World) {
        world.add(&[Seed::new(1, 1, SUPPLIES, "2026-11-01", 40).line(Goods::Item(SOAP), 40)]).await;
        let (held, next) = walk(&world.coordinator(), None, 500).await;
        let mut restored = tokio::process::Command::new(tests::program());
        restored
            .arg("restored")
            .env_clear()
            .env("DATABASE_URL", &world.database.url)
            .env("UMBRAL_DATA_DIR", world.data_dir.path());
        assert!(restored.status().await.unwrap().success());
        let server = world.second().await;
        let base = tests::Client::anonymous(format!("http://{}", server.address));
        let device = base.token(&world.token("demo:coordinator:own"));
        let answer = device.query(CHANGES, json!({ "since": next, "first": 10 })).await;
        assert_eq!(answer.code(), "BAD_CURSOR");
        let (again, _) = walk(&device, None, 500).await;
        assert_eq!(again.keys().collect::<Vec<_>>(), held.keys().collect::<Vec<_>>());
        server.stop().await;
    }
);
