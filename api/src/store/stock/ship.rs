//! Goods of a delivery on their way: in transit from the dispatch until they are handed over, back or lost.

use chrono::NaiveDate;
use entity::{
    distribution_line, stock_entry, stock_lot, stock_movement,
    value::{StockMovementKind, StockSide},
};
use uuid::Uuid;

use super::{
    Goods,
    deliver::{check_named, goods, wanted},
    draw::{Picked, Purpose, pairs},
    ledger::{EXPIRED, Entry, Movement, Side},
    transfer::legs,
};
use crate::{
    error::Result,
    store::{
        Access,
        input::{Faults, UserErrorCode, Written},
        shipment::Shipment,
        write::Write,
    },
};

/// What leaves for a delivery, and from where.
pub(in crate::store) struct Ship<'a> {
    pub delivery: Uuid,
    pub on: NaiveDate,
    pub from: Uuid,
    pub via: Uuid,
    pub lines: &'a [distribution_line::Model],
    pub lots: &'a [Option<Uuid>],
}

impl Access {
    /// Takes what a delivery is sent, first what expires first, and puts it in transit.
    ///
    /// # Errors
    /// User errors at the line that stock does not suffice for, or whose lot is of other goods or expired.
    pub(in crate::store) async fn ship(&self, write: &Write<'_>, ship: Ship<'_>) -> Written<()> {
        let wanted = wanted(ship.lines, ship.lots);
        let lots = self.candidates(write, ship.from, &wanted).await?;
        check_named(&lots, &wanted, ship.lines)?;
        let held = self.hold(write, pairs(&[ship.from, ship.via], lots.keys().copied())).await?;
        let picked = self.pick(write, &held, ship.from, &lots, &wanted, (ship.on, Purpose::Use)).await?;
        let mut row = self.new_movement(self.new_id(), StockMovementKind::Transfer, ship.on)?;
        row.distribution_id = Some(ship.delivery);
        let mut movement = Movement { row, entries: Vec::new(), field: "lines" };
        let mut faults = Faults::default();
        for Picked { line, lot, quantity } in picked {
            let Some(known) = lots.get(&lot) else { continue };
            if let Some(last) = known.expires_on.filter(|last| *last < ship.on) {
                let field = vec!["lines".to_owned(), line.to_string()];
                faults.add_on(UserErrorCode::Expired, field, EXPIRED, last);
            }
            let side = Side::Place(ship.via);
            // Hidden until the delivery has taken place, and for good unless outsiders see it then.
            let entry = Entry { lot, side, quantity, open: false, people: None, line: Some(line) };
            movement.carry(Side::Place(ship.from), side, entry);
        }
        faults.refuse()?;
        self.post(write, &held, &[movement]).await
    }

    /// What became of goods that were sent for a delivery, in the place of what was said of them before: handed over,
    /// back where they came from, or lost. Of the lots of a line those that expire first were handed over, past over
    /// those that could no longer be, and those that expire last came back. Nothing happens when they came from no
    /// stock.
    pub(in crate::store) async fn arrive(
        &self,
        write: &Write<'_>,
        delivered: (Uuid, NaiveDate),
        shipment: &Shipment,
        lines: &[distribution_line::Model],
    ) -> Written<()> {
        let (delivery, on) = delivered;
        let standing = self.standing(write, delivery).await?;
        let is_sending = |row: &&stock_movement::Model| row.kind == StockMovementKind::Transfer;
        let Some(transfer) = standing.iter().find(is_sending) else { return Ok(()) };
        let entries = self.entries_of(write, standing.iter().map(|row| row.id)).await?;
        let sent: Vec<stock_entry::Model> =
            entries.iter().filter(|entry| entry.movement_id == transfer.id).cloned().collect();
        let Some((from, via)) = legs(&sent) else { return Ok(()) };
        let known = self.lots_in(write, sent.iter().map(|entry| entry.lot_id)).await?;
        let mut in_transit: Vec<(&stock_lot::Model, i64)> = sent
            .iter()
            .filter(|entry| entry.quantity > 0)
            .filter_map(|entry| Some((known.get(&entry.lot_id)?, entry.quantity)))
            .collect();
        in_transit
            .sort_by_key(|(lot, _)| (lot.expires_on.is_none(), lot.expires_on, lot.recorded_at, lot.id));

        let movement = |kind| -> Result<Movement> {
            let mut row = self.new_movement(self.new_id(), kind, on)?;
            row.distribution_id = Some(delivery);
            row.follows_id = Some(transfer.id);
            Ok(Movement { row, entries: Vec::new(), field: "lines" })
        };
        let mut handed_over = movement(StockMovementKind::Issue)?;
        let mut rest = movement(StockMovementKind::Arrival)?;
        rest.row.reason = shipment.row.loss_reason;
        for line in &shipment.lines {
            let of_line = crate::store::shipment::goods_of(line);
            let received = lines.iter().find(|line| goods(line) == of_line);
            let part = |quantity: Option<i32>| i64::from(quantity.unwrap_or(0));
            let fates = [
                (part(line.received), Side::Outside(StockSide::Consumed)),
                (part(line.lost), Side::Outside(StockSide::Lost)),
                (part(line.returned), Side::Place(from)),
            ];
            for (mut missing, side) in fates {
                let is_issue = side == Side::Outside(StockSide::Consumed);
                let mut of_goods: Vec<_> =
                    in_transit.iter_mut().filter(|(lot, _)| Goods::of(lot) == of_line).collect();
                // What had expired by then is handed over only when it is said that it was, and refused.
                of_goods.sort_by_key(|(lot, _)| is_issue && lot.expires_on.is_some_and(|last| last < on));
                for (lot, left) in of_goods {
                    let quantity = std::cmp::min(missing, *left);
                    if quantity == 0 {
                        continue;
                    }
                    missing -= quantity;
                    *left -= quantity;
                    let entry = Entry {
                        lot: lot.id,
                        side,
                        quantity,
                        open: is_issue && received.is_some_and(|line| line.shown),
                        people: received.filter(|_| is_issue).map(|line| line.people_reached),
                        line: None,
                    };
                    let to = if is_issue { &mut handed_over } else { &mut rest };
                    to.carry(Side::Place(via), side, entry);
                }
            }
        }
        let mut movements = Vec::new();
        for row in standing.iter().filter(|row| row.id != transfer.id) {
            movements.push(self.opposite(self.new_id(), row, &entries, "lines")?);
        }
        movements.extend([handed_over, rest].into_iter().filter(|movement| !movement.entries.is_empty()));
        let held = self.hold(write, movements.iter().flat_map(Movement::pairs).collect()).await?;
        self.post_any(write, &held, &movements).await
    }
}
