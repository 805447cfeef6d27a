//! Reading files that people import: CSV or XLSX in, typed rows or a list of faults out.
//!
//! Nothing here reaches the database. [`read`] checks what a file can be checked for by itself,
//! [`resolve`] what needs the registry: whether codes are known, programs open, facilities among their
//! sites. Both look at every row and report every fault, so that a person corrects a file once.
//!
//! # Files
//!
//! A file is CSV or XLSX; of a workbook the first sheet that is not hidden is read, and dates may be dates there.
//! Text is UTF-8, with or without a byte order mark; Windows-1252 (often called Latin-1) must be asked for.
//! Cells are separated by commas, semicolons or tabs, whichever the header line uses, and may be quoted. The
//! first row names the columns, in any order, as [`headers`] lists them. A row of HXL tags right below is
//! accepted; where the name of a column is not one of ours, its tag decides. Dates are `YYYY-MM-DD`, numbers
//! are digits only, and lists in one cell are separated by `|`. Rows that are empty are skipped.
//!
//! ```text
//! distributions  key* facility* program* occurred_on* people_reached* reach_method* item kit kit_version
//!                quantity* line_people_reached status
//! facilities     slug* name* aliases country region* municipality kind*
//! programs       slug* name_es name_en original description_es description_en areas* techniques status
//!                starts_on* ends_on facilities
//! items          code* name_es name_en original unit* sensitivity*
//! kits           code* version* valid_from* name_es name_en original item* quantity*
//! receipts       form_number* place* occurred_on* source* donor item kit kit_version quantity* lot_number expires_on
//! movements      form_number* kind* occurred_on* place* to_place via transfer reason note item kit kit_version
//!                lot_number quantity* returned lost
//! ```
//!
//! Columns with a star are required; of the two names, one is. What [`crate::export`] writes comes back as it
//! went: columns that only tell, such as the moment of recording, are passed over, and an apostrophe that guards a
//! cell from being taken for a formula is taken off.
//!
//! The rows of a paper form of stock have its number in common, and what the form says as a whole. By its number an
//! arrival names its transfer.
//! A delivery with several lines has several rows with the same `key`, and a kit one row for each of its
//! items; what they share must be the same in each.

mod cells;
mod columns;
mod fault;
mod forms;
mod guard;
mod headers;
mod parse;
mod resolve;
mod responses;
mod rows;
mod sheet;
mod source;
mod text;
mod unpack;
mod xlsform;

pub use fault::{Fault, FaultCode, Faults, MAX_FAULTS, Reason};
pub(crate) use fault::{quoted, reason};
pub use guard::{guard, unguard};
pub use headers::{Header, example, headers, passed_over, template, template_rows};
pub use resolve::{
    GoodFound, KitFound, Lookup, ProgramFound, RegionFound, Resolved, ResolvedDistribution, ResolvedFacility,
    ResolvedKit, ResolvedLine, ResolvedProgram, resolve, resolve_into,
};
pub use responses::{Asked, Format, FoundResponse, Names, Renamed, read_responses, responses_template};
pub use rows::{
    DistributionLineRow, DistributionRow, FacilityRow, FormLineRow, FormRow, Happened, ItemRow, KitLineRow,
    KitRow, ProgramRow, Rows, Supplied, Table,
};
pub use text::{Encoding, MAX_BYTES};
pub use xlsform::{Form, QuestionPlace, read_form};

use columns::Columns;
use source::Source;
use text::{Next, Records};

/// The most rows that a file may have, header and tags aside: about as many as a sheet holds, so that what was
/// exported can be imported.
pub const MAX_ROWS: usize = 1_000_000;

/// What a file holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    Distributions,
    Facilities,
    Programs,
    Items,
    Kits,
    /// Goods that came in.
    Receipts,
    /// Goods that went elsewhere, were handed over, are gone, or were recorded wrongly.
    Movements,
}

impl Kind {
    pub const ALL: [Kind; 7] = [
        Kind::Distributions,
        Kind::Facilities,
        Kind::Programs,
        Kind::Items,
        Kind::Kits,
        Kind::Receipts,
        Kind::Movements,
    ];

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// As the command line spells it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Distributions => "distributions",
            Kind::Facilities => "facilities",
            Kind::Programs => "programs",
            Kind::Items => "items",
            Kind::Kits => "kits",
            Kind::Receipts => "receipts",
            Kind::Movements => "movements",
        }
    }
}

/// What is read at most, so that no file takes the machine with it.
struct Limits {
    bytes: usize,
    rows: usize,
    /// Of a workbook. The widest of our files has a fifth of them.
    columns: u32,
    unpacked: unpack::Unpacked,
}

const LIMITS: Limits = Limits { bytes: MAX_BYTES, rows: MAX_ROWS, columns: 100, unpacked: unpack::UNPACKED };

/// The rows of a file, or everything that is wrong with it, by line.
///
/// At most [`MAX_FAULTS`] faults are listed; a last one then says how many there are besides.
pub fn read(bytes: &[u8], kind: Kind, encoding: Encoding) -> Result<Table, Vec<Fault>> {
    read_within(bytes, kind, encoding, &LIMITS)
}

/// As [`read`], for more checks to come: the rows that have no fault, or none when the file is no table.
pub fn read_into(bytes: &[u8], kind: Kind, encoding: Encoding, faults: &mut Faults) -> Option<Table> {
    rows_within(bytes, kind, encoding, &LIMITS, faults)
}

fn read_within(bytes: &[u8], kind: Kind, encoding: Encoding, limits: &Limits) -> Result<Table, Vec<Fault>> {
    let mut faults = Faults::default();
    match rows_within(bytes, kind, encoding, limits, &mut faults) {
        Some(table) => faults.into_result(table),
        None => Err(faults.into_list()),
    }
}

fn rows_within(
    bytes: &[u8],
    kind: Kind,
    encoding: Encoding,
    limits: &Limits,
    faults: &mut Faults,
) -> Option<Table> {
    let text;
    let source = if sheet::is_workbook(bytes) {
        sheet::Book::open(bytes, limits).and_then(|mut book| book.first(limits)).map(Source::Sheet)
    } else {
        let known = |name: &str| columns::find(headers(kind), name).is_some();
        match text::decode(bytes, encoding, limits.bytes) {
            Ok(decoded) => {
                text = decoded;
                Ok(Source::Text(Records::new(&text, columns::delimiter(&text, known))))
            }
            Err(fault) => Err(fault),
        }
    };
    let mut records = match source {
        Ok(records) => records,
        Err(fault) => {
            faults.put(fault);
            return None;
        }
    };
    let (columns, mut pending) = Columns::read(&mut records, kind, faults)?;
    let mut parser = parse::Parser::new(kind);
    let mut rows = 0;
    loop {
        let record = match pending.take().unwrap_or_else(|| records.next()) {
            Next::Record(record) => record,
            Next::Broken { line, reason } => {
                rows += 1;
                faults.add(line, None, FaultCode::BadQuotes, reason);
                continue;
            }
            Next::End => break,
        };
        if record.cells.first().is_some_and(|cell| cell.starts_with(headers::EXAMPLE)) {
            continue;
        }
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
        if columns.fits(&record, faults) {
            parser.row(&columns.row(&record), faults);
        }
    }
    if rows == 0 {
        let reason =
            reason!("The file has a header but no rows.", "El archivo tiene encabezado, pero ninguna fila.");
        faults.add(1, None, FaultCode::Empty, reason);
    }
    let rows = parser.finish(faults);
    Some(Table { kind, rows })
}

#[cfg(test)]
mod tests;
