//! The audit: its chain, its heads outside the database, and what stewards and auditors read of it.

mod heads;
mod keys;
mod read;
mod seal;
mod tamper;

use api::{
    id::Kind,
    store::audit::{
        heads::Heads,
        verify::{Chain, Source},
    },
};
use sea_orm::prelude::Uuid;
use tests::{Backend, catalogue};

use crate::world::*;

/// The folder that a world's server writes heads to.
pub fn folder(world: &World) -> std::path::PathBuf {
    world.data_dir.path().join("heads")
}

/// Seals what is pending and writes the heads, as the server does from time to time.
pub async fn seal(world: &World) -> u64 {
    let store = &world.running.store;
    let sealed = store.seal_audit().await.unwrap_or_else(|error| panic!("{error:?}"));
    store.export_heads(&Heads::new(folder(world))).await.unwrap_or_else(|error| panic!("{error:?}"));
    sealed
}

/// What verification finds of an organisation.
pub async fn verified(world: &World, slug: &str, source: Source) -> Chain {
    let chains = world.running.store.verify_audit(&source).await.unwrap_or_else(|error| panic!("{error:?}"));
    chains.into_iter().find(|chain| chain.slug == slug).unwrap_or_else(|| panic!("no chain of {slug}"))
}

/// All that is wrong with an organisation's audit, in words.
pub async fn wrong(world: &World, slug: &str) -> Vec<String> {
    let chain = verified(world, slug, Source::Own(folder(world))).await;
    assert_eq!(chain.faults.more, 0);
    chain.faults.listed.iter().map(ToString::to_string).collect()
}

/// Writes a row, and seals it alone.
pub async fn seal_each(world: &World, keys: &[&str]) {
    for key in keys {
        crate::live::recorded(&world.coordinator(), key).await;
        assert_eq!(seal(world).await, 1);
    }
}

/// The audit rows of the own organisation in the order of the chain.
pub async fn chained(world: &World) -> Vec<Uuid> {
    let db = world.database.connect().await;
    let own = world.literal(Kind::Organization, OWN);
    let sql = format!("SELECT event_id FROM audit_link WHERE organization_id = {own} ORDER BY number");
    let rows = catalogue::query(&db, &sql).await;
    db.close().await.unwrap_or_else(|error| panic!("{error}"));
    rows.iter().map(|row| row.try_get("", "event_id").unwrap_or_else(|error| panic!("{error}"))).collect()
}

/// A UUID as this system's SQL writes it.
pub fn literal(world: &World, id: Uuid) -> String {
    match world.database.backend {
        Backend::Sqlite => format!("x'{}'", id.simple()),
        Backend::Postgres => format!("'{id}'"),
    }
}

/// Takes the database's own hurdles away, as somebody with a console does.
pub async fn unguarded(world: &World) {
    for table in ["audit_event", "audit_link", "audit_seal"] {
        match world.database.backend {
            Backend::Sqlite => {
                world.sql(&format!("DROP TRIGGER {table}_kept_update")).await;
                world.sql(&format!("DROP TRIGGER {table}_kept_delete")).await;
            }
            Backend::Postgres => world.sql(&format!("DROP TRIGGER {table}_kept ON {table}")).await,
        }
    }
}

/// Rows written from now on wait for no seal.
pub async fn unnoticed(world: &World) {
    world
        .sql(match world.database.backend {
            Backend::Sqlite => "DROP TRIGGER audit_event_pending",
            Backend::Postgres => "DROP TRIGGER audit_event_pending ON audit_event",
        })
        .await;
}
