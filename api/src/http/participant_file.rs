//! `/export/participants/{id}`: everything that is held about a woman, for herself: to read, or for another program.

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use super::{
    App,
    door::{Refused, access, once, pairs, refuse, unknown},
    nothing_here, only_read, print,
    request::{KeptCredentials, text_header},
    within,
};
use crate::{
    error::Error,
    id::{GlobalId, Kind},
    import::{quoted, reason},
    print::{Language, participant_file},
    store::record::Purpose,
};

pub fn routes(services: &mut web::ServiceConfig) {
    let address = "/export/participants/{id}";
    services.route(address, web::get().to(file));
    only_read(services, address);
}

/// In which form the file is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    Html,
    Json,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Json => "json",
        }
    }
}

struct Asked {
    form: Form,
    language: Language,
}

impl Asked {
    fn of(request: &HttpRequest) -> Result<Self, Refused> {
        let (mut form, mut language) = (None, None);
        for (name, value) in pairs(request)? {
            match name.as_str() {
                "format" => {
                    let known = [Form::Html, Form::Json].into_iter().find(|form| form.name() == value);
                    let known = known.ok_or_else(|| {
                        Refused::Asked(reason!("format is html or json.", "format es html o json."))
                    })?;
                    once(form.replace(known), &quoted(&name))?;
                }
                "lang" => once(language.replace(value), &quoted(&name))?,
                _ => return Err(unknown(&name)),
            }
        }
        let language = print::language(request, language.as_deref())?;
        Ok(Self { form: form.unwrap_or(Form::Html), language })
    }
}

async fn file(app: web::Data<App>, request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    let done = async {
        let asked = Asked::of(&request)?;
        let purpose = text_header(&request, "umbral-purpose").and_then(Purpose::parse);
        let access = access(&app, &KeptCredentials::of(&request)).await?.asking(purpose);
        let woman = match GlobalId::parse(&path) {
            Some(GlobalId { kind: Kind::Participant, id }) => id,
            // One that cannot be answers as one that is not: the same rights are asked for.
            _ => uuid::Uuid::nil(),
        };
        let file = access.participant_file(woman, asked.language.tag(), asked.form.name()).await?;
        Ok::<_, Refused>((asked, file))
    };
    let (asked, file) = match within(&app, done).await {
        Some(Ok((asked, Some(file)))) => (asked, file),
        Some(Ok((_, None))) => return nothing_here().await,
        Some(Err(refused)) => return refuse(&request, refused),
        None => return refuse(&request, Refused::Fault(Error::TimedOut)),
    };
    let mut response = print::private("Authorization, Umbral-Organization, Umbral-Purpose, Accept-Language");
    match asked.form {
        Form::Html => response
            .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
            .body(participant_file(asked.language, &file)),
        // The name of a file lies about in a folder of downloads: it says nothing of her.
        Form::Json => response
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"umbral.json\""))
            .body(file.json().to_string()),
    }
}
