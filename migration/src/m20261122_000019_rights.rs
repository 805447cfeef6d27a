//! What women ask about their data, and how long data are kept. For staff alone: the outside role is granted none of it.

use sea_orm_migration::{prelude::*, schema::*};

use crate::{Uniqueness, drop_tables, index, key, references, references_own};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("rights_request")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("participant_id"))
                    .col(text("kind"))
                    .col(text_null("purpose"))
                    .col(text("channel"))
                    .col(date("received_on"))
                    .col(text("country"))
                    .col(date("answer_by"))
                    .col(timestamp_with_time_zone_null("extended_at"))
                    .col(text("status"))
                    .col(text_null("ground"))
                    .col(date_null("answered_on"))
                    .col(uuid_null("answered_by"))
                    .col(date_null("fulfil_by"))
                    .col(date_null("fulfilled_on"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .to_owned(),
            )
            .await?;
        index(manager, "rights_request", &["organization_id", "participant_id"], Uniqueness::Plain).await?;
        index(manager, "rights_request", &["organization_id", "answer_by", "id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("retention_rule")
                    .col(uuid("organization_id"))
                    .col(text("subject"))
                    .col(text("event"))
                    .col(integer("months"))
                    .col(text("action"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "subject"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["retention_rule", "rights_request"]).await
    }
}
