//! What must hold for every population: the numbers are those of the list of properties in METHOD.md.

use std::collections::BTreeSet;

use disclosure::*;
use rand::Rng;
use rand::seq::SliceRandom;

use crate::support::*;

/// One of each kind.
const KINDS: [(&str, Kind); 4] =
    [("enrolled", ENROLLED), ("busy", BUSY), ("income", INCOME), ("earned", EARNED)];

fn all_kinds(register: fn(&str, Kind) -> Variable) -> Registry {
    registry(&KINDS.map(|(code, kind)| register(code, kind)))
}

/// One release of a count, a share, a mean and a sum.
fn one_release(seed: u64) -> (Vec<Woman>, Snapshot, Registry) {
    let mut rng = rng(seed);
    let size = rng.random_range(20..400);
    let women = population(&mut rng, size);
    let percent = [50, 85, 97, 100][rng.random_range(0..4)];
    let measures = vec![
        ("enrolled", Values::Members(units(&women))),
        ("busy", answers(&mut rng, &women, percent)),
        ("income", amounts(&mut rng, &women)),
        ("earned", amounts(&mut rng, &women)),
    ];
    let snapshot = snapshot(2024, &women, measures);
    (women, snapshot, all_kinds(variable))
}

fn release(snapshot: &Snapshot, registry: &Registry) -> Prepared {
    prepare(&History::default(), snapshot, registry, &Parameters::default()).unwrap()
}

#[test]
fn p1_p2_every_interval_is_wide_and_true() {
    for seed in 0..cases() {
        let (_, snapshot, registry) = one_release(seed);
        let mut history = History::default();
        history.publish(release(&snapshot, &registry).record);
        for (measurement, cell) in cells(&history) {
            let women = cell.members.len() as i64;
            let sum = cell.members.iter().map(|unit| value(&measurement.values, unit)).sum();
            assert!(cell.sum.contains(sum), "seed {seed}: {cell:?}");
            let least = match measurement.kind {
                Kind::Count { .. } => 5,
                Kind::Answer { .. } => 8,
                Kind::Mean { lower, upper, .. } => 8 * (upper - lower),
                Kind::Sum { upper, .. } => 8 * upper,
            };
            assert!(cell.sum.at_most - cell.sum.at_least + 1 >= least, "seed {seed}: {cell:?}");
            match cell.figure {
                Figure::Count { women: band } => assert!(band.contains(women), "seed {seed}"),
                Figure::Share { base, percent } => {
                    assert!(base.contains(women) && women >= 23, "seed {seed}");
                    // The share lies between the published points, and these are never one point.
                    assert!(percent.at_least * women <= sum * 100 && sum * 100 <= percent.at_most * women);
                    assert!(percent.at_least < percent.at_most, "seed {seed}");
                }
                Figure::Mean { base, mean } => {
                    assert!(base.contains(women) && women >= 25, "seed {seed}");
                    assert!(mean.at_least * women <= sum && sum <= mean.at_most * women, "seed {seed}");
                }
                Figure::Sum { base, sum: band } => {
                    assert!(base.contains(women) && women >= 25, "seed {seed}");
                    assert!(band.contains(sum) && band == cell.sum, "seed {seed}");
                }
            }
        }
    }
}

#[test]
fn p4_one_answer_moves_each_figure_by_at_most_one_band() {
    for seed in 0..cases() {
        let (women, before, registry) = one_release(seed);
        let mut rng = rng(seed);
        let unit = women[rng.random_range(0..women.len())].unit;
        let mut after = before.clone();
        for measure in &mut after.rounds[0].measures {
            match &mut measure.values {
                Values::Members(_) => {}
                Values::Yes(yes) if yes.contains(unit) => yes.remove(unit),
                Values::Yes(yes) => yes.insert(unit),
                // P13 as well: one woman's amount goes from one end of the range to the other.
                Values::Amounts(amounts) => {
                    let amount = if amounts[&unit] < 1000 { 9000 } else { 0 };
                    amounts.insert(unit, amount);
                }
            }
        }
        let [mut was, mut is] = [History::default(), History::default()];
        let (first, second) = (release(&before, &registry), release(&after, &registry));
        let whole =
            |prepared: &Prepared| prepared.report.variables.iter().all(|v| v.outcome == Outcome::Whole);
        was.publish(first.record.clone());
        is.publish(second.record.clone());
        let (was, is) = (cells(&was), cells(&is));
        if whole(&first) && whole(&second) {
            assert_eq!(was.len(), is.len(), "seed {seed}: what is shown depends on memberships only");
        }
        for (measurement, old) in was {
            let same = |(m, c): &&(&Measurement, &PublishedCell)| {
                m.variable == measurement.variable && c.coordinates == old.coordinates
            };
            let Some((_, new)) = is.iter().find(same) else { continue };
            // The same band or one that touches it.
            let apart = (new.sum.at_least - old.sum.at_most).max(old.sum.at_least - new.sum.at_most);
            assert!(apart <= 1, "seed {seed}: {old:?} {new:?}");
        }
    }
}

