//! The place of an audit row in its organisation's chain.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_link")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// From 1, without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub event_id: Uuid,
    /// Over the digest of the place before and all bytes of the row.
    pub digest: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
