//! A reconstruction attack in small form: the attacker knows who is in every cell, how figures are made, and perhaps
//! the answers of three women, and solves for everybody else. It uses a solver of linear programs that nothing in
//! this crate uses; what it finds, it finds for certain.

use std::collections::BTreeMap;

use disclosure::*;
use microlp::{ComparisonOp, OptimizationDirection, Problem};
use rand::Rng;

use crate::support::*;

/// How many women outside the coalition have an answer that the published intervals and the coalition's own answers
/// determine.
pub fn determined(published: &[(UnitSet, Interval)], yes: &UnitSet, coalition: &UnitSet) -> usize {
    // Women who are in the same cells are one unknown: how many of them said yes.
    let mut atoms: BTreeMap<Vec<usize>, UnitSet> = BTreeMap::new();
    let everybody = published.iter().fold(UnitSet::new(), |all, (members, _)| all.or(members));
    for unit in everybody.iter() {
        let signature = (0..published.len()).filter(|&at| published[at].0.contains(unit)).collect();
        atoms.entry(signature).or_default().insert(unit);
    }
    let free: Vec<UnitSet> = atoms.values().map(|women| women.minus(coalition)).collect();
    let mut known = 0;
    for (at, women) in free.iter().enumerate().filter(|(_, women)| !women.is_empty()) {
        let extreme = |direction| {
            let mut problem = Problem::new(direction);
            let unknowns: Vec<_> = (0..free.len())
                .map(|other| {
                    problem.add_var(f64::from(u8::from(other == at)), (0.0, free[other].len() as f64))
                })
                .collect();
            for (cell, (members, interval)) in published.iter().enumerate() {
                let told = yes.and(members).shared(coalition) as i64;
                let terms = || {
                    let within = atoms.keys().enumerate().filter(|(_, signature)| signature.contains(&cell));
                    within.map(|(other, _)| (unknowns[other], 1.0)).collect::<Vec<_>>()
                };
                problem.add_constraint(terms(), ComparisonOp::Ge, (interval.at_least - told) as f64);
                problem.add_constraint(terms(), ComparisonOp::Le, (interval.at_most - told) as f64);
            }
            problem.solve().unwrap().into_solution().ok().unwrap().objective()
        };
        let all = women.len() as f64;
        let nobody = extreme(OptimizationDirection::Maximize) < 1.0 - 1e-6;
        let everyone = extreme(OptimizationDirection::Minimize) > all - 1.0 + 1e-6;
        if nobody || everyone {
            known += women.len();
        }
    }
    known
}

/// Threshold 10, then to the nearest multiple of 5.
pub fn rounded(count: i64) -> Option<i64> {
    (count >= 10).then_some((count + 2) / 5 * 5)
}

/// The alternatives that look safe, and what a reader learns from each.
fn exact(women: i64, yes: i64) -> Option<Interval> {
    (women >= 5).then_some(Interval { at_least: yes, at_most: yes })
}

fn to_five(women: i64, yes: i64) -> Option<Interval> {
    let interval = rounded(yes).map_or(Interval { at_least: 0, at_most: 9 }, |near| Interval {
        at_least: (near - 2).max(10),
        at_most: near + 2,
    });
    (women >= 10).then_some(interval)
}

struct Attacked {
    cells: usize,
    known: usize,
    /// With three women of one small cell, ten times.
    by_coalitions: usize,
}

