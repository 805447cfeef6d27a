//! Keys of whole organisations, and the traces that the use of keys leaves.
//!
//! They are kept as those of women are: in the database, wrapped by a bucket's key outside it. Such a bucket holds nothing
//! else and belongs to no woman, so no erasure touches it.

use std::sync::Arc;

use entity::{organization_key, value::OrganizationKeyKind};
use sea_orm::{ActiveEnum, EntityTrait, Set, sea_query::OnConflict};
use serde_json::json;
use uuid::Uuid;

use super::{Access, Store, write::Trace};
use crate::{
    auth::Viewer,
    error::{Error, Result},
    vault::DataKey,
};

impl Access {
    /// A key of the viewer's organisation; none while nothing has needed it.
    #[expect(clippy::disallowed_methods, reason = "the viewer's own organisation leads the key")]
    pub(super) async fn organization_key(&self, kind: OrganizationKeyKind) -> Result<Option<DataKey>> {
        let own = self.own()?;
        let row = organization_key::Entity::find_by_id((own, kind)).one(&self.store.pools.read).await?;
        let Some(row) = row else { return Ok(None) };
        let bucket = self.store.with_vault(move |vault| vault.bucket(row.bucket_id)).await??;
        // The organisation stands where a woman does.
        Ok(Some(bucket.unwrap(own, own, &row.wrapped)?))
    }

    /// As [`Access::organization_key`], made when there is none.
    pub(super) async fn needed_key(&self, kind: OrganizationKeyKind) -> Result<DataKey> {
        if let Some(key) = self.organization_key(kind).await? {
            return Ok(key);
        }
        let (own, id) = (self.own()?, self.new_id());
        let bucket = self.store.with_vault(move |vault| vault.create(id)).await??;
        let key = DataKey::generate()?;
        let row = organization_key::ActiveModel {
            organization_id: Set(own),
            kind: Set(kind),
            bucket_id: Set(id),
            wrapped: Set(bucket.wrap(own, own, &key)?),
            recorded_at: Set(self.now),
        };
        let write = self.store.bulk().await?.as_write(self);
        let made = organization_key::Entity::insert(row)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&write.tx)
            .await?;
        if made == 1 {
            write
                .audit("KEY_CREATE", "organization_key", id, None, json!({ "kind": kind.to_value() }))
                .await?;
            write.commit().await?;
            return Ok(key);
        }
        // Another request has made it at the same moment.
        write.discard().await?;
        self.store.with_vault(move |vault| vault.destroy(id)).await??;
        let key = self.organization_key(kind).await?;
        key.ok_or_else(|| Error::Internal("a key of an organisation is neither new nor there".into()))
    }
}

impl Store {
    /// Writes the trace of a use of the master key, which every organisation's keys are under, into the audit of each.
    ///
    /// # Errors
    /// When the database is out of reach: the key must not be used then.
    pub async fn trace_master_key(self: &Arc<Self>, action: &str) -> Result<()> {
        let program = self.access(Viewer::system(Uuid::nil())).await?;
        let write = self.bulk().await?.as_write(&program);
        for organization in program.catalog.organizations.iter().map(|entry| entry.row.id) {
            write.trace(organization, Trace::of(action, "master_key"), organization, None).await?;
        }
        write.commit().await
    }
}
