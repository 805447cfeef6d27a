//! Sealing: by several at once, late, and again after a crash.

use std::process::Stdio;

use sea_orm::{ConnectionTrait, TransactionTrait};
use tests::{Backend, both, program};
use tokio::process::Command;

use super::*;

/// A row of the audit of the own organisation as SQL.
fn insert(world: &World, id: u128) -> String {
    format!(
        "INSERT INTO audit_event (organization_id, id, recorded_at, role, action, entity, entity_id, detail) \
         VALUES ({}, {}, '2026-11-20T12:00:00+00:00', 'SYSTEM', 'UPDATE', 'item', {}, 'null')",
        world.literal(Kind::Organization, OWN),
        literal(world, Uuid::from_u128(id)),
        literal(world, Uuid::from_u128(1)),
    )
}

/// Rows of the audit, past all rules.
async fn many(world: &World, from: u128, count: u128) {
    let rows = (from..from + count).map(|n| entity::audit_event::Model {
        organization_id: uuid(Kind::Organization, OWN),
        id: Uuid::from_u128(n),
        recorded_at: moment("2026-11-20T12:00:00Z"),
        account_id: None,
        role: "SYSTEM".to_owned(),
        action: "UPDATE".to_owned(),
        entity: "item".to_owned(),
        entity_id: Uuid::from_u128(1),
        entity_version: Some(n as i32),
        detail: serde_json::Value::Null,
        purpose: None,
        fields: None,
        rows: None,
        document_hash: None,
    });
    world.insert::<entity::audit_event::Entity>(rows.collect()).await;
}

/// The database as the program itself finds it, with the keys of the world's server.
fn umbral(world: &World, command: &[&str]) -> Command {
    let mut run = Command::new(program());
    run.args(command)
        .env_clear()
        .env("DATABASE_URL", &world.database.url)
        .env("UMBRAL_MODE", "demo")
        .env("UMBRAL_DATA_DIR", world.data_dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    run
}

both!(
    async fn rows_are_sealed_in_the_order_of_writing(world: &World) {
        many(world, 100, 2_500).await;
        assert_eq!(seal(world).await, 2_500);
        let expected: Vec<Uuid> = (100..2_600).map(Uuid::from_u128).collect();
        assert_eq!(chained(world).await, expected);
        assert_eq!(world.number("SELECT count(*) FROM audit_seal").await, 3);
        assert_eq!(world.number("SELECT count(*) FROM audit_pending").await, 0);
        let chain = verified(world, "own", Source::Own(folder(world))).await;
        assert_eq!((chain.rows, chain.unsealed, chain.heads, chain.faults.is_empty()), (2_500, 0, 3, true));
        assert_eq!(chain.upto, Some(moment("2026-11-20T12:00:00Z")));
        // Nothing new, nothing done.
        assert_eq!(seal(world).await, 0);
        many(world, 3_000, 2).await;
        let chain = verified(world, "own", Source::Own(folder(world))).await;
        assert_eq!((chain.rows, chain.unsealed), (2_500, 2));
        assert!(chain.since.unwrap().starts_with("2026-11-20"));
    }
);

both!(
    async fn two_servers_that_seal_at_once_make_one_chain(world: &World) {
        let second = world.second().await;
        let heads = Heads::new(folder(world));
        for round in 0..5 {
            let one = async || world.running.store.seal_audit().await.unwrap();
            let two = async || second.store.seal_audit().await.unwrap();
            let keys = [format!("a{round}"), format!("b{round}")];
            let coordinator = world.coordinator();
            let write = keys.iter().map(|key| crate::live::recorded(&coordinator, key));
            let written = futures_util::future::join_all(write);
            let (first, other, _, again) = tokio::join!(one(), two(), written, one());
            let exported =
                tokio::join!(world.running.store.export_heads(&heads), second.store.export_heads(&heads),);
            assert!(exported.0.is_ok() && exported.1.is_ok(), "{exported:?}");
            assert!(first + other + again <= 10);
        }
        seal(world).await;
        second.stop().await;
        assert_eq!(chained(world).await.len(), 10);
        assert_eq!(wrong(world, "own").await, [] as [String; 0]);
        let chain = verified(world, "own", Source::Own(folder(world))).await;
        assert_eq!((chain.rows, chain.unsealed), (10, 0));
    }
);

both!(
    async fn the_rows_of_a_transaction_stay_in_order(world: &World) {
        let db = world.database.connect().await;
        let tx = db.begin().await.unwrap();
        for id in [9, 8, 7] {
            tx.execute_unprepared(&insert(world, id)).await.unwrap();
        }
        tx.commit().await.unwrap();
        db.close().await.unwrap();
        assert_eq!(seal(world).await, 3);
        assert_eq!(chained(world).await, [9, 8, 7].map(Uuid::from_u128));
    }
);

/// SQLite has one writer at a time, so nothing there commits later than what began after it.
async fn late_commits(world: &World) {
    let db = world.database.connect().await;
    let late = db.begin().await.unwrap();
    for id in [1, 2] {
        late.execute_unprepared(&insert(world, id)).await.unwrap();
    }
    world.sql(&insert(world, 3)).await;
    assert_eq!(seal(world).await, 1);
    late.execute_unprepared(&insert(world, 4)).await.unwrap();
    world.sql(&insert(world, 5)).await;
    late.commit().await.unwrap();
    db.close().await.unwrap();
    assert_eq!(seal(world).await, 4);
    assert_eq!(chained(world).await, [3, 1, 2, 4, 5].map(Uuid::from_u128));
    assert_eq!(wrong(world, "own").await, [] as [String; 0]);
}

#[test]
fn rows_of_a_transaction_that_commits_late_are_sealed_later() {
    tests::run(Backend::Postgres, late_commits);
}

both!(
    async fn a_sealer_that_was_killed_leaves_a_chain_to_go_on_with(world: &World) {
        many(world, 1, 6_000).await;
        let mut sealer = umbral(world, &["audit", "seal"]).spawn().unwrap();
        // In the middle of its work: it seals a thousand rows at a time.
        while world.number("SELECT count(*) FROM audit_seal").await == 0 {
            assert!(sealer.try_wait().unwrap().is_none_or(|status| status.success()));
        }
        sealer.kill().await.unwrap();
        seal(world).await;
        let expected: Vec<Uuid> = (1..=6_000).map(Uuid::from_u128).collect();
        assert_eq!(chained(world).await, expected);
        assert_eq!(wrong(world, "own").await, [] as [String; 0]);
    }
);

both!(
    async fn a_server_seals_by_itself(backend_of: &World) {
        let every = Some(std::time::Duration::from_millis(5));
        let world = World::configured(backend_of.database.backend, |config| config.seal_every = every).await;
        crate::live::recorded(&world.coordinator(), "one").await;
        let file = folder(&world).join("own.jsonl");
        while !std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n')) {
            tokio::task::yield_now().await;
        }
        assert_eq!(wrong(&world, "own").await, [] as [String; 0]);
        let chain = verified(&world, "own", Source::Own(folder(&world))).await;
        assert_eq!((chain.rows, chain.heads, chain.unsealed), (1, 1, 0));
        world.0.shut_down().await;
    }
);

