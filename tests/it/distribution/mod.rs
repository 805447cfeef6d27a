//! Deliveries.

mod paging;
mod statements;
mod stats;
