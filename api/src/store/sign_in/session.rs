//! Sessions: begun, renewed, ended.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{account, ended_session, refresh_token, service_key, sign_in_session as session};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, Set,
    sea_query::{Alias, Expr, ExprTrait, OnConflict, Query},
};
use uuid::Uuid;

use super::{Access, Caller, Message, Tokens, Write, Written, not_accepted, tries::LONGEST};
use crate::{
    auth::{proven, secret, secret::Secret},
    error::{Error, Result},
    store::{Store, write::Trace},
};

/// How long an access token is good for, unless its session ends.
const ACCESS: TimeDelta = TimeDelta::minutes(10);
/// How long a refresh token is good for; using it gives another.
const IDLE: TimeDelta = TimeDelta::days(30);
/// How long a session lasts, however often it is renewed.
const WHOLE: TimeDelta = TimeDelta::days(90);
/// How long the end of a session has to be remembered: as long as its last access token, and the leeway of clocks.
const REMEMBERED: TimeDelta = TimeDelta::minutes(15);

impl Access {
    /// Gives new tokens for a refresh token, which is good once. One that has been used before is in two hands: its
    /// session ends. There is no grace for a client that asks twice at a time.
    ///
    /// # Errors
    /// A user error, the same for every token that is not accepted.
    #[expect(clippy::disallowed_methods, reason = "the token is the scope")]
    pub async fn refresh_session(&self, token: &str) -> Written<Tokens> {
        let hash = secret::digest(token);
        let write = self.write_beside().await?;
        let used = refresh_token::Entity::update_many()
            .col_expr(refresh_token::Column::UsedAt, Expr::value(self.now))
            .filter(refresh_token::Column::Hash.eq(hash.clone()))
            .filter(refresh_token::Column::UsedAt.is_null())
            .filter(refresh_token::Column::ExpiresAt.gt(self.now))
            .exec(&write.tx)
            .await?;
        let row = refresh_token::Entity::find_by_id(hash).one(&write.tx).await?;
        let Some(row) = row else { return Err(not_accepted(NO_SESSION).into()) };
        if used.rows_affected == 0 {
            write.discard().await?;
            if row.used_at.is_some() {
                self.end_stolen(row.session_id).await?;
            }
            return Err(not_accepted(NO_SESSION).into());
        }
        let renewed = session::Entity::update_many()
            .col_expr(session::Column::RenewedAt, Expr::value(self.now))
            .filter(session::Column::Id.eq(row.session_id))
            .filter(session::Column::EndedAt.is_null())
            .filter(session::Column::ExpiresAt.gt(self.now))
            .exec(&write.tx)
            .await?;
        let session = session::Entity::find_by_id(row.session_id).one(&write.tx).await?;
        let session = session.filter(|_| renewed.rows_affected == 1);
        let holds =
            |session: &session::Model| !proven(&self.catalog, session.account_id, self.now).is_empty();
        let Some(session) = session.filter(holds) else { return Err(not_accepted(NO_SESSION).into()) };
        let tokens = write.tokens(&session).await?;
        write.commit().await?;
        Ok(tokens)
    }

    /// Ends the session of a refresh token that somebody has used before, whichever of the two is the thief.
    #[expect(clippy::disallowed_methods, reason = "the token is the scope")]
    async fn end_stolen(&self, session: Uuid) -> Result<()> {
        let write = self.write_by_itself().await?;
        if !write.end_session(session).await? {
            return write.discard().await;
        }
        let row = session::Entity::find_by_id(session).one(&write.tx).await?;
        let viewers = row.map(|row| proven(&self.catalog, row.account_id, self.now)).unwrap_or_default();
        write.audit_as(&viewers, "REFRESH_TOKEN_REUSED", "sign_in_session", session).await?.commit().await
    }
}

