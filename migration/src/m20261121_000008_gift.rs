//! What donors are told of stock: published once a quarter and then left as it is.
//!
//! Nothing here is a records row, so the outside role reads these tables and never the ledger behind them.

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
                    .table("gift_quarter")
                    .col(date("quarter_end"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .primary_key(&mut key(&["quarter_end"]))
                    .to_owned(),
            )
            .await?;
        balances(manager).await?;
        flows(manager).await?;
        traces(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = ["gift_account", "gift_trace", "gift_flow", "gift_balance", "gift_quarter"];
        drop_tables(manager, &tables).await
    }
}

async fn balances(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create()
        .table("gift_balance")
        .col(uuid("organization_id"))
        .col(uuid("id"))
        .col(date("quarter_end"))
        .col(uuid("donor_id"))
        .col(big_integer("quantity"))
        .col(date_null("merged_on"))
        .primary_key(&mut key(&["organization_id", "id"]))
        .foreign_key(&mut references("quarter_end", "gift_quarter", "quarter_end"))
        .check(Expr::cust("quantity >= 0"))
        .to_owned();
    manager.create_table(of_goods(&mut table)).await?;
    index(manager, "gift_balance", &["donor_id", "quarter_end"], Uniqueness::Plain).await
}

async fn flows(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create()
        .table("gift_flow")
        .col(uuid("organization_id"))
        .col(uuid("movement_id"))
        .col(uuid("lot_id"))
        .col(date("quarter_end"))
        .col(uuid("donor_id"))
        .col(text("kind"))
        .col(date("occurred_on"))
        .col(big_integer("quantity"))
        .col(uuid_null("facility_id"))
        .col(date_null("undone_in"))
        .primary_key(&mut key(&["organization_id", "movement_id", "lot_id"]))
        .foreign_key(&mut references("quarter_end", "gift_quarter", "quarter_end"))
        .foreign_key(&mut references("facility_id", "facility", "id"))
        .foreign_key(&mut references_own("movement_id", "stock_movement"))
        .foreign_key(&mut references_own("lot_id", "stock_lot"))
        .check(Expr::cust("kind IN ('RECEIPT', 'DISPATCH')"))
        .check(Expr::cust("quantity > 0"))
        .to_owned();
    manager.create_table(of_goods(&mut table)).await?;
    index(manager, "gift_flow", &["donor_id", "quarter_end"], Uniqueness::Plain).await
}

async fn traces(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("gift_trace")
                .col(uuid("organization_id"))
                .col(uuid("gift_id"))
                .col(date("starts_on"))
                .col(uuid("facility_id"))
                .col(uuid("item_id"))
                .col(big_integer("quantity"))
                .col(big_integer("in_kits"))
                .primary_key(&mut key(&["organization_id", "gift_id", "starts_on", "facility_id", "item_id"]))
                .foreign_key(&mut references_own("gift_id", "gift"))
                .foreign_key(&mut references("facility_id", "facility", "id"))
                .foreign_key(&mut references("item_id", "item", "id"))
                .check(Expr::cust("in_kits >= 0 AND in_kits <= quantity"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("gift_account")
                .col(uuid("organization_id"))
                .col(uuid("gift_id"))
                .col(date("accounted_on"))
                .col(text("signature"))
                .col(timestamp_with_time_zone("recorded_at"))
                .col(uuid_null("recorded_by"))
                .primary_key(&mut key(&["organization_id", "gift_id"]))
                .foreign_key(&mut references_own("gift_id", "gift"))
                .to_owned(),
        )
        .await
}

/// The columns that name an item, or a kit of a version, of an organisation and from a donor.
fn of_goods(table: &mut TableCreateStatement) -> TableCreateStatement {
    table
        .col(uuid_null("item_id"))
        .col(uuid_null("kit_id"))
        .col(integer_null("kit_version"))
        .foreign_key(&mut references("organization_id", "organization", "id"))
        .foreign_key(&mut references("donor_id", "organization", "id"))
        .foreign_key(&mut references("item_id", "item", "id"))
        .foreign_key(
            ForeignKey::create()
                .from_col("kit_id")
                .from_col("kit_version")
                .to("kit_version", ("kit_id", "number")),
        )
        .check(Expr::cust("(item_id IS NULL) <> (kit_id IS NULL)"))
        .check(Expr::cust("(kit_id IS NULL) = (kit_version IS NULL)"))
        .to_owned()
}
