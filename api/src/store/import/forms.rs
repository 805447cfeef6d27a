//! Paper forms of stock, through the ledger and under the rules of the mutations.
//!
//! What is on hand decides whether a form holds, and the forms before it decide what is on hand. So a file is tried
//! first, whole and in a transaction that leaves nothing, and then written.

mod arrival;
mod faults;

use entity::{
    stock_balance, stock_lot,
    value::{StockMovementKind, StockPlaceKind, StockReason},
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Query},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use self::faults::{
    Found, NotRecorded, fault_of, imported, needed, one_fault, only_transfers, several, unknown,
};
use super::{Registry, Stopped};
use crate::{
    error::{Error, Result},
    import::{FaultCode, Faults, FormLineRow, FormRow, Happened, Kind, Lookup, Supplied as Code},
    store::{
        Access,
        distribution::Supplied,
        input::{Once, Refused},
        stock::{
            Head,
            action::Action,
            draw::StockLine,
            record::{AdjustStock, Change, ReceiptLine, ReceiveStock, TakeStock},
            transfer::TransferStock,
        },
        tied::{self, Hold},
        write::{Seen, Write},
    },
};

/// What became of a form.
enum Outcome {
    Recorded,
    Unchanged,
}

impl Access {
    /// The forms that are new, by day, after all were tried; every fault is reported.
    pub(super) async fn try_forms(
        &self,
        mut forms: Vec<FormRow>,
        faults: &mut Faults,
        unchanged: &mut usize,
    ) -> Result<Vec<FormRow>> {
        // Rows with faults are not among the lines of a form, which then differs from what was imported before.
        let whole = faults.is_empty();
        // On one day a transfer goes before what arrives of it.
        forms.sort_by_key(|form| (form.occurred_on, matches!(form.happened, Happened::Arrived { .. })));
        let write = self.store.bulk().await?.as_write(self);
        if tied::take(&write.tx, Hold::MoveMany, self.own()?).await? != self.catalog.version {
            return Err(Error::Unavailable);
        }
        let mut new = Vec::new();
        for form in forms {
            match self.form(&write, &form, "").await {
                Ok(Outcome::Recorded) => new.push(form),
                Ok(Outcome::Unchanged) => *unchanged += 1,
                Err(NotRecorded::Fault(fault)) => return Err(fault),
                Err(NotRecorded::Faults(found)) => {
                    for (line, column, code, reason) in found {
                        if whole || code != FaultCode::Conflict {
                            faults.add(line, Some(column), code, reason);
                        }
                    }
                }
            }
        }
        write.discard().await?;
        Ok(new)
    }

    /// Records a form that was tried before.
    pub(super) async fn write_form(
        &self,
        write: &Write<'_>,
        form: &FormRow,
        file: &str,
    ) -> Result<(), Stopped> {
        match self.form(write, form, file).await {
            Ok(Outcome::Recorded) => Ok(()),
            Ok(Outcome::Unchanged) => Err(Stopped::Taken),
            Err(NotRecorded::Faults(_)) => Err(Stopped::Changed),
            Err(NotRecorded::Fault(fault)) => Err(Stopped::Fault(fault)),
        }
    }

    /// Records one form, its number being the key under which it is recorded once.
    async fn form(&self, write: &Write<'_>, form: &FormRow, file: &str) -> Result<Outcome, NotRecorded> {
        let kind = form.kind();
        let unwritable = |_| Error::Internal("a form cannot be written as JSON".into());
        let once = Once {
            key: format!("import {} {}", kind.name(), form.form_number),
            operation: format!("import {}", kind.name()),
            hash: Sha256::digest(serde_json::to_vec(form).map_err(unwritable)?).to_vec(),
            shared: false,
        };
        let id = match write.once(&once, self.new_id()).await {
            Ok(Seen::First(id)) => id,
            Ok(Seen::Again(_)) => return Ok(Outcome::Unchanged),
            Err(Refused::User(_)) => {
                return Err(one_fault(
                    form.line,
                    "form_number",
                    FaultCode::Conflict,
                    imported(&form.form_number),
                ));
            }
            Err(other) => return Err(fault_of(form, &[], other)),
        };
        let registry = self.import_registry(kind)?;
        // The line of the form that each line of the movement comes from.
        let mut lines: Vec<usize> = (0..form.lines.len()).collect();
        let action = match &form.happened {
            Happened::Received { .. } => Action::Receive(self.receipt(form, &registry)?),
            Happened::Moved { kind, .. } => self.movement(write, *kind, form, &registry).await?,
            Happened::Arrived { transfer, reason, .. } => {
                let arrived = self.arrival(write, form, transfer, &registry).await?;
                lines = arrived.lines.iter().map(|(line, _)| *line).collect();
                Action::Arrive(arrived.into_input(form.head(), *reason))
            }
        };
        let row = self.act(write, id, &action).await.map_err(|refused| fault_of(form, &lines, refused))?;
        let detail = json!({ "file": file, "line": form.line, "kind": row.kind });
        write.audit("IMPORT", "stock_movement", row.id, None, detail).await?;
        Ok(Outcome::Recorded)
    }

