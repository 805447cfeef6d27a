//! The local key ring: the keys with which this installation signs its own tokens.
//!
//! One file per key in one folder, so that adding, retiring and destroying a key are each one atomic step and
//! any number of servers can read while one command writes. Deleting a file takes its key out of use at once.

use std::{
    ffi::OsString,
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, DirEntryExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{EncodingKey, jwk::Jwk};
use rand::{TryRngCore, rngs::OsRng};
use rsa::{RsaPrivateKey, pkcs1::EncodeRsaPrivateKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::jwk::{Alg, PublicKey};

/// How long a key that was rotated out still verifies the tokens that it signed.
pub const RETIRED_FOR: TimeDelta = TimeDelta::days(30);

const RSA_BITS: usize = 2048;
const MAX_KEY_FILE_BYTES: u64 = 64 * 1024;
const LOCK_FILE: &str = ".lock";
const TEMPORARY_PREFIX: &str = ".new-";

/// Whether a key signs, or only verifies what it signed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KeyState {
    /// New tokens are signed with the newest active key.
    Active,
    /// It signs nothing any more and verifies until its `retired_until`.
    Retired,
}

/// What may be told of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyInfo {
    /// The name of the key in token headers, and of its file.
    pub kid: String,
    /// The algorithm that it is pinned to.
    pub alg: Alg,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// Whether it signs.
    pub state: KeyState,
    /// When a retired key stops verifying.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired_until: Option<DateTime<Utc>>,
}

/// A key of the ring, ready for use.
pub struct LocalKey {
    info: KeyInfo,
    signing: EncodingKey,
    public: PublicKey,
    jwk: Value,
}

/// The keys of one folder as they were when it was read.
pub struct KeyRing {
    dir: PathBuf,
    keys: Vec<LocalKey>,
    seen: Fingerprint,
}

/// What goes wrong with key files. Names paths, never contents.
#[derive(Debug)]
pub enum KeyError {
    /// The operating system refused.
    Io { path: PathBuf, source: io::Error },
    /// Others than the owner can read or write it.
    Exposed { path: PathBuf, mode: u32 },
    /// It is not a key file of ours, or its key is damaged.
    Damaged { path: PathBuf },
    /// The system has no randomness to make a key from.
    Randomness,
}

/// A key file. The private key is DER in base64: PKCS#8 for `EdDSA` and `ES256`, PKCS#1 for `RS256`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    kid: String,
    alg: Alg,
    created: DateTime<Utc>,
    state: KeyState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retired_until: Option<DateTime<Utc>>,
    private_key: String,
}

/// Tells one state of the folder from another. The time alone would miss two changes within one clock tick.
#[derive(PartialEq, Eq)]
struct Fingerprint {
    changed: SystemTime,
    entries: Vec<(OsString, u64)>,
}

