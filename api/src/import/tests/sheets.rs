//! Workbooks.

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet};

use super::*;

/// A workbook whose second sheet, behind a hidden one, has these names of columns and what `fill` adds.
fn book(names: &[&str], fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut book = Workbook::new();
    book.add_worksheet().set_hidden(true).write(0, 0, "hidden").unwrap();
    let sheet = book.add_worksheet().set_active(true);
    for (place, name) in (0..).zip(names) {
        sheet.write(0, place, *name).unwrap();
    }
    fill(sheet);
    book.save_to_buffer().unwrap()
}

const NAMES: [&str; 9] = [
    "key",
    "facility",
    "program",
    "occurred_on",
    "people_reached",
    "reach_method",
    "quantity",
    "item",
    "kit",
];

fn rows(bytes: &[u8]) -> Result<Vec<DistributionRow>, Vec<Fault>> {
    match read(bytes, Kind::Distributions, Encoding::Utf8)?.rows {
        Rows::Distributions(rows) => Ok(rows),
        other => panic!("{other:?}"),
    }
}

fn delivery(sheet: &mut Worksheet, row: u32, people: f64) {
    let date = Format::new().set_num_format("dd/mm/yyyy");
    let day = ExcelDateTime::from_ymd(2026, 3, 8).unwrap();
    sheet.write(row, 0, 12).unwrap();
    sheet.write(row, 1, " neza ").unwrap();
    sheet.write(row, 2, "supplies").unwrap();
    sheet.write_with_format(row, 3, &day, &date).unwrap();
    sheet.write(row, 4, people).unwrap();
    sheet.write(row, 5, "counted").unwrap();
    sheet.write(row, 6, 20).unwrap();
    sheet.write(row, 7, "'=SOAP").unwrap();
}

#[test]
fn a_sheet_is_read_as_a_text_is() {
    // The last cell of the row is empty, and so is the row before it.
    let found = rows(&book(&NAMES, |sheet| delivery(sheet, 2, 20.0))).unwrap();
    let row = &found[0];
    assert_eq!((row.line, row.key.as_str(), row.facility.as_str()), (3, "12", "neza"));
    assert_eq!((row.occurred_on.to_string().as_str(), row.people_reached), ("2026-03-08", 20));
    assert_eq!(row.lines[0].supplied, Supplied::Item("=SOAP".into()));
}

#[test]
fn faults_are_at_the_rows_that_the_spreadsheet_shows() {
    let half = book(&NAMES, |sheet| {
        delivery(sheet, 4, 20.5);
        sheet.write(6, 0, "alone").unwrap();
        sheet.write(7, 12, "beyond").unwrap();
    });
    let found = faults(rows(&half));
    assert_eq!(found[0], (5, "people_reached".into(), "BAD_NUMBER"));
    assert!(
        found[1..]
            .iter()
            .any(|(line, column, code)| (*line, column.as_str(), *code) == (7, "facility", "MISSING_VALUE"))
    );
    assert_eq!(found.last().unwrap(), &(8, String::new(), "RAGGED"));
    let time = book(&NAMES, |sheet| {
        delivery(sheet, 1, 20.0);
        let date = Format::new().set_num_format("dd/mm/yyyy hh:mm");
        let noon = ExcelDateTime::from_ymd(2026, 3, 8).unwrap().and_hms(12, 0, 0).unwrap();
        sheet.write_with_format(1, 3, &noon, &date).unwrap();
    });
    assert_eq!(faults(rows(&time)), at(&[(2, "occurred_on", "BAD_DATE")]));
}

#[test]
fn what_is_no_workbook_is_refused() {
    assert_eq!(faults(rows(b"PK\x03\x04 and nothing more")), at(&[(1, "", "BAD_WORKBOOK")]));
    let whole = book(&NAMES, |sheet| delivery(sheet, 1, 20.0));
    for length in [whole.len() / 4, whole.len() / 2, whole.len() - 1] {
        assert_eq!(faults(rows(&whole[..length])), at(&[(1, "", "BAD_WORKBOOK")]), "{length}");
    }
    assert_eq!(faults(rows(&book(&[], |_| {}))), at(&[(1, "", "EMPTY")]));
    assert_eq!(faults(rows(&book(&NAMES, |_| {}))), at(&[(1, "", "EMPTY")]));
    let wide = book(&NAMES, |sheet| {
        sheet.write(1, 16_383, "x").unwrap();
    });
    assert_eq!(faults(rows(&wide)), at(&[(2, "", "TOO_LARGE")]));
}
