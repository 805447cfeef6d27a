//! A synthetic round whose true shares are those of the source page, taken the whole way to a published release: women are
//! registered, asked and enrolled through the same functions as any other, indicators are defined by one account and
//! approved by another, and the release is frozen, prepared, reviewed by two and sealed.
//!
//! It is a step of its own after the data set is loaded, because it needs the keys of a server.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{Datelike, NaiveDate};
use entity::value::{
    ConsentDecision, ConsentMethod, ConsentPurpose, EnrolmentStatus, QuestionKind, ResponseChannel,
    ResponseOutcome, ReviewDecision, RiskClass, Role, SurveyLinkage, SurveyMode,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{FactsError, ISSUER, facts::parse, id_of, subject};
use crate::{
    auth::proven,
    error::{Error, Result},
    id::{self, Kind},
    reference::Text,
    store::{
        Access, Store,
        indicator::CreateIndicator,
        input::{At, LocalizedInput, Once, Refused, TranslationInput, Written},
        participant::{RegisterParticipant, consent::RecordConsent},
        record::Purpose,
        release::{FreezeRelease, Quarter, ReviewRelease},
        survey::{
            answer::Answer,
            instrument::{AskedWhenInput, CreateInstrument, OptionInput, QuestionInput},
            response::ResponseRow,
            round::{CreateSurveyRound, Reach},
        },
        work::enrolment::Enrol,
    },
};

/// The organisation whose page the shares are from.
const ORGANIZATION: &str = "la-cana";

/// The file.
#[derive(Deserialize)]
struct Facts {
    instrument: Named,
    round: Coded,
    release: Titled,
    women: u32,
    /// Women at each facility.
    facilities: BTreeMap<String, u32>,
    /// How many of 10,000 women are enrolled in each program.
    programs: BTreeMap<String, u32>,
    questions: Vec<QuestionFact>,
    indicators: Vec<IndicatorFact>,
}

#[derive(Deserialize)]
struct Named {
    code: String,
    title: Text,
}

#[derive(Deserialize)]
struct Coded {
    code: String,
}

#[derive(Deserialize)]
struct Titled {
    title: Text,
}

/// A question, and what is answered to it, in parts of 10,000.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QuestionFact {
    code: String,
    kind: QuestionKind,
    text: Text,
    min: Option<i32>,
    max: Option<i32>,
    unit: Option<String>,
    yes: Option<u32>,
    #[serde(default)]
    numbers: BTreeMap<String, u32>,
    #[serde(default)]
    options: Vec<OptionFact>,
    asked_when: Option<AskedWhenInput>,
}

#[derive(Deserialize)]
struct OptionFact {
    code: String,
    text: Text,
    chosen: u32,
}

/// An indicator as `createIndicator` takes it, with programs by their slugs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IndicatorFact {
    code: String,
    title: Text,
    base: Option<String>,
    any_of: Option<Value>,
    enrolled: Option<ProgramsFact>,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct ProgramsFact {
    programs: Vec<String>,
    ever: bool,
}

/// Who does what.
struct People {
    coordinator: Access,
    steward: Access,
}

/// Makes the round and publishes its release, unless the organisation has one; whether it did. `progress` is told how many women are done,
/// of how many.
///
/// # Errors
/// When the database is out of reach, or the demonstration data are not in it.
pub async fn publish(store: &Arc<Store>, mut progress: impl FnMut(u64, u64)) -> Result<bool> {
    let facts: Facts = parse("outcomes.json", include_str!("facts/outcomes.json")).map_err(told)?;
    let people = people(store).await?;
    let organization = people.steward.viewer.organization().unwrap_or_default();
    if people.steward.releases().any(|of| of.row.organization_id == organization) {
        return Ok(false);
    }
    let year = last_year(people.steward.today());
    let round = ask(&people.coordinator, &facts, year).await?;
    let places: Vec<&str> = facts
        .facilities
        .iter()
        .flat_map(|(slug, women)| std::iter::repeat_n(slug.as_str(), *women as usize))
        .collect();
    let orders = Orders::of(&facts);
    let all = u64::from(facts.women);
    let mut rows = Vec::new();
    for (number, place) in (0..facts.women).zip(places) {
        rows.push(woman(&people.coordinator, (&facts, &orders), round, (number, place), year).await?);
        progress(u64::from(number) + 1, all);
    }
    for chunk in rows.chunks(100) {
        let (_, answers) = people.coordinator.submit_responses(chunk, false).await?;
        if answers.iter().any(|answer| answer.object.is_none()) {
            return Err(Error::Internal("a response of the demonstration was refused".into()));
        }
    }
    done(people.coordinator.close_survey_round(At { id: round, expected: 1 }, false).await)?;
    for fact in &facts.indicators {
        define(store, fact).await?;
    }
    release(store, &facts, year).await?;
    Ok(true)
}

