//! Who asks.

use std::{collections::HashSet, sync::Arc};

use entity::value::Role;
use uuid::Uuid;

use super::rights::Right;
use crate::graphql::audience::Audience;

/// Who asks, and for which organisation. Only `auth` makes one.
#[derive(Clone, Debug)]
pub struct Viewer(Option<Member>);

#[derive(Clone, Debug)]
struct Member {
    account: Option<Uuid>,
    organization: Uuid,
    /// None for the system, whose writes say why they happen and which holds no rights but those that it is given.
    role: Option<Role>,
    facilities: Option<Arc<HashSet<Uuid>>>,
    credential: Credential,
    /// What a key is for, and what the program was given; none when it is all that the role may.
    scopes: Option<Arc<[Right]>>,
}

/// What somebody has shown to be let in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Credential {
    /// A token without a session of ours.
    Token,
    Session(Uuid),
    /// A key of a service account.
    Key(Uuid),
}

impl Viewer {
    /// Somebody who gave no credential.
    pub(super) fn nobody() -> Self {
        Self(None)
    }

    pub(super) fn member(
        account: Option<Uuid>,
        organization: Uuid,
        role: Role,
        facilities: Option<Arc<HashSet<Uuid>>>,
    ) -> Self {
        let role = Some(role);
        let credential = Credential::Token;
        Self(Some(Member { account, organization, role, facilities, credential, scopes: None }))
    }

    /// The same, let in by something else than a token.
    pub(super) fn with(mut self, credential: Credential, scopes: Option<Arc<[Right]>>) -> Self {
        if let Some(member) = &mut self.0 {
            member.credential = credential;
            member.scopes = scopes;
        }
        self
    }

    /// The program itself, on the command line, for one organisation.
    pub(crate) fn system(organization: Uuid) -> Self {
        Self(Some(Member {
            account: None,
            organization,
            role: None,
            facilities: None,
            credential: Credential::Token,
            scopes: None,
        }))
    }

    /// The same with rights, for what is done under the rules that members are under.
    pub(crate) fn system_with(organization: Uuid, rights: &[Right]) -> Self {
        Self::system(organization).with(Credential::Token, Some(rights.into()))
    }

    /// Null for nobody, and for the system.
    pub fn account(&self) -> Option<Uuid> {
        self.0.as_ref().and_then(|member| member.account)
    }

    /// The organisation that the viewer acts for.
    pub fn organization(&self) -> Option<Uuid> {
        self.0.as_ref().map(|member| member.organization)
    }

    pub fn role(&self) -> Option<Role> {
        self.0.as_ref().and_then(|member| member.role)
    }

    /// The facilities that the membership is cut to; none when it is not cut.
    pub fn facilities(&self) -> Option<&HashSet<Uuid>> {
        self.0.as_ref().and_then(|member| member.facilities.as_deref())
    }

    pub fn has(&self, right: Right) -> bool {
        // The program holds what it was given and nothing else.
        self.role().map_or_else(|| self.scopes().is_some(), |role| right.held_by(role))
            && self.scopes().is_none_or(|scopes| scopes.contains(&right))
            // Administrators make keys, and reach no woman's record: not by a key of theirs either.
            && !(self.key().is_some() && right.is_of_records())
    }

    /// What the key of the request is for, or the program was given; none when it is all that the role may.
    fn scopes(&self) -> Option<&[Right]> {
        self.0.as_ref().and_then(|member| member.scopes.as_deref())
    }

    /// The session of the request, which a password began.
    pub fn session(&self) -> Option<Uuid> {
        match self.0.as_ref()?.credential {
            Credential::Session(session) => Some(session),
            _ => None,
        }
    }

    /// The key of the request.
    pub fn key(&self) -> Option<Uuid> {
        match self.0.as_ref()?.credential {
            Credential::Key(key) => Some(key),
            _ => None,
        }
    }

    /// Which part of the schema there is for this viewer.
    pub fn audience(&self) -> Audience {
        let Some(member) = &self.0 else { return Audience::Public };
        match member.role {
            None => Audience::Staff,
            Some(Role::Donor) => Audience::Donor,
            Some(Role::Partner) => Audience::Partner,
            Some(Role::Field | Role::Coordinator | Role::Steward | Role::Admin | Role::Auditor) => {
                Audience::Staff
            }
        }
    }

    /// Whether the viewer reads what this organisation has not published: drafts, sites of sensitive programs,
    /// withheld claims. The program itself does, for the organisation that it was told.
    pub fn reads_drafts_of(&self, organization: Uuid) -> bool {
        self.is_staff_of(organization) && (self.role().is_none() || self.has(Right::RegistryReadDraft))
    }

    /// Whether this is the same person in the same role for the same organisation.
    pub fn is_same_member(&self, other: &Self) -> bool {
        self.account() == other.account()
            && self.organization() == other.organization()
            && self.role() == other.role()
    }

    /// Whether the viewer works for this organisation.
    pub fn is_staff_of(&self, organization: Uuid) -> bool {
        self.audience() == Audience::Staff && self.organization() == Some(organization)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_holds_what_it_was_given_and_nothing_else() {
        let held = |viewer: &Viewer| -> Vec<Right> {
            Right::ALL.into_iter().filter(|right| viewer.has(*right)).collect()
        };
        assert_eq!(held(&Viewer::system(Uuid::nil())), []);
        assert_eq!(held(&Viewer::system_with(Uuid::nil(), &[])), []);
        let given = [Right::SurveyRead, Right::ResponseRecord];
        assert_eq!(held(&Viewer::system_with(Uuid::nil(), &given)), given);
        assert_eq!(held(&Viewer::nobody()), []);
    }
}
