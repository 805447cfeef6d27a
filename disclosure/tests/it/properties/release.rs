//! Properties of one release.

use disclosure::*;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::{all_kinds, measures, percent, touch, whole};
use crate::support::*;

/// One release of a count, a share, a mean and a sum.
fn one_release(seed: u64) -> (Vec<Woman>, Snapshot, StdRng) {
    let mut rng = rng(seed);
    let size = rng.random_range(20..400);
    let women = population(&mut rng, size);
    let percent = percent(&mut rng);
    let measures = measures(&mut rng, &women, percent);
    let snapshot = snapshot(2024, &women, measures);
    (women, snapshot, rng)
}

fn release(snapshot: &Snapshot) -> Prepared {
    prepare(&History::default(), snapshot, &all_kinds(variable), &Parameters::default()).unwrap()
}

/// The cells of a release with the variable that each is of.
fn published(prepared: &Prepared) -> Vec<(&Measurement, &PublishedCell)> {
    prepared.record.measurements.iter().flat_map(|m| m.cells.iter().map(move |cell| (m, cell))).collect()
}

/// The same cell of two releases, where both show it.
fn both<'a>(
    one: &'a Prepared,
    other: &'a Prepared,
) -> Vec<(&'a Measurement, &'a PublishedCell, &'a PublishedCell)> {
    let others = published(other);
    let pair = |(m, cell): (&'a Measurement, &'a PublishedCell)| {
        let same = |(n, c): &&(&Measurement, &PublishedCell)| {
            n.variable == m.variable && c.coordinates == cell.coordinates
        };
        others.iter().find(same).map(|(_, c)| (m, cell, *c))
    };
    published(one).into_iter().filter_map(pair).collect()
}

#[test]
fn p1_every_interval_is_wide() {
    for seed in 0..cases() {
        let (_, snapshot, _) = one_release(seed);
        for (measurement, cell) in published(&release(&snapshot)) {
            let women = cell.members.len() as i64;
            let (least, of) = match measurement.kind {
                Kind::Count { .. } => (5, i64::MAX),
                Kind::Answer { .. } => (8, women),
                Kind::Mean { lower, upper, .. } => (8 * (upper - lower), women * upper),
                Kind::Sum { upper, .. } => (8 * upper, women * upper),
            };
            // What no women could make is no part of the interval.
            let possible = cell.sum.at_most.min(of) - cell.sum.at_least.max(0) + 1;
            assert!(possible >= least, "seed {seed}: {cell:?}");
            let enough = match measurement.kind {
                Kind::Count { .. } => 0,
                Kind::Answer { .. } => 23,
                Kind::Mean { .. } | Kind::Sum { .. } => 25,
            };
            assert!(women >= enough, "seed {seed}: {cell:?}");
        }
    }
}

#[test]
fn p2_every_interval_is_true() {
    for seed in 0..cases() {
        let (_, snapshot, _) = one_release(seed);
        for (measurement, cell) in published(&release(&snapshot)) {
            let women = cell.members.len() as i64;
            let raw = &snapshot.rounds[0].measures;
            let raw = &raw.iter().find(|m| m.variable == measurement.variable).unwrap().values;
            let clipped = |unit| match measurement.kind {
                Kind::Mean { lower, upper, .. } => value(raw, unit).clamp(lower, upper),
                Kind::Sum { upper, .. } => value(raw, unit).clamp(0, upper),
                Kind::Count { .. } | Kind::Answer { .. } => value(raw, unit),
            };
            let sum = cell.members.iter().map(clipped).sum::<i64>();
            assert!(cell.sum.contains(sum), "seed {seed}: {cell:?}");
            let (base, within) = match cell.figure {
                Figure::Count { women: band } => (band, band.contains(sum)),
                Figure::Share { base, percent: Interval { at_least, at_most } } => {
                    (base, at_least * women <= sum * 100 && sum * 100 <= at_most * women)
                }
                Figure::Mean { base, mean: Interval { at_least, at_most } } => {
                    (base, at_least * women <= sum && sum <= at_most * women)
                }
                Figure::Sum { base, sum: band } => (base, band.contains(sum)),
            };
            assert!(within && base.contains(women), "seed {seed}: {cell:?}");
        }
    }
}

