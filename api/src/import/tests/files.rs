//! Files as a whole: encodings, separators, quotes, headers and sizes.

use super::*;

const ITEMS: &str = "code,name_es,unit,sensitivity\nsoap,Jabón,piece,GENERAL\n";

fn items(bytes: &[u8], encoding: Encoding) -> Result<Vec<ItemRow>, Vec<Fault>> {
    match read(bytes, Kind::Items, encoding)?.rows {
        Rows::Items(rows) => Ok(rows),
        other => panic!("{other:?}"),
    }
}

fn name(rows: &[ItemRow]) -> &str {
    &rows[0].name.texts["es"].text
}

#[test]
fn an_empty_file_and_one_with_only_a_header_are_refused() {
    for empty in ["", "\n\n", "\u{FEFF}", " \r\n"] {
        assert_eq!(faults(items(empty.as_bytes(), Encoding::Utf8)), at(&[(1, "", "EMPTY")]), "{empty:?}");
    }
    for kind in Kind::ALL {
        let template = template(kind);
        let only_names = template.lines().next().unwrap();
        for text in [only_names, &template] {
            assert_eq!(faults(read(text.as_bytes(), kind, Encoding::Utf8)), at(&[(1, "", "EMPTY")]));
        }
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_header() {
    let marked = format!("\u{FEFF}{ITEMS}");
    for encoding in [Encoding::Utf8, Encoding::Latin1] {
        assert_eq!(name(&items(marked.as_bytes(), encoding).unwrap()), "Jabón");
    }
}

#[test]
fn latin_1_is_read_when_asked_for() {
    let bytes: Vec<u8> = ITEMS.chars().map(|c| c as u32 as u8).collect();
    assert_eq!(name(&items(&bytes, Encoding::Latin1).unwrap()), "Jabón");
    assert_eq!(faults(items(&bytes, Encoding::Utf8)), at(&[(2, "", "BAD_ENCODING")]));
}

#[test]
fn utf_16_and_zero_bytes_are_refused() {
    let little: Vec<u8> = "\u{FEFF}code".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = "\u{FEFF}code".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let unmarked: Vec<u8> = "code".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [little, big, unmarked] {
        for encoding in [Encoding::Utf8, Encoding::Latin1] {
            assert_eq!(faults(items(&bytes, encoding)), at(&[(1, "", "BAD_ENCODING")]));
        }
    }
    assert_eq!(faults(items(b"code\nso\0ap\n", Encoding::Utf8)), at(&[(2, "", "BAD_ENCODING")]));
}

#[test]
fn commas_semicolons_and_tabs_separate() {
    for delimiter in [",", ";", "\t"] {
        let text = ITEMS.replace(',', delimiter);
        assert_eq!(items(text.as_bytes(), Encoding::Utf8).unwrap().len(), 1, "{delimiter:?}");
    }
    let in_names = "code;name_es;unit;sensitivity\nsoap;\"Jabón, blanco; grande\";piece;GENERAL\n";
    assert_eq!(name(&items(in_names.as_bytes(), Encoding::Utf8).unwrap()), "Jabón, blanco; grande");
}

#[test]
fn quotes_are_taken_off_and_doubled_ones_halved() {
    let text = "\"code\",name_es,unit,sensitivity\r\nsoap,\" Jabón \"\"Azul\"\" \",\"piece\",\"GENERAL\"\r\n";
    assert_eq!(name(&items(text.as_bytes(), Encoding::Utf8).unwrap()), "Jabón \"Azul\"");
}

#[test]
fn broken_quotes_are_faults_and_the_rows_after_them_are_still_read() {
    let text =
        "code,name_es,unit,sensitivity\na,\"x\"y,piece,GENERAL\nb,5\" pads,piece,GENERAL\nc,z,piece,BAD\n";
    let expected = at(&[(2, "", "BAD_QUOTES"), (3, "", "BAD_QUOTES"), (4, "sensitivity", "BAD_CHOICE")]);
    assert_eq!(faults(items(text.as_bytes(), Encoding::Utf8)), expected);
    let open = "code,name_es,unit,sensitivity\na,x,piece,GENERAL\nb,\"y,piece,GENERAL\nc,z,piece,GENERAL\n";
    assert_eq!(faults(items(open.as_bytes(), Encoding::Utf8)), at(&[(3, "", "BAD_QUOTES")]));
    let header = "code,\"name_es,unit\na,b,c\n";
    assert_eq!(faults(items(header.as_bytes(), Encoding::Utf8)), at(&[(1, "", "BAD_QUOTES")]));
}

#[test]
fn a_fault_after_a_cell_of_several_lines_has_the_right_line() {
    let head = "slug,name_es,description_es,areas,starts_on\n";
    let text = format!("{head}aa,A,\"one\ntwo\r\nthree\",ADVOCACY,2020-01-01\nbb,B,x,ADVOCACY,never\n");
    let found = read(text.as_bytes(), Kind::Programs, Encoding::Utf8);
    assert_eq!(faults(found), at(&[(5, "starts_on", "BAD_DATE")]));
    let in_name = format!("{head}aa,\"A\nB\",x,ADVOCACY,2020-01-01\n");
    let found = read(in_name.as_bytes(), Kind::Programs, Encoding::Utf8);
    assert_eq!(faults(found), at(&[(2, "name_es", "BAD_TEXT")]));
}

#[test]
fn line_ends_of_any_kind_and_empty_rows_are_accepted() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ITEMS.replace('\n', &format!("{end},,,{end}{end}"));
        assert_eq!(items(text.as_bytes(), Encoding::Utf8).unwrap().len(), 1, "{end:?}");
    }
    assert_eq!(items(ITEMS.trim_end().as_bytes(), Encoding::Utf8).unwrap().len(), 1);
}

