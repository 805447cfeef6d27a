//! SQLite files, copied from one that is migrated once.

use std::{fs, path::PathBuf};

use migration::Migrator;
use sea_orm_migration::MigratorTrait;
use tokio::sync::OnceCell;

use crate::{
    database::{connect, migrations_hash},
    folder::{Folder, run_folder},
};

/// A database file in a folder of its own, which goes with it.
pub(crate) struct Database {
    pub url: String,
    folder: Folder,
}

impl Database {
    /// A copy of the migrated template.
    pub async fn migrated() -> Self {
        let template = template().await;
        let database = Self::empty();
        let file = database.folder.path().join(FILE);
        fs::copy(template, &file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        database
    }

    pub fn empty() -> Self {
        let folder = Folder::new();
        Self { url: url(&folder.path().join(FILE)), folder }
    }
}

const FILE: &str = "umbral.sqlite";

fn url(file: &std::path::Path) -> String {
    format!("sqlite://{}?mode=rwc", file.display())
}

async fn template() -> &'static PathBuf {
    static TEMPLATE: OnceCell<PathBuf> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(async || {
            let file = run_folder().path.join(format!("template_{:016x}.sqlite", migrations_hash()));
            let db = connect(&url(&file)).await;
            Migrator::up(&db, None).await.unwrap_or_else(|error| panic!("migrations: {error}"));
            // With no connection left there is no journal left, and the file is the whole database.
            db.close().await.unwrap_or_else(|error| panic!("closing: {error}"));
            file
        })
        .await
}
