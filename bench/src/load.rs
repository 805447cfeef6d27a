//! Load over keep-alive connections: one request at a time on each, answers read and not looked at.
//!
//! It shares the machine with what it measures, so it does as little as it can.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Result;

/// Bytes of requests that are sent in turn.
#[derive(Clone)]
pub struct Requests {
    pub texts: Vec<Vec<u8>>,
    /// A mark of as many hexadecimal digits as `fresh` writes, which each request replaces: an idempotency key
    /// is used once.
    pub fresh: bool,
}

/// What stands in a request where a fresh key goes.
pub const MARK: &str = "0000000000000000f0f0f0f0f0f0f0f0";

/// What one slice of load saw.
pub struct Seen {
    pub requests: usize,
    pub seconds: f64,
    /// In milliseconds, sorted.
    pub latencies: Vec<f64>,
}

impl Seen {
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    pub fn quantile(&self, part: f64) -> f64 {
        let place = (self.latencies.len() as f64 * part) as usize;
        self.latencies.get(place.min(self.latencies.len().saturating_sub(1))).copied().unwrap_or(0.0)
    }
}

/// A request in the bytes of HTTP/1.1.
pub fn http(method: &str, path: &str, token: &str, body: Option<&str>) -> Vec<u8> {
    let mut text =
        format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n");
    if let Some(body) = body {
        text.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body.unwrap_or_default());
    text.into_bytes()
}

/// Sends requests over some connections for a while.
pub async fn send(
    address: SocketAddr,
    requests: &Requests,
    connections: usize,
    time: Duration,
) -> Result<Seen> {
    let mut open = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        open.push(Connection { stream, buffer: vec![0; 256 * 1024] });
    }
    let start = Instant::now();
    let end = start + time;
    let step = (requests.texts.len() / connections).max(1);
    let tasks: Vec<_> = open
        .into_iter()
        .enumerate()
        .map(|(place, connection)| tokio::spawn(one(connection, requests.clone(), place * step, end)))
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let seconds = start.elapsed().as_secs_f64();
    latencies.sort_unstable_by(f64::total_cmp);
    Ok(Seen { requests: latencies.len(), seconds, latencies })
}

async fn one(
    mut connection: Connection,
    mut requests: Requests,
    first: usize,
    end: Instant,
) -> Result<Vec<f64>> {
    let mut latencies = Vec::with_capacity(4096);
    let count = requests.texts.len();
    let mut place = first % count;
    while Instant::now() < end {
        let request = &mut requests.texts[place];
        if requests.fresh {
            refresh(request);
        }
        let start = Instant::now();
        let (status, _) = connection.ask(request).await?;
        if status != 200 {
            return Err(format!("an answer with status {status} under load").into());
        }
        latencies.push(start.elapsed().as_secs_f64() * 1e3);
        place = (place + 1) % count;
    }
    Ok(latencies)
}

/// Writes a key that was never used over the last one.
#[expect(clippy::disallowed_methods, reason = "a key of a client, which has no clock or dice of ours")]
fn refresh(request: &mut [u8]) {
    let mark = &MARK.as_bytes()[..8];
    let Some(at) = request.windows(8).position(|window| window == mark) else { return };
    let key = uuid::Uuid::new_v4().simple().to_string();
    // The first digits stay, so that the place is found again.
    request[at + 8..at + 32].copy_from_slice(&key.as_bytes()[8..]);
}

/// One answer to one request, with its body.
pub async fn ask(address: SocketAddr, request: &[u8]) -> Result<(u16, Vec<u8>)> {
    let stream = TcpStream::connect(address).await?;
    let mut connection = Connection { stream, buffer: vec![0; 256 * 1024] };
    let mut request = request.to_vec();
    refresh(&mut request);
    let (status, body) = connection.ask(&request).await?;
    Ok((status, connection.buffer[body].to_vec()))
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// The status, and where in the buffer the body is.
    async fn ask(&mut self, request: &[u8]) -> Result<(u16, std::ops::Range<usize>)> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        let (head, length) = loop {
            filled += self.fill(filled).await?;
            if let Some(head) = find(&self.buffer[..filled], b"\r\n\r\n") {
                break (head + 4, content_length(&self.buffer[..head])?);
            }
        };
        let end = head + length;
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        while filled < end {
            filled += self.fill(filled).await?;
        }
        let status = std::str::from_utf8(&self.buffer[9..12])?.parse()?;
        Ok((status, head..end))
    }

    async fn fill(&mut self, at: usize) -> Result<usize> {
        if at == self.buffer.len() {
            self.buffer.resize(at * 2, 0);
        }
        match self.stream.read(&mut self.buffer[at..]).await? {
            0 => Err("the server closed a connection".into()),
            read => Ok(read),
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn content_length(head: &[u8]) -> Result<usize> {
    let head = std::str::from_utf8(head)?;
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    Ok(line.ok_or("an answer without Content-Length")?.trim().parse()?)
}
