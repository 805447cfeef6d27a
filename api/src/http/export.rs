//! `/export/…`: everything of a kind that the viewer may read, as a file.
//!
//! The doors are those of GraphQL, and so is what stands behind them: a row that does not exist for a viewer is in no
//! file of theirs. A file is read page by page while it is sent, each page with the credential and the rights of its
//! moment, so one page is in memory and a client that stops reading stops the work. When a page cannot be read any
//! more the connection breaks off without the end of the body: a file that ended well is whole.
//!
//! A delivery that is there from the first page to the last is in the file once, as it was when its page was read;
//! one that is recorded meanwhile may be in it or not.

mod asked;
mod file;

use std::{
    collections::HashMap,
    fs::File,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::SizedStream,
    http::{StatusCode, header},
    web::{self, Bytes},
};
use async_graphql::Pos;
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::asked::Asked;
use super::{
    App,
    answer::{self, Media},
    door::{Refused, access, refuse},
    held::{Held, Holding},
    only_read,
    request::KeptCredentials,
    within,
};
use crate::{
    auth::Right,
    error::{Error, Result},
    export::{self, Format, TooManyRows, Workbook},
    graphql::server_error,
    import::{self, Header, Kind, headers, reason, template_rows},
    store::{Access, distribution::Begun, keyset::Place},
};

/// Exports under way, and what is put together once for all.
pub struct Exports {
    /// Turns at a workbook, which takes the processor and the disk from its first row until it is sent.
    workbooks: Arc<Semaphore>,
    of_account: Held,
    /// The templates that are workbooks.
    templates: Mutex<HashMap<Kind, Bytes>>,
}

impl Exports {
    pub fn new(workbooks: usize) -> Self {
        Self {
            workbooks: Arc::new(Semaphore::new(workbooks)),
            of_account: Held::default(),
            templates: Mutex::default(),
        }
    }
}

pub fn routes(services: &mut web::ServiceConfig) {
    let kinds = Kind::ALL.map(Kind::name).join("|");
    let templates = format!("/templates/{{kind:{kinds}}}.{{form:csv|xlsx}}");
    services
        .route(&templates, web::get().to(template))
        .route("/export/distributions", web::get().to(distributions))
        .route("/export/{kind:facilities|programs|items|kits}", web::get().to(registry));
    only_read(services, &templates);
    only_read(services, "/export/{kind:distributions|facilities|programs|items|kits}");
}

async fn distributions(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let done = async {
        let Asked { format, filter, told } = Asked::of_distributions(&request)?;
        let who = KeptCredentials::of(&request);
        let access = access(&app, &who).await?;
        let held = one_more(&app, &access)?;
        let begun = access.begin_export(filter, format.name(), told).await?;
        let columns = export::columns(access.is_outside());
        Ok(Deliveries { app: app.clone(), who, begun, columns, format, place: Some(None), held })
    };
    let deliveries = match within(&app, done).await {
        Some(Ok(deliveries)) => deliveries,
        Some(Err(refused)) => return refuse(&request, refused),
        None => return refuse(&request, Refused::Fault(Error::TimedOut)),
    };
    let format = deliveries.format;
    let sent = match format {
        Format::Xlsx => deliveries.workbook().await,
        Format::Csv | Format::JsonLines => deliveries.stream().await,
    };
    sent.unwrap_or_else(|refused| refuse(&request, refused))
}

async fn registry(app: web::Data<App>, request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    let done = async {
        let format = Asked::of_registry(&request)?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == path.as_str());
        let access = access(&app, &KeptCredentials::of(&request)).await?;
        access.require(Right::RegistryExport)?;
        let held = one_more(&app, &access)?;
        let (Some(kind), Some(rows)) = (kind, kind.and_then(|kind| export::registry(&access, kind))) else {
            return Err(Refused::Fault(Error::Internal("an export of no kind".into())));
        };
        access.begin_registry_export(kind.name(), format.name(), rows.len()).await?;
        let columns = headers(kind);
        if format == Format::Xlsx {
            let turn = turn(&app).await?;
            let folder = app.config.data_dir.clone();
            let mut book = Workbook::new(&folder, columns, access.now)?;
            book.write(&rows)?.map_err(full)?;
            let finished = web::block(move || book.finish(&folder)).await.map_err(gone)??;
            return Ok(sent(&app, finished, kind, (turn, held))?);
        }
        let mut body = export::head(format, columns)?;
        body.extend(export::write(format, columns, &rows)?);
        Ok(answer(format, kind).body(body))
    };
    match within(&app, done).await {
        Some(Ok(response)) => response,
        Some(Err(refused)) => refuse(&request, refused),
        None => refuse(&request, Refused::Fault(Error::TimedOut)),
    }
}

/// A file to fill in for `umbral import`, for everybody.
async fn template(app: web::Data<App>, path: web::Path<(String, String)>) -> HttpResponse {
    let (Some(kind), Some(format)) = (Kind::parse(&path.0), Format::parse(&path.1)) else {
        return super::nothing_here().await;
    };
    let body = match format {
        Format::Xlsx => template_book(&app, kind),
        Format::Csv | Format::JsonLines => Ok(import::template(kind).into()),
    };
    match body {
        Ok(body) => {
            let mut response = answer(format, kind);
            response.insert_header((header::CACHE_CONTROL, "public, max-age=300"));
            response.body(body)
        }
        Err(fault) => {
            let _ = server_error(&fault, Pos::default());
            answer::refusal(StatusCode::INTERNAL_SERVER_ERROR, fault.code(), &fault.message(), Media::Json)
        }
    }
}

