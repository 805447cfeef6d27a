//! Instruments. Each version has questions of its own and never changes, so that an answer always means what was asked.

use std::collections::{HashMap, HashSet};

use entity::{
    instrument, instrument_version,
    value::{AskedWhen, Question, QuestionKind, QuestionOption, Questions, RiskClass},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, Set};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    auth::Right,
    store::{
        Access, Scoped,
        input::{At, Faults, LocalizedInput, Message, Once, UserError, UserErrorCode, Written, or_default},
        write::{Seen, Trace, Write, taken},
    },
};

/// The most questions of a version, the most options of a question, and the longest code.
const MOST_QUESTIONS: usize = 300;
const MOST_OPTIONS: usize = 100;
const LONGEST_CODE: usize = 60;
/// The longest scale.
const MOST_STEPS: i32 = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateInstrument {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub code: String,
    pub title: LocalizedInput,
    pub questions: Vec<QuestionInput>,
    /// The SHA-256 of the file that it comes from, for the trace.
    #[serde(skip)]
    pub file: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviseInstrument {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(default)]
    pub title: Option<LocalizedInput>,
    pub questions: Vec<QuestionInput>,
    /// As [`CreateInstrument::file`].
    #[serde(skip)]
    pub file: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuestionInput {
    pub code: String,
    pub kind: QuestionKind,
    pub text: LocalizedInput,
    pub risk_class: RiskClass,
    #[serde(default, deserialize_with = "or_default")]
    pub required: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub options: Vec<OptionInput>,
    #[serde(default)]
    pub min: Option<i32>,
    #[serde(default)]
    pub max: Option<i32>,
    #[serde(default)]
    pub unit: Option<String>,
    #[serde(default)]
    pub asked_when: Option<AskedWhenInput>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct OptionInput {
    pub code: String,
    pub text: LocalizedInput,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskedWhenInput {
    pub question: String,
    pub any_of: Vec<String>,
}

impl Scoped for instrument::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(instrument::Column::OrganizationId, Right::SurveyRead)
    }
}

impl Scoped for instrument_version::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(instrument_version::Column::OrganizationId, Right::SurveyRead)
    }
}

impl Access {
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_instrument(&self, input: CreateInstrument) -> Written<Option<Uuid>> {
        self.require(Right::SurveyWrite)?;
        let mut faults = Faults::default();
        check_code(&mut faults, &input.code, &["code"]);
        let title = faults.localized(&input.title, &["title"], 200);
        let questions = questions(&mut faults, &input.questions);
        faults.refuse()?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let row = instrument::ActiveModel {
            organization_id: Set(self.own()?),
            id: Set(id),
            code: Set(input.code),
            title: Set(title),
            latest: Set(1),
            version: Set(1),
            recorded_at: Set(self.now),
            recorded_by: Set(self.viewer.account()),
            archived_at: Set(None),
        };
        row.insert(&write.tx).await.map_err(taken("code"))?;
        self.put_questions(&write, id, 1, questions).await?;
        let trace = written("CREATE", input.file.as_deref());
        if !input.validate_only {
            write.audit(trace.action, trace.entity, id, Some(1), trace.detail).await?;
        }
        write.end(input.validate_only).await?;
        Ok((!input.validate_only).then_some(id))
    }

