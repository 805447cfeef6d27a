//! What readers know of hidden deliveries, as equations between integers, and what else it could have been.
//!
//! The unknowns are the units of one kind of goods that were handed over unseen at a facility in a quarter, and the women
//! of the largest of these deliveries. Readers know the rule of publication, every open movement, and here even what was
//! lost, or sent in small lots. So a change of the balance that open movements do not explain is a merge: an equation for
//! the sum since the merge before, with at least ten women and ten units in it; and each quarter without such a change
//! says that what had been handed over by then stood for fewer. A solver proposes other histories, and plain integer
//! code checks that they leave the same readings.

use std::collections::BTreeMap;

use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};

pub const THRESHOLD: i64 = 10;
const FACILITIES: usize = 3;
/// More than anything in these histories.
const MOST: i32 = 120;

/// Goods, quarter and facility, by their numbers.
pub type Cell = (usize, usize, usize);

/// A history of what is hidden: units and women by cell, and other goods that went by goods and quarter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hidden {
    pub handed: BTreeMap<Cell, Vec<(i64, i64)>>,
    pub other: BTreeMap<(usize, usize), i64>,
}

/// What is read by the end of some quarter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings {
    pub quarters: usize,
    /// By goods and quarter: what the balance says, and what it would be if open movements were all.
    pub balances: BTreeMap<(usize, usize), (i64, i64)>,
    /// What a figure says beyond the rows that it is of: units of the cells that could be in it. Readers who find one
    /// know that hidden rows are in all of them.
    pub beyond: BTreeMap<Cell, i64>,
}

impl Hidden {
    fn units(&self, cell: Cell) -> i64 {
        self.handed.get(&cell).into_iter().flatten().map(|(units, _)| units).sum()
    }

    fn women(&self, cell: Cell) -> i64 {
        self.handed.get(&cell).into_iter().flatten().map(|(_, women)| *women).max().unwrap_or(0)
    }

    /// The readings that a history would leave where it differs from the open movements: the rule of publication, said
    /// again.
    fn leaves(&self, goods: usize, quarters: usize) -> Vec<i64> {
        let (mut merged, mut waiting, mut units) = (0, 0, 0);
        let mut women = [0; FACILITIES];
        let mut all = Vec::new();
        for quarter in 0..quarters {
            for (facility, most) in women.iter_mut().enumerate() {
                let cell = (goods, quarter, facility);
                units += self.units(cell);
                waiting += self.units(cell);
                *most = std::cmp::max(*most, self.women(cell));
            }
            waiting += self.other.get(&(goods, quarter)).copied().unwrap_or(0);
            if units >= THRESHOLD && women.iter().sum::<i64>() >= THRESHOLD {
                merged += waiting;
                (waiting, units, women) = (0, 0, [0; FACILITIES]);
            }
            all.push(merged);
        }
        all
    }
}

impl Readings {
    /// Whether a history would have left these readings.
    pub fn could_be(&self, hidden: &Hidden) -> bool {
        let goods: Vec<usize> = self.balances.keys().map(|(goods, _)| *goods).collect();
        let balances = goods.into_iter().all(|goods| hidden.leaves(goods, self.quarters) == self.gone(goods));
        balances && (self.beyond.is_empty() || hidden.handed.keys().all(|cell| self.fits(hidden, *cell)))
    }

    fn fits(&self, hidden: &Hidden, cell: Cell) -> bool {
        hidden.units(cell) == self.beyond.get(&cell).copied().unwrap_or(0)
    }

    /// What is gone from the balance of each quarter that nobody saw go.
    fn gone(&self, goods: usize) -> Vec<i64> {
        let of = |quarter| self.balances.get(&(goods, quarter)).map_or(0, |(said, open)| open - said);
        (0..self.quarters).map(of).collect()
    }

    /// Another history that leaves the same readings, with none in a cell, or with another number of units there.
    pub fn other(&self, truth: &Hidden, cell: Cell, none: bool) -> Option<Hidden> {
        let units = truth.units(cell);
        let demands = if none { vec![(0, 0)] } else { vec![(units + 1, i64::from(MOST)), (1, units - 1)] };
        let found = demands.into_iter().filter(|(least, most)| least <= most);
        found.filter_map(|demand| self.solve(truth, cell, demand)).find(|other| {
            let differs =
                if none { other.units(cell) == 0 } else { ![0, units].contains(&other.units(cell)) };
            differs && self.could_be(other)
        })
    }

    /// Whether a cell was as uncertain a quarter before: what is between two merges stays as it is.
    pub fn is_settled(&self, cell: Cell) -> bool {
        self.window(cell.0, cell.1).0.end < self.quarters
    }

    /// The quarters between two merges that a quarter lies in, and whether the last of them is a merge.
    fn window(&self, goods: usize, quarter: usize) -> (std::ops::Range<usize>, bool) {
        let gone = self.gone(goods);
        let merges = |at: &usize| gone[*at] != at.checked_sub(1).map_or(0, |before| gone[before]);
        let start = (0..quarter).rev().find(merges).map_or(0, |last| last + 1);
        match (quarter..self.quarters).find(merges) {
            Some(last) => (start..last + 1, true),
            None => (start..self.quarters, false),
        }
    }

