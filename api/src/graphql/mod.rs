//! The GraphQL schema and how a document becomes an answer.
//!
//! The library parses, validates, answers introspection and runs the root fields; below a root field our own
//! objects write themselves ([`render`]). The only module that knows async-graphql.

pub mod agreement;
pub mod audience;
pub mod audit;
pub mod award;
pub mod changes;
pub mod coerce;
mod connection;
pub mod cursor;
pub mod distribution;
pub mod duplicate;
pub mod facility;
pub mod gift;
mod impact;
mod indicator;
pub mod item;
pub mod kit;
pub mod limits;
pub mod live;
pub mod member;
pub mod mutation;
pub mod node;
pub mod organization;
mod outcome;
pub mod participant;
mod participant_merge;
pub mod program;
pub mod query;
mod release;
pub mod render;
pub mod retention;
pub mod rights_request;
pub mod safeguarding;
pub mod scalars;
pub mod sdl;
mod shape;
pub mod shipment;
pub mod sign_in;
pub mod stock;
pub mod survey;
pub mod text;
pub mod types;
pub mod wall;
pub mod work;

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ErrorExtensionValues, ObjectType, OutputType, Pos,
    Positioned, Schema, ServerError, ServerResult, ValidationMode, Value,
    dataloader::{DataLoader, Loader},
    parser::types::Field,
    registry::Registry,
    runtime::{Timer, TokioSpawner},
};
use uuid::Uuid;

use self::{
    coerce::Variables,
    node::{Compiler, Node},
    render::{Fetched, Need, Object, Writer},
    types::{Kind, Types},
};
use crate::{
    error::{Error, Result},
    store::{Access, STATEMENTS, distribution::Delivery, participant as records_of, sign_in::Caller},
};

pub type Umbral = Schema<QueryRoot, MutationRoot, live::SubscriptionRoot>;

/// The types, read once. The files are part of the program, so a fault in them is found by the first test.
static TYPES: LazyLock<Result<Types, String>> = LazyLock::new(Types::load);

/// # Errors
/// When the schema's files are at fault.
pub fn types() -> Result<&'static Types> {
    TYPES.as_ref().map_err(|fault| Error::Internal(format!("the schema's files: {fault}")))
}

/// The library's schema in two forms: with all rules, and with those left out that a document which has passed
/// them once, and whose variables have been coerced, cannot break.
pub fn schema(mode: ValidationMode) -> Umbral {
    Schema::build(QueryRoot, MutationRoot, live::SubscriptionRoot)
        .validation_mode(mode)
        .disable_suggestions()
        .limit_recursive_depth(64)
        .finish()
}

/// What every resolver of a request needs.
pub struct Request {
    /// For mutations it moves on: each sees what the one before it has written.
    access: Mutex<Access>,
    pub languages: Vec<String>,
    pub variables: Variables,
    pub cost_limit: u64,
    /// Where it comes from; nowhere for what a socket tells.
    caller: Caller,
    loader: DataLoader<DeliveryLoader>,
    /// Answers by key: a key that stands twice in an operation is one field.
    done: Mutex<HashMap<String, Value>>,
}

impl Request {
    pub fn new(access: Access, languages: Vec<String>, variables: Variables, cost_limit: u64) -> Self {
        let loader = DeliveryLoader { access: access.clone() };
        let loader = DataLoader::new(loader, TokioSpawner::current(), Yielding);
        let caller = Caller { address: std::net::Ipv4Addr::UNSPECIFIED.into() };
        let access = Mutex::new(access);
        Self { access, languages, variables, cost_limit, caller, loader, done: Mutex::default() }
    }

    /// The same, from a place.
    #[must_use]
    pub fn from(self, caller: Caller) -> Self {
        Self { caller, ..self }
    }

    fn access(&self) -> Access {
        self.access.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub struct QueryRoot;
pub struct MutationRoot;

impl OutputType for QueryRoot {
    fn type_name() -> Cow<'static, str> {
        "Query".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        if let Ok(types) = types() {
            types.register(registry);
        }
        "Query!".to_owned()
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        async_graphql::resolver_utils::resolve_container(ctx, self).await
    }
}

impl ObjectType for QueryRoot {}

impl ContainerType for QueryRoot {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        root_field(ctx, "Query").await.map(Some)
    }
}

