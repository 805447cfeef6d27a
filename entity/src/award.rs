//! A grant of money from a donor.

use sea_orm::entity::prelude::*;

use crate::value::Localized;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "award")]
pub struct Model {
    /// The organisation that received it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub donor_id: Uuid,
    pub title: Localized,
    /// Minor units of the currency.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    pub awarded_on: Date,
    pub starts_on: Date,
    pub ends_on: Option<Date>,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    /// Null while a draft, which outsiders never see.
    pub published_at: Option<DateTimeUtc>,
    pub archived_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