both!(
    async fn the_program_verifies_and_says_where(world: &World) {
        seal_each(world, &["one", "two", "three"]).await;
        crate::live::recorded(&world.coordinator(), "four").await;
        let run = async |command: &[&str]| {
            let output = umbral(world, command).output().await.unwrap();
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            (output.status.code(), text(&output.stdout), text(&output.stderr))
        };
        let (code, said, _) = run(&["audit", "verify"]).await;
        assert_eq!(code, Some(0), "{said}");
        let own = said.lines().find(|line| line.starts_with("own: ")).unwrap();
        assert!(own.starts_with("own: 3 rows up to 2026-11-20T12:00:00Z, 3 heads agree; 1 rows not sealed yet, since 2026-11-20"), "{own}");
        let (code, head, _) = run(&["audit", "head", "--organization", "own"]).await;
        assert_eq!(code, Some(0));
        let elsewhere = world.data_dir.path().join("elsewhere.jsonl");
        std::fs::write(&elsewhere, head).unwrap();
        let elsewhere = elsewhere.display().to_string();
        let (code, said, _) = run(&["audit", "verify", "--heads", &elsewhere]).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("own: 3 rows up to 2026-11-20T12:00:00Z, 1 heads agree"), "{said}");
        assert_eq!(run(&["audit", "verify", "--heads", "/nowhere/at/all"]).await.0, Some(1));
        assert_eq!(run(&["audit", "head", "--organization", "other"]).await.0, Some(1));
        let second = chained(world).await[1];
        unguarded(world).await;
        world
            .sql(&format!("UPDATE audit_event SET role = 'ADMIN' WHERE id = {}", literal(world, second)))
            .await;
        let (code, said, fault) = run(&["audit", "verify"]).await;
        assert_eq!((code, fault.as_str()), (Some(1), "umbral: one fault in the audit\n"));
        assert!(
            said.contains(&format!(
                "\n  row 2 was changed: it is now {second} (RECORD distribution, recorded 2026-11-20"
            )),
            "{said}"
        );
        let (code, said, _) = run(&["audit", "seal"]).await;
        assert_eq!(code, Some(0));
        assert!(said.starts_with("1 rows sealed"), "{said}");
    }
);
