//! Kits and their versions.

use uuid::Uuid;

use super::{
    connection::{Names, from_memory},
    item::Item,
    mutation::{Done, Input, Subject},
    node::Node,
    organization::Organization,
    render::{Object, Writer, Written},
    text::LocalizedText,
};
use crate::{
    id::Kind,
    store::{
        Access, catalog,
        kit::{CreateKit, CreateKitVersion, UpdateKit, View},
    },
};

pub struct Kit<'a>(pub View<'a>);
struct KitVersion<'a>(&'a catalog::KitVersion);
struct KitLine<'a>(&'a entity::kit_line::Model);

/// The kit of a field, in memory; null when there is none.
pub fn of(node: &Node<'_>, w: &mut Writer<'_>, id: Option<Uuid>) -> Written {
    let access = w.access;
    let kit = id.and_then(|id| access.kit(id)).map(Kit);
    w.optional(node, kit.as_ref().map(|kit| kit as &dyn Object))
}

const NAMES: Names = Names { connection: "KitConnection", edge: "KitEdge" };

/// `Query.kits`.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    from_memory(
        w,
        node,
        NAMES,
        "",
        |access, window| Ok(access.kits(window)),
        |view| Access::kit_place(*view),
        |w, node, view| w.object(node, &Kit(*view)),
    )
}

impl Object for Kit<'_> {
    fn type_name(&self) -> &str {
        "Kit"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = &self.0.entry.row;
        match node.name {
            "id" => w.id(Kind::Kit, row.id),
            "code" => w.str(&row.code),
            "name" => w.object(node, &LocalizedText(self.0.name())),
            "sensitivity" => w.word(&self.0.sensitivity()),
            "currentVersion" => w.object(node, &KitVersion(self.0.version_on(w.access.today()))),
            "versions" => w.list(node, self.0.versions(), |w, version| w.object(node, &KitVersion(version))),
            "organization" => match w.access.catalog.organizations.get(row.organization_id) {
                Some(entry) => w.object(node, &Organization(entry)),
                None => w.absent(node),
            },
            "version" => w.version(row.organization_id, row.version),
            "published" => w.bool(row.published_at.is_some()),
            "archived" => {
                w.bool(w.access.is_archived(row.organization_id, row.archived_at, self.0.is_open()))
            }
            _ => w.absent(node),
        }
    }
}

impl Object for KitVersion<'_> {
    fn type_name(&self) -> &str {
        "KitVersion"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "number" => w.int(self.0.number.into()),
            "validFrom" => w.date(self.0.valid_from),
            "contents" => {
                let access = w.access;
                // An item that this viewer may not see is not there.
                let lines = self.0.lines.iter().filter(|line| access.item(line.item_id).is_some());
                w.list(node, lines, |w, line| w.object(node, &KitLine(line)))
            }
            _ => w.absent(node),
        }
    }
}

impl Object for KitLine<'_> {
    fn type_name(&self) -> &str {
        "KitLine"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "item" => {
                let item = w.access.item(self.0.item_id).map(Item);
                w.optional(node, item.as_ref().map(|item| item as &dyn Object))
            }
            "quantity" => w.int(self.0.quantity.into()),
            _ => w.absent(node),
        }
    }
}

/// The mutations of kits.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "createKit" => {
            let mut kit: CreateKit = input.read()?;
            kit.once = input.once(name)?;
            Ok(access.create_kit(kit).await?.map(Subject::Kit))
        }
        "createKitVersion" => {
            let mut version: CreateKitVersion = input.read()?;
            version.once = input.once(name)?;
            version.at = input.at("kit")?;
            Ok(access.create_kit_version(version).await?.map(Subject::Kit))
        }
        "updateKit" => {
            let mut kit: UpdateKit = input.read()?;
            kit.at = input.at("id")?;
            access.update_kit(kit).await?;
            Ok(input.subject())
        }
        _ => input.publish_or_archive(access, name, Kind::Kit).await,
    }
}
