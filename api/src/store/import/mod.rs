//! Writing what a file holds: compared with what is there, then all of it in one transaction, or nothing.

mod compare;
mod forms;
mod lookup;
mod write;

use uuid::Uuid;

use crate::{
    error::Error,
    import::{FormRow, ItemRow, ResolvedDistribution, ResolvedFacility, ResolvedKit, ResolvedProgram},
};

pub use lookup::Registry;

/// What an import would do.
#[derive(Debug)]
pub struct Plan {
    new: New,
    /// Entries that are there already, and are the same.
    pub unchanged: usize,
}

/// Entries that are not there yet.
#[derive(Debug)]
enum New {
    Distributions(Vec<ResolvedDistribution>),
    Facilities(Vec<ResolvedFacility>),
    Programs(Vec<ResolvedProgram>),
    Items(Vec<ItemRow>),
    Kits(Vec<NewKit>),
    /// By day.
    Forms(Vec<FormRow>),
}

/// A kit and its new versions, or new versions of a kit that is there.
#[derive(Debug)]
struct NewKit {
    before: Option<Uuid>,
    /// By number; never empty.
    versions: Vec<ResolvedKit>,
}

impl Plan {
    /// How many entries would be made; of kits, how many versions.
    pub fn created(&self) -> usize {
        match &self.new {
            New::Distributions(rows) => rows.len(),
            New::Facilities(rows) => rows.len(),
            New::Programs(rows) => rows.len(),
            New::Items(rows) => rows.len(),
            New::Forms(rows) => rows.len(),
            New::Kits(kits) => kits.iter().map(|kit| kit.versions.len()).sum(),
        }
    }
}

/// Whether outsiders see what an import makes. Deliveries have no drafts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Entries {
    Drafts,
    Published,
}

/// Why nothing was written.
#[derive(Debug)]
pub enum Stopped {
    /// Somebody else has written an entry with the same key meanwhile.
    Taken,
    /// The registry is not what the rows were checked against.
    Changed,
    Fault(Error),
}

impl<F: Into<Error>> From<F> for Stopped {
    fn from(fault: F) -> Self {
        Self::Fault(fault.into())
    }
}
