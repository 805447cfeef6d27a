//! A place where an organisation keeps stock.

use sea_orm::entity::prelude::*;

use crate::value::StockPlaceKind;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_place")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: StockPlaceKind,
    /// Set for a facility's store, and for nothing else.
    pub facility_id: Option<Uuid>,
    pub name: String,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub archived_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
