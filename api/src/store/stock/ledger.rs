//! The one way into the ledger. A movement is balanced, it fits what was there on its day and on every later day,
//! and it never changes afterwards.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use entity::{
    stock_balance, stock_day, stock_entry, stock_lot, stock_movement,
    value::{OutboxKind, StockMovementKind, StockSide},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, IntoActiveModel,
    QueryFilter, Statement,
    sea_query::{Expr, ExprTrait, LockType, OnConflict, Order, Query},
};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    store::{
        Access,
        distribution::among,
        input::{Faults, Message, UserError, UserErrorCode, Written},
        outbox::Change,
        write::Write,
    },
};

/// A lot at a place: what is held while stock moves.
pub(in crate::store) type Pair = (Uuid, Uuid);

/// Where an entry stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) enum Side {
    Place(Uuid),
    Outside(StockSide),
}

/// One side of a movement.
#[derive(Clone, Debug)]
pub(in crate::store) struct Entry {
    pub lot: Uuid,
    pub side: Side,
    pub quantity: i64,
    /// Whether outsiders may learn of it.
    pub open: bool,
    pub people: Option<i32>,
    /// The place in the input's list that it comes from.
    pub line: Option<usize>,
}

/// A movement that is not in the ledger yet.
#[derive(Clone, Debug)]
pub(in crate::store) struct Movement {
    pub row: stock_movement::Model,
    pub entries: Vec<Entry>,
    /// The input field that is to blame when it does not fit.
    pub field: &'static str,
}

/// Pairs that this transaction alone can change until it ends. Only [`Access::hold`] makes one.
pub(in crate::store) struct Held(BTreeSet<Pair>);