impl KeyRing {
    /// Reads all keys of a folder. A folder or key that others can get at is refused, and so is a damaged
    /// file: better no start than a ring that silently lacks a key.
    pub fn load(dir: impl AsRef<Path>) -> Result<KeyRing, KeyError> {
        let dir = dir.as_ref();
        check_folder(dir)?;
        // Taken before the files are read, so that a change meanwhile makes the ring stale and not wrong.
        let seen = Fingerprint::of(dir).map_err(|source| KeyError::Io { path: dir.to_owned(), source })?;
        let mut keys = Vec::new();
        for (name, _) in &seen.entries {
            let path = dir.join(name);
            match read_key(&path) {
                Ok(file) => keys.push(LocalKey::new(file, &path)?),
                // Destroyed by another process since the folder was listed.
                Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        keys.sort_by(|a, b| (b.info.created, &b.info.kid).cmp(&(a.info.created, &a.info.kid)));
        Ok(KeyRing { dir: dir.to_owned(), keys, seen })
    }

    /// Reads the folder, and makes it with a first key of the default algorithm if it holds no active one.
    pub fn open_or_generate(dir: impl AsRef<Path>, now: DateTime<Utc>) -> Result<KeyRing, KeyError> {
        let dir = dir.as_ref();
        // Without the lock first: in production the folder may be mounted read-only.
        match KeyRing::load(dir) {
            Ok(ring) if ring.active().is_some() => return Ok(ring),
            Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        let lock = Lock::take(dir)?;
        if KeyRing::load(dir)?.active().is_none() {
            create(&lock, Alg::default(), now)?;
        }
        KeyRing::load(dir)
    }

    /// All keys, newest first.
    pub fn list(&self) -> Vec<KeyInfo> {
        self.keys.iter().map(|key| key.info.clone()).collect()
    }

    /// The key that signs: the newest active one.
    pub fn active(&self) -> Option<&LocalKey> {
        self.keys.iter().find(|key| key.info.state == KeyState::Active)
    }

    /// The public halves that verify at `now`, as a JSON Web Key Set (RFC 7517).
    pub fn jwks(&self, now: DateTime<Utc>) -> Value {
        let current = |key: &&LocalKey| key.public.until().is_none_or(|until| now <= until);
        json!({ "keys": self.keys.iter().filter(current).map(|key| &key.jwk).collect::<Vec<_>>() })
    }

    /// The keys that verify, each with the time until which it does.
    pub fn public_keys(&self) -> Vec<PublicKey> {
        self.keys.iter().map(|key| key.public.clone()).collect()
    }

    /// The folder it was read from.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether the folder has changed since it was read. Cheap: one listing of a small folder.
    pub fn stale(&self) -> bool {
        Fingerprint::of(&self.dir).map_or(true, |now| now != self.seen)
    }
}

impl LocalKey {
    fn new(file: KeyFile, path: &Path) -> Result<LocalKey, KeyError> {
        let damaged = || KeyError::Damaged { path: path.to_owned() };
        let der = STANDARD.decode(&file.private_key).map_err(|_| damaged())?;
        let signing = encoding_key(file.alg, &der);
        let mut jwk = public_jwk(&signing, file.alg).ok_or_else(damaged)?;
        jwk["kid"] = json!(file.kid);
        jwk["use"] = json!("sig");
        let public = PublicKey::from_jwk(&jwk, &[file.alg]).map_err(|_| damaged())?;
        let public = match (file.state, file.retired_until) {
            (KeyState::Active, None) => public,
            (KeyState::Retired, Some(until)) => public.ending(until),
            _ => return Err(damaged()),
        };
        let KeyFile { kid, alg, created, state, retired_until, .. } = file;
        Ok(LocalKey { info: KeyInfo { kid, alg, created, state, retired_until }, signing, public, jwk })
    }

    /// What may be told of it.
    pub fn info(&self) -> &KeyInfo {
        &self.info
    }

    pub(super) fn signing(&self) -> &EncodingKey {
        &self.signing
    }
}

/// Adds an active key, from now on the one that signs. The others stay as they are.
pub fn generate(dir: impl AsRef<Path>, alg: Alg, now: DateTime<Utc>) -> Result<KeyInfo, KeyError> {
    create(&Lock::take(dir.as_ref())?, alg, now)
}

/// Adds an active key and retires the others for [`RETIRED_FOR`].
pub fn rotate(dir: impl AsRef<Path>, alg: Alg, now: DateTime<Utc>) -> Result<KeyInfo, KeyError> {
    rotate_keeping(dir, alg, now, RETIRED_FOR)
}

/// Adds an active key, retires the others for `keep`, and destroys those whose retirement is over.
pub fn rotate_keeping(
    dir: impl AsRef<Path>,
    alg: Alg,
    now: DateTime<Utc>,
    keep: TimeDelta,
) -> Result<KeyInfo, KeyError> {
    let dir = dir.as_ref();
    let lock = Lock::take(dir)?;
    let old = KeyRing::load(dir)?;
    // The new key first: a crash half-way leaves two keys that sign, not none.
    let made = create(&lock, alg, now)?;
    for info in old.list() {
        let path = dir.join(file_name(&info.kid));
        match info.retired_until {
            None => {
                let mut file = read_key(&path)?;
                file.state = KeyState::Retired;
                file.retired_until = Some(now.checked_add_signed(keep).unwrap_or(DateTime::<Utc>::MAX_UTC));
                write_key(&lock, &file)?;
            }
            Some(until) if until < now => {
                fs::remove_file(&path).map_err(|source| KeyError::Io { path, source })?;
            }
            Some(_) => {}
        }
    }
    sync_folder(dir)?;
    Ok(made)
}

fn create(lock: &Lock<'_>, alg: Alg, now: DateTime<Utc>) -> Result<KeyInfo, KeyError> {
    let kid: String = random::<12>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let private_key = STANDARD.encode(private_der(alg)?);
    let file = KeyFile { kid, alg, created: now, state: KeyState::Active, retired_until: None, private_key };
    write_key(lock, &file)?;
    let KeyFile { kid, alg, created, state, retired_until, .. } = file;
    Ok(KeyInfo { kid, alg, created, state, retired_until })
}

/// PKCS#8 around a bare Ed25519 seed (RFC 8410) and a bare P-256 scalar (RFC 5915): all that precedes it.
const ED25519_PREFIX: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
const P256_PREFIX: [u8; 35] =
    *b"\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\
    \x48\xce\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20";

fn private_der(alg: Alg) -> Result<Vec<u8>, KeyError> {
    match alg {
        Alg::EdDsa => Ok([&ED25519_PREFIX[..], &random::<32>()?].concat()),
        // One number in 2^32 is not a scalar of the curve; two in a row mean that randomness is broken.
        Alg::Es256 => (0..2)
            .find_map(|_| {
                let der = [&P256_PREFIX[..], &random::<32>().ok()?].concat();
                public_jwk(&encoding_key(alg, &der), alg).map(|_| der)
            })
            .ok_or(KeyError::Randomness),
        Alg::Rs256 => {
            let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, RSA_BITS);
            let der = key.map_err(|_| KeyError::Randomness)?.to_pkcs1_der();
            Ok(der.map_err(|_| KeyError::Randomness)?.as_bytes().to_vec())
        }
    }
}

fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| KeyError::Randomness)?;
    Ok(bytes)
}

