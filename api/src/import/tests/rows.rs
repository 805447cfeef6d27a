//! What the cells of a row may be, and how rows are joined.

use entity::value::{ReachMethod, Sensitivity, TranslationStatus};

use super::*;

#[test]
fn rows_with_one_key_are_one_delivery() {
    let rows = deliveries(
        "A1,barrientos,kits,2026-03-08,50,COUNTED,,hygiene-kit,2,50,\n\
         A2,barrientos,kits,2026-03-09,20,estimated_per_kit,soap,,,40,15\n\
         A1,barrientos,kits,2026-03-08,50,COUNTED,soap,,,100,40\n",
    )
    .unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].key.as_str(), rows[0].line, rows[0].lines.len()), ("A1", 2, 2));
    let kit = Supplied::Kit { code: "hygiene-kit".to_owned(), version: Some(2) };
    assert_eq!(
        rows[0].lines[0],
        DistributionLineRow { line: 2, supplied: kit, quantity: 50, people_reached: 50 }
    );
    assert_eq!((rows[0].lines[1].line, rows[0].lines[1].people_reached), (4, 40));
    assert_eq!(rows[1].reach_method, ReachMethod::EstimatedPerKit);
}

#[test]
fn rows_with_one_key_must_agree() {
    let found = deliveries(
        "A1,barrientos,kits,2026-03-08,50,COUNTED,soap,,,50,\n\
         A1,ecatepec,kits,2026-03-09,51,ESTIMATED_OTHER,yarn,,,50,\n",
    );
    let expected = at(&[
        (3, "facility", "DISAGREES"),
        (3, "occurred_on", "DISAGREES"),
        (3, "people_reached", "DISAGREES"),
        (3, "reach_method", "DISAGREES"),
    ]);
    assert_eq!(faults(found), expected);
}

#[test]
fn a_delivery_has_each_thing_once() {
    let row = "A1,barrientos,kits,2026-03-08,50,COUNTED,soap,,,50,\n";
    assert_eq!(faults(deliveries(&row.repeat(2))), at(&[(3, "item", "DUPLICATE")]));
    let many: String = (0..101).map(|item| format!("A1,b,k,2026-03-08,50,COUNTED,i{item},,,50,\n")).collect();
    assert_eq!(faults(deliveries(&many)), at(&[(102, "key", "TOO_LARGE")]));
}

#[test]
fn a_line_is_an_item_or_a_kit() {
    let found = deliveries(
        "A1,b,k,2026-03-08,50,COUNTED,,,,50,\n\
         A2,b,k,2026-03-08,50,COUNTED,soap,hygiene-kit,,50,\n\
         A3,b,k,2026-03-08,50,COUNTED,soap,,1,50,\n",
    );
    let expected =
        at(&[(2, "item", "ITEM_OR_KIT"), (3, "kit", "ITEM_OR_KIT"), (4, "kit_version", "ITEM_OR_KIT")]);
    assert_eq!(faults(found), expected);
}

#[test]
fn numbers_are_digits_and_within_bounds() {
    for (bad, code) in [
        ("-5", "OUT_OF_RANGE"),
        ("0", "OUT_OF_RANGE"),
        ("1000001", "OUT_OF_RANGE"),
        ("99999999999999999999999999999999", "OUT_OF_RANGE"),
        ("1.5", "BAD_NUMBER"),
        ("1 000", "BAD_NUMBER"),
        ("1e3", "BAD_NUMBER"),
        ("+5", "BAD_NUMBER"),
        ("-", "BAD_NUMBER"),
        ("٣", "BAD_NUMBER"),
        ("NaN", "BAD_NUMBER"),
        ("", "MISSING_VALUE"),
    ] {
        let found = deliveries(&format!("A1,b,k,2026-03-08,50,COUNTED,soap,,,{bad},\n"));
        assert_eq!(faults(found), at(&[(2, "quantity", code)]), "{bad:?}");
    }
    let found = deliveries("A1,b,k,2026-03-08,50,COUNTED,soap,,,10,51\n");
    assert_eq!(faults(found), at(&[(2, "line_people_reached", "OUT_OF_RANGE")]));
    assert!(deliveries("A1,b,k,2026-03-08,0,COUNTED,soap,,,1000000,0\n").is_ok());
}

