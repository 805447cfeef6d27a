//! Cells into values. Each reader reports what is wrong and gives `None`; the row is then left out.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use entity::value::{Localized, Translation, TranslationStatus};
use sea_orm::ActiveEnum;

use super::{
    columns::Row,
    fault::{FaultCode, Faults, Reason, quoted, reason},
};

/// The largest number that a cell may hold: far beyond any delivery, far below what a sum could overflow.
pub(super) const MOST: i32 = 1_000_000;

const LONGEST_CODE: usize = 40;
const LONGEST_SLUG: usize = 80;
const LONGEST_NAME: usize = 200;
const LONGEST_TEXT: usize = 5000;
const LONGEST_LIST: usize = 200;

/// The cells of one row, and where faults go.
pub(super) struct Cells<'r, 'f> {
    row: &'r Row<'r>,
    faults: &'f mut Faults,
}

impl<'r, 'f> Cells<'r, 'f> {
    pub(super) fn new(row: &'r Row<'r>, faults: &'f mut Faults) -> Self {
        Cells { row, faults }
    }

    pub(super) fn line(&self) -> u32 {
        self.row.line
    }

    pub(super) fn fault(&mut self, column: &str, code: FaultCode, reason: Reason) {
        self.faults.add(self.row.line, Some(column), code, reason);
    }

    pub(super) fn is_blank(&self, column: &str) -> bool {
        self.row.cell(column).is_empty()
    }

    /// A name of one line.
    pub(super) fn name(&mut self, column: &'static str) -> Option<String> {
        let cell = self.filled(column)?;
        self.plain(column, cell, LONGEST_NAME, char::is_control)
    }

    /// A code of an entry, by the rule that the API has.
    pub(super) fn code(&mut self, column: &'static str) -> Option<String> {
        let cell = self.filled(column)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if cell.len() <= LONGEST_CODE && cell.chars().all(fits) {
            return Some(cell.to_owned());
        }
        let shown = quoted(cell);
        let reason = reason!(
            "{shown} is not made of 1 to {LONGEST_CODE} letters, digits, hyphens and underscores.",
            "{shown} no se compone de 1 a {LONGEST_CODE} letras, dígitos, guiones y guiones bajos."
        );
        self.fault(column, FaultCode::BadCode, reason);
        None
    }

    /// A short name in addresses, by the rule that the API has.
    pub(super) fn slug(&mut self, column: &'static str) -> Option<String> {
        let cell = self.filled(column)?;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let ends = cell.starts_with('-') || cell.ends_with('-');
        if (2..=LONGEST_SLUG).contains(&cell.len()) && cell.chars().all(fits) && !ends {
            return Some(cell.to_owned());
        }
        let shown = quoted(cell);
        let reason = reason!(
            "{shown} is not made of 2 to {LONGEST_SLUG} lower-case letters, digits and inner hyphens.",
            "{shown} no se compone de 2 a {LONGEST_SLUG} minúsculas, dígitos y guiones interiores."
        );
        self.fault(column, FaultCode::BadCode, reason);
        None
    }

    /// A whole number from `least` to a million, in digits only.
    pub(super) fn number(&mut self, column: &'static str, least: i32) -> Option<i32> {
        self.number_up_to(column, least, MOST)
    }

