//! Somebody who is asked to become a member, and has not answered or has.

use sea_orm::entity::prelude::*;

use crate::value::{Ids, Role};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "invitation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub facilities: Ids,
    pub starts_on: Date,
    pub ends_on: Option<Date>,
    pub language: String,
    /// SHA-256 of the one-time token.
    pub token_hash: Vec<u8>,
    /// Null for the command line.
    pub invited_by: Option<Uuid>,
    pub recorded_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub accepted_at: Option<DateTimeUtc>,
    /// When it was withdrawn.
    pub ended_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
