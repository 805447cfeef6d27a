//! Women who take part.

pub mod scope;
