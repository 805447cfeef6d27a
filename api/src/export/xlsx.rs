//! XLSX, written to files that have no name: what a worksheet holds is never in memory as a whole.

use std::{
    fs::File,
    io::{Seek, SeekFrom},
    path::Path,
};

use chrono::{DateTime, Utc};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, XlsxError};

use super::Cell;
use crate::{
    error::{Error, Result},
    import::{Header, guard},
};

/// The most rows that a sheet may have, header and tags aside.
pub const MOST_ROWS: u32 = 1_048_576 - HEAD;

/// Names and tags.
const HEAD: u32 = 2;

/// The sheet is full.
#[derive(Debug)]
pub struct TooManyRows;

/// A workbook of one sheet, which is written row by row.
pub struct Workbook {
    book: rust_xlsxwriter::Workbook,
    rows: u32,
}

impl Workbook {
    /// An empty sheet with its names and tags. Files without a name are made in `folder`; they go when the workbook
    /// does, or the process.
    ///
    /// # Errors
    /// When no file can be made there.
    pub fn new(folder: &Path, columns: &[Header], now: DateTime<Utc>) -> Result<Self> {
        let mut book = rust_xlsxwriter::Workbook::new();
        book.set_tempdir(folder).map_err(fault)?;
        // The library would ask the machine's clock.
        let made = ExcelDateTime::from_timestamp(now.timestamp()).map_err(fault)?;
        book.set_properties(&DocProperties::new().set_creation_datetime(&made));
        let sheet = book.add_worksheet_with_constant_memory().map_err(fault)?;
        sheet.set_freeze_panes(HEAD, 0).map_err(fault)?;
        for (place, column) in (0..).zip(columns) {
            sheet.write_string(0, place, column.name).map_err(fault)?;
        }
        for (place, column) in (0..).zip(columns) {
            sheet.write_string(1, place, column.hxl).map_err(fault)?;
        }
        Ok(Self { book, rows: HEAD })
    }

    /// A whole workbook of a few rows, as bytes.
    ///
    /// # Errors
    /// When it cannot be put together.
    pub fn small(folder: &Path, columns: &[Header], now: DateTime<Utc>, row: &[String]) -> Result<Vec<u8>> {
        let mut book = Self::new(folder, columns, now)?;
        let cells = row.iter().map(|cell| Cell::from(cell.as_str())).collect();
        if book.write(&[cells])?.is_err() {
            return Err(Error::Internal("a sheet is full at once".into()));
        }
        book.book.save_to_buffer().map_err(fault)
    }

    /// Adds rows. A text is never a formula here; it is guarded all the same, since the next program may save the
    /// sheet as CSV.
    ///
    /// # Errors
    /// When the sheet is full, or the disk.
    pub fn write(&mut self, rows: &[Vec<Cell<'_>>]) -> Result<Result<(), TooManyRows>> {
        let sheet = self.book.worksheet_from_index(0).map_err(fault)?;
        for row in rows {
            if self.rows >= HEAD + MOST_ROWS {
                return Ok(Err(TooManyRows));
            }
            for (place, cell) in (0..).zip(row) {
                match cell {
                    Cell::Empty => continue,
                    Cell::Text(text) => sheet.write_string(self.rows, place, guard(text)),
                    // No count of ours is beyond what a double holds exactly.
                    Cell::Number(number) => sheet.write_number(self.rows, place, *number as f64),
                }
                .map_err(fault)?;
            }
            self.rows += 1;
        }
        Ok(Ok(()))
    }

    /// The file, at its beginning. It has no name and goes when it is closed. Takes a while.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn finish(mut self, folder: &Path) -> Result<File> {
        let unwritable = |_| Error::Internal("a temporary file cannot be written".into());
        let mut file = tempfile::tempfile_in(folder).map_err(unwritable)?;
        self.book.save_to_writer(&mut file).map_err(fault)?;
        file.seek(SeekFrom::Start(0)).map_err(unwritable)?;
        Ok(file)
    }
}

/// The text of such an error may quote a cell.
fn fault(_: XlsxError) -> Error {
    Error::Internal("a workbook cannot be written".into())
}
