//! What somebody decided about a release.

use sea_orm::entity::prelude::*;

use crate::value::{ReviewDecision, Role};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "release_review")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub release_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    /// The role that the reviewer had then.
    pub role: Role,
    pub decision: ReviewDecision,
    pub note: Option<String>,
    /// What the reviewer looked at.
    pub draft_digest: String,
    pub recorded_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