#[test]
fn p3_all_or_nobody_is_no_figure_of_its_own() {
    let answered = |snapshot: &Snapshot, yes: UnitSet| {
        let mut snapshot = snapshot.clone();
        snapshot.rounds[0].measures.retain(|m| m.variable.0 == "busy");
        snapshot.rounds[0].measures[0].values = Values::Yes(yes);
        release(&snapshot)
    };
    let mut compared = 0;
    for seed in 0..cases() {
        let (women, snapshot, mut rng) = one_release(seed);
        let few: UnitSet = (0..7).map(|_| women[rng.random_range(0..women.len())].unit).collect();
        let everybody = units(&women);
        let of = |yes: &UnitSet| answered(&snapshot, yes.clone());
        let (nobody, some) = (of(&UnitSet::new()), of(&few));
        let (all, most) = (of(&everybody), of(&everybody.minus(&few)));
        assert_eq!(shown(&nobody.public), shown(&some.public), "seed {seed}");
        assert_eq!(shown(&all.public), shown(&most.public), "seed {seed}");

        let Values::Yes(yes) = answers(&mut rng, &women, 85) else { unreachable!() };
        for (_, cell, opposite) in both(&of(&yes), &of(&everybody.minus(&yes))) {
            let women = cell.members.len() as i64;
            assert_eq!(cell.sum.at_least, women - opposite.sum.at_most, "seed {seed}: {cell:?}");
            assert_eq!(cell.sum.at_most, women - opposite.sum.at_least, "seed {seed}: {cell:?}");
            let (Figure::Share { percent: yes, .. }, Figure::Share { percent: no, .. }) =
                (cell.figure, opposite.figure)
            else {
                unreachable!()
            };
            assert_eq!(yes, Interval { at_least: 100 - no.at_most, at_most: 100 - no.at_least });
            assert!(yes.at_least < yes.at_most, "no share is a point");
            compared += 1;
        }
    }
    assert!(compared > 0);
}

#[test]
fn p4_one_answer_moves_each_figure_by_at_most_one_band() {
    for seed in 0..cases() {
        let (women, before, mut rng) = one_release(seed);
        let unit = women[rng.random_range(0..women.len())].unit;
        let mut after = before.clone();
        for measure in &mut after.rounds[0].measures {
            match &mut measure.values {
                Values::Members(_) => {}
                Values::Yes(yes) if yes.contains(unit) => yes.remove(unit),
                Values::Yes(yes) => yes.insert(unit),
                // From one end of the range to the other.
                Values::Amounts(amounts) => {
                    let amount = if amounts[&unit] < 1000 { 9000 } else { 0 };
                    amounts.insert(unit, amount);
                }
            }
        }
        let (first, second) = (release(&before), release(&after));
        for (measurement, old, new) in both(&first, &second) {
            assert!(touch(old.sum, new.sum), "seed {seed}: {old:?} {new:?}");
            assert!(old.sum == new.sum || old.members.contains(unit), "seed {seed}: {measurement:?}");
        }
        let untouched = |code: &str| whole(&first, code) && whole(&second, code);
        if ["busy", "income", "earned"].into_iter().all(untouched) {
            let keys = |prepared: &Prepared| shown(&prepared.public).into_keys().collect::<Vec<_>>();
            assert_eq!(keys(&first), keys(&second), "seed {seed}: what is shown depends on memberships only");
        }
    }
}

#[test]
fn p4_one_woman_more_moves_each_count_by_at_most_one_band() {
    for seed in 0..cases() {
        let (women, with, mut rng) = one_release(seed);
        let one = rng.random_range(0..women.len());
        let without = [&women[..one], &women[one + 1..]].concat();
        let counted = vec![("enrolled", Values::Members(units(&without)))];
        let pairs = (release(&with), release(&snapshot(2024, &without, counted)));
        let pairs = both(&pairs.0, &pairs.1);
        assert_eq!(pairs.iter().filter(|(m, ..)| m.variable.0 == "enrolled").count(), pairs.len());
        for (_, old, new) in pairs {
            assert!(touch(old.sum, new.sum), "seed {seed}: {old:?} {new:?}");
        }
    }
}