#[test]
fn days_are_written_in_one_way() {
    for bad in [
        "08/03/2026",
        "2026-3-8",
        "2026-02-30",
        "26-03-08",
        "20260308",
        "2026-03-08T00:00",
        "0026-03-08",
        "mañana",
    ] {
        let found = deliveries(&format!("A1,b,k,{bad},50,COUNTED,soap,,,10,\n"));
        assert_eq!(faults(found), at(&[(2, "occurred_on", "BAD_DATE")]), "{bad}");
    }
}

#[test]
fn a_row_reports_everything_that_is_wrong_with_it() {
    let found = deliveries(",,k,x,y,GUESSED,,,,z,\n");
    let expected = at(&[
        (2, "key", "MISSING_VALUE"),
        (2, "facility", "MISSING_VALUE"),
        (2, "occurred_on", "BAD_DATE"),
        (2, "people_reached", "BAD_NUMBER"),
        (2, "reach_method", "BAD_CHOICE"),
        (2, "item", "ITEM_OR_KIT"),
        (2, "quantity", "BAD_NUMBER"),
    ]);
    assert_eq!(faults(found), expected);
}

#[test]
fn reasons_are_plain_and_quote_little() {
    let list = deliveries(&format!("A1,b,k,2026-03-08,50,{},soap,,,10,\n", "x".repeat(5000))).unwrap_err();
    let text = list[0].to_string();
    assert!(text.starts_with("line 2, reach_method: \u{201C}xxx"), "{text}");
    assert!(text.ends_with("is not one of COUNTED, ESTIMATED_PER_KIT, ESTIMATED_OTHER."), "{text}");
    assert!(text.len() < 200);
    let spanish = list[0].in_spanish();
    assert!(spanish.starts_with("línea 2, reach_method: \u{201C}xxx"), "{spanish}");
}

#[test]
fn facilities_have_lists_and_names_of_their_own() {
    let text = "slug,name,aliases,country,region,municipality,kind\n\
                santa-martha,Santa Martha Acatitla,Santa Marta | Santa Martha,MX,MX09,Iztapalapa,women_prison\n\
                Santa Marta,,A||B,,,,PRISON\n\
                santa-martha,Again,A|A,,MX-CMX,,OTHER\n\
                santa-martha,Again,,,MX-CMX,,OTHER\n";
    let expected = at(&[
        (3, "slug", "BAD_CODE"),
        (3, "name", "MISSING_VALUE"),
        (3, "aliases", "MISSING_VALUE"),
        (3, "region", "MISSING_VALUE"),
        (3, "kind", "BAD_CHOICE"),
        (4, "aliases", "DUPLICATE"),
        (5, "slug", "DUPLICATE"),
    ]);
    assert_eq!(faults(read(text.as_bytes(), Kind::Facilities, Encoding::Utf8)), expected);
    let two: String = text.lines().take(2).map(|line| format!("{line}\n")).collect();
    let Ok(Table { rows: Rows::Facilities(rows), .. }) =
        read(two.as_bytes(), Kind::Facilities, Encoding::Utf8)
    else {
        panic!()
    };
    assert_eq!(rows[0].aliases, ["Santa Marta", "Santa Martha"]);
}

#[test]
fn programs_take_their_sensitivity_from_their_areas() {
    let text = "slug,name_es,name_en,original,areas,status,starts_on,ends_on\n\
                aa,Maternidad,Maternity,,EDUCATION|MATERNITY,,2020-01-01,\n\
                bb,Taller,Workshop,en,education,PLANNED,2020-01-01,2020-12-31\n";
    let Ok(Table { rows: Rows::Programs(rows), .. }) = read(text.as_bytes(), Kind::Programs, Encoding::Utf8)
    else {
        panic!()
    };
    let found: Vec<_> = rows.iter().map(|row| (row.sensitivity, row.name.original.as_str())).collect();
    assert_eq!(found, [(Sensitivity::Sensitive, "es"), (Sensitivity::General, "en")]);
    assert_eq!(rows[0].name.texts["en"].status, TranslationStatus::Human);
    assert_eq!(rows[1].name.texts["en"].status, TranslationStatus::Original);
    let bad = "slug,name_es,name_en,original,areas,status,starts_on,ends_on\n\
               aa,,,,,,2020-01-01,\n\
               bb,Taller,,fr,EDUCATION,,2020-01-01,2019-12-31\n";
    let expected = at(&[
        (2, "name_es", "MISSING_VALUE"),
        (2, "areas", "MISSING_VALUE"),
        (3, "original", "BAD_CHOICE"),
        (3, "ends_on", "OUT_OF_RANGE"),
    ]);
    assert_eq!(faults(read(bad.as_bytes(), Kind::Programs, Encoding::Utf8)), expected);
}

