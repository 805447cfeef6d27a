//! `umbral import receipts` and `umbral import movements`: paper forms of stock.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::{Folder, both};

use crate::{
    export::run_import,
    stock::{on_hand, places},
    world::*,
};

const RECEIPTS: &str = "form_number,place,occurred_on,source,donor,item,kit,kit_version,quantity,lot_number,expires_on\n\
    E-1,Bodega,2026-03-01,PURCHASE,,SOAP,,,100,L-1,2026-12-31\n\
    E-1,Bodega,2026-03-01,PURCHASE,,SOAP,,,50,L-2,2026-06-30\n\
    E-1,Bodega,2026-03-01,PURCHASE,,,HYGIENE,2,30,,\n\
    E-2,neza,2026-03-02,DONATION,giver,PADS,,,40,,\n";

const MOVEMENTS: &str = "form_number,kind,occurred_on,place,to_place,via,reason,note,item,kit,kit_version,lot_number,quantity\n\
    M-3,ADJUSTMENT,2026-03-05,Bodega,,,ENTRY_ERROR,Mal contado,SOAP,,,L-1,-5\n\
    M-1,TRANSFER,2026-03-03,Bodega,Depósito,,,,SOAP,,,,60\n\
    M-1,TRANSFER,2026-03-03,Bodega,Depósito,,,,,HYGIENE,,,10\n\
    M-2,ISSUE,2026-03-04,neza,,,,,PADS,,,,15\n\
    M-4,LOSS,2026-03-06,Bodega,,,DAMAGED,Goteras,SOAP,,,L-1,8\n";

