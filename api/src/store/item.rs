//! Items.

use entity::{
    item, kit,
    value::{Localized, OutsideFace, Sensitivity},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::Deserialize;
use serde_json::json;
use std::borrow::Cow;
use uuid::Uuid;

use super::{
    Access,
    catalog::{Face, Item, Kit},
    input::{At, Faults, LocalizedInput, Message, Once, UserError, UserErrorCode, Written, or_default},
    keyset::{Direction, Key, Page, Place, Window, page_in_memory},
    search,
    write::{Seen, Trace, Write, next_quarter, taken},
};
use crate::{auth::Right, id};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    #[serde(deserialize_with = "id::list::<_, {id::ORGANIZATION}>")]
    pub organization: Option<Vec<Uuid>>,
    pub sensitivity: Option<Vec<Sensitivity>>,
    pub search: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderField {
    Code,
    Name,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateItem {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub code: String,
    pub name: LocalizedInput,
    pub unit: String,
    pub sensitivity: Sensitivity,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateItem {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub name: Option<LocalizedInput>,
    pub unit: Option<String>,
    pub sensitivity: Option<Sensitivity>,
}

/// An item as one viewer may see it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub entry: &'a Item,
    face: Face<'a>,
}

impl<'a> View<'a> {
    /// Whether others learn at once what becomes of it: it is general, and has been for as long as they know it.
    pub fn is_open(self) -> bool {
        self.entry.row.sensitivity == Sensitivity::General && matches!(self.face, Face::Current)
    }

    pub fn name(self) -> &'a Localized {
        self.face.name(&self.entry.row.name)
    }

    pub fn sensitivity(self) -> Sensitivity {
        self.face.sensitivity(self.entry.row.sensitivity)
    }

    pub fn unit(self) -> Cow<'a, str> {
        self.face.older("unit").map_or(Cow::Borrowed(self.entry.row.unit.as_str()), Cow::Owned)
    }

    fn folded(self) -> Cow<'a, str> {
        match self.face {
            Face::Older(face) => Cow::Owned(search::fold_localized(&face.name, &[&self.entry.row.code])),
            _ => Cow::Borrowed(&self.entry.folded),
        }
    }
}

