//! Live events: many sockets that each hear of every delivery.
//!
//! Half of the sockets are of partners, half of staff, each account with as many as it may have. Every event is read
//! for each socket through what its viewer may see then, so this is the dearest way in which events can be spread.

use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use api::auth::{
    keys::KeyRing,
    token::{IssueOptions, issue},
};
use chrono::TimeDelta;
use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use serde_json::json;
use tokio::{net::TcpStream, sync::mpsc, task::JoinSet, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};
use uuid::Uuid;

use crate::{
    Result, Settings,
    cases::{Asked, Name, ORGANIZATION, PARTNER, Samples},
    hand::now,
    load::{Connection, Text},
    measure::{median, quantile},
    process::{Server, cpu_ms, family_cpu_ms},
};

/// Sockets of one account: the server's default limit.
const OF_ACCOUNT: usize = 10;
/// How many connections record in a burst, and how many deliveries each.
const RECORDERS: usize = 16;
const BURST: usize = 25;
/// How many deliveries are recorded before any socket is open, and then one after the other.
const SINGLE: usize = 50;
/// How long something is waited for that the server owes.
const PATIENCE: Duration = Duration::from_secs(60);

const DOCUMENT: &str = "subscription { distributionRecorded {
  distribution { id occurredOn facility { slug } program { slug } lines { quantity item { code } kit { code } } }
} }";

/// What was measured; times in milliseconds.
#[derive(Serialize)]
pub struct FanOut {
    sockets: usize,
    /// From the acknowledged recording to the last socket, with one delivery at a time.
    single_median_ms: f64,
    single_p95_ms: f64,
    /// Deliveries recorded as fast as they can be, each heard by all sockets.
    burst_events: usize,
    burst_events_per_second: f64,
    burst_median_ms: f64,
    burst_p95_ms: f64,
    /// CPU of the server and the database for an event on a socket, what a recording takes without sockets left out.
    cpu_ms: f64,
    /// CPU for a second in which nothing happens.
    idle_cpu_ms: f64,
}

impl FanOut {
    /// A table for people.
    pub fn text(&self) -> String {
        format!(
            "| fan-out to sockets | one at a time: delay p50 ms | p95 ms | burst: events | events/s to all \
             | delay p50 ms | p95 ms | CPU ms for an event and socket | CPU ms for an idle second |\n\
             |---|---|---|---|---|---|---|---|---|\n\
             | {} | {:.1} | {:.1} | {} | {:.1} | {:.0} | {:.0} | {:.4} | {:.1} |\n",
            self.sockets,
            self.single_median_ms,
            self.single_p95_ms,
            self.burst_events,
            self.burst_events_per_second,
            self.burst_median_ms,
            self.burst_p95_ms,
            self.cpu_ms,
            self.idle_cpu_ms,
        )
    }
}

/// Measures it on a server that nobody else asks meanwhile.
pub async fn run(
    settings: &Settings,
    server: &Server,
    cluster: u32,
    samples: &Samples,
    tokens: Vec<String>,
) -> Result<FanOut> {
    let cpu = || cpu_ms(server.pid()) + family_cpu_ms(cluster);
    let address = server.address;
    let requests = samples.requests(Name::Record, Asked::Umbral).texts;
    let mut connection = Connection::open(address).await?;
    let before = cpu();
    for request in requests.iter().cycle().take(SINGLE) {
        record(&mut connection, request.clone()).await?;
    }
    let recording_ms = (cpu() - before) / SINGLE as f64;

    let (told, mut heard) = mpsc::unbounded_channel();
    let mut listeners = JoinSet::new();
    for number in 0..settings.sockets {
        let token = &tokens[number / OF_ACCOUNT];
        let socket = subscribe(address, token).await?;
        listeners.spawn(listen(socket, number, told.clone()));
    }
    drop(told);
    let mut audience = Audience { sockets: settings.sockets, events: HashMap::new() };
    let before = cpu();
    tokio::time::sleep(Duration::from_secs_f64(settings.seconds)).await;
    let idle_cpu_ms = (cpu() - before) / settings.seconds;

    // The first has been idle for too long.
    connection = Connection::open(address).await?;
    let mut single = Vec::new();
    for request in requests.iter().cycle().take(SINGLE) {
        let (id, acknowledged) = record(&mut connection, request.clone()).await?;
        let last = audience.wait(&mut heard, &id).await?;
        single.push(last.saturating_duration_since(acknowledged).as_secs_f64() * 1e3);
    }

    let (before, start) = (cpu(), Instant::now());
    let mut recorders = JoinSet::new();
    for place in 0..RECORDERS {
        recorders.spawn(burst(address, requests[place % requests.len()].clone()));
    }
    let mut recorded = Vec::new();
    while let Some(done) = recorders.join_next().await {
        recorded.extend(done??);
    }
    let (mut delays, mut over) = (Vec::new(), start);
    for (id, acknowledged) in &recorded {
        let last = audience.wait(&mut heard, id).await?;
        delays.push(last.saturating_duration_since(*acknowledged).as_secs_f64() * 1e3);
        over = over.max(last);
    }
    let spent = cpu() - before;
    if let Some(ended) = listeners.try_join_next() {
        ended??;
    }
    listeners.shutdown().await;
    single.sort_unstable_by(f64::total_cmp);
    delays.sort_unstable_by(f64::total_cmp);
    let seconds = over.duration_since(start).as_secs_f64();
    let deliveries = (recorded.len() * settings.sockets) as f64;
    Ok(FanOut {
        sockets: settings.sockets,
        single_median_ms: median(single.iter().copied()),
        single_p95_ms: quantile(&single, 0.95),
        burst_events: recorded.len(),
        burst_events_per_second: recorded.len() as f64 / seconds,
        burst_median_ms: median(delays.iter().copied()),
        burst_p95_ms: quantile(&delays, 0.95),
        cpu_ms: (spent - recording_ms * recorded.len() as f64) / deliveries,
        idle_cpu_ms,
    })
}

