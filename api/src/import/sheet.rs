//! Workbooks into records: a sheet of an XLSX file, by its name or the first that is not hidden.
//!
//! Cells are read one after the other and kept as the text that a CSV file would have. A line is the number of the row
//! that the spreadsheet shows.

use std::{borrow::Cow, io::Cursor};

use calamine::{DataRef, ExcelDateTime, Reader, SheetVisible, Xlsx};

use super::{
    Limits,
    fault::{Fault, FaultCode, Reason, reason},
    text::{Next, Record},
    unpack::{self, Refused},
};

/// Whether the bytes are a ZIP archive, as every XLSX file is. No text begins so.
pub(super) fn is_workbook(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// A workbook that unpacks to no more than may be.
pub(super) struct Book<'a>(Xlsx<Cursor<&'a [u8]>>);

/// The rows of a sheet, without those that are empty.
pub(super) struct SheetRecords {
    rows: std::vec::IntoIter<(u32, Vec<String>)>,
    width: usize,
}

impl<'a> Book<'a> {
    pub(super) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Fault> {
        if bytes.len() > limits.bytes {
            let most = limits.bytes / 1024 / 1024;
            let reason = reason!(
                "The file is larger than {most} MiB; import it in parts.",
                "El archivo pesa más de {most} MiB; impórtelo por partes."
            );
            return Err(fault(1, FaultCode::TooLarge, reason));
        }
        unpack::check(bytes, limits.unpacked).map_err(|refused| match refused {
            Refused::Unreadable => unreadable(),
            Refused::TooLarge(reason) => fault(1, FaultCode::TooLarge, reason),
        })?;
        Xlsx::new(Cursor::new(bytes)).map(Self).map_err(|_| unreadable())
    }

    /// Whether there is a sheet of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.sheets_metadata().iter().any(|sheet| sheet.name == name)
    }

    /// The rows of the first sheet that is not hidden.
    pub(super) fn first(&mut self, limits: &Limits) -> Result<SheetRecords, Fault> {
        let first = self.0.sheets_metadata().iter().find(|sheet| sheet.visible == SheetVisible::Visible);
        let name = first.map(|sheet| sheet.name.clone()).ok_or_else(unreadable)?;
        self.sheet(&name, limits)
    }

    /// The rows of the sheet of this name.
    pub(super) fn sheet(&mut self, name: &str, limits: &Limits) -> Result<SheetRecords, Fault> {
        let mut cells = self.0.worksheet_cells_reader(name).map_err(|_| unreadable())?;
        let mut rows: Vec<(u32, Vec<String>)> = Vec::new();
        let mut kept = 0;
        while let Some(cell) = cells.next_cell().map_err(|_| unreadable())? {
            let (row, column) = cell.get_position();
            let text = text(cell.get_value());
            if text.is_empty() {
                continue;
            }
            let line = row.saturating_add(1);
            kept += text.len();
            if column >= limits.columns || rows.len() > limits.rows + 2 || kept > limits.unpacked.cells {
                let reason = reason!(
                    "The sheet is larger than any that can be imported; import it in parts.",
                    "La hoja es más grande que cualquiera que se pueda importar; impórtela por partes."
                );
                return Err(fault(line, FaultCode::TooLarge, reason));
            }
            if rows.last().is_none_or(|(last, _)| *last != line) {
                rows.push((line, Vec::new()));
            }
            if let Some((_, cells)) = rows.last_mut() {
                let (column, before) = (column as usize, cells.len());
                cells.resize(before.max(column + 1), String::new());
                kept += (cells.len() - before) * size_of::<String>();
                cells[column] = text;
            }
        }
        // A spreadsheet keeps the cells of a row that are filled in, not those that could be.
        let width = rows.first().map_or(0, |(_, cells)| cells.len());
        Ok(SheetRecords { rows: rows.into_iter(), width })
    }
}

impl SheetRecords {
    pub(super) fn next(&mut self) -> Next<'static> {
        let Some((line, cells)) = self.rows.next() else { return Next::End };
        let mut cells: Vec<Cow<'static, str>> = cells.into_iter().map(Cow::Owned).collect();
        cells.resize(cells.len().max(self.width), Cow::Borrowed(""));
        Next::Record(Record { line, cells })
    }
}

fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        // Whole numbers come as floating point too, and are written without a point.
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.trim().to_owned()
        }
        DataRef::SharedString(text) => text.trim().to_owned(),
        DataRef::Bool(value) => value.to_string().to_ascii_uppercase(),
        DataRef::DateTime(moment) => day(moment),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// A day as we write it; with the time of day, when there is one.
fn day(moment: &ExcelDateTime) -> String {
    let number = || moment.as_f64().to_string();
    if moment.is_duration() {
        return number();
    }
    moment.as_datetime().map_or_else(number, |moment| {
        let midnight = moment.time() == chrono::NaiveTime::MIN;
        if midnight { moment.date().to_string() } else { moment.to_string() }
    })
}

fn unreadable() -> Fault {
    let reason = reason!(
        "The workbook cannot be read; save it as XLSX without a password, or as CSV.",
        "No se puede leer el libro; guárdelo como XLSX sin contraseña, o como CSV."
    );
    fault(1, FaultCode::BadWorkbook, reason)
}

fn fault(line: u32, code: FaultCode, reason: Reason) -> Fault {
    Fault { line, column: None, code, reason }
}
