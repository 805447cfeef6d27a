//! Sealed releases: what a published file says, its canonical bytes, its digest and its signature.
//!
//! Pure: nothing here reaches the database or the clock. `umbral release verify` needs no more than this.

mod canonical;
mod file;
mod key;
pub mod label;
mod policy;
mod seal;
mod verify;

#[cfg(test)]
mod sample;

pub use canonical::canonical;
pub use file::{
    Category, Cell, CellValue, CountBand, DimensionCodes, FORMAT, File, IndicatorEntry, Note, Policy,
    Publisher, Rate, Retraction, RoundEntry, Sealed, Span, TableEntry,
};
pub use key::{KeyFault, PublicKey, SigningKey, jwk_set, public_keys};
pub use seal::{bytes, digest, seal};
pub use verify::{Fault, Flaw, MOST_BYTES, Verified, check, plain, verify};
