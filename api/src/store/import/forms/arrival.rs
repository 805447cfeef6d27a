//! What became of a transfer, by the number of its form and what the lines say of its goods.

use entity::value::StockReason;
use uuid::Uuid;

use super::{
    faults::{Found, NotRecorded, several},
    good,
};
use crate::{
    import::{FaultCode, FormLineRow, FormRow, Reason, Supplied, quoted, reason},
    store::{
        Access,
        import::Registry,
        stock::{
            Goods, Head,
            transfer::{ArrivalLine, ReceiveTransfer},
        },
        write::Write,
    },
};

/// The transfer, and what became of its lots, each with the line of the form that says so.
pub(super) struct Arrived {
    transfer: Uuid,
    pub(super) lines: Vec<(usize, ArrivalLine)>,
}

impl Arrived {
    pub(super) fn into_input(self, head: Head, reason: Option<StockReason>) -> ReceiveTransfer {
        let lines = self.lines.into_iter().map(|(_, line)| line).collect();
        ReceiveTransfer { head, transfer: self.transfer, reason, lines }
    }
}

impl Access {
    pub(super) async fn arrival(
        &self,
        write: &Write<'_>,
        form: &FormRow,
        number: &str,
        registry: &Registry<'_>,
    ) -> Result<Arrived, NotRecorded> {
        let mut found = Found::new();
        let place = self.place(form.line, "place", &form.place, &mut found);
        let transfers = self.transfers_of_form(write, number).await?;
        let transfer = match transfers.as_slice() {
            [only] => only,
            [] => {
                found.push((form.line, "transfer", FaultCode::NotFound, no_transfer(number)));
                return Err(NotRecorded::Faults(found));
            }
            _ => {
                found.push((form.line, "transfer", FaultCode::Duplicate, several(number)));
                return Err(NotRecorded::Faults(found));
            }
        };
        if place.is_some() && place != transfer.to_place_id {
            found.push((form.line, "place", FaultCode::Disagrees, elsewhere(number)));
        }
        let sent = self.on_the_way(write, transfer.id).await?;
        let mut lines = Vec::new();
        for (place, line) in form.lines.iter().enumerate() {
            let Some((supplied, version)) = good(line, registry, &mut found) else { continue };
            let goods = Goods::new(supplied.item, supplied.kit, version);
            let of_line = sent.iter().filter(|(lot, _)| {
                goods.are_in(lot) && (line.lot_number.is_none() || line.lot_number == lot.number)
            });
            let of_line: Vec<(Uuid, i64)> = of_line.map(|(lot, left)| (lot.id, *left)).collect();
            match shared_out(line, &of_line) {
                Some(arrived) => lines.extend(arrived.into_iter().map(|arrived| (place, arrived))),
                None if of_line.is_empty() => {
                    let column = match (&line.lot_number, &line.supplied) {
                        (Some(_), _) => "lot_number",
                        (None, Supplied::Item(_)) => "item",
                        (None, Supplied::Kit { .. }) => "kit",
                    };
                    found.push((line.line, column, FaultCode::Disagrees, not_sent(number)));
                }
                None => found.push((line.line, "lot_number", FaultCode::MissingValue, which_lot())),
            }
        }
        if found.is_empty() {
            Ok(Arrived { transfer: transfer.id, lines })
        } else {
            Err(NotRecorded::Faults(found))
        }
    }
}

/// What a line says of the lots that it may be about: of the only one that is on its way still, or of several when
/// the same became of all of them. None when nobody can tell.
fn shared_out(line: &FormLineRow, lots: &[(Uuid, i64)]) -> Option<Vec<ArrivalLine>> {
    let of = |lot, received, returned, lost| ArrivalLine { lot, received, returned, lost };
    let left: Vec<(Uuid, i32)> = lots
        .iter()
        .filter(|(_, left)| *left > 0)
        .filter_map(|(lot, left)| Some((*lot, i32::try_from(*left).ok()?)))
        .collect();
    // Of one that has arrived already the ledger says so.
    let only = match (left.as_slice(), lots) {
        ([(only, _)], _) | ([], [(only, _), ..]) => Some(*only),
        _ => None,
    };
    if let Some(lot) = only {
        return Some(vec![of(lot, line.quantity, line.returned, line.lost)]);
    }
    let all: i64 = left.iter().map(|(_, left)| i64::from(*left)).sum();
    let whole = |lot: &(Uuid, i32)| match (line.quantity, line.returned, line.lost) {
        (received, 0, 0) if i64::from(received) == all => Some(of(lot.0, lot.1, 0, 0)),
        (0, returned, 0) if i64::from(returned) == all => Some(of(lot.0, 0, lot.1, 0)),
        (0, 0, lost) if i64::from(lost) == all => Some(of(lot.0, 0, 0, lot.1)),
        _ => None,
    };
    left.iter().map(whole).collect::<Option<Vec<_>>>().filter(|lines| !lines.is_empty())
}

fn no_transfer(number: &str) -> Reason {
    let number = quoted(number);
    reason!(
        "There is no transfer with the form number {number}.",
        "No existe un traslado con el número de formulario {number}."
    )
}

fn elsewhere(number: &str) -> Reason {
    let number = quoted(number);
    reason!("The transfer {number} goes to another place.", "El traslado {number} va a otro lugar.")
}

fn not_sent(number: &str) -> Reason {
    let number = quoted(number);
    reason!("This was not sent with the transfer {number}.", "Esto no se envió con el traslado {number}.")
}

fn which_lot() -> Reason {
    reason!(
        "Several lots of this are on their way: say for each what became of it.",
        "Hay varios lotes de esto en camino: indique qué pasó con cada uno."
    )
}
