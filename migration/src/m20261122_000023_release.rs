//! Indicators, and releases of what they measure. For staff alone: what is published is read from `release_file`, which the
//! server keeps in memory, and the outside role is granted none of it.

use sea_orm_migration::{prelude::*, schema::*};

use crate::{
    Uniqueness, drop_tables, index, key,
    m20261121_000004_catalog_version::{unwatch, watch},
    references, references_own,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const KEPT_IN_MEMORY: [&str; 4] = ["indicator", "release", "release_review", "release_file"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("indicator")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(text("code"))
                    .col(text("kind"))
                    .col(json_binary("title"))
                    .col(json_binary_null("base_text"))
                    .col(json_binary("definition"))
                    .col(text("risk_class"))
                    .col(text_null("section"))
                    .col(integer("position"))
                    .col(json_binary("mappings"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .col(timestamp_with_time_zone_null("approved_at"))
                    .col(uuid_null("approved_by"))
                    .col(timestamp_with_time_zone_null("archived_at"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .check(Expr::cust("kind IN ('COUNT', 'SHARE', 'MEAN', 'SUM')"))
                    // Nobody approves a definition alone.
                    .check(Expr::cust(
                        "approved_by IS NULL OR recorded_by IS NULL OR approved_by <> recorded_by",
                    ))
                    .to_owned(),
            )
            .await?;
        index(manager, "indicator", &["organization_id", "code"], Uniqueness::Unique).await?;
        manager
            .create_table(
                Table::create()
                    .table("release")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(integer_null("number"))
                    .col(json_binary("title"))
                    .col(date("starts_on"))
                    .col(date("ends_on"))
                    .col(text("status"))
                    .col(uuid_null("corrects_id"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("frozen_at"))
                    .col(uuid_null("frozen_by"))
                    .col(integer("prepared"))
                    .col(integer("to_prepare"))
                    .col(timestamp_with_time_zone_null("prepared_at"))
                    .col(text_null("draft_digest"))
                    .col(timestamp_with_time_zone_null("published_at"))
                    .col(uuid_null("published_by"))
                    .col(text_null("digest"))
                    .col(timestamp_with_time_zone_null("retracted_at"))
                    .col(uuid_null("retracted_by"))
                    .col(text_null("retraction_reason"))
                    .col(timestamp_with_time_zone_null("discarded_at"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .check(Expr::cust("status IN ('DRAFT', 'IN_REVIEW', 'APPROVED', 'PUBLISHED', 'RETRACTED')"))
                    .check(Expr::cust("(digest IS NULL) = (published_at IS NULL) AND (number IS NULL) = (published_at IS NULL)"))
                    .check(Expr::cust("(retracted_at IS NULL) = (status <> 'RETRACTED')"))
                    .to_owned(),
            )
            .await?;
        index(manager, "release", &["organization_id", "number"], Uniqueness::Unique).await?;
        // What is large, and what is not for everybody who sees that there is a release.
        manager
            .create_table(
                Table::create()
                    .table("release_data")
                    .col(uuid("organization_id"))
                    .col(uuid("release_id"))
                    .col(binary_null("snapshot"))
                    .col(text("snapshot_digest"))
                    .col(binary_null("record"))
                    .col(binary_null("report"))
                    .col(binary_null("draft"))
                    .primary_key(&mut key(&["organization_id", "release_id"]))
                    .foreign_key(&mut references_own("release_id", "release"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("release_review")
                    .col(uuid("organization_id"))
                    .col(uuid("release_id"))
                    .col(uuid("account_id"))
                    .col(text("role"))
                    .col(text("decision"))
                    .col(text_null("note"))
                    .col(text("draft_digest"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .primary_key(&mut key(&["organization_id", "release_id", "account_id"]))
                    .foreign_key(&mut references_own("release_id", "release"))
                    .check(Expr::cust("decision IN ('APPROVE', 'REJECT')"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("release_file")
                    .col(uuid("organization_id"))
                    .col(text("digest"))
                    .col(uuid("release_id"))
                    .col(binary("bytes"))
                    .primary_key(&mut key(&["organization_id", "digest"]))
                    .foreign_key(&mut references_own("release_id", "release"))
                    .to_owned(),
            )
            .await?;
        // The numbers that women have in snapshots. What is written under them stays when the link goes.
        manager
            .create_table(
                Table::create()
                    .table("release_unit")
                    .col(uuid("organization_id"))
                    .col(uuid("participant_id"))
                    .col(integer("unit"))
                    .primary_key(&mut key(&["organization_id", "participant_id"]))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .to_owned(),
            )
            .await?;
        index(manager, "release_unit", &["organization_id", "unit"], Uniqueness::Unique).await?;
        // So many numbers are given out, those of women who were erased included.
        manager
            .create_table(
                Table::create()
                    .table("release_units")
                    .col(uuid("organization_id").primary_key())
                    .col(integer("given"))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .to_owned(),
            )
            .await?;
        watch(manager, &KEPT_IN_MEMORY).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        unwatch(manager, &KEPT_IN_MEMORY).await?;
        drop_tables(
            manager,
            &[
                "release_units",
                "release_unit",
                "release_file",
                "release_review",
                "release_data",
                "release",
                "indicator",
            ],
        )
        .await
    }
}
