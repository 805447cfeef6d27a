//! The reconstruction attack in its large form: eight releases, attacked alone and with coalitions of three women.
//!
//!     cargo run --release -p disclosure --example attack [populations] [coalitions]

#![expect(clippy::unwrap_used, reason = "a measurement: what fails, should stop it")]

use std::time::Instant;

#[path = "../tests/it/attacker.rs"]
mod attacker;
#[path = "../tests/it/scenario.rs"]
mod scenario;
#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "the populations of the tests; not all of them are used here")]
mod support;

use attacker::Found;
use scenario::{Attacked, Scenario};

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().unwrap());
    let (populations, coalitions) = (arguments.next().unwrap_or(3), arguments.next().unwrap_or(60));
    println!(
        "{populations} populations each; {coalitions} coalitions of three for bands, two for the others.\n\
         known: women whose answer is determined; open: neither that nor another world was found\n\n\
         | women | leave | yes | method | figures | known | open | known with three | open | s |\n\
         |---|---|---|---|---|---|---|---|---|---|"
    );
    let mut broken = 0;
    for (women, turnover) in [(350, 8), (350, 30), (120, 8), (120, 30)] {
        for yes in [60, 85, 97] {
            let start = Instant::now();
            let runs: Vec<Vec<Attacked>> = (0..populations)
                .map(|seed| Scenario { seed, women, yes, turnover }.run(coalitions as usize))
                .collect();
            for at in 0..3 {
                let all = || runs.iter().map(|run| &run[at]);
                let people: usize = all().map(|a| a.women).sum();
                let asked: usize = all().map(|a| a.women * a.coalitions).sum();
                let share =
                    |women: usize, of: usize| format!("{:.1} %", women as f64 * 100.0 / of.max(1) as f64);
                let sum = |of: fn(&Attacked) -> Found| {
                    all()
                        .map(of)
                        .fold((0, 0), |(known, open), found| (known + found.known, open + found.open))
                };
                let ((known, open), (with, open_with)) = (sum(|a| a.alone), sum(|a| a.with_three));
                println!(
                    "| {women} | {turnover} % | {yes} % | {} | {} | {known} = {} | {open} | {with} = {} | {open_with} | {:.0} |",
                    runs[0][at].method,
                    all().map(|a| a.figures).sum::<usize>(),
                    share(known, people),
                    share(with, asked),
                    start.elapsed().as_secs_f64(),
                );
                if runs[0][at].method == "bands" {
                    broken += known + open + with + open_with;
                }
            }
        }
    }
    assert_eq!(broken, 0, "somebody is known from bands, or not shown to be unknown");
}
