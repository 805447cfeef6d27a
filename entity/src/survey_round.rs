//! A time in which a version of an instrument is put to women at some facilities.

use sea_orm::entity::prelude::*;

use crate::value::{SurveyLinkage, SurveyMode};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "survey_round")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub code: String,
    pub instrument_id: Uuid,
    pub instrument_version: i32,
    pub mode: SurveyMode,
    pub linkage: SurveyLinkage,
    /// The notice that women were given before they consented.
    pub notice_version: String,
    /// The first and the last day of field work.
    pub starts_on: Date,
    pub ends_on: Date,
    /// Women at the facilities, those of them who could be asked, and those who were.
    pub universe: Option<i32>,
    pub eligible: Option<i32>,
    pub invited: Option<i32>,
    /// Null while responses are taken.
    pub closed_at: Option<DateTimeUtc>,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
