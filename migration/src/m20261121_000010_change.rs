//! What has changed, for devices that ask for everything since they asked last: one row for each object, with the
//! number of its newest change.
//!
//! Triggers keep it, so that a change made by another process, or by hand in SQL, is in it as well. On PostgreSQL the
//! number is that of the transaction: numbers of open transactions are known, so a reader can tell up to where nothing
//! is missing, and nobody waits for anybody. On SQLite, with its one writer, it is counted.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

use crate::{Uniqueness, drop_tables, index, key};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Tables by the kind of their global ids.
const TABLES: [(u8, &str); 7] = [
    (2, "facility"),
    (3, "program"),
    (4, "item"),
    (5, "kit"),
    (6, "distribution"),
    (20, "stock_place"),
    (22, "stock_movement"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("change")
                    .col(uuid("organization_id"))
                    .col(integer("kind"))
                    .col(uuid("row_id"))
                    .col(big_integer("changed"))
                    .primary_key(&mut key(&["organization_id", "kind", "row_id"]))
                    .to_owned(),
            )
            .await?;
        index(manager, "change", &["organization_id", "changed", "kind", "row_id"], Uniqueness::Plain)
            .await?;
        index(manager, "change", &["kind", "changed", "row_id"], Uniqueness::Plain).await?;
        let db = manager.get_connection();
        for (kind, table) in TABLES {
            db.execute_unprepared(&format!(
                "INSERT INTO change (organization_id, kind, row_id, changed) SELECT organization_id, {kind}, id, 1 FROM {table}"
            ))
            .await?;
        }
        match manager.get_database_backend() {
            DbBackend::Postgres => {
                db.execute_unprepared(
                    "CREATE FUNCTION change_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                     INSERT INTO change (organization_id, kind, row_id, changed) \
                     SELECT organization_id, TG_ARGV[0]::int, id, pg_current_xact_id()::text::bigint FROM fresh \
                     ON CONFLICT (organization_id, kind, row_id) DO UPDATE SET changed = excluded.changed; \
                     RETURN NULL; END $$",
                )
                .await?;
                for (kind, table) in TABLES {
                    for event in ["INSERT", "UPDATE"] {
                        db.execute_unprepared(&format!(
                            "CREATE TRIGGER {table}_noted_{event} AFTER {event} ON {table} \
                             REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION change_noted({kind})"
                        ))
                        .await?;
                    }
                }
            }
            _ => {
                // One read of an index for each kind.
                let newest = TABLES
                    .map(|(kind, _)| format!("SELECT max(changed) AS n FROM change WHERE kind = {kind}"));
                let newest = newest.join(" UNION ALL ");
                for (kind, table) in TABLES {
                    for event in ["INSERT", "UPDATE"] {
                        db.execute_unprepared(&format!(
                            "CREATE TRIGGER {table}_noted_{event} AFTER {event} ON {table} BEGIN \
                             INSERT INTO change (organization_id, kind, row_id, changed) \
                             VALUES (NEW.organization_id, {kind}, NEW.id, (SELECT 1 + COALESCE(max(n), 0) FROM ({newest}))) \
                             ON CONFLICT (organization_id, kind, row_id) DO UPDATE SET changed = excluded.changed; END"
                        ))
                        .await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        for (_, table) in TABLES {
            for event in ["INSERT", "UPDATE"] {
                let on = if postgres { format!(" ON {table}") } else { String::new() };
                db.execute_unprepared(&format!("DROP TRIGGER {table}_noted_{event}{on}")).await?;
            }
        }
        if postgres {
            db.execute_unprepared("DROP FUNCTION change_noted()").await?;
        }
        drop_tables(manager, &["change"]).await
    }
}
