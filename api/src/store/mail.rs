//! Mails that are to be sent. How they are sent is the host's: see `chores` and `umbral mail`.
//!
//! A mail holds a token, so its text is sealed under a key of the instance until it is sent, and then emptied.

use aes_gcm_siv::{
    Aes256GcmSiv, KeyInit,
    aead::{Aead, Payload},
};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{mail, value::MailKind};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Store, write::Write};
use crate::{
    auth::secret::Secret,
    error::{Error, Result},
};

/// What a mail says that is to be written.
pub(super) struct Letter<'a> {
    pub kind: MailKind,
    pub recipient: &'a str,
    pub language: &'a str,
    /// Who invites.
    pub organization: &'a str,
    pub token: &'a Secret,
    pub expires_at: DateTime<Utc>,
}

/// What is sealed of a mail.
#[derive(Serialize, Deserialize)]
struct Sealed {
    text: String,
    token: String,
}

/// A mail as whoever sends it gets it, in JSON.
#[derive(Serialize)]
pub struct Mail {
    pub id: Uuid,
    pub kind: MailKind,
    pub to: String,
    /// `es` or `en`.
    pub language: String,
    pub subject: String,
    pub text: String,
    /// The one-time token alone, for who makes links or texts of their own.
    pub token: String,
}

/// What may be told of a mail.
pub struct Listed {
    pub id: Uuid,
    pub kind: MailKind,
    pub to: String,
    pub recorded_at: DateTime<Utc>,
    pub tries: i32,
}

impl Letter<'_> {
    fn subject(&self) -> String {
        let Self { organization, .. } = self;
        match (self.kind, self.language) {
            (MailKind::Invitation, "en") => format!("Invitation to {organization}"),
            (MailKind::Invitation, _) => format!("Invitación a {organization}"),
            (MailKind::PasswordReset, "en") => "New password".to_owned(),
            (MailKind::PasswordReset, _) => "Contraseña nueva".to_owned(),
        }
    }

    fn text(&self) -> String {
        let Self { organization, token, .. } = self;
        let token = token.shown();
        let until = self.expires_at.format("%Y-%m-%d %H:%M UTC");
        match (self.kind, self.language) {
            (MailKind::Invitation, "en") => format!(
                "{organization} invites you to work with it in Umbral.\n\n\
                 Your code, good once and until {until}:\n\n{token}\n\n\
                 If you do not expect this, do nothing.\n"
            ),
            (MailKind::Invitation, _) => format!(
                "{organization} le invita a trabajar con la organización en Umbral.\n\n\
                 Su código, válido una sola vez y hasta el {until}:\n\n{token}\n\n\
                 Si no esperaba este correo, no haga nada.\n"
            ),
            (MailKind::PasswordReset, "en") => format!(
                "Somebody has asked for a new password for your account in Umbral.\n\n\
                 The code, good once and until {until}:\n\n{token}\n\n\
                 If it was not you, do nothing: your password stays as it is.\n"
            ),
            (MailKind::PasswordReset, _) => format!(
                "Se pidió una contraseña nueva para su cuenta en Umbral.\n\n\
                 El código, válido una sola vez y hasta el {until}:\n\n{token}\n\n\
                 Si no fue usted, no haga nada: su contraseña sigue siendo la misma.\n"
            ),
        }
    }
}

impl Write<'_> {
    /// Puts a mail where whoever sends mails finds it, when the rest is committed.
    pub(super) async fn send(&self, letter: Letter<'_>) -> Result<()> {
        let id = self.access.new_id();
        let sealed = Sealed { text: letter.text(), token: letter.token.shown().to_owned() };
        let now = self.access.now;
        let row = mail::ActiveModel {
            id: Set(id),
            kind: Set(letter.kind),
            recipient: Set(letter.recipient.to_owned()),
            language: Set(letter.language.to_owned()),
            subject: Set(letter.subject()),
            text: Set(Some(self.access.store.seal(id, &sealed)?)),
            recorded_at: Set(now),
            expires_at: Set(letter.expires_at),
            next_try_at: Set(now),
            sent_at: Set(None),
            tries: Set(0),
        };
        mail::Entity::insert(row).exec_without_returning(&self.tx).await?;
        Ok(())
    }
}

impl Store {
    fn cipher(&self) -> Result<Aes256GcmSiv> {
        let key = self.keyed(&[b"mail"]);
        Aes256GcmSiv::new_from_slice(&key).map_err(|_| Error::Internal("mails have no key".into()))
    }

    fn seal(&self, id: Uuid, sealed: &Sealed) -> Result<Vec<u8>> {
        let fault = || Error::Internal("a mail was not sealed".into());
        let plain = serde_json::to_vec(sealed).map_err(|_| fault())?;
        let payload = Payload { msg: &plain, aad: id.as_bytes() };
        self.cipher()?.encrypt(&nonce(id).into(), payload).map_err(|_| fault())
    }

