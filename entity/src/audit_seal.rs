//! A seal over the next rows of an organisation's chain. Its digest is what is kept outside the database.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_seal")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// From 1, without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// The numbers of its rows in the chain.
    pub first_row: i64,
    pub last_row: i64,
    /// Whether nothing was pending behind it: whatever is taken in later was committed later.
    pub drained: bool,
    /// The form of the bytes that were digested.
    pub form: i32,
    /// Over the seal before, the last of its rows' digests and all that this row says.
    pub digest: Vec<u8>,
    pub sealed_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
