//! Who was at a session: rows under ids of the devices that send them, each answered on its own. One woman is once in a
//! session, whichever device says so.

use entity::{
    attendance, session,
    value::{AbsenceReason, AttendanceMark, SessionStatus},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, Set};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{counts_only, session::AHEAD, workshop::CANCELLED};
use crate::{
    auth::Right,
    error::Result,
    id,
    store::{
        Access, Scoped,
        input::{Faults, Message, UserError, UserErrorCode, Written},
        sync::{Answer, DeviceRow, Difference, Outcome, only_told},
        write::{Trace, Write},
    },
};

/// A row as a device has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttendanceRow {
    pub client_id: Uuid,
    #[serde(default)]
    pub group: Option<String>,
    #[serde(default)]
    pub expected_version: Option<i32>,
    #[serde(deserialize_with = "id::single::<_, {id::SESSION}>")]
    pub session: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::PARTICIPANT}>")]
    pub participant: Uuid,
    pub mark: AttendanceMark,
    #[serde(default)]
    pub reason: Option<AbsenceReason>,
    #[serde(default)]
    pub minutes: Option<i32>,
    #[serde(default)]
    pub form_number: Option<String>,
}

impl Scoped for attendance::Entity {
    fn visible_to(access: &Access) -> Condition {
        access
            .own_rows(attendance::Column::OrganizationId, Right::EnrolmentRead)
            .add(access.of_women(attendance::Column::ParticipantId))
    }
}

impl Access {
    /// Records attendance row by row, or group by group where rows say that they belong together. One answer for each
    /// row, in their order, and the same viewer with the reference tables of the last one.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`.
    pub async fn record_attendance(
        &self,
        rows: &[AttendanceRow],
        validate_only: bool,
    ) -> Result<(Self, Vec<Answer>)> {
        self.require(Right::AttendanceRecord)?;
        self.purpose()?;
        let (next, answers) = self.sync_rows(rows, |_| validate_only).await?;
        let women: Vec<Uuid> = only_told(rows, &answers, validate_only).map(|row| row.participant).collect();
        if !women.is_empty() {
            let fields = ["mark", "reason", "minutes", "formNumber"].map(str::to_owned);
            next.reading().await?.end("attendance", &fields, women, ()).await?;
        }
        Ok((next, answers))
    }

    async fn attend(&self, write: &Write<'_>, row: &AttendanceRow) -> Written<Answer> {
        // One session at a time: two devices may be about the same woman.
        let sessions = self.select::<session::Entity>().filter(session::Column::Id.eq(row.session));
        let session = sessions.lock_exclusive().one(&write.tx).await?;
        let session =
            session.ok_or_else(|| UserError::new(UserErrorCode::NotFound, &["session"], NO_SESSION))?;
        self.hold_woman(write, row.participant, &["participant"]).await?;
        let known = self.attendance_known(write, row).await?;
        let Some(here) = known else {
            self.check_attendance(row, &session)?;
            return self.attend_anew(write, row).await;
        };
        let differences = row.differences(&here);
        if differences.is_empty() {
            return Ok(Answer::new(&row.client_id, Outcome::Repeated, Some(here.id)));
        }
        if row.expected_version != Some(here.version) {
            let conflict = Answer::new(&row.client_id, Outcome::Conflict, Some(here.id));
            return Ok(Answer { differences, ..conflict });
        }
        self.check_attendance(row, &session)?;
        self.correct_attendance(write, row, &here).await?;
        let trace = crate::store::write::Trace {
            detail: json!({ "before": row.content_of(&here) }),
            ..Trace::of("UPDATE", "attendance")
        };
        write.audit_about(vec![here.participant_id], trace, here.id, Some(here.version + 1)).await?;
        Ok(Answer::new(&row.client_id, Outcome::Updated, Some(here.id)))
    }

    async fn attend_anew(&self, write: &Write<'_>, row: &AttendanceRow) -> Written<Answer> {
        let id = self.new_id();
        let new = attendance::Model {
            organization_id: self.own()?,
            id,
            session_id: row.session,
            participant_id: row.participant,
            mark: row.mark,
            reason: row.reason,
            minutes: row.minutes,
            client_id: row.client_id,
            form_number: row.form_number.clone(),
            version: 1,
            recorded_at: self.now,
            recorded_by: self.viewer.account(),
        };
        write.put::<attendance::Entity>(vec![new]).await.map_err(crate::store::write::taken("clientId"))?;
        write.audit_about(vec![row.participant], Trace::of("CREATE", "attendance"), id, Some(1)).await?;
        Ok(Answer::new(&row.client_id, Outcome::Created, Some(id)))
    }

