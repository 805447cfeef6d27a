//! The auditor against a solver that tries every assignment: small populations, everything published, all worlds.

use std::collections::BTreeMap;

use disclosure::audit::{Constraint, Measured, Move, System, audit, world_with};
use disclosure::*;
use rand::Rng;
use rand::rngs::StdRng;

use crate::support::*;

/// A made-up system: women, what is true of them, and intervals that hold. All worlds are those that agree with it.
struct Small {
    values: Vec<i64>,
    /// Amounts go from 0 to this; answers to 1.
    top: i64,
    constraints: Vec<Constraint>,
}

impl Small {
    fn random(rng: &mut StdRng, women: usize, top: i64) -> Self {
        let values: Vec<i64> = (0..women).map(|_| rng.random_range(0..=top)).collect();
        let constraints = (0..rng.random_range(1..7)).map(|_| {
            let members: Vec<usize> = (0..women).filter(|_| rng.random_range(0..3) > 0).collect();
            let sum: i64 = members.iter().map(|&at| values[at]).sum();
            let (down, up) = (rng.random_range(0..=2), rng.random_range(0..=2));
            Constraint {
                measure: 0,
                members: members.into_iter().map(|at| Unit(at as u32)).collect(),
                sum: Interval { at_least: sum - down, at_most: sum + up },
            }
        });
        let constraints = constraints.collect();
        Self { values, top, constraints }
    }

    fn system(&self) -> System {
        let numbered = || self.values.iter().enumerate().map(|(at, value)| (Unit(at as u32), *value));
        let measured = if self.top == 1 {
            let yes = numbered().filter(|(_, value)| *value == 1).map(|(unit, _)| unit).collect();
            Measured { values: Values::Yes(yes), range: None }
        } else {
            let range = Some(Interval { at_least: 0, at_most: self.top });
            Measured { values: Values::Amounts(numbered().collect()), range }
        };
        System::new(vec![measured], self.constraints.clone(), UnitSet::new()).unwrap()
    }

    fn worlds(&self) -> Vec<Vec<i64>> {
        all_worlds(self.values.len(), self.top, &self.constraints)
    }

    /// Women who are in some published cell: of the others nothing is published.
    fn published(&self) -> Vec<usize> {
        let within = |at: &usize| self.constraints.iter().any(|c| c.members.contains(Unit(*at as u32)));
        (0..self.values.len()).filter(within).collect()
    }
}

fn all_worlds(women: usize, top: i64, constraints: &[Constraint]) -> Vec<Vec<i64>> {
    let mut worlds = vec![vec![]];
    for _ in 0..women {
        let longer = |world: Vec<i64>| (0..=top).map(move |value| [world.clone(), vec![value]].concat());
        worlds = worlds.into_iter().flat_map(longer).collect();
    }
    worlds.retain(|world| {
        constraints.iter().all(|c| c.sum.contains(c.members.iter().map(|unit| world[unit.0 as usize]).sum()))
    });
    worlds
}

/// True when no coalition of so many others knows a woman's answer, or knows on which side of a quarter of the range
/// her amount cannot be.
fn nobody_is_known(small: &Small, coalition: usize) -> bool {
    let worlds = small.worlds();
    let women: Vec<usize> = (0..small.values.len()).collect();
    let quarter = if small.top == 1 { 1 } else { (small.top + 3) / 4 };
    small.published().into_iter().all(|target| {
        let others: Vec<usize> = women.iter().copied().filter(|&other| other != target).collect();
        subsets(&others, coalition).into_iter().all(|known| {
            let consistent = |w: &&Vec<i64>| known.iter().all(|&other| w[other] == small.values[other]);
            let left: Vec<_> = worlds.iter().filter(consistent).collect();
            let value = small.values[target];
            let up = value + quarter > small.top || left.iter().any(|w| w[target] >= value + quarter);
            let down = value - quarter < 0 || left.iter().any(|w| w[target] <= value - quarter);
            up && down
        })
    })
}

fn subsets(of: &[usize], size: usize) -> Vec<Vec<usize>> {
    if size == 0 {
        return vec![vec![]];
    }
    let Some((first, rest)) = of.split_first() else { return vec![vec![]] };
    let with = subsets(rest, size - 1).into_iter().map(|subset| [vec![*first], subset].concat());
    with.chain(subsets(rest, size)).collect()
}

#[test]
fn p8_without_a_coalition_the_auditor_says_what_trying_all_worlds_says() {
    let search = SearchLimits { helpers: 12, breadth: 1000, steps: u64::MAX, walks: 0 };
    let parameters = Parameters { coalition: 0, search, ..Parameters::default() };
    let (mut safe, mut unsafe_) = (0, 0);
    for seed in 0..cases() {
        let mut rng = rng(seed);
        let women = rng.random_range(2..=12);
        let small = Small::random(&mut rng, women, 1);
        let verdict = audit(&small.system(), &parameters);
        assert_eq!(verdict.safe, nobody_is_known(&small, 0), "seed {seed}");
        if verdict.safe { safe += 1 } else { unsafe_ += 1 }
    }
    assert!(safe > 0 && unsafe_ > 0, "{safe} {unsafe_}");
}

