//! Subscriptions: what a socket is told of, and how an event becomes an answer.
//!
//! The library validates the document and says which field it asks for; the events are drawn as all objects are. An
//! event brings only ids. What it shows is read through the viewer's [`Access`] when it is sent.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::{
    Context, Name, Pos, QueryEnv, Response, ServerError, SubscriptionType, Value,
    parser::types::ExecutableDocument, registry::Registry,
};
use entity::value::OutboxKind;
use futures_util::{Stream, StreamExt, stream};
use indexmap::IndexMap;
use uuid::Uuid;

use super::{
    Request, Umbral,
    audience::Audience,
    coerce::Variables,
    cursor::Cursors,
    distribution,
    facility::Facility,
    node::{Compiler, Node},
    render::{Fetched, Object, Writer, Written},
    server_error,
    stock::StockCover,
};
use crate::{
    auth::Right,
    error::{Error, Result},
    id::{GlobalId, Kind},
    store::{
        Access,
        keyset::{Key, Place},
        outbox::{Event, Position},
        stock::cover::Cover,
    },
};

/// The root of subscriptions. It runs nothing: it notes what a valid document asks for.
pub struct SubscriptionRoot;

impl SubscriptionType for SubscriptionRoot {
    fn type_name() -> Cow<'static, str> {
        "Subscription".into()
    }

    fn create_type_info(_: &mut Registry) -> String {
        "Subscription!".to_owned()
    }

    fn create_field_stream<'a>(
        &'a self,
        ctx: &'a Context<'_>,
    ) -> Option<Pin<Box<dyn Stream<Item = Response> + Send + 'a>>> {
        if let Some(noted) = ctx.data_opt::<Noted>() {
            let key = ctx.item.node.response_key().node.to_string();
            noted.0.lock().unwrap_or_else(PoisonError::into_inner).push((ctx.query_env.clone(), key));
        }
        Some(Box::pin(stream::empty()))
    }
}

/// The root fields of a document, without those that are skipped.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<Vec<(QueryEnv, String)>>>);

/// A document that has passed the wall, and what it needs to run.
pub struct Document {
    pub parsed: ExecutableDocument,
    pub operation_name: Option<String>,
    pub variables: Variables,
    pub languages: Vec<String>,
    pub cost_limit: u64,
}

/// What a client has subscribed to, and how far it has been told.
pub struct Subscription {
    env: QueryEnv,
    key: String,
    variables: Variables,
    languages: Vec<String>,
    cost_limit: u64,
    /// Nothing but the nil UUID when the ids were of another type: that matches nothing.
    facilities: Option<HashSet<Uuid>>,
    asked: Asked,
    pub at: Position,
}

enum Asked {
    Deliveries,
    /// Below so many days; the facilities and items that are, once they have been looked at.
    Cover(i64, Option<Below>),
}

type Below = HashSet<(Uuid, Uuid)>;

/// What there is to say, and what is known after it has been said.
pub struct News {
    pub answers: Vec<(Value, Vec<ServerError>)>,
    below: Option<Below>,
}

impl Subscription {
    /// Validates a document and reads its arguments. `now` is where it starts when it does not say.
    ///
    /// # Errors
    /// All that is wrong with the document; what the viewer may not ask; `EventsGone`.
    pub async fn new(
        schema: &Umbral,
        access: &Access,
        document: Document,
        now: Position,
    ) -> Result<Self, Vec<ServerError>> {
        let noted = Noted::default();
        let mut library = async_graphql::Request::new("")
            .variables(async_graphql::Variables::from_value(Value::Object(document.variables.clone())))
            .data(access.viewer.audience())
            .data(noted.clone());
        library.operation_name = document.operation_name;
        library.set_parsed_query(document.parsed);
        let mut validation = schema.execute_stream(library);
        if let Some(response) = validation.next().await
            && !response.errors.is_empty()
        {
            return Err(response.errors);
        }
        // What is noted holds the request, and so this list: it must not stay in it.
        let mut fields = std::mem::take(&mut *noted.0.lock().unwrap_or_else(PoisonError::into_inner));
        let (Some((env, key)), true) = (fields.pop(), fields.is_empty()) else {
            let fault = Error::invalid("A subscription asks for exactly one field.");
            return Err(vec![server_error(&fault, Pos::default())]);
        };
        let mut subscription = Self {
            env,
            key,
            variables: document.variables,
            languages: document.languages,
            cost_limit: document.cost_limit,
            facilities: None,
            asked: Asked::Deliveries,
            at: now,
        };
        let position = subscription.node(access, |node| node.position).map_err(|fault| vec![fault])?;
        match subscription.begin(access).await {
            Ok(()) => Ok(subscription),
            Err(fault) => {
                let path = vec![async_graphql::PathSegment::Field(subscription.key)];
                Err(vec![server_error(&fault, position).with_path(path)])
            }
        }
    }

