//! Where records come from: a text or a sheet.

use super::{
    sheet::SheetRecords,
    text::{Next, Records},
};

pub(super) enum Source<'a> {
    Text(Records<'a>),
    Sheet(SheetRecords),
}

impl<'a> Source<'a> {
    pub(super) fn next(&mut self) -> Next<'a> {
        match self {
            Self::Text(records) => records.next(),
            Self::Sheet(records) => records.next(),
        }
    }
}
