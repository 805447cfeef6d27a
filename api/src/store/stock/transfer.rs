//! Transfers between places, in two steps: what was shipped is in transit until it is received, sent back or lost.

use std::collections::BTreeMap;

use entity::{
    stock_entry, stock_movement,
    value::{StockMovementKind, StockPlaceKind, StockReason, StockSide},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    FOR_DELIVERY, Goods, Head, NO_LOT, UNDONE,
    draw::{MOST, Purpose, StockLine, pairs},
    ledger::{Entry, Movement, Side},
    record::{BEFORE_IT, MORE_THAN_LEFT, check_lots, is_bulk},
};
use crate::{
    id,
    store::{
        Access,
        input::{Faults, Message, UserError, UserErrorCode, Written, or_default},
        kit::BAD_QUANTITY,
        write::Write,
    },
};

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferStock {
    #[serde(flatten)]
    pub head: Head,
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_PLACE}>")]
    pub from: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_PLACE}>")]
    pub via: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_PLACE}>")]
    pub to: Uuid,
    pub lines: Vec<StockLine>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiveTransfer {
    #[serde(flatten)]
    pub head: Head,
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_MOVEMENT}>")]
    pub transfer: Uuid,
    /// Why something was lost; needed when something was.
    #[serde(default)]
    pub reason: Option<StockReason>,
    pub lines: Vec<ArrivalLine>,
}

/// What became of some of a lot: what is in none of the three is still on its way.
#[derive(Clone, Debug, Deserialize)]
pub struct ArrivalLine {
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_LOT}>")]
    pub lot: Uuid,
    #[serde(default, deserialize_with = "or_default")]
    pub received: i32,
    #[serde(default, deserialize_with = "or_default")]
    pub returned: i32,
    #[serde(default, deserialize_with = "or_default")]
    pub lost: i32,
}

impl Access {
    /// Goods leave a place for another and are in transit.
    ///
    /// # Errors
    /// User errors for what a client can mend.
    pub(super) async fn transfer_in(
        &self,
        write: &Write<'_>,
        id: Uuid,
        input: &TransferStock,
    ) -> Written<stock_movement::Model> {
        let mut faults = Faults::default();
        self.check_head(&mut faults, &input.head);
        self.check_store(&mut faults, input.from, "from");
        let to = self.check_store(&mut faults, input.to, "to");
        faults.check(input.from != input.to, UserErrorCode::Invalid, &["to"], SAME_PLACE);
        self.check_transit(&mut faults, input.via);
        let wanted = self.check_stock_lines(&mut faults, &input.lines)?;
        faults.refuse()?;
        let lots = self.candidates(write, input.from, &wanted).await?;
        let held = self.hold(write, pairs(&[input.from, input.via], lots.keys().copied())).await?;
        let on = (input.head.occurred_on, Purpose::Move);
        let picked = self.pick(write, &held, input.from, &lots, &wanted, on).await?;
        let mut row = self.movement_of(id, StockMovementKind::Transfer, &input.head)?;
        row.to_place_id = Some(input.to);
        let mut movement = Movement { row, entries: Vec::new(), field: "lines" };
        let mut faults = Faults::default();
        for pick in picked {
            let Some(lot) = lots.get(&pick.lot) else { continue };
            if let Some(facility) = to.and_then(|place| place.facility_id) {
                let path = ["lines".to_owned(), pick.line.to_string()];
                self.check_let_in(&mut faults, facility, input.head.occurred_on, Goods::of(lot), &path);
            }
            let entry = Entry {
                lot: pick.lot,
                side: Side::Place(input.via),
                quantity: pick.quantity,
                open: is_bulk(self.is_general(Goods::of(lot)), pick.quantity),
                people: None,
                line: Some(pick.line),
            };
            movement.carry(Side::Place(input.from), Side::Place(input.via), entry);
        }
        faults.refuse()?;
        self.post(write, &held, std::slice::from_ref(&movement)).await?;
        Ok(movement.row)
    }

    pub(in crate::store) fn check_transit(&self, faults: &mut Faults, via: Uuid) {
        // Members that are cut to facilities see no place in transit, and send through it all the same.
        let own = self.catalog.stock_places.get(via).filter(|place| {
            self.viewer.is_staff_of(place.organization_id)
                && place.kind == StockPlaceKind::InTransit
                && place.archived_at.is_none()
        });
        faults.check(own.is_some(), UserErrorCode::NotFound, &["via"], NO_TRANSIT);
    }