    /// Reads the arguments.
    async fn begin(&mut self, access: &Access) -> Result<()> {
        let asked = self.node(access, |node| {
            let facilities: Option<Vec<String>> = node.argument("facility")?;
            let after: Option<String> = node.argument("after")?;
            let days: Option<i64> = node.argument("days")?;
            Ok::<_, Error>((node.name == "stockBelowCover", facilities, after, days))
        });
        let (of_stock, facilities, after, days) =
            asked.map_err(|_| Error::Internal("no such field".into()))??;
        if let Some(texts) = facilities {
            let of = |text: &String| match GlobalId::parse(text) {
                Some(GlobalId { kind: Kind::Facility, id }) => Ok(id),
                Some(_) => Ok(Uuid::nil()),
                None => Err(super::not_an_id()),
            };
            self.facilities = Some(texts.iter().map(of).collect::<Result<_>>()?);
        }
        if of_stock {
            access.require(Right::StockRead)?;
            let days = days.filter(|days| (1..=3650).contains(days));
            let days = days.ok_or_else(|| Error::invalid("\"days\": choose from 1 to 3650."))?;
            self.asked = Asked::Cover(days, None);
            return Ok(());
        }
        access.require(Right::DistributionRead)?;
        if let Some(after) = after {
            let event = event_ids(access).open(&after).map_err(|_| not_an_event())?;
            self.at = access.position_of(event.id).await?;
        }
        Ok(())
    }

    /// Whether there may be something to say: who is told nothing of it needs no look at the database.
    pub fn concerns(&self, events: &[Event], audience: Audience) -> bool {
        let kind = match &self.asked {
            Asked::Deliveries => OutboxKind::Distribution,
            Asked::Cover(_, None) => return true,
            Asked::Cover(_, Some(_)) => OutboxKind::StockPlace,
        };
        events.iter().any(|event| event.kind == kind && (event.open || audience == Audience::Staff))
    }

    /// What there is to say of events, as this viewer may know it now. Nothing is said of what the viewer may not see,
    /// also when it was seen before.
    ///
    /// # Errors
    /// `NotPermitted` when the role has lost the right; when the database is out of reach.
    pub async fn news(&self, access: &Access, events: &[Event]) -> Result<News> {
        match &self.asked {
            Asked::Deliveries => self.deliveries(access, events).await,
            Asked::Cover(days, below) => self.covers(access, events, *days, below.as_ref()).await,
        }
    }

    /// The news has been said.
    pub fn told(&mut self, news: News, upto: Position) {
        if let Asked::Cover(_, below) = &mut self.asked {
            *below = news.below;
        }
        self.at = upto;
    }

    async fn deliveries(&self, access: &Access, events: &[Event]) -> Result<News> {
        access.require(Right::DistributionRead)?;
        let outside = access.is_outside();
        let events: Vec<_> = events
            .iter()
            .filter(|event| event.kind == OutboxKind::Distribution && (event.open || !outside))
            .collect();
        let ids: Vec<Uuid> = events.iter().map(|event| event.row_id).collect();
        let with_lines = self.node(access, |node| node.reaches("lines")).unwrap_or(true);
        let found = access.distributions_by_id(&ids, with_lines).await?;
        let mut answers = Vec::new();
        for event in events {
            let Some(delivery) = found.get(&event.row_id) else { continue };
            if !self.is_at(delivery.row.facility_id) {
                continue;
            }
            let place = Place { key: Key::Null, id: event.id };
            let shown = DistributionEvent { id: event_ids(access).seal(&place), delivery: event.row_id };
            let deliveries = HashMap::from([(event.row_id, Ok(Some(delivery.clone())))]);
            answers.push(self.draw(access, &shown, Fetched { deliveries, ..Fetched::default() }).await);
        }
        Ok(News { answers, below: None })
    }

