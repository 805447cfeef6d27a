//! Carrying out how long data are kept.

use sea_orm::ActiveEnum;

use super::{Failed, RetentionCommand, organization_id};
use crate::{config::Config, serve};

/// Carries the rules out, organisation by organisation, and prints a line for each rule.
pub async fn run(config: &Config, command: RetentionCommand) -> Result<(), Failed> {
    let RetentionCommand::Run { dry_run, organization } = command;
    let store = serve::open(config).await?;
    let catalog = store.catalog().await?;
    let organizations = match &organization {
        Some(slug) => vec![organization_id(&catalog, slug)?],
        None => catalog.organizations.iter().map(|entry| entry.row.id).collect(),
    };
    let verb = if dry_run { "due" } else { "done" };
    for id in organizations {
        let slug = catalog.organizations.get(id).map(|entry| entry.row.slug.clone()).unwrap_or_default();
        for of in store.system(id).await?.run_retention(dry_run).await? {
            let held: Vec<String> =
                of.held.iter().map(|(hold, count)| format!(" held {} {count}", hold.name())).collect();
            println!("{slug} {} {verb} {}{}", of.subject.to_value(), of.done, held.concat());
        }
    }
    store.close().await;
    Ok(())
}
