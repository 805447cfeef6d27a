use std::collections::{BTreeMap, BTreeSet, HashSet};

use entity::value::RowClass;
use sha2::{Digest, Sha256};

use super::*;
use crate::{demo::registry, store::class::THRESHOLD};

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 21).unwrap()
}

fn data(scale: u32) -> Dataset {
    registry("2026-11-21T09:30:00Z".parse().unwrap(), scale).unwrap()
}

fn operations(seed: u64, scale: u32) -> Operations {
    Operations::new(&data(scale), seed, scale, today()).unwrap()
}

fn all(scale: u32) -> Vec<Delivery> {
    operations(7, scale).flatten().collect()
}

/// When this fails, the data of a seed have changed: say so in the change log, then pin the new digest.
#[test]
fn the_first_chunk_of_a_seed_never_changes() {
    let chunk = operations(7, 1).next().unwrap();
    let mut digest = Sha256::new();
    for (row, lines) in chunk {
        digest.update(format!(
            "{} {:?} {} {} {} {} {:?} {} {:?} {}\n",
            row.id,
            row.class,
            row.facility_id,
            row.program_id,
            row.occurred_on,
            row.recorded_at.timestamp_micros(),
            row.status,
            row.people_reached,
            row.reach_method,
            row.version,
        ));
        for line in lines {
            let supplied = line.item_id.or(line.kit_id).unwrap();
            digest.update(format!(
                "{supplied} {:?} {} {} {}\n",
                line.kit_version, line.quantity, line.people_reached, line.shown
            ));
        }
    }
    let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, "097765e8b0f20a6a57d48edeca24b115f97b8902e64f6e22a07c1858f8c97b63");
}

#[test]
fn a_scale_gives_its_number_of_deliveries_with_three_lines_each() {
    let rows = all(1);
    assert_eq!(rows.len(), 2000);
    let lines: usize = rows.iter().map(|(_, lines)| lines.len()).sum();
    assert!((5700..=6300).contains(&lines), "{lines} lines");
    assert_eq!(operations(7, 0).count(), 0);
    assert_eq!(operations(7, 100).len(), 200_000);
}

#[test]
fn chunks_are_of_the_size_promised() {
    let mut operations = operations(7, 2);
    assert_eq!(operations.len(), 4000);
    for left in [3000, 2000, 1000, 0] {
        assert_eq!(operations.next().unwrap().len(), CHUNK);
        assert_eq!(operations.len(), left);
    }
    assert!(operations.next().is_none() && operations.is_empty());
}

#[test]
fn another_seed_gives_other_rows() {
    let ids = |seed| operations(seed, 1).flatten().map(|(row, _)| row.id).collect::<HashSet<_>>();
    let (one, two) = (ids(1), ids(2));
    assert_eq!((one.len(), two.len()), (2000, 2000));
    assert!(one.is_disjoint(&two));
}

#[test]
fn about_eight_in_a_hundred_are_records() {
    let rows = all(10);
    let records = rows.iter().filter(|(row, _)| row.class == RowClass::Records).count();
    let share = records * 1000 / rows.len();
    assert!((65..=95).contains(&share), "{share} per mille");
    for (row, lines) in &rows {
        assert!(!lines.is_empty());
        for line in lines {
            assert_eq!(line.class, row.class);
            assert_eq!(line.shown, row.class == RowClass::Operations);
            assert!(line.people_reached <= row.people_reached && line.quantity > 0);
            assert!(!line.shown || line.people_reached >= THRESHOLD && line.quantity >= THRESHOLD);
            assert!(line.item_id.is_some() != line.kit_id.is_some());
            assert_eq!(line.kit_id.is_some(), line.kit_version.is_some());
        }
    }
}

#[test]
fn nothing_happens_outside_its_dates() {
    let data = data(10);
    let programs: BTreeMap<_, _> = data.programs.iter().map(|row| (row.id, row)).collect();
    let presences: BTreeMap<_, _> = data.presences.iter().map(|row| (row.facility_id, row)).collect();
    let sites: HashSet<_> = data.program_sites.iter().map(|row| (row.program_id, row.facility_id)).collect();
    let versions: BTreeMap<_, _> =
        data.kit_versions.iter().map(|row| ((row.kit_id, row.number), row.valid_from)).collect();
    let midnight = today().and_time(NaiveTime::MIN).and_utc();
    let mut numbers = BTreeSet::new();
    for (row, lines) in Operations::new(&data, 7, 10, today()).unwrap().flatten() {
        let program = programs[&row.program_id];
        assert!(sites.contains(&(row.program_id, row.facility_id)));
        assert_eq!(program.organization_id, row.organization_id);
        assert!(row.occurred_on >= program.starts_on.max(presences[&row.facility_id].starts_on));
        assert!(program.ends_on.is_none_or(|end| row.occurred_on <= end));
        assert!(row.occurred_on < today() && row.occurred_on >= today() - Days::new(FIVE_YEARS));
        assert!(row.recorded_at.date_naive() >= row.occurred_on);
        for at in [Some(row.recorded_at), row.verified_at, row.voided_at].into_iter().flatten() {
            assert!(at >= row.recorded_at && at < midnight);
            assert_eq!(at.timestamp_subsec_nanos() % 1000, 0);
        }
        for line in lines {
            if let Some(kit) = line.kit_id {
                numbers.insert(line.kit_version);
                assert!(versions[&(kit, line.kit_version.unwrap())] <= row.occurred_on);
            }
        }
    }
    assert_eq!(numbers, BTreeSet::from([Some(1), Some(2)]));
}

#[test]
fn most_are_verified_and_the_void_ones_say_why() {
    let rows = all(1);
    let count = |status| rows.iter().filter(|(row, _)| row.status == status).count();
    assert!((1400..1700).contains(&count(DistributionStatus::Verified)));
    assert!((250..550).contains(&count(DistributionStatus::Delivered)));
    assert!((30..120).contains(&count(DistributionStatus::Voided)));
    for (row, _) in &rows {
        let void = row.status == DistributionStatus::Voided;
        assert_eq!(void, row.voided_at.is_some());
        assert_eq!(void, row.void_reason.is_some());
        assert_eq!(row.status == DistributionStatus::Verified, row.verified_at.is_some());
    }
}

#[test]
fn large_scales_deliver_at_twenty_facilities_of_one_organisation() {
    let mut facilities: BTreeMap<Uuid, BTreeMap<Uuid, usize>> = BTreeMap::new();
    for (row, _) in all(10) {
        let counts = facilities.entry(row.organization_id).or_default();
        *counts.entry(row.facility_id).or_default() += 1;
    }
    let most = facilities.values().map(BTreeMap::len).max();
    assert!(most >= Some(20), "{most:?}");
    assert!(facilities.values().flat_map(BTreeMap::values).all(|&count| count >= 10));
}
