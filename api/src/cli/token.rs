//! Keys and tokens.

use chrono::TimeDelta;
use entity::value::Role;
use uuid::Uuid;

use super::{Failed, KeysCommand, RoleName, organization_id};
use crate::{
    auth::{
        jwk::Alg,
        keys::{self, KeyRing},
        rights,
        token::{IssueOptions, issue as sign},
    },
    config::{Config, Mode},
    serve,
    store::{Store, catalog::Catalog},
    vault,
};

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Donor => Self::Donor,
            RoleName::Partner => Self::Partner,
            RoleName::Field => Self::Field,
            RoleName::Coordinator => Self::Coordinator,
            RoleName::Steward => Self::Steward,
            RoleName::Admin => Self::Admin,
            RoleName::Auditor => Self::Auditor,
        }
    }
}

/// Prints a token of a service account with this role in this organisation. Outside demo mode the account is
/// made when there is none.
pub async fn print(
    config: &Config,
    role: RoleName,
    organization: Option<&str>,
    days: u32,
) -> Result<(), Failed> {
    let store = serve::open(config).await?;
    let catalog = store.catalog().await?;
    let role = Role::from(role);
    let organization = match organization {
        None if config.mode == Mode::Demo => None,
        None => return Err(Failed("--organization is needed outside demo mode".into())),
        Some(slug) => Some(organization_id(&catalog, slug)?),
    };
    let ring = open_ring(config)?;
    let token = match issue(&ring, config, &catalog, role, organization, days)? {
        Some(token) => token,
        None => match organization {
            Some(id) if config.mode == Mode::Production => {
                let name = format!("Service account: {}", rights::role_name(role).to_ascii_lowercase());
                let subject = store.create_service_account(config.issuer()?, &name, role, id).await?;
                token_for(&ring, config, &subject, days)?
            }
            _ => {
                let message = "the demonstration data have no such account; load them with `umbral demo`";
                return Err(Failed(message.into()));
            }
        },
    };
    store.close().await;
    println!("{token}");
    Ok(())
}

/// A token of an account that is there; none when there is none.
pub fn issue(
    ring: &KeyRing,
    config: &Config,
    catalog: &Catalog,
    role: Role,
    organization: Option<Uuid>,
    days: u32,
) -> Result<Option<String>, Failed> {
    let account = catalog.account_for(config.issuer()?, role, organization, config.clock.now());
    account.map(|(subject, _)| token_for(ring, config, &subject, days)).transpose()
}

fn token_for(ring: &KeyRing, config: &Config, subject: &str, days: u32) -> Result<String, Failed> {
    sign(
        ring,
        IssueOptions {
            issuer: config.issuer()?,
            audience: config.audience(),
            subject,
            lifetime: TimeDelta::days(days.into()),
            now: config.clock.now(),
        },
    )
    .map_err(|fault| Failed(fault.to_string()))
}

fn open_ring(config: &Config) -> Result<KeyRing, Failed> {
    let ring = match config.mode {
        Mode::Demo => KeyRing::open_or_generate(config.keys_dir(), config.clock.now()),
        Mode::Production => KeyRing::load(config.keys_dir()),
    };
    ring.map_err(|fault| Failed(fault.to_string()))
}

pub async fn keys(config: &Config, command: KeysCommand) -> Result<(), Failed> {
    let dir = config.keys_dir();
    let now = config.clock.now();
    let fail = |fault: keys::KeyError| Failed(fault.to_string());
    let alg = |name: &str| Alg::parse(name).ok_or_else(|| Failed("--alg: EdDSA, ES256 or RS256".into()));
    match command {
        KeysCommand::Generate { alg: name, if_missing } => {
            if let vault::Source::File(path) = &config.master_key
                && vault::Source::generate_if_missing(path).map_err(sealed)?
            {
                println!("A master key made: {}. Without it women's records cannot be read.", path.display());
            }
            if if_missing && KeyRing::load(&dir).is_ok_and(|ring| ring.active().is_some()) {
                println!("There is a signing key already.");
                return Ok(());
            }
            let key = keys::generate(&dir, alg(&name)?, now).map_err(fail)?;
            println!("{} {} made.", key.kid, key.alg);
        }
        KeysCommand::Rotate { alg: name } => {
            let key = keys::rotate(&dir, alg(&name)?, now).map_err(fail)?;
            println!("{} {} made; it signs from now on.", key.kid, key.alg);
        }
        KeysCommand::RotateMaster => {
            let file = match &config.master_key {
                vault::Source::File(path) => Some(path),
                vault::Source::Command(_) => None,
            };
            trace(config, "KEY_ROTATE_MASTER").await?;
            // One after the other, so that at each moment what is on the disk opens what is on the disk.
            if let Some(path) = file {
                vault::Source::add(path).map_err(sealed)?;
            }
            let (all, changed) = serve::vault(config)?.rewrap().map_err(sealed)?;
            if let Some(path) = file {
                vault::Source::drop_others(path).map_err(sealed)?;
            }
            println!("{changed} of {all} bucket keys wrapped by the new master key.");
        }
        KeysCommand::NewMaster => {
            trace(config, "KEY_NEW_MASTER").await?;
            vault::print_new(&mut std::io::stdout()).map_err(sealed)?;
        }
        KeysCommand::List => {
            for key in KeyRing::load(&dir).map_err(fail)?.list() {
                let until = key.retired_until.map(|at| format!(" until {at}")).unwrap_or_default();
                println!("{} {} {:?}{until}, made {}", key.kid, key.alg, key.state, key.created);
            }
        }
    }
    Ok(())
}

/// Leaves the trace of the use of a master key in the audit of each organisation. It is there before the key is used, so
/// that nothing is done without it.
async fn trace(config: &Config, action: &str) -> Result<(), Failed> {
    let pools = serve::connect(config).await?;
    // Before the first migration there is no organisation, and no record.
    if pools.is_empty().await? {
        return Ok(());
    }
    let store = Store::open(pools, config.clock.clone()).await?;
    store.trace_master_key(action).await?;
    store.close().await;
    Ok(())
}

fn sealed(fault: vault::Fault) -> Failed {
    Failed(fault.text())
}
