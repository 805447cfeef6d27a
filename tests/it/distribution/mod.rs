//! Deliveries.

mod correct;
mod filters;
mod paging;
mod record;
mod statements;
mod stats;
