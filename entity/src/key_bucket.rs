//! A few women whose keys are wrapped by one key, which lies outside the database.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "key_bucket")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// How many keys it wraps.
    pub women: i32,
    pub recorded_at: DateTimeUtc,
    /// Since when nothing is wrapped by it any more: its key is to be destroyed.
    pub retired_at: Option<DateTimeUtc>,
    /// When its key was destroyed.
    pub destroyed_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
