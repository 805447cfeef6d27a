//! Sessions of workshops and programs: for staff only.

use chrono::{DateTime, Utc};
use entity::{session, value::SessionStatus, workshop};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Set};
use serde::Deserialize;
use uuid::Uuid;

use super::{OUTSIDE, counts_only, workshop::CANCELLED};
use crate::{
    auth::Right,
    id,
    store::{
        Access, Scoped,
        distribution::When,
        input::{At, Faults, Message, Once, UserError, UserErrorCode, Written, given, or_default},
        write::{Seen, Trace, Write},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateSession {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::PROGRAM}>")]
    pub program: Uuid,
    #[serde(default, deserialize_with = "id::optional::<_, {id::WORKSHOP}>")]
    pub workshop: Option<Uuid>,
    #[serde(deserialize_with = "id::single::<_, {id::FACILITY}>")]
    pub facility: Uuid,
    pub starts_at: DateTime<Utc>,
    pub minutes: i32,
    #[serde(default)]
    pub status: Option<SessionStatus>,
    #[serde(default)]
    pub provider: Option<String>,
    #[serde(default)]
    pub attended: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateSession {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(default)]
    pub starts_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub minutes: Option<i32>,
    #[serde(default)]
    pub status: Option<SessionStatus>,
    #[serde(default, deserialize_with = "given")]
    pub provider: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    pub attended: Option<Option<i32>>,
}

impl Scoped for session::Entity {
    fn visible_to(access: &Access) -> Condition {
        access
            .own_rows(session::Column::OrganizationId, Right::SessionRead)
            .add(access.within_cut(session::Column::FacilityId))
    }
}

impl Access {
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_session(&self, input: CreateSession) -> Written<Option<Uuid>> {
        self.require(Right::SessionRecord)?;
        let write = self.write_relying().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let row = session::Model {
            organization_id: self.own()?,
            id,
            program_id: input.program,
            workshop_id: input.workshop,
            facility_id: input.facility,
            starts_at: input.starts_at,
            minutes: input.minutes,
            status: input.status.unwrap_or(SessionStatus::Planned),
            provider: input.provider,
            attended: input.attended,
            version: 1,
            recorded_at: self.now,
            recorded_by: self.viewer.account(),
        };
        let mut faults = Faults::default();
        self.check_session(&write, &mut faults, &row).await?;
        faults.refuse()?;
        write.put::<session::Entity>(vec![row]).await?;
        write.finish_create("session", id, input.validate_only).await
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn update_session(&self, input: UpdateSession) -> Written<()> {
        self.require(Right::SessionRecord)?;
        let write = self.write_relying().await?;
        let mut row = self.session_at(&write, input.at).await?;
        row.starts_at = input.starts_at.unwrap_or(row.starts_at);
        row.minutes = input.minutes.unwrap_or(row.minutes);
        row.status = input.status.unwrap_or(row.status);
        row.provider = input.provider.unwrap_or(row.provider);
        row.attended = input.attended.unwrap_or(row.attended);
        let mut faults = Faults::default();
        self.check_session(&write, &mut faults, &row).await?;
        let attendance = self.attendance_of(&write, row.id).await?;
        let longest = attendance.iter().filter_map(|one| one.minutes).max();
        let fits = longest.is_none_or(|longest| longest <= row.minutes);
        faults.check(fits, UserErrorCode::OutOfRange, &["minutes"], SHORTER);
        let took_place = attendance.is_empty() || row.status != SessionStatus::Cancelled;
        faults.check(took_place, UserErrorCode::Invalid, &["status"], ATTENDED);
        faults.refuse()?;
        let change = session::ActiveModel {
            starts_at: Set(row.starts_at),
            minutes: Set(row.minutes),
            status: Set(row.status),
            provider: Set(row.provider),
            attended: Set(row.attended),
            ..Default::default()
        };
        let changed = self.change_session(&write, change, input.at).await?;
        write.finish_update(changed, "session", input.at, input.validate_only).await
    }

    /// Cancels a session to which nobody came.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn cancel_session(&self, at: At, validate_only: bool) -> Written<()> {
        self.require(Right::SessionRecord)?;
        let write = self.write_relying().await?;
        let row = self.session_at(&write, at).await?;
        if !self.attendance_of(&write, row.id).await?.is_empty() {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], ATTENDED).into());
        }
        let change = session::ActiveModel {
            status: Set(SessionStatus::Cancelled),
            attended: Set(None),
            ..Default::default()
        };
        let changed = self.change_session(&write, change, at).await?;
        write.finish(changed, Trace::of("CANCEL", "session"), at, validate_only).await
    }

    async fn session_at(&self, write: &Write<'_>, at: At) -> Written<session::Model> {
        use sea_orm::QuerySelect;
        let rows = self.select::<session::Entity>().filter(session::Column::Id.eq(at.id));
        let row = rows.lock_exclusive().one(&write.tx).await?;
        let row = row.ok_or_else(|| UserError::not_found(&["id"]))?;
        if row.version != at.expected {
            return Err(UserError::stale().into());
        }
        if row.status == SessionStatus::Cancelled {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], CANCELLED).into());
        }
        Ok(row)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the update repeats the organisation and the version in its WHERE"
    )]
    async fn change_session(&self, write: &Write<'_>, change: session::ActiveModel, at: At) -> Written<u64> {
        let change = session::ActiveModel { version: Set(at.expected + 1), ..change };
        let done = session::Entity::update_many()
            .set(change)
            .filter(session::Column::OrganizationId.eq(self.own()?))
            .filter(session::Column::Id.eq(at.id))
            .filter(session::Column::Version.eq(at.expected))
            .exec(&write.tx)
            .await?;
        Ok(done.rows_affected)
    }

    async fn check_session(
        &self,
        write: &Write<'_>,
        faults: &mut Faults,
        row: &session::Model,
    ) -> Written<()> {
        let day = row.starts_at.date_naive();
        let mut of_place = Faults::default();
        self.check_place(&mut of_place, row.facility_id, row.program_id, day, When::Planned);
        of_place.rename(&["occurredOn"], "startsAt");
        faults.extend(of_place);
        if let Some(workshop) = row.workshop_id {
            let rows = self.select::<workshop::Entity>().filter(workshop::Column::Id.eq(workshop));
            let rows = rows.filter(workshop::Column::ProgramId.eq(row.program_id));
            match rows.one(&write.tx).await? {
                None => faults.add(UserErrorCode::NotFound, &["workshop"], NO_WORKSHOP),
                Some(workshop) => {
                    let open = workshop.cancelled_at.is_none();
                    faults.check(open, UserErrorCode::Invalid, &["workshop"], CANCELLED);
                    let last = workshop.ends_on.unwrap_or(day);
                    let inside = (workshop.starts_on..=last).contains(&day);
                    faults.check(inside, UserErrorCode::OutOfRange, &["startsAt"], OUTSIDE);
                }
            }
        }
        faults.check((1..=1_440).contains(&row.minutes), UserErrorCode::OutOfRange, &["minutes"], MINUTES);
        if let Some(provider) = &row.provider {
            faults.short_text(provider, &["provider"]);
        }
        let held = row.status == SessionStatus::Held;
        faults.check(!held || row.starts_at <= self.now, UserErrorCode::OutOfRange, &["startsAt"], AHEAD);
        if let Some(attended) = row.attended {
            let program = self.catalog.programs.get(row.program_id);
            let counted = program.is_some_and(|entry| counts_only(&entry.row));
            faults.check(counted, UserErrorCode::Invalid, &["attended"], NAMES_TAKEN);
            faults.check(held, UserErrorCode::Invalid, &["attended"], NOT_HELD);
            let fine = (0..=10_000).contains(&attended);
            faults.check(fine, UserErrorCode::OutOfRange, &["attended"], super::workshop::BAD_NUMBER);
        }
        Ok(())
    }
}

pub(super) const NO_WORKSHOP: Message =
    Message { en: "There is no such workshop in the program.", es: "No existe ese taller en el programa." };
const MINUTES: Message =
    Message { en: "A session lasts from 1 to 1,440 minutes.", es: "Una sesión dura de 1 a 1.440 minutos." };
pub(super) const AHEAD: Message =
    Message { en: "The session has not begun yet.", es: "La sesión aún no ha comenzado." };
const NAMES_TAKEN: Message = Message {
    en: "Here attendance is recorded woman by woman: use recordAttendance.",
    es: "Aquí la asistencia se registra mujer por mujer: use recordAttendance.",
};
const NOT_HELD: Message = Message {
    en: "Only a session that was held has women who came.",
    es: "Solo a una sesión realizada llegaron mujeres.",
};
const SHORTER: Message = Message {
    en: "A woman was there longer than this, by the record.",
    es: "Según el registro, una mujer estuvo más tiempo que esto.",
};
const ATTENDED: Message = Message {
    en: "Attendance is on record for this session.",
    es: "Esta sesión tiene asistencia registrada.",
};
