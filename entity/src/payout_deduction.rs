//! What a policy takes off before a woman is paid, in the order of positions.

use sea_orm::entity::prelude::*;

use crate::value::DeductionKind;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "payout_deduction")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub policy_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    pub kind: DeductionKind,
    /// Of her gross; null when it is an amount.
    pub basis_points: Option<i32>,
    pub amount_minor: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
