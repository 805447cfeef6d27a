//! Responses out of files, through what takes them from devices and under its rules.
//!
//! A file is tried first, whole and in a transaction that leaves nothing, and then written. So a fault in its last row
//! keeps the first out, and not even a key is made for it.

use std::collections::HashMap;

use entity::{
    participant, survey_round,
    value::{Question, ResponseChannel, SurveyLinkage},
};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::{
    auth::Right,
    error::{Error, Result},
    import::{FaultCode, Faults, FoundResponse, Names},
    store::{
        Access,
        import::Stopped,
        input::{Message, Refused, UserError},
        survey::{
            IS_CLOSED,
            answer::{REQUIRED, lacking},
            response::{ResponseRow, Sending},
        },
        sync::Outcome,
        tied::{self, Hold},
        write::Write,
    },
    vault::DataKey,
};

/// How many women are looked for, and are in one trace, at a time.
const AT_ONCE: usize = 500;

/// What an import of responses would write.
#[derive(Debug)]
pub struct Plan {
    new: Vec<(u32, ResponseRow)>,
    /// Responses that are here already, as the file says them.
    pub unchanged: usize,
}

impl Plan {
    /// How many responses would be made.
    pub fn created(&self) -> usize {
        self.new.len()
    }
}

/// What is asked in a round.
#[derive(Clone, Debug)]
pub struct AskedIn {
    pub round: survey_round::Model,
    pub questions: Vec<Question>,
}

impl AskedIn {
    /// Whether each response is of a woman who has a record.
    pub fn is_named(&self) -> bool {
        self.round.linkage == SurveyLinkage::Pseudonymous
    }
}

impl Access {
    /// What is asked in the round of a code; none when there is no such round.
    ///
    /// # Errors
    /// `NotPermitted` without the right; when the database is out of reach.
    pub async fn asked_in(&self, code: &str) -> Result<Option<AskedIn>> {
        self.require(Right::SurveyRead)?;
        let round = self.select::<survey_round::Entity>().filter(survey_round::Column::Code.eq(code));
        let Some(round) = round.one(self.reader()).await? else { return Ok(None) };
        let questions = self.questions_of([round.id]).await?.remove(&round.id);
        Ok(questions.map(|questions| AskedIn { round, questions: questions.0 }))
    }

    /// The responses that are new, after all were tried; every fault is reported. Whatever is told of a woman leaves a trace.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; when the database is out of reach.
    pub async fn try_responses(
        &self,
        asked: &AskedIn,
        found: &[FoundResponse],
        names: &Names,
        checked: bool,
        faults: &mut Faults,
    ) -> Result<Plan> {
        self.require(Right::ResponseRecord)?;
        self.purpose()?;
        if asked.round.closed_at.is_some() {
            faults.add(1, None, FaultCode::Invalid, IS_CLOSED.into());
            return Ok(Plan { new: Vec::new(), unchanged: 0 });
        }
        let rows = self.resolved(asked, found, names, faults).await?;
        let key = self.nobodys_key_for(asked, true).await?;
        let write = self.store.bulk().await?.as_write(self);
        if tied::take(&write.tx, Hold::MoveMany, self.own()?).await? != self.catalog.version {
            return Err(Error::Unavailable);
        }
        let (mut new, mut known) = (Vec::new(), Vec::new());
        let women: Vec<Uuid> = rows.iter().filter_map(|(_, row)| row.participant).collect();
        for (line, row) in rows {
            match self.import_row(&write, asked, &row, line, key.as_ref()).await {
                Ok(Outcome::Created) => new.push((line, row)),
                Ok(Outcome::Conflict) => {
                    faults.add(line, Some(&names.client_id), FaultCode::Conflict, IS_HERE.into());
                }
                Ok(_) => known.push(row.participant),
                Err(Refused::User(errors)) => blame(asked, names, (line, &row), &errors, faults),
                Err(Refused::Fault(fault)) => return Err(fault),
                Err(Refused::Outdated(_)) => return Err(Error::Unavailable),
            }
        }
        write.discard().await?;
        let unchanged = known.len();
        let told = if checked || !faults.is_empty() { women } else { known.into_iter().flatten().collect() };
        for women in told.chunks(AT_ONCE) {
            self.told(women.to_vec()).await?;
        }
        Ok(Plan { new, unchanged })
    }

    /// Writes all of a plan in one transaction, or nothing. `progress` is told how many responses are done.
    ///
    /// # Errors
    /// When somebody else was faster, or the database is out of reach; nothing is written then.
    pub async fn write_responses(
        &self,
        asked: &AskedIn,
        plan: Plan,
        mut progress: impl FnMut(usize),
    ) -> Result<(), Stopped> {
        let key = self.nobodys_key_for(asked, false).await?;
        let write = self.store.bulk().await?.as_write(self);
        if tied::take(&write.tx, Hold::MoveMany, self.own()?).await? != self.catalog.version {
            return Err(Stopped::Changed);
        }
        for ((line, row), done) in plan.new.iter().zip(1..) {
            match self.import_row(&write, asked, row, *line, key.as_ref()).await {
                Ok(Outcome::Created) => progress(done),
                Ok(_) => return Err(Stopped::Taken),
                Err(Refused::Fault(fault)) => return Err(Stopped::Fault(fault)),
                Err(Refused::User(_) | Refused::Outdated(_)) => return Err(Stopped::Changed),
            }
        }
        Ok(write.commit().await?)
    }

