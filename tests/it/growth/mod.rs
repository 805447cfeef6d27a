//! What is asked over a period, or of now, takes no longer as history grows: as many statements, and on PostgreSQL as
//! many rows read.

mod deliveries;
mod devices;
mod stock;

use std::ops::Deref;

use serde_json::Value;
use tests::{Backend, Client, Fixture, TestApp, TestDatabase, plans::Reading};

use crate::{seed, talk::ask, world::*};

/// A world on a database that notes how it reads.
pub struct Watched(World);

impl Fixture for Watched {
    async fn start(backend: Backend) -> Self {
        let app = TestApp::start_on(TestDatabase::watched(backend).await).await;
        seed::all(&app).await;
        Self(World(app))
    }

    async fn stop(self) {
        self.0.stop().await;
    }
}

impl Deref for Watched {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

/// What an answer has taken: its statements and, on PostgreSQL, what they have read.
#[derive(Clone, Debug)]
pub struct Cost {
    statements: u64,
    reading: Option<Reading>,
}

impl Watched {
    /// What a document takes once the reference tables are in memory and the statement is known.
    pub async fn cost(&self, client: &Client, document: &str, variables: Value) -> Cost {
        client.query(document, variables.clone()).await.data();
        ask(client, "{ __typename }").await;
        let watch = self.database.watch();
        let answer = client.query(document, variables).await;
        answer.data();
        let statements = answer.statements();
        let reading = match watch {
            Some(watch) => Some(watch.reading(statements).await),
            None => None,
        };
        Cost { statements, reading }
    }

    /// Lets the database know how its tables have grown.
    pub async fn analyze(&self) {
        self.sql("ANALYZE").await;
    }
}

/// What was asked by whom, and what it took.
pub type Costs = Vec<(String, Cost)>;

/// Fails when something has become more than a little dearer.
#[track_caller]
pub fn same(before: &Costs, after: &Costs) {
    let grown = |before: u64, after: u64| after > before * 6 / 5 + 50;
    let mut faults = String::new();
    for ((what, before), (_, after)) in before.iter().zip(after) {
        assert_eq!(after.statements, before.statements, "{what}");
        let (Some(before), Some(after)) = (&before.reading, &after.reading) else { continue };
        assert!(before.rows > 0, "{what}: nothing was read");
        // A small table is read as a whole, of a large one perhaps a page for each row.
        if grown(before.rows, after.rows) || grown(before.rows.max(before.pages), after.pages) {
            faults += &format!(
                "{what}: {} rows and {} pages became {} rows and {} pages:\n{}\n",
                before.rows, before.pages, after.rows, after.pages, after.scans
            );
        }
    }
    assert!(faults.is_empty(), "{faults}");
}
