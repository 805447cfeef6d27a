//! The only module that can reach the database, and the home of the rules about who sees what.
//!
//! A request gets an [`Access`]: the database as its viewer may see it. Inside `store` a read starts from
//! [`Access::select`], which adds the viewer's scope; an entity that states no scope cannot be read.

pub mod agreement;
pub mod audit;
pub mod award;
pub mod bulk;
pub mod catalog;
pub mod changes;
pub mod class;
pub mod connect;
pub mod distribution;
pub mod duplicate;
pub mod export;
pub mod facility;
pub mod feed;
mod form;
pub mod gift;
pub mod impact;
pub mod import;
pub mod indicator;
pub mod input;
pub mod item;
pub mod keys;
pub mod keyset;
pub mod kit;
pub mod mail;
pub mod member;
pub mod organization;
pub mod outbox;
pub mod outcome;
pub mod participant;
pub mod payout;
pub mod program;
pub mod record;
pub mod release;
pub mod retention;
pub mod rights_request;
pub mod safeguarding;
pub mod search;
pub mod shipment;
pub mod sign_in;
pub mod stats;
pub mod stock;
pub mod survey;
pub mod sync;
pub mod tied;
pub mod time_zone;
mod together;
pub mod work;
pub mod write;

use std::sync::{
    Arc, OnceLock, RwLock,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    AccessMode, Condition, ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, FromQueryResult,
    IsolationLevel, QueryFilter, Select, TransactionOptions, TransactionTrait,
};
use tokio::sync::Mutex;

use crate::{
    auth::{Viewer, password::Passwords, token, verifier::Verifier},
    clock::Clock,
    error::{Error, Result},
    graphql::audience::Audience,
    sealed::SigningKey,
    vault::Vault,
};
use catalog::Catalog;
use together::Together;

tokio::task_local! {
    /// How many statements this request has run.
    pub static STATEMENTS: Arc<AtomicU32>;
}

/// The database and what is kept of it in memory. One per process.
pub struct Store {
    pools: connect::Pools,
    catalog: RwLock<Arc<Catalog>>,
    loading: Mutex<()>,
    versions: Together<i64>,
    instance: entity::instance::Model,
    keys: OnceLock<Arc<Verifier>>,
    vault: OnceLock<Arc<Vault>>,
    clocks: OnceLock<rights_request::Clocks>,
    releases: OnceLock<SigningKey>,
    pub feed: feed::Feed,
    pub passwords: Passwords,
    pub clock: Clock,
}

/// The database as one viewer may see it, for one request.
#[derive(Clone)]
pub struct Access {
    store: Arc<Store>,
    pub viewer: Viewer,
    pub catalog: Arc<Catalog>,
    pub now: DateTime<Utc>,
    /// The SHA-256 of the document that asks; none outside GraphQL.
    pub document: Option<[u8; 32]>,
    /// For the second attempt of a write: the transaction that holds the reference tables as `catalog` has them.
    held: Option<tied::Held>,
    /// How many statements this request has run, for work that goes on in other tasks.
    pub statements: Arc<AtomicU32>,
    seen: Arc<Seen>,
    /// Why women's records are used, when the request says so.
    purpose: Option<record::Purpose>,
}

/// What the statements of a request have seen of the version of the reference tables.
#[derive(Debug, Default)]
pub struct Seen {
    same: AtomicBool,
    other: AtomicBool,
}

impl Seen {
    /// Whether a statement has seen the version that the request goes by, and none another.
    pub fn is_current(&self) -> bool {
        self.same.load(Ordering::Relaxed) && !self.other.load(Ordering::Relaxed)
    }

    fn note(&self, same: bool) {
        let seen = if same { &self.same } else { &self.other };
        seen.store(true, Ordering::Relaxed);
    }
}

/// The rows of an entity that a viewer may see. No default: an entity that says nothing cannot be read.
trait Scoped: EntityTrait {
    fn visible_to(access: &Access) -> Condition;
}

/// A condition that no row meets.
fn nothing() -> Condition {
    Condition::all().add(sea_orm::sea_query::Expr::cust("1 = 0"))
}

impl Store {
    /// Opens a database that is migrated, and reads the reference tables.
    ///
    /// # Errors
    /// When the database is out of reach, or migrations are pending.
    pub async fn open(pools: connect::Pools, clock: Clock) -> Result<Arc<Self>> {
        let instance = connect::instance(&pools, &clock).await?;
        let catalog = RwLock::new(Arc::new(load(&pools.read, None).await?));
        Ok(Arc::new(Self {
            pools,
            catalog,
            loading: Mutex::new(()),
            versions: Together::default(),
            instance,
            keys: OnceLock::new(),
            vault: OnceLock::new(),
            clocks: OnceLock::new(),
            releases: OnceLock::new(),
            feed: feed::Feed::default(),
            passwords: Passwords::default(),
            clock,
        }))
    }

