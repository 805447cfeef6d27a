//! A release of outcomes: how far it has come. What it is made of is in other tables.

use sea_orm::entity::prelude::*;

use crate::value::{Localized, ReleaseStatus};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "release")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// 1 for the organisation's first; null until it is published.
    pub number: Option<i32>,
    pub title: Localized,
    /// The first and the last day of its period.
    pub starts_on: Date,
    pub ends_on: Date,
    pub status: ReleaseStatus,
    /// The release whose errors it corrects.
    pub corrects_id: Option<Uuid>,
    pub version: i32,
    pub frozen_at: DateTimeUtc,
    pub frozen_by: Option<Uuid>,
    /// How many of its questions are prepared, and of how many.
    pub prepared: i32,
    pub to_prepare: i32,
    pub prepared_at: Option<DateTimeUtc>,
    /// SHA-256 of what reviewers look at.
    pub draft_digest: Option<String>,
    pub published_at: Option<DateTimeUtc>,
    pub published_by: Option<Uuid>,
    /// SHA-256 of what is published; the name of its file.
    pub digest: Option<String>,
    pub retracted_at: Option<DateTimeUtc>,
    pub retracted_by: Option<Uuid>,
    /// For staff.
    pub retraction_reason: Option<String>,
    /// Set when it will never be published.
    pub discarded_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
