//! A program of an organisation.

use sea_orm::entity::prelude::*;

use crate::value::{Localized, Names, OutsideFace, ProgramArea, ProgramAreas, ProgramStatus, Sensitivity};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "program")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub slug: String,
    pub name: Localized,
    pub description: Option<Localized>,
    pub area: ProgramArea,
    /// All areas, the main one first.
    pub areas: ProgramAreas,
    /// Codes of techniques.
    pub techniques: Names,
    pub status: ProgramStatus,
    pub sensitivity: Sensitivity,
    pub starts_on: Date,
    pub ends_on: Option<Date>,
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