    /// The database as this viewer may see it. Reads the reference tables anew when they have changed.
    pub async fn access(self: &Arc<Self>, viewer: Viewer) -> Result<Access> {
        Ok(self.access_with(viewer, self.catalog().await?))
    }

    /// The database as this viewer may see it, with reference tables that have just been read.
    pub fn access_with(self: &Arc<Self>, viewer: Viewer, catalog: Arc<Catalog>) -> Access {
        self.access_seeing(viewer, catalog, Arc::default())
    }

    /// The same with reference tables out of memory; `seen` says afterwards whether they are those of the database.
    pub fn access_seeing(self: &Arc<Self>, viewer: Viewer, catalog: Arc<Catalog>, seen: Arc<Seen>) -> Access {
        let statements = STATEMENTS.try_with(Arc::clone).unwrap_or_default();
        let now = self.clock.now();
        let store = self.clone();
        Access { store, viewer, catalog, now, held: None, statements, seen, purpose: None, document: None }
    }

    /// The reference tables as they are now, whoever changed them last.
    pub async fn catalog(&self) -> Result<Arc<Catalog>> {
        let version = self.versions.read(|| version(&self.pools.read)).await?;
        let kept = self.kept();
        if kept.version == version {
            return Ok(kept);
        }
        let _one_at_a_time = self.loading.lock().await;
        // Somebody else may have loaded them meanwhile. A database that was put back to an older state has a lower
        // version, so it is the same one or it is loaded.
        let version = self::version(&self.pools.read).await?;
        let kept = self.kept();
        if kept.version == version {
            return Ok(kept);
        }
        let fresh = Arc::new(load(&self.pools.read, Some(&kept)).await?);
        self.keep(fresh.clone());
        Ok(fresh)
    }

    fn keep(&self, fresh: Arc<Catalog>) {
        *self.catalog.write().unwrap_or_else(std::sync::PoisonError::into_inner) = fresh;
    }

    /// The reference tables as this process read them last.
    pub fn kept(&self) -> Arc<Catalog> {
        self.catalog.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Whether the demonstration data set was loaded into this database.
    pub fn is_demo(&self) -> bool {
        self.instance.demo
    }

    /// The key that cursors are sealed with, shared by all servers on this database.
    pub fn cursor_key(&self) -> &[u8] {
        &self.instance.cursor_key
    }

    /// The wall in the database: on PostgreSQL outsiders have a pool whose role may read no other table.
    ///
    /// # Errors
    /// When there is no such pool, or its role may read what it must not.
    pub async fn outside_is_walled(&self) -> Result<()> {
        #[derive(FromQueryResult)]
        struct Row {
            open: bool,
        }
        if self.pools.write.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let Some(outside) = &self.pools.outside else {
            return Err(Error::Internal(
                "production on PostgreSQL needs OUTSIDE_DATABASE_URL, the address for a role that \
                 `umbral migrate --outside-role` has been told"
                    .into(),
            ));
        };
        let statement = sea_orm::Statement::from_string(
            DbBackend::Postgres,
            "SELECT bool_or(has_any_column_privilege(oid, 'SELECT')) \
             FILTER (WHERE relname NOT IN ('distribution', 'distribution_line', 'kit_line', 'catalog_version', \
             'gift_quarter', 'gift_balance', 'gift_flow', 'gift_trace', 'gift_account')) \
             OR bool_or(has_any_column_privilege(oid, 'INSERT, UPDATE') OR has_table_privilege(oid, 'DELETE, TRUNCATE')) \
             OR NOT row_security_active('distribution') OR NOT row_security_active('distribution_line') \
             OR NOT row_security_active('gift_account') AS open \
             FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = 'public'::regnamespace",
        );
        match Row::find_by_statement(statement).one(outside).await? {
            Some(Row { open: false }) => Ok(()),
            _ => Err(Error::Internal(
                "the role of OUTSIDE_DATABASE_URL may read more than operations rows; \
                 run `umbral migrate --outside-role NAME` with its name"
                    .into(),
            )),
        }
    }

    /// The keys that statements are signed with. A server that has started keeps the first it is given.
    pub fn sign_with(&self, keys: Arc<Verifier>) {
        let _ = self.keys.set(keys);
    }

    /// The keys of women's records. A server that has started keeps the first it is given.
    pub fn keep_records_with(&self, vault: Arc<Vault>) {
        let _ = self.vault.set(vault);
    }

    /// By when women's requests are answered, where it is not by the clocks that Umbral comes with.
    pub fn count_by(&self, clocks: rights_request::Clocks) {
        let _ = self.clocks.set(clocks);
    }

    /// The key that releases are signed with. A server that has started keeps the first it is given.
    pub fn seal_releases_with(&self, key: SigningKey) {
        let _ = self.releases.set(key);
    }

    fn release_signing_key(&self) -> Option<&SigningKey> {
        self.releases.get()
    }

    fn clocks(&self) -> &rights_request::Clocks {
        self.clocks.get_or_init(rights_request::Clocks::default)
    }

    fn vault(&self) -> Result<&Arc<Vault>> {
        self.vault.get().ok_or_else(|| Error::Internal("no keys for women's records".into()))
    }

    /// The keys that this server signs with.
    fn signer(&self) -> Result<&Verifier> {
        self.keys.get().map(Arc::as_ref).ok_or_else(|| Error::Internal("no keys to sign with".into()))
    }

    /// A statement, signed for whoever reads our public keys.
    fn sign(&self, statement: &serde_json::Value) -> Result<String> {
        token::sign(&self.signer()?.ring(), statement)
            .map_err(|fault| Error::Internal(format!("a statement was not signed: {fault:?}")))
    }

    /// Whether the database answers.
    pub async fn ready(&self) -> Result<()> {
        version(&self.pools.read).await.map(drop)
    }

    /// Closes all connections.
    pub async fn close(&self) {
        for pool in [Some(&self.pools.write), Some(&self.pools.read), self.pools.outside.as_ref()]
            .into_iter()
            .flatten()
        {
            let _ = pool.clone().close().await;
        }
    }
}

impl Access {
    /// The one door to a read.
    #[expect(clippy::disallowed_methods, reason = "the one door to a read")]
    fn select<E: Scoped>(&self) -> Select<E> {
        E::find().filter(E::visible_to(self))
    }

