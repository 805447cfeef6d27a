//! The real server on a database of its own.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use api::{
    auth::token::{IssueOptions, issue},
    clock::Clock,
    config::Config,
    demo::load::{Size, load},
    serve::Running,
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{Backend, Client, Fixture, Folder, TestDatabase};

/// A running server. Tests act on it through clients, and seed rows through `database`.
pub struct TestApp {
    pub database: TestDatabase,
    pub data_dir: Folder,
    pub address: SocketAddr,
    pub running: Running,
    now: Arc<Mutex<DateTime<Utc>>>,
    anonymous: Client,
}

impl TestApp {
    pub async fn start(backend: Backend) -> Self {
        Self::start_on(TestDatabase::new(backend).await).await
    }

    /// Starts on a database that the test has prepared.
    pub async fn start_on(database: TestDatabase) -> Self {
        let data_dir = Folder::new();
        let today = TODAY.parse().unwrap_or_else(|error| panic!("{error}"));
        let now = Arc::new(Mutex::new(today));
        let read = now.clone();
        let clock = Clock::from_fn(move || *read.lock().unwrap_or_else(|error| panic!("{error}")));
        let running = spawn(&database.url, database.outside_url.as_deref(), data_dir.path(), clock).await;
        let address = running.address;
        let anonymous = Client::anonymous(format!("http://{address}"));
        Self { database, data_dir, address, running, now, anonymous }
    }

    /// A running server with the demonstration data set.
    pub async fn demo(backend: Backend) -> Self {
        let app = Self::start(backend).await;
        load(&app.running.store, Size { seed: 7, scale: 1 }, |_, _| {})
            .await
            .unwrap_or_else(|error| panic!("demonstration data: {error:?}"));
        app
    }

    /// Moves the clock of the server.
    pub fn set_now(&self, now: &str) {
        let now = now.parse().unwrap_or_else(|error| panic!("{now}: {error}"));
        *self.now.lock().unwrap_or_else(|error| panic!("{error}")) = now;
    }

    /// A demonstration account: `partner` of `demo-partner-network`, `coordinator` of `la-cana`.
    pub fn member(&self, role: &str, organization: &str) -> Client {
        self.subject(&format!("demo:{role}:{organization}"))
    }

    /// Whoever a subject of our own issuer is.
    pub fn subject(&self, subject: &str) -> Client {
        let now = *self.now.lock().unwrap_or_else(|error| panic!("{error}"));
        let options = IssueOptions {
            issuer: "umbral-demo",
            audience: "umbral",
            subject,
            lifetime: TimeDelta::days(1),
            now,
        };
        let token =
            issue(&self.running.verifier.ring(), options).unwrap_or_else(|error| panic!("token: {error}"));
        self.with_token(&token)
    }

    /// Nobody, who is a viewer.
    pub fn anonymous(&self) -> Client {
        self.anonymous.clone()
    }

    /// Whoever the token names.
    pub fn with_token(&self, token: &str) -> Client {
        self.anonymous.token(token)
    }

    /// Ends the server as an operator ends it, and gives the database back.
    pub async fn shut_down(self) -> TestDatabase {
        self.running.stop().await;
        self.database
    }
}

impl Fixture for TestApp {
    async fn start(backend: Backend) -> Self {
        Self::start(backend).await
    }

    async fn stop(self) {
        self.shut_down().await;
    }
}

/// The day on which all tests take place, unless they move the clock.
pub const TODAY: &str = "2026-11-20T12:00:00Z";

async fn spawn(url: &str, outside_url: Option<&str>, data_dir: &Path, clock: Clock) -> Running {
    let mut config = Config::for_tests(data_dir, url, outside_url);
    config.clock = clock;
    api::serve::start(config).await.unwrap_or_else(|error| panic!("start: {error:?}"))
}

/// A [`TestApp`] with the demonstration data set.
pub struct DemoApp(TestApp);

impl std::ops::Deref for DemoApp {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.0
    }
}

impl Fixture for DemoApp {
    async fn start(backend: Backend) -> Self {
        Self(TestApp::demo(backend).await)
    }

    async fn stop(self) {
        self.0.shut_down().await;
    }
}
