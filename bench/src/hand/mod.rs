//! Two servers as a person would write them for just these requests, without GraphQL.
//!
//! They share what both would do alike: tokens, reference tables, connections, and the checks of a recording.

mod best;
mod memory;
mod pool;
mod record;
mod seal;
mod usual;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::header,
    web::{self, Data, Query},
};
use api::{
    auth::{issuers::Issuers, keys::KeyRing, verifier::Verifier},
    id::GlobalId,
};
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use uuid::Uuid;

use self::{
    memory::{Account, Memory},
    pool::Pool,
};
use crate::Result;

#[derive(Args, Clone)]
pub struct Options {
    #[arg(long)]
    listen: SocketAddr,
    /// The database as its owner.
    #[arg(long)]
    database: String,
    /// The database as the role of partners.
    #[arg(long)]
    outside: String,
    /// The folder of Umbral's keys.
    #[arg(long)]
    keys: PathBuf,
    #[arg(long, value_enum)]
    way: Way,
    #[arg(long, default_value_t = 2)]
    workers: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Way {
    /// Flat pipelined prepared statements, JSON put together in Rust.
    Best,
    /// One statement that builds the JSON in PostgreSQL.
    Usual,
}

/// What every worker shares.
pub struct Shared {
    pub memory: Memory,
    verifier: Verifier,
}

/// The connections of one worker.
pub struct Pools {
    /// As the owner: for staff, and for statements that build names into JSON.
    pub main: Pool,
    /// As the role of partners, which sees operations rows only.
    pub outside: Pool,
}

#[expect(clippy::disallowed_methods, reason = "there is no clock to bring in")]
pub fn now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}

pub async fn serve(options: Options) -> Result<()> {
    let ring = KeyRing::load(&options.keys)?;
    let verifier = Verifier::new(ring, "umbral-demo", "umbral", Issuers::none())?;
    let memory = Memory::read(&options.database).await?;
    let shared = Data::new(Shared { memory, verifier });
    let given = options.clone();
    HttpServer::new(move || {
        let (main, outside, way) = (given.database.clone(), given.outside.clone(), given.way);
        let app = App::new().app_data(shared.clone()).data_factory(move || {
            let (main, outside) = (main.clone(), outside.clone());
            // As many in both workers together as Umbral has by default.
            async move {
                Ok::<_, crate::Failed>(Pools {
                    main: Pool::connect(&main, 8, way).await?,
                    outside: Pool::connect(&outside, 4, way).await?,
                })
            }
        });
        match way {
            Way::Best => app.configure(best::routes),
            Way::Usual => app.configure(usual::routes),
        }
    })
    .workers(options.workers)
    .bind(options.listen)?
    .run()
    .await?;
    Ok(())
}

/// An answer, or the HTTP error in its place.
type Answer = std::result::Result<HttpResponse, actix_web::Error>;

fn json(body: impl Into<actix_web::web::Bytes>) -> Answer {
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .body(body.into()))
}

fn broken(fault: impl std::fmt::Display) -> actix_web::Error {
    actix_web::error::ErrorInternalServerError(fault.to_string())
}

fn bad(fault: &'static str) -> actix_web::Error {
    actix_web::error::ErrorBadRequest(fault)
}

/// Who asks: the same check of the token as Umbral's, and its memory of tokens that have passed.
async fn account<'a>(
    shared: &'a Shared,
    request: &HttpRequest,
) -> std::result::Result<&'a Arc<Account>, actix_web::Error> {
    let refused = || actix_web::error::ErrorUnauthorized("no");
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|header| header.strip_prefix("Bearer ")).ok_or_else(refused)?;
    let verified = shared.verifier.verify(token, now()).await.map_err(|_| refused())?;
    shared.memory.accounts.get(&verified.subject).ok_or_else(refused)
}

/// The id of a row in an address or an input.
fn uuid(text: &str) -> std::result::Result<Uuid, actix_web::Error> {
    GlobalId::parse(text).map(|id| id.id).ok_or_else(|| bad("not an id"))
}

#[derive(Deserialize)]
struct PageOf {
    facility: String,
}

#[derive(Deserialize)]
struct NestedIn {
    country: String,
}

#[derive(Deserialize)]
struct StatsOver {
    from: NaiveDate,
    to: NaiveDate,
    item: Option<String>,
}

#[derive(Deserialize)]
struct OneBy {
    id: String,
}

type SharedData = Data<Shared>;
type PoolData = Data<Pools>;
type Asked<T> = Query<T>;
type Body = web::Bytes;
