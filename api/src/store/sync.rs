//! How rows are answered that a device sends: each on its own.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::{
    Access,
    input::{Message, Refused, UserError, UserErrorCode, Written},
    write::Write,
};
use crate::error::{Error, Result};

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
        self.errors = self.errors.into_iter().map(|error| error.within("rows", place)).collect();
        self
    }
}

/// Rows that belong together, in the order of the first of them: those of the same group, and each other row alone.
fn units<'a>(groups: impl Iterator<Item = Option<&'a str>>) -> Vec<Vec<usize>> {
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

/// The rows whose answers told what was there before and left no trace of it: all but those that have written something.
pub(super) fn only_told<'a, R>(
    rows: &'a [R],
    answers: &'a [Answer],
    checked: bool,
) -> impl Iterator<Item = &'a R> {
    let wrote = |answer: &Answer| matches!(answer.outcome, Outcome::Created | Outcome::Updated);
    rows.iter().zip(answers).filter(move |(_, answer)| checked || !wrote(answer)).map(|(row, _)| row)
}

/// A row that a device sends.
pub(super) trait DeviceRow: Sync {
    /// The field of the input that says which rows belong together.
    const GROUPED_BY: &'static str;

    /// The rows that it succeeds or is refused with.
    fn group(&self) -> Option<&str>;

    /// The id that its device gave it.
    fn client_id(&self) -> String;

    /// Writes it as a part of a transaction.
    fn write(&self, access: &Access, write: &Write<'_>) -> impl Future<Output = Written<Answer>> + Send;

    /// Writes it without a transaction of ours, where that can be done; none when nothing was written.
    fn write_alone(&self, _: &Access) -> impl Future<Output = Written<Option<Answer>>> + Send {
        async { Ok(None) }
    }
}

impl Access {
    /// Writes rows one by one, or group by group where they belong together, and keeps none of those that are only
    /// `checked`. One answer for each, in their order, and the same viewer with the reference tables of the last one.
    ///
    /// # Errors
    /// When the database is lost half-way there is no answer at all: what was written is then answered as repeated.
    pub(super) async fn sync_rows<R: DeviceRow>(
        &self,
        rows: &[R],
        checked: impl Fn(&R) -> bool + Send + Sync,
    ) -> Result<(Self, Vec<Answer>)> {
        let mut access = self.clone();
        let mut answers: Vec<(usize, Answer)> = Vec::with_capacity(rows.len());
        for unit in units(rows.iter().map(DeviceRow::group)) {
            let of_unit: Vec<&R> = unit.iter().filter_map(|place| rows.get(*place)).collect();
            let checked = of_unit.iter().any(|row| checked(row));
            let mut done = access.sync_unit(&of_unit, checked).await;
            if let Err(Refused::Outdated(outdated)) = done {
                let again = access.again(outdated).await?;
                done = again.sync_unit(&of_unit, checked).await;
                access = again.released();
            }
            match done {
                Ok(of_unit) => answers.extend(unit.into_iter().zip(of_unit)),
                Err(Refused::Fault(error)) => return Err(error),
                Err(Refused::Outdated(_) | Refused::User(_)) => return Err(Error::Unavailable),
            }
        }
        answers.sort_by_key(|(place, _)| *place);
        let answers = answers.into_iter().map(|(place, answer)| answer.at(place)).collect();
        Ok((access, answers))
    }

    /// Rows that succeed or fail together, in one transaction.
    async fn sync_unit<R: DeviceRow>(&self, rows: &[&R], checked: bool) -> Written<Vec<Answer>> {
        if let [row] = rows
            && !checked
            && let Some(answer) = row.write_alone(self).await?
        {
            return Ok(vec![answer]);
        }
        let write = match rows {
            [_] => self.write_operations().await?,
            _ => self.write_many_operations().await?,
        };
        let mut answers: Vec<Answer> = Vec::with_capacity(rows.len());
        for row in rows {
            let answer = match row.write(self, &write).await {
                Ok(answer) => answer,
                Err(Refused::User(errors)) => Answer::refused(&row.client_id(), errors),
                Err(other) => return Err(other),
            };
            let failed = answer.outcome.failed();
            answers.push(answer);
            if failed {
                break;
            }
        }
        let failed = answers.last().is_some_and(|answer| answer.outcome.failed());
        write.end(failed || checked).await?;
        if failed {
            return Ok(undone(answers, rows));
        }
        if checked {
            for answer in answers.iter_mut().filter(|answer| answer.outcome == Outcome::Created) {
                answer.object = None;
            }
        }
        Ok(answers)
    }
}

/// The answers to rows of a group of which the last answered one has failed: nothing of it was written.
fn undone<R: DeviceRow>(mut answers: Vec<Answer>, rows: &[&R]) -> Vec<Answer> {
    let refused = |row: &&R| {
        let error = UserError::new(UserErrorCode::Invalid, &[R::GROUPED_BY], GROUP_REFUSED);
        Answer::refused(&row.client_id(), vec![error])
    };
    // A repeat of what this transaction has written is no repeat.
    let written: Vec<Option<Uuid>> = answers
        .iter()
        .filter(|answer| matches!(answer.outcome, Outcome::Created | Outcome::Updated))
        .map(|answer| answer.object)
        .collect();
    let answered = answers.len();
    for (answer, row) in answers.iter_mut().zip(rows).take(answered.saturating_sub(1)) {
        if answer.outcome != Outcome::Repeated || written.contains(&answer.object) {
            *answer = refused(row);
        }
    }
    answers.extend(rows.iter().skip(answered).map(refused));
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
