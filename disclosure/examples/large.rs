//! How long a large release takes: 2,000 women, 40 variables of 44 cells each, 8 earlier releases.
//!
//!     cargo run --release -p disclosure --example large [persistent]

#![expect(clippy::unwrap_used, reason = "a measurement: what fails, should stop it")]

use std::time::Instant;

use disclosure::*;
use rand::Rng;

#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "the populations of the tests; not all of them are used here")]
mod support;

use support::*;

const WOMEN: usize = 2_000;
const RELEASES: u16 = 9;

fn main() {
    let for_life = std::env::args().any(|argument| argument == "persistent");
    let register = |code: &str, kind| if for_life { persistent(code, kind) } else { variable(code, kind) };
    let kinds = |at: usize| match at {
        0..4 => ENROLLED,
        4..34 => BUSY,
        _ => INCOME,
    };
    let variables: Vec<Variable> = (0..40).map(|at| register(&format!("v{at:02}"), kinds(at))).collect();
    let registry = registry(&variables);
    let mut rng = rng(1);
    let everybody = population(&mut rng, 10_000);
    let lasting: Vec<Values> = variables
        .iter()
        .enumerate()
        .map(|(at, variable)| match variable.kind {
            Kind::Count { .. } => Values::Members(units(&everybody)),
            Kind::Answer { .. } => answers(&mut rng, &everybody, 50 + at as u32),
            Kind::Mean { .. } | Kind::Sum { .. } => amounts(&mut rng, &everybody),
        })
        .collect();

    let mut women = everybody[..WOMEN].to_vec();
    let mut next = WOMEN;
    let mut history = History::default();
    for year in 2016..2016 + RELEASES {
        let measures: Vec<_> = variables
            .iter()
            .zip(&lasting)
            .map(|(variable, lasting)| {
                let values = match variable.kind {
                    Kind::Answer { .. } if !for_life => answers(&mut rng, &women, 85),
                    Kind::Mean { .. } if !for_life => amounts(&mut rng, &women),
                    _ => lasting.clone(),
                };
                (variable.code.0.as_str(), values)
            })
            .collect();
        let snapshot = snapshot(year, &women, measures);
        let start = Instant::now();
        let prepared = prepare(&history, &snapshot, &registry, &Parameters::default()).unwrap();
        let whole = prepared.report.variables.iter().filter(|v| v.outcome == Outcome::Whole).count();
        println!(
            "{year}: {:.1} s; {} cells shown of {}, {whole} variables whole of 40, largest witness {}",
            start.elapsed().as_secs_f64(),
            shown(&prepared.public).len(),
            prepared.public.tables.iter().map(|table| table.cells.len()).sum::<usize>(),
            prepared.report.variables.iter().map(|v| v.largest_witness).max().unwrap_or_default(),
        );
        history.publish(prepared.record);
        women.retain(|_| rng.random_range(0..100) >= 30);
        let come = WOMEN - women.len();
        women.extend_from_slice(&everybody[next..next + come]);
        next += come;
    }
}
