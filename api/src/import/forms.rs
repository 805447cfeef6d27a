//! Rows of paper forms of stock.

use std::collections::HashMap;

use entity::value::{StockMovementKind, StockSource};

use super::{
    Kind,
    cells::{Cells, MOST},
    fault::{FaultCode, Reason, quoted, reason},
    parse::{MOST_LINES, supplied},
    rows::{FormLineRow, FormRow, Happened},
};

/// All cells are read before any is missed, so that a row reports everything that is wrong with it.
pub(super) fn form(kind: Kind, cells: &mut Cells<'_, '_>) -> Option<FormRow> {
    let form_number = cells.name("form_number");
    let occurred_on = cells.date("occurred_on");
    let place = cells.name("place");
    let happened = if kind == Kind::Receipts { received(cells) } else { moved(cells) };
    let supplied = supplied(cells);
    let least = match happened {
        Some(Happened::Moved { kind: StockMovementKind::Adjustment, .. }) => -MOST,
        Some(Happened::Arrived { .. }) => 0,
        _ => 1,
    };
    let quantity = cells.number("quantity", least);
    let returned = count(cells, "returned");
    let lost = count(cells, "lost");
    let lot_number = optional(cells, "lot_number");
    let expires_on =
        if cells.is_blank("expires_on") { Some(None) } else { cells.date("expires_on").map(Some) };
    let line = FormLineRow {
        line: cells.line(),
        supplied: supplied?,
        quantity: quantity?,
        returned: returned?,
        lost: lost?,
        lot_number: lot_number?,
        expires_on: expires_on?,
    };
    Some(FormRow {
        line: cells.line(),
        form_number: form_number?,
        occurred_on: occurred_on?,
        place: place?,
        happened: happened?,
        lines: vec![line],
    })
}

fn received(cells: &mut Cells<'_, '_>) -> Option<Happened> {
    let source = cells.choice::<StockSource>("source");
    let donor = optional(cells, "donor");
    Some(Happened::Received { source: source?, donor: donor? })
}

fn moved(cells: &mut Cells<'_, '_>) -> Option<Happened> {
    use StockMovementKind::{Adjustment, Arrival, Issue, Loss, Transfer};
    let kind = cells.choice("kind").filter(|kind| {
        let known = matches!(kind, Transfer | Arrival | Issue | Loss | Adjustment);
        if !known {
            let reason = reason!(
                "A file holds TRANSFER, ARRIVAL, ISSUE, LOSS or ADJUSTMENT; record the others through the API.",
                "Un archivo contiene TRANSFER, ARRIVAL, ISSUE, LOSS o ADJUSTMENT; registre lo demás mediante la API."
            );
            cells.fault("kind", FaultCode::BadChoice, reason);
        }
        known
    });
    let reason = if cells.is_blank("reason") { Some(None) } else { cells.choice("reason").map(Some) };
    let note = optional(cells, "note");
    if kind == Some(Arrival) {
        let only = reason!("Only a transfer has this.", "Solo un traslado lo lleva.");
        let blank = are_blank(cells, &["to_place", "via"], &only);
        let transfer = cells.name("transfer");
        return Some(Happened::Arrived { transfer: transfer?, reason: reason?, note: note? })
            .filter(|_| blank);
    }
    let only = reason!("Only an arrival has this.", "Solo una llegada lo lleva.");
    let blank = are_blank(cells, &["transfer", "returned", "lost"], &only);
    let to_place = optional(cells, "to_place");
    let via = optional(cells, "via");
    let moved = Happened::Moved { kind: kind?, to_place: to_place?, via: via?, reason: reason?, note: note? };
    Some(moved).filter(|_| blank)
}

/// Whether cells are empty that do not belong to this kind of movement.
fn are_blank(cells: &mut Cells<'_, '_>, columns: &[&'static str], only: &Reason) -> bool {
    let mut blank = true;
    for column in columns {
        if !cells.is_blank(column) {
            cells.fault(column, FaultCode::Invalid, only.clone());
            blank = false;
        }
    }
    blank
}

/// A number that is zero where the cell is empty.
fn count(cells: &mut Cells<'_, '_>, column: &'static str) -> Option<i32> {
    if cells.is_blank(column) { Some(0) } else { cells.number(column, 0) }
}

fn optional(cells: &mut Cells<'_, '_>, column: &'static str) -> Option<Option<String>> {
    if cells.is_blank(column) { Some(None) } else { cells.name(column).map(Some) }
}

pub(super) fn join(
    rows: &mut Vec<FormRow>,
    places: &mut HashMap<String, usize>,
    mut found: FormRow,
    cells: &mut Cells<'_, '_>,
) {
    let Some(first) = places.get(&found.form_number).and_then(|&place| rows.get_mut(place)) else {
        places.insert(found.form_number.clone(), rows.len());
        rows.push(found);
        return;
    };
    let whole = match found.happened {
        Happened::Received { .. } => "source",
        Happened::Moved { .. } | Happened::Arrived { .. } => "kind",
    };
    for (column, same) in [
        ("occurred_on", first.occurred_on == found.occurred_on),
        ("place", first.place == found.place),
        (whole, first.happened == found.happened),
    ] {
        if !same {
            let (number, line) = (quoted(&found.form_number), first.line);
            let reason = reason!(
                "What the form {number} says as a whole differs from line {line}.",
                "Lo que el formulario {number} dice en conjunto difiere de la línea {line}."
            );
            cells.fault(column, FaultCode::Disagrees, reason);
        }
    }
    if first.lines.len() == MOST_LINES {
        let reason = reason!(
            "The form has more than {MOST_LINES} lines.",
            "El formulario tiene más de {MOST_LINES} renglones."
        );
        cells.fault("form_number", FaultCode::TooLarge, reason);
    } else {
        first.lines.append(&mut found.lines);
    }
}
