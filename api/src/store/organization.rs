//! Organisations and what they say of themselves.

use std::sync::Arc;

use entity::{
    organization, statement,
    value::{ClaimStatus, OrganizationKind, StatementKind},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Access, Store,
    catalog::Organization,
    input::{At, Faults, LocalizedInput, Once, UserError, Written, or_default},
    keyset::{Direction, Key, Page, Place, Window, page_in_memory},
    search,
    write::{Seen, new_id, taken},
};
use crate::{auth::Right, error::Error, reference};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    pub kind: Option<Vec<OrganizationKind>>,
    pub country: Option<Vec<String>>,
    pub search: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderField {
    Name,
    ActiveSince,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateStatement {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub kind: StatementKind,
    pub position: i32,
    pub title: LocalizedInput,
    pub text: LocalizedInput,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateStatement {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub position: Option<i32>,
    pub title: Option<LocalizedInput>,
    pub text: Option<LocalizedInput>,
}

/// An organisation that joins, as its operator writes it on the command line.
#[derive(Debug)]
pub struct NewOrganization {
    pub slug: String,
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub kind: OrganizationKind,
}

impl Store {
    /// Makes an organisation, published, and writes the regions and techniques that the database lacks. Gives its id.
    ///
    /// # Errors
    /// User errors for what is no slug, name or country, and for a slug that is taken.
    pub async fn create_organization(self: &Arc<Self>, new: NewOrganization) -> Written<Uuid> {
        let mut faults = Faults::default();
        faults.slug(&new.slug, &["slug"]);
        faults.short_text(&new.name, &["name"]);
        faults.country(&new.country, &["country"]);
        faults.refuse()?;
        let broken = |cause: serde_json::Error| Error::Internal(format!("the reference data: {cause}"));
        let id = new_id();
        let access = self.system(id).await?;
        let bulk = self.bulk().await?;
        bulk.insert::<entity::region::Entity>(reference::regions().map_err(broken)?).await?;
        bulk.insert::<entity::technique::Entity>(reference::techniques().map_err(broken)?).await?;
        let write = bulk.as_write(&access);
        let row = organization::ActiveModel {
            id: Set(id),
            slug: Set(new.slug),
            name: Set(new.name.trim().to_owned()),
            country: Set(new.country),
            kind: Set(new.kind),
            active_since: Set(None),
            version: Set(1),
            recorded_at: Set(access.now),
            published_at: Set(Some(access.now)),
            archived_at: Set(None),
        };
        row.insert(&write.tx).await.map_err(taken("slug"))?;
        write.finish_create("organization", id, false).await?;
        Ok(id)
    }
}

impl Access {
    /// An organisation that the viewer may see: published, or one's own.
    pub fn organization(&self, id: Uuid) -> Option<&Organization> {
        self.catalog.organizations.get(id).filter(|entry| self.sees_organization(entry))
    }

    pub fn organization_by_slug(&self, slug: &str) -> Option<&Organization> {
        self.catalog.organization_by_slug(slug).filter(|entry| self.sees_organization(entry))
    }

    /// Whether an agreement or a gift may name an organisation: one that the viewer sees, and that still is.
    pub(super) fn may_name(&self, organization: Uuid) -> bool {
        self.organization(organization).is_some_and(|entry| entry.row.archived_at.is_none())
    }

    pub fn organizations(
        &self,
        filter: &Filter,
        field: OrderField,
        direction: Direction,
        window: &Window,
    ) -> Page<&Organization> {
        let needle = filter.search.as_deref().map(search::needle);
        let rows = self.catalog.organizations.iter().filter(|entry| {
            self.sees_organization(entry)
                && entry.row.archived_at.is_none()
                && filter.kind.as_ref().is_none_or(|kinds| kinds.contains(&entry.row.kind))
                && filter.country.as_ref().is_none_or(|countries| countries.contains(&entry.row.country))
                && needle.as_ref().is_none_or(|needle| entry.folded.contains(needle))
        });
        page_in_memory(rows, |entry| Self::organization_place(entry, field), direction, window)
    }

    pub fn organization_place(entry: &Organization, field: OrderField) -> Place {
        let key = match field {
            OrderField::Name => Key::Text(search::needle(&entry.row.name)),
            OrderField::ActiveSince => entry.row.active_since.map_or(Key::Null, Key::Day),
        };
        Place { key, id: entry.row.id }
    }

    fn sees_organization(&self, entry: &Organization) -> bool {
        entry.row.published_at.is_some() || self.viewer.organization() == Some(entry.row.id)
    }

    /// Statements of an organisation; drafts and archived ones for its staff only.
    pub fn statements<'a>(
        &'a self,
        entry: &'a Organization,
        kind: Option<StatementKind>,
    ) -> impl Iterator<Item = &'a statement::Model> {
        let staff = self.viewer.reads_drafts_of(entry.row.id);
        entry.statements.iter().filter(move |row| {
            kind.is_none_or(|kind| row.kind == kind)
                && row.archived_at.is_none()
                && (staff || row.published_at.is_some())
        })
    }

    /// A statement that the viewer may see.
    pub fn statement(&self, id: Uuid) -> Option<&statement::Model> {
        self.catalog.organizations.iter().find_map(|entry| {
            let staff = self.viewer.reads_drafts_of(entry.row.id);
            entry.statements.iter().find(|row| {
                row.id == id
                    && self.sees_organization(entry)
                    && (staff || row.published_at.is_some() && row.archived_at.is_none())
            })
        })
    }

    /// Published claims; withheld ones for the organisation's staff only, since they would expose a few women.
    pub fn claims<'a>(&'a self, entry: &'a Organization) -> impl Iterator<Item = &'a entity::claim::Model> {
        let staff = self.viewer.reads_drafts_of(entry.row.id);
        entry.claims.iter().filter(move |row| {
            row.archived_at.is_none()
                && (staff || row.published_at.is_some() && row.status != ClaimStatus::Withheld)
        })
    }

    pub fn claim(&self, id: Uuid) -> Option<&entity::claim::Model> {
        let mut entries = self.catalog.organizations.iter().filter(|entry| self.sees_organization(entry));
        entries.find_map(|entry| self.claims(entry).find(|row| row.id == id))
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_statement(&self, input: CreateStatement) -> Written<Option<Uuid>> {
        self.require(Right::RegistryWrite)?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        let title = faults.localized(&input.title, &["title"], 200);
        let text = faults.localized(&input.text, &["text"], 10_000);
        faults.refuse()?;
        let row = statement::ActiveModel {
            organization_id: Set(self.own()?),
            id: Set(id),
            kind: Set(input.kind),
            position: Set(input.position),
            title: Set(title),
            text: Set(text),
            version: Set(1),
            recorded_at: Set(self.now),
            published_at: Set(None),
            archived_at: Set(None),
        };
        row.insert(&write.tx).await?;
        write.finish_create("statement", id, input.validate_only).await
    }

    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    pub async fn update_statement(&self, input: UpdateStatement) -> Written<()> {
        self.require(Right::RegistryWrite)?;
        let own = self.own()?;
        let Some(entry) = self.statement(input.at.id).filter(|row| row.organization_id == own) else {
            return Err(UserError::not_found(&["id"]).into());
        };
        input.at.check("id", entry.version, entry.archived_at)?;
        let mut faults = Faults::default();
        let mut row = statement::ActiveModel { version: Set(input.at.expected + 1), ..Default::default() };
        if let Some(position) = input.position {
            row.position = Set(position);
        }
        if let Some(title) = &input.title {
            row.title = Set(faults.localized(title, &["title"], 200));
        }
        if let Some(text) = &input.text {
            row.text = Set(faults.localized(text, &["text"], 10_000));
        }
        faults.refuse()?;
        let write = self.write().await?;
        let changed = statement::Entity::update_many()
            .set(row)
            .filter(statement::Column::OrganizationId.eq(own))
            .filter(statement::Column::Id.eq(input.at.id))
            .filter(statement::Column::Version.eq(input.at.expected))
            .exec(&write.tx)
            .await?;
        write.finish_update(changed.rows_affected, "statement", input.at, input.validate_only).await
    }
}
