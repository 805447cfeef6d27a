//! Somebody who knows who is in every cell, how figures are made, and perhaps the answers of three women, and solves
//! for everybody else. Nothing of this crate's audit is used: worlds are counted anew, and what no world is found for
//! goes to an integer program over a solver of linear programs.
//!
//! Women who were always in the same cells are one unknown: how many of them said yes. A woman is known when in all
//! worlds that agree with everything published, all of her kind said the same.

use std::collections::BTreeMap;

use disclosure::*;
use microlp::{ComparisonOp, OptimizationDirection, Problem};
use rand::Rng;
use rand::rngs::StdRng;

use crate::support::rng;

/// What an attack found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Women outside the coalition whose answer is determined.
    pub known: usize,
    /// Those for whom neither that nor another world was found within the limits.
    pub open: usize,
}

pub struct Attacker {
    kinds: Vec<UnitSet>,
    /// How many of each kind said yes, in truth.
    truth: Vec<i64>,
    yes: UnitSet,
    /// For each published cell the kinds in it, and the interval of their sum.
    cells: Vec<(Vec<usize>, Interval)>,
    /// The cells that each kind is in.
    within: Vec<Vec<usize>>,
    /// Worlds that agree with all that is published.
    worlds: Vec<Vec<i64>>,
    rng: StdRng,
}

/// The least and the most of each kind who can have said yes.
type Bounds = Vec<Interval>;

enum Answer {
    World(Vec<i64>),
    Impossible,
    TooHard,
}

/// How many nodes an integer program may have, and how many repairs are tried before it.
const NODES: u32 = 60;
const REPAIRS: u32 = 40;

impl Attacker {
    pub fn new(published: &[(UnitSet, Interval)], yes: &UnitSet) -> Self {
        let everybody = published.iter().fold(UnitSet::new(), |all, (members, _)| all.or(members));
        let mut kinds: BTreeMap<Vec<usize>, UnitSet> = BTreeMap::new();
        for unit in everybody.iter() {
            let signature = (0..published.len()).filter(|&at| published[at].0.contains(unit)).collect();
            kinds.entry(signature).or_default().insert(unit);
        }
        let (within, kinds): (Vec<_>, Vec<_>) = kinds.into_iter().unzip();
        let in_cell = |cell: usize| (0..kinds.len()).filter(|&kind| within[kind].contains(&cell)).collect();
        let cells =
            published.iter().enumerate().map(|(at, (_, interval))| (in_cell(at), *interval)).collect();
        let truth: Vec<i64> = kinds.iter().map(|women| women.shared(yes) as i64).collect();
        let attacker =
            Self { worlds: vec![truth.clone()], kinds, truth, yes: yes.clone(), cells, within, rng: rng(1) };
        assert!(attacker.agrees(&attacker.truth), "what is published is true");
        attacker
    }

    /// Attacks with what these women tell of themselves.
    pub fn attack(&mut self, coalition: &UnitSet) -> Found {
        let open: Bounds = self
            .kinds
            .iter()
            .map(|women| {
                let told = women.and(coalition);
                let yes = told.shared(&self.yes) as i64;
                Interval { at_least: yes, at_most: (women.len() - told.len()) as i64 + yes }
            })
            .collect();
        let narrow = self.narrowed(open.clone()).unwrap_or_else(|| unreachable!("the truth is a world"));
        let mut found = Found::default();
        for kind in 0..self.kinds.len() {
            let Interval { at_least, at_most } = open[kind];
            if at_least == at_most {
                continue;
            }
            let women = (at_most - at_least) as usize;
            let some = Interval { at_least: at_least + 1, at_most };
            let not_all = Interval { at_least, at_most: at_most - 1 };
            let answers = [some, not_all].map(|wanted| self.possible(&open, &narrow, kind, wanted));
            if answers.contains(&Some(false)) {
                found.known += women;
            } else if answers.contains(&None) {
                found.open += women;
            }
        }
        found
    }

    /// True when there is a world in which so many of a kind said yes; none when that was too hard to say.
    fn possible(&mut self, open: &Bounds, narrow: &Bounds, kind: usize, wanted: Interval) -> Option<bool> {
        let allowed = |world: &Vec<i64>| world.iter().zip(open).all(|(yes, bounds)| bounds.contains(*yes));
        if self.worlds.iter().any(|world| wanted.contains(world[kind]) && allowed(world)) {
            return Some(true);
        }
        if narrow[kind].at_least > wanted.at_most || narrow[kind].at_most < wanted.at_least {
            return Some(false);
        }
        let mut bounds = narrow.clone();
        bounds[kind].at_least = bounds[kind].at_least.max(wanted.at_least);
        bounds[kind].at_most = bounds[kind].at_most.min(wanted.at_most);
        let Some(bounds) = self.narrowed(bounds) else { return Some(false) };
        let repaired = (0..REPAIRS).find_map(|_| self.repaired(&bounds));
        let answer = repaired.map_or_else(|| self.integer_program(bounds, &mut NODES.clone()), Answer::World);
        match answer {
            Answer::World(world) => {
                assert!(self.agrees(&world) && allowed(&world) && wanted.contains(world[kind]));
                self.worlds.push(world);
                Some(true)
            }
            Answer::Impossible => Some(false),
            Answer::TooHard => None,
        }
    }

    fn sum(&self, world: &[i64], cell: usize) -> i64 {
        self.cells[cell].0.iter().map(|&kind| world[kind]).sum()
    }

