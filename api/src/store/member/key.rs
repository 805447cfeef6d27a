//! Service accounts, and the keys that programs of an organisation come in by.

use chrono::{Days, NaiveDate};
use entity::{
    service_key,
    value::{AccountKind, Names, Role},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{NewMember, administer::check_facilities};
use crate::{
    auth::{
        Right, rights,
        secret::{KEY_PREFIX, Secret},
    },
    error::{Error, Result},
    id,
    store::{
        Access, Store,
        input::{Faults, Message, Once, UserError, UserErrorCode, Written},
        write::{Seen, Trace},
    },
};

/// For how many days a key may be good.
const LONGEST: u64 = 366;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateServiceAccount {
    #[serde(skip)]
    pub once: Once,
    pub name: String,
    pub role: Role,
    #[serde(default, deserialize_with = "id::some_list")]
    pub facilities: Option<Vec<Uuid>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateServiceKey {
    #[serde(skip)]
    pub once: Once,
    #[serde(deserialize_with = "id::single::<_, { id::USER }>")]
    pub account: Uuid,
    pub name: String,
    pub rights: Option<Vec<String>>,
    pub last_day: NaiveDate,
}

/// A key that has just been made, and the secret itself, which is shown this once.
pub struct NewKey {
    pub id: Uuid,
    pub secret: Option<Secret>,
}

impl Access {
    /// The keys of a service account in the viewer's organisation, the newest first.
    pub fn service_keys(&self, account: Uuid) -> Vec<&service_key::Model> {
        let mine = |row: &&service_key::Model| row.account_id == account && self.sees_key(row);
        let mut keys: Vec<_> = self.catalog.service_keys.iter().filter(mine).collect();
        keys.sort_by_key(|row| (std::cmp::Reverse(row.recorded_at), row.id));
        keys
    }

    pub fn service_key(&self, id: Uuid) -> Option<&service_key::Model> {
        self.catalog.service_keys.get(id).filter(|row| self.sees_key(row))
    }

    fn sees_key(&self, row: &service_key::Model) -> bool {
        self.viewer.has(Right::MemberRead) && self.viewer.organization() == Some(row.organization_id)
    }

    /// Whoever comes in by a key makes no further ones: it could have more scopes than the key itself.
    fn may_make_keys(&self) -> Result<()> {
        self.require(Right::KeyWrite)?;
        if self.viewer.key().is_some() { Err(Error::NotPermitted) } else { Ok(()) }
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_service_account(&self, input: CreateServiceAccount) -> Written<Uuid> {
        self.may_make_keys()?;
        let write = self.write().await?;
        let made = match write.once(&input.once, self.new_id()).await? {
            // The key of the request stands for the membership, whose account is the object.
            Seen::Again(membership) => {
                let mut entries = self.catalog.memberships.iter();
                let entry = entries.find(|entry| entry.row.id == membership);
                return Ok(entry.ok_or(Error::Unavailable)?.row.account_id);
            }
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        faults.short_text(&input.name, &["name"]);
        let facilities = self.sites(&mut faults, input.facilities.unwrap_or_default(), |_| false);
        check_facilities(&mut faults, input.role, &facilities);
        faults.refuse()?;
        let issuer = self.store.signer()?.issuer();
        let account = write.add_account(AccountKind::Service, input.name.trim(), &issuer).await?;
        let member =
            NewMember { role: input.role, facilities: &facilities, starts_on: self.today(), ends_on: None };
        write.add_member_as(made, account, member).await?;
        let detail = json!({ "role": rights::role_name(input.role) });
        write.audit("CREATE", "account", account, None, detail).await?;
        write.commit().await?;
        Ok(account)
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_service_key(&self, input: CreateServiceKey) -> Written<NewKey> {
        self.may_make_keys()?;
        let own = self.own()?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(NewKey { id, secret: None }),
            Seen::First(id) => id,
        };
        let service = self.user(input.account).filter(|row| row.kind == AccountKind::Service);
        let service = service.ok_or_else(|| UserError::not_found(&["account"]))?;
        let mut faults = Faults::default();
        faults.short_text(&input.name, &["name"]);
        let latest = self.today().checked_add_days(Days::new(LONGEST)).unwrap_or(self.today());
        let fine = (self.today()..=latest).contains(&input.last_day);
        faults.check(fine, UserErrorCode::OutOfRange, &["lastDay"], LAST_DAY);
        let memberships = self.catalog.memberships_of(service.id, self.now);
        let held = |name: &String| {
            let right = Right::ALL.into_iter().find(|right| right.name() == name);
            let mut here = memberships.iter().filter(|entry| entry.row.organization_id == own);
            let right = right.filter(|right| !right.is_of_records());
            right.is_some_and(|right| here.any(|entry| right.held_by(entry.row.role)))
        };
        for (place, name) in input.rights.iter().flatten().enumerate() {
            let path = ["rights", &place.to_string()];
            faults.check(held(name), UserErrorCode::Invalid, &path, NOT_HELD);
        }
        faults.refuse()?;
        let secret = Secret::new(KEY_PREFIX)?;
        let ends = input.last_day.checked_add_days(Days::new(1)).unwrap_or(input.last_day);
        let row = service_key::ActiveModel {
            organization_id: Set(own),
            id: Set(id),
            account_id: Set(service.id),
            name: Set(input.name.trim().to_owned()),
            hash: Set(secret.digest()),
            scopes: Set(input.rights.map(Names)),
            made_by: Set(self.viewer.account()),
            recorded_at: Set(self.now),
            expires_at: Set(ends.and_time(chrono::NaiveTime::MIN).and_utc()),
            ended_at: Set(None),
            used_on: Set(None),
        };
        row.insert(&write.tx).await?;
        let detail = json!({ "account": service.id });
        write.audit("CREATE", "service_key", id, None, detail).await?;
        write.commit().await?;
        Ok(NewKey { id, secret: Some(secret) })
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn end_service_key(&self, id: Uuid) -> Written<Uuid> {
        self.require(Right::KeyWrite)?;
        let own = self.own()?;
        self.service_key(id).ok_or_else(|| UserError::not_found(&["id"]))?;
        let write = self.write().await?;
        write.end_keys(own, service_key::Column::Id.eq(id)).await?;
        write.commit().await?;
        Ok(id)
    }
}

impl Store {
    /// Notes the day on which a key was used, once a day, and leaves the trace of it in the audit.
    ///
    /// # Errors
    /// When the database is out of reach.
    #[expect(clippy::disallowed_methods, reason = "the key has been shown")]
    pub async fn note_use(self: &std::sync::Arc<Self>, access: &Access) -> Result<()> {
        let Some(key) = access.viewer.key().and_then(|id| access.catalog.service_keys.get(id)) else {
            return Ok(());
        };
        let today = access.today();
        if key.used_on.is_some_and(|day| today <= day) {
            return Ok(());
        }
        let write = access.write_by_itself().await?;
        let before = Condition::any()
            .add(service_key::Column::UsedOn.is_null())
            .add(service_key::Column::UsedOn.lt(today));
        let noted = service_key::Entity::update_many()
            .col_expr(service_key::Column::UsedOn, Expr::value(today))
            .filter(service_key::Column::OrganizationId.eq(key.organization_id))
            .filter(service_key::Column::Id.eq(key.id))
            .filter(before)
            .exec(&write.tx)
            .await?;
        // Of requests that come at once, one is the first.
        if noted.rows_affected == 1 {
            write.trace(key.organization_id, Trace::of("KEY_USE", "service_key"), key.id, None).await?;
        }
        write.commit().await
    }
}

const LAST_DAY: Message = Message {
    en: "A key is good for a year at most, from today on.",
    es: "Una clave vale un año como máximo, desde hoy.",
};
const NOT_HELD: Message = Message {
    en: "A key of this account cannot hold this right.",
    es: "Una clave de esta cuenta no puede tener este derecho.",
};