#[test]
fn headers_come_in_any_order_and_case() {
    let text = "Sensitivity,UNIT, name_es ,code\nGENERAL,piece,Jabón,soap\n";
    assert_eq!(items(text.as_bytes(), Encoding::Utf8).unwrap()[0].code, "soap");
}

#[test]
fn wrong_missing_and_doubled_headers_are_all_reported() {
    let text = "code,nombre,,unit,unit\nsoap,Jabón,,piece,piece\n";
    let expected = at(&[
        (1, "nombre", "UNKNOWN_HEADER"),
        (1, "", "UNKNOWN_HEADER"),
        (1, "unit", "DUPLICATE_HEADER"),
        (1, "sensitivity", "MISSING_HEADER"),
    ]);
    assert_eq!(faults(items(text.as_bytes(), Encoding::Utf8)), expected);
}

#[test]
fn ragged_rows_are_faults() {
    let text = format!("{ITEMS}a,b,c\nd,e,piece,GENERAL,x\nf,g,piece,GENERAL,\n");
    let expected = at(&[(3, "", "RAGGED"), (4, "", "RAGGED"), (5, "", "RAGGED")]);
    assert_eq!(faults(items(text.as_bytes(), Encoding::Utf8)), expected);
}

#[test]
fn tags_name_the_columns_that_the_header_does_not() {
    let text = "Código;Nombre;Unidad;Sensibilidad\n#item +code;#ITEM+i_es+name;#item+unit;#item+sensitivity\n\
                soap;Jabón;piece;GENERAL\n";
    assert_eq!(name(&items(text.as_bytes(), Encoding::Utf8).unwrap()), "Jabón");
    let partly = "code,name_es,unit,sensitivity\n#item+code,,#item+unit,\nsoap,Jabón,piece,GENERAL\n";
    assert_eq!(items(partly.as_bytes(), Encoding::Utf8).unwrap().len(), 1);
    let unknown = "code,Nombre,unit,sensitivity\n#item+code,#x_name,,\nsoap,Jabón,piece,GENERAL\n";
    assert_eq!(faults(items(unknown.as_bytes(), Encoding::Utf8)), at(&[(1, "Nombre", "UNKNOWN_HEADER")]));
    let short = "code,name_es,unit,sensitivity\n#item+code\nsoap,Jabón,piece,GENERAL\n";
    assert_eq!(faults(items(short.as_bytes(), Encoding::Utf8)), at(&[(2, "", "RAGGED")]));
}

