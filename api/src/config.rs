//! Configuration: one struct, each field documented. The only module that reads the environment.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, ValueEnum};
use ipnet::IpNet;

use crate::{
    clock::Clock,
    demo,
    error::{Error, Result},
    vault,
};

/// How careful the server is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Mode {
    /// Migrates by itself, loads demonstration data, and prints tokens.
    Demo,
    /// Refuses pending migrations, demonstration data and missing keys.
    Production,
}

/// Settings of all commands, from the command line or the environment.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// Address to listen on.
    #[arg(long, env = "UMBRAL_LISTEN", default_value = "127.0.0.1:8080", global = true)]
    pub listen: SocketAddr,

    /// Folder for keys and, without DATABASE_URL, for the embedded database.
    #[arg(long, env = "UMBRAL_DATA_DIR", default_value = "./data", global = true)]
    pub data_dir: PathBuf,

    /// postgres://… or sqlite://…; without it, a SQLite file in the data folder.
    #[arg(long, env = "DATABASE_URL", global = true, hide_env_values = true)]
    pub database_url: Option<String>,

    /// A file that holds the address of the database.
    #[arg(long, env = "DATABASE_URL_FILE", global = true)]
    pub database_url_file: Option<PathBuf>,

    /// PostgreSQL only: the same database as a role that is granted operations rows only, for public, donor
    /// and partner requests (see `umbral migrate --outside-role`).
    #[arg(long, env = "OUTSIDE_DATABASE_URL", global = true, hide_env_values = true)]
    pub outside_database_url: Option<String>,

    /// A file that holds it.
    #[arg(long, env = "OUTSIDE_DATABASE_URL_FILE", global = true)]
    pub outside_database_url_file: Option<PathBuf>,

    /// demo without DATABASE_URL, production with it.
    #[arg(long, env = "UMBRAL_MODE", global = true)]
    pub mode: Option<Mode>,

    /// Production: the name in which our own tokens are issued. Accounts are known by it, so it never changes. The
    /// address that clients use when left out.
    #[arg(long, env = "UMBRAL_ISSUER", global = true)]
    pub issuer: Option<String>,

    /// The address that clients use.
    #[arg(long, env = "UMBRAL_PUBLIC_URL", global = true)]
    pub public_url: Option<String>,

    /// JSON file of outside token issuers: {"issuers": [{"issuer", "audience", "jwks", "algorithms"}]}.
    #[arg(long, env = "UMBRAL_ISSUERS", global = true)]
    pub issuers: Option<PathBuf>,

    /// Folder of the keys that women's records are ciphered with, shared by all servers on one database; without it, in
    /// the data folder. Mirror it, and never keep old versions of it: what is erased would come back.
    #[arg(long, env = "UMBRAL_RECORD_KEYS", global = true)]
    pub record_keys: Option<PathBuf>,

    /// File of the master key that these are wrapped by; without it, in the data folder.
    #[arg(long, env = "UMBRAL_MASTER_KEY_FILE", global = true)]
    pub master_key_file: Option<PathBuf>,

    /// A command of the shell that prints the master key, in place of a file.
    #[arg(long, env = "UMBRAL_MASTER_KEY_COMMAND", global = true, conflicts_with = "master_key_file")]
    pub master_key_command: Option<String>,

    /// File of the key that releases are signed with; without it, in the data folder.
    #[arg(long, env = "UMBRAL_RELEASE_KEY_FILE", global = true)]
    pub release_key_file: Option<PathBuf>,

    /// JSON file of the days in which women's requests about their data are answered, by country, in place of those that
    /// Umbral comes with: docs/rights.md.
    #[arg(long, env = "UMBRAL_RIGHTS_CLOCKS", global = true)]
    pub rights_clocks: Option<PathBuf>,

    /// Origins of browsers that may call the API and open WebSockets, with commas between; none by default.
    #[arg(long, env = "UMBRAL_CORS_ORIGINS", value_delimiter = ',', global = true)]
    pub cors_origins: Vec<String>,

    /// Networks of proxies whose X-Forwarded-For is believed, with commas between: 10.0.0.0/8,fd00::/8. None by default:
    /// then tries to sign in are counted by the address that a request comes from.
    #[arg(long, env = "UMBRAL_TRUSTED_PROXIES", value_delimiter = ',', global = true)]
    pub trusted_proxies: Vec<String>,

    /// Run by the server for each mail, with the mail as JSON on its input: a program and its arguments, with spaces
    /// between. Without it mails wait for `umbral mail`.
    #[arg(long, env = "UMBRAL_MAIL_COMMAND", global = true)]
    pub mail_command: Option<String>,

    /// Connections of the main pool.
    #[arg(long, env = "UMBRAL_POOL", default_value_t = 16, global = true)]
    pub pool: u32,

    /// Connections of the pool for outsiders.
    #[arg(long, env = "UMBRAL_OUTSIDE_POOL", default_value_t = 8, global = true)]
    pub outside_pool: u32,

    /// Seconds after which a request is stopped.
    #[arg(long, env = "UMBRAL_REQUEST_SECONDS", default_value_t = 15, global = true)]
    pub request_seconds: u64,

    /// WebSockets that may be open at one time; of these, one in ten before it has said who it is for.
    #[arg(long, env = "UMBRAL_SOCKETS", default_value_t = 2_000, global = true)]
    pub sockets: usize,

    /// WebSockets that one account may have open; all who send no token count as one.
    #[arg(long, env = "UMBRAL_SOCKETS_PER_VIEWER", default_value_t = 10, global = true)]
    pub sockets_per_viewer: usize,

    /// Subscriptions on one WebSocket.
    #[arg(long, env = "UMBRAL_SUBSCRIPTIONS_PER_SOCKET", default_value_t = 20, global = true)]
    pub subscriptions_per_socket: usize,

    /// Seconds between two pings on a WebSocket; one that leaves two without an answer is closed.
    #[arg(long, env = "UMBRAL_SOCKET_PING_SECONDS", default_value_t = 20, global = true)]
    pub socket_ping_seconds: u64,

    /// Folder for the heads of the audit; heads in the data folder when left out.
    #[arg(long, env = "UMBRAL_AUDIT_HEADS", global = true)]
    pub audit_heads: Option<PathBuf>,

    /// Worker threads; as many as there are processors when left out.
    #[arg(long, env = "UMBRAL_WORKERS", global = true)]
    pub workers: Option<usize>,

    /// What is logged, such as warn,api=debug.
    #[arg(long, env = "UMBRAL_LOG", default_value = "warn,api=info", global = true)]
    pub log: String,

    /// How it is logged.
    #[arg(long, env = "UMBRAL_LOG_FORMAT", value_enum, default_value_t = LogFormat::Pretty, global = true)]
    pub log_format: LogFormat,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum LogFormat {
    Pretty,
    Json,
}

