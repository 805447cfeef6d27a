//! Surveys, for staff: instruments, rounds and responses.

use entity::value::{Question, QuestionOption};
use uuid::Uuid;

use super::{
    connection::{Connection, Names, counted, cursors, selected, window},
    facility::Facility,
    mutation::{Done, Input, Subject},
    node::Node,
    participant,
    query::drawn,
    render::{Need, Object, Writer, Written},
    text::LocalizedText,
};
use crate::{
    auth::Right,
    error::{Error, Result},
    id::Kind,
    store::{
        Access,
        survey::{
            self, Asked, Found, Rows, Wanted, answer,
            instrument::{CreateInstrument, ReviseInstrument},
            round::{CreateSurveyRound, UpdateSurveyRound},
        },
    },
};

struct Instrument<'a>(&'a survey::Instrument);
struct InstrumentVersion<'a>(&'a entity::instrument_version::Model);
struct SurveyQuestion<'a>(&'a Question);
struct SurveyQuestionOption<'a>(&'a QuestionOption);
struct SurveyCondition<'a>(&'a entity::value::AskedWhen);
struct SurveyRound<'a>(&'a survey::Round);
struct SurveyResponse<'a>(&'a survey::Response);
struct SurveyAnswer<'a>(&'a answer::Answer);

macro_rules! names {
    ($name:literal) => {
        Names { connection: concat!($name, "Connection"), edge: concat!($name, "Edge") }
    };
}
const INSTRUMENTS: Names = names!("Instrument");
const ROUNDS: Names = names!("SurveyRound");
const RESPONSES: Names = names!("SurveyResponse");

/// `Query.instruments`, `Query.surveyRounds` and `Query.surveyResponses`.
pub fn query(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let fetched = w.fetched;
    let names = match node.name {
        "instruments" => INSTRUMENTS,
        "surveyRounds" => ROUNDS,
        _ => RESPONSES,
    };
    let cursors = cursors(w.access, node, names.connection, "");
    match fetched.surveys.get(&(node.number, Uuid::nil())) {
        Some(Ok(Found::Instruments(page))) => {
            let draw = |w: &mut Writer<'_>, node: &Node<'_>, row: &_| w.object(node, &Instrument(row));
            w.object(node, &Connection { names, page, cursors, draw, place: Access::instrument_place })
        }
        Some(Ok(Found::Rounds(page))) => {
            let draw = |w: &mut Writer<'_>, node: &Node<'_>, row: &_| w.object(node, &SurveyRound(row));
            w.object(node, &Connection { names, page, cursors, draw, place: Access::round_place })
        }
        Some(Ok(Found::Responses(page))) => {
            let draw = |w: &mut Writer<'_>, node: &Node<'_>, row: &_| w.object(node, &SurveyResponse(row));
            w.object(node, &Connection { names, page, cursors, draw, place: Access::response_place })
        }
        Some(Err(error)) => w.fail(node, error.clone()),
        None => match listing(node, w.access) {
            Ok(asked) => w.need(Need::Surveys(node.number, Uuid::nil(), Box::new(asked))),
            Err(error) => w.fail(node, error),
        },
    }
}

fn listing(node: &Node<'_>, access: &Access) -> Result<Asked> {
    fn page<F: Default + for<'de> serde::Deserialize<'de>>(
        node: &Node<'_>,
        access: &Access,
        names: Names,
    ) -> Result<Rows<F>> {
        Ok(Rows::Page {
            filter: node.argument("filter")?.unwrap_or_default(),
            window: window(node, &cursors(access, node, names.connection, ""))?,
            with_total: counted(node, names),
        })
    }
    let wanted = |names, row: &str| wanted(&selected(node, names, row), node);
    Ok(match node.name {
        "instruments" => {
            Asked::Instruments(page(node, access, INSTRUMENTS)?, wanted(INSTRUMENTS, "Instrument"))
        }
        "surveyRounds" => Asked::Rounds(page(node, access, ROUNDS)?, wanted(ROUNDS, "SurveyRound")),
        _ => Asked::Responses(page(node, access, RESPONSES)?, wanted(RESPONSES, "SurveyResponse")),
    })
}

/// What of the rows is wanted below a field, however deep it stands.
fn wanted(fields: &[String], node: &Node<'_>) -> Wanted {
    Wanted {
        versions: node.reaches("versions"),
        questions: node.reaches("questions"),
        answers: node.reaches("answers"),
        fields: fields.to_vec(),
    }
}

