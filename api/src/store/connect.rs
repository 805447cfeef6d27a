//! Connections: one pool to write, one to read, and on PostgreSQL one for outsiders.

use std::{path::Path, time::Duration};

use migration::{Migrator, MigratorTrait};
use rand::TryRngCore;
use sea_orm::{
    ActiveModelTrait, ConnectOptions, Database, DatabaseConnection, DbBackend, EntityTrait, Set,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};

use super::{STATEMENTS, changes};
use crate::{
    clock::Clock,
    error::{Error, Result},
};

/// The embedded database's file in the data folder.
pub const SQLITE_FILE: &str = "umbral.sqlite";

/// The connections of one process.
pub struct Pools {
    pub(super) write: DatabaseConnection,
    /// On PostgreSQL the same pool as `write`; on SQLite connections that cannot write.
    pub(super) read: DatabaseConnection,
    /// Connections of a role that is granted operations rows only. None on SQLite.
    pub(super) outside: Option<DatabaseConnection>,
}

/// How many connections a pool holds.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub main: u32,
    pub outside: u32,
    /// How long somebody waits for a connection.
    pub connection_time: Duration,
    /// How long PostgreSQL works on one statement; none for commands, whose work may take its time.
    pub statement_time: Option<Duration>,
}

impl Pools {
    /// Connects. A SQLite file is made when there is none.
    ///
    /// # Errors
    /// When a database is out of reach.
    pub async fn connect(url: &str, outside_url: Option<&str>, sizes: Sizes) -> Result<Self> {
        if url.starts_with("sqlite:") {
            let mut write = options(url, 1, sizes.connection_time, None);
            write.map_sqlx_sqlite_opts(|options| durable(options).create_if_missing(true));
            let write = connect(write).await?;
            let mut read = options(url, sizes.main.max(2), sizes.connection_time, None);
            read.map_sqlx_sqlite_opts(|options| durable(options).pragma("query_only", "ON"));
            return Ok(Self { write, read: connect(read).await?, outside: None });
        }
        let write = connect(options(url, sizes.main, sizes.connection_time, sizes.statement_time)).await?;
        let outside = match outside_url {
            Some(url) => {
                Some(connect(options(url, sizes.outside, sizes.connection_time, sizes.statement_time)).await?)
            }
            None => None,
        };
        Ok(Self { read: write.clone(), write, outside })
    }

    /// The address of a SQLite file in a folder.
    pub fn sqlite_url(folder: &Path) -> String {
        format!("sqlite://{}?mode=rwc", folder.join(SQLITE_FILE).display())
    }

    /// Names of migrations that this program knows and the database has not seen.
    pub async fn pending(&self) -> Result<Vec<String>> {
        let pending = Migrator::get_pending_migrations_read_only(&self.write).await?;
        Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
    }

    /// Whether no migration has been applied yet.
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(self.pending().await?.len() == Migrator::migrations().len())
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<()> {
        Ok(Migrator::up(&self.write, None).await?)
    }

    /// Grants the outside role what outsiders read.
    pub async fn grant_outside(&self, role: &str) -> Result<()> {
        Ok(migration::outside::grant(&self.write, role).await?)
    }
}

fn options(url: &str, connections: u32, wait: Duration, statement_time: Option<Duration>) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(wait)
        .connect_timeout(Duration::from_secs(5))
        .test_before_acquire_if_idle_for(Duration::from_secs(30))
        .sqlx_logging(false)
        .record_stmt_in_spans(false);
    if let Some(time) = statement_time {
        options.statement_timeout(time);
    }
    // Our statements have one good plan each, whatever the parameters; planning anew costs a quarter of a page. They are
    // short, and compiling one takes longer than it runs: a device that asks for news would pay that each time.
    options.map_sqlx_postgres_opts(|options| {
        options.options([("plan_cache_mode", "force_generic_plan"), ("jit", "off")])
    });
    options
}

/// Acknowledged is on disk: WAL, and a sync at every commit.
fn durable(
    options: sea_orm::sqlx::sqlite::SqliteConnectOptions,
) -> sea_orm::sqlx::sqlite::SqliteConnectOptions {
    options
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(20))
        .pragma("cache_size", "-16000")
        .pragma("mmap_size", "268435456")
}

async fn connect(options: ConnectOptions) -> Result<DatabaseConnection> {
    let mut db = Database::connect(options).await?;
    db.set_metric_callback(|_| {
        // Outside a request nobody counts.
        let _ = STATEMENTS.try_with(|count| count.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    });
    Ok(db)
}

/// What all servers on this database share; made by the first one.
#[expect(clippy::disallowed_methods, reason = "the one row of a table without a scope")]
pub(super) async fn instance(pools: &Pools, clock: &Clock) -> Result<entity::instance::Model> {
    let pending = pools.pending().await?;
    if !pending.is_empty() {
        return Err(Error::Internal(format!("migrations are pending: {}", pending.join(", "))));
    }
    let key = fresh_key()?;
    changes::after_restore(&pools.write, &key).await?;
    if let Some(row) = entity::instance::Entity::find_by_id(1).one(&pools.read).await? {
        return Ok(row);
    }
    let row = entity::instance::ActiveModel {
        id: Set(1),
        cursor_key: Set(key),
        demo: Set(false),
        recorded_at: Set(clock.now()),
    };
    match row.insert(&pools.write).await {
        Ok(row) => Ok(row),
        // Another server was first.
        Err(_) => entity::instance::Entity::find_by_id(1)
            .one(&pools.write)
            .await?
            .ok_or_else(|| Error::Internal("the instance row cannot be made".into())),
    }
}

fn fresh_key() -> Result<Vec<u8>> {
    let mut key = vec![0; 32];
    rand::rngs::OsRng
        .try_fill_bytes(&mut key)
        .map_err(|_| Error::Internal("the system gives no randomness".into()))?;
    Ok(key)
}

impl Pools {
    /// After a database was put back from a backup: no cursor from before opens any more, so all devices and lists
    /// begin anew. What has happened since the backup has taken numbers that stand for something else by now, and no
    /// server can tell. A server that runs goes on with the old key until it starts again.
    ///
    /// # Errors
    /// When the database is out of reach.
    #[expect(clippy::disallowed_methods, reason = "the one row of a table without a scope")]
    pub async fn forget_cursors(&self) -> Result<()> {
        entity::instance::Entity::update_many()
            .set(entity::instance::ActiveModel { cursor_key: Set(fresh_key()?), ..Default::default() })
            .exec(&self.write)
            .await?;
        Ok(())
    }
}

/// The backend's name, for logs and the banner.
pub fn backend_name(pools: &Pools) -> &'static str {
    match pools.write.get_database_backend() {
        DbBackend::Postgres => "PostgreSQL",
        _ => "SQLite",
    }
}
