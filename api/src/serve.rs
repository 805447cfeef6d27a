//! Starting and stopping the server.

use std::{net::SocketAddr, path::Path, sync::Arc};

use actix_web::{App as Actix, HttpServer, dev::ServerHandle, middleware::from_fn, web};

use crate::{
    auth::{Authenticator, issuers::Issuers, keys::KeyRing, verifier::Verifier},
    chores,
    config::{Config, Mode},
    error::{Error, Result},
    http::{self, App, graphql::Engine},
    sealed::{self, KeyFault, SigningKey},
    store::{
        Store,
        audit::heads::Heads,
        connect::{Pools, Sizes},
        rights_request::Clocks,
    },
    vault::{self, Vault},
};

/// A server that runs until it is stopped.
pub struct Running {
    pub address: SocketAddr,
    pub store: Arc<Store>,
    pub verifier: Arc<Verifier>,
    handle: ServerHandle,
    joined: tokio::task::JoinHandle<std::io::Result<()>>,
    feed: tokio::task::JoinHandle<()>,
    sealer: Option<tokio::task::JoinHandle<()>>,
    chores: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Lets open requests end, and stops.
    pub async fn stop(self) {
        self.store.feed.end();
        self.handle.stop(true).await;
        self.wait().await;
    }

    /// Waits until the server ends by itself: by a signal.
    pub async fn wait(self) {
        let _ = self.joined.await;
        self.feed.abort();
        if let Some(sealer) = self.sealer {
            sealer.abort();
        }
        self.chores.abort();
        self.store.close().await;
    }
}

/// Follows the outbox. On a signal to stop it tells the sockets, which else would be waited for.
async fn follow(store: Arc<Store>) {
    let stopped = async {
        use tokio::signal::unix::{SignalKind, signal};
        match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
            (Ok(mut terminate), Ok(mut interrupt)) => {
                tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () }
            }
            // The server itself says so when there are no signals.
            _ => std::future::pending().await,
        }
    };
    tokio::select! {
        () = store.clone().run_feed() => (),
        () = stopped => store.feed.end(),
    }
}

/// Connects and, in demo mode, brings the schema up to date.
///
/// # Errors
/// When the database is out of reach, or, in production, not up to date or full of demonstration data.
pub async fn open(config: &Config) -> Result<Arc<Store>> {
    let pools = connect(config).await?;
    if config.mode == Mode::Demo {
        pools.migrate().await?;
    }
    let pending = pools.pending().await?;
    if !pending.is_empty() {
        return Err(Error::Internal(format!(
            "migrations are pending, run `umbral migrate` first: {}",
            pending.join(", ")
        )));
    }
    let store = Store::open(pools, config.clock.clone()).await?;
    if config.mode == Mode::Production && store.is_demo() {
        return Err(Error::Internal("this database holds demonstration data; production refuses it".into()));
    }
    if config.mode == Mode::Production {
        store.outside_is_walled().await?;
    }
    Ok(store)
}

/// Connects to the configured database.
///
/// # Errors
/// When it is out of reach.
pub async fn connect(config: &Config) -> Result<Pools> {
    if config.database_url.starts_with("sqlite:") {
        private_folder(&config.data_dir)
            .map_err(|fault| Error::Internal(format!("{}: {fault}", config.data_dir.display())))?;
    }
    let sizes = Sizes {
        main: config.pool,
        outside: config.outside_pool,
        connection_time: config.connection_time,
        statement_time: config.statement_time,
    };
    Pools::connect(&config.database_url, config.outside_database_url.as_deref(), sizes).await
}

/// The data folder, and the database in it, which are for nobody else on the machine. SQLite gives the files
/// beside its database the same mode.
fn private_folder(folder: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if folder.exists() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let file = folder.join(crate::store::connect::SQLITE_FILE);
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(file).map(drop)
}

/// The verifier of tokens: our own keys and the outside issuers.
///
/// # Errors
/// When keys are missing in production, unsafe on disk, or an issuer is not configured right.
pub fn verifier(config: &Config) -> Result<Verifier> {
    let keys = config.keys_dir();
    let ring = match config.mode {
        Mode::Demo => KeyRing::open_or_generate(&keys, config.clock.now()),
        Mode::Production => KeyRing::load(&keys),
    };
    let ring = ring.map_err(|fault| Error::Internal(fault.to_string()))?;
    if config.mode == Mode::Production && ring.active().is_none() {
        return Err(Error::Internal("there is no signing key, run `umbral keys generate` first".into()));
    }
    let issuers = match &config.issuers {
        Some(path) => Issuers::load(path).map_err(|fault| Error::Internal(fault.to_string()))?,
        None => Issuers::none(),
    };
    Verifier::new(ring, config.issuer()?, config.audience(), issuers)
        .map_err(|fault| Error::Internal(fault.to_string()))
}