/// An object by its id; null for who may not see it.
pub fn one(node: &Node<'_>, w: &mut Writer<'_>, kind: Kind, id: Uuid) -> Written {
    let (right, row) = match kind {
        Kind::Instrument => (Right::SurveyRead, "Instrument"),
        Kind::SurveyRound => (Right::SurveyRead, "SurveyRound"),
        _ => (Right::ResponseRead, "SurveyResponse"),
    };
    if !w.access.viewer.has(right) {
        return w.null();
    }
    let fetched = w.fetched;
    match fetched.surveys.get(&(node.number, id)) {
        Some(Ok(found)) => match found {
            Found::Instruments(page) => drawn(node, w, page.rows.first().map(Instrument)),
            Found::Rounds(page) => drawn(node, w, page.rows.first().map(SurveyRound)),
            Found::Responses(page) => drawn(node, w, page.rows.first().map(SurveyResponse)),
        },
        Some(Err(error)) => w.fail(node, error.clone()),
        None => {
            let fields: Vec<String> = node.fields(row).iter().map(|field| field.name.to_owned()).collect();
            let wanted = wanted(&fields, node);
            let asked = match kind {
                Kind::Instrument => Asked::Instruments(Rows::One(id), wanted),
                Kind::SurveyRound => Asked::Rounds(Rows::One(id), wanted),
                _ => Asked::Responses(Rows::One(id), wanted),
            };
            w.need(Need::Surveys(node.number, id, Box::new(asked)))
        }
    }
}

impl Object for Instrument<'_> {
    fn type_name(&self) -> &str {
        "Instrument"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let survey::Instrument { row, versions } = self.0;
        match node.name {
            "id" => w.id(Kind::Instrument, row.id),
            "version" => w.int(row.version.into()),
            "code" => w.str(&row.code),
            "title" => w.object(node, &LocalizedText(&row.title)),
            "versions" => w.list(node, versions, |w, row| w.object(node, &InstrumentVersion(row))),
            "archivedAt" => w.optional_moment(row.archived_at),
            "recordedAt" => w.moment(row.recorded_at),
            _ => w.absent(node),
        }
    }
}

impl Object for InstrumentVersion<'_> {
    fn type_name(&self) -> &str {
        "InstrumentVersion"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "number" => w.int(self.0.number.into()),
            "questions" => questions(node, w, &self.0.questions.0),
            "recordedAt" => w.moment(self.0.recorded_at),
            _ => w.absent(node),
        }
    }
}

fn questions(node: &Node<'_>, w: &mut Writer<'_>, questions: &[Question]) -> Written {
    w.list(node, questions, |w, question| w.object(node, &SurveyQuestion(question)))
}

impl Object for SurveyQuestion<'_> {
    fn type_name(&self) -> &str {
        "SurveyQuestion"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let question = self.0;
        match node.name {
            "code" => w.str(&question.code),
            "kind" => w.word(&question.kind),
            "text" => w.object(node, &LocalizedText(&question.text)),
            "riskClass" => w.word(&question.risk_class),
            "required" => w.bool(question.required),
            "options" => {
                w.list(node, &question.options, |w, option| w.object(node, &SurveyQuestionOption(option)))
            }
            "min" => w.optional_int(question.min.map(i64::from)),
            "max" => w.optional_int(question.max.map(i64::from)),
            "unit" => w.optional_str(question.unit.as_deref()),
            "askedWhen" => drawn(node, w, question.asked_when.as_ref().map(SurveyCondition)),
            _ => w.absent(node),
        }
    }
}

impl Object for SurveyQuestionOption<'_> {
    fn type_name(&self) -> &str {
        "SurveyQuestionOption"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "code" => w.str(&self.0.code),
            "text" => w.object(node, &LocalizedText(&self.0.text)),
            _ => w.absent(node),
        }
    }
}

impl Object for SurveyCondition<'_> {
    fn type_name(&self) -> &str {
        "SurveyCondition"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "question" => w.str(&self.0.question),
            "anyOf" => w.list(node, &self.0.any_of, |w, code| w.str(code)),
            _ => w.absent(node),
        }
    }
}

