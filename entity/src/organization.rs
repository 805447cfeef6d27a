//! An organisation: one that operates programs, a partner or a donor.

use sea_orm::entity::prelude::*;

use crate::value::OrganizationKind;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "organization")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub kind: OrganizationKind,
    pub active_since: Option<Date>,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    /// Null while a draft, which outsiders never see.
    pub published_at: Option<DateTimeUtc>,
    pub archived_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
