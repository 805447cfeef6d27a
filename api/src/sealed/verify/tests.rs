use chrono::TimeDelta;
use serde_json::Value;
use uuid::Uuid;

use super::*;
use crate::sealed::{
    Cell, CellValue, CountBand, Retraction, SigningKey,
    sample::{after, first, key, public, signed},
};

fn refusal(bytes: &[u8]) -> Option<Fault> {
    verify(bytes, &public(), None).err()
}

/// Why a file that its own publisher made and signed is refused. Nor would it have been sealed.
#[track_caller]
fn check(change: impl FnOnce(&mut File), wanted: Flaw) {
    match changed(change) {
        Some(Fault::Content { flaw, .. }) => assert_eq!(flaw, wanted),
        other => panic!("{other:?}, not {wanted:?}"),
    }
}

fn changed(change: impl FnOnce(&mut File)) -> Option<Fault> {
    let mut release = first();
    change(&mut release);
    let fault = refusal(&signed(release.clone()));
    assert_eq!(fault.is_none(), seal::seal(&key(), release).is_ok());
    fault
}

fn cell(release: &mut File, table: usize, cell: usize) -> &mut Cell {
    &mut release.tables[table].cells[cell]
}

// The tables of the sample.
const ENROLLED: usize = 0;
const BY_FACILITY_AND_AGE: usize = 1;
const BUSY: usize = 2;
const HOURS: usize = 4;
const PAID: usize = 5;

#[test]
fn what_was_sealed_is_verified() {
    let sealed = seal::seal(&key(), first()).unwrap();
    let bytes = seal::bytes(&sealed).unwrap();
    assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
    assert_eq!(bytes.last(), Some(&b'\n'));
    let verified = verify(&bytes, &public(), None).unwrap();
    assert_eq!(*verified.release(), first());
    assert_eq!(verified.digest(), seal::digest(&first()).unwrap());
    assert_eq!(verified.key(), public().id());
    // The same release gives the same bytes.
    assert_eq!(seal::bytes(&seal::seal(&key(), first()).unwrap()).unwrap(), bytes);
}

/// Whatever byte of a file is changed, left out or put in, it is refused.
#[test]
fn every_byte_counts() {
    let mut release = first();
    release.tables.truncate(1);
    release.indicators.truncate(1);
    release.dimensions.clear();
    release.rounds.clear();
    release.notes.clear();
    let small = signed(release);
    assert_eq!(refusal(&small), None);
    for (place, byte) in small.iter().enumerate() {
        let (before, rest) = small.split_at(place);
        let (_, after) = rest.split_first().unwrap();
        let others: [&[u8]; 6] =
            [&[byte ^ 1], &[byte ^ 0x20], &[byte ^ 0x80], &[], &[b' ', *byte], &[*byte, *byte]];
        for other in others {
            assert!(refusal(&[before, other, after].concat()).is_some(), "{other:?} for byte {place}");
        }
    }
    for end in ["\n", " ", "{}"] {
        assert!(refusal(&[&small, end.as_bytes()].concat()).is_some());
    }
}

