//! Instruments and responses out of files, on the command line.

mod instrument;
mod responses;

pub use self::{
    instrument::Imported,
    responses::{AskedIn, Plan},
};
