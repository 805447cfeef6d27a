//! Five years of an organisation of 350 women, of whom 30 in a hundred leave each year and as many come.

use disclosure::*;
use rand::Rng;

use crate::support::*;

/// What one release shows of one variable.
#[derive(Default)]
struct Shown {
    totals: usize,
    one_way: usize,
    two_way: usize,
    carried: usize,
    audited: usize,
    alone: usize,
    outcome: Option<Outcome>,
}

const CODES: [&str; 4] = ["enrolled", "busy", "income", "earned"];

fn five_years(seed: u64, yes: u32, kind: fn(&str, Kind) -> Variable) -> Vec<Vec<Shown>> {
    let mut rng = rng(seed);
    let registry = registry(&[
        variable("enrolled", ENROLLED),
        kind("busy", BUSY),
        kind("income", INCOME),
        kind("earned", EARNED),
    ]);
    let everybody = population(&mut rng, 350 + 5 * 120);
    let (for_life, income) = (answers(&mut rng, &everybody, yes), amounts(&mut rng, &everybody));
    let earned = amounts(&mut rng, &everybody);
    let mut women = everybody[..350].to_vec();
    let mut next = 350;
    let mut history = History::default();
    let mut releases = Vec::new();
    for year in 2020..2025 {
        let persistent = kind("", BUSY).fact.is_some();
        let busy = if persistent { for_life.clone() } else { answers(&mut rng, &women, yes) };
        let pay = if persistent { income.clone() } else { amounts(&mut rng, &women) };
        let sold = if persistent { earned.clone() } else { amounts(&mut rng, &women) };
        let counted = Values::Members(units(&women));
        let measures = vec![("enrolled", counted), ("busy", busy), ("income", pay), ("earned", sold)];
        let snapshot = snapshot(year, &women, measures);
        let prepared = prepare(&history, &snapshot, &registry, &Parameters::default()).unwrap();
        let cells = shown(&prepared.public);
        releases.push(
            CODES
                .iter()
                .map(|code| {
                    let of: Vec<_> = cells.iter().filter(|((variable, _), _)| variable.0 == *code).collect();
                    let deep = |depth| of.iter().filter(|((_, at), _)| at.len() == depth).count();
                    let report = prepared.report.variables.iter().find(|v| v.variable.0 == *code);
                    Shown {
                        totals: deep(0),
                        one_way: deep(1),
                        two_way: deep(2),
                        carried: of
                            .iter()
                            .filter(|(_, (_, release))| *release != prepared.public.number)
                            .count(),
                        audited: report.map_or(0, |report| report.audited),
                        alone: report.map_or(0, |report| report.safe_alone),
                        outcome: report.map(|report| report.outcome.clone()),
                    }
                })
                .collect(),
        );
        history.publish(prepared.record);
        women.retain(|_| rng.random_range(0..100) >= 30);
        let come = 350 - women.len();
        women.extend_from_slice(&everybody[next..next + come]);
        next += come;
    }
    releases
}

#[test]
fn organisation_totals_appear_in_every_one_of_five_years() {
    for (title, kind) in [("changing", variable as fn(&str, Kind) -> Variable), ("persistent", persistent)] {
        for yes in [97, 85, 60] {
            let runs: Vec<_> = (0..4).map(|seed| five_years(seed, yes, kind)).collect();
            for (at, code) in CODES.into_iter().enumerate() {
                let all: Vec<&Shown> = runs.iter().flatten().map(|release| &release[at]).collect();
                let per_year = |year: usize| -> f64 {
                    runs.iter().map(|run| run[year][at].two_way as f64).sum::<f64>() / runs.len() as f64
                };
                let mean = |of: fn(&Shown) -> usize| {
                    all.iter().map(|shown| of(shown) as f64).sum::<f64>() / all.len() as f64
                };
                let whole = all.iter().filter(|shown| shown.outcome == Some(Outcome::Whole)).count();
                println!(
                    "{title} {code}, {yes} % yes: one-way {:.1} of 10, two-way {:.1} of 33, carried {:.1}; \
                     two-way in each release {:?}; safe alone {:.0} %; whole in {whole} of {}",
                    mean(|s| s.one_way),
                    mean(|s| s.two_way),
                    mean(|s| s.carried),
                    [0, 1, 2, 3, 4].map(per_year),
                    mean(|s| s.alone) * 100.0 / mean(|s| s.audited.max(1)),
                    all.len(),
                );
                assert!(all.iter().all(|shown| shown.totals == 1), "{title} {code}, {yes} %");
                assert!(mean(|s| s.two_way) > 0.0, "{title} {code}, {yes} %");
            }
        }
    }
}