#[test]
fn p8_what_the_auditor_calls_safe_no_coalition_breaks() {
    let mut found = [[0; 2]; 2];
    for seed in 0..cases() {
        let mut rng = rng(seed);
        let women = rng.random_range(8..=11);
        let small = Small::random(&mut rng, women, 1);
        for coalition in 1..=2_u32 {
            let parameters = Parameters { coalition, ..Parameters::default() };
            let verdict = audit(&small.system(), &parameters);
            let truth = nobody_is_known(&small, coalition as usize);
            assert!(truth || !verdict.safe, "seed {seed}: called safe, and {coalition} women know a value");
            found[usize::from(truth)][usize::from(verdict.safe)] += 1;
        }
    }
    let [[caught, _], [false_alarms, passed]] = found;
    println!("answers: {caught} unsafe and caught, {passed} safe and passed, {false_alarms} false alarms");
    assert!(caught > 0 && passed > 0);
}

#[test]
fn p8_of_amounts_too() {
    let mut found = [[0; 2]; 2];
    for seed in 0..cases() {
        let mut rng = rng(seed);
        let small = Small::random(&mut rng, 6, 4);
        for coalition in 0..=1_u32 {
            let parameters = Parameters { coalition, ..Parameters::default() };
            let verdict = audit(&small.system(), &parameters);
            let truth = nobody_is_known(&small, coalition as usize);
            assert!(truth || !verdict.safe, "seed {seed}: called safe, and {coalition} women know a value");
            found[usize::from(truth)][usize::from(verdict.safe)] += 1;
        }
    }
    let [[caught, _], [false_alarms, passed]] = found;
    println!("amounts: {caught} unsafe and caught, {passed} safe and passed, {false_alarms} false alarms");
    assert!(caught > 0 && passed > 0);
}

/// A release and its correction: each woman's answer in both, and worlds that turn her round in both.
#[test]
fn p8_of_two_releases_that_disagree() {
    let mut found = [[0; 2]; 2];
    for seed in 0..cases() {
        let mut rng = rng(seed);
        let women = rng.random_range(4..=10_u32);
        let yes: [UnitSet; 2] =
            [0, 1].map(|_| (0..women).map(Unit).filter(|_| rng.random_range(0..2) == 0).collect());
        let constraints: Vec<Constraint> = (0..rng.random_range(2..6))
            .map(|at| {
                let members: UnitSet = (0..women).map(Unit).filter(|_| rng.random_range(0..3) > 0).collect();
                let sum = yes[at % 2].shared(&members) as i64;
                let sum = Interval {
                    at_least: sum - rng.random_range(0..=2),
                    at_most: sum + rng.random_range(0..=2),
                };
                Constraint { measure: at % 2, members, sum }
            })
            .collect();
        let turned = |world: u32, measure: usize, unit: Unit| {
            yes[measure].contains(unit) != (world >> unit.0 & 1 == 1)
        };
        let worlds: Vec<u32> = (0..1_u32 << women)
            .filter(|&world| {
                constraints.iter().all(|c| {
                    c.sum.contains(
                        c.members.iter().filter(|unit| turned(world, c.measure, *unit)).count() as i64
                    )
                })
            })
            .collect();
        for coalition in 0..=1_u32 {
            let told: Vec<u32> =
                if coalition == 0 { vec![0] } else { (0..women).map(|other| 1 << other).collect() };
            let truth =
                (0..women).filter(|at| constraints.iter().any(|c| c.members.contains(Unit(*at)))).all(|at| {
                    let others = told.iter().filter(|told| **told != 1 << at);
                    others
                        .into_iter()
                        .all(|told| worlds.iter().any(|world| world & told == 0 && world >> at & 1 == 1))
                });
            let measured = yes.clone().map(|yes| Measured { values: Values::Yes(yes), range: None });
            let system = System::new(measured.to_vec(), constraints.clone(), UnitSet::new()).unwrap();
            let verdict = audit(&system, &Parameters { coalition, ..Parameters::default() });
            assert!(truth || !verdict.safe, "seed {seed}: called safe, and {coalition} women know a value");
            found[usize::from(truth)][usize::from(verdict.safe)] += 1;
        }
    }
    let [[caught, _], [false_alarms, passed]] = found;
    println!(
        "two releases: {caught} unsafe and caught, {passed} safe and passed, {false_alarms} false alarms"
    );
    assert!(caught > 0 && passed > 0);
}

/// The whole engine, with narrow bands so that twelve women are enough for tables.
#[test]
fn p8_of_whole_releases_of_twelve_women() {
    let (published, shortened) = whole_releases(BUSY);
    assert!(published > 0 && shortened > 0);
}

