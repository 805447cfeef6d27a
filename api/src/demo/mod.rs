//! The demonstration data set: facts of the organisations' own pages, and synthetic deliveries.
//!
//! The facts are files beside this module; the deliveries are made from a seed, so that the same seed,
//! scale and day give the same rows on every machine. Nothing here reaches the database or the clock.

mod dataset;
mod facts;
mod generator;
pub mod load;
mod operations;
pub mod outcomes;
mod people;
mod registry;
mod support;

pub use dataset::{Dataset, id_of};
pub use facts::FactsError;
pub use operations::{CHUNK, Delivery, Operations};
pub use people::{ISSUER, subject};
pub use registry::registry;
