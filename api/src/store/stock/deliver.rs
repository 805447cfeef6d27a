//! Deliveries draw from lots: recording one posts an issue in the same transaction, correcting it puts back what it took
//! and takes anew, voiding it puts everything back.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use entity::{
    distribution, distribution_line, stock_entry, stock_lot, stock_movement,
    value::{StockMovementKind, StockSide},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::{
    Goods,
    draw::{Picked, Purpose, Wanted, pairs},
    ledger::{Entry, Movement, Side},
};
use crate::{
    error::Result,
    store::{
        Access,
        input::{Faults, Message, UserErrorCode, Written},
        write::Write,
    },
};

/// What a delivery has taken and not given back.
pub(in crate::store) struct Drawn {
    pub place: Uuid,
    row: stock_movement::Model,
    entries: Vec<stock_entry::Model>,
}

/// What a delivery takes: its lines, the lots that they name, and the place that it takes them from.
pub(in crate::store) struct Draw<'a> {
    pub delivery: &'a distribution::Model,
    pub occurred_on: NaiveDate,
    pub lines: &'a [distribution_line::Model],
    pub lots: &'a [Option<Uuid>],
    pub place: Uuid,
    /// What was taken before, when only what is said of it changes.
    pub same: Option<Vec<Picked>>,
}

impl Access {
    /// The movements of a delivery that are not undone, the newest first.
    #[expect(clippy::disallowed_methods, reason = "movements of a delivery that the viewer has been shown")]
    pub(super) async fn standing(
        &self,
        write: &Write<'_>,
        delivery: Uuid,
    ) -> Result<Vec<stock_movement::Model>> {
        use stock_movement::Column::{DistributionId, OrganizationId, RecordedAt};
        let rows = stock_movement::Entity::find()
            .filter(OrganizationId.eq(self.own()?))
            .filter(DistributionId.eq(delivery))
            .order_by_desc(RecordedAt)
            .all(&write.tx)
            .await?;
        let undone: Vec<Uuid> = rows.iter().filter_map(|row| row.reverses_id).collect();
        let stands = |row: &stock_movement::Model| row.reverses_id.is_none() && !undone.contains(&row.id);
        Ok(rows.into_iter().filter(stands).collect())
    }

    /// What a delivery has handed over from stock; none when it draws from none.
    pub(in crate::store) async fn drawn_by(
        &self,
        write: &Write<'_>,
        delivery: Uuid,
    ) -> Result<Option<Drawn>> {
        let rows = self.standing(write, delivery).await?;
        let issue = rows.into_iter().find(|row| row.kind == StockMovementKind::Issue);
        let Some(row) = issue else { return Ok(None) };
        let entries = self.entries_of(write, [row.id]).await?;
        let place = entries.iter().find_map(|entry| entry.place_id);
        Ok(place.map(|place| Drawn { place, row, entries }))
    }

    /// Takes what a delivery hands over. What it took before is given back first.
    ///
    /// # Errors
    /// User errors at the line that stock does not suffice for, or whose lot is of other goods or expired.
    pub(in crate::store) async fn draw(
        &self,
        write: &Write<'_>,
        draw: Draw<'_>,
        before: Option<Drawn>,
    ) -> Written<()> {
        let wanted = wanted(draw.lines, draw.lots);
        let mut lots = self.candidates(write, draw.place, &wanted).await?;
        let given_back: BTreeSet<Uuid> =
            before.iter().flat_map(|drawn| drawn.entries.iter().map(|entry| entry.lot_id)).collect();
        lots.extend(self.lots_in(write, given_back).await?);
        check_named(&lots, &wanted, draw.lines)?;
        let undo = self.undo(before)?;
        let mut touched = pairs(&[draw.place], lots.keys().copied());
        touched.extend(undo.iter().flat_map(Movement::pairs));
        let held = self.hold(write, touched).await?;
        self.post_any(write, &held, &undo).await?;
        let on = (draw.occurred_on, Purpose::Use);
        let picked = match draw.same {
            Some(same) => same,
            None => self.pick(write, &held, draw.place, &lots, &wanted, on).await?,
        };
        let mut row = self.new_movement(self.new_id(), StockMovementKind::Issue, draw.occurred_on)?;
        row.distribution_id = Some(draw.delivery.id);
        let mut movement = Movement { row, entries: Vec::new(), field: "lines" };
        for pick in picked {
            let Some(line) = draw.lines.get(pick.line) else { continue };
            let entry = Entry {
                lot: pick.lot,
                side: Side::Place(draw.place),
                quantity: pick.quantity,
                open: line.shown,
                people: Some(line.people_reached),
                line: Some(pick.line),
            };
            movement.carry(Side::Place(draw.place), Side::Outside(StockSide::Consumed), entry);
        }
        self.post(write, &held, &[movement]).await
    }

