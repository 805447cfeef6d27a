//! What an organisation says of itself: mission, vision, values, origin, lines of action, work areas.

use sea_orm::entity::prelude::*;

use crate::value::{Localized, StatementKind};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "statement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: StatementKind,
    /// Order within its kind, from 1.
    pub position: i32,
    pub title: Localized,
    pub text: Localized,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    /// Null while a draft, which outsiders never see.
    pub published_at: Option<DateTimeUtc>,
    pub archived_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
