//! What women said in a round: tables with a column for each question, and the JSON that KoboToolbox and ODK export.
//!
//! Cells of these files are answers, or lead to her who gave them. So no fault says what stands in one, nor what a column
//! of a table is called, which is an answer where the row of headers was left out.

mod json;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::value::{MissingAnswer, Question, QuestionKind, ResponseOutcome};
use sea_orm::ActiveEnum;
use uuid::Uuid;

use super::{
    Encoding, LIMITS, Limits, Reason,
    cells::date,
    fault::{FaultCode, Faults, reason},
};
use crate::store::survey::answer::Answer;

/// How names of questions begin that are none of the instrument: who and where she is, and whether she answered.
pub(super) const OWN_PREFIX: &str = "umbral_";

/// More than any round has, and wide enough for the longest instrument.
const RESPONSES: Limits = Limits { rows: 100_000, columns: 400, ..LIMITS };

/// What a file of responses is read for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub questions: &'a [Question],
    /// Whether each response is of a woman who has a record.
    pub named: bool,
    /// Columns that hold nothing for us, such as notes.
    pub pass_over: &'a [String],
}

/// What the columns are called that are no questions.
#[derive(Clone, Debug)]
pub struct Names {
    pub client_id: String,
    pub participant: String,
    pub facility: String,
    pub answered_on: String,
    pub outcome: String,
    pub form_number: String,
}

/// Names that an operator has given, in place of those of the format.
#[derive(Clone, Copy, Debug, Default)]
pub struct Renamed<'a> {
    pub participant: Option<&'a str>,
    pub facility: Option<&'a str>,
    pub outcome: Option<&'a str>,
}

/// A response as a file gives it: typed, but with the codes that people write.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FoundResponse {
    /// The line of a table, or the number of a submission.
    pub line: u32,
    pub client_id: Uuid,
    pub participant: Option<String>,
    pub facility: String,
    pub answered_on: NaiveDate,
    pub outcome: ResponseOutcome,
    pub form_number: Option<String>,
    pub answers: Vec<Answer>,
}

/// What a file is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// CSV or a workbook.
    Table,
    /// Submissions as JSON.
    Json,
}

impl Format {
    /// By how the file begins: no table begins as JSON does.
    pub fn of(bytes: &[u8]) -> Self {
        let bytes = json::unmarked(bytes);
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'[' | b'{') => Self::Json,
            _ => Self::Table,
        }
    }
}

impl Names {
    /// The names of a format, or those given in their place.
    pub fn of(format: Format, renamed: Renamed<'_>) -> Self {
        let name = |renamed: Option<&str>, table: &str, json: &str| {
            let usual = if format == Format::Table { table } else { json };
            renamed.unwrap_or(usual).to_owned()
        };
        Self {
            client_id: name(None, "client_id", "_uuid"),
            participant: name(renamed.participant, "participant_code", "umbral_participant"),
            facility: name(renamed.facility, "facility", "umbral_facility"),
            answered_on: name(None, "answered_on", "today"),
            outcome: name(renamed.outcome, "outcome", "umbral_outcome"),
            form_number: name(None, "form_number", "umbral_form_number"),
        }
    }

    fn all(&self) -> [&str; 6] {
        [
            &self.client_id,
            &self.participant,
            &self.facility,
            &self.answered_on,
            &self.outcome,
            &self.form_number,
        ]
    }
}

/// The responses of a file that have no fault by themselves; none when the file is no table and no JSON.
pub fn read_responses(
    bytes: &[u8],
    encoding: Encoding,
    asked: &Asked<'_>,
    names: &Names,
    faults: &mut Faults,
) -> Option<Vec<FoundResponse>> {
    // Whatever stands in such a column, nobody could say what it is.
    for name in names.all() {
        if asked.questions.iter().any(|question| question.code.eq_ignore_ascii_case(name)) {
            faults.add(1, Some(name), FaultCode::Duplicate, question_too());
        }
    }
    if !faults.is_empty() {
        return None;
    }
    let format = Format::of(bytes);
    let mut collector = Collector { asked, names, format, known: HashMap::new(), found: Vec::new(), faults };
    match format {
        Format::Json => json::read(bytes, &RESPONSES, &mut collector)?,
        Format::Table => table::read(bytes, encoding, &RESPONSES, &mut collector)?,
    }
    if collector.found.is_empty() && collector.faults.is_empty() {
        collector.faults.add(1, None, FaultCode::Empty, empty());
    }
    Some(collector.found)
}