    /// The row that a device means: the one that it has made, or that another has made of the same woman.
    ///
    /// # Errors
    /// `DUPLICATE` when its id stands for another woman or session.
    #[expect(
        clippy::disallowed_methods,
        reason = "keyed by the viewer's own organisation and a woman in scope"
    )]
    async fn attendance_known(
        &self,
        write: &Write<'_>,
        row: &AttendanceRow,
    ) -> Written<Option<attendance::Model>> {
        use attendance::Column::{ClientId, OrganizationId, ParticipantId, SessionId};
        let same = Condition::all().add(SessionId.eq(row.session)).add(ParticipantId.eq(row.participant));
        let found = attendance::Entity::find()
            .filter(OrganizationId.eq(self.own()?))
            .filter(Condition::any().add(ClientId.eq(row.client_id)).add(same))
            .all(&write.tx)
            .await?;
        let means =
            |one: &attendance::Model| one.session_id == row.session && one.participant_id == row.participant;
        if found.iter().any(|one| !means(one)) {
            return Err(UserError::new(UserErrorCode::Duplicate, &["clientId"], OTHER_ROW).into());
        }
        Ok(found.into_iter().next())
    }

    fn check_attendance(&self, row: &AttendanceRow, session: &session::Model) -> Written<()> {
        let mut faults = Faults::default();
        let program = self.catalog.programs.get(session.program_id);
        let counted = program.is_some_and(|entry| counts_only(&entry.row));
        faults.check(!counted, UserErrorCode::Invalid, &["session"], COUNT_ONLY);
        let took_place = session.status != SessionStatus::Cancelled;
        faults.check(took_place, UserErrorCode::Invalid, &["session"], CANCELLED);
        faults.check(session.starts_at <= self.now, UserErrorCode::OutOfRange, &["session"], AHEAD);
        let present = row.mark == AttendanceMark::Present;
        let minutes = match (present, row.minutes) {
            (true, Some(minutes)) => (1..=session.minutes).contains(&minutes),
            (present, minutes) => !present && minutes.is_none(),
        };
        faults.check(minutes, UserErrorCode::OutOfRange, &["minutes"], BAD_MINUTES);
        faults.check(!present || row.reason.is_none(), UserErrorCode::Invalid, &["reason"], WAS_THERE);
        let excused = row.mark == AttendanceMark::AbsentExcused;
        faults.check(!excused || row.reason.is_some(), UserErrorCode::Invalid, &["reason"], NO_REASON);
        if let Some(number) = &row.form_number {
            faults.text(number, &["formNumber"], 40);
        }
        faults.refuse()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the update repeats the organisation and the version in its WHERE"
    )]
    async fn correct_attendance(
        &self,
        write: &Write<'_>,
        row: &AttendanceRow,
        here: &attendance::Model,
    ) -> Written<()> {
        let change = attendance::ActiveModel {
            mark: Set(row.mark),
            reason: Set(row.reason),
            minutes: Set(row.minutes),
            form_number: Set(row.form_number.clone()),
            version: Set(here.version + 1),
            ..Default::default()
        };
        let done = attendance::Entity::update_many()
            .set(change)
            .filter(attendance::Column::OrganizationId.eq(self.own()?))
            .filter(attendance::Column::Id.eq(here.id))
            .filter(attendance::Column::Version.eq(here.version))
            .exec(&write.tx)
            .await?;
        if done.rows_affected == 1 { Ok(()) } else { Err(UserError::stale().into()) }
    }

    /// All attendance of a session, whoever may see it: for the rules of the session.
    #[expect(
        clippy::disallowed_methods,
        reason = "rows of the viewer's own organisation, of which none is given"
    )]
    pub(super) async fn attendance_of(
        &self,
        write: &Write<'_>,
        session: Uuid,
    ) -> Result<Vec<attendance::Model>> {
        use attendance::Column::{OrganizationId, SessionId};
        let rows = attendance::Entity::find().filter(OrganizationId.eq(self.own()?));
        Ok(rows.filter(SessionId.eq(session)).all(&write.tx).await?)
    }
}

impl DeviceRow for AttendanceRow {
    const GROUPED_BY: &'static str = "group";

    fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    fn client_id(&self) -> String {
        self.client_id.to_string()
    }

    async fn write(&self, access: &Access, write: &Write<'_>) -> Written<Answer> {
        access.attend(write, self).await
    }
}

impl AttendanceRow {
    /// What a row here says, field by field, beside what was sent.
    fn contents(&self, here: &attendance::Model) -> [(&'static str, Value, Value); 4] {
        [
            ("mark", json!(here.mark), json!(self.mark)),
            ("reason", json!(here.reason), json!(self.reason)),
            ("minutes", json!(here.minutes), json!(self.minutes)),
            ("formNumber", json!(here.form_number), json!(self.form_number)),
        ]
    }

    fn differences(&self, here: &attendance::Model) -> Vec<Difference> {
        let contents = self.contents(here).into_iter();
        contents
            .filter(|(_, here, sent)| here != sent)
            .map(|(field, here, sent)| Difference { field, here, sent })
            .collect()
    }

    fn content_of(&self, here: &attendance::Model) -> Value {
        self.contents(here).into_iter().map(|(field, here, _)| (field.to_owned(), here)).collect()
    }
}

const NO_SESSION: Message = Message { en: "There is no such session.", es: "No existe esa sesión." };
const OTHER_ROW: Message = Message {
    en: "This id stands for another row. Make a new one.",
    es: "Este identificador corresponde a otra fila. Cree uno nuevo.",
};
const COUNT_ONLY: Message = Message {
    en: "What this program does is confidential: say in the session how many came, and name nobody.",
    es: "Lo que hace este programa es confidencial: indique en la sesión cuántas llegaron y no nombre a nadie.",
};
const BAD_MINUTES: Message = Message {
    en: "Who was there has minutes, at most those of the session; who was not has none.",
    es: "Quien estuvo tiene minutos, a lo sumo los de la sesión; quien no estuvo no los tiene.",
};
const WAS_THERE: Message =
    Message { en: "Who was there needs no reason.", es: "Quien estuvo no necesita motivo." };
const NO_REASON: Message =
    Message { en: "An excused absence has a reason.", es: "Una falta justificada tiene un motivo." };
