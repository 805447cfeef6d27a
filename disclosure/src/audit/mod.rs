//! The audit: could anybody learn a woman's value from all that was ever published?
//!
//! A woman is safe when she could be another without any published interval noticing, however three others pool what
//! they know. That is shown by *witnesses*: either she alone can be changed, or there are four sets of other women,
//! no two with a member in common, each of which makes a consistent world when changed together with her. Three women
//! can spoil three of them, and the fourth remains.

mod search;
mod system;

use search::{Search, class_of};
pub use system::{Constraint, Measured, Move, System, Untrue};

use serde::{Deserialize, Serialize};

use crate::{Parameters, UnitSet};

/// What the audit of one system found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// False as soon as one woman is without witnesses; the figures below then end with her.
    pub safe: bool,
    /// Women, or women and directions of amounts, that were looked at.
    pub targets: usize,
    /// Of these, safe though all others are known.
    pub alone: usize,
    /// The most other women that one witness needed.
    pub largest_witness: usize,
    /// For each constraint, how many targets would leave its interval if they were changed alone.
    pub at_the_edge: Vec<usize>,
}

impl Verdict {
    /// What holds of two audits of the same constraints.
    pub(crate) fn and(mut self, other: Verdict) -> Verdict {
        if self.at_the_edge.len() < other.at_the_edge.len() {
            self.at_the_edge.resize(other.at_the_edge.len(), 0);
        }
        self.at_the_edge.iter_mut().zip(other.at_the_edge).for_each(|(most, more)| *most = more.max(*most));
        self.safe &= other.safe;
        self.targets += other.targets;
        self.alone += other.alone;
        self.largest_witness = self.largest_witness.max(other.largest_witness);
        self
    }
}

/// Looks for the witnesses of every woman in the system who is not known outside.
pub fn audit(system: &System, parameters: &Parameters) -> Verdict {
    let classes = system.classes();
    let mut search = Search::new(system, &classes, parameters.search);
    let mut verdict = Verdict { at_the_edge: vec![0; system.constraints.len()], ..Verdict::default() };
    for (at, class) in classes.iter().enumerate() {
        // Women of one signature and one answer stand for one another; amounts differ from woman to woman.
        let (targets, stand_for) = match system.quarter() {
            None => (
                class.upward.first().map(|&(unit, by)| Move { unit, by }).into_iter().collect(),
                class.upward.len(),
            ),
            Some(quarter) => {
                let can = |ready: &[(crate::Unit, i64)], by| -> Vec<Move> {
                    let far = ready.iter().filter(|(_, most)| *most >= quarter);
                    far.map(|&(unit, _)| Move { unit, by }).collect()
                };
                let targets = [can(&class.upward, quarter), can(&class.downward, -quarter)].concat();
                // Only corrected amounts can have no room on either side: what they were and what they are, moved
                // by the same, would leave the range. Nothing can be shown for her, so she is not safe.
                let movable: UnitSet = targets.iter().map(|m| m.unit).collect();
                if !class.women.is_subset(&movable) {
                    return verdict;
                }
                (targets, 1)
            }
        };
        for target in targets {
            verdict.targets += stand_for;
            if system.holds(&[target]) {
                verdict.alone += stand_for;
                continue;
            }
            search.broken(at, target.by).for_each(|constraint| verdict.at_the_edge[constraint] += stand_for);
            match disjoint_witnesses(system, &mut search, at, target, parameters.coalition + 1) {
                Some(largest) => verdict.largest_witness = verdict.largest_witness.max(largest),
                None => return verdict,
            }
        }
    }
    verdict.safe = true;
    verdict
}

/// A world in which a woman's value is moved as said and all intervals hold, if one is found. For studies: how far a
/// value can go is how little is known of it.
pub fn world_with(system: &System, target: Move, parameters: &Parameters) -> Option<Vec<Move>> {
    if system.holds(&[target]) {
        return Some(vec![target]);
    }
    let classes = system.classes();
    let class = class_of(&classes, target.unit)?;
    let helpers = Search::new(system, &classes, parameters.search).helpers(class, target, &UnitSet::new())?;
    let world = [vec![target], helpers].concat();
    system.holds(&world).then_some(world)
}

/// Finds `wanted` disjoint sets of others that go with a move, and gives the size of the largest.
fn disjoint_witnesses(
    system: &System,
    search: &mut Search<'_>,
    class: usize,
    target: Move,
    wanted: u32,
) -> Option<usize> {
    let mut taken = UnitSet::new();
    let mut largest = 0;
    for _ in 0..wanted {
        let helpers = search.helpers(class, target, &taken)?;
        let disjoint = helpers.iter().all(|m| !taken.contains(m.unit));
        let world: Vec<Move> = std::iter::once(target).chain(helpers.iter().copied()).collect();
        if !disjoint || !system.holds(&world) {
            return None;
        }
        largest = largest.max(helpers.len());
        helpers.iter().for_each(|m| taken.insert(m.unit));
    }
    Some(largest)
}
