//! A PostgreSQL cluster of its own for one run, gone afterwards.
//!
//! It is durable as in production (fsync on). What would come and go between measurements (autovacuum, a
//! checkpoint) is put off, so that it does not fall on one of the servers.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::Result;

const SETTINGS: &str = "
listen_addresses = ''
max_connections = 120
shared_buffers = '256MB'
effective_cache_size = '1GB'
random_page_cost = 1.1
fsync = on
synchronous_commit = on
full_page_writes = on
max_wal_size = '4GB'
checkpoint_timeout = '1h'
autovacuum = off
timezone = 'UTC'
";

/// Owns the database.
pub const OWNER: &str = "umbral";
/// Reads for partners.
pub const OUTSIDE: &str = "umbral_outside";

/// A running cluster; stopped and removed when dropped.
pub struct Cluster {
    pub folder: PathBuf,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    pub pid: u32,
}

impl Cluster {
    pub fn start() -> Result<Self> {
        let programs = programs().ok_or("there is no PostgreSQL server under /usr/lib/postgresql")?;
        let folder = std::env::temp_dir().join(format!("umbral-bench-{}", std::process::id()));
        fs::create_dir(&folder)?;
        let user = if is_root()? { Some(unprivileged_user()?) } else { None };
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid), Some(gid))?;
        }
        let mut cluster = Self { folder, programs, user, pid: 0 };
        cluster.run("initdb", &["-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"])?;
        let data = cluster.data();
        let socket = format!("unix_socket_directories = '{}'\nport = 5432\n", cluster.folder.display());
        fs::write(data.join("postgresql.auto.conf"), format!("{SETTINGS}{socket}"))?;
        let log = data.join("log.txt");
        cluster.run("pg_ctl", &["-w", "-t", "60", "-s", "-l", &log.to_string_lossy(), "start"])?;
        let pid = fs::read_to_string(data.join("postmaster.pid"))?;
        cluster.pid = pid.lines().next().unwrap_or_default().trim().parse()?;
        Ok(cluster)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The address of a database for a role, as `DATABASE_URL` has it.
    pub fn url(&self, role: &str, database: &str) -> String {
        let folder = self.folder.to_string_lossy().replace('/', "%2F");
        format!("postgres://{role}@{folder}:5432/{database}?sslmode=disable")
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(self.programs.join(program));
        command.arg("-D").arg(self.data()).args(arguments).current_dir("/").env("LC_ALL", "C");
        // Not through pipes: the server would hold them open.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        let status = command.status()?;
        if status.success() { Ok(()) } else { Err(format!("{program}: {status}").into()) }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.run("pg_ctl", &["-m", "immediate", "-s", "stop"]);
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn is_root() -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

/// The folder of the newest server's programs.
fn programs() -> Option<PathBuf> {
    let installed = fs::read_dir(Path::new("/usr/lib/postgresql")).ok()?.flatten();
    let newest = installed
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())))
        .max()?;
    Some(newest.1.join("bin"))
}

/// PostgreSQL refuses to run as root.
fn unprivileged_user() -> Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd")?;
    let found = ["postgres", "nobody"].iter().find_map(|name| {
        let user = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = user.split(':').skip(2);
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    });
    found.ok_or_else(|| "PostgreSQL does not run as root, and there is no user for it".into())
}
