//! Surveys: instruments and their versions, rounds, and responses whose answers are ciphertext. For staff alone: the outside
//! role is granted none of it.

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
                    .table("instrument")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(text("code"))
                    .col(json_binary("title"))
                    .col(integer("latest"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .col(timestamp_with_time_zone_null("archived_at"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .to_owned(),
            )
            .await?;
        index(manager, "instrument", &["organization_id", "code"], Uniqueness::Unique).await?;
        manager
            .create_table(
                Table::create()
                    .table("instrument_version")
                    .col(uuid("organization_id"))
                    .col(uuid("instrument_id"))
                    .col(integer("number"))
                    .col(json_binary("questions"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "instrument_id", "number"]))
                    .foreign_key(&mut references_own("instrument_id", "instrument"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("survey_round")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(text("code"))
                    .col(uuid("instrument_id"))
                    .col(integer("instrument_version"))
                    .col(text("mode"))
                    .col(text("linkage"))
                    .col(text("notice_version"))
                    .col(date("starts_on"))
                    .col(date("ends_on"))
                    .col(integer_null("universe"))
                    .col(integer_null("eligible"))
                    .col(integer_null("invited"))
                    .col(timestamp_with_time_zone_null("closed_at"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references_own("instrument_id", "instrument"))
                    .to_owned(),
            )
            .await?;
        index(manager, "survey_round", &["organization_id", "code"], Uniqueness::Unique).await?;
        index(manager, "survey_round", &["organization_id", "starts_on", "id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("survey_round_facility")
                    .col(uuid("organization_id"))
                    .col(uuid("round_id"))
                    .col(uuid("facility_id"))
                    .primary_key(&mut key(&["organization_id", "round_id", "facility_id"]))
                    .foreign_key(&mut references_own("round_id", "survey_round"))
                    .foreign_key(&mut references("facility_id", "facility", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("survey_response")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("round_id"))
                    .col(uuid("facility_id"))
                    .col(uuid_null("participant_id"))
                    .col(uuid_null("consent_id"))
                    .col(text("outcome"))
                    .col(date("answered_on"))
                    .col(text("channel"))
                    .col(uuid("client_id"))
                    .col(text_null("form_number"))
                    .col(binary_null("answers"))
                    .col(timestamp_with_time_zone_null("withdrawn_at"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references_own("round_id", "survey_round"))
                    .foreign_key(&mut references("facility_id", "facility", "id"))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .foreign_key(&mut references_own("consent_id", "consent"))
                    // What was not answered has no answers, whatever a server does.
                    .check(Expr::cust("answers IS NULL OR outcome = 'ANSWERED'"))
                    .to_owned(),
            )
            .await?;
        index(manager, "survey_response", &["organization_id", "client_id"], Uniqueness::Unique).await?;
        index(manager, "survey_response", &["organization_id", "participant_id"], Uniqueness::Plain).await?;
        index(
            manager,
            "survey_response",
            &["organization_id", "round_id", "recorded_at", "id"],
            Uniqueness::Plain,
        )
        .await?;
        // A woman is once in a round. Those of whom nobody knows are as many as they are.
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX survey_response_once ON survey_response (organization_id, round_id, participant_id) \
                 WHERE participant_id IS NOT NULL",
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &["survey_response", "survey_round_facility", "survey_round", "instrument_version", "instrument"],
        )
        .await
    }
}
