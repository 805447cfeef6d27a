//! Responses, from devices, on line and from paper: rows under ids of whoever sends them, each answered on its own. That a
//! woman did not answer is recorded like an answer.

use chrono::{NaiveDate, NaiveTime};
use entity::{
    participant, survey_response, survey_round,
    value::{OrganizationKeyKind, Question, ResponseChannel, ResponseOutcome, SurveyLinkage},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, Set,
    sea_query::{Expr, Query},
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    NO_ROUND,
    answer::{self, Answer, fitting},
    fit::Fitting,
};
use crate::{
    auth::Right,
    error::{Error, Result},
    id,
    store::{
        Access, Scoped,
        distribution::among_expr,
        input::{At, Faults, Message, Refused, UserError, UserErrorCode, Written, or_default},
        record::KeyHold,
        sync::{self, DeviceRow, Difference, Outcome, only_told},
        write::{Trace, Write, taken},
    },
    vault::{DataKey, Fault},
};

/// A response as it is sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResponseRow {
    pub client_id: Uuid,
    #[serde(default)]
    pub group: Option<String>,
    #[serde(default)]
    pub expected_version: Option<i32>,
    #[serde(deserialize_with = "id::single::<_, {id::SURVEY_ROUND}>")]
    pub round: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::FACILITY}>")]
    pub facility: Uuid,
    #[serde(default, deserialize_with = "id::optional::<_, {id::PARTICIPANT}>")]
    pub participant: Option<Uuid>,
    pub outcome: ResponseOutcome,
    pub answered_on: NaiveDate,
    pub channel: ResponseChannel,
    #[serde(default)]
    pub form_number: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub answers: Vec<Answer>,
}

/// A row with what is the same for many: the key for answers of which nobody knows whose they are, and the questions of its
/// round.
pub(super) struct Sending<'a> {
    pub row: &'a ResponseRow,
    pub anonymous: Option<&'a DataKey>,
    /// None when there is no such round.
    pub questions: Option<&'a [Question]>,
    /// The line of the file that it comes from.
    pub line: Option<u32>,
}

impl Scoped for survey_response::Entity {
    /// Responses of women whose records the viewer reads; those of nobody by facility.
    fn visible_to(access: &Access) -> Condition {
        use survey_response::Column::{FacilityId, OrganizationId, ParticipantId};
        let nobody = Condition::all().add(ParticipantId.is_null()).add(access.within_cut(FacilityId));
        access
            .own_rows(OrganizationId, Right::ResponseRead)
            .add(Condition::any().add(access.of_women(ParticipantId)).add(nobody))
    }
}

impl Access {
    /// Records responses row by row, or group by group where rows say that they belong together. One answer for each
    /// row, in their order, and the same viewer with the reference tables of the last one.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`.
    pub async fn submit_responses(
        &self,
        rows: &[ResponseRow],
        validate_only: bool,
    ) -> Result<(Self, Vec<sync::Answer>)> {
        self.require(Right::ResponseRecord)?;
        self.purpose()?;
        let anonymous = match rows.iter().any(|row| row.participant.is_none()) {
            true => Some(self.nobodys_key(validate_only).await?),
            false => None,
        };
        let questions = self.questions_of(rows.iter().map(|row| row.round)).await?;
        let sending = |row| Sending {
            row,
            anonymous: anonymous.as_ref(),
            questions: questions.get(&row.round).map(|questions| questions.0.as_slice()),
            line: None,
        };
        let sending: Vec<_> = rows.iter().map(sending).collect();
        let (next, answers) = self.sync_rows(&sending, |_| validate_only).await?;
        let told = only_told(rows, &answers, validate_only);
        let women: Vec<Uuid> = told.filter_map(|row| row.participant).collect();
        next.told(women).await?;
        Ok((next, answers))
    }

    /// The trace of what a sender was told of women's responses.
    pub(super) async fn told(&self, women: Vec<Uuid>) -> Result<()> {
        if women.is_empty() {
            return Ok(());
        }
        let fields = ["outcome", "answeredOn", "facility", "formNumber", "answers"].map(str::to_owned);
        self.reading().await?.end("survey_response", &fields, women, ()).await
    }

    /// The key for answers of which nobody knows whose they are. Nothing is kept of what is only checked, so none is made
    /// for it.
    pub(super) async fn nobodys_key(&self, checked: bool) -> Result<DataKey> {
        if !checked {
            return self.needed_key(OrganizationKeyKind::Survey).await;
        }
        match self.organization_key(OrganizationKeyKind::Survey).await? {
            Some(key) => Ok(key),
            None => Ok(DataKey::generate()?),
        }
    }

