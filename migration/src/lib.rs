//! The schema's history. Tables are named by string, so that an old migration never changes.
#![expect(elided_lifetimes_in_paths, reason = "async_trait asks for the signature as the trait writes it")]

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod m20261121_000001_registry;
mod m20261121_000002_operations;
mod m20261121_000003_people;
mod m20261121_000004_catalog_version;
mod m20261121_000005_stock;
mod m20261121_000006_outbox;
mod m20261121_000008_gift;
mod m20261121_000009_devices;
mod m20261121_000010_change;
mod m20261121_000011_shipment;
mod m20261121_000012_stock_on_hand;
mod m20261121_000013_duplicate;
mod m20261121_000014_sign_in;
mod m20261121_000015_audit_chain;
mod m20261121_000016_record;
mod m20261121_000017_work;
mod m20261121_000018_payout;
mod m20261122_000019_rights;
mod m20261122_000020_hidden;
mod m20261122_000021_merge;
mod m20261122_000022_survey;
mod m20261122_000023_release;
pub mod outside;

pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_registry::Migration),
            Box::new(m20261121_000002_operations::Migration),
            Box::new(m20261121_000003_people::Migration),
            Box::new(m20261121_000004_catalog_version::Migration),
            Box::new(m20261121_000005_stock::Migration),
            Box::new(m20261121_000006_outbox::Migration),
            Box::new(m20261121_000008_gift::Migration),
            Box::new(m20261121_000009_devices::Migration),
            Box::new(m20261121_000010_change::Migration),
            Box::new(m20261121_000011_shipment::Migration),
            Box::new(m20261121_000012_stock_on_hand::Migration),
            Box::new(m20261121_000013_duplicate::Migration),
            Box::new(m20261121_000014_sign_in::Migration),
            Box::new(m20261121_000015_audit_chain::Migration),
            Box::new(m20261121_000016_record::Migration),
            Box::new(m20261121_000017_work::Migration),
            Box::new(m20261121_000018_payout::Migration),
            Box::new(m20261122_000019_rights::Migration),
            Box::new(m20261122_000020_hidden::Migration),
            Box::new(m20261122_000021_merge::Migration),
            Box::new(m20261122_000022_survey::Migration),
            Box::new(m20261122_000023_release::Migration),
        ]
    }
}

/// The columns that every versioned row has: the clock of the record and the life of the entry.
fn life(table: &mut TableCreateStatement) -> &mut TableCreateStatement {
    use sea_orm_migration::schema::{integer, timestamp_with_time_zone, timestamp_with_time_zone_null};
    table
        .col(integer("version"))
        .col(timestamp_with_time_zone("recorded_at"))
        .col(timestamp_with_time_zone_null("published_at"))
        .col(timestamp_with_time_zone_null("archived_at"))
}

/// A foreign key by names.
fn references(column: &'static str, table: &'static str, key: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from_col(column).to(table, key).to_owned()
}

/// A foreign key to a row of the same organisation: both columns lead with it.
fn references_own(column: &'static str, table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from_col("organization_id")
        .from_col(column)
        .to(table, ("organization_id", "id"))
        .to_owned()
}

fn key(columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    for column in columns {
        index.col(*column);
    }
    index.primary();
    index
}

async fn index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
    unique: Uniqueness,
) -> Result<(), DbErr> {
    let mut index = Index::create();
    index.table(table).name(format!("{table}_{}", columns.join("_")));
    for column in columns {
        index.col(*column);
    }
    if matches!(unique, Uniqueness::Unique) {
        index.unique();
    }
    manager.create_index(index).await
}

enum Uniqueness {
    Plain,
    Unique,
}

async fn drop_tables(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables {
        manager.drop_table(Table::drop().table(*table).to_owned()).await?;
    }
    Ok(())
}
