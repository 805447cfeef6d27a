//! `/graphql`: GraphQL over HTTP to the letter.

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};
use async_graphql::{
    ErrorExtensionValues, Pos, ServerError, ValidationMode, Value, Variables,
    parser::types::{ExecutableDocument, OperationType},
};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use super::{
    App,
    answer::{self, Cost, Media},
    enter,
    request::{Bad, Credentials, LARGEST, LARGEST_WITH_TOKEN, Parameters, text_header},
    within,
};
use crate::{
    auth::address,
    config::CostLimits,
    error::Error,
    graphql::{self, Request, Umbral, audience::Audience, limits, text, wall},
    store::{STATEMENTS, Seen, catalog::Catalog, record::Purpose, sign_in::Caller},
};

/// How many documents are kept parsed, in each of two halves, and how much text.
const KEPT: usize = 500;
const KEPT_BYTES: usize = 256 * 1024;
/// Longer documents are parsed every time.
const KEPT_LENGTH: usize = 16 * 1024;

/// The schema, and documents that have been seen.
pub struct Engine {
    pub(super) strict: Umbral,
    fast: Umbral,
    documents: RwLock<Kept>,
}

/// Documents in two halves: when the newer one is full it becomes the older one, whose documents go.
#[derive(Default)]
struct Kept {
    newer: HashMap<String, Arc<Document>>,
    older: HashMap<String, Arc<Document>>,
    /// Bytes of the newer half's texts; a parsed document is some thirty times its text.
    bytes: usize,
}

impl Kept {
    fn get(&self, query: &str) -> Option<&Arc<Document>> {
        self.newer.get(query).or_else(|| self.older.get(query))
    }

    fn insert(&mut self, query: &str, document: Arc<Document>) {
        if self.newer.len() >= KEPT || self.bytes + query.len() > KEPT_BYTES {
            self.older = std::mem::take(&mut self.newer);
            self.bytes = 0;
        }
        self.bytes += query.len();
        self.newer.insert(query.to_owned(), document);
    }
}

/// A parsed document, and what has been found out about it.
pub(super) struct Document {
    pub(super) parsed: ExecutableDocument,
    /// The SHA-256 of its text, by which the audit names it.
    hash: [u8; 32],
    has_variables: bool,
    /// Audiences that it has passed all validation for.
    passed: AtomicU32,
    /// The wall's verdicts where nothing depends on variables.
    verdicts: RwLock<HashMap<(Audience, Option<String>), wall::Checked>>,
}

impl Engine {
    pub fn new() -> Self {
        Self {
            strict: graphql::schema(ValidationMode::Strict),
            fast: graphql::schema(ValidationMode::Fast),
            documents: RwLock::default(),
        }
    }

    pub(super) fn document(&self, query: &str) -> Result<Arc<Document>, ServerError> {
        let kept = self.documents.read().unwrap_or_else(PoisonError::into_inner).get(query).cloned();
        if let Some(kept) = kept {
            return Ok(kept);
        }
        limits::scan(query).map_err(|(code, message)| coded(message, None, code))?;
        let parsed = async_graphql::parser::parse_query(query).map_err(|fault| {
            let mut error = coded("The document cannot be parsed.", None, "GRAPHQL_PARSE_FAILED");
            error.locations = fault.positions().collect();
            error
        })?;
        let has_variables =
            parsed.operations.iter().any(|(_, operation)| !operation.node.variable_definitions.is_empty());
        let document = Arc::new(Document {
            parsed,
            hash: Sha256::digest(limits::without_values(query)).into(),
            has_variables,
            passed: AtomicU32::new(0),
            verdicts: RwLock::default(),
        });
        Ok(document)
    }

    /// Keeps a document that has passed all checks. The oldest half goes when there is no room.
    fn keep(&self, query: &str, document: &Arc<Document>) {
        if query.len() > KEPT_LENGTH {
            return;
        }
        let mut documents = self.documents.write().unwrap_or_else(PoisonError::into_inner);
        documents.insert(query, document.clone());
    }