    /// Gives back what a delivery took, and what was sent for it.
    pub(in crate::store) async fn give_back(&self, write: &Write<'_>, delivery: Uuid) -> Written<()> {
        let standing = self.standing(write, delivery).await?;
        if standing.is_empty() {
            return Ok(());
        }
        let entries = self.entries_of(write, standing.iter().map(|row| row.id)).await?;
        let undo = standing.iter().map(|row| self.opposite(self.new_id(), row, &entries, "id"));
        let undo: Vec<Movement> = undo.collect::<Result<_>>()?;
        let held = self.hold(write, undo.iter().flat_map(Movement::pairs).collect()).await?;
        self.post_any(write, &held, &undo).await
    }

    fn undo(&self, before: Option<Drawn>) -> Result<Vec<Movement>> {
        let opposite = before.map(|drawn| self.opposite(self.new_id(), &drawn.row, &drawn.entries, "lines"));
        Ok(opposite.transpose()?.into_iter().collect())
    }

    pub(super) async fn post_any(
        &self,
        write: &Write<'_>,
        held: &super::ledger::Held,
        movements: &[Movement],
    ) -> Written<()> {
        if movements.is_empty() { Ok(()) } else { self.post(write, held, movements).await }
    }
}

impl Drawn {
    /// The lots that lines were taken from, where one lot served a line: so that another day takes the same.
    pub(in crate::store) fn lots_of(
        &self,
        lines: &[distribution_line::Model],
        lots: &HashMap<Uuid, stock_lot::Model>,
    ) -> Vec<Option<Uuid>> {
        let of = |line: &distribution_line::Model| {
            let taken = self.entries.iter().filter(|entry| {
                entry.place_id.is_some() && lots.get(&entry.lot_id).is_some_and(|lot| goods(line).are_in(lot))
            });
            let taken: Vec<Uuid> = taken.map(|entry| entry.lot_id).collect();
            (taken.len() == 1).then(|| taken[0])
        };
        lines.iter().map(of).collect()
    }

    /// What each line was given of each lot. Nothing stands on two lines.
    pub(in crate::store) fn picked_for(
        &self,
        lines: &[distribution_line::Model],
        lots: &HashMap<Uuid, stock_lot::Model>,
    ) -> Vec<Picked> {
        let taken = self.entries.iter().filter(|entry| entry.place_id.is_some());
        let of_line = |entry: &stock_entry::Model| {
            let lot = lots.get(&entry.lot_id)?;
            let line = lines.iter().position(|line| goods(line).are_in(lot))?;
            Some(Picked { line, lot: entry.lot_id, quantity: -entry.quantity })
        };
        taken.filter_map(of_line).collect()
    }

    pub(in crate::store) fn lots(&self) -> impl Iterator<Item = Uuid> {
        self.entries.iter().map(|entry| entry.lot_id)
    }
}

/// What lines ask for, and of which lots.
pub(super) fn wanted(lines: &[distribution_line::Model], lots: &[Option<Uuid>]) -> Vec<Wanted> {
    let wanted = lines.iter().enumerate().map(|(place, line)| Wanted {
        line: place,
        lot: lots.get(place).copied().flatten(),
        goods: Some(goods(line)),
        quantity: line.quantity.into(),
    });
    wanted.collect()
}

pub(super) fn goods(line: &distribution_line::Model) -> Goods {
    Goods::new(line.item_id, line.kit_id, line.kit_version)
}

/// A lot that a line names holds what the line hands over.
pub(super) fn check_named(
    lots: &HashMap<Uuid, stock_lot::Model>,
    wanted: &[Wanted],
    lines: &[distribution_line::Model],
) -> Written<()> {
    let mut faults = Faults::default();
    for (place, (want, line)) in wanted.iter().zip(lines).enumerate() {
        let lot = want.lot.and_then(|lot| lots.get(&lot));
        let fits = lot.is_none_or(|lot| goods(line).are_in(lot));
        faults.check(fits, UserErrorCode::Invalid, &["lines", &place.to_string(), "lot"], OTHER_GOODS);
    }
    faults.refuse()
}

const OTHER_GOODS: Message =
    Message { en: "This lot holds something else.", es: "Ese lote contiene otra cosa." };