    /// Adds a version. What was answered before stays with the version that it answers.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn revise_instrument(&self, input: ReviseInstrument) -> Written<()> {
        self.require(Right::SurveyWrite)?;
        let mut faults = Faults::default();
        let title = input.title.as_ref().map(|title| faults.localized(title, &["title"], 200));
        let questions = questions(&mut faults, &input.questions);
        faults.refuse()?;
        let write = self.write().await?;
        let before = self.instrument_at(&write, input.at).await?;
        let number = before.latest + 1;
        let row = instrument::ActiveModel {
            title: title.map_or_else(Default::default, Set),
            latest: Set(number),
            ..Default::default()
        };
        let changed = self.change_instrument(&write, input.at, row).await?;
        self.put_questions(&write, input.at.id, number, questions).await?;
        let trace = written("REVISE", input.file.as_deref());
        write.finish(changed, trace, input.at, input.validate_only).await
    }

    /// Archives an instrument: no round begins with it any more.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn archive_instrument(&self, at: At, validate_only: bool) -> Written<()> {
        self.require(Right::SurveyWrite)?;
        let write = self.write().await?;
        self.instrument_at(&write, at).await?;
        let row = instrument::ActiveModel { archived_at: Set(Some(self.now)), ..Default::default() };
        let changed = self.change_instrument(&write, at, row).await?;
        write.finish(changed, Trace::of("ARCHIVE", "instrument"), at, validate_only).await
    }

    async fn instrument_at(&self, write: &Write<'_>, at: At) -> Written<instrument::Model> {
        let rows = self.select::<instrument::Entity>().filter(instrument::Column::Id.eq(at.id));
        let row = rows.lock_exclusive().one(&write.tx).await?;
        let row = row.ok_or_else(|| UserError::not_found(&["id"]))?;
        at.check("id", row.version, row.archived_at)?;
        Ok(row)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the update repeats the organisation and the version in its WHERE"
    )]
    async fn change_instrument(
        &self,
        write: &Write<'_>,
        at: At,
        row: instrument::ActiveModel,
    ) -> Written<u64> {
        let done = instrument::Entity::update_many()
            .set(instrument::ActiveModel { version: Set(at.expected + 1), ..row })
            .filter(instrument::Column::OrganizationId.eq(self.own()?))
            .filter(instrument::Column::Id.eq(at.id))
            .filter(instrument::Column::Version.eq(at.expected))
            .exec(&write.tx)
            .await?;
        Ok(done.rows_affected)
    }

    async fn put_questions(
        &self,
        write: &Write<'_>,
        instrument: Uuid,
        number: i32,
        questions: Vec<Question>,
    ) -> Written<()> {
        let row = instrument_version::Model {
            organization_id: self.own()?,
            instrument_id: instrument,
            number,
            questions: Questions(questions),
            recorded_at: self.now,
            recorded_by: self.viewer.account(),
        };
        Ok(write.put::<instrument_version::Entity>(vec![row]).await?)
    }
}

/// The trace of a version that somebody has written, or that came in a file.
fn written<'a>(action: &'a str, file: Option<&str>) -> Trace<'a> {
    match file {
        None => Trace::of(action, "instrument"),
        Some(file) => {
            let detail = json!({ "file": file, "change": action });
            Trace { action: "IMPORT", entity: "instrument", detail }
        }
    }
}

/// A code as questionnaires and their files write it: letters, digits, `_`, `-` and `.`, beginning with a letter or `_`.
pub(in crate::store) fn check_code(faults: &mut Faults, code: &str, field: &[&str]) {
    let first = code.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let rest = code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let fine = first && rest && code.len() <= LONGEST_CODE;
    faults.check(fine, UserErrorCode::Invalid, field, BAD_CODE);
}

/// Questions as they are kept, and what is wrong with them.
pub(super) fn questions(faults: &mut Faults, input: &[QuestionInput]) -> Vec<Question> {
    let fits = (1..=MOST_QUESTIONS).contains(&input.len());
    faults.check(fits, UserErrorCode::OutOfRange, &["questions"], MANY_QUESTIONS);
    // What can be chosen in the questions so far.
    let mut before: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut kept = Vec::with_capacity(input.len());
    for (place, question) in input.iter().take(MOST_QUESTIONS).enumerate() {
        let place = place.to_string();
        let field = |name| ["questions", place.as_str(), name];
        check_code(faults, &question.code, &field("code"));
        let new = !before.contains_key(question.code.as_str());
        faults.check(new, UserErrorCode::Duplicate, &field("code"), TWICE);
        if let Some(when) = &question.asked_when {
            let known = before.get(when.question.as_str());
            let all = |known: &Vec<&str>| when.any_of.iter().all(|code| known.contains(&code.as_str()));
            let fine = !when.any_of.is_empty() && known.is_some_and(all);
            faults.check(fine, UserErrorCode::Invalid, &field("askedWhen"), NO_CONDITION);
        }
        check_bounds(faults, question, &place);
        let choices: Vec<&str> = match question.kind {
            QuestionKind::YesNo => vec!["YES", "NO"],
            _ => question.options.iter().map(|option| option.code.as_str()).collect(),
        };
        before.insert(&question.code, choices);
        kept.push(Question {
            code: question.code.clone(),
            kind: question.kind,
            text: faults.localized(&question.text, &field("text"), 1_000),
            risk_class: question.risk_class,
            required: question.required,
            options: options(faults, question, &place),
            min: question.min,
            max: question.max,
            unit: question.unit.clone(),
            asked_when: question
                .asked_when
                .clone()
                .map(|AskedWhenInput { question, any_of }| AskedWhen { question, any_of }),
        });
    }
    kept
}

