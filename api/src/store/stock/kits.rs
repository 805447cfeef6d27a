//! Items become kits, and kits items again. What goes in and what comes out follows from the kit's version.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::{
    stock_lot, stock_lot_part, stock_movement,
    value::{StockMovementKind, StockSide, StockSource},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Goods, Head, NO_LOT,
    draw::{MOST, Wanted, pairs},
    ledger::{BELOW_ZERO, Entry, Held, Movement, Side},
    record::is_bulk,
};
use crate::{
    error::Result,
    id,
    store::{
        Access,
        input::{Faults, Message, UserError, UserErrorCode, Written},
        kit::BAD_QUANTITY,
        write::Write,
    },
};

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssembleKits {
    #[serde(flatten)]
    pub head: Head,
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_PLACE}>")]
    pub place: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::KIT}>")]
    pub kit: Uuid,
    #[serde(default)]
    pub kit_version: Option<i32>,
    pub quantity: i32,
    #[serde(default)]
    pub number: Option<String>,
    /// Lots to take items from; each item of the kit comes from one lot.
    #[serde(default, deserialize_with = "id::list::<_, {id::STOCK_LOT}>")]
    pub lots: Option<Vec<Uuid>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnpackKits {
    #[serde(flatten)]
    pub head: Head,
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_PLACE}>")]
    pub place: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_LOT}>")]
    pub lot: Uuid,
    pub quantity: i32,
}

impl Access {
    /// Puts kits together. They are a lot of their own, which expires with the first of its items; every item comes
    /// from one lot, so that a gift can be followed into the kits.
    ///
    /// # Errors
    /// User errors for what a client can mend.
    pub(super) async fn assemble_in(
        &self,
        write: &Write<'_>,
        id: Uuid,
        input: &AssembleKits,
    ) -> Written<stock_movement::Model> {
        let mut faults = Faults::default();
        self.check_head(&mut faults, &input.head);
        self.check_store(&mut faults, input.place, "place");
        faults.check(
            (1..=MOST).contains(&input.quantity),
            UserErrorCode::OutOfRange,
            &["quantity"],
            BAD_QUANTITY,
        );
        if let Some(number) = &input.number {
            faults.short_text(number, &["number"]);
        }
        let kit = self.kit(input.kit).filter(|view| view.entry.row.archived_at.is_none());
        faults.check(kit.is_some(), UserErrorCode::NotFound, &["kit"], NO_KIT);
        let version = kit.and_then(|view| match input.kit_version {
            Some(number) => view.entry.version(number),
            None => Some(view.entry.version_on(input.head.occurred_on)),
        });
        faults.check(
            kit.is_none() || version.is_some(),
            UserErrorCode::NotFound,
            &["kitVersion"],
            NO_VERSION,
        );
        faults.refuse()?;
        let Some(version) = version else { return Err(UserError::not_found(&["kit"]).into()) };
        let named = input.lots.as_deref().unwrap_or_default();
        let known = self.lots_in(write, named.iter().copied()).await?;
        let mut faults = Faults::default();
        for (place, lot) in named.iter().enumerate() {
            let item = known.get(lot).and_then(|lot| lot.item_id);
            let fits = item.is_some_and(|item| version.lines.iter().any(|line| line.item_id == item));
            faults.check(fits, UserErrorCode::NotFound, &["lots", &place.to_string()], NO_LOT);
        }
        faults.refuse()?;

        let kits = i64::from(input.quantity);
        let wanted: Vec<Wanted> = version
            .lines
            .iter()
            .enumerate()
            .map(|(line, inside)| Wanted {
                line,
                lot: None,
                goods: Some(Goods::Item(inside.item_id)),
                quantity: kits * i64::from(inside.quantity),
            })
            .collect();
        let mut lots = self.candidates(write, input.place, &wanted).await?;
        lots.extend(known);
        let made = self.new_id();
        let mut chosen = HashMap::new();
        let lot = stock_lot::Model {
            organization_id: self.own()?,
            id: made,
            item_id: None,
            kit_id: Some(input.kit),
            kit_version: Some(version.number),
            number: input.number.clone(),
            expires_on: None,
            source: StockSource::Assembled,
            donor_id: None,
            gift_id: None,
            award_id: None,
            unit_value_minor: None,
            currency: None,
            recorded_at: self.now,
        };
        // The lot must be there before it is held.
        lot.clone().into_active_model().reset_all().insert(&write.tx).await?;
        let touched = lots.keys().copied().chain([made]);
        let held = self.hold(write, pairs(&[input.place], touched)).await?;
        for line in &wanted {
            let lot = self
                .part_for(write, &held, (input.place, input.head.occurred_on), &lots, (line, named))
                .await?;
            chosen.insert(line.line, lot);
        }
        let expires_on = chosen.values().filter_map(|lot: &stock_lot::Model| lot.expires_on).min();
        self.complete_lot(write, made, expires_on, version, &chosen).await?;

        let open = is_bulk(self.is_general(Goods::of(&lot)), kits);
        let row = self.movement_of(id, StockMovementKind::Assembly, &input.head)?;
        let mut movement = Movement { row, entries: Vec::new(), field: "quantity" };
        let here = Side::Place(input.place);
        let converted = Side::Outside(StockSide::Converted);
        let entry = |lot, quantity| Entry { lot, side: here, quantity, open, people: None, line: None };
        for line in &wanted {
            if let Some(part) = chosen.get(&line.line) {
                movement.carry(here, converted, entry(part.id, line.quantity));
            }
        }
        movement.carry(converted, here, entry(made, kits));
        self.post(write, &held, std::slice::from_ref(&movement)).await?;
        Ok(movement.row)
    }

