//! The sealer: gives pending rows their places in the chain.
//!
//! It takes whatever is pending and committed at its moment, in the order of writing. One at a time per database
//! works at it, so any number of servers make one chain.

use std::{sync::Arc, time::Duration};

use entity::{audit_link, audit_seal};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, Statement,
};
use uuid::Uuid;

use super::{
    chain::{self, FORM, Raw},
    heads::Heads,
};
use crate::{
    error::{Error, Result},
    store::{Store, begin, bulk},
};

/// How many rows a seal holds at most.
const AT_ONCE: i64 = 1_000;
/// With every so many rounds, heads are looked at although nothing was sealed here: another server may have.
const LOOK: u64 = 10;
/// The lock that a sealer holds on PostgreSQL. Locks of two numbers are none of those of one, which writers hold.
const LOCK: &str = "SELECT pg_advisory_xact_lock(15, 1)";

/// A row that waits for its place.
struct Waiting {
    event_id: Uuid,
    sequence: i64,
    row: Raw,
}

impl Store {
    /// Seals what is pending, and says how many rows that were.
    ///
    /// # Errors
    /// When the database is out of reach. What was sealed stays sealed.
    pub async fn seal_audit(&self) -> Result<u64> {
        #[derive(FromQueryResult)]
        struct Row {
            organization_id: Uuid,
        }
        let sql = "SELECT DISTINCT organization_id FROM audit_pending";
        let statement = Statement::from_string(self.pools.read.get_database_backend(), sql);
        let mut sealed = Ok(0);
        for Row { organization_id } in Row::find_by_statement(statement).all(&self.pools.read).await? {
            // What is wrong with one chain does not stop the others.
            match (self.seal_all_of(organization_id).await, &mut sealed) {
                (Ok(rows), Ok(sum)) => *sum += rows,
                (Err(fault), Ok(_)) => sealed = Err(fault),
                (_, Err(_)) => {}
            }
        }
        sealed
    }

    async fn seal_all_of(&self, organization: Uuid) -> Result<u64> {
        let mut sealed = 0;
        loop {
            let rows = self.seal_next(organization).await? as u64;
            sealed += rows;
            if rows < AT_ONCE as u64 {
                return Ok(sealed);
            }
        }
    }

    /// Seals again and again, until it is dropped, and exports what the chains have come to.
    pub async fn run_sealer(self: Arc<Self>, every: Duration, heads: Heads) {
        let mut tick = tokio::time::interval(every);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for round in 0.. {
            tick.tick().await;
            let done = async {
                let sealed = self.seal_audit().await;
                if !matches!(sealed, Ok(0)) || round % LOOK == 0 {
                    self.export_heads(&heads).await?;
                }
                sealed
            };
            match done.await {
                Ok(_) => {}
                Err(Error::Internal(text)) => tracing::error!(fault = %text, "the audit cannot be sealed"),
                Err(_) => tracing::warn!("the audit cannot be sealed, the database is out of reach"),
            }
        }
    }

    /// Makes one seal of an organisation's next rows.
    async fn seal_next(&self, organization: Uuid) -> Result<usize> {
        let tx = begin(&self.pools.write).await?;
        if tx.get_database_backend() == DbBackend::Postgres {
            tx.execute_unprepared(LOCK).await?;
        }
        let waiting = waiting(&tx, organization).await?;
        let Some(last_sequence) = waiting.last().map(|waiting| waiting.sequence) else { return Ok(0) };
        let before = newest_seal(&tx, organization).await?;
        let last = newest_link(&tx, organization).await?;
        let first_row = last.as_ref().map_or(0, |link| link.number) + 1;
        let mut digest = last.map_or_else(|| chain::beginning(organization), |link| link.digest);
        let mut links = Vec::with_capacity(waiting.len());
        for (number, waiting) in (first_row..).zip(&waiting) {
            digest = chain::link(&digest, number, &waiting.row);
            links.push(audit_link::Model {
                organization_id: organization,
                number,
                event_id: waiting.event_id,
                digest: digest.clone(),
            });
        }
        let last_row = first_row + links.len() as i64 - 1;
        let mut seal = audit_seal::Model {
            organization_id: organization,
            number: before.as_ref().map_or(0, |seal| seal.number) + 1,
            first_row,
            last_row,
            drained: (links.len() as i64) < AT_ONCE,
            form: FORM,
            digest: Vec::new(),
            sealed_at: self.clock.now(),
        };
        let before = before.map_or_else(|| chain::beginning(organization), |seal| seal.digest);
        seal.digest = chain::seal(&before, &seal, &digest);
        let rows = links.len() as u64 + 1;
        let inserted = bulk::insert::<audit_link::Entity>(&tx, links).await?
            + bulk::insert::<audit_seal::Entity>(&tx, vec![seal]).await?;
        if inserted != rows {
            return Err(Error::Internal("a place of the audit chain is taken".into()));
        }
        let taken = "DELETE FROM audit_pending WHERE organization_id = $1 AND sequence <= $2 AND event_id IN \
                     (SELECT event_id FROM audit_link WHERE organization_id = $1 AND number BETWEEN $3 AND $4)";
        let values = [organization.into(), last_sequence.into(), first_row.into(), last_row.into()];
        tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), taken, values)).await?;
        tx.commit().await?;
        Ok(waiting.len())
    }
}

