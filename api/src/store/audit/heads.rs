//! Heads: what an organisation's chain has come to with each seal, signed, in a file outside the database.
//!
//! Whoever can change the database can make a chain that fits. A head that was kept elsewhere does not fit that one.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use entity::audit_seal;
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Statement};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::seal::newest_seal;
use crate::{
    error::{Error, Result},
    id::{self, Kind},
    store::Store,
};

/// How many heads are written at once.
const AT_ONCE: u64 = 500;
/// The longest line.
pub const LONGEST: u64 = 8 * 1024;

/// What a chain has come to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// A global id.
    pub organization: String,
    /// The number of the seal.
    pub number: i64,
    /// The SHA-256 of the seal, which follows on all before it, in hexadecimal digits.
    pub digest: String,
    /// How many rows there are up to it.
    pub count: i64,
    pub sealed_at: DateTime<Utc>,
}

/// A line of a file: a head, and the same as a JSON Web Signature.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Line {
    #[serde(flatten)]
    pub head: Head,
    pub signature: String,
}

/// Where heads are written, and how far this process has come.
pub struct Heads {
    folder: PathBuf,
    written: Mutex<HashMap<Uuid, i64>>,
}

impl Heads {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, written: Mutex::default() }
    }

    /// The file of an organisation.
    pub fn file(folder: &Path, slug: &str) -> PathBuf {
        folder.join(format!("{slug}.jsonl"))
    }
}

impl Head {
    pub fn of(seal: &audit_seal::Model) -> Self {
        Self {
            organization: id::text(Kind::Organization, seal.organization_id),
            number: seal.number,
            digest: hex(&seal.digest),
            count: seal.last_row,
            sealed_at: seal.sealed_at,
        }
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Store {
    /// Writes the heads that are not in the files yet.
    ///
    /// # Errors
    /// When the database or the folder is out of reach, or there is no key to sign with.
    pub async fn export_heads(&self, heads: &Heads) -> Result<()> {
        #[derive(FromQueryResult)]
        struct Row {
            id: Uuid,
            slug: String,
            newest: Option<i64>,
        }
        let sql = "SELECT o.id, o.slug, (SELECT max(s.number) FROM audit_seal s WHERE s.organization_id = o.id) \
                   AS newest FROM organization o";
        let statement = Statement::from_string(self.pools.read.get_database_backend(), sql);
        for Row { id, slug, newest } in Row::find_by_statement(statement).all(&self.pools.read).await? {
            let Some(newest) = newest else { continue };
            let known = heads.written.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied();
            if known.is_some_and(|known| known >= newest) {
                continue;
            }
            self.export_heads_of(id, &Heads::file(&heads.folder, &slug)).await?;
            heads.written.lock().unwrap_or_else(PoisonError::into_inner).insert(id, newest);
        }
        Ok(())
    }

    async fn export_heads_of(&self, organization: Uuid, file: &Path) -> Result<()> {
        loop {
            let path = file.to_owned();
            let last = blocking(move || last_line(&path)).await?;
            let after = last.as_ref().map_or(0, |line| line.head.number);
            let seals = self.seals_after(organization, after).await?;
            if seals.is_empty() {
                return Ok(());
            }
            let lines = seals.iter().map(|seal| self.line(seal)).collect::<Result<Vec<_>>>()?;
            let path = file.to_owned();
            blocking(move || append(&path, &lines)).await?;
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the chain of one organisation, for its heads")]
    async fn seals_after(&self, organization: Uuid, number: i64) -> Result<Vec<audit_seal::Model>> {
        use audit_seal::Column::{Number, OrganizationId};
        let seals = audit_seal::Entity::find()
            .filter(OrganizationId.eq(organization))
            .filter(Number.gt(number))
            .order_by_asc(Number)
            .limit(AT_ONCE);
        Ok(seals.all(&self.pools.read).await?)
    }

    /// The newest head of an organisation, signed now; none before its first seal.
    ///
    /// # Errors
    /// When the database is out of reach, or there is no key to sign with.
    pub async fn head(&self, organization: Uuid) -> Result<Option<Line>> {
        let newest = newest_seal(&self.pools.read, organization).await?;
        newest.map(|seal| self.line(&seal)).transpose()
    }

    fn line(&self, seal: &audit_seal::Model) -> Result<Line> {
        let head = Head::of(seal);
        let signature = self.sign(&serde_json::json!(head))?;
        Ok(Line { head, signature })
    }
}

/// Work on files, off the threads that answer requests.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|fault| Error::Internal(format!("the heads of the audit: {fault}")))?;
    done.map_err(|fault| Error::Internal(format!("the heads of the audit: {fault}")))
}

/// The last whole line of a file; none when there is no file, or nothing in it that is a head.
fn last_line(path: &Path) -> io::Result<Option<Line>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(fault),
    };
    file.lock_shared()?;
    Ok(tail(&mut file)?.1)
}

/// Where the last whole line ends, and that line.
fn tail(file: &mut File) -> io::Result<(u64, Option<Line>)> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(2 * LONGEST);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else {
        let short = length <= LONGEST;
        return if short { Ok((0, None)) } else { Err(io::Error::other("this is not a file of heads")) };
    };
    let whole = bytes.get(..end).unwrap_or_default();
    let line = whole.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok((from + end as u64 + 1, serde_json::from_slice(line).ok()))
}

/// Appends lines, and returns when they are on disk. A line that a crash has cut short makes room for a whole one;
/// what another process has written meanwhile is not written twice.
fn append(path: &Path, lines: &[Line]) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let new = !path.exists();
    let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
    file.lock()?;
    let (end, last) = tail(&mut file)?;
    let after = last.map_or(0, |line| line.head.number);
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    let mut text = Vec::new();
    for line in lines.iter().filter(|line| line.head.number > after) {
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
    }
    file.write_all(&text)?;
    file.sync_all()?;
    if new {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
