//! Which lots goods are taken from: the one that is named, or those that expire first.

use std::collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry};

use chrono::NaiveDate;
use entity::{stock_balance, stock_lot};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Query},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    BAD_LINES, Goods, NO_LOT, goods_of,
    ledger::{BELOW_ZERO, EXPIRED, Held, Pair},
    read::HERE,
};
use crate::{
    error::Result,
    id,
    store::{
        Access,
        distribution::{Supplied, among},
        input::{Faults, Message, UserErrorCode, Written},
        kit::BAD_QUANTITY,
        write::Write,
    },
};

/// Quantities that are larger than any real movement are typing errors.
pub(super) const MOST: i32 = 1_000_000;

/// What to take: of a named lot, or of whatever lots hold the goods.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockLine {
    #[serde(default, deserialize_with = "id::optional::<_, {id::STOCK_LOT}>")]
    pub lot: Option<Uuid>,
    #[serde(default)]
    pub supplied: Option<Supplied>,
    #[serde(default)]
    pub kit_version: Option<i32>,
    pub quantity: i32,
}

/// A line that has been read: where it stands in the input, and what it asks for.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Wanted {
    pub line: usize,
    pub lot: Option<Uuid>,
    pub goods: Option<Goods>,
    pub quantity: i64,
}

/// So much of a lot for a line.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Picked {
    pub line: usize,
    pub lot: Uuid,
    pub quantity: i64,
}

/// Whether the goods are to be used, so that expired lots are passed over, or only moved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) enum Purpose {
    Use,
    Move,
}

impl Access {
    /// Reads the lines of an input: each names a lot, or goods, and a quantity.
    pub(super) fn check_stock_lines(&self, faults: &mut Faults, lines: &[StockLine]) -> Result<Vec<Wanted>> {
        faults.check((1..=100).contains(&lines.len()), UserErrorCode::OutOfRange, &["lines"], BAD_LINES);
        let mut wanted = Vec::new();
        for (line, input) in lines.iter().enumerate() {
            let number = line.to_string();
            let fits = (1..=MOST).contains(&input.quantity);
            let quantity = ["lines", &number, "quantity"];
            faults.check(fits, UserErrorCode::OutOfRange, &quantity, BAD_QUANTITY);
            let goods = match (input.lot, input.supplied) {
                (Some(_), None) => None,
                (None, Some(supplied)) => Some(goods_of(supplied, input.kit_version)?),
                _ => {
                    faults.add(UserErrorCode::Invalid, &["lines", &number], LOT_OR_GOODS);
                    continue;
                }
            };
            wanted.push(Wanted { line, lot: input.lot, goods, quantity: input.quantity.into() });
        }
        Ok(wanted)
    }

    /// The lots at a place that lines could be taken from. Lots that are named are among them wherever they lie.
    #[expect(clippy::disallowed_methods, reason = "begins from the viewer's own organisation")]
    pub(in crate::store) async fn candidates(
        &self,
        write: &Write<'_>,
        place: Uuid,
        wanted: &[Wanted],
    ) -> Written<HashMap<Uuid, stock_lot::Model>> {
        use stock_lot::Column::{Id, ItemId, KitId, OrganizationId};
        let own = self.own()?;
        let named: Vec<Uuid> = wanted.iter().filter_map(|line| line.lot).collect();
        let (mut items, mut kits) = (Vec::new(), Vec::new());
        for goods in wanted.iter().filter_map(|line| line.goods) {
            match goods {
                Goods::Item(id) => items.push(id),
                Goods::Kit(id, _) => kits.push(id),
            }
        }
        let here = Query::select()
            .column(stock_balance::Column::LotId)
            .from(stock_balance::Entity)
            .and_where(Expr::col(stock_balance::Column::OrganizationId).eq(own))
            .and_where(Expr::col(stock_balance::Column::PlaceId).eq(place))
            .and_where(Expr::cust(HERE))
            .to_owned();
        let of_goods = Condition::all()
            .add(Condition::any().add(among(ItemId, items)).add(among(KitId, kits)))
            .add(Id.in_subquery(here));
        let lots = stock_lot::Entity::find()
            .filter(OrganizationId.eq(own))
            .filter(Condition::any().add(among(Id, named)).add(of_goods))
            .all(&write.tx)
            .await?;
        let lots: HashMap<Uuid, _> = lots.into_iter().map(|lot| (lot.id, lot)).collect();
        let mut faults = Faults::default();
        for line in wanted {
            let there = line.lot.is_none_or(|lot| lots.contains_key(&lot));
            let field = ["lines", &line.line.to_string(), "lot"];
            faults.check(there, UserErrorCode::NotFound, &field, NO_LOT);
        }
        faults.refuse()?;
        Ok(lots)
    }

