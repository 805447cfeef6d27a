//! XLSForm workbooks into instruments.
//!
//! A form is three sheets: `survey`, `choices` and `settings`. What an instrument cannot hold is refused, row by row,
//! because a question that was left out or changed in silence would be another questionnaire. Only what puts no question
//! to anybody is passed over: notes, groups and what a device notes by itself. No class of risk is guessed: the column
//! `umbral_risk` says it for each question.

mod choices;
mod logic;
mod sheets;
mod survey;
#[cfg(test)]
mod tests;

use self::sheets::{Labels, Table, given};
use super::{
    LIMITS, Limits, Reason,
    fault::{FaultCode, Faults, reason},
    sheet::{Book, is_workbook},
};
use crate::store::{
    input::{LocalizedInput, TranslationInput},
    survey::instrument::QuestionInput,
};

/// Far more than any questionnaire, choices included.
const FORM: Limits = Limits { rows: 20_000, columns: 200, ..LIMITS };

/// A questionnaire, as a workbook says it.
#[derive(Debug)]
pub struct Form {
    pub code: String,
    pub title: LocalizedInput,
    pub questions: Vec<QuestionInput>,
    /// Where each of the questions stands.
    pub places: Vec<QuestionPlace>,
}

/// Where a question stands in its workbook.
#[derive(Clone, Debug)]
pub struct QuestionPlace {
    /// The row of the sheet `survey`.
    pub line: u32,
    /// The rows of the sheet `choices`, option by option.
    pub options: Vec<u32>,
}

/// The questionnaire of a workbook; none when anything is wrong with it. A column is named with its sheet.
pub fn read_form(bytes: &[u8], faults: &mut Faults) -> Option<Form> {
    if !is_workbook(bytes) {
        faults.add(1, None, FaultCode::BadWorkbook, no_workbook());
        return None;
    }
    let mut book = match Book::open(bytes, &FORM) {
        Ok(book) => book,
        Err(fault) => {
            faults.put(fault);
            return None;
        }
    };
    let mut table = |name| match Table::read(&mut book, name, &FORM) {
        Ok(table) => table,
        Err(fault) => {
            faults.put(fault);
            None
        }
    };
    let (survey, choices, settings) = (table("survey"), table("choices"), table("settings"));
    for (name, missing) in [("survey", survey.is_none()), ("settings", settings.is_none())] {
        if missing && faults.is_empty() {
            faults.add(1, None, FaultCode::BadWorkbook, no_sheet(name));
        }
    }
    let (survey, settings) = (survey?, settings?);
    let choices = choices.unwrap_or_else(|| Table::empty("choices"));
    let Some(said) = settings.rows().next() else {
        faults.add(2, Some("settings"), FaultCode::Empty, empty_settings());
        return None;
    };
    let default = sheets::default_language(&said, faults);
    let languages = Labels::find(&survey, default.as_deref(), faults)?;
    let code = given(&said, "form_id", faults);
    let title = given(&said, "form_title", faults);
    let choices = choices::read(&choices, &languages, default.as_deref(), faults);
    let (questions, places) = survey::read(&survey, &languages, &choices, faults);
    let title = LocalizedInput {
        original: languages.original.clone(),
        translations: vec![TranslationInput {
            lang: languages.original,
            text: title?.to_owned(),
            status: None,
        }],
    };
    if questions.is_empty() && faults.is_empty() {
        faults.add(1, Some("survey"), FaultCode::Empty, no_questions());
    }
    faults.is_empty().then_some(Form { code: code?.to_owned(), title, questions, places })
}

fn no_workbook() -> Reason {
    reason!("An XLSForm is a workbook (.xlsx).", "Un XLSForm es un libro de Excel (.xlsx).")
}

fn no_sheet(name: &str) -> Reason {
    reason!("The workbook has no sheet {name}.", "El libro no tiene la hoja {name}.")
}

fn empty_settings() -> Reason {
    reason!(
        "The sheet needs a row with form_id and form_title.",
        "La hoja necesita una fila con form_id y form_title."
    )
}

fn no_questions() -> Reason {
    reason!("The form asks nothing that can be held.", "El formulario no pregunta nada que se pueda guardar.")
}