    /// Takes the answers of a response back: they are emptied for good, and that it was there stays.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    #[expect(clippy::disallowed_methods, reason = "the row was found in scope; its version is in the WHERE")]
    pub async fn withdraw_response(&self, at: At, validate_only: bool) -> Written<()> {
        self.require(Right::ResponseRead)?;
        self.require(Right::ResponseRecord)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        let rows = self.select::<survey_response::Entity>().filter(survey_response::Column::Id.eq(at.id));
        let row = rows.lock_exclusive().one(&write.tx).await?;
        let row = row.ok_or_else(|| UserError::not_found(&["id"]))?;
        at.check("id", row.version, None)?;
        if row.withdrawn_at.is_some() {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], WITHDRAWN).into());
        }
        survey_response::Entity::update_many()
            .set(survey_response::ActiveModel {
                answers: Set(None),
                form_number: Set(None),
                withdrawn_at: Set(Some(self.now)),
                version: Set(row.version + 1),
                ..Default::default()
            })
            .filter(survey_response::Column::OrganizationId.eq(row.organization_id))
            .filter(survey_response::Column::Id.eq(row.id))
            .filter(survey_response::Column::Version.eq(row.version))
            .exec(&write.tx)
            .await?;
        let women = row.participant_id.into_iter().collect();
        let trace = Trace::of("WITHDRAW", "survey_response");
        write.finish_about(women, trace, (row.id, row.version + 1), validate_only).await?;
        Ok(())
    }

    pub(super) async fn submit(&self, write: &Write<'_>, sending: &Sending<'_>) -> Written<sync::Answer> {
        let row = sending.row;
        write.hold_keys(KeyHold::Stay).await?;
        let rounds = self.select::<survey_round::Entity>().filter(survey_round::Column::Id.eq(row.round));
        let round = rounds.lock_shared().one(&write.tx).await?;
        let (Some(round), Some(questions)) = (round, sending.questions) else {
            return Err(UserError::new(UserErrorCode::NotFound, &["round"], NO_ROUND).into());
        };
        // Hers, or the organisation's where nobody knows whose they are. Hers is held, so that one at a time answers for her.
        let hers;
        let key = match (row.participant, sending.anonymous) {
            (Some(woman), _) => {
                self.hold_woman(write, woman, &["participant"]).await?;
                hers = write.keys_of(woman).await.map_err(unreadable)?.data;
                &hers
            }
            (None, Some(key)) => key,
            (None, None) => return Err(Error::from(Fault::Gone).into()),
        };
        let here = self.response_known(write, row).await?;
        let reads = self.viewer.has(Right::ResponseRead);
        // Whoever does not read answers is not told by guesses what they are, of responses of others.
        if let Some(here) = here.as_ref().filter(|here| !reads && here.client_id != row.client_id) {
            return Ok(row.conflict(here, vec![row.other_answers()]));
        }
        if here.as_ref().is_some_and(|here| here.withdrawn_at.is_some()) {
            return Err(UserError::new(UserErrorCode::Invalid, &["clientId"], WITHDRAWN).into());
        }
        let Some(here) = here else {
            let fitting = self.fit(write, row, &round, questions).await?;
            return self.submit_anew(write, sending, &round, &fitting, key).await;
        };
        let before = answer::open(Some(key), &here).transpose().map_err(unreadable)?.unwrap_or_default();
        let same = before == fitting(&mut Faults::default(), questions, &row.answers);
        let differences = row.differences(&here, same);
        if differences.is_empty() {
            return Ok(sync::Answer::new(&row.client_id, Outcome::Repeated, Some(here.id)));
        }
        let may_correct = reads || here.recorded_by.is_some() && here.recorded_by == self.viewer.account();
        if row.expected_version != Some(here.version) || !may_correct {
            let unsaid = |one: Difference| Difference { here: Value::Null, ..one };
            let told = if reads { differences } else { differences.into_iter().map(unsaid).collect() };
            return Ok(row.conflict(&here, told));
        }
        let fitting = self.fit(write, row, &round, questions).await?;
        self.correct_response(write, row, &here, &fitting, key).await?;
        // What she said before is not kept anywhere.
        let trace = Trace {
            detail: json!({ "changed": differences.iter().map(|one| one.field).collect::<Vec<_>>() }),
            ..Trace::of("UPDATE", "survey_response")
        };
        write.audit_response(row, here.id, trace, here.version + 1).await?;
        Ok(sync::Answer::new(&row.client_id, Outcome::Updated, Some(here.id)))
    }

    async fn submit_anew(
        &self,
        write: &Write<'_>,
        sending: &Sending<'_>,
        round: &survey_round::Model,
        fitting: &Fitting,
        key: &DataKey,
    ) -> Written<sync::Answer> {
        let row = sending.row;
        let (own, id) = (self.own()?, self.new_id());
        // Of nobody's response the moment and the sender would say whose it is.
        let named = round.linkage == SurveyLinkage::Pseudonymous;
        let day = self.today().and_time(NaiveTime::MIN).and_utc();
        let answers = match row.outcome {
            ResponseOutcome::Answered => Some(answer::seal(key, own, id, 1, &fitting.answers)?),
            _ => None,
        };
        let new = survey_response::Model {
            organization_id: own,
            id,
            round_id: row.round,
            facility_id: row.facility,
            participant_id: row.participant,
            consent_id: fitting.consent,
            outcome: row.outcome,
            answered_on: row.answered_on,
            channel: row.channel,
            client_id: row.client_id,
            form_number: row.form_number.clone(),
            answers,
            withdrawn_at: None,
            version: 1,
            recorded_at: if named { self.now } else { day },
            recorded_by: self.viewer.account().filter(|_| named),
        };
        write.put::<survey_response::Entity>(vec![new]).await.map_err(taken("clientId"))?;
        write.audit_response(row, id, sending.made(), 1).await?;
        Ok(sync::Answer::new(&row.client_id, Outcome::Created, Some(id)))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the update repeats the organisation and the version in its WHERE"
    )]
    async fn correct_response(
        &self,
        write: &Write<'_>,
        row: &ResponseRow,
        here: &survey_response::Model,
        fitting: &Fitting,
        key: &DataKey,
    ) -> Written<()> {
        let version = here.version + 1;
        let answers = match row.outcome {
            ResponseOutcome::Answered => {
                Some(answer::seal(key, here.organization_id, here.id, version, &fitting.answers)?)
            }
            _ => None,
        };
        let change = survey_response::ActiveModel {
            facility_id: Set(row.facility),
            consent_id: Set(fitting.consent),
            outcome: Set(row.outcome),
            answered_on: Set(row.answered_on),
            channel: Set(row.channel),
            form_number: Set(row.form_number.clone()),
            answers: Set(answers),
            version: Set(version),
            ..Default::default()
        };
        let done = survey_response::Entity::update_many()
            .set(change)
            .filter(survey_response::Column::OrganizationId.eq(here.organization_id))
            .filter(survey_response::Column::Id.eq(here.id))
            .filter(survey_response::Column::Version.eq(here.version))
            .exec(&write.tx)
            .await?;
        if done.rows_affected == 1 { Ok(()) } else { Err(UserError::stale().into()) }
    }

    /// The response that a row means: the one under its id, or the one of the same woman in the same round.
    ///
    /// # Errors
    /// `DUPLICATE` when its id stands for another woman or round, and when she has answered under a record that was merged
    /// into this one.
    #[expect(
        clippy::disallowed_methods,
        reason = "keyed by the viewer's own organisation and a woman in scope"
    )]
    async fn response_known(
        &self,
        write: &Write<'_>,
        row: &ResponseRow,
    ) -> Written<Option<survey_response::Model>> {
        use survey_response::Column::{ClientId, OrganizationId, ParticipantId, RoundId};
        let own = self.own()?;
        let mut either = Condition::any().add(ClientId.eq(row.client_id));
        if let Some(woman) = row.participant {
            let hers =
                Condition::any().add(ParticipantId.eq(woman)).add(merged_into(ParticipantId, own, [woman]));
            either = either.add(Condition::all().add(RoundId.eq(row.round)).add(hers));
        }
        let found = survey_response::Entity::find()
            .filter(OrganizationId.eq(own))
            .filter(either)
            .all(&write.tx)
            .await?;
        let other = |one: &&survey_response::Model| {
            one.round_id != row.round || one.participant_id != row.participant
        };
        match found.iter().find(other) {
            Some(one) if one.client_id == row.client_id => {
                Err(UserError::new(UserErrorCode::Duplicate, &["clientId"], OTHER_ROW).into())
            }
            Some(_) => Err(UserError::new(UserErrorCode::Duplicate, &["participant"], MERGED).into()),
            None => Ok(found.into_iter().next()),
        }
    }
}

