//! Reading files that people import: CSV in, typed rows or a list of faults out.
//!
//! Nothing here reaches the database. [`read`] checks what a file can be checked for by itself,
//! [`resolve`] what needs the registry: whether codes are known, programs open, facilities among their
//! sites. Both look at every row and report every fault, so that a person corrects a file once.
//!
//! # Files
//!
//! Text is UTF-8, with or without a byte order mark; Windows-1252 (often called Latin-1) must be asked for.
//! Cells are separated by commas, semicolons or tabs, whichever the header line uses, and may be quoted. The
//! first row names the columns, in any order, as [`headers`] lists them. A row of HXL tags right below is
//! accepted; where the name of a column is not one of ours, its tag decides. Dates are `YYYY-MM-DD`, numbers
//! are digits only, and lists in one cell are separated by `|`. Rows that are empty are skipped.
//!
//! ```text
//! distributions  key* facility* program* occurred_on* people_reached* reach_method* item kit kit_version
//!                quantity* line_people_reached
//! facilities     slug* name* aliases country region* municipality kind*
//! programs       slug* name_es name_en original description_es description_en areas* techniques status
//!                starts_on* ends_on facilities
//! items          code* name_es name_en original unit* sensitivity*
//! kits           code* version* valid_from* name_es name_en original item* quantity*
//! ```
//!
//! Columns with a star are required; of the two names, one is.
//!
//! A delivery with several lines has several rows with the same `key`, and a kit one row for each of its
//! items; what they share must be the same in each.

mod cells;
mod columns;
mod fault;
mod headers;
mod parse;
mod resolve;
mod rows;
mod text;

pub use fault::{Fault, FaultCode, MAX_FAULTS, Reason};
pub use headers::{Header, headers, template};
pub use resolve::{
    GoodFound, KitFound, Lookup, ProgramFound, RegionFound, Resolved, ResolvedDistribution, ResolvedFacility,
    ResolvedKit, ResolvedLine, ResolvedProgram, resolve,
};
pub use rows::{
    DistributionLineRow, DistributionRow, FacilityRow, ItemRow, KitLineRow, KitRow, ProgramRow, Rows,
    Supplied, Table,
};
pub use text::{Encoding, MAX_BYTES};

use columns::Columns;
use fault::{Faults, reason};
use text::{Next, Records};

/// The most rows that a file may have, header and tags aside.
pub const MAX_ROWS: usize = 500_000;

/// What a file holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    Distributions,
    Facilities,
    Programs,
    Items,
    Kits,
}

impl Kind {
    pub const ALL: [Kind; 5] =
        [Kind::Distributions, Kind::Facilities, Kind::Programs, Kind::Items, Kind::Kits];

    /// As the command line spells it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Distributions => "distributions",
            Kind::Facilities => "facilities",
            Kind::Programs => "programs",
            Kind::Items => "items",
            Kind::Kits => "kits",
        }
    }
}

/// What is read at most, so that no file takes the machine with it.
struct Limits {
    bytes: usize,
    rows: usize,
}

/// The rows of a file, or everything that is wrong with it, by line.
///
/// At most [`MAX_FAULTS`] faults are listed; a last one then says how many there are besides.
pub fn read(bytes: &[u8], kind: Kind, encoding: Encoding) -> Result<Table, Vec<Fault>> {
    read_within(bytes, kind, encoding, &Limits { bytes: MAX_BYTES, rows: MAX_ROWS })
}

fn read_within(bytes: &[u8], kind: Kind, encoding: Encoding, limits: &Limits) -> Result<Table, Vec<Fault>> {
    let text = text::decode(bytes, encoding, limits.bytes).map_err(|fault| vec![fault])?;
    let mut faults = Faults::default();
    let delimiter = columns::delimiter(&text, kind);
    let mut records = Records::new(&text, delimiter);
    let Some((columns, mut pending)) = Columns::read(&mut records, kind, &mut faults) else {
        return Err(faults.into_list());
    };
    let mut parser = parse::Parser::new(kind);
    let mut rows = 0;
    loop {
        let record = match pending.take().map_or_else(|| records.next(), Next::Record) {
            Next::Record(record) => record,
            Next::Broken { line, reason } => {
                rows += 1;
                faults.add(line, None, FaultCode::BadQuotes, reason);
                continue;
            }
            Next::End => break,
        };
        rows += 1;
        if rows > limits.rows {
            let most = limits.rows;
            let reason = reason!(
                "The file has more than {most} rows; import it in parts.",
                "El archivo tiene más de {most} filas; impórtelo por partes."
            );
            faults.add(record.line, None, FaultCode::TooLarge, reason);
            break;
        }
        if columns.fits(&record, &mut faults) {
            parser.row(&columns.row(&record), &mut faults);
        }
    }
    if rows == 0 {
        let reason =
            reason!("The file has a header but no rows.", "El archivo tiene encabezado, pero ninguna fila.");
        faults.add(1, None, FaultCode::Empty, reason);
    }
    let rows = parser.finish(&mut faults);
    faults.into_result(Table { kind, rows })
}

#[cfg(test)]
mod tests;
