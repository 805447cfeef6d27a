//! Invitations: how a person becomes a member.

use chrono::{NaiveDate, TimeDelta};
use entity::{
    credential, invitation,
    value::{AccountKind, Ids, MailKind, Role},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{NewMember, administer::check_facilities};
use crate::{
    auth::{Right, Viewer, email, rights, secret, secret::Secret},
    error::Result,
    id,
    store::{
        Access, Store,
        input::{Faults, Message, Once, UserError, UserErrorCode, Written, or_default},
        keyset::{Direction, Key, Page, Place, Window, page_in_memory},
        mail::Letter,
        sign_in::{Caller, NO_TOKEN, WRONG_PASSWORD, good_password, not_accepted, tries::Purpose},
        write::{Seen, Write, taken},
    },
};

/// How long an invitation is good for.
const GOOD_FOR: TimeDelta = TimeDelta::hours(72);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    #[serde(skip)]
    pub once: Once,
    pub email: String,
    pub name: String,
    pub role: Role,
    #[serde(default, deserialize_with = "id::some_list")]
    pub facilities: Option<Vec<Uuid>>,
    pub starts_on: Option<NaiveDate>,
    pub ends_on: Option<NaiveDate>,
    #[serde(default, deserialize_with = "or_default")]
    pub language: MailLanguage,
}

/// What a mail is written in.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MailLanguage {
    #[default]
    Es,
    En,
}

#[derive(Deserialize)]
pub struct AcceptInvitation {
    pub token: String,
    pub password: String,
}

impl Access {
    /// An invitation of the viewer's organisation.
    pub fn invitation(&self, id: Uuid) -> Option<&invitation::Model> {
        self.catalog.invitations.get(id).filter(|row| self.sees_invitation(row))
    }

    /// Those that have been neither accepted nor withdrawn, the newest first.
    ///
    /// # Errors
    /// `NotPermitted` when the role does not see members.
    pub fn invitations(&self, window: &Window) -> Result<Page<&invitation::Model>> {
        self.require(Right::MemberRead)?;
        let open = |row: &&invitation::Model| row.accepted_at.is_none() && row.ended_at.is_none();
        let rows = self.catalog.invitations.iter().filter(|row| open(row) && self.sees_invitation(row));
        Ok(page_in_memory(rows, Self::invitation_place, Direction::Descending, window))
    }

    pub fn invitation_place(row: &&invitation::Model) -> Place {
        Place { key: Key::Moment(row.recorded_at), id: row.id }
    }

    fn sees_invitation(&self, row: &invitation::Model) -> bool {
        self.viewer.has(Right::MemberRead) && self.viewer.organization() == Some(row.organization_id)
    }