impl Write<'_> {
    /// The trace of a write. Of nobody's response it names the round: the moment and the account of a trace would say whose
    /// it is.
    async fn audit_response(
        &self,
        row: &ResponseRow,
        id: Uuid,
        trace: Trace<'_>,
        version: i32,
    ) -> Result<()> {
        match row.participant {
            Some(woman) => self.audit_about(vec![woman], trace, id, Some(version)).await,
            None => self.audit_about(Vec::new(), trace, row.round, None).await,
        }
    }
}

/// The rows about records that were merged into some.
pub(super) fn merged_into(
    woman: survey_response::Column,
    organization: Uuid,
    kept: impl IntoIterator<Item = Uuid>,
) -> Condition {
    let merged = Expr::col((participant::Entity, participant::Column::MergedInto));
    let theirs = Query::select()
        .column(participant::Column::Id)
        .from(participant::Entity)
        .and_where(participant::Column::OrganizationId.eq(organization))
        .cond_where(among_expr(merged, kept))
        .to_owned();
    Condition::all().add(woman.in_subquery(theirs))
}

/// What does not open is this row's fault and no other's.
fn unreadable(fault: Error) -> Refused {
    match fault {
        Error::Undecipherable => UserError::new(UserErrorCode::Invalid, &["participant"], UNREADABLE).into(),
        other => other.into(),
    }
}

