//! Who a token stands for: accounts, memberships and the tokens of demonstration and service accounts.

mod administer;
mod invite;
mod key;

pub use self::{
    administer::{ChangeMembership, EndMembership},
    invite::{AcceptInvitation, Invite},
    key::{CreateServiceAccount, CreateServiceKey, NewKey},
};

use std::cmp::Reverse;

use chrono::NaiveDate;
use entity::{
    account, identity, membership, membership_facility,
    value::{AccountKind, Role},
};
use sea_orm::{ActiveModelTrait, DbErr, Set};
use uuid::Uuid;

use super::{
    Store,
    catalog::{Catalog, Membership},
    write::Write,
};
use crate::{auth::Viewer, error::Result};

impl Catalog {
    /// The memberships of an account that hold today, in a stable order.
    pub fn memberships_of(&self, account: Uuid, now: chrono::DateTime<chrono::Utc>) -> Vec<&Membership> {
        let today = now.date_naive();
        self.memberships
            .iter()
            .filter(|membership| {
                let row = &membership.row;
                row.account_id == account
                    && row.starts_on <= today
                    && row.ends_on.is_none_or(|last| today <= last)
                    && self.organizations.get(row.organization_id).is_some()
            })
            .collect()
    }

    /// Whether a viewer still has the membership that it was made of.
    pub(super) fn still_holds(&self, viewer: &Viewer, now: chrono::DateTime<chrono::Utc>) -> bool {
        // The program itself has no account.
        let Some(account) = viewer.account() else { return true };
        self.is_enabled(account, now)
            && viewer.session().is_none_or(|session| !self.ended_sessions.contains(&session))
            && viewer.key().is_none_or(|key| self.key_holds(key, now))
            && self.memberships_of(account, now).iter().any(|membership| {
                Some(membership.row.organization_id) == viewer.organization()
                    && Some(membership.row.role) == viewer.role()
                    && viewer.facilities().is_none_or(|cut| *cut == *membership.facilities)
            })
    }

    /// A service or demonstration account with this role in this organisation, and how a token names it.
    pub fn account_for(
        &self,
        issuer: &str,
        role: Role,
        organization: Option<Uuid>,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Option<(String, Uuid)> {
        let mut found: Vec<(String, Uuid)> = self
            .identities_of(issuer)
            .filter(|(_, account)| {
                let service =
                    self.accounts.get(account).is_some_and(|account| account.kind == AccountKind::Service);
                service
                    && self.memberships_of(*account, now).iter().any(|membership| {
                        membership.row.role == role
                            && organization.is_none_or(|id| membership.row.organization_id == id)
                    })
            })
            .collect();
        // Of several partners the one that sees most, so that a newcomer's first token shows something.
        let unlimited = |account: &Uuid| {
            self.memberships_of(*account, now)
                .iter()
                .flat_map(|membership| self.agreements_of(membership.row.organization_id, now))
                .filter(|agreement| agreement.row.all_facilities && agreement.row.all_programs)
                .count()
        };
        found.sort_by_cached_key(|(subject, account)| (Reverse(unlimited(account)), subject.clone()));
        found.into_iter().next()
    }
}

impl Store {
    /// Makes a service account with one membership, named by its own id at the local issuer.
    ///
    /// # Errors
    /// When the database is out of reach.
    pub async fn create_service_account(
        self: &std::sync::Arc<Self>,
        issuer: &str,
        name: &str,
        role: Role,
        organization: Uuid,
    ) -> Result<String> {
        let access = self.system(organization).await?;
        let write = self.bulk().await?.as_write(&access);
        let id = write.add_account(AccountKind::Service, name, issuer).await?;
        let today = self.clock.now().date_naive();
        let member = NewMember { role, facilities: &[], starts_on: today, ends_on: None };
        write.add_member(id, member).await?;
        write.audit("CREATE", "account", id, None, serde_json::json!({ "role": role })).await?;
        write.commit().await?;
        Ok(id.to_string())
    }
}

/// What an account is to be in an organisation.
#[derive(Clone, Copy)]
pub(super) struct NewMember<'a> {
    pub role: Role,
    pub facilities: &'a [Uuid],
    pub starts_on: NaiveDate,
    pub ends_on: Option<NaiveDate>,
}

impl Write<'_> {
    /// An account that tokens of our own issuer name by its own id.
    pub(super) async fn add_account(&self, kind: AccountKind, name: &str, issuer: &str) -> Result<Uuid> {
        let id = self.access.new_id();
        let row = account::ActiveModel {
            id: Set(id),
            kind: Set(kind),
            name: Set(name.to_owned()),
            recorded_at: Set(self.access.now),
            disabled_at: Set(None),
            tokens_valid_from: Set(None),
        };
        row.insert(&self.tx).await?;
        let row = identity::ActiveModel {
            issuer: Set(issuer.to_owned()),
            subject: Set(id.to_string()),
            account_id: Set(id),
        };
        row.insert(&self.tx).await?;
        Ok(id)
    }

    /// A membership in the viewer's organisation.
    pub(super) async fn add_member(&self, account: Uuid, member: NewMember<'_>) -> Result<Uuid, DbErr> {
        self.add_member_as(self.access.new_id(), account, member).await
    }

    /// The same, under an id that is given.
    pub(super) async fn add_member_as(
        &self,
        id: Uuid,
        account: Uuid,
        member: NewMember<'_>,
    ) -> Result<Uuid, DbErr> {
        let own = self.access.viewer.organization().unwrap_or_default();
        let row = membership::ActiveModel {
            organization_id: Set(own),
            id: Set(id),
            account_id: Set(account),
            role: Set(member.role),
            starts_on: Set(member.starts_on),
            ends_on: Set(member.ends_on),
            recorded_at: Set(self.access.now),
        };
        row.insert(&self.tx).await?;
        self.cut_to(own, id, member.facilities).await?;
        Ok(id)
    }

    async fn cut_to(&self, own: Uuid, membership: Uuid, facilities: &[Uuid]) -> Result<(), DbErr> {
        for facility in facilities {
            let row = membership_facility::ActiveModel {
                organization_id: Set(own),
                membership_id: Set(membership),
                facility_id: Set(*facility),
            };
            row.insert(&self.tx).await?;
        }
        Ok(())
    }
}