fn told(fault: FactsError) -> Error {
    Error::Internal(fault.to_string())
}

/// A refusal of what the facts say is a fault in them.
fn done<T>(written: Written<T>) -> Result<T> {
    written.map_err(|refused| match refused {
        Refused::Fault(error) => error,
        Refused::User(errors) => {
            Error::Internal(format!("the facts of outcomes.json were refused: {errors:?}"))
        }
        Refused::Outdated(_) => Error::Unavailable,
    })
}

async fn people(store: &Arc<Store>) -> Result<People> {
    let catalog = store.catalog().await?;
    let now = store.clock.now();
    let of = |role: Role| {
        let account = catalog.account(ISSUER, &subject(role, ORGANIZATION), now);
        let viewer = account.and_then(|account| proven(&catalog, account, now).into_iter().next());
        let viewer = viewer.ok_or_else(|| Error::Internal("the demonstration data are not here".into()))?;
        Ok::<_, Error>(store.access_with(viewer, catalog.clone()).asking(Some(Purpose::Service)))
    };
    Ok(People { coordinator: of(Role::Coordinator)?, steward: of(Role::Steward)? })
}

/// The last year that may be released.
fn last_year(today: NaiveDate) -> i32 {
    let delay = chrono::Days::new(60);
    let is_over = |year: i32| {
        let end = NaiveDate::from_ymd_opt(year, 12, 31);
        end.and_then(|end| end.checked_add_days(delay)).is_some_and(|day| day <= today)
    };
    if is_over(today.year() - 1) { today.year() - 1 } else { today.year() - 2 }
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

fn localized(text: &Text) -> LocalizedInput {
    let localized = text.clone().into_localized();
    let translations = localized.texts.into_iter().map(|(lang, of)| TranslationInput {
        lang,
        text: of.text,
        status: Some(of.status),
    });
    LocalizedInput { original: localized.original, translations: translations.collect() }
}

fn once(operation: &str, key: &str) -> Once {
    let hash = Sha256::digest(format!("{operation}:{key}")).to_vec();
    Once { key: format!("demo-{operation}-{key}"), operation: operation.to_owned(), hash, shared: false }
}

/// The instrument and its round.
async fn ask(access: &Access, facts: &Facts, year: i32) -> Result<Uuid> {
    let question = |fact: &QuestionFact| QuestionInput {
        code: fact.code.clone(),
        kind: fact.kind,
        text: localized(&fact.text),
        risk_class: RiskClass::SelfReported,
        required: true,
        options: fact
            .options
            .iter()
            .map(|option| OptionInput { code: option.code.clone(), text: localized(&option.text) })
            .collect(),
        min: fact.min,
        max: fact.max,
        unit: fact.unit.clone(),
        asked_when: fact.asked_when.clone(),
    };
    let instrument = access.create_instrument(CreateInstrument {
        once: once("createInstrument", &facts.instrument.code),
        validate_only: false,
        code: facts.instrument.code.clone(),
        title: localized(&facts.instrument.title),
        questions: facts.questions.iter().map(question).collect(),
        file: None,
    });
    let instrument = done(instrument.await)?.unwrap_or_default();
    let facilities =
        facts.facilities.keys().filter_map(|slug| access.facility_by_slug(slug)).map(|of| of.row.id);
    let round = access.create_survey_round(CreateSurveyRound {
        once: once("createSurveyRound", &facts.round.code),
        validate_only: false,
        code: format!("{}-{year}", facts.round.code),
        instrument,
        instrument_version: None,
        facilities: facilities.collect(),
        mode: SurveyMode::Interview,
        linkage: SurveyLinkage::Pseudonymous,
        notice_version: "demo".to_owned(),
        starts_on: day(year, 10, 1),
        ends_on: day(year, 10, 31),
        reach: Reach {
            universe: Some(facts.women as i32 * 3),
            eligible: Some(facts.women as i32 + 30),
            invited: Some(facts.women as i32 + 20),
        },
    });
    Ok(done(round.await)?.unwrap_or_default())
}

/// Registers a woman who has no name, and gives what she answers.
async fn woman(
    access: &Access,
    (facts, orders): (&Facts, &Orders),
    round: Uuid,
    (number, place): (u32, &str),
    year: i32,
) -> Result<ResponseRow> {
    let facility = access.facility_by_slug(place).map(|of| of.row.id).unwrap_or_default();
    let key = number.to_string();
    let since = day(year - 1, 2, 1);
    let age = 19 + orders.place(number, "age") * 45 / facts.women;
    let registered = access.register_participant(RegisterParticipant {
        once: once("registerParticipant", &key),
        validate_only: false,
        code: Some(format!("DEMO-{number:04}")),
        given_names: "Participante".to_owned(),
        family_names: format!("Demostración {number:04}"),
        birth_date: Some(day(year - age as i32, 6, 15)),
        documents: Vec::new(),
        notes: None,
        facility,
        starts_on: since,
    });
    let participant = done(registered.await)?.unwrap_or_default();
    let consent = access.record_consent(RecordConsent {
        once: once("recordConsent", &key),
        validate_only: false,
        participant,
        purpose: ConsentPurpose::Statistics,
        decision: ConsentDecision::Given,
        notice_version: "demo".to_owned(),
        language: "es".to_owned(),
        method: ConsentMethod::Written,
        decided_on: since,
    });
    done(consent.await)?;
    for (slug, parts) in &facts.programs {
        let program = access.program_by_slug(ORGANIZATION, slug).map(|of| of.entry);
        let here = program.filter(|of| of.sites.contains(&facility));
        let Some(program) = here.filter(|_| orders.place(number, slug) < part(facts.women, *parts)) else {
            continue;
        };
        let enrolled = access.enrol(Enrol {
            once: once("enrol", &format!("{key}-{slug}")),
            validate_only: false,
            participant,
            program: program.row.id,
            workshop: None,
            status: EnrolmentStatus::Active,
            since,
        });
        done(enrolled.await)?;
    }
    Ok(ResponseRow {
        client_id: id_of("demo-response", &key),
        group: None,
        expected_version: None,
        round,
        facility,
        participant: Some(participant),
        outcome: ResponseOutcome::Answered,
        answered_on: day(year, 10, 1 + number % 31),
        channel: ResponseChannel::Paper,
        form_number: None,
        answers: answers(facts, orders, number),
    })
}

/// Orders of all women, each given by a word, so that whoever is first for one thing is not so for all.
struct Orders(BTreeMap<String, Vec<u32>>);

impl Orders {
    fn of(facts: &Facts) -> Self {
        let words = facts.programs.keys().chain(facts.questions.iter().map(|question| &question.code));
        let order = |word: &str| {
            let mut women: Vec<u32> = (0..facts.women).collect();
            women.sort_by_cached_key(|number| Sha256::digest(format!("{word}:{number}")));
            let mut places = vec![0; women.len()];
            for (place, number) in (0..).zip(women) {
                places[number as usize] = place;
            }
            places
        };
        Self(words.map(String::as_str).chain(["age"]).map(|word| (word.to_owned(), order(word))).collect())
    }

    /// A woman's place in an order.
    fn place(&self, number: u32, word: &str) -> u32 {
        self.0.get(word).and_then(|places| places.get(number as usize)).copied().unwrap_or_default()
    }
}

/// So many of 10,000 women, rounded.
fn part(women: u32, parts: u32) -> u32 {
    (women * parts + 5_000) / 10_000
}

fn answers(facts: &Facts, orders: &Orders, number: u32) -> Vec<Answer> {
    let mut given: Vec<Answer> = Vec::new();
    for fact in &facts.questions {
        let is_asked = fact.asked_when.as_ref().is_none_or(|when| {
            let of = given.iter().find(|answer| answer.question == when.question);
            of.is_some_and(|answer| answer.yes == Some(true))
        });
        if !is_asked {
            continue;
        }
        // Where few are asked, the shares are of these few.
        let asked = match &fact.asked_when {
            None => facts.women,
            Some(when) => {
                let of = facts.questions.iter().find(|of| of.code == when.question);
                part(facts.women, of.and_then(|of| of.yes).unwrap_or_default())
            }
        };
        // In the same order as the condition, so that those who are asked are the first of it.
        let word = fact.asked_when.as_ref().map_or(fact.code.as_str(), |when| when.question.as_str());
        let place = orders.place(number, word);
        let mut answer = Answer { question: fact.code.clone(), ..Answer::default() };
        let shares: Vec<(&str, u32)> = match fact.kind {
            QuestionKind::YesNo => vec![("YES", fact.yes.unwrap_or_default())],
            QuestionKind::Single | QuestionKind::Multiple => {
                fact.options.iter().map(|option| (option.code.as_str(), option.chosen)).collect()
            }
            QuestionKind::Scale | QuestionKind::Number => {
                fact.numbers.iter().map(|(number, parts)| (number.as_str(), *parts)).collect()
            }
        };
        let chosen = share_at(&shares, place, asked);
        match fact.kind {
            QuestionKind::YesNo => answer.yes = Some(chosen.is_some()),
            QuestionKind::Single | QuestionKind::Multiple => {
                answer.options = chosen.map(str::to_owned).into_iter().collect();
            }
            QuestionKind::Scale | QuestionKind::Number => {
                answer.number = chosen.and_then(|number| number.parse().ok());
            }
        }
        given.push(answer);
    }
    given
}

/// What the woman at a place of an order answers, when the answers are handed out by their shares.
fn share_at<'a>(shares: &[(&'a str, u32)], place: u32, asked: u32) -> Option<&'a str> {
    let mut until = 0;
    shares
        .iter()
        .find(|(_, parts)| {
            until += parts;
            place < part(asked, until)
        })
        .map(|(answer, _)| *answer)
}

