//! Indicators: what is measured, written down by one person and approved by another before anybody looks at data.
//!
//! A definition never changes, because figures under one code are held against each other for ever. What cannot be asked
//! for is refused here: a second cut of a question, a breakdown by three dimensions, a mean without a range.

use std::collections::BTreeSet;

use entity::{
    indicator, instrument, instrument_version,
    value::{
        Asked, Base, Cut, Definition, ImpactSection, IndicatorKind, Mappings, Numerator, OutcomeDimension,
        Question, QuestionKind, RiskClass, Sensitivity,
    },
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Access,
    input::{At, Faults, LocalizedInput, Message, Once, UserError, UserErrorCode, Written, or_default},
    payout::currency,
    survey::instrument::check_code,
    write::{Seen, Trace, Write, taken},
};
use crate::{auth::Right, id};

/// The most breakdowns of an indicator, questions of a cut, and codes of other classifications.
const MOST_BREAKDOWNS: usize = 8;
const MOST_QUESTIONS: usize = 10;
const MOST_CODES: usize = 10;
/// Values beyond this could overflow sums.
const MOST_AMOUNT: i64 = 1_000_000_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateIndicator {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub code: String,
    pub kind: IndicatorKind,
    pub title: LocalizedInput,
    #[serde(default)]
    pub base_text: Option<LocalizedInput>,
    pub numerator: NumeratorInput,
    pub base: Base,
    #[serde(default)]
    pub low: Option<i64>,
    #[serde(default)]
    pub high: Option<i64>,
    #[serde(default)]
    pub decimals: Option<u8>,
    #[serde(default)]
    pub unit: Option<Unit>,
    #[serde(default, deserialize_with = "or_default")]
    pub is_lasting: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub breakdowns: Vec<Vec<OutcomeDimension>>,
    #[serde(default)]
    pub section: Option<ImpactSection>,
    #[serde(default, deserialize_with = "or_default")]
    pub position: i32,
    #[serde(default, deserialize_with = "or_default")]
    pub iati: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub sdg: Vec<String>,
}

/// What an amount is of, where it is not money.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Unit {
    Hour,
    Day,
    Person,
    Session,
    Piece,
    Percent,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Hour => "HOUR",
            Self::Day => "DAY",
            Self::Person => "PERSON",
            Self::Session => "SESSION",
            Self::Piece => "PIECE",
            Self::Percent => "PERCENT",
        }
    }
}

/// Exactly one of these.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NumeratorInput {
    Answers(AnswersInput),
    Enrolled(ProgramsInput),
    Completed(ProgramsInput),
    Attended(AttendedInput),
    Paid(PaidInput),
    WasPaid(bool),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnswersInput {
    /// The code of an instrument.
    pub instrument: String,
    pub any_of: Vec<AskedInput>,
}

#[derive(Deserialize)]
pub struct AskedInput {
    pub question: String,
    pub cut: CutInput,
}

/// Exactly one of these.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CutInput {
    Yes(bool),
    AnyOf(Vec<String>),
    AllOf(Vec<String>),
    AtLeast(i32),
    AtMost(i32),
    Amount(bool),
}

#[derive(Deserialize)]
pub struct ProgramsInput {
    #[serde(deserialize_with = "id::many")]
    pub programs: Vec<Uuid>,
    #[serde(default, deserialize_with = "or_default")]
    pub ever: bool,
}

#[derive(Deserialize)]
pub struct AttendedInput {
    #[serde(deserialize_with = "id::many")]
    pub programs: Vec<Uuid>,
    pub sessions: u32,
}

#[derive(Deserialize)]
pub struct PaidInput {
    pub currency: String,
}

