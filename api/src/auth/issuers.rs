//! Outside issuers, such as an OpenID provider: who they are, and their keys as last published.
//!
//! A provider that is slow, down or lying costs one fetch and a refused token, never a blocked server.

use std::{
    fmt, fs,
    io::{self, Read},
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;
use ureq::http::Uri;

use super::jwk::{Alg, KeySet, PublicKey};

/// Keys are fetched at most this often from one issuer, whoever asks for what.
pub const REFRESH_AT_MOST: TimeDelta = TimeDelta::seconds(60);
/// Keys older than this are fetched again with the next token, which does not wait for them.
pub const REFRESH_AFTER: TimeDelta = TimeDelta::hours(1);
/// Keys that could not be fetched again for this long are not trusted: a withdrawn key must end some day.
pub const TRUSTED_FOR: TimeDelta = TimeDelta::hours(24);

const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_SET_BYTES: u64 = 256 * 1024;
const MAX_KEYS: usize = 100;

/// One outside issuer, as an administrator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The `iss` of its tokens, to the letter.
    pub issuer: String,
    /// What the `aud` of its tokens must contain: the name under which the issuer knows us.
    pub audience: String,
    /// Where its key set is: an `https` address, or a file (relative to the configuration file's folder).
    pub jwks: String,
    /// The algorithms that its keys may be used with.
    pub algorithms: Vec<Alg>,
}

/// Where a key set comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An address: `https`, or `http` on this machine.
    Url(String),
    /// A file.
    File(PathBuf),
}

/// Gets the bytes of a key set. It may block; the error is for the log.
pub type Fetcher = Arc<dyn Fn(&Source) -> Result<Vec<u8>, String> + Send + Sync>;

/// All outside issuers.
pub struct Issuers {
    list: Vec<Arc<Outside>>,
    epoch: Arc<AtomicU64>,
}

/// Why a configuration of issuers is not accepted.
#[derive(Debug)]
pub enum IssuerError {
    /// The file cannot be read.
    Io { path: PathBuf, source: io::Error },
    /// The file is not what it should be.
    Json { path: PathBuf, source: serde_json::Error },
    /// One entry makes no sense, and why.
    Invalid { issuer: String, reason: &'static str },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerFile {
    issuers: Vec<IssuerConfig>,
}

impl Issuers {
    /// Trusts nobody but ourselves.
    pub fn none() -> Issuers {
        Issuers { list: Vec::new(), epoch: Arc::default() }
    }

    /// Reads `{"issuers": [{"issuer", "audience", "jwks", "algorithms"}]}`. Fetches nothing yet.
    pub fn load(path: impl AsRef<Path>) -> Result<Issuers, IssuerError> {
        let path = path.as_ref();
        let text = fs::read(path).map_err(|source| IssuerError::Io { path: path.to_owned(), source })?;
        let file: IssuerFile = serde_json::from_slice(&text)
            .map_err(|source| IssuerError::Json { path: path.to_owned(), source })?;
        Issuers::new(file.issuers, path.parent().unwrap_or(Path::new(".")), Arc::new(fetch))
    }

    /// Issuers whose keys come through `fetcher`; file names are relative to `folder`.
    pub fn new(configs: Vec<IssuerConfig>, folder: &Path, fetcher: Fetcher) -> Result<Issuers, IssuerError> {
        let epoch = Arc::<AtomicU64>::default();
        let mut list: Vec<Arc<Outside>> = Vec::with_capacity(configs.len());
        for config in configs {
            let twice = list.iter().any(|known| known.config.issuer == config.issuer);
            let source = match source_of(&config, folder) {
                Ok(source) if !twice => source,
                Ok(_) => return Err(invalid(&config, "it is named twice")),
                Err(reason) => return Err(invalid(&config, reason)),
            };
            list.push(Arc::new(Outside::new(config, source, fetcher.clone(), epoch.clone())));
        }
        Ok(Issuers { list, epoch })
    }

