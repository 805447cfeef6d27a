//! A prison or another place where women are held.

use sea_orm::entity::prelude::*;

use crate::value::{FacilityKind, Names, Spans};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "facility")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organisation that made the entry and alone edits it.
    pub organization_id: Uuid,
    pub slug: String,
    pub name: String,
    pub aliases: Names,
    pub country: String,
    pub region_iso: String,
    pub municipality: Option<String>,
    pub kind: FacilityKind,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    /// Null while a draft, which outsiders never see.
    pub published_at: Option<DateTimeUtc>,
    pub archived_at: Option<DateTimeUtc>,
    /// Since when it is not there for others than the staff of its organisation; null while it is.
    pub hidden_at: Option<DateTimeUtc>,
    /// From when until when it was so before, the newest last; null when never.
    pub hidden_before: Option<Spans>,
}

impl ActiveModelBehavior for ActiveModel {}
