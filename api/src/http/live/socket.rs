//! One socket: what its client says and what there is to tell it, one after the other.
//!
//! Who asks is found out anew for each batch of events and between them, from the token and the reference tables as
//! they are then. Nothing is queued here: a subscription remembers how far it has been told and reads on from there.

use std::sync::Arc;

use actix_web::{HttpRequest, web};
use actix_ws::{Closed, Item, Message, MessageStream, ProtocolError, Session};
use async_graphql::{Pos, ServerError, parser::types::OperationType};
use futures_util::StreamExt;
use serde_json::{Map, Value as Json};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};
use uuid::Uuid;

use super::{
    Counted,
    protocol::{self, ACK, End, Said},
};
use crate::{
    error::Error,
    graphql::{
        self,
        audience::Audience,
        live::{Document, News, Subscription},
        text,
    },
    http::{
        App, enter,
        graphql::{coded, too_costly},
        request::{KeptCredentials, LARGEST, Parameters, text_header},
        within,
    },
    store::{Access, Seen, catalog::Catalog, feed::State, outbox::Event},
};

/// How many events are told at once, before the client is heard again.
const AT_ONCE: usize = 100;
/// The longest message, in one frame or many, of a client that has not said who it is.
const LARGEST_FIRST: usize = 8 * 1024;
/// How often it is looked whether the credential still holds.
const PULSE: std::time::Duration = std::time::Duration::from_secs(1);

/// A socket, and what its client has subscribed to.
pub struct Socket {
    app: web::Data<App>,
    session: Session,
    counted: Counted,
    credentials: KeptCredentials,
    languages: Vec<String>,
    /// Who asks, once they have said so.
    who: Option<Who>,
    subscriptions: Vec<(String, Subscription)>,
    feed: watch::Receiver<State>,
    /// Whether there may be more to tell than has been told.
    behind: bool,
    /// The frames of a message whose last is still to come.
    begun: Vec<u8>,
    /// Pings since the client was last heard.
    unanswered: u8,
}

/// Who has opened the socket. It is for nobody else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Who {
    audience: Audience,
    organization: Option<Uuid>,
    account: Option<Uuid>,
}

impl Who {
    fn of(access: &Access) -> Self {
        let viewer = &access.viewer;
        Self { audience: viewer.audience(), organization: viewer.organization(), account: viewer.account() }
    }
}

type Step = Result<(), End>;

impl Socket {
    pub(super) fn new(
        app: web::Data<App>,
        request: &HttpRequest,
        session: Session,
        counted: Counted,
    ) -> Self {
        Self {
            session,
            counted,
            credentials: KeptCredentials::of(request),
            languages: text_header(request, "accept-language").map(text::accepted).unwrap_or_default(),
            who: None,
            subscriptions: Vec::new(),
            feed: app.store.feed.follow(),
            behind: false,
            begun: Vec::new(),
            unanswered: 0,
            app,
        }
    }

    /// Serves the socket to its end. `speaks` says whether the client speaks the protocol.
    pub async fn run(mut self, messages: MessageStream, speaks: bool) {
        let end = if speaks { self.talk(messages).await } else { End::NOT_THE_PROTOCOL };
        let Self { app, session, counted, .. } = self;
        drop(counted);
        if let Some(reason) = end.reason() {
            // Who does not read does not learn why it ends.
            let _ = timeout(app.config.sockets.send_time, session.close(Some(reason))).await;
        }
    }

