//! What has changed, in the order in which readers may take it: the source of live events.
//!
//! A row is written in the transaction of what it tells of and holds no more than its id. Rows are kept for some days.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

use crate::{Uniqueness, drop_tables, index, key};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        // PostgreSQL hands out sequence numbers before the commit, so a reader that goes by them alone would pass over
        // a transaction that commits late. The number of the transaction tells which are still open.
        let transaction = if postgres { "(pg_current_xact_id()::text)::bigint" } else { "0" };
        let mut sequence = big_integer("sequence");
        if postgres {
            sequence.auto_increment()
        } else {
            sequence.default(0)
        };
        manager
            .create_table(
                Table::create()
                    .table("outbox")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(text("kind"))
                    .col(uuid("row_id"))
                    .col(boolean("open"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(big_integer("transaction_id").default(Expr::cust(transaction)))
                    .col(sequence)
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .check(Expr::cust("kind IN ('DISTRIBUTION', 'STOCK_PLACE')"))
                    .to_owned(),
            )
            .await?;
        index(manager, "outbox", &["transaction_id", "sequence"], Uniqueness::Plain).await?;
        if !postgres {
            // With one writer at a time, the order of the rows is that of the commits.
            manager
                .get_connection()
                .execute_unprepared(
                    "CREATE TRIGGER outbox_numbered AFTER INSERT ON outbox BEGIN \
                     UPDATE outbox SET sequence = \
                         (SELECT sequence FROM outbox ORDER BY transaction_id DESC, sequence DESC LIMIT 1) + 1 \
                     WHERE organization_id = NEW.organization_id AND id = NEW.id; END",
                )
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["outbox"]).await
    }
}
