//! Properties of several releases together.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::*;
use rand::Rng;
use rand::rngs::StdRng;

use super::{all_kinds, measures, percent, whole};
use crate::support::*;

/// Who is there in each of three years.
fn three_years(rng: &mut StdRng) -> Vec<Vec<Woman>> {
    let size = rng.random_range(60..250);
    let mut women = population(rng, size);
    let mut years = Vec::new();
    for year in 0..3 {
        years.push(women.clone());
        let turnover = rng.random_range(0..40);
        women.retain(|_| rng.random_range(0..100) >= turnover);
        let come = rng.random_range(0..60);
        women.extend((0..come).map(|at| woman(rng, size + year * 60 + at)));
    }
    years
}

/// Three releases, of facts or of what changes from year to year.
fn history(seed: u64, register: fn(&str, Kind) -> Variable) -> History {
    let mut rng = rng(seed);
    let years = three_years(&mut rng);
    let registry = all_kinds(register);
    let percent = percent(&mut rng);
    let everybody = population(&mut rng, 500);
    let for_life = measures(&mut rng, &everybody, percent);
    let mut history = History::default();
    for (year, women) in (2020..).zip(years) {
        let mut measures = measures(&mut rng, &women, percent);
        if registry.variables[0].fact.is_some() {
            // A fact is a woman's for life; who is counted is another matter.
            measures.splice(1.., for_life[1..].iter().cloned());
        }
        let snapshot = snapshot(year, &women, measures);
        history.publish(prepare(&history, &snapshot, &registry, &Parameters::default()).unwrap().record);
    }
    history
}

const AUDITED: [&str; 3] = ["busy", "income", "earned"];

/// What was published of one variable in the first releases.
fn of(history: &History, variable: &str, releases: usize) -> History {
    let mut known = History { records: history.records[..releases].to_vec() };
    known.records.iter_mut().for_each(|record| record.measurements.retain(|m| m.variable.0 == variable));
    known
}

#[test]
fn p5_what_is_shown_depends_on_memberships_only() {
    let mut compared = BTreeMap::new();
    for seed in 0..cases() {
        let mut rng = rng(seed);
        let years = three_years(&mut rng);
        let registry = all_kinds(variable);
        let mut histories = [History::default(), History::default()];
        let mut same = BTreeSet::from(AUDITED);
        for (year, women) in (2020..).zip(years) {
            let releases = [0, 1].map(|at: usize| {
                let percent = percent(&mut rng);
                let measures = measures(&mut rng, &women, percent);
                let snapshot = snapshot(year, &women, measures);
                prepare(&histories[at], &snapshot, &registry, &Parameters::default()).unwrap()
            });
            let keys = |prepared: &Prepared, variable: &str| -> Vec<(Coordinates, u32)> {
                let shown = shown(&prepared.public).into_iter().filter(|((code, _), _)| code.0 == variable);
                shown.map(|((_, coordinates), (_, release))| (coordinates, release)).collect()
            };
            // Where the audit takes a dimension away, it does so for values: the stated exception, and what is
            // carried forward later follows from it.
            same.retain(|code| releases.iter().all(|release| whole(release, code)));
            for code in same.iter().copied().chain(["enrolled"]) {
                assert_eq!(keys(&releases[0], code), keys(&releases[1], code), "seed {seed}, {year}, {code}");
                *compared.entry(code).or_insert(0) += 1;
            }
            for (history, release) in histories.iter_mut().zip(releases) {
                history.publish(release.record);
            }
        }
    }
    println!("releases compared: {compared:?} of {}", cases() * 3);
    assert!(compared.values().all(|compared| compared * 2 > cases() * 3), "{compared:?}");
}