impl Access {
    /// The indicators of an organisation; for its staff.
    pub fn own_indicators(&self) -> impl Iterator<Item = &indicator::Model> {
        let own = self.viewer.organization().filter(|_| self.viewer.has(Right::IndicatorRead));
        self.catalog.indicators.iter().filter(move |row| own == Some(row.organization_id))
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_indicator(&self, input: CreateIndicator) -> Written<Option<Uuid>> {
        self.require(Right::IndicatorWrite)?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        check_code(&mut faults, &input.code, &["code"]);
        let title = faults.localized(&input.title, &["title"], 300);
        let base_text = input.base_text.as_ref().map(|text| faults.localized(text, &["baseText"], 300));
        let mappings = mappings(&mut faults, &input);
        let (numerator, risk_class) = self.numerator(&write, &mut faults, &input.numerator).await?;
        self.check_single_source(&mut faults, &numerator);
        let definition = definition(&mut faults, &input, numerator);
        faults.refuse()?;
        let row = indicator::ActiveModel {
            organization_id: Set(self.own()?),
            id: Set(id),
            code: Set(input.code),
            kind: Set(input.kind),
            title: Set(title),
            base_text: Set(base_text),
            definition: Set(definition),
            risk_class: Set(risk_class),
            section: Set(input.section),
            position: Set(input.position),
            mappings: Set(mappings),
            version: Set(1),
            recorded_at: Set(self.now),
            recorded_by: Set(self.viewer.account()),
            approved_at: Set(None),
            approved_by: Set(None),
            archived_at: Set(None),
        };
        row.insert(&write.tx).await.map_err(taken("code"))?;
        write.finish_create("indicator", id, input.validate_only).await
    }

    /// Approves what somebody else has defined: from then on it is in every release.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn approve_indicator(&self, at: At, validate_only: bool) -> Written<()> {
        self.require(Right::IndicatorApprove)?;
        let row = self.indicator_at(at)?;
        let mut faults = Faults::default();
        faults.check(row.approved_at.is_none(), UserErrorCode::Invalid, &["id"], IS_APPROVED);
        let alone = row.recorded_by.is_some() && row.recorded_by == self.viewer.account();
        faults.check(!alone, UserErrorCode::NotPermitted, &["id"], ALONE);
        faults.refuse()?;
        let change = indicator::ActiveModel {
            approved_at: Set(Some(self.now)),
            approved_by: Set(self.viewer.account()),
            ..Default::default()
        };
        self.change_indicator(at, change, "APPROVE", validate_only).await
    }

