//! What a client sends: its credentials, and the parameters of a GraphQL request.

use actix_web::{HttpRequest, http::header};
use async_graphql::{Name, Value};
use indexmap::IndexMap;
use serde_json::Value as Json;

/// The largest body, and the largest message of a socket.
pub const LARGEST: usize = 256 * 1024;
/// The largest body of a request with a token: what a device sends of five hundred deliveries with several lines.
pub const LARGEST_WITH_TOKEN: usize = 2 * 1024 * 1024;

/// Who a request says it is from.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    pub authorization: Option<&'a str>,
    /// Which of several memberships.
    pub organization: Option<&'a str>,
}

impl<'a> Credentials<'a> {
    /// A header that is not text is not a token, and names no organisation.
    pub fn of(request: &'a HttpRequest) -> Self {
        let authorization = request.headers().get(header::AUTHORIZATION);
        let organization = request.headers().get("umbral-organization");
        Self {
            authorization: authorization.map(|value| value.to_str().unwrap_or_default()),
            organization: organization.map(|value| value.to_str().unwrap_or_default()),
        }
    }
}

/// The same, kept for as long as the answer takes.
pub struct KeptCredentials {
    pub authorization: Option<String>,
    pub organization: Option<String>,
}

impl KeptCredentials {
    pub fn of(request: &HttpRequest) -> Self {
        let Credentials { authorization, organization } = Credentials::of(request);
        Self {
            authorization: authorization.map(str::to_owned),
            organization: organization.map(str::to_owned),
        }
    }

    pub fn credentials(&self) -> Credentials<'_> {
        Credentials {
            authorization: self.authorization.as_deref(),
            organization: self.organization.as_deref(),
        }
    }
}

/// A header that is text.
pub fn text_header<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

/// The parameters of a request.
#[derive(Debug)]
pub struct Parameters {
    pub query: String,
    pub operation_name: Option<String>,
    pub variables: IndexMap<Name, Value>,
}

/// A request that is no GraphQL request: the code and the words for the client.
#[derive(Debug)]
pub struct Bad(pub &'static str, pub &'static str);

impl Parameters {
    /// From the body of a POST.
    ///
    /// # Errors
    /// When the body is not JSON, or not of this shape.
    pub fn from_body(body: &[u8]) -> Result<Self, Bad> {
        let text = std::str::from_utf8(body).map_err(|_| Bad("BAD_JSON", "The body is not UTF-8."))?;
        Self::from_json(serde_json::from_str(text).map_err(|_| Bad("BAD_JSON", "The body is not JSON."))?)
    }

    /// From JSON, as the body of a POST and a message on a socket hold it.
    ///
    /// # Errors
    /// When it is not of this shape.
    pub fn from_json(json: Json) -> Result<Self, Bad> {
        let mut fields = match json {
            Json::Object(fields) => fields,
            Json::Array(_) => return Err(Bad("BATCH_NOT_OFFERED", "Send one request at a time.")),
            _ => return Err(Bad("BAD_REQUEST", "The body must be a JSON object.")),
        };
        let query = match fields.remove("query") {
            Some(Json::String(query)) => query,
            _ => return Err(Bad("BAD_REQUEST", "\"query\" must be a document.")),
        };
        let operation_name = match fields.remove("operationName") {
            None | Some(Json::Null) => None,
            Some(Json::String(name)) => Some(name),
            Some(_) => return Err(Bad("BAD_REQUEST", "\"operationName\" must be a string.")),
        };
        let variables = variables(fields.remove("variables"))?;
        match fields.remove("extensions") {
            None | Some(Json::Null | Json::Object(_)) => Ok(Self { query, operation_name, variables }),
            Some(_) => Err(Bad("BAD_REQUEST", "\"extensions\" must be an object.")),
        }
    }

    /// From the address of a GET.
    ///
    /// # Errors
    /// When a parameter is missing, stands twice, or is not of its shape.
    pub fn from_address(address: &str) -> Result<Self, Bad> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(address)
            .map_err(|_| Bad("BAD_REQUEST", "The parameters of the address cannot be read."))?;
        let mut found: [Option<String>; 4] = [None, None, None, None];
        const NAMES: [&str; 4] = ["query", "operationName", "variables", "extensions"];
        for (name, value) in pairs {
            let Some(place) = NAMES.iter().position(|known| *known == name) else { continue };
            if found[place].replace(value).is_some() {
                return Err(Bad("BAD_REQUEST", "A parameter stands twice."));
            }
        }
        let [query, operation_name, given, extensions] = found;
        let query = query.ok_or(Bad("BAD_REQUEST", "\"query\" must be a document."))?;
        let json = |text: Option<String>| match text.filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|_| Bad("BAD_JSON", "\"variables\" and \"extensions\" must be JSON.")),
        };
        if !matches!(json(extensions)?, None | Some(Json::Null | Json::Object(_))) {
            return Err(Bad("BAD_REQUEST", "\"extensions\" must be an object."));
        }
        let operation_name = operation_name.filter(|name| !name.is_empty());
        Ok(Self { query, operation_name, variables: variables(json(given)?)? })
    }
}

fn variables(given: Option<Json>) -> Result<IndexMap<Name, Value>, Bad> {
    match given {
        None | Some(Json::Null) => Ok(IndexMap::new()),
        Some(Json::Object(fields)) => fields
            .into_iter()
            .map(|(name, value)| {
                Value::from_json(value)
                    .map(|value| (Name::new(name), value))
                    .map_err(|_| Bad("BAD_REQUEST", "A variable cannot be read."))
            })
            .collect(),
        Some(_) => Err(Bad("BAD_REQUEST", "\"variables\" must be an object.")),
    }
}