#[test]
fn p5_what_is_shown_depends_on_memberships_only() {
    for seed in 0..cases() {
        let (women, first, registry) = one_release(seed);
        let mut other = rng(seed + 1_000_000);
        let mut second = first.clone();
        for measure in &mut second.rounds[0].measures {
            match &mut measure.values {
                Values::Members(_) => {}
                Values::Yes(yes) => {
                    let Values::Yes(new) = answers(&mut other, &women, 70) else { unreachable!() };
                    *yes = new;
                }
                Values::Amounts(old) => {
                    let Values::Amounts(new) = amounts(&mut other, &women) else { unreachable!() };
                    *old = new;
                }
            }
        }
        let (first, second) = (release(&first, &registry), release(&second, &registry));
        let keys = |prepared: &Prepared, variable: &str| {
            let shown = shown(&prepared.public).into_keys();
            shown.filter(|(code, _)| code.0 == variable).collect::<BTreeSet<_>>()
        };
        for (a, b) in first.report.variables.iter().zip(&second.report.variables) {
            // Where the audit takes a dimension away, it does so for values: the stated exception.
            if a.outcome == Outcome::Whole && b.outcome == Outcome::Whole {
                assert_eq!(keys(&first, &a.variable.0), keys(&second, &b.variable.0), "seed {seed}");
            }
        }
    }
}

/// Some years with joiners and leavers.
fn years(seed: u64, kind: fn(&str, Kind) -> Variable) -> (History, Registry) {
    let mut rng = rng(seed);
    let registry = all_kinds(kind);
    let size = rng.random_range(60..250);
    let mut women = population(&mut rng, size);
    let percent = [60, 85, 97][rng.random_range(0..3)];
    // A persistent fact is a woman's for life.
    let everybody = population(&mut rng, 2000);
    let yes = answers(&mut rng, &everybody, percent);
    let (income, earned) = (amounts(&mut rng, &everybody), amounts(&mut rng, &everybody));
    let mut history = History::default();
    for year in 2020..2023 {
        let measures = vec![
            ("enrolled", Values::Members(units(&women))),
            ("busy", yes.clone()),
            ("income", income.clone()),
            ("earned", earned.clone()),
        ];
        let snapshot = snapshot(year, &women, measures);
        history.publish(prepare(&history, &snapshot, &registry, &Parameters::default()).unwrap().record);
        let turnover = rng.random_range(0..40);
        women.retain(|_| rng.random_range(0..100) >= turnover);
        let next = u32::from(year) % 100 * 1000 / 16;
        for unit in next..next + rng.random_range(0..60) {
            women.push(woman(&mut rng, unit));
        }
        women.sort_by_key(|w| w.unit);
        women.dedup_by_key(|w| w.unit);
    }
    (history, registry)
}

#[test]
fn p6_published_bases_are_the_same_or_far_apart() {
    for seed in 0..cases() {
        let (history, _) = years(seed, variable);
        let all = cells(&history);
        for (at, (a, one)) in all.iter().enumerate() {
            for (b, other) in &all[at + 1..] {
                let below = |c: &PublishedCell| c.members.len() < 10;
                if a.variable == b.variable && !below(one) && !below(other) {
                    let apart = one.members.apart(&other.members);
                    assert!(apart == 0 || apart >= 10, "seed {seed}: {apart}");
                }
            }
        }
    }
}

