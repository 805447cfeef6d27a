//! Tokens: how ours are made, and what a token must satisfy before anything in it is believed.
//!
//! Nothing here has a `Debug` or a `Display` that could put a token or its claims into a log.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::Header;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    jwk::{Alg, KeySet},
    keys::KeyRing,
};

/// By how much two clocks may differ, in seconds.
pub const LEEWAY: i64 = 30;
/// A longer token is refused before it is looked at.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// What a token says (RFC 7519). Times are seconds since 1970.
#[derive(Clone, Serialize, Deserialize)]
pub struct Claims {
    /// Who made it.
    pub iss: String,
    /// The person or tool that it names.
    pub sub: String,
    /// For whom it is meant. One audience is written as a string, as most readers expect.
    #[serde(serialize_with = "one_or_many", deserialize_with = "many_or_one")]
    pub aud: Vec<String>,
    /// When it ends.
    #[serde(deserialize_with = "seconds")]
    pub exp: i64,
    /// When it begins.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_seconds")]
    pub nbf: Option<i64>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_seconds")]
    pub iat: Option<i64>,
    /// Its own name, by which a log can speak of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// The session that it belongs to; of ours only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

/// Why a token was refused. The client learns no more than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refused {
    /// Not a token, too long, or one that asks for something we do not know.
    Malformed,
    /// It names no key, or none that its issuer has.
    UnknownKey,
    /// Its algorithm is not the one that its key is pinned to.
    WrongAlgorithm,
    /// Its issuer is nobody we trust.
    WrongIssuer,
    /// It is meant for somebody else.
    WrongAudience,
    /// It has ended.
    Expired,
    /// It has not begun.
    NotYetValid,
    /// It was not signed by the key that it names.
    BadSignature,
}

impl Refused {
    /// The stable code that a client branches on.
    pub fn code(&self) -> &'static str {
        match self {
            Refused::Malformed => "TOKEN_MALFORMED",
            Refused::UnknownKey => "TOKEN_UNKNOWN_KEY",
            Refused::WrongAlgorithm => "TOKEN_WRONG_ALGORITHM",
            Refused::WrongIssuer => "TOKEN_WRONG_ISSUER",
            Refused::WrongAudience => "TOKEN_WRONG_AUDIENCE",
            Refused::Expired => "TOKEN_EXPIRED",
            Refused::NotYetValid => "TOKEN_NOT_YET_VALID",
            Refused::BadSignature => "TOKEN_BAD_SIGNATURE",
        }
    }
}

/// What a new token shall say.
#[derive(Clone, Copy)]
pub struct IssueOptions<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    pub subject: &'a str,
    /// How long it is good for. A rotation may end it sooner: see [`super::keys::RETIRED_FOR`].
    pub lifetime: TimeDelta,
    pub now: DateTime<Utc>,
}

/// Why no token could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueError {
    /// The ring has no active key.
    NoActiveKey,
    /// The lifetime is zero or negative, or ends beyond the year 9999.
    BadLifetime,
    /// The subject is empty or not readable.
    BadSubject,
    /// The key did not sign.
    Signing,
}

/// Makes a token, signed with the ring's active key.
pub fn issue(ring: &KeyRing, options: IssueOptions<'_>) -> Result<String, IssueError> {
    issue_with(ring, options, None)
}

/// Makes a token that ends when its session does.
pub fn issue_for(ring: &KeyRing, options: IssueOptions<'_>, session: Uuid) -> Result<String, IssueError> {
    issue_with(ring, options, Some(session))
}

