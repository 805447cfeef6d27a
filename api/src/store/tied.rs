//! Ties a write to the reference tables that it was checked against.
//!
//! Checks read tables that are kept in memory, and somebody else may change these before the write. So each write
//! takes hold of the tables' version in its own transaction, first of all its statements, and goes on only when it is
//! the version that was checked; if it is another, the checks are done again on the tables as they are now, with the
//! hold kept, so that the second attempt is the last. On PostgreSQL the hold is a lock of the row `catalog_version`,
//! which every change of a reference table updates. Since that row always comes first, two writes that change rows of
//! several tables cannot wait for each other. Deliveries and stock are held as well, by organisation: by all who write
//! one movement together, and by one alone who writes several. On SQLite there is one writer, which is hold enough.

use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, FromQueryResult, Statement};
use uuid::Uuid;

use super::{
    Access, begin,
    catalog::Catalog,
    input::{Refused, Written},
    version,
    write::Write,
};
use crate::error::{Error, Result};

/// What a transaction does with the reference tables while it is open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Hold {
    /// It relies on them: they stay as they are, and others may rely on them too.
    Rely,
    /// It relies on them, and writes one delivery or movement, beside others of its organisation that write one.
    Move,
    /// It relies on them, and writes several deliveries or movements, while nobody else of its organisation writes any.
    MoveMany,
    /// It changes them: nobody else changes them, or relies on them, before it has ended.
    Change,
}

/// An open transaction that waits for the second attempt of a write.
pub(super) type Held = Arc<Mutex<Option<DatabaseTransaction>>>;

/// The reference tables are not those that a write was checked against. Nothing was written; the transaction holds
/// the tables as they are now.
#[derive(Debug)]
pub struct Outdated(Box<DatabaseTransaction>);

impl Access {
    /// A transaction that changes reference tables, when they are those that were checked.
    pub(super) async fn write(&self) -> Written<Write<'_>> {
        self.write_holding(Hold::Change).await
    }

    /// A transaction that writes deliveries or stock, when the reference tables are those that were checked.
    pub(super) async fn write_operations(&self) -> Written<Write<'_>> {
        self.write_holding(Hold::Move).await
    }

    /// A transaction that writes women's records, when the reference tables are those that were checked.
    pub(super) async fn write_relying(&self) -> Written<Write<'_>> {
        self.write_holding(Hold::Rely).await
    }

    /// The same for several deliveries at once. Each of them takes hold of other rows, in whatever order they were
    /// sent; so that no two transactions wait for one another, there is one of these at a time, and nothing beside it.
    pub(super) async fn write_many_operations(&self) -> Written<Write<'_>> {
        self.write_holding(Hold::MoveMany).await
    }

    /// A transaction that changes reference tables whatever they are: what it relies on it asks the database itself,
    /// in the conditions of its statements. For who signs in or out, who are not to do the work of hashing twice.
    pub(super) async fn write_by_itself(&self) -> Result<Write<'_>> {
        let tx = begin(&self.store.pools.write).await?;
        take(&tx, Hold::Change, Uuid::nil()).await?;
        Ok(Write { tx, access: self })
    }

    /// The same viewer, once the second attempt is over.
    #[must_use]
    pub fn released(self) -> Self {
        Self { held: None, ..self }
    }

    async fn write_holding(&self, hold: Hold) -> Written<Write<'_>> {
        if let Some(held) = &self.held {
            // It is there once; a mutation that opens two transactions is told to try again.
            let held = held.lock().unwrap_or_else(PoisonError::into_inner).take();
            return Ok(Write { tx: held.ok_or(Error::Unavailable)?, access: self });
        }
        let tx = begin(&self.store.pools.write).await?;
        if take(&tx, hold, self.own()?).await? == self.catalog.version {
            return Ok(Write { tx, access: self });
        }
        Err(Refused::Outdated(Outdated(Box::new(tx))))
    }

    /// The same viewer for a second attempt, with the reference tables that its write now holds.
    ///
    /// # Errors
    /// `NotPermitted` when the viewer's membership is not what it was; when the database is out of reach.
    pub async fn again(&self, Outdated(tx): Outdated) -> Result<Self> {
        let version = version(&*tx).await?;
        let kept = self.store.kept();
        // It is read through the same connection: one that waits for another could wait for itself.
        let catalog = if kept.version == version {
            kept
        } else {
            let fresh = Arc::new(Catalog::load(&*tx, version, Some(&kept)).await?);
            self.store.keep(fresh.clone());
            fresh
        };
        let again = Self { catalog, held: Some(Arc::new(Mutex::new(Some(*tx)))), ..self.clone() };
        if again.catalog.still_holds(&again.viewer, again.now) { Ok(again) } else { Err(Error::NotPermitted) }
    }
}

/// Takes hold of the reference tables until the transaction of an organisation ends, and says which version they have.
pub(super) async fn take(tx: &DatabaseTransaction, hold: Hold, own: Uuid) -> Result<i64> {
    #[derive(FromQueryResult)]
    struct Row {
        version: i64,
    }
    if tx.get_database_backend() != DbBackend::Postgres {
        return version(tx).await;
    }
    let (columns, lock) = match hold {
        Hold::Rely => ("version", "FOR SHARE"),
        Hold::Move => ("version, pg_advisory_xact_lock_shared($1)", "FOR SHARE"),
        Hold::MoveMany => ("version, pg_advisory_xact_lock($1)", "FOR SHARE"),
        Hold::Change => ("version", "FOR UPDATE"),
    };
    let sql = format!("SELECT {columns} FROM catalog_version WHERE id = 1 {lock}");
    // Two organisations with the same number would wait for each other, and that is all.
    let organization = own.as_u64_pair().1.cast_signed();
    let values = columns.contains('$').then(|| organization.into());
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = Row::find_by_statement(statement).one(tx).await?;
    row.map(|row| row.version).ok_or_else(|| Error::Internal("catalog_version is empty".into()))
}
