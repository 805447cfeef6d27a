//! Records of one woman that were made twice: who proposed to merge them, who decided, and which rows were moved. For staff
//! alone: the outside role is granted none of it.

use sea_orm_migration::{prelude::*, schema::*};

use crate::{Uniqueness, drop_tables, index, key, references_own};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("participant_merge")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("kept_id"))
                    .col(uuid("merged_id"))
                    .col(text("status"))
                    .col(timestamp_with_time_zone("proposed_at"))
                    .col(uuid("proposed_by"))
                    .col(timestamp_with_time_zone_null("decided_at"))
                    .col(uuid_null("decided_by"))
                    .col(timestamp_with_time_zone_null("undone_at"))
                    .col(uuid_null("undone_by"))
                    .col(integer("version"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references_own("kept_id", "participant"))
                    .foreign_key(&mut references_own("merged_id", "participant"))
                    .check(Expr::cust("kept_id <> merged_id"))
                    // Two people, whatever a server does.
                    .check(Expr::cust("decided_by <> proposed_by"))
                    .to_owned(),
            )
            .await?;
        index(manager, "participant_merge", &["organization_id", "kept_id"], Uniqueness::Plain).await?;
        index(manager, "participant_merge", &["organization_id", "proposed_at", "id"], Uniqueness::Plain)
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("participant_merge_row")
                    .col(uuid("organization_id"))
                    .col(uuid("merge_id"))
                    .col(text("moved"))
                    .col(uuid("row_id"))
                    .primary_key(&mut key(&["organization_id", "merge_id", "moved", "row_id"]))
                    .foreign_key(&mut references_own("merge_id", "participant_merge"))
                    .to_owned(),
            )
            .await?;
        index(manager, "participant", &["organization_id", "merged_into"], Uniqueness::Plain).await?;
        // A record is merged into one other at most, and proposed for one at a time.
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX participant_merge_open ON participant_merge (organization_id, merged_id) \
                 WHERE status IN ('PROPOSED', 'MERGED')",
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["participant_merge_row", "participant_merge"]).await?;
        let index =
            Index::drop().name("participant_organization_id_merged_into").table("participant").to_owned();
        manager.drop_index(index).await
    }
}
