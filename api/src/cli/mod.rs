//! The command line. One program does everything: `umbral --help` says what.

mod audit;
mod import;
mod people;
mod release;
mod retention;
mod run;
mod token;

use clap::{Parser, Subcommand, ValueEnum};
use uuid::Uuid;

use crate::config::{BadSetting, Config, LogFormat, Settings};
use crate::error::Error;
use crate::import::Kind;
use crate::store::catalog::Catalog;
use crate::store::input::{Refused, UserError};

/// The GraphQL backend for organisations that support women in prison.
///
/// Without a command it serves. Without DATABASE_URL it runs in demo mode: an embedded database with
/// demonstration data, and a token for each role.
#[derive(Debug, Parser)]
#[command(name = "umbral", version, about, long_about)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub settings: Settings,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API (the default).
    Serve,
    /// Load the demonstration data set into an empty database.
    Demo {
        /// Another seed gives other deliveries of the same kind.
        #[arg(long, default_value_t = 7)]
        seed: u64,
        /// 1 is about 2,000 deliveries over five years, 100 about 200,000.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        scale: u32,
    },
    /// Bring the schema up to date.
    Migrate {
        /// PostgreSQL: grant this role what public, donor and partner requests read, and nothing else.
        #[arg(long)]
        outside_role: Option<String>,
    },
    /// After the database was put back from a backup, before the server starts: devices and lists begin anew.
    Restored,
    /// Import a file: CSV, XLSX, an XLSForm or JSON of a survey. Every row is checked before anything is written.
    Import(import::Import),
    /// Print a CSV file to fill in for `umbral import`: names, HXL tags and an example, which no import reads.
    Template {
        /// distributions, facilities, programs, items, kits, receipts or movements.
        #[arg(value_parser = kind)]
        kind: Kind,
    },
    /// Keys that sign our own tokens.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Print a token of a service account, and nothing else.
    Token {
        /// What the account may do.
        #[arg(long, value_enum)]
        role: RoleName,
        /// The organisation's slug; in demo mode it may be left out.
        #[arg(long)]
        organization: Option<String>,
        /// For how many days the token is good.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
        days: u32,
    },
    /// The audit: sealing it, its heads, and whether anything of it was changed.
    Audit {
        #[command(subcommand)]
        command: audit::AuditCommand,
    },
    /// Organisations that use this installation, and partners and donors that they name.
    Organization {
        #[command(subcommand)]
        command: OrganizationCommand,
    },
    /// Invite an organisation's first administrator: prints a one-time token, good for 72 hours.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Mails that wait to be sent, for hosts that set no UMBRAL_MAIL_COMMAND.
    Mail {
        #[command(subcommand)]
        command: MailCommand,
    },
    /// How long data are kept: carrying out the rules that stewards have set.
    Retention {
        #[command(subcommand)]
        command: RetentionCommand,
    },
    /// Sealed releases: their files, and the key that signs them.
    Release {
        #[command(subcommand)]
        command: release::ReleaseCommand,
    },
    /// Print the schema, whole or as one audience has it.
    Schema {
        #[arg(long, value_enum)]
        audience: Option<AudienceName>,
    },
    /// Print what each role may do.
    Rights,
    /// Ask the running server whether it is ready.
    Health,
}

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a signing key, and a master key for women's records where there is none.
    Generate {
        #[arg(long, default_value = "EdDSA")]
        alg: String,
        /// Succeed without doing anything when there is a key already.
        #[arg(long)]
        if_missing: bool,
    },
    /// List the keys.
    List,
    /// Make a new signing key; the old ones verify for 30 more days.
    Rotate {
        #[arg(long, default_value = "EdDSA")]
        alg: String,
    },
    /// Make a new master key in its file and wrap the keys of women's records by it, while servers run. Where a command
    /// gives the master keys: wrap by the first one that it prints; then take the others out of its store.
    RotateMaster,
    /// Print a new master key, for the store of a command.
    NewMaster,
}

