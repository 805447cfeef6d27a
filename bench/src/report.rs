//! The figures of a run, as a table for people and as JSON for programs.

use std::fmt::Write;

use serde::Serialize;
use serde_json::json;

use crate::{
    Result,
    cases::Name,
    fan_out::FanOut,
    measure::{Slice, median},
    target_folder,
};

/// All slices of a case at one number of connections; the servers in the order Umbral, best, usual, as far as
/// they answer it.
pub struct Cell {
    pub name: Name,
    pub connections: usize,
    pub slices: Vec<Vec<Slice>>,
}

#[derive(Serialize)]
struct Ratios {
    cpu_to_best: Option<f64>,
    cpu_to_usual: Option<f64>,
    per_second_to_best: Option<f64>,
    per_second_to_usual: Option<f64>,
}

impl Cell {
    fn median(&self, server: usize, of: impl Fn(&Slice) -> f64) -> f64 {
        median(self.slices[server].iter().map(of))
    }

    /// Of the medians over rounds of the ratio within each round, so that what the machine did meanwhile weighs
    /// on both sides.
    fn ratio(&self, to: usize, of: impl Fn(&Slice) -> f64) -> Option<f64> {
        let rounds = self.slices[0].iter().zip(self.slices.get(to)?);
        Some(median(rounds.map(|(ours, theirs)| of(ours) / of(theirs).max(f64::EPSILON))))
    }

    fn ratios(&self) -> Ratios {
        Ratios {
            cpu_to_best: self.ratio(1, Slice::cpu_ms),
            cpu_to_usual: self.ratio(2, Slice::cpu_ms),
            per_second_to_best: self.ratio(1, |slice| slice.per_second),
            per_second_to_usual: self.ratio(2, |slice| slice.per_second),
        }
    }
}

pub const SERVERS: [&str; 3] = ["Umbral", "best by hand", "usual by hand"];

pub fn markdown(cells: &[Cell], peak: f64) -> String {
    let mut text = String::from(
        "| case | connections | server | requests or rows/s | p50 ms | p99 ms | CPU ms for each: server | database | both \
         | memory MB |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for cell in cells {
        for (server, name) in SERVERS.iter().enumerate().take(cell.slices.len()) {
            let of = |of: fn(&Slice) -> f64| cell.median(server, of);
            // Writing to memory does not fail.
            let _ = writeln!(
                text,
                "| {} | {} | {name} | {:.0} | {:.2} | {:.2} | {:.3} | {:.3} | {:.3} | {:.0} |",
                cell.name.text(),
                cell.connections,
                of(|slice| slice.per_second),
                of(|slice| slice.p50_ms),
                of(|slice| slice.p99_ms),
                of(|slice| slice.server_ms),
                of(|slice| slice.database_ms),
                of(Slice::cpu_ms),
                of(|slice| slice.resident_mb),
            );
        }
    }
    text.push_str(
        "\nUmbral against the others: medians over rounds of the ratio within a round.\n\n\
         | case | connections | CPU to best | CPU to usual | requests/s to best | requests/s to usual |\n\
         |---|---|---|---|---|---|\n",
    );
    for cell in cells.iter().filter(|cell| cell.slices.len() > 1) {
        let ratios = cell.ratios();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            cell.name.text(),
            cell.connections,
            shown(ratios.cpu_to_best),
            shown(ratios.cpu_to_usual),
            shown(ratios.per_second_to_best),
            shown(ratios.per_second_to_usual),
        );
    }
    let _ = writeln!(text, "\nPeak memory of Umbral: {peak:.0} MB.");
    text
}

fn shown(ratio: Option<f64>) -> String {
    ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"))
}

/// Writes both forms to `bench/` in the target folder, and the table to standard output.
pub fn write(cells: &[Cell], fan_out: Option<&FanOut>) -> Result<()> {
    let peak = cells.iter().flat_map(|cell| &cell.slices[0]).map(|slice| slice.peak_mb).fold(0.0, f64::max);
    let compared = (!cells.is_empty()).then(|| markdown(cells, peak));
    let parts: Vec<String> = compared.into_iter().chain(fan_out.map(FanOut::text)).collect();
    let table = parts.join("\n");
    let all: Vec<_> = cells
        .iter()
        .map(|cell| {
            json!({
                "case": cell.name.text(),
                "connections": cell.connections,
                "ratios": cell.ratios(),
                "umbral": cell.slices[0],
                "best": cell.slices.get(1),
                "usual": cell.slices.get(2),
            })
        })
        .collect();
    let folder = target_folder()?.join("bench");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("report.md"), &table)?;
    std::fs::write(
        folder.join("report.json"),
        serde_json::to_vec_pretty(&json!({ "cases": all, "fan_out": fan_out }))?,
    )?;
    println!("{table}");
    Ok(())
}
