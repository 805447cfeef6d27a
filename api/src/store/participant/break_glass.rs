//! Breaking the glass: a record that one does not reach is taken for a stated reason and a short time, and the steward
//! sees it.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{break_glass, participant};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Set,
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    auth::Right,
    error::{Error, Result},
    store::{
        Access, Scoped,
        input::{Faults, Message, UserError, UserErrorCode, Written},
        nothing,
        record::KeyHold,
        write::Trace,
    },
    vault::Place,
};

/// How long a record may be taken for.
const MOST_MINUTES: i32 = 240;
/// How many the steward is shown.
const SHOWN: u64 = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TakeRecord {
    /// Her code: who may not see her cannot have her id.
    pub code: String,
    pub reason: String,
    pub minutes: i32,
}

/// A record that somebody took.
#[derive(Clone, Debug)]
pub struct Taken {
    pub row: break_glass::Model,
    pub code: String,
    /// In clear; null once she is erased.
    pub reason: Option<Result<String>>,
}

impl Scoped for break_glass::Entity {
    fn visible_to(access: &Access) -> sea_orm::Condition {
        match access.viewer.organization() {
            Some(own) if access.viewer.has(Right::BreakGlassReview) => {
                sea_orm::Condition::all().add(break_glass::Column::OrganizationId.eq(own))
            }
            _ => nothing(),
        }
    }
}