fn encoding_key(alg: Alg, der: &[u8]) -> EncodingKey {
    match alg {
        Alg::EdDsa => EncodingKey::from_ed_der(der),
        Alg::Es256 => EncodingKey::from_ec_der(der),
        Alg::Rs256 => EncodingKey::from_rsa_der(der),
    }
}

fn public_jwk(signing: &EncodingKey, alg: Alg) -> Option<Value> {
    serde_json::to_value(Jwk::from_encoding_key(signing, alg.library()).ok()?).ok()
}

/// Held by whoever changes the folder, so that two commands cannot interleave. Readers need none.
struct Lock<'a> {
    dir: &'a Path,
    _file: File,
}

impl Lock<'_> {
    fn take(dir: &Path) -> Result<Lock<'_>, KeyError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| KeyError::Io { path, source }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(at(dir))?;
        check_folder(dir)?;
        let path = dir.join(LOCK_FILE);
        let mut options = OpenOptions::new();
        let file =
            options.create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(at(&path))?;
        file.lock().map_err(at(&path))?;
        // Leftovers of a command that died: half-written keys that nobody will use.
        for entry in fs::read_dir(dir).map_err(at(dir))? {
            let entry = entry.map_err(at(dir))?;
            if entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX) {
                fs::remove_file(entry.path()).map_err(at(&entry.path()))?;
            }
        }
        Ok(Lock { dir, _file: file })
    }
}

impl Fingerprint {
    fn of(dir: &Path) -> io::Result<Fingerprint> {
        let changed = fs::metadata(dir)?.modified()?;
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let ours = name.to_str().is_some_and(|name| name.ends_with(".json") && !name.starts_with('.'));
            if ours {
                entries.push((name, entry.ino()));
            }
        }
        entries.sort();
        Ok(Fingerprint { changed, entries })
    }
}

/// Whoever can write to the folder can add a key and sign as anyone.
fn check_folder(dir: &Path) -> Result<(), KeyError> {
    let metadata = fs::metadata(dir).map_err(|source| KeyError::Io { path: dir.to_owned(), source })?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o022 == 0 { Ok(()) } else { Err(KeyError::Exposed { path: dir.to_owned(), mode }) }
}

fn file_name(kid: &str) -> String {
    format!("{kid}.json")
}

fn read_key(path: &Path) -> Result<KeyFile, KeyError> {
    let at = |source| KeyError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(at)?;
    // Asked of the open file, so that what is checked is what is read.
    let metadata = file.metadata().map_err(at)?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = Vec::new();
    file.take(MAX_KEY_FILE_BYTES).read_to_end(&mut text).map_err(at)?;
    let key: Option<KeyFile> = serde_json::from_slice(&text).ok();
    let named_after_itself =
        |key: &KeyFile| path.file_name().is_some_and(|name| *name == *file_name(&key.kid));
    key.filter(named_after_itself).ok_or_else(|| KeyError::Damaged { path: path.to_owned() })
}

/// Puts a key in place whole or not at all.
fn write_key(lock: &Lock<'_>, key: &KeyFile) -> Result<(), KeyError> {
    let path = lock.dir.join(file_name(&key.kid));
    let temporary = lock.dir.join(format!("{TEMPORARY_PREFIX}{}", key.kid));
    let write = || {
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(key)?)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)
    };
    write().map_err(|source| KeyError::Io { path: path.clone(), source })?;
    sync_folder(lock.dir)
}

fn sync_folder(dir: &Path) -> Result<(), KeyError> {
    let synced = File::open(dir).and_then(|folder| folder.sync_all());
    synced.map_err(|source| KeyError::Io { path: dir.to_owned(), source })
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::Io { path, source } => write!(f, "{}: {source}", path.display()),
            KeyError::Exposed { path, mode } => {
                let wanted = if path.is_dir() { "700" } else { "600" };
                let path = path.display();
                write!(f, "{path}: others can get at it (mode {mode:03o}); run: chmod {wanted} '{path}'")
            }
            KeyError::Damaged { path } => write!(f, "{}: not a key file, or a damaged one", path.display()),
            KeyError::Randomness => f.write_str("the system gives no randomness to make a key from"),
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            KeyError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
