//! Who asks over a WebSocket, and what is said there.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::Response, protocol::Role},
};

/// How long something is waited for that the server owes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of the protocol, or of whatever a test says on it.
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Opens a socket that speaks the protocol.
    pub async fn open(address: SocketAddr) -> Self {
        Self::with(address, &[("sec-websocket-protocol", "graphql-transport-ws")]).await
    }

    /// Opens a socket with these headers.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn with(address: SocketAddr, headers: &[(&str, &str)]) -> Self {
        Self::tried(address, headers).await.unwrap_or_else(|status| panic!("refused: {status}"))
    }

    /// The same, or the status of the refusal.
    pub async fn tried(address: SocketAddr, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap_or_else(fail);
        for (name, value) in headers {
            let name: tokio_tungstenite::tungstenite::http::HeaderName = name.parse().unwrap_or_else(fail);
            request.headers_mut().insert(name, value.parse().unwrap_or_else(fail));
        }
        let stream = TcpStream::connect(address).await.unwrap_or_else(fail);
        let opened = tokio::time::timeout(PATIENCE, client_async(request, stream)).await.unwrap_or_else(fail);
        match opened {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(Error::Http(response)) => Err(Response::status(&response).as_u16()),
            Err(error) => panic!("no handshake: {error}"),
        }
    }

    /// Opens a socket by a handshake that nobody checks, with these lines among its headers.
    pub async fn by_hand(address: SocketAddr, lines: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap_or_else(fail);
        let request = format!(
            "GET /graphql HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap_or_else(fail);
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap_or_else(fail));
        }
        assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
        Self(WebSocketStream::from_raw_socket(stream, Role::Client, None).await)
    }

    /// Opens a socket and says who asks.
    pub async fn of(address: SocketAddr, token: &str) -> Self {
        let mut socket = Self::open(address).await;
        socket.init(json!({ "authorization": format!("Bearer {token}") })).await;
        socket
    }

    /// Says who asks, and is acknowledged.
    pub async fn init(&mut self, payload: Value) {
        self.say(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(self.hear().await, json!({ "type": "connection_ack" }));
    }

    /// Subscribes, and waits until the server has read it and refused nothing.
    pub async fn subscribe(&mut self, id: &str, document: &str, variables: Value) {
        let payload = json!({ "query": document, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload })).await;
        self.round_trip().await;
    }

    /// Subscribes to what is refused: the errors.
    pub async fn refused(&mut self, document: &str) -> Value {
        self.say(json!({ "type": "subscribe", "id": "refused", "payload": { "query": document } })).await;
        let said = self.hear().await;
        assert_eq!((&said["type"], &said["id"]), (&json!("error"), &json!("refused")), "{said}");
        said["payload"].clone()
    }

    /// Everything that was said before has been read, and nothing was answered to it.
    pub async fn round_trip(&mut self) {
        self.say(json!({ "type": "ping" })).await;
        assert_eq!(self.hear().await, json!({ "type": "pong" }));
    }

    /// The data of the next event, which is of this subscription.
    pub async fn event(&mut self, id: &str) -> Value {
        let said = self.hear().await;
        assert_eq!((&said["type"], &said["id"]), (&json!("next"), &json!(id)), "{said}");
        assert_eq!(said["payload"].get("errors"), None, "{said}");
        said["payload"]["data"].clone()
    }

    pub async fn say(&mut self, message: Value) {
        self.send(Message::text(message.to_string())).await;
    }

    pub async fn send(&mut self, message: Message) {
        SinkExt::send(&mut self.0, message).await.unwrap_or_else(fail);
    }

    /// The next message. Pings are answered on the way.
    ///
    /// # Panics
    /// When the socket is closed.
    pub async fn hear(&mut self) -> Value {
        match self.next().await {
            Ok(said) => said,
            Err((code, reason)) => panic!("closed: {code} {reason}"),
        }
    }

    /// The code and the reason with which the server closes the socket, without another message before it.
    pub async fn closed(&mut self) -> (u16, String) {
        match self.next().await {
            Ok(said) => panic!("the end expected: {said}"),
            Err(end) => end,
        }
    }

    /// The next message, or how the socket ends.
    pub async fn next(&mut self) -> Result<Value, (u16, String)> {
        self.next_but_pings(usize::MAX).await
    }

    /// Answers so many pings, on a socket on which nothing else is said.
    pub async fn answer_pings(&mut self, count: usize) {
        assert_eq!(self.next_but_pings(count).await, Ok(Value::Null));
    }

    /// As [`Socket::next`]; null when so many pings have come before it.
    async fn next_but_pings(&mut self, count: usize) -> Result<Value, (u16, String)> {
        let next = tokio::time::timeout(PATIENCE, self.read(count)).await;
        next.unwrap_or_else(|_| panic!("nothing is said"))
    }

    async fn read(&mut self, mut pings: usize) -> Result<Value, (u16, String)> {
        loop {
            match StreamExt::next(&mut self.0).await {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")));
                }
                Some(Ok(Message::Ping(_))) => {
                    pings -= 1;
                    if pings == 0 {
                        return Ok(Value::Null);
                    }
                }
                Some(Ok(Message::Pong(_))) => {}
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err((frame.code.into(), frame.reason.to_string()));
                }
                other => panic!("a message expected: {other:?}"),
            }
        }
    }

    /// How the server ends the socket of a client that hears pings and answers none.
    pub async fn closed_in_silence(self) -> (u16, String) {
        let mut stream = self.0.into_inner();
        loop {
            // Frames of a server are not masked, and those of control are short.
            let (kind, length) = (stream.read_u8().await.unwrap_or_else(fail), stream.read_u8().await);
            let mut payload = vec![0; length.unwrap_or_else(fail).into()];
            stream.read_exact(&mut payload).await.unwrap_or_else(fail);
            match (kind, payload.split_at_checked(2)) {
                (0x89, None) => {}
                (0x88, Some((&[high, low], reason))) => {
                    return (u16::from_be_bytes([high, low]), String::from_utf8_lossy(reason).into_owned());
                }
                _ => panic!("a ping or the end expected: {kind:#x} {payload:?}"),
            }
        }
    }

    /// Breaks the connection without a word.
    pub fn drop_connection(self) {
        drop(self.0.into_inner());
    }
}

fn fail<E: std::fmt::Display, T>(error: E) -> T {
    panic!("socket: {error}")
}
