use std::collections::BTreeMap;

use crate::band::Interval;
use crate::{Unit, UnitSet, Values};

/// What readers know, as inequalities over the values of women: for each published cell, the sum over its members
/// lies in an interval. Memberships, intervals and the way they were made are assumed to be known; values are not.
#[derive(Clone, Debug)]
pub struct System {
    pub(super) measures: Vec<Measured>,
    pub(super) constraints: Vec<Constraint>,
    /// The true sum of each constraint.
    pub(super) sums: Vec<i64>,
    /// Women whose values are known outside.
    pub(super) fixed: UnitSet,
}

/// One occasion on which the fact was measured. With several, a woman's value may differ between them, as after a
/// correction; a world that changes her, changes her in all of them.
#[derive(Clone, Debug)]
pub struct Measured {
    pub values: Values,
    /// Of amounts; none of answers.
    pub range: Option<Interval>,
}

/// A published interval of the sum of one measure over some women.
#[derive(Clone, Debug)]
pub struct Constraint {
    /// Its measure, as a place in the list of measures.
    pub measure: usize,
    pub members: UnitSet,
    pub sum: Interval,
}

/// A change of one woman's value: an answer is turned round (by 1), an amount is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    pub unit: Unit,
    pub by: i64,
}

/// Returned for a system whose truth does not satisfy it: the place of the constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untrue(pub usize);

impl System {
    pub fn new(
        measures: Vec<Measured>,
        constraints: Vec<Constraint>,
        fixed: UnitSet,
    ) -> Result<Self, Untrue> {
        let sums: Vec<i64> = constraints.iter().map(|c| measures[c.measure].values.sum(&c.members)).collect();
        match constraints.iter().zip(&sums).position(|(c, sum)| !c.sum.contains(*sum)) {
            Some(untrue) => Err(Untrue(untrue)),
            None => Ok(Self { measures, constraints, sums, fixed }),
        }
    }

    /// True when all published intervals hold in the world that these moves make of the true one, which the moves
    /// may make. This is the whole of what a witness rests on: plain integers, read from the cells as published.
    pub fn holds(&self, moves: &[Move]) -> bool {
        let distinct: UnitSet = moves.iter().map(|m| m.unit).collect();
        if distinct.len() != moves.len() || distinct.intersects(&self.fixed) {
            return false;
        }
        let allowed = |m: &Move| {
            let range = self.range(m.unit);
            m.by != 0 && range.contains(m.by)
        };
        moves.iter().all(allowed)
            && self.constraints.iter().zip(&self.sums).all(|(constraint, sum)| {
                let moved = moves.iter().filter(|m| constraint.members.contains(m.unit));
                let change: i64 = moved.map(|m| m.by * self.effect(m.unit, constraint.measure)).sum();
                constraint.sum.contains(sum + change)
            })
    }

    /// By how much a move by 1 changes the woman's value in a measure.
    pub(super) fn effect(&self, unit: Unit, measure: usize) -> i64 {
        match &self.measures[measure].values {
            Values::Amounts(_) => 1,
            Values::Yes(set) | Values::Members(set) => 1 - 2 * i64::from(set.contains(unit)),
        }
    }

    /// The moves that a woman's values allow.
    pub(super) fn range(&self, unit: Unit) -> Interval {
        let mut allowed: Option<Interval> = None;
        for measure in &self.measures {
            if let (Values::Amounts(amounts), Some(range)) = (&measure.values, measure.range)
                && let Some(amount) = amounts.get(&unit)
            {
                let here = Interval { at_least: range.at_least - amount, at_most: range.at_most - amount };
                allowed = Some(allowed.map_or(here, |other| Interval {
                    at_least: other.at_least.max(here.at_least),
                    at_most: other.at_most.min(here.at_most),
                }));
            }
        }
        allowed.unwrap_or(Interval { at_least: 0, at_most: 1 })
    }

    /// How far an amount is moved to be another amount: a quarter of the widest range. None for answers.
    pub(super) fn quarter(&self) -> Option<i64> {
        let widths = self.measures.iter().filter_map(|m| m.range).map(|range| range.at_most - range.at_least);
        widths.max().map(|width| (width + 3) / 4)
    }

    /// The women of each signature: those whose moves change the same sums in the same way, and so can stand in for
    /// one another. In an order that does not depend on their numbers.
    pub(super) fn classes(&self) -> Vec<Class> {
        let mut effects: BTreeMap<Unit, Vec<(usize, i64)>> = BTreeMap::new();
        for (at, constraint) in self.constraints.iter().enumerate() {
            for unit in constraint.members.iter() {
                effects.entry(unit).or_default().push((at, self.effect(unit, constraint.measure)));
            }
        }
        let mut classes: BTreeMap<Vec<(usize, i64)>, Vec<Unit>> = BTreeMap::new();
        for (unit, effects) in effects {
            if !self.fixed.contains(unit) {
                classes.entry(effects).or_default().push(unit);
            }
        }
        classes.into_iter().map(|(effects, units)| Class::new(effects, units, self)).collect()
    }
}

/// Women of one signature.
pub(super) struct Class {
    /// The constraints that they are in, and what a move by 1 does to each.
    pub effects: Vec<(usize, i64)>,
    pub women: UnitSet,
    /// Those who can be moved up, furthest first; of answers, all.
    pub upward: Vec<(Unit, i64)>,
    /// Those who can be moved down, furthest first.
    pub downward: Vec<(Unit, i64)>,
}

impl Class {
    fn new(effects: Vec<(usize, i64)>, units: Vec<Unit>, system: &System) -> Self {
        let women = units.iter().copied().collect();
        let mut upward = Vec::new();
        let mut downward = Vec::new();
        for unit in units {
            let range = system.range(unit);
            if range.at_most > 0 {
                upward.push((unit, range.at_most));
            }
            if range.at_least < 0 {
                downward.push((unit, -range.at_least));
            }
        }
        upward.sort_by_key(|&(unit, most)| (-most, unit));
        downward.sort_by_key(|&(unit, most)| (-most, unit));
        Self { effects, women, upward, downward }
    }
}
