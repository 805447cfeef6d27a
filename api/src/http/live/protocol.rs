//! graphql-transport-ws: what is said on a socket, and how it ends.
//! <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>

use std::borrow::Cow;

use actix_ws::{CloseCode, CloseReason};
use async_graphql::{ServerError, Value};
use serde_json::{Map, Value as Json};

use crate::{
    graphql::render::write_str,
    http::{
        answer,
        request::{Bad, Parameters},
    },
};

/// The subprotocol. The older `graphql-ws` is another one, and not spoken here.
pub const NAME: &str = "graphql-transport-ws";

/// The longest id of an operation.
const LONGEST_ID: usize = 100;

/// How a socket ends: the code and the reason for the client; none when it is gone already.
#[derive(Debug)]
pub struct End(Option<(u16, Cow<'static, str>)>);

impl End {
    pub const GONE: Self = Self(None);
    pub const TOO_LARGE: Self = Self::because(1009, "The message is too large");
    pub const BROKEN: Self = Self::because(1002, "Protocol error");
    pub const STOPPING: Self = Self::because(1001, "The server stops");
    pub const SILENT: Self = Self::because(1001, "No answer to a ping");
    pub const TOO_SLOW: Self = Self::because(1013, "Messages are not read fast enough");
    pub const TOO_MANY_SOCKETS: Self = Self::because(1013, "Too many sockets");
    pub const BUSY: Self = Self::because(1013, "The service is busy");
    pub const INVALID: Self = Self::because(4400, "Invalid message");
    pub const UNAUTHORIZED: Self = Self::because(4401, "Unauthorized");
    pub const NOT_THE_PROTOCOL: Self = Self::because(4406, "Subprotocol not acceptable");
    pub const INIT_TIMEOUT: Self = Self::because(4408, "Connection initialisation timeout");
    pub const TOO_MANY_INITS: Self = Self::because(4429, "Too many initialisation requests");

    const fn because(code: u16, reason: &'static str) -> Self {
        Self(Some((code, Cow::Borrowed(reason))))
    }

    /// The credential is not accepted, or no longer.
    pub fn forbidden(code: &'static str) -> Self {
        Self::because(4403, code)
    }

    pub fn exists(id: &str) -> Self {
        Self(Some((4409, format!("Subscriber for {id} already exists").into())))
    }

    /// As the close frame says it; none when there is nobody to read it.
    pub fn reason(self) -> Option<CloseReason> {
        let (code, description) = self.0?;
        Some(CloseReason { code: CloseCode::from(code), description: Some(description.into_owned()) })
    }
}

/// What a client says.
pub enum Said {
    Init(Map<String, Json>),
    Ping(Option<Json>),
    Pong,
    Subscribe(String, Parameters),
    Complete(String),
}

impl Said {
    /// Reads a message.
    ///
    /// # Errors
    /// 4400 for whatever is not a message of a client.
    pub fn read(text: &str) -> Result<Self, End> {
        let Ok(Json::Object(mut message)) = serde_json::from_str(text) else { return Err(End::INVALID) };
        let payload = message.remove("payload");
        let id = match message.remove("id") {
            Some(Json::String(id)) if (1..=LONGEST_ID).contains(&id.len()) => Some(id),
            _ => None,
        };
        let details = |payload: Option<Json>| match payload {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Object(fields)) => Ok(Some(fields)),
            Some(_) => Err(End::INVALID),
        };
        match (message.get("type").and_then(Json::as_str), id) {
            (Some("connection_init"), _) => Ok(Self::Init(details(payload)?.unwrap_or_default())),
            (Some("ping"), _) => Ok(Self::Ping(details(payload)?.map(Json::Object))),
            (Some("pong"), _) => details(payload).map(|_| Self::Pong),
            (Some("subscribe"), Some(id)) => match Parameters::from_json(payload.unwrap_or_default()) {
                Ok(parameters) => Ok(Self::Subscribe(id, parameters)),
                Err(Bad(..)) => Err(End::INVALID),
            },
            (Some("complete"), Some(id)) => Ok(Self::Complete(id)),
            _ => Err(End::INVALID),
        }
    }
}

pub const ACK: &str = r#"{"type":"connection_ack"}"#;

pub fn pong(payload: Option<&Json>) -> String {
    match payload {
        None => r#"{"type":"pong"}"#.to_owned(),
        Some(payload) => format!(r#"{{"type":"pong","payload":{payload}}}"#),
    }
}

/// An event of an operation.
pub fn next(id: &str, data: &Value, errors: &[ServerError]) -> String {
    message("next", id, |out| out.extend_from_slice(&answer::write(Some(data), errors, None)))
}

/// An operation is refused, or has ended with a fault.
pub fn error(id: &str, errors: &[ServerError]) -> String {
    message("error", id, |out| answer::write_errors(out, errors))
}

fn message(kind: &str, id: &str, payload: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = b"{\"id\":".to_vec();
    write_str(&mut out, id);
    out.extend_from_slice(format!(",\"type\":\"{kind}\",\"payload\":").as_bytes());
    payload(&mut out);
    out.push(b'}');
    // All that is written is UTF-8.
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_of_a_client_is_invalid() {
        let long = format!(r#"{{"type":"complete","id":"{}"}}"#, "x".repeat(101));
        for text in [
            "",
            "1",
            "[]",
            "{}",
            "nothing",
            r#"{"type":1}"#,
            r#"{"type":"subscribe"}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":1,"payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"next","id":"1","payload":{}}"#,
            r#"{"type":"connection_ack"}"#,
            r#"{"type":"start","id":"1","payload":{"query":"{a}"}}"#,
            r#"{"type":"connection_init","payload":"token"}"#,
            r#"{"type":"ping","payload":1}"#,
            &long,
        ] {
            let end = Said::read(text).err().and_then(End::reason);
            assert_eq!(end.map(|reason| u16::from(reason.code)), Some(4400), "{text}");
        }
        assert!(matches!(Said::read(r#"{"type":"ping"}"#), Ok(Said::Ping(None))));
        assert!(matches!(Said::read(r#"{"type":"connection_init","payload":null}"#), Ok(Said::Init(_))));
    }
}
