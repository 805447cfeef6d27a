//! Many rows at once, for the demonstration data and for imports on the command line.

use std::sync::Arc;

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, IntoActiveModel, Iterable,
    sea_query::OnConflict,
};
use uuid::Uuid;

use super::{Access, Store, begin, write::Write};
use crate::{
    auth::{Right, Viewer},
    error::Result,
};

impl Store {
    /// The program itself, acting for one organisation on the command line.
    pub async fn system(self: &Arc<Self>, organization: Uuid) -> Result<Access> {
        self.access(Viewer::system(organization)).await
    }

    /// The same for what members do: with the rights that it takes, so that the rules for them hold.
    pub async fn system_with(self: &Arc<Self>, organization: Uuid, rights: &[Right]) -> Result<Access> {
        self.access(Viewer::system_with(organization, rights)).await
    }

    /// A transaction for many rows. Dropped without [`Bulk::commit`], it leaves nothing.
    pub async fn bulk(&self) -> Result<Bulk> {
        Ok(Bulk { tx: begin(&self.pools.write).await? })
    }
}

/// An open transaction for many rows.
pub struct Bulk {
    pub(super) tx: DatabaseTransaction,
}

/// How many of the rows were new.
pub type Inserted = u64;

impl Bulk {
    /// Inserts rows whose keys are not there yet; the others stay as they are.
    pub async fn insert<E>(&self, rows: Vec<E::Model>) -> Result<Inserted>
    where
        E: EntityTrait,
        E::Model: IntoActiveModel<E::ActiveModel>,
    {
        insert::<E>(&self.tx, rows).await
    }

    /// Says that the demonstration data are in this database.
    pub async fn mark_demo(&self) -> Result<()> {
        self.tx.execute_unprepared("UPDATE instance SET demo = true WHERE id = 1").await?;
        Ok(())
    }

    /// Makes the planner know the new rows.
    pub async fn commit(self) -> Result<()> {
        let backend = self.tx.get_database_backend();
        if backend == DbBackend::Postgres {
            self.tx.execute_unprepared("ANALYZE").await?;
        }
        Ok(self.tx.commit().await?)
    }

    /// The same transaction, for writes that a viewer's rules apply to.
    pub fn as_write(self, access: &Access) -> Write<'_> {
        Write { tx: self.tx, access }
    }
}

/// As [`Bulk::insert`].
#[expect(clippy::disallowed_methods, reason = "the command line writes for the organisation it was told")]
pub(super) async fn insert<E>(tx: &DatabaseTransaction, rows: Vec<E::Model>) -> Result<Inserted>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let most = match tx.get_database_backend() {
        DbBackend::Postgres => 60_000,
        _ => 30_000,
    };
    let at_once = (most / E::Column::iter().count().max(1)).clamp(1, 5_000);
    let mut inserted = 0;
    let mut rows = rows.into_iter();
    loop {
        let chunk: Vec<E::ActiveModel> = rows
            .by_ref()
            .take(at_once)
            .map(|row| sea_orm::ActiveModelTrait::reset_all(row.into_active_model()))
            .collect();
        if chunk.is_empty() {
            return Ok(inserted);
        }
        inserted += E::insert_many(chunk)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(tx)
            .await?;
    }
}
