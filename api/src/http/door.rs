//! Into what is asked for by plain addresses: who asks, and how a refusal is told.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use async_graphql::Pos;

use super::{
    App,
    answer::{self, Media},
    enter,
    request::{KeptCredentials, text_header},
};
use crate::{
    auth::Denied,
    error::Error,
    graphql::{server_error, text},
    import::{Reason, quoted, reason},
    store::{Access, record::Purpose},
};

/// Why there is no answer.
pub enum Refused {
    /// What is asked cannot be.
    Asked(Reason),
    Credential(Denied),
    /// Nobody in particular asks.
    Anonymous,
    /// The account has this many exports under way already.
    TooManyExports(usize),
    Fault(Error),
}

/// Seconds after which it is worth to try again.
const RETRY_AFTER: &str = "10";

impl<F: Into<Error>> From<F> for Refused {
    fn from(fault: F) -> Self {
        Self::Fault(fault.into())
    }
}

/// The database as the viewer may see it now.
pub async fn access(app: &App, who: &KeptCredentials) -> Result<Access, Refused> {
    let catalog = app.store.catalog().await?;
    let access =
        enter(app, who.credentials(), (catalog, Default::default())).await.map_err(Refused::Credential)?;
    if access.viewer.role().is_none() { Err(Refused::Anonymous) } else { Ok(access) }
}

/// The parameters of an address, in their order.
pub fn pairs(request: &HttpRequest) -> Result<Vec<(String, String)>, Refused> {
    serde_urlencoded::from_str(request.query_string()).map_err(|_| {
        Refused::Asked(reason!(
            "The parameters of the address cannot be read.",
            "No se pueden leer los parámetros de la dirección."
        ))
    })
}

/// Refuses a parameter that has stood before.
pub fn once<T>(before: Option<T>, name: &str) -> Result<(), Refused> {
    match before {
        None => Ok(()),
        Some(_) => Err(Refused::Asked(reason!("{name} stands twice.", "{name} aparece dos veces."))),
    }
}

/// A parameter that is none: it is refused, never dropped.
pub fn unknown(name: &str) -> Refused {
    let name = quoted(name);
    Refused::Asked(reason!("There is no parameter {name}.", "No existe el parámetro {name}."))
}

/// The refusal as the client reads it, in its language.
pub fn refuse(request: &HttpRequest, refused: Refused) -> HttpResponse {
    let (status, code, reason) = match refused {
        Refused::Credential(denied) => return answer::denied(denied, Media::Json),
        Refused::Anonymous => {
            let mut response = HttpResponse::Unauthorized();
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            let reason = reason!(
                "Send a token: Authorization: Bearer TOKEN",
                "Envíe un token: Authorization: Bearer TOKEN"
            );
            return answer::refusal_with(response, "TOKEN_NEEDED", said(request, &reason), Media::Json);
        }
        Refused::TooManyExports(most) => {
            let mut response = HttpResponse::TooManyRequests();
            response.insert_header((header::RETRY_AFTER, RETRY_AFTER));
            let reason = reason!(
                "You have {most} exports under way. Try again when one has ended.",
                "Tiene {most} exportaciones en curso. Intente de nuevo cuando termine una."
            );
            return answer::refusal_with(response, "TOO_MANY_EXPORTS", said(request, &reason), Media::Json);
        }
        Refused::Asked(reason) => (StatusCode::BAD_REQUEST, "BAD_USER_INPUT", reason),
        Refused::Fault(fault) => {
            // Notes the fault in the log.
            let _ = server_error(&fault, Pos::default());
            let status = match fault {
                Error::NotPermitted => StatusCode::FORBIDDEN,
                Error::Invalid(_) | Error::BadCursor | Error::EventsGone | Error::PurposeNeeded => {
                    StatusCode::BAD_REQUEST
                }
                Error::Unavailable | Error::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
                Error::Internal(_) | Error::Undecipherable => StatusCode::INTERNAL_SERVER_ERROR,
            };
            let es = match fault {
                Error::NotPermitted => "Su función no permite esto.".to_owned(),
                Error::Unavailable => "El servicio está ocupado. Intente de nuevo en un momento.".to_owned(),
                Error::TimedOut => "La solicitud tardó demasiado y se detuvo.".to_owned(),
                Error::Internal(_) => "Algo falló de nuestro lado.".to_owned(),
                Error::Undecipherable => {
                    "Este dato no se puede descifrar. Debe revisarlo quien opera el servicio.".to_owned()
                }
                Error::PurposeNeeded => format!(
                    "Indique para qué usa los expedientes de las mujeres: Umbral-Purpose: {}",
                    Purpose::names().join(" | ")
                ),
                Error::Invalid(_) | Error::BadCursor | Error::EventsGone => fault.message(),
            };
            (status, fault.code(), Reason { en: fault.message(), es })
        }
    };
    let mut response = HttpResponse::build(status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((header::RETRY_AFTER, RETRY_AFTER));
    }
    answer::refusal_with(response, code, said(request, &reason), Media::Json)
}

/// The text in the language of the request.
fn said<'r>(request: &HttpRequest, reason: &'r Reason) -> &'r str {
    if spanish(request) { &reason.es } else { &reason.en }
}

/// Whether the request asks for Spanish before English.
pub fn spanish(request: &HttpRequest) -> bool {
    let languages = text_header(request, "accept-language").map(text::accepted).unwrap_or_default();
    let spanish = |tag: &String| tag.to_ascii_lowercase().starts_with("es");
    let known = |tag: &&String| spanish(tag) || tag.to_ascii_lowercase().starts_with("en");
    languages.iter().find(known).is_some_and(spanish)
}
