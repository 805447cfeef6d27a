//! A workshop of a program: a technique taught at a facility, for so many women.

use sea_orm::entity::prelude::*;

use crate::value::{Localized, SkillLevel};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "workshop")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub program_id: Uuid,
    pub facility_id: Uuid,
    pub title: Localized,
    /// The code of a technique.
    pub technique: Option<String>,
    pub level: Option<SkillLevel>,
    pub hours: Option<i32>,
    /// How many women have a place; null when that is not bounded.
    pub capacity: Option<i32>,
    pub starts_on: Date,
    /// The last day, included; null while it is open.
    pub ends_on: Option<Date>,
    pub cancelled_at: Option<DateTimeUtc>,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
