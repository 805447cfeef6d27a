//! What lies at a place, found without what has been used up there.

use sea_orm_migration::prelude::*;

use crate::{Uniqueness, index};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "stock_balance";
/// Led by the organisation alone; they gave way.
const WIDER: [[&str; 2]; 2] = [["organization_id", "on_hand"], ["organization_id", "last_day"]];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX stock_balance_here ON stock_balance (organization_id, place_id, lot_id) \
                 WHERE on_hand > 0",
            )
            .await?;
        index(manager, TABLE, &["organization_id", "place_id", "last_day"], Uniqueness::Plain).await?;
        // An arrival names its transfer by the number of the form.
        index(manager, "stock_movement", &["organization_id", "form_number"], Uniqueness::Plain).await?;
        for columns in WIDER {
            drop_index(manager, &format!("{TABLE}_{}", columns.join("_"))).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for columns in WIDER {
            index(manager, TABLE, &columns, Uniqueness::Plain).await?;
        }
        drop_index(manager, "stock_balance_organization_id_place_id_last_day").await?;
        let form = Index::drop()
            .name("stock_movement_organization_id_form_number")
            .table("stock_movement")
            .to_owned();
        manager.drop_index(form).await?;
        drop_index(manager, "stock_balance_here").await
    }
}

async fn drop_index(manager: &SchemaManager<'_>, name: &str) -> Result<(), DbErr> {
    manager.drop_index(Index::drop().name(name).table(TABLE).to_owned()).await
}
