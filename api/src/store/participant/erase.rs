//! Erasure: her key is destroyed, and with it every copy of what it has written.
//!
//! The others of her bucket are moved to a new one in the same transaction; when that has been committed, the old bucket's
//! key is destroyed. A server that ends in between leaves a retired bucket, whose key the next erasure or start destroys.

use std::sync::Arc;

use entity::{
    attendance, break_glass, dependant, key_bucket, maternity, participant, participant_key, release_unit,
    survey_response,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, Statement,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{identity::Plain, register::new_code};
use crate::{
    auth::{Right, Viewer},
    error::{Error, Result},
    store::{
        Access, Store,
        input::{At, Written, or_default},
        record::KeyHold,
        write::{Trace, Write},
    },
    vault::DataKey,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EraseParticipant {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub reason: ErasureReason,
}

/// Why she is erased.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErasureReason {
    /// She asks for it.
    Request,
    /// The time is over for which she is kept.
    Retention,
    /// She should never have been recorded.
    EntryError,
}

impl Access {
    /// Erases who she is, for good. Rows of the ledgers that name nobody stay.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend; `Internal` when her key could not be
    /// destroyed, which is then tried again at the next start.
    pub async fn erase_participant(&self, input: EraseParticipant) -> Written<()> {
        self.require(Right::ParticipantErase)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        // Before any row, so that no reading that waits for one of them holds it up.
        write.hold_keys(KeyHold::Move).await?;
        self.participant_to_change(&write, input.at).await?;
        let detail = json!({ "reason": input.reason });
        let changed = self.forget_participant(&write, input.at, &detail).await?;
        let trace = Trace { action: "ERASE", entity: "participant", detail };
        write.finish_of(changed, trace, input.at, input.validate_only).await?;
        if input.validate_only {
            return Ok(());
        }
        Ok(self.store.destroy_retired().await?)
    }

    /// Forgets who she is in each record that was made of her; how many there are at this version. The caller holds the
    /// keys, and audits the record that it names.
    pub(in crate::store) async fn forget_participant(
        &self,
        write: &Write<'_>,
        at: At,
        detail: &Value,
    ) -> Result<u64> {
        for merged in self.merged_into(&write.tx, at.id).await? {
            write.forget(merged.id).await?;
            let at = At { id: merged.id, expected: merged.version };
            if self.change_participant(write, at, self.nobody()).await? != 1 {
                return Err(Error::Unavailable);
            }
            let trace = Trace { action: "ERASE", entity: "participant", detail: detail.clone() };
            write.audit_about(vec![at.id], trace, at.id, Some(at.expected + 1)).await?;
        }
        write.forget(at.id).await?;
        self.change_participant(write, at, self.nobody()).await
    }

    /// A record of which only a code is left.
    fn nobody(&self) -> participant::ActiveModel {
        participant::ActiveModel {
            // Paper may still call her by the old one.
            code: Set(format!("ERASED-{}", new_code(self.new_id()))),
            given_names: Set(None),
            family_names: Set(None),
            birth_date: Set(None),
            documents: Set(None),
            notes: Set(None),
            erased_at: Set(Some(self.now)),
            ..Default::default()
        }
    }
}

impl Write<'_> {
    /// Takes away her key, what she is found by, and what is free text or about third persons; and moves the others of her
    /// bucket to a new one.
    #[expect(clippy::disallowed_methods, reason = "erasure is the one thing that deletes; it is audited")]
    async fn forget(&self, woman: Uuid) -> Result<()> {
        let own = self.access.own()?;
        self.unindex(woman).await?;
        dependant::Entity::delete_many()
            .filter(dependant::Column::OrganizationId.eq(own))
            .filter(dependant::Column::ParticipantId.eq(woman))
            .exec(&self.tx)
            .await?;
        maternity::Entity::delete_many()
            .filter(maternity::Column::OrganizationId.eq(own))
            .filter(maternity::Column::ParticipantId.eq(woman))
            .exec(&self.tx)
            .await?;
        break_glass::Entity::update_many()
            .set(break_glass::ActiveModel { reason: Set(None), ..Default::default() })
            .filter(break_glass::Column::OrganizationId.eq(own))
            .filter(break_glass::Column::ParticipantId.eq(woman))
            .exec(&self.tx)
            .await?;
        survey_response::Entity::update_many()
            .set(survey_response::ActiveModel {
                answers: Set(None),
                form_number: Set(None),
                ..Default::default()
            })
            .filter(survey_response::Column::OrganizationId.eq(own))
            .filter(survey_response::Column::ParticipantId.eq(woman))
            .exec(&self.tx)
            .await?;
        // What releases know of her stays, of a number that is nobody's any more.
        release_unit::Entity::delete_many()
            .filter(release_unit::Column::OrganizationId.eq(own))
            .filter(release_unit::Column::ParticipantId.eq(woman))
            .exec(&self.tx)
            .await?;
        // A number leads to a sheet that has her name.
        attendance::Entity::update_many()
            .set(attendance::ActiveModel { form_number: Set(None), ..Default::default() })
            .filter(attendance::Column::OrganizationId.eq(own))
            .filter(attendance::Column::ParticipantId.eq(woman))
            .exec(&self.tx)
            .await?;
        let Some(old) = self.bucket_of(woman).await? else { return Ok(()) };
        self.retire(old).await?;
        let select = participant_key::Entity::find()
            .filter(participant_key::Column::OrganizationId.eq(own))
            .filter(participant_key::Column::BucketId.eq(old))
            .order_by_asc(participant_key::Column::ParticipantId);
        let others: Vec<participant_key::Model> = select
            .lock_exclusive()
            .all(&self.tx)
            .await?
            .into_iter()
            .filter(|key| key.participant_id != woman)
            .collect();
        participant_key::Entity::delete_many()
            .filter(participant_key::Column::OrganizationId.eq(own))
            .filter(participant_key::Column::ParticipantId.eq(woman))
            .exec(&self.tx)
            .await?;
        if others.is_empty() { Ok(()) } else { self.move_to_new_bucket(old, others).await }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "keys of the viewer's own organisation; the women stay as they are"
    )]
    async fn move_to_new_bucket(&self, old: Uuid, others: Vec<participant_key::Model>) -> Result<()> {
        let own = self.access.own()?;
        let old = self.access.store.with_vault(move |vault| vault.bucket(old)).await??;
        let new = self.new_bucket(others.len() as i32).await?;
        for other in others {
            let id = other.participant_id;
            let Ok(data) = old.unwrap(own, id, &other.wrapped) else {
                // A key that does not open is lost with or without this; it must not keep another woman from her right.
                tracing::error!("a key of the same bucket does not open and stays behind");
                continue;
            };
            participant_key::Entity::update_many()
                .set(participant_key::ActiveModel {
                    bucket_id: Set(new.id()),
                    wrapped: Set(new.wrap(own, id, &data)?),
                    ..Default::default()
                })
                .filter(participant_key::Column::OrganizationId.eq(own))
                .filter(participant_key::Column::ParticipantId.eq(id))
                .exec(&self.tx)
                .await?;
            match self.plain_of(id, &data).await {
                Ok(plain) => self.index(id, &plain, &new).await?,
                Err(Error::Undecipherable) => self.unindex(id).await?,
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "to index her anew; nothing of it is given to anybody")]
    async fn plain_of(&self, woman: Uuid, data: &DataKey) -> Result<Plain> {
        let own = self.access.own()?;
        let row = participant::Entity::find_by_id((own, woman)).one(&self.tx).await?;
        Plain::read(own, &row.ok_or(Error::Undecipherable)?, data)
    }

    #[expect(clippy::disallowed_methods, reason = "of a woman whom the caller has found in scope")]
    async fn bucket_of(&self, woman: Uuid) -> Result<Option<Uuid>> {
        let row = participant_key::Entity::find_by_id((self.access.own()?, woman)).one(&self.tx).await?;
        Ok(row.map(|row| row.bucket_id))
    }

    /// Nothing more is wrapped by this bucket, and nobody is just about to.
    async fn retire(&self, bucket: Uuid) -> Result<()> {
        let sql = "UPDATE key_bucket SET retired_at = $3, women = 0 WHERE organization_id = $1 AND id = $2";
        let values = [self.access.own()?.into(), bucket.into(), self.access.now.into()];
        self.tx
            .execute_raw(Statement::from_sql_and_values(self.tx.get_database_backend(), sql, values))
            .await?;
        Ok(())
    }
}