    /// Asks a person to become a member. Whether they have an account elsewhere is not told.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn invite(&self, input: Invite) -> Written<Uuid> {
        self.require(Right::MemberWrite)?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(id),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        faults.short_text(&input.name, &["name"]);
        let starts_on = input.starts_on.unwrap_or(self.today());
        faults.span(starts_on, input.ends_on, &["endsOn"]);
        let facilities = self.sites(&mut faults, input.facilities.unwrap_or_default(), |_| false);
        check_facilities(&mut faults, input.role, &facilities);
        let email = email::usable(&input.email);
        faults.check(email.is_some(), UserErrorCode::Invalid, &["email"], NO_EMAIL);
        let email = email.unwrap_or_default();
        let account = self.account_by_email(&email);
        let before: Vec<_> = account.into_iter().flat_map(|id| self.memberships_here(id)).collect();
        if account.is_some() && account == self.viewer.account() {
            faults.add(UserErrorCode::NotPermitted, &["email"], ONESELF);
        } else if before.iter().any(|entry| self.is_open(entry)) {
            faults.add(UserErrorCode::Duplicate, &["email"], MEMBER);
        } else if before.iter().any(|one| (one.row.role, one.row.starts_on) == (input.role, starts_on)) {
            faults.add(UserErrorCode::Duplicate, &["startsOn"], BEFORE);
        }
        faults.refuse()?;
        let language = if input.language == MailLanguage::En { "en" } else { "es" };
        let asked = Asked {
            id,
            email: &email,
            name: input.name.trim(),
            member: NewMember {
                role: input.role,
                facilities: &facilities,
                starts_on,
                ends_on: input.ends_on,
            },
            language,
        };
        let token = write.ask(&asked).await?;
        let own = self.catalog.organizations.get(self.own()?);
        let letter = Letter {
            kind: MailKind::Invitation,
            recipient: &email,
            language,
            organization: own.map_or("", |entry| &entry.row.name),
            token: &token,
            expires_at: self.now + GOOD_FOR,
        };
        write.send(letter).await?;
        write.commit().await?;
        Ok(id)
    }

    /// Withdraws an invitation.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn end_invitation(&self, id: Uuid) -> Written<Uuid> {
        self.require(Right::MemberWrite)?;
        let row = self.invitation(id).ok_or_else(|| UserError::not_found(&["id"]))?;
        if row.accepted_at.is_some() {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], ACCEPTED).into());
        }
        let write = self.write().await?;
        write.end_invitations(invitation::Column::Id.eq(id)).await?;
        write.audit("END", "invitation", id, None, Value::Null).await?;
        write.commit().await?;
        Ok(id)
    }

    fn account_by_email(&self, email: &str) -> Option<Uuid> {
        let mut contacts = self.catalog.contacts.iter();
        contacts.find(|(_, contact)| contact.email == email).map(|(account, _)| *account)
    }

    /// Becomes a member by the token of an invitation: with a new account and its password, or with the account that
    /// the address has already, by the password of that.
    ///
    /// # Errors
    /// User errors for a token or a password that is not accepted, and for too many tries.
    #[expect(clippy::disallowed_methods, reason = "the token is the scope")]
    pub async fn accept_invitation(&self, input: &AcceptInvitation, caller: Caller) -> Written<()> {
        let hash = secret::digest(&input.token);
        let (write, tried) = self.attempt(Purpose::Token, &input.token, None, caller).await?;
        write.commit().await?;
        let open = invitation::Entity::find()
            .filter(invitation::Column::TokenHash.eq(hash))
            .filter(invitation::Column::AcceptedAt.is_null())
            .filter(invitation::Column::EndedAt.is_null())
            .filter(invitation::Column::ExpiresAt.gt(self.now))
            .one(&self.store.pools.read)
            .await?;
        let Some(open) = open else { return Err(not_accepted(NO_TOKEN).into()) };
        let known = self.credential(credential::Column::Email.eq(&open.email)).await?;
        let passwords = &self.store.passwords;
        let mut tries = vec![tried];
        let (account, hash) = match known {
            Some(known) => {
                // An invitation is no second way to guess.
                let account = Some(known.account_id);
                let (write, tried) = self.attempt(Purpose::SignIn, &open.email, account, caller).await?;
                write.commit().await?;
                tries.push(tried);
                if !passwords.verify(&input.password, Some(known.password_hash)).await? {
                    return Err(not_accepted(WRONG_PASSWORD).into());
                }
                (account, String::new())
            }
            None => {
                good_password(&input.password, &open.email, "password")?;
                (None, passwords.hash(&input.password).await?)
            }
        };
        // Nobody has signed in yet: the organisation that has asked is who acts.
        let access = Self { viewer: Viewer::system(open.organization_id), ..self.clone() };
        let write = access.write_by_itself().await?;
        if !write.use_invitation(&open).await? {
            return Err(not_accepted(NO_TOKEN).into());
        }
        let account = match account {
            Some(account) => account,
            None => write.add_person(&open, hash).await?,
        };
        let member = NewMember {
            role: open.role,
            facilities: &open.facilities.0,
            starts_on: open.starts_on,
            ends_on: open.ends_on,
        };
        write.add_member(account, member).await.map_err(taken("token"))?;
        for tried in &tries {
            write.forgive(tried).await?;
        }
        let detail = json!({ "account": account });
        write.audit("ACCEPT", "invitation", open.id, None, detail).await?;
        Ok(write.commit().await?)
    }
}

/// A person who is asked to become a member.
struct Asked<'a> {
    id: Uuid,
    email: &'a str,
    name: &'a str,
    member: NewMember<'a>,
    language: &'a str,
}