#[test]
fn p6_published_bases_are_the_same_or_far_apart() {
    for seed in 0..cases() {
        for register in [variable, persistent] {
            let history = history(seed, register);
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
}

#[test]
fn p7_no_coalition_of_three_knows_a_fourth() {
    let one_world = Parameters { coalition: 0, ..Parameters::default() };
    for seed in 0..cases() {
        let history = history(seed, persistent);
        let mut rng = rng(seed);
        for variable in AUDITED {
            let known = of(&history, variable, 3);
            // Four disjoint witnesses for each woman ...
            let verdict = audit::audit(&system(&known, UnitSet::new()), &Parameters::default());
            assert!(verdict.safe, "seed {seed}, {variable}");
            // ... and what they are for: a world in which she is another, whichever three tell what they know.
            let everybody: Vec<Unit> = {
                let all = cells(&known).iter().fold(UnitSet::new(), |all, (_, cell)| all.or(&cell.members));
                all.iter().collect()
            };
            for _ in 0..if everybody.is_empty() { 0 } else { 3 } {
                let coalition: UnitSet =
                    (0..3).map(|_| everybody[rng.random_range(0..everybody.len())]).collect();
                let verdict = audit::audit(&system(&known, coalition), &one_world);
                assert!(verdict.safe, "seed {seed}, {variable}");
            }
        }
    }
}

/// The women of the first release are looked at again when there are two and three: what was safe stays so. Of what
/// changes with time each period is a system of its own, whatever follows, so this is about facts.
#[test]
fn p9_a_further_release_makes_nobody_unsafe() {
    for seed in 0..cases() {
        let history = history(seed, persistent);
        for variable in AUDITED {
            let mut looked_at = 0;
            for releases in 1..=3 {
                let known = of(&history, variable, releases);
                let verdict = audit::audit(&system(&known, UnitSet::new()), &Parameters::default());
                assert!(verdict.safe, "seed {seed}, {variable}, {releases} releases");
                let women = cells(&known).iter().fold(UnitSet::new(), |all, (_, c)| all.or(&c.members));
                assert!(women.len() >= looked_at && verdict.targets >= women.len(), "nobody is left out");
                looked_at = women.len();
            }
        }
    }
}

/// All who are in the categories of a cell, of whichever year.
fn in_cell(round: &Round, coordinates: &Coordinates) -> UnitSet {
    let groups = coordinates.iter().map(|(dimension, category)| &round.groups[dimension][category]);
    groups.fold(round.eligible.clone(), |members, group| members.and(group))
}

#[test]
fn p14_a_few_joiners_and_leavers_change_no_published_figure() {
    let mut compared = BTreeMap::new();
    for seed in 0..cases() {
        let mut rng = rng(seed);
        let size = rng.random_range(60..300);
        let everybody = population(&mut rng, size + 9);
        let for_life = measures(&mut rng, &everybody, 90);
        let all = snapshot(2020, &everybody, Vec::new());
        for register in [variable, persistent] {
            let registry = all_kinds(register);
            let fact = registry.variables[0].fact.is_some();
            let mut release = |history: &History, year, women: &[Woman]| {
                let mut measures = measures(&mut rng, women, 90);
                if fact {
                    measures.splice(1.., for_life[1..].iter().cloned());
                }
                prepare(history, &snapshot(year, women, measures), &registry, &Parameters::default()).unwrap()
            };
            let mut history = History::default();
            let first = release(&history, 2020, &everybody[..size as usize]);
            history.publish(first.record.clone());
            let (gone, come) = (seed as usize % 10, seed as usize / 10 % 10);
            let after = &everybody[gone..size as usize + come];
            let second = release(&history, 2021, after);
            let moved: UnitSet = units(&everybody[..gone]).or(&units(&everybody[size as usize..][..come]));
            let (before, now) = (shown(&first.public), shown(&second.public));
            for (measurement, cell) in cells(&history) {
                // Nothing is shown anew of a cell that contains or lacks them, nor of a fact of the same women.
                let touched = in_cell(&all.rounds[0], &cell.coordinates).intersects(&moved);
                let code = &measurement.variable;
                if !(touched || fact) || !whole(&second, &code.0) {
                    continue;
                }
                let key = (code.clone(), cell.coordinates.clone());
                assert_eq!(now.get(&key), before.get(&key), "seed {seed}: {key:?}");
                *compared.entry((code.0.clone(), fact)).or_insert(0_u64) += 1;
            }
        }
    }
    println!("cells compared: {compared:?}");
    assert!(compared.len() == 8 && compared.values().all(|compared| *compared > 0));
}
