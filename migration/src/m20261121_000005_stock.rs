//! The stock ledger: places, lots, movements with their entries, and what is kept of them.
//!
//! Movements are only ever added. What is on hand is kept by day, so that a question about a past day is one
//! read of an index; the database itself refuses a day that would close below zero.

use sea_orm_migration::{prelude::*, schema::*};

use crate::{
    Uniqueness, drop_tables, index, key,
    m20261121_000004_catalog_version::{unwatch, watch},
    references, references_own,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const KEPT_IN_MEMORY: [&str; 4] = ["stock_place", "adequacy_norm", "facility_population", "item_permission"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        reference_tables(manager).await?;
        lots(manager).await?;
        movements(manager).await?;
        kept(manager).await?;
        watch(manager, &KEPT_IN_MEMORY).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        unwatch(manager, &KEPT_IN_MEMORY).await?;
        drop_tables(
            manager,
            &[
                "stock_day",
                "stock_balance",
                "stock_entry",
                "stock_movement",
                "stock_lot_part",
                "stock_lot",
                "item_permission",
                "facility_population",
                "adequacy_norm",
                "stock_place",
            ],
        )
        .await
    }
}

async fn reference_tables(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            own("stock_place")
                .col(text("kind"))
                .col(uuid_null("facility_id"))
                .col(text("name"))
                .col(integer("version"))
                .col(timestamp_with_time_zone_null("archived_at"))
                .foreign_key(&mut references("facility_id", "facility", "id"))
                .check(Expr::cust("kind IN ('WAREHOUSE', 'FACILITY_STORE', 'IN_TRANSIT')"))
                .check(Expr::cust("(kind = 'FACILITY_STORE') = (facility_id IS NOT NULL)"))
                .to_owned(),
        )
        .await?;
    index(manager, "stock_place", &["organization_id", "name"], Uniqueness::Unique).await?;
    manager
        .create_table(
            own("adequacy_norm")
                .col(uuid("item_id"))
                .col(text("source"))
                .col(text("edition"))
                .col(integer("quantity"))
                .col(integer("months"))
                .col(date("valid_from"))
                .foreign_key(&mut references("item_id", "item", "id"))
                .check(Expr::cust("quantity > 0 AND months > 0"))
                .to_owned(),
        )
        .await?;
    index(manager, "adequacy_norm", &["organization_id", "item_id", "valid_from"], Uniqueness::Unique)
        .await?;
    manager
        .create_table(
            own("facility_population")
                .col(uuid("facility_id"))
                .col(date("counted_on"))
                .col(integer("women"))
                .col(text("source"))
                .foreign_key(&mut references("facility_id", "facility", "id"))
                .check(Expr::cust("women >= 0"))
                .to_owned(),
        )
        .await?;
    let columns = ["organization_id", "facility_id", "counted_on"];
    index(manager, "facility_population", &columns, Uniqueness::Unique).await?;
    manager
        .create_table(
            own("item_permission")
                .col(uuid("facility_id"))
                .col(uuid("item_id"))
                .col(boolean("permitted"))
                .col(date("since"))
                .col(text("source"))
                .foreign_key(&mut references("facility_id", "facility", "id"))
                .foreign_key(&mut references("item_id", "item", "id"))
                .to_owned(),
        )
        .await?;
    let columns = ["organization_id", "facility_id", "item_id", "since"];
    index(manager, "item_permission", &columns, Uniqueness::Unique).await
}

async fn lots(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            own("stock_lot")
                .col(uuid_null("item_id"))
                .col(uuid_null("kit_id"))
                .col(integer_null("kit_version"))
                .col(text_null("number"))
                .col(date_null("expires_on"))
                .col(text("source"))
                .col(uuid_null("donor_id"))
                .col(uuid_null("gift_id"))
                .col(uuid_null("award_id"))
                .col(big_integer_null("unit_value_minor"))
                .col(text_null("currency"))
                .foreign_key(&mut references("item_id", "item", "id"))
                .foreign_key(
                    ForeignKey::create()
                        .from_col("kit_id")
                        .from_col("kit_version")
                        .to("kit_version", ("kit_id", "number")),
                )
                .foreign_key(&mut references("donor_id", "organization", "id"))
                .foreign_key(&mut references_own("gift_id", "gift"))
                .foreign_key(&mut references_own("award_id", "award"))
                .check(Expr::cust("(item_id IS NULL) <> (kit_id IS NULL)"))
                .check(Expr::cust("(kit_id IS NULL) = (kit_version IS NULL)"))
                .check(Expr::cust("source IN ('DONATION', 'PURCHASE', 'ASSEMBLED')"))
                .check(Expr::cust("(unit_value_minor IS NULL) = (currency IS NULL)"))
                .check(Expr::cust("gift_id IS NULL OR donor_id IS NOT NULL"))
                .to_owned(),
        )
        .await?;
    for columns in [
        &["organization_id", "item_id"][..],
        &["organization_id", "kit_id"],
        &["organization_id", "gift_id"],
        &["organization_id", "recorded_at", "id"],
    ] {
        index(manager, "stock_lot", columns, Uniqueness::Plain).await?;
    }
    manager
        .create_table(
            Table::create()
                .table("stock_lot_part")
                .col(uuid("organization_id"))
                .col(uuid("lot_id"))
                .col(uuid("part_lot_id"))
                .col(integer("quantity"))
                .primary_key(&mut key(&["organization_id", "lot_id", "part_lot_id"]))
                .foreign_key(&mut references_own("lot_id", "stock_lot"))
                .foreign_key(&mut references_own("part_lot_id", "stock_lot"))
                .check(Expr::cust("quantity > 0"))
                .to_owned(),
        )
        .await?;
    index(manager, "stock_lot_part", &["organization_id", "part_lot_id"], Uniqueness::Plain).await
}