    /// The lot that one item of the kits comes from: a named one, or the first to expire that suffices.
    async fn part_for(
        &self,
        write: &Write<'_>,
        held: &Held,
        (place, day): (Uuid, NaiveDate),
        lots: &HashMap<Uuid, stock_lot::Model>,
        (line, named): (&Wanted, &[Uuid]),
    ) -> Written<stock_lot::Model> {
        let Some(goods) = line.goods else { return Err(UserError::not_found(&["kit"]).into()) };
        let mut fitting: Vec<&stock_lot::Model> = lots.values().filter(|lot| goods.are_in(lot)).collect();
        if let Some(lot) = fitting.iter().find(|lot| named.contains(&lot.id)) {
            return Ok((*lot).clone());
        }
        fitting.sort_by_key(|lot| (lot.expires_on.is_none(), lot.expires_on, lot.recorded_at, lot.id));
        let mut breaks = day;
        for lot in fitting.iter().filter(|lot| lot.expires_on.is_none_or(|last| day <= last)) {
            let closings = self.closings_from(write, held, (place, lot.id), day).await?;
            match closings.iter().find(|(_, closing)| *closing < line.quantity) {
                None => return Ok((*lot).clone()),
                Some((short, _)) => breaks = *short,
            }
        }
        let mut faults = Faults::default();
        faults.add_on(UserErrorCode::InsufficientStock, vec!["quantity".to_owned()], BELOW_ZERO, breaks);
        Err(match faults.refuse() {
            Err(refused) => refused,
            Ok(()) => UserError::not_found(&["kit"]).into(),
        })
    }

    /// The expiry and the parts of a lot of kits, known once its parts are chosen.
    #[expect(clippy::disallowed_methods, reason = "a lot that this transaction has just made")]
    async fn complete_lot(
        &self,
        write: &Write<'_>,
        lot: Uuid,
        expires_on: Option<NaiveDate>,
        version: &crate::store::catalog::KitVersion,
        chosen: &HashMap<usize, stock_lot::Model>,
    ) -> Written<()> {
        let own = self.own()?;
        let update = stock_lot::ActiveModel { expires_on: sea_orm::Set(expires_on), ..Default::default() };
        stock_lot::Entity::update_many()
            .set(update)
            .filter(stock_lot::Column::OrganizationId.eq(own))
            .filter(stock_lot::Column::Id.eq(lot))
            .exec(&write.tx)
            .await?;
        let mut parts: HashMap<Uuid, i32> = HashMap::new();
        for (line, inside) in version.lines.iter().enumerate() {
            if let Some(part) = chosen.get(&line) {
                *parts.entry(part.id).or_default() += inside.quantity;
            }
        }
        let rows = parts.into_iter().map(|(part_lot_id, quantity)| {
            let row = stock_lot_part::Model { organization_id: own, lot_id: lot, part_lot_id, quantity };
            row.into_active_model().reset_all()
        });
        stock_lot_part::Entity::insert_many(rows).exec_without_returning(&write.tx).await?;
        Ok(())
    }

