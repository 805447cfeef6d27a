//! How much of an item a woman needs, by a standard that is named.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "adequacy_norm")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub item_id: Uuid,
    /// Such as Sphere.
    pub source: String,
    pub edition: String,
    /// In the item's unit, for one woman in so many months.
    pub quantity: i32,
    pub months: i32,
    pub valid_from: Date,
    pub recorded_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
