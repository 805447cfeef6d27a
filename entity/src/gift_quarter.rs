//! A quarter whose figures of gifts have been published. They never change afterwards.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "gift_quarter")]
pub struct Model {
    /// Its last day.
    #[sea_orm(primary_key, auto_increment = false)]
    pub quarter_end: Date,
    pub recorded_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
