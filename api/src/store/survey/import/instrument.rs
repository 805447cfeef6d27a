//! Questionnaires out of files: made when there is none of the code, revised when it says something else.

use entity::{
    instrument, instrument_version,
    value::{Localized, Question},
};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    import::{self, Form, QuestionPlace},
    store::{
        Access,
        input::{At, Faults, Once, Refused, UserError, Written},
        survey::instrument::{CreateInstrument, ReviseInstrument, questions},
    },
};

/// What an import has made of a questionnaire, or would make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Imported {
    /// The instrument, or its next version.
    Written,
    /// It is there, and says the same.
    Unchanged,
    /// Nothing was written; the faults say why.
    Refused,
}

impl Access {
    /// Makes an instrument of a form, or its next version. `file` is the SHA-256 of the workbook.
    ///
    /// # Errors
    /// `NotPermitted` without the rights; when the database is out of reach.
    pub async fn import_instrument(
        &self,
        form: &Form,
        file: &str,
        validate_only: bool,
        faults: &mut import::Faults,
    ) -> Written<Imported> {
        let before =
            self.select::<instrument::Entity>().filter(instrument::Column::Code.eq(form.code.as_str()));
        let before = before.one(self.reader()).await?;
        let done = match before {
            None => {
                let once = Once {
                    key: format!("import instrument {}", form.code),
                    operation: "import instrument".to_owned(),
                    hash: file.as_bytes().to_vec(),
                    shared: false,
                };
                let input = CreateInstrument {
                    once,
                    validate_only,
                    code: form.code.clone(),
                    title: form.title.clone(),
                    questions: form.questions.clone(),
                    file: Some(file.to_owned()),
                };
                self.create_instrument(input).await.map(drop)
            }
            Some(row) => {
                if row.archived_at.is_none() && self.says_the_same(form, &row).await? {
                    return Ok(Imported::Unchanged);
                }
                let input = ReviseInstrument {
                    at: At { id: row.id, expected: row.version },
                    validate_only,
                    title: Some(form.title.clone()),
                    questions: form.questions.clone(),
                    file: Some(file.to_owned()),
                };
                self.revise_instrument(input).await
            }
        };
        match done {
            Ok(()) => Ok(Imported::Written),
            Err(Refused::User(errors)) => {
                for UserError { code, field, message, .. } in errors {
                    let (line, column) = form.blamed(&field);
                    faults.add(line, Some(column), code.into(), message.into());
                }
                Ok(Imported::Refused)
            }
            Err(other) => Err(other),
        }
    }

    /// Whether the newest version of an instrument is what a form says.
    async fn says_the_same(&self, form: &Form, row: &instrument::Model) -> Written<bool> {
        let newest = self
            .select::<instrument_version::Entity>()
            .filter(instrument_version::Column::InstrumentId.eq(row.id))
            .filter(instrument_version::Column::Number.eq(row.latest));
        let newest = newest.one(self.reader()).await?;
        let (title, questions): (Localized, Vec<Question>) = form.kept();
        Ok(title == row.title && newest.is_some_and(|newest| newest.questions.0 == questions))
    }
}

impl Form {
    /// The form as it would be kept.
    fn kept(&self) -> (Localized, Vec<Question>) {
        let mut faults = Faults::default();
        (faults.localized(&self.title, &["title"], 200), questions(&mut faults, &self.questions))
    }

    /// The row and the column that a field of the input came from.
    fn blamed(&self, field: &[String]) -> (u32, &'static str) {
        let mut parts = field.iter().map(String::as_str);
        let number = |part: Option<&str>| part.and_then(|part| part.parse::<usize>().ok());
        let place = match parts.next() {
            Some("title") => return (2, "settings.form_title"),
            Some("questions") => number(parts.next()).and_then(|place| self.places.get(place)),
            // The code, or that it is archived.
            _ => return (2, "settings.form_id"),
        };
        let Some(QuestionPlace { line, options }) = place else { return (1, "survey.type") };
        let column = match parts.next() {
            Some("options") => {
                let option = number(parts.next()).and_then(|option| options.get(option));
                let Some(option) = option else { return (*line, "survey.type") };
                let column = if parts.next() == Some("text") { "choices.label" } else { "choices.name" };
                return (*option, column);
            }
            Some("code") => "survey.name",
            Some("text") => "survey.label",
            Some("askedWhen") => "survey.relevant",
            Some("max") => "survey.constraint",
            _ => "survey.type",
        };
        (*line, column)
    }
}