    fn receipt(&self, form: &FormRow, registry: &Registry<'_>) -> Result<ReceiveStock, NotRecorded> {
        let Happened::Received { source, donor } = &form.happened else {
            return Err(Error::Internal("a receipt is none".into()).into());
        };
        let mut found = Vec::new();
        let place = self.place(form.line, "place", &form.place, &mut found);
        let giver = donor.as_ref().and_then(|slug| {
            let giver = self.organization_by_slug(slug).map(|entry| entry.row.id);
            if giver.is_none() {
                found.push(unknown(form.line, "donor", slug));
            }
            giver
        });
        let lines = form
            .lines
            .iter()
            .filter_map(|line| {
                let (supplied, kit_version) = good(line, registry, &mut found)?;
                Some(ReceiptLine {
                    supplied,
                    kit_version,
                    quantity: line.quantity,
                    number: line.lot_number.clone(),
                    expires_on: line.expires_on,
                    unit_value: None,
                })
            })
            .collect();
        let Some(place) = place.filter(|_| found.is_empty()) else { return Err(NotRecorded::Faults(found)) };
        Ok(ReceiveStock {
            head: form.head(),
            place,
            source: *source,
            donor: giver,
            gift: None,
            award: None,
            lines,
        })
    }

    /// A movement of goods that are here.
    async fn movement(
        &self,
        write: &Write<'_>,
        kind: StockMovementKind,
        form: &FormRow,
        registry: &Registry<'_>,
    ) -> Result<Action, NotRecorded> {
        let Happened::Moved { to_place, via, reason, .. } = &form.happened else {
            return Err(Error::Internal("a movement is none".into()).into());
        };
        let mut found = Vec::new();
        let transfers = kind == StockMovementKind::Transfer;
        let adjusts = kind == StockMovementKind::Adjustment;
        for (column, filled) in [("to_place", to_place.is_some()), ("via", via.is_some())] {
            if filled && !transfers {
                found.push((form.line, column, FaultCode::Invalid, only_transfers()));
            }
        }
        let from = self.place(form.line, "place", &form.place, &mut found);
        let mut lots = Vec::new();
        for line in &form.lines {
            let Some((supplied, version)) = good(line, registry, &mut found) else { continue };
            let lot = match (from, &line.lot_number) {
                (Some(place), number) if adjusts || number.is_some() => {
                    self.lot(write, place, (supplied, version), line, &mut found).await?
                }
                _ => None,
            };
            lots.push((supplied, version, lot, line.quantity));
        }
        let (to, via) = match (transfers, to_place) {
            (true, Some(name)) => {
                (self.place(form.line, "to_place", name, &mut found), self.transit(form, via, &mut found))
            }
            (true, None) => {
                found.push((form.line, "to_place", FaultCode::MissingValue, needed()));
                (None, None)
            }
            (false, _) => (None, None),
        };
        if adjusts && reason.is_none() {
            found.push((form.line, "reason", FaultCode::MissingValue, needed()));
        }
        let Some(place) = from.filter(|_| found.is_empty()) else { return Err(NotRecorded::Faults(found)) };
        let head = form.head();
        let lines = || {
            let line = |&(supplied, version, lot, quantity): &(Supplied, Option<i32>, Option<Uuid>, i32)| {
                StockLine {
                    lot,
                    supplied: lot.is_none().then_some(supplied),
                    kit_version: version.filter(|_| lot.is_none()),
                    quantity,
                }
            };
            lots.iter().map(line).collect()
        };
        Ok(match (kind, to.zip(via)) {
            (StockMovementKind::Transfer, Some((to, via))) => {
                Action::Transfer(TransferStock { head, from: place, via, to, lines: lines() })
            }
            (StockMovementKind::Adjustment, _) => {
                let changes =
                    lots.iter().filter_map(|&(_, _, lot, change)| Some(Change { lot: lot?, change }));
                let reason = reason.unwrap_or(StockReason::Other);
                Action::Adjust(AdjustStock { head, place, reason, lines: changes.collect() })
            }
            (StockMovementKind::Loss, _) => {
                Action::Lose(TakeStock { head, place, reason: *reason, lines: lines() })
            }
            _ => Action::Issue(TakeStock { head, place, reason: *reason, lines: lines() }),
        })
    }

