//! Umbral measured beside two servers that do the same by hand: see `bench/README.md`.
//!
//! In reading order: the command, what is asked, what answers, how it is measured, what is printed.

mod cases;
mod check;
mod cluster;
mod export;
mod fan_out;
mod hand;
mod load;
mod measure;
mod process;
mod report;
mod run;
mod setup;
mod stock;
mod women;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::cases::Name;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What went wrong, in words for a developer.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;
pub type Result<T> = std::result::Result<T, Failed>;

/// Measure Umbral beside two servers written by hand, on one PostgreSQL, in one run.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(clap::Args, Clone)]
struct Settings {
    /// How often each server is measured in each case.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long one measurement lasts.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How many connections send requests.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    connections: Vec<usize>,
    /// Which cases: page, nested, stats, stats-item, one, stock, women, attendance, changes, unchanged, record, sync, fan-out, or export;
    /// all but the last when left out.
    #[arg(long, value_parser = Case::parse, value_delimiter = ',')]
    only: Vec<Case>,
    /// Of the demonstration data: 100 is about 200,000 deliveries, of which three in five are the operator's whose
    /// deliveries are asked for and exported.
    #[arg(long, default_value_t = 100)]
    scale: u32,
    /// How many sockets hear of deliveries in fan-out.
    #[arg(long, default_value_t = 500)]
    sockets: usize,
    /// Keep the servers up until Enter is pressed, to look at them.
    #[arg(long)]
    hold: bool,
}

impl Settings {
    fn wants(&self, case: Case) -> bool {
        if self.only.is_empty() { case != Case::Export } else { self.only.contains(&case) }
    }
}

/// Something to measure.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Case {
    /// Beside the two other servers.
    Compared(Name),
    /// Live events to many sockets, by Umbral alone.
    FanOut,
    /// Files of all deliveries, by Umbral alone: what they take of its memory, and that they come back.
    Export,
}

impl Case {
    fn parse(text: &str) -> std::result::Result<Self, String> {
        match text {
            "export" => Ok(Self::Export),
            "fan-out" => Ok(Self::FanOut),
            name => Name::from_str(name, false).map(Self::Compared),
        }
    }
}

#[derive(Subcommand)]
enum Command {
    /// One of the two servers written by hand. The measuring process starts them.
    #[command(hide = true)]
    Hand(hand::Options),
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Hand(options)) => actix_web::rt::System::new().block_on(hand::serve(options)),
        None => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(run::run(cli.settings))
        }
    }
}

/// The folder that cargo builds this program into.
fn target_folder() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.parent().and_then(|profile| profile.parent());
    Ok(folder.ok_or("this program is in no target folder")?.to_owned())
}