    /// Takes kits apart. Items of kits that were put together here go back to the lots they came from; those of
    /// kits that came as kits become lots of their own, of the same origin and expiry.
    pub(super) async fn unpack_in(
        &self,
        write: &Write<'_>,
        id: Uuid,
        input: &UnpackKits,
    ) -> Written<stock_movement::Model> {
        let mut faults = Faults::default();
        self.check_head(&mut faults, &input.head);
        self.check_store(&mut faults, input.place, "place");
        faults.check(
            (1..=MOST).contains(&input.quantity),
            UserErrorCode::OutOfRange,
            &["quantity"],
            BAD_QUANTITY,
        );
        faults.refuse()?;
        let lot = self.lots_in(write, [input.lot]).await?.remove(&input.lot);
        let lot = lot.ok_or_else(|| UserError::new(UserErrorCode::NotFound, &["lot"], NO_LOT))?;
        let Some(kit) = lot.kit_id else {
            return Err(UserError::new(UserErrorCode::Invalid, &["lot"], NOT_KITS).into());
        };
        let mut parts = self.parts_of(write, lot.id).await?;
        if parts.is_empty() {
            parts = self.unpacked_lots(write, &lot, kit).await?;
        }
        let open = is_bulk(self.is_general(Goods::of(&lot)), input.quantity.into());
        let row = self.movement_of(id, StockMovementKind::Unpacking, &input.head)?;
        let mut movement = Movement { row, entries: Vec::new(), field: "quantity" };
        let here = Side::Place(input.place);
        let converted = Side::Outside(StockSide::Converted);
        let entry = |lot, quantity| Entry { lot, side: here, quantity, open, people: None, line: None };
        movement.carry(here, converted, entry(lot.id, input.quantity.into()));
        for (part, inside) in parts {
            movement.carry(converted, here, entry(part, i64::from(input.quantity) * i64::from(inside)));
        }
        let held = self.hold(write, movement.pairs().collect()).await?;
        self.post(write, &held, std::slice::from_ref(&movement)).await?;
        Ok(movement.row)
    }

    #[expect(clippy::disallowed_methods, reason = "begins from the viewer's own organisation")]
    async fn parts_of(&self, write: &Write<'_>, lot: Uuid) -> Result<Vec<(Uuid, i32)>> {
        let parts = stock_lot_part::Entity::find()
            .filter(stock_lot_part::Column::OrganizationId.eq(self.own()?))
            .filter(stock_lot_part::Column::LotId.eq(lot))
            .all(&write.tx)
            .await?;
        Ok(parts.into_iter().map(|part| (part.part_lot_id, part.quantity)).collect())
    }

    /// New lots for the items of kits that came as kits.
    async fn unpacked_lots(
        &self,
        write: &Write<'_>,
        lot: &stock_lot::Model,
        kit: Uuid,
    ) -> Written<Vec<(Uuid, i32)>> {
        let kit = self.catalog.kits.get(kit);
        let version = kit.zip(lot.kit_version).and_then(|(kit, number)| kit.version(number));
        let mut parts = Vec::new();
        for inside in version.into_iter().flat_map(|version| &version.lines) {
            let part = stock_lot::Model {
                id: self.new_id(),
                item_id: Some(inside.item_id),
                kit_id: None,
                kit_version: None,
                // The value is the kit's, and not divided.
                unit_value_minor: None,
                currency: None,
                recorded_at: self.now,
                ..lot.clone()
            };
            parts.push((part.id, inside.quantity));
            part.into_active_model().reset_all().insert(&write.tx).await?;
        }
        Ok(parts)
    }
}

const NO_KIT: Message = Message { en: "There is no such kit.", es: "No existe ese kit." };
const NO_VERSION: Message =
    Message { en: "The kit has no such version.", es: "El kit no tiene esa versión." };
const NOT_KITS: Message = Message { en: "This lot holds no kits.", es: "Ese lote no es de kits." };
