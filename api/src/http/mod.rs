//! HTTP: bytes and a credential in, bytes out.

mod answer;
mod door;
mod export;
pub mod graphql;
mod held;
pub mod live;
mod pages;
mod participant_file;
mod print;
mod release;
mod request;

pub use export::Exports;

use std::{future::Future, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    guard,
    http::{Method, StatusCode, header},
    middleware::Next,
    web,
};
use uuid::Uuid;

use crate::{
    auth::{Authenticator, Denied},
    config::Config,
    store::{Access, Seen, Store, catalog::Catalog},
};
use request::{Credentials, text_header};

/// What every route needs.
pub struct App {
    pub config: Config,
    pub store: Arc<Store>,
    pub authenticator: Authenticator,
    pub graphql: graphql::Engine,
    pub sockets: live::Sockets,
    pub exports: Exports,
    /// The public keys that releases are signed with, as a set of JSON Web Keys.
    pub release_keys: serde_json::Value,
}

/// All routes.
pub fn routes(services: &mut web::ServiceConfig) {
    services
        .route("/graphql", web::post().to(graphql::post))
        .route("/graphql", web::get().guard(guard::fn_guard(live::is_wanted)).to(live::open))
        .route("/graphql", web::get().to(graphql::get))
        .route("/graphql", web::method(Method::OPTIONS).to(preflight))
        .route("/graphql", web::to(only_get_and_post))
        .route("/health/live", web::get().to(live))
        .route("/health/ready", web::get().to(ready))
        .route("/.well-known/jwks.json", web::get().to(jwks))
        .configure(export::routes)
        .configure(participant_file::routes)
        .configure(print::routes)
        .configure(release::routes)
        .configure(pages::routes)
        .default_service(web::to(nothing_here));
}

/// What an address answers that is there for reading only, when something else is asked of it.
fn only_read(services: &mut web::ServiceConfig, address: &str) {
    services.route(address, web::method(Method::OPTIONS).to(preflight)).route(address, web::to(only_get));
}

/// Gives every request an id and every answer the headers that hold for all of them.
pub async fn frame(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let id = request_id(request.request());
    let app = request.app_data::<web::Data<App>>().cloned();
    let origin = request.headers().get(header::ORIGIN).cloned();
    let (method, path) = (request.method().clone(), route_of(request.path()));
    let start = std::time::Instant::now();
    let mut response = next.call(request).await?;
    tracing::info!(
        request = %id,
        %method,
        path,
        status = response.status().as_u16(),
        micros = start.elapsed().as_micros() as u64,
        "request"
    );
    let allowed = app.is_some_and(|app| {
        origin
            .as_ref()
            .and_then(|origin| origin.to_str().ok())
            .is_some_and(|origin| app.config.allows(origin))
    });
    let headers = response.headers_mut();
    if let Ok(id) = header::HeaderValue::from_str(&id) {
        headers.insert(header::HeaderName::from_static("x-request-id"), id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, header::HeaderValue::from_static("no-referrer"));
    headers.append(header::VARY, header::HeaderValue::from_static("Origin"));
    if let (true, Some(origin)) = (allowed, origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let exposed = header::HeaderValue::from_static("Content-Disposition, Retry-After, X-Request-Id");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    Ok(response)
}

impl Config {
    /// Whether browsers on pages of this origin may call the API.
    fn allows(&self, origin: &str) -> bool {
        self.cors_origins.iter().any(|allowed| allowed == origin)
    }
}

/// The client's own id for the request when it is harmless, else a random one.
#[expect(clippy::disallowed_methods, reason = "it names a request in the log and nothing else")]
fn request_id(request: &HttpRequest) -> String {
    let given = text_header(request, "x-request-id");
    let harmless = |id: &&str| {
        (8..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    match given.filter(harmless) {
        Some(id) => id.to_owned(),
        None => Uuid::new_v4().to_string(),
    }
}

/// A path as the log may hold it: one of ours, never what somebody typed.
fn route_of(path: &str) -> &'static str {
    const KNOWN: [&str; 15] = [
        "/",
        "/graphql",
        "/graphiql",
        "/explorer",
        "/health/live",
        "/health/ready",
        "/.well-known/jwks.json",
        "/export/distributions",
        "/export/facilities",
        "/export/programs",
        "/export/items",
        "/export/kits",
        "/print/delivery-act",
        "/print/attendance-sheet",
        "/print/goods-list",
    ];
    match KNOWN.iter().find(|known| **known == path) {
        Some(known) => known,
        None if path.starts_with("/assets/") => "/assets",
        None if path.starts_with("/releases/") => "/releases",
        None if path.starts_with("/templates/") => "/templates",
        None => "other",
    }
}

async fn preflight(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let origin = text_header(&request, "origin");
    if !origin.is_some_and(|origin| app.config.allows(origin)) {
        return HttpResponse::NoContent().finish();
    }
    HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"))
        .insert_header((
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type, Accept-Language, Umbral-Organization, Umbral-Purpose, X-Request-Id",
        ))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"))
        .finish()
}

async fn only_get_and_post() -> HttpResponse {
    let mut response = HttpResponseBuilder::new(StatusCode::METHOD_NOT_ALLOWED);
    response.insert_header((header::ALLOW, "GET, POST"));
    answer::refusal_with(response, "METHOD_NOT_ALLOWED", "Use POST, or GET for queries.", answer::Media::Json)
}

async fn only_get() -> HttpResponse {
    let mut response = HttpResponseBuilder::new(StatusCode::METHOD_NOT_ALLOWED);
    response.insert_header((header::ALLOW, "GET"));
    answer::refusal_with(response, "METHOD_NOT_ALLOWED", "Use GET.", answer::Media::Json)
}

async fn nothing_here() -> HttpResponse {
    answer::refusal(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "There is nothing at this address.",
        answer::Media::Json,
    )
}

/// The process runs.
async fn live() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).body("live\n")
}

/// The process can answer: its database does.
async fn ready(app: web::Data<App>) -> HttpResponse {
    let (mut response, text) = match app.store.ready().await {
        Ok(()) => (HttpResponse::Ok(), "ready\n"),
        Err(_) => (HttpResponse::ServiceUnavailable(), "the database does not answer\n"),
    };
    response.insert_header((header::CACHE_CONTROL, "no-store")).body(text)
}

async fn jwks(app: web::Data<App>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .json(app.authenticator.verifier.jwks(app.config.clock.now()))
}

/// The database as the viewer of these credentials may see it.
async fn enter(
    app: &App,
    Credentials { authorization, organization }: Credentials<'_>,
    (catalog, seen): (Arc<Catalog>, Arc<Seen>),
) -> Result<Access, Denied> {
    let now = app.config.clock.now();
    let viewer = app.authenticator.viewer(&catalog, authorization, organization, now).await?;
    let access = app.store.access_seeing(viewer, catalog, seen);
    if let Err(fault) = app.store.note_use(&access).await {
        // It is the next use that is noted then.
        tracing::warn!(code = fault.code(), "the use of a key was not noted");
    }
    Ok(access)
}

/// Stops work that takes longer than a request may.
async fn within<T>(app: &App, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(app.config.request_time, work).await.ok()
}
