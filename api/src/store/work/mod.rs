//! Programs at work: workshops, sessions, enrolments, attendance, skills, production, sales and legal matters.

pub mod attendance;
pub mod enrolment;
pub mod legal;
pub mod production;
pub mod read;
pub mod sale;
pub mod session;
pub mod skill;
pub mod workshop;

use chrono::NaiveDate;
use entity::{
    participant, program,
    value::{ProgramArea, ProgramStatus},
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, QueryFilter, QuerySelect, sea_query::LockType};
use uuid::Uuid;

use super::{
    Access,
    input::{Faults, Message, UserError, UserErrorCode, Written},
    nothing,
    program::NO_PROGRAM,
    write::Write,
};
use crate::{auth::Right, error::Result};

impl Access {
    /// Rows of the viewer's organisation, for staff who hold a right.
    pub(in crate::store) fn own_rows(&self, organization: impl ColumnTrait, right: Right) -> Condition {
        match self.viewer.organization().filter(|own| self.viewer.is_staff_of(*own)) {
            Some(own) if self.viewer.has(right) => Condition::all().add(organization.eq(own)),
            _ => nothing(),
        }
    }

    /// The facilities of a member who is cut to some.
    pub(in crate::store) fn within_cut(&self, facility: impl ColumnTrait) -> Condition {
        match self.viewer.facilities() {
            None => Condition::all(),
            Some(cut) => super::distribution::among(facility, cut.iter().copied()),
        }
    }

    /// An own program that is open, on a day of it; none when it cannot be named.
    fn check_program(
        &self,
        faults: &mut Faults,
        program: Uuid,
        day: (NaiveDate, &str),
    ) -> Option<&program::Model> {
        let own = self.viewer.organization();
        let row = self.catalog.programs.get(program).map(|entry| &entry.row);
        let Some(row) = row.filter(|row| Some(row.organization_id) == own) else {
            faults.add(UserErrorCode::NotFound, &["program"], NO_PROGRAM);
            return None;
        };
        let open = row.published_at.is_some() && row.archived_at.is_none();
        let open = open && matches!(row.status, ProgramStatus::Active | ProgramStatus::Completed);
        faults.check(open, UserErrorCode::Invalid, &["program"], NOT_OPEN);
        let inside = row.starts_on <= day.0 && row.ends_on.is_none_or(|last| day.0 <= last);
        faults.check(inside, UserErrorCode::OutOfRange, &[day.1], OUTSIDE);
        Some(row)
    }

    /// A woman whom the viewer looks after, held until the transaction ends.
    pub(in crate::store) async fn hold_woman(
        &self,
        write: &Write<'_>,
        woman: Uuid,
        field: &[&str],
    ) -> Written<participant::Model> {
        let row = self.participant_in(write, woman, LockType::Share).await?;
        row.ok_or_else(|| UserError::new(UserErrorCode::NotFound, field, NO_WOMAN).into())
    }
}

/// Whether what a program does with women is confidential: its sessions are counted, and nobody is named.
pub fn counts_only(program: &program::Model) -> bool {
    program
        .areas
        .0
        .iter()
        .chain([&program.area])
        .any(|area| matches!(area, ProgramArea::MentalHealth | ProgramArea::LegalDefence))
}

/// The codes of women whom the viewer has been shown rows about.
pub(super) async fn codes(
    access: &Access,
    db: &impl ConnectionTrait,
    women: impl IntoIterator<Item = Uuid>,
) -> Result<std::collections::HashMap<Uuid, String>> {
    use participant::Column::{Code, Id};
    let mut women: Vec<Uuid> = women.into_iter().collect();
    women.sort_unstable();
    women.dedup();
    let rows = access
        .select::<participant::Entity>()
        .filter(super::distribution::among(Id, women))
        .select_only()
        .columns([Id, Code])
        .into_tuple::<(Uuid, String)>()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

const NOT_OPEN: Message = Message { en: "This program is not open.", es: "Este programa no está abierto." };
const OUTSIDE: Message = Message {
    en: "The day is outside of the program or the workshop.",
    es: "El día está fuera del programa o del taller.",
};
const NO_WOMAN: Message = Message { en: "There is no such participant.", es: "No existe esa participante." };
const NO_TECHNIQUE: Message = Message { en: "There is no such technique.", es: "No existe esa técnica." };
