//! Nothing is lost: to a client that comes back, over several servers, and out of the order of commits.

use std::time::Duration;

use api::{id::Kind, store::outbox::Position};
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};
use tests::{Backend, Socket, block_on, both, run};

use super::{IDS, recorded, small, socket, told};
use crate::{distribution::record::input, talk::act, world::*};

both!(
    async fn a_client_that_comes_back_gets_what_it_has_missed(world: &World) {
        let client = world.coordinator();
        let mut partner = socket(world, "partner", "ally").await;
        partner.subscribe("s", IDS, Value::Null).await;
        recorded(&client, "first").await;
        let mut last = told(&mut partner, "s").await.1;
        let mut expected = Vec::new();
        let mut heard = Vec::new();
        for round in 0..3 {
            // One while it is connected, which may or may not arrive; some while it is not.
            expected.push(recorded(&client, &format!("on the way {round}")).await);
            partner.drop_connection();
            small(&client, &format!("hidden {round}")).await;
            for number in 0..3 {
                expected.push(recorded(&client, &format!("missed {round} {number}")).await);
            }
            partner = socket(world, "partner", "ally").await;
            let payload = json!({ "query": IDS, "variables": { "after": last } });
            partner.say(json!({ "type": "subscribe", "id": "s", "payload": payload })).await;
            for _ in 0..4 {
                let (delivery, event) = told(&mut partner, "s").await;
                heard.push(delivery);
                last = event;
            }
        }
        assert_eq!(heard, expected);
    }
);

both!(
    /// More than is read at once, and more than is kept in memory.
    async fn much_is_told_in_order(world: &World) {
        let client = world.coordinator();
        let mut staff = socket(world, "coordinator", "own").await;
        staff.subscribe("s", IDS, Value::Null).await;
        let delivery = recorded(&client, "one").await;
        let (_, first) = told(&mut staff, "s").await;
        happens(world, &delivery, 2500).await;
        let mut heard = Vec::new();
        for _ in 0..2500 {
            heard.push(told(&mut staff, "s").await.1);
        }
        let marker = recorded(&client, "marker").await;
        assert_eq!(told(&mut staff, "s").await.0, marker);
        // The same again for one who comes back after the first, from the table.
        let mut second = socket(world, "coordinator", "own").await;
        let payload = json!({ "query": IDS, "variables": { "after": first } });
        second.say(json!({ "type": "subscribe", "id": "s", "payload": payload })).await;
        for event in &heard {
            assert_eq!(told(&mut second, "s").await.1, *event);
        }
        assert_eq!(told(&mut second, "s").await.0, marker);
    }
);

#[test]
fn a_client_that_does_not_read_is_given_up_and_may_come_back() {
    block_on(async {
        let world = World::configured(Backend::Sqlite, |config| {
            config.sockets.of_viewer = 1;
            config.sockets.send_time = Duration::from_secs(3);
            config.sockets.ping_time = Duration::from_secs(5);
        })
        .await;
        // Each event is some 30 KB, and all of them more than lies between two programs.
        let long = "x".repeat(300);
        let fields: String = (0..95).map(|n| format!("{long}{n}: facility {{ name }} ")).collect();
        let document = |after: &str| {
            format!("subscription {{ distributionRecorded{after} {{ id distribution {{ {fields} }} }} }}")
        };
        let delivery = recorded(&world.coordinator(), "one").await;
        let mut slow = socket(&world, "coordinator", "own").await;
        slow.subscribe("s", &document(""), Value::Null).await;
        let mut beside = socket(&world, "partner", "ally").await;
        happens(&world, &delivery, 1000).await;
        // It has been given up when another socket may be opened in its place. Each ping that the server sends on a socket
        // beside it is a moment to look.
        let init = json!({ "type": "connection_init",
            "payload": super::bearer(&world.token("demo:coordinator:own")) });
        let mut again = loop {
            beside.answer_pings(1).await;
            let mut again = Socket::open(world.address).await;
            again.say(init.clone()).await;
            if again.next().await.is_ok() {
                break again;
            }
        };
        let (mut heard, mut last) = (0, String::new());
        let end = loop {
            match slow.next().await {
                Ok(said) => {
                    heard += 1;
                    let id = &said["payload"]["data"]["distributionRecorded"]["id"];
                    last = id.as_str().unwrap_or_else(|| panic!("{said}")).to_owned();
                }
                Err(end) => break end,
            }
        };
        assert_eq!(end, (1013, "Messages are not read fast enough".to_owned()));
        assert!(heard < 1000, "{heard}");
        let payload = json!({ "query": document(&format!("(after: \"{last}\")")) });
        again.say(json!({ "type": "subscribe", "id": "s", "payload": payload })).await;
        for _ in heard..1000 {
            again.event("s").await;
        }
        again.round_trip().await;
    });
}