#[test]
fn a_file_has_one_text() {
    let bytes = signed(first());
    let text = String::from_utf8(bytes.clone()).unwrap();
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    let reordered = text.replacen(r#""corrects":null,"dimensions""#, r#""dimensions""#, 1);
    let reordered = reordered.replacen(r#""format""#, r#""corrects":null,"format""#, 1);
    for other in [
        format!("{value:#}\n"),
        text.replacen(r#""number":1"#, r#""number": 1"#, 1),
        text.replacen("Norte", r"Nort\u0065", 1),
        text.replacen("18:00:00Z", "18:00:00.000Z", 1),
        text.replacen("18:00:00Z", "18:00:00+00:00", 1),
        text.replacen("018f", "018F", 1),
        // A key that stands twice: of an object, of a map, and of one that says of which kind it is.
        text.replacen(r#""number":1"#, r#""number":2,"number":1"#, 1),
        text.replacen(r#""AGE":"AGE_18_29""#, r#""AGE":"AGE_30_44","AGE":"AGE_18_29""#, 1),
        text.replacen(r#""kind":"COUNT","low""#, r#""kind":"SHARE","kind":"COUNT","low""#, 1),
        text.replacen(r#""status":"ORIGINAL""#, r#""more":1,"status":"ORIGINAL""#, 1),
        reordered,
        text.trim_end().to_owned(),
        format!("{text}\n"),
    ] {
        assert_ne!(other, text);
        assert_eq!(refusal(other.as_bytes()), Some(Fault::NotCanonical), "{other}");
    }
}

#[test]
fn what_is_no_release_is_refused() {
    let text = String::from_utf8(signed(first())).unwrap();
    for other in ["", "\n", "release", "{", &text[..text.len() / 2], &text.replace("Norte", "\u{1}")] {
        assert_eq!(refusal(other.as_bytes()), Some(Fault::NotJson), "{other}");
    }
    assert_eq!(refusal(&[0xff]), Some(Fault::NotJson));
    assert_eq!(refusal(&vec![b' '; MOST_BYTES as usize + 1]), Some(Fault::TooLarge));
    for other in [
        "null".to_owned(),
        "{}".to_owned(),
        text.replacen(r#""number":1"#, r#""number":1.0"#, 1),
        text.replacen(r#""low":180"#, r#""low":180.5"#, 1),
        text.replacen(r#""low":180"#, r#""low":1e2"#, 1),
        text.replacen(r#""low":180"#, r#""low":"180""#, 1),
        text.replacen(r#""number":1"#, r#""number":-1"#, 1),
        text.replacen("umbral-release-1", "umbral-release-2", 1),
        text.replacen(r#""linkage":"PSEUDONYMOUS""#, r#""linkage":"OPEN""#, 1),
        text.replacen(r#","title""#, r#","subtitle""#, 1),
    ] {
        // A missing and an unknown field are both there in the last one; either may be named.
        let fault = refusal(other.as_bytes());
        assert!(matches!(fault, Some(Fault::Format(_) | Fault::UnknownField(_))), "{fault:?}: {other}");
    }
    for other in [
        text.replacen(r#""number":1"#, r#""note":null,"number":1"#, 1),
        text.replacen(r#"{"digest""#, r#"{"author":"","digest""#, 1),
        text.replacen(r#""kind":"COUNT","low""#, r#""exact":182,"kind":"COUNT","low""#, 1),
    ] {
        assert!(matches!(refusal(other.as_bytes()), Some(Fault::UnknownField(_))), "{other}");
    }
}

#[test]
fn numbers_beyond_what_all_readers_know_are_refused() {
    let change = |high| {
        move |release: &mut File| {
            let base = CountBand { low: 180, high: 184 };
            cell(release, PAID, 0).value = Some(CellValue::Sum { base, low: 1, high });
        }
    };
    assert_eq!(changed(change((1 << 53) - 1)), None);
    let mut release = first();
    change(1 << 53)(&mut release);
    assert!(seal::seal(&key(), release.clone()).is_err());
    let whole = String::from_utf8(signed(first())).unwrap();
    let larger = whole.replacen("160000000", &(1_i64 << 53).to_string(), 1);
    assert_eq!(refusal(larger.as_bytes()), Some(Fault::NotCanonical));
}

#[test]
fn a_changed_release_and_a_changed_seal_are_told_apart() {
    let text = String::from_utf8(signed(first())).unwrap();
    let other = text.replacen(r#""high":184"#, r#""high":189"#, 1);
    assert_eq!(refusal(other.as_bytes()), Some(Fault::Digest));
    let sealed = seal::seal(&key(), first()).unwrap();
    let stranger = SigningKey::of([8; 32]);
    let theirs = seal::seal(&stranger, first()).unwrap();
    let named = Fault::Key { signed: stranger.public().id().into(), given: public().id().into() };
    assert_eq!(refusal(&seal::bytes(&theirs).unwrap()), Some(named));
    assert!(verify(&seal::bytes(&theirs).unwrap(), &stranger.public(), None).is_ok());
    // A stranger who says to be somebody else, a signature of another release, and one that is none.
    let of_another = seal::sign(&key(), after(&sealed)).unwrap().signature;
    for signature in [theirs.signature, of_another, String::new(), sealed.signature.replace('A', "*") + "*"] {
        let forged = Sealed { signature, ..sealed.clone() };
        assert_eq!(refusal(&seal::bytes(&forged).unwrap()), Some(Fault::Signature));
    }
    let swapped = Sealed { release: after(&sealed), ..sealed };
    assert_eq!(refusal(&seal::bytes(&swapped).unwrap()), Some(Fault::Digest));
}

#[test]
fn releases_are_a_chain() {
    let one = seal::seal(&key(), first()).unwrap();
    let one_bytes = seal::bytes(&one).unwrap();
    let against = |release: File, previous: &[u8]| verify(&signed(release), &public(), Some(previous)).err();
    let two = |change: fn(&mut File)| {
        let mut release = after(&one);
        change(&mut release);
        release
    };
    assert_eq!(against(after(&one), &one_bytes), None);
    // By itself a later one is verified, too; the first one has nothing before it.
    assert_eq!(refusal(&signed(after(&one))), None);
    let numbers = Fault::Number { wanted: 2, found: 3 };
    assert_eq!(against(two(|release| release.number = 3), &one_bytes), Some(numbers));
    assert_eq!(against(first(), &one_bytes), Some(Fault::Number { wanted: 2, found: 1 }));
    let another = signed({
        let mut another = first();
        another.title.original = "en".into();
        another
    });
    assert_eq!(against(after(&one), &another), Some(Fault::PreviousDigest));
    assert_eq!(
        against(two(|release| release.published_at -= TimeDelta::hours(25)), &one_bytes),
        Some(Fault::BeforePrevious)
    );
    assert_eq!(
        against(two(|release| release.organization.id = Uuid::nil()), &one_bytes),
        Some(Fault::Publisher)
    );
    assert_eq!(
        against(after(&one), &one_bytes[..9]),
        Some(Fault::PreviousUnreadable(Box::new(Fault::NotJson)))
    );
    let mut cut = one_bytes.clone();
    cut.pop();
    assert_eq!(against(after(&one), &cut), Some(Fault::PreviousUnreadable(Box::new(Fault::NotCanonical))));
    for (number, previous) in
        [(1, Some("0".repeat(64))), (2, None), (2, Some("0".repeat(63))), (2, Some("A".repeat(64)))]
    {
        let fault = changed(|release| (release.number, release.previous) = (number, previous));
        assert_eq!(fault, Some(Fault::PreviousDigest));
    }
    assert_eq!(changed(|release| release.number = 0), Some(Fault::Number { wanted: 1, found: 0 }));
}

#[test]
fn what_is_carried_forward_is_what_was_shown() {
    let one = seal::seal(&key(), first()).unwrap();
    let against = |change: fn(&mut File), previous: &Sealed| {
        let mut release = after(previous);
        change(&mut release);
        match verify(&signed(release), &public(), Some(&seal::bytes(previous).unwrap())) {
            Ok(_) => None,
            Err(Fault::Content { flaw, .. }) => Some(flaw),
            Err(other) => panic!("{other:?}"),
        }
    };
    assert_eq!(against(|_| (), &one), None);
    let other_value: fn(&mut File) =
        |release| cell(release, ENROLLED, 0).value = Some(CellValue::Count { low: 185, high: 189 });
    assert_eq!(against(other_value, &one), Some(Flaw::CarriedOtherwise));
    // Computed anew it may be another.
    let anew: fn(&mut File) = |release| {
        cell(release, ENROLLED, 0).value = Some(CellValue::Count { low: 185, high: 189 });
        cell(release, ENROLLED, 0).release = Some(2);
    };
    assert_eq!(against(anew, &one), None);
    let other_period: fn(&mut File) =
        |release| cell(release, ENROLLED, 0).period = Some(release.rounds[0].field_work);
    assert_eq!(against(other_period, &one), Some(Flaw::CarriedOtherwise));
    // A cell that was not shown.
    let never_shown: fn(&mut File) = |release| {
        let shown = cell(release, BY_FACILITY_AND_AGE, 0).clone();
        *cell(release, BY_FACILITY_AND_AGE, 1) =
            Cell { at: cell(release, BY_FACILITY_AND_AGE, 1).at.clone(), ..shown };
    };
    assert_eq!(against(never_shown, &one), Some(Flaw::CarriedOtherwise));
    // Two carries a cell of one that three shows otherwise.
    let two = seal::seal(&key(), after(&one)).unwrap();
    assert_eq!(against(|_| (), &two), None);
    assert_eq!(against(other_value, &two), Some(Flaw::CarriedOtherwise));
    // Two does not show it and does not retract it, so three may carry it, as far as two can tell.
    let mut hidden = after(&one);
    let place = cell(&mut hidden, ENROLLED, 0);
    *place = Cell { at: place.at.clone(), value: None, release: None, period: None };
    let two = seal::seal(&key(), hidden.clone()).unwrap();
    let again: fn(&mut File) =
        |release| *cell(release, ENROLLED, 0) = cell(&mut first(), ENROLLED, 0).clone();
    assert_eq!(against(again, &two), None);
    let three = |two: &Sealed| {
        let mut release = after(two);
        again(&mut release);
        verify(&signed(release), &public(), None).unwrap()
    };
    let verified = |sealed: &Sealed| verify(&seal::bytes(sealed).unwrap(), &public(), None).unwrap();
    assert_eq!(three(&two).agrees_with(&verified(&one)), Ok(()));
    // Once it is retracted, it is not shown again.
    hidden.retractions.push(Retraction { release: 1, indicator: "enrolled".into(), at: Default::default() });
    let two = seal::seal(&key(), hidden).unwrap();
    assert_eq!(against(again, &two), Some(Flaw::Retracted));
    assert_eq!(three(&two).follows(&verified(&two)), Ok(()));
}

#[test]
fn every_cell_has_its_place() {
    let table: fn(&mut File) -> &mut Vec<Cell> = |release| &mut release.tables[BY_FACILITY_AND_AGE].cells;
    check(|release| table(release).swap(0, 1), Flaw::CellOrder);
    check(|release| table(release).reverse(), Flaw::CellOrder);
    check(|release| drop(table(release).pop()), Flaw::CellMissing);
    check(|release| table(release).clear(), Flaw::CellMissing);
    check(
        |release| {
            let cell = table(release)[0].clone();
            table(release).insert(1, cell);
        },
        Flaw::CellTwice,
    );
    check(|release| table(release)[1].at = table(release)[0].at.clone(), Flaw::CellTwice);
    let code = |release: &mut File, dimension, code: &str| {
        table(release)[0].at.insert(dimension, code.into());
    };
    use entity::value::OutcomeDimension::{Age, Facility, Program};
    check(|release| code(release, Facility, "este"), Flaw::UnknownCoordinate);
    check(|release| code(release, Program, "taller"), Flaw::UnknownCoordinate);
    check(|release| drop(table(release)[0].at.remove(&Age)), Flaw::UnknownCoordinate);
    check(|release| code(release, Age, "norte"), Flaw::UnknownCoordinate);
    // The categories in another order, and one more of them.
    check(|release| release.dimensions[0].categories.reverse(), Flaw::CellOrder);
    check(|release| release.tables[BY_FACILITY_AND_AGE].dimensions.reverse(), Flaw::CellOrder);
    check(
        |release| {
            let more = crate::sealed::Category {
                code: "este".into(),
                ..release.dimensions[0].categories[0].clone()
            };
            release.dimensions[0].categories.push(more);
        },
        Flaw::CellMissing,
    );
}

#[test]
fn names_lead_somewhere_and_stand_once() {
    check(|release| release.tables[0].indicator = "other".into(), Flaw::NotThere);
    check(|release| drop(release.indicators.remove(0)), Flaw::NotThere);
    check(|release| release.rounds.clear(), Flaw::NotThere);
    check(|release| drop(release.dimensions.remove(1)), Flaw::NotThere);
    check(|release| release.indicators.push(release.indicators[0].clone()), Flaw::Twice);
    check(|release| release.rounds.push(release.rounds[0].clone()), Flaw::Twice);
    check(|release| release.dimensions.push(release.dimensions[0].clone()), Flaw::Twice);
    check(|release| release.tables.push(release.tables[0].clone()), Flaw::Twice);
    check(
        |release| {
            let code = "again".into();
            release.tables.push(crate::sealed::TableEntry { code, ..release.tables[0].clone() });
        },
        Flaw::Twice,
    );
    check(
        |release| {
            let again = release.dimensions[0].categories[0].clone();
            release.dimensions[0].categories.push(again);
        },
        Flaw::Twice,
    );
    check(
        |release| {
            let dimensions = &mut release.tables[BY_FACILITY_AND_AGE].dimensions;
            dimensions[1] = dimensions[0];
        },
        Flaw::Twice,
    );
    check(
        |release| {
            let dimension = entity::value::OutcomeDimension::Region;
            release.tables[BY_FACILITY_AND_AGE].dimensions.push(dimension);
        },
        Flaw::Breakdown,
    );
    check(|release| release.rounds[0].linkage = entity::value::SurveyLinkage::Anonymous, Flaw::Breakdown);
}

#[test]
fn figures_keep_to_the_rules() {
    let base = CountBand { low: 180, high: 184 };
    let count = |low, high| {
        move |release: &mut File| cell(release, ENROLLED, 0).value = Some(CellValue::Count { low, high })
    };
    let share = |base, low_percent, high_percent| {
        move |release: &mut File| {
            cell(release, BUSY, 0).value = Some(CellValue::Share { base, low_percent, high_percent });
        }
    };
    let mean = |base, low, high| {
        move |release: &mut File| cell(release, HOURS, 0).value = Some(CellValue::Mean { base, low, high })
    };
    let sum = |base, low, high| {
        move |release: &mut File| cell(release, PAID, 0).value = Some(CellValue::Sum { base, low, high })
    };

    for (low, high) in [(0, 9), (10, 14), (1000, 1004)] {
        assert_eq!(changed(count(low, high)), None);
    }
    for (low, high) in [
        (182, 182),
        (180, 183),
        (181, 185),
        (0, 4),
        (5, 9),
        (0, 0),
        (-5, -1),
        (0, 14),
        (1 << 40, (1 << 40) + 4),
    ] {
        check(count(low, high), Flaw::Count);
    }
    assert_eq!(changed(share(base, 76, 82)), None);
    for (low, high) in [(97, 97), (0, 0), (100, 100), (82, 76), (-1, 5), (95, 101)] {
        check(share(base, low, high), Flaw::ShareEnds);
    }
    // Narrower, wider, beside it, and right for another base alone.
    for (low, high) in [(76, 81), (77, 82), (97, 98), (99, 100), (0, 100), (50, 80), (69, 100)] {
        check(share(base, low, high), Flaw::ShareBand);
    }
    let few = CountBand { low: 15, high: 19 };
    let none = CountBand { low: 180, high: 185 };
    check(share(few, 50, 100), Flaw::Base);
    check(share(none, 76, 82), Flaw::Base);
    check(share(CountBand { low: 0, high: 9 }, 0, 100), Flaw::Base);
    check(mean(CountBand { low: 20, high: 24 }, 350, 400), Flaw::Base);
    assert_eq!(changed(mean(CountBand { low: 25, high: 29 }, 350, 400)), None);
    check(mean(base, 350, 350), Flaw::Amount);
    check(mean(base, 400, 350), Flaw::Amount);
    check(sum(CountBand { low: 0, high: 9 }, 0, 10), Flaw::Base);
    check(sum(none, 0, 10), Flaw::Base);
    check(sum(base, 10, 10), Flaw::Amount);
    let rate = |change: fn(&mut crate::sealed::Rate)| {
        move |release: &mut File| release.rounds[0].response_rate.iter_mut().for_each(change)
    };
    check(rate(|rate| rate.high_percent -= 1), Flaw::ShareBand);
    check(rate(|rate| rate.low_percent = 100), Flaw::ShareEnds);
    check(rate(|rate| rate.base.low += 1), Flaw::Base);
    // A figure of another kind, without a source, a source without a figure.
    check(|release| cell(release, ENROLLED, 0).value = cell(release, BUSY, 0).value.clone(), Flaw::Cell);
    check(|release| cell(release, ENROLLED, 0).value = None, Flaw::Cell);
    check(|release| cell(release, ENROLLED, 0).release = None, Flaw::Cell);
    check(|release| cell(release, ENROLLED, 0).period = None, Flaw::Cell);
    check(|release| cell(release, BY_FACILITY_AND_AGE, 1).period = Some(release.period), Flaw::Cell);
}

#[test]
fn rules_are_not_weaker_than_the_method() {
    let weaker: [fn(&mut crate::sealed::Policy); 14] = [
        |rules| rules.threshold = 5,
        |rules| rules.count_width = 0,
        |rules| rules.count_width = 2,
        |rules| rules.count_width = 7,
        |rules| rules.answer_width = 5,
        |rules| rules.most_bands = 99,
        |rules| rules.most_bands = 0,
        |rules| rules.mean_threshold = 10,
        |rules| rules.retaliation_threshold = 39,
        |rules| (rules.sites, rules.site_threshold) = (1, 1),
        |rules| rules.least_difference = 1,
        |rules| rules.coalition = u32::MAX,
        |rules| rules.most_dimensions = 3,
        |rules| rules.delay_days = 59,
    ];
    for change in weaker {
        assert_eq!(changed(|release| change(&mut release.policy)), Some(Fault::Policy));
    }
    // Stricter ones hold in place of the usual ones.
    assert_eq!(changed(|release| release.policy.least_difference = 20), None);
    check(|release| release.policy.count_width = 10, Flaw::Base);
    check(|release| release.policy.answer_width = 20, Flaw::ShareBand);
    check(|release| release.policy.delay_days = 100, Flaw::Early);
}

#[test]
fn days_and_releases_are_in_order() {
    assert_eq!(changed(|release| release.published_at = "2026-05-30T00:00:00Z".parse().unwrap()), None);
    check(|release| release.published_at = "2026-05-29T23:59:59Z".parse().unwrap(), Flaw::Early);
    check(|release| release.rounds[0].field_work.end = "2026-04-17".parse().unwrap(), Flaw::Early);
    let end = |release: &mut File| {
        cell(release, ENROLLED, 0).period.as_mut().unwrap().end = "2026-04-17".parse().unwrap()
    };
    check(end, Flaw::Early);
    check(|release| release.period.end = chrono::NaiveDate::MAX, Flaw::Early);
    check(|release| release.period.end = "2025-12-31".parse().unwrap(), Flaw::Span);
    check(|release| release.rounds[0].field_work.end = "2026-02-01".parse().unwrap(), Flaw::Span);
    check(|release| cell(release, ENROLLED, 0).release = Some(2), Flaw::NotEarlier);
    check(|release| cell(release, ENROLLED, 0).release = Some(0), Flaw::NotEarlier);
    check(|release| release.corrects = Some(1), Flaw::NotEarlier);
    check(|release| release.corrects = Some(0), Flaw::NotEarlier);
    let retraction =
        |number| Retraction { release: number, indicator: "enrolled".into(), at: Default::default() };
    check(|release| release.retractions.push(retraction(1)), Flaw::NotEarlier);
    check(
        |release| {
            (release.number, release.previous) = (2, Some("0".repeat(64)));
            release.retractions.push(retraction(1));
        },
        Flaw::Retracted,
    );
}

#[test]
fn reasons_are_told_in_both_languages_and_steer_nothing() {
    let faults = [
        Fault::TooLarge,
        Fault::NotJson,
        Fault::NotCanonical,
        Fault::Digest,
        Fault::Signature,
        Fault::Publisher,
        Fault::PreviousDigest,
        Fault::BeforePrevious,
        Fault::Policy,
        Fault::Number { wanted: 2, found: 4 },
        Fault::Key { signed: "\u{1b}[2J".into(), given: "x".into() },
        Fault::Format("a\u{202e}b".into()),
        Fault::UnknownField("c\r".into()),
        Fault::PreviousUnreadable(Box::new(Fault::Digest)),
        Flaw::CellOrder.at("table\u{7}"),
    ];
    for fault in faults {
        let reason = fault.reason();
        assert_ne!(reason.en, reason.es);
        for text in [&reason.en, &reason.es] {
            assert_eq!(plain(text), *text);
        }
    }
    assert_eq!(Flaw::CellMissing.at("paid").reason().en, "paid: a cell is missing");
    assert_eq!(Flaw::CellMissing.at("paid").reason().es, "paid: falta una celda");
}