#[test]
fn p10_the_same_data_give_the_same_bytes_whatever_the_numbers_of_women() {
    for seed in 0..cases() {
        let (women, snapshot, mut rng) = one_release(seed);
        let first = release(&snapshot);
        let bytes = |prepared: &Prepared| serde_json::to_string(&prepared.public).unwrap();
        assert_eq!(bytes(&first), bytes(&release(&snapshot)));
        assert_eq!(first, release(&snapshot));

        let mut numbers: Vec<u32> = (0..women.len() as u32).collect();
        numbers.shuffle(&mut rng);
        let renumber = |unit: Unit| Unit(numbers[unit.0 as usize]);
        let set = |set: &UnitSet| set.iter().map(renumber).collect::<UnitSet>();
        let mut permuted = snapshot.clone();
        let round = &mut permuted.rounds[0];
        round.measures.shuffle(&mut rng);
        (round.eligible, round.respondents) = (set(&round.eligible), set(&round.respondents));
        round
            .groups
            .values_mut()
            .flat_map(|groups| groups.values_mut())
            .for_each(|group| *group = set(group));
        for measure in &mut round.measures {
            measure.values = match &measure.values {
                Values::Members(members) => Values::Members(set(members)),
                Values::Yes(yes) => Values::Yes(set(yes)),
                Values::Amounts(amounts) => {
                    Values::Amounts(amounts.iter().map(|(unit, amount)| (renumber(*unit), *amount)).collect())
                }
            };
        }
        let second = release(&permuted);
        assert_eq!(bytes(&first), bytes(&second), "seed {seed}");
        assert_eq!(first.report, second.report, "seed {seed}");
    }
}

#[test]
fn p13_the_largest_amount_moves_a_mean_or_sum_by_at_most_one_band() {
    let mut compared = 0;
    for seed in 0..cases() {
        let (_, before, mut rng) = one_release(seed);
        let (mut within, mut beyond) = (before.clone(), before.clone());
        let amounts = |snapshot: &mut Snapshot, set: &mut dyn FnMut(&mut i64)| {
            for measure in &mut snapshot.rounds[0].measures {
                if let Values::Amounts(amounts) = &mut measure.values {
                    let top = amounts.iter().max_by_key(|(_, amount)| **amount).map(|(unit, _)| *unit);
                    set(amounts.get_mut(&top.unwrap()).unwrap());
                }
            }
        };
        amounts(&mut within, &mut |amount| *amount = rng.random_range(0..=2000));
        // What is above the range is cut off, so that more of it is nothing at all.
        amounts(&mut beyond, &mut |amount| *amount = if *amount >= 2000 { 1_000_000 } else { *amount });
        let first = release(&before);
        assert_eq!(first.public, release(&beyond).public, "seed {seed}");
        for (_, old, new) in both(&first, &release(&within)) {
            assert!(touch(old.sum, new.sum), "seed {seed}: {old:?} {new:?}");
            compared += usize::from(old.sum != new.sum);
        }
    }
    assert!(compared > 0, "some figure moved");
}

#[test]
fn p15_nothing_of_a_woman_is_in_what_readers_get() {
    for seed in 0..cases() {
        let (_, mut snapshot, mut rng) = one_release(seed);
        // A number and an amount that no figure could have: bands of sums end in zeros or nines.
        let (unit, amount) = (rng.random_range(700..900) * 1000 + 123, 1987);
        let canary = Unit(unit);
        snapshot.rounds[0].eligible.insert(canary);
        snapshot.rounds[0].respondents.insert(canary);
        for measure in &mut snapshot.rounds[0].measures {
            match &mut measure.values {
                Values::Members(set) | Values::Yes(set) => set.insert(canary),
                Values::Amounts(amounts) => drop(amounts.insert(canary, amount)),
            }
        }
        let prepared = release(&snapshot);
        let planted = [unit.to_string(), amount.to_string()];
        let record = serde_json::to_string(&prepared.record).unwrap();
        assert!(record.contains(&planted[0]), "seed {seed}");
        for text in [serde_json::to_string(&prepared.public), serde_json::to_string(&prepared.report)] {
            let text = text.unwrap();
            assert!(planted.iter().all(|planted| !text.contains(planted)), "seed {seed}: {text}");
        }
    }
}
