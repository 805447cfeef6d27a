//! A paying out of what a program has sold in a period.

use sea_orm::entity::prelude::*;

use crate::value::PayoutRunStatus;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "payout_run")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub program_id: Uuid,
    pub policy_id: Uuid,
    pub currency: String,
    pub starts_on: Date,
    pub ends_on: Date,
    pub status: PayoutRunStatus,
    /// What was sold, reversals taken off.
    pub sold_minor: i64,
    /// What is left of it to the organisation; below zero what the organisation has added.
    pub remainder_minor: i64,
    pub approved_at: Option<DateTimeUtc>,
    pub approved_by: Option<Uuid>,
    pub paid_on: Option<Date>,
    pub voided_at: Option<DateTimeUtc>,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