    /// Archives an indicator: no release measures it any more. What was published of it stays, and so does its code.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn archive_indicator(&self, at: At, validate_only: bool) -> Written<()> {
        self.require(Right::IndicatorWrite)?;
        self.indicator_at(at)?;
        let change = indicator::ActiveModel { archived_at: Set(Some(self.now)), ..Default::default() };
        self.change_indicator(at, change, "ARCHIVE", validate_only).await
    }

    fn indicator_at(&self, at: At) -> Written<&indicator::Model> {
        let row = self.own_indicators().find(|row| row.id == at.id);
        let row = row.ok_or_else(|| UserError::not_found(&["id"]))?;
        at.check("id", row.version, row.archived_at)?;
        Ok(row)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the update repeats the organisation and the version in its WHERE"
    )]
    async fn change_indicator(
        &self,
        at: At,
        change: indicator::ActiveModel,
        action: &str,
        validate_only: bool,
    ) -> Written<()> {
        let write = self.write().await?;
        let done = indicator::Entity::update_many()
            .set(indicator::ActiveModel { version: Set(at.expected + 1), ..change })
            .filter(indicator::Column::OrganizationId.eq(self.own()?))
            .filter(indicator::Column::Id.eq(at.id))
            .filter(indicator::Column::Version.eq(at.expected))
            .exec(&write.tx)
            .await?;
        write.finish(done.rows_affected, Trace::of(action, "indicator"), at, validate_only).await
    }

    /// What is taken of each woman, and what its value could bring upon her.
    async fn numerator(
        &self,
        write: &Write<'_>,
        faults: &mut Faults,
        input: &NumeratorInput,
    ) -> Written<(Numerator, RiskClass)> {
        Ok(match input {
            NumeratorInput::Answers(input) => {
                let questions = self.newest_questions(write, &input.instrument).await?;
                let known = questions.is_some();
                faults.check(
                    known,
                    UserErrorCode::NotFound,
                    &["numerator", "answers", "instrument"],
                    NO_INSTRUMENT,
                );
                let questions = questions.unwrap_or_default();
                let any_of = if known { asked(faults, &questions, &input.any_of) } else { Vec::new() };
                self.check_single_cut(faults, &input.instrument, &any_of);
                let of = |asked: &Asked| {
                    questions
                        .iter()
                        .find(|of| of.code == asked.question)
                        .map_or(RiskClass::Retaliation, |of| of.risk_class)
                };
                let class =
                    any_of.iter().map(of).max_by_key(|class| *class as u8).unwrap_or(RiskClass::SelfReported);
                (Numerator::Answers { instrument: input.instrument.clone(), any_of }, class)
            }
            NumeratorInput::Enrolled(ProgramsInput { programs, ever }) => {
                let (programs, class) = self.programs_of(faults, programs);
                (Numerator::Enrolled { programs, ever: *ever }, class)
            }
            NumeratorInput::Completed(ProgramsInput { programs, .. }) => {
                let (programs, class) = self.programs_of(faults, programs);
                (Numerator::Completed { programs }, class)
            }
            NumeratorInput::Attended(AttendedInput { programs, sessions }) => {
                let fine = (1..=1_000).contains(sessions);
                faults.check(
                    fine,
                    UserErrorCode::OutOfRange,
                    &["numerator", "attended", "sessions"],
                    BAD_SESSIONS,
                );
                let (programs, class) = self.programs_of(faults, programs);
                (Numerator::Attended { programs, sessions: *sessions }, class)
            }
            NumeratorInput::Paid(PaidInput { currency }) => {
                let known = currency::decimals(currency).is_some();
                faults.check(
                    known,
                    UserErrorCode::Invalid,
                    &["numerator", "paid", "currency"],
                    currency::UNKNOWN,
                );
                (Numerator::Paid { currency: currency.clone() }, RiskClass::SelfReported)
            }
            NumeratorInput::WasPaid(_) => (Numerator::WasPaid, RiskClass::SelfReported),
        })
    }

    /// Programs of the organisation, and whether to be in one of them tells something of a woman.
    fn programs_of(&self, faults: &mut Faults, programs: &[Uuid]) -> (Vec<Uuid>, RiskClass) {
        let own = self.viewer.organization();
        let of = |id: &Uuid| self.catalog.programs.get(*id).filter(|of| Some(of.row.organization_id) == own);
        let known = !programs.is_empty() && programs.iter().all(|id| of(id).is_some());
        faults.check(known, UserErrorCode::NotFound, &["numerator", "programs"], NO_PROGRAM);
        let is_sensitive = |id: &Uuid| of(id).is_some_and(|of| of.row.sensitivity == Sensitivity::Sensitive);
        let class = match programs.iter().any(is_sensitive) {
            true => RiskClass::Retaliation,
            false => RiskClass::Membership,
        };
        (programs.iter().copied().collect::<BTreeSet<_>>().into_iter().collect(), class)
    }

    async fn newest_questions(&self, write: &Write<'_>, code: &str) -> Written<Option<Vec<Question>>> {
        let row = self.select::<instrument::Entity>().filter(instrument::Column::Code.eq(code));
        let Some(row) = row.filter(instrument::Column::ArchivedAt.is_null()).one(&write.tx).await? else {
            return Ok(None);
        };
        let version = self
            .select::<instrument_version::Entity>()
            .filter(instrument_version::Column::InstrumentId.eq(row.id))
            .filter(instrument_version::Column::Number.eq(row.latest));
        Ok(version.one(&write.tx).await?.map(|version| version.questions.0))
    }

    /// What registers say of a woman is told by one indicator, for the same reason. That she was paid at all follows from
    /// what she was paid.
    fn check_single_source(&self, faults: &mut Faults, numerator: &Numerator) {
        let is_pay = |of: &Numerator| matches!(of, Numerator::Paid { .. } | Numerator::WasPaid);
        let is_any = |of: &Numerator| matches!(of, Numerator::WasPaid);
        let taken = self.own_indicators().map(|row| &row.definition.numerator).any(|other| {
            let pays = is_pay(numerator) && is_pay(other) && (is_any(numerator) || is_any(other));
            let attended = match (numerator, other) {
                (Numerator::Attended { programs, .. }, Numerator::Attended { programs: others, .. }) => {
                    programs.iter().any(|program| others.contains(program))
                }
                _ => false,
            };
            numerator == other || pays || attended
        });
        // Of answers the questions decide.
        let of_register = !matches!(numerator, Numerator::Answers { .. });
        faults.check(!(of_register && taken), UserErrorCode::Conflict, &["numerator"], SOURCE_BEFORE);
    }

    /// A question is cut once, ever: two cuts of one answer could be held against each other (DISCLOSURE 3.2).
    fn check_single_cut(&self, faults: &mut Faults, instrument: &str, any_of: &[Asked]) {
        let taken = self.own_indicators().any(|row| match &row.definition.numerator {
            Numerator::Answers { instrument: other, any_of: before } => {
                other == instrument
                    && before
                        .iter()
                        .any(|before| any_of.iter().any(|asked| asked.question == before.question))
            }
            _ => false,
        });
        faults.check(!taken, UserErrorCode::Conflict, &["numerator", "answers", "anyOf"], CUT_BEFORE);
    }
}

