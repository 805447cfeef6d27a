//! Deliveries.

mod correct;
mod filters;
mod paging;
pub mod record;
mod statements;
mod stats;
pub mod sync;
