//! A legal matter of a woman: how far it has come, and not a word of it.

use sea_orm::entity::prelude::*;

use crate::value::{LegalOutcome, LegalStage};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "legal_matter")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub participant_id: Uuid,
    pub opened_on: Date,
    pub stage: LegalStage,
    pub outcome: LegalOutcome,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
