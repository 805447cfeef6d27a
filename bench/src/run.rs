//! The whole run: database, servers, checks, rounds, report.

use std::time::Duration;

use tokio_postgres::Client;

use crate::{
    Case, Result, Settings,
    cases::{Asked, Device, Name, ORGANIZATION, PARTNER, Samples},
    check,
    cluster::OWNER,
    export, fan_out,
    load::Requests,
    measure,
    report::{self, Cell, SERVERS},
    setup::{Contender, MAIN, SECOND, Setup},
    stock, women,
};

pub async fn run(settings: Settings) -> Result<()> {
    let setup = Setup::new().await?;
    eprintln!("PostgreSQL and demonstration data, scale {} …", settings.scale);
    let db = setup.database(MAIN, settings.scale).await?;
    let coordinator = setup.token("coordinator", ORGANIZATION)?;
    if settings.wants(Case::Export) {
        export_and_import(&setup, &coordinator, settings.scale).await?;
    }
    let mut samples = Samples::read(&db, setup.token("partner", PARTNER)?, coordinator).await?;
    let names = Name::ALL.into_iter().filter(|name| settings.wants(Case::Compared(*name)));
    let cells = compare(&settings, &setup, &db, &mut samples, &names.collect::<Vec<_>>()).await?;
    let fan_out = match settings.wants(Case::FanOut) {
        true => {
            let tokens = fan_out::accounts(&db, &setup.data.join("keys"), settings.sockets).await?;
            let server = setup.ours(MAIN).await?.server;
            Some(fan_out::run(&settings, &server, setup.cluster.pid, &samples, tokens).await?)
        }
        false => None,
    };
    if cells.is_empty() && fan_out.is_none() { Ok(()) } else { report::write(&cells, fan_out.as_ref()) }
}

/// All deliveries as files, and what is imported from one of them into a database that has none.
async fn export_and_import(setup: &Setup, token: &str, scale: u32) -> Result<()> {
    let file = setup.data.join("distributions.csv");
    let server = setup.ours(MAIN).await?.server;
    let before = export::take(&server, token, &file).await?;
    drop(server);
    let second = setup.database(SECOND, scale).await?;
    second.batch_execute("TRUNCATE distribution CASCADE; DELETE FROM change WHERE kind = 6").await?;
    second.batch_execute("VACUUM ANALYZE").await?;
    let server = setup.ours(SECOND).await?.server;
    export::give_back(&before, &file, setup.tool(SECOND), &server, token).await
}

async fn compare(
    settings: &Settings,
    setup: &Setup,
    db: &Client,
    samples: &mut Samples,
    names: &[Name],
) -> Result<Vec<Cell>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let ours = setup.ours(MAIN).await?;
    if names.contains(&Name::Stock) {
        stock::fill(ours.server.address, samples).await?;
        db.batch_execute("VACUUM ANALYZE").await?;
    }
    women::table(db).await?;
    if names.iter().any(|name| name.of_women()) {
        samples.session = women::fill(ours.server.address, db, samples).await?;
        db.batch_execute("VACUUM ANALYZE").await?;
    }
    let samples = &*samples;
    let contenders = [ours, setup.hand("best", SERVERS[1]).await?, setup.hand("usual", SERVERS[2]).await?];
    for name in names {
        check::same(&contenders, samples, *name).await?;
        if name.writes() {
            check::same_rows(db, &contenders, samples, *name).await?;
        }
    }
    eprintln!("All answer the same.");
    if settings.hold {
        hold(setup, &contenders, samples)?;
    }
    let device = Device::read(contenders[0].server.address, setup.token("field", ORGANIZATION)?).await?;
    let mut cells = Vec::new();
    for name in names {
        let requests = |asked| match name {
            Name::Changes | Name::Unchanged => device.requests(*name),
            _ => samples.requests(*name, asked),
        };
        cells.extend(measure_case(settings, setup, &contenders, *name, requests).await?);
    }
    Ok(cells)
}

async fn measure_case(
    settings: &Settings,
    setup: &Setup,
    contenders: &[Contender; 3],
    name: Name,
    requests: impl Fn(Asked) -> Requests,
) -> Result<Vec<Cell>> {
    let time = Duration::from_secs_f64(settings.seconds);
    let cluster = setup.cluster.pid;
    let contenders: Vec<(&Contender, Requests)> =
        contenders[..name.servers()].iter().map(|contender| (contender, requests(contender.asked))).collect();
    // Every connection to the database has prepared its statements, and plans have settled.
    for (contender, requests) in &contenders {
        let connections = name.connections(&[16]);
        let time = time.min(Duration::from_secs(2));
        measure::slice(&contender.server, cluster, requests, connections[0], time).await?;
    }
    let mut cells = Vec::new();
    for connections in name.connections(&settings.connections) {
        let mut slices = vec![Vec::new(); contenders.len()];
        for round in 0..settings.rounds {
            // Another one begins each round, so that none always follows the same.
            for turn in 0..contenders.len() {
                let place = (round + turn) % contenders.len();
                let (contender, requests) = &contenders[place];
                let slice = measure::slice(&contender.server, cluster, requests, connections, time).await?;
                eprintln!(
                    "{:<22} {connections:>3} connections, {:<14} {:>8.0}/s {:>8.3} ms CPU",
                    name.text(),
                    contender.name,
                    slice.per_second,
                    slice.cpu_ms(),
                );
                slices[place].push(slice);
            }
        }
        cells.push(Cell { name, connections, slices });
    }
    Ok(cells)
}

/// Waits for Enter, after saying what is needed to look at the servers.
fn hold(setup: &Setup, contenders: &[Contender; 3], samples: &Samples) -> Result<()> {
    for contender in contenders {
        eprintln!("{}: pid {}, {}", contender.name, contender.server.pid(), contender.server.address);
    }
    eprintln!("database: {}\npartner: {}", setup.cluster.url(OWNER, MAIN), samples.partner_token);
    eprintln!("coordinator: {}\nPress Enter.", samples.coordinator_token);
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}