impl Access {
    /// An item that the viewer may see: published, or of one's own organisation.
    pub fn item(&self, id: Uuid) -> Option<View<'_>> {
        self.item_view(self.catalog.items.get(id)?)
    }

    fn item_view<'a>(&'a self, entry: &'a Item) -> Option<View<'a>> {
        let outside = !self.viewer.reads_drafts_of(entry.row.organization_id);
        let face = if outside { entry.outside.on(self.today()) } else { Face::Current };
        let hidden = outside && (entry.row.published_at.is_none() || matches!(face, Face::Hidden));
        (!hidden).then_some(View { entry, face })
    }

    pub fn items(
        &self,
        filter: &Filter,
        field: OrderField,
        direction: Direction,
        window: &Window,
    ) -> Page<View<'_>> {
        let needle = filter.search.as_deref().map(search::needle);
        let rows = self.catalog.items.iter().filter_map(|entry| self.item_view(entry)).filter(|view| {
            let row = &view.entry.row;
            !self.is_archived(row.organization_id, row.archived_at, view.is_open())
                && filter
                    .organization
                    .as_ref()
                    .is_none_or(|ids| ids.contains(&view.entry.row.organization_id))
                && filter.sensitivity.as_ref().is_none_or(|wanted| wanted.contains(&view.sensitivity()))
                && needle.as_ref().is_none_or(|needle| view.folded().contains(needle.as_str()))
        });
        page_in_memory(rows, |view| Self::item_place(*view, field), direction, window)
    }

    pub fn item_place(view: View<'_>, field: OrderField) -> Place {
        let key = match field {
            OrderField::Code => view.entry.row.code.clone(),
            OrderField::Name => {
                let name = view.name();
                search::needle(name.text(&name.original))
            }
        };
        Place { key: Key::Text(key), id: view.entry.row.id }
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_item(&self, input: CreateItem) -> Written<Option<Uuid>> {
        self.require(Right::RegistryWrite)?;
        let own = self.own()?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        check_code(&mut faults, &input.code);
        faults.short_text(&input.unit, &["unit"]);
        let name = faults.localized(&input.name, &["name"], 200);
        faults.refuse()?;
        let row = item::ActiveModel {
            id: Set(id),
            organization_id: Set(own),
            code: Set(input.code),
            name: Set(name),
            unit: Set(input.unit),
            sensitivity: Set(input.sensitivity),
            outside_from: Set(None),
            outside_face: Set(None),
            version: Set(1),
            recorded_at: Set(self.now),
            published_at: Set(None),
            archived_at: Set(None),
        };
        row.insert(&write.tx).await.map_err(taken("code"))?;
        write.finish_create("item", id, input.validate_only).await
    }

    /// A sensitivity that changes counts for deliveries recorded from then on, and for every kit that holds it, also of
    /// another organisation: such a kit gets a new version, and its change a trace where its owner looks.
    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    pub async fn update_item(&self, input: UpdateItem) -> Written<()> {
        self.require(Right::RegistryWrite)?;
        let own = self.own()?;
        let Some(entry) =
            self.catalog.items.get(input.at.id).filter(|entry| entry.row.organization_id == own)
        else {
            return Err(UserError::not_found(&["id"]).into());
        };
        input.at.check("id", entry.row.version, entry.row.archived_at)?;
        let mut faults = Faults::default();
        let mut row = item::ActiveModel { version: Set(input.at.expected + 1), ..Default::default() };
        if let Some(name) = &input.name {
            row.name = Set(faults.localized(name, &["name"], 200));
        }
        if let Some(unit) = input.unit {
            faults.short_text(&unit, &["unit"]);
            row.unit = Set(unit);
        }
        faults.refuse()?;
        let today = self.today();
        let after = input.sensitivity.unwrap_or(entry.row.sensitivity);
        row.sensitivity = Set(after);
        let touches_sensitive =
            entry.row.sensitivity == Sensitivity::Sensitive || after == Sensitivity::Sensitive;
        let shown =
            entry.row.published_at.is_some() && entry.row.outside_from.is_none_or(|from| from <= today);
        if touches_sensitive && shown {
            row.outside_face = Set(Some(OutsideFace {
                name: entry.row.name.clone(),
                sensitivity: entry.row.sensitivity,
                rest: json!({ "unit": entry.row.unit }),
            }));
            row.outside_from = Set(Some(next_quarter(today)));
        }
        let write = self.write().await?;
        let changed = item::Entity::update_many()
            .set(row)
            .filter(item::Column::OrganizationId.eq(own))
            .filter(item::Column::Id.eq(input.at.id))
            .filter(item::Column::Version.eq(input.at.expected))
            .exec(&write.tx)
            .await?
            .rows_affected;
        if changed == 1 && after == Sensitivity::Sensitive && entry.row.sensitivity == Sensitivity::General {
            for kit in self.catalog.kits.iter().filter(|kit| {
                kit.row.sensitivity == Sensitivity::General
                    && kit
                        .versions
                        .iter()
                        .any(|version| version.lines.iter().any(|line| line.item_id == input.at.id))
            }) {
                self.kit_becomes_sensitive(&write, kit, input.at.id).await?;
            }
        }
        write.finish_update(changed, "item", input.at, input.validate_only).await
    }

    #[expect(clippy::disallowed_methods, reason = "the kit holds an item of the viewer's organisation")]
    async fn kit_becomes_sensitive(&self, write: &Write<'_>, kit: &Kit, item: Uuid) -> Written<()> {
        let version = kit.row.version + 1;
        let mut row = super::kit::new_face(kit, self.today());
        row.sensitivity = Set(Sensitivity::Sensitive);
        row.version = Set(version);
        kit::Entity::update_many().set(row).filter(kit::Column::Id.eq(kit.row.id)).exec(&write.tx).await?;
        let detail = json!({ "sensitivity": "SENSITIVE", "becauseOf": { "item": item, "of": self.own()? } });
        let trace = Trace { action: "UPDATE", entity: "kit", detail };
        write.trace(kit.row.organization_id, trace, kit.row.id, Some(version)).await?;
        Ok(())
    }
}

pub(super) fn check_code(faults: &mut Faults, code: &str) {
    let fine = (1..=40).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    faults.check(fine, UserErrorCode::Invalid, &["code"], BAD_CODE);
}

const BAD_CODE: Message = Message {
    en: "Use 1 to 40 letters, digits, hyphens and underscores.",
    es: "Use de 1 a 40 letras, dígitos, guiones y guiones bajos.",
};
