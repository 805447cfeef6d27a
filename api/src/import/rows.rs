//! Rows as a file gives them: typed, but with the codes that people write.

use chrono::NaiveDate;
use entity::value::{
    FacilityKind, Localized, ProgramArea, ProgramStatus, ReachMethod, Sensitivity, StockMovementKind,
    StockReason, StockSource,
};
use serde::Serialize;

use super::Kind;

/// All rows of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub kind: Kind,
    pub rows: Rows,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    Distributions(Vec<DistributionRow>),
    Facilities(Vec<FacilityRow>),
    Programs(Vec<ProgramRow>),
    Items(Vec<ItemRow>),
    Kits(Vec<KitRow>),
    /// Paper forms of stock: receipts or movements.
    Forms(Vec<FormRow>),
}

impl Rows {
    /// How many entries there are: deliveries, not lines of the file.
    pub fn len(&self) -> usize {
        match self {
            Rows::Distributions(rows) => rows.len(),
            Rows::Facilities(rows) => rows.len(),
            Rows::Programs(rows) => rows.len(),
            Rows::Items(rows) => rows.len(),
            Rows::Kits(rows) => rows.len(),
            Rows::Forms(rows) => rows.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A delivery: the rows with one key.
#[derive(Clone, Debug, PartialEq)]
pub struct DistributionRow {
    /// Of the first of its rows.
    pub line: u32,
    pub key: String,
    pub facility: String,
    pub program: String,
    pub occurred_on: NaiveDate,
    pub people_reached: i32,
    pub reach_method: ReachMethod,
    pub lines: Vec<DistributionLineRow>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DistributionLineRow {
    pub line: u32,
    pub supplied: Supplied,
    pub quantity: i32,
    /// Those of the delivery where the file says nothing.
    pub people_reached: i32,
}

/// What was handed over, by code.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub enum Supplied {
    Item(String),
    /// Without a version, the one that was valid on the day.
    Kit {
        code: String,
        version: Option<i32>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct FacilityRow {
    pub line: u32,
    pub slug: String,
    pub name: String,
    pub aliases: Vec<String>,
    pub country: Option<String>,
    /// ISO 3166-2 or P-code.
    pub region: String,
    pub municipality: Option<String>,
    pub kind: FacilityKind,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ProgramRow {
    pub line: u32,
    pub slug: String,
    pub name: Localized,
    pub description: Option<Localized>,
    /// The main one first.
    pub areas: Vec<ProgramArea>,
    /// Follows from the areas.
    pub sensitivity: Sensitivity,
    pub techniques: Vec<String>,
    pub status: ProgramStatus,
    pub starts_on: NaiveDate,
    pub ends_on: Option<NaiveDate>,
    /// Slugs of facilities.
    pub sites: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ItemRow {
    pub line: u32,
    pub code: String,
    pub name: Localized,
    pub unit: String,
    pub sensitivity: Sensitivity,
}

/// A version of a kit: the rows with one code and version.
#[derive(Clone, Debug, PartialEq)]
pub struct KitRow {
    /// Of the first of its rows.
    pub line: u32,
    pub code: String,
    pub version: i32,
    pub valid_from: NaiveDate,
    pub name: Localized,
    pub lines: Vec<KitLineRow>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct KitLineRow {
    pub line: u32,
    pub item: String,
    pub quantity: i32,
}

/// A paper form of stock: the rows with one form number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FormRow {
    /// Of the first of its rows.
    #[serde(skip)]
    pub line: u32,
    pub form_number: String,
    pub occurred_on: NaiveDate,
    /// The name of a place, or the slug of the facility whose store it is.
    pub place: String,
    pub happened: Happened,
    pub lines: Vec<FormLineRow>,
}

/// What a form says as a whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Happened {
    Received {
        source: StockSource,
        /// Slug of an organisation.
        donor: Option<String>,
    },
    Moved {
        /// A transfer, an issue, a loss or an adjustment.
        kind: StockMovementKind,
        to_place: Option<String>,
        /// Without it, the only place in transit.
        via: Option<String>,
        reason: Option<StockReason>,
        note: Option<String>,
    },
    Arrived {
        /// Number of the form of the transfer.
        transfer: String,
        /// Why something was lost.
        reason: Option<StockReason>,
        note: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FormLineRow {
    #[serde(skip)]
    pub line: u32,
    pub supplied: Supplied,
    /// Below zero only where an adjustment takes away; of an arrival, what was received.
    pub quantity: i32,
    /// Of an arrival only. Left out of the hash of other forms, by which they are known again.
    #[serde(skip_serializing_if = "is_zero")]
    pub returned: i32,
    #[serde(skip_serializing_if = "is_zero")]
    pub lost: i32,
    pub lot_number: Option<String>,
    pub expires_on: Option<NaiveDate>,
}

fn is_zero(number: &i32) -> bool {
    *number == 0
}
