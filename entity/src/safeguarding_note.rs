//! What a steward has to look into.

use sea_orm::entity::prelude::*;

use crate::value::{SafeguardingKind, SafeguardingStatus};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "safeguarding_note")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: SafeguardingKind,
    /// In clear, as an older server wrote it, until one starts.
    pub text: Option<String>,
    /// In ciphertext under the organisation's key.
    pub sealed_text: Option<Vec<u8>>,
    /// What it is about: the kind of its global id, and its key.
    pub about_kind: Option<i32>,
    pub about_id: Option<Uuid>,
    pub status: SafeguardingStatus,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    /// Null for the system.
    pub recorded_by: Option<Uuid>,
    pub closed_at: Option<DateTimeUtc>,
    pub closed_by: Option<Uuid>,
    /// As the text.
    pub closing_reason: Option<String>,
    pub sealed_reason: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
