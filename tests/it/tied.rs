//! What is written is what was checked, however the reference tables change between the check and the write.

use api::{
    error::Error,
    id::Kind,
    store::{
        distribution::{CorrectDistribution, LineInput, RecordDistribution, Recorded, Supplied},
        input::{At, LocalizedInput, Once, Refused, TranslationInput, Written},
        kit::CreateKit,
    },
};
use entity::value::{ReachMethod, RowClass, Sensitivity};
use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};
use serde_json::json;
use tests::{Backend, both, catalogue};
use tokio::task::JoinHandle;

use crate::{
    distribution::record,
    talk::{act, ask, done, fault, faults},
    world::*,
};

/// SQL that makes soap sensitive, as another server does.
fn soap_becomes_sensitive(world: &World) -> String {
    let soap = world.literal(Kind::Item, SOAP);
    format!("UPDATE item SET sensitivity = 'SENSITIVE', version = version + 1 WHERE id = {soap}")
}

fn delivery(key: &str) -> RecordDistribution {
    RecordDistribution {
        once: once(key),
        validate_only: false,
        facility: uuid(Kind::Facility, 1),
        program: uuid(Kind::Program, SUPPLIES),
        occurred_on: day("2026-11-19"),
        people_reached: 40,
        reach_method: ReachMethod::Counted,
        place: None,
        client_id: None,
        form_number: None,
        lines: vec![soap()],
        proof: None,
        recipients: Vec::new(),
    }
}

fn soap() -> LineInput {
    LineInput {
        supplied: Supplied { item: Some(uuid(Kind::Item, SOAP)), kit: None },
        quantity: 40,
        ..LineInput::default()
    }
}

fn once(key: &str) -> Once {
    Once { key: key.to_owned(), operation: "test".to_owned(), hash: vec![1], shared: false }
}

/// The hold with which a second attempt is made.
#[track_caller]
fn outdated<T>(written: Written<T>) -> api::store::tied::Outdated {
    match written {
        Err(Refused::Outdated(outdated)) => outdated,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was written"),
    }
}

both!(
    async fn old_checks_write_nothing_and_are_done_again(world: &World) {
        let shown =
            done(&world.coordinator(), "recordDistribution", "distribution", "id", &record::input("before"))
                .await;
        let shown = api::id::GlobalId::parse(shown["id"].as_str().unwrap()).unwrap().id;
        let before = world.counts().await;
        let old = world.access("coordinator", "own").await;
        world.sql(&soap_becomes_sensitive(world)).await;

        let hold = outdated(old.record_distribution(delivery("a")).await);
        assert_eq!(world.counts().await["distribution"], before["distribution"]);
        let again = old.again(hold).await.unwrap();
        match again.record_distribution(delivery("a")).await {
            Ok(Recorded::New(made)) => assert_eq!(made.row.inside.unwrap().class, RowClass::Records),
            _ => panic!("it was not recorded"),
        }
        drop(again);

        // A correction that mixes in what has become sensitive.
        let correction = || CorrectDistribution {
            at: At { id: shown, expected: 1 },
            validate_only: false,
            occurred_on: None,
            people_reached: None,
            people_expected: None,
            reach_method: None,
            place: None,
            lines: Some(vec![soap()]),
        };
        let again = old.again(outdated(old.correct_distribution(correction()).await)).await.unwrap();
        match again.correct_distribution(correction()).await {
            Err(Refused::User(faults)) => assert_eq!(faults[0].field, ["lines", "0"]),
            other => panic!("{other:?}"),
        }
        drop(again);

        // A kit is as sensitive as its items are when it is written.
        let kit = || CreateKit {
            once: once("kit"),
            validate_only: false,
            code: "NEW".to_owned(),
            name: LocalizedInput {
                original: "es".to_owned(),
                translations: vec![TranslationInput {
                    lang: "es".to_owned(),
                    text: "Kit".to_owned(),
                    status: None,
                }],
            },
            valid_from: day("2026-01-01"),
            contents: vec![(uuid(Kind::Item, SOAP), 2)],
        };
        let again = old.again(outdated(old.create_kit(kit()).await)).await.unwrap();
        let made = again.create_kit(kit()).await.unwrap().unwrap();
        drop(again);
        let now = world.access("coordinator", "own").await;
        assert_eq!(now.kit(made).unwrap().sensitivity(), Sensitivity::Sensitive);

        let after = world.counts().await;
        for (table, more) in [("distribution", 1), ("kit", 1), ("audit_event", 2), ("idempotency", 2)] {
            assert_eq!(after[table], before[table] + more, "{table}");
        }
    }
);