#[test]
fn every_tag_stands_for_its_own_column() {
    for kind in Kind::ALL {
        let names: Vec<String> = (0..headers(kind).len()).map(|place| format!("column {place}")).collect();
        let tags: Vec<&str> = headers(kind).iter().map(|header| header.hxl).collect();
        let text = format!("{}\n{}\n", names.join(","), tags.join(","));
        // Nothing is wrong but that there are no rows.
        assert_eq!(faults(read(text.as_bytes(), kind, Encoding::Utf8)), at(&[(1, "", "EMPTY")]), "{kind:?}");
    }
}

#[test]
fn files_that_are_too_large_are_refused() {
    let limits = Limits { bytes: ITEMS.len(), rows: 1, ..LIMITS };
    assert!(read_within(ITEMS.as_bytes(), Kind::Items, Encoding::Utf8, &limits).is_ok());
    let longer = format!("{ITEMS} ");
    let found = read_within(longer.as_bytes(), Kind::Items, Encoding::Utf8, &limits);
    assert_eq!(faults(found), at(&[(1, "", "TOO_LARGE")]));
    let limits = Limits { rows: 1, ..LIMITS };
    let more = format!("{ITEMS}a,b,piece,GENERAL\nc,d,piece,GENERAL\n");
    let found = read_within(more.as_bytes(), Kind::Items, Encoding::Utf8, &limits);
    assert_eq!(faults(found), at(&[(3, "", "TOO_LARGE")]));
}

#[test]
fn a_thousand_faults_are_listed_and_the_others_counted() {
    let text = format!("{ITEMS}{}", "a\n".repeat(1500));
    let list = items(text.as_bytes(), Encoding::Utf8).unwrap_err();
    assert_eq!(list.len(), MAX_FAULTS + 1);
    let last = list.last().unwrap();
    assert_eq!((last.code, last.reason.en.as_str()), (FaultCode::More, "500 more faults are not listed."));
}

#[test]
fn no_bytes_make_the_reader_fail() {
    let sample =
        format!("\u{FEFF}{HEAD}#meta+id,,,,,,,,,,\r\n\"k\"\"1\",á,p;\t,2024-01-01,10,COUNTED,i,,,10,\n");
    for kind in Kind::ALL {
        for place in 0..sample.len() {
            for byte in [b'"', b'\r', b'\n', b';', b'\t', 0xFF, b'#'] {
                let mut bytes = sample.clone().into_bytes();
                bytes[place] = byte;
                for encoding in [Encoding::Utf8, Encoding::Latin1] {
                    let _ = read(&bytes, kind, encoding);
                    let _ = read(&bytes[..place], kind, encoding);
                }
            }
        }
    }
}

#[test]
fn the_example_of_a_template_is_a_row_that_could_be() {
    for kind in Kind::ALL {
        let [names, tags, _] = template_rows(kind);
        assert_eq!(names.len(), example(kind).len(), "{kind:?}");
        let text = format!("{}\n{}\n{}\n", names.join(","), tags.join(","), example(kind).join(","));
        let table = read(text.as_bytes(), kind, Encoding::Utf8).unwrap_or_else(|faults| panic!("{faults:?}"));
        assert_eq!(table.rows.len(), 1, "{kind:?}");
        // Left in the file, it is passed over.
        let filled = format!("{}{}\n", template(kind), example(kind).join(","));
        assert_eq!(read(filled.as_bytes(), kind, Encoding::Utf8).unwrap().rows.len(), 1, "{kind:?}");
    }
}