impl Sending<'_> {
    /// The trace of a new response. Of a file it has no digest: the answers of a small one could be guessed by it. The line
    /// of nobody's response would say whose it is.
    fn made(&self) -> Trace<'static> {
        match (self.line, self.row.participant) {
            (None, _) => Trace::of("CREATE", "survey_response"),
            (Some(_), None) => Trace::of("IMPORT", "survey_response"),
            (Some(line), Some(_)) => {
                Trace { detail: json!({ "line": line }), ..Trace::of("IMPORT", "survey_response") }
            }
        }
    }
}

impl DeviceRow for Sending<'_> {
    const GROUPED_BY: &'static str = "group";

    fn group(&self) -> Option<&str> {
        self.row.group.as_deref()
    }

    fn client_id(&self) -> String {
        self.row.client_id.to_string()
    }

    async fn write(&self, access: &Access, write: &Write<'_>) -> Written<sync::Answer> {
        access.submit(write, self).await
    }
}

impl ResponseRow {
    fn conflict(&self, here: &survey_response::Model, differences: Vec<Difference>) -> sync::Answer {
        let conflict = sync::Answer::new(&self.client_id, Outcome::Conflict, Some(here.id));
        sync::Answer { differences, ..conflict }
    }

    /// That answers differ; how is not told.
    fn other_answers(&self) -> Difference {
        Difference { field: "answers", here: Value::Null, sent: Value::Null }
    }

    /// In what a response here is not as it was sent.
    fn differences(&self, here: &survey_response::Model, same_answers: bool) -> Vec<Difference> {
        let facility = |id: Uuid| json!(id::text(id::Kind::Facility, id));
        let contents = [
            ("outcome", json!(here.outcome), json!(self.outcome)),
            ("answeredOn", json!(here.answered_on), json!(self.answered_on)),
            ("facility", facility(here.facility_id), facility(self.facility)),
            ("formNumber", json!(here.form_number), json!(self.form_number)),
        ];
        let mut differences: Vec<Difference> = contents
            .into_iter()
            .filter(|(_, here, sent)| here != sent)
            .map(|(field, here, sent)| Difference { field, here, sent })
            .collect();
        if !same_answers {
            differences.push(self.other_answers());
        }
        differences
    }
}

const MERGED: Message = Message {
    en: "She has answered in this round under a record that was merged into this one.",
    es: "Ya respondió en esta ronda con un expediente que se unió a este.",
};
const UNREADABLE: Message = Message {
    en: "Her key does not open. An operator has to look at it.",
    es: "Su clave no abre. Debe revisarlo quien opera el sistema.",
};
const WITHDRAWN: Message =
    Message { en: "The answers were taken back.", es: "Las respuestas fueron retiradas." };
const OTHER_ROW: Message = Message {
    en: "This id stands for another response.",
    es: "Este identificador corresponde a otra respuesta.",
};