impl Write<'_> {
    /// Begins a session of an account that has proved itself.
    pub(super) async fn begin_session(&self, account: Uuid, caller: Caller) -> Result<(Uuid, Tokens)> {
        let now = self.access.now;
        let row = session::ActiveModel {
            id: Set(self.access.new_id()),
            account_id: Set(account),
            address_key: Set(caller.key(&self.access.store)),
            started_at: Set(now),
            renewed_at: Set(now),
            expires_at: Set(now + WHOLE),
            ended_at: Set(None),
        };
        let session = row.insert(&self.tx).await?;
        let tokens = self.tokens(&session).await?;
        Ok((session.id, tokens))
    }

    /// The next tokens of a session.
    async fn tokens(&self, session: &session::Model) -> Result<Tokens> {
        let Access { now, store, .. } = self.access;
        let refresh = Secret::new("")?;
        let refresh_until = Ord::min(session.expires_at, *now + IDLE);
        let row = refresh_token::ActiveModel {
            hash: Set(refresh.digest()),
            session_id: Set(session.id),
            recorded_at: Set(*now),
            expires_at: Set(refresh_until),
            used_at: Set(None),
        };
        refresh_token::Entity::insert(row).exec_without_returning(&self.tx).await?;
        let access_until = Ord::min(session.expires_at, *now + ACCESS);
        let access = store
            .signer()?
            .issue(&session.account_id.to_string(), session.id, access_until - *now, *now)
            .map_err(|fault| Error::Internal(fault.to_string()))?;
        Ok(Tokens { access, access_until, refresh: refresh.shown().to_owned(), refresh_until })
    }

    /// Ends one session; false when it has ended before.
    #[expect(clippy::disallowed_methods, reason = "it is the session of the request")]
    pub(super) async fn end_session(&self, session: Uuid) -> Result<bool> {
        let ended = session::Entity::update_many()
            .col_expr(session::Column::EndedAt, Expr::value(self.access.now))
            .filter(session::Column::Id.eq(session))
            .filter(session::Column::EndedAt.is_null())
            .exec(&self.tx)
            .await?;
        self.remember_ended(session::Column::Id.eq(session)).await?;
        Ok(ended.rows_affected == 1)
    }

    /// Ends all sessions of an account, and all tokens without a session that it has had so far.
    #[expect(clippy::disallowed_methods, reason = "whoever calls this has looked whose account it is")]
    pub(in crate::store) async fn end_sessions(&self, account: Uuid) -> Result<()> {
        let now = self.access.now;
        account::Entity::update_many()
            .col_expr(account::Column::TokensValidFrom, Expr::value(now))
            .filter(account::Column::Id.eq(account))
            .exec(&self.tx)
            .await?;
        session::Entity::update_many()
            .col_expr(session::Column::EndedAt, Expr::value(now))
            .filter(session::Column::AccountId.eq(account))
            .filter(session::Column::EndedAt.is_null())
            .exec(&self.tx)
            .await?;
        self.remember_ended(session::Column::AccountId.eq(account)).await
    }

    /// Ends the keys that an account has in an organisation, or one of them, each with its trace.
    #[expect(clippy::disallowed_methods, reason = "the organisation leads the condition")]
    pub(in crate::store) async fn end_keys(
        &self,
        organization: Uuid,
        of: impl sea_orm::sea_query::IntoCondition,
    ) -> Result<()> {
        let open = Condition::all()
            .add(service_key::Column::OrganizationId.eq(organization))
            .add(of.into_condition())
            .add(service_key::Column::EndedAt.is_null());
        let keys = service_key::Entity::find().filter(open.clone()).all(&self.tx).await?;
        service_key::Entity::update_many()
            .col_expr(service_key::Column::EndedAt, Expr::value(self.access.now))
            .filter(open)
            .exec(&self.tx)
            .await?;
        for key in keys {
            self.trace(organization, Trace::of("END", "service_key"), key.id, None).await?;
        }
        Ok(())
    }

    /// Puts sessions that have just ended where every server looks, and takes out those whose last token has expired.
    #[expect(clippy::disallowed_methods, reason = "it is no record, but a note for ten minutes")]
    async fn remember_ended(&self, these: impl Into<Expr>) -> Result<()> {
        let now = self.access.now;
        let mut ended = Query::select();
        ended
            .columns([session::Column::Id, session::Column::EndedAt])
            .from(session::Entity)
            .and_where(these.into())
            .and_where(Expr::col(session::Column::EndedAt).eq(now));
        let mut insert = Query::insert();
        insert
            .into_table(ended_session::Entity)
            .columns([ended_session::Column::Id, ended_session::Column::EndedAt])
            .select_from(ended)
            .map_err(|fault| Error::Internal(fault.to_string()))?
            .on_conflict(OnConflict::new().do_nothing().to_owned());
        self.tx.execute(&insert).await?;
        ended_session::Entity::delete_many()
            .filter(ended_session::Column::EndedAt.lt(now - REMEMBERED))
            .exec(&self.tx)
            .await?;
        Ok(())
    }
}

impl Store {
    /// Takes out what counts for nothing any more: old tries, and sessions and tokens that have expired.
    ///
    /// # Errors
    /// When the database is out of reach.
    pub async fn sweep_sign_in(&self) -> Result<()> {
        let now = self.clock.now();
        let old = |table: &'static str, column: &'static str, before: DateTime<Utc>| {
            let mut delete = Query::delete();
            delete.from_table(Alias::new(table)).and_where(Expr::col(Alias::new(column)).lt(before));
            delete
        };
        for delete in [
            old("sign_in_try", "tried_at", now - LONGEST),
            old("refresh_token", "expires_at", now),
            old("reset_token", "expires_at", now),
            // After its tokens, which expire with it at the latest.
            old("sign_in_session", "expires_at", now),
        ] {
            self.pools.write.execute(&delete).await?;
        }
        Ok(())
    }
}

const NO_SESSION: Message = Message {
    en: "The session has ended. Sign in again.",
    es: "La sesión terminó. Inicie sesión de nuevo.",
};
