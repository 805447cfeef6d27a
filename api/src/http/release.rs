//! `/releases/…`: sealed files as they are, and the keys to check them with. The same bytes for everybody.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, http::header, web};

use super::{App, answer, only_read};
use crate::{auth::Denied, error::Error, http::request::text_header, store::Access};

pub fn routes(services: &mut web::ServiceConfig) {
    for (address, route) in [
        ("/releases/keys.json", web::get().to(keys)),
        ("/releases/{digest:[0-9a-f]{64}}.json", web::get().to(file)),
    ] {
        services.route(address, route);
        only_read(services, address);
    }
}

/// The public keys that releases were signed with, the present one first.
async fn keys(app: web::Data<App>) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(&app.release_keys)
}

async fn file(app: web::Data<App>, request: HttpRequest, digest: web::Path<String>) -> HttpResponse {
    let access = match anyone(&app).await {
        Ok(access) => access,
        Err(error) => return super::door::refuse(&request, super::door::Refused::Fault(error)),
    };
    match access.sealed_file(&digest) {
        Some((published, true)) => {
            // It never changes, but it can be taken back.
            let mut answer = HttpResponse::Ok();
            let tag = format!("\"{}\"", published.sealed.digest);
            let known = text_header(&request, "if-none-match").is_some_and(|tags| {
                tags.split(',')
                    .any(|known| known.trim().trim_start_matches("W/") == tag || known.trim() == "*")
            });
            if known {
                answer.status(StatusCode::NOT_MODIFIED);
            }
            answer
                .insert_header((header::CACHE_CONTROL, "public, no-cache"))
                .insert_header((header::ETAG, tag))
                .insert_header((header::CONTENT_TYPE, "application/json"));
            if known { answer.finish() } else { answer.body(published.bytes.clone()) }
        }
        Some((_, false)) => answer::refusal(
            StatusCode::GONE,
            "RETRACTED",
            "This release was retracted by its organisation.",
            answer::Media::Json,
        ),
        None => super::nothing_here().await,
    }
}

/// The database as everybody may see it, whoever asks.
pub(super) async fn anyone(app: &App) -> Result<Access, Error> {
    let catalog = app.store.catalog().await?;
    let viewer = app.authenticator.viewer(&catalog, None, None, app.config.clock.now()).await;
    let viewer = viewer.map_err(|_: Denied| Error::Internal("nobody was refused".into()))?;
    Ok(app.store.access_with(viewer, catalog))
}