impl Object for SurveyRound<'_> {
    fn type_name(&self) -> &str {
        "SurveyRound"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let survey::Round { row, facilities, instrument, questions: asked } = self.0;
        match node.name {
            "id" => w.id(Kind::SurveyRound, row.id),
            "version" => w.int(row.version.into()),
            "code" => w.str(&row.code),
            "instrument" => w.object(node, &Instrument(instrument)),
            "instrumentVersion" => w.int(row.instrument_version.into()),
            "questions" => questions(node, w, &asked.0),
            "facilities" => {
                let seen: Vec<_> = facilities.iter().filter_map(|id| w.access.facility(*id)).collect();
                w.list(node, seen, |w, entry| w.object(node, &Facility(entry)))
            }
            "mode" => w.word(&row.mode),
            "linkage" => w.word(&row.linkage),
            "noticeVersion" => w.str(&row.notice_version),
            "startsOn" => w.date(row.starts_on),
            "endsOn" => w.date(row.ends_on),
            "universe" => w.optional_int(row.universe.map(i64::from)),
            "eligible" => w.optional_int(row.eligible.map(i64::from)),
            "invited" => w.optional_int(row.invited.map(i64::from)),
            "closedAt" => w.optional_moment(row.closed_at),
            "recordedAt" => w.moment(row.recorded_at),
            _ => w.absent(node),
        }
    }
}

impl Object for SurveyResponse<'_> {
    fn type_name(&self) -> &str {
        "SurveyResponse"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let survey::Response { row, code, round, answers } = self.0;
        match node.name {
            "id" => w.id(Kind::SurveyResponse, row.id),
            "version" => w.int(row.version.into()),
            "round" => w.object(node, &SurveyRound(round)),
            "facility" => drawn(node, w, w.access.facility(row.facility_id).map(Facility)),
            "participant" => match row.participant_id {
                Some(woman) => participant::one(node, w, woman),
                None => w.null(),
            },
            "participantCode" => w.optional_str(code.as_deref()),
            "outcome" => w.word(&row.outcome),
            "answeredOn" => w.date(row.answered_on),
            "channel" => w.word(&row.channel),
            "formNumber" => w.optional_str(row.form_number.as_deref()),
            "answers" => match answers {
                Some(Ok(answers)) => w.list(node, answers, |w, answer| w.object(node, &SurveyAnswer(answer))),
                Some(Err(error)) => w.fail(node, error.clone()),
                None => w.null(),
            },
            "withdrawnAt" => w.optional_moment(row.withdrawn_at),
            "recordedAt" => w.moment(row.recorded_at),
            _ => w.absent(node),
        }
    }
}

impl Object for SurveyAnswer<'_> {
    fn type_name(&self) -> &str {
        "SurveyAnswer"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let answer = self.0;
        match node.name {
            "question" => w.str(&answer.question),
            "options" => w.list(node, &answer.options, |w, code| w.str(code)),
            "number" => w.optional_int(answer.number.map(i64::from)),
            "yes" => match answer.yes {
                Some(yes) => w.bool(yes),
                None => w.null(),
            },
            "missing" => match &answer.missing {
                Some(missing) => w.word(missing),
                None => w.null(),
            },
            _ => w.absent(node),
        }
    }
}

/// The mutations of surveys, but for `submitResponses`.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "createInstrument" => {
            let mut create: CreateInstrument = input.read()?;
            create.once = input.once(name)?;
            let made = access.create_instrument(create).await?;
            return Ok(made.map(|id| Subject::Survey(Kind::Instrument, id)));
        }
        "reviseInstrument" => {
            let mut revise: ReviseInstrument = input.read()?;
            revise.at = input.at("id")?;
            access.revise_instrument(revise).await?;
        }
        "archiveInstrument" => {
            access.archive_instrument(input.at("id")?, input.validate_only()).await?;
        }
        "createSurveyRound" => {
            let mut create: CreateSurveyRound = input.read()?;
            create.once = input.once(name)?;
            let made = access.create_survey_round(create).await?;
            return Ok(made.map(|id| Subject::Survey(Kind::SurveyRound, id)));
        }
        "updateSurveyRound" => {
            let mut update: UpdateSurveyRound = input.read()?;
            update.at = input.at("id")?;
            access.update_survey_round(update).await?;
        }
        "closeSurveyRound" => {
            access.close_survey_round(input.at("id")?, input.validate_only()).await?;
        }
        "withdrawResponse" => {
            access.withdraw_response(input.at("id")?, input.validate_only()).await?;
        }
        _ => return Err(Error::Internal(format!("no mutation {name}")).into()),
    }
    Ok(input.subject())
}
