//! A database for one test, on either system.

use std::hash::{DefaultHasher, Hash, Hasher};

use migration::Migrator;
use sea_orm::{ConnectOptions, DatabaseConnection};
use sea_orm_migration::MigratorTrait;

use crate::{Fixture, folder::next_number, plans::Watch, postgres, sqlite};

/// The two systems that every test runs on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// A database that no other test sees, removed when this is dropped.
pub struct TestDatabase {
    pub backend: Backend,
    pub url: String,
    /// The same database as the outside role, where there are roles.
    pub outside_url: Option<String>,
    _database: Database,
}

enum Database {
    Sqlite(#[expect(dead_code, reason = "it is only held")] sqlite::Database),
    Postgres(postgres::Database),
}

impl TestDatabase {
    /// A migrated database without rows.
    ///
    /// # Panics
    /// When there is no PostgreSQL: tests are never skipped for that.
    pub async fn new(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::on_sqlite(sqlite::Database::migrated().await),
            Backend::Postgres => Self::on_postgres(postgres::Database::migrated(name()).await),
        }
    }

    /// A database without tables, for tests of the migrations themselves.
    pub async fn empty(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::on_sqlite(sqlite::Database::empty()),
            Backend::Postgres => Self::on_postgres(postgres::Database::empty(name()).await),
        }
    }

    /// A migrated database that notes how it reads, where it can: see [`crate::plans`].
    pub async fn watched(backend: Backend) -> Self {
        let database = Self::new(backend).await;
        if let Database::Postgres(database) = &database._database {
            database.log_plans().await;
        }
        database
    }

    /// How this database reads from here on; none on SQLite, which does not say.
    pub fn watch(&self) -> Option<Watch> {
        match &self._database {
            Database::Sqlite(_) => None,
            Database::Postgres(database) => Some(Watch::new(database.log())),
        }
    }

    /// A connection as the owner, past all rules of the server.
    pub async fn connect(&self) -> DatabaseConnection {
        connect(&self.url).await
    }

    /// A connection as the outside role.
    ///
    /// # Panics
    /// On SQLite, which has no roles.
    pub async fn connect_outside(&self) -> DatabaseConnection {
        match &self.outside_url {
            Some(url) => connect(url).await,
            None => panic!("{:?} has no roles", self.backend),
        }
    }

    fn on_sqlite(database: sqlite::Database) -> Self {
        Self {
            backend: Backend::Sqlite,
            url: database.url.clone(),
            outside_url: None,
            _database: Database::Sqlite(database),
        }
    }

    fn on_postgres(database: postgres::Database) -> Self {
        Self {
            backend: Backend::Postgres,
            url: database.url.clone(),
            outside_url: Some(database.outside_url.clone()),
            _database: Database::Postgres(database),
        }
    }
}

impl Fixture for TestDatabase {
    async fn start(backend: Backend) -> Self {
        Self::new(backend).await
    }

    async fn stop(self) {}
}

fn name() -> String {
    format!("t_{}", next_number())
}

/// Opens a small pool; a test that holds a transaction may still read beside it.
pub(crate) async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(4).sqlx_logging(false);
    sea_orm::Database::connect(options).await.unwrap_or_else(|error| panic!("{url}: {error}"))
}

/// Tells one set of migrations from another.
pub(crate) fn migrations_hash() -> u64 {
    let mut hasher = DefaultHasher::new();
    for migration in Migrator::migrations() {
        migration.name().hash(&mut hasher);
    }
    hasher.finish()
}