fn options(faults: &mut Faults, question: &QuestionInput, place: &str) -> Vec<QuestionOption> {
    let chosen = matches!(question.kind, QuestionKind::Single | QuestionKind::Multiple);
    let count = question.options.len();
    let fits = if chosen { (2..=MOST_OPTIONS).contains(&count) } else { count == 0 };
    faults.check(fits, UserErrorCode::Invalid, &["questions", place, "options"], BAD_OPTIONS);
    let mut seen = HashSet::new();
    let mut kept = Vec::with_capacity(count);
    for (number, option) in question.options.iter().take(MOST_OPTIONS).enumerate() {
        let number = number.to_string();
        let field = |name| ["questions", place, "options", number.as_str(), name];
        check_code(faults, &option.code, &field("code"));
        faults.check(seen.insert(&option.code), UserErrorCode::Duplicate, &field("code"), TWICE);
        let text = faults.localized(&option.text, &field("text"), 500);
        kept.push(QuestionOption { code: option.code.clone(), text });
    }
    kept
}

fn check_bounds(faults: &mut Faults, question: &QuestionInput, place: &str) {
    let field = |name| ["questions", place, name];
    let fine = match (question.kind, question.min, question.max) {
        (QuestionKind::Scale, Some(min), Some(max)) => {
            min < max && max.checked_sub(min).is_some_and(|steps| steps <= MOST_STEPS)
        }
        (QuestionKind::Scale, ..) => false,
        (QuestionKind::Number, Some(min), Some(max)) => min < max,
        (QuestionKind::Number, ..) => true,
        (_, min, max) => min.is_none() && max.is_none(),
    };
    faults.check(fine, UserErrorCode::OutOfRange, &field("max"), BAD_BOUNDS);
    if let Some(unit) = &question.unit {
        faults.text(unit, &field("unit"), 40);
        let counts = question.kind == QuestionKind::Number;
        faults.check(counts, UserErrorCode::Invalid, &field("unit"), NO_UNIT);
    }
}

const BAD_CODE: Message = Message {
    en: "A code has up to 60 letters without accents, digits, _, - and ., and begins with a letter or _.",
    es: "Un código tiene hasta 60 letras sin acentos, cifras, _, - y ., y empieza con una letra o _.",
};
const TWICE: Message = Message { en: "This code is there twice.", es: "Este código está dos veces." };
const MANY_QUESTIONS: Message = Message {
    en: "An instrument has from 1 to 300 questions.",
    es: "Un instrumento tiene de 1 a 300 preguntas.",
};
const BAD_OPTIONS: Message = Message {
    en: "A question by choice has from 2 to 100 options; another has none.",
    es: "Una pregunta de elección tiene de 2 a 100 opciones; otra no tiene ninguna.",
};
const BAD_BOUNDS: Message = Message {
    en: "A scale has a least and a greatest number, at most 100 apart; a number may have them; nothing else has.",
    es: "Una escala tiene un mínimo y un máximo, a lo sumo con 100 de diferencia; un número puede tenerlos; nada más los tiene.",
};
const NO_UNIT: Message = Message { en: "Only a number has a unit.", es: "Solo un número tiene unidad." };
const NO_CONDITION: Message = Message {
    en: "The condition names an earlier question and some of its options, or YES or NO.",
    es: "La condición nombra una pregunta anterior y algunas de sus opciones, o YES o NO.",
};