async fn movements(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            own("stock_movement")
                .col(text("kind"))
                .col(date("occurred_on"))
                .col(text_null("reason"))
                .col(text_null("note"))
                .col(uuid_null("reverses_id"))
                .col(uuid_null("follows_id"))
                .col(uuid_null("to_place_id"))
                .col(uuid_null("distribution_id"))
                .col(text_null("form_number"))
                .col(uuid_null("recorded_by"))
                .col(json_binary_null("counted"))
                .foreign_key(&mut references_own("reverses_id", "stock_movement"))
                .foreign_key(&mut references_own("follows_id", "stock_movement"))
                .foreign_key(&mut references_own("to_place_id", "stock_place"))
                .foreign_key(&mut references_own("distribution_id", "distribution"))
                .check(Expr::cust(
                    "kind IN ('RECEIPT', 'TRANSFER', 'ARRIVAL', 'ISSUE', 'RETURN', 'LOSS', 'ADJUSTMENT', \
                     'ASSEMBLY', 'UNPACKING', 'COUNT')",
                ))
                // What is sent for a delivery goes to no place, and is issued from the way.
                .check(Expr::cust(
                    "(kind IN ('ARRIVAL', 'RETURN')) = (follows_id IS NOT NULL) \
                     OR kind = 'ISSUE' AND distribution_id IS NOT NULL",
                ))
                .check(Expr::cust(
                    "(kind = 'TRANSFER') = (to_place_id IS NOT NULL) \
                     OR kind = 'TRANSFER' AND distribution_id IS NOT NULL",
                ))
                .check(Expr::cust(
                    "reason IS NOT NULL OR reverses_id IS NOT NULL OR kind NOT IN ('LOSS', 'ADJUSTMENT', 'RETURN')",
                ))
                .to_owned(),
        )
        .await?;
    // A movement is reversed once.
    index(manager, "stock_movement", &["organization_id", "reverses_id"], Uniqueness::Unique).await?;
    for columns in [
        &["organization_id", "occurred_on", "id"][..],
        &["organization_id", "recorded_at", "id"],
        &["organization_id", "distribution_id"],
        &["organization_id", "follows_id"],
    ] {
        index(manager, "stock_movement", columns, Uniqueness::Plain).await?;
    }
    manager
        .create_table(
            Table::create()
                .table("stock_entry")
                .col(uuid("organization_id"))
                .col(uuid("movement_id"))
                .col(integer("position"))
                .col(uuid("lot_id"))
                .col(text("side"))
                .col(uuid_null("place_id"))
                .col(big_integer("quantity"))
                .col(boolean("open"))
                .col(integer_null("people_reached"))
                .primary_key(&mut key(&["organization_id", "movement_id", "position"]))
                .foreign_key(&mut references_own("movement_id", "stock_movement"))
                .foreign_key(&mut references_own("lot_id", "stock_lot"))
                .foreign_key(&mut references_own("place_id", "stock_place"))
                .check(Expr::cust("quantity <> 0"))
                .check(Expr::cust(
                    "side IN ('PLACE', 'SUPPLIER', 'CONSUMED', 'LOST', 'ADJUSTED', 'CONVERTED')",
                ))
                .check(Expr::cust("(side = 'PLACE') = (place_id IS NOT NULL)"))
                .to_owned(),
        )
        .await?;
    for columns in [&["organization_id", "lot_id"][..], &["organization_id", "place_id", "lot_id"]] {
        index(manager, "stock_entry", columns, Uniqueness::Plain).await?;
    }
    Ok(())
}

async fn kept(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("stock_balance")
                .col(uuid("organization_id"))
                .col(uuid("place_id"))
                .col(uuid("lot_id"))
                .col(big_integer("on_hand"))
                .col(date_null("last_day"))
                .primary_key(&mut key(&["organization_id", "place_id", "lot_id"]))
                .foreign_key(&mut references_own("place_id", "stock_place"))
                .foreign_key(&mut references_own("lot_id", "stock_lot"))
                .check(Expr::cust("on_hand >= 0"))
                .to_owned(),
        )
        .await?;
    for columns in [
        &["organization_id", "on_hand"][..],
        &["organization_id", "last_day"],
        &["organization_id", "lot_id"],
    ] {
        index(manager, "stock_balance", columns, Uniqueness::Plain).await?;
    }
    manager
        .create_table(
            Table::create()
                .table("stock_day")
                .col(uuid("organization_id"))
                .col(uuid("place_id"))
                .col(uuid("lot_id"))
                .col(date("day"))
                .col(big_integer("change"))
                .col(big_integer("closing"))
                .primary_key(&mut key(&["organization_id", "place_id", "lot_id", "day"]))
                .foreign_key(&mut references_own("place_id", "stock_place"))
                .foreign_key(&mut references_own("lot_id", "stock_lot"))
                .check(Expr::cust("closing >= 0"))
                .to_owned(),
        )
        .await
}

/// A table of rows that belong to one organisation.
fn own(table: &'static str) -> TableCreateStatement {
    Table::create()
        .table(table)
        .col(uuid("organization_id"))
        .col(uuid("id"))
        .col(timestamp_with_time_zone("recorded_at"))
        .primary_key(&mut key(&["organization_id", "id"]))
        .foreign_key(&mut references("organization_id", "organization", "id"))
        .to_owned()
}
