//! That a woman has asked for a place in a program or a workshop, and what became of it.

use sea_orm::entity::prelude::*;

use crate::value::EnrolmentStatus;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "enrolment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub participant_id: Uuid,
    pub program_id: Uuid,
    pub workshop_id: Option<Uuid>,
    pub status: EnrolmentStatus,
    /// The day of its first status.
    pub starts_on: Date,
    /// The day of its status.
    pub since: Date,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
