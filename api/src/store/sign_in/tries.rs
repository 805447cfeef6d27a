//! How often somebody may try: by what they try to open, by where they are, and by both together.
//!
//! What is counted is kept as digests under a key of the instance, so that no address of an unknown person is kept. The
//! windows slide: a try counts until its time is over. A try that is refused for being too many does not count, so
//! nobody can keep an account closed for longer than its window; and whoever has signed in from a network before is
//! not held to the bound on the account there, so that strangers elsewhere cannot close it to its owner. Success takes
//! back what it cost.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{sign_in_session as session, sign_in_try};
use hmac::{Hmac, Mac};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Set, Statement,
};
use sha2::Sha256;
use uuid::Uuid;

use super::{Access, Caller, Message, UserError, UserErrorCode, Write, Written};
use crate::{error::Result, store::Store};

/// What is tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// An account, by a password.
    SignIn,
    /// A mail with a token for a new password.
    Reset,
    /// A one-time token.
    Token,
}

/// So many in such a time.
struct Bound(u64, TimeDelta);

impl Purpose {
    fn name(self) -> &'static [u8] {
        match self {
            Self::SignIn => b"sign in",
            Self::Reset => b"reset",
            Self::Token => b"token",
        }
    }

    /// For one thing from one network; for one thing from all; for one network.
    fn bounds(self) -> [Bound; 3] {
        let minutes = TimeDelta::minutes;
        match self {
            Self::SignIn => [Bound(5, minutes(15)), Bound(50, minutes(60)), Bound(60, minutes(15))],
            Self::Reset => [Bound(3, minutes(60)), Bound(5, minutes(60)), Bound(20, minutes(60))],
            Self::Token => [Bound(5, minutes(15)), Bound(20, minutes(60)), Bound(30, minutes(15))],
        }
    }
}

/// The longest window: older tries count for nothing.
pub(super) const LONGEST: TimeDelta = TimeDelta::minutes(60);

/// How long a network is remembered from which somebody has signed in.
const REMEMBERED: TimeDelta = TimeDelta::days(90);

/// A try that counts.
pub(in crate::store) struct Tried {
    id: Uuid,
    /// The count for the one thing from the one network.
    pair: Vec<u8>,
}

impl Store {
    /// A digest that nobody can make or compare without the key of the instance.
    pub(in crate::store) fn keyed(&self, parts: &[&[u8]]) -> Vec<u8> {
        // A key of any length is fine, so there is always one.
        let Ok(mut digest) = Hmac::<Sha256>::new_from_slice(self.cursor_key()) else { return Vec::new() };
        digest.update(b"umbral sign-in");
        for part in parts {
            digest.update(&(part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into_bytes().to_vec()
    }
}

impl Caller {
    pub(super) fn key(self, store: &Store) -> Vec<u8> {
        store.keyed(&[b"address", self.address.to_string().as_bytes()])
    }
}

impl Access {
    /// Counts a try, in a transaction that is still open. `account` is the one that is tried, where there is one.
    ///
    /// # Errors
    /// A user error that says when to try again.
    #[expect(clippy::disallowed_methods, reason = "what is counted has no owner")]
    pub(in crate::store) async fn attempt(
        &self,
        purpose: Purpose,
        subject: &str,
        account: Option<Uuid>,
        caller: Caller,
    ) -> Written<(Write<'_>, Tried)> {
        let address = caller.key(&self.store);
        let (kind, subject) = (purpose.name(), subject.as_bytes());
        let keys = [
            self.store.keyed(&[kind, b"both", subject, &address]),
            self.store.keyed(&[kind, b"subject", subject]),
            self.store.keyed(&[kind, b"address", &address]),
        ];
        let write = self.write_beside().await?;
        write.queue(&keys).await?;
        // Asked for whoever is tried, also when there is nobody.
        let owner = session::Entity::find()
            .filter(session::Column::AccountId.eq(account.unwrap_or_default()))
            .filter(session::Column::AddressKey.eq(address))
            .filter(session::Column::StartedAt.gt(self.now - REMEMBERED))
            .select_only()
            .column(session::Column::Id)
            .into_tuple::<Uuid>()
            .one(&write.tx)
            .await?;
        let mut again: Option<DateTime<Utc>> = None;
        for (place, (key, Bound(most, window))) in keys.iter().zip(purpose.bounds()).enumerate() {
            if place == 1 && owner.is_some() {
                continue;
            }
            let full = sign_in_try::Entity::find()
                .filter(sign_in_try::Column::Key.eq(key.clone()))
                .filter(sign_in_try::Column::TriedAt.gt(self.now - window))
                .order_by_desc(sign_in_try::Column::TriedAt)
                .offset(most - 1)
                .one(&write.tx)
                .await?;
            again = again.max(full.map(|oldest| oldest.tried_at + window));
        }
        if let Some(again) = again {
            // A part of a second is waited for as a whole one.
            let seconds = (again - self.now + TimeDelta::milliseconds(999)).num_seconds();
            let error = UserError::new(UserErrorCode::TooManyTries, &[], TOO_MANY);
            return Err(UserError { retry_after: Some(seconds), ..error }.into());
        }
        let id = self.new_id();
        for key in &keys {
            let row =
                sign_in_try::ActiveModel { key: Set(key.clone()), id: Set(id), tried_at: Set(self.now) };
            sign_in_try::Entity::insert(row).exec_without_returning(&write.tx).await?;
        }
        let [pair, ..] = keys;
        Ok((write, Tried { id, pair }))
    }
}

impl Write<'_> {
    /// One after the other for each count, so that tries at the same moment see each other. SQLite has one writer.
    async fn queue(&self, keys: &[Vec<u8>]) -> Result<()> {
        if self.tx.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let number = |key: &Vec<u8>| key.first_chunk().map_or(0, |bytes| i32::from_be_bytes(*bytes));
        let mut numbers: Vec<i32> = keys.iter().map(number).collect();
        numbers.sort_unstable();
        for number in numbers {
            // Two numbers, which are other locks than those of one number.
            let sql = "SELECT pg_advisory_xact_lock(14, $1)";
            let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [number.into()]);
            self.tx.execute_raw(statement).await?;
        }
        Ok(())
    }

    /// Takes back what a try has cost that has succeeded, and what tries of the same from the same network cost before.
    #[expect(clippy::disallowed_methods, reason = "tries are no records")]
    pub(in crate::store) async fn forgive(&self, tried: &Tried) -> Result<()> {
        let these = Condition::any()
            .add(sign_in_try::Column::Id.eq(tried.id))
            .add(sign_in_try::Column::Key.eq(tried.pair.clone()));
        sign_in_try::Entity::delete_many().filter(these).exec(&self.tx).await?;
        Ok(())
    }
}

const TOO_MANY: Message = Message {
    en: "Too many tries. Try again later.",
    es: "Demasiados intentos. Intente de nuevo más tarde.",
};
