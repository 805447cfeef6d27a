//! Deliveries that look alike and are not the same: what a coordinator has said, so that they are not asked again.

use sea_orm_migration::{prelude::*, schema::*};

use crate::{drop_tables, key, references_own};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("duplicate_cleared")
                    .col(uuid("organization_id"))
                    .col(uuid("one_id"))
                    .col(uuid("other_id"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "one_id", "other_id"]))
                    .foreign_key(&mut references_own("one_id", "distribution"))
                    .foreign_key(&mut references_own("other_id", "distribution"))
                    .check(Expr::cust("one_id <> other_id"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["duplicate_cleared"]).await
    }
}
