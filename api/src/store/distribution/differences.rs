//! Where a delivery here and a delivery as a device has sent it are not the same.

use chrono::NaiveDate;
use entity::{
    distribution, distribution_line, shipment_line,
    value::{DistributionStatus, StockReason, VoidReason},
};
use sea_orm::ActiveEnum;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{LineInput, sync::SyncRow};
use crate::{
    id::{self, Kind},
    store::{
        Access,
        input::Written,
        shipment::{Shipment, is_ahead},
        sync::Difference,
        write::Write,
    },
};

impl Access {
    /// Where a row here and a row as sent are not the same.
    pub(super) async fn differences(
        &self,
        write: &Write<'_>,
        row: &SyncRow,
        here: &distribution::Model,
    ) -> Written<Vec<Difference>> {
        let global = |kind, id: Uuid| json!(id::text(kind, id));
        let lines = self.lines_now(write, here).await?;
        let shipment = self.shipment_of(write, here.id).await?.filter(|_| !is_ahead(here));
        let drawn = if row.place.is_some() { self.drawn_by(write, here.id).await? } else { None };
        // What is void has given back what it took, and its device says where that was.
        let is_void = here.status == DistributionStatus::Voided;
        let lots = match &drawn {
            Some(drawn) => drawn.lots_of(&lines, &self.lots_in(write, drawn.lots()).await?),
            None => vec![None; lines.len()],
        };
        let lines_here: Vec<Value> = match &shipment {
            Some(shipment) => shipped_here(shipment, &lines, here.people_reached, &row.lines),
            None => lines
                .iter()
                .zip(&lots)
                .enumerate()
                .map(|(place, (line, lot))| {
                    let sent = row.lines.get(place);
                    line_here(line, if is_void { sent.and_then(|sent| sent.lot) } else { *lot }, sent)
                })
                .collect(),
        };
        let lines_sent: Vec<Value> =
            row.lines.iter().map(|line| line_sent(line, row.people_reached, shipment.is_some())).collect();
        let voided = |reason: Option<VoidReason>| reason.map(|reason| reason.to_value());
        let here_void = here.void_reason.filter(|_| is_void);
        let place = drawn.map(|drawn| global(Kind::StockPlace, drawn.place));
        let all = [
            ("facility", global(Kind::Facility, here.facility_id), global(Kind::Facility, row.facility)),
            ("program", global(Kind::Program, here.program_id), global(Kind::Program, row.program)),
            ("occurredOn", json!(here.occurred_on), json!(row.occurred_on)),
            ("peopleReached", json!(here.people_reached), json!(row.people_reached)),
            ("reachMethod", json!(here.reach_method.to_value()), json!(row.reach_method.to_value())),
            ("formNumber", json!(here.form_number), json!(row.form_number)),
            ("lines", Value::Array(lines_here), Value::Array(lines_sent)),
            ("voided", json!(voided(here_void)), json!(voided(row.void.as_ref().map(|void| void.reason)))),
        ];
        let place = row
            .place
            .filter(|_| !is_void)
            .map(|sent| ("place", json!(place), global(Kind::StockPlace, sent)));
        let becomes = if row.void.is_some() { "VOIDED" } else { "DELIVERED" };
        let status = is_ahead(here).then(|| ("status", json!(here.status.to_value()), json!(becomes)));
        let proof = self.proof_differs(write, row, here).await?;
        let reason = |reason: Option<StockReason>| json!(reason.map(|reason| reason.to_value()));
        let loss = shipment
            .filter(|_| !is_void)
            .map(|shipment| ("lossReason", reason(shipment.row.loss_reason), reason(row.loss_reason)));
        let all = all.into_iter().chain(place).chain(status).chain(loss).chain(proof);
        let differing = all.filter(|(_, here, sent)| here != sent);
        Ok(differing.map(|(field, here, sent)| Difference { field, here, sent }).collect())
    }
}

