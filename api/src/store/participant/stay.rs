//! Where a woman is in custody, from a day to a day.

use chrono::NaiveDate;
use entity::{custody_stay, participant, value::StayEnding};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::LockType};
use serde::Deserialize;
use uuid::Uuid;

use super::scope::{ids, looked_after};
use crate::{
    auth::Right,
    error::Result,
    id,
    store::{
        Access,
        input::{At, FUTURE, Faults, Message, Once, UserError, UserErrorCode, Written, or_default},
        write::{Seen, Trace, Write},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BeginStay {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::PARTICIPANT}>")]
    pub participant: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::FACILITY}>")]
    pub facility: Uuid,
    pub starts_on: NaiveDate,
    #[serde(default)]
    pub ends_on: Option<NaiveDate>,
    #[serde(default)]
    pub ending: Option<StayEnding>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndStay {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    /// The last day, included.
    pub ends_on: NaiveDate,
    pub ending: StayEnding,
}

impl Access {
    /// Records that a woman is, or was, at a facility. She is at one at a time: of two stays that meet, one may end on the
    /// day on which the other begins.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn begin_stay(&self, input: BeginStay) -> Written<Option<Uuid>> {
        self.require(Right::ParticipantWrite)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        let Some(woman) = self.woman_once(&write, &input.once, input.participant).await? else {
            return Ok(Some(input.participant));
        };
        let mut faults = Faults::default();
        self.check_custody(&mut faults, input.facility, input.starts_on, input.ends_on);
        let told = input.ends_on.is_some() == input.ending.is_some();
        faults.check(told, UserErrorCode::Invalid, &["ending"], END_AND_ENDING);
        let last = input.ends_on.unwrap_or(NaiveDate::MAX);
        for other in self.hanging_in::<custody_stay::Entity>(&write.tx, &[woman.id]).await? {
            let apart = last <= other.starts_on || other.ends_on.is_some_and(|end| end <= input.starts_on);
            faults.check(apart, UserErrorCode::Conflict, &["startsOn"], ELSEWHERE);
        }
        faults.refuse()?;
        let row = custody_stay::ActiveModel {
            organization_id: Set(self.own()?),
            id: Set(self.new_id()),
            participant_id: Set(woman.id),
            facility_id: Set(input.facility),
            starts_on: Set(input.starts_on),
            ends_on: Set(input.ends_on),
            ending: Set(input.ending),
            version: Set(1),
            recorded_at: Set(self.now),
            recorded_by: Set(self.viewer.account()),
        };
        let row = row.insert(&write.tx).await?;
        let trace = Trace::of("CREATE", "custody_stay");
        let made = write.finish_about(vec![woman.id], trace, (row.id, 1), input.validate_only).await?;
        Ok(made.map(|_| woman.id))
    }

    /// Records the last day of a stay, and how it ended: whose it was.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    #[expect(
        clippy::disallowed_methods,
        reason = "the row was found in scope; organisation and version are in the WHERE"
    )]
    pub async fn end_stay(&self, input: EndStay) -> Written<Uuid> {
        self.require(Right::ParticipantWrite)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        let Some(before) = self.hung::<custody_stay::Entity>(&write, input.at.id).await? else {
            return Err(UserError::not_found(&["id"]).into());
        };
        input.at.check("id", before.version, None)?;
        let mut faults = Faults::default();
        faults.check(before.ends_on.is_none(), UserErrorCode::Invalid, &["id"], HAS_ENDED);
        self.check_end(&mut faults, before.starts_on, input.ends_on);
        faults.refuse()?;
        let changed = custody_stay::Entity::update_many()
            .set(custody_stay::ActiveModel {
                ends_on: Set(Some(input.ends_on)),
                ending: Set(Some(input.ending)),
                version: Set(input.at.expected + 1),
                ..Default::default()
            })
            .filter(custody_stay::Column::OrganizationId.eq(self.own()?))
            .filter(custody_stay::Column::Id.eq(input.at.id))
            .filter(custody_stay::Column::Version.eq(input.at.expected))
            .exec(&write.tx)
            .await?
            .rows_affected;
        let trace = Trace::of("UPDATE", "custody_stay");
        write.finish_hung(changed, trace, before.participant_id, input.at, input.validate_only).await?;
        Ok(before.participant_id)
    }

    /// The woman about whom a key is to record something; none when it has done so before.
    pub(super) async fn woman_once(
        &self,
        write: &Write<'_>,
        once: &Once,
        woman: Uuid,
    ) -> Written<Option<participant::Model>> {
        if let Seen::Again(_) = write.once(once, woman).await? {
            return Ok(None);
        }
        let woman = self.participant_in(write, woman, LockType::Update).await?;
        Ok(Some(woman.ok_or_else(|| UserError::not_found(&["participant"]))?))
    }

    /// A last day that is not before the first, and not to come.
    pub(super) fn check_end(&self, faults: &mut Faults, starts_on: NaiveDate, ends_on: NaiveDate) {
        faults.check(ends_on >= starts_on, UserErrorCode::OutOfRange, &["endsOn"], BEFORE_START);
        faults.check(ends_on <= self.today(), UserErrorCode::OutOfRange, &["endsOn"], FUTURE);
    }

    /// A row that hangs on a woman whom the viewer looks after.
    pub(super) async fn hung<E: crate::store::Scoped>(
        &self,
        write: &Write<'_>,
        id: Uuid,
    ) -> Result<Option<E::Model>> {
        use sea_orm::sea_query::{Alias, Expr, ExprTrait};
        let column = |name: &str| Expr::col((E::default(), Alias::new(name)));
        let row = self
            .select::<E>()
            .filter(column("id").eq(id))
            .filter(column("participant_id").in_subquery(ids(looked_after(self))));
        Ok(row.one(&write.tx).await?)
    }
}

impl Write<'_> {
    /// Ends a change of a row that hangs on a woman.
    pub(super) async fn finish_hung(
        self,
        changed: u64,
        trace: Trace<'_>,
        woman: Uuid,
        at: At,
        validate_only: bool,
    ) -> Written<()> {
        if changed != 1 {
            return Err(UserError::stale().into());
        }
        let row = (at.id, at.expected + 1);
        self.finish_about(vec![woman], trace, row, validate_only).await?;
        Ok(())
    }
}

const END_AND_ENDING: Message = Message {
    en: "Give the last day and how it ended, or neither.",
    es: "Indique el último día y cómo terminó, o ninguno de los dos.",
};
const ELSEWHERE: Message = Message {
    en: "She is at a facility in that time already. End that stay first.",
    es: "En ese tiempo ya está en un centro. Termine primero esa estancia.",
};
const HAS_ENDED: Message = Message { en: "The stay has ended already.", es: "La estancia ya terminó." };
const BEFORE_START: Message =
    Message { en: "The last day is before the first.", es: "El último día es anterior al primero." };
