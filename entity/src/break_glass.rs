//! A right that somebody took who does not hold it, on one woman's record, for a reason and a short time.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "break_glass")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Uuid,
    pub participant_id: Uuid,
    /// Ciphertext under her key; null once she is erased.
    pub reason: Option<Vec<u8>>,
    pub recorded_at: DateTimeUtc,
    pub ends_at: DateTimeUtc,
    /// When a steward said that it has been seen.
    pub seen_at: Option<DateTimeUtc>,
    pub seen_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
