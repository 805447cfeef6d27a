//! The real server on a database of its own.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use api::{
    auth::{
        Authenticator,
        token::{IssueOptions, issue},
    },
    clock::Clock,
    config::Config,
    demo::load::{Size, load},
    serve::Running,
    store::Access,
};
use chrono::{DateTime, TimeDelta, Utc};

use sea_orm::ConnectionTrait;

use crate::{Backend, Client, Fixture, Folder, TestDatabase, block_on, database::connect};

/// A running server. Tests act on it through clients, and seed rows through `database`.
pub struct TestApp {
    pub database: TestDatabase,
    pub data_dir: Folder,
    pub address: SocketAddr,
    pub running: Running,
    clock: Clock,
    now: Arc<Mutex<DateTime<Utc>>>,
    meanwhile: Meanwhile,
    anonymous: Client,
}

/// What happens when the server next reads its clock.
type Meanwhile = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

impl TestApp {
    pub async fn start(backend: Backend) -> Self {
        Self::start_on(TestDatabase::new(backend).await).await
    }

    /// Starts on a database that the test has prepared.
    pub async fn start_on(database: TestDatabase) -> Self {
        Self::configured(database, |_| ()).await
    }

    /// The same, with another configuration than tests usually have.
    pub async fn configured(database: TestDatabase, change: impl FnOnce(&mut Config)) -> Self {
        let data_dir = Folder::new();
        let today = TODAY.parse().unwrap_or_else(|error| panic!("{error}"));
        let now = Arc::new(Mutex::new(today));
        let meanwhile = Meanwhile::default();
        let (read, next) = (now.clone(), meanwhile.clone());
        let clock = Clock::from_fn(move || {
            let next = next.lock().unwrap_or_else(|error| panic!("{error}")).take();
            if let Some(next) = next {
                next();
            }
            *read.lock().unwrap_or_else(|error| panic!("{error}"))
        });
        let mut config = config(&database, data_dir.path(), clock.clone());
        change(&mut config);
        let running = spawn(config).await;
        let address = running.address;
        let anonymous = Client::anonymous(format!("http://{address}"));
        Self { database, data_dir, address, running, clock, now, meanwhile, anonymous }
    }

    /// A second server on the same database, with the same keys and the same clock.
    pub async fn second(&self) -> Running {
        spawn(config(&self.database, self.data_dir.path(), self.clock.clone())).await
    }

    /// A running server with the demonstration data set.
    pub async fn demo(backend: Backend) -> Self {
        let app = Self::start(backend).await;
        load(&app.running.store, Size { seed: 7, scale: 1 }, |_, _| {})
            .await
            .unwrap_or_else(|error| panic!("demonstration data: {error:?}"));
        app
    }

    /// A running server with the demonstration data set and its published outcomes.
    pub async fn outcomes(backend: Backend) -> Self {
        let app = Self::demo(backend).await;
        let published = api::demo::outcomes::publish(&app.running.store, |_, _| {}).await;
        published.unwrap_or_else(|error| panic!("outcomes: {error:?}"));
        app
    }

    /// Moves the clock of the server.
    pub fn set_now(&self, now: &str) {
        let now = now.parse().unwrap_or_else(|error| panic!("{now}: {error}"));
        *self.now.lock().unwrap_or_else(|error| panic!("{error}")) = now;
    }

    /// Runs SQL, as somebody with a console does, when the server next reads its clock. A request does that after it
    /// has looked at the reference tables and before it writes.
    pub fn meanwhile(&self, sql: String) {
        let url = self.database.url.clone();
        let run = async move {
            let db = connect(&url).await;
            db.execute_unprepared(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            db.close().await.unwrap_or_else(|error| panic!("{error}"));
        };
        let run = || drop(std::thread::spawn(|| block_on(run)).join());
        *self.meanwhile.lock().unwrap_or_else(|error| panic!("{error}")) = Some(Box::new(run));
    }

    /// A demonstration account: `partner` of `demo-partner-network`, `coordinator` of `la-cana`.
    pub fn member(&self, role: &str, organization: &str) -> Client {
        self.subject(&format!("demo:{role}:{organization}"))
    }

    /// The database as a demonstration account may see it, with the reference tables as they are now.
    pub async fn access(&self, role: &str, organization: &str) -> Access {
        let store = &self.running.store;
        let catalog = store.catalog().await.unwrap_or_else(|error| panic!("{error:?}"));
        let header = format!("Bearer {}", self.token(&format!("demo:{role}:{organization}")));
        let authenticator = Authenticator { verifier: self.running.verifier.clone() };
        let viewer = authenticator.viewer(&catalog, Some(&header), None, store.clock.now()).await;
        store.access_with(viewer.unwrap_or_else(|error| panic!("{error:?}")), catalog)
    }

    /// Whoever a subject of our own issuer is.
    pub fn subject(&self, subject: &str) -> Client {
        self.with_token(&self.token(subject))
    }

    /// A token of our own issuer.
    pub fn token(&self, subject: &str) -> String {
        let now = *self.now.lock().unwrap_or_else(|error| panic!("{error}"));
        let options = IssueOptions {
            issuer: "umbral-demo",
            audience: "umbral",
            subject,
            lifetime: TimeDelta::days(1),
            now,
        };
        issue(&self.running.verifier.ring(), options).unwrap_or_else(|error| panic!("token: {error}"))
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

fn config(database: &TestDatabase, data_dir: &Path, clock: Clock) -> Config {
    Config { clock, ..Config::for_tests(data_dir, &database.url, database.outside_url.as_deref()) }
}

async fn spawn(config: Config) -> Running {
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

/// A [`TestApp`] with the demonstration data set and its published outcomes.
pub struct OutcomesApp(TestApp);

impl std::ops::Deref for OutcomesApp {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.0
    }
}

impl Fixture for OutcomesApp {
    async fn start(backend: Backend) -> Self {
        Self(TestApp::outcomes(backend).await)
    }

    async fn stop(self) {
        self.0.shut_down().await;
    }
}