impl Write<'_> {
    /// Writes an invitation in the place of earlier ones to the same address, and gives its token.
    async fn ask(&self, asked: &Asked<'_>) -> Result<Secret> {
        let own = self.access.own()?;
        let token = Secret::new("")?;
        self.end_invitations(invitation::Column::Email.eq(asked.email)).await?;
        let row = invitation::ActiveModel {
            organization_id: Set(own),
            id: Set(asked.id),
            email: Set(asked.email.to_owned()),
            name: Set(asked.name.to_owned()),
            role: Set(asked.member.role),
            facilities: Set(Ids(asked.member.facilities.to_vec())),
            starts_on: Set(asked.member.starts_on),
            ends_on: Set(asked.member.ends_on),
            language: Set(asked.language.to_owned()),
            token_hash: Set(token.digest()),
            invited_by: Set(self.access.viewer.account()),
            recorded_at: Set(self.access.now),
            expires_at: Set(self.access.now + GOOD_FOR),
            accepted_at: Set(None),
            ended_at: Set(None),
        };
        row.insert(&self.tx).await?;
        let detail = json!({ "role": rights::role_name(asked.member.role) });
        self.audit("CREATE", "invitation", asked.id, None, detail).await?;
        Ok(token)
    }

    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    async fn end_invitations(&self, these: impl sea_orm::sea_query::IntoCondition) -> Result<()> {
        invitation::Entity::update_many()
            .col_expr(invitation::Column::EndedAt, Expr::value(self.access.now))
            .filter(invitation::Column::OrganizationId.eq(self.access.own()?))
            .filter(these)
            .filter(invitation::Column::AcceptedAt.is_null())
            .filter(invitation::Column::EndedAt.is_null())
            .exec(&self.tx)
            .await?;
        Ok(())
    }

    /// Uses an invitation up; false when it is not good any more.
    #[expect(clippy::disallowed_methods, reason = "the token is the scope")]
    async fn use_invitation(&self, open: &invitation::Model) -> Result<bool> {
        let used = invitation::Entity::update_many()
            .col_expr(invitation::Column::AcceptedAt, Expr::value(self.access.now))
            .filter(invitation::Column::OrganizationId.eq(open.organization_id))
            .filter(invitation::Column::Id.eq(open.id))
            .filter(invitation::Column::AcceptedAt.is_null())
            .filter(invitation::Column::EndedAt.is_null())
            .filter(invitation::Column::ExpiresAt.gt(self.access.now))
            .exec(&self.tx)
            .await?;
        Ok(used.rows_affected == 1)
    }

    /// The account of a person who signs in by this address.
    async fn add_person(&self, open: &invitation::Model, password_hash: String) -> Written<Uuid> {
        let issuer = self.access.store.signer()?.issuer();
        let account = self.add_account(AccountKind::Person, &open.name, &issuer).await?;
        let row = credential::ActiveModel {
            account_id: Set(account),
            email: Set(open.email.clone()),
            password_hash: Set(password_hash),
            language: Set(open.language.clone()),
            changed_at: Set(self.access.now),
        };
        row.insert(&self.tx).await.map_err(taken("token"))?;
        Ok(account)
    }
}

impl Store {
    /// An invitation for an organisation's first administrator, by the command line: its token.
    ///
    /// # Errors
    /// When the address is none, or the database is out of reach.
    pub async fn invite_admin(
        self: &std::sync::Arc<Self>,
        organization: Uuid,
        email: &str,
        name: &str,
    ) -> Result<Option<Secret>> {
        let Some(email) = email::usable(email) else { return Ok(None) };
        let access = self.system(organization).await?;
        let write = self.bulk().await?.as_write(&access);
        let member =
            NewMember { role: Role::Admin, facilities: &[], starts_on: access.today(), ends_on: None };
        let id = access.new_id();
        let token = write.ask(&Asked { id, email: &email, name, member, language: "es" }).await?;
        write.commit().await?;
        Ok(Some(token))
    }
}

const NO_EMAIL: Message =
    Message { en: "This is not an e-mail address.", es: "No es una dirección de correo." };
const MEMBER: Message = Message {
    en: "Somebody with this address is a member already.",
    es: "Ya hay una persona con este correo en la organización.",
};
const ONESELF: Message = Message {
    en: "Nobody gives themselves another role. Ask another administrator.",
    es: "Nadie se da otra función. Pídalo a otra persona que administre.",
};
const BEFORE: Message = Message {
    en: "There was such a membership from this day on, which has ended. Choose a later day.",
    es: "Ya hubo una membresía así desde este día, que terminó. Elija un día posterior.",
};
const ACCEPTED: Message =
    Message { en: "This invitation was accepted.", es: "Esta invitación ya fue aceptada." };