fn attack(seed: u64, size: u32, percent: u32) -> (usize, [Attacked; 3]) {
    let mut rng = rng(seed);
    let women = population(&mut rng, size);
    let Values::Yes(yes) = answers(&mut rng, &women, percent) else { unreachable!() };
    let registry = registry(&[variable("busy", BUSY)]);
    let snapshot = snapshot(2024, &women, vec![("busy", Values::Yes(yes.clone()))]);
    let mut history = History::default();
    history.publish(prepare(&history, &snapshot, &registry, &Parameters::default()).unwrap().record);
    let bands: Vec<_> = cells(&history).into_iter().map(|(_, c)| (c.members.clone(), c.sum)).collect();

    // Every cell that is in the tables, whether we show it or not.
    let round = &snapshot.rounds[0];
    let groups: Vec<(&DimensionCode, &UnitSet)> = round
        .groups
        .iter()
        .flat_map(|(code, groups)| groups.values().map(move |group| (code, group)))
        .collect();
    let pairs = groups
        .iter()
        .flat_map(|(a, one)| groups.iter().filter(move |(b, _)| a < b).map(move |(_, other)| one.and(other)));
    let tables: Vec<UnitSet> = std::iter::once(units(&women))
        .chain(groups.iter().map(|(_, group)| (*group).clone()))
        .chain(pairs)
        .collect();
    let naive = |rule: fn(i64, i64) -> Option<Interval>| -> Vec<(UnitSet, Interval)> {
        let figure = |cell: &UnitSet| rule(cell.len() as i64, cell.shared(&yes) as i64);
        tables.iter().filter_map(|cell| Some((cell.clone(), figure(cell)?))).collect()
    };
    // Women who share facility, program and age know best what is left to know.
    let coalitions: Vec<UnitSet> = (0..10)
        .map(|_| {
            let one = women[rng.random_range(0..women.len())];
            let near = women.iter().filter(|w| (w.facility, w.program) == (one.facility, one.program));
            near.take(3).map(|w| w.unit).collect()
        })
        .collect();
    let attacked = |published: &[(UnitSet, Interval)]| Attacked {
        cells: published.len(),
        known: determined(published, &yes, &UnitSet::new()),
        by_coalitions: coalitions.iter().map(|coalition| determined(published, &yes, coalition)).sum(),
    };
    (women.len(), [attacked(&naive(exact)), attacked(&naive(to_five)), attacked(&bands)])
}

#[test]
fn reconstruction_finds_nobody_in_bands_and_many_elsewhere() {
    for (size, percent) in [(350, 97), (350, 85), (120, 97)] {
        let mut known = [0; 3];
        let mut coalitions = [0; 3];
        let mut published = [0; 3];
        let mut women = 0;
        let runs = 3;
        for seed in 0..runs {
            let (of, attacked) = attack(seed, size, percent);
            women += of;
            for (at, attacked) in attacked.iter().enumerate() {
                known[at] += attacked.known;
                coalitions[at] += attacked.by_coalitions;
                published[at] += attacked.cells;
            }
        }
        for (at, method) in ["exact, from 5", "rounded to 5, from 10", "bands"].into_iter().enumerate() {
            println!(
                "{size} women, {percent} % yes, {method}: {} cells in {runs} runs, {:.1} % known, {:.1} % with three",
                published[at],
                known[at] as f64 * 100.0 / women as f64,
                coalitions[at] as f64 * 10.0 / women as f64,
            );
        }
        assert_eq!([known[2], coalitions[2]], [0, 0], "{size} women, {percent} %");
        assert!(published[2] > 0);
        if percent == 97 {
            assert!(
                known[0] * 3 > women && known[1] * 20 > women,
                "the alternatives are as unsafe as they are"
            );
        }
    }
}

/// The same fact, asked every year of whoever is there: three releases with joiners and leavers, attacked together.
#[test]
fn reconstruction_over_years_finds_nobody_either() {
    for seed in 0..2 {
        let mut rng = rng(seed);
        let everybody = population(&mut rng, 300);
        let Values::Yes(yes) = answers(&mut rng, &everybody, 95) else { unreachable!() };
        let registry = registry(&[persistent("busy", BUSY)]);
        let mut history = History::default();
        let mut exactly = Vec::new();
        for (year, from) in [(2020, 0), (2021, 40), (2022, 85)] {
            let snapshot =
                snapshot(year, &everybody[from..from + 130], vec![("busy", Values::Yes(yes.clone()))]);
            history.publish(prepare(&history, &snapshot, &registry, &Parameters::default()).unwrap().record);
            let groups = snapshot.rounds[0].groups.values().flat_map(|groups| groups.values().cloned());
            for members in
                groups.chain([snapshot.rounds[0].eligible.clone()]).filter(|members| members.len() >= 10)
            {
                let sum = members.shared(&yes) as i64;
                exactly.push((members, Interval { at_least: sum, at_most: sum }));
            }
        }
        let bands: Vec<_> = cells(&history).into_iter().map(|(_, c)| (c.members.clone(), c.sum)).collect();
        let coalition: UnitSet = (60..63).map(Unit).collect();
        let known = [&exactly, &bands].map(|published| determined(published, &yes, &coalition));
        println!(
            "three years: {} exact totals tell of {}, {} bands of {}",
            exactly.len(),
            known[0],
            bands.len(),
            known[1]
        );
        assert!(known[0] > 0 && known[1] == 0 && bands.len() > 20);
    }
}