    /// Fetches the keys of all issuers, so that the first token finds them. A failure is logged, and tried
    /// again when a token asks.
    pub async fn preload(&self, now: DateTime<Utc>) {
        let flights: Vec<_> = self.list.iter().filter_map(|outside| outside.refresh(now)).collect();
        for flight in flights {
            flight.landed().await;
        }
    }

    pub(super) fn find(&self, issuer: &str) -> Option<&Arc<Outside>> {
        self.list.iter().find(|outside| outside.config.issuer == issuer)
    }

    /// Counts the changes of any issuer's keys.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }
}

/// One outside issuer and its keys as last seen.
pub(super) struct Outside {
    config: IssuerConfig,
    source: Source,
    fetcher: Fetcher,
    keys: RwLock<Arc<Published>>,
    last: Mutex<Option<(DateTime<Utc>, Flight)>>,
    epoch: Arc<AtomicU64>,
}

/// A key set, and when it should be looked at again (never, if it has not been fetched yet).
pub(super) struct Published {
    pub set: KeySet,
    pub aged_at: Option<DateTime<Utc>>,
}

/// A fetch under way. It goes on when whoever asked for it has left, or leaving early would block a rotation.
#[derive(Clone)]
pub(super) struct Flight(watch::Receiver<()>);

impl Flight {
    pub async fn landed(mut self) {
        // The sender never sends: it is dropped when the fetch is over, however it ended.
        let _ = self.0.changed().await;
    }

    fn is_over(&self) -> bool {
        self.0.has_changed().is_err()
    }
}

impl Outside {
    fn new(config: IssuerConfig, source: Source, fetcher: Fetcher, epoch: Arc<AtomicU64>) -> Outside {
        let set =
            KeySet { issuer: config.issuer.clone(), audience: config.audience.clone(), keys: Vec::new() };
        let keys = RwLock::new(Arc::new(Published { set, aged_at: None }));
        Outside { config, source, fetcher, keys, last: Mutex::new(None), epoch }
    }

    pub fn published(&self) -> Arc<Published> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts a fetch or joins the one under way; none if the last one is too recent.
    pub fn refresh(self: &Arc<Self>, now: DateTime<Utc>) -> Option<Flight> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((started, flight)) = &*last {
            if !flight.is_over() {
                return Some(flight.clone());
            }
            // Either way round, so that a clock set back does not stop refreshing.
            if (now - *started).abs() < REFRESH_AT_MOST {
                return None;
            }
        }
        let (landing, flight) = watch::channel(());
        let flight = Flight(flight);
        *last = Some((now, flight.clone()));
        let this = self.clone();
        tokio::spawn(async move {
            this.fetch(now).await;
            drop(landing);
        });
        Some(flight)
    }

    async fn fetch(self: &Arc<Self>, now: DateTime<Utc>) {
        let this = self.clone();
        let fetched = tokio::task::spawn_blocking(move || (this.fetcher)(&this.source)).await;
        let answer = fetched.unwrap_or_else(|_| Err("the fetch broke off".into()));
        match answer.and_then(|bytes| self.read(&bytes, now)) {
            Ok(keys) => {
                let KeySet { issuer, audience, .. } = &self.published().set;
                let set = KeySet { issuer: issuer.clone(), audience: audience.clone(), keys };
                let published = Published { set, aged_at: now.checked_add_signed(REFRESH_AFTER) };
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(published);
                // After the keys: whoever sees the new count sees the new keys.
                self.epoch.fetch_add(1, Ordering::Release);
            }
            Err(fault) => {
                tracing::warn!(issuer = self.config.issuer, fault, "the issuer's keys were not fetched")
            }
        }
    }