impl Access {
    /// Takes pairs for this transaction, in the order of their keys and all of a movement at once, so that two
    /// movements wait for one another and never in a circle. A transaction of several movements could, and is alone
    /// therefore (`Hold::MoveMany`). On SQLite there is one writer anyway.
    #[expect(clippy::disallowed_methods, reason = "rows of the viewer's own organisation")]
    pub(in crate::store) async fn hold(&self, write: &Write<'_>, pairs: BTreeSet<Pair>) -> Written<Held> {
        let own = self.own()?;
        if pairs.is_empty() {
            return Ok(Held(pairs));
        }
        let rows = pairs.iter().map(|(place, lot)| {
            let row = stock_balance::Model {
                organization_id: own,
                place_id: *place,
                lot_id: *lot,
                on_hand: 0,
                last_day: None,
            };
            row.into_active_model().reset_all()
        });
        stock_balance::Entity::insert_many(rows)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&write.tx)
            .await?;
        if self.backend() == DbBackend::Postgres {
            use stock_balance::Column::{LotId, OrganizationId, PlaceId};
            let lock = Query::select()
                .column(LotId)
                .from(stock_balance::Entity)
                .and_where(Expr::col(OrganizationId).eq(own))
                .and_where(Expr::tuple([Expr::col(PlaceId), Expr::col(LotId)]).in_tuples(pairs.clone()))
                .order_by(PlaceId, Order::Asc)
                .order_by(LotId, Order::Asc)
                .lock(LockType::Update)
                .to_owned();
            write.tx.query_all(&lock).await?;
        }
        Ok(Held(pairs))
    }

    /// Appends movements and follows them up in the balances of the days.
    ///
    /// # Errors
    /// User errors: `EXPIRED` for a lot that could no longer be used on the day of an issue, and
    /// `INSUFFICIENT_STOCK` with the first day that would close below zero.
    pub(in crate::store) async fn post(
        &self,
        write: &Write<'_>,
        held: &Held,
        movements: &[Movement],
    ) -> Written<()> {
        if !movements.iter().all(is_balanced) {
            return Err(Error::Internal("a stock movement is not balanced".into()).into());
        }
        let mut faults = Faults::default();
        self.refuse_expired(write, movements, &mut faults).await?;
        let (mut days, mut balances) = (Vec::new(), Vec::new());
        for (pair, changes) in changes(movements) {
            if !held.0.contains(&pair) {
                return Err(Error::Internal("a stock movement touches what is not held".into()).into());
            }
            let Some(first) = changes.days.keys().next().copied() else { continue };
            let known = self.days_from(write, pair, first).await?;
            match replay(&known, &changes.days) {
                Ok(after) => {
                    if let Some(last) = after.last() {
                        balances.push((pair, *last));
                    }
                    let changed = after.into_iter().filter(|day| !known.contains(day));
                    days.extend(changed.map(|day| (pair, day)));
                }
                Err(day) => faults.add_on(UserErrorCode::InsufficientStock, changes.blamed, BELOW_ZERO, day),
            }
        }
        faults.refuse()?;
        self.keep(write, days, balances).await?;
        let places: BTreeSet<Uuid> = changes(movements).into_keys().map(|(place, _)| place).collect();
        let told =
            places.into_iter().map(|row_id| Change { kind: OutboxKind::StockPlace, row_id, open: false });
        write.tell(told).await?;
        self.append(write, movements).await
    }

    /// What could be taken from a pair from a day on: the closing of each day that matters, the day itself first.
    pub(in crate::store) async fn closings_from(
        &self,
        write: &Write<'_>,
        held: &Held,
        pair: Pair,
        day: NaiveDate,
    ) -> Result<Vec<(NaiveDate, i64)>> {
        if !held.0.contains(&pair) {
            return Err(Error::Internal("stock is looked at that is not held".into()));
        }
        let known = self.days_from(write, pair, day).await?;
        let opening = known.iter().rfind(|known| known.day <= day).map_or(0, |known| known.closing);
        let later = known.iter().filter(|known| known.day > day).map(|known| (known.day, known.closing));
        Ok([(day, opening)].into_iter().chain(later).collect())
    }

    /// The last day before a day, and all days from it on.
    async fn days_from(&self, write: &Write<'_>, pair: Pair, from: NaiveDate) -> Result<Vec<Day>> {
        const DAYS: &str = "SELECT day, change, closing FROM stock_day \
             WHERE organization_id = $1 AND place_id = $2 AND lot_id = $3 AND day >= COALESCE((\
                 SELECT max(day) FROM stock_day \
                 WHERE organization_id = $1 AND place_id = $2 AND lot_id = $3 AND day < $4), $4) \
             ORDER BY day";
        let values = [self.own()?.into(), pair.0.into(), pair.1.into(), from.into()];
        let statement = Statement::from_sql_and_values(self.backend(), DAYS, values);
        Ok(Day::find_by_statement(statement).all(&write.tx).await?)
    }

    /// What is past its last day can be moved, lost or counted, and neither handed over nor put into a kit.
    async fn refuse_expired(
        &self,
        write: &Write<'_>,
        movements: &[Movement],
        faults: &mut Faults,
    ) -> Written<()> {
        let uses = |movement: &&Movement| {
            movement.row.reverses_id.is_none()
                && matches!(movement.row.kind, StockMovementKind::Issue | StockMovementKind::Assembly)
        };
        let leaving = |entry: &&Entry| entry.quantity < 0 && matches!(entry.side, Side::Place(_));
        let lots = movements.iter().filter(uses).flat_map(|movement| movement.entries.iter().filter(leaving));
        let lots: BTreeSet<Uuid> = lots.map(|entry| entry.lot).collect();
        if lots.is_empty() {
            return Ok(());
        }
        let lots = self.lots_in(write, lots).await?;
        for movement in movements.iter().filter(uses) {
            for entry in movement.entries.iter().filter(leaving) {
                let last = lots.get(&entry.lot).and_then(|lot| lot.expires_on);
                if let Some(last) = last.filter(|last| *last < movement.row.occurred_on) {
                    faults.add_on(UserErrorCode::Expired, movement.path(entry), EXPIRED, last);
                }
            }
        }
        Ok(())
    }

    /// Lots of the viewer's organisation by id.
    #[expect(clippy::disallowed_methods, reason = "begins from the viewer's own organisation")]
    pub(in crate::store) async fn lots_in(
        &self,
        write: &Write<'_>,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, stock_lot::Model>> {
        let lots = stock_lot::Entity::find()
            .filter(stock_lot::Column::OrganizationId.eq(self.own()?))
            .filter(among(stock_lot::Column::Id, ids))
            .all(&write.tx)
            .await?;
        Ok(lots.into_iter().map(|lot| (lot.id, lot)).collect())
    }

    #[expect(clippy::disallowed_methods, reason = "rows of the viewer's own organisation, which are held")]
    async fn keep(
        &self,
        write: &Write<'_>,
        days: Vec<(Pair, Day)>,
        balances: Vec<(Pair, Day)>,
    ) -> Written<()> {
        let own = self.own()?;
        // SQLite takes about 32,000 values in one statement.
        for chunk in days.chunks(5_000) {
            let rows = chunk.iter().map(|((place, lot), day)| {
                let row = stock_day::Model {
                    organization_id: own,
                    place_id: *place,
                    lot_id: *lot,
                    day: day.day,
                    change: day.change,
                    closing: day.closing,
                };
                row.into_active_model().reset_all()
            });
            use stock_day::Column::{Change, Closing, Day, LotId, OrganizationId, PlaceId};
            let newer = OnConflict::columns([OrganizationId, PlaceId, LotId, Day])
                .update_columns([Change, Closing])
                .to_owned();
            stock_day::Entity::insert_many(rows).on_conflict(newer).exec_without_returning(&write.tx).await?;
        }
        let rows = balances.into_iter().map(|((place_id, lot_id), day)| {
            let row = stock_balance::Model {
                organization_id: own,
                place_id,
                lot_id,
                on_hand: day.closing,
                last_day: Some(day.day),
            };
            row.into_active_model().reset_all()
        });
        use stock_balance::Column::{LastDay, LotId, OnHand, OrganizationId, PlaceId};
        let newer = OnConflict::columns([OrganizationId, PlaceId, LotId])
            .update_columns([OnHand, LastDay])
            .to_owned();
        stock_balance::Entity::insert_many(rows).on_conflict(newer).exec_without_returning(&write.tx).await?;
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "rows of the viewer's own organisation")]
    async fn append(&self, write: &Write<'_>, movements: &[Movement]) -> Written<()> {
        let own = self.own()?;
        let rows = movements.iter().map(|movement| movement.row.clone().into_active_model().reset_all());
        stock_movement::Entity::insert_many(rows).exec_without_returning(&write.tx).await?;
        let entries = movements.iter().flat_map(|movement| {
            movement.entries.iter().zip(1..).map(|(entry, position)| {
                let (side, place_id) = match entry.side {
                    Side::Place(place) => (StockSide::Place, Some(place)),
                    Side::Outside(side) => (side, None),
                };
                let row = stock_entry::Model {
                    organization_id: own,
                    movement_id: movement.row.id,
                    position,
                    lot_id: entry.lot,
                    side,
                    place_id,
                    quantity: entry.quantity,
                    open: entry.open,
                    people_reached: entry.people,
                };
                row.into_active_model().reset_all()
            })
        });
        stock_entry::Entity::insert_many(entries).exec_without_returning(&write.tx).await?;
        Ok(())
    }
}

