//! Deliveries.

mod correct;
mod filters;
mod paging;
pub mod record;
mod statements;
mod stats;
mod sync;
