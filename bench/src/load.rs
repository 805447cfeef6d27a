//! Load over keep-alive connections: one request at a time on each, answers read and not looked at.
//!
//! It shares the machine with what it measures, so it does as little as it can.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Result;

/// Requests that are sent in turn.
#[derive(Clone)]
pub struct Requests {
    pub texts: Vec<Text>,
    /// How many rows each is about.
    pub rows: usize,
}

/// A request in the bytes of HTTP/1.1.
#[derive(Clone)]
pub struct Text {
    bytes: Vec<u8>,
    /// Where keys stand that are used once.
    keys: Vec<usize>,
}

/// What stands in a request where a fresh key goes.
pub const MARK: &str = "f0f0f0f0-0000-4000-8000-0000f0f0f0f0";

impl Text {
    fn new(bytes: Vec<u8>) -> Self {
        let windows = bytes.windows(MARK.len()).enumerate();
        let keys = windows.filter(|(_, window)| *window == MARK.as_bytes()).map(|(place, _)| place).collect();
        Self { bytes, keys }
    }

    /// The same with one more line in its head.
    #[must_use]
    pub fn with(self, header: &str) -> Self {
        let mut bytes = self.bytes;
        let first = find(&bytes, b"\r\n").map_or(0, |end| end + 2);
        bytes.splice(first..first, format!("{header}\r\n").into_bytes());
        Self::new(bytes)
    }

    /// The request with keys that were never used.
    #[expect(clippy::disallowed_methods, reason = "keys of a client, which has no clock or dice of ours")]
    fn fresh(&mut self) -> &[u8] {
        for place in &self.keys {
            let key = uuid::Uuid::new_v4().hyphenated().to_string();
            self.bytes[*place..*place + MARK.len()].copy_from_slice(key.as_bytes());
        }
        &self.bytes
    }
}

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
}

/// Writes a request down.
pub fn http(method: &str, path: &str, token: &str, body: Option<&str>) -> Text {
    let mut text =
        format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n");
    if let Some(body) = body {
        text.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body.unwrap_or_default());
    Text::new(text.into_bytes())
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
        open.push(Connection::open(address).await?);
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
        let request = requests.texts[place].fresh();
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

/// One answer to one request, with its body.
pub async fn ask(address: SocketAddr, request: &Text) -> Result<(u16, Vec<u8>)> {
    Connection::open(address).await?.answer(&mut request.clone()).await
}

/// What GraphQL answers to one request; a fault of any kind is an error.
pub async fn data(address: SocketAddr, request: &Text) -> Result<Value> {
    let (_, body) = ask(address, request).await?;
    let mut answer: Value = serde_json::from_slice(&body)?;
    if answer.get("errors").is_some() || answer["data"].is_null() {
        return Err(String::from_utf8_lossy(&body).into());
    }
    Ok(answer["data"].take())
}

/// A connection that is kept.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 256 * 1024] })
    }

    /// The status and the body of the answer to a request, which gets fresh keys.
    pub async fn answer(&mut self, request: &mut Text) -> Result<(u16, Vec<u8>)> {
        let (status, body) = self.ask(request.fresh()).await?;
        Ok((status, self.buffer[body].to_vec()))
    }

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
