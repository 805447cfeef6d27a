//! What was sold, and for how much. It is never changed, only reversed.

use sea_orm::entity::prelude::*;

use crate::value::SaleChannel;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sale")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub program_id: Uuid,
    pub product_id: Uuid,
    /// Null when it came out of the common stock of the product.
    pub batch_id: Option<Uuid>,
    pub channel: SaleChannel,
    pub sold_on: Date,
    /// Below zero for a reversal.
    pub quantity: i32,
    /// Minor units; below zero for a reversal.
    pub gross_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// The sale that it undoes.
    pub reverses_id: Option<Uuid>,
    /// The run that has shared it out.
    pub payout_run_id: Option<Uuid>,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