/// Questions with cuts that fit them.
fn asked(faults: &mut Faults, questions: &[Question], input: &[AskedInput]) -> Vec<Asked> {
    let fits = (1..=MOST_QUESTIONS).contains(&input.len());
    faults.check(fits, UserErrorCode::OutOfRange, &["numerator", "answers", "anyOf"], MANY_QUESTIONS);
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for (place, asked) in input.iter().take(MOST_QUESTIONS).enumerate() {
        let place = place.to_string();
        let field = ["numerator", "answers", "anyOf", place.as_str(), "question"];
        faults.check(seen.insert(&asked.question), UserErrorCode::Duplicate, &field, TWICE);
        let Some(question) = questions.iter().find(|of| of.code == asked.question) else {
            faults.add(UserErrorCode::NotFound, &field, NO_QUESTION);
            continue;
        };
        let cut = match &asked.cut {
            CutInput::Yes(_) => Cut::Yes,
            CutInput::AnyOf(options) => Cut::AnyOf { options: options.clone() },
            CutInput::AllOf(options) => Cut::AllOf { options: options.clone() },
            CutInput::AtLeast(number) => Cut::AtLeast { number: *number },
            CutInput::AtMost(number) => Cut::AtMost { number: *number },
            CutInput::Amount(_) => Cut::Amount,
        };
        let field = ["numerator", "answers", "anyOf", place.as_str(), "cut"];
        faults.check(fits_kind(&cut, question), UserErrorCode::Invalid, &field, BAD_CUT);
        kept.push(Asked { question: asked.question.clone(), cut });
    }
    kept
}

fn fits_kind(cut: &Cut, question: &Question) -> bool {
    use QuestionKind::{Multiple, Number, Scale, Single, YesNo};
    let known = |options: &[String]| {
        let are = |code: &String| question.options.iter().any(|option| option.code == *code);
        !options.is_empty() && options.iter().all(are)
    };
    match (cut, question.kind) {
        (Cut::Yes, kind) => kind == YesNo,
        (Cut::AnyOf { options }, Single | Multiple) => known(options),
        (Cut::AllOf { options }, Multiple) => known(options),
        (Cut::AtLeast { .. } | Cut::AtMost { .. } | Cut::Amount, Scale | Number) => true,
        _ => false,
    }
}

