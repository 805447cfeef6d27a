//! Registry entries: organisations, facilities, programs, items and kits, and what is said about them.
//!
//! These are the small reference tables that every instance keeps in memory. Each entry belongs to the
//! organisation that made it; others refer to it.

use sea_orm_migration::{prelude::*, schema::*};

use crate::{Uniqueness, drop_tables, index, key, life, references};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                life(Table::create().table("organization").col(uuid("id").primary_key()))
                    .col(text("slug").unique_key())
                    .col(text("name"))
                    .col(text("country"))
                    .col(text("kind"))
                    .col(date_null("active_since"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                life(Table::create().table("statement").col(uuid("organization_id")).col(uuid("id")))
                    .col(text("kind"))
                    .col(integer("position"))
                    .col(json_binary("title"))
                    .col(json_binary("text"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                life(Table::create().table("claim").col(uuid("organization_id")).col(uuid("id")))
                    .col(integer("position"))
                    .col(text("section"))
                    .col(json_binary("text"))
                    .col(big_integer_null("value_thousandths"))
                    .col(text_null("unit"))
                    .col(text("status"))
                    .col(text("source"))
                    .col(date_null("as_of"))
                    .col(json_binary_null("note"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("region")
                    .col(text("iso").primary_key())
                    .col(text("country"))
                    .col(text_null("pcode"))
                    .col(text("name"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                life(Table::create().table("facility").col(uuid("id").primary_key()))
                    .col(uuid("organization_id"))
                    .col(text("slug").unique_key())
                    .col(text("name"))
                    .col(json_binary("aliases"))
                    .col(text("country"))
                    .col(text("region_iso"))
                    .col(text_null("municipality"))
                    .col(text("kind"))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references("region_iso", "region", "iso"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("presence")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("facility_id"))
                    .col(date("starts_on"))
                    .col(date_null("ends_on"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references("facility_id", "facility", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("technique")
                    .col(text("code").primary_key())
                    .col(json_binary("name"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                sensitive(Table::create().table("program").col(uuid("id").primary_key()))
                    .col(text("slug"))
                    .col(json_binary_null("description"))
                    .col(text("area"))
                    .col(json_binary("areas"))
                    .col(json_binary("techniques"))
                    .col(text("status"))
                    .col(date("starts_on"))
                    .col(date_null("ends_on"))
                    .to_owned(),
            )
            .await?;
        index(manager, "program", &["organization_id", "slug"], Uniqueness::Unique).await?;
        manager
            .create_table(
                Table::create()
                    .table("program_site")
                    .col(uuid("program_id"))
                    .col(uuid("facility_id"))
                    .primary_key(&mut key(&["program_id", "facility_id"]))
                    .foreign_key(&mut references("program_id", "program", "id"))
                    .foreign_key(&mut references("facility_id", "facility", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                sensitive(Table::create().table("item").col(uuid("id").primary_key()))
                    .col(text("code"))
                    .col(text("unit"))
                    .to_owned(),
            )
            .await?;
        index(manager, "item", &["organization_id", "code"], Uniqueness::Unique).await?;
        manager
            .create_table(
                sensitive(Table::create().table("kit").col(uuid("id").primary_key()))
                    .col(text("code"))
                    .to_owned(),
            )
            .await?;
        index(manager, "kit", &["organization_id", "code"], Uniqueness::Unique).await?;
        manager
            .create_table(
                Table::create()
                    .table("kit_version")
                    .col(uuid("kit_id"))
                    .col(integer("number"))
                    .col(date("valid_from"))
                    .primary_key(&mut key(&["kit_id", "number"]))
                    .foreign_key(&mut references("kit_id", "kit", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("kit_line")
                    .col(uuid("kit_id"))
                    .col(integer("number"))
                    .col(integer("position"))
                    .col(uuid("item_id"))
                    .col(integer("quantity"))
                    .primary_key(&mut key(&["kit_id", "number", "position"]))
                    .foreign_key(
                        ForeignKey::create()
                            .from_col("kit_id")
                            .from_col("number")
                            .to("kit_version", ("kit_id", "number")),
                    )
                    .foreign_key(&mut references("item_id", "item", "id"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &[
                "kit_line",
                "kit_version",
                "kit",
                "item",
                "program_site",
                "program",
                "technique",
                "presence",
                "facility",
                "region",
                "claim",
                "statement",
                "organization",
            ],
        )
        .await
    }
}

/// An entry that may be sensitive keeps the face that outsiders see until the next quarter.
fn sensitive(table: &mut TableCreateStatement) -> &mut TableCreateStatement {
    life(table)
        .col(uuid("organization_id"))
        .col(json_binary("name"))
        .col(text("sensitivity"))
        .col(date_null("outside_from"))
        .col(json_binary_null("outside_face"))
        .foreign_key(&mut references("organization_id", "organization", "id"))
}
