//! Goods of a donor that came in, or left a warehouse, in bulk.

use sea_orm::entity::prelude::*;

use crate::value::GiftFlowKind;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "gift_flow")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub movement_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub lot_id: Uuid,
    /// The quarter that it was published with.
    pub quarter_end: Date,
    pub donor_id: Uuid,
    pub kind: GiftFlowKind,
    pub occurred_on: Date,
    pub quantity: i64,
    /// Where a dispatch goes; null for another warehouse, and for all that came in.
    pub facility_id: Option<Uuid>,
    /// The published quarter by which it had been reversed; null while it stands.
    pub undone_in: Option<Date>,
    pub item_id: Option<Uuid>,
    pub kit_id: Option<Uuid>,
    pub kit_version: Option<i32>,
}

impl ActiveModelBehavior for ActiveModel {}