#[expect(clippy::disallowed_methods, reason = "a token's own id names no row")]
fn issue_with(
    ring: &KeyRing,
    options: IssueOptions<'_>,
    session: Option<Uuid>,
) -> Result<String, IssueError> {
    let IssueOptions { issuer, audience, subject, lifetime, now } = options;
    let key = ring.active().ok_or(IssueError::NoActiveKey)?;
    let end = now.checked_add_signed(lifetime).map(|end| end.timestamp());
    let made = now.timestamp();
    let exp = end.filter(|end| *end > made && *end <= LAST_SECOND).ok_or(IssueError::BadLifetime)?;
    if !is_readable(subject) {
        return Err(IssueError::BadSubject);
    }
    let claims = Claims {
        iss: issuer.to_owned(),
        sub: subject.to_owned(),
        aud: vec![audience.to_owned()],
        exp,
        nbf: Some(made),
        iat: Some(made),
        jti: Some(Uuid::new_v4().to_string()),
        sid: session.map(|session| session.to_string()),
    };
    let header = Header { kid: Some(key.info().kid.clone()), ..Header::new(key.info().alg.library()) };
    jsonwebtoken::encode(&header, &claims, key.signing()).map_err(|_| IssueError::Signing)
}

/// The type of a statement that is no token.
const STATEMENT: &str = "umbral-statement+jws";

/// Signs a statement with the ring's active key, as a JSON Web Signature (RFC 7515). Its type is that of no token, so
/// it opens nothing.
pub fn sign(ring: &KeyRing, statement: &impl Serialize) -> Result<String, IssueError> {
    let key = ring.active().ok_or(IssueError::NoActiveKey)?;
    let header = Header {
        typ: Some(STATEMENT.to_owned()),
        kid: Some(key.info().kid.clone()),
        ..Header::new(key.info().alg.library())
    };
    jsonwebtoken::encode(&header, statement, key.signing()).map_err(|_| IssueError::Signing)
}

/// Reads a statement that [`sign`] has made, with any key of the ring: what was true when a key signed it stays true
/// when the key has retired.
///
/// # Errors
/// `UnknownKey` when the ring no longer has the key; why else it is not to be believed.
pub fn read_statement<T: DeserializeOwned>(ring: &KeyRing, statement: &str) -> Result<T, Refused> {
    let (message, signature) = statement.rsplit_once('.').ok_or(Refused::Malformed)?;
    let (header, body) = message.split_once('.').ok_or(Refused::Malformed)?;
    let header: JoseHeader = part(header)?;
    if header.crit || header.typ.as_deref() != Some(STATEMENT) {
        return Err(Refused::Malformed);
    }
    let kid = header.kid.ok_or(Refused::UnknownKey)?;
    let keys = ring.public_keys();
    let key = keys.iter().find(|key| key.kid() == kid).ok_or(Refused::UnknownKey)?;
    if Alg::parse(&header.alg) != Some(key.alg()) {
        return Err(Refused::WrongAlgorithm);
    }
    if !key.accepts(message, signature) {
        return Err(Refused::BadSignature);
    }
    part(body)
}

/// Checks a token against the issuers that are trusted, at the time `now`. Asks neither clock nor network.
pub fn verify(token: &str, trusted: &[&KeySet], now: DateTime<Utc>) -> Result<Claims, Refused> {
    let token = Unverified::read(token)?;
    let set = trusted.iter().find(|set| set.issuer == token.claimed_issuer()).ok_or(Refused::WrongIssuer)?;
    token.check(set, now).map(|accepted| accepted.claims)
}

/// A token whose parts have been read and not yet believed.
pub(super) struct Unverified<'t> {
    alg: Alg,
    kid: String,
    claims: Claims,
    message: &'t str,
    signature: &'t str,
}

/// The claims of a token that passed, and when its key ends if that is known.
pub(super) struct Accepted {
    pub claims: Claims,
    pub key_until: Option<DateTime<Utc>>,
}

/// The only members of a header that are looked at. A key or its address in a header (`jwk`, `jku`, `x5u`) is an
/// offer by whoever wrote the token, and is never taken up.
#[derive(Deserialize)]
struct JoseHeader {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

impl<'t> Unverified<'t> {
    pub fn read(token: &'t str) -> Result<Unverified<'t>, Refused> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refused::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Refused::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(Refused::Malformed)?;
        let header: JoseHeader = part(header)?;
        // We know no extension, so every critical one is unknown (RFC 7515, section 4.1.11).
        if header.crit || !header.typ.as_deref().is_none_or(is_access_token_type) {
            return Err(Refused::Malformed);
        }
        let alg = Alg::parse(&header.alg).ok_or(Refused::WrongAlgorithm)?;
        let kid = header.kid.ok_or(Refused::UnknownKey)?;
        let claims: Claims = part(claims)?;
        if !is_readable(&claims.sub) {
            return Err(Refused::Malformed);
        }
        Ok(Unverified { alg, kid, claims, message, signature })
    }

