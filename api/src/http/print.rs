//! `/print/…`: forms for paper, filled from a delivery or blank, for who records deliveries.

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, http::header, web};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::{
    App,
    door::{Refused, access, once, pairs, refuse, spanish, unknown},
    nothing_here, only_read,
    request::KeptCredentials,
    within,
};
use crate::{
    auth::Right,
    error::Error,
    id::{self, GlobalId},
    import::{quoted, reason},
    print::{Filled, Form, Good, Language, STYLE, write},
    store::{Access, distribution::Delivery},
};

pub fn routes(services: &mut web::ServiceConfig) {
    let address = format!("/print/{{form:{}}}", Form::ALL.map(Form::name).join("|"));
    services.route(&address, web::get().to(form));
    only_read(services, &address);
}

async fn form(app: web::Data<App>, request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    let Some(form) = Form::parse(&path) else { return nothing_here().await };
    let done = async {
        let asked = Asked::of(&request)?;
        let access = access(&app, &KeptCredentials::of(&request)).await?;
        access.require(Right::DistributionRecord)?;
        let filled = filled(&access, form, &asked).await?;
        Ok(filled.map(|filled| write(form, asked.language, &filled)))
    };
    match within(&app, done).await {
        Some(Ok(Some(page))) => private("Authorization, Umbral-Organization, Accept-Language")
            .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
            .body(page),
        Some(Ok(None)) => nothing_here().await,
        Some(Err(refused)) => refuse(&request, refused),
        None => refuse(&request, Refused::Fault(Error::TimedOut)),
    }
}

/// An answer for the one who asks: kept by nobody, and a page of it loads, runs and sends nothing. The one thing that is let
/// through is the style that it carries.
pub(super) fn private(vary: &'static str) -> HttpResponseBuilder {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    );
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .append_header((header::VARY, vary))
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"));
    response
}

/// The language of a page: the one in its address, or else the one that the request prefers.
pub(super) fn language(request: &HttpRequest, asked: Option<&str>) -> Result<Language, Refused> {
    match asked {
        Some(tag) => Language::parse(tag)
            .ok_or_else(|| Refused::Asked(reason!("lang is es or en.", "lang es es o en."))),
        None if spanish(request) => Ok(Language::Es),
        None => Ok(Language::En),
    }
}

/// What the address asks for.
struct Asked {
    language: Language,
    /// None for a blank form.
    delivery: Option<String>,
}

impl Asked {
    fn of(request: &HttpRequest) -> Result<Self, Refused> {
        let (mut language, mut delivery) = (None, None);
        for (name, value) in pairs(request)? {
            match name.as_str() {
                "lang" => once(language.replace(value), &quoted(&name))?,
                "distribution" => once(delivery.replace(value), &quoted(&name))?,
                _ => return Err(unknown(&name)),
            }
        }
        Ok(Self { language: self::language(request, language.as_deref())?, delivery })
    }
}

/// What the form holds; none when there is no such delivery, or none that the viewer may see.
async fn filled(access: &Access, form: Form, asked: &Asked) -> Result<Option<Filled>, Refused> {
    let own = access.viewer.organization().and_then(|own| access.organization(own));
    let blank = Filled {
        number: access.fresh_form_number(form.letters()),
        organization: own.map(|entry| entry.row.name.clone()).unwrap_or_default(),
        ..Filled::default()
    };
    let Some(delivery) = &asked.delivery else { return Ok(Some(blank)) };
    let Some(GlobalId { kind: id::Kind::Distribution, id }) = GlobalId::parse(delivery) else {
        return Ok(None);
    };
    let Some(delivery) = access.distributions_by_id(&[id], true).await?.remove(&id) else { return Ok(None) };
    let row = &delivery.row;
    let program =
        access.program(row.program_id).map(|view| view.name().text(asked.language.tag()).to_owned());
    let facility = access.catalog.facilities.get(row.facility_id).map(|entry| entry.row.name.clone());
    Ok(Some(Filled {
        delivery: Some(id::text(id::Kind::Distribution, row.id)),
        facility: facility.unwrap_or_default(),
        program: program.unwrap_or_default(),
        day: row.occurred_on.to_string(),
        reached: row.people_reached.map(|people| people.to_string()).unwrap_or_default(),
        goods: goods(access, &delivery, asked.language),
        ..blank
    }))
}

fn goods(access: &Access, delivery: &Delivery, language: Language) -> Vec<Good> {
    let good = |line: &crate::store::distribution::Line| {
        let quantity = line.quantity.to_string();
        if let Some(item) = line.item_id.and_then(|id| access.item(id)) {
            let name = format!("{} ({})", item.name().text(language.tag()), item.entry.row.code);
            return Good { name, unit: item.unit().into_owned(), quantity };
        }
        let kit = line.kit_id.and_then(|id| access.kit(id));
        let version = line.kit_version.unwrap_or(1);
        let name =
            kit.map(|kit| format!("{} ({} {version})", kit.name().text(language.tag()), kit.entry.row.code));
        Good { name: name.unwrap_or_default(), unit: "kit".to_owned(), quantity }
    };
    delivery.lines.iter().map(good).collect()
}
