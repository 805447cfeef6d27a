//! Writing files that people take away: typed cells in, CSV, JSON lines or XLSX out.
//!
//! Nothing here reaches the database or decides who sees what: rows come from the doors of `store`, and the columns
//! are those that `umbral import` reads, so that a file comes back as it went. Below the names of the columns stands
//! a row of HXL tags.

mod delivery;
mod registry;
mod text;
mod xlsx;

use std::borrow::Cow;

pub use delivery::{columns, rows};
pub use registry::registry;
pub use text::{head, write};
pub use xlsx::{MOST_ROWS, TooManyRows, Workbook};

/// The form of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// UTF-8, with commas; cells that could be taken for formulas begin with an apostrophe.
    Csv,
    /// A JSON object for each row, with the columns as keys and no HXL.
    JsonLines,
    Xlsx,
}

impl Format {
    /// As an address spells it, and the end of the file's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
            Self::Xlsx => "xlsx",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Csv, Self::JsonLines, Self::Xlsx].into_iter().find(|format| format.name() == name)
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::JsonLines => "application/jsonl; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// What stands in a row under a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    Empty,
    Text(Cow<'a, str>),
    Number(i64),
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i32> for Cell<'_> {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}
