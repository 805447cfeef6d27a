//! Values of the outbox.

use sea_orm::entity::prelude::*;

/// What a row of the outbox tells of.
#[derive(Clone, Copy, Debug, Eq, PartialEq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OutboxKind {
    /// A delivery was recorded, corrected, verified or made void.
    Distribution,
    /// What lies at a place of stock has changed.
    StockPlace,
}
