//! The number of an object's newest change. Kept by triggers.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "change")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// As in global ids.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub row_id: Uuid,
    /// Grows with time; on PostgreSQL the number of the transaction.
    pub changed: i64,
}

impl ActiveModelBehavior for ActiveModel {}
