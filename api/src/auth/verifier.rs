//! The one door for tokens in a running server: the local ring, outside issuers, and a memory of what passed.
//!
//! The memory never decides alone: times are checked on every use, and any change of a key empties it.

use std::{
    collections::HashMap,
    fmt, mem,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    issuers::{IssuerError, Issuers, REFRESH_AT_MOST},
    jwk::KeySet,
    keys::KeyRing,
    token::{self, Accepted, IssueError, IssueOptions, MAX_TOKEN_BYTES, Refused, Unverified, in_time},
};

/// Tokens remembered at most.
pub const CACHE_CAPACITY: usize = 10_000;

/// Whom a verified token names. Which rights that gives is for the database to say.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified {
    /// Who vouches for the subject. Subjects of two issuers are two people even under one name.
    pub issuer: String,
    /// The person or tool.
    pub subject: String,
    /// The session of a token of our own.
    pub session: Option<Uuid>,
    /// When the token was made, in seconds since 1970, if it says.
    pub made: Option<i64>,
    /// When the token or its key ends, whichever is first; a socket ends then too.
    pub expires: DateTime<Utc>,
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Checks tokens. Shared by all workers behind an `Arc`.
pub struct Verifier {
    local: RwLock<Local>,
    issuers: Issuers,
    cache: Cache,
    reloads: AtomicU64,
    look: Every,
    retry: Every,
    complaint: Every,
}

#[derive(Clone)]
struct Local {
    ring: Arc<KeyRing>,
    set: Arc<KeySet>,
}

impl Local {
    fn new(ring: KeyRing, issuer: String, audience: String) -> Local {
        let set = KeySet { issuer, audience, keys: ring.public_keys() };
        Local { ring: Arc::new(ring), set: Arc::new(set) }
    }
}

impl Verifier {
    /// A verifier of our own tokens, made by `issuer` for `audience`, and of those of outside issuers.
    pub fn new(
        ring: KeyRing,
        issuer: impl Into<String>,
        audience: impl Into<String>,
        issuers: Issuers,
    ) -> Result<Verifier, IssuerError> {
        let (issuer, audience) = (issuer.into(), audience.into());
        if issuers.find(&issuer).is_some() {
            // Two sources of keys for one name would let the outside one speak as us.
            return Err(IssuerError::Invalid {
                issuer,
                reason: "it is the name of this installation itself",
            });
        }
        Ok(Verifier {
            local: RwLock::new(Local::new(ring, issuer, audience)),
            issuers,
            cache: Cache::default(),
            reloads: AtomicU64::new(0),
            look: Every::milliseconds(1_000),
            retry: Every::milliseconds(1_000),
            complaint: Every::milliseconds(60_000),
        })
    }