/// A template as a workbook, which is put together once.
fn template_book(app: &App, kind: Kind) -> Result<Bytes> {
    let mut made = app.exports.templates.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(book) = made.get(&kind) {
        return Ok(book.clone());
    }
    let [_, _, row] = template_rows(kind);
    let book = Workbook::small(&app.config.data_dir, headers(kind), app.config.clock.now(), &row)?;
    Ok(made.entry(kind).or_insert(book.into()).clone())
}

/// An export of deliveries under way.
struct Deliveries {
    app: web::Data<App>,
    who: KeptCredentials,
    begun: Begun,
    columns: Vec<Header>,
    format: Format,
    /// Where the next page begins; none after the last.
    place: Option<Option<Place>>,
    held: Holding,
}

impl Deliveries {
    /// What `draw` makes of the next page; none after the last.
    async fn page<T>(
        &mut self,
        draw: impl FnOnce(&[Header], &[Vec<export::Cell<'_>>]) -> Result<T>,
    ) -> Result<Option<T>, Refused> {
        let Some(place) = self.place.take() else { return Ok(None) };
        let work = async {
            let access = access(&self.app, &self.who).await?;
            let (deliveries, next) = access.export_page(&self.begun, place).await?;
            let rows: Vec<_> = deliveries
                .iter()
                .flat_map(|delivery| export::rows(&access, &self.columns, delivery))
                .collect();
            Ok::<_, Refused>((draw(&self.columns, &rows)?, next))
        };
        let (drawn, next) = within(&self.app, work).await.ok_or(Error::TimedOut)??;
        self.place = next.map(Some);
        Ok(Some(drawn))
    }

    async fn text(&mut self) -> Result<Option<Bytes>, Refused> {
        let format = self.format;
        let page = self.page(|columns, rows| export::write(format, columns, rows)).await?;
        Ok(page.map(Bytes::from))
    }

    /// Sends pages as they are read. The first is read before the status is said.
    async fn stream(mut self) -> Result<HttpResponse, Refused> {
        let mut first = export::head(self.format, &self.columns)?;
        first.extend(self.text().await?.unwrap_or_default());
        let (format, first) = (self.format, Some(Bytes::from(first)));
        let pages = stream::try_unfold((self, first), async |(mut this, first)| {
            let page = match first {
                Some(first) => Some(first),
                None => this.text().await.map_err(broken_off)?,
            };
            Ok::<_, std::io::Error>(page.map(|page| (page, (this, None))))
        });
        Ok(answer(format, Kind::Distributions).streaming(Box::pin(pages)))
    }

    /// Puts all pages into a file without a name, and sends that.
    async fn workbook(mut self) -> Result<HttpResponse, Refused> {
        let app = self.app.clone();
        let folder = app.config.data_dir.clone();
        let turn = turn(&app).await?;
        let mut book = Workbook::new(&folder, &self.columns, app.config.clock.now())?;
        while let Some(written) = self.page(|_, rows| book.write(rows)).await? {
            written.map_err(full)?;
        }
        let finished = web::block(move || book.finish(&folder)).await.map_err(gone)??;
        Ok(sent(&app, finished, Kind::Distributions, (turn, self.held))?)
    }
}

/// One more export of the viewer's account.
fn one_more(app: &App, access: &Access) -> Result<Holding, Refused> {
    let most = app.config.exports.of_account;
    app.exports.of_account.take(access.viewer.account(), most).ok_or(Refused::TooManyExports(most))
}

/// A turn at a workbook.
async fn turn(app: &App) -> Result<OwnedSemaphorePermit> {
    match within(app, app.exports.workbooks.clone().acquire_owned()).await {
        Some(Ok(turn)) => Ok(turn),
        _ => Err(Error::Unavailable),
    }
}

/// The body has begun, so its end is all that can be left out.
fn broken_off(refused: Refused) -> std::io::Error {
    match refused {
        Refused::Fault(fault) => drop(server_error(&fault, Pos::default())),
        _ => tracing::info!("an export was broken off: the credential ended"),
    }
    std::io::Error::other("the export cannot go on")
}

fn full(TooManyRows: TooManyRows) -> Refused {
    let most = export::MOST_ROWS;
    Refused::Asked(reason!(
        "There are more than {most} rows, which no sheet holds: narrow the filter, or take csv or jsonl.",
        "Hay más de {most} filas, que no caben en una hoja: acote el filtro, o use csv o jsonl."
    ))
}

fn gone(_: actix_web::error::BlockingError) -> Error {
    Error::Internal("the thread of a workbook is gone".into())
}

/// The beginning of an answer with a file, which nobody may keep but who asked.
fn answer(format: Format, kind: Kind) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    let name = format!("attachment; filename=\"{}.{}\"", kind.name(), format.name());
    response
        .insert_header((header::CONTENT_TYPE, format.media_type()))
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .append_header((header::VARY, "Authorization, Umbral-Organization"));
    response
}

/// Sends a finished file. What is held is given back when it is sent, or the client has left.
fn sent(app: &App, file: File, kind: Kind, held: (OwnedSemaphorePermit, Holding)) -> Result<HttpResponse> {
    let unreadable = |_| Error::Internal("a temporary file cannot be read".into());
    let length = file.metadata().map_err(unreadable)?.len();
    let parts = file::parts(file, held, app.config.exports.send_time);
    Ok(answer(Format::Xlsx, kind).body(SizedStream::new(length, Box::pin(parts))))
}
