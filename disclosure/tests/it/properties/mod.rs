//! What must hold for every population, one test or more for each:
//!
//! | | | where |
//! |---|---|---|
//! | P1 | an interval holds at least 5 counts, 8 yes-counts, or 8 whole ranges of an amount | `release` |
//! | P2 | it holds the true value | `release` |
//! | P3 | all or nobody is no figure of its own, and yes and no are treated alike | `release` |
//! | P4 | one woman moves a figure by one band at most, and her answer never what is shown | `release` |
//! | P5 | what is shown depends on memberships only | `history` |
//! | P6 | two published bases of one variable are the same women or far apart | `history` |
//! | P7 | no three women know a fourth | `history` |
//! | P8 | trying all worlds finds nothing that the audit called safe | `oracle` |
//! | P9 | a further release makes nobody unsafe | `history` |
//! | P10 | the same data give the same bytes, in any order and under any numbers | `release` |
//! | P11 | audiences read parts of one sealed file | |
//! | P12 | nothing is served but the sealed file | |
//! | P13 | the woman with the largest amount moves a mean or sum by one band at most | `release` |
//! | P14 | up to nine who join or leave change no published cell | `history` |
//! | P15 | nothing of a woman is in what readers get | `release` |
//!
//! P11, P12, and P15 for names and free text are properties of the server, which has the files, the audiences and the
//! names; its tests hold them. P15 here is for what this crate knows of a woman: her number and her amount.

mod history;
mod release;

use disclosure::*;
use rand::Rng;
use rand::rngs::StdRng;

use crate::support::*;

/// One of each kind.
const KINDS: [(&str, Kind); 4] =
    [("enrolled", ENROLLED), ("busy", BUSY), ("income", INCOME), ("earned", EARNED)];

fn all_kinds(register: fn(&str, Kind) -> Variable) -> Registry {
    registry(&KINDS.map(|(code, kind)| register(code, kind)))
}

/// Values of all kinds, as good as any.
fn measures(rng: &mut StdRng, women: &[Woman], percent: u32) -> Vec<(&'static str, Values)> {
    let of = |(code, kind)| {
        let values = match kind {
            Kind::Count { .. } => Values::Members(units(women)),
            Kind::Answer { .. } => answers(rng, women, percent),
            Kind::Mean { .. } | Kind::Sum { .. } => amounts(rng, women),
        };
        (code, values)
    };
    KINDS.map(of).into()
}

fn whole(prepared: &Prepared, variable: &str) -> bool {
    let reports = &prepared.report.variables;
    reports.iter().any(|v| v.variable.0 == variable && v.outcome == Outcome::Whole)
}

/// True when these are one band, or two of which one begins where the other ends.
fn touch(one: Interval, other: Interval) -> bool {
    (one.at_least - other.at_most).max(other.at_least - one.at_most) <= 1
}

/// How often the percentage of yes is what: the ends are where it is dangerous.
fn percent(rng: &mut StdRng) -> u32 {
    [50, 60, 85, 97, 100][rng.random_range(0..5)]
}
