//! Pieces of a product that were made together.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "production_batch")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub product_id: Uuid,
    pub program_id: Uuid,
    pub facility_id: Uuid,
    pub made_on: Date,
    pub quantity: i32,
    /// Pieces of them that cannot be sold.
    pub rejected: i32,
    /// The run that has paid for it as made.
    pub payout_run_id: Option<Uuid>,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