/// The first row of a table to fill in.
pub fn responses_template(asked: &Asked<'_>) -> String {
    let names = Names::of(Format::Table, Renamed::default());
    let person = [names.participant.as_str(), names.form_number.as_str()];
    let own = names.all().into_iter().filter(|name| asked.named || !person.contains(name));
    // No code needs quotes.
    let cells: Vec<&str> = own.chain(asked.questions.iter().map(|question| question.code.as_str())).collect();
    cells.join(",") + "\n"
}

/// Yes or no, as forms and spreadsheets write it.
pub(super) fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "yes" | "y" | "si" | "sí" | "s" | "true" | "1" => Some(true),
        "no" | "n" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// Why there is no answer.
pub(super) fn missing(text: &str) -> Option<MissingAnswer> {
    MissingAnswer::try_from_value(&text.to_ascii_uppercase()).ok()
}

/// A response as its cells are; what is not there is empty.
struct Cells<'r> {
    line: u32,
    client_id: &'r str,
    participant: &'r str,
    facility: &'r str,
    answered_on: &'r str,
    outcome: &'r str,
    form_number: &'r str,
    /// By the places of the questions; cells that are empty are left out.
    answers: Vec<(usize, &'r str)>,
}

/// Collects the responses of a file.
struct Collector<'a> {
    asked: &'a Asked<'a>,
    names: &'a Names,
    format: Format,
    /// The line of each id.
    known: HashMap<Uuid, u32>,
    found: Vec<FoundResponse>,
    faults: &'a mut Faults,
}