    /// A place that is in use, by its name or by the facility whose store it is.
    fn place(&self, line: u32, column: &'static str, name: &str, found: &mut Found) -> Option<Uuid> {
        let facility = self.facility_by_slug(name).map(|entry| entry.row.id);
        let open =
            self.catalog.stock_places.iter().filter(|place| {
                place.archived_at.is_none() && self.viewer.is_staff_of(place.organization_id)
            });
        let named: Vec<Uuid> = open
            .filter(|place| place.name == name || (facility.is_some() && place.facility_id == facility))
            .map(|place| place.id)
            .collect();
        match named.as_slice() {
            [only] => return Some(*only),
            [] => found.push(unknown(line, column, name)),
            _ => found.push((line, column, FaultCode::Duplicate, several(name))),
        }
        None
    }

    /// The place in transit that is named, or the only one.
    fn transit(&self, form: &FormRow, via: &Option<String>, found: &mut Found) -> Option<Uuid> {
        if let Some(name) = via {
            return self.place(form.line, "via", name, found);
        }
        let open = self.catalog.stock_places.iter().filter(|place| {
            place.archived_at.is_none()
                && place.kind == StockPlaceKind::InTransit
                && self.viewer.is_staff_of(place.organization_id)
        });
        let ids: Vec<Uuid> = open.map(|place| place.id).collect();
        if let [only] = ids.as_slice() {
            return Some(*only);
        }
        found.push((form.line, "via", FaultCode::MissingValue, needed()));
        None
    }

    /// The lot of these goods with the number that the line says, or without one: the only one that there is, or the
    /// only one that lies here.
    #[expect(clippy::disallowed_methods, reason = "begins from the organisation that the program was told")]
    async fn lot(
        &self,
        write: &Write<'_>,
        place: Uuid,
        (supplied, version): (Supplied, Option<i32>),
        line: &FormLineRow,
        found: &mut Found,
    ) -> Result<Option<Uuid>> {
        use stock_lot::Column::{Id, ItemId, KitId, KitVersion, Number, OrganizationId};
        let own = self.own()?;
        let mut lots = stock_lot::Entity::find().filter(OrganizationId.eq(own));
        lots = match (supplied.item, supplied.kit) {
            (Some(item), _) => lots.filter(ItemId.eq(item)),
            (None, kit) => lots.filter(KitId.eq(kit.unwrap_or_default())),
        };
        if let Some(version) = version {
            lots = lots.filter(KitVersion.eq(version));
        }
        lots = match &line.lot_number {
            Some(number) => lots.filter(Number.eq(number.as_str())),
            None => lots.filter(Number.is_null()),
        };
        let known: Vec<Uuid> = lots.clone().all(&write.tx).await?.iter().map(|lot| lot.id).collect();
        if let [only] = known.as_slice() {
            return Ok(Some(*only));
        }
        let here = Query::select()
            .column(stock_balance::Column::LotId)
            .from(stock_balance::Entity)
            .and_where(Expr::col(stock_balance::Column::OrganizationId).eq(own))
            .and_where(Expr::col(stock_balance::Column::PlaceId).eq(place))
            .and_where(Expr::col(stock_balance::Column::OnHand).gt(0))
            .to_owned();
        let here = lots.filter(Id.in_subquery(here)).all(&write.tx).await?;
        let number = line.lot_number.as_deref().unwrap_or_default();
        match here.as_slice() {
            [only] => return Ok(Some(only.id)),
            [] if known.is_empty() => found.push(unknown(line.line, "lot_number", number)),
            _ => found.push((line.line, "lot_number", FaultCode::Duplicate, several(number))),
        }
        Ok(None)
    }
}

impl FormRow {
    fn kind(&self) -> Kind {
        match self.happened {
            Happened::Received { .. } => Kind::Receipts,
            Happened::Moved { .. } | Happened::Arrived { .. } => Kind::Movements,
        }
    }

    fn head(&self) -> Head {
        let note = match &self.happened {
            Happened::Moved { note, .. } | Happened::Arrived { note, .. } => note.clone(),
            Happened::Received { .. } => None,
        };
        let form_number = Some(self.form_number.clone());
        Head { validate_only: false, occurred_on: self.occurred_on, form_number, note }
    }
}

/// What a line is about, and the version of the kit that it names.
fn good(line: &FormLineRow, registry: &Registry<'_>, found: &mut Found) -> Option<(Supplied, Option<i32>)> {
    match &line.supplied {
        Code::Item(code) => match registry.item(code) {
            Some(item) => return Some((Supplied { item: Some(item.id), kit: None }, None)),
            None => found.push(unknown(line.line, "item", code)),
        },
        Code::Kit { code, version } => match registry.kit(code) {
            Some(kit) => return Some((Supplied { item: None, kit: Some(kit.id) }, *version)),
            None => found.push(unknown(line.line, "kit", code)),
        },
    }
    None
}