/// The most that one document may cost, by audience.
#[derive(Clone, Copy, Debug)]
pub struct CostLimits {
    pub public: u64,
    pub outside: u64,
    pub staff: u64,
}

/// How many WebSockets there may be, and how long they are waited for.
#[derive(Clone, Copy, Debug)]
pub struct SocketLimits {
    pub all: usize,
    /// Of these, before `connection_init`.
    pub waiting: usize,
    pub of_viewer: usize,
    pub subscriptions: usize,
    /// Between opening and `connection_init`.
    pub init_time: Duration,
    /// Between two pings.
    pub ping_time: Duration,
    /// How long a message may wait for a client that does not read.
    pub send_time: Duration,
}

/// How many exports there may be at one time, and how long they wait for a client.
#[derive(Clone, Copy, Debug)]
pub struct ExportLimits {
    /// Workbooks that are put together or sent; each takes the processor and the disk.
    pub workbooks: usize,
    /// Of all forms, for one account.
    pub of_account: usize,
    /// How long a part of a finished file may wait for a client that does not read.
    pub send_time: Duration,
}

/// What the server runs with.
#[derive(Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub database_url: String,
    pub outside_database_url: Option<String>,
    pub mode: Mode,
    /// Who our own tokens are from in production. None when nobody has said.
    pub issuer: Option<String>,
    pub issuers: Option<PathBuf>,
    /// The folder of the keys of women's records.
    pub record_keys: PathBuf,
    /// What these are wrapped by.
    pub master_key: vault::Source,
    /// The file of the key that releases are signed with.
    pub release_key: PathBuf,
    /// A file in place of the clocks that Umbral comes with.
    pub rights_clocks: Option<PathBuf>,
    pub cors_origins: Vec<String>,
    pub trusted_proxies: Vec<IpNet>,
    pub mail_command: Option<String>,
    pub pool: u32,
    pub outside_pool: u32,
    /// How long a request waits for a connection before it is told that the service is busy.
    pub connection_time: Duration,
    pub request_time: Duration,
    /// How long PostgreSQL works on one statement. None for commands.
    pub statement_time: Option<Duration>,
    pub workers: usize,
    /// Where the heads of the audit are written.
    pub audit_heads: PathBuf,
    /// How often the server seals what is new in the audit; none when something else does.
    pub seal_every: Option<Duration>,
    pub cost: CostLimits,
    pub sockets: SocketLimits,
    pub exports: ExportLimits,
    pub clock: Clock,
    /// Say in a header how many statements a request has run. For tests.
    pub count_statements: bool,
}