impl Collector<'_> {
    fn fault(&mut self, line: u32, column: &str, code: FaultCode, reason: Reason) {
        self.faults.add(line, Some(column), code, reason);
    }

    /// Takes a response, or tells what is wrong with it.
    fn take(&mut self, cells: &Cells<'_>) {
        let (names, line) = (self.names, cells.line);
        let client_id = self.client_id(cells);
        let answered_on = match date(cells.answered_on) {
            Some(day) => Some(day),
            None => {
                let code =
                    if cells.answered_on.is_empty() { FaultCode::MissingValue } else { FaultCode::BadDate };
                self.fault(line, &names.answered_on, code, no_day());
                None
            }
        };
        let outcome = match (cells.outcome, self.format) {
            // Who does not answer sends no form.
            ("", Format::Json) => Some(ResponseOutcome::Answered),
            (text, _) => {
                let outcome = ResponseOutcome::try_from_value(&text.to_ascii_uppercase()).ok();
                if outcome.is_none() {
                    let code = if text.is_empty() { FaultCode::MissingValue } else { FaultCode::BadChoice };
                    self.fault(line, &names.outcome, code, no_outcome());
                }
                outcome
            }
        };
        if cells.facility.is_empty() {
            self.fault(line, &names.facility, FaultCode::MissingValue, needed());
        }
        if self.asked.named && cells.participant.is_empty() {
            self.fault(line, &names.participant, FaultCode::MissingValue, needed());
        }
        let before = self.faults.len();
        let answers = self.answers(cells);
        let (Some(client_id), Some(answered_on), Some(outcome)) = (client_id, answered_on, outcome) else {
            return;
        };
        if self.faults.len() > before || cells.facility.is_empty() {
            return;
        }
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        self.found.push(FoundResponse {
            line,
            client_id,
            participant: given(cells.participant),
            facility: cells.facility.to_owned(),
            answered_on,
            outcome,
            form_number: given(cells.form_number),
            answers,
        });
    }

    fn client_id(&mut self, cells: &Cells<'_>) -> Option<Uuid> {
        let name = &self.names.client_id;
        let text = cells.client_id;
        let id = Uuid::try_parse(text.strip_prefix("uuid:").unwrap_or(text)).ok();
        let Some(id) = id else {
            let code = if text.is_empty() { FaultCode::MissingValue } else { FaultCode::BadCode };
            self.fault(cells.line, name, code, no_id());
            return None;
        };
        if let Some(before) = self.known.insert(id, cells.line) {
            self.fault(cells.line, name, FaultCode::Duplicate, id_twice(before));
        }
        Some(id)
    }

    fn answers(&mut self, cells: &Cells<'_>) -> Vec<Answer> {
        let asked = self.asked;
        let mut answers = Vec::with_capacity(cells.answers.len());
        for &(place, text) in &cells.answers {
            let Some(question) = asked.questions.get(place) else { continue };
            match self.answer(question, text) {
                Ok(answer) => answers.push(answer),
                Err((code, reason)) => self.fault(cells.line, &question.code, code, reason),
            }
        }
        answers
    }

    /// A cell as an answer. Whether it is one of the options and within bounds is looked at where it is kept.
    fn answer(&self, question: &Question, text: &str) -> Result<Answer, (FaultCode, Reason)> {
        let mut answer = Answer { question: question.code.clone(), ..Answer::default() };
        let is_option = question.options.iter().any(|option| option.code == text);
        if let Some(why) = missing(text).filter(|_| !is_option) {
            answer.missing = Some(why);
            return Ok(answer);
        }
        match question.kind {
            QuestionKind::YesNo => {
                answer.yes = Some(yes_or_no(text).ok_or_else(|| (FaultCode::BadChoice, neither()))?);
            }
            QuestionKind::Scale | QuestionKind::Number => {
                let digits = text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit());
                let number = text.parse().ok().filter(|_| digits);
                answer.number = Some(number.ok_or_else(|| (FaultCode::BadNumber, no_number()))?);
            }
            QuestionKind::Single => answer.options.push(text.to_owned()),
            QuestionKind::Multiple => {
                let parts: Vec<&str> = match self.format {
                    Format::Table => text.split('|').map(str::trim).collect(),
                    Format::Json => text.split_whitespace().collect(),
                };
                answer.options.extend(parts.into_iter().map(str::to_owned));
            }
        }
        Ok(answer)
    }
}

fn needed() -> Reason {
    reason!("This must be filled in.", "Este dato es obligatorio.")
}

fn empty() -> Reason {
    reason!("There is no response in the file.", "El archivo no tiene ninguna respuesta.")
}

fn question_too() -> Reason {
    reason!(
        "A question of the round has this code too. Give the column another name by an option, or send the responses through \
         the API.",
        "Una pregunta de la ronda también tiene este código. Dé otro nombre a la columna con una opción, o envíe las \
         respuestas mediante la API."
    )
}

fn no_day() -> Reason {
    reason!(
        "There is no day written YYYY-MM-DD, such as 2026-03-08.",
        "No hay una fecha escrita AAAA-MM-DD, como 2026-03-08."
    )
}

fn no_outcome() -> Reason {
    let known = ResponseOutcome::values().join(", ");
    reason!("This is none of {known}.", "No es una de: {known}.")
}

fn no_id() -> Reason {
    reason!(
        "A response has an id of its own, a UUID, which stays the same whenever it is imported.",
        "Cada respuesta lleva un identificador propio, un UUID, que es el mismo cada vez que se importa."
    )
}

fn id_twice(before: u32) -> Reason {
    reason!(
        "Number {before} of the file has the same id.",
        "El número {before} del archivo tiene el mismo identificador."
    )
}

fn neither() -> Reason {
    reason!(
        "This is neither yes nor no, nor REFUSED or DOES_NOT_KNOW.",
        "No es sí ni no, ni REFUSED o DOES_NOT_KNOW."
    )
}

fn no_number() -> Reason {
    reason!(
        "This is no whole number in digits, nor REFUSED or DOES_NOT_KNOW.",
        "No es un número entero en dígitos, ni REFUSED o DOES_NOT_KNOW."
    )
}
