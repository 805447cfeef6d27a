//! Organisations, the first administrator, and mails that the host sends by itself.

use entity::value::OrganizationKind;
use uuid::Uuid;

use super::{AdminCommand, Failed, KindName, MailCommand, OrganizationCommand, organization_id};
use crate::{config::Config, serve, store::organization::NewOrganization};

pub async fn organization(config: &Config, command: OrganizationCommand) -> Result<(), Failed> {
    let OrganizationCommand::Create { slug, name, country, kind } = command;
    let kind = match kind {
        KindName::Operator => OrganizationKind::Operator,
        KindName::Partner => OrganizationKind::Partner,
        KindName::Donor => OrganizationKind::Donor,
    };
    let store = serve::open(config).await?;
    let made = store.create_organization(NewOrganization { slug, name, country, kind }).await;
    store.close().await;
    Ok(made.map(drop)?)
}

/// Prints a one-time token for an organisation's first administrator, and nothing else on standard output.
pub async fn admin(config: &Config, command: AdminCommand) -> Result<(), Failed> {
    let AdminCommand::Create { organization, email, name } = command;
    let store = serve::open(config).await?;
    let catalog = store.catalog().await?;
    let id = organization_id(&catalog, &organization)?;
    let token = store.invite_admin(id, &email, &name).await?;
    store.close().await;
    let token = token.ok_or_else(|| Failed("--email: this is no e-mail address".into()))?;
    eprintln!(
        "Código de invitación / invitation code, 72 h, una sola vez / good once.\n\
         Úselo con / use it with: mutation acceptInvitation(input: {{ token, password }})"
    );
    println!("{}", token.shown());
    Ok(())
}

pub async fn mail(config: &Config, command: MailCommand) -> Result<(), Failed> {
    let store = serve::open(config).await?;
    let id = |text: &str| text.parse::<Uuid>().map_err(|_| Failed(format!("{text} is no id of a mail")));
    let none = || Failed("no such mail is waiting".into());
    match command {
        MailCommand::List => {
            for mail in store.waiting_mails().await? {
                let at = mail.recorded_at.format("%Y-%m-%dT%H:%M:%SZ");
                println!("{} {at} {:?} {} {}", mail.id, mail.kind, mail.tries, mail.to);
            }
        }
        MailCommand::Show { id: text } => {
            let mail = store.waiting_mail(id(&text)?).await?.ok_or_else(none)?;
            let json = serde_json::to_string_pretty(&mail).map_err(|_| none())?;
            println!("{json}");
        }
        MailCommand::Sent { id: text } => {
            if !store.mail_was_sent(id(&text)?).await? {
                return Err(none());
            }
        }
    }
    store.close().await;
    Ok(())
}
