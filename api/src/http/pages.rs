//! GraphiQL and our own explorer, from assets in the program: no third party.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web,
};

use super::answer::{self, Media};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/assets.rs"));
}

const STRICT: &str = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// GraphiQL's own style sheets carry fonts and images as data.
const WITH_DATA: &str = "default-src 'self'; font-src 'self' data:; img-src 'self' data:; \
    frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

pub fn routes(services: &mut web::ServiceConfig) {
    services
        .route("/", web::get().to(home))
        .route("/graphiql", web::get().to(graphiql))
        .route("/explorer", web::get().to(explorer))
        .route("/assets/{path:.*}", web::get().to(asset));
}

async fn home() -> HttpResponse {
    HttpResponse::Found().insert_header((header::LOCATION, "/graphiql")).finish()
}

/// GraphiQL where its files were there when the program was built, else our explorer.
async fn graphiql() -> HttpResponse {
    if find("graphiql/graphiql.min.js").is_some() {
        page("workbench/index.html", WITH_DATA)
    } else {
        page("explorer/index.html", STRICT)
    }
}

async fn explorer() -> HttpResponse {
    page("explorer/index.html", STRICT)
}

async fn asset(path: web::Path<String>) -> HttpResponse {
    match find(&path) {
        Some((media, bytes)) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, media))
            .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
            .insert_header((header::CONTENT_SECURITY_POLICY, STRICT))
            .body(bytes),
        None => answer::refusal(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "There is nothing at this address.",
            Media::Json,
        ),
    }
}

fn page(path: &str, policy: &'static str) -> HttpResponse {
    match find(path) {
        Some((media, bytes)) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, media))
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .insert_header((header::CONTENT_SECURITY_POLICY, policy))
            .insert_header((header::X_FRAME_OPTIONS, "DENY"))
            .body(bytes),
        None => answer::refusal(StatusCode::NOT_FOUND, "NOT_FOUND", "This page is not here.", Media::Json),
    }
}

fn find(path: &str) -> Option<(&'static str, &'static [u8])> {
    let place = embedded::ASSETS.binary_search_by(|(known, _, _)| (*known).cmp(path)).ok()?;
    embedded::ASSETS.get(place).map(|(_, media, bytes)| (*media, *bytes))
}
