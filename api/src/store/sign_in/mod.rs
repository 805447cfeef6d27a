//! Signing in by password, and what follows from it: sessions, new passwords, and the bound on tries.
//!
//! A session is a family of refresh tokens, each good once. Its access tokens are good for ten minutes and name it, so
//! that they stop with it: the ids of sessions that have ended lately are among the reference tables.

mod reset;
mod session;
pub mod tries;

pub(super) use self::reset::NO_TOKEN;
pub use self::reset::ResetPassword;

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use entity::credential;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use self::tries::Purpose;
use super::{
    Access,
    input::{Message, UserError, UserErrorCode, Written},
    write::Write,
};
use crate::{
    auth::{Viewer, email, password, password::Weak, proven},
    error::{Error, Result},
};

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// As tries are counted by it: see `auth::address`.
    pub address: IpAddr,
}

/// What signing in gives. Nothing of it is kept as it is.
pub struct Tokens {
    pub access: String,
    pub access_until: DateTime<Utc>,
    pub refresh: String,
    pub refresh_until: DateTime<Utc>,
}

#[derive(Deserialize)]
pub struct SignIn {
    pub email: String,
    pub password: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangePassword {
    pub password: String,
    pub new_password: String,
}

impl Access {
    /// An unknown address, a wrong password, a disabled account and one without a membership are answered alike, after
    /// the same work.
    ///
    /// # Errors
    /// User errors for what is not accepted, and for too many tries.
    pub async fn sign_in(&self, input: &SignIn, caller: Caller) -> Written<Tokens> {
        let email = email::folded(&input.email);
        let known = self.credential(credential::Column::Email.eq(&email)).await?;
        let account = known.as_ref().map(|row| row.account_id);
        let (write, tried) = self.attempt(Purpose::SignIn, &email, account, caller).await?;
        write.commit().await?;
        let hash = known.map(|row| row.password_hash);
        let fits = self.store.passwords.verify(&input.password, hash).await?;
        let viewers = account.map(|id| proven(&self.catalog, id, self.now)).unwrap_or_default();
        let Some(account) = account.filter(|_| fits && !viewers.is_empty()) else {
            return Err(not_accepted(WRONG).into());
        };
        let write = self.write_beside().await?;
        write.forgive(&tried).await?;
        let (session, tokens) = write.begin_session(account, caller).await?;
        write.audit_as(&viewers, "SIGN_IN", "sign_in_session", session).await?.commit().await?;
        Ok(tokens)
    }

    /// Ends the session of the request.
    ///
    /// # Errors
    /// `NotPermitted` for a request without a session.
    pub async fn sign_out(&self) -> Written<()> {
        let session = self.viewer.session().ok_or(Error::NotPermitted)?;
        let write = self.write_by_itself().await?;
        write.end_session(session).await?;
        write.audit("SIGN_OUT", "sign_in_session", session, None, Value::Null).await?;
        Ok(write.commit().await?)
    }

    /// Ends all sessions of the account, and all its tokens.
    ///
    /// # Errors
    /// `NotPermitted` for a request without a session: administrators end those of others.
    pub async fn sign_out_everywhere(&self) -> Written<()> {
        let account = self.viewer.account().filter(|_| self.viewer.session().is_some());
        let account = account.ok_or(Error::NotPermitted)?;
        let write = self.write_by_itself().await?;
        write.end_sessions(account).await?;
        write.audit("SIGN_OUT_EVERYWHERE", "account", account, None, Value::Null).await?;
        Ok(write.commit().await?)
    }

