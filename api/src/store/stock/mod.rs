//! The stock ledger: what came in, where it lies, and what became of it.
//!
//! Every change goes through [`ledger`]; what is on hand is kept by day and never below zero on any of them.
//! All of it is for staff of the owning organisation: a hidden delivery would show as the gap between two
//! balances (DISCLOSURE section 5).

pub mod action;
pub mod count;
pub mod cover;
pub(in crate::store) mod deliver;
pub mod draw;
pub mod kits;
pub(in crate::store) mod ledger;
mod on_the_way;
pub mod read;
pub mod record;
pub mod reference;
pub mod reverse;
pub(in crate::store) mod ship;
pub mod sync;
pub mod transfer;

use chrono::NaiveDate;
use entity::{
    stock_lot, stock_movement,
    value::{Sensitivity, StockMovementKind, StockPlaceKind},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Access,
    catalog::Catalog,
    input::{FUTURE, Faults, Message, UserErrorCode, Written, or_default},
    write::Write,
};
use crate::{
    error::{Error, Result},
    id,
};

/// What the input of every movement says.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    /// In the field; may be long ago, when a paper form comes late.
    pub occurred_on: NaiveDate,
    #[serde(default)]
    pub form_number: Option<String>,
    #[serde(default)]
    pub note: Option<String>,
}

/// Some of a lot.
#[derive(Clone, Debug, Deserialize)]
pub struct LotQuantity {
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_LOT}>")]
    pub lot: Uuid,
    pub quantity: i32,
}

/// An item, or a kit of a version or of any.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(in crate::store) enum Goods {
    Item(Uuid),
    Kit(Uuid, Option<i32>),
}

impl Goods {
    /// What a row says in its columns for goods, of which the database lets one of item and kit be set.
    pub(in crate::store) fn new(item: Option<Uuid>, kit: Option<Uuid>, version: Option<i32>) -> Self {
        match item {
            Some(item) => Self::Item(item),
            None => Self::Kit(kit.unwrap_or_default(), version),
        }
    }

    pub(in crate::store) fn of(lot: &stock_lot::Model) -> Self {
        Self::new(lot.item_id, lot.kit_id, lot.kit_version)
    }

    pub(in crate::store) fn are_in(self, lot: &stock_lot::Model) -> bool {
        match self {
            Self::Item(item) => lot.item_id == Some(item),
            Self::Kit(kit, version) => {
                lot.kit_id == Some(kit) && (version.is_none() || version == lot.kit_version)
            }
        }
    }
}

impl Catalog {
    /// What goods come to in items, and how many of each: an item is itself, a kit what its version holds.
    pub(in crate::store) fn contents(&self, goods: Goods) -> Vec<(Uuid, i64)> {
        let (kit, version) = match goods {
            Goods::Item(item) => return vec![(item, 1)],
            Goods::Kit(kit, version) => (kit, version),
        };
        let version = self.kits.get(kit).and_then(|kit| kit.version(version?));
        let lines = version.map_or(&[][..], |version| &version.lines);
        lines.iter().map(|line| (line.item_id, line.quantity.into())).collect()
    }
}

impl Access {
    /// A place of the viewer's organisation. Members that are cut to facilities see the stores of these.
    pub fn stock_place(&self, id: Uuid) -> Option<&entity::stock_place::Model> {
        self.catalog.stock_places.get(id).filter(|place| self.sees_stock_place(place))
    }

    pub(super) fn sees_stock_place(&self, place: &entity::stock_place::Model) -> bool {
        let inside = |facility| self.viewer.facilities().is_none_or(|cut| cut.contains(&facility));
        self.reads_stock_of(place.organization_id)
            && place.facility_id.map_or(self.viewer.facilities().is_none(), inside)
            && !self.hides_place(place)
    }

    /// Whether a place is the store of a facility that is hidden from the viewer.
    pub(super) fn hides_place(&self, place: &entity::stock_place::Model) -> bool {
        place.facility_id.is_some_and(|facility| self.hides(facility))
    }

    /// The other side of a movement that the viewer sees, also where the viewer's own places do not reach.
    pub fn other_side(&self, place: Uuid) -> Option<&entity::stock_place::Model> {
        self.catalog.stock_places.get(place).filter(|place| !self.hides_place(place))
    }

    /// Checks what every movement says: a day that is not in the future, and texts of bounded length.
    pub(in crate::store) fn check_head(&self, faults: &mut Faults, head: &Head) {
        faults.check(head.occurred_on <= self.today(), UserErrorCode::OutOfRange, &["occurredOn"], FUTURE);
        if let Some(number) = &head.form_number {
            faults.text(number, &["formNumber"], 100);
        }
        if let Some(note) = &head.note {
            faults.text(note, &["note"], 500);
        }
    }

    /// A place that goods can move to or from.
    pub(in crate::store) fn check_stock_place(
        &self,
        faults: &mut Faults,
        id: Uuid,
        field: &'static str,
    ) -> Option<&entity::stock_place::Model> {
        let place = self.stock_place(id).filter(|place| place.archived_at.is_none());
        faults.check(place.is_some(), UserErrorCode::NotFound, &[field], NO_PLACE);
        place
    }

    /// As [`Access::check_stock_place`], for goods that stay there: in transit is only what a transfer has sent.
    pub(in crate::store) fn check_store(
        &self,
        faults: &mut Faults,
        id: Uuid,
        field: &'static str,
    ) -> Option<&entity::stock_place::Model> {
        let place = self.check_stock_place(faults, id, field)?;
        let stays = place.kind != StockPlaceKind::InTransit;
        faults.check(stays, UserErrorCode::Invalid, &[field], ON_THE_WAY);
        Some(place)
    }

