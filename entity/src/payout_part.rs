//! What was taken off a pay-out.

use sea_orm::entity::prelude::*;

use crate::value::DeductionKind;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "payout_part")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub payout_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    pub kind: DeductionKind,
    pub amount_minor: i64,
}

impl ActiveModelBehavior for ActiveModel {}