    /// Whom the token names, or why it is refused. Waits for an outside issuer's keys at most.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Verified, Refused> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refused::Malformed);
        }
        self.reload_if_stale(now);
        let digest: TokenDigest = Sha256::digest(token.as_bytes()).into();
        // Read before the keys: what is found with older keys is then remembered under an older count.
        let epoch = self.epoch();
        if let Some(entry) = self.cache.get(&digest, epoch)
            && now <= entry.fresh_until
        {
            in_time(entry.exp, entry.nbf, now)?;
            return Ok(entry.verified.clone());
        }
        let token = Unverified::read(token)?;
        let ((accepted, fresh_until), is_ours) = match self.check_local(&token, now) {
            Err(Refused::WrongIssuer) => (self.check_outside(&token, now).await?, false),
            local => ((local?, DateTime::<Utc>::MAX_UTC), true),
        };
        let entry = Entry::new(accepted, fresh_until, epoch, is_ours);
        let verified = entry.verified.clone();
        self.cache.put(digest, entry);
        Ok(verified)
    }

    /// The ring as last read, for signing.
    pub fn ring(&self) -> Arc<KeyRing> {
        self.local().ring
    }

    /// The name that our own tokens are issued in, by which accounts are known.
    pub fn issuer(&self) -> String {
        self.local().set.issuer.clone()
    }

    /// A token of our own for a session.
    ///
    /// # Errors
    /// When no key signs.
    pub fn issue(
        &self,
        subject: &str,
        session: Uuid,
        lifetime: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<String, IssueError> {
        self.reload_if_stale(now);
        let Local { ring, set } = self.local();
        let options = IssueOptions { issuer: &set.issuer, audience: &set.audience, subject, lifetime, now };
        token::issue_for(&ring, options, session)
    }

    /// What `/.well-known/jwks.json` answers.
    pub fn jwks(&self, now: DateTime<Utc>) -> Value {
        self.reload_if_stale(now);
        self.ring().jwks(now)
    }

    /// Reads the ring again if its folder has changed; looks at most once a second. True if it was read.
    pub fn reload_if_stale(&self, now: DateTime<Utc>) -> bool {
        self.look.is_due(now) && self.reload(now)
    }

    /// Fetches the keys of outside issuers before the first token needs them.
    pub async fn preload(&self, now: DateTime<Utc>) {
        self.issuers.preload(now).await;
    }

    fn reload(&self, now: DateTime<Utc>) -> bool {
        let Local { ring, set } = self.local();
        // A folder that cannot be read is not read again for every token that asks.
        if !ring.stale() || self.retry.was_within(now) {
            return false;
        }
        match KeyRing::load(ring.dir()) {
            Ok(ring) => {
                let local = Local::new(ring, set.issuer.clone(), set.audience.clone());
                *self.local.write().unwrap_or_else(PoisonError::into_inner) = local;
                // After the keys: whoever sees the new count sees the new keys.
                self.reloads.fetch_add(1, Ordering::Release);
                true
            }
            Err(error) => {
                self.retry.mark(now);
                if self.complaint.is_due(now) {
                    tracing::error!(%error, "the changed key folder cannot be read: the old keys stay in use");
                }
                false
            }
        }
    }

    fn check_local(&self, token: &Unverified<'_>, now: DateTime<Utc>) -> Result<Accepted, Refused> {
        let checked = token.check(&self.local().set, now);
        // Perhaps a key made a moment ago by another process.
        if matches!(checked, Err(Refused::UnknownKey)) && self.reload(now) {
            return token.check(&self.local().set, now);
        }
        checked
    }

    /// Besides what the token says, gives the time until which the answer need not be looked at again.
    async fn check_outside(
        &self,
        token: &Unverified<'_>,
        now: DateTime<Utc>,
    ) -> Result<(Accepted, DateTime<Utc>), Refused> {
        let outside = self.issuers.find(token.claimed_issuer()).ok_or(Refused::WrongIssuer)?;
        let mut published = outside.published();
        let mut checked = token.check(&published.set, now);
        if matches!(checked, Err(Refused::UnknownKey))
            && let Some(flight) = outside.refresh(now)
        {
            flight.landed().await;
            published = outside.published();
            checked = token.check(&published.set, now);
        }
        let soon = now.checked_add_signed(REFRESH_AT_MOST).unwrap_or(now);
        let aged_at = published.aged_at.unwrap_or(now);
        if checked.is_ok() && now >= aged_at {
            // Nobody waits for this one: the keys at hand are still trusted.
            let _ = outside.refresh(now);
        }
        checked.map(|accepted| (accepted, aged_at.max(soon)))
    }

    fn local(&self) -> Local {
        self.local.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts every change of any key, local or outside.
    fn epoch(&self) -> u64 {
        self.reloads.load(Ordering::Acquire).wrapping_add(self.issuers.epoch())
    }
}

type TokenDigest = [u8; 32];

/// A token that passed.
struct Entry {
    verified: Verified,
    exp: i64,
    nbf: Option<i64>,
    fresh_until: DateTime<Utc>,
    epoch: u64,
}

impl Entry {
    fn new(accepted: Accepted, fresh_until: DateTime<Utc>, epoch: u64, is_ours: bool) -> Entry {
        let Accepted { claims, key_until } = accepted;
        // Other issuers have sessions too, which are none of ours.
        let session = claims.sid.filter(|_| is_ours).and_then(|session| session.parse().ok());
        let key_until = key_until.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let ends = DateTime::from_timestamp(claims.exp, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let verified = Verified {
            issuer: claims.iss,
            subject: claims.sub,
            session,
            made: claims.iat,
            expires: ends.min(key_until),
        };
        Entry { verified, exp: claims.exp, nbf: claims.nbf, fresh_until: fresh_until.min(key_until), epoch }
    }
}

/// Remembers tokens in two halves. When the young half is full it becomes the old one, and the old one is
/// forgotten: what is in use is carried over, and no insertion has to search for what to drop.
#[derive(Default)]
struct Cache(RwLock<Halves>);

#[derive(Default)]
struct Halves {
    young: HashMap<TokenDigest, Arc<Entry>>,
    old: HashMap<TokenDigest, Arc<Entry>>,
}

impl Cache {
    fn get(&self, digest: &TokenDigest, epoch: u64) -> Option<Arc<Entry>> {
        let (entry, is_old) = {
            let halves = self.0.read().unwrap_or_else(PoisonError::into_inner);
            match halves.young.get(digest) {
                Some(entry) => (entry.clone(), false),
                None => (halves.old.get(digest)?.clone(), true),
            }
        };
        if entry.epoch != epoch {
            return None;
        }
        if is_old {
            self.insert(*digest, entry.clone());
        }
        Some(entry)
    }

    fn put(&self, digest: TokenDigest, entry: Entry) {
        self.insert(digest, Arc::new(entry));
    }

    fn insert(&self, digest: TokenDigest, entry: Arc<Entry>) {
        let mut halves = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if halves.young.len() >= CACHE_CAPACITY / 2 {
            halves.old = mem::take(&mut halves.young);
        }
        halves.young.insert(digest, entry);
    }
}

/// A bound on how often something is done, whoever asks. A clock set back does not stop it.
struct Every {
    period: TimeDelta,
    last: AtomicI64,
}

impl Every {
    fn milliseconds(period: i64) -> Every {
        Every { period: TimeDelta::milliseconds(period), last: AtomicI64::new(i64::MIN) }
    }

    fn was_within(&self, now: DateTime<Utc>) -> bool {
        let passed = now.timestamp_millis().abs_diff(self.last.load(Ordering::Relaxed));
        passed < self.period.num_milliseconds().unsigned_abs()
    }

    fn mark(&self, now: DateTime<Utc>) {
        self.last.store(now.timestamp_millis(), Ordering::Relaxed);
    }

    /// True for one caller per period.
    fn is_due(&self, now: DateTime<Utc>) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        let due = !self.was_within(now);
        let next = now.timestamp_millis();
        due && self.last.compare_exchange(last, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests;
