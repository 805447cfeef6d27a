//! Errors, retractions, withdrawals.

use disclosure::*;

use crate::support::*;

struct Published {
    women: Vec<Woman>,
    yes: UnitSet,
    registry: Registry,
    history: History,
}

fn published(kind: fn(&str, Kind) -> Variable) -> Published {
    let mut rng = rng(11);
    let women = population(&mut rng, 300);
    let Values::Yes(yes) = answers(&mut rng, &women, 80) else { unreachable!() };
    let registry = registry(&[kind("busy", BUSY)]);
    let mut history = History::default();
    let snapshot = snapshot(2024, &women, vec![("busy", Values::Yes(yes.clone()))]);
    history.publish(prepare(&history, &snapshot, &registry, &Parameters::default()).unwrap().record);
    Published { women, yes, registry, history }
}

impl Published {
    fn snapshot(&self, year: u16, yes: &UnitSet) -> Snapshot {
        snapshot(year, &self.women, vec![("busy", Values::Yes(yes.clone()))])
    }

    fn correct(&self, snapshot: &Snapshot) -> Prepared {
        prepare_correction(&self.history, 1, snapshot, &self.registry, &Parameters::default()).unwrap()
    }

    fn prepare(&self, snapshot: &Snapshot) -> Prepared {
        prepare(&self.history, snapshot, &self.registry, &Parameters::default()).unwrap()
    }

    fn members(&self, coordinates: &Coordinates) -> &UnitSet {
        let cells = cells(&self.history).into_iter();
        cells
            .map(|(_, cell)| cell)
            .find(|cell| cell.coordinates == *coordinates)
            .map(|cell| &cell.members)
            .unwrap()
    }
}

fn turned(yes: &UnitSet, units: &UnitSet) -> UnitSet {
    yes.minus(units).or(&units.minus(yes))
}

#[test]
fn errors_in_few_women_retract_their_cells_and_put_nothing_in_their_place() {
    let before = published(variable);
    let wrong: UnitSet = before.women[..3].iter().map(|w| w.unit).collect();
    let snapshot = before.snapshot(2024, &turned(&before.yes, &wrong));
    let prepared = before.correct(&snapshot);
    let shown = shown(&prepared.public);
    assert_eq!(prepared.public.corrects, Some(1));
    for (_, cell) in cells(&before.history) {
        let retracted = prepared.public.retractions.iter().any(|place| place.coordinates == cell.coordinates);
        assert_eq!(retracted, cell.members.intersects(&wrong));
        // What is untouched is shown as it was, from the first release.
        let now = shown.get(&("busy".into(), cell.coordinates.clone())).copied();
        assert_eq!(now, (!retracted).then_some((cell.figure, 1)));
    }
    assert!(!prepared.public.retractions.is_empty() && !shown.is_empty());
    assert!(prepared.record.measurements.is_empty());
}

#[test]
fn errors_in_many_women_are_computed_again_where_many_are_touched() {
    let before = published(variable);
    let wrong: UnitSet = before.women.iter().map(|w| w.unit).filter(|unit| unit.0 % 7 == 0).collect();
    let corrected = turned(&before.yes, &wrong);
    let prepared = before.correct(&before.snapshot(2024, &corrected));
    let shown = shown(&prepared.public);
    let mut again = 0;
    for (_, cell) in cells(&before.history) {
        let now = shown.get(&("busy".into(), cell.coordinates.clone()));
        match cell.members.shared(&wrong) {
            0 => assert_eq!(now, Some(&(cell.figure, 1))),
            1..10 => assert_eq!(now, None),
            _ => again += usize::from(now.is_some_and(|(_, release)| *release == 2)),
        }
    }
    assert!(again > 0 && shown.contains_key(&("busy".into(), at(&[]))), "{:?}", prepared.report);
    // The audit held both releases: a world turns a woman round in each of them.
    let mut history = before.history.clone();
    history.publish(prepared.record);
    assert!(audit::audit(&system(&history, UnitSet::new()), &Parameters::default()).safe);
}

