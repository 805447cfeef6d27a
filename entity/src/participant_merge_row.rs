//! A row that a merge has moved to the record that is kept.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "participant_merge_row")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub merge_id: Uuid,
    /// The table.
    #[sea_orm(primary_key, auto_increment = false)]
    pub moved: String,
    /// What names the row in its table, beside the woman.
    #[sea_orm(primary_key, auto_increment = false)]
    pub row_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
