//! Which cell of a row is which column: the separator, the header row and the row of HXL tags.

use std::collections::BTreeSet;

use super::{
    Kind,
    fault::{FaultCode, Faults, Reason, quoted, reason},
    guard::unguard,
    headers::{Header, headers, passed_over},
    source::Source,
    text::{Next, Record, Records},
};

/// Where each column is.
pub(super) struct Columns {
    headers: &'static [Header],
    /// The place in a row of each of the headers.
    places: Vec<Option<usize>>,
    width: usize,
}

/// A row whose cells are asked for by name.
pub(super) struct Row<'r> {
    pub line: u32,
    columns: &'r Columns,
    record: &'r Record<'r>,
}

/// The separator with which the header row has the most names that are known, and the comma in doubt.
pub(super) fn delimiter(text: &str, is_known: impl Fn(&str) -> bool) -> u8 {
    let score = |delimiter: u8| match Records::new(text, delimiter).next() {
        Next::Record(record) => {
            let known = record.cells.iter().filter(|cell| is_known(cell)).count();
            (known, record.cells.len())
        }
        Next::Broken { .. } | Next::End => (0, 0),
    };
    let mut best = b',';
    for delimiter in [b';', b'\t'] {
        if score(delimiter) > score(best) {
            best = delimiter;
        }
    }
    best
}

impl Columns {
    /// Reads the header row and, if there is one, the row of tags. What comes next is given back when
    /// it has been read to see that it is no row of tags.
    pub(super) fn read<'a>(
        records: &mut Source<'a>,
        kind: Kind,
        faults: &mut Faults,
    ) -> Option<(Columns, Option<Next<'a>>)> {
        let header = match records.next() {
            Next::Record(record) => record,
            Next::Broken { line, reason } => {
                faults.add(line, None, FaultCode::BadQuotes, reason);
                return None;
            }
            Next::End => {
                faults.add(
                    1,
                    None,
                    FaultCode::Empty,
                    reason!("The file is empty.", "El archivo está vacío."),
                );
                return None;
            }
        };
        let (tags, pending) = match records.next() {
            Next::Record(record) if is_tags(&record) => (Some(record), None),
            other => (None, Some(other)),
        };
        if let Some(tags) = tags.as_ref().filter(|tags| tags.cells.len() != header.cells.len()) {
            faults.add(tags.line, None, FaultCode::Ragged, uneven(tags.cells.len(), header.cells.len()));
        }
        let columns = Columns::find(kind, &header, tags.as_ref(), faults);
        faults.is_empty().then_some((columns, pending))
    }

    fn find(kind: Kind, names: &Record<'_>, tags: Option<&Record<'_>>, faults: &mut Faults) -> Columns {
        let headers = headers(kind);
        let mut places = vec![None; headers.len()];
        for (place, name) in names.cells.iter().enumerate() {
            let tag = tags.and_then(|tags| tags.cells.get(place)).map_or("", |tag| tag.as_ref());
            let by_name = find(headers, name);
            if by_name.is_none() && find(passed_over(kind), name).is_some() {
                continue;
            }
            let Some(found) = by_name.or_else(|| find_tag(headers, tag)) else {
                let (number, shown, known) = (place + 1, quoted(name), list(headers));
                let reason = if name.is_empty() {
                    reason!("Column {number} has no name.", "La columna {number} no tiene nombre.")
                } else {
                    reason!(
                        "There is no column {shown}; there are: {known}.",
                        "No existe la columna {shown}; las que hay son: {known}."
                    )
                };
                faults.add(names.line, Some(name), FaultCode::UnknownHeader, reason);
                continue;
            };
            if places[found].replace(place).is_some() {
                let name = headers[found].name;
                let reason =
                    reason!("The column {name} is there twice.", "La columna {name} está dos veces.");
                faults.add(names.line, Some(name), FaultCode::DuplicateHeader, reason);
            }
        }
        for (header, place) in headers.iter().zip(&places) {
            if header.required && place.is_none() {
                let name = header.name;
                let reason = reason!("The column {name} is missing.", "Falta la columna {name}.");
                faults.add(names.line, Some(name), FaultCode::MissingHeader, reason);
            }
        }
        Columns { headers, places, width: names.cells.len() }
    }

    /// Whether the row has as many cells as the header.
    pub(super) fn fits(&self, record: &Record<'_>, faults: &mut Faults) -> bool {
        let fits = record.cells.len() == self.width;
        if !fits {
            faults.add(record.line, None, FaultCode::Ragged, uneven(record.cells.len(), self.width));
        }
        fits
    }

    pub(super) fn row<'r>(&'r self, record: &'r Record<'r>) -> Row<'r> {
        Row { line: record.line, columns: self, record }
    }
}

impl Row<'_> {
    /// The text of a cell; empty when the file does not have the column.
    pub(super) fn cell(&self, name: &str) -> &str {
        let column = self.columns.headers.iter().position(|header| header.name == name);
        let place = column.and_then(|column| self.columns.places[column]);
        place.and_then(|place| self.record.cells.get(place)).map_or("", |cell| unguard(cell))
    }
}

pub(super) fn uneven(found: usize, expected: usize) -> Reason {
    reason!(
        "The row has {found} cells, the header {expected}.",
        "La fila tiene {found} celdas; el encabezado, {expected}."
    )
}

pub(super) fn find(headers: &[Header], name: &str) -> Option<usize> {
    headers.iter().position(|header| header.name.eq_ignore_ascii_case(name))
}

/// The column that a tag stands for: one whose attributes the tag has, and of these the most specific.
fn find_tag(headers: &[Header], tag: &str) -> Option<usize> {
    let parts = tag_parts(tag)?;
    let fitting = headers.iter().enumerate().filter_map(|(place, header)| {
        let wanted = tag_parts(header.hxl)?;
        wanted.is_subset(&parts).then_some((wanted.len(), place))
    });
    fitting.max().map(|(_, place)| place)
}

/// A tag and its attributes, whose order and case do not matter.
fn tag_parts(tag: &str) -> Option<BTreeSet<String>> {
    let mut parts = tag.split('+').map(|part| part.trim().to_ascii_lowercase());
    let name = parts.next().filter(|name| name.len() > 1 && name.starts_with('#'))?;
    Some(std::iter::once(name).chain(parts.filter(|part| !part.is_empty())).collect())
}

fn is_tags(record: &Record<'_>) -> bool {
    record.cells.iter().all(|cell| cell.is_empty() || cell.starts_with('#'))
}

fn list(headers: &[Header]) -> String {
    headers.iter().map(|header| header.name).collect::<Vec<_>>().join(", ")
}
