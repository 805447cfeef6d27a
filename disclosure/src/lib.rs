//! Statistical disclosure control for frozen releases of linked tables about women in a few small places.
//!
//! Pure: no input or output, no clock, no randomness, no floating point. Women are [`Unit`]s, groups are [`UnitSet`]s;
//! [`prepare`] takes a [`Snapshot`], the [`History`] of everything published before and the [`Registry`] of what may
//! be published, and gives a [`Prepared`] release: what readers see, a report for those who approve it, and the
//! record that the history must remember.
//!
//! Three walls, in the order of their strength:
//! 1. Every figure is an interval ([`band`](mod@band)) that is as wide at the ends as in the middle.
//! 2. Which cells are shown depends on memberships only, and two published groups of one variable are the same
//!    women or differ by at least ten on one side, in all releases ever made.
//! 3. All intervals ever published about the same values are held together by the [`audit`](mod@audit), which finds
//!    for each woman the worlds in which her value is another.
//!
//! `METHOD.md` beside this crate says for statisticians what that proves, and what it does not.

pub mod audit;
pub mod band;
mod correct;
mod engine;
mod history;
mod parameters;
mod plan;
mod registry;
mod release;
mod select;
mod snapshot;
mod unit;

pub use band::{Figure, Interval, count_band, mean_band, percent_band, sum_band, yes_band};
pub use correct::prepare_correction;
pub use engine::{prepare, prepare_observed};
pub use history::{CellRef, Coordinates, History, Measurement, PublishedCell, Record, ResponseRate};
pub use parameters::{Parameters, SearchLimits};
pub use registry::{
    CategoryCode, Dimension, DimensionCode, FactCode, Kind, Registry, RiskClass, Role, RoundCode, TableCode,
    TableSpec, Variable, VariableCode,
};
pub use release::{
    CellState, CloseCell, Outcome, Prepared, Release, Report, Table, TableCell, VariableReport,
};
pub use snapshot::{Known, Measure, Period, Round, RoundKind, Snapshot, Values};
pub use unit::{Unit, UnitSet};

/// Why no release was prepared. The input is wrong; no value of a woman decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    Parameters,
    Registry(&'static str),
    Snapshot(&'static str),
    /// A variable has one release in a period, and so has a survey; what comes late goes into the next period, and errors
    /// are corrected.
    AlreadyReleased(VariableCode),
    /// A variable that was published has another kind, range or fact now. It needs a new code.
    VariableChanged(VariableCode),
    /// A correction of a release that is not in the history, or of another period.
    NothingToCorrect,
}
