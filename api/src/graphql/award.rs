//! Grants of money and gifts in kind.

use super::{
    connection::{Names, from_memory},
    item, kit,
    mutation::{Done, Input, Subject},
    node::Node,
    organization::Organization,
    program::Program,
    render::{Object, Writer, Written},
    text::LocalizedText,
};
use crate::{
    id::Kind,
    store::{
        Access,
        award::{CreateAward, CreateGift, Filter, UpdateAward},
        catalog,
        gift::account::ConfirmGiftAccounted,
    },
};

pub struct Award<'a>(pub &'a catalog::Award);
pub struct Gift<'a>(pub &'a catalog::Gift);
struct GiftLine<'a>(&'a entity::gift_line::Model);
pub struct Money<'a> {
    pub minor: i64,
    pub currency: &'a str,
}

const NAMES: Names = Names { connection: "AwardConnection", edge: "AwardEdge" };
const GIFT_NAMES: Names = Names { connection: "GiftConnection", edge: "GiftEdge" };

/// `Query.awards`, the newest first.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let filter = node.argument::<Filter>("filter");
    from_memory(
        w,
        node,
        NAMES,
        "",
        |access, window| access.awards(&filter?.unwrap_or_default(), window),
        |row| Access::award_place(row),
        |w, node, row| w.object(node, &Award(row)),
    )
}

/// `Query.gifts`, the newest first.
pub fn gifts(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    from_memory(
        w,
        node,
        GIFT_NAMES,
        "",
        |access, window| access.gifts(window),
        |row| Access::gift_place(row),
        |w, node, row| w.object(node, &Gift(row)),
    )
}

impl Object for Award<'_> {
    fn type_name(&self) -> &str {
        "Award"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = &self.0.row;
        match node.name {
            "id" => w.id(Kind::Award, row.id),
            "organization" => organization(node, w, row.organization_id),
            "donor" => organization(node, w, row.donor_id),
            "title" => w.object(node, &LocalizedText(&row.title)),
            "amount" => w.object(node, &Money { minor: row.amount_minor, currency: &row.currency }),
            "awardedOn" => w.date(row.awarded_on),
            "startsOn" => w.date(row.starts_on),
            "endsOn" => w.optional_date(row.ends_on),
            "programs" => programs(node, w, &self.0.programs),
            "version" => w.int(row.version.into()),
            "published" => w.bool(row.published_at.is_some()),
            _ => w.absent(node),
        }
    }
}

impl Object for Gift<'_> {
    fn type_name(&self) -> &str {
        "Gift"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = &self.0.row;
        match node.name {
            "id" => w.id(Kind::Gift, row.id),
            "organization" => organization(node, w, row.organization_id),
            "donor" => organization(node, w, row.donor_id),
            "receivedOn" => w.date(row.received_on),
            "value" => match (row.value_minor, &row.currency) {
                (Some(minor), Some(currency)) => w.object(node, &Money { minor, currency }),
                _ => w.null(),
            },
            "programs" => programs(node, w, &self.0.programs),
            "lines" => w.list(node, &self.0.lines, |w, line| w.object(node, &GiftLine(line))),
            "version" => w.int(row.version.into()),
            "published" => w.bool(row.published_at.is_some()),
            _ => w.absent(node),
        }
    }
}

impl Object for GiftLine<'_> {
    fn type_name(&self) -> &str {
        "GiftLine"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "item" => item::of(node, w, self.0.item_id),
            "kit" => kit::of(node, w, self.0.kit_id),
            "kitVersion" => w.optional_int(self.0.kit_version.map(Into::into)),
            "quantity" => w.int(self.0.quantity.into()),
            _ => w.absent(node),
        }
    }
}

impl Object for Money<'_> {
    fn type_name(&self) -> &str {
        "Money"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "amount" => w.str(&self.minor.to_string()),
            "currency" => w.str(self.currency),
            _ => w.absent(node),
        }
    }
}

fn organization(node: &Node<'_>, w: &mut Writer<'_>, id: uuid::Uuid) -> Written {
    match w.access.catalog.organizations.get(id) {
        Some(entry) => w.object(node, &Organization(entry)),
        None => w.absent(node),
    }
}

fn programs(node: &Node<'_>, w: &mut Writer<'_>, ids: &[uuid::Uuid]) -> Written {
    let access = w.access;
    w.list(node, ids.iter().filter_map(|id| access.program(*id)), |w, view| w.object(node, &Program(view)))
}

/// The mutations of awards.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "createAward" => {
            let mut award: CreateAward = input.read()?;
            award.once = input.once(name)?;
            Ok(access.create_award(award).await?.map(Subject::Award))
        }
        "updateAward" => {
            let mut award: UpdateAward = input.read()?;
            award.at = input.at("id")?;
            access.update_award(award).await?;
            Ok(input.subject())
        }
        _ => input.publish_or_archive(access, name, Kind::Award).await,
    }
}

/// The mutations of gifts.
pub async fn mutate_gift(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "confirmGiftAccounted" => {
            let mut asked: ConfirmGiftAccounted = input.read()?;
            asked.once = input.once(name)?;
            Ok(access.confirm_gift_accounted(asked).await?.map(Subject::Gift))
        }
        "createGift" => {
            let mut gift: CreateGift = input.read()?;
            gift.once = input.once(name)?;
            Ok(access.create_gift(gift).await?.map(Subject::Gift))
        }
        _ => input.publish_or_archive(access, name, Kind::Gift).await,
    }
}