    pub(super) fn number_up_to(&mut self, column: &'static str, least: i32, most: i32) -> Option<i32> {
        let cell = self.filled(column)?;
        let digits = cell.strip_prefix('-').unwrap_or(cell);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let shown = quoted(cell);
            let reason = reason!(
                "{shown} is not a whole number in digits, without separators.",
                "{shown} no es un número entero en dígitos, sin separadores."
            );
            self.fault(column, FaultCode::BadNumber, reason);
            return None;
        }
        let number = cell.parse().ok().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let shown = quoted(cell);
            let reason =
                reason!("{shown} is not from {least} to {most}.", "{shown} no está entre {least} y {most}.");
            self.fault(column, FaultCode::OutOfRange, reason);
        }
        number
    }

    /// A day as `YYYY-MM-DD`.
    pub(super) fn date(&mut self, column: &'static str) -> Option<NaiveDate> {
        let cell = self.filled(column)?;
        let date = date(cell);
        if date.is_none() {
            let shown = quoted(cell);
            let reason = reason!(
                "{shown} is not a day written YYYY-MM-DD, such as 2026-03-08.",
                "{shown} no es una fecha escrita AAAA-MM-DD, como 2026-03-08."
            );
            self.fault(column, FaultCode::BadDate, reason);
        }
        date
    }

    /// One of the values of an enum, in upper or lower case.
    pub(super) fn choice<T: ActiveEnum<Value = String>>(&mut self, column: &'static str) -> Option<T> {
        let cell = self.filled(column)?;
        self.chosen(column, cell)
    }

    /// Values of an enum, separated by `|`.
    pub(super) fn choices<T: ActiveEnum<Value = String>>(&mut self, column: &'static str) -> Option<Vec<T>> {
        self.filled(column)?;
        let list = self.list(column)?;
        list.iter().map(|part| self.chosen(column, part)).collect()
    }

    /// Parts separated by `|`, each once; empty when the cell is.
    pub(super) fn list(&mut self, column: &'static str) -> Option<Vec<String>> {
        let cell = self.row.cell(column);
        if cell.is_empty() {
            return Some(Vec::new());
        }
        let parts: Vec<&str> = cell.split('|').map(str::trim).collect();
        if parts.len() > LONGEST_LIST {
            let reason = reason!(
                "The list has more than {LONGEST_LIST} parts.",
                "La lista tiene más de {LONGEST_LIST} elementos."
            );
            self.fault(column, FaultCode::OutOfRange, reason);
            return None;
        }
        if parts.iter().any(|part| part.is_empty()) {
            let reason = reason!("A part of the list is empty.", "Un elemento de la lista está vacío.");
            self.fault(column, FaultCode::MissingValue, reason);
            return None;
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = parts.iter().find(|part| !seen.insert(**part)) {
            let shown = quoted(twice);
            let reason = reason!("{shown} is in the list twice.", "{shown} está dos veces en la lista.");
            self.fault(column, FaultCode::Duplicate, reason);
            return None;
        }
        parts.into_iter().map(|part| self.plain(column, part, LONGEST_NAME, char::is_control)).collect()
    }

    /// The two languages of a name; at least one must be there.
    pub(super) fn localized_name(&mut self) -> Option<Localized> {
        if self.is_blank("name_es") && self.is_blank("name_en") {
            let reason =
                reason!("One of name_es and name_en must be filled in.", "Debe llenarse name_es o name_en.");
            self.fault("name_es", FaultCode::MissingValue, reason);
            return None;
        }
        self.localized("name_es", "name_en", LONGEST_NAME, char::is_control)?
    }

    /// The two languages of a longer text, which may be missing and may have several lines.
    pub(super) fn localized_text(&mut self, es: &'static str, en: &'static str) -> Option<Option<Localized>> {
        self.localized(es, en, LONGEST_TEXT, |c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    }

    fn localized(
        &mut self,
        es: &'static str,
        en: &'static str,
        longest: usize,
        refused: fn(char) -> bool,
    ) -> Option<Option<Localized>> {
        let mut texts = BTreeMap::new();
        for (tag, column) in [("es", es), ("en", en)] {
            let cell = self.row.cell(column);
            if !cell.is_empty() {
                texts.insert(tag, self.plain(column, cell, longest, refused)?);
            }
        }
        // Spanish before English, which is the order of the tags backwards.
        let Some(first) = texts.keys().next_back().copied() else { return Some(None) };
        let original = match self.row.cell("original") {
            "" => first,
            named => match texts.keys().find(|tag| tag.eq_ignore_ascii_case(named)) {
                Some(tag) => tag,
                None => {
                    let shown = quoted(named);
                    let reason = reason!(
                        "{shown} is not es or en, or there is no text in it.",
                        "{shown} no es es ni en, o no hay texto en esa lengua."
                    );
                    self.fault("original", FaultCode::BadChoice, reason);
                    return None;
                }
            },
        };
        let translated = texts.into_iter().map(|(tag, text)| {
            let status = if tag == original { TranslationStatus::Original } else { TranslationStatus::Human };
            (tag.to_owned(), Translation { text, status })
        });
        Some(Some(Localized { original: original.to_owned(), texts: translated.collect() }))
    }

    fn chosen<T: ActiveEnum<Value = String>>(&mut self, column: &'static str, text: &str) -> Option<T> {
        let found = T::try_from_value(&text.to_ascii_uppercase()).ok();
        if found.is_none() {
            let (shown, known) = (quoted(text), T::values().join(", "));
            let reason = reason!("{shown} is not one of {known}.", "{shown} no es una de: {known}.");
            self.fault(column, FaultCode::BadChoice, reason);
        }
        found
    }

    fn plain(
        &mut self,
        column: &'static str,
        text: &str,
        longest: usize,
        refused: fn(char) -> bool,
    ) -> Option<String> {
        if text.chars().count() > longest {
            let reason = reason!(
                "The text has more than {longest} characters.",
                "El texto tiene más de {longest} caracteres."
            );
            self.fault(column, FaultCode::BadText, reason);
            return None;
        }
        if text.chars().any(refused) {
            let shown = quoted(text);
            let reason = reason!(
                "{shown} holds a line break or another control character.",
                "{shown} contiene un salto de línea u otro carácter de control."
            );
            self.fault(column, FaultCode::BadText, reason);
            return None;
        }
        Some(text.to_owned())
    }

    fn filled(&mut self, column: &'static str) -> Option<&'r str> {
        let row = self.row;
        let cell = row.cell(column);
        if cell.is_empty() {
            let reason = reason!("This must be filled in.", "Este dato es obligatorio.");
            self.fault(column, FaultCode::MissingValue, reason);
            return None;
        }
        Some(cell)
    }
}

/// Ten characters, and within living memory: a year of two digits is no year of the first century.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(place, byte)| match place {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let date = shaped.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()?;
    (1900..=2200).contains(&date.year()).then_some(date)
}
