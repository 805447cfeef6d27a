//! Facilities.

use chrono::{DateTime, Utc};
use entity::{
    facility, presence,
    value::{FacilityKind, Names},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, Set};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Access,
    catalog::Facility,
    distribution::among,
    input::{At, Faults, Message, Once, UserError, UserErrorCode, Written, given, or_default},
    keyset::{Direction, Key, Page, Place, Window, page_in_memory},
    search,
    write::{Seen, Trace, taken},
};
use crate::{auth::Right, id};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    pub country: Option<Vec<String>>,
    pub region: Option<Vec<String>>,
    pub kind: Option<Vec<FacilityKind>>,
    #[serde(deserialize_with = "id::list::<_, {id::ORGANIZATION}>")]
    pub organization: Option<Vec<Uuid>>,
    pub search: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderField {
    Name,
    Region,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateFacility {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub slug: String,
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub aliases: Vec<String>,
    pub country: String,
    pub region: String,
    pub municipality: Option<String>,
    pub kind: FacilityKind,
    pub present_since: Option<chrono::NaiveDate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateFacility {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub name: Option<String>,
    pub aliases: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    pub municipality: Option<Option<String>>,
    pub kind: Option<FacilityKind>,
}

/// Why a facility is hidden.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HidingReason {
    Incident,
    Threat,
    Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HideFacility {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub reason: HidingReason,
}

impl Access {
    /// A facility that the viewer may see: published, or made by one's own organisation.
    pub fn facility(&self, id: Uuid) -> Option<&Facility> {
        self.catalog.facilities.get(id).filter(|entry| self.sees_facility(entry))
    }

    pub fn facility_by_slug(&self, slug: &str) -> Option<&Facility> {
        self.catalog.facility_by_slug(slug).filter(|entry| self.sees_facility(entry))
    }

    pub fn facilities(
        &self,
        filter: &Filter,
        field: OrderField,
        direction: Direction,
        window: &Window,
    ) -> Page<&Facility> {
        let needle = filter.search.as_deref().map(search::needle);
        let rows = self.catalog.facilities.iter().filter(|entry| {
            self.sees_facility(entry)
                && entry.row.archived_at.is_none()
                && filter.country.as_ref().is_none_or(|countries| countries.contains(&entry.row.country))
                && filter.region.as_ref().is_none_or(|isos| isos.contains(&entry.row.region_iso))
                && filter.kind.as_ref().is_none_or(|kinds| kinds.contains(&entry.row.kind))
                && filter.organization.as_ref().is_none_or(|ids| {
                    self.presences(entry)
                        .any(|presence| ids.contains(&presence.organization_id) && self.is_present(presence))
                })
                && needle.as_ref().is_none_or(|needle| entry.folded.contains(needle))
        });
        page_in_memory(rows, |entry| Self::facility_place(entry, field), direction, window)
    }

    pub fn facility_place(entry: &Facility, field: OrderField) -> Place {
        let key = match field {
            OrderField::Name => Key::Text(search::needle(&entry.row.name)),
            OrderField::Region => Key::Text(entry.row.region_iso.clone()),
        };
        Place { key, id: entry.row.id }
    }

    /// Presences of organisations that the viewer may see.
    pub fn presences<'a>(&'a self, entry: &'a Facility) -> impl Iterator<Item = &'a presence::Model> {
        entry.presences.iter().filter(|presence| self.organization(presence.organization_id).is_some())
    }

    fn is_present(&self, presence: &presence::Model) -> bool {
        let today = self.today();
        presence.starts_on <= today && presence.ends_on.is_none_or(|last| today <= last)
    }

    fn sees_facility(&self, entry: &Facility) -> bool {
        (entry.row.published_at.is_some() || self.viewer.reads_drafts_of(entry.row.organization_id))
            && !self.is_hidden(entry)
    }

    fn is_hidden(&self, entry: &Facility) -> bool {
        entry.row.hidden_at.is_some() && !self.viewer.is_staff_of(entry.row.organization_id)
    }

    /// Whether a facility is hidden from the viewer, and with it all that takes place and lies there.
    pub(super) fn hides(&self, facility: Uuid) -> bool {
        self.catalog.facilities.get(facility).is_some_and(|entry| self.is_hidden(entry))
    }

    /// The rows at facilities that are not hidden from the viewer, and those at none. Every scope of rows that name a
    /// facility is narrowed by it.
    pub(super) fn at_shown_facilities<C: ColumnTrait>(&self, column: C) -> Condition {
        let hidden = self.catalog.facilities.iter().filter(|entry| self.is_hidden(entry));
        let hidden: Vec<Uuid> = hidden.map(|entry| entry.row.id).collect();
        if hidden.is_empty() {
            return Condition::all();
        }
        Condition::any().add(column.is_null()).add(among(column, hidden).not())
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_facility(&self, input: CreateFacility) -> Written<Option<Uuid>> {
        self.require(Right::RegistryWrite)?;
        let own = self.own()?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        faults.slug(&input.slug, &["slug"]);
        faults.short_text(&input.name, &["name"]);
        check_aliases(&mut faults, &input.aliases);
        if let Some(municipality) = &input.municipality {
            faults.short_text(municipality, &["municipality"]);
        }
        let region = self.catalog.region(&input.region);
        let fits = region.is_some_and(|region| region.country == input.country);
        faults.check(fits, UserErrorCode::Invalid, &["region"], NO_REGION);
        faults.refuse()?;
        let row = facility::ActiveModel {
            id: Set(id),
            organization_id: Set(own),
            slug: Set(input.slug),
            name: Set(input.name.trim().to_owned()),
            aliases: Set(Names(input.aliases)),
            country: Set(input.country),
            region_iso: Set(input.region),
            municipality: Set(input.municipality),
            kind: Set(input.kind),
            version: Set(1),
            recorded_at: Set(self.now),
            published_at: Set(None),
            archived_at: Set(None),
            hidden_at: Set(None),
            hidden_before: Set(None),
        };
        row.insert(&write.tx).await.map_err(taken("slug"))?;
        if let Some(since) = input.present_since {
            let row = presence::ActiveModel {
                organization_id: Set(own),
                id: Set(self.new_id()),
                facility_id: Set(id),
                starts_on: Set(since),
                ends_on: Set(None),
            };
            row.insert(&write.tx).await?;
        }
        write.finish_create("facility", id, input.validate_only).await
    }

    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    pub async fn update_facility(&self, input: UpdateFacility) -> Written<()> {
        self.require(Right::RegistryWrite)?;
        let own = self.own()?;
        let Some(entry) = self.facility(input.at.id).filter(|entry| entry.row.organization_id == own) else {
            return Err(UserError::not_found(&["id"]).into());
        };
        input.at.check("id", entry.row.version, entry.row.archived_at)?;
        let mut faults = Faults::default();
        let mut row = facility::ActiveModel { version: Set(input.at.expected + 1), ..Default::default() };
        if let Some(name) = input.name {
            faults.short_text(&name, &["name"]);
            row.name = Set(name.trim().to_owned());
        }
        if let Some(aliases) = input.aliases {
            check_aliases(&mut faults, &aliases);
            row.aliases = Set(Names(aliases));
        }
        if let Some(municipality) = input.municipality {
            if let Some(name) = &municipality {
                faults.short_text(name, &["municipality"]);
            }
            row.municipality = Set(municipality);
        }
        if let Some(kind) = input.kind {
            row.kind = Set(kind);
        }
        faults.refuse()?;
        let write = self.write().await?;
        let changed = facility::Entity::update_many()
            .set(row)
            .filter(facility::Column::OrganizationId.eq(own))
            .filter(facility::Column::Id.eq(input.at.id))
            .filter(facility::Column::Version.eq(input.at.expected))
            .exec(&write.tx)
            .await?;
        write.finish_update(changed.rows_affected, "facility", input.at, input.validate_only).await
    }

    /// Takes a facility out of the sight of all but the staff of its organisation, at once.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn hide_facility(&self, input: HideFacility) -> Written<()> {
        let trace = Trace { action: "HIDE", entity: "facility", detail: json!({ "reason": input.reason }) };
        let since = Some(self.now);
        self.set_hidden(input.at, since, trace, input.validate_only).await
    }

    /// Shows a hidden facility again.
    ///
    /// # Errors
    /// As [`Access::hide_facility`].
    pub async fn show_facility(&self, at: At, validate_only: bool) -> Written<()> {
        let trace = Trace { action: "SHOW", entity: "facility", detail: Value::Null };
        self.set_hidden(at, None, trace, validate_only).await
    }

    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    async fn set_hidden(
        &self,
        at: At,
        hidden_at: Option<DateTime<Utc>>,
        trace: Trace<'_>,
        validate_only: bool,
    ) -> Written<()> {
        self.require(Right::FacilityHide)?;
        let own = self.own()?;
        let Some(entry) = self.facility(at.id).filter(|entry| entry.row.organization_id == own) else {
            return Err(UserError::not_found(&["id"]).into());
        };
        // One that is archived is still shown where it is named.
        at.check("id", entry.row.version, None)?;
        let mut faults = Faults::default();
        let hide = hidden_at.is_some();
        let is_other = entry.row.hidden_at.is_some() != hide;
        faults.check(is_other, UserErrorCode::Invalid, &["id"], if hide { IS_HIDDEN } else { IS_SHOWN });
        faults.refuse()?;
        let write = self.write().await?;
        let mut row = facility::ActiveModel {
            version: Set(at.expected + 1),
            hidden_at: Set(hidden_at),
            ..Default::default()
        };
        if let Some(since) = entry.row.hidden_at {
            let mut spans = entry.row.hidden_before.clone().unwrap_or_default();
            spans.0.push((since, self.now));
            row.hidden_before = Set(Some(spans));
        }
        let changed = facility::Entity::update_many()
            .set(row)
            .filter(facility::Column::OrganizationId.eq(own))
            .filter(facility::Column::Id.eq(at.id))
            .filter(facility::Column::Version.eq(at.expected))
            .exec(&write.tx)
            .await?
            .rows_affected;
        if !hide {
            write.tell_again_of(at.id).await?;
        }
        write.finish(changed, trace, at, validate_only).await
    }

    /// The facilities that a list names. An archived one may stay where it was.
    pub(super) fn sites(
        &self,
        faults: &mut Faults,
        ids: Vec<Uuid>,
        was_there: impl Fn(Uuid) -> bool,
    ) -> Vec<Uuid> {
        faults.ids(ids, "facilities", NO_FACILITY, |id| {
            self.facility(id).is_some_and(|entry| entry.row.archived_at.is_none() || was_there(id))
        })
    }
}

fn check_aliases(faults: &mut Faults, aliases: &[String]) {
    for (place, alias) in aliases.iter().enumerate() {
        faults.short_text(alias, &["aliases", &place.to_string()]);
    }
}

pub(super) const NO_FACILITY: Message =
    Message { en: "There is no such facility.", es: "No existe ese centro." };
const IS_HIDDEN: Message = Message { en: "The facility is hidden.", es: "El centro está oculto." };
const IS_SHOWN: Message = Message { en: "The facility is not hidden.", es: "El centro no está oculto." };
const NO_REGION: Message = Message {
    en: "There is no such first-level region in this country.",
    es: "No existe esa región de primer nivel en este país.",
};