impl Movement {
    /// The pairs that it touches.
    pub(in crate::store) fn pairs(&self) -> impl Iterator<Item = Pair> {
        self.entries.iter().filter_map(|entry| match entry.side {
            Side::Place(place) => Some((place, entry.lot)),
            Side::Outside(_) => None,
        })
    }

    /// Goods that go from one side to another.
    pub(in crate::store) fn carry(&mut self, from: Side, to: Side, entry: Entry) {
        self.entries.push(Entry { side: from, quantity: -entry.quantity, ..entry.clone() });
        self.entries.push(Entry { side: to, ..entry });
    }

    fn path(&self, entry: &Entry) -> Vec<String> {
        let line = entry.line.map(|line| line.to_string());
        [Some(self.field.to_owned()), line].into_iter().flatten().collect()
    }
}

/// A day as it is kept.
#[derive(Clone, Copy, Debug, Eq, FromQueryResult, PartialEq)]
struct Day {
    day: NaiveDate,
    change: i64,
    closing: i64,
}

/// What happens to one pair, by day, and the input field that takes from it.
struct Changes {
    days: BTreeMap<NaiveDate, i64>,
    blamed: Vec<String>,
}

/// Goods neither appear nor vanish: what leaves one side of a lot arrives at another.
fn is_balanced(movement: &Movement) -> bool {
    let mut sums: BTreeMap<Uuid, i64> = BTreeMap::new();
    for entry in &movement.entries {
        *sums.entry(entry.lot).or_default() += entry.quantity;
    }
    !sums.is_empty() && sums.values().all(|sum| *sum == 0)
}

