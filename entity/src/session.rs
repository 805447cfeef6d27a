//! A meeting of a workshop, or of a program without one.

use sea_orm::entity::prelude::*;

use crate::value::SessionStatus;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub program_id: Uuid,
    pub workshop_id: Option<Uuid>,
    pub facility_id: Uuid,
    pub starts_at: DateTimeUtc,
    pub minutes: i32,
    pub status: SessionStatus,
    /// Who gave it: staff, never a woman who takes part.
    pub provider: Option<String>,
    /// How many came, where no names are taken.
    pub attended: Option<i32>,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
