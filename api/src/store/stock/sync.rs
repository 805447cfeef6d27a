//! Movements that devices send which were without a network. They are never changed, so there are no versions: a
//! movement is new, or a repeat, or its device says something else than before.

use entity::stock_movement;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Value, json};

use super::action::Action;
use crate::{
    error::{Error, Result},
    store::{
        Access,
        input::{Once, Refused, UserError, UserErrorCode, Written},
        sync::{Answer, DeviceRow, Difference, Outcome},
        write::{Seen, Write},
    },
};

/// A movement under the id that its device gave it.
#[derive(Clone, Debug)]
pub struct StockRow {
    /// The device's id is its key.
    pub once: Once,
    /// The rows that it succeeds or is refused with.
    pub group: Option<String>,
    pub action: Action,
    /// The movement as it was sent.
    pub sent: Value,
}

impl Access {
    /// Records movements one by one, or group by group where they belong together. One answer for each, in their
    /// order, and the same viewer with the reference tables of the last one.
    ///
    /// # Errors
    /// When the database is lost half-way there is no answer at all: what was written is then answered as repeated.
    pub async fn sync_stock_movements(&self, rows: &[StockRow]) -> Result<(Self, Vec<Answer>)> {
        self.sync_rows(rows, |row| row.action.validate_only()).await
    }

    async fn sync_movement(&self, write: &Write<'_>, row: &StockRow) -> Written<Answer> {
        let answer = |outcome, id| Answer::new(&row.once.key, outcome, id);
        match self.move_in(write, &row.once, &row.action).await {
            Ok(Seen::First(id)) => Ok(answer(Outcome::Created, Some(id))),
            Ok(Seen::Again(id)) => Ok(answer(Outcome::Repeated, Some(id))),
            Err(Refused::User(errors))
                if errors.iter().any(|error| error.field == ["idempotencyKey"]) && row.once.is_usable() =>
            {
                let here = self.movement_made_with(write, &row.once).await?;
                let differences = here.as_ref().map_or_else(Vec::new, |here| row.differences(here));
                Ok(Answer { differences, ..answer(Outcome::Conflict, here.map(|here| here.id)) })
            }
            Err(Refused::Fault(Error::NotPermitted)) => {
                let error = UserError::new(UserErrorCode::NotPermitted, &[], super::NOT_YOURS);
                Ok(Answer::refused(&row.once.key, vec![error]))
            }
            Err(other) => Err(other),
        }
    }

    /// The movement that a key stands for, when the viewer may see it.
    async fn movement_made_with(
        &self,
        write: &Write<'_>,
        once: &Once,
    ) -> Result<Option<stock_movement::Model>> {
        let Some(known) = self.made_with_in(&write.tx, once).await? else { return Ok(None) };
        let here = self.select::<stock_movement::Entity>().filter(stock_movement::Column::Id.eq(known));
        Ok(here.one(&write.tx).await?)
    }
}

impl DeviceRow for StockRow {
    const GROUPED_BY: &'static str = "idempotencyKey";

    fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    fn client_id(&self) -> String {
        self.once.key.clone()
    }

    async fn write(&self, access: &Access, write: &Write<'_>) -> Written<Answer> {
        access.sync_movement(write, self).await
    }
}

impl StockRow {
    /// Where a movement here and a row as sent are not the same: what the head says, or else goods and places, of
    /// which only what was sent is given, because a movement keeps what it did and not what it was asked.
    fn differences(&self, here: &stock_movement::Model) -> Vec<Difference> {
        // A reversal says nothing of them.
        let head = !matches!(self.action, Action::Reverse(_));
        let of_head = [
            ("occurredOn", json!(here.occurred_on)),
            ("formNumber", json!(here.form_number)),
            ("note", json!(here.note)),
        ];
        let mut differences: Vec<Difference> = of_head
            .into_iter()
            .map(|(field, here)| Difference { field, here, sent: self.sent[field].clone() })
            .filter(|difference| head && difference.here != difference.sent)
            .collect();
        if differences.is_empty() {
            differences.push(Difference { field: "movement", here: Value::Null, sent: self.sent.clone() });
        }
        differences
    }
}
