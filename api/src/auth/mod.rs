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

use self::rights::ROLES;
pub use self::{rights::Right, viewer::Viewer};
use self::{token::Refused, verifier::Verifier};
use crate::store::catalog::Catalog;

/// Why a credential does not make a viewer. The same text whatever the reason behind it, as far as the reason
/// could tell something of an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denied {
    /// The token is refused; why is in its code.
    Token(Refused),
    /// The header is not `Bearer` and a token.
    Scheme,
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
            Self::NoMembership => "NO_MEMBERSHIP",
            Self::Ambiguous => "ORGANIZATION_NEEDED",
        }
    }

    pub fn message(self) -> &'static str {
        match self {
            Self::Token(Refused::Expired) => "The token has expired.",
            Self::Token(_) => "The token is not accepted.",
            Self::Scheme => "Send the token as: Authorization: Bearer TOKEN",
            Self::NoMembership => "This token has no membership here.",
            Self::Ambiguous => {
                "This account has several memberships. Choose one with the header Umbral-Organization."
            }
        }
    }

    pub fn status(self) -> u16 {
        match self {
            Self::Token(_) | Self::Scheme => 401,
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
        let verified = self.verifier.verify(token, now).await.map_err(Denied::Token)?;
        let account =
            catalog.account(&verified.issuer, &verified.subject, now).ok_or(Denied::NoMembership)?;
        let memberships = catalog.memberships_of(account, now);
        let mut fitting: Vec<_> = memberships
            .into_iter()
            .filter(|membership| {
                organization.is_none_or(|slug| {
                    let entry = catalog.organizations.get(membership.row.organization_id);
                    entry.is_some_and(|entry| entry.row.slug == slug)
                })
            })
            .collect();
        // Several roles in one organisation: the one that stands last in the table of rights acts.
        fitting.sort_by_key(|membership| ROLES.iter().position(|role| *role == membership.row.role));
        let first = fitting.last().ok_or(Denied::NoMembership)?;
        if fitting.iter().any(|other| other.row.organization_id != first.row.organization_id) {
            return Err(Denied::Ambiguous);
        }
        let facilities = (first.row.role == entity::value::Role::Field).then(|| first.facilities.clone());
        Ok(Viewer::member(Some(account), first.row.organization_id, first.row.role, facilities))
    }
}
