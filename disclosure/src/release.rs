//! What one release is made of.

use serde::{Deserialize, Serialize};

use crate::history::{CellRef, Coordinates, Record, ResponseRate};
use crate::{DimensionCode, Figure, Period, TableCode, VariableCode};

/// A release before people have looked at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// For everybody: the same figures for all audiences. Nothing else of this value may be published.
    pub public: Release,
    /// For those who decide about the release.
    pub report: Report,
    /// For the history, once it is published.
    pub record: Record,
}

/// What readers see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    pub number: u32,
    pub period: Period,
    pub corrects: Option<u32>,
    pub tables: Vec<Table>,
    pub response_rates: Vec<ResponseRate>,
    /// Cells of earlier releases that are no longer shown.
    pub retractions: Vec<CellRef>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    pub code: TableCode,
    pub variable: VariableCode,
    /// Every combination of categories, in the registry's order, whether it is shown or not.
    pub cells: Vec<TableCell>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCell {
    pub coordinates: Coordinates,
    pub state: CellState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CellState {
    Published {
        figure: Figure,
        /// The release and the period in which it was computed; earlier ones when it was carried forward.
        release: u32,
        period: Period,
    },
    /// One word for every reason.
    NotReleased,
}

/// What the people who approve a release look at. Not for publication: it says what was dropped for values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub variables: Vec<VariableReport>,
    /// The fresh cells in which most women are next to an edge, the most exposed first.
    pub closest: Vec<CloseCell>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariableReport {
    pub variable: VariableCode,
    pub outcome: Outcome,
    pub fresh: usize,
    pub carried: usize,
    pub hidden: usize,
    /// Women (of amounts: women and directions) looked at by the audit of the variable's system, those who are safe
    /// though all others are known, and the most others that a witness needed. Zero when nothing was audited.
    pub audited: usize,
    pub safe_alone: usize,
    pub largest_witness: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Everything that memberships allow is shown.
    Whole,
    /// The audit failed until these dimensions were left out.
    Without(Vec<DimensionCode>),
    /// The audit failed even for the total; nothing of the question is shown.
    Dropped,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseCell {
    pub variable: VariableCode,
    pub coordinates: Coordinates,
    pub women: usize,
    /// How many of them would leave the interval if they were changed alone.
    pub at_the_edge: usize,
}
