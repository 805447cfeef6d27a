//! Programs.

use entity::{
    program, program_site,
    value::{Localized, Names, OutsideFace, ProgramArea, ProgramAreas, ProgramStatus, Sensitivity},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::Deserialize;
use serde_json::json;
use std::borrow::Cow;
use uuid::Uuid;

use super::{
    Access,
    catalog::{Face, Facility, Program},
    input::{
        At, Faults, LocalizedInput, Message, Once, UserError, UserErrorCode, Written, given, or_default,
    },
    keyset::{Direction, Key, Page, Place, Window, page_in_memory},
    search,
    write::{Seen, next_quarter, taken},
};
use crate::{auth::Right, id};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    #[serde(deserialize_with = "id::list::<_, {id::ORGANIZATION}>")]
    pub organization: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::FACILITY}>")]
    pub facility: Option<Vec<Uuid>>,
    pub area: Option<Vec<ProgramArea>>,
    pub status: Option<Vec<ProgramStatus>>,
    pub search: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderField {
    Name,
    StartsOn,
    EndsOn,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateProgram {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub slug: String,
    pub name: LocalizedInput,
    pub description: Option<LocalizedInput>,
    pub area: ProgramArea,
    #[serde(default, deserialize_with = "or_default")]
    pub areas: Vec<ProgramArea>,
    #[serde(default, deserialize_with = "or_default")]
    pub techniques: Vec<String>,
    pub starts_on: chrono::NaiveDate,
    pub ends_on: Option<chrono::NaiveDate>,
    #[serde(deserialize_with = "id::many")]
    pub facilities: Vec<Uuid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateProgram {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub name: Option<LocalizedInput>,
    #[serde(default, deserialize_with = "given")]
    pub description: Option<Option<LocalizedInput>>,
    pub status: Option<ProgramStatus>,
    pub techniques: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    pub ends_on: Option<Option<chrono::NaiveDate>>,
    #[serde(default, deserialize_with = "id::some_list")]
    pub facilities: Option<Vec<Uuid>>,
}

/// A program as one viewer may see it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub entry: &'a Program,
    face: Face<'a>,
    /// Whether the viewer is an outsider to the program's organisation.
    outside: bool,
}

/// Areas whose programs are sensitive: small numbers of them tell something of one woman.
pub fn sensitivity_of(areas: &[ProgramArea]) -> Sensitivity {
    use ProgramArea::{LegalDefence, Maternity, MentalHealth, SexualReproductiveHealth};
    let sensitive = areas
        .iter()
        .any(|area| matches!(area, Maternity | SexualReproductiveHealth | MentalHealth | LegalDefence));
    if sensitive { Sensitivity::Sensitive } else { Sensitivity::General }
}

impl<'a> View<'a> {
    /// Whether others learn at once what becomes of it: it is general, and has been for as long as they know it.
    pub fn is_open(self) -> bool {
        self.entry.row.sensitivity == Sensitivity::General && matches!(self.face, Face::Current)
    }

    pub fn name(self) -> &'a Localized {
        self.face.name(&self.entry.row.name)
    }

    pub fn description(self) -> Option<Cow<'a, Localized>> {
        match self.face {
            Face::Older(_) => self.face.older("description").map(Cow::Owned),
            _ => self.entry.row.description.as_ref().map(Cow::Borrowed),
        }
    }

    pub fn status(self) -> ProgramStatus {
        self.face.older("status").unwrap_or(self.entry.row.status)
    }

    pub fn ends_on(self) -> Option<chrono::NaiveDate> {
        match self.face {
            Face::Older(_) => self.face.older("ends_on"),
            _ => self.entry.row.ends_on,
        }
    }

    pub fn techniques(self) -> Cow<'a, [String]> {
        match self.face.older::<Vec<String>>("techniques") {
            Some(codes) => Cow::Owned(codes),
            None => Cow::Borrowed(&self.entry.row.techniques.0),
        }
    }

    /// Where it takes place; nowhere for outsiders when it is sensitive.
    pub fn sites(self) -> &'a [Uuid] {
        if self.outside && self.entry.row.sensitivity == Sensitivity::Sensitive {
            &[]
        } else {
            &self.entry.sites
        }
    }

    fn folded(self) -> Cow<'a, str> {
        match self.face {
            Face::Older(face) => Cow::Owned(search::fold_localized(&face.name, &[&self.entry.row.slug])),
            _ => Cow::Borrowed(&self.entry.folded),
        }
    }
}

