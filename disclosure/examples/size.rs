//! How much processor time and memory a large release takes: 40 variables of 44 cells each, 8 earlier releases.
//!
//!     cargo run --release -p disclosure --example size [women] [facts]
//!
//! With `facts`, what women say holds for life, and the audit of a release goes over all earlier ones.

#![expect(clippy::unwrap_used, reason = "a measurement: what fails, should stop it")]

use disclosure::*;
use rand::Rng;

#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "the populations of the tests; not all of them are used here")]
mod support;

use support::*;

const RELEASES: u16 = 9;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let for_life = arguments.iter().any(|argument| argument == "facts");
    let size = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(2_000_usize);
    let register = |code: &str, kind| if for_life { persistent(code, kind) } else { variable(code, kind) };
    let kinds = |at: usize| match at {
        0..4 => ENROLLED,
        4..32 => BUSY,
        32..36 => INCOME,
        _ => EARNED,
    };
    let variables: Vec<Variable> = (0..40).map(|at| register(&format!("v{at:02}"), kinds(at))).collect();
    let registry = registry(&variables);
    let mut rng = rng(1);
    let everybody = population(&mut rng, size as u32 * 5);
    let lasting: Vec<Values> = variables
        .iter()
        .enumerate()
        .map(|(at, variable)| match variable.kind {
            Kind::Count { .. } => Values::Members(units(&everybody)),
            Kind::Answer { .. } => answers(&mut rng, &everybody, 50 + at as u32),
            Kind::Mean { .. } | Kind::Sum { .. } => amounts(&mut rng, &everybody),
        })
        .collect();

    let mut women = everybody[..size].to_vec();
    let mut next = size;
    let mut history = History::default();
    for year in 2016..2016 + RELEASES {
        let measures: Vec<_> = variables
            .iter()
            .zip(&lasting)
            .map(|(variable, lasting)| {
                let values = match variable.kind {
                    Kind::Answer { .. } if !for_life => answers(&mut rng, &women, 85),
                    Kind::Mean { .. } | Kind::Sum { .. } if !for_life => amounts(&mut rng, &women),
                    _ => lasting.clone(),
                };
                (variable.code.0.as_str(), values)
            })
            .collect();
        let snapshot = snapshot(year, &women, measures);
        let start = processor_seconds();
        let prepared = prepare(&history, &snapshot, &registry, &Parameters::default()).unwrap();
        let whole = prepared.report.variables.iter().filter(|v| v.outcome == Outcome::Whole).count();
        println!(
            "{year}: {:.1} s, {} MB at most; {} cells shown of {}, {whole} variables whole of 40, largest witness {}",
            processor_seconds() - start,
            most_memory(),
            shown(&prepared.public).len(),
            prepared.public.tables.iter().map(|table| table.cells.len()).sum::<usize>(),
            prepared.report.variables.iter().map(|v| v.largest_witness).max().unwrap_or_default(),
        );
        history.publish(prepared.record);
        women.retain(|_| rng.random_range(0..100) >= 30);
        let come = size - women.len();
        women.extend_from_slice(&everybody[next..next + come]);
        next += come;
    }
}

/// The most memory that this process ever held, as Linux has it.
fn most_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok()).unwrap_or_default() / 1000
}

/// The processor time of this process, as Linux has it: in hundredths, after the name in brackets and eleven more.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    after_name.split_whitespace().nth(11).unwrap().parse::<f64>().unwrap() / 100.0
}
