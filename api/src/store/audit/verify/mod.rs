//! Verification: walks every organisation's chain again, and holds it against the heads that were exported.
//!
//! Nothing of the database is believed but that it gives the same rows twice. A few rows are in memory at once,
//! however long the chain.

mod fault;
mod heads;
mod rows;

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use entity::audit_seal;
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Statement};
use uuid::Uuid;

pub use self::fault::{Fault, Faults, Place, moment};
use self::rows::Walk;
use super::{
    chain::{self, FORM, Raw},
    seal::{newest_link, unsealed},
};
use crate::{
    error::{Error, Result},
    store::Store,
};

/// How many rows, and how many seals, are read at once.
const AT_ONCE: u64 = 500;
/// For how long a transaction may be open, or two clocks differ, before a row counts as one that came too late.
const OPEN: TimeDelta = TimeDelta::hours(1);

/// Where heads are found.
#[derive(Clone, Debug)]
pub enum Source {
    /// The folder that this installation writes: all heads have to be there.
    Own(PathBuf),
    /// A copy that was kept elsewhere: whatever is there has to fit.
    Kept(PathBuf),
}

/// What was found of an organisation.
#[derive(Debug)]
pub struct Chain {
    pub slug: String,
    /// How many rows have their place in the chain, and up to which moment.
    pub rows: i64,
    pub upto: Option<DateTime<Utc>>,
    /// How many rows have none yet, and since when the oldest waits.
    pub unsealed: i64,
    pub since: Option<String>,
    /// How many heads agree with the chain, and how many of these are signed by keys that are no longer here.
    pub heads: u64,
    pub unknown_keys: u64,
    pub faults: Faults,
}

impl Store {
    /// Verifies the chain of every organisation.
    ///
    /// # Errors
    /// When the database or the heads are out of reach. What is wrong with the audit is no error, but in the answer.
    pub async fn verify_audit(&self, source: &Source) -> Result<Vec<Chain>> {
        #[derive(FromQueryResult)]
        struct Row {
            id: Uuid,
            slug: String,
        }
        let statement = Statement::from_string(
            self.pools.read.get_database_backend(),
            "SELECT id, slug FROM organization ORDER BY slug",
        );
        if let Source::Kept(path) = source
            && !path.exists()
        {
            return Err(Error::Internal(format!("{}: there are no heads", path.display())));
        }
        let organizations = Row::find_by_statement(statement).all(&self.pools.read).await?;
        let known: Vec<&str> = organizations.iter().map(|row| row.slug.as_str()).collect();
        let mut chains = self.strangers(source, &known)?;
        for Row { id, slug } in &organizations {
            let mut chain = self.verify_rows(*id, slug).await?;
            self.verify_heads(*id, source, &mut chain).await?;
            chains.push(chain);
        }
        Ok(chains)
    }

    async fn verify_rows(&self, organization: Uuid, slug: &str) -> Result<Chain> {
        // Read before the seals, which hold all places up to this one.
        let end = newest_link(&self.pools.read, organization).await?.map_or(0, |link| link.number);
        let mut walk = Walk::new(organization);
        let mut before = chain::beginning(organization);
        let (mut number, mut upto) = (0, None);
        loop {
            let seals = self.seals_behind(organization, number).await?;
            for seal in &seals {
                if seal.number != number + 1 {
                    walk.faults.add(Fault::SealMissing { first: number + 1, last: seal.number - 1 });
                }
                let behind = walk.next == seal.first_row;
                self.walk_to(&mut walk, seal.last_row).await?;
                let fits = walk.ends().any(|last| chain::seal(&before, seal, last) == seal.digest);
                if !(fits && behind && seal.form == FORM) {
                    walk.faults.add(Fault::SealChanged(Place::of(seal)));
                }
                if seal.drained {
                    walk.drained_at = Some(seal.sealed_at);
                }
                (number, upto) = (seal.number, Some(seal.sealed_at));
                before.clone_from(&seal.digest);
            }
            if (seals.len() as u64) < AT_ONCE {
                break;
            }
        }
        let sealed = walk.next - 1;
        self.walk_to(&mut walk, end).await?;
        if walk.next - 1 > sealed {
            walk.faults.add(Fault::BehindSeals { first: sealed + 1, last: walk.next - 1, seal: number });
        }
        let mut faults = walk.finish();
        for row in self.strays(organization).await? {
            faults.add(Fault::Inserted(row));
        }
        for id in self.gone(organization).await? {
            faults.add(Fault::GoneUnsealed(id));
        }
        let (unsealed, since) = unsealed(&self.pools.read, organization).await?;
        Ok(Chain {
            slug: slug.to_owned(),
            rows: sealed,
            upto,
            unsealed,
            since,
            heads: 0,
            unknown_keys: 0,
            faults,
        })
    }

    #[expect(clippy::disallowed_methods, reason = "the chain of one organisation, for its verification")]
    async fn seals_behind(&self, organization: Uuid, number: i64) -> Result<Vec<audit_seal::Model>> {
        use audit_seal::Column::{Number, OrganizationId};
        let seals = audit_seal::Entity::find()
            .filter(OrganizationId.eq(organization))
            .filter(Number.gt(number))
            .order_by_asc(Number)
            .limit(AT_ONCE);
        Ok(seals.all(&self.pools.read).await?)
    }

    /// Rows that have no place in the chain and do not wait for one: no writer of ours has put them there.
    async fn strays(&self, organization: Uuid) -> Result<Vec<Raw>> {
        let backend = self.pools.read.get_database_backend();
        let sql = format!(
            "SELECT {} FROM audit_event e \
             LEFT JOIN audit_link l ON l.organization_id = e.organization_id AND l.event_id = e.id \
             LEFT JOIN audit_pending p ON p.organization_id = e.organization_id AND p.event_id = e.id \
             WHERE e.organization_id = $1 AND l.event_id IS NULL AND p.event_id IS NULL \
             ORDER BY e.recorded_at, e.id LIMIT {}",
            Raw::selection(backend),
            Faults::LISTED + 1
        );
        let rows = self.raw(Statement::from_sql_and_values(backend, sql, [organization.into()])).await?;
        Ok(rows.iter().filter_map(|row| Raw::read(row, backend, 0).transpose()).collect::<Result<_, _>>()?)
    }

    /// Rows that waited for their place and are no longer there.
    async fn gone(&self, organization: Uuid) -> Result<Vec<Uuid>> {
        let sql = format!(
            "SELECT p.event_id FROM audit_pending p \
             LEFT JOIN audit_event e ON e.organization_id = p.organization_id AND e.id = p.event_id \
             WHERE p.organization_id = $1 AND e.id IS NULL ORDER BY p.sequence LIMIT {}",
            Faults::LISTED + 1
        );
        let backend = self.pools.read.get_database_backend();
        let rows = self.raw(Statement::from_sql_and_values(backend, sql, [organization.into()])).await?;
        Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
    }

    async fn raw(&self, statement: Statement) -> Result<Vec<sea_orm::QueryResult>> {
        use sea_orm::ConnectionTrait;
        Ok(self.pools.read.query_all_raw(statement).await?)
    }
}
