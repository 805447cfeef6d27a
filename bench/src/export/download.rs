//! A file read to its end as it comes, without keeping it.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::Result;

/// Gives all bytes of a file to `to`: how many there were.
///
/// # Errors
/// When the server refuses, or the file breaks off.
pub async fn download(
    address: SocketAddr,
    path: &str,
    token: &str,
    mut to: impl FnMut(&[u8]) -> Result<()>,
) -> Result<u64> {
    let mut stream = BufReader::with_capacity(64 * 1024, TcpStream::connect(address).await?);
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let status = line(&mut stream).await?;
    let mut length = None;
    loop {
        let header = line(&mut stream).await?.to_ascii_lowercase();
        match header.split_once(": ") {
            Some(("content-length", value)) => length = Some(value.parse::<u64>()?),
            Some(_) => {}
            None => break,
        }
    }
    if !status.starts_with("HTTP/1.1 200") {
        return Err(format!("{path}: {status}").into());
    }
    let mut bytes = 0;
    loop {
        // Without a length the body comes in chunks, each after its own.
        let part = match length {
            Some(length) => length,
            None => u64::from_str_radix(&line(&mut stream).await?, 16)?,
        };
        bytes += part;
        pass_on(&mut stream, part, &mut to).await?;
        if length.is_some() || part == 0 {
            return Ok(bytes);
        }
        line(&mut stream).await?;
    }
}

async fn pass_on(
    stream: &mut BufReader<TcpStream>,
    length: u64,
    to: &mut impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let mut part = stream.take(length);
    while part.limit() > 0 {
        let read = part.fill_buf().await?;
        if read.is_empty() {
            return Err("the file broke off".into());
        }
        to(read)?;
        let count = read.len();
        part.consume(count);
    }
    Ok(())
}

/// A line of the protocol, without its end.
async fn line(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err("the file broke off".into());
    }
    Ok(line.trim_end().to_owned())
}
