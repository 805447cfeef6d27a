//! Sealed releases: what a published file says, its canonical bytes, its digest and its signature.
//!
//! Pure: nothing here reaches the database or the clock. `umbral release verify` needs no more than this.

mod file;

pub use file::{
    Category, Cell, CellValue, CountBand, DimensionCodes, File, IndicatorEntry, Note, Policy, Publisher,
    Rate, Retraction, RoundEntry, Sealed, Span, TableEntry,
};
