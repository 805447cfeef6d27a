//! All deliveries as files, and what that takes of the server's memory.

use std::time::Instant;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    Result,
    process::{Server, memory_mb},
};

/// What the server may take at its peak, however many deliveries there are.
const MOST_MB: f64 = 150.0;

/// Takes each form of the file once, and says what it took.
///
/// # Errors
/// When a file breaks off, or the server took more than it may.
pub async fn run(server: &Server, token: &str) -> Result<()> {
    for format in ["csv", "jsonl", "xlsx"] {
        let start = Instant::now();
        let bytes = take(server, token, format).await?;
        let (resident, peak) = memory_mb(server.pid());
        println!(
            "export {format:<5} {:>7.1} MB in {:>5.1} s; the server has {resident:.0} MB, {peak:.0} MB at its peak",
            bytes as f64 / 1e6,
            start.elapsed().as_secs_f64(),
        );
        if peak >= MOST_MB {
            return Err(format!("more than {MOST_MB} MB").into());
        }
    }
    Ok(())
}

/// Reads a file to its end without keeping it: how many bytes came.
async fn take(server: &Server, token: &str, format: &str) -> Result<u64> {
    let mut stream = TcpStream::connect(server.address).await?;
    let request = format!(
        "GET /export/distributions?format={format} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut chunk = vec![0; 64 * 1024];
    let (mut head, mut end) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    loop {
        let length = stream.read(&mut chunk).await?;
        if length == 0 {
            break;
        }
        let read = &chunk[..length];
        bytes += length as u64;
        if head.len() < 4096 {
            head.extend_from_slice(read);
        }
        end.extend_from_slice(&read[read.len().saturating_sub(16)..]);
        end.drain(..end.len().saturating_sub(16));
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    if !head.starts_with("http/1.1 200") {
        return Err(format!("{format}: {}", head.lines().next().unwrap_or_default()).into());
    }
    let announced = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let whole = match announced.map(str::parse::<u64>) {
        Some(length) => length.is_ok_and(|length| bytes > length),
        None => end.ends_with(b"\r\n0\r\n\r\n"),
    };
    if whole { Ok(bytes) } else { Err(format!("{format}: the file broke off").into()) }
}