/// The whole definition, and what does not go together in it.
fn definition(faults: &mut Faults, input: &CreateIndicator, numerator: Numerator) -> Definition {
    use IndicatorKind::{Count, Mean, Share, Sum};
    let amounts = match &numerator {
        Numerator::Answers { any_of, .. } => {
            any_of.len() == 1 && any_of.iter().all(|of| of.cut == Cut::Amount)
        }
        Numerator::Paid { .. } => true,
        _ => false,
    };
    let cuts = match &numerator {
        Numerator::Answers { any_of, .. } => any_of.iter().all(|of| of.cut != Cut::Amount),
        Numerator::Paid { .. } => false,
        _ => true,
    };
    let fits = match input.kind {
        // To count those who said yes would be to publish an answer as a membership.
        Count => matches!(
            numerator,
            Numerator::Enrolled { .. } | Numerator::Completed { .. } | Numerator::Attended { .. }
        ),
        Share => cuts,
        Mean | Sum => amounts,
    };
    faults.check(fits, UserErrorCode::Invalid, &["kind"], BAD_KIND);
    let of_survey = matches!(numerator, Numerator::Answers { .. });
    let fits = of_survey == (input.base == Base::Respondents);
    faults.check(fits, UserErrorCode::Invalid, &["base"], BAD_BASE);
    let range = match (input.kind, input.low, input.high) {
        (Mean, Some(low), Some(high)) => Some((low, high)),
        (Sum, None | Some(0), Some(high)) => Some((0, high)),
        _ => None,
    };
    let sound = match (input.kind, range) {
        (Mean | Sum, Some((low, high))) => low < high && low >= -MOST_AMOUNT && high <= MOST_AMOUNT,
        (Mean | Sum, None) => false,
        (Count | Share, _) => input.low.is_none() && input.high.is_none(),
    };
    faults.check(sound, UserErrorCode::OutOfRange, &["high"], BAD_RANGE);
    let (unit, decimals) = match &numerator {
        Numerator::Paid { currency } => (Some(currency.clone()), currency::decimals(currency).unwrap_or(2)),
        _ => (input.unit.map(|unit| unit.name().to_owned()), input.decimals.unwrap_or_default()),
    };
    let needs_unit = matches!(input.kind, Mean | Sum);
    faults.check(unit.is_some() == needs_unit, UserErrorCode::Invalid, &["unit"], BAD_UNIT);
    faults.check(decimals <= 3, UserErrorCode::OutOfRange, &["decimals"], BAD_DECIMALS);
    Definition {
        numerator,
        base: input.base,
        range,
        decimals,
        unit,
        is_lasting: input.is_lasting,
        breakdowns: breakdowns(faults, &input.breakdowns),
    }
}

fn breakdowns(faults: &mut Faults, input: &[Vec<OutcomeDimension>]) -> Vec<Vec<OutcomeDimension>> {
    let mut kept = Vec::new();
    let mut seen = BTreeSet::new();
    let mut fine = input.len() <= MOST_BREAKDOWNS;
    for dimensions in input.iter().take(MOST_BREAKDOWNS) {
        let set: BTreeSet<_> = dimensions.iter().copied().collect();
        // A facility lies in one region, so that both together say no more than the facility.
        let nested = set.contains(&OutcomeDimension::Facility) && set.contains(&OutcomeDimension::Region);
        fine &= (1..=2).contains(&dimensions.len())
            && set.len() == dimensions.len()
            && !nested
            && seen.insert(set.clone());
        kept.push(set.into_iter().collect());
    }
    faults.check(fine, UserErrorCode::Invalid, &["breakdowns"], BAD_BREAKDOWNS);
    kept
}

fn mappings(faults: &mut Faults, input: &CreateIndicator) -> Mappings {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let iati =
        input.iati.len() <= MOST_CODES && input.iati.iter().all(|code| code.len() == 5 && digits(code));
    faults.check(iati, UserErrorCode::Invalid, &["iati"], BAD_IATI);
    let is_sdg = |code: &String| {
        let parts: Vec<&str> = code.split('.').collect();
        let goal =
            parts.first().is_some_and(|goal| goal.parse().is_ok_and(|goal: u8| (1..=17).contains(&goal)));
        let short = |part: &&str| part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        goal && (1..=3).contains(&parts.len()) && parts.iter().all(|part| !part.is_empty() && short(part))
    };
    let sdg = input.sdg.len() <= MOST_CODES && input.sdg.iter().all(is_sdg);
    faults.check(sdg, UserErrorCode::Invalid, &["sdg"], BAD_SDG);
    Mappings { iati: input.iati.clone(), sdg: input.sdg.clone() }
}