impl Access {
    /// A proof that is not among those here. None is taken away, so a row that sends none differs in nothing.
    async fn proof_differs(
        &self,
        write: &Write<'_>,
        row: &SyncRow,
        here: &distribution::Model,
    ) -> Written<Option<(&'static str, Value, Value)>> {
        let Some(sent) = &row.proof else { return Ok(None) };
        let proofs = self.proofs_on(&write.tx, &[here.id]).await?;
        if proofs.iter().any(|proof| sent.is(proof)) {
            return Ok(None);
        }
        let said = |by: &str, on: NaiveDate, digest: &Option<String>| json!({ "signedBy": by, "signedOn": on, "documentSha256": digest });
        let newest = proofs.last().map(|last| said(&last.signed_by, last.signed_on, &last.document_sha256));
        Ok(Some(("proof", json!(newest), said(&sent.signed_by, sent.signed_on, &sent.document_sha256))))
    }
}

/// A line here, as a device would have sent it: what it left open is left open.
fn line_here(line: &distribution_line::Model, lot: Option<Uuid>, sent: Option<&LineInput>) -> Value {
    line_of(
        (line.item_id, line.kit_id),
        line.kit_version.filter(|_| sent.is_none_or(|sent| sent.kit_version.is_some())),
        (line.quantity, line.people_reached),
        lot.filter(|_| sent.is_some_and(|sent| sent.lot.is_some())),
        None,
    )
}

/// The lines of what was dispatched, as a device would have sent them, in its order: with what came back and was lost.
fn shipped_here(
    shipment: &Shipment,
    lines: &[distribution_line::Model],
    people: i32,
    sent: &[LineInput],
) -> Vec<Value> {
    let is_of = |sent: &LineInput, line: &shipment_line::Model| {
        (sent.supplied.item, sent.supplied.kit) == (line.item_id, line.kit_id)
            && (sent.kit_version.is_none() || sent.kit_version == line.kit_version)
    };
    let place =
        |line: &shipment_line::Model| sent.iter().position(|sent| is_of(sent, line)).unwrap_or(sent.len());
    let mut shipped: Vec<&shipment_line::Model> = shipment.lines.iter().collect();
    shipped.sort_by_key(|line| place(line));
    let value = |line: &shipment_line::Model| {
        let goods = (line.item_id, line.kit_id);
        let sent = sent.get(place(line));
        let here = lines.iter().find(|here| {
            (here.item_id, here.kit_id, here.kit_version) == (goods.0, goods.1, line.kit_version)
        });
        // Of what did not arrive nothing says whom it would have reached.
        let reached = here.map_or_else(
            || sent.and_then(|sent| sent.people_reached).unwrap_or(people),
            |here| here.people_reached,
        );
        line_of(
            goods,
            line.kit_version.filter(|_| sent.is_none_or(|sent| sent.kit_version.is_some())),
            (line.received.unwrap_or(0), reached),
            None,
            Some((line.returned.unwrap_or(0), line.lost.unwrap_or(0))),
        )
    };
    shipped.into_iter().map(value).collect()
}

fn line_sent(line: &LineInput, people: i32, shipped: bool) -> Value {
    let reached = line.people_reached.unwrap_or(people);
    let goods = (line.supplied.item, line.supplied.kit);
    let rest = shipped.then(|| (line.returned.unwrap_or(0), line.lost.unwrap_or(0)));
    line_of(goods, line.kit_version, (line.quantity, reached), line.lot, rest)
}

/// A line as JSON; `rest` is what came back and what was lost of what was dispatched.
fn line_of(
    goods: (Option<Uuid>, Option<Uuid>),
    kit_version: Option<i32>,
    numbers: (i32, i32),
    lot: Option<Uuid>,
    rest: Option<(i32, i32)>,
) -> Value {
    let global = |kind, id: Option<Uuid>| id.map(|id| id::text(kind, id));
    let mut line = json!({
        "item": global(Kind::Item, goods.0),
        "kit": global(Kind::Kit, goods.1),
        "kitVersion": kit_version,
        "quantity": numbers.0,
        "peopleReached": numbers.1,
        "lot": global(Kind::StockLot, lot),
    });
    if let Some((returned, lost)) = rest {
        line["returned"] = json!(returned);
        line["lost"] = json!(lost);
    }
    line
}