    /// None once it was emptied, and after a restore, which makes all tokens on their way worthless.
    fn opened(&self, row: mail::Model) -> Option<Mail> {
        let payload = Payload { msg: row.text.as_deref()?, aad: row.id.as_bytes() };
        let plain = self.cipher().ok()?.decrypt(&nonce(row.id).into(), payload).ok()?;
        let Sealed { text, token } = serde_json::from_slice(&plain).ok()?;
        let mail::Model { id, kind, recipient: to, language, subject, .. } = row;
        Some(Mail { id, kind, to, language, subject, text, token })
    }

    /// Takes the next mail that is due, for this process alone, until its next try.
    ///
    /// # Errors
    /// When the database is out of reach.
    #[expect(clippy::disallowed_methods, reason = "mails are the instance's")]
    pub async fn take_mail(&self) -> Result<Option<Mail>> {
        let now = self.clock.now();
        loop {
            let due = mail::Entity::find()
                .filter(mail::Column::SentAt.is_null())
                .filter(mail::Column::Text.is_not_null())
                .filter(mail::Column::NextTryAt.lte(now))
                .filter(mail::Column::ExpiresAt.gt(now))
                .order_by_asc(mail::Column::NextTryAt)
                .one(&self.pools.read)
                .await?;
            let Some(due) = due else { return Ok(None) };
            let taken = mail::Entity::update_many()
                .col_expr(mail::Column::Tries, Expr::value(due.tries + 1))
                .col_expr(mail::Column::NextTryAt, Expr::value(now + wait(due.tries)))
                .filter(mail::Column::Id.eq(due.id))
                .filter(mail::Column::Tries.eq(due.tries))
                .exec(&self.pools.write)
                .await?;
            if taken.rows_affected == 1
                && let Some(mail) = self.opened(due)
            {
                return Ok(Some(mail));
            }
        }
    }

    /// Notes that a mail was sent, and empties it; false when there is none that waits.
    ///
    /// # Errors
    /// When the database is out of reach.
    #[expect(clippy::disallowed_methods, reason = "mails are the instance's")]
    pub async fn mail_was_sent(&self, id: Uuid) -> Result<bool> {
        let sent = mail::Entity::update_many()
            .col_expr(mail::Column::SentAt, Expr::value(self.clock.now()))
            .col_expr(mail::Column::Text, Expr::value(Option::<Vec<u8>>::None))
            .filter(mail::Column::Id.eq(id))
            .filter(mail::Column::SentAt.is_null())
            .exec(&self.pools.write)
            .await?;
        Ok(sent.rows_affected == 1)
    }

    /// Mails that wait, the oldest first.
    ///
    /// # Errors
    /// When the database is out of reach.
    #[expect(clippy::disallowed_methods, reason = "mails are the instance's")]
    pub async fn waiting_mails(&self) -> Result<Vec<Listed>> {
        let rows = mail::Entity::find()
            .filter(mail::Column::SentAt.is_null())
            .filter(mail::Column::ExpiresAt.gt(self.clock.now()))
            .order_by_asc(mail::Column::RecordedAt)
            .limit(1_000)
            .all(&self.pools.read)
            .await?;
        let listed = |row: mail::Model| Listed {
            id: row.id,
            kind: row.kind,
            to: row.recipient,
            recorded_at: row.recorded_at,
            tries: row.tries,
        };
        Ok(rows.into_iter().map(listed).collect())
    }

    /// A mail that waits.
    ///
    /// # Errors
    /// When the database is out of reach.
    #[expect(clippy::disallowed_methods, reason = "mails are the instance's")]
    pub async fn waiting_mail(&self, id: Uuid) -> Result<Option<Mail>> {
        let row = mail::Entity::find_by_id(id).filter(mail::Column::SentAt.is_null());
        Ok(row.one(&self.pools.read).await?.and_then(|row| self.opened(row)))
    }

    /// Empties mails whose tokens have expired.
    ///
    /// # Errors
    /// When the database is out of reach.
    #[expect(clippy::disallowed_methods, reason = "mails are the instance's")]
    pub async fn empty_old_mails(&self) -> Result<()> {
        mail::Entity::update_many()
            .col_expr(mail::Column::Text, Expr::value(Option::<Vec<u8>>::None))
            .filter(mail::Column::ExpiresAt.lte(self.clock.now()))
            .filter(mail::Column::Text.is_not_null())
            .exec(&self.pools.write)
            .await?;
        Ok(())
    }
}

/// The id is random and of one mail only.
fn nonce(id: Uuid) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce.copy_from_slice(&id.as_bytes()[..12]);
    nonce
}

/// A minute after the first try, twice as long after each further one, six hours at most.
fn wait(tries: i32) -> TimeDelta {
    TimeDelta::minutes(1_i64 << tries.clamp(0, 8)).min(TimeDelta::hours(6))
}
