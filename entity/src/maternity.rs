//! Something about a woman's maternity, from a day to a day.

use sea_orm::entity::prelude::*;

use crate::value::MaternityState;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "maternity")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub participant_id: Uuid,
    pub state: MaternityState,
    pub starts_on: Date,
    /// The last day, included.
    pub ends_on: Option<Date>,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
