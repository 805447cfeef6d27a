//! A woman's time at a facility.

use sea_orm::entity::prelude::*;

use crate::value::StayEnding;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "custody_stay")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub participant_id: Uuid,
    pub facility_id: Uuid,
    pub starts_on: Date,
    /// The last day, included; null while she is there.
    pub ends_on: Option<Date>,
    /// Null while she is there.
    pub ending: Option<StayEnding>,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
