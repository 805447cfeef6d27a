//! A figure that an organisation has published elsewhere and that has no measurement behind it here.

use sea_orm::entity::prelude::*;

use crate::value::{ClaimStatus, Localized};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "claim")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub position: i32,
    /// Section of the page that it was published in.
    pub section: String,
    pub text: Localized,
    /// The figure times 1,000, so that no floating point is stored.
    pub value_thousandths: Option<i64>,
    pub unit: Option<String>,
    pub status: ClaimStatus,
    pub source: String,
    pub as_of: Option<Date>,
    pub note: Option<Localized>,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    /// Null while a draft, which outsiders never see.
    pub published_at: Option<DateTimeUtc>,
    pub archived_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