    async fn import_row(
        &self,
        write: &Write<'_>,
        asked: &AskedIn,
        row: &ResponseRow,
        line: u32,
        anonymous: Option<&DataKey>,
    ) -> Result<Outcome, Refused> {
        let sending = Sending { row, anonymous, questions: Some(&asked.questions), line: Some(line) };
        Ok(self.submit(write, &sending).await?.outcome)
    }

    async fn nobodys_key_for(&self, asked: &AskedIn, checked: bool) -> Result<Option<DataKey>> {
        if asked.is_named() { Ok(None) } else { Ok(Some(self.nobodys_key(checked).await?)) }
    }

    /// The rows whose facility and woman are known.
    async fn resolved(
        &self,
        asked: &AskedIn,
        found: &[FoundResponse],
        names: &Names,
        faults: &mut Faults,
    ) -> Result<Vec<(u32, ResponseRow)>> {
        let codes: Vec<&str> = found.iter().filter_map(|row| row.participant.as_deref()).collect();
        let women = if asked.is_named() { self.women_of(&codes).await? } else { HashMap::new() };
        let mut lines: HashMap<Uuid, u32> = HashMap::new();
        let mut rows = Vec::with_capacity(found.len());
        for response in found {
            let line = response.line;
            let facility = self.facility_by_slug(&response.facility).map(|entry| entry.row.id);
            if facility.is_none() {
                faults.add(line, Some(&names.facility), FaultCode::NotFound, NO_FACILITY.into());
            }
            let code = response.participant.as_deref();
            let participant = code.and_then(|code| women.get(code).copied());
            let mut whole = facility.is_some();
            let person = Some(names.participant.as_str());
            match (asked.is_named(), code.is_some(), participant) {
                (true, _, Some(woman)) => {
                    if lines.insert(woman, line).is_some() {
                        faults.add(line, person, FaultCode::Duplicate, TWICE.into());
                        whole = false;
                    }
                }
                (true, ..) => {
                    faults.add(line, person, FaultCode::NotFound, NO_WOMAN.into());
                    whole = false;
                }
                (false, true, _) => {
                    faults.add(line, person, FaultCode::Invalid, IS_ANONYMOUS.into());
                    whole = false;
                }
                (false, false, _) => {}
            }
            let Some(facility) = facility.filter(|_| whole) else { continue };
            let row = ResponseRow {
                client_id: response.client_id,
                group: None,
                expected_version: None,
                round: asked.round.id,
                facility,
                participant,
                outcome: response.outcome,
                answered_on: response.answered_on,
                channel: ResponseChannel::Import,
                form_number: response.form_number.clone(),
                answers: response.answers.clone(),
            };
            rows.push((line, row));
        }
        Ok(rows)
    }

    /// The women of some codes, those of them that there are.
    async fn women_of(&self, codes: &[&str]) -> Result<HashMap<String, Uuid>> {
        use participant::Column::{Code, Id};
        let mut women = HashMap::with_capacity(codes.len());
        for codes in codes.chunks(AT_ONCE) {
            let codes = codes.iter().copied().filter(|code| !code.contains('\0'));
            let rows = self.select::<participant::Entity>().filter(Code.is_in(codes));
            let rows = rows.select_only().columns([Code, Id]).into_tuple::<(String, Uuid)>();
            women.extend(rows.all(self.reader()).await?);
        }
        Ok(women)
    }
}

/// What a row is refused for, at the columns that it came from. No message holds anything of the row.
fn blame(
    asked: &AskedIn,
    names: &Names,
    (line, row): (u32, &ResponseRow),
    errors: &[UserError],
    faults: &mut Faults,
) {
    // A device is told that questions lack an answer, and not which.
    if errors.iter().any(|error| error.message == REQUIRED) {
        for question in lacking(&asked.questions, &row.answers) {
            faults.add(line, Some(question), FaultCode::MissingValue, REQUIRED.into());
        }
    }
    for error in errors.iter().filter(|error| error.message != REQUIRED) {
        let mut parts = error.field.iter().map(String::as_str);
        let column = match (parts.next(), parts.next()) {
            (Some("answers"), Some(place)) => {
                let answer = place.parse::<usize>().ok().and_then(|place| row.answers.get(place));
                answer.map(|answer| answer.question.as_str())
            }
            (Some("participant"), _) => Some(names.participant.as_str()),
            (Some("facility"), _) => Some(names.facility.as_str()),
            (Some("answeredOn"), _) => Some(names.answered_on.as_str()),
            (Some("formNumber"), _) => Some(names.form_number.as_str()),
            (Some("clientId"), _) => Some(names.client_id.as_str()),
            _ => None,
        };
        faults.add(line, column, error.code.into(), error.message.into());
    }
}

const IS_HERE: Message = Message {
    en: "This response is here with another content, or she has answered in this round already. An import changes nothing; \
         correct it through the API.",
    es: "Esta respuesta ya está con otro contenido, o ella ya respondió en esta ronda. Una importación no cambia nada; \
         corríjala mediante la API.",
};
const NO_FACILITY: Message =
    Message { en: "There is no facility of this slug.", es: "No existe un centro con este nombre corto." };
const NO_WOMAN: Message =
    Message { en: "There is no woman of this code.", es: "No existe una participante con este código." };
const TWICE: Message = Message {
    en: "She is in the file before; a woman answers once in a round.",
    es: "Ella ya está antes en el archivo; en una ronda se responde una vez.",
};
const IS_ANONYMOUS: Message = Message {
    en: "The round is anonymous: nothing may say who answered.",
    es: "La ronda es anónima: nada puede decir quién respondió.",
};
