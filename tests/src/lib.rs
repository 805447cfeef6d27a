//! The harness: the real server on a real database, SQLite and PostgreSQL both.
//!
//! A test is written once and runs on both: see [`both!`].

use std::{future::Future, io::Write};

pub mod app;
pub mod catalogue;
pub mod client;
pub mod database;
pub mod folder;
pub mod plans;
pub mod postgres;
mod program;
pub mod socket;
mod sqlite;

pub use app::{DemoApp, OutcomesApp, TODAY, TestApp};
pub use client::{Answer, Client};
pub use database::{Backend, TestDatabase};
pub use folder::Folder;
pub use program::program;
pub use socket::Socket;

/// What a test is given: made before it and taken down after it.
pub trait Fixture: Sized {
    fn start(backend: Backend) -> impl Future<Output = Self>;
    fn stop(self) -> impl Future<Output = ()>;
}

/// Makes two tests of one body, `NAME::sqlite` and `NAME::postgres`.
///
/// ```text
/// both!(async fn stranger_sees_nothing(app: &TestApp) {
///     let answer = app.anonymous().query("{ __typename }", Value::Null).await;
///     assert_eq!(answer.data(), &json!({ "__typename": "Query" }));
/// });
/// ```
#[macro_export]
macro_rules! both {
    ($(#[$meta:meta])* async fn $name:ident($fixture:ident: &$kind:ty) $body:block) => {
        $(#[$meta])*
        #[cfg(test)]
        mod $name {
            use super::*;

            async fn body($fixture: &$kind) $body

            #[test]
            fn sqlite() {
                $crate::run($crate::Backend::Sqlite, body);
            }

            #[test]
            fn postgres() {
                $crate::run($crate::Backend::Postgres, body);
            }
        }
    };
}

/// Runs a test to its end on a runtime of its own. A test that panics leaves the rest to `Drop`.
pub fn run<F: Fixture>(backend: Backend, body: impl AsyncFnOnce(&F)) {
    block_on(async {
        let fixture = F::start(backend).await;
        body(&fixture).await;
        fixture.stop().await;
    });
}

/// A runtime for tests that need no fixture, or one system only.
pub fn block_on<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("runtime: {error}"));
    // What the server spawns on its own thread stays on this one.
    tokio::task::LocalSet::new().block_on(&runtime, test)
}

/// Says that something was not checked, and why. It is seen although the test passes, whose output else is kept back.
pub fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}
