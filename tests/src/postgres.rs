//! A PostgreSQL cluster for this run of the test binary, and databases in it.
//!
//! It listens on a socket in the folder of the run only, and does not care for durability. The guard of that
//! folder stops it.

use std::{
    fmt::Write as _,
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use migration::{Migrator, outside};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use sea_orm_migration::MigratorTrait;
use tokio::sync::OnceCell;

use crate::{
    database::{connect, migrations_hash},
    folder::run_folder,
};

/// Owns the cluster. Tests never connect as it.
const HARNESS: &str = "harness";
/// Owns the databases, as in production: it is no superuser.
const OWNER: &str = "umbral";
/// Reads for the public, donors and partners.
pub const OUTSIDE: &str = "umbral_outside";

const SETTINGS: &str = "
listen_addresses = ''
unix_socket_permissions = 0777
max_connections = 200
shared_buffers = '64MB'
dynamic_shared_memory_type = mmap
max_wal_size = '128MB'
min_wal_size = '32MB'
fsync = off
full_page_writes = off
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
timezone = 'UTC'
log_line_prefix = '%d '
";

/// A database, and how the server and its outside pool reach it.
pub(crate) struct Database {
    pub url: String,
    pub outside_url: String,
    name: String,
}

impl Database {
    /// A copy of the migrated template.
    pub async fn migrated(name: String) -> Self {
        Self::create(name, &template().await).await
    }

    pub async fn empty(name: String) -> Self {
        Self::create(name, "template1").await
    }

    /// Lets everybody who connects from here on log the plan of each statement.
    pub async fn log_plans(&self) {
        for setting in [
            "session_preload_libraries = 'auto_explain'",
            "auto_explain.log_min_duration = 0",
            "auto_explain.log_analyze = on",
            "auto_explain.log_buffers = on",
            "auto_explain.log_timing = off",
            "auto_explain.log_format = 'json'",
        ] {
            administer(&format!("ALTER DATABASE {} SET {setting}", self.name)).await;
        }
    }

    pub fn log(&self) -> Log {
        Log { file: socket_folder().join("data").join("log.txt"), database: self.name.clone() }
    }

    async fn create(name: String, template: &str) -> Self {
        administer(&format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}")).await;
        let folder = socket_folder();
        Self { url: url(&folder, OWNER, &name), outside_url: url(&folder, OUTSIDE, &name), name }
    }
}

/// What the cluster writes down about a database.
pub(crate) struct Log {
    pub file: PathBuf,
    pub database: String,
}

impl Drop for Database {
    /// In a thread of its own, because there may be no runtime any more, and the test need not wait.
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(administer(&statement));
            }
        });
    }
}

/// Runs a statement that belongs to no database.
async fn administer(statement: &str) {
    cluster().await;
    let db = connect(&url(&socket_folder(), HARNESS, "postgres")).await;
    db.execute_unprepared(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    close(db).await;
}

async fn close(db: DatabaseConnection) {
    db.close().await.unwrap_or_else(|error| panic!("closing: {error}"));
}

fn socket_folder() -> PathBuf {
    run_folder().path.join("postgres")
}

fn url(socket_folder: &Path, role: &str, database: &str) -> String {
    let folder = socket_folder.to_string_lossy().bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "%{byte:02X}");
        text
    });
    // The port is part of the socket's name; the environment may hold another.
    format!("postgres://{role}@{folder}:5432/{database}?sslmode=disable")
}

/// The name of the migrated template, which is made once.
async fn template() -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(async || {
            let name = format!("template_{:016x}", migrations_hash());
            administer(&format!("CREATE DATABASE {name} OWNER {OWNER}")).await;
            let db = connect(&url(&socket_folder(), OWNER, &name)).await;
            Migrator::up(&db, None).await.unwrap_or_else(|error| panic!("migrations: {error}"));
            // Policies and grants are the database's own, so copies have them too.
            outside::grant(&db, OUTSIDE).await.unwrap_or_else(|error| panic!("grants: {error}"));
            // A database that somebody is connected to cannot be copied.
            close(db).await;
            name
        })
        .await
        .clone()
}

/// Starts the cluster once. A failure is remembered, so that each test reports it at once.
async fn cluster() {
    static CLUSTER: OnceCell<Result<(), String>> = OnceCell::const_new();
    let cluster = CLUSTER
        .get_or_init(async || {
            start()?;
            let db = connect(&url(&socket_folder(), HARNESS, "postgres")).await;
            for role in [OWNER, OUTSIDE] {
                db.execute_unprepared(&format!("CREATE ROLE {role} LOGIN"))
                    .await
                    .map_err(|error| error.to_string())?;
            }
            close(db).await;
            Ok(())
        })
        .await;
    if let Err(message) = cluster {
        panic!("PostgreSQL: {message}");
    }
}

fn start() -> Result<(), String> {
    let run = run_folder();
    let programs = programs().ok_or(
        "initdb, pg_ctl and postgres are neither under /usr/lib/postgresql nor in PATH; \
         scripts/test installs what the tests need",
    )?;
    let folder = socket_folder();
    let data = folder.join("data");
    let user = if run.owner == 0 { Some(unprivileged_user()?) } else { None };

    fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    if let Some((uid, gid)) = user {
        chown(&folder, Some(uid), Some(gid)).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let run_program = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(programs.join(program));
        command.arg("-D").arg(&data).args(arguments).current_dir("/").env("LC_ALL", "C");
        if let Some((uid, gid)) = user {
            command.uid(uid).gid(gid);
        }
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command
    };

    let made = run_program("initdb", &["-U", HARNESS, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"])
        .output()
        .map_err(|error| format!("initdb: {error}"))?;
    if !made.status.success() {
        return Err(format!("initdb: {}", String::from_utf8_lossy(&made.stderr)));
    }
    let settings = format!("{SETTINGS}unix_socket_directories = '{}'\nport = 5432\n", folder.display());
    fs::write(data.join("postgresql.auto.conf"), settings).map_err(|error| error.to_string())?;

    // Not through a pipe: the server would hold it open. What it says goes to its log.
    let log = data.join("log.txt");
    let started = run_program("pg_ctl", &["-w", "-t", "120", "-s", "-l", &log.to_string_lossy(), "start"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("pg_ctl: {error}"))?;
    if !started.success() {
        return Err(format!("it did not start: {}", fs::read_to_string(&log).unwrap_or_default()));
    }
    Ok(())
}

/// What a backup of a database holds: `pg_dump` in plain text.
pub fn dump(url: &str) -> Vec<u8> {
    let folder = programs().unwrap_or_else(|| panic!("PostgreSQL is not installed"));
    let done = std::process::Command::new(folder.join("pg_dump")).arg(url).output();
    let done = done.unwrap_or_else(|error| panic!("pg_dump: {error}"));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

/// The folder of the server's programs, the newest version first.
fn programs() -> Option<PathBuf> {
    let mut installed: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    installed.sort();
    #[expect(clippy::disallowed_methods, reason = "programs are looked for as a shell looks for them")]
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    installed
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .chain(std::env::split_paths(&in_path))
        .find(|folder| ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).is_file()))
}

/// PostgreSQL refuses to run as root.
fn unprivileged_user() -> Result<(u32, u32), String> {
    let users = fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| {
            let user = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut numbers = user.split(':').skip(2);
            Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
        })
        .ok_or_else(|| "it does not run as root, and there is no user postgres or nobody".into())
}
