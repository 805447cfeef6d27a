//! A set of items handed over together. Its contents are in its versions.

use sea_orm::entity::prelude::*;

use crate::value::{Localized, OutsideFace, Sensitivity};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "kit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub code: String,
    pub name: Localized,
    /// The most sensitive of its items decides.
    pub sensitivity: Sensitivity,
    /// The day from which outsiders see the row as it is now.
    pub outside_from: Option<Date>,
    /// What outsiders see before that day; null when they see nothing.
    pub outside_face: Option<OutsideFace>,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    /// Null while a draft, which outsiders never see.
    pub published_at: Option<DateTimeUtc>,
    pub archived_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
