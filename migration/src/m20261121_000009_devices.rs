//! What devices that were without a network send: the ids that they gave, and the paper forms that rows were entered
//! from.

use sea_orm_migration::{prelude::*, schema::*};

use crate::{Uniqueness, index};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        for column in [uuid_null("client_id"), text_null("form_number")] {
            let mut table = Table::alter();
            manager.alter_table(table.table("distribution").add_column(column).to_owned()).await?;
        }
        index(manager, "distribution", &["organization_id", "client_id"], Uniqueness::Unique).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(
                Index::drop().name("distribution_organization_id_client_id").table("distribution").to_owned(),
            )
            .await?;
        for column in ["client_id", "form_number"] {
            let mut table = Table::alter();
            manager.alter_table(table.table("distribution").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