impl Store {
    /// Destroys the keys of buckets that were retired, each with its trace.
    ///
    /// # Errors
    /// When a key could not be destroyed.
    #[expect(
        clippy::disallowed_methods,
        reason = "buckets hold no data of anybody; this runs for all organisations"
    )]
    pub async fn destroy_retired(self: &Arc<Self>) -> Result<()> {
        let retired = key_bucket::Entity::find()
            .filter(key_bucket::Column::RetiredAt.is_not_null())
            .filter(key_bucket::Column::DestroyedAt.is_null())
            .all(&self.pools.read)
            .await?;
        for bucket in retired {
            self.with_vault(move |vault| vault.destroy(bucket.id)).await??;
            let program = self.access_with(Viewer::system(bucket.organization_id), self.kept());
            let write = self.bulk().await?.as_write(&program);
            let noted = key_bucket::Entity::update_many()
                .set(key_bucket::ActiveModel { destroyed_at: Set(Some(program.now)), ..Default::default() })
                .filter(key_bucket::Column::OrganizationId.eq(bucket.organization_id))
                .filter(key_bucket::Column::Id.eq(bucket.id))
                .filter(key_bucket::Column::DestroyedAt.is_null())
                .exec(&write.tx)
                .await?;
            // Another server may have done it at the same moment.
            if noted.rows_affected == 1 {
                write.audit("KEY_DESTROY", "key_bucket", bucket.id, None, Value::Null).await?;
            }
            write.commit().await?;
        }
        Ok(())
    }
}
