//! An alliance agreement: what an organisation shares with its partners.

use sea_orm::entity::prelude::*;

use crate::value::Shares;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "agreement")]
pub struct Model {
    /// The organisation that shares.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub title: String,
    pub starts_on: Date,
    /// The last day, included.
    pub ends_on: Option<Date>,
    /// IANA name; the agreement starts and ends at midnight there.
    pub time_zone: String,
    /// Otherwise only the facilities listed.
    pub all_facilities: bool,
    /// Otherwise only the programs listed.
    pub all_programs: bool,
    pub shares: Shares,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    /// Null while a draft, which outsiders never see.
    pub published_at: Option<DateTimeUtc>,
    pub archived_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
