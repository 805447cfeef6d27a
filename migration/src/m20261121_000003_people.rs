//! Who may ask, what was asked twice, and the trace of every write.

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
                    .table("account")
                    .col(uuid("id").primary_key())
                    .col(text("kind"))
                    .col(text("name"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(timestamp_with_time_zone_null("disabled_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("identity")
                    .col(text("issuer"))
                    .col(text("subject"))
                    .col(uuid("account_id"))
                    .primary_key(&mut key(&["issuer", "subject"]))
                    .foreign_key(&mut references("account_id", "account", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("membership")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("account_id"))
                    .col(text("role"))
                    .col(date("starts_on"))
                    .col(date_null("ends_on"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references("account_id", "account", "id"))
                    .to_owned(),
            )
            .await?;
        index(
            manager,
            "membership",
            &["organization_id", "account_id", "role", "starts_on"],
            Uniqueness::Unique,
        )
        .await?;
        manager
            .create_table(
                Table::create()
                    .table("membership_facility")
                    .col(uuid("organization_id"))
                    .col(uuid("membership_id"))
                    .col(uuid("facility_id"))
                    .primary_key(&mut key(&["organization_id", "membership_id", "facility_id"]))
                    .foreign_key(&mut references_own("membership_id", "membership"))
                    .foreign_key(&mut references("facility_id", "facility", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("idempotency")
                    .col(uuid("organization_id"))
                    .col(uuid("account_id"))
                    .col(text("key"))
                    .col(text("operation"))
                    .col(binary("input_hash"))
                    .col(uuid("object_id"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .primary_key(&mut key(&["organization_id", "account_id", "key"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("audit_event")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("account_id"))
                    .col(text("role"))
                    .col(text("action"))
                    .col(text("entity"))
                    .col(uuid("entity_id"))
                    .col(integer_null("entity_version"))
                    .col(json_binary("detail"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .to_owned(),
            )
            .await?;
        for columns in [&["organization_id", "entity_id"][..], &["organization_id", "recorded_at", "id"]] {
            index(manager, "audit_event", columns, Uniqueness::Plain).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("instance")
                    .col(integer("id").primary_key())
                    .col(binary("cursor_key"))
                    .col(boolean("demo"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &[
                "instance",
                "audit_event",
                "idempotency",
                "membership_facility",
                "membership",
                "identity",
                "account",
            ],
        )
        .await
    }
}
