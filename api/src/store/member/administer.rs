//! Members of the organisation, as its administrators see and change them.
//!
//! An administrator reaches accounts that are or were members of the own organisation, and no others: those are not
//! there. Whoever was one keeps a row, so that traces can be read.

use chrono::{Days, NaiveDate};
use entity::{
    account, membership, membership_facility,
    value::{AccountKind, Role},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::NewMember;
use crate::{
    auth::{Right, rights},
    error::Result,
    id,
    store::{
        Access,
        catalog::Membership,
        input::{Faults, Message, UserError, UserErrorCode, Written, given},
        keyset::{Direction, Key, Page, Place, Window, page_in_memory},
        search,
        write::taken,
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeMembership {
    #[serde(deserialize_with = "id::single::<_, { id::MEMBERSHIP }>")]
    pub id: Uuid,
    pub role: Option<Role>,
    #[serde(default, deserialize_with = "id::some_list")]
    pub facilities: Option<Vec<Uuid>>,
    pub starts_on: Option<NaiveDate>,
    #[serde(default, deserialize_with = "given")]
    pub ends_on: Option<Option<NaiveDate>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndMembership {
    #[serde(deserialize_with = "id::single::<_, { id::MEMBERSHIP }>")]
    pub id: Uuid,
    pub last_day: Option<NaiveDate>,
}

impl Access {
    /// An account that is or was a member of the viewer's organisation.
    pub fn user(&self, id: Uuid) -> Option<&account::Model> {
        self.catalog.accounts.get(&id).filter(|row| self.sees_user(row))
    }

    /// # Errors
    /// `NotPermitted` when the role does not see members.
    pub fn users(&self, kind: AccountKind, window: &Window) -> Result<Page<&account::Model>> {
        self.require(Right::MemberRead)?;
        let rows = self.catalog.accounts.values().filter(|row| row.kind == kind && self.sees_user(row));
        Ok(page_in_memory(rows, Self::user_place, Direction::Ascending, window))
    }

    pub fn user_place(row: &&account::Model) -> Place {
        Place { key: Key::Text(search::needle(&row.name)), id: row.id }
    }

    fn sees_user(&self, row: &account::Model) -> bool {
        self.viewer.has(Right::MemberRead) && self.memberships_here(row.id).next().is_some()
    }

    /// What an account is, was or will be in the viewer's organisation, the earliest first.
    pub fn memberships_here(&self, account: Uuid) -> impl Iterator<Item = &Membership> {
        let own = self.viewer.organization();
        let mut found: Vec<&Membership> = self
            .catalog
            .memberships
            .iter()
            .filter(|entry| entry.row.account_id == account && Some(entry.row.organization_id) == own)
            .collect();
        found.sort_by_key(|entry| (entry.row.starts_on, entry.row.id));
        found.into_iter()
    }

    /// Ends a membership the day before, and begins another with what has changed.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn change_membership(&self, input: ChangeMembership) -> Written<Uuid> {
        self.require(Right::MemberWrite)?;
        let own = self.own()?;
        let entry = self.open_membership(input.id)?;
        let row = &entry.row;
        let role = input.role.unwrap_or(row.role);
        let from = input.starts_on.unwrap_or(self.today()).max(row.starts_on);
        let ends_on = input.ends_on.unwrap_or(row.ends_on);
        let mut faults = Faults::default();
        if Some(row.account_id) == self.viewer.account() && role != row.role {
            faults.add(UserErrorCode::NotPermitted, &["role"], OWN_ROLE);
        }
        let future = input.starts_on.is_none_or(|from| self.today() <= from);
        faults.check(future, UserErrorCode::OutOfRange, &["startsOn"], PAST);
        faults.span(from, ends_on, &["endsOn"]);
        let facilities = match input.facilities {
            Some(ids) => self.sites(&mut faults, ids, |id| entry.facilities.contains(&id)),
            None if role == Role::Field => entry.facilities.iter().copied().collect(),
            None => Vec::new(),
        };
        check_facilities(&mut faults, role, &facilities);
        if row.role == Role::Admin && (role != Role::Admin || ends_on.is_some()) {
            faults.check(self.has_other_admin(row.account_id), UserErrorCode::Invalid, &["id"], LAST_ADMIN);
        }
        faults.refuse()?;
        let write = self.write().await?;
        let detail = json!({
            "membership": row.id,
            "from": from,
            "before": rights::role_name(row.role),
            "role": rights::role_name(role),
        });
        if from == row.starts_on {
            let update =
                membership::ActiveModel { role: Set(role), ends_on: Set(ends_on), ..Default::default() };
            write.update_member(own, row.id, update).await.map_err(taken("role"))?;
            write.cut_anew(own, row.id, &facilities).await?;
        } else {
            let update = membership::ActiveModel {
                ends_on: Set(from.checked_sub_days(Days::new(1))),
                ..Default::default()
            };
            write.update_member(own, row.id, update).await?;
            let member = NewMember { role, facilities: &facilities, starts_on: from, ends_on };
            write.add_member(row.account_id, member).await.map_err(taken("role"))?;
        }
        write.audit("CHANGE_MEMBERSHIP", "account", row.account_id, None, detail).await?;
        write.commit().await?;
        Ok(row.account_id)
    }

    /// Ends a membership: at once, or after a last day.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn end_membership(&self, input: EndMembership) -> Written<Uuid> {
        self.require(Right::MemberWrite)?;
        let own = self.own()?;
        let row = &self.open_membership(input.id)?.row;
        let yesterday = self.today().checked_sub_days(Days::new(1)).unwrap_or(self.today());
        let mut faults = Faults::default();
        let future = input.last_day.is_none_or(|day| self.today() <= day);
        faults.check(future, UserErrorCode::OutOfRange, &["lastDay"], PAST);
        if row.role == Role::Admin {
            faults.check(self.has_other_admin(row.account_id), UserErrorCode::Invalid, &["id"], LAST_ADMIN);
        }
        faults.refuse()?;
        let write = self.write().await?;
        let ends_on = input.last_day.unwrap_or(yesterday);
        let update = membership::ActiveModel { ends_on: Set(Some(ends_on)), ..Default::default() };
        write.update_member(own, row.id, update).await?;
        let detail = json!({ "membership": row.id, "lastDay": ends_on });
        write.audit("END_MEMBERSHIP", "account", row.account_id, None, detail).await?;
        write.commit().await?;
        Ok(row.account_id)
    }

    /// Lets an account do nothing any more, anywhere; or again what its memberships say.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    #[expect(clippy::disallowed_methods, reason = "the account is one of the organisation's alone")]
    pub async fn set_disabled(&self, id: Uuid, disabled: bool) -> Written<Uuid> {
        self.require(Right::MemberWrite)?;
        let row = self.user(id).ok_or_else(|| UserError::not_found(&["id"]))?;
        let refused = |message| Err(UserError::new(UserErrorCode::NotPermitted, &["id"], message).into());
        if Some(id) == self.viewer.account() {
            return refused(ONESELF);
        }
        if !self.is_ours_alone(id) {
            return refused(SHARED);
        }
        if disabled && self.is_admin(id) && !self.has_other_admin(id) {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], LAST_ADMIN).into());
        }
        if row.disabled_at.is_some() == disabled {
            return Ok(id);
        }
        let write = self.write().await?;
        account::Entity::update_many()
            .col_expr(account::Column::DisabledAt, Expr::value(disabled.then_some(self.now)))
            .filter(account::Column::Id.eq(id))
            .exec(&write.tx)
            .await?;
        if disabled {
            write.end_sessions(id).await?;
        }
        let action = if disabled { "DISABLE" } else { "ENABLE" };
        write.audit(action, "account", id, None, Value::Null).await?;
        write.commit().await?;
        Ok(id)
    }

    /// Ends the sessions of an account, all its tokens, and the keys that it has here, at once.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn end_user_sessions(&self, id: Uuid) -> Written<Uuid> {
        self.require(Right::MemberWrite)?;
        let own = self.own()?;
        // Whoever has left may by now work for others only.
        let is_member = self.user(id).is_some()
            && (self.is_ours_alone(id) || self.memberships_here(id).any(|entry| self.is_open(entry)));
        if !is_member {
            return Err(UserError::not_found(&["id"]).into());
        }
        let write = self.write().await?;
        write.end_sessions(id).await?;
        write.end_keys(own, entity::service_key::Column::AccountId.eq(id)).await?;
        write.audit("END_SESSIONS", "account", id, None, Value::Null).await?;
        write.commit().await?;
        Ok(id)
    }

    /// A membership in the viewer's organisation that has not ended.
    fn open_membership(&self, id: Uuid) -> Result<&Membership, UserError> {
        let own = self.viewer.organization();
        let mut entries = self.catalog.memberships.iter();
        let entry = entries.find(|entry| entry.row.id == id && Some(entry.row.organization_id) == own);
        let entry = entry.ok_or_else(|| UserError::not_found(&["id"]))?;
        if !self.is_open(entry) {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], ENDED));
        }
        Ok(entry)
    }

    pub(super) fn is_open(&self, entry: &Membership) -> bool {
        entry.row.ends_on.is_none_or(|last| self.today() <= last)
    }

    /// Whether an account belongs to no other organisation now.
    fn is_ours_alone(&self, account: Uuid) -> bool {
        let own = self.viewer.organization();
        let theirs = |entry: &&Membership| Some(entry.row.organization_id) != own && self.is_open(entry);
        !self
            .catalog
            .memberships
            .iter()
            .filter(|entry| entry.row.account_id == account)
            .any(|entry| theirs(&entry))
    }

    fn is_admin(&self, account: Uuid) -> bool {
        self.memberships_here(account).any(|entry| entry.row.role == Role::Admin && self.is_open(entry))
    }

    /// Whether a person besides this one is an administrator today, with no end to it.
    fn has_other_admin(&self, account: Uuid) -> bool {
        self.catalog.memberships.iter().any(|entry| {
            let row = &entry.row;
            let person = self.catalog.accounts.get(&row.account_id);
            row.account_id != account
                && Some(row.organization_id) == self.viewer.organization()
                && row.role == Role::Admin
                && row.starts_on <= self.today()
                && row.ends_on.is_none()
                && person.is_some_and(|person| person.kind == AccountKind::Person)
                && self.catalog.is_enabled(row.account_id, self.now)
        })
    }
}

