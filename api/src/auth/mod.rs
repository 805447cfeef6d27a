//! Who asks: from a credential to a [`Viewer`], which nobody else can make.

pub mod address;
pub mod email;
pub mod issuers;
pub mod jwk;
pub mod keys;
pub mod password;
pub mod rights;
pub mod secret;
pub mod token;
pub mod verifier;
mod viewer;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use self::rights::ROLES;
pub use self::{rights::Right, viewer::Viewer};
use self::{
    secret::KEY_PREFIX,
    token::Refused,
    verifier::{Verified, Verifier},
    viewer::Credential,
};
use crate::store::catalog::{Catalog, Membership};

/// Why a credential does not make a viewer. The same text whatever the reason behind it, as far as the reason
/// could tell something of an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denied {
    /// The token is refused; why is in its code.
    Token(Refused),
    /// The header is not `Bearer` and a token.
    Scheme,
    /// The token is good and its session has ended, or all tokens of its account were ended.
    Ended,
    /// There is no such key of a service account, or none any more.
    Key,
    /// The token is good and stands for nobody with a membership here (any more).
    NoMembership,
    /// There are several memberships, and the request does not choose.
    Ambiguous,
}

impl Denied {
    pub fn code(self) -> &'static str {
        match self {
            Self::Token(refused) => refused.code(),
            Self::Scheme => "TOKEN_MALFORMED",
            Self::Ended => "SESSION_ENDED",
            Self::Key => "KEY_NOT_ACCEPTED",
            Self::NoMembership => "NO_MEMBERSHIP",
            Self::Ambiguous => "ORGANIZATION_NEEDED",
        }
    }

    pub fn message(self) -> &'static str {
        match self {
            Self::Token(Refused::Expired) => "The token has expired.",
            Self::Token(_) => "The token is not accepted.",
            Self::Scheme => "Send the token as: Authorization: Bearer TOKEN",
            Self::Ended => "The session has ended. Sign in again.",
            Self::Key => "The key is not accepted.",
            Self::NoMembership => "This token has no membership here.",
            Self::Ambiguous => {
                "This account has several memberships. Choose one with the header Umbral-Organization."
            }
        }
    }

    pub fn status(self) -> u16 {
        match self {
            Self::Token(_) | Self::Scheme | Self::Ended | Self::Key => 401,
            Self::NoMembership => 403,
            Self::Ambiguous => 400,
        }
    }
}

/// Turns credentials into viewers.
#[derive(Clone)]
pub struct Authenticator {
    pub verifier: Arc<Verifier>,
}

impl Authenticator {
    /// The viewer of a request. A token names a person or a tool; role, organisation and facilities come from
    /// the reference tables as they are now, so that a role taken away stops at once.
    ///
    /// # Errors
    /// Why the credential is refused.
    pub async fn viewer(
        &self,
        catalog: &Catalog,
        authorization: Option<&str>,
        organization: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Viewer, Denied> {
        let Some(header) = authorization else { return Ok(Viewer::nobody()) };
        let token = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err(Denied::Scheme),
        };
        if token.starts_with(KEY_PREFIX) {
            return by_key(catalog, token, organization, now);
        }
        let verified = self.verifier.verify(token, now).await.map_err(Denied::Token)?;
        let account =
            catalog.account(&verified.issuer, &verified.subject, now).ok_or(Denied::NoMembership)?;
        let credential = credential(catalog, account, &verified)?;
        let named = catalog.memberships_of(account, now).into_iter().filter(|membership| {
            organization.is_none_or(|slug| is_named(catalog, membership.row.organization_id, slug))
        });
        Ok(acting(named.collect())?.with(credential, None))
    }
}

/// The session of a token, or its lack of one. What was ended is refused.
fn credential(catalog: &Catalog, account: Uuid, verified: &Verified) -> Result<Credential, Denied> {
    if let Some(session) = verified.session {
        let ended = catalog.ended_sessions.contains(&session);
        return if ended { Err(Denied::Ended) } else { Ok(Credential::Session(session)) };
    }
    let valid_from = catalog.accounts.get(&account).and_then(|account| account.tokens_valid_from);
    // A token says in which second it was made. One that does not say could be older than anything.
    let is_older = valid_from.is_some_and(|from| verified.made.is_none_or(|made| made <= from.timestamp()));
    if is_older { Err(Denied::Ended) } else { Ok(Credential::Token) }
}

/// The viewer that a key of a service account stands for: its role, cut to the scopes of the key.
fn by_key(
    catalog: &Catalog,
    key: &str,
    organization: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Viewer, Denied> {
    let key = catalog.service_key(&secret::digest(key), now).ok_or(Denied::Key)?;
    let own = key.organization_id;
    if organization.is_some_and(|slug| !is_named(catalog, own, slug)) {
        return Err(Denied::NoMembership);
    }
    let memberships = catalog.memberships_of(key.account_id, now).into_iter();
    let scopes = key.scopes.as_ref().map(|scopes| rights::named(&scopes.0));
    let acting = acting(memberships.filter(|membership| membership.row.organization_id == own).collect())?;
    Ok(acting.with(Credential::Key(key.id), scopes))
}

fn is_named(catalog: &Catalog, organization: Uuid, slug: &str) -> bool {
    catalog.organizations.get(organization).is_some_and(|entry| entry.row.slug == slug)
}

/// The viewer of memberships among which the request has chosen.
fn acting(mut fitting: Vec<&Membership>) -> Result<Viewer, Denied> {
    // Several roles in one organisation: the one that stands last in the table of rights acts.
    fitting.sort_by_key(|membership| ROLES.iter().position(|role| *role == membership.row.role));
    let first = fitting.last().ok_or(Denied::NoMembership)?;
    if fitting.iter().any(|other| other.row.organization_id != first.row.organization_id) {
        return Err(Denied::Ambiguous);
    }
    let facilities = (first.row.role == entity::value::Role::Field).then(|| first.facilities.clone());
    Ok(Viewer::member(Some(first.row.account_id), first.row.organization_id, first.row.role, facilities))
}

/// Who an account is that has just proved itself, in each of its organisations; none when it has no membership, or is
/// disabled.
pub(crate) fn proven(catalog: &Catalog, account: Uuid, now: DateTime<Utc>) -> Vec<Viewer> {
    if !catalog.is_enabled(account, now) {
        return Vec::new();
    }
    let memberships = catalog.memberships_of(account, now);
    let mut organizations: Vec<Uuid> =
        memberships.iter().map(|membership| membership.row.organization_id).collect();
    organizations.sort_unstable();
    organizations.dedup();
    let of = |own: Uuid| memberships.iter().copied().filter(move |one| one.row.organization_id == own);
    organizations.into_iter().filter_map(|own| acting(of(own).collect()).ok()).collect()
}