    async fn talk(&mut self, messages: MessageStream) -> End {
        let limits = self.app.config.sockets;
        let mut messages = messages.max_frame_size(LARGEST_FIRST);
        let init_by = Instant::now() + limits.init_time;
        let (mut pulse, mut ping) = (interval(PULSE), interval(limits.ping_time));
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                said = messages.next() => match said {
                    Some(Ok(message)) => self.hear(message).await,
                    Some(Err(ProtocolError::Overflow)) => Err(End::TOO_LARGE),
                    Some(Err(_)) => Err(End::BROKEN),
                    None => Err(End::GONE),
                },
                changed = self.feed.changed() => self.woken(changed.is_ok()),
                () = std::future::ready(()), if self.behind => self.tell().await,
                _ = pulse.tick(), if self.who.is_some() => self.still_holds().await,
                _ = ping.tick() => self.ping().await,
                () = sleep_until(init_by), if self.who.is_none() => Err(End::INIT_TIMEOUT),
            };
            if let Err(end) = step {
                return end;
            }
            messages = messages.max_frame_size(self.largest());
        }
    }

    fn woken(&mut self, alive: bool) -> Step {
        if !alive || self.feed.borrow_and_update().ended {
            return Err(End::STOPPING);
        }
        self.behind = !self.subscriptions.is_empty();
        Ok(())
    }

    /// A client that leaves two pings without an answer is given up. With one, the answer may lie here unread.
    async fn ping(&mut self) -> Step {
        if self.unanswered == 2 {
            return Err(End::SILENT);
        }
        self.unanswered += 1;
        sent(&self.app, self.session.ping(b"")).await
    }

    /// The longest message that the client may send now.
    fn largest(&self) -> usize {
        if self.who.is_some() { LARGEST } else { LARGEST_FIRST }
    }

    async fn hear(&mut self, message: Message) -> Step {
        self.unanswered = 0;
        match message {
            Message::Text(text) => self.said(&text).await,
            Message::Continuation(Item::FirstText(bytes) | Item::Continue(bytes)) => self.goes_on(&bytes),
            Message::Continuation(Item::Last(bytes)) => {
                self.goes_on(&bytes)?;
                let whole = String::from_utf8(std::mem::take(&mut self.begun));
                self.said(&whole.map_err(|_| End::BROKEN)?).await
            }
            Message::Binary(_) | Message::Continuation(Item::FirstBinary(_)) => Err(End::INVALID),
            Message::Ping(payload) => sent(&self.app, self.session.pong(&payload)).await,
            Message::Pong(_) | Message::Nop => Ok(()),
            Message::Close(_) => Err(End::GONE),
        }
    }

    /// A frame of a message of many.
    fn goes_on(&mut self, bytes: &[u8]) -> Step {
        if self.begun.len() + bytes.len() > self.largest() {
            return Err(End::TOO_LARGE);
        }
        self.begun.extend_from_slice(bytes);
        Ok(())
    }

    async fn said(&mut self, text: &str) -> Step {
        match Said::read(text)? {
            Said::Init(payload) => self.init(&payload).await,
            Said::Ping(payload) => self.send(protocol::pong(payload.as_ref())).await,
            Said::Pong => Ok(()),
            Said::Subscribe(id, parameters) => self.subscribe(id, parameters).await,
            Said::Complete(id) => {
                self.subscriptions.retain(|(other, _)| *other != id);
                Ok(())
            }
        }
    }

    /// The client says who it is: in the payload, else in the headers.
    async fn init(&mut self, payload: &Map<String, Json>) -> Step {
        if self.who.is_some() {
            return Err(End::TOO_MANY_INITS);
        }
        for (name, value) in payload {
            let place = match name.to_ascii_lowercase().as_str() {
                "authorization" => &mut self.credentials.authorization,
                "umbral-organization" => &mut self.credentials.organization,
                _ => continue,
            };
            match value {
                Json::String(text) => *place = Some(text.clone()),
                Json::Null => *place = None,
                _ => return Err(End::INVALID),
            }
        }
        let catalog = self.app.store.catalog().await.map_err(busy)?;
        let access = self.authorize((catalog, Arc::default())).await?;
        let who = Who::of(&access);
        if !self.counted.belongs_to(who.account) {
            return Err(End::TOO_MANY_SOCKETS);
        }
        self.who = Some(who);
        self.send(ACK.to_owned()).await
    }

    /// The database as this client may see it, by the token and the reference tables as they are now.
    async fn authorize(&self, tables: (Arc<Catalog>, Arc<Seen>)) -> Result<Access, End> {
        let access = enter(&self.app, self.credentials.credentials(), tables).await;
        let access = access.map_err(|denied| End::forbidden(denied.code()))?;
        match self.who {
            // What it has subscribed to was checked for somebody else.
            Some(who) if who != Who::of(&access) => Err(End::forbidden("VIEWER_CHANGED")),
            _ => Ok(access),
        }
    }

    /// Ends a socket whose token has expired or was ended meanwhile, also when there is nothing to tell.
    async fn still_holds(&self) -> Step {
        self.authorize((self.app.store.kept(), Arc::default())).await.map(drop)
    }

    async fn subscribe(&mut self, id: String, parameters: Parameters) -> Step {
        if self.who.is_none() {
            return Err(End::UNAUTHORIZED);
        }
        if self.subscriptions.iter().any(|(other, _)| *other == id) {
            return Err(End::exists(&id));
        }
        // What is committed from here on is told.
        let now = self.feed.borrow().upto;
        let catalog = self.app.store.catalog().await.map_err(busy)?;
        let access = self.authorize((catalog, Arc::default())).await?;
        let made = if self.subscriptions.len() >= self.app.config.sockets.subscriptions {
            Err(vec![coded("This socket has too many subscriptions.", None, "TOO_MANY_SUBSCRIPTIONS")])
        } else {
            let checking = async {
                let document = self.check(&access, parameters)?;
                Subscription::new(&self.app.graphql.strict, &access, document, now).await
            };
            let late = || vec![graphql::server_error(&Error::TimedOut, Pos::default())];
            within(&self.app, checking).await.unwrap_or_else(|| Err(late()))
        };
        match made {
            Ok(subscription) => {
                self.subscriptions.push((id, subscription));
                self.behind = true;
                Ok(())
            }
            Err(faults) => self.send(protocol::error(&id, &faults)).await,
        }
    }

    /// The same wall as for every request, and nothing but subscriptions behind it.
    fn check(&self, access: &Access, parameters: Parameters) -> Result<Document, Vec<ServerError>> {
        let engine = &self.app.graphql;
        let audience = access.viewer.audience();
        let document = engine.document(&parameters.query).map_err(|fault| vec![fault])?;
        let checked = engine.check(&document, audience, &parameters)?;
        if checked.operation != OperationType::Subscription {
            let message = "Only subscriptions are served on a socket. Send queries and mutations by POST.";
            return Err(vec![coded(message, None, "OPERATION_NOT_SERVED")]);
        }
        let cost_limit = self.app.config.cost.of(audience);
        if let Some(fault) = too_costly(&checked, cost_limit) {
            return Err(vec![fault]);
        }
        Ok(Document {
            parsed: document.parsed.clone(),
            operation_name: parameters.operation_name,
            variables: checked.variables,
            languages: self.languages.clone(),
            cost_limit,
        })
    }

    /// Tells each subscription the next of what it has not been told.
    async fn tell(&mut self) -> Step {
        let Some(who) = self.who else { return Ok(()) };
        let mut subscriptions = std::mem::take(&mut self.subscriptions);
        self.behind = false;
        let mut ended = Vec::new();
        for (place, (id, subscription)) in subscriptions.iter_mut().enumerate() {
            let events = self.app.store.events_after(subscription.at, AT_ONCE).await.map_err(busy)?;
            self.behind |= events.len() == AT_ONCE;
            let upto = events.last().map_or(subscription.at, |event| event.at);
            if !subscription.concerns(&events, who.audience) {
                subscription.at = upto;
                continue;
            }
            match self.news(subscription, &events).await? {
                Ok(news) => {
                    for (data, errors) in &news.answers {
                        self.send(protocol::next(id, data, errors)).await?;
                    }
                    subscription.told(news, upto);
                }
                Err(Error::Unavailable | Error::TimedOut) => return Err(End::BUSY),
                Err(fault) => {
                    let fault = graphql::server_error(&fault, Pos::default());
                    self.send(protocol::error(id, &[fault])).await?;
                    ended.push(place);
                }
            }
        }
        for place in ended.into_iter().rev() {
            subscriptions.remove(place);
        }
        self.subscriptions = subscriptions;
        Ok(())
    }

    /// What there is to say, by the reference tables as they are now: those in memory, when what is read shows that
    /// they still are, else they are read and all of it again.
    async fn news(&self, subscription: &Subscription, events: &[Event]) -> Result<Result<News, Error>, End> {
        let mut catalog = self.app.store.kept();
        loop {
            let seen = Arc::new(Seen::default());
            let access = self.authorize((catalog.clone(), seen.clone())).await?;
            let reading = subscription.news(&access, events);
            let news = within(&self.app, reading).await.unwrap_or(Err(Error::TimedOut));
            if news.is_ok() && seen.is_current() {
                return Ok(news);
            }
            let now = self.app.store.catalog().await.map_err(busy)?;
            if Arc::ptr_eq(&now, &catalog) {
                return Ok(news);
            }
            catalog = now;
        }
    }

    async fn send(&mut self, message: String) -> Step {
        sent(&self.app, self.session.text(message)).await
    }
}

/// Sends something. What waits too long for the client to read is the last, whoever asked for it.
async fn sent(app: &App, sending: impl Future<Output = Result<(), Closed>>) -> Step {
    match timeout(app.config.sockets.send_time, sending).await {
        Ok(sent) => sent.map_err(|_| End::GONE),
        Err(_) => Err(End::TOO_SLOW),
    }
}

/// The database is out of reach: the client comes back, and goes on after the last event that it knows.
fn busy(fault: Error) -> End {
    let _ = graphql::server_error(&fault, Pos::default());
    End::BUSY
}
