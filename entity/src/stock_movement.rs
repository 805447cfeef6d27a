//! What happened to goods, once and for all: a movement is never changed, only reversed.

use sea_orm::entity::prelude::*;

use crate::value::{StockMovementKind, StockReason};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_movement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: StockMovementKind,
    /// In the field.
    pub occurred_on: Date,
    /// Here.
    pub recorded_at: DateTimeUtc,
    pub reason: Option<StockReason>,
    /// For staff.
    pub note: Option<String>,
    /// The movement that this one undoes.
    pub reverses_id: Option<Uuid>,
    /// The transfer that an arrival belongs to, or the issue that goods came back from.
    pub follows_id: Option<Uuid>,
    /// Where a transfer is going.
    pub to_place_id: Option<Uuid>,
    /// The delivery that the goods went to.
    pub distribution_id: Option<Uuid>,
    /// The paper form that it was entered from.
    pub form_number: Option<String>,
    /// The account that entered it; null for the program itself.
    pub recorded_by: Option<Uuid>,
    /// What a count found, lot by lot.
    pub counted: Option<Json>,
}

impl ActiveModelBehavior for ActiveModel {}