    /// The lots to take lines from on a day: what expires first goes first. A lot that is named is taken as it is;
    /// the ledger says whether it suffices.
    ///
    /// # Errors
    /// `EXPIRED` when only expired lots would suffice, `INSUFFICIENT_STOCK` with the first day that would break.
    pub(in crate::store) async fn pick(
        &self,
        write: &Write<'_>,
        held: &Held,
        place: Uuid,
        lots: &HashMap<Uuid, stock_lot::Model>,
        wanted: &[Wanted],
        on: (NaiveDate, Purpose),
    ) -> Written<Vec<Picked>> {
        let (day, purpose) = on;
        let mut shelf = Shelf { left: HashMap::new() };
        let mut picked = Vec::new();
        let mut faults = Faults::default();
        for line in wanted {
            let fits = |lot: &&stock_lot::Model| match (line.lot, line.goods) {
                (Some(id), _) => lot.id == id,
                (None, goods) => goods.is_some_and(|goods| goods.are_in(lot)),
            };
            let mut fitting: Vec<&stock_lot::Model> = lots.values().filter(fits).collect();
            for lot in &fitting {
                if let Entry::Vacant(free) = shelf.left.entry(lot.id) {
                    free.insert(self.closings_from(write, held, (place, lot.id), day).await?);
                }
            }
            if let Some(lot) = line.lot {
                shelf.take(lot, line.quantity);
                picked.push(Picked { line: line.line, lot, quantity: line.quantity });
                continue;
            }
            fitting.sort_by_key(|lot| first_out(lot));
            let usable = |lot: &&stock_lot::Model| {
                purpose == Purpose::Move || lot.expires_on.is_none_or(|last| day <= last)
            };
            let (usable, past): (Vec<_>, Vec<_>) = fitting.into_iter().partition(usable);
            let mut missing = line.quantity;
            let before = shelf.left.clone();
            for lot in &usable {
                let quantity = std::cmp::min(shelf.available(lot.id), missing);
                if quantity > 0 {
                    shelf.take(lot.id, quantity);
                    picked.push(Picked { line: line.line, lot: lot.id, quantity });
                    missing -= quantity;
                }
            }
            if missing > 0 {
                let field = vec!["lines".to_owned(), line.line.to_string()];
                let expired = past.iter().map(|lot| std::cmp::max(shelf.available(lot.id), 0)).sum::<i64>();
                let last = past.iter().filter_map(|lot| lot.expires_on).max();
                match last.filter(|_| expired >= missing) {
                    Some(last) => faults.add_on(UserErrorCode::Expired, field, EXPIRED, last),
                    None => {
                        let lots = usable.iter().map(|lot| lot.id);
                        let breaks = first_break(&before, lots, line.quantity).unwrap_or(day);
                        faults.add_on(UserErrorCode::InsufficientStock, field, BELOW_ZERO, breaks);
                    }
                }
            }
        }
        faults.refuse()?;
        Ok(picked)
    }
}

/// All pairs of places with lots: what has to be held before any of the lots can move between them.
pub(in crate::store) fn pairs(
    places: &[Uuid],
    lots: impl IntoIterator<Item = Uuid> + Clone,
) -> BTreeSet<Pair> {
    places.iter().flat_map(|place| lots.clone().into_iter().map(|lot| (*place, lot))).collect()
}

/// First expired, first out; what never expires goes last.
pub(super) fn first_out(
    lot: &stock_lot::Model,
) -> (bool, Option<NaiveDate>, chrono::DateTime<chrono::Utc>, Uuid) {
    (lot.expires_on.is_none(), lot.expires_on, lot.recorded_at, lot.id)
}

/// What lies at the place, lot by lot: the closings of the day and of all later days.
struct Shelf {
    left: HashMap<Uuid, Vec<(NaiveDate, i64)>>,
}

impl Shelf {
    /// What can be taken without a later day falling below zero.
    fn available(&self, lot: Uuid) -> i64 {
        self.left.get(&lot).and_then(|days| days.iter().map(|(_, closing)| *closing).min()).unwrap_or(0)
    }

    fn take(&mut self, lot: Uuid, quantity: i64) {
        for (_, closing) in self.left.get_mut(&lot).into_iter().flatten() {
            *closing -= quantity;
        }
    }
}

/// The first day by which so much could not have been taken from lots together.
fn first_break(
    left: &HashMap<Uuid, Vec<(NaiveDate, i64)>>,
    lots: impl Iterator<Item = Uuid> + Clone,
    quantity: i64,
) -> Option<NaiveDate> {
    let mut least: HashMap<Uuid, i64> = HashMap::new();
    let mut by_day: BTreeMap<NaiveDate, Vec<(Uuid, i64)>> = BTreeMap::new();
    for lot in lots {
        for (day, closing) in left.get(&lot).into_iter().flatten() {
            by_day.entry(*day).or_default().push((lot, *closing));
        }
    }
    for (day, closings) in by_day {
        for (lot, closing) in closings {
            let least = least.entry(lot).or_insert(closing);
            *least = std::cmp::min(closing, *least);
        }
        if least.values().map(|least| std::cmp::max(*least, 0)).sum::<i64>() < quantity {
            return Some(day);
        }
    }
    None
}

const LOT_OR_GOODS: Message = Message {
    en: "Name a lot, or an item or kit: one of the two.",
    es: "Indique un lote, o bien un artículo o kit: uno de los dos.",
};
