//! Who a token stands for: accounts, memberships and the tokens of demonstration and service accounts.

use std::cmp::Reverse;

use entity::{
    account, identity, membership,
    value::{AccountKind, Role},
};
use sea_orm::{ActiveModelTrait, Set};
use uuid::Uuid;

use super::{
    Store,
    catalog::{Catalog, Membership},
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
        let enabled =
            self.accounts.get(&account).is_some_and(|row| row.disabled_at.is_none_or(|at| now < at));
        enabled
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
        let tx = &write.tx;
        let id = access.new_id();
        let now = self.clock.now();
        let row = account::ActiveModel {
            id: Set(id),
            kind: Set(AccountKind::Service),
            name: Set(name.to_owned()),
            recorded_at: Set(now),
            disabled_at: Set(None),
        };
        row.insert(tx).await?;
        let row = identity::ActiveModel {
            issuer: Set(issuer.to_owned()),
            subject: Set(id.to_string()),
            account_id: Set(id),
        };
        row.insert(tx).await?;
        let row = membership::ActiveModel {
            organization_id: Set(organization),
            id: Set(access.new_id()),
            account_id: Set(id),
            role: Set(role),
            starts_on: Set(now.date_naive()),
            ends_on: Set(None),
            recorded_at: Set(now),
        };
        row.insert(tx).await?;
        write.audit("CREATE", "account", id, None, serde_json::json!({ "role": role })).await?;
        write.commit().await?;
        Ok(id.to_string())
    }
}
