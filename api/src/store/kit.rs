//! Kits and their versions.

use std::collections::HashSet;

use entity::{
    kit, kit_line, kit_version,
    value::{Localized, OutsideFace, Sensitivity},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use uuid::Uuid;

use super::{
    Access,
    catalog::{Face, Kit, KitVersion},
    input::{At, Faults, LocalizedInput, Message, Once, UserError, UserErrorCode, Written, or_default},
    item::check_code,
    keyset::{Direction, Key, Page, Place, Window, page_in_memory},
    write::{Seen, Write, next_quarter, taken},
};
use crate::{auth::Right, id};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateKit {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub code: String,
    pub name: LocalizedInput,
    pub valid_from: chrono::NaiveDate,
    #[serde(deserialize_with = "contents")]
    pub contents: Vec<(Uuid, i32)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateKitVersion {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(skip)]
    pub at: At,
    pub valid_from: chrono::NaiveDate,
    #[serde(deserialize_with = "contents")]
    pub contents: Vec<(Uuid, i32)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateKit {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub name: Option<LocalizedInput>,
}

/// A line of a kit version as a client sends it.
#[derive(Deserialize)]
struct LineInput {
    #[serde(deserialize_with = "id::single::<_, {id::ITEM}>")]
    item: Uuid,
    quantity: i32,
}

fn contents<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<(Uuid, i32)>, D::Error> {
    Ok(Vec::<LineInput>::deserialize(source)?.into_iter().map(|line| (line.item, line.quantity)).collect())
}

/// A kit as one viewer may see it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub entry: &'a Kit,
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

    /// Its versions; for outsiders without those that become public with the next quarter. Never empty.
    pub fn versions(self) -> &'a [KitVersion] {
        let known = self.face.older::<usize>("versions").unwrap_or(self.entry.versions.len());
        &self.entry.versions[..known.clamp(1, self.entry.versions.len())]
    }

    pub fn version_on(self, day: chrono::NaiveDate) -> &'a KitVersion {
        let versions = self.versions();
        versions.iter().rfind(|version| version.valid_from <= day).unwrap_or(&versions[0])
    }
}

impl Access {
    /// A kit that the viewer may see: published, or of one's own organisation.
    pub fn kit(&self, id: Uuid) -> Option<View<'_>> {
        self.kit_view(self.catalog.kits.get(id)?)
    }

    fn kit_view<'a>(&'a self, entry: &'a Kit) -> Option<View<'a>> {
        let outside = !self.viewer.reads_drafts_of(entry.row.organization_id);
        let face = if outside { entry.outside.on(self.today()) } else { Face::Current };
        let hidden = outside && (entry.row.published_at.is_none() || matches!(face, Face::Hidden));
        (!hidden).then_some(View { entry, face })
    }

    /// In the order of their codes.
    pub fn kits(&self, window: &Window) -> Page<View<'_>> {
        let rows = self.catalog.kits.iter().filter_map(|entry| self.kit_view(entry)).filter(|view| {
            let row = &view.entry.row;
            !self.is_archived(row.organization_id, row.archived_at, view.is_open())
        });
        page_in_memory(rows, |view| Self::kit_place(*view), Direction::Ascending, window)
    }

    pub fn kit_place(view: View<'_>) -> Place {
        Place { key: Key::Text(view.entry.row.code.clone()), id: view.entry.row.id }
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_kit(&self, input: CreateKit) -> Written<Option<Uuid>> {
        self.require(Right::RegistryWrite)?;
        let own = self.own()?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        check_code(&mut faults, &input.code);
        let name = faults.localized(&input.name, &["name"], 200);
        let sensitivity = self.check_contents(&mut faults, &input.contents);
        faults.refuse()?;
        let row = kit::ActiveModel {
            id: Set(id),
            organization_id: Set(own),
            code: Set(input.code),
            name: Set(name),
            sensitivity: Set(sensitivity),
            outside_from: Set(None),
            outside_face: Set(None),
            version: Set(1),
            recorded_at: Set(self.now),
            published_at: Set(None),
            archived_at: Set(None),
        };
        row.insert(&write.tx).await.map_err(taken("code"))?;
        insert_version(&write, id, 1, input.valid_from, &input.contents).await?;
        write.finish_create("kit", id, input.validate_only).await
    }

    /// A new version of a kit, valid from a day after that of the version before it.
    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    pub async fn create_kit_version(&self, input: CreateKitVersion) -> Written<Option<Uuid>> {
        self.require(Right::RegistryWrite)?;
        let own = self.own()?;
        let write = self.write().await?;
        if let Seen::Again(id) = write.once(&input.once, input.at.id).await? {
            return Ok(Some(id));
        }
        let Some(entry) = self.catalog.kits.get(input.at.id).filter(|entry| entry.row.organization_id == own)
        else {
            return Err(UserError::not_found(&["kit"]).into());
        };
        input.at.check("kit", entry.row.version, entry.row.archived_at)?;
        let mut faults = Faults::default();
        let last =
            entry.versions.last().map_or((0, None), |version| (version.number, Some(version.valid_from)));
        let later = last.1.is_none_or(|before| before < input.valid_from);
        faults.check(later, UserErrorCode::OutOfRange, &["validFrom"], NOT_LATER);
        let sensitivity = self.check_contents(&mut faults, &input.contents);
        faults.refuse()?;
        let mut row =
            if entry.row.sensitivity == Sensitivity::Sensitive || sensitivity == Sensitivity::Sensitive {
                new_face(entry, self.today())
            } else {
                <kit::ActiveModel as Default>::default()
            };
        row.version = Set(input.at.expected + 1);
        row.sensitivity =
            Set(if sensitivity == Sensitivity::Sensitive { sensitivity } else { entry.row.sensitivity });
        let changed = kit::Entity::update_many()
            .set(row)
            .filter(kit::Column::OrganizationId.eq(own))
            .filter(kit::Column::Id.eq(input.at.id))
            .filter(kit::Column::Version.eq(input.at.expected))
            .exec(&write.tx)
            .await?
            .rows_affected;
        if changed == 1 {
            insert_version(&write, input.at.id, last.0 + 1, input.valid_from, &input.contents).await?;
        }
        write.finish_update(changed, "kit", input.at, input.validate_only).await?;
        Ok(Some(input.at.id))
    }

    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    pub async fn update_kit(&self, input: UpdateKit) -> Written<()> {
        self.require(Right::RegistryWrite)?;
        let own = self.own()?;
        let Some(entry) = self.catalog.kits.get(input.at.id).filter(|entry| entry.row.organization_id == own)
        else {
            return Err(UserError::not_found(&["id"]).into());
        };
        input.at.check("id", entry.row.version, entry.row.archived_at)?;
        let mut faults = Faults::default();
        let mut row = if entry.row.sensitivity == Sensitivity::Sensitive {
            new_face(entry, self.today())
        } else {
            <kit::ActiveModel as Default>::default()
        };
        row.version = Set(input.at.expected + 1);
        if let Some(name) = &input.name {
            row.name = Set(faults.localized(name, &["name"], 200));
        }
        faults.refuse()?;
        let write = self.write().await?;
        let changed = kit::Entity::update_many()
            .set(row)
            .filter(kit::Column::OrganizationId.eq(own))
            .filter(kit::Column::Id.eq(input.at.id))
            .filter(kit::Column::Version.eq(input.at.expected))
            .exec(&write.tx)
            .await?
            .rows_affected;
        write.finish_update(changed, "kit", input.at, input.validate_only).await
    }

    /// Checks the contents of a version and says how sensitive they are.
    fn check_contents(&self, faults: &mut Faults, contents: &[(Uuid, i32)]) -> Sensitivity {
        faults.check(
            (1..=100).contains(&contents.len()),
            UserErrorCode::OutOfRange,
            &["contents"],
            BAD_CONTENTS,
        );
        let mut sensitivity = Sensitivity::General;
        let mut seen = HashSet::new();
        for (place, (id, quantity)) in contents.iter().enumerate() {
            let place = place.to_string();
            faults.check(seen.insert(*id), UserErrorCode::Duplicate, &["contents", &place, "item"], TWICE);
            match self.item(*id).filter(|view| view.entry.row.archived_at.is_none()) {
                Some(view) if view.entry.row.sensitivity == Sensitivity::Sensitive => {
                    sensitivity = Sensitivity::Sensitive;
                }
                Some(_) => {}
                None => faults.add(UserErrorCode::NotFound, &["contents", &place, "item"], NO_ITEM),
            }
            let fine = (1..=10_000).contains(quantity);
            faults.check(fine, UserErrorCode::OutOfRange, &["contents", &place, "quantity"], BAD_QUANTITY);
        }
        sensitivity
    }
}