/// Events of a delivery, as many changes of it would leave them.
async fn happens(world: &World, delivery: &str, times: u32) {
    let (own, row) = (world.literal(Kind::Organization, OWN), world.literal_of(delivery));
    let random = match world.database.backend {
        Backend::Sqlite => "randomblob(16)",
        Backend::Postgres => "gen_random_uuid()",
    };
    world
        .sql(&format!(
            "INSERT INTO outbox (organization_id, id, kind, row_id, open, recorded_at) \
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {times}) \
             SELECT {own}, {random}, 'DISTRIBUTION', {row}, TRUE, '2026-11-20T12:00:00+00:00' FROM n"
        ))
        .await;
}

both!(
    async fn an_event_is_kept_for_three_days(world: &World) {
        let client = world.coordinator();
        let mut staff = socket(world, "coordinator", "own").await;
        staff.subscribe("s", IDS, Value::Null).await;
        recorded(&client, "one").await;
        let (_, first) = told(&mut staff, "s").await;
        let two = recorded(&client, "two").await;
        world.set_now("2026-11-23T12:00:00Z");
        let after = format!(
            "subscription {{ distributionRecorded(after: \"{first}\") {{ distribution {{ id }} }} }}"
        );
        let mut second = socket(world, "coordinator", "own").await;
        second.say(json!({ "type": "subscribe", "id": "s", "payload": { "query": after } })).await;
        assert_eq!(second.event("s").await["distributionRecorded"]["distribution"]["id"], json!(two));
        // A moment later it is too old.
        world.set_now("2026-11-23T12:00:01Z");
        let mut third = socket(world, "coordinator", "own").await;
        let fault = third.refused(&after).await;
        assert_eq!(fault[0]["extensions"]["code"], json!("EVENTS_GONE"), "{fault}");
        // A server deletes what is old, at its start and every hour. The last one stays, so that numbers go on.
        assert_eq!(world.number("SELECT count(*) FROM outbox").await, 2);
        let other = world.second().await;
        assert_eq!(world.number("SELECT count(*) FROM outbox").await, 1);
        let mut fourth = Socket::of(other.address, &world.token("demo:coordinator:own")).await;
        fourth.subscribe("s", IDS, Value::Null).await;
        let marker = recorded(&world.coordinator(), "marker").await;
        assert_eq!(told(&mut fourth, "s").await.0, marker);
        other.stop().await;
    }
);

