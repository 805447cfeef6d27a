//! A facility that outsiders are not to see for a while.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [timestamp_with_time_zone_null("hidden_at"), json_binary_null("hidden_before")] {
            manager.alter_table(Table::alter().table("facility").add_column(column).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["hidden_at", "hidden_before"] {
            manager.alter_table(Table::alter().table("facility").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
