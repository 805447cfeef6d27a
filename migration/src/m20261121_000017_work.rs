//! Programs at work: workshops, sessions, enrolments, attendance, skills, production and sales. For staff alone: the
//! outside role is granted none of it.

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
                    .table("workshop")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("program_id"))
                    .col(uuid("facility_id"))
                    .col(json_binary("title"))
                    .col(text_null("technique"))
                    .col(text_null("level"))
                    .col(integer_null("hours"))
                    .col(integer_null("capacity"))
                    .col(date("starts_on"))
                    .col(date_null("ends_on"))
                    .col(timestamp_with_time_zone_null("cancelled_at"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references("program_id", "program", "id"))
                    .foreign_key(&mut references("facility_id", "facility", "id"))
                    .foreign_key(&mut references("technique", "technique", "code"))
                    .to_owned(),
            )
            .await?;
        index(manager, "workshop", &["organization_id", "program_id"], Uniqueness::Plain).await?;
        index(manager, "workshop", &["organization_id", "starts_on", "id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("session")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("program_id"))
                    .col(uuid_null("workshop_id"))
                    .col(uuid("facility_id"))
                    .col(timestamp_with_time_zone("starts_at"))
                    .col(integer("minutes"))
                    .col(text("status"))
                    .col(text_null("provider"))
                    .col(integer_null("attended"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references("program_id", "program", "id"))
                    .foreign_key(&mut references_own("workshop_id", "workshop"))
                    .foreign_key(&mut references("facility_id", "facility", "id"))
                    .to_owned(),
            )
            .await?;
        index(manager, "session", &["organization_id", "program_id"], Uniqueness::Plain).await?;
        index(manager, "session", &["organization_id", "workshop_id"], Uniqueness::Plain).await?;
        index(manager, "session", &["organization_id", "starts_at", "id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("enrolment")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("participant_id"))
                    .col(uuid("program_id"))
                    .col(uuid_null("workshop_id"))
                    .col(text("status"))
                    .col(date("starts_on"))
                    .col(date("since"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .foreign_key(&mut references("program_id", "program", "id"))
                    .foreign_key(&mut references_own("workshop_id", "workshop"))
                    .to_owned(),
            )
            .await?;
        index(manager, "enrolment", &["organization_id", "participant_id"], Uniqueness::Plain).await?;
        index(manager, "enrolment", &["organization_id", "workshop_id"], Uniqueness::Plain).await?;
        index(manager, "enrolment", &["organization_id", "starts_on", "id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("enrolment_step")
                    .col(uuid("organization_id"))
                    .col(uuid("enrolment_id"))
                    .col(integer("position"))
                    .col(text("status"))
                    .col(date("since"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "enrolment_id", "position"]))
                    .foreign_key(&mut references_own("enrolment_id", "enrolment"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("attendance")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("session_id"))
                    .col(uuid("participant_id"))
                    .col(text("mark"))
                    .col(text_null("reason"))
                    .col(integer_null("minutes"))
                    .col(uuid("client_id"))
                    .col(text_null("form_number"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references_own("session_id", "session"))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .to_owned(),
            )
            .await?;
        index(
            manager,
            "attendance",
            &["organization_id", "session_id", "participant_id"],
            Uniqueness::Unique,
        )
        .await?;
        index(manager, "attendance", &["organization_id", "client_id"], Uniqueness::Unique).await?;
        index(manager, "attendance", &["organization_id", "participant_id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("skill")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("participant_id"))
                    .col(text("technique"))
                    .col(text("level"))
                    .col(date("attested_on"))
                    .col(uuid_null("attested_by"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .foreign_key(&mut references("technique", "technique", "code"))
                    .to_owned(),
            )
            .await?;
        index(
            manager,
            "skill",
            &["organization_id", "participant_id", "technique", "level"],
            Uniqueness::Unique,
        )
        .await?;
        index(manager, "skill", &["organization_id", "attested_on", "id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("product")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(text("code"))
                    .col(json_binary("name"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .to_owned(),
            )
            .await?;
        index(manager, "product", &["organization_id", "code"], Uniqueness::Unique).await?;
        manager
            .create_table(
                Table::create()
                    .table("production_batch")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("product_id"))
                    .col(uuid("program_id"))
                    .col(uuid("facility_id"))
                    .col(date("made_on"))
                    .col(integer("quantity"))
                    .col(integer("rejected"))
                    .col(uuid_null("payout_run_id"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references_own("product_id", "product"))
                    .foreign_key(&mut references("program_id", "program", "id"))
                    .foreign_key(&mut references("facility_id", "facility", "id"))
                    .to_owned(),
            )
            .await?;
        index(manager, "production_batch", &["organization_id", "product_id"], Uniqueness::Plain).await?;
        index(manager, "production_batch", &["organization_id", "program_id", "made_on"], Uniqueness::Plain)
            .await?;
        index(manager, "production_batch", &["organization_id", "made_on", "id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("production_maker")
                    .col(uuid("organization_id"))
                    .col(uuid("batch_id"))
                    .col(uuid("participant_id"))
                    .col(integer("parts"))
                    .primary_key(&mut key(&["organization_id", "batch_id", "participant_id"]))
                    .foreign_key(&mut references_own("batch_id", "production_batch"))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .to_owned(),
            )
            .await?;
        index(manager, "production_maker", &["organization_id", "participant_id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("sale")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("program_id"))
                    .col(uuid("product_id"))
                    .col(uuid_null("batch_id"))
                    .col(text("channel"))
                    .col(date("sold_on"))
                    .col(integer("quantity"))
                    .col(big_integer("gross_minor"))
                    .col(text("currency"))
                    .col(uuid_null("reverses_id"))
                    .col(uuid_null("payout_run_id"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references("program_id", "program", "id"))
                    .foreign_key(&mut references_own("product_id", "product"))
                    .foreign_key(&mut references_own("batch_id", "production_batch"))
                    .to_owned(),
            )
            .await?;
        index(manager, "sale", &["organization_id", "reverses_id"], Uniqueness::Unique).await?;
        index(manager, "sale", &["organization_id", "program_id", "sold_on"], Uniqueness::Plain).await?;
        index(manager, "sale", &["organization_id", "batch_id"], Uniqueness::Plain).await?;
        index(manager, "sale", &["organization_id", "payout_run_id"], Uniqueness::Plain).await?;
        index(manager, "sale", &["organization_id", "sold_on", "id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("legal_matter")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("participant_id"))
                    .col(date("opened_on"))
                    .col(text("stage"))
                    .col(text("outcome"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .to_owned(),
            )
            .await?;
        index(manager, "legal_matter", &["organization_id", "participant_id"], Uniqueness::Plain).await?;
        index(manager, "legal_matter", &["organization_id", "opened_on", "id"], Uniqueness::Plain).await?;
        one_open_enrolment(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &[
                "legal_matter",
                "sale",
                "production_maker",
                "production_batch",
                "product",
                "skill",
                "attendance",
                "enrolment_step",
                "enrolment",
                "session",
                "workshop",
            ],
        )
        .await
    }
}

/// A woman is in a workshop, or in a program without one, at most once at a time.
async fn one_open_enrolment(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    const OPEN: &str = "status IN ('APPLIED', 'WAITLISTED', 'ENROLLED', 'ACTIVE')";
    for (name, column, of) in [
        ("enrolment_open_workshop", "workshop_id", "workshop_id IS NOT NULL"),
        ("enrolment_open_program", "program_id", "workshop_id IS NULL"),
    ] {
        let sql = format!(
            "CREATE UNIQUE INDEX {name} ON enrolment (organization_id, participant_id, {column}) \
             WHERE {of} AND {OPEN}"
        );
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}
