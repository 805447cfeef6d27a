//! Tables of responses: CSV, or the first sheet of a workbook that is not hidden.

use std::borrow::Cow;

use super::{Cells, Collector};
use crate::import::{
    Encoding, Limits, Reason,
    columns::{delimiter, uneven},
    fault::{FaultCode, reason},
    guard::unguard,
    sheet::{Book, is_workbook},
    source::Source,
    text::{self, Next, Record, Records},
};

/// What a column holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Column {
    /// One that is no question, by its place among the names.
    Own(usize),
    Question(usize),
    PassedOver,
}

const PARTICIPANT: usize = 1;
const FORM_NUMBER: usize = 5;

pub(super) fn read(
    bytes: &[u8],
    encoding: Encoding,
    limits: &Limits,
    collector: &mut Collector<'_>,
) -> Option<()> {
    let decoded: Cow<'_, str>;
    let source = if is_workbook(bytes) {
        Book::open(bytes, limits).and_then(|mut book| book.first(limits)).map(Source::Sheet)
    } else {
        match text::decode(bytes, encoding, limits.bytes) {
            Ok(text) => {
                decoded = text;
                let comma = delimiter(&decoded, |name| collector.column(name).is_some());
                Ok(Source::Text(Records::new(&decoded, comma)))
            }
            Err(fault) => Err(fault),
        }
    };
    let mut records = match source {
        Ok(records) => records,
        Err(fault) => {
            collector.faults.put(fault);
            return None;
        }
    };
    let columns = match records.next() {
        Next::Record(header) => collector.columns(&header)?,
        Next::Broken { line, reason } => {
            collector.faults.add(line, None, FaultCode::BadQuotes, reason);
            return None;
        }
        Next::End => return Some(()),
    };
    let mut rows = 0;
    loop {
        let record = match records.next() {
            Next::Record(record) => record,
            Next::Broken { line, reason } => {
                collector.faults.add(line, None, FaultCode::BadQuotes, reason);
                continue;
            }
            Next::End => return Some(()),
        };
        rows += 1;
        if rows > limits.rows {
            collector.faults.add(record.line, None, FaultCode::TooLarge, too_many(limits.rows));
            return Some(());
        }
        if record.cells.len() == columns.len() {
            collector.take(&cells(&record, &columns));
        } else {
            let reason = uneven(record.cells.len(), columns.len());
            collector.faults.add(record.line, None, FaultCode::Ragged, reason);
        }
    }
}

fn cells<'r>(record: &'r Record<'_>, columns: &[Column]) -> Cells<'r> {
    let mut own: [&str; 6] = [""; 6];
    let mut answers = Vec::new();
    for (cell, column) in record.cells.iter().zip(columns) {
        let text = unguard(cell);
        match column {
            Column::Own(place) => {
                if let Some(own) = own.get_mut(*place) {
                    *own = text;
                }
            }
            Column::Question(place) if !text.is_empty() => answers.push((*place, text)),
            Column::Question(_) | Column::PassedOver => {}
        }
    }
    let [client_id, participant, facility, answered_on, outcome, form_number] = own;
    Cells { line: record.line, client_id, participant, facility, answered_on, outcome, form_number, answers }
}

impl Collector<'_> {
    fn column(&self, name: &str) -> Option<Column> {
        let own =
            self.names.all().into_iter().position(|own| own.eq_ignore_ascii_case(name)).map(Column::Own);
        let question = || self.asked.questions.iter().position(|question| question.code == name);
        let passed =
            || self.asked.pass_over.iter().any(|passed| passed == name).then_some(Column::PassedOver);
        own.or_else(|| question().map(Column::Question)).or_else(passed)
    }

    /// What each column of the header is; none when that cannot be said.
    fn columns(&mut self, header: &Record<'_>) -> Option<Vec<Column>> {
        let mut columns: Vec<Column> = Vec::with_capacity(header.cells.len());
        for (number, name) in (1..).zip(&header.cells) {
            let column = self.column(unguard(name));
            let twice = column.is_some_and(|found| found != Column::PassedOver && columns.contains(&found));
            let fault = match column {
                None => Some((FaultCode::UnknownHeader, unknown(number))),
                Some(_) if twice => Some((FaultCode::DuplicateHeader, repeated(number))),
                Some(_) => None,
            };
            if let Some((code, reason)) = fault {
                self.faults.add(header.line, None, code, reason);
            }
            columns.push(column.unwrap_or(Column::PassedOver));
        }
        for (place, name) in self.names.all().into_iter().enumerate() {
            let needed = place != FORM_NUMBER && (place != PARTICIPANT || self.asked.named);
            if needed && !columns.contains(&Column::Own(place)) {
                let reason = reason!("The column {name} is missing.", "Falta la columna {name}.");
                self.faults.add(header.line, Some(name), FaultCode::MissingHeader, reason);
            }
        }
        self.faults.is_empty().then_some(columns)
    }
}

fn unknown(number: u32) -> Reason {
    reason!(
        "Column {number} is none that the import knows, and no question of the round. Say --pass-over with its name to leave \
         it out.",
        "La columna {number} no es ninguna que la importación conozca, ni una pregunta de la ronda. Con --pass-over y su \
         nombre se deja fuera."
    )
}

fn repeated(number: u32) -> Reason {
    reason!("Column {number} is there twice.", "La columna {number} está dos veces.")
}

pub(super) fn too_many(most: usize) -> Reason {
    reason!(
        "The file has more than {most} responses; import it in parts.",
        "El archivo tiene más de {most} respuestas; impórtelo por partes."
    )
}
