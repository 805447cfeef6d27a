//! Operations: agreements, awards, gifts in kind and deliveries. Every key leads with the organisation, so
//! that the tables can be distributed by tenant.

use sea_orm_migration::{prelude::*, schema::*};

use crate::{Uniqueness, drop_tables, index, key, life, references, references_own};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                own("agreement")
                    .col(text("title"))
                    .col(date("starts_on"))
                    .col(date_null("ends_on"))
                    .col(text("time_zone"))
                    .col(boolean("all_facilities"))
                    .col(boolean("all_programs"))
                    .col(json_binary("shares"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(link("agreement_party", "agreement_id", "agreement", "partner_id", "organization"))
            .await?;
        manager
            .create_table(link("agreement_facility", "agreement_id", "agreement", "facility_id", "facility"))
            .await?;
        manager
            .create_table(link("agreement_program", "agreement_id", "agreement", "program_id", "program"))
            .await?;

        manager
            .create_table(
                own("award")
                    .col(uuid("donor_id"))
                    .col(json_binary("title"))
                    .col(big_integer("amount_minor"))
                    .col(text("currency"))
                    .col(date("awarded_on"))
                    .col(date("starts_on"))
                    .col(date_null("ends_on"))
                    .foreign_key(&mut references("donor_id", "organization", "id"))
                    .to_owned(),
            )
            .await?;
        manager.create_table(link("award_program", "award_id", "award", "program_id", "program")).await?;

        manager
            .create_table(
                own("gift")
                    .col(uuid("donor_id"))
                    .col(date("received_on"))
                    .col(big_integer_null("value_minor"))
                    .col(text_null("currency"))
                    .foreign_key(&mut references("donor_id", "organization", "id"))
                    .to_owned(),
            )
            .await?;
        manager.create_table(link("gift_program", "gift_id", "gift", "program_id", "program")).await?;
        manager
            .create_table(
                Table::create()
                    .table("gift_line")
                    .col(uuid("organization_id"))
                    .col(uuid("gift_id"))
                    .col(integer("position"))
                    .col(uuid_null("item_id"))
                    .col(uuid_null("kit_id"))
                    .col(integer_null("kit_version"))
                    .col(integer("quantity"))
                    .primary_key(&mut key(&["organization_id", "gift_id", "position"]))
                    .foreign_key(&mut references_own("gift_id", "gift"))
                    .foreign_key(&mut references("item_id", "item", "id"))
                    .foreign_key(&mut references("kit_id", "kit", "id"))
                    .to_owned(),
            )
            .await?;

        manager
            .create_table(
                Table::create()
                    .table("distribution")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(text("class"))
                    .col(uuid("facility_id"))
                    .col(uuid("program_id"))
                    .col(date("occurred_on"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(text("status"))
                    .col(integer("people_reached"))
                    .col(text("reach_method"))
                    .col(integer("version"))
                    .col(uuid_null("recorded_by"))
                    .col(text_null("import_key"))
                    .col(timestamp_with_time_zone_null("verified_at"))
                    .col(timestamp_with_time_zone_null("voided_at"))
                    .col(text_null("void_reason"))
                    .col(text_null("void_note"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references("facility_id", "facility", "id"))
                    .foreign_key(&mut references("program_id", "program", "id"))
                    .check(Expr::cust("class IN ('OPERATIONS', 'RECORDS')"))
                    .check(Expr::cust("people_reached >= 0"))
                    .to_owned(),
            )
            .await?;
        for columns in [
            &["organization_id", "occurred_on", "id"][..],
            &["organization_id", "facility_id", "occurred_on", "id"],
            &["organization_id", "program_id", "occurred_on", "id"],
            &["organization_id", "recorded_at", "id"],
        ] {
            index(manager, "distribution", columns, Uniqueness::Plain).await?;
        }
        index(manager, "distribution", &["organization_id", "import_key"], Uniqueness::Unique).await?;
        manager
            .create_table(
                Table::create()
                    .table("distribution_line")
                    .col(uuid("organization_id"))
                    .col(uuid("distribution_id"))
                    .col(integer("position"))
                    .col(text("class"))
                    .col(boolean("shown"))
                    .col(uuid_null("item_id"))
                    .col(uuid_null("kit_id"))
                    .col(integer_null("kit_version"))
                    .col(integer("quantity"))
                    .col(integer("people_reached"))
                    .primary_key(&mut key(&["organization_id", "distribution_id", "position"]))
                    .foreign_key(&mut references_own("distribution_id", "distribution"))
                    .foreign_key(&mut references("item_id", "item", "id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from_col("kit_id")
                            .from_col("kit_version")
                            .to("kit_version", ("kit_id", "number")),
                    )
                    .check(Expr::cust("class IN ('OPERATIONS', 'RECORDS')"))
                    .check(Expr::cust("quantity > 0"))
                    .check(Expr::cust("(item_id IS NULL) <> (kit_id IS NULL)"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &[
                "distribution_line",
                "distribution",
                "gift_line",
                "gift_program",
                "gift",
                "award_program",
                "award",
                "agreement_program",
                "agreement_facility",
                "agreement_party",
                "agreement",
            ],
        )
        .await
    }
}

/// A table of rows that belong to one organisation.
fn own(table: &'static str) -> TableCreateStatement {
    life(Table::create().table(table).col(uuid("organization_id")).col(uuid("id")))
        .primary_key(&mut key(&["organization_id", "id"]))
        .foreign_key(&mut references("organization_id", "organization", "id"))
        .to_owned()
}

/// A table that joins such a row with a registry entry.
fn link(
    table: &'static str,
    column: &'static str,
    parent: &'static str,
    other: &'static str,
    other_table: &'static str,
) -> TableCreateStatement {
    Table::create()
        .table(table)
        .col(uuid("organization_id"))
        .col(uuid(column))
        .col(uuid(other))
        .primary_key(&mut key(&["organization_id", column, other]))
        .foreign_key(&mut references_own(column, parent))
        .foreign_key(&mut references(other, other_table, "id"))
        .to_owned()
}