    /// The connection that this viewer's reads go through: outsiders have a pool of their own, whose role has
    /// no grant on a records row.
    fn reader(&self) -> &DatabaseConnection {
        match (&self.store.pools.outside, self.viewer.audience()) {
            (Some(outside), Audience::Public | Audience::Donor | Audience::Partner) => outside,
            _ => &self.store.pools.read,
        }
    }

    fn backend(&self) -> DbBackend {
        self.store.pools.write.get_database_backend()
    }

    /// Today in UTC.
    pub fn today(&self) -> NaiveDate {
        self.now.date_naive()
    }

    /// Whether the viewer is not staff.
    pub fn is_outside(&self) -> bool {
        self.viewer.audience() != Audience::Staff
    }

    /// # Errors
    /// `NotPermitted` when the role does not hold the right.
    pub fn require(&self, right: crate::auth::Right) -> Result<()> {
        if self.viewer.has(right) { Ok(()) } else { Err(Error::NotPermitted) }
    }

    pub fn cursor_key(&self) -> &[u8] {
        self.store.cursor_key()
    }

    /// The same viewer, seeing what has been written meanwhile.
    pub async fn refreshed(&self) -> Result<Self> {
        Ok(Self { catalog: self.store.catalog().await?, ..self.clone() })
    }
}

/// A transaction for writing. On SQLite it takes the write lock at once, so that a read in it cannot go stale
/// before its write.
async fn begin(db: &DatabaseConnection) -> Result<sea_orm::DatabaseTransaction> {
    Ok(db
        .begin_with_options(TransactionOptions {
            isolation_level: (db.get_database_backend() == DbBackend::Postgres)
                .then_some(IsolationLevel::ReadCommitted),
            access_mode: None,
            sqlite_transaction_mode: Some(sea_orm::SqliteTransactionMode::Immediate),
        })
        .await?)
}

/// The version of the reference tables.
async fn version(db: &impl ConnectionTrait) -> Result<i64> {
    #[derive(FromQueryResult)]
    struct Row {
        version: i64,
    }
    let statement = sea_orm::Statement::from_string(
        db.get_database_backend(),
        "SELECT version FROM catalog_version WHERE id = 1",
    );
    let row = Row::find_by_statement(statement).one(db).await?;
    row.map(|row| row.version).ok_or_else(|| Error::Internal("catalog_version is empty".into()))
}

/// Reads the reference tables as they are at one moment.
async fn load(db: &DatabaseConnection, kept: Option<&Catalog>) -> Result<Catalog> {
    let snapshot = match db.get_database_backend() {
        DbBackend::Postgres => {
            db.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await?
        }
        _ => db.begin().await?,
    };
    let version = version(&snapshot).await?;
    let catalog = Catalog::load(&snapshot, version, kept).await?;
    snapshot.commit().await?;
    Ok(catalog)
}