#[test]
fn p7_p9_no_coalition_of_three_knows_a_fourth_after_any_release() {
    for seed in 0..cases() {
        let (history, _) = years(seed, persistent);
        let mut rng = rng(seed);
        let one_world = Parameters { coalition: 0, ..Parameters::default() };
        let everybody: BTreeSet<Unit> =
            cells(&history).iter().flat_map(|(_, cell)| cell.members.iter()).collect();
        let everybody: Vec<Unit> = everybody.into_iter().collect();
        // The releases up to each year, and all years: what was safe stays so.
        for until in 1..=history.records.len() {
            for variable in ["busy", "income", "earned"] {
                let mut known = History { records: history.records[..until].to_vec() };
                known.records.iter_mut().for_each(|r| r.measurements.retain(|m| m.variable.0 == variable));
                let coalition: UnitSet =
                    (0..3).map(|_| everybody[rng.random_range(0..everybody.len())]).collect();
                let verdict = audit::audit(&system(&known, coalition), &one_world);
                assert!(verdict.safe, "seed {seed}, {variable}, {until} releases");
            }
        }
    }
}

#[test]
fn p10_the_same_data_give_the_same_bytes_whatever_the_numbers_of_women() {
    for seed in 0..cases() {
        let (women, snapshot, registry) = one_release(seed);
        let first = release(&snapshot, &registry);
        let bytes = |prepared: &Prepared| serde_json::to_string(&prepared.public).unwrap();
        assert_eq!(bytes(&first), bytes(&release(&snapshot, &registry)));
        assert_eq!(first, release(&snapshot, &registry));

        let mut numbers: Vec<u32> = (0..women.len() as u32).collect();
        numbers.shuffle(&mut rng(seed));
        let renumber = |unit: Unit| Unit(numbers[unit.0 as usize]);
        let set = |set: &UnitSet| set.iter().map(renumber).collect::<UnitSet>();
        let mut permuted = snapshot.clone();
        let round = &mut permuted.rounds[0];
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
        let second = release(&permuted, &registry);
        assert_eq!(bytes(&first), bytes(&second), "seed {seed}");
        assert_eq!(first.report, second.report, "seed {seed}");
    }
}

#[test]
fn p14_a_few_joiners_and_leavers_change_no_published_figure() {
    for seed in 0..cases() {
        let mut rng = rng(seed);
        let registry = registry(&[variable("enrolled", ENROLLED), persistent("busy", BUSY)]);
        let size = rng.random_range(60..300);
        let everybody = population(&mut rng, size + 9);
        let yes = answers(&mut rng, &everybody, 90);
        let release = |history: &History, year, women: &[Woman]| {
            let measures = vec![("enrolled", Values::Members(units(women))), ("busy", yes.clone())];
            prepare(history, &snapshot(year, women, measures), &registry, &Parameters::default()).unwrap()
        };
        let mut history = History::default();
        let first = release(&history, 2020, &everybody[..size as usize]);
        history.publish(first.record);
        let (gone, come) = (rng.random_range(0..5), rng.random_range(0..5));
        let after = &everybody[gone..size as usize + come];
        let second = release(&history, 2021, after);
        let before = shown(&first.public);
        let now = shown(&second.public);
        for (key, (figure, _)) in before {
            assert_eq!(now.get(&key).map(|(figure, _)| *figure), Some(figure), "seed {seed}: {key:?}");
        }
    }
}

#[test]
fn p15_nothing_of_a_woman_is_in_what_readers_get() {
    let (_, mut snapshot, registry) = one_release(7);
    let canary = Unit(777_123);
    snapshot.rounds[0].eligible.insert(canary);
    snapshot.rounds[0].respondents.insert(canary);
    for measure in &mut snapshot.rounds[0].measures {
        match &mut measure.values {
            Values::Members(set) | Values::Yes(set) => set.insert(canary),
            Values::Amounts(amounts) => drop(amounts.insert(canary, 1987)),
        }
    }
    let prepared = release(&snapshot, &registry);
    let record = serde_json::to_string(&prepared.record).unwrap();
    assert!(record.contains("777123") && record.contains("1987"));
    for text in [serde_json::to_string(&prepared.public), serde_json::to_string(&prepared.report)] {
        let text = text.unwrap();
        assert!(!text.contains("777123") && !text.contains("1987"), "{text}");
    }
}
