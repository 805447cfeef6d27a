use super::system::{Class, Move, System};
use crate::parameters::SearchLimits;
use crate::{Unit, UnitSet};

/// Proposes worlds. What it proposes is checked by `System::holds`; what it does not find makes a release smaller,
/// never less safe.
///
/// Depth first with growing depth: take the sum that is furthest outside its interval, and move a woman who brings
/// it back. Some woman in every repair does, so without limits nothing is overlooked for answers.
pub(super) struct Search<'a> {
    system: &'a System,
    classes: &'a [Class],
    limits: SearchLimits,
    /// For each constraint, the classes in it and what a move by 1 does to it.
    within: Vec<Vec<(usize, i64)>>,
    /// How far each sum may still go down and up.
    slack: Vec<(i64, i64)>,
    /// How far each sum has gone in the world that is being built.
    shift: Vec<i64>,
    /// The moves of others that make it, with their classes. An amount may be moved more than once.
    moves: Vec<(usize, Move)>,
    used: UnitSet,
    steps: u64,
}

/// A move that could go on with a world.
struct Step {
    /// What becomes of all that is outside its interval, together.
    change: i64,
    class: usize,
    step: Move,
}

impl<'a> Search<'a> {
    pub fn new(system: &'a System, classes: &'a [Class], limits: SearchLimits) -> Self {
        let mut within = vec![Vec::new(); system.constraints.len()];
        for (at, class) in classes.iter().enumerate() {
            for &(constraint, effect) in &class.effects {
                within[constraint].push((at, effect));
            }
        }
        let slack = system
            .constraints
            .iter()
            .zip(&system.sums)
            .map(|(c, sum)| (sum - c.sum.at_least, c.sum.at_most - sum))
            .collect();
        Self {
            system,
            classes,
            limits,
            within,
            slack,
            shift: vec![0; system.constraints.len()],
            moves: Vec::new(),
            used: UnitSet::new(),
            steps: 0,
        }
    }