/// The next rows of an organisation that have no place yet. One that is gone stays pending, as a sign that it was.
async fn waiting(tx: &DatabaseTransaction, organization: Uuid) -> Result<Vec<Waiting>> {
    let backend = tx.get_database_backend();
    // The limit is in the text and comes first: a plan for any number of rows would read all of the chain.
    let sql = format!(
        "SELECT p.event_id, p.sequence, {} FROM (SELECT * FROM audit_pending \
         WHERE organization_id = $1 ORDER BY sequence LIMIT {AT_ONCE}) p \
         JOIN audit_event e ON e.organization_id = p.organization_id AND e.id = p.event_id \
         LEFT JOIN audit_link l ON l.organization_id = p.organization_id AND l.event_id = p.event_id \
         WHERE l.event_id IS NULL ORDER BY p.sequence",
        Raw::selection(backend)
    );
    let statement = Statement::from_sql_and_values(backend, sql, [organization.into()]);
    let mut rows = Vec::new();
    for row in tx.query_all_raw(statement).await? {
        let Some(raw) = Raw::read(&row, backend, 2)? else { continue };
        rows.push(Waiting {
            event_id: row.try_get_by_index(0)?,
            sequence: row.try_get_by_index(1)?,
            row: raw,
        });
    }
    Ok(rows)
}

/// The newest seal of an organisation.
#[expect(clippy::disallowed_methods, reason = "the chain of one organisation, for the sealer")]
pub(super) async fn newest_seal(
    db: &impl ConnectionTrait,
    organization: Uuid,
) -> Result<Option<audit_seal::Model>> {
    use audit_seal::Column::{Number, OrganizationId};
    let seals = audit_seal::Entity::find().filter(OrganizationId.eq(organization)).order_by_desc(Number);
    Ok(seals.one(db).await?)
}

/// The last place of an organisation's chain.
#[expect(clippy::disallowed_methods, reason = "the chain of one organisation, for the sealer")]
pub(super) async fn newest_link(
    db: &impl ConnectionTrait,
    organization: Uuid,
) -> Result<Option<audit_link::Model>> {
    use audit_link::Column::{Number, OrganizationId};
    let links = audit_link::Entity::find().filter(OrganizationId.eq(organization)).order_by_desc(Number);
    Ok(links.one(db).await?)
}

/// How many rows of an organisation wait for their place, and since when the oldest does.
pub(super) async fn unsealed(db: &impl ConnectionTrait, organization: Uuid) -> Result<(i64, Option<String>)> {
    #[derive(FromQueryResult)]
    struct Row {
        rows: i64,
        since: Option<String>,
    }
    let backend = db.get_database_backend();
    let text = if backend == DbBackend::Postgres { "::text" } else { "" };
    let sql = format!(
        "SELECT count(*) AS rows, min(e.recorded_at){text} AS since FROM audit_pending p \
         JOIN audit_event e ON e.organization_id = p.organization_id AND e.id = p.event_id \
         WHERE p.organization_id = $1"
    );
    let statement = Statement::from_sql_and_values(backend, sql, [organization.into()]);
    let row = Row::find_by_statement(statement).one(db).await?;
    Ok(row.map_or((0, None), |row| (row.rows, row.since)))
}