/// An event that a socket was told: the number of the socket, the id of the delivery, and when.
type Told = (usize, String, Instant);
type Socket = WebSocketStream<TcpStream>;

/// Which sockets have heard what.
struct Audience {
    sockets: usize,
    events: HashMap<String, Event>,
}

struct Event {
    /// By socket: an event may come twice.
    heard: Vec<bool>,
    missing: usize,
    /// When the last socket heard it first.
    last: Instant,
}

impl Audience {
    /// When the last of all sockets has heard of a delivery.
    async fn wait(&mut self, heard: &mut mpsc::UnboundedReceiver<Told>, id: &str) -> Result<Instant> {
        loop {
            if let Some(event) = self.events.get(id).filter(|event| event.missing == 0) {
                return Ok(event.last);
            }
            let next = timeout(PATIENCE, heard.recv()).await;
            let (socket, id, at) =
                next.map_err(|_| "an event is not told")?.ok_or("all sockets have ended")?;
            let sockets = self.sockets;
            let event = self.events.entry(id).or_insert_with(|| Event {
                heard: vec![false; sockets],
                missing: sockets,
                last: at,
            });
            if !std::mem::replace(&mut event.heard[socket], true) {
                event.missing -= 1;
                event.last = event.last.max(at);
            }
        }
    }
}

/// Records one delivery: its id, and when that was acknowledged.
async fn record(connection: &mut Connection, mut request: Text) -> Result<(String, Instant)> {
    let (_, body) = connection.answer(&mut request).await?;
    let acknowledged = Instant::now();
    let id = delivery(std::str::from_utf8(&body)?).ok_or("a recording without an id")?;
    Ok((id.to_owned(), acknowledged))
}

/// Records one delivery after the other.
async fn burst(address: SocketAddr, request: Text) -> Result<Vec<(String, Instant)>> {
    let mut connection = Connection::open(address).await?;
    let mut recorded = Vec::new();
    for _ in 0..BURST {
        recorded.push(record(&mut connection, request.clone()).await?);
    }
    Ok(recorded)
}

/// The id of the delivery that an answer or an event shows.
fn delivery(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("\"distribution\":{\"id\":\"")?;
    rest.split_once('"').map(|(id, _)| id)
}

async fn subscribe(address: SocketAddr, token: &str) -> Result<Socket> {
    let mut request = format!("ws://{address}/graphql").into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
    let (mut socket, _) = client_async(request, TcpStream::connect(address).await?).await?;
    for (said, answer) in [
        (
            json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } }),
            true,
        ),
        (json!({ "type": "subscribe", "id": "s", "payload": { "query": DOCUMENT } }), false),
        // Answered when all before it was read.
        (json!({ "type": "ping" }), true),
    ] {
        socket.send(Message::text(said.to_string())).await?;
        if answer {
            let heard = timeout(PATIENCE, text(&mut socket)).await??;
            let expected = ["{\"type\":\"connection_ack\"", "{\"type\":\"pong\""];
            if !expected.iter().any(|start| heard.starts_with(start)) {
                return Err(format!("a socket said {heard}").into());
            }
        }
    }
    Ok(socket)
}

/// The next that is said, pings aside.
async fn text(socket: &mut Socket) -> Result<String> {
    loop {
        if let Message::Text(text) = socket.next().await.ok_or("a socket ended at once")?? {
            return Ok(text.to_string());
        }
    }
}

/// Passes on what a socket is told, until it ends.
async fn listen(mut socket: Socket, number: usize, told: mpsc::UnboundedSender<Told>) -> Result<()> {
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        let at = Instant::now();
        if let Some(id) = delivery(&text)
            && told.send((number, id.to_owned(), at)).is_err()
        {
            return Ok(());
        }
    }
    Err("a socket was closed".into())
}

/// Makes as many accounts as the sockets need, and gives a token of each.
pub async fn accounts(
    db: &tokio_postgres::Client,
    keys: &std::path::Path,
    sockets: usize,
) -> Result<Vec<String>> {
    let ring = KeyRing::load(keys)?;
    let mut tokens = Vec::new();
    for number in 0..sockets.div_ceil(OF_ACCOUNT) {
        let (role, organization) =
            if number % 2 == 0 { ("PARTNER", PARTNER) } else { ("COORDINATOR", ORGANIZATION) };
        let subject = format!("bench:{number}");
        let (account, membership) = (new_id(), new_id());
        db.execute(
            "WITH account AS (
               INSERT INTO account (id, kind, name, recorded_at)
               VALUES ($1, 'SERVICE', $3, now()) RETURNING id),
             identity AS (
               INSERT INTO identity (issuer, subject, account_id) SELECT 'umbral-demo', $3, id FROM account)
             INSERT INTO membership (organization_id, id, account_id, role, starts_on, recorded_at)
             SELECT o.id, $2, account.id, $4, current_date - 1, now()
             FROM account, organization o WHERE o.slug = $5",
            &[&account, &membership, &subject, &role, &organization],
        )
        .await?;
        tokens.push(issue(
            &ring,
            IssueOptions {
                issuer: "umbral-demo",
                audience: "umbral",
                subject: &subject,
                lifetime: TimeDelta::days(1),
                now: now(),
            },
        )?);
    }
    Ok(tokens)
}

#[expect(clippy::disallowed_methods, reason = "rows of a database that is made for one run")]
fn new_id() -> Uuid {
    Uuid::new_v4()
}
