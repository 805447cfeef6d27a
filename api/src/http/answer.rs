//! Answers as bytes: media types, status codes, and JSON.

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
};
use async_graphql::{PathSegment, ServerError, Value};

use crate::{auth::Denied, graphql::render::write_str};

/// The media type that the client takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Media {
    /// `application/graphql-response+json`
    GraphQl,
    /// `application/json`, for clients from before it.
    Json,
}

impl Media {
    fn header(self) -> &'static str {
        match self {
            Self::GraphQl => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    /// The status of an answer to a request that could not be run. In the older form the status speaks of the
    /// transport only.
    pub fn request_error(self) -> StatusCode {
        match self {
            Self::GraphQl => StatusCode::BAD_REQUEST,
            Self::Json => StatusCode::OK,
        }
    }

    /// What an Accept header takes of ours; none when it takes neither.
    pub fn accepted(accept: Option<&str>) -> Option<Self> {
        let Some(accept) = accept else { return Some(Self::Json) };
        let mut best: Option<(f32, Self)> = None;
        for part in accept.split(',') {
            let mut pieces = part.split(';').map(str::trim);
            let media = match pieces.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/graphql-response+json" => Self::GraphQl,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => continue,
            };
            let quality = pieces
                .find_map(|piece| piece.strip_prefix("q="))
                .map_or(1.0, |quality| quality.parse().unwrap_or(0.0));
            if quality > 0.0 && best.is_none_or(|(before, _)| quality > before) {
                best = Some((quality, media));
            }
        }
        best.map(|(_, media)| media)
    }
}

/// A refusal of the transport, in the form of a GraphQL answer.
pub fn refusal(status: StatusCode, code: &str, message: &str, media: Media) -> HttpResponse {
    refusal_with(HttpResponseBuilder::new(status), code, message, media)
}

pub fn refusal_with(
    mut response: HttpResponseBuilder,
    code: &str,
    message: &str,
    media: Media,
) -> HttpResponse {
    let mut body = b"{\"errors\":[{\"message\":".to_vec();
    write_str(&mut body, message);
    body.extend_from_slice(b",\"extensions\":{\"code\":");
    write_str(&mut body, code);
    body.extend_from_slice(b"}}]}");
    finish(&mut response, media, body)
}

/// The refusal of a credential.
pub fn denied(denied: Denied, media: Media) -> HttpResponse {
    let status = StatusCode::from_u16(denied.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let mut response = HttpResponse::build(status);
    if status == StatusCode::UNAUTHORIZED {
        response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    refusal_with(response, denied.code(), denied.message(), media)
}

/// Sends a body that depends on who asks.
pub fn finish(response: &mut HttpResponseBuilder, media: Media, body: Vec<u8>) -> HttpResponse {
    response
        .insert_header((header::CONTENT_TYPE, media.header()))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .append_header((header::VARY, "Accept, Accept-Language, Authorization, Umbral-Organization"))
        .body(body)
}

/// What a document cost its caller.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub requested: u64,
    pub limit: u64,
}

/// Writes an answer. Without `data` the request could not be run; null `data` is a fault that went all the way.
pub fn write(data: Option<&Value>, errors: &[ServerError], cost: Option<Cost>) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    out.push(b'{');
    if !errors.is_empty() {
        out.extend_from_slice(b"\"errors\":");
        write_errors(&mut out, errors);
    }
    if let Some(data) = data {
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(b"\"data\":");
        write_value(&mut out, data);
    }
    if let Some(Cost { requested, limit }) = cost {
        let remaining = limit.saturating_sub(requested);
        out.extend_from_slice(
            format!(
                ",\"extensions\":{{\"cost\":{{\"requested\":{requested},\"limit\":{limit},\"remaining\":{remaining}}}}}"
            )
            .as_bytes(),
        );
    }
    out.push(b'}');
    out
}

/// Writes errors as a list.
pub fn write_errors(out: &mut Vec<u8>, errors: &[ServerError]) {
    out.push(b'[');
    for (place, error) in errors.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_error(out, error);
    }
    out.push(b']');
}

fn write_error(out: &mut Vec<u8>, error: &ServerError) {
    out.extend_from_slice(b"{\"message\":");
    write_str(out, &error.message);
    if !error.locations.is_empty() {
        out.extend_from_slice(b",\"locations\":[");
        for (place, position) in error.locations.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            out.extend_from_slice(
                format!("{comma}{{\"line\":{},\"column\":{}}}", position.line, position.column).as_bytes(),
            );
        }
        out.push(b']');
    }
    if !error.path.is_empty() {
        out.extend_from_slice(b",\"path\":[");
        for (place, segment) in error.path.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            match segment {
                PathSegment::Field(name) => write_str(out, name),
                PathSegment::Index(index) => out.extend_from_slice(index.to_string().as_bytes()),
            }
        }
        out.push(b']');
    }
    out.extend_from_slice(b",\"extensions\":{\"code\":");
    let code = error.extensions.as_ref().and_then(|extensions| match extensions.get("code") {
        Some(Value::String(code)) => Some(code.as_str()),
        _ => None,
    });
    write_str(out, code.unwrap_or("GRAPHQL_VALIDATION_FAILED"));
    out.extend_from_slice(b"}}");
}

/// Writes a value of the library. Bytes are JSON that one of our objects has written; nothing that a client
/// sends becomes bytes.
fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::String(text) => write_str(out, text),
        Value::Enum(name) => write_str(out, name),
        Value::Binary(json) => out.extend_from_slice(json),
        Value::List(members) => {
            out.push(b'[');
            for (place, member) in members.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write_value(out, member);
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            out.push(b'{');
            for (place, (name, field)) in fields.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write_str(out, name);
                out.push(b':');
                write_value(out, field);
            }
            out.push(b'}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Media;

    #[test]
    fn the_accept_header_chooses_the_media_type() {
        assert_eq!(Media::accepted(None), Some(Media::Json));
        assert_eq!(Media::accepted(Some("*/*")), Some(Media::Json));
        assert_eq!(Media::accepted(Some("application/graphql-response+json")), Some(Media::GraphQl));
        let both = "application/json;q=0.9, application/graphql-response+json; charset=utf-8";
        assert_eq!(Media::accepted(Some(both)), Some(Media::GraphQl));
        assert_eq!(Media::accepted(Some("text/html")), None);
    }
}
