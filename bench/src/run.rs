//! The whole run: database, servers, checks, rounds, report.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tokio_postgres::NoTls;

use crate::{
    Case, Result, Settings,
    cases::{Asked, Name, ORGANIZATION, PARTNER, Samples},
    check,
    cluster::{Cluster, OUTSIDE, OWNER},
    export, measure,
    process::{Server, finish, free_address},
    report::{self, Cell, SERVERS},
    target_folder,
};

/// One of the three servers.
pub struct Contender {
    pub name: &'static str,
    pub asked: Asked,
    pub server: Server,
}

pub async fn run(settings: Settings) -> Result<()> {
    let umbral = build()?;
    eprintln!("PostgreSQL and demonstration data, scale {} …", settings.scale);
    let cluster = Cluster::start()?;
    let keys = cluster.folder.join("umbral");
    let db = prepare(&cluster, &umbral, &keys, settings.scale).await?;
    let token = |role: &str, organization: &str| {
        let mut command = tool(&umbral, &cluster, &keys);
        finish(command.args(["token", "--role", role, "--organization", organization]))
    };
    let tokens = (token("partner", PARTNER)?, token("coordinator", ORGANIZATION)?);
    if settings.only.contains(&Case::Export) {
        export::run(&ours(&umbral, &cluster, &keys).await?.server, &tokens.1).await?;
    }
    let compared = |case: &Case| match case {
        Case::Compared(name) => Some(*name),
        Case::Export => None,
    };
    let names: Vec<Name> = settings.only.iter().filter_map(compared).collect();
    if names.is_empty() && !settings.only.is_empty() {
        return Ok(());
    }
    let samples = Samples::read(&db, tokens.0, tokens.1).await?;
    let contenders = [
        ours(&umbral, &cluster, &keys).await?,
        hand("best", SERVERS[1], &cluster, &keys).await?,
        hand("usual", SERVERS[2], &cluster, &keys).await?,
    ];
    let names = if names.is_empty() { Name::ALL.to_vec() } else { names };
    for name in &names {
        check::same(&contenders, &samples, *name).await?;
    }
    check::same_rows(&db, &contenders, &samples).await?;
    eprintln!("All three answer the same.");
    if settings.hold {
        hold(&contenders, &samples, &cluster)?;
    }
    let mut cells = Vec::new();
    for name in names {
        cells.extend(measure_case(&settings, &cluster, &contenders, &samples, name).await?);
    }
    report::write(&cells)
}

async fn measure_case(
    settings: &Settings,
    cluster: &Cluster,
    contenders: &[Contender; 3],
    samples: &Samples,
    name: Name,
) -> Result<Vec<Cell>> {
    let time = Duration::from_secs_f64(settings.seconds);
    let requests = contenders.each_ref().map(|contender| samples.requests(name, contender.asked));
    // Every connection to the database has prepared its statements, and plans have settled.
    for (contender, requests) in contenders.iter().zip(&requests) {
        measure::slice(&contender.server, cluster.pid, requests, 16, time.min(Duration::from_secs(2)))
            .await?;
    }
    let mut cells = Vec::new();
    for connections in settings.connections.iter().copied() {
        let mut slices = [Vec::new(), Vec::new(), Vec::new()];
        for round in 0..settings.rounds {
            // Another one begins each round, so that none always follows the same.
            for turn in 0..3 {
                let place = (round + turn) % 3;
                let server = &contenders[place].server;
                let slice = measure::slice(server, cluster.pid, &requests[place], connections, time).await?;
                eprintln!(
                    "{:<22} {connections:>3} connections, {:<14} {:>8.0}/s {:>8.3} ms CPU",
                    name.text(),
                    contenders[place].name,
                    slice.per_second,
                    slice.cpu_ms(),
                );
                slices[place].push(slice);
            }
        }
        cells.push(Cell { name, connections, slices });
    }
    Ok(cells)
}

/// Builds the server as it is shipped.
fn build() -> Result<PathBuf> {
    let target = target_folder()?;
    #[expect(clippy::disallowed_methods, reason = "cargo says where it is")]
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--package", "api", "--target-dir"]).arg(&target);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    finish(&mut command)?;
    Ok(target.join("release").join("umbral"))
}

/// `umbral` on the database of this run, without what else the environment says.
fn tool(umbral: &Path, cluster: &Cluster, keys: &Path) -> Command {
    let mut command = Command::new(umbral);
    for name in ["DATABASE_URL_FILE", "OUTSIDE_DATABASE_URL_FILE", "UMBRAL_ISSUERS", "UMBRAL_WORKERS"] {
        command.env_remove(name);
    }
    command
        .env("DATABASE_URL", cluster.url(OWNER))
        .env("OUTSIDE_DATABASE_URL", cluster.url(OUTSIDE))
        .env("UMBRAL_MODE", "demo")
        .env("UMBRAL_DATA_DIR", keys)
        // None of the three writes a line for each request.
        .env("UMBRAL_LOG", "warn");
    command
}

async fn connect(url: &str) -> Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn prepare(
    cluster: &Cluster,
    umbral: &Path,
    keys: &Path,
    scale: u32,
) -> Result<tokio_postgres::Client> {
    let first = connect(&cluster.url(OWNER).replace("/umbral?", "/postgres?")).await?;
    first.batch_execute("CREATE DATABASE umbral").await?;
    first.batch_execute(&format!("CREATE ROLE {OUTSIDE} LOGIN")).await?;
    finish(tool(umbral, cluster, keys).args(["migrate", "--outside-role", OUTSIDE]))?;
    finish(tool(umbral, cluster, keys).args(["demo", "--scale", &scale.to_string()]))?;
    let db = connect(&cluster.url(OWNER)).await?;
    db.batch_execute("VACUUM ANALYZE").await?;
    db.batch_execute("CHECKPOINT").await?;
    Ok(db)
}

async fn ours(umbral: &Path, cluster: &Cluster, keys: &Path) -> Result<Contender> {
    let address = free_address()?;
    let mut command = tool(umbral, cluster, keys);
    command.env("UMBRAL_LISTEN", address.to_string());
    let server = Server::start(command, address).await?;
    Ok(Contender { name: SERVERS[0], asked: Asked::Umbral, server })
}

async fn hand(way: &str, name: &'static str, cluster: &Cluster, keys: &Path) -> Result<Contender> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["hand", "--way", way, "--listen", &address.to_string()]);
    command.args(["--database", &cluster.url(OWNER), "--outside", &cluster.url(OUTSIDE)]);
    command.arg("--keys").arg(keys.join("keys"));
    command.args(["--workers", &workers().to_string()]);
    let server = Server::start(command, address).await?;
    Ok(Contender { name, asked: Asked::Hand, server })
}

/// As many as Umbral has when nothing is said.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// Waits for Enter, after saying what is needed to look at the servers.
fn hold(contenders: &[Contender; 3], samples: &Samples, cluster: &Cluster) -> Result<()> {
    for contender in contenders {
        eprintln!("{}: pid {}, {}", contender.name, contender.server.pid(), contender.server.address);
    }
    eprintln!("database: {}\npartner: {}", cluster.url(OWNER), samples.partner_token);
    eprintln!("coordinator: {}\nPress Enter.", samples.coordinator_token);
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}