/// The code of a table: that of the indicator, and what it is broken down by.
pub fn table_code(indicator: &str, dimensions: &[OutcomeDimension]) -> String {
    use sea_orm::ActiveEnum;
    let by: Vec<String> = dimensions.iter().map(ActiveEnum::to_value).collect();
    if by.is_empty() { indicator.to_owned() } else { format!("{indicator}_BY_{}", by.join("_AND_")) }
}

const NO_INSTRUMENT: Message =
    Message { en: "There is no such instrument.", es: "No existe ese instrumento." };
const NO_QUESTION: Message =
    Message { en: "The instrument has no such question.", es: "El instrumento no tiene esa pregunta." };
const NO_PROGRAM: Message = Message {
    en: "Name programs of your organisation, at least one.",
    es: "Indique programas de su organización, al menos uno.",
};
const TWICE: Message = Message { en: "This question is there twice.", es: "Esta pregunta está dos veces." };
const MANY_QUESTIONS: Message = Message { en: "From 1 to 10 questions.", es: "De 1 a 10 preguntas." };
const BAD_CUT: Message = Message {
    en: "The cut does not fit the question: yes for yes or no, anyOf (and allOf for several answers) of its own options, atLeast, atMost or amount for numbers.",
    es: "El corte no corresponde a la pregunta: yes para sí o no, anyOf (y allOf si hay varias respuestas) de sus propias opciones, atLeast, atMost o amount para números.",
};
const CUT_BEFORE: Message = Message {
    en: "Another indicator uses this question. A question is published by one cut only, because two could be held against each other.",
    es: "Otro indicador usa esta pregunta. Una pregunta se publica con un solo corte, porque dos podrían compararse entre sí.",
};
const SOURCE_BEFORE: Message = Message {
    en: "Another indicator is of the same records. Two could be held against each other.",
    es: "Otro indicador es de los mismos registros. Dos podrían compararse entre sí.",
};
const BAD_KIND: Message = Message {
    en: "COUNT is of enrolment, completion and attendance; SHARE of anything that is so or not; MEAN and SUM of one amount.",
    es: "COUNT es de inscripción, término y asistencia; SHARE de lo que es o no es; MEAN y SUM de una cantidad.",
};
const BAD_BASE: Message = Message {
    en: "RESPONDENTS is the base of answers, and of nothing else.",
    es: "RESPONDENTS es la base de las respuestas, y de nada más.",
};
const BAD_RANGE: Message = Message {
    en: "A mean has a low and a high end, a sum a high end; nothing else has. They are fixed before anybody looks at the data.",
    es: "Una media tiene un extremo bajo y uno alto, una suma uno alto; nada más los tiene. Se fijan antes de ver los datos.",
};
const BAD_UNIT: Message = Message {
    en: "A mean and a sum have a unit; money brings its currency along.",
    es: "Una media y una suma tienen unidad; el dinero trae su moneda.",
};
const BAD_DECIMALS: Message = Message { en: "At most 3 decimals.", es: "Hasta 3 decimales." };
const BAD_BREAKDOWNS: Message = Message {
    en: "Up to 8 breakdowns, each by one or two different dimensions, none of them twice; FACILITY and REGION do not go together.",
    es: "Hasta 8 desgloses, cada uno por una o dos dimensiones distintas, ninguno repetido; FACILITY y REGION no van juntas.",
};
const BAD_SESSIONS: Message = Message { en: "From 1 to 1,000 sessions.", es: "De 1 a 1 000 sesiones." };
const BAD_IATI: Message =
    Message { en: "Up to 10 codes of five digits.", es: "Hasta 10 códigos de cinco cifras." };
const BAD_SDG: Message =
    Message { en: "Up to 10 codes such as 5, 5.6 or 5.6.1.", es: "Hasta 10 códigos como 5, 5.6 o 5.6.1." };
const IS_APPROVED: Message = Message { en: "It is approved already.", es: "Ya está aprobado." };
const ALONE: Message = Message {
    en: "Somebody else has to approve what you have defined.",
    es: "Otra persona tiene que aprobar lo que usted definió.",
};