/// Keeps what outsiders see of a sensitive kit until the next quarter.
pub(super) fn new_face(kit: &Kit, today: chrono::NaiveDate) -> kit::ActiveModel {
    let mut row = <kit::ActiveModel as Default>::default();
    if kit.row.published_at.is_some() && kit.row.outside_from.is_none_or(|from| from <= today) {
        row.outside_face = Set(Some(OutsideFace {
            name: kit.row.name.clone(),
            sensitivity: kit.row.sensitivity,
            rest: json!({ "versions": kit.versions.len() }),
        }));
        row.outside_from = Set(Some(next_quarter(today)));
    }
    row
}

#[expect(clippy::disallowed_methods, reason = "the kit was checked to be the viewer's own")]
async fn insert_version(
    write: &Write<'_>,
    kit: Uuid,
    number: i32,
    valid_from: chrono::NaiveDate,
    contents: &[(Uuid, i32)],
) -> Written<()> {
    let row = kit_version::ActiveModel { kit_id: Set(kit), number: Set(number), valid_from: Set(valid_from) };
    row.insert(&write.tx).await?;
    let lines = contents.iter().zip(1..).map(|((item, quantity), position)| kit_line::ActiveModel {
        kit_id: Set(kit),
        number: Set(number),
        position: Set(position),
        item_id: Set(*item),
        quantity: Set(*quantity),
    });
    kit_line::Entity::insert_many(lines).exec_without_returning(&write.tx).await?;
    Ok(())
}

const NOT_LATER: Message = Message {
    en: "A version must begin after the one before it.",
    es: "Una versión debe empezar después de la anterior.",
};
const BAD_CONTENTS: Message = Message {
    en: "A kit holds 1 to 100 different items.",
    es: "Un kit contiene de 1 a 100 artículos distintos.",
};
const TWICE: Message =
    Message { en: "The item is in the kit already.", es: "El artículo ya está en el kit." };
const NO_ITEM: Message = Message { en: "There is no such item.", es: "No existe ese artículo." };
pub(super) const BAD_QUANTITY: Message =
    Message { en: "The quantity is out of range.", es: "La cantidad está fuera de rango." };
