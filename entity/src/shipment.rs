//! That the goods of a delivery were sent.

use sea_orm::entity::prelude::*;

use crate::value::StockReason;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "shipment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub distribution_id: Uuid,
    /// In the field.
    pub dispatched_on: Date,
    /// Why something of it was lost; null while nothing was.
    pub loss_reason: Option<StockReason>,
    /// Here.
    pub recorded_at: DateTimeUtc,
    /// The account.
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