/// Defines an indicator as the coordinator, and approves it as the steward.
async fn define(store: &Arc<Store>, fact: &IndicatorFact) -> Result<()> {
    let people = people(store).await?;
    let numerator = match (&fact.any_of, &fact.enrolled) {
        (Some(any_of), _) => json!({ "answers": { "instrument": "impacto", "anyOf": any_of } }),
        (None, Some(enrolled)) => {
            let id = |slug: &String| {
                let program = people.coordinator.program_by_slug(ORGANIZATION, slug);
                program.map(|of| id::text(Kind::Program, of.entry.row.id))
            };
            let programs: Vec<String> = enrolled.programs.iter().filter_map(id).collect();
            json!({ "enrolled": { "programs": programs, "ever": enrolled.ever } })
        }
        (None, None) => Value::Null,
    };
    let mut input = fact.rest.clone();
    input.insert("code".to_owned(), fact.code.clone().into());
    input.insert("title".to_owned(), json!(as_json(&localized(&fact.title))));
    input.insert("numerator".to_owned(), numerator);
    input.insert("base".to_owned(), fact.base.clone().unwrap_or_else(|| "RESPONDENTS".to_owned()).into());
    let unread = |fault: serde_json::Error| Error::Internal(format!("outcomes.json: {}: {fault}", fact.code));
    let mut create: CreateIndicator = serde_json::from_value(input.into()).map_err(unread)?;
    create.once = once("createIndicator", &fact.code);
    let id = done(people.coordinator.create_indicator(create).await)?.unwrap_or_default();
    let steward = self::people(store).await?.steward;
    done(steward.approve_indicator(At { id, expected: 1 }, false).await)
}

