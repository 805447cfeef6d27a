//! How rows are answered that a device sends: each on its own.

use serde_json::Value;
use uuid::Uuid;

use super::input::UserError;

/// What became of a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    Created,
    /// It was here already, as it was sent.
    Repeated,
    Updated,
    /// Somebody has changed it, or the device says something else under the same id; nothing was written.
    Conflict,
    Refused,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Repeated => "REPEATED",
            Self::Updated => "UPDATED",
            Self::Conflict => "CONFLICT",
            Self::Refused => "REFUSED",
        }
    }

    pub(super) fn failed(self) -> bool {
        matches!(self, Self::Conflict | Self::Refused)
    }
}

/// A field in which a row here and a row as sent are not the same.
#[derive(Clone, Debug)]
pub struct Difference {
    pub field: &'static str,
    pub here: Value,
    pub sent: Value,
}

/// The answer to one row.
#[derive(Clone, Debug)]
pub struct Answer {
    /// As the device sent it.
    pub client_id: String,
    pub outcome: Outcome,
    /// The row here, when there is one.
    pub object: Option<Uuid>,
    pub differences: Vec<Difference>,
    pub errors: Vec<UserError>,
}

impl Answer {
    pub(super) fn new(client_id: &impl ToString, outcome: Outcome, object: Option<Uuid>) -> Self {
        let client_id = client_id.to_string();
        Self { client_id, outcome, object, differences: Vec::new(), errors: Vec::new() }
    }

    pub(super) fn refused(client_id: &impl ToString, errors: Vec<UserError>) -> Self {
        Self { errors, ..Self::new(client_id, Outcome::Refused, None) }
    }

    /// The same with the paths of its errors from the input's root.
    pub(super) fn at(mut self, place: usize) -> Self {
        for error in &mut self.errors {
            error.field.splice(0..0, ["rows".to_owned(), place.to_string()]);
        }
        self
    }
}
