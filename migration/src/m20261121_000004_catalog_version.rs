//! One number that grows with every change to a table that the server keeps in memory.
//!
//! Triggers keep it, so that a change made by another process, or by hand in SQL, is noticed as well.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, integer},
    sea_orm::DbBackend,
};

use crate::drop_tables;

#[derive(DeriveMigrationName)]
pub struct Migration;

const KEPT_IN_MEMORY: [&str; 26] = [
    "organization",
    "statement",
    "claim",
    "region",
    "facility",
    "presence",
    "technique",
    "program",
    "program_site",
    "item",
    "kit",
    "kit_version",
    "kit_line",
    "agreement",
    "agreement_party",
    "agreement_facility",
    "agreement_program",
    "award",
    "award_program",
    "gift",
    "gift_program",
    "gift_line",
    "account",
    "identity",
    "membership",
    "membership_facility",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("catalog_version")
                    .col(integer("id").primary_key())
                    .col(big_integer("version"))
                    .to_owned(),
            )
            .await?;
        let db = manager.get_connection();
        db.execute_unprepared("INSERT INTO catalog_version (id, version) VALUES (1, 1)").await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            db.execute_unprepared(
                "CREATE FUNCTION catalog_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 UPDATE catalog_version SET version = version + 1 WHERE id = 1; RETURN NULL; END $$",
            )
            .await?;
        }
        watch(manager, &KEPT_IN_MEMORY).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        unwatch(manager, &KEPT_IN_MEMORY).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            db.execute_unprepared("DROP FUNCTION catalog_changed()").await?;
        }
        drop_tables(manager, &["catalog_version"]).await
    }
}

/// Makes each change to these tables count.
pub(crate) async fn watch(manager: &SchemaManager<'_>, tables: &[&str]) -> Result<(), DbErr> {
    let db = manager.get_connection();
    for table in tables {
        if manager.get_database_backend() == DbBackend::Postgres {
            db.execute_unprepared(&format!(
                "CREATE TRIGGER {table}_changed AFTER INSERT OR UPDATE OR DELETE ON {table} \
                 FOR EACH STATEMENT EXECUTE FUNCTION catalog_changed()"
            ))
            .await?;
        } else {
            for event in ["INSERT", "UPDATE", "DELETE"] {
                db.execute_unprepared(&format!(
                    "CREATE TRIGGER {table}_changed_{event} AFTER {event} ON {table} \
                     BEGIN UPDATE catalog_version SET version = version + 1 WHERE id = 1; END"
                ))
                .await?;
            }
        }
    }
    Ok(())
}

/// Undoes [`watch`].
pub(crate) async fn unwatch(manager: &SchemaManager<'_>, tables: &[&str]) -> Result<(), DbErr> {
    let db = manager.get_connection();
    for table in tables {
        if manager.get_database_backend() == DbBackend::Postgres {
            db.execute_unprepared(&format!("DROP TRIGGER {table}_changed ON {table}")).await?;
        } else {
            for event in ["INSERT", "UPDATE", "DELETE"] {
                db.execute_unprepared(&format!("DROP TRIGGER {table}_changed_{event}")).await?;
            }
        }
    }
    Ok(())
}