both!(
    async fn each_server_tells_what_another_has_written(world: &World) {
        let other = world.second().await;
        let token = world.token("demo:partner:ally");
        let mut here = socket(world, "partner", "ally").await;
        let mut there = Socket::of(other.address, &token).await;
        here.subscribe("s", IDS, Value::Null).await;
        there.subscribe("s", IDS, Value::Null).await;
        let client = world.coordinator();
        let elsewhere = tests::Client::anonymous(format!("http://{}", other.address))
            .token(&world.token("demo:coordinator:own"));
        let mut last = String::new();
        for round in 0..3 {
            small(&client, &format!("small {round}")).await;
            let one = recorded(&client, &format!("here {round}")).await;
            let two = recorded(&elsewhere, &format!("there {round}")).await;
            for expected in [&one, &two] {
                let (delivery, event) = told(&mut here, "s").await;
                assert_eq!(delivery, *expected);
                // Both servers give an event the same id.
                assert_eq!(told(&mut there, "s").await, (delivery, event.clone()));
                last = event;
            }
        }
        // A client goes on at the other server.
        drop(here);
        let missed = recorded(&client, "missed").await;
        let mut again = Socket::of(other.address, &token).await;
        let payload = json!({ "query": IDS, "variables": { "after": last } });
        again.say(json!({ "type": "subscribe", "id": "s", "payload": payload })).await;
        assert_eq!(told(&mut again, "s").await.0, missed);
        assert_eq!(told(&mut there, "s").await.0, missed);
        // A server that stops says so.
        other.stop().await;
        assert_eq!(there.closed().await, (1001, "The server stops".to_owned()));
    }
);

#[test]
fn commits_out_of_order_lose_nothing() {
    run(Backend::Postgres, async |world: &World| {
        let client = world.coordinator();
        let mut staff = socket(world, "coordinator", "own").await;
        staff.subscribe("s", IDS, Value::Null).await;
        let early = recorded(&client, "early").await;
        let (_, first) = told(&mut staff, "s").await;

        // Another program has its number and does not commit.
        let db = world.database.connect().await;
        let open = db.begin().await.unwrap();
        let sql = format!(
            "INSERT INTO outbox (organization_id, id, kind, row_id, open, recorded_at) VALUES ({}, \
             gen_random_uuid(), 'DISTRIBUTION', {}, TRUE, '2026-11-20T12:00:00Z')",
            world.literal(Kind::Organization, OWN),
            world.literal_of(&early),
        );
        open.execute_unprepared(&sql).await.unwrap();
        let late = recorded(&client, "late").await;

        // What has been committed behind it is there, and is not given before it.
        assert_eq!(world.number("SELECT count(*) FROM outbox").await, 2);
        let given = world.running.store.events_after(Position::default(), 100).await.unwrap();
        assert_eq!(given.len(), 1);
        let mut second = Socket::of(world.address, &world.token("demo:coordinator:own")).await;
        let payload = json!({ "query": IDS, "variables": { "after": first } });
        second.say(json!({ "type": "subscribe", "id": "s", "payload": payload })).await;
        second.round_trip().await;

        open.commit().await.unwrap();
        for socket in [&mut staff, &mut second] {
            assert_eq!(told(socket, "s").await.0, early);
            assert_eq!(told(socket, "s").await.0, late);
        }
        db.close().await.unwrap();
    });
}

#[test]
fn events_of_another_cluster_do_not_stand_in_the_way() {
    run(Backend::Postgres, async |world: &World| {
        // As after a dump was restored into a cluster whose transactions are counted from the beginning.
        world
            .sql(&format!(
                "INSERT INTO outbox (organization_id, id, kind, row_id, open, recorded_at, transaction_id) VALUES \
                 ({0}, gen_random_uuid(), 'DISTRIBUTION', {0}, TRUE, '2026-11-20T12:00:00Z', 4611686018427387904)",
                world.literal(Kind::Organization, OWN),
            ))
            .await;
        let other = world.second().await;
        let mut staff = Socket::of(other.address, &world.token("demo:coordinator:own")).await;
        staff.subscribe("s", IDS, Value::Null).await;
        act(&world.coordinator(), "recordDistribution", "distribution", "id", &input("one")).await;
        let (_, one) = told(&mut staff, "s").await;
        let two = recorded(&world.coordinator(), "two").await;
        let mut again = Socket::of(other.address, &world.token("demo:coordinator:own")).await;
        let payload = json!({ "query": IDS, "variables": { "after": one } });
        again.say(json!({ "type": "subscribe", "id": "s", "payload": payload })).await;
        assert_eq!(told(&mut again, "s").await.0, two);
        other.stop().await;
    });
}