    fn agrees(&self, world: &[i64]) -> bool {
        (0..self.cells.len()).all(|cell| self.cells[cell].1.contains(self.sum(world, cell)))
    }

    /// What each cell says of each kind in it, until nothing new follows; none when it is contradictory.
    fn narrowed(&self, mut bounds: Bounds) -> Option<Bounds> {
        let mut again: Vec<bool> = vec![true; self.cells.len()];
        while let Some(cell) = again.iter().position(|&again| again) {
            again[cell] = false;
            let (kinds, interval) = &self.cells[cell];
            let least: i64 = kinds.iter().map(|&kind| bounds[kind].at_least).sum();
            let most: i64 = kinds.iter().map(|&kind| bounds[kind].at_most).sum();
            for &kind in kinds {
                let was = bounds[kind];
                let now = Interval {
                    at_least: was.at_least.max(interval.at_least - (most - was.at_most)),
                    at_most: was.at_most.min(interval.at_most - (least - was.at_least)),
                };
                if now.at_least > now.at_most {
                    return None;
                }
                if now != was {
                    bounds[kind] = now;
                    self.within[kind].iter().for_each(|&cell| again[cell] = true);
                    again[cell] = true;
                    break;
                }
            }
        }
        Some(bounds)
    }

    /// The truth, moved into the bounds, and then cell by cell into agreement.
    fn repaired(&mut self, bounds: &Bounds) -> Option<Vec<i64>> {
        let mut world: Vec<i64> =
            self.truth.iter().zip(bounds).map(|(yes, b)| (*yes).clamp(b.at_least, b.at_most)).collect();
        let mut sums: Vec<i64> = (0..self.cells.len()).map(|cell| self.sum(&world, cell)).collect();
        for _ in 0..16 {
            let outside = |cell: usize, sum: i64| {
                let interval = self.cells[cell].1;
                (interval.at_least - sum).max(sum - interval.at_most).max(0)
            };
            let wrong: Vec<usize> = (0..sums.len()).filter(|&cell| outside(cell, sums[cell]) > 0).collect();
            if wrong.is_empty() {
                return Some(world);
            }
            let cell = wrong[self.rng.random_range(0..wrong.len())];
            let by = if sums[cell] < self.cells[cell].1.at_least { 1 } else { -1 };
            let movable = self.cells[cell].0.iter().filter(|&&kind| bounds[kind].contains(world[kind] + by));
            let best = movable.min_by_key(|&&kind| {
                let change = |&cell: &usize| outside(cell, sums[cell] + by) - outside(cell, sums[cell]);
                (self.within[kind].iter().map(change).sum::<i64>(), self.rng.random_range(0..1000))
            })?;
            world[*best] += by;
            self.within[*best].iter().for_each(|&cell| sums[cell] += by);
        }
        None
    }

    /// Branch and bound: a linear program without an objective says whether there can be a world at all.
    fn integer_program(&self, bounds: Bounds, nodes: &mut u32) -> Answer {
        let Some(bounds) = self.narrowed(bounds) else { return Answer::Impossible };
        if *nodes == 0 {
            return Answer::TooHard;
        }
        *nodes -= 1;
        let mut problem = Problem::new(OptimizationDirection::Minimize);
        let unknowns: Vec<_> =
            bounds.iter().map(|b| problem.add_var(0.0, (b.at_least as f64, b.at_most as f64))).collect();
        for (kinds, interval) in &self.cells {
            let terms = || kinds.iter().map(|&kind| (unknowns[kind], 1.0)).collect::<Vec<_>>();
            if interval.at_least == interval.at_most {
                problem.add_constraint(terms(), ComparisonOp::Eq, interval.at_least as f64);
            } else {
                problem.add_constraint(terms(), ComparisonOp::Ge, interval.at_least as f64);
                problem.add_constraint(terms(), ComparisonOp::Le, interval.at_most as f64);
            }
        }
        let solution = match problem.solve() {
            Ok(outcome) => outcome.into_solution().ok().unwrap(),
            Err(microlp::Error::Infeasible) => return Answer::Impossible,
            Err(_) => return Answer::TooHard,
        };
        let values: Vec<f64> = unknowns.iter().map(|unknown| solution.var_value(*unknown)).collect();
        let nearest: Vec<i64> = values.iter().map(|value| value.round() as i64).collect();
        if self.agrees(&nearest) && nearest.iter().zip(&bounds).all(|(yes, b)| b.contains(*yes)) {
            return Answer::World(nearest);
        }
        let broken = |kind: usize| (values[kind] - values[kind].round()).abs();
        let Some(kind) = (0..values.len()).max_by(|&a, &b| broken(a).total_cmp(&broken(b))) else {
            return Answer::TooHard;
        };
        if broken(kind) < 1e-6 {
            return Answer::TooHard;
        }
        let mut too_hard = false;
        let below = values[kind].floor() as i64;
        for half in
            [Interval { at_most: below, ..bounds[kind] }, Interval { at_least: below + 1, ..bounds[kind] }]
        {
            let mut bounds = bounds.clone();
            bounds[kind] = half;
            match self.integer_program(bounds, nodes) {
                Answer::World(world) => return Answer::World(world),
                Answer::TooHard => too_hard = true,
                Answer::Impossible => {}
            }
        }
        if too_hard { Answer::TooHard } else { Answer::Impossible }
    }
}
