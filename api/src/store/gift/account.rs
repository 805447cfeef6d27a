//! A steward's word that sensitive goods of a gift are fully accounted for.
//!
//! Donors of sensitive goods are shown no trace of them. What they get is a signed statement with the gift and the
//! last day of a quarter, and nothing else: the day of the word itself could be that of the last delivery.

use std::collections::{BTreeMap, BTreeSet};

use entity::{gift_account, stock_balance, stock_entry, stock_lot, stock_lot_part, value::StockSide};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, Set};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Quarter;
use crate::{
    auth::Right,
    id::{self, Kind},
    store::{
        Access,
        catalog::Gift,
        distribution::among,
        input::{Message, Once, UserError, UserErrorCode, Written, or_default},
        stock::Goods,
        write::{Seen, Write, taken},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmGiftAccounted {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::GIFT}>")]
    pub gift: Uuid,
}

impl Access {
    /// Signs that no sensitive goods of a gift are on hand or in transit. Its donor reads it when the quarter is over.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors when there are no sensitive goods in the gift, when not all of
    /// them came in, when some are left, and when it has been said before.
    pub async fn confirm_gift_accounted(&self, input: ConfirmGiftAccounted) -> Written<Option<Uuid>> {
        self.require(Right::GiftAccount)?;
        let own = self.own()?;
        let write = self.write_operations().await?;
        if let Seen::Again(id) = write.once(&input.once, input.gift).await? {
            return Ok(Some(id));
        }
        let gift = self.gift(input.gift).filter(|gift| gift.row.organization_id == own);
        let Some(gift) = gift else { return Err(UserError::not_found(&["gift"]).into()) };
        let refuse = |message| UserError::new(UserErrorCode::Invalid, &["gift"], message);
        let given = self.sensitive_lines(gift);
        if given.is_empty() {
            return Err(refuse(NOTHING_SENSITIVE).into());
        }
        let lots = self.sensitive_lots(&write, input.gift).await?;
        let came = self.came_in(&write, &lots).await?;
        if given.iter().any(|(goods, quantity)| came.get(goods).copied().unwrap_or(0) < *quantity) {
            return Err(refuse(NOT_ALL_CAME).into());
        }
        if self.any_left(&write, &lots).await? {
            return Err(refuse(SOME_LEFT).into());
        }
        let quarter = Quarter::of(self.today());
        let statement = json!({ "gift": id::text(Kind::Gift, input.gift), "on": quarter.0 });
        let row = gift_account::ActiveModel {
            organization_id: Set(own),
            gift_id: Set(input.gift),
            accounted_on: Set(quarter.0),
            signature: Set(self.store.sign(&statement)?),
            recorded_at: Set(self.now),
            recorded_by: Set(self.viewer.account()),
        };
        row.insert(&write.tx).await.map_err(taken("gift"))?;
        if input.validate_only {
            write.discard().await?;
            return Ok(None);
        }
        write.audit("ACCOUNT", "gift", input.gift, None, Value::Null).await?;
        write.commit().await?;
        Ok(Some(input.gift))
    }

    /// The sensitive goods of a gift, and how many of each were given.
    fn sensitive_lines(&self, gift: &Gift) -> BTreeMap<(Option<Uuid>, Option<Uuid>), i64> {
        let mut given = BTreeMap::new();
        for line in &gift.lines {
            let goods = line.item_id.map(Goods::Item);
            let goods = goods.or(line.kit_id.map(|kit| Goods::Kit(kit, line.kit_version)));
            if goods.is_some_and(|goods| !self.is_general(goods)) {
                *given.entry((line.item_id, line.kit_id)).or_default() += i64::from(line.quantity);
            }
        }
        given
    }

    #[expect(clippy::disallowed_methods, reason = "lots of a gift that the viewer has been shown")]
    async fn sensitive_lots(&self, write: &Write<'_>, gift: Uuid) -> Written<Vec<stock_lot::Model>> {
        let mut lots = stock_lot::Entity::find()
            .filter(stock_lot::Column::OrganizationId.eq(self.own()?))
            .filter(stock_lot::Column::GiftId.eq(gift))
            .all(&write.tx)
            .await?;
        lots.retain(|lot| !self.is_general(Goods::of(lot)));
        Ok(lots)
    }

    #[expect(clippy::disallowed_methods, reason = "entries of lots that the viewer has been shown")]
    async fn came_in(
        &self,
        write: &Write<'_>,
        lots: &[stock_lot::Model],
    ) -> Written<BTreeMap<(Option<Uuid>, Option<Uuid>), i64>> {
        use stock_entry::Column::{LotId, OrganizationId, Side};
        let entries = stock_entry::Entity::find()
            .filter(OrganizationId.eq(self.own()?))
            .filter(Side.eq(StockSide::Supplier))
            .filter(among(LotId, lots.iter().map(|lot| lot.id)))
            .all(&write.tx)
            .await?;
        let mut came = BTreeMap::new();
        for lot in lots {
            let of = entries.iter().filter(|entry| entry.lot_id == lot.id);
            let sum: i64 = of.map(|entry| -entry.quantity).sum();
            *came.entry((lot.item_id, lot.kit_id)).or_default() += sum;
        }
        Ok(came)
    }

    /// Whether any of the lots, or of the kits that were put together from them, is at any place.
    #[expect(clippy::disallowed_methods, reason = "stock of lots that the viewer has been shown")]
    async fn any_left(&self, write: &Write<'_>, lots: &[stock_lot::Model]) -> Written<bool> {
        let own = self.own()?;
        let mut ids: BTreeSet<Uuid> = lots.iter().map(|lot| lot.id).collect();
        let kits = stock_lot_part::Entity::find()
            .filter(stock_lot_part::Column::OrganizationId.eq(own))
            .filter(among(stock_lot_part::Column::PartLotId, ids.iter().copied()))
            .all(&write.tx)
            .await?;
        ids.extend(kits.iter().map(|part| part.lot_id));
        use stock_balance::Column::{LotId, OnHand, OrganizationId};
        let left = Condition::all().add(OrganizationId.eq(own)).add(OnHand.gt(0)).add(among(LotId, ids));
        Ok(stock_balance::Entity::find().filter(left).one(&write.tx).await?.is_some())
    }
}

const NOTHING_SENSITIVE: Message = Message {
    en: "This gift holds no sensitive goods. Its trace says where it went.",
    es: "Esta donación no contiene artículos sensibles. Su seguimiento indica a dónde llegó.",
};
const NOT_ALL_CAME: Message = Message {
    en: "Not all sensitive goods of this gift have been received into stock.",
    es: "No todos los artículos sensibles de esta donación han ingresado a las existencias.",
};
const SOME_LEFT: Message = Message {
    en: "Some of its sensitive goods are still on hand or in transit.",
    es: "Parte de sus artículos sensibles sigue en existencias o en tránsito.",
};
