//! Who asks over HTTP, and what comes back.

use std::{fmt, time::Duration};

use bytes::Bytes;
use reqwest::{Method, RequestBuilder, header::HeaderMap, redirect};
use serde_json::{Value, json};

/// Somebody who talks to the server. The same request is sent as somebody else by changing the receiver.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    organization: Option<String>,
    purpose: Option<String>,
}

impl Client {
    /// Nobody in particular; `base` is `http://127.0.0.1:PORT`.
    pub fn anonymous(base: String) -> Self {
        let http = reqwest::Client::builder()
            // The server is on this machine, whatever the environment says.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()
            .unwrap_or_else(|error| panic!("client: {error}"));
        Self { http, base, token: None, organization: None, purpose: None }
    }

    /// The same, with a bearer token.
    #[must_use]
    pub fn token(&self, token: &str) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// The same, choosing one of several memberships.
    #[must_use]
    pub fn organization(&self, slug: &str) -> Self {
        Self { organization: Some(slug.into()), ..self.clone() }
    }

    /// The same, saying why it uses women's records.
    #[must_use]
    pub fn purpose(&self, purpose: &str) -> Self {
        Self { purpose: Some(purpose.into()), ..self.clone() }
    }

    /// Sends a GraphQL request as most tools send it. Variables may be `Value::Null`.
    pub async fn query(&self, document: &str, variables: Value) -> Answer {
        self.post(&json!({ "query": document, "variables": variables })).await
    }

    /// Sends any JSON to the GraphQL endpoint.
    pub async fn post(&self, body: &Value) -> Answer {
        self.question(body).send().await
    }

    /// Any JSON for the GraphQL endpoint.
    pub fn question(&self, body: &Value) -> Request {
        self.request("POST", "/graphql")
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json")
            .body(body.to_string())
    }

    /// A request of any method, with this client's credentials and nothing else.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let method = Method::from_bytes(method.as_bytes()).unwrap_or_else(|_| panic!("no method: {method}"));
        let mut builder = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            builder = builder.bearer_auth(token);
        }
        if let Some(slug) = &self.organization {
            builder = builder.header("umbral-organization", slug);
        }
        if let Some(purpose) = &self.purpose {
            builder = builder.header("umbral-purpose", purpose);
        }
        Request(builder)
    }
}

/// A request that is being put together.
pub struct Request(RequestBuilder);

impl Request {
    /// Adds a header; one of the same name stays beside it.
    #[must_use]
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        Self(self.0.header(name, value.as_ref()))
    }

    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        Self(self.0.body(body.into()))
    }

    /// # Panics
    /// When no answer comes: whatever was sent, the server owes one.
    pub async fn send(self) -> Answer {
        self.try_send().await.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// As [`Request::send`], for a server that may end meanwhile.
    ///
    /// # Errors
    /// When no answer came, or half of one.
    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        Begun(self.0.send().await?).rest().await
    }

    /// Sends it and waits for the head of the answer only.
    pub async fn begin(self) -> Begun {
        Begun(self.0.send().await.unwrap_or_else(|error| panic!("no answer: {error:?}")))
    }
}

/// An answer whose body is still to be read.
pub struct Begun(reqwest::Response);

impl Begun {
    /// # Errors
    /// When it breaks off.
    pub async fn rest(self) -> Result<Answer, reqwest::Error> {
        let response = self.0;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await?;
        let json = serde_json::from_slice(&body).ok();
        Ok(Answer { status, headers, body, json })
    }
}

/// What the server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// None when the body is no JSON.
    pub json: Option<Value>,
}

impl Answer {
    /// The data of an answer without errors.
    #[track_caller]
    pub fn data(&self) -> &Value {
        let json = self.json();
        match (json.get("data"), json.get("errors")) {
            (Some(data), None) => data,
            _ => panic!("data without errors expected: {self}"),
        }
    }

    /// The errors of an answer that has some.
    #[track_caller]
    pub fn errors(&self) -> &[Value] {
        match self.json().get("errors").and_then(Value::as_array) {
            Some(errors) if !errors.is_empty() => errors,
            _ => panic!("errors expected: {self}"),
        }
    }

    /// `extensions.code` of the only error.
    #[track_caller]
    pub fn code(&self) -> &str {
        match (self.errors(), self.errors()[0].pointer("/extensions/code").and_then(Value::as_str)) {
            ([_], Some(code)) => code,
            _ => panic!("one error with a code expected: {self}"),
        }
    }

    #[track_caller]
    pub fn json(&self) -> &Value {
        match &self.json {
            Some(json) => json,
            None => panic!("JSON expected: {self}"),
        }
    }

    /// The value of a header that comes once at most.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        assert!(values.next().is_none(), "{name} comes twice: {self}");
        match value.to_str() {
            Ok(value) => Some(value),
            Err(_) => panic!("{name} is no text: {self}"),
        }
    }

    /// How many SQL statements the server ran for this answer. It counts in test mode only.
    #[track_caller]
    pub fn statements(&self) -> u64 {
        match self.header("umbral-statements").and_then(|count| count.parse().ok()) {
            Some(count) => count,
            None => panic!("the header Umbral-Statements expected: {self}"),
        }
    }

    /// Fails unless the status is this one.
    #[track_caller]
    pub fn expect_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self}");
        self
    }
}

/// The status line and the body, for messages and for snapshots.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}
