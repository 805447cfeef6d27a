//! Eight releases of one fact, with women who join and leave between them, published in three ways.

use disclosure::*;
use rand::Rng;
use rand::rngs::StdRng;

use crate::attacker::{Attacker, Found};
use crate::support::*;

pub const PERIODS: u16 = 8;

/// What was published: who is in a cell, and what readers know of how many of them said yes.
pub type Published = Vec<(UnitSet, Interval)>;

#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub seed: u64,
    pub women: u32,
    /// How many in a hundred say yes.
    pub yes: u32,
    /// How many in a hundred leave in each period, and as many come.
    pub turnover: u32,
}

/// One way of publishing, attacked.
pub struct Attacked {
    pub method: &'static str,
    pub figures: usize,
    /// Women in any figure.
    pub women: usize,
    pub alone: Found,
    /// Sums over all coalitions of three.
    pub with_three: Found,
    pub coalitions: usize,
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

impl Scenario {
    /// Publishes in three ways and attacks each: alone, and with so many coalitions of three. The alternatives need
    /// few to be broken.
    pub fn run(&self, coalitions: usize) -> Vec<Attacked> {
        let mut rng = rng(self.seed);
        let everybody = population(&mut rng, self.women * 5);
        let values = answers(&mut rng, &everybody, self.yes);
        let Values::Yes(yes) = &values else { unreachable!() };
        let registry = registry(&[persistent("busy", BUSY)]);
        let mut women = everybody[..self.women as usize].to_vec();
        let mut next = women.len();
        let mut history = History::default();
        let (mut exactly, mut to_fives) = (Published::new(), Published::new());
        for year in 2016..2016 + PERIODS {
            let snapshot = snapshot(year, &women, vec![("busy", values.clone())]);
            history.publish(prepare(&history, &snapshot, &registry, &Parameters::default()).unwrap().record);
            for cell in all_cells(&snapshot.rounds[0]) {
                let (size, said) = (cell.len() as i64, cell.shared(yes) as i64);
                exactly.extend(exact(size, said).map(|interval| (cell.clone(), interval)));
                to_fives.extend(to_five(size, said).map(|interval| (cell.clone(), interval)));
            }
            women.retain(|_| rng.random_range(0..100) >= self.turnover);
            let come = self.women as usize - women.len();
            women.extend_from_slice(&everybody[next..next + come]);
            next += come;
        }
        let bands = cells(&history).into_iter().map(|(_, cell)| (cell.members.clone(), cell.sum)).collect();
        let told: Vec<UnitSet> =
            (0..coalitions).map(|at| three(&mut rng, &everybody[..next], at % 2 == 0)).collect();
        let few = told.len().min(2);
        let ways: [(_, Published, _); 3] = [
            ("exact from 5", exactly, &told[..few]),
            ("rounded to 5 from 10", to_fives, &told[..few]),
            ("bands", bands, &told[..]),
        ];
        ways.into_iter().map(|(method, published, told)| attacked(method, &published, yes, told)).collect()
    }
}

fn attacked(method: &'static str, published: &Published, yes: &UnitSet, told: &[UnitSet]) -> Attacked {
    let mut attacker = Attacker::new(published, yes);
    let alone = attacker.attack(&UnitSet::new());
    let with_three = told.iter().map(|coalition| attacker.attack(coalition));
    let with_three = with_three.fold(Found::default(), |all, found| Found {
        known: all.known + found.known,
        open: all.open + found.open,
    });
    let women = published.iter().fold(UnitSet::new(), |all, (members, _)| all.or(members)).len();
    Attacked { method, figures: published.len(), women, alone, with_three, coalitions: told.len() }
}

/// Every cell that is in the tables, whether it is shown or not.
fn all_cells(round: &Round) -> Vec<UnitSet> {
    let groups: Vec<(&DimensionCode, &UnitSet)> = round
        .groups
        .iter()
        .flat_map(|(code, groups)| groups.values().map(move |group| (code, group)))
        .collect();
    let pairs = groups
        .iter()
        .flat_map(|(a, one)| groups.iter().filter(move |(b, _)| a < b).map(move |(_, other)| one.and(other)));
    let one_way = groups.iter().map(|(_, group)| (*group).clone());
    std::iter::once(round.eligible.clone()).chain(one_way).chain(pairs).collect()
}

/// Three women: of one workshop of one facility, who know best what is left to know, or any.
fn three(rng: &mut StdRng, women: &[Woman], near: bool) -> UnitSet {
    let one = women[rng.random_range(0..women.len())];
    let with = |w: &&Woman| !near || (w.facility, w.program, w.age) == (one.facility, one.program, one.age);
    let possible: Vec<Unit> = women.iter().filter(with).map(|w| w.unit).collect();
    (0..3).map(|_| possible[rng.random_range(0..possible.len())]).collect()
}