    /// What the document asks for, if its audience may.
    pub(super) fn check(
        &self,
        document: &Document,
        audience: Audience,
        parameters: &Parameters,
    ) -> Result<wall::Checked, Vec<ServerError>> {
        let key = (audience, parameters.operation_name.clone());
        if !document.has_variables {
            let known = document.verdicts.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
            if let Some(checked) = known {
                return Ok(checked);
            }
        }
        let types = graphql::types().map_err(|error| vec![graphql::server_error(&error, Pos::default())])?;
        let name = parameters.operation_name.as_deref();
        let checked = wall::check(types, audience, &document.parsed, name, &parameters.variables).map_err(
            |faults| {
                faults
                    .iter()
                    .map(|fault| coded(&fault.message, fault.position, fault.code))
                    .collect::<Vec<_>>()
            },
        )?;
        if !document.has_variables {
            let mut verdicts = document.verdicts.write().unwrap_or_else(PoisonError::into_inner);
            if verdicts.len() < 64 {
                verdicts.insert(key, checked.clone());
            }
        }
        Ok(checked)
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

impl CostLimits {
    pub(super) fn of(&self, audience: Audience) -> u64 {
        match audience {
            Audience::Public => self.public,
            Audience::Donor | Audience::Partner => self.outside,
            Audience::Staff => self.staff,
        }
    }
}

pub(super) fn coded(message: &str, position: Option<Pos>, code: &str) -> ServerError {
    let mut error = ServerError::new(message, position);
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    error.extensions = Some(extensions);
    error
}

pub async fn post(app: web::Data<App>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let Some(media) = Media::accepted(text_header(&request, "accept")) else { return not_acceptable() };
    if !is_json(text_header(&request, "content-type")) {
        let message = "Send the request as application/json.";
        return answer::refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message, media);
    }
    let with_token = text_header(&request, "authorization").is_some();
    let most = if with_token { LARGEST_WITH_TOKEN } else { LARGEST };
    let body = match within(&app, read(payload, most)).await {
        Some(Ok(body)) => body,
        Some(Err(Unread::TooLarge)) => {
            let message = &format!("The body is larger than {} KiB.", most / 1024);
            return answer::refusal(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", message, media);
        }
        Some(Err(Unread::Broken)) => {
            return answer::refusal(
                StatusCode::BAD_REQUEST,
                "BAD_REQUEST",
                "The body did not arrive.",
                media,
            );
        }
        None => {
            return answer::refusal(
                StatusCode::REQUEST_TIMEOUT,
                "TIMED_OUT",
                "The body took too long.",
                media,
            );
        }
    };
    serve(&app, &request, media, Parameters::from_body(&body), false).await
}

pub async fn get(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let Some(media) = Media::accepted(text_header(&request, "accept")) else { return not_acceptable() };
    let parameters = Parameters::from_address(request.query_string());
    serve(&app, &request, media, parameters, true).await
}

async fn serve(
    app: &App,
    request: &HttpRequest,
    media: Media,
    parameters: Result<Parameters, Bad>,
    by_get: bool,
) -> HttpResponse {
    let parameters = match parameters {
        Ok(parameters) => parameters,
        Err(Bad(code, message)) => return answer::refusal(StatusCode::BAD_REQUEST, code, message, media),
    };
    let count = Arc::new(AtomicU32::new(0));
    let work = STATEMENTS.scope(count.clone(), run(app, request, media, parameters, by_get));
    let mut response = match within(app, work).await {
        Some(response) => response,
        None => {
            let error = Error::TimedOut;
            answer::refusal(StatusCode::SERVICE_UNAVAILABLE, error.code(), &error.message(), media)
        }
    };
    if app.config.count_statements {
        let name = header::HeaderName::from_static("umbral-statements");
        response.headers_mut().insert(name, header::HeaderValue::from(count.load(Ordering::Relaxed)));
    }
    response
}

async fn run(
    app: &App,
    request: &HttpRequest,
    media: Media,
    parameters: Parameters,
    by_get: bool,
) -> HttpResponse {
    match current(app, request, media, &parameters, by_get).await {
        Ok(response) => response,
        Err(error) => {
            // Notes the fault in the log.
            let _ = graphql::server_error(&error, Pos::default());
            let error = Error::Unavailable;
            answer::refusal(StatusCode::SERVICE_UNAVAILABLE, error.code(), &error.message(), media)
        }
    }
}

/// An answer by the reference tables as they are now. What may write reads their version first. A query goes by
/// those in memory, and reads it on its way or at the end; it is run again when they have changed.
async fn current(
    app: &App,
    request: &HttpRequest,
    media: Media,
    parameters: &Parameters,
    by_get: bool,
) -> Result<HttpResponse, Error> {
    let document = app.graphql.document(&parameters.query);
    let only_reads = document.as_ref().is_ok_and(|document| {
        document.parsed.operations.iter().all(|(_, operation)| operation.node.ty == OperationType::Query)
    });
    let mut catalog = if only_reads { app.store.kept() } else { app.store.catalog().await? };
    if only_reads {
        let seen = Arc::new(Seen::default());
        let response =
            answered(app, request, media, parameters, by_get, &document, (catalog.clone(), seen.clone()))
                .await;
        if seen.is_current() {
            return Ok(response);
        }
        let now = app.store.catalog().await?;
        if Arc::ptr_eq(&now, &catalog) {
            return Ok(response);
        }
        catalog = now;
    }
    let seen = Arc::new(Seen::default());
    Ok(answered(app, request, media, parameters, by_get, &document, (catalog, seen)).await)
}

async fn answered(
    app: &App,
    request: &HttpRequest,
    media: Media,
    parameters: &Parameters,
    by_get: bool,
    document: &Result<Arc<Document>, ServerError>,
    tables: (Arc<Catalog>, Arc<Seen>),
) -> HttpResponse {
    let access = match enter(app, Credentials::of(request), tables).await {
        Ok(access) => access,
        Err(denied) => return answer::denied(denied, media),
    };
    let purpose = text_header(request, "umbral-purpose").and_then(Purpose::parse);
    let mut access = access.asking(purpose);
    let audience = access.viewer.audience();
    let limit = app.config.cost.of(audience);
    let fail = |errors: &[ServerError], cost: Option<Cost>| {
        answer::finish(
            &mut HttpResponse::build(media.request_error()),
            media,
            answer::write(None, errors, cost),
        )
    };
    let document = match document {
        Ok(document) => document,
        Err(error) => return fail(std::slice::from_ref(error), None),
    };
    access.document = Some(document.hash);
    let checked = match app.graphql.check(document, audience, parameters) {
        Ok(checked) => checked,
        Err(errors) => return fail(&errors, None),
    };
    if checked.operation == OperationType::Subscription {
        let message = "Subscriptions are served over a WebSocket at this address.";
        return fail(&[coded(message, None, "OPERATION_NOT_SERVED")], None);
    }
    if by_get && checked.operation != OperationType::Query {
        let mut response = HttpResponse::MethodNotAllowed();
        response.insert_header((header::ALLOW, "POST"));
        return answer::refusal_with(response, "METHOD_NOT_ALLOWED", "Send mutations by POST.", media);
    }
    let cost = Cost { requested: checked.cost, limit };
    if let Some(fault) = too_costly(&checked, limit) {
        return fail(&[fault], Some(cost));
    }

    let languages = text_header(request, "accept-language").map(text::accepted).unwrap_or_default();
    let bit = 1 << audience as u32;
    let passed = document.passed.load(Ordering::Relaxed) & bit != 0;
    let schema = if passed { &app.graphql.fast } else { &app.graphql.strict };
    let mut library = async_graphql::Request::new("")
        .variables(Variables::from_value(Value::Object(checked.variables.clone())))
        .data(audience)
        .data(Request::new(access, languages, checked.variables, limit).from(caller(app, request)));
    library.operation_name = parameters.operation_name.clone();
    library.set_parsed_query(document.parsed.clone());
    let response = schema.execute(library).await;

    let unrun = response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty());
    if unrun {
        return fail(&response.errors, None);
    }
    if !passed && document.passed.fetch_or(bit, Ordering::Relaxed) == 0 {
        app.graphql.keep(&parameters.query, document);
    }
    let body = answer::write(Some(&response.data), &response.errors, Some(cost));
    answer::finish(&mut HttpResponse::Ok(), media, body)
}

/// Where a request comes from, as tries are counted.
fn caller(app: &App, request: &HttpRequest) -> Caller {
    let forwarded = request.headers().get_all("x-forwarded-for");
    // What is no text was not written by a proxy.
    let forwarded: Vec<&str> = forwarded.map(|value| value.to_str().unwrap_or_default()).collect();
    let peer = request.peer_addr().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip());
    Caller { address: address::caller(peer, &forwarded, &app.config.trusted_proxies) }
}

pub(super) fn too_costly(checked: &wall::Checked, limit: u64) -> Option<ServerError> {
    let message =
        || format!("The document costs {} and may cost {limit}. Ask for less at once.", checked.cost);
    (checked.cost > limit).then(|| coded(&message(), None, "COST_LIMIT_EXCEEDED"))
}

enum Unread {
    TooLarge,
    Broken,
}

async fn read(mut payload: web::Payload, most: usize) -> Result<Vec<u8>, Unread> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Unread::Broken)?;
        if body.len() + chunk.len() > most {
            return Err(Unread::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn is_json(content_type: Option<&str>) -> bool {
    let Some(content_type) = content_type else { return false };
    let mut pieces = content_type.split(';').map(|piece| piece.trim().to_ascii_lowercase());
    pieces.next().as_deref() == Some("application/json")
        && pieces.all(|piece| match piece.strip_prefix("charset=") {
            Some(charset) => charset.trim_matches('"') == "utf-8",
            None => true,
        })
}

fn not_acceptable() -> HttpResponse {
    let message = "Take application/graphql-response+json or application/json.";
    answer::refusal(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message, Media::Json)
}
