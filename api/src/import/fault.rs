//! What is wrong with a file.

use std::fmt;

use crate::store::input::{Message, UserErrorCode};

/// The most faults that are listed for one file.
pub const MAX_FAULTS: usize = 1000;

/// One thing that is wrong, where, and what to do about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// From 1; 1 also for what concerns the file as a whole.
    pub line: u32,
    /// The name of the column, as `headers` spells it or, for an unknown one, as the file does.
    pub column: Option<String>,
    pub code: FaultCode,
    pub reason: Reason,
}

/// What is wrong, in plain words of both languages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reason {
    pub en: String,
    pub es: String,
}

/// A [`Reason`] from two formats.
macro_rules! reason {
    ($en:literal, $es:literal) => {
        $crate::import::Reason { en: format!($en), es: format!($es) }
    };
}
pub(crate) use reason;

impl Fault {
    /// The fault as a report in Spanish shows it.
    pub fn in_spanish(&self) -> String {
        self.with("línea", &self.reason.es)
    }

    fn with(&self, line: &str, reason: &str) -> String {
        match &self.column {
            Some(column) => format!("{line} {}, {column}: {reason}", self.line),
            None => format!("{line} {}: {reason}", self.line),
        }
    }
}

/// The fault as a report in English shows it.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with("line", &self.reason.en))
    }
}

/// The kind of a fault, for tools.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum FaultCode {
    TooLarge,
    BadEncoding,
    /// It is no XLSX that can be read.
    BadWorkbook,
    Empty,
    BadQuotes,
    Ragged,
    UnknownHeader,
    MissingHeader,
    DuplicateHeader,
    MissingValue,
    BadText,
    BadCode,
    BadNumber,
    OutOfRange,
    BadDate,
    BadChoice,
    ItemOrKit,
    Duplicate,
    Disagrees,
    NotFound,
    ProgramClosed,
    NotASite,
    OutsideDates,
    /// There is not that much, on that day or a later one.
    InsufficientStock,
    /// It could no longer be used on that day.
    Expired,
    /// It does not go together with the rest.
    Invalid,
    /// It is a question, a condition or a bound that no instrument holds.
    Unsupported,
    /// What is there already is not the same.
    Conflict,
    /// More faults than are listed.
    More,
}

impl FaultCode {
    pub fn name(self) -> &'static str {
        match self {
            FaultCode::TooLarge => "TOO_LARGE",
            FaultCode::BadEncoding => "BAD_ENCODING",
            FaultCode::BadWorkbook => "BAD_WORKBOOK",
            FaultCode::Empty => "EMPTY",
            FaultCode::BadQuotes => "BAD_QUOTES",
            FaultCode::Ragged => "RAGGED",
            FaultCode::UnknownHeader => "UNKNOWN_HEADER",
            FaultCode::MissingHeader => "MISSING_HEADER",
            FaultCode::DuplicateHeader => "DUPLICATE_HEADER",
            FaultCode::MissingValue => "MISSING_VALUE",
            FaultCode::BadText => "BAD_TEXT",
            FaultCode::BadCode => "BAD_CODE",
            FaultCode::BadNumber => "BAD_NUMBER",
            FaultCode::OutOfRange => "OUT_OF_RANGE",
            FaultCode::BadDate => "BAD_DATE",
            FaultCode::BadChoice => "BAD_CHOICE",
            FaultCode::ItemOrKit => "ITEM_OR_KIT",
            FaultCode::Duplicate => "DUPLICATE",
            FaultCode::Disagrees => "DISAGREES",
            FaultCode::NotFound => "NOT_FOUND",
            FaultCode::ProgramClosed => "PROGRAM_CLOSED",
            FaultCode::NotASite => "NOT_A_SITE",
            FaultCode::OutsideDates => "OUTSIDE_DATES",
            FaultCode::InsufficientStock => "INSUFFICIENT_STOCK",
            FaultCode::Expired => "EXPIRED",
            FaultCode::Invalid => "INVALID",
            FaultCode::Unsupported => "UNSUPPORTED",
            FaultCode::Conflict => "CONFLICT",
            FaultCode::More => "MORE",
        }
    }
}

impl From<UserErrorCode> for FaultCode {
    fn from(code: UserErrorCode) -> Self {
        match code {
            // No row of a file is let in, tried again by itself, or released.
            UserErrorCode::Invalid
            | UserErrorCode::NotPermitted
            | UserErrorCode::NotAccepted
            | UserErrorCode::TooManyTries
            | UserErrorCode::PeriodLocked => Self::Invalid,
            UserErrorCode::NotFound => Self::NotFound,
            UserErrorCode::Conflict => Self::Conflict,
            UserErrorCode::Duplicate => Self::Duplicate,
            UserErrorCode::OutOfRange => Self::OutOfRange,
            UserErrorCode::InsufficientStock => Self::InsufficientStock,
            UserErrorCode::Expired => Self::Expired,
        }
    }
}

impl From<Message> for Reason {
    fn from(message: Message) -> Self {
        Self { en: message.en.to_owned(), es: message.es.to_owned() }
    }
}

/// Faults as they are found.
#[derive(Default)]
pub struct Faults {
    list: Vec<Fault>,
    more: usize,
}

impl Faults {
    pub(crate) fn add(&mut self, line: u32, column: Option<&str>, code: FaultCode, reason: Reason) {
        self.put(Fault { line, column: column.map(str::to_owned), code, reason });
    }

    pub(crate) fn put(&mut self, fault: Fault) {
        if self.list.len() < MAX_FAULTS {
            self.list.push(fault);
        } else {
            self.more += 1;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are so far.
    pub(crate) fn len(&self) -> usize {
        self.list.len() + self.more
    }

    pub(crate) fn into_result<T>(self, found: T) -> Result<T, Vec<Fault>> {
        if self.is_empty() { Ok(found) } else { Err(self.into_list()) }
    }

    /// In the order of lines; a last one says how many are not listed.
    pub fn into_list(mut self) -> Vec<Fault> {
        self.list.sort_by_key(|fault| fault.line);
        if self.more > 0 {
            let line = self.list.last().map_or(1, |fault| fault.line);
            let more = self.more;
            let reason =
                reason!("{more} more faults are not listed.", "Hay {more} errores más, que no se listan.");
            self.list.push(Fault { line, column: None, code: FaultCode::More, reason });
        }
        self.list
    }
}

/// A cell's text as a reason quotes it: short, and on one line.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("\u{201C}{shown}\u{201D}")
}
