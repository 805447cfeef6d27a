//! The programs, the database and the servers of a run.

use std::{path::PathBuf, process::Command};

use tokio_postgres::NoTls;

use crate::{
    Result,
    cases::Asked,
    cluster::{Cluster, OUTSIDE, OWNER},
    process::{Server, finish, free_address},
    report::SERVERS,
    target_folder,
};

/// One of the servers that are compared.
pub struct Contender {
    pub name: &'static str,
    pub asked: Asked,
    pub server: Server,
}

/// The database that is asked, and an empty one that files are imported into.
pub const MAIN: &str = "umbral";
pub const SECOND: &str = "second";

/// What a run has of its own.
pub struct Setup {
    umbral: PathBuf,
    pub cluster: Cluster,
    /// Where Umbral has its keys.
    pub data: PathBuf,
}

impl Setup {
    /// Builds Umbral, and starts a cluster.
    pub async fn new() -> Result<Self> {
        let umbral = build()?;
        let cluster = Cluster::start()?;
        let data = cluster.folder.join("umbral");
        let first = connect(&cluster.url(OWNER, "postgres")).await?;
        first.batch_execute(&format!("CREATE ROLE {OUTSIDE} LOGIN")).await?;
        Ok(Self { umbral, cluster, data })
    }

    /// Makes a database with the demonstration data.
    pub async fn database(&self, name: &str, scale: u32) -> Result<tokio_postgres::Client> {
        let first = connect(&self.cluster.url(OWNER, "postgres")).await?;
        first.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        finish(self.tool(name).args(["migrate", "--outside-role", OUTSIDE]))?;
        finish(self.tool(name).args(["demo", "--scale", &scale.to_string()]))?;
        let db = connect(&self.cluster.url(OWNER, name)).await?;
        db.batch_execute("VACUUM ANALYZE").await?;
        db.batch_execute("CHECKPOINT").await?;
        Ok(db)
    }

    /// A token of a demonstration account.
    pub fn token(&self, role: &str, organization: &str) -> Result<String> {
        finish(self.tool(MAIN).args(["token", "--role", role, "--organization", organization]))
    }

    /// `umbral` on a database of this run, without what else the environment says.
    pub fn tool(&self, database: &str) -> Command {
        let mut command = Command::new(&self.umbral);
        for name in ["DATABASE_URL_FILE", "OUTSIDE_DATABASE_URL_FILE", "UMBRAL_ISSUERS", "UMBRAL_WORKERS"] {
            command.env_remove(name);
        }
        command
            .env("DATABASE_URL", self.cluster.url(OWNER, database))
            .env("OUTSIDE_DATABASE_URL", self.cluster.url(OUTSIDE, database))
            .env("UMBRAL_MODE", "demo")
            .env("UMBRAL_DATA_DIR", &self.data)
            // None of the servers writes a line for each request.
            .env("UMBRAL_LOG", "warn");
        command
    }

    pub async fn ours(&self, database: &str) -> Result<Contender> {
        let address = free_address()?;
        let mut command = self.tool(database);
        command.env("UMBRAL_LISTEN", address.to_string());
        let server = Server::start(command, address).await?;
        Ok(Contender { name: SERVERS[0], asked: Asked::Umbral, server })
    }

    pub async fn hand(&self, way: &str, name: &'static str) -> Result<Contender> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["hand", "--way", way, "--listen", &address.to_string()]);
        let cluster = &self.cluster;
        command.args(["--database", &cluster.url(OWNER, MAIN), "--outside", &cluster.url(OUTSIDE, MAIN)]);
        command.arg("--keys").arg(self.data.join("keys"));
        command.args(["--workers", &workers().to_string()]);
        let server = Server::start(command, address).await?;
        Ok(Contender { name, asked: Asked::Hand, server })
    }
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

async fn connect(url: &str) -> Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// As many as Umbral has when nothing is said.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}