    /// The usable keys of a JSON Web Key Set. Providers publish keys for other ends too: passed over.
    fn read(&self, bytes: &[u8], now: DateTime<Utc>) -> Result<Vec<PublicKey>, String> {
        let until = now.checked_add_signed(TRUSTED_FOR).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let set: Value = serde_json::from_slice(bytes).map_err(|_| "the key set is not JSON")?;
        let entries = set.get("keys").and_then(Value::as_array).ok_or("the key set has no list of keys")?;
        if entries.len() > MAX_KEYS {
            return Err("the key set has too many keys".into());
        }
        let mut keys: Vec<PublicKey> = Vec::with_capacity(entries.len());
        for entry in entries {
            match PublicKey::from_jwk(entry, &self.config.algorithms) {
                Ok(key) if keys.iter().any(|known| known.kid() == key.kid()) => {
                    tracing::warn!(
                        issuer = self.config.issuer,
                        kid = key.kid(),
                        "a second key of that name was ignored"
                    );
                }
                Ok(key) => keys.push(key.ending(until)),
                Err(reason) => tracing::debug!(issuer = self.config.issuer, ?reason, "a key was ignored"),
            }
        }
        Ok(keys)
    }
}

fn invalid(config: &IssuerConfig, reason: &'static str) -> IssuerError {
    IssuerError::Invalid { issuer: config.issuer.clone(), reason }
}

fn source_of(config: &IssuerConfig, folder: &Path) -> Result<Source, &'static str> {
    if config.issuer.is_empty() || config.audience.is_empty() || config.jwks.is_empty() {
        return Err("issuer, audience and jwks must not be empty");
    }
    if config.algorithms.is_empty() {
        return Err("it allows no algorithm");
    }
    if !config.jwks.contains("://") {
        return Ok(Source::File(folder.join(&config.jwks)));
    }
    let address: Uri = config.jwks.parse().map_err(|_| "jwks is neither an address nor a file")?;
    if address.authority().is_none_or(|authority| authority.as_str().contains('@')) {
        return Err("the jwks address must have a host, and no user in it");
    }
    match address.scheme_str() {
        Some("https") => Ok(Source::Url(config.jwks.clone())),
        Some("http") if address.host().is_some_and(is_loopback) => Ok(Source::Url(config.jwks.clone())),
        Some("http") => Err("plain http would let anyone on the way replace the keys: use https"),
        _ => Err("the jwks address must begin with https"),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Reads a file or asks an address, with bounds on time and size. Blocks.
pub fn fetch(source: &Source) -> Result<Vec<u8>, String> {
    match source {
        Source::File(path) => {
            let mut bytes = Vec::new();
            let file = fs::File::open(path).map_err(|fault| format!("{}: {fault}", path.display()))?;
            file.take(MAX_SET_BYTES + 1).read_to_end(&mut bytes).map_err(|fault| fault.to_string())?;
            if bytes.len() as u64 > MAX_SET_BYTES {
                Err("the key set is too large".into())
            } else {
                Ok(bytes)
            }
        }
        Source::Url(address) => {
            // A redirect must not lead from https to http, and one from this machine leads nowhere.
            let encrypted = address.to_ascii_lowercase().starts_with("https:");
            let mut config = ureq::Agent::config_builder()
                .timeout_global(Some(FETCH_TIMEOUT))
                .https_only(encrypted)
                .max_redirects(if encrypted { 3 } else { 0 })
                .max_redirects_will_error(true);
            if !encrypted {
                config = config.proxy(None);
            }
            let agent = config.build().new_agent();
            let answer = agent.get(address).header("accept", "application/json").call();
            let mut answer = answer.map_err(|fault| fault.to_string())?;
            let body = answer.body_mut().with_config().limit(MAX_SET_BYTES).read_to_vec();
            body.map_err(|fault| fault.to_string())
        }
    }
}

impl fmt::Display for IssuerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IssuerError::Io { path, source } => write!(f, "{}: {source}", path.display()),
            IssuerError::Json { path, source } => write!(f, "{}: {source}", path.display()),
            IssuerError::Invalid { issuer, reason } => write!(f, "issuer '{issuer}': {reason}"),
        }
    }
}

impl std::error::Error for IssuerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            IssuerError::Io { source, .. } => Some(source),
            IssuerError::Json { source, .. } => Some(source),
            IssuerError::Invalid { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