    /// What became of a transfer: received where it went, returned where it came from, or lost on the way.
    pub(super) async fn arrive_in(
        &self,
        write: &Write<'_>,
        id: Uuid,
        input: &ReceiveTransfer,
    ) -> Written<stock_movement::Model> {
        let mut faults = Faults::default();
        self.check_head(&mut faults, &input.head);
        check_lots(&mut faults, input.lines.iter().map(|line| (line.lot, line.received)), 0..=MOST);
        for (place, line) in input.lines.iter().enumerate() {
            let parts = [line.received, line.returned, line.lost];
            let fits =
                parts.iter().all(|part| (0..=MOST).contains(part)) && parts.iter().any(|part| *part > 0);
            faults.check(fits, UserErrorCode::OutOfRange, &["lines", &place.to_string()], BAD_QUANTITY);
        }
        let lost = input.lines.iter().any(|line| line.lost > 0);
        check_why(&mut faults, "reason", lost, input.reason);
        faults.refuse()?;
        let transfer = self.movement_to_follow(write, input.transfer, "transfer").await?;
        let refuse = |message| UserError::new(UserErrorCode::Invalid, &["transfer"], message);
        if transfer.distribution_id.is_some() {
            return Err(refuse(FOR_DELIVERY).into());
        }
        let Some(to) = transfer.to_place_id.filter(|_| transfer.reverses_id.is_none()) else {
            return Err(refuse(NOT_A_TRANSFER).into());
        };
        if self.is_undone(write, transfer.id).await? {
            return Err(refuse(UNDONE).into());
        }
        if self.stock_place(to).is_none() {
            return Err(UserError::not_found(&["transfer"]).into());
        }
        if input.head.occurred_on < transfer.occurred_on {
            return Err(UserError::new(UserErrorCode::OutOfRange, &["occurredOn"], BEFORE_IT).into());
        }
        let sent = self.entries_of(write, [transfer.id]).await?;
        let Some((from, via)) = legs(&sent) else {
            return Err(refuse(NOT_A_TRANSFER).into());
        };
        let followers = self.followers(write, transfer.id).await?;
        let arrived = self.entries_of(write, followers).await?;
        let left = left(via, sent.iter().chain(&arrived));
        let mut row = self.movement_of(id, StockMovementKind::Arrival, &input.head)?;
        row.follows_id = Some(transfer.id);
        row.reason = input.reason;
        let mut movement = Movement { row, entries: Vec::new(), field: "lines" };
        let mut faults = Faults::default();
        for (place, line) in input.lines.iter().enumerate() {
            let number = place.to_string();
            let all = i64::from(line.received) + i64::from(line.returned) + i64::from(line.lost);
            match left.get(&line.lot) {
                None => faults.add(UserErrorCode::NotFound, &["lines", &number, "lot"], NO_LOT),
                Some(left) => {
                    faults.check(
                        all <= *left,
                        UserErrorCode::OutOfRange,
                        &["lines", &number],
                        MORE_THAN_LEFT,
                    );
                }
            }
            // As the transfer was.
            let open = sent.iter().any(|entry| entry.lot_id == line.lot && entry.open);
            let parts = [
                (line.received, Side::Place(to)),
                (line.returned, Side::Place(from)),
                (line.lost, Side::Outside(StockSide::Lost)),
            ];
            for (quantity, side) in parts.into_iter().filter(|(quantity, _)| *quantity > 0) {
                let entry = Entry {
                    lot: line.lot,
                    side,
                    quantity: quantity.into(),
                    open,
                    people: None,
                    line: Some(place),
                };
                movement.carry(Side::Place(via), side, entry);
            }
        }
        faults.refuse()?;
        let held = self.hold(write, movement.pairs().collect()).await?;
        self.post(write, &held, std::slice::from_ref(&movement)).await?;
        Ok(movement.row)
    }
}

/// Where goods that were sent came from, and where they are on their way.
pub(super) fn legs(sent: &[stock_entry::Model]) -> Option<(Uuid, Uuid)> {
    let leg =
        |out: bool| sent.iter().find(|entry| (entry.quantity < 0) == out).and_then(|entry| entry.place_id);
    Some((leg(true)?, leg(false)?))
}

/// What is in transit of a transfer by lot, from its own entries and those that follow it, whatever else of the lots
/// may be on its way.
pub(super) fn left<'a>(
    via: Uuid,
    entries: impl Iterator<Item = &'a stock_entry::Model>,
) -> BTreeMap<Uuid, i64> {
    let mut left = BTreeMap::new();
    for entry in entries.filter(|entry| entry.place_id == Some(via)) {
        *left.entry(entry.lot_id).or_default() += entry.quantity;
    }
    left
}

/// A reason is given for what was lost on its way, and only then.
pub(in crate::store) fn check_why(faults: &mut Faults, field: &str, lost: bool, reason: Option<StockReason>) {
    use StockReason::{Damaged, Expired, Missing, Other, Seized, Stolen};
    let fits = match reason {
        Some(reason) => lost && [Expired, Damaged, Stolen, Missing, Seized, Other].contains(&reason),
        None => !lost,
    };
    let message = if lost { NEEDS_REASON } else { NO_LOSS };
    faults.check(fits, UserErrorCode::Invalid, &[field], message);
}

const NEEDS_REASON: Message = Message {
    en: "Say why something was lost: EXPIRED, DAMAGED, STOLEN, MISSING, SEIZED or OTHER.",
    es: "Indique por qué se perdió algo: EXPIRED, DAMAGED, STOLEN, MISSING, SEIZED u OTHER.",
};
const NO_LOSS: Message = Message {
    en: "Nothing was lost, so there is no reason.",
    es: "No se perdió nada; no hay motivo que indicar.",
};
const SAME_PLACE: Message = Message { en: "It is there already.", es: "Ya está en ese lugar." };
const NO_TRANSIT: Message =
    Message { en: "There is no such place in transit.", es: "No existe ese lugar de tránsito." };
const NOT_A_TRANSFER: Message = Message { en: "This is no transfer.", es: "No es un traslado." };
