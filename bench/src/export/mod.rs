//! All deliveries as files: what that takes of the server's memory, and whether they come back as they went.

mod digest;
mod download;

use std::{fs::File, io::Write, path::Path, process::Command, time::Instant};

use self::{digest::Digest, download::download};
use crate::{
    Result,
    cases::ORGANIZATION,
    process::{Server, finish_watched, forget_peak, memory_mb},
};

/// What the server may take at its peak, however many deliveries there are.
const MOST_MB: f64 = 150.0;
/// What a file gives back: deliveries that took place.
const DELIVERED: &str = "status=DELIVERED&status=VERIFIED";

/// Takes each form of the file once, and says what it took; leaves the one with commas in a folder.
///
/// # Errors
/// When a file breaks off, or the server took more than it may.
pub async fn take(server: &Server, token: &str, file: &Path) -> Result<Digest> {
    let mut csv = File::create(file)?;
    watched(server, token, "csv", |read| Ok(csv.write_all(read)?)).await?;
    csv.sync_all()?;
    watched(server, token, "xlsx", |_| Ok(())).await?;
    read(server, token).await
}

/// Imports the file into the database of another server, which has the same registry and no deliveries.
///
/// # Errors
/// When what that server then exports is not the same.
pub async fn give_back(
    before: &Digest,
    file: &Path,
    mut import: Command,
    server: &Server,
    token: &str,
) -> Result<()> {
    let start = Instant::now();
    let peak =
        finish_watched(import.args(["import", "distributions", "--organization", ORGANIZATION]).arg(file));
    let peak = peak.await?;
    println!("import csv   in {:>5.1} s; it has {peak:.0} MB at its peak", start.elapsed().as_secs_f64());
    let after = read(server, token).await?;
    println!("before: {before}\nafter:  {after}");
    if after == *before { Ok(()) } else { Err("the deliveries are not the same".into()) }
}

/// What is in the file with a JSON object on each line.
async fn read(server: &Server, token: &str) -> Result<Digest> {
    let mut digest = Digest::default();
    watched(server, token, "jsonl", |read| digest.add(read)).await?;
    digest.end();
    Ok(digest)
}

async fn watched(
    server: &Server,
    token: &str,
    format: &str,
    to: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    forget_peak(server.pid());
    let start = Instant::now();
    let path = format!("/export/distributions?format={format}&{DELIVERED}");
    let bytes = download(server.address, &path, token, to).await?;
    let (resident, peak) = memory_mb(server.pid());
    println!(
        "export {format:<5} {:>7.1} MB in {:>5.1} s; the server has {resident:.0} MB, {peak:.0} MB at its peak",
        bytes as f64 / 1e6,
        start.elapsed().as_secs_f64(),
    );
    if peak >= MOST_MB { Err(format!("more than {MOST_MB} MB").into()) } else { Ok(()) }
}