    /// The constraints that a move alone would break.
    pub fn broken(&self, class: usize, by: i64) -> impl Iterator<Item = usize> + '_ {
        let effects = self.classes[class].effects.iter();
        effects.filter(move |&&(at, effect)| self.outside(at, effect * by) > 0).map(|&(at, _)| at)
    }

    /// Moves of other women, none of them in `barred`, that make a world of this move. `class` is the mover's.
    pub fn helpers(&mut self, class: usize, target: Move, barred: &UnitSet) -> Option<Vec<Move>> {
        self.begin(class, target, barred);
        let found = (1..=self.limits.helpers).any(|depth| self.repair(depth));
        let mut turn = 0;
        (found || (0..self.limits.walks).any(|_| self.walk(class, target, barred, &mut turn)))
            .then(|| self.together())
    }

    fn begin(&mut self, class: usize, target: Move, barred: &UnitSet) {
        self.shift.fill(0);
        self.moves.clear();
        self.used = barred.clone();
        self.used.insert(target.unit);
        self.steps = self.limits.steps;
        self.apply(class, target.by);
    }

    /// Where going through all ways in their order takes too long: one way that goes on with any of the best moves for
    /// any of the broken sums, and never back. Which, is as good as random, and the same each time.
    fn walk(&mut self, class: usize, target: Move, barred: &UnitSet, turn: &mut u64) -> bool {
        self.begin(class, target, barred);
        for _ in 0..=2 * self.limits.helpers {
            let broken: Vec<(usize, i64)> = (0..self.shift.len())
                .map(|at| (at, self.outside(at, self.shift[at])))
                .filter(|&(_, violation)| violation > 0)
                .collect();
            if broken.is_empty() {
                return true;
            }
            let (at, violation) = broken[any(turn, broken.len())];
            let mut ways = self.ways_on(at, violation);
            let best = ways.first().map(|way| way.change);
            ways.retain(|way| Some(way.change) == best);
            if ways.is_empty() {
                return false;
            }
            let Step { class, step, .. } = ways.swap_remove(any(turn, ways.len()));
            self.apply(class, step.by);
            self.moves.push((class, step));
            self.used.insert(step.unit);
        }
        false
    }

    /// The moves of the world, one for each woman.
    fn together(&self) -> Vec<Move> {
        let mut together: Vec<Move> = Vec::new();
        for (_, step) in &self.moves {
            match together.iter_mut().find(|m| m.unit == step.unit) {
                Some(same) => same.by += step.by,
                None => together.push(*step),
            }
        }
        together.retain(|m| m.by != 0);
        together
    }

    fn repair(&mut self, depth: u32) -> bool {
        let worst = (0..self.shift.len()).map(|at| (self.outside(at, self.shift[at]), at));
        let Some((violation, at)) = worst.max_by_key(|&(violation, at)| (violation, std::cmp::Reverse(at)))
        else {
            return true;
        };
        if violation == 0 {
            return true;
        }
        let answers = self.system.quarter().is_none();
        if depth == 0 || answers && violation > i64::from(depth) {
            return false;
        }
        for Step { class, step, .. } in self.ways_on(at, violation) {
            self.apply(class, step.by);
            self.moves.push((class, step));
            self.used.insert(step.unit);
            if self.repair(depth - 1) {
                return true;
            }
            self.apply(class, -step.by);
            self.moves.pop();
            if !self.moves.iter().any(|(_, other)| other.unit == step.unit) {
                self.used.remove(step.unit);
            }
        }
        false
    }

    /// The best moves that bring the sum of a constraint back by up to `violation`.
    fn ways_on(&mut self, at: usize, violation: i64) -> Vec<Step> {
        let wanted = -self.shift[at].signum();
        let mut ways = Vec::new();
        for &(class, effect) in &self.within[at] {
            let direction = effect * wanted;
            let Some(far) = self.step(class, direction, violation) else { continue };
            // An amount may also go only as far as the least of what it mends.
            let near = Move { by: direction * self.least_mended(class, direction).min(far.by.abs()), ..far };
            for step in std::iter::once(far).chain((near != far).then_some(near)) {
                if self.steps == 0 {
                    return Vec::new();
                }
                self.steps -= 1;
                let effects = self.classes[class].effects.iter();
                let change = effects
                    .map(|&(c, e)| {
                        self.outside(c, self.shift[c] + e * step.by) - self.outside(c, self.shift[c])
                    })
                    .sum();
                ways.push(Step { change, class, step });
            }
        }
        ways.sort_by_key(|way| (way.change, way.class));
        ways.truncate(self.limits.breadth as usize);
        ways
    }

    /// The furthest that a woman of a class can be moved in a direction, up to `most`.
    fn step(&self, class: usize, direction: i64, most: i64) -> Option<Move> {
        let ready = if direction > 0 { &self.classes[class].upward } else { &self.classes[class].downward };
        let unused = ready.iter().find(|(unit, _)| !self.used.contains(*unit)).copied();
        let (unit, furthest) = unused.or_else(|| self.further(class, direction, ready))?;
        Some(Move { unit, by: direction * furthest.min(most) })
    }

    /// A woman of this class whose amount this world has moved already, and how far it can still go.
    fn further(&self, class: usize, direction: i64, ready: &[(Unit, i64)]) -> Option<(Unit, i64)> {
        self.system.quarter()?;
        let mut moved = self.moves.iter().filter(|(of, _)| *of == class);
        moved.find_map(|(_, first)| {
            let steps = self.moves.iter().filter(|(_, step)| step.unit == first.unit);
            let gone: i64 = steps.map(|(_, step)| step.by).sum();
            let most = ready.iter().find(|(unit, _)| *unit == first.unit).map_or(0, |(_, most)| *most);
            let left = most - direction * gone;
            (left > 0).then_some((first.unit, left))
        })
    }

    /// The least that a sum is outside its interval, of those that a move in this direction brings back.
    fn least_mended(&self, class: usize, direction: i64) -> i64 {
        let effects = self.classes[class].effects.iter();
        let mended =
            effects.filter(|&&(at, effect)| (effect * direction).signum() == -self.shift[at].signum());
        mended
            .map(|&(at, _)| self.outside(at, self.shift[at]))
            .filter(|&outside| outside > 0)
            .min()
            .unwrap_or(1)
    }

    fn apply(&mut self, class: usize, by: i64) {
        for &(at, effect) in &self.classes[class].effects {
            self.shift[at] += effect * by;
        }
    }

    /// How far a sum that has gone by `shift` is outside its interval.
    fn outside(&self, at: usize, shift: i64) -> i64 {
        let (down, up) = self.slack[at];
        (shift - up).max(-down - shift).max(0)
    }
}

/// One of so many, differently at each turn: the high bits of a linear congruence.
fn any(turn: &mut u64, of: usize) -> usize {
    *turn = turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*turn >> 33) as usize % of
}

/// Which class a woman is in, for those who begin from a woman.
pub(super) fn class_of(classes: &[Class], unit: Unit) -> Option<usize> {
    classes
        .iter()
        .position(|class| class.upward.iter().chain(&class.downward).any(|(other, _)| *other == unit))
}
