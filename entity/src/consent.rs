//! What a woman has decided about one purpose. Rows are added and never changed; the last one holds.

use sea_orm::entity::prelude::*;

use crate::value::{ConsentDecision, ConsentMethod, ConsentPurpose};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "consent")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub participant_id: Uuid,
    pub purpose: ConsentPurpose,
    pub decision: ConsentDecision,
    /// The version of the notice that was read to her.
    pub notice_version: String,
    /// BCP 47: the language that it was read in.
    pub language: String,
    pub method: ConsentMethod,
    pub decided_on: Date,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
