//! CSV and JSON lines.

use super::{Cell, Format};
use crate::{
    error::{Error, Result},
    graphql::render::write_str,
    import::{Header, guard},
};

/// What stands above the rows: names and tags in CSV, nothing in JSON lines.
///
/// # Errors
/// When the names cannot be written, which does not happen to those that we have.
pub fn head(format: Format, columns: &[Header]) -> Result<Vec<u8>> {
    let names: Vec<Cell<'_>> = columns.iter().map(|column| column.name.into()).collect();
    let tags: Vec<Cell<'_>> = columns.iter().map(|column| column.hxl.into()).collect();
    match format {
        Format::Csv => write(format, columns, &[names, tags]),
        Format::JsonLines | Format::Xlsx => Ok(Vec::new()),
    }
}

/// Rows as text.
///
/// # Errors
/// As [`head`].
pub fn write(format: Format, columns: &[Header], rows: &[Vec<Cell<'_>>]) -> Result<Vec<u8>> {
    if format == Format::JsonLines {
        let mut out = Vec::with_capacity(rows.len() * 256);
        for row in rows {
            json_line(&mut out, columns, row);
        }
        return Ok(out);
    }
    let unwritable = |_| Error::Internal("a row cannot be written as CSV".into());
    let mut writer = csv::Writer::from_writer(Vec::with_capacity(rows.len() * 128));
    for row in rows {
        for cell in row {
            match cell {
                Cell::Empty => writer.write_field(""),
                Cell::Text(text) => writer.write_field(guard(text).as_ref()),
                Cell::Number(number) => writer.write_field(number.to_string()),
            }
            .map_err(unwritable)?;
        }
        writer.write_record(None::<&[u8]>).map_err(unwritable)?;
    }
    writer.into_inner().map_err(|_| Error::Internal("CSV cannot be written".into()))
}

fn json_line(out: &mut Vec<u8>, columns: &[Header], row: &[Cell<'_>]) {
    out.push(b'{');
    for (place, (column, cell)) in columns.iter().zip(row).enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_str(out, column.name);
        out.push(b':');
        match cell {
            Cell::Empty => out.extend_from_slice(b"null"),
            Cell::Text(text) => write_str(out, text),
            Cell::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
        }
    }
    out.extend_from_slice(b"}\n");
}
