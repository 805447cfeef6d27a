//! Savings that were handed to a woman.

use sea_orm::entity::prelude::*;

use crate::value::WithdrawalReason;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "savings_withdrawal")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub participant_id: Uuid,
    pub amount_minor: i64,
    pub currency: String,
    pub withdrawn_on: Date,
    pub reason: WithdrawalReason,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
