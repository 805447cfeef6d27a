//! Whether a response fits its round, the questions of it, and what the woman has consented to.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::{
    consent, instrument_version, survey_round, survey_round_facility,
    value::{ConsentDecision, ConsentPurpose, Question, Questions, ResponseOutcome, SurveyLinkage},
};
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use super::{
    IS_CLOSED,
    answer::{Answer, fitting},
    response::ResponseRow,
};
use crate::{
    error::Result,
    store::{
        Access,
        distribution::among,
        input::{FUTURE, Faults, Message, UserErrorCode, Written},
        write::Write,
    },
};

/// What a row says, once it fits its round.
pub(super) struct Fitting {
    pub answers: Vec<Answer>,
    pub consent: Option<Uuid>,
}

impl Access {
    /// Whether a row of a woman who is held fits its round, and its answers the questions of it.
    pub(super) async fn fit(
        &self,
        write: &Write<'_>,
        row: &ResponseRow,
        round: &survey_round::Model,
        questions: &[Question],
    ) -> Written<Fitting> {
        let mut faults = Faults::default();
        faults.check(round.closed_at.is_none(), UserErrorCode::Invalid, &["round"], IS_CLOSED);
        let past = row.answered_on <= self.today();
        faults.check(past, UserErrorCode::OutOfRange, &["answeredOn"], FUTURE);
        let within = (round.starts_on..=round.ends_on).contains(&row.answered_on);
        faults.check(within, UserErrorCode::OutOfRange, &["answeredOn"], OUTSIDE);
        let places = self
            .select::<survey_round_facility::Entity>()
            .filter(survey_round_facility::Column::RoundId.eq(round.id))
            .filter(survey_round_facility::Column::FacilityId.eq(row.facility));
        let here = places.one(&write.tx).await?.is_some();
        let reached = self.viewer.facilities().is_none_or(|cut| cut.contains(&row.facility));
        faults.check(here && reached, UserErrorCode::NotFound, &["facility"], NOT_THERE);
        let named = round.linkage == SurveyLinkage::Pseudonymous;
        faults.check(named == row.participant.is_some(), UserErrorCode::Invalid, &["participant"], LINKED);
        match &row.form_number {
            // The same number stands on a sheet that has her name.
            Some(_) if !named => faults.add(UserErrorCode::Invalid, &["formNumber"], NO_NUMBER),
            Some(number) => faults.text(number, &["formNumber"], 40),
            None => {}
        }
        let answered = row.outcome == ResponseOutcome::Answered;
        faults.check(answered || row.answers.is_empty(), UserErrorCode::Invalid, &["answers"], NO_ANSWERS);
        let mut consent = None;
        if let Some(woman) = row.participant.filter(|_| named && answered) {
            consent = self.consent_to_statistics(write, woman, row.answered_on).await?;
            faults.check(consent.is_some(), UserErrorCode::Invalid, &["participant"], NO_CONSENT);
        }
        let answers = if answered { fitting(&mut faults, questions, &row.answers) } else { Vec::new() };
        faults.refuse()?;
        Ok(Fitting { answers, consent })
    }

    /// The questions of rounds; they never change.
    pub(super) async fn questions_of(
        &self,
        rounds: impl IntoIterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, Questions>> {
        let db = self.reader();
        let rounds = self.select::<survey_round::Entity>().filter(among(survey_round::Column::Id, rounds));
        let rounds = rounds.all(db).await?;
        let asked = rounds.iter().map(|round| round.instrument_id);
        let versions = self.select::<instrument_version::Entity>();
        let versions =
            versions.filter(among(instrument_version::Column::InstrumentId, asked)).all(db).await?;
        let of_round = |round: survey_round::Model| {
            let mut versions = versions.iter().filter(|version| version.instrument_id == round.instrument_id);
            let version = versions.find(|version| version.number == round.instrument_version)?;
            Some((round.id, version.questions.clone()))
        };
        Ok(rounds.into_iter().filter_map(of_round).collect())
    }

    /// The consent that a woman's answers of a day rest on; none once she has withdrawn it.
    async fn consent_to_statistics(
        &self,
        write: &Write<'_>,
        woman: Uuid,
        day: NaiveDate,
    ) -> Result<Option<Uuid>> {
        let mut rows = self.hanging_in::<consent::Entity>(&write.tx, &[woman]).await?;
        rows.retain(|row| row.purpose == ConsentPurpose::Statistics);
        rows.sort_by_key(|row| (row.decided_on, row.recorded_at, row.id));
        let given = |row: &&consent::Model| row.decision == ConsentDecision::Given;
        let then = rows.iter().rfind(|row| row.decided_on <= day).filter(given);
        Ok(then.filter(|_| rows.last().is_some_and(|now| given(&now))).map(|row| row.id))
    }
}

const OUTSIDE: Message = Message {
    en: "The day is outside the field work of the round.",
    es: "El día está fuera del trabajo de campo de la ronda.",
};
const NOT_THERE: Message = Message {
    en: "The round does not take place at this facility.",
    es: "La ronda no se hace en este centro.",
};
const LINKED: Message = Message {
    en: "A round that is pseudonymous needs the participant; one that is anonymous takes none.",
    es: "Una ronda seudónima necesita la participante; una anónima no la admite.",
};
const NO_ANSWERS: Message =
    Message { en: "Who did not answer has no answers.", es: "Quien no respondió no tiene respuestas." };
const NO_CONSENT: Message = Message {
    en: "She did not consent to statistics on this day, or has withdrawn it since. Record that she refused, or her consent.",
    es: "Ese día no consentía el uso estadístico, o lo revocó después. Registre que no quiso responder, o su consentimiento.",
};
const NO_NUMBER: Message = Message {
    en: "A response of nobody has no number of a sheet: it would say whose it is.",
    es: "Una respuesta anónima no lleva número de hoja: diría de quién es.",
};