/// What lies where, by the name of the place and the number of the lot.
async fn stock(world: &World) -> BTreeMap<(String, String), i64> {
    let document = "{ stockOnHand { place { name } quantity lot { number item { code } kit { code } } } }";
    let answer = world.coordinator().query(document, Value::Null).await;
    let rows = answer.data()["stockOnHand"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rows.iter()
        .map(|row| {
            let lot = &row["lot"];
            let goods = if lot["item"].is_null() { &lot["kit"] } else { &lot["item"] };
            let what = format!("{} {}", text(&goods["code"]), text(&lot["number"])).trim().to_owned();
            ((text(&row["place"]["name"]), what), row["quantity"].as_i64().unwrap())
        })
        .collect()
}

fn at(rows: &[(&str, &str, i64)]) -> BTreeMap<(String, String), i64> {
    rows.iter().map(|&(place, what, quantity)| ((place.to_owned(), what.to_owned()), quantity)).collect()
}

both!(
    async fn forms_go_through_the_ledger(world: &World) {
        places(&world.coordinator()).await;
        let folder = Folder::new();
        let run = async |arguments: &[&str], text: &str| {
            run_import(&world.database, folder.path(), arguments, "form.csv", text.as_bytes()).await
        };
        let before = world.counts().await;
        let (done, said) = run(&["receipts", "--dry-run"], RECEIPTS).await;
        assert!(done && said.contains("4 rows read; 2 would be created, 0 unchanged"), "{said}");
        assert_eq!(world.counts().await, before);

        let (done, said) = run(&["receipts"], RECEIPTS).await;
        assert!(done && said.contains("4 rows read; 2 created, 0 unchanged"), "{said}");
        let (done, said) = run(&["movements"], MOVEMENTS).await;
        assert!(done && said.contains("5 rows read; 4 created, 0 unchanged"), "{said}");
        // What expires first went first: 50 of L-2 and 10 of L-1.
        let wanted = at(&[
            ("Bodega", "HYGIENE", 20),
            ("Bodega", "SOAP L-1", 77),
            ("Camioneta", "HYGIENE", 10),
            ("Camioneta", "SOAP L-1", 10),
            ("Camioneta", "SOAP L-2", 50),
            ("Depósito", "PADS", 25),
        ]);
        assert_eq!(stock(world).await, wanted);
    }
);

both!(
    async fn the_same_file_changes_nothing(world: &World) {
        places(&world.coordinator()).await;
        let folder = Folder::new();
        let run = async |arguments: &[&str], text: &str| {
            run_import(&world.database, folder.path(), arguments, "form.csv", text.as_bytes()).await
        };
        assert!(run(&["receipts"], RECEIPTS).await.0);
        let after = (world.counts().await, on_hand(&world.coordinator(), None).await);
        let (done, said) = run(&["receipts"], RECEIPTS).await;
        assert!(done && said.contains("0 created, 2 unchanged"), "{said}");
        assert_eq!((world.counts().await, on_hand(&world.coordinator(), None).await), after);
        // The same form with another content is a contradiction, and so is nothing of the file.
        let other = RECEIPTS.replace(",100,", ",101,").replace("E-2", "E-3");
        let (done, said) = run(&["receipts"], &other).await;
        assert!(!done && said.contains("line 2, form_number: CONFLICT"), "{said}");
        assert_eq!((world.counts().await, on_hand(&world.coordinator(), None).await), after);
        let audit = world.audit().await;
        let imported: Vec<_> = audit.iter().filter(|row| row.action == "IMPORT").collect();
        assert_eq!(imported.len(), 2);
        assert!(imported.iter().all(|row| row.role == "SYSTEM" && row.entity == "stock_movement"));
    }
);

both!(
    async fn every_fault_is_told_and_nothing_is_written(world: &World) {
        places(&world.coordinator()).await;
        let folder = Folder::new();
        let run = async |arguments: &[&str], text: &str| {
            run_import(&world.database, folder.path(), arguments, "form.csv", text.as_bytes()).await
        };
        assert!(run(&["receipts"], RECEIPTS).await.0);
        let before = world.counts().await;
        let head = RECEIPTS.lines().next().unwrap();
        let bad = format!(
            "{head}\n\
             F-1,Nowhere,2026-03-01,PURCHASE,,SOAP,,,1,,\n\
             F-2,Bodega,2026-03-01,PURCHASE,giver,NOTHING,,,1,,\n\
             F-3,Bodega,2026-03-01,ASSEMBLED,,SOAP,,,1,,\n\
             F-4,Bodega,2026-03-01,PURCHASE,,SOAP,,,1,,2026-02-01\n\
             F-5,Bodega,2027-03-01,PURCHASE,,SOAP,,,1,,\n\
             F-6,Bodega,2026-03-01,PURCHASE,,SOAP,,,0,,\n\
             F-7,Camioneta,2026-03-01,PURCHASE,,SOAP,,,1,,\n\
             F-8,Bodega,2026-03-01,DONATION,nobody,,HYGIENE,9,1,,\n\
             F-9,Bodega,2026-03-01,PURCHASE,,SOAP,,,1,,\n\
             F-9,Bodega,2026-03-02,PURCHASE,,SOAP,,,1,,\n"
        );
        let (done, said) = run(&["receipts"], &bad).await;
        assert!(!done);
        for fault in [
            "line 2, place: NOT_FOUND",
            "line 3, item: NOT_FOUND",
            "line 4, source: INVALID",
            "line 5, expires_on: EXPIRED",
            "line 6, occurred_on: OUT_OF_RANGE",
            "line 7, quantity: OUT_OF_RANGE",
            "line 8, place: INVALID",
            "line 9, donor: NOT_FOUND",
            "line 11, occurred_on: DISAGREES",
        ] {
            assert!(said.contains(fault), "{fault}: {said}");
        }
        let head = MOVEMENTS.lines().next().unwrap();
        let bad = format!(
            "{head}\n\
             M-1,ISSUE,2026-03-02,Bodega,,,,,SOAP,,,,151\n\
             M-2,ISSUE,2026-02-01,Bodega,,,,,SOAP,,,L-1,1\n\
             M-3,LOSS,2026-03-02,Bodega,,,,,SOAP,,,L-1,1\n\
             M-4,TRANSFER,2026-03-02,Bodega,,,,,SOAP,,,,1\n\
             M-5,ADJUSTMENT,2026-03-02,Bodega,,,,,SOAP,,,L-1,1\n\
             M-6,COUNT,2026-03-02,Bodega,,,,,SOAP,,,L-1,1\n\
             M-7,ISSUE,2026-03-02,Bodega,neza,,,,SOAP,,,L-9,1\n\
             M-8,ISSUE,2026-07-01,Bodega,,,,,SOAP,,,L-2,1\n\
             M-9,ISSUE,2026-03-02,Bodega,,,,,SOAP,,,,-1\n"
        );
        let (done, said) = run(&["movements", "--lang", "es"], &bad).await;
        assert!(!done);
        for fault in [
            "línea 2, quantity: INSUFFICIENT_STOCK",
            "línea 3, quantity: INSUFFICIENT_STOCK",
            "línea 4, reason: INVALID",
            "línea 5, to_place: MISSING_VALUE",
            "línea 6, reason: MISSING_VALUE",
            "línea 7, kind: BAD_CHOICE",
            "línea 8, to_place: INVALID",
            "línea 8, lot_number: NOT_FOUND",
            "línea 9, quantity: EXPIRED",
            "línea 10, quantity: OUT_OF_RANGE",
        ] {
            assert!(said.contains(fault), "{fault}: {said}");
        }
        assert_eq!(world.counts().await, before);
        assert_eq!(json!(before["stock_movement"]), json!(2));
    }
);