    /// Takes a new password, ends all sessions, and begins one anew.
    ///
    /// # Errors
    /// `NotPermitted` for a request without a session; user errors for what a client can mend.
    pub async fn change_password(&self, input: &ChangePassword, caller: Caller) -> Written<Tokens> {
        let account = self.viewer.account().filter(|_| self.viewer.session().is_some());
        let account = account.ok_or(Error::NotPermitted)?;
        let known = self.credential(credential::Column::AccountId.eq(account)).await?;
        let known = known.ok_or(Error::NotPermitted)?;
        good_password(&input.new_password, &known.email, "newPassword")?;
        // The same tries as for signing in: a stolen token is no second way to guess.
        let (write, tried) = self.attempt(Purpose::SignIn, &known.email, Some(account), caller).await?;
        write.commit().await?;
        let old = known.password_hash;
        if !self.store.passwords.verify(&input.password, Some(old.clone())).await? {
            return Err(not_accepted(WRONG_PASSWORD).into());
        }
        let new = self.store.passwords.hash(&input.new_password).await?;
        let write = self.write_by_itself().await?;
        if !write.set_password(account, new, Some(&old)).await? {
            return Err(not_accepted(WRONG_PASSWORD).into());
        }
        write.forgive(&tried).await?;
        write.end_sessions(account).await?;
        let (_, tokens) = write.begin_session(account, caller).await?;
        write.audit("CHANGE_PASSWORD", "account", account, None, Value::Null).await?;
        write.commit().await?;
        Ok(tokens)
    }

    /// How a person signs in.
    #[expect(clippy::disallowed_methods, reason = "who signs in has no scope yet")]
    pub(super) async fn credential(
        &self,
        condition: impl sea_orm::sea_query::IntoCondition,
    ) -> Result<Option<credential::Model>> {
        Ok(credential::Entity::find().filter(condition).one(&self.store.pools.read).await?)
    }

    /// A transaction that changes no reference table.
    async fn write_beside(&self) -> Result<Write<'_>> {
        Ok(Write { tx: super::begin(&self.store.pools.write).await?, access: self })
    }
}

impl<'a> Write<'a> {
    /// Sets the password of an account; with `old`, when it is still that one.
    #[expect(clippy::disallowed_methods, reason = "the account has proved itself")]
    async fn set_password(&self, account: Uuid, new: String, old: Option<&str>) -> Result<bool> {
        let mut update = credential::Entity::update_many()
            .col_expr(credential::Column::PasswordHash, Expr::value(new))
            .col_expr(credential::Column::ChangedAt, Expr::value(self.access.now))
            .filter(credential::Column::AccountId.eq(account));
        if let Some(old) = old {
            update = update.filter(credential::Column::PasswordHash.eq(old));
        }
        Ok(update.exec(&self.tx).await?.rows_affected == 1)
    }

    /// Leaves a trace in each organisation of somebody who has proved who they are.
    async fn audit_as(self, viewers: &[Viewer], action: &str, entity: &str, id: Uuid) -> Result<Write<'a>> {
        let Write { mut tx, access } = self;
        for viewer in viewers {
            let acting = Access { viewer: viewer.clone(), ..access.clone() };
            let write = Write { tx, access: &acting };
            write.audit(action, entity, id, None, Value::Null).await?;
            tx = write.tx;
        }
        Ok(Write { tx, access })
    }
}

/// Refuses a new password that is easily guessed.
pub(super) fn good_password(new: &str, email: &str, field: &str) -> Result<(), UserError> {
    password::check(new, email).map_err(|weak| {
        let message = match weak {
            Weak::Length => LENGTH,
            Weak::Email => IS_EMAIL,
            Weak::Common => COMMON,
        };
        UserError::new(UserErrorCode::Invalid, &[field], message)
    })
}

pub(super) fn not_accepted(message: Message) -> UserError {
    UserError::new(UserErrorCode::NotAccepted, &[], message)
}

const WRONG: Message = Message {
    en: "The e-mail address and the password do not go together.",
    es: "El correo y la contraseña no coinciden.",
};
pub(super) const WRONG_PASSWORD: Message =
    Message { en: "This is not the password.", es: "La contraseña no es correcta." };
const LENGTH: Message = Message { en: "Use 12 to 200 characters.", es: "Use de 12 a 200 caracteres." };
const IS_EMAIL: Message = Message {
    en: "The password must not be the e-mail address.",
    es: "La contraseña no puede ser el correo.",
};
const COMMON: Message = Message {
    en: "This is one of the commonest passwords. Choose another.",
    es: "Es una de las contraseñas más comunes. Elija otra.",
};