both!(
    async fn a_request_is_answered_from_the_second_attempt(world: &World) {
        let client = world.coordinator();
        let plain = act(&client, "recordDistribution", "distribution", "class", &record::input("warm")).await;
        assert_eq!(plain["distribution"]["class"], json!("OPERATIONS"));
        world.meanwhile(soap_becomes_sensitive(world));
        let selection = "class lines { item { sensitivity } }";
        let made = done(&client, "recordDistribution", "distribution", selection, &record::input("a")).await;
        assert_eq!(
            made,
            json!({ "class": "RECORDS", "lines": [{ "item": { "sensitivity": "SENSITIVE" } }] })
        );

        // What is refused is refused for what holds now.
        let supplies = world.literal(Kind::Program, SUPPLIES);
        world.meanwhile(format!("UPDATE program SET status = 'CANCELLED' WHERE id = {supplies}"));
        let payload = act(&client, "recordDistribution", "distribution", "id", &record::input("b")).await;
        assert_eq!(faults(&payload), fault("INVALID", "program"));

        // An entry that changes with another one.
        let bath = world.literal(Kind::Kit, BATH);
        world.meanwhile(format!("UPDATE kit SET version = 2 WHERE id = {bath}"));
        let update = json!({ "id": id(Kind::Kit, BATH), "expectedVersion": 1, "name": words("Otro") });
        let payload = act(&client, "updateKit", "kit", "version", &update).await;
        assert_eq!(faults(&payload), fault("CONFLICT", "expectedVersion"));
        assert_eq!(payload["kit"], json!({ "version": 2 }));
    }
);

both!(
    async fn who_has_lost_the_role_meanwhile_writes_nothing(world: &World) {
        let old = world.access("coordinator", "own").await;
        let before = world.counts().await;
        let account = match world.database.backend {
            Backend::Sqlite => format!("x'{}'", crate::seed::account(1).simple()),
            Backend::Postgres => format!("'{}'", crate::seed::account(1)),
        };
        world
            .sql(&format!("UPDATE membership SET ends_on = '2026-11-01' WHERE account_id = {account}"))
            .await;
        let hold = outdated(old.record_distribution(delivery("a")).await);
        assert!(matches!(old.again(hold).await, Err(Error::NotPermitted)));
        assert_eq!(world.counts().await["audit_event"], before["audit_event"]);
    }
);

/// Until work that has been started waits for a lock of PostgreSQL. Fails when it ends without.
pub async fn until_it_waits<T>(db: &DatabaseConnection, work: &JoinHandle<T>) {
    let waiting = "SELECT count(*) FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while catalogue::query(db, waiting).await[0].try_get_by_index::<i64>(0).unwrap() == 0 {
        assert!(!work.is_finished(), "it did not wait");
        tokio::task::yield_now().await;
    }
}

/// On PostgreSQL a delivery waits for a change that is being written, and is then checked against it.
#[test]
fn a_delivery_waits_for_a_change_that_is_under_way() {
    tests::run(Backend::Postgres, async |world: &World| {
        let db = world.database.connect().await;
        let change = db.begin().await.unwrap();
        change.execute_unprepared(&soap_becomes_sensitive(world)).await.unwrap();
        let client = world.coordinator();
        let recording = tokio::spawn(async move {
            done(&client, "recordDistribution", "distribution", "class", &record::input("a")).await
        });
        until_it_waits(&db, &recording).await;
        change.commit().await.unwrap();
        assert_eq!(recording.await.unwrap(), json!({ "class": "RECORDS" }));
        db.close().await.unwrap();
    });
}

both!(
    async fn a_database_that_is_put_back_is_read_anew(world: &World) {
        let unit = "{ items(first: 1, filter: { search: \"soap\" }) { nodes { unit } } }";
        let asked = ask(&world.coordinator(), unit).await;
        assert_eq!(asked["items"]["nodes"], json!([{ "unit": "piece" }]));
        let soap = world.literal(Kind::Item, SOAP);
        world
            .sql(&format!(
                "UPDATE item SET unit = 'bar' WHERE id = {soap}; UPDATE catalog_version SET version = 2"
            ))
            .await;
        let asked = ask(&world.coordinator(), unit).await;
        assert_eq!(asked["items"]["nodes"], json!([{ "unit": "bar" }]));
    }
);
