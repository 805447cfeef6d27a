//! How what is sold is shared with the women who made it. A version of it is never changed.

use sea_orm::entity::prelude::*;

use crate::value::{PaidFor, PayoutBasis, PayoutRounding};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "payout_policy")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub program_id: Uuid,
    /// Versions of a program are numbered from 1.
    pub number: i32,
    pub valid_from: Date,
    /// ISO 4217.
    pub currency: String,
    pub basis: PayoutBasis,
    /// For SHARE: of what was sold, in hundredths of a percent.
    pub share_basis_points: Option<i32>,
    /// For PIECE_RATE.
    pub paid_for: Option<PaidFor>,
    pub rounding: PayoutRounding,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
