//! Values of the safeguarding log.

use sea_orm::entity::prelude::*;
use serde::Deserialize;

/// What made somebody write a note.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SafeguardingKind {
    /// Queries that look like a search for somebody.
    Pattern,
    /// A right that was taken without being held.
    BreakGlass,
    /// Something that staff report.
    Report,
}

/// Whether a steward still has to look into a note.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SafeguardingStatus {
    Open,
    Closed,
}

/// What a key of an organisation is for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrganizationKeyKind {
    /// The texts of the safeguarding log.
    Safeguarding,
    /// The answers in rounds that are anonymous.
    Survey,
    /// What releases were made of.
    Release,
}
