//! Bytes into text, and text into records.
//!
//! The reader of records is our own because it must refuse what a lenient one repairs in silence: a quote
//! that is never closed swallows the rest of a file, and the rows in it.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

use super::fault::{Fault, FaultCode, Reason, reason};

/// The most bytes that a file may have.
pub const MAX_BYTES: usize = 256 * 1024 * 1024;

/// How a file's text is encoded.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Encoding {
    #[default]
    Utf8,
    /// Windows-1252, which is what programs mean by Latin-1.
    Latin1,
}

/// The text of a file, without its byte order mark.
pub(super) fn decode(bytes: &[u8], encoding: Encoding, limit: usize) -> Result<Cow<'_, str>, Fault> {
    if bytes.len() > limit {
        let most = limit / 1024 / 1024;
        let reason = reason!(
            "The file is larger than {most} MiB; import it in parts.",
            "El archivo pesa más de {most} MiB; impórtelo por partes."
        );
        return Err(fault(1, FaultCode::TooLarge, reason));
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        let reason = reason!(
            "The file is UTF-16; save it as UTF-8.",
            "El archivo está en UTF-16; guárdelo como UTF-8."
        );
        return Err(fault(1, FaultCode::BadEncoding, reason));
    }
    if let Some(place) = bytes.iter().position(|&byte| byte == 0) {
        let reason = reason!(
            "There is a zero byte here: this is no text, or UTF-16; save it as UTF-8.",
            "Aquí hay un byte cero: no es texto, o es UTF-16; guárdelo como UTF-8."
        );
        return Err(fault(line_at(bytes, place), FaultCode::BadEncoding, reason));
    }
    let marked = bytes.strip_prefix(b"\xEF\xBB\xBF");
    // A mark is proof enough of UTF-8, whatever was asked for.
    if encoding == Encoding::Latin1 && marked.is_none() {
        return Ok(WINDOWS_1252.decode_without_bom_handling(bytes).0);
    }
    let bytes = marked.unwrap_or(bytes);
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|cause| {
        let reason = reason!(
            "The text is not UTF-8 from here on; save it as UTF-8, or say --encoding latin1.",
            "Desde aquí el texto no es UTF-8; guárdelo como UTF-8 o indique --encoding latin1."
        );
        fault(line_at(bytes, cause.valid_up_to()), FaultCode::BadEncoding, reason)
    })
}

fn fault(line: u32, code: FaultCode, reason: Reason) -> Fault {
    Fault { line, column: None, code, reason }
}

/// The number of the line that a byte is on.
fn line_at(bytes: &[u8], place: usize) -> u32 {
    1 + bytes[..place].iter().filter(|&&byte| byte == b'\n').count() as u32
}

/// One row: its cells without quotes and outer spaces.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// Where it begins; a quoted cell can go on over several lines.
    pub line: u32,
    pub cells: Vec<Cow<'a, str>>,
}

/// What comes next in a file.
pub(super) enum Next<'a> {
    Record(Record<'a>),
    /// A row that cannot be taken apart.
    Broken {
        line: u32,
        reason: Reason,
    },
    End,
}

/// The rows of a text; those without any text are left out.
pub(super) struct Records<'a> {
    text: &'a str,
    place: usize,
    line: u32,
    delimiter: u8,
}

impl<'a> Records<'a> {
    pub(super) fn new(text: &'a str, delimiter: u8) -> Self {
        Records { text, place: 0, line: 1, delimiter }
    }

    pub(super) fn next(&mut self) -> Next<'a> {
        while self.place < self.text.len() {
            let line = self.line;
            match self.record() {
                Ok(cells) if cells.iter().all(|cell| cell.is_empty()) => {}
                Ok(cells) => return Next::Record(Record { line, cells }),
                Err(reason) => return Next::Broken { line, reason },
            }
        }
        Next::End
    }

    fn record(&mut self) -> Result<Vec<Cow<'a, str>>, Reason> {
        let mut cells = Vec::new();
        loop {
            let cell = if self.byte() == Some(b'"') { self.quoted_cell() } else { self.plain_cell() };
            match cell {
                Ok(cell) => cells.push(cell),
                Err(reason) => {
                    self.skip_line();
                    return Err(reason);
                }
            }
            if self.byte() != Some(self.delimiter) {
                self.end_line();
                return Ok(cells);
            }
            self.place += 1;
        }
    }

    fn plain_cell(&mut self) -> Result<Cow<'a, str>, Reason> {
        let start = self.place;
        while self.byte().is_some_and(|byte| byte != self.delimiter && !is_line_end(byte)) {
            if self.byte() == Some(b'"') {
                return Err(reason!(
                    "There is a quotation mark inside a cell that does not begin with one.",
                    "Hay unas comillas dentro de una celda que no empieza con comillas."
                ));
            }
            self.place += 1;
        }
        Ok(Cow::Borrowed(self.text[start..self.place].trim()))
    }

    fn quoted_cell(&mut self) -> Result<Cow<'a, str>, Reason> {
        self.place += 1;
        let start = self.place;
        let mut doubled = false;
        loop {
            match self.byte() {
                None => {
                    return Err(reason!(
                        "A quotation mark is opened in this row and never closed.",
                        "En esta fila se abren unas comillas que nunca se cierran."
                    ));
                }
                Some(b'"') if self.text.as_bytes().get(self.place + 1) == Some(&b'"') => {
                    doubled = true;
                    self.place += 2;
                }
                Some(b'"') => break,
                Some(byte) => {
                    self.line += u32::from(byte == b'\n');
                    self.place += 1;
                }
            }
        }
        let cell = self.text[start..self.place].trim();
        self.place += 1;
        if self.byte().is_some_and(|byte| byte != self.delimiter && !is_line_end(byte)) {
            return Err(reason!(
                "There is text after a closing quotation mark; double the marks inside a cell.",
                "Hay texto después de cerrar las comillas; dentro de una celda van dobles."
            ));
        }
        Ok(if doubled { Cow::Owned(cell.replace("\"\"", "\"")) } else { Cow::Borrowed(cell) })
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.place).copied()
    }

    fn skip_line(&mut self) {
        while self.byte().is_some_and(|byte| !is_line_end(byte)) {
            self.place += 1;
        }
        self.end_line();
    }

    fn end_line(&mut self) {
        let ends_double =
            self.byte() == Some(b'\r') && self.text.as_bytes().get(self.place + 1) == Some(&b'\n');
        self.place += if ends_double { 2 } else { 1 };
        self.line += 1;
    }
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}