impl super::Write<'_> {
    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    async fn update_member(
        &self,
        own: Uuid,
        id: Uuid,
        row: membership::ActiveModel,
    ) -> Result<(), sea_orm::DbErr> {
        membership::Entity::update_many()
            .set(row)
            .filter(membership::Column::OrganizationId.eq(own))
            .filter(membership::Column::Id.eq(id))
            .exec(&self.tx)
            .await?;
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "what a membership is cut to is in the audit")]
    async fn cut_anew(&self, own: Uuid, id: Uuid, facilities: &[Uuid]) -> Result<()> {
        membership_facility::Entity::delete_many()
            .filter(membership_facility::Column::OrganizationId.eq(own))
            .filter(membership_facility::Column::MembershipId.eq(id))
            .exec(&self.tx)
            .await?;
        Ok(self.cut_to(own, id, facilities).await?)
    }
}

/// Field workers are cut to facilities, and nobody else is.
pub(super) fn check_facilities(faults: &mut Faults, role: Role, facilities: &[Uuid]) {
    let fine = (role == Role::Field) != facilities.is_empty();
    faults.check(fine, UserErrorCode::Invalid, &["facilities"], FACILITIES);
}

const OWN_ROLE: Message = Message {
    en: "Nobody changes their own role. Ask another administrator.",
    es: "Nadie cambia su propia función. Pídalo a otra persona que administre.",
};
const PAST: Message = Message {
    en: "What has been stays as it was: choose today or a later day.",
    es: "Lo pasado queda como fue: elija hoy o un día posterior.",
};
const LAST_ADMIN: Message = Message {
    en: "This is the last administrator. Make another one first.",
    es: "Es la última persona que administra. Nombre primero a otra.",
};
const ONESELF: Message =
    Message { en: "Nobody disables their own account.", es: "Nadie desactiva su propia cuenta." };
const SHARED: Message = Message {
    en: "The account also belongs to another organisation. End its membership here.",
    es: "La cuenta también pertenece a otra organización. Termine aquí su membresía.",
};
const ENDED: Message = Message { en: "This membership has ended.", es: "Esta membresía ya terminó." };
const FACILITIES: Message = Message {
    en: "Name facilities for a field worker, and for nobody else.",
    es: "Indique centros para quien trabaja en terreno, y para nadie más.",
};