#[derive(Debug, Subcommand)]
pub enum OrganizationCommand {
    /// Make one, and fill in the regions and techniques that the database lacks.
    Create {
        /// What it is called in addresses and commands: lower-case letters, digits and hyphens.
        #[arg(long)]
        slug: String,
        #[arg(long)]
        name: String,
        /// Two capital letters, such as MX (ISO 3166-1).
        #[arg(long)]
        country: String,
        /// What it does.
        #[arg(long, value_enum, default_value = "operator")]
        kind: KindName,
    },
}

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Invite a person as administrator.
    Create {
        /// The organisation's slug.
        #[arg(long)]
        organization: String,
        /// The address to sign in by.
        #[arg(long)]
        email: String,
        /// The person's name.
        #[arg(long)]
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum RetentionCommand {
    /// Erase, delete or empty what is over, by the rules of each organisation. A line tells how much by which rule, and how
    /// much is held because something stands against it. Run it once a day.
    Run {
        /// Only count.
        #[arg(long)]
        dry_run: bool,
        /// The organisation's slug; all of them when it is left out.
        #[arg(long)]
        organization: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// List them: id, time, kind, tries, recipient.
    List,
    /// Print one as JSON, with its token.
    Show { id: String },
    /// Say that one was sent; its text is emptied.
    Sent { id: String },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleName {
    Donor,
    Partner,
    Field,
    Coordinator,
    Steward,
    Admin,
    Auditor,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KindName {
    /// Runs programs.
    Operator,
    /// Works with an operator under an agreement.
    Partner,
    /// Gives money or goods.
    Donor,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum AudienceName {
    Public,
    Donor,
    Partner,
    Staff,
}

/// A command that did not succeed: what to tell the person.
#[derive(Debug)]
pub struct Failed(pub String);

impl From<BadSetting> for Failed {
    fn from(BadSetting(text): BadSetting) -> Self {
        Self(text)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(match error {
            Error::Internal(text) => text,
            other => other.message(),
        })
    }
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Fault(fault) => fault.into(),
            Refused::User(faults) => {
                let line = |fault: &UserError| format!("--{}: {}", fault.field.join("."), fault.message.en);
                Self(faults.iter().map(line).collect::<Vec<_>>().join("\n"))
            }
            Refused::Outdated(_) => Self("somebody else wrote at the same time; run it again".into()),
        }
    }
}

/// Runs a command to its end.
///
/// # Errors
/// What to tell the person.
pub async fn run(cli: Cli) -> Result<(), Failed> {
    let Cli { command, settings } = cli;
    match command.unwrap_or(Command::Serve) {
        Command::Schema { audience } => run::schema(audience),
        Command::Rights => {
            println!("{}", crate::auth::rights::table());
            Ok(())
        }
        Command::Template { kind } => {
            print!("{}", crate::import::template(kind));
            Ok(())
        }
        Command::Health => run::health(settings.listen).await,
        Command::Serve => {
            log(&settings);
            run::serve(settings.into_config()?).await
        }
        Command::Demo { seed, scale } => run::demo(demo_config(settings)?, seed, scale).await,
        Command::Migrate { outside_role } => {
            run::migrate(&tool_config(settings)?, outside_role.as_deref()).await
        }
        Command::Restored => run::restored(&tool_config(settings)?).await,
        Command::Import(import) => import.run(settings).await,
        Command::Audit { command } => audit::run(&tool_config(settings)?, command).await,
        Command::Keys { command } => token::keys(&tool_config(settings)?, command).await,
        Command::Organization { command } => people::organization(&tool_config(settings)?, command).await,
        Command::Admin { command } => people::admin(&tool_config(settings)?, command).await,
        Command::Mail { command } => people::mail(&tool_config(settings)?, command).await,
        Command::Release { command } => release::run(&settings, command),
        Command::Retention { command } => retention::run(&tool_config(settings)?, command).await,
        Command::Token { role, organization, days } => {
            token::print(&tool_config(settings)?, role, organization.as_deref(), days).await
        }
    }
}

/// The organisation with a slug.
fn organization_id(catalog: &Catalog, slug: &str) -> Result<Uuid, Failed> {
    let entry = catalog.organization_by_slug(slug);
    entry.map(|entry| entry.row.id).ok_or_else(|| Failed(format!("there is no organisation \"{slug}\"")))
}

fn kind(name: &str) -> Result<Kind, String> {
    Kind::parse(name).ok_or_else(|| format!("one of {}", Kind::ALL.map(Kind::name).join(", ")))
}

/// Commands may take their time: a migration of a large table takes longer than any request.
fn tool_config(settings: Settings) -> Result<Config, Failed> {
    Ok(Config { statement_time: None, ..settings.into_config()? })
}

/// Demonstration data belong in a demo database, whatever the address of it.
fn demo_config(mut settings: Settings) -> Result<Config, Failed> {
    if settings.mode == Some(crate::config::Mode::Production) {
        return Err(Failed("demonstration data do not go into a production database".into()));
    }
    settings.mode = Some(crate::config::Mode::Demo);
    tool_config(settings)
}

/// Logs go to standard error. A line holds the route, never an address, a name, a variable or a token.
fn log(settings: &Settings) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(&settings.log).unwrap_or_else(|_| EnvFilter::new("warn,api=info"));
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second subscriber in one process changes nothing.
    let _ = match settings.log_format {
        LogFormat::Pretty => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
}
