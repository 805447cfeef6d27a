//! The audit, from the command line.

use std::{path::PathBuf, sync::Arc};

use clap::Subcommand;

use super::{Failed, organization_id};
use crate::{
    config::Config,
    serve,
    store::{
        Store,
        audit::{
            heads::Heads,
            verify::{Chain, Source, moment},
        },
    },
};

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Seal what is new, once; a server does that by itself.
    Seal,
    /// Print the newest head of an organisation, to be kept where nobody who can change the database can change it.
    Head {
        /// The organisation's slug.
        #[arg(long)]
        organization: String,
    },
    /// Walk all of the audit again and say what was changed, taken away, put in or moved. Fails when anything was.
    Verify {
        /// Heads that were kept elsewhere: a folder of SLUG.jsonl, or one file.
        #[arg(long)]
        heads: Option<PathBuf>,
    },
}

pub async fn run(config: &Config, command: AuditCommand) -> Result<(), Failed> {
    let store = serve::open(config).await?;
    store.sign_with(Arc::new(serve::verifier(config)?));
    let done = match command {
        AuditCommand::Seal => seal(&store, config).await,
        AuditCommand::Head { organization } => head(&store, &organization).await,
        AuditCommand::Verify { heads } => {
            let own = Source::Own(config.audit_heads.clone());
            verify(&store, &heads.map_or(own, Source::Kept)).await
        }
    };
    store.close().await;
    done
}

async fn seal(store: &Store, config: &Config) -> Result<(), Failed> {
    let rows = store.seal_audit().await?;
    store.export_heads(&Heads::new(config.audit_heads.clone())).await?;
    println!("{rows} rows sealed; heads are in {}.", config.audit_heads.display());
    Ok(())
}

async fn head(store: &Store, slug: &str) -> Result<(), Failed> {
    let catalog = store.catalog().await?;
    let organization = organization_id(&catalog, slug)?;
    match store.head(organization).await? {
        Some(line) => {
            println!("{}", serde_json::to_string(&line).map_err(|fault| Failed(fault.to_string()))?);
            Ok(())
        }
        None => Err(Failed(format!("nothing of \"{slug}\" is sealed yet"))),
    }
}

async fn verify(store: &Store, source: &Source) -> Result<(), Failed> {
    let chains = store.verify_audit(source).await?;
    let mut faults = 0;
    for chain in &chains {
        print!("{}", report(chain));
        faults += chain.faults.listed.len() as u64 + chain.faults.more;
    }
    match faults {
        0 => Ok(()),
        1 => Err(Failed("one fault in the audit".into())),
        faults => Err(Failed(format!("{faults} faults in the audit"))),
    }
}

/// What was found of an organisation, a line for each fault.
fn report(chain: &Chain) -> String {
    let Chain { slug, rows, heads, unknown_keys, unsealed, .. } = chain;
    let upto = chain.upto.map(|at| format!(" up to {}", moment(at))).unwrap_or_default();
    let mut text = format!("{slug}: {rows} rows{upto}, {heads} heads agree");
    if *unknown_keys > 0 {
        text += &format!(", {unknown_keys} of them signed by keys that are no longer here");
    }
    if *unsealed > 0 {
        let since = chain.since.as_deref().unwrap_or("an unknown moment");
        text += &format!("; {unsealed} rows not sealed yet, since {since}");
    }
    text.push('\n');
    for fault in &chain.faults.listed {
        text += &format!("  {fault}\n");
    }
    if chain.faults.more > 0 {
        text += &format!("  and {} more\n", chain.faults.more);
    }
    text
}
