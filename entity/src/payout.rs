//! What a woman is paid in a run.

use sea_orm::entity::prelude::*;

use crate::value::AcknowledgementMethod;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "payout")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub run_id: Uuid,
    pub participant_id: Uuid,
    pub gross_minor: i64,
    pub net_minor: i64,
    pub acknowledged_on: Option<Date>,
    pub method: Option<AcknowledgementMethod>,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
