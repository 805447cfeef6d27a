//! Workbooks.

use std::io::{Cursor, Read, Write};

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{unpack::Unpacked, *};

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

/// The workbook with one part changed.
fn with_part(book: &[u8], changed: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    let mut from = ZipArchive::new(Cursor::new(book)).unwrap();
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    for place in 0..from.len() {
        let mut part = from.by_index(place).unwrap();
        let mut text = String::new();
        part.read_to_string(&mut text).unwrap();
        let name = part.name().unwrap().into_owned();
        to.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        let text = if name == changed { change(text) } else { text };
        to.write_all(text.as_bytes()).unwrap();
    }
    to.finish().unwrap().into_inner()
}

const TEXTS: &str = "xl/sharedStrings.xml";
const SHEET: &str = "xl/worksheets/sheet2.xml";

fn too_large(bytes: &[u8], limits: &Limits) -> bool {
    let found = read_within(bytes, Kind::Distributions, Encoding::Utf8, limits);
    let faults = found.err().unwrap_or_default();
    faults.iter().any(|fault| fault.code == FaultCode::TooLarge)
}

#[test]
fn a_small_file_that_unpacks_to_a_large_one_is_refused() {
    let whole = book(&NAMES, |sheet| delivery(sheet, 1, 20.0));
    let blank = |bytes: usize| move |text: String| format!("{text}{}", " ".repeat(bytes));
    // What Excel writes of a sheet of which somebody has filled the last cell and emptied it again.
    let wide = |text: String| {
        let (before, after) = text.split_once("<dimension ref=\"").unwrap();
        let (_, after) = after.split_once('"').unwrap();
        format!("{before}<dimension ref=\"A1:XFD1048576\"{after}")
    };
    assert_eq!(rows(&with_part(&whole, SHEET, wide)).unwrap().len(), 1);

    let small = Unpacked { sheet: 40_000, texts: 20_000, other: 30_000, ..unpack::UNPACKED };
    let limits = Limits { unpacked: small, ..LIMITS };
    assert!(!too_large(&whole, &limits));
    for (part, room, bytes) in
        [(SHEET, 10_000, 40_000), (TEXTS, 10_000, 20_000), ("xl/styles.xml", 10_000, 30_000)]
    {
        assert!(!too_large(&with_part(&whole, part, blank(room)), &limits), "{part}");
        let bomb = with_part(&whole, part, blank(bytes));
        assert!(bomb.len() < 20_000 && too_large(&bomb, &limits), "{part}");
    }
    // Together more than a sheet may be.
    let bomb = with_part(&whole, SHEET, blank(18_000));
    let bomb = with_part(&bomb, "xl/styles.xml", blank(18_000));
    assert!(too_large(&bomb, &limits));

    // A file that lies about a part: both times that its size stands there.
    let room = format!("{}<si>", " ".repeat(77_777));
    let mut lying = with_part(&whole, TEXTS, |text| text.replacen("<si>", &room, 1));
    assert_eq!(rows(&lying).unwrap().len(), 1);
    let size = ZipArchive::new(Cursor::new(&lying)).unwrap().by_name(TEXTS).unwrap().size();
    let (true_size, lie) = ((size as u32).to_le_bytes(), 500_u32.to_le_bytes());
    let places = lying.windows(4).enumerate().filter(|(_, bytes)| *bytes == true_size);
    let places: Vec<usize> = places.map(|(place, _)| place).collect();
    assert_eq!(places.len(), 2);
    for place in places {
        lying[place..place + 4].copy_from_slice(&lie);
    }
    let found = read_within(&lying, Kind::Distributions, Encoding::Utf8, &limits);
    assert_eq!(faults(found), at(&[(1, "", "BAD_WORKBOOK")]));

    // The machine would be asked for that much at once.
    let said = |count: &'static str| {
        move |text: String| {
            let (before, after) = text.split_once("uniqueCount=\"").unwrap();
            let (_, after) = after.split_once('"').unwrap();
            format!("{before}uniqueCount=\"{count}\"{after}")
        }
    };
    assert_eq!(rows(&with_part(&whole, TEXTS, said("1000"))).unwrap().len(), 1);
    for count in ["99999999999", "9999999999999999999"] {
        assert!(too_large(&with_part(&whole, TEXTS, said(count)), &LIMITS), "{count}");
    }
}

#[test]
fn many_cells_with_one_long_text_are_refused() {
    let many = book(&NAMES, |sheet| {
        for row in 1..50 {
            delivery(sheet, row, 20.0);
            sheet.write(row, 1, "x".repeat(30_000)).unwrap();
        }
    });
    let limits = |cells| Limits { unpacked: Unpacked { cells, ..unpack::UNPACKED }, ..LIMITS };
    assert!(many.len() < 20_000);
    assert!(too_large(&many, &limits(1_000_000)));
    assert!(!too_large(&many, &limits(2_000_000)));
}
