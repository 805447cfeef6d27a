//! Goods that came in together: one item or one kit version, with one expiry and one origin.

use sea_orm::entity::prelude::*;

use crate::value::StockSource;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_lot")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub item_id: Option<Uuid>,
    pub kit_id: Option<Uuid>,
    pub kit_version: Option<i32>,
    /// As printed on the goods.
    pub number: Option<String>,
    /// The last day of use; null when it does not expire.
    pub expires_on: Option<Date>,
    pub source: StockSource,
    pub donor_id: Option<Uuid>,
    pub gift_id: Option<Uuid>,
    /// The grant that paid for it.
    pub award_id: Option<Uuid>,
    /// Minor units for one item or one kit.
    pub unit_value_minor: Option<i64>,
    pub currency: Option<String>,
    pub recorded_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
