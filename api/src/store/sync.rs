//! How rows are answered that a device sends: each on its own.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::input::{Message, UserError, UserErrorCode};

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

/// Rows that belong together, in the order of the first of them: those of the same group, and each other row alone.
pub(super) fn units<'a>(groups: impl Iterator<Item = Option<&'a str>>) -> Vec<Vec<usize>> {
    let mut units: Vec<Vec<usize>> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (place, group) in groups.enumerate() {
        let unit = group.map(|group| *known.entry(group).or_insert(units.len()));
        match unit.and_then(|unit| units.get_mut(unit)) {
            Some(unit) => unit.push(place),
            None => units.push(vec![place]),
        }
    }
    units
}

/// The answers to a group of which the last answered row has failed: nothing of it was written. `clients` are the ids
/// of all its rows.
pub(super) fn undone(mut answers: Vec<Answer>, clients: &[String], field: &'static str) -> Vec<Answer> {
    let refused = |client: &String| {
        Answer::refused(client, vec![UserError::new(UserErrorCode::Invalid, &[field], GROUP_REFUSED)])
    };
    // A repeat of what this transaction has written is no repeat.
    let written: Vec<Option<Uuid>> = answers
        .iter()
        .filter(|answer| matches!(answer.outcome, Outcome::Created | Outcome::Updated))
        .map(|answer| answer.object)
        .collect();
    let answered = answers.len();
    for (answer, client) in answers.iter_mut().zip(clients).take(answered.saturating_sub(1)) {
        if answer.outcome != Outcome::Repeated || written.contains(&answer.object) {
            *answer = refused(client);
        }
    }
    answers.extend(clients.iter().skip(answered).map(refused));
    answers
}

const GROUP_REFUSED: Message = Message {
    en: "Another row of its group was refused. Nothing of the group was written.",
    es: "Se rechazó otra fila de su grupo. No se escribió nada del grupo.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_group_stay_together() {
        let groups = [None, Some("a"), None, Some("b"), Some("a")];
        assert_eq!(units(groups.into_iter()), [vec![0], vec![1, 4], vec![2], vec![3]]);
    }
}