const RECORD_KEYS: &str = "record-keys";
const MASTER_KEY: &str = "master.key";
const RELEASE_KEY: &str = "release.key";

const EXPORTS: ExportLimits =
    ExportLimits { workbooks: 4, of_account: 2, send_time: Duration::from_secs(60) };

/// The folder for the heads of the audit, in the data folder.
const HEADS: &str = "heads";

/// A setting that cannot be used: which, and why.
#[derive(Debug)]
pub struct BadSetting(pub String);

impl Settings {
    /// The file of the key that releases are signed with. Commands that need nothing else ask for it here.
    pub fn release_key(&self) -> PathBuf {
        self.release_key_file.clone().unwrap_or_else(|| self.data_dir.join(RELEASE_KEY))
    }

    /// # Errors
    /// What is missing or does not go together.
    pub fn into_config(self) -> Result<Config, BadSetting> {
        let release_key = self.release_key();
        let given = secret(self.database_url, self.database_url_file.as_deref(), "DATABASE_URL")?;
        let outside_database_url = secret(
            self.outside_database_url,
            self.outside_database_url_file.as_deref(),
            "OUTSIDE_DATABASE_URL",
        )?;
        let mode = self.mode.unwrap_or(if given.is_some() { Mode::Production } else { Mode::Demo });
        let database_url = match given {
            Some(url)
                if ["postgres://", "postgresql://", "sqlite:"].iter().any(|start| url.starts_with(start)) =>
            {
                url
            }
            Some(_) => return Err(BadSetting("DATABASE_URL: use postgres://… or sqlite://…".into())),
            None => crate::store::connect::Pools::sqlite_url(&self.data_dir),
        };
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let public_url = given(self.public_url).map(|url| url.trim_end_matches('/').to_owned());
        let trusted_proxies = self.trusted_proxies.iter().filter(|net| !net.is_empty()).map(|net| {
            let alone = || net.parse::<std::net::IpAddr>().map(IpNet::from);
            net.parse().or_else(|_| alone()).map_err(|_| {
                BadSetting(format!("UMBRAL_TRUSTED_PROXIES: {net} is no network, such as 10.0.0.0/8"))
            })
        });
        let trusted_proxies = trusted_proxies.collect::<Result<_, _>>()?;
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let master_key = match (self.master_key_command, self.master_key_file) {
            (Some(command), _) => vault::Source::Command(command),
            (None, Some(file)) => vault::Source::File(file),
            (None, None) => vault::Source::File(self.data_dir.join(MASTER_KEY)),
        };
        let audit_heads = self.audit_heads.unwrap_or_else(|| self.data_dir.join(HEADS));
        Ok(Config {
            listen: self.listen,
            record_keys: self.record_keys.unwrap_or_else(|| self.data_dir.join(RECORD_KEYS)),
            master_key,
            release_key,
            data_dir: self.data_dir,
            database_url,
            outside_database_url,
            mode,
            issuer: given(self.issuer).or(public_url),
            issuers: self.issuers,
            rights_clocks: self.rights_clocks,
            cors_origins: self.cors_origins.into_iter().filter(|origin| !origin.is_empty()).collect(),
            trusted_proxies,
            mail_command: given(self.mail_command),
            pool: self.pool.clamp(1, 500),
            outside_pool: self.outside_pool.clamp(1, 500),
            connection_time: Duration::from_secs(5),
            request_time: Duration::from_secs(self.request_seconds.clamp(1, 300)),
            statement_time: Some(Duration::from_secs(self.request_seconds.clamp(1, 300) + 5)),
            workers: self.workers.unwrap_or(processors).clamp(1, 256),
            audit_heads,
            seal_every: Some(Duration::from_secs(1)),
            cost: CostLimits { public: 20_000, outside: 50_000, staff: 100_000 },
            sockets: SocketLimits {
                all: self.sockets,
                waiting: self.sockets.div_ceil(10),
                of_viewer: self.sockets_per_viewer,
                subscriptions: self.subscriptions_per_socket,
                init_time: Duration::from_secs(5),
                ping_time: Duration::from_secs(self.socket_ping_seconds.clamp(1, 600)),
                send_time: Duration::from_secs(10),
            },
            exports: EXPORTS,
            clock: Clock::system(),
            count_statements: false,
        })
    }
}

