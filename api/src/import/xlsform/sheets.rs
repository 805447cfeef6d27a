//! The sheets of a form as rows whose cells are asked for by name, and the languages of its labels.

use crate::{
    graphql::scalars,
    import::{
        Limits, Reason,
        fault::{Fault, FaultCode, Faults, quoted, reason},
        sheet::Book,
        text::{Next, Record},
    },
    store::input::{LocalizedInput, TranslationInput},
};

/// A sheet of a form.
pub(super) struct Table {
    pub name: &'static str,
    /// As the sheet spells them.
    headers: Vec<String>,
    rows: Vec<Record<'static>>,
}

/// A row of a sheet.
#[derive(Clone, Copy)]
pub(super) struct Row<'t> {
    table: &'t Table,
    record: &'t Record<'static>,
}

impl Table {
    /// The sheet of a name; none when the workbook has none.
    pub fn read(book: &mut Book<'_>, name: &'static str, limits: &Limits) -> Result<Option<Self>, Fault> {
        if !book.has(name) {
            return Ok(None);
        }
        let mut records = book.sheet(name, limits)?;
        let mut table = Self::empty(name);
        while let Next::Record(record) = records.next() {
            if table.headers.is_empty() {
                table.headers = record.cells.iter().map(|cell| cell.trim().to_owned()).collect();
            } else {
                table.rows.push(record);
            }
        }
        Ok(Some(table))
    }

    pub fn empty(name: &'static str) -> Self {
        Self { name, headers: Vec::new(), rows: Vec::new() }
    }

    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|record| Row { table: self, record })
    }

    /// How a fault names a column of this sheet.
    pub fn column(&self, name: &str) -> String {
        format!("{}.{name}", self.name)
    }
}

impl<'t> Row<'t> {
    pub fn line(&self) -> u32 {
        self.record.line
    }

    /// The text of a cell; empty when the sheet has no such column.
    pub fn cell(&self, name: &str) -> &'t str {
        let place = self.table.headers.iter().position(|header| header.eq_ignore_ascii_case(name));
        place.map_or("", |place| self.at(place))
    }

    /// The first of several names of one column that the sheet fills in.
    pub fn cell_of(&self, names: &[&str]) -> &'t str {
        names.iter().map(|name| self.cell(name)).find(|cell| !cell.is_empty()).unwrap_or_default()
    }

    fn at(&self, place: usize) -> &'t str {
        self.record.cells.get(place).map_or("", |cell| cell.trim())
    }

    pub fn fault(&self, faults: &mut Faults, column: &str, code: FaultCode, reason: Reason) {
        faults.add(self.line(), Some(&self.table.column(column)), code, reason);
    }
}

/// A cell that must be filled in.
pub(super) fn given<'t>(row: &Row<'t>, column: &str, faults: &mut Faults) -> Option<&'t str> {
    let cell = row.cell(column);
    if cell.is_empty() {
        row.fault(faults, column, FaultCode::MissingValue, needed());
        return None;
    }
    Some(cell)
}

pub(super) fn needed() -> Reason {
    reason!("This must be filled in.", "Este dato es obligatorio.")
}

/// The columns of a sheet that hold labels, and the language in which the form was written.
pub(super) struct Labels {
    columns: Vec<Label>,
    pub original: String,
}

struct Label {
    place: usize,
    header: String,
    language: String,
}

impl Labels {
    /// The labels of a sheet. The language of the form is the default one or, where none is said, that of the first.
    pub fn find(table: &Table, default: Option<&str>, faults: &mut Faults) -> Option<Self> {
        let before = faults.len();
        let mut columns: Vec<Label> = Vec::new();
        for (place, header) in table.headers.iter().enumerate() {
            let Some(named) = of_label(header) else { continue };
            let language = match named {
                "" => default.map(str::to_owned),
                named => language(named),
            };
            let Some(language) = language else {
                let reason = if named.is_empty() { no_default() } else { no_code(header) };
                faults.add(1, Some(&table.column(header)), FaultCode::UnknownHeader, reason);
                continue;
            };
            if columns.iter().any(|label| label.language == language) {
                faults.add(1, Some(&table.column(header)), FaultCode::DuplicateHeader, twice(&language));
            }
            columns.push(Label { place, header: header.clone(), language });
        }
        if columns.is_empty() && faults.len() == before {
            faults.add(1, Some(&table.column("label")), FaultCode::MissingHeader, no_label());
        }
        let first = columns.first()?.language.clone();
        let known = default.filter(|default| columns.iter().any(|label| label.language == *default));
        let original = known.map_or(first, str::to_owned);
        (faults.len() == before).then_some(Self { columns, original })
    }

    /// The label of a row in all languages that it has; the form's own must be among them.
    pub fn of(&self, row: &Row<'_>, original: &str, faults: &mut Faults) -> Option<LocalizedInput> {
        let filled = self.columns.iter().filter(|label| !row.at(label.place).is_empty());
        let translations: Vec<TranslationInput> = filled
            .map(|label| TranslationInput {
                lang: label.language.clone(),
                text: row.at(label.place).to_owned(),
                status: None,
            })
            .collect();
        if translations.iter().any(|text| text.lang == original) {
            return Some(LocalizedInput { original: original.to_owned(), translations });
        }
        let header = self.columns.iter().find(|label| label.language == original);
        let header = header.map_or("label", |label| label.header.as_str());
        row.fault(faults, header, FaultCode::MissingValue, no_text(original));
        None
    }
}

/// What a header says of the language, when it is one of a label: nothing, or the name and the code.
fn of_label(header: &str) -> Option<&str> {
    let (name, language) = header.split_once("::").unwrap_or((header, ""));
    name.trim().eq_ignore_ascii_case("label").then(|| language.trim())
}

/// The code of a language, as forms write it: `Español (es)`, or the code alone.
fn language(named: &str) -> Option<String> {
    let code = match named.rsplit_once('(') {
        Some((_, code)) => code.strip_suffix(')')?.trim(),
        // A name is no code, however short: codes have two or three letters, and perhaps a region.
        None if named.split('-').next().is_some_and(|first| first.len() <= 3) => named,
        None => return None,
    };
    scalars::language(code).then(|| code.to_owned())
}

/// The default language of the settings, by its code.
pub(super) fn default_language(settings: &Row<'_>, faults: &mut Faults) -> Option<String> {
    let named = settings.cell("default_language");
    let code = language(named);
    if !named.is_empty() && code.is_none() {
        settings.fault(faults, "default_language", FaultCode::BadChoice, no_code(named));
    }
    code
}

fn no_code(named: &str) -> Reason {
    let shown = quoted(named);
    reason!(
        "{shown} names no language by its code; write it as “Español (es)”.",
        "{shown} no dice el código de la lengua; escríbalo como «Español (es)»."
    )
}

fn no_default() -> Reason {
    reason!(
        "The column label is in the default language, which the sheet settings does not say; fill in default_language as \
         “Español (es)”.",
        "La columna label está en la lengua por defecto, que la hoja settings no dice; llene default_language como \
         «Español (es)»."
    )
}

fn twice(language: &str) -> Reason {
    reason!("The language {language} is there twice.", "La lengua {language} está dos veces.")
}

fn no_label() -> Reason {
    reason!("The column label is missing.", "Falta la columna label.")
}

fn no_text(language: &str) -> Reason {
    reason!(
        "There is no text in the language of the form, {language}.",
        "No hay texto en la lengua del formulario, {language}."
    )
}
