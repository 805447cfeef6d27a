//! Folders that do not outlive the tests.
//!
//! A run of the test binary owns one folder under a known prefix; everything that tests leave behind is
//! inside. A guard process removes it when the run ends, however it ends; what a killed guard leaves is swept
//! at the start of the next run.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

const PREFIX: &str = "umbral-tests-";

/// Files in memory: copying a PostgreSQL database takes a tenth of the time there.
const MEMORY: &str = "/dev/shm";

/// Containers have a few megabytes there, which are not enough.
const MEMORY_KILOBYTES: u64 = 2 << 20;

/// Locked for as long as the run lives: the system lets go of it when the process ends.
const LOCK: &str = "lock";

/// Waits for its input to end, stops the PostgreSQL server in the folder `$1`, and removes the folder.
///
/// A process number may have been given to a stranger since, so it is only signalled when its command line
/// names the folder.
const CLEAN: &str = r#"
cat >/dev/null
mine() { { tr '\0' ' ' <"/proc/$pid/cmdline" || ps -o args= -p "$pid"; } 2>/dev/null | grep -qF "$1/"; }
pid=$(head -n 1 "$1/postgres/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ] && mine "$1"; then
    kill -QUIT "$pid"
    while mine "$1"; do sleep 0.05; done
fi
rm -rf "$1"
"#;

/// The folder of this run.
pub(crate) struct RunFolder {
    pub path: PathBuf,
    /// Whoever runs the tests; root is not allowed to run PostgreSQL.
    pub owner: u32,
    _lock: File,
    /// Its input is a pipe from this process, which ends with it.
    _guard: Child,
}

static RUN: LazyLock<RunFolder> = LazyLock::new(|| {
    for parent in [std::env::temp_dir(), MEMORY.into()] {
        sweep(&parent);
    }
    let parent = parent();
    RunFolder::make(&parent).unwrap_or_else(|error| panic!("no folder in {}: {error}", parent.display()))
});

/// Memory where there is enough of it, unless somebody has chosen a place.
fn parent() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "where to put files is not the server's configuration")]
    let chosen = std::env::var_os("TMPDIR");
    if chosen.is_none() {
        let listing = Command::new("df").args(["-Pk", MEMORY]).output().map(|output| output.stdout);
        let listing = String::from_utf8(listing.unwrap_or_default()).unwrap_or_default();
        let available = listing.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
        if available.is_some_and(|kilobytes: u64| kilobytes >= MEMORY_KILOBYTES) {
            return MEMORY.into();
        }
    }
    std::env::temp_dir()
}

pub(crate) fn run_folder() -> &'static RunFolder {
    &RUN
}

impl RunFolder {
    fn make(parent: &Path) -> io::Result<Self> {
        let mut attempt = 0;
        loop {
            let path = parent.join(format!("{PREFIX}{}-{attempt}", process::id()));
            match Self::take(&path) {
                Ok(run) => return Ok(run),
                // Another run has it, or has just swept it.
                Err(_) if attempt < 100 => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn take(path: &Path) -> io::Result<Self> {
        // The user that PostgreSQL runs as goes through this folder to its own.
        DirBuilder::new().mode(0o711).create(path)?;
        let lock = File::create_new(path.join(LOCK))?;
        lock.try_lock()?;
        let guard = cleaner(path)
            .stdin(Stdio::piped())
            // Out of reach of the signals that a terminal sends to the run.
            .process_group(0)
            .spawn()?;
        Ok(Self { owner: fs::metadata(path)?.uid(), path: path.to_path_buf(), _lock: lock, _guard: guard })
    }
}

fn cleaner(folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", CLEAN, "umbral-tests-guard"]).arg(folder).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Removes what dead runs left behind. What cannot be removed is left: it belongs to somebody else.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !named || !folder {
            continue;
        }
        // A folder that is empty may be one that a run is making this moment; that run tries again.
        if fs::remove_dir(entry.path()).is_ok() {
            continue;
        }
        let dead = match File::open(entry.path().join(LOCK)) {
            Ok(lock) => match lock.try_lock() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
            },
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if dead {
            let _ = cleaner(&entry.path()).status();
        }
    }
}

/// A number that nothing else in this run has.
pub(crate) fn next_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A new folder, removed with all that is in it when this is dropped.
pub struct Folder(PathBuf);

impl Folder {
    #[expect(clippy::new_without_default, reason = "it makes something in the file system")]
    pub fn new() -> Self {
        let path = run_folder().path.join(format!("f{}", next_number()));
        fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The guard removes what stays.
        let _ = fs::remove_dir_all(&self.0);
    }
}
