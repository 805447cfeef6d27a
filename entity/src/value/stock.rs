//! Values of the stock ledger.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// What kind of place stock lies at.
#[derive(
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
    Deserialize,
    EnumIter,
    DeriveActiveEnum,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StockPlaceKind {
    /// The organisation's own store room.
    Warehouse,
    /// A store inside or beside one facility.
    FacilityStore,
    /// On the way: what has left one place and not arrived at another.
    InTransit,
}

/// Where a lot came from.
#[derive(
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
    Deserialize,
    EnumIter,
    DeriveActiveEnum,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StockSource {
    /// Given in kind.
    Donation,
    /// Bought.
    Purchase,
    /// Kits put together here, from other lots.
    Assembled,
}

/// What happened to goods.
#[derive(
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
    Deserialize,
    EnumIter,
    DeriveActiveEnum,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StockMovementKind {
    /// They came in from a supplier or a donor.
    Receipt,
    /// They left a place for another; they are in transit.
    Transfer,
    /// What became of a transfer: received, sent back or lost.
    Arrival,
    /// They were handed over for use.
    Issue,
    /// They came back unused.
    Return,
    /// They are gone: expired, damaged, stolen, seized.
    Loss,
    /// The record was wrong, for a reason that is named.
    Adjustment,
    /// Items became kits.
    Assembly,
    /// Kits became items.
    Unpacking,
    /// They were counted, and the record follows the count.
    Count,
}

/// Why goods were lost, came back or were adjusted.
#[derive(
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
    Deserialize,
    EnumIter,
    DeriveActiveEnum,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StockReason {
    Expired,
    Damaged,
    Stolen,
    Missing,
    Seized,
    Recalled,
    Unused,
    Refused,
    Found,
    OpeningBalance,
    EntryError,
    Other,
}

/// Where a quantity of a movement comes from or goes to: a place, or a named side outside of all places.
#[derive(
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
    Deserialize,
    EnumIter,
    DeriveActiveEnum,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StockSide {
    /// A place of ours; the only side that is stock.
    Place,
    /// Suppliers and donors.
    Supplier,
    /// Women who use it.
    Consumed,
    /// Nobody any more.
    Lost,
    /// The difference between the record and what is there.
    Adjusted,
    /// The other form of the same goods: items for kits, kits for items.
    Converted,
}

/// Which way goods of a donor went.
#[derive(
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
    Deserialize,
    EnumIter,
    DeriveActiveEnum,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GiftFlowKind {
    /// They came in.
    Receipt,
    /// They left a warehouse for another place.
    Dispatch,
}