#[test]
fn kits_have_one_row_for_each_item_of_a_version() {
    let head = "code,version,valid_from,name_es,item,quantity\n";
    let good =
        format!("{head}k,2,2024-01-01,Kit,soap,2\nk,1,2020-01-01,Kit,soap,1\nk,1,2020-01-01,Kit,paper,4\n");
    let Ok(Table { rows: Rows::Kits(rows), .. }) = read(good.as_bytes(), Kind::Kits, Encoding::Utf8) else {
        panic!()
    };
    let found: Vec<_> = rows.iter().map(|row| (row.version, row.lines.len())).collect();
    assert_eq!(found, [(1, 2), (2, 1)]);
    let bad = format!(
        "{head}k,1,2024-01-01,Kit,soap,2\nk,1,2024-01-02,Otro,soap,0\nk,1,2024-01-02,Otro,soap,1\n\
         k,2,2023-01-01,Otro,soap,1\n"
    );
    let expected = at(&[
        (3, "quantity", "OUT_OF_RANGE"),
        (4, "valid_from", "DISAGREES"),
        (4, "name_es", "DISAGREES"),
        (4, "item", "DUPLICATE"),
        (5, "valid_from", "OUT_OF_RANGE"),
        (5, "name_es", "DISAGREES"),
    ]);
    assert_eq!(faults(read(bad.as_bytes(), Kind::Kits, Encoding::Utf8)), expected);
}

#[test]
fn slugs_and_codes_follow_the_rules_of_the_api() {
    let program = |slug: &str| {
        let text = format!("slug,name_es,areas,starts_on\n{slug},A,ADVOCACY,2020-01-01\n");
        read(text.as_bytes(), Kind::Programs, Encoding::Utf8)
    };
    assert!(program("cpf-san-joaquin-2").is_ok());
    for bad in ["a", "-a", "a-", "Ab", "á-b", "a b", "a_b", &"a".repeat(81)] {
        assert_eq!(faults(program(bad)), at(&[(2, "slug", "BAD_CODE")]), "{bad}");
    }
    let item = |code: &str| {
        let text = format!("code,name_es,unit,sensitivity\n{code},A,piece,GENERAL\n");
        read(text.as_bytes(), Kind::Items, Encoding::Utf8)
    };
    assert!(item("Soap_2-b").is_ok());
    for bad in ["a.b", "ñ", "a b", &"a".repeat(41)] {
        assert_eq!(faults(item(bad)), at(&[(2, "code", "BAD_CODE")]), "{bad}");
    }
}

/// A form that was imported before is known by the hash of these bytes.
#[test]
fn what_a_form_says_is_written_as_ever() {
    let text = "form_number,kind,occurred_on,place,reason,item,lot_number,quantity\n\
                M-1,LOSS,2026-03-03,Bodega,DAMAGED,SOAP,L-1,60\n";
    let Rows::Forms(forms) = read(text.as_bytes(), Kind::Movements, Encoding::Utf8).unwrap().rows else {
        panic!("forms expected");
    };
    let written = r#"{"form_number":"M-1","occurred_on":"2026-03-03","place":"Bodega","happened":{"Moved":{"kind":"LOSS","to_place":null,"via":null,"reason":"DAMAGED","note":null}},"lines":[{"supplied":{"Item":"SOAP"},"quantity":60,"lot_number":"L-1","expires_on":null}]}"#;
    assert_eq!(serde_json::to_string(&forms[0]).unwrap(), written);
}
