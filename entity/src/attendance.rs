//! Whether a woman was at a session.

use sea_orm::entity::prelude::*;

use crate::value::{AbsenceReason, AttendanceMark};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "attendance")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub session_id: Uuid,
    pub participant_id: Uuid,
    pub mark: AttendanceMark,
    pub reason: Option<AbsenceReason>,
    /// Null when she was not there.
    pub minutes: Option<i32>,
    /// The id that a device gave it.
    pub client_id: Uuid,
    /// The paper form that it was entered from.
    pub form_number: Option<String>,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
