//! What has changed, for those who are told of changes while they are connected.

use sea_orm::entity::prelude::*;

use crate::value::OutboxKind;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// Random: it is part of the ids that clients get.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: OutboxKind,
    /// What has changed: a delivery, or a place of stock.
    pub row_id: Uuid,
    /// Whether outsiders may learn that something has changed.
    pub open: bool,
    pub recorded_at: DateTimeUtc,
    /// The database's number of the transaction that wrote it; zero on SQLite, which has one writer.
    pub transaction_id: i64,
    /// The database's number of the row.
    pub sequence: i64,
}

impl ActiveModelBehavior for ActiveModel {}
