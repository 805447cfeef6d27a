//! Enrolments: who has asked for a place, who has one, and how that ended.

use chrono::NaiveDate;
use entity::{enrolment, enrolment_step, value::EnrolmentStatus, workshop};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{OUTSIDE, session::NO_WORKSHOP, workshop::CANCELLED};
use crate::{
    auth::Right,
    error::Result,
    id,
    store::{
        Access, Scoped,
        input::{At, FUTURE, Faults, Message, Once, UserError, UserErrorCode, Written, or_default},
        participant::scope::{ids, looked_after},
        write::{Seen, Trace, Write, taken},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Enrol {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::PARTICIPANT}>")]
    pub participant: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::PROGRAM}>")]
    pub program: Uuid,
    #[serde(default, deserialize_with = "id::optional::<_, {id::WORKSHOP}>")]
    pub workshop: Option<Uuid>,
    pub status: EnrolmentStatus,
    pub since: NaiveDate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeEnrolment {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub status: EnrolmentStatus,
    pub since: NaiveDate,
}

/// The statuses that a status can be followed by; none when it is an end.
pub fn next(status: EnrolmentStatus) -> &'static [EnrolmentStatus] {
    use EnrolmentStatus::{
        Active, Applied, Completed, Enrolled, LeftPrison, Transferred, Waitlisted, Withdrawn,
    };
    match status {
        Applied => &[Waitlisted, Enrolled, Withdrawn, Transferred, LeftPrison],
        Waitlisted => &[Enrolled, Withdrawn, Transferred, LeftPrison],
        Enrolled => &[Active, Withdrawn, Transferred, LeftPrison],
        Active => &[Completed, Withdrawn, Transferred, LeftPrison],
        Completed | Withdrawn | Transferred | LeftPrison => &[],
    }
}

/// Whether a woman with this status has a place.
fn is_seated(status: EnrolmentStatus) -> bool {
    matches!(status, EnrolmentStatus::Enrolled | EnrolmentStatus::Active)
}

impl Scoped for enrolment::Entity {
    fn visible_to(access: &Access) -> Condition {
        access
            .own_rows(enrolment::Column::OrganizationId, Right::EnrolmentRead)
            .add(access.of_women(enrolment::Column::ParticipantId))
    }
}

/// Steps are reached through their enrolments, whose scope is applied first.
impl Scoped for enrolment_step::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(enrolment_step::Column::OrganizationId, Right::EnrolmentRead)
    }
}

