//! How long data are kept: rules, which are data of each organisation, and the run that carries them out.

mod run;

use std::collections::BTreeMap;

use entity::{
    retention_rule,
    value::{RetentionAction, RetentionEvent, RetentionSubject},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, Set};
use serde::Deserialize;
use serde_json::json;

use self::run::free;
pub use self::run::{Done, KeptFor};
use super::{
    Access, Scoped,
    input::{Faults, Message, UserError, UserErrorCode, Written, or_default},
    write::taken,
};
use crate::{auth::Right, error::Result};

/// The longest time of a rule: a hundred years.
const MOST_MONTHS: i32 = 1_200;

/// What a subject can be kept after, and what can happen to it then.
fn known(subject: RetentionSubject) -> (RetentionEvent, RetentionAction) {
    use RetentionAction::{Delete, Empty, Erase};
    use RetentionEvent::{Ended, LastStayEnded, Recorded};
    match subject {
        RetentionSubject::Participant => (LastStayEnded, Erase),
        RetentionSubject::ParticipantNotes => (LastStayEnded, Empty),
        RetentionSubject::Maternity
        | RetentionSubject::SafeguardingNote
        | RetentionSubject::RightsRequest => (Ended, Delete),
        RetentionSubject::BreakGlassReason => (Recorded, Empty),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetRetentionRule {
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub subject: RetentionSubject,
    pub event: RetentionEvent,
    pub months: i32,
    pub action: RetentionAction,
    /// None for the first rule of a subject.
    #[serde(default)]
    pub expected_version: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoveRetentionRule {
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub subject: RetentionSubject,
    pub expected_version: i32,
}

/// A rule, with how much it would be carried out on today.
#[derive(Clone, Debug)]
pub struct Rule {
    pub row: retention_rule::Model,
    pub due: i64,
    pub held: BTreeMap<KeptFor, i64>,
}

impl Scoped for retention_rule::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(retention_rule::Column::OrganizationId, Right::RetentionSet)
    }
}

impl Access {
    /// The rules of the viewer's organisation, with what is due today.
    ///
    /// # Errors
    /// `NotPermitted` without the right.
    pub async fn retention_rules(&self) -> Result<Vec<Rule>> {
        self.require(Right::RetentionSet)?;
        let db = self.reader();
        let mut rules = self.select::<retention_rule::Entity>().all(db).await?;
        rules.sort_by_key(|rule| rule.subject);
        let held = self.women_held(db, None).await?;
        let mut all = Vec::with_capacity(rules.len());
        for row in rules {
            let (due, held) = free(self.due(db, &row, None).await?, &held);
            all.push(Rule { row, due: due.len() as i64, held });
        }
        Ok(all)
    }

    /// Says how long something is kept.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    #[expect(clippy::disallowed_methods, reason = "organisation and version are in the WHERE")]
    pub async fn set_retention_rule(&self, input: SetRetentionRule) -> Written<RetentionSubject> {
        self.require(Right::RetentionSet)?;
        let own = self.own()?;
        let (event, action) = known(input.subject);
        let mut faults = Faults::default();
        faults.check(input.event == event, UserErrorCode::Invalid, &["event"], OTHER_EVENT);
        faults.check(input.action == action, UserErrorCode::Invalid, &["action"], OTHER_ACTION);
        let fits = (1..=MOST_MONTHS).contains(&input.months);
        faults.check(fits, UserErrorCode::OutOfRange, &["months"], TOO_LONG);
        faults.refuse()?;
        let write = self.write_relying().await?;
        let version = input.expected_version.unwrap_or(0).saturating_add(1);
        let row = retention_rule::ActiveModel {
            organization_id: Set(own),
            subject: Set(input.subject),
            event: Set(event),
            months: Set(input.months),
            action: Set(action),
            version: Set(version),
            recorded_at: Set(self.now),
            recorded_by: Set(self.viewer.account()),
        };
        match input.expected_version {
            None => {
                row.insert(&write.tx).await.map_err(taken("subject"))?;
            }
            Some(expected) => {
                let changed = retention_rule::Entity::update_many()
                    .set(row)
                    .filter(retention_rule::Column::OrganizationId.eq(own))
                    .filter(retention_rule::Column::Subject.eq(input.subject))
                    .filter(retention_rule::Column::Version.eq(expected))
                    .exec(&write.tx)
                    .await?;
                if changed.rows_affected != 1 {
                    return Err(UserError::stale().into());
                }
            }
        }
        let detail =
            json!({ "subject": input.subject, "event": event, "months": input.months, "action": action });
        write.audit("SET", "retention_rule", own, Some(version), detail).await?;
        write.end(input.validate_only).await?;
        Ok(input.subject)
    }

    /// Keeps something without an end again.
    ///
    /// # Errors
    /// As [`Access::set_retention_rule`].
    #[expect(clippy::disallowed_methods, reason = "organisation and version are in the WHERE")]
    pub async fn remove_retention_rule(&self, input: RemoveRetentionRule) -> Written<()> {
        self.require(Right::RetentionSet)?;
        let own = self.own()?;
        let write = self.write_relying().await?;
        let removed = retention_rule::Entity::delete_many()
            .filter(retention_rule::Column::OrganizationId.eq(own))
            .filter(retention_rule::Column::Subject.eq(input.subject))
            .filter(retention_rule::Column::Version.eq(input.expected_version))
            .exec(&write.tx)
            .await?;
        if removed.rows_affected != 1 {
            return Err(UserError::stale().into());
        }
        let detail = json!({ "subject": input.subject });
        write.audit("REMOVE", "retention_rule", own, Some(input.expected_version), detail).await?;
        write.end(input.validate_only).await
    }
}

const OTHER_EVENT: Message = Message {
    en: "The time of this subject runs from another event: see RetentionSubject.",
    es: "El plazo de este tipo de dato corre desde otro hecho: vea RetentionSubject.",
};
const OTHER_ACTION: Message = Message {
    en: "Something else happens to this subject: see RetentionSubject.",
    es: "A este tipo de dato le corresponde otra acción: vea RetentionSubject.",
};
const TOO_LONG: Message = Message { en: "Choose from 1 to 1,200 months.", es: "Elija de 1 a 1200 meses." };