    fn solve(&self, truth: &Hidden, cell: Cell, (least, most): (i64, i64)) -> Option<Hidden> {
        let (goods, quarter, _) = cell;
        let (window, merges) = self.window(goods, quarter);
        let mut system = System::new(window.clone());
        system.sum(&[(system.unknowns[&(cell.1, cell.2)].units, 1)], ComparisonOp::Ge, least);
        system.sum(&[(system.unknowns[&(cell.1, cell.2)].units, 1)], ComparisonOp::Le, most);
        if !self.beyond.is_empty() {
            for ((quarter, facility), unknown) in system.unknowns.clone() {
                let said = self.beyond.get(&(goods, quarter, facility)).copied().unwrap_or(0);
                system.sum(&[(unknown.units, 1)], ComparisonOp::Eq, said);
            }
        }
        let last = window.end - 1;
        for quarter in window.clone() {
            if merges && quarter == last {
                let gone = self.gone(goods);
                let before = window.start.checked_sub(1).map_or(0, |before| gone[before]);
                let other: i64 =
                    window.clone().filter_map(|quarter| truth.other.get(&(goods, quarter))).sum();
                system.merges(gone[last] - before - other);
            } else {
                system.waits(quarter);
            }
        }
        let solution = system.problem.solve().ok()?.into_solution().ok()?;
        let value = |variable: Variable| solution.var_value(variable).round() as i64;
        let mut other = truth.clone();
        other.handed.retain(|(of, quarter, _), _| *of != goods || !window.contains(quarter));
        for ((quarter, facility), unknown) in &system.unknowns {
            if value(unknown.units) > 0 {
                let one = (value(unknown.units), value(unknown.women));
                other.handed.insert((goods, *quarter, *facility), vec![one]);
            }
        }
        Some(other)
    }
}

#[derive(Clone, Copy)]
struct Unknown {
    units: Variable,
    women: Variable,
}

/// The system of one kind of goods between two merges.
struct System {
    problem: Problem,
    unknowns: BTreeMap<(usize, usize), Unknown>,
}

impl System {
    fn new(window: std::ops::Range<usize>) -> Self {
        let mut system =
            Self { problem: Problem::new(OptimizationDirection::Minimize), unknowns: BTreeMap::new() };
        for quarter in window {
            for facility in 0..FACILITIES {
                let (units, women, any) =
                    (system.number(), system.number(), system.problem.add_binary_var(0.0));
                // There are women where there are units, and nowhere else.
                for variable in [units, women] {
                    system.sum(&[(variable, 1), (any, -1)], ComparisonOp::Ge, 0);
                    system.sum(&[(variable, 1), (any, -MOST)], ComparisonOp::Le, 0);
                }
                system.unknowns.insert((quarter, facility), Unknown { units, women });
            }
        }
        system
    }

    fn number(&mut self) -> Variable {
        self.problem.add_integer_var(0.0, (0, MOST))
    }

    fn sum(&mut self, terms: &[(Variable, i32)], is: ComparisonOp, number: i64) {
        let terms: Vec<(Variable, f64)> =
            terms.iter().map(|(variable, factor)| (*variable, f64::from(*factor))).collect();
        self.problem.add_constraint(&terms[..], is, number as f64);
    }

    fn until(&self, last: usize) -> Vec<((usize, usize), Unknown)> {
        self.unknowns
            .iter()
            .filter(|((quarter, _), _)| *quarter <= last)
            .map(|(at, one)| (*at, *one))
            .collect()
    }

    /// All of it is in the balance: so many units, at least ten, and ten women in the largest deliveries.
    fn merges(&mut self, units: i64) {
        let all = self.until(usize::MAX);
        let terms: Vec<(Variable, i32)> = all.iter().map(|(_, one)| (one.units, 1)).collect();
        self.sum(&terms, ComparisonOp::Eq, units);
        self.sum(&terms, ComparisonOp::Ge, THRESHOLD);
        let mut counted = Vec::new();
        for facility in 0..FACILITIES {
            // Of one facility the women of one quarter count.
            let mut chosen = Vec::new();
            for (_, one) in all.iter().filter(|((_, at), _)| *at == facility) {
                let (women, choice) = (self.number(), self.problem.add_binary_var(0.0));
                self.sum(&[(women, 1), (one.women, -1)], ComparisonOp::Le, 0);
                self.sum(&[(women, 1), (choice, -MOST)], ComparisonOp::Le, 0);
                chosen.push((choice, 1));
                counted.push((women, 1));
            }
            self.sum(&chosen, ComparisonOp::Le, 1);
        }
        self.sum(&counted, ComparisonOp::Ge, THRESHOLD);
    }

    /// By the end of a quarter it stood for too few women, or too few units.
    fn waits(&mut self, last: usize) {
        let by_then = self.until(last);
        let many = 4 * FACILITIES as i32 * MOST;
        let few_women = self.problem.add_binary_var(0.0);
        let mut units: Vec<(Variable, i32)> = by_then.iter().map(|(_, one)| (one.units, 1)).collect();
        units.push((few_women, -many));
        self.sum(&units, ComparisonOp::Le, THRESHOLD - 1);
        let mut women = vec![(few_women, many)];
        for facility in 0..FACILITIES {
            let most = self.number();
            for (_, one) in by_then.iter().filter(|((_, at), _)| *at == facility) {
                self.sum(&[(one.women, 1), (most, -1)], ComparisonOp::Le, 0);
            }
            women.push((most, 1));
        }
        self.sum(&women, ComparisonOp::Le, THRESHOLD - 1 + i64::from(many));
    }
}
