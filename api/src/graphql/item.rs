//! Items.

use uuid::Uuid;

use super::{
    connection::{Names, from_memory, order},
    mutation::{Done, Input, Subject},
    node::Node,
    organization::Organization,
    render::{Object, Writer, Written},
    text::LocalizedText,
};
use crate::{
    id::Kind,
    store::{
        Access,
        item::{CreateItem, Filter, OrderField, UpdateItem, View},
        keyset::Direction,
    },
};

pub struct Item<'a>(pub View<'a>);

/// The item of a field, in memory; null when there is none.
pub fn of(node: &Node<'_>, w: &mut Writer<'_>, id: Option<Uuid>) -> Written {
    let access = w.access;
    let item = id.and_then(|id| access.item(id)).map(Item);
    w.optional(node, item.as_ref().map(|item| item as &dyn Object))
}

const NAMES: Names = Names { connection: "ItemConnection", edge: "ItemEdge" };

/// `Query.items`.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let (field, direction) = match order(node, OrderField::Code, Direction::Ascending) {
        Ok(asked) => asked,
        Err(error) => return w.fail(node, error),
    };
    let filter = node.argument::<Filter>("filter");
    from_memory(
        w,
        node,
        NAMES,
        "",
        |access, window| Ok(access.items(&filter?.unwrap_or_default(), field, direction, window)),
        |view| Access::item_place(*view, field),
        |w, node, view| w.object(node, &Item(*view)),
    )
}

impl Object for Item<'_> {
    fn type_name(&self) -> &str {
        "Item"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = &self.0.entry.row;
        match node.name {
            "id" => w.id(Kind::Item, row.id),
            "code" => w.str(&row.code),
            "name" => w.object(node, &LocalizedText(self.0.name())),
            "unit" => w.str(&self.0.unit()),
            "sensitivity" => w.word(&self.0.sensitivity()),
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

/// The mutations of items.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "createItem" => {
            let mut item: CreateItem = input.read()?;
            item.once = input.once(name)?;
            Ok(access.create_item(item).await?.map(Subject::Item))
        }
        "updateItem" => {
            let mut item: UpdateItem = input.read()?;
            item.at = input.at("id")?;
            access.update_item(item).await?;
            Ok(input.subject())
        }
        _ => input.publish_or_archive(access, name, Kind::Item).await,
    }
}
