//! How long an organisation keeps a kind of data, and what happens then.

use sea_orm::entity::prelude::*;

use crate::value::{RetentionAction, RetentionEvent, RetentionSubject};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "retention_rule")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: RetentionSubject,
    pub event: RetentionEvent,
    pub months: i32,
    pub action: RetentionAction,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
