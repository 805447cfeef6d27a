//! A new password for who has lost the old one, by a token in a mail.

use chrono::TimeDelta;
use entity::{credential, reset_token, value::MailKind};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::Deserialize;

use super::{Access, Caller, Message, Write, Written, good_password, not_accepted, tries::Purpose};
use crate::{
    auth::{email, proven, secret, secret::Secret},
    error::Result,
    store::mail::Letter,
};

/// How long a token for a new password is good for.
const GOOD_FOR: TimeDelta = TimeDelta::hours(1);

#[derive(Deserialize)]
pub struct ResetPassword {
    pub token: String,
    pub password: String,
}

impl Access {
    /// Sends a token to an address that somebody signs in by, and answers the same for every other.
    ///
    /// # Errors
    /// A user error for too many tries.
    pub async fn request_password_reset(&self, email: &str, caller: Caller) -> Written<()> {
        let email = email::folded(email);
        let known = self.credential(credential::Column::Email.eq(&email)).await?;
        let account = known.as_ref().map(|row| row.account_id);
        let (mut write, _) = self.attempt(Purpose::Reset, &email, account, caller).await?;
        if let Some(known) = known {
            let viewers = proven(&self.catalog, known.account_id, self.now);
            if !viewers.is_empty() {
                let token = Secret::new("")?;
                let expires_at = self.now + GOOD_FOR;
                let row = reset_token::ActiveModel {
                    hash: Set(token.digest()),
                    account_id: Set(known.account_id),
                    recorded_at: Set(self.now),
                    expires_at: Set(expires_at),
                    used_at: Set(None),
                };
                reset_token::Entity::insert(row).exec_without_returning(&write.tx).await?;
                let letter = Letter {
                    kind: MailKind::PasswordReset,
                    recipient: &known.email,
                    language: &known.language,
                    organization: "",
                    token: &token,
                    expires_at,
                };
                write.send(letter).await?;
                write = write.audit_as(&viewers, "REQUEST_RESET", "account", known.account_id).await?;
            }
        }
        Ok(write.commit().await?)
    }

    /// Takes a new password for a token, which is good once, and ends all sessions.
    ///
    /// # Errors
    /// User errors for a token that is not accepted, a password that is easily guessed, and too many tries.
    #[expect(clippy::disallowed_methods, reason = "the token is the scope")]
    pub async fn reset_password(&self, input: &ResetPassword, caller: Caller) -> Written<()> {
        let hash = secret::digest(&input.token);
        let (write, tried) = self.attempt(Purpose::Token, &input.token, None, caller).await?;
        write.commit().await?;
        let open = reset_token::Entity::find_by_id(hash.clone())
            .filter(reset_token::Column::UsedAt.is_null())
            .filter(reset_token::Column::ExpiresAt.gt(self.now))
            .one(&self.store.pools.read)
            .await?;
        let account = open.map(|open| open.account_id).unwrap_or_default();
        let viewers = proven(&self.catalog, account, self.now);
        let known = self.credential(credential::Column::AccountId.eq(account)).await?;
        let Some(known) = known.filter(|_| !viewers.is_empty()) else {
            return Err(not_accepted(NO_TOKEN).into());
        };
        good_password(&input.password, &known.email, "password")?;
        let new = self.store.passwords.hash(&input.password).await?;
        let write = self.write_by_itself().await?;
        if !write.use_reset_tokens(account, hash).await? {
            return Err(not_accepted(NO_TOKEN).into());
        }
        write.set_password(account, new, None).await?;
        write.forgive(&tried).await?;
        write.end_sessions(account).await?;
        Ok(write.audit_as(&viewers, "RESET_PASSWORD", "account", account).await?.commit().await?)
    }
}

impl Write<'_> {
    /// Uses a token up, and all others of its account with it; false when it is not good any more.
    #[expect(clippy::disallowed_methods, reason = "the token is the scope")]
    async fn use_reset_tokens(&self, account: uuid::Uuid, hash: Vec<u8>) -> Result<bool> {
        let unused = || {
            reset_token::Entity::update_many()
                .col_expr(reset_token::Column::UsedAt, Expr::value(self.access.now))
                .filter(reset_token::Column::AccountId.eq(account))
                .filter(reset_token::Column::UsedAt.is_null())
        };
        let used = unused()
            .filter(reset_token::Column::Hash.eq(hash))
            .filter(reset_token::Column::ExpiresAt.gt(self.access.now))
            .exec(&self.tx)
            .await?;
        unused().exec(&self.tx).await?;
        Ok(used.rows_affected == 1)
    }
}

pub(in crate::store) const NO_TOKEN: Message = Message {
    en: "This link is not good, or not any more. Ask for another.",
    es: "Este enlace no es válido o ya venció. Pida otro.",
};