impl Access {
    /// Takes a woman's record: reading it, who she is and her maternity included, until the time is over. Gives her id.
    ///
    /// # Errors
    /// `NotPermitted` without the right to do so; user errors for what a client can mend.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is how a record is reached that is out of scope, and it says so"
    )]
    pub async fn take_record(&self, input: TakeRecord) -> Written<Uuid> {
        self.require(Right::BreakGlassTake)?;
        self.purpose()?;
        let own = self.own()?;
        let account = self.viewer.account().ok_or(Error::NotPermitted)?;
        let mut faults = Faults::default();
        faults.text(&input.reason, &["reason"], 500);
        let enough = input.reason.trim().chars().count() >= 10;
        faults.check(enough, UserErrorCode::Invalid, &["reason"], SAY_MORE);
        let short = (1..=MOST_MINUTES).contains(&input.minutes);
        faults.check(short, UserErrorCode::OutOfRange, &["minutes"], TOO_LONG);
        faults.refuse()?;
        let write = self.write_relying().await?;
        write.hold_keys(KeyHold::Stay).await?;
        let woman = participant::Entity::find()
            .filter(participant::Column::OrganizationId.eq(own))
            .filter(participant::Column::Code.eq(input.code.trim()))
            .filter(participant::Column::ErasedAt.is_null())
            .one(&write.tx)
            .await?;
        let woman = match woman.as_ref().and_then(|woman| woman.merged_into) {
            // Paper may still say the code of a record that was merged: it leads to the one that is kept.
            Some(kept) => participant::Entity::find_by_id((own, kept)).one(&write.tx).await?,
            None => woman,
        };
        let Some(woman) = woman else {
            // Trying codes leaves a trace as well.
            write.audit("BREAK_GLASS_REFUSED", "participant", Uuid::nil(), None, Value::Null).await?;
            write.end(false).await?;
            return Err(UserError::not_found(&["code"]).into());
        };
        let id = self.new_id();
        let keys = write.keys_of(woman.id).await?;
        let ends_at = self.now + TimeDelta::minutes(input.minutes.into());
        let row = break_glass::ActiveModel {
            organization_id: Set(own),
            id: Set(id),
            account_id: Set(account),
            participant_id: Set(woman.id),
            reason: Set(Some(keys.data.seal(place(own, id), input.reason.trim().as_bytes())?)),
            recorded_at: Set(self.now),
            ends_at: Set(ends_at),
            seen_at: Set(None),
            seen_by: Set(None),
        };
        row.insert(&write.tx).await?;
        let trace =
            Trace { action: "BREAK_GLASS", entity: "participant", detail: json!({ "until": ends_at }) };
        write.audit_about(vec![woman.id], trace, woman.id, None).await?;
        write.end(false).await?;
        Ok(woman.id)
    }

    /// What was taken lately, what no steward has seen first.
    ///
    /// # Errors
    /// `NotPermitted` without the right.
    pub(super) async fn break_glasses(&self, fields: &[String]) -> Result<Vec<Taken>> {
        self.require(Right::BreakGlassReview)?;
        let reading = self.reading().await?;
        let rows = self
            .select::<break_glass::Entity>()
            .order_by_asc(break_glass::Column::SeenAt.is_not_null())
            .order_by_desc(break_glass::Column::RecordedAt)
            .order_by_desc(break_glass::Column::Id)
            .limit(SHOWN)
            .all(reading.tx())
            .await?;
        let women: Vec<Uuid> = rows.iter().map(|row| row.participant_id).collect();
        let taken = self.opened_reasons(reading.tx(), rows).await?;
        reading.end("break_glass", fields, women, taken).await
    }

    /// The rows with their reasons in clear.
    pub(super) async fn opened_reasons(
        &self,
        tx: &DatabaseTransaction,
        rows: Vec<break_glass::Model>,
    ) -> Result<Vec<Taken>> {
        let own = self.own()?;
        let women: Vec<Uuid> = rows.iter().map(|row| row.participant_id).collect();
        let known = self.data_keys(tx, &women).await?;
        let taken = rows.into_iter().filter_map(|row| {
            let (code, key) = known.get(&row.participant_id)?;
            let reason = row.reason.as_ref().map(|sealed| {
                let key = key.as_ref().map_err(Clone::clone)?.as_ref().ok_or(Error::Undecipherable)?;
                let plain = key.open(place(own, row.id), sealed)?;
                Ok(String::from_utf8_lossy(&plain).into_owned())
            });
            Some(Taken { code: code.clone(), reason, row })
        });
        Ok(taken.collect())
    }

    /// Says that a steward has seen that a record was taken.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    #[expect(clippy::disallowed_methods, reason = "the organisation is in the WHERE")]
    pub async fn see_break_glass(&self, id: Uuid) -> Written<Uuid> {
        self.require(Right::BreakGlassReview)?;
        let own = self.own()?;
        let write = self.write_relying().await?;
        let known = self
            .select::<break_glass::Entity>()
            .filter(break_glass::Column::Id.eq(id))
            .one(&write.tx)
            .await?;
        let Some(known) = known else { return Err(UserError::not_found(&["id"]).into()) };
        if known.account_id == self.viewer.account().unwrap_or_default() {
            return Err(UserError::new(UserErrorCode::NotPermitted, &["id"], ONES_OWN).into());
        }
        break_glass::Entity::update_many()
            .set(break_glass::ActiveModel {
                seen_at: Set(Some(self.now)),
                seen_by: Set(self.viewer.account()),
                ..Default::default()
            })
            .filter(break_glass::Column::OrganizationId.eq(own))
            .filter(break_glass::Column::Id.eq(id))
            .filter(break_glass::Column::SeenAt.is_null())
            .exec(&write.tx)
            .await?;
        let trace = Trace::of("REVIEW", "break_glass");
        write.audit_about(vec![known.participant_id], trace, id, None).await?;
        write.end(false).await?;
        Ok(id)
    }
}

impl Taken {
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.row.ends_at <= now
    }
}

fn place(organization: Uuid, row: Uuid) -> Place<'static> {
    Place { organization, table: "break_glass", column: "reason", row, version: 1 }
}

const SAY_MORE: Message = Message {
    en: "Say in 10 characters or more why you need this record.",
    es: "Explique en 10 caracteres o más por qué necesita este expediente.",
};
const TOO_LONG: Message = Message { en: "Choose from 1 to 240 minutes.", es: "Elija de 1 a 240 minutos." };
const ONES_OWN: Message = Message {
    en: "Somebody else has to look at what you took.",
    es: "Otra persona debe revisar lo que usted tomó.",
};
