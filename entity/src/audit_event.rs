//! The trace of a write.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub recorded_at: DateTimeUtc,
    /// Null for the system.
    pub account_id: Option<Uuid>,
    pub role: String,
    pub action: String,
    pub entity: String,
    pub entity_id: Uuid,
    pub entity_version: Option<i32>,
    pub detail: Json,
    /// Of a read, why it was made.
    pub purpose: Option<String>,
    /// Of a read, the names of the fields that were given out.
    pub fields: Option<Json>,
    /// Of a read, the ids of the rows that were given out, or how many there were.
    pub rows: Option<Json>,
    /// Of a read, the SHA-256 of the document that asked.
    pub document_hash: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