    async fn covers(
        &self,
        access: &Access,
        events: &[Event],
        days: i64,
        before: Option<&Below>,
    ) -> Result<News> {
        access.require(Right::StockRead)?;
        let moved: HashSet<Uuid> = events
            .iter()
            .filter(|event| event.kind == OutboxKind::StockPlace)
            .map(|event| event.row_id)
            .collect();
        let stores = access.facility_stores();
        let stores = stores
            .filter(|(place, facility)| self.is_at(*facility) && (before.is_none() || moved.contains(place)));
        let mut below = before.cloned().unwrap_or_default();
        let mut answers = Vec::new();
        for facility in stores.map(|(_, facility)| facility).collect::<HashSet<_>>() {
            for cover in access.stock_cover(facility, None).await? {
                let place = (facility, cover.item_id);
                if cover.days().is_none_or(|left| left >= days) {
                    below.remove(&place);
                } else if below.insert(place) {
                    let shown = StockCoverEvent { facility, cover };
                    answers.push(self.draw(access, &shown, Fetched::default()).await);
                }
            }
        }
        Ok(News { answers, below: Some(below) })
    }

    fn is_at(&self, facility: Uuid) -> bool {
        self.facilities.as_ref().is_none_or(|facilities| facilities.contains(&facility))
    }

    /// Draws one event as the data of an answer. The field may not be null, so an error in its place empties it all.
    async fn draw(
        &self,
        access: &Access,
        root: &(dyn Object + Sync),
        fetched: Fetched,
    ) -> (Value, Vec<ServerError>) {
        let request =
            Request::new(access.clone(), self.languages.clone(), self.variables.clone(), self.cost_limit);
        let types = match super::types() {
            Ok(types) => types,
            Err(fault) => return (Value::Null, vec![server_error(&fault, Pos::default())]),
        };
        let compiler = self.compiler(types, access);
        let Some(node) = self.root(types, &compiler) else { return (Value::Null, Vec::new()) };
        match super::draw_with(access, &request, &node, root, fetched).await {
            Ok((out, errors)) => {
                let field = (Name::new(&self.key), Value::Binary(out.into()));
                (Value::Object(IndexMap::from([field])), errors)
            }
            Err(errors) => (Value::Null, errors),
        }
    }

    /// Looks at the field that is asked for.
    fn node<T>(&self, access: &Access, look: impl FnOnce(&Node<'_>) -> T) -> Result<T, ServerError> {
        let fault = |fault: &Error| server_error(fault, Pos::default());
        let types = super::types().map_err(|error| fault(&error))?;
        let compiler = self.compiler(types, access);
        let node = self.root(types, &compiler);
        node.map(|node| look(&node))
            .ok_or_else(|| fault(&Error::Internal("a root field cannot be found".into())))
    }

    fn compiler<'a>(&'a self, types: &'a super::Types, access: &Access) -> Compiler<'a> {
        Compiler::new(types, access.viewer.audience(), &self.variables, &self.env.fragments)
    }

    fn root<'a>(&'a self, types: &'a super::Types, compiler: &Compiler<'a>) -> Option<Node<'a>> {
        let operation = &self.env.operation.node.selection_set.node;
        types.get("Subscription").and_then(|root| compiler.root(root, operation, &self.key))
    }
}

/// Ids of events are sealed as cursors are: they say nothing, and fit one viewer.
fn event_ids(access: &Access) -> Cursors {
    Cursors::new(access, &["distributionRecorded"])
}

fn not_an_event() -> Error {
    Error::invalid("\"after\": this is not the id of an event that this viewer has been sent.")
}

struct DistributionEvent {
    id: String,
    delivery: Uuid,
}

struct StockCoverEvent {
    facility: Uuid,
    cover: Cover,
}

impl Object for DistributionEvent {
    fn type_name(&self) -> &str {
        "DistributionEvent"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "distributionRecorded" => w.object(node, self),
            "id" => w.str(&self.id),
            "distribution" => distribution::one(node, w, self.delivery),
            _ => w.absent(node),
        }
    }
}

impl Object for StockCoverEvent {
    fn type_name(&self) -> &str {
        "StockCoverEvent"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "stockBelowCover" => w.object(node, self),
            "facility" => {
                let entry = w.access.facility(self.facility).map(Facility);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            "cover" => w.object(node, &StockCover(&self.cover)),
            _ => w.absent(node),
        }
    }
}
