//! The outbox: what has changed, written in the transaction of the change and read in the order of the commits.
//!
//! A row names what has changed and says nothing of it. Who is told reads the row itself, through an [`Access`].

use chrono::{DateTime, TimeDelta, Utc};
use entity::{outbox, value::OutboxKind};
use sea_orm::{
    ActiveValue::NotSet, ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DatabaseTransaction,
    DbBackend, EntityTrait, FromQueryResult, QueryFilter, Set, Statement,
};
use uuid::Uuid;

use super::{Access, Scoped, Store, write::Write};
use crate::error::{Error, Result};

/// For how long events are kept, and so for how long a client may have been away.
pub const KEPT: TimeDelta = TimeDelta::days(3);

/// The channel of PostgreSQL on which servers tell one another that there is something to read.
pub(super) const CHANNEL: &str = "umbral_outbox";

/// Where an event stands among all of them.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, FromQueryResult)]
pub struct Position {
    transaction_id: i64,
    sequence: i64,
}

/// That something has changed.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    pub at: Position,
    pub organization_id: Uuid,
    pub id: Uuid,
    pub kind: OutboxKind,
    pub row_id: Uuid,
    /// Whether outsiders may learn of it.
    pub open: bool,
}

/// What a transaction has changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub kind: OutboxKind,
    pub row_id: Uuid,
    pub open: bool,
}

/// Events, and whether there are some behind them that cannot be given yet.
pub(super) struct Batch {
    pub events: Vec<Event>,
    pub unsettled: bool,
}

#[derive(FromQueryResult)]
struct Read {
    organization_id: Uuid,
    id: Uuid,
    kind: OutboxKind,
    row_id: Uuid,
    open: bool,
    transaction_id: i64,
    sequence: i64,
    settled: bool,
}

impl Scoped for outbox::Entity {
    fn visible_to(access: &Access) -> Condition {
        let own = Condition::all().add(outbox::Column::OrganizationId.is_in(access.organizations_in_scope()));
        if access.is_outside() { own.add(outbox::Column::Open.eq(true)) } else { own }
    }
}

impl Write<'_> {
    /// Notes in this transaction that something has changed.
    pub(super) async fn tell(&self, changes: impl IntoIterator<Item = Change>) -> Result<()> {
        append(&self.tx, self.access, changes).await
    }
}

/// Events of the viewer's organisation, in a transaction.
#[expect(clippy::disallowed_methods, reason = "rows of the viewer's own organisation")]
async fn append(
    tx: &DatabaseTransaction,
    access: &Access,
    changes: impl IntoIterator<Item = Change>,
) -> Result<()> {
    let own = access.own()?;
    let rows: Vec<_> = changes
        .into_iter()
        .map(|change| outbox::ActiveModel {
            organization_id: Set(own),
            id: Set(access.new_id()),
            kind: Set(change.kind),
            row_id: Set(change.row_id),
            open: Set(change.open),
            recorded_at: Set(access.now),
            // The database knows.
            transaction_id: NotSet,
            sequence: NotSet,
        })
        .collect();
    for chunk in rows.chunks(1_000) {
        outbox::Entity::insert_many(chunk.to_vec()).exec_without_returning(tx).await?;
    }
    Ok(())
}

impl Access {
    /// Where a client stands that has been shown an event.
    ///
    /// # Errors
    /// `EventsGone` when the event is too old, or of an organisation that the viewer no longer sees anything of.
    pub async fn position_of(&self, event: Uuid) -> Result<Position> {
        let known = self
            .select::<outbox::Entity>()
            .filter(outbox::Column::Id.eq(event))
            // Outsiders have no grant on this table; they learn no more of it than whether their own event is there.
            .one(&self.store.pools.read)
            .await?;
        known
            .filter(|known| self.now - known.recorded_at <= KEPT)
            .map(|known| Position { transaction_id: known.transaction_id, sequence: known.sequence })
            .ok_or(Error::EventsGone)
    }
}

/// The events after a position, in the order of their transactions.
///
/// On PostgreSQL a transaction takes its number with its first write and its rows are seen with its commit, so a row
/// may turn up behind others that have been read. An event is given only when every transaction of its number or a
/// lower one has ended: after that nothing can turn up before it. What is not settled yet comes with a later read.
pub(super) async fn read(db: &DatabaseConnection, after: Position, most: usize) -> Result<Batch> {
    let backend = db.get_database_backend();
    let settled = match backend {
        DbBackend::Postgres => "transaction_id < (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint",
        _ => "TRUE",
    };
    let statement = Statement::from_sql_and_values(
        backend,
        format!(
            "SELECT organization_id, id, kind, row_id, open, transaction_id, sequence, {settled} AS settled \
             FROM outbox WHERE (transaction_id, sequence) > ($1, $2) ORDER BY transaction_id, sequence LIMIT $3"
        ),
        [after.transaction_id.into(), after.sequence.into(), (most as i64).into()],
    );
    let rows = Read::find_by_statement(statement).all(db).await?;
    let unsettled = rows.iter().any(|row| !row.settled);
    let events = rows.into_iter().take_while(|row| row.settled).map(|row| Event {
        at: Position { transaction_id: row.transaction_id, sequence: row.sequence },
        organization_id: row.organization_id,
        id: row.id,
        kind: row.kind,
        row_id: row.row_id,
        open: row.open,
    });
    Ok(Batch { events: events.collect(), unsettled })
}

/// The position behind everything that has settled.
pub(super) async fn last(db: &DatabaseConnection) -> Result<Position> {
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            "SELECT (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint - 1 AS transaction_id, \
             9223372036854775807 AS sequence"
        }
        _ => "SELECT 0 AS transaction_id, COALESCE(MAX(sequence), 0) AS sequence FROM outbox",
    };
    let position = Position::find_by_statement(Statement::from_string(backend, sql)).one(db).await?;
    position.ok_or_else(|| Error::Internal("the outbox has no end".into()))
}

impl Store {
    /// Deletes events that are older than they are kept. The newest stays, so that numbers go on from it.
    pub(super) async fn prune_outbox(&self, now: DateTime<Utc>) -> Result<()> {
        let write = &self.pools.write;
        let backend = write.get_database_backend();
        let old =
            "DELETE FROM outbox WHERE recorded_at < $1 AND sequence < (SELECT MAX(sequence) FROM outbox)";
        write.execute_raw(Statement::from_sql_and_values(backend, old, [(now - KEPT).into()])).await?;
        if backend == DbBackend::Postgres {
            // A row that is seen is of a transaction that has been; one with a number yet to come was brought here with
            // a copy of another cluster's data, and would stand before everything that is new.
            write
                .execute_unprepared(
                    "DELETE FROM outbox \
                     WHERE transaction_id >= (pg_snapshot_xmax(pg_current_snapshot())::text)::bigint",
                )
                .await?;
        }
        Ok(())
    }

    /// Tells the servers on this database that there is something to read. On SQLite they look for themselves.
    pub(super) async fn announce(&self) -> Result<()> {
        if self.pools.write.get_database_backend() == DbBackend::Postgres {
            self.pools.write.execute_unprepared(&format!("NOTIFY {CHANNEL}")).await?;
        }
        Ok(())
    }
}
