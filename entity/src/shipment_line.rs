//! What was sent of one item or kit, and what became of it.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "shipment_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub distribution_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    pub item_id: Option<Uuid>,
    pub kit_id: Option<Uuid>,
    pub kit_version: Option<i32>,
    /// Units of the item, or kits.
    pub shipped: i32,
    /// Handed over; null, as the next two, until the delivery has taken place. The three come to what was shipped.
    pub received: Option<i32>,
    pub returned: Option<i32>,
    pub lost: Option<i32>,
}

impl ActiveModelBehavior for ActiveModel {}