impl Access {
    /// Enrols a woman. Where all places are taken she is put on the waiting list.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    pub async fn enrol(&self, input: Enrol) -> Written<Option<Uuid>> {
        self.require(Right::EnrolmentWrite)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        self.check_program(&mut faults, input.program, (input.since, "since"));
        faults.check(input.since <= self.today(), UserErrorCode::OutOfRange, &["since"], FUTURE);
        let begins = next(input.status).contains(&EnrolmentStatus::Withdrawn);
        faults.check(begins, UserErrorCode::Invalid, &["status"], IS_AN_END);
        let workshop = match input.workshop {
            None => None,
            Some(workshop) => {
                let row = self.held_workshop(&write, workshop).await?;
                let row = row.filter(|row| row.program_id == input.program);
                if row.is_none() {
                    faults.add(UserErrorCode::NotFound, &["workshop"], NO_WORKSHOP);
                }
                row
            }
        };
        if let Some(workshop) = &workshop {
            let open = workshop.cancelled_at.is_none();
            faults.check(open, UserErrorCode::Invalid, &["workshop"], CANCELLED);
            // One applies before it begins.
            let inside = workshop.ends_on.is_none_or(|last| input.since <= last);
            faults.check(inside, UserErrorCode::OutOfRange, &["since"], OUTSIDE);
        }
        faults.refuse()?;
        self.hold_woman(&write, input.participant, &["participant"]).await?;
        let status = match &workshop {
            Some(workshop) if is_seated(input.status) && !self.has_place(&write, workshop).await? => {
                EnrolmentStatus::Waitlisted
            }
            _ => input.status,
        };
        let row = enrolment::Model {
            organization_id: self.own()?,
            id,
            participant_id: input.participant,
            program_id: input.program,
            workshop_id: input.workshop,
            status,
            starts_on: input.since,
            since: input.since,
            version: 1,
            recorded_at: self.now,
            recorded_by: self.viewer.account(),
        };
        write.put::<enrolment::Entity>(vec![row.clone()]).await.map_err(taken("participant"))?;
        self.put_step(&write, &row, 1).await?;
        let trace = Trace { detail: json!({ "status": status }), ..Trace::of("CREATE", "enrolment") };
        write.finish_about(vec![input.participant], trace, (id, 1), input.validate_only).await
    }

    /// Gives an enrolment its next status. One who applied and finds no place is put on the waiting list; one who
    /// waits stays there.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    pub async fn change_enrolment(&self, input: ChangeEnrolment) -> Written<()> {
        self.require(Right::EnrolmentWrite)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        let find = || {
            let women = ids(looked_after(self));
            let rows = self.select::<enrolment::Entity>().filter(enrolment::Column::Id.eq(input.at.id));
            rows.filter(enrolment::Column::ParticipantId.in_subquery(women))
        };
        let found = find().one(&write.tx).await?.ok_or_else(|| UserError::not_found(&["id"]))?;
        // The workshop first, as everywhere.
        let workshop = match found.workshop_id {
            Some(workshop) => self.workshop_of_record(&write, workshop).await?,
            None => None,
        };
        let row =
            find().lock_exclusive().one(&write.tx).await?.ok_or_else(|| UserError::not_found(&["id"]))?;
        if row.version != input.at.expected {
            return Err(UserError::stale().into());
        }
        let mut faults = Faults::default();
        let follows = next(row.status).contains(&input.status);
        faults.check(follows, UserErrorCode::Invalid, &["status"], NOT_A_STEP);
        faults.check(input.since <= self.today(), UserErrorCode::OutOfRange, &["since"], FUTURE);
        faults.check(row.since <= input.since, UserErrorCode::OutOfRange, &["since"], BEFORE);
        // It can end after the program has.
        if !next(input.status).is_empty() {
            self.check_program(&mut faults, row.program_id, (input.since, "since"));
            let inside = workshop
                .as_ref()
                .and_then(|workshop| workshop.ends_on)
                .is_none_or(|last| input.since <= last);
            faults.check(inside, UserErrorCode::OutOfRange, &["since"], OUTSIDE);
        }
        let mut status = input.status;
        let takes = is_seated(status) && !is_seated(row.status);
        if let Some(workshop) = workshop.filter(|_| takes)
            && !self.has_place(&write, &workshop).await?
        {
            let waits = row.status == EnrolmentStatus::Waitlisted;
            faults.check(!waits, UserErrorCode::Invalid, &["status"], NO_PLACE);
            status = EnrolmentStatus::Waitlisted;
        }
        faults.refuse()?;
        let changed = self.change_enrolment_row(&write, status, input.since, input.at).await?;
        if changed != 1 {
            return Err(UserError::stale().into());
        }
        let version = input.at.expected + 1;
        let after = enrolment::Model { status, since: input.since, ..row };
        self.put_step(&write, &after, version).await?;
        let trace = Trace { detail: json!({ "status": status }), ..Trace::of("UPDATE", "enrolment") };
        let women = vec![after.participant_id];
        write.finish_about(women, trace, (after.id, version), input.validate_only).await?;
        Ok(())
    }

    async fn put_step(&self, write: &Write<'_>, row: &enrolment::Model, position: i32) -> Written<()> {
        let step = enrolment_step::Model {
            organization_id: row.organization_id,
            enrolment_id: row.id,
            position,
            status: row.status,
            since: row.since,
            recorded_at: self.now,
            recorded_by: self.viewer.account(),
        };
        Ok(write.put::<enrolment_step::Entity>(vec![step]).await?)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the update repeats the organisation and the version in its WHERE"
    )]
    async fn change_enrolment_row(
        &self,
        write: &Write<'_>,
        status: EnrolmentStatus,
        since: NaiveDate,
        at: At,
    ) -> Written<u64> {
        let change = enrolment::ActiveModel {
            status: Set(status),
            since: Set(since),
            version: Set(at.expected + 1),
            ..Default::default()
        };
        let done = enrolment::Entity::update_many()
            .set(change)
            .filter(enrolment::Column::OrganizationId.eq(self.own()?))
            .filter(enrolment::Column::Id.eq(at.id))
            .filter(enrolment::Column::Version.eq(at.expected))
            .exec(&write.tx)
            .await?;
        Ok(done.rows_affected)
    }

    /// A workshop that the viewer may see, held so that nobody else takes a place of it meanwhile.
    async fn held_workshop(&self, write: &Write<'_>, id: Uuid) -> Result<Option<workshop::Model>> {
        let rows = self.select::<workshop::Entity>().filter(workshop::Column::Id.eq(id));
        Ok(rows.lock_exclusive().one(&write.tx).await?)
    }

    /// The same for the workshop of an enrolment that the viewer may see: it may be at another facility.
    #[expect(
        clippy::disallowed_methods,
        reason = "the workshop of a row that the viewer has reached in scope"
    )]
    async fn workshop_of_record(&self, write: &Write<'_>, id: Uuid) -> Result<Option<workshop::Model>> {
        let rows = workshop::Entity::find_by_id((self.own()?, id));
        Ok(rows.lock_exclusive().one(&write.tx).await?)
    }

    /// Whether a held workshop has a free place, whoever has the others.
    #[expect(clippy::disallowed_methods, reason = "a number of rows of the viewer's own organisation")]
    async fn has_place(&self, write: &Write<'_>, workshop: &workshop::Model) -> Result<bool> {
        use enrolment::Column::{OrganizationId, Status, WorkshopId};
        let Some(capacity) = workshop.capacity else { return Ok(true) };
        let seated = enrolment::Entity::find()
            .filter(OrganizationId.eq(workshop.organization_id))
            .filter(WorkshopId.eq(workshop.id))
            .filter(Status.is_in([EnrolmentStatus::Enrolled, EnrolmentStatus::Active]))
            .filter(self.unmerged(enrolment::Column::ParticipantId))
            .count(&write.tx)
            .await?;
        Ok(seated < capacity.unsigned_abs().into())
    }

    /// Whether there is a place for each enrolment that a record holds a place by; its workshops are held.
    #[expect(clippy::disallowed_methods, reason = "of a record that the caller has found in scope")]
    pub(in crate::store) async fn seats_are_free(&self, write: &Write<'_>, woman: Uuid) -> Result<bool> {
        use enrolment::Column::{OrganizationId, ParticipantId, Status, WorkshopId};
        let seats = enrolment::Entity::find()
            .filter(OrganizationId.eq(self.own()?))
            .filter(ParticipantId.eq(woman))
            .filter(Status.is_in([EnrolmentStatus::Enrolled, EnrolmentStatus::Active]))
            .order_by_asc(WorkshopId)
            .all(&write.tx)
            .await?;
        for workshop in seats.into_iter().filter_map(|seat| seat.workshop_id) {
            if let Some(workshop) = self.workshop_of_record(write, workshop).await?
                && !self.has_place(write, &workshop).await?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The steps of enrolments that the viewer has been shown, in their order.
    pub(super) async fn steps_of(
        &self,
        db: &impl sea_orm::ConnectionTrait,
        enrolments: impl IntoIterator<Item = Uuid>,
    ) -> Result<Vec<enrolment_step::Model>> {
        use enrolment_step::Column::{EnrolmentId, Position};
        Ok(self
            .select::<enrolment_step::Entity>()
            .filter(crate::store::distribution::among(EnrolmentId, enrolments))
            .order_by_asc(EnrolmentId)
            .order_by_asc(Position)
            .all(db)
            .await?)
    }
}

const IS_AN_END: Message = Message {
    en: "An enrolment does not begin with its end.",
    es: "Una inscripción no comienza por su final.",
};
const NOT_A_STEP: Message =
    Message { en: "This status does not follow the one before.", es: "Este estado no sigue al anterior." };
const BEFORE: Message = Message {
    en: "The day is before that of the status before.",
    es: "El día es anterior al del estado anterior.",
};
const NO_PLACE: Message =
    Message { en: "The workshop has no free place.", es: "El taller no tiene lugares libres." };

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;

    use super::*;

    #[test]
    fn every_status_is_reached_and_ends_are_ends() {
        for status in EnrolmentStatus::iter().filter(|status| *status != EnrolmentStatus::Applied) {
            assert!(EnrolmentStatus::iter().any(|before| next(before).contains(&status)), "{status:?}");
        }
        for status in EnrolmentStatus::iter() {
            assert!(!next(status).contains(&status));
            assert_eq!(next(status).is_empty(), !next(status).contains(&EnrolmentStatus::Withdrawn));
        }
    }
}