    /// Whether goods say nothing of one woman: the item, or the kit and all it holds, is general.
    pub(in crate::store) fn is_general(&self, goods: Goods) -> bool {
        let item_is =
            |id| self.catalog.items.get(id).is_some_and(|item| item.row.sensitivity == Sensitivity::General);
        match goods {
            Goods::Item(id) => item_is(id),
            Goods::Kit(id, version) => self.catalog.kits.get(id).is_some_and(|kit| {
                let mut versions =
                    kit.versions.iter().filter(|one| version.is_none_or(|number| number == one.number));
                kit.row.sensitivity == Sensitivity::General
                    && versions.all(|version| version.lines.iter().all(|line| item_is(line.item_id)))
            }),
        }
    }

    /// A movement as its row, for the viewer to record now.
    pub(in crate::store) fn new_movement(
        &self,
        id: Uuid,
        kind: StockMovementKind,
        occurred_on: NaiveDate,
    ) -> Result<stock_movement::Model> {
        Ok(stock_movement::Model {
            organization_id: self.own()?,
            id,
            kind,
            occurred_on,
            recorded_at: self.now,
            reason: None,
            note: None,
            reverses_id: None,
            follows_id: None,
            to_place_id: None,
            distribution_id: None,
            form_number: None,
            recorded_by: self.viewer.account(),
            counted: None,
        })
    }

    fn movement_of(&self, id: Uuid, kind: StockMovementKind, head: &Head) -> Result<stock_movement::Model> {
        let row = self.new_movement(id, kind, head.occurred_on)?;
        Ok(stock_movement::Model { note: head.note.clone(), form_number: head.form_number.clone(), ..row })
    }

    /// A movement that another one follows or undoes, taken for this transaction.
    async fn movement_to_follow(
        &self,
        write: &Write<'_>,
        id: Uuid,
        field: &'static str,
    ) -> Written<stock_movement::Model> {
        let own = self.own()?;
        let row = self
            .select::<stock_movement::Entity>()
            .filter(stock_movement::Column::OrganizationId.eq(own))
            .filter(stock_movement::Column::Id.eq(id))
            .lock_exclusive()
            .one(&write.tx)
            .await?;
        row.ok_or_else(|| super::input::UserError::new(UserErrorCode::NotFound, &[field], NO_MOVEMENT).into())
    }

    /// The entries of a movement and of those that follow it, reversed ones included: their sums are what is left.
    #[expect(clippy::disallowed_methods, reason = "entries of a movement that the viewer has been shown")]
    async fn entries_of(
        &self,
        write: &Write<'_>,
        movements: impl IntoIterator<Item = Uuid>,
    ) -> Result<Vec<entity::stock_entry::Model>> {
        use entity::stock_entry::Column;
        Ok(entity::stock_entry::Entity::find()
            .filter(Column::OrganizationId.eq(self.own()?))
            .filter(super::distribution::among(Column::MovementId, movements))
            .all(&write.tx)
            .await?)
    }

    /// What follows a movement and is not undone.
    #[expect(clippy::disallowed_methods, reason = "followers of a movement that the viewer has been shown")]
    async fn followers(&self, write: &Write<'_>, of: Uuid) -> Result<Vec<Uuid>> {
        use stock_movement::Column::{FollowsId, OrganizationId};
        let rows = stock_movement::Entity::find()
            .filter(OrganizationId.eq(self.own()?))
            .filter(FollowsId.eq(of))
            .all(&write.tx)
            .await?;
        let undone: Vec<Uuid> = rows.iter().filter_map(|row| row.reverses_id).collect();
        Ok(rows
            .iter()
            .filter(|row| row.reverses_id.is_none() && !undone.contains(&row.id))
            .map(|row| row.id)
            .collect())
    }
}

/// The one item or kit of an input, without its checks.
pub(in crate::store) fn goods_of(
    supplied: super::distribution::Supplied,
    version: Option<i32>,
) -> Result<Goods> {
    match (supplied.item, supplied.kit) {
        (Some(item), None) => Ok(Goods::Item(item)),
        (None, Some(kit)) => Ok(Goods::Kit(kit, version)),
        _ => Err(Error::invalid("Give an item or a kit, exactly one.")),
    }
}

pub(in crate::store) const NO_PLACE: Message =
    Message { en: "There is no such place of stock.", es: "No existe ese lugar de existencias." };
const ON_THE_WAY: Message = Message {
    en: "This is for what is in transit. Name a warehouse or a facility's store.",
    es: "Es para lo que está en tránsito. Indique una bodega o el depósito de un centro.",
};
const NO_MOVEMENT: Message =
    Message { en: "There is no such stock movement.", es: "No existe ese movimiento de inventario." };
pub(in crate::store) const BAD_LINES: Message =
    Message { en: "Give 1 to 100 lines.", es: "Indique de 1 a 100 renglones." };
pub(in crate::store) const NO_LOT: Message =
    Message { en: "There is no such lot.", es: "No existe ese lote." };
const SAME_LOT: Message =
    Message { en: "The same lot is on two lines.", es: "El mismo lote aparece en dos renglones." };
pub(in crate::store) const BAD_REASON: Message = Message {
    en: "This reason does not fit this kind of movement.",
    es: "Ese motivo no corresponde a este tipo de movimiento.",
};
const NOT_YOURS: Message =
    Message { en: "Your role does not record this.", es: "Su función no registra esto." };
const FOR_DELIVERY: Message = Message {
    en: "This belongs to a delivery. Correct or void the delivery.",
    es: "Pertenece a una entrega. Corrija o anule la entrega.",
};
const UNDONE: Message =
    Message { en: "This movement has been reversed.", es: "Este movimiento ya fue revertido." };
