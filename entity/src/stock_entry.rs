//! One side of a movement. The entries of a movement sum to zero for each lot.

use sea_orm::entity::prelude::*;

use crate::value::StockSide;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_entry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub movement_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    pub lot_id: Uuid,
    pub side: StockSide,
    /// Set for the side of a place, and for no other.
    pub place_id: Option<Uuid>,
    /// Above zero where goods arrive, below where they leave.
    pub quantity: i64,
    /// Whether outsiders may learn of it: large and general (DISCLOSURE section 5).
    pub open: bool,
    /// The women that an issue stands for, as known when it was recorded.
    pub people_reached: Option<i32>,
}

impl ActiveModelBehavior for ActiveModel {}
