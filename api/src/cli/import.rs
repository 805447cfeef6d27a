//! `umbral import`.

use std::path::PathBuf;

use clap::Args;

use super::{Failed, read_file};
use crate::{config::Config, import::Kind, serve};

#[derive(Args, Debug)]
pub struct Import {
    /// What the file holds: distributions, facilities, programs, items or kits.
    pub kind: String,
    /// The CSV file.
    pub file: Option<PathBuf>,
}

impl Import {
    pub async fn run(self, config: &Config) -> Result<(), Failed> {
        let _ = (serve::open(config).await?, Kind::ALL, read_file);
        Err(Failed("not yet".into()))
    }
}
