//! Serving, and preparing a database to be served.

use std::{net::SocketAddr, sync::Arc};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{AudienceName, Failed, token};
use crate::{
    auth::rights,
    config::{Config, Mode},
    demo::{
        load::{Size, load},
        outcomes,
    },
    graphql::{self, audience::Audience},
    serve,
    store::{Store, connect::backend_name},
};

pub async fn serve(config: Config) -> Result<(), Failed> {
    let store = serve::open(&config).await?;
    let demo = config.mode == Mode::Demo;
    if demo && !store.is_demo() {
        load_with_progress(&store, Size { seed: 7, scale: 1 }).await?;
    }
    let running = serve::start_with(config.clone(), store).await?;
    if demo {
        banner(&config, &running).await?;
        tokio::spawn(show_outcomes(running.store.clone()));
    } else {
        tracing::info!(address = %running.address, "serving");
    }
    running.wait().await;
    Ok(())
}

/// Takes the demonstration's survey to a published release, while the server is there already.
async fn show_outcomes(store: Arc<Store>) {
    match outcomes::publish(&store, |_, _| ()).await {
        Ok(true) => println!(
            "The demonstration's outcomes are published: {{ impact(organization: \"la-cana\") {{ headline {{ value {{ ... on CountBand {{ label }} }} }} }} }}"
        ),
        Ok(false) => {}
        Err(fault) => tracing::error!(code = fault.code(), "the demonstration's outcomes were not published"),
    }
}

/// What a newcomer needs: that this is a demo, where it is, and a token for each role.
async fn banner(config: &Config, running: &serve::Running) -> Result<(), Failed> {
    let base = format!("http://{}", running.address);
    println!("Umbral, DEMO MODE: demonstration data, nothing here is about a real woman.\n");
    println!("  GraphQL    {base}/graphql\n  GraphiQL   {base}/graphiql\n  Explorer   {base}/explorer");
    println!("  Data       {}\n", config.data_dir.display());
    println!("A token for each role, good for 30 days. Send it as: Authorization: Bearer TOKEN\n");
    let catalog = running.store.catalog().await?;
    for role in rights::ROLES {
        let organization = None;
        if let Some(token) = token::issue(&running.verifier.ring(), config, &catalog, role, organization, 30)?
        {
            println!("  {:<12} {token}", rights::role_name(role).to_ascii_lowercase());
        }
    }
    println!(
        "\nOf which organisation each is: {{ viewer {{ organization {{ slug }} }} }}. A token of another one:"
    );
    println!("  umbral token --role partner --organization demo-partner-workshops");
    println!("\nThe first question:\n");
    println!("  curl -s {base}/graphql -H 'content-type: application/json' \\");
    println!(
        "    -d '{{\"query\":\"{{ facilities(first: 5) {{ nodes {{ name region {{ name }} }} }} }}\"}}'\n"
    );
    println!("Stop with Ctrl+C.");
    Ok(())
}

pub async fn demo(config: Config, seed: u64, scale: u32) -> Result<(), Failed> {
    let store = serve::open(&config).await?;
    if store.is_demo() {
        println!("The demonstration data are already here; nothing was changed.");
        return Ok(());
    }
    let count = load_with_progress(&store, Size { seed, scale }).await?;
    store.keep_records_with(Arc::new(serve::vault(&config)?));
    serve::release_keys(&config, &store)?;
    outcomes::publish(&store, |_, _| ()).await?;
    store.close().await;
    println!("Loaded {count} deliveries (seed {seed}, scale {scale}).");
    Ok(())
}

async fn load_with_progress(store: &Arc<Store>, size: Size) -> Result<u64, Failed> {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("Demonstration data {bar:40} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    let count = load(store, size, |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })
    .await?;
    bar.finish_and_clear();
    Ok(count)
}

pub async fn migrate(config: &Config, outside_role: Option<&str>) -> Result<(), Failed> {
    let pools = serve::connect(config).await?;
    let pending = pools.pending().await?;
    pools.migrate().await?;
    if let Some(role) = outside_role {
        pools.grant_outside(role).await?;
    }
    println!("{}: {} migrations applied.", backend_name(&pools), pending.len());
    Ok(())
}

pub async fn restored(config: &Config) -> Result<(), Failed> {
    serve::connect(config).await?.forget_cursors().await?;
    println!("No cursor from before is good any more. Start the server again.");
    Ok(())
}

pub fn schema(audience: Option<AudienceName>) -> Result<(), Failed> {
    let types = graphql::types()?;
    let text = match audience {
        None => graphql::sdl::whole(types),
        Some(name) => {
            let audience = match name {
                AudienceName::Public => Audience::Public,
                AudienceName::Donor => Audience::Donor,
                AudienceName::Partner => Audience::Partner,
                AudienceName::Staff => Audience::Staff,
            };
            graphql::sdl::of(types, audience)
        }
    };
    print!("{text}");
    Ok(())
}

/// Asks the server on this machine; an address of all interfaces is reached on loopback.
pub async fn health(listen: SocketAddr) -> Result<(), Failed> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut address = listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let ask = async {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        stream
            .write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    match tokio::time::timeout(std::time::Duration::from_secs(5), ask).await {
        Ok(Ok(answer)) if answer.ends_with(b" 200") => {
            println!("ready");
            Ok(())
        }
        Ok(Ok(_)) => Err(Failed("not ready".into())),
        Ok(Err(fault)) => Err(Failed(format!("{address}: {fault}"))),
        Err(_) => Err(Failed(format!("{address}: no answer"))),
    }
}