impl Config {
    /// What tests run with: any free port, two workers, statements counted.
    pub fn for_tests(data_dir: &Path, database_url: &str, outside_database_url: Option<&str>) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir: data_dir.to_owned(),
            database_url: database_url.to_owned(),
            outside_database_url: outside_database_url.map(str::to_owned),
            mode: Mode::Demo,
            issuer: None,
            issuers: None,
            rights_clocks: None,
            record_keys: data_dir.join(RECORD_KEYS),
            master_key: vault::Source::File(data_dir.join(MASTER_KEY)),
            release_key: data_dir.join(RELEASE_KEY),
            cors_origins: vec!["https://portal.example".to_owned()],
            trusted_proxies: Vec::new(),
            mail_command: None,
            pool: 4,
            outside_pool: 4,
            connection_time: Duration::from_secs(60),
            request_time: Duration::from_secs(60),
            statement_time: None,
            workers: 2,
            audit_heads: data_dir.join(HEADS),
            // Tests say when.
            seal_every: None,
            cost: CostLimits { public: 20_000, outside: 50_000, staff: 100_000 },
            sockets: SocketLimits {
                all: 10,
                waiting: 10,
                of_viewer: 3,
                subscriptions: 3,
                init_time: Duration::from_secs(60),
                ping_time: Duration::from_secs(60),
                send_time: Duration::from_secs(60),
            },
            exports: EXPORTS,
            clock: Clock::system(),
            count_statements: true,
        }
    }

    /// Who our own tokens are from. Tokens of the demonstration are never good in production.
    ///
    /// # Errors
    /// In production, when nobody has said, or it is the demonstration's.
    pub fn issuer(&self) -> Result<&str> {
        match (self.mode, self.issuer.as_deref()) {
            (Mode::Demo, _) => Ok(demo::ISSUER),
            (Mode::Production, None) => Err(Error::Internal(
                "production needs UMBRAL_ISSUER, a name for the issuer of our own tokens that never changes, or \
                 UMBRAL_PUBLIC_URL, which then is that name"
                    .into(),
            )),
            (Mode::Production, Some(demo::ISSUER)) => {
                Err(Error::Internal("UMBRAL_ISSUER: that is the demonstration's".into()))
            }
            (Mode::Production, Some(issuer)) => Ok(issuer),
        }
    }

    /// Who our own tokens are for.
    pub fn audience(&self) -> &'static str {
        "umbral"
    }

    pub fn keys_dir(&self) -> PathBuf {
        self.data_dir.join("keys")
    }
}

/// A secret that is given, or is in a file.
fn secret(given: Option<String>, file: Option<&Path>, name: &str) -> Result<Option<String>, BadSetting> {
    let Some(path) = file else { return Ok(given.filter(|value| !value.is_empty())) };
    if given.is_some() {
        return Err(BadSetting(format!("{name}: give it or {name}_FILE, not both")));
    }
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(fault) => Err(BadSetting(format!("{name}_FILE: {}: {fault}", path.display()))),
    }
}
