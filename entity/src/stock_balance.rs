//! What is on hand of a lot at a place now. It is locked while a movement touches it.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_balance")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub place_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub lot_id: Uuid,
    pub on_hand: i64,
    /// The last day with a change; null before the first.
    pub last_day: Option<Date>,
}

impl ActiveModelBehavior for ActiveModel {}
