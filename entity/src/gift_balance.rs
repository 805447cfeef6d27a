//! What a donor is shown to lie in the warehouses of an organisation at the end of a quarter.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "gift_balance")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub quarter_end: Date,
    pub donor_id: Uuid,
    pub quantity: i64,
    /// The last quarter whose hidden movements are in the quantity; null while none are. For the program itself.
    pub merged_on: Option<Date>,
    pub item_id: Option<Uuid>,
    pub kit_id: Option<Uuid>,
    pub kit_version: Option<i32>,
}

impl ActiveModelBehavior for ActiveModel {}