#[test]
fn wrong_amounts_are_computed_again_while_nobody_shows() {
    let women = population(&mut rng(12), 300);
    let registry = registry(&[variable("income", INCOME)]);
    let pay = |wrong: i64| {
        let amount = |w: &Woman| 100 + i64::from(w.unit.0 % 7) * 50 + if w.facility == 1 { wrong } else { 0 };
        snapshot(
            2024,
            &women,
            vec![("income", Values::Amounts(women.iter().map(|w| (w.unit, amount(w))).collect()))],
        )
    };
    let mut history = History::default();
    history.publish(prepare(&history, &pay(0), &registry, &Parameters::default()).unwrap().record);
    let figure = |wrong, facility: &str| {
        let prepared =
            prepare_correction(&history, 1, &pay(wrong), &registry, &Parameters::default()).unwrap();
        shown(&prepared.public)
            .get(&("income".into(), at(&[("facility", facility)])))
            .map(|(_, release)| *release)
    };
    assert_eq!([figure(200, "F1"), figure(200, "F2")], [Some(1), Some(2)]);
    // Amounts that were nearly nothing and are nearly the whole range have no room left: both figures together would
    // tell of them. Then what was wrong is taken back, and what was right stays.
    assert_eq!([figure(1900, "F1"), figure(1900, "F2")], [Some(1), None]);
}

#[test]
fn a_retracted_cell_is_not_carried_forward_and_comes_back_with_the_next_period() {
    let mut before = published(persistent);
    let wrong: UnitSet = before.women[..3].iter().map(|w| w.unit).collect();
    let corrected = turned(&before.yes, &wrong);
    let correction = before.correct(&before.snapshot(2024, &corrected));
    before.history.publish(correction.record.clone());

    // A second correction of the same release gives nothing either, even if many more errors are found.
    let many: UnitSet = before.women[..60].iter().map(|w| w.unit).collect();
    let second = before.correct(&before.snapshot(2024, &turned(&before.yes, &many)));
    let total = ("busy".into(), at(&[]));
    assert!(!shown(&second.public).contains_key(&total));

    let next = before.prepare(&before.snapshot(2025, &corrected));
    let shown = shown(&next.public);
    for place in &correction.public.retractions {
        assert_ne!(
            shown.get(&("busy".into(), place.coordinates.clone())).map(|(_, release)| *release),
            Some(1)
        );
    }
    assert_eq!(shown[&total].1, 3, "{:?}", next.report);

    // With nine women fewer it is neither computed, for it is too close, nor carried forward, for it was wrong.
    let fewer = snapshot(2025, &before.women[9..], vec![("busy", Values::Yes(corrected.clone()))]);
    assert!(!crate::support::shown(&before.prepare(&fewer).public).contains_key(&total));
}

#[test]
fn cells_of_a_woman_who_has_withdrawn_are_neither_computed_nor_carried() {
    let before = published(variable);
    let gone = before.women[0].unit;
    let mut next = before.snapshot(2025, &before.yes);
    next.withdrawn.insert(gone);
    let prepared = before.prepare(&next);
    let shown = shown(&prepared.public);
    for (_, cell) in cells(&before.history) {
        if cell.members.contains(gone) {
            assert_eq!(shown.get(&("busy".into(), cell.coordinates.clone())), None, "{:?}", cell.coordinates);
        }
    }
    assert!(!shown.is_empty());
    let measured = &prepared.record.measurements;
    assert!(measured.iter().flat_map(|m| &m.cells).all(|cell| !cell.members.contains(gone)));
    // Once enough others have come and gone, the total appears again, without her.
    let mut later = snapshot(2025, &before.women[..250], vec![("busy", Values::Yes(before.yes.clone()))]);
    later.withdrawn.insert(gone);
    let prepared = before.prepare(&later);
    assert!(crate::support::shown(&prepared.public).contains_key(&("busy".into(), at(&[]))));
    assert!(before.members(&at(&[])).contains(gone), "the audit still holds what was published of her");
}

#[test]
fn a_withdrawal_between_release_and_correction_is_no_error() {
    let before = published(variable);
    let mut same = before.snapshot(2024, &before.yes);
    same.withdrawn.insert(before.women[0].unit);
    let prepared = before.correct(&same);
    assert!(prepared.public.retractions.is_empty());
    assert_eq!(shown(&prepared.public).len(), cells(&before.history).len());
}

#[test]
fn only_what_was_released_can_be_corrected() {
    let before = published(variable);
    let other = before.snapshot(2023, &before.yes);
    let correct = |release, snapshot: &Snapshot| {
        prepare_correction(&before.history, release, snapshot, &before.registry, &Parameters::default())
            .unwrap_err()
    };
    assert_eq!(correct(1, &other), Refusal::NothingToCorrect);
    assert_eq!(correct(2, &before.snapshot(2024, &before.yes)), Refusal::NothingToCorrect);
}

#[test]
fn the_history_survives_being_written_and_read() {
    let before = published(variable);
    let text = serde_json::to_string(&before.history).unwrap();
    assert_eq!(serde_json::from_str::<History>(&text).unwrap(), before.history);
}