impl OutputType for MutationRoot {
    fn type_name() -> Cow<'static, str> {
        "Mutation".into()
    }

    fn create_type_info(_: &mut Registry) -> String {
        "Mutation!".to_owned()
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        async_graphql::resolver_utils::resolve_container_serial(ctx, self).await
    }
}

impl ObjectType for MutationRoot {}

impl ContainerType for MutationRoot {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        root_field(ctx, "Mutation").await.map(Some)
    }
}

/// Runs one root field, and null in its place when it has failed and may be null.
async fn root_field(ctx: &Context<'_>, root: &'static str) -> ServerResult<Value> {
    let position = ctx.item.pos;
    let request: &Request = match ctx.data_opt() {
        Some(request) => request,
        None => return Err(server_error(&Error::Internal("no request".into()), position)),
    };
    let key = ctx.item.node.response_key().node.as_str();
    let known = request.done.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
    if let Some(value) = known {
        return Ok(value);
    }
    let types = types().map_err(|error| server_error(&error, position))?;
    let access = request.access();
    let compiler =
        Compiler::new(types, access.viewer.audience(), &request.variables, &ctx.query_env.fragments);
    let operation = &ctx.query_env.operation.node.selection_set.node;
    let Some(node) = types.get(root).and_then(|root| compiler.root(root, operation, key)) else {
        return Err(server_error(&Error::Internal("a root field cannot be found".into()), position));
    };
    let outcome = match root {
        "Mutation" => mutate(access, request, &node, types).await,
        _ => draw(&access, request, &node, &query::Query).await,
    };
    let value = match outcome {
        Ok((out, errors)) => {
            for error in errors {
                ctx.add_error(error);
            }
            Value::Binary(out.into())
        }
        Err(mut errors) => {
            let last = errors.pop();
            for error in errors {
                ctx.add_error(error);
            }
            let Some(last) = last else { return Ok(Value::Null) };
            if !node.nullable() {
                return Err(last);
            }
            ctx.add_error(last);
            Value::Null
        }
    };
    request.done.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), value.clone());
    Ok(value)
}

type Drawn = Result<(Vec<u8>, Vec<ServerError>), Vec<ServerError>>;

/// Draws a root field: passes over what is in memory, with everything that is missing fetched in between.
async fn draw(access: &Access, request: &Request, node: &Node<'_>, root: &(dyn Object + Sync)) -> Drawn {
    draw_with(access, request, node, root, Fetched::default()).await
}

/// As [`draw`], with some of it at hand.
async fn draw_with(
    access: &Access,
    request: &Request,
    node: &Node<'_>,
    root: &(dyn Object + Sync),
    mut fetched: Fetched,
) -> Drawn {
    loop {
        let mut writer = Writer::new(access, &request.languages, &fetched, node.key);
        writer.cost_limit = request.cost_limit;
        let written = writer.value(root, node);
        let (out, errors, needs) = writer.into_parts();
        if needs.is_empty() || written.is_err() {
            return if written.is_ok() { Ok((out, errors)) } else { Err(errors) };
        }
        fetch(access, request, node, needs, &mut fetched).await;
    }
}

