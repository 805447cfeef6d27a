//! `umbral import receipts` and `umbral import movements`: paper forms of stock.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::{Folder, both};

use crate::{
    export::run_import,
    stock::{moved, on_hand, places},
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

const ARRIVALS: &str = "form_number,kind,occurred_on,place,to_place,via,transfer,reason,note,item,kit,kit_version,lot_number,quantity,returned,lost\n";

both!(
    async fn an_arrival_names_its_transfer_by_the_number_of_its_form(world: &World) {
        let client = world.coordinator();
        let made = places(&client).await;
        let folder = Folder::new();
        let run = async |arguments: &[&str], text: &str| {
            run_import(&world.database, folder.path(), arguments, "form.csv", text.as_bytes()).await
        };
        assert!(run(&["receipts"], RECEIPTS).await.0);
        // The transfer stands below its arrival, and both are of one day. It takes 50 of L-2 and 10 of L-1.
        let file = format!(
            "{ARRIVALS}\
             A-1,ARRIVAL,2026-03-03,Depósito,,,M-1,MISSING,,SOAP,,,L-2,45,3,2\n\
             A-1,ARRIVAL,2026-03-03,Depósito,,,M-1,MISSING,,SOAP,,,L-1,0,10,\n\
             A-1,ARRIVAL,2026-03-03,Depósito,,,M-1,MISSING,,,HYGIENE,,,4,,\n\
             M-1,TRANSFER,2026-03-03,Bodega,Depósito,,,,,SOAP,,,,60,,\n\
             M-1,TRANSFER,2026-03-03,Bodega,Depósito,,,,,,HYGIENE,,,10,,\n"
        );
        let (done, said) = run(&["movements"], &file).await;
        assert!(done && said.contains("5 rows read; 2 created, 0 unchanged"), "{said}");
        let mut wanted = at(&[
            ("Bodega", "HYGIENE", 20),
            ("Bodega", "SOAP L-1", 100),
            ("Bodega", "SOAP L-2", 3),
            ("Camioneta", "HYGIENE", 6),
            ("Depósito", "HYGIENE", 4),
            ("Depósito", "PADS", 40),
            ("Depósito", "SOAP L-2", 45),
        ]);
        assert_eq!(stock(world).await, wanted);
        let after = (world.counts().await, on_hand(&client, None).await);
        let (done, said) = run(&["movements"], &file).await;
        assert!(done && said.contains("0 created, 2 unchanged"), "{said}");
        assert_eq!((world.counts().await, on_hand(&client, None).await), after);

        // The rest comes later. A transfer that was not in a file is known by its form as well; all of both lots came.
        let lines = json!([{ "supplied": { "item": id(api::id::Kind::Item, SOAP) }, "quantity": 13 }]);
        let input = json!({ "from": made.warehouse, "via": made.transit, "to": made.store,
            "occurredOn": "2026-03-09", "formNumber": "P-7", "lines": lines });
        moved(&client, "transferStock", "p", input).await;
        let later = format!(
            "{ARRIVALS}\
             A-2,ARRIVAL,2026-03-09,Depósito,,,M-1,,,,HYGIENE,2,,6,,\n\
             A-3,ARRIVAL,2026-03-10,neza,,,P-7,,,SOAP,,,,13,,\n"
        );
        let (done, said) = run(&["movements"], &later).await;
        assert!(done && said.contains("2 created, 0 unchanged"), "{said}");
        wanted.remove(&("Camioneta".to_owned(), "HYGIENE".to_owned()));
        wanted.remove(&("Bodega".to_owned(), "SOAP L-2".to_owned()));
        wanted.extend(at(&[
            ("Bodega", "SOAP L-1", 90),
            ("Depósito", "HYGIENE", 10),
            ("Depósito", "SOAP L-1", 10),
            ("Depósito", "SOAP L-2", 48),
        ]));
        assert_eq!(stock(world).await, wanted);
    }
);

both!(
    async fn what_cannot_have_arrived_is_told(world: &World) {
        places(&world.coordinator()).await;
        let folder = Folder::new();
        let run = async |arguments: &[&str], text: &str| {
            run_import(&world.database, folder.path(), arguments, "form.csv", text.as_bytes()).await
        };
        assert!(run(&["receipts"], RECEIPTS).await.0);
        let sent = format!(
            "{ARRIVALS}\
             M-1,TRANSFER,2026-03-03,Bodega,Depósito,,,,,SOAP,,,,60,,\n\
             M-1,TRANSFER,2026-03-03,Bodega,Depósito,,,,,,HYGIENE,,,10,,\n"
        );
        assert!(run(&["movements"], &sent).await.0);
        let before = world.counts().await;
        let bad = format!(
            "{ARRIVALS}\
             B-1,ARRIVAL,2026-03-04,Depósito,,,M-9,,,SOAP,,,L-1,1,,\n\
             B-2,ARRIVAL,2026-03-04,Bodega,,,M-1,,,SOAP,,,L-1,1,,\n\
             B-3,ARRIVAL,2026-03-04,Depósito,,,M-1,,,SOAP,,,,60,,\n\
             B-3,ARRIVAL,2026-03-04,Depósito,,,M-1,,,,HYGIENE,,,11,,\n\
             B-4,ARRIVAL,2026-03-04,Depósito,,,M-1,,,SOAP,,,,59,,\n\
             B-5,ARRIVAL,2026-03-04,Depósito,,,M-1,,,SOAP,,,L-3,1,,\n\
             B-6,ARRIVAL,2026-03-04,Depósito,,,M-1,,,SOAP,,,L-1,9,,1\n\
             B-7,ARRIVAL,2026-03-02,Depósito,,,M-1,,,SOAP,,,L-1,1,,\n\
             B-8,ARRIVAL,2026-03-04,Depósito,,,M-1,,,SOAP,,,L-1,0,,\n\
             B-9,ARRIVAL,2026-03-04,Depósito,,,,,,SOAP,,,L-1,1,,\n\
             C-1,ARRIVAL,2026-03-04,Depósito,Bodega,,M-1,,,SOAP,,,L-1,1,,\n\
             C-2,ISSUE,2026-03-04,Bodega,,,M-1,,,SOAP,,,L-1,1,,\n\
             C-3,ISSUE,2026-03-04,Bodega,,,,,,SOAP,,,L-1,1,,1\n\
             C-4,ARRIVAL,2026-03-04,Depósito,,,M-1,,,SOAP,,,L-1,1,-1,\n\
             C-5,ARRIVAL,2026-03-04,Depósito,,,M-1,,,SOAP,,,L-1,1,,\n\
             C-5,ARRIVAL,2026-03-04,Depósito,,,M-2,,,SOAP,,,L-2,1,,\n\
             C-6,ARRIVAL,2026-03-04,Depósito,,,M-1,,,PADS,,,,1,,\n"
        );
        let (done, said) = run(&["movements"], &bad).await;
        assert!(!done);
        let faults = [
            "line 2, transfer: NOT_FOUND",
            "line 3, place: DISAGREES",
            "line 5, quantity: OUT_OF_RANGE",
            "line 6, lot_number: MISSING_VALUE",
            "line 7, lot_number: DISAGREES",
            "line 8, reason: INVALID",
            "line 9, occurred_on: OUT_OF_RANGE",
            "line 10, quantity: OUT_OF_RANGE",
            "line 11, transfer: MISSING_VALUE",
            "line 12, to_place: INVALID",
            "line 13, transfer: INVALID",
            "line 14, lost: INVALID",
            "line 15, returned: OUT_OF_RANGE",
            "line 17, kind: DISAGREES",
            "line 18, item: DISAGREES",
        ];
        for fault in faults {
            assert!(said.contains(fault), "{fault}: {said}");
        }
        assert_eq!(said.lines().filter(|line| line.starts_with("line ")).count(), faults.len(), "{said}");
        assert_eq!(world.counts().await, before);
        // What has arrived is not on its way any more.
        let whole = format!(
            "{ARRIVALS}\
             A-1,ARRIVAL,2026-03-04,Depósito,,,M-1,,,,HYGIENE,,,10,,\n\
             A-2,ARRIVAL,2026-03-05,Depósito,,,M-1,,,,HYGIENE,,,1,,\n"
        );
        let (done, said) = run(&["movements"], &whole).await;
        assert!(!done && said.contains("line 3, quantity: OUT_OF_RANGE"), "{said}");
    }
);