fn as_json(text: &LocalizedInput) -> Value {
    let translations = text.translations.iter().map(|of| json!({ "lang": of.lang, "text": of.text }));
    json!({ "original": text.original, "translations": translations.collect::<Vec<_>>() })
}

/// Freezes, prepares, reviews and publishes.
async fn release(store: &Arc<Store>, facts: &Facts, year: i32) -> Result<()> {
    let frozen = people(store)
        .await?
        .coordinator
        .freeze_release(FreezeRelease {
            once: once("freezeRelease", &year.to_string()),
            validate_only: false,
            title: localized(&facts.release.title),
            period: Quarter { year: year as u16, quarter: None },
            corrects: None,
            partners_know: Vec::new(),
        })
        .await;
    let id = done(frozen)?.unwrap_or_default();
    done(people(store).await?.coordinator.prepare_release(At { id, expected: 1 }, |_, _| ()).await)?;
    for expected in [2, 3] {
        let People { coordinator, steward } = people(store).await?;
        let access = if expected == 2 { coordinator } else { steward };
        let draft_digest = access.release(id).and_then(|of| of.row.draft_digest.clone()).unwrap_or_default();
        let review = ReviewRelease {
            at: At { id, expected },
            validate_only: false,
            decision: ReviewDecision::Approve,
            draft_digest,
            note: None,
        };
        done(access.review_release(review).await)?;
    }
    done(people(store).await?.steward.publish_release(At { id, expected: 4 }, false).await)
}