impl Access {
    /// A program that the viewer may see: published, or of one's own organisation.
    pub fn program(&self, id: Uuid) -> Option<View<'_>> {
        self.program_view(self.catalog.programs.get(id)?)
    }

    pub fn program_by_slug(&self, organization: &str, slug: &str) -> Option<View<'_>> {
        let organization = self.organization_by_slug(organization)?.row.id;
        let found = self
            .catalog
            .programs
            .iter()
            .find(|entry| entry.row.organization_id == organization && entry.row.slug == slug);
        self.program_view(found?)
    }

    fn program_view<'a>(&'a self, entry: &'a Program) -> Option<View<'a>> {
        let outside = !self.viewer.reads_drafts_of(entry.row.organization_id);
        let face = if outside { entry.outside.on(self.today()) } else { Face::Current };
        if outside && (entry.row.published_at.is_none() || matches!(face, Face::Hidden)) {
            return None;
        }
        Some(View { entry, face, outside })
    }

    pub fn programs(
        &self,
        filter: &Filter,
        field: OrderField,
        direction: Direction,
        window: &Window,
    ) -> Page<View<'_>> {
        let needle = filter.search.as_deref().map(search::needle);
        let rows = self.catalog.programs.iter().filter_map(|entry| self.program_view(entry)).filter(|view| {
            let row = &view.entry.row;
            !self.is_archived(row.organization_id, row.archived_at, view.is_open())
                && filter.organization.as_ref().is_none_or(|ids| ids.contains(&row.organization_id))
                && filter
                    .facility
                    .as_ref()
                    .is_none_or(|ids| self.program_facilities(*view).any(|site| ids.contains(&site.row.id)))
                && filter
                    .area
                    .as_ref()
                    .is_none_or(|areas| row.areas.0.iter().any(|area| areas.contains(area)))
                && filter.status.as_ref().is_none_or(|statuses| statuses.contains(&view.status()))
                && needle.as_ref().is_none_or(|needle| view.folded().contains(needle.as_str()))
        });
        page_in_memory(rows, |view| Self::program_place(*view, field), direction, window)
    }

    pub fn program_place(view: View<'_>, field: OrderField) -> Place {
        let key = match field {
            OrderField::Name => {
                let name = view.name();
                let text = name.text(&name.original);
                Key::Text(search::needle(text))
            }
            OrderField::StartsOn => Key::Day(view.entry.row.starts_on),
            OrderField::EndsOn => view.ends_on().map_or(Key::Null, Key::Day),
        };
        Place { key, id: view.entry.row.id }
    }

    /// The facilities of a program that the viewer may see.
    pub fn program_facilities<'a>(&'a self, view: View<'a>) -> impl Iterator<Item = &'a Facility> {
        view.sites().iter().filter_map(|site| self.facility(*site))
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_program(&self, input: CreateProgram) -> Written<Option<Uuid>> {
        self.require(Right::RegistryWrite)?;
        let own = self.own()?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        faults.slug(&input.slug, &["slug"]);
        let name = faults.localized(&input.name, &["name"], 200);
        let description =
            input.description.as_ref().map(|text| faults.localized(text, &["description"], 10_000));
        faults.span(input.starts_on, input.ends_on, &["endsOn"]);
        self.check_techniques(&mut faults, &input.techniques);
        let sites = self.sites(&mut faults, input.facilities, |_| false);
        faults.refuse()?;
        let mut areas = vec![input.area];
        for area in input.areas {
            if !areas.contains(&area) {
                areas.push(area);
            }
        }
        let row = program::ActiveModel {
            id: Set(id),
            organization_id: Set(own),
            slug: Set(input.slug),
            name: Set(name),
            description: Set(description),
            area: Set(input.area),
            sensitivity: Set(sensitivity_of(&areas)),
            areas: Set(ProgramAreas(areas)),
            techniques: Set(Names(input.techniques)),
            status: Set(if input.starts_on > self.today() {
                ProgramStatus::Planned
            } else {
                ProgramStatus::Active
            }),
            starts_on: Set(input.starts_on),
            ends_on: Set(input.ends_on),
            outside_from: Set(None),
            outside_face: Set(None),
            version: Set(1),
            recorded_at: Set(self.now),
            published_at: Set(None),
            archived_at: Set(None),
        };
        row.insert(&write.tx).await.map_err(taken("slug"))?;
        set_sites(&write, id, sites).await?;
        write.finish_create("program", id, input.validate_only).await
    }

    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    pub async fn update_program(&self, input: UpdateProgram) -> Written<()> {
        self.require(Right::RegistryWrite)?;
        let own = self.own()?;
        let Some(entry) =
            self.catalog.programs.get(input.at.id).filter(|entry| entry.row.organization_id == own)
        else {
            return Err(UserError::not_found(&["id"]).into());
        };
        input.at.check("id", entry.row.version, entry.row.archived_at)?;
        let mut faults = Faults::default();
        let mut row = program::ActiveModel { version: Set(input.at.expected + 1), ..Default::default() };
        if let Some(name) = &input.name {
            row.name = Set(faults.localized(name, &["name"], 200));
        }
        if let Some(description) = &input.description {
            row.description =
                Set(description.as_ref().map(|text| faults.localized(text, &["description"], 10_000)));
        }
        if let Some(status) = input.status {
            row.status = Set(status);
        }
        if let Some(codes) = input.techniques {
            self.check_techniques(&mut faults, &codes);
            row.techniques = Set(Names(codes));
        }
        if let Some(ends_on) = input.ends_on {
            faults.span(entry.row.starts_on, ends_on, &["endsOn"]);
            row.ends_on = Set(ends_on);
        }
        let sites = input.facilities.map(|ids| self.sites(&mut faults, ids, |id| entry.sites.contains(&id)));
        faults.refuse()?;
        if entry.row.sensitivity == Sensitivity::Sensitive && entry.row.published_at.is_some() {
            let today = self.today();
            if entry.row.outside_from.is_none_or(|from| from <= today) {
                row.outside_face = Set(Some(OutsideFace {
                    name: entry.row.name.clone(),
                    sensitivity: entry.row.sensitivity,
                    rest: json!({
                        "description": entry.row.description,
                        "status": entry.row.status,
                        "techniques": entry.row.techniques,
                        "ends_on": entry.row.ends_on,
                    }),
                }));
                row.outside_from = Set(Some(next_quarter(today)));
            }
        }
        let write = self.write().await?;
        let changed = program::Entity::update_many()
            .set(row)
            .filter(program::Column::OrganizationId.eq(own))
            .filter(program::Column::Id.eq(input.at.id))
            .filter(program::Column::Version.eq(input.at.expected))
            .exec(&write.tx)
            .await?
            .rows_affected;
        if let (1, Some(sites)) = (changed, sites) {
            program_site::Entity::delete_many()
                .filter(program_site::Column::ProgramId.eq(input.at.id))
                .exec(&write.tx)
                .await?;
            set_sites(&write, input.at.id, sites).await?;
        }
        write.finish_update(changed, "program", input.at, input.validate_only).await
    }

    fn check_techniques(&self, faults: &mut Faults, codes: &[String]) {
        for (place, code) in codes.iter().enumerate() {
            let known = self.catalog.techniques.contains_key(code);
            faults.check(known, UserErrorCode::NotFound, &["techniques", &place.to_string()], NO_TECHNIQUE);
        }
    }

    /// The programs of the viewer's organisation that a list names. An archived one may stay where it was.
    pub(super) fn own_programs(
        &self,
        faults: &mut Faults,
        ids: Vec<Uuid>,
        was_there: impl Fn(Uuid) -> bool,
    ) -> Vec<Uuid> {
        let own = self.viewer.organization();
        faults.ids(ids, "programs", NO_PROGRAM, |id| {
            self.program(id).is_some_and(|View { entry: Program { row, .. }, .. }| {
                Some(row.organization_id) == own && (row.archived_at.is_none() || was_there(id))
            })
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "the program was checked to be the viewer's own")]
async fn set_sites(write: &super::write::Write<'_>, program: Uuid, sites: Vec<Uuid>) -> Written<()> {
    if sites.is_empty() {
        return Ok(());
    }
    let rows = sites
        .into_iter()
        .map(|site| program_site::ActiveModel { program_id: Set(program), facility_id: Set(site) });
    program_site::Entity::insert_many(rows).exec_without_returning(&write.tx).await?;
    Ok(())
}

const NO_TECHNIQUE: Message = Message { en: "There is no such technique.", es: "No existe esa técnica." };
pub(super) const NO_PROGRAM: Message = Message {
    en: "There is no such program of your organisation.",
    es: "No existe ese programa de su organización.",
};