fn changes(movements: &[Movement]) -> BTreeMap<Pair, Changes> {
    let mut all: BTreeMap<Pair, Changes> = BTreeMap::new();
    for movement in movements {
        for entry in &movement.entries {
            let Side::Place(place) = entry.side else { continue };
            let changes = all
                .entry((place, entry.lot))
                .or_insert_with(|| Changes { days: BTreeMap::new(), blamed: movement.path(entry) });
            if entry.quantity < 0 {
                changes.blamed = movement.path(entry);
            }
            *changes.days.entry(movement.row.occurred_on).or_default() += entry.quantity;
        }
    }
    all
}

/// The days after changes, from the first changed one on; or the first day that would close below zero.
fn replay(known: &[Day], changes: &BTreeMap<NaiveDate, i64>) -> Result<Vec<Day>, NaiveDate> {
    let Some(first) = changes.keys().next() else { return Ok(Vec::new()) };
    let mut closing = known.iter().rfind(|day| day.day < *first).map_or(0, |day| day.closing);
    let mut by_day = changes.clone();
    for day in known.iter().filter(|day| day.day >= *first) {
        *by_day.entry(day.day).or_default() += day.change;
    }
    by_day
        .into_iter()
        .map(|(day, change)| {
            closing += change;
            if closing < 0 { Err(day) } else { Ok(Day { day, change, closing }) }
        })
        .collect()
}

impl Faults {
    /// As [`Faults::add`], with the day that a client has to look at.
    pub(in crate::store) fn add_on(
        &mut self,
        code: UserErrorCode,
        field: Vec<String>,
        message: Message,
        day: NaiveDate,
    ) {
        self.push(UserError { code, field, message, day: Some(day), retry_after: None });
    }
}

pub(super) const BELOW_ZERO: Message = Message {
    en: "There is not enough stock: on {day} less would be left than nothing.",
    es: "No hay existencias suficientes: el {day} quedaría menos que nada.",
};
pub(super) const EXPIRED: Message =
    Message { en: "The last day of use was {day}.", es: "El último día de uso fue el {day}." };

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, day).unwrap()
    }

    fn kept(rows: &[(u32, i64, i64)]) -> Vec<Day> {
        rows.iter()
            .map(|(on, change, closing)| Day { day: day(*on), change: *change, closing: *closing })
            .collect()
    }

    #[test]
    fn a_late_entry_is_followed_through_the_later_days() {
        let known = kept(&[(1, 10, 10), (5, -4, 6), (9, -6, 0)]);
        assert_eq!(
            replay(&known, &BTreeMap::from([(day(3), 2)])),
            Ok(kept(&[(3, 2, 12), (5, -4, 8), (9, -6, 2)]))
        );
        // It fits on its own day and not on a later one, which is named.
        assert_eq!(replay(&known, &BTreeMap::from([(day(3), -3)])), Err(day(9)));
        assert_eq!(replay(&known, &BTreeMap::from([(day(3), -7)])), Err(day(5)));
        assert_eq!(replay(&[], &BTreeMap::from([(day(3), -1)])), Err(day(3)));
        // What is undone on one day and done on another is seen together.
        assert_eq!(
            replay(&known, &BTreeMap::from([(day(9), 6), (day(5), -6)])),
            Ok(kept(&[(5, -10, 0), (9, 0, 0)]))
        );
    }
}