/// The keys of women's records. In demo mode they are made.
///
/// # Errors
/// When the master key is missing in production, or others can get at it.
pub fn vault(config: &Config) -> Result<Vault> {
    if config.mode == Mode::Demo
        && let vault::Source::File(path) = &config.master_key
    {
        vault::Source::generate_if_missing(path)?;
    }
    if let vault::Source::File(path) = &config.master_key
        && !path.exists()
    {
        let text = format!("{}: there is no master key, run `umbral keys generate` first", path.display());
        return Err(Error::Internal(text));
    }
    Ok(Vault::open(config.record_keys.clone(), config.master_key.clone())?)
}

/// Gives the store the key that releases are signed with, and the public ones to whoever reads. In demo mode it is made; in
/// production nothing is published while it is missing.
///
/// # Errors
/// When it is damaged, or others can get at it.
pub fn release_keys(config: &Config, store: &Store) -> Result<serde_json::Value> {
    let told = |fault: KeyFault| Error::Internal(fault.text());
    let path = &config.release_key;
    let key = match SigningKey::open(path) {
        Err(KeyFault::None(_)) if config.mode == Mode::Demo => Some(SigningKey::renew(path).map_err(told)?),
        Err(KeyFault::None(_)) => None,
        found => Some(found.map_err(told)?),
    };
    let Some(key) = key else { return Ok(sealed::jwk_set(&[])) };
    store.seal_releases_with(key);
    Ok(sealed::jwk_set(&sealed::public_keys(path).map_err(told)?))
}

/// The clocks of a file.
fn clocks(path: &Path) -> Result<Clocks> {
    let told = |fault: String| Error::Internal(format!("{}: {fault}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|fault| told(fault.to_string()))?;
    Clocks::parse(&text).map_err(told)
}

/// Starts serving. In demo mode the schema is brought up to date first.
///
/// # Errors
/// When anything that the server needs is missing.
pub async fn start(config: Config) -> Result<Running> {
    let store = open(&config).await?;
    start_with(config, store).await
}

/// Starts serving on a store that is open.
///
/// # Errors
/// As [`start`].
pub async fn start_with(config: Config, store: Arc<Store>) -> Result<Running> {
    let verifier = Arc::new(verifier(&config)?);
    verifier.preload(config.clock.now()).await;
    store.sign_with(verifier.clone());
    store.keep_records_with(Arc::new(vault(&config)?));
    if let Some(path) = &config.rights_clocks {
        store.count_by(clocks(path)?);
    }
    let release_keys = release_keys(&config, &store)?;
    store.destroy_retired().await?;
    store.encipher_notes().await?;
    let app = web::Data::new(App {
        config: config.clone(),
        store: store.clone(),
        authenticator: Authenticator { verifier: verifier.clone() },
        graphql: Engine::new(),
        sockets: http::live::Sockets::default(),
        exports: http::Exports::new(config.exports.workbooks),
        release_keys,
    });
    let server = HttpServer::new(move || {
        Actix::new().app_data(app.clone()).wrap(from_fn(http::frame)).configure(http::routes)
    })
    .workers(config.workers)
    .client_request_timeout(std::time::Duration::from_secs(10))
    .max_connections(10_000)
    .shutdown_timeout(10)
    .bind(config.listen)
    .map_err(|fault| Error::Internal(format!("{}: {fault}", config.listen)))?;
    let address = server.addrs().first().copied().unwrap_or(config.listen);
    store.start_feed().await?;
    let server = server.run();
    let handle = server.handle();
    let joined = tokio::spawn(server);
    let feed = tokio::spawn(follow(store.clone()));
    let heads = Heads::new(config.audit_heads.clone());
    let sealer = config.seal_every.map(|every| tokio::spawn(store.clone().run_sealer(every, heads)));
    let chores = tokio::spawn(chores::run(store.clone(), config.mail_command));
    Ok(Running { address, store, verifier, handle, joined, feed, sealer, chores })
}