/// Fetches what a pass has missed: one set of statements for each field, whatever the number of parents.
async fn fetch(access: &Access, request: &Request, root: &Node<'_>, needs: Vec<Need>, fetched: &mut Fetched) {
    let mut pages: HashMap<usize, Vec<_>> = HashMap::new();
    // Two rows of a device may be about one delivery.
    let (mut ids, mut shipments, mut proofs) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut records: HashMap<usize, (records_of::Asked, Vec<Uuid>)> = HashMap::new();
    let (mut lots, mut movements, mut work) = (Vec::new(), Vec::new(), Vec::new());
    for need in needs {
        match need {
            Need::Deliveries(number, parent, listing) => {
                pages.entry(number).or_default().push((parent, listing));
            }
            Need::Delivery(id) => drop(ids.insert(id)),
            Need::Stats(number, asked) => {
                let (group_by, filter, first, wanted) = *asked;
                let stats = access.distribution_stats(&group_by, &filter, first, wanted).await;
                fetched.stats.insert(number, stats);
            }
            Need::Stock(number, asked) => {
                fetched.stock.insert(number, access.stock(&asked).await);
            }
            Need::Changes(number, since, first) => {
                let mut changes = access.changes(since, first).await;
                if let Ok(changes) = &mut changes {
                    let deliveries = changes.deliveries.drain().map(|(id, row)| (id, Ok(Some(row))));
                    fetched.deliveries.extend(deliveries);
                    fetched.movements.extend(changes.movements.drain().map(|(id, row)| (id, Ok(Some(row)))));
                }
                fetched.changes.insert(number, changes);
            }
            Need::Duplicates(number, filter, window) => {
                fetched.duplicates.insert(number, access.likely_duplicates(&filter, &window).await);
            }
            Need::AuditEvents(number, asked) => {
                fetched.audit_events.insert(number, access.audit_events(&asked).await);
            }
            Need::AuditHead(number) => {
                fetched.audit_heads.insert(number, access.audit_head().await);
            }
            Need::SafeguardingNotes(number, asked) => {
                fetched.safeguarding_notes.insert(number, access.safeguarding_notes(&asked).await);
            }
            Need::RightsRequests(number, id, asked) => {
                fetched.rights_requests.insert((number, id), access.rights_requests(&asked).await);
            }
            Need::Surveys(number, id, asked) => {
                fetched.surveys.insert((number, id), access.surveys(&asked).await);
            }
            Need::ReleaseReport(id) => {
                fetched.release_reports.insert(id, access.release_report(id).await);
            }
            Need::RetentionRules => fetched.retention_rules = Some(access.retention_rules().await),
            Need::SafeguardingNote(id, fields) => {
                fetched.safeguarding.insert(id, access.safeguarding_note_shown(id, &fields).await);
            }
            Need::Gifts(number, asked) => {
                fetched.gifts.insert(number, access.gifts_asked(&asked).await);
            }
            Need::StockLot(id) => lots.push(id),
            Need::StockMovement(id) => movements.push(id),
            Need::Shipment(delivery) => drop(shipments.insert(delivery)),
            Need::Proofs(delivery) => drop(proofs.insert(delivery)),
            Need::Record(number, woman, asked) => {
                records.entry(number).or_insert_with(|| (asked, Vec::new())).1.push(woman);
            }
            Need::Work(asked) => work.push(*asked),
        }
    }
    for (number, asked) in pages {
        // A cursor belongs to one parent, so pages that start at one are read one by one.
        let placed = asked
            .iter()
            .any(|(_, listing)| listing.window.after.is_some() || listing.window.before.is_some());
        let size = if placed { 1 } else { asked.len() };
        for together in asked.chunks(size) {
            let Some((parent, listing)) = together.first() else { continue };
            let under: Vec<Uuid> =
                together.iter().filter_map(|(parent, _)| parent.map(|(_, id)| id)).collect();
            let parents = parent.map(|(parent, _)| (parent, under.as_slice()));
            match access.distributions(listing, parents).await {
                Ok(found) => {
                    fetched.pages.extend(found.into_iter().map(|(id, page)| ((number, id), Ok(page))));
                }
                Err(error) => {
                    let places = if under.is_empty() { vec![Uuid::nil()] } else { under };
                    fetched.pages.extend(places.into_iter().map(|id| ((number, id), Err(error.clone()))));
                }
            }
        }
    }
    stock::fetch_rows(access, lots, movements, fetched).await;
    self::work::fetch(access, work, &mut fetched.work).await;
    shipment::fetch(access, shipments, proofs, fetched).await;
    for (number, (asked, mut women)) in records {
        // Several rows can be about one woman.
        women.sort_unstable();
        women.dedup();
        let mut found = access.records(&asked, &women).await;
        fetched.records.extend(women.into_iter().map(|woman| {
            let of = found.as_mut().map_err(|error| error.clone()).and_then(|found| {
                found.remove(&woman).ok_or_else(|| Error::Internal("a record was not looked for".into()))
            });
            ((number, woman), of)
        }));
    }
    if !ids.is_empty() {
        let with_lines = root.reaches("lines");
        let keys = ids.iter().map(|id| DeliveryKey { id: *id, with_lines });
        match request.loader.load_many(keys).await {
            Ok(mut found) => {
                for id in ids {
                    fetched.deliveries.insert(id, Ok(found.remove(&DeliveryKey { id, with_lines })));
                }
            }
            Err(error) => fetched.deliveries.extend(ids.into_iter().map(|id| (id, Err((*error).clone())))),
        }
    }
}