/// Of garments that each made, one at most.
#[test]
fn p8_of_whole_releases_of_sums() {
    let (published, _) = whole_releases(Kind::Sum { class: RiskClass::Operations, upper: 1 });
    assert!(published > 0);
}

/// How many figures stood, and how many releases the audit cut.
fn whole_releases(kind: Kind) -> (usize, usize) {
    let parameters = Parameters {
        threshold: 4,
        count_width: 2,
        answer_width: 3,
        mean_threshold: 4,
        least_difference: 3,
        coalition: 1,
        ..Parameters::default()
    };
    let registry = registry(&[persistent("busy", kind)]);
    let (mut published, mut shortened) = (0, 0);
    for seed in 0..cases() {
        let mut rng = rng(seed);
        let everybody: Vec<Woman> = population(&mut rng, 12)
            .into_iter()
            .map(|w| Woman { facility: w.facility % 2, program: w.program % 2, age: 0, ..w })
            .collect();
        let percent = rng.random_range(1..=100);
        let mut yes = answers(&mut rng, &everybody, percent);
        if let Kind::Sum { .. } = kind {
            yes = Values::Amounts(everybody.iter().map(|w| (w.unit, value(&yes, w.unit))).collect());
        }
        let mut history = History::default();
        for (year, women) in [(2020, &everybody[..9]), (2021, &everybody[..]), (2022, &everybody[3..])] {
            let snapshot = snapshot(year, women, vec![("busy", yes.clone())]);
            let prepared = prepare(&history, &snapshot, &registry, &parameters).unwrap();
            shortened += usize::from(prepared.report.variables[0].outcome != Outcome::Whole);
            history.publish(prepared.record);
            let constraints: Vec<Constraint> = cells(&history)
                .into_iter()
                .map(|(_, c)| Constraint { measure: 0, members: c.members.clone(), sum: c.sum })
                .collect();
            published += constraints.len();
            let values = (0..12).map(|at| value(&yes, Unit(at))).collect();
            let small = Small { values, top: 1, constraints };
            assert!(nobody_is_known(&small, 1), "seed {seed}, {year}");
        }
    }
    println!(
        "twelve women: {published} figures held by the end of each year, {shortened} releases cut by the audit"
    );
    (published, shortened)
}

#[test]
fn a_world_is_held_against_the_cells_as_published() {
    let members: UnitSet = (0..4).map(Unit).collect();
    let measured = Measured { values: Values::Yes([Unit(0), Unit(1)].into_iter().collect()), range: None };
    let sum = Interval { at_least: 2, at_most: 2 };
    let fixed: UnitSet = [Unit(3)].into_iter().collect();
    let system = System::new(vec![measured], vec![Constraint { measure: 0, members, sum }], fixed).unwrap();
    let flip = |unit| Move { unit: Unit(unit), by: 1 };
    assert!(system.holds(&[]));
    assert!(system.holds(&[flip(0), flip(2)]));
    assert!(!system.holds(&[flip(0)]), "the sum leaves its interval");
    assert!(!system.holds(&[flip(0), flip(3)]), "her answer is known");
    assert!(!system.holds(&[flip(0), flip(0)]), "nobody moves twice");
    assert!(
        !system.holds(&[Move { unit: Unit(0), by: -1 }, flip(2)]),
        "an answer is turned round, not moved"
    );
    assert_eq!(world_with(&system, flip(0), &Parameters::default()), Some(vec![flip(0), flip(2)]));
    assert!(!audit(&system, &Parameters::default()).safe);

    let amounts = Measured {
        values: Values::Amounts(BTreeMap::from([(Unit(0), 10), (Unit(1), 90)])),
        range: Some(Interval { at_least: 0, at_most: 100 }),
    };
    let sum = Interval { at_least: 100, at_most: 100 };
    let members = (0..2).map(Unit).collect();
    let system =
        System::new(vec![amounts], vec![Constraint { measure: 0, members, sum }], UnitSet::new()).unwrap();
    let pay = |unit, by| Move { unit: Unit(unit), by };
    assert!(system.holds(&[pay(0, 10), pay(1, -10)]));
    assert!(!system.holds(&[pay(0, -20), pay(1, 20)]), "an amount outside its range");
    assert!(!system.holds(&[pay(0, 10), pay(1, -11)]));
}

#[test]
fn a_system_that_is_not_true_is_none() {
    let measured = Measured { values: Values::Yes(UnitSet::new()), range: None };
    let members: UnitSet = (0..4).map(Unit).collect();
    let sum = Interval { at_least: 1, at_most: 4 };
    let system = System::new(vec![measured], vec![Constraint { measure: 0, members, sum }], UnitSet::new());
    assert_eq!(system.err(), Some(audit::Untrue(0)));
}