    /// Whose keys to check it with. Nothing is known of the token yet but what it says itself.
    pub fn claimed_issuer(&self) -> &str {
        &self.claims.iss
    }

    pub fn check(&self, set: &KeySet, now: DateTime<Utc>) -> Result<Accepted, Refused> {
        if self.claims.iss != set.issuer {
            return Err(Refused::WrongIssuer);
        }
        let key = set.find(&self.kid, now).ok_or(Refused::UnknownKey)?;
        if self.alg != key.alg() {
            return Err(Refused::WrongAlgorithm);
        }
        if !key.accepts(self.message, self.signature) {
            return Err(Refused::BadSignature);
        }
        if !self.claims.aud.contains(&set.audience) {
            return Err(Refused::WrongAudience);
        }
        in_time(self.claims.exp, self.claims.nbf, now)?;
        Ok(Accepted { claims: self.claims.clone(), key_until: key.until() })
    }
}

/// Whether `now` lies between the two, give or take [`LEEWAY`].
pub(super) fn in_time(exp: i64, nbf: Option<i64>, now: DateTime<Utc>) -> Result<(), Refused> {
    let now = now.timestamp();
    if now >= exp.saturating_add(LEEWAY) {
        return Err(Refused::Expired);
    }
    if nbf.is_some_and(|nbf| now.saturating_add(LEEWAY) < nbf) {
        return Err(Refused::NotYetValid);
    }
    Ok(())
}

fn part<T: DeserializeOwned>(encoded: &str) -> Result<T, Refused> {
    let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Refused::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| Refused::Malformed)
}

/// Media types are compared without regard to case and may leave `application/` out (RFC 7515, RFC 9068).
fn is_access_token_type(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt")
}

/// A subject goes to the database and to logs, where control characters do harm.
fn is_readable(subject: &str) -> bool {
    !subject.is_empty() && !subject.chars().any(char::is_control)
}

/// The end of the year 9999; a later time is a mistake in units.
const LAST_SECOND: i64 = 253_402_300_799;

fn seconds<'de, D: Deserializer<'de>>(source: D) -> Result<i64, D::Error> {
    let number = serde_json::Number::deserialize(source)?;
    // Some issuers write fractions, which RFC 7519 allows.
    let whole = number.as_i64().or_else(|| number.as_f64().map(|number| number.floor() as i64));
    let in_range = whole.filter(|seconds| (0..=LAST_SECOND).contains(seconds));
    in_range.ok_or_else(|| de::Error::custom("not a time in seconds"))
}

fn some_seconds<'de, D: Deserializer<'de>>(source: D) -> Result<Option<i64>, D::Error> {
    seconds(source).map(Some)
}

fn present<'de, D: Deserializer<'de>>(source: D) -> Result<bool, D::Error> {
    de::IgnoredAny::deserialize(source).map(|_| true)
}

fn many_or_one<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Audience::deserialize(source)? {
        Audience::One(audience) => vec![audience],
        Audience::Many(audiences) => audiences,
    })
}

fn one_or_many<S: Serializer>(audiences: &[String], target: S) -> Result<S::Ok, S::Error> {
    match audiences {
        [audience] => audience.serialize(target),
        audiences => audiences.serialize(target),
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for Refused {}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IssueError::NoActiveKey => "the key ring has no active key; run: umbral keys generate",
            IssueError::BadLifetime => "a token must end after it begins, and before the year 10000",
            IssueError::BadSubject => "a token must name somebody, without control characters",
            IssueError::Signing => "the active key did not sign",
        })
    }
}

impl std::error::Error for IssueError {}

#[cfg(test)]
pub(super) mod tests;
