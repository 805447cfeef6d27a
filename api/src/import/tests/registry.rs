//! What is checked against the registry.

use chrono::NaiveDate;
use entity::value::{ProgramStatus, RowClass, Sensitivity};
use uuid::Uuid;

use super::*;

struct Registry {
    sites: Vec<Uuid>,
    versions: Vec<(i32, NaiveDate)>,
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

impl Registry {
    fn new() -> Self {
        Registry { sites: vec![id(1)], versions: vec![(1, day("2020-01-01")), (2, day("2024-01-01"))] }
    }
}

impl Lookup for Registry {
    fn facility(&self, slug: &str) -> Option<Uuid> {
        match slug {
            "site" => Some(id(1)),
            "elsewhere" => Some(id(2)),
            _ => None,
        }
    }

    fn program(&self, slug: &str) -> Option<ProgramFound<'_>> {
        let (sensitivity, status) = match slug {
            "open" => (Sensitivity::General, ProgramStatus::Active),
            "maternity" => (Sensitivity::Sensitive, ProgramStatus::Active),
            "done" => (Sensitivity::General, ProgramStatus::Completed),
            "planned" => (Sensitivity::General, ProgramStatus::Planned),
            "off" => (Sensitivity::General, ProgramStatus::Cancelled),
            _ => return None,
        };
        let (starts_on, ends_on) = (day("2021-01-01"), Some(day("2025-12-31")));
        Some(ProgramFound { id: id(10), sensitivity, status, starts_on, ends_on, sites: &self.sites })
    }

    fn item(&self, code: &str) -> Option<GoodFound> {
        let sensitivity = match code {
            "soap" => Sensitivity::General,
            "nappies" => Sensitivity::Sensitive,
            _ => return None,
        };
        Some(GoodFound { id: id(20), sensitivity })
    }

    fn kit(&self, code: &str) -> Option<KitFound<'_>> {
        let found = KitFound { id: id(30), sensitivity: Sensitivity::General, versions: &self.versions };
        (code == "kit").then_some(found)
    }

    fn region(&self, code: &str) -> Option<RegionFound<'_>> {
        matches!(code, "MX-CMX" | "MX09").then_some(RegionFound { iso: "MX-CMX", country: "MX" })
    }

    fn technique(&self, code: &str) -> bool {
        code == "knitting"
    }
}

fn resolved(kind: Kind, text: &str) -> Result<Resolved, Vec<Fault>> {
    let table = read(text.as_bytes(), kind, Encoding::Utf8).unwrap();
    resolve(table, &Registry::new(), day("2025-06-30"))
}

fn delivered(rows: &str) -> Result<Vec<ResolvedDistribution>, Vec<Fault>> {
    match resolved(Kind::Distributions, &format!("{HEAD}{rows}"))? {
        Resolved::Distributions(rows) => Ok(rows),
        other => panic!("{other:?}"),
    }
}

#[test]
fn known_codes_become_ids() {
    let rows = delivered(
        "A,site,open,2023-05-05,50,COUNTED,soap,,,100,\n\
         A,site,open,2023-05-05,50,COUNTED,,kit,,50,\n\
         B,site,open,2025-05-05,50,COUNTED,,kit,,50,\n\
         C,site,open,2025-05-05,50,COUNTED,,kit,1,50,\n",
    )
    .unwrap();
    assert_eq!((rows[0].facility_id, rows[0].program_id), (id(1), id(10)));
    assert_eq!((rows[0].lines[0].item_id, rows[0].lines[0].quantity), (Some(id(20)), 100));
    let versions: Vec<_> =
        rows.iter().filter_map(|row| row.lines.last()).map(|line| line.kit_version).collect();
    assert_eq!(versions, [Some(1), Some(2), Some(1)]);
}

#[test]
fn unknown_codes_are_reported_with_their_lines() {
    let found = delivered(
        "A,nowhere,nothing,2023-05-05,50,COUNTED,gold,,,100,\n\
         A,nowhere,nothing,2023-05-05,50,COUNTED,,chest,,50,\n\
         B,site,open,2023-05-05,50,COUNTED,,kit,3,50,\n",
    );
    let expected = at(&[
        (2, "facility", "NOT_FOUND"),
        (2, "program", "NOT_FOUND"),
        (2, "item", "NOT_FOUND"),
        (3, "kit", "NOT_FOUND"),
        (4, "kit_version", "NOT_FOUND"),
    ]);
    assert_eq!(faults(found), expected);
}

#[test]
fn programs_must_be_open_at_the_site_on_the_day() {
    let found = delivered(
        "A,site,planned,2023-05-05,50,COUNTED,soap,,,100,\n\
         B,site,off,2023-05-05,50,COUNTED,soap,,,100,\n\
         C,elsewhere,open,2023-05-05,50,COUNTED,soap,,,100,\n\
         D,site,open,2020-12-31,50,COUNTED,soap,,,100,\n\
         E,site,done,2026-01-01,50,COUNTED,soap,,,100,\n",
    );
    let expected = at(&[
        (2, "program", "PROGRAM_CLOSED"),
        (3, "program", "PROGRAM_CLOSED"),
        (4, "facility", "NOT_A_SITE"),
        (5, "occurred_on", "OUTSIDE_DATES"),
        (6, "occurred_on", "OUTSIDE_DATES"),
        (6, "occurred_on", "OUTSIDE_DATES"),
    ]);
    assert_eq!(faults(found), expected);
    assert!(delivered("A,site,done,2023-05-05,50,COUNTED,soap,,,100,\n").is_ok());
}

#[test]
fn the_class_follows_from_what_was_found() {
    let rows = delivered(
        "A,site,open,2023-05-05,50,COUNTED,soap,,,100,\n\
         B,site,open,2023-05-05,50,COUNTED,nappies,,,100,\n\
         C,site,maternity,2023-05-05,50,COUNTED,soap,,,100,\n\
         D,site,open,2023-05-05,9,COUNTED,soap,,,100,\n",
    )
    .unwrap();
    let classes: Vec<_> = rows.iter().map(|row| row.classify().0).collect();
    let hidden = RowClass::Records;
    assert_eq!(classes, [RowClass::Operations, hidden, hidden, hidden]);
}

#[test]
fn registry_files_refer_to_what_is_there() {
    let facilities =
        "slug,name,country,region,kind\naa,A,,MX09,OTHER\nbb,B,CL,MX-CMX,OTHER\ncc,C,,XX,OTHER\n";
    let expected = at(&[(3, "country", "DISAGREES"), (4, "region", "NOT_FOUND")]);
    assert_eq!(faults(resolved(Kind::Facilities, facilities)), expected);
    let programs = "slug,name_es,areas,techniques,starts_on,facilities\n\
                    aa,A,EDUCATION,knitting|sailing,2020-01-01,site|nowhere\n";
    let expected = at(&[(2, "techniques", "NOT_FOUND"), (2, "facilities", "NOT_FOUND")]);
    assert_eq!(faults(resolved(Kind::Programs, programs)), expected);
    let kits =
        "code,version,valid_from,name_es,item,quantity\nk,1,2020-01-01,K,soap,1\nk,1,2020-01-01,K,gold,1\n";
    assert_eq!(faults(resolved(Kind::Kits, kits)), at(&[(3, "item", "NOT_FOUND")]));
    let sensitive = kits.replace("gold", "nappies");
    let Ok(Resolved::Kits(rows)) = resolved(Kind::Kits, &sensitive) else { panic!() };
    assert_eq!((rows[0].sensitivity, rows[0].items.len()), (Sensitivity::Sensitive, 2));
}