/// Runs a mutation and draws its payload from what has been written.
async fn mutate(mut access: Access, request: &Request, node: &Node<'_>, types: &Types) -> Drawn {
    let payload = node.def.map(|def| def.ty.name()).unwrap_or_default();
    let subject_type = match types.get(payload).map(|def| &def.kind) {
        Some(Kind::Object { fields, .. }) => fields
            .values()
            .find(|field| field.name != "userErrors")
            .map(|field| field.ty.name())
            .unwrap_or_default(),
        _ => "",
    };
    match mutation::run(&mut access, node, subject_type, request.caller).await {
        Ok((subject, errors)) => {
            let access = match &subject {
                // A delivery that has just been written is at hand, and no reference table has changed.
                Some(mutation::Subject::NewDistribution(_)) => access,
                // What is written stays written, also when it cannot be read again.
                _ => access.refreshed().await.unwrap_or(access),
            };
            *request.access.lock().unwrap_or_else(PoisonError::into_inner) = access.clone();
            let payload = mutation::Payload { type_name: payload.to_owned(), subject, errors };
            draw(&access, request, node, &Rooted(&payload)).await
        }
        Err(error) => {
            let mut fault = server_error(&error, node.position);
            fault.path = vec![async_graphql::PathSegment::Field(node.key.to_owned())];
            Err(vec![fault])
        }
    }
}

/// A payload as the value of a root field.
struct Rooted<'a>(&'a mutation::Payload);

impl Object for Rooted<'_> {
    fn type_name(&self) -> &str {
        "Mutation"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> render::Written {
        w.object(node, self.0)
    }
}

/// An error as the client gets it. What only we may know goes to the log.
pub fn server_error(error: &Error, position: Pos) -> ServerError {
    if let Error::Internal(text) = error {
        tracing::error!(fault = %text, "internal error");
    }
    if matches!(error, Error::Unavailable) {
        tracing::warn!("the database is out of reach or busy");
    }
    let mut fault = ServerError::new(error.message(), Some(position));
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", error.code());
    fault.extensions = Some(extensions);
    fault
}

/// A text in the place of an id that is none.
pub fn not_an_id() -> Error {
    Error::invalid("This is not an id of this API.")
}

/// Deliveries by id, gathered over all root fields of a request. It lives one request, and holds its viewer.
struct DeliveryLoader {
    access: Access,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct DeliveryKey {
    id: Uuid,
    with_lines: bool,
}

impl Loader<DeliveryKey> for DeliveryLoader {
    type Value = Delivery;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[DeliveryKey]) -> Result<HashMap<DeliveryKey, Delivery>, Arc<Error>> {
        let with_lines = keys.iter().any(|key| key.with_lines);
        let ids: Vec<Uuid> = keys.iter().map(|key| key.id).collect();
        let reading = self.access.distributions_by_id(&ids, with_lines);
        let found = STATEMENTS.scope(self.access.statements.clone(), reading).await.map_err(Arc::new)?;
        Ok(keys.iter().filter_map(|key| Some((*key, found.get(&key.id)?.clone()))).collect())
    }
}

/// Lets the other fields of a request ask before a batch is loaded, without waiting for a clock.
struct Yielding;

impl Timer for Yielding {
    fn delay(&self, _: std::time::Duration) -> futures_util::future::BoxFuture<'static, ()> {
        Box::pin(tokio::task::yield_now())
    }
}
