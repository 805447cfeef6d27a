//! Live events over a WebSocket at `/graphql`.

mod protocol;
mod socket;

use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::{
    HttpRequest, HttpResponse,
    guard::GuardContext,
    http::{StatusCode, header},
    web,
};
use uuid::Uuid;

use self::socket::Socket;
use super::{
    App,
    answer::{self, Media},
    held::{Held, Holding},
    request::text_header,
};
use crate::config::Config;

/// How many sockets are open, and whose they are.
#[derive(Default)]
pub struct Sockets {
    all: AtomicUsize,
    /// Those that have not said yet who they are for.
    waiting: AtomicUsize,
    of_viewer: Held,
}

/// A socket that is counted for as long as this is held.
struct Counted {
    app: web::Data<App>,
    /// None while it waits.
    viewer: Option<Holding>,
}

impl Counted {
    /// None when there are as many as there may be, or as many of which nobody knows whose they are.
    fn new(app: &web::Data<App>) -> Option<Self> {
        let (sockets, limits) = (&app.sockets, app.config.sockets);
        let all = sockets.all.fetch_add(1, Ordering::Relaxed);
        let waiting = sockets.waiting.fetch_add(1, Ordering::Relaxed);
        // Made in any case, so that it counts down again.
        let counted = Self { app: app.clone(), viewer: None };
        (all < limits.all && waiting < limits.waiting).then_some(counted)
    }

    /// Whose it is; false when they have as many as they may.
    fn belongs_to(&mut self, account: Option<Uuid>) -> bool {
        let sockets = &self.app.sockets;
        self.viewer = sockets.of_viewer.take(account, self.app.config.sockets.of_viewer);
        if self.viewer.is_some() {
            sockets.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        self.viewer.is_some()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.app.sockets.all.fetch_sub(1, Ordering::Relaxed);
        if self.viewer.is_none() {
            self.app.sockets.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Whether a request asks for a socket.
pub fn is_wanted(request: &GuardContext<'_>) -> bool {
    let upgrade = request.head().headers().get(header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
}

/// Opens a socket. Who it is for is said in its first message, or in the headers.
pub async fn open(app: web::Data<App>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let refuse = |status, code, message| answer::refusal(status, code, message, Media::Json);
    if !may_open(&app.config, &request) {
        let message = "Pages of this origin may not open a socket.";
        return refuse(StatusCode::FORBIDDEN, "ORIGIN_NOT_ALLOWED", message);
    }
    let Some(counted) = Counted::new(&app) else {
        let message = "There are too many sockets. Try again in a moment.";
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message);
    };
    match actix_ws::handle_with_protocols(&request, payload, &[protocol::NAME]) {
        Ok((response, session, messages)) => {
            let speaks = response.headers().contains_key(header::SEC_WEBSOCKET_PROTOCOL);
            let socket = Socket::new(app, &request, session, counted);
            actix_web::rt::spawn(socket.run(messages, speaks));
            response
        }
        Err(_) => refuse(StatusCode::BAD_REQUEST, "BAD_REQUEST", "This is not a WebSocket handshake."),
    }
}

/// Browsers say on whose behalf they ask: our own pages and those of the configured origins may. Other programs say
/// nothing, and have no credential that they would send unasked.
fn may_open(config: &Config, request: &HttpRequest) -> bool {
    if !request.headers().contains_key(header::ORIGIN) {
        return true;
    }
    let Some(origin) = text_header(request, "origin") else { return false };
    let own = origin.split_once("://").map(|(_, host)| host);
    own.is_some() && own == text_header(request, "host") || config.allows(origin)
}
