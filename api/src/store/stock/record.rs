//! Movements at one place: goods come in, are handed over, come back, are lost, or were recorded wrongly.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use entity::{
    stock_lot, stock_movement,
    value::{StockMovementKind, StockReason, StockSide, StockSource},
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    BAD_LINES, BAD_REASON, FOR_DELIVERY, Goods, Head, LotQuantity, NO_LOT, SAME_LOT, UNDONE,
    draw::{MOST, Purpose, StockLine, pairs},
    ledger::{Entry, Movement, Side},
};
use crate::{
    id,
    store::{
        Access,
        class::THRESHOLD,
        distribution::{CheckedLine, LineInput, Supplied},
        input::{Faults, Message, MoneyInput, UserError, UserErrorCode, Written},
        kit::BAD_QUANTITY,
        write::Write,
    },
};

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiveStock {
    #[serde(flatten)]
    pub head: Head,
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_PLACE}>")]
    pub place: Uuid,
    pub source: StockSource,
    #[serde(default, deserialize_with = "id::optional::<_, {id::ORGANIZATION}>")]
    pub donor: Option<Uuid>,
    #[serde(default, deserialize_with = "id::optional::<_, {id::GIFT}>")]
    pub gift: Option<Uuid>,
    #[serde(default, deserialize_with = "id::optional::<_, {id::AWARD}>")]
    pub award: Option<Uuid>,
    pub lines: Vec<ReceiptLine>,
}

/// Goods that came in together become a lot.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptLine {
    pub supplied: Supplied,
    #[serde(default)]
    pub kit_version: Option<i32>,
    pub quantity: i32,
    #[serde(default)]
    pub number: Option<String>,
    #[serde(default)]
    pub expires_on: Option<NaiveDate>,
    #[serde(default)]
    pub unit_value: Option<MoneyInput>,
}

/// Goods that leave a place for use, or for good.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TakeStock {
    #[serde(flatten)]
    pub head: Head,
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_PLACE}>")]
    pub place: Uuid,
    #[serde(default)]
    pub reason: Option<StockReason>,
    pub lines: Vec<StockLine>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnStock {
    #[serde(flatten)]
    pub head: Head,
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_MOVEMENT}>")]
    pub issue: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_PLACE}>")]
    pub place: Uuid,
    pub reason: StockReason,
    pub lines: Vec<LotQuantity>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdjustStock {
    #[serde(flatten)]
    pub head: Head,
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_PLACE}>")]
    pub place: Uuid,
    pub reason: StockReason,
    pub lines: Vec<Change>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Change {
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_LOT}>")]
    pub lot: Uuid,
    pub change: i32,
}

impl Access {
    /// Goods that came in; each line becomes a lot.
    ///
    /// # Errors
    /// User errors for what a client can mend.
    pub(super) async fn receive_in(
        &self,
        write: &Write<'_>,
        id: Uuid,
        input: &ReceiveStock,
    ) -> Written<stock_movement::Model> {
        let mut faults = Faults::default();
        self.check_head(&mut faults, &input.head);
        let place = self.check_store(&mut faults, input.place, "place");
        let lines: Vec<LineInput> = input.lines.iter().map(ReceiptLine::as_line).collect();
        let checked = self.check_lines_of_any(&mut faults, &lines, input.head.occurred_on, |_| false);
        if let Some(facility) = place.and_then(|place| place.facility_id) {
            self.check_permitted(&mut faults, facility, input.head.occurred_on, &checked);
        }
        self.check_origin(&mut faults, input);
        for (place, line) in input.lines.iter().enumerate() {
            let number = place.to_string();
            if let Some(text) = &line.number {
                faults.short_text(text, &["lines", &number, "number"]);
            }
            if let Some(value) = &line.unit_value {
                faults.money(value, &["lines", &number, "unitValue"]);
            }
            let lasts = line.expires_on.is_none_or(|last| input.head.occurred_on <= last);
            let field = ["lines", &number, "expiresOn"];
            faults.check(lasts, UserErrorCode::Expired, &field, CAME_EXPIRED);
        }
        faults.refuse()?;
        let lots = self.new_lots(write, input, &checked).await?;
        let row = self.movement_of(id, StockMovementKind::Receipt, &input.head)?;
        let mut movement = Movement { row, entries: Vec::new(), field: "lines" };
        for (line, (lot, quantity)) in lots.iter().enumerate() {
            let open = self.is_general(Goods::of(lot));
            let entry = Entry {
                lot: lot.id,
                side: Side::Place(input.place),
                quantity: i64::from(*quantity),
                open,
                people: None,
                line: Some(line),
            };
            movement.carry(Side::Outside(StockSide::Supplier), Side::Place(input.place), entry);
        }
        let held = self.hold(write, movement.pairs().collect()).await?;
        self.post(write, &held, std::slice::from_ref(&movement)).await?;
        Ok(movement.row)
    }

    fn check_origin(&self, faults: &mut Faults, input: &ReceiveStock) {
        let given = input.source == StockSource::Donation;
        let made = input.source == StockSource::Assembled;
        faults.check(!made, UserErrorCode::Invalid, &["source"], BY_ASSEMBLY);
        faults.check(given || input.donor.is_none(), UserErrorCode::Invalid, &["donor"], NOT_GIVEN);
        if let Some(donor) = input.donor {
            let there = self.organization(donor).is_some();
            faults.check(there, UserErrorCode::NotFound, &["donor"], crate::store::award::NO_DONOR);
        }
        if let Some(gift) = input.gift {
            let own = self.gift(gift).filter(|gift| self.viewer.is_staff_of(gift.row.organization_id));
            // A gift has one donor, and its goods are that donor's.
            let fits = own.is_some_and(|gift| given && input.donor == Some(gift.row.donor_id));
            faults.check(fits, UserErrorCode::NotFound, &["gift"], NO_GIFT);
        }
        if let Some(award) = input.award {
            let own = self.award(award).filter(|award| self.viewer.is_staff_of(award.row.organization_id));
            faults.check(own.is_some(), UserErrorCode::NotFound, &["award"], NO_AWARD);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "rows of the viewer's own organisation")]
    async fn new_lots(
        &self,
        write: &Write<'_>,
        input: &ReceiveStock,
        checked: &[CheckedLine],
    ) -> Written<Vec<(stock_lot::Model, i32)>> {
        let own = self.own()?;
        let lots: Vec<(stock_lot::Model, i32)> = input
            .lines
            .iter()
            .zip(checked)
            .map(|(line, goods)| {
                let value = line.unit_value.as_ref();
                let lot = stock_lot::Model {
                    organization_id: own,
                    id: self.new_id(),
                    item_id: goods.item_id,
                    kit_id: goods.kit_id,
                    kit_version: goods.kit_version,
                    number: line.number.clone(),
                    expires_on: line.expires_on,
                    source: input.source,
                    donor_id: input.donor,
                    gift_id: input.gift,
                    award_id: input.award,
                    unit_value_minor: value.and_then(|value| value.amount.parse().ok()),
                    currency: value.map(|value| value.currency.clone()),
                    recorded_at: self.now,
                };
                (lot, goods.quantity)
            })
            .collect();
        let rows = lots.iter().map(|(lot, _)| lot.clone().into_active_model().reset_all());
        stock_lot::Entity::insert_many(rows).exec_without_returning(&write.tx).await?;
        Ok(lots)
    }

    /// Goods that were handed over outside of a delivery, such as to a workshop, or that are gone, and why.
    pub(super) async fn take_in(
        &self,
        write: &Write<'_>,
        id: Uuid,
        input: &TakeStock,
        kind: StockMovementKind,
    ) -> Written<stock_movement::Model> {
        use StockReason::{Damaged, Expired, Missing, Other, Recalled, Seized, Stolen};
        let mut faults = Faults::default();
        self.check_head(&mut faults, &input.head);
        self.check_store(&mut faults, input.place, "place");
        let (to, purpose, fits) = match kind {
            StockMovementKind::Loss => {
                let why = [Expired, Damaged, Stolen, Missing, Seized, Recalled, Other];
                let fits = input.reason.is_some_and(|reason| why.contains(&reason));
                (StockSide::Lost, Purpose::Move, fits)
            }
            _ => (StockSide::Consumed, Purpose::Use, input.reason.is_none()),
        };
        faults.check(fits, UserErrorCode::Invalid, &["reason"], BAD_REASON);
        let wanted = self.check_stock_lines(&mut faults, &input.lines)?;
        faults.refuse()?;
        let lots = self.candidates(write, input.place, &wanted).await?;
        let held = self.hold(write, pairs(&[input.place], lots.keys().copied())).await?;
        let on = (input.head.occurred_on, purpose);
        let picked = self.pick(write, &held, input.place, &lots, &wanted, on).await?;
        let mut row = self.movement_of(id, kind, &input.head)?;
        row.reason = input.reason;
        let mut movement = Movement { row, entries: Vec::new(), field: "lines" };
        for pick in picked {
            let entry = Entry {
                lot: pick.lot,
                side: Side::Place(input.place),
                quantity: pick.quantity,
                open: false,
                people: None,
                line: Some(pick.line),
            };
            movement.carry(Side::Place(input.place), Side::Outside(to), entry);
        }
        self.post(write, &held, std::slice::from_ref(&movement)).await?;
        Ok(movement.row)
    }

    /// Goods of an issue that came back unused: never more than it took.
    pub(super) async fn return_in(
        &self,
        write: &Write<'_>,
        id: Uuid,
        input: &ReturnStock,
    ) -> Written<stock_movement::Model> {
        use StockReason::{Damaged, Other, Refused, Unused};
        let mut faults = Faults::default();
        self.check_head(&mut faults, &input.head);
        self.check_store(&mut faults, input.place, "place");
        let fits = [Unused, Refused, Damaged, Other].contains(&input.reason);
        faults.check(fits, UserErrorCode::Invalid, &["reason"], BAD_REASON);
        check_lots(&mut faults, input.lines.iter().map(|line| (line.lot, line.quantity)), 1..=MOST);
        faults.refuse()?;
        let issue = self.movement_to_follow(write, input.issue, "issue").await?;
        let refuse = |message| UserError::new(UserErrorCode::Invalid, &["issue"], message);
        if issue.kind != StockMovementKind::Issue || issue.reverses_id.is_some() {
            return Err(refuse(NOT_AN_ISSUE).into());
        }
        if issue.distribution_id.is_some() {
            return Err(refuse(FOR_DELIVERY).into());
        }
        if self.is_undone(write, issue.id).await? {
            return Err(refuse(UNDONE).into());
        }
        if input.head.occurred_on < issue.occurred_on {
            return Err(UserError::new(UserErrorCode::OutOfRange, &["occurredOn"], BEFORE_IT).into());
        }
        let mut related = self.followers(write, issue.id).await?;
        related.push(issue.id);
        let mut out: BTreeMap<Uuid, i64> = BTreeMap::new();
        for entry in self.entries_of(write, related).await? {
            if entry.side == StockSide::Consumed {
                *out.entry(entry.lot_id).or_default() += entry.quantity;
            }
        }
        let mut row = self.movement_of(id, StockMovementKind::Return, &input.head)?;
        row.follows_id = Some(issue.id);
        row.reason = Some(input.reason);
        let mut movement = Movement { row, entries: Vec::new(), field: "lines" };
        let mut faults = Faults::default();
        for (line, given) in input.lines.iter().enumerate() {
            let number = line.to_string();
            match out.get(&given.lot) {
                None => faults.add(UserErrorCode::NotFound, &["lines", &number, "lot"], NO_LOT),
                Some(left) => {
                    let field = ["lines", &number, "quantity"];
                    let fits = i64::from(given.quantity) <= *left;
                    faults.check(fits, UserErrorCode::OutOfRange, &field, MORE_THAN_LEFT);
                }
            }
            let entry = Entry {
                lot: given.lot,
                side: Side::Place(input.place),
                quantity: given.quantity.into(),
                open: false,
                people: None,
                line: Some(line),
            };
            movement.carry(Side::Outside(StockSide::Consumed), Side::Place(input.place), entry);
        }
        faults.refuse()?;
        let held = self.hold(write, movement.pairs().collect()).await?;
        self.post(write, &held, std::slice::from_ref(&movement)).await?;
        Ok(movement.row)
    }

    /// The record was wrong: each lot changes by a number, above or below zero.
    pub(super) async fn adjust_in(
        &self,
        write: &Write<'_>,
        id: Uuid,
        input: &AdjustStock,
    ) -> Written<stock_movement::Model> {
        use StockReason::{EntryError, Found, Missing, OpeningBalance, Other};
        let mut faults = Faults::default();
        self.check_head(&mut faults, &input.head);
        self.check_store(&mut faults, input.place, "place");
        let fits = [EntryError, Found, Missing, OpeningBalance, Other].contains(&input.reason);
        faults.check(fits, UserErrorCode::Invalid, &["reason"], BAD_REASON);
        check_lots(&mut faults, input.lines.iter().map(|line| (line.lot, line.change)), -MOST..=MOST);
        for (line, change) in input.lines.iter().enumerate() {
            let field = ["lines", &line.to_string(), "change"];
            faults.check(change.change != 0, UserErrorCode::OutOfRange, &field, BAD_QUANTITY);
        }
        faults.refuse()?;
        self.check_lots_exist(write, input.lines.iter().map(|line| line.lot)).await?;
        let mut row = self.movement_of(id, StockMovementKind::Adjustment, &input.head)?;
        row.reason = Some(input.reason);
        let mut movement = Movement { row, entries: Vec::new(), field: "lines" };
        for (line, change) in input.lines.iter().enumerate() {
            movement.adjust(input.place, change.lot, change.change.into(), line);
        }
        let held = self.hold(write, movement.pairs().collect()).await?;
        self.post(write, &held, std::slice::from_ref(&movement)).await?;
        Ok(movement.row)
    }

    /// Refuses lots that the viewer's organisation does not have.
    pub(super) async fn check_lots_exist(
        &self,
        write: &Write<'_>,
        lots: impl Iterator<Item = Uuid> + Clone,
    ) -> Written<HashMap<Uuid, stock_lot::Model>> {
        let known = self.lots_in(write, lots.clone()).await?;
        let mut faults = Faults::default();
        for (line, lot) in lots.enumerate() {
            let field = ["lines", &line.to_string(), "lot"];
            faults.check(known.contains_key(&lot), UserErrorCode::NotFound, &field, NO_LOT);
        }
        faults.refuse()?;
        Ok(known)
    }
}

impl Movement {
    /// The record of a lot at a place changes, with nothing coming or going.
    pub(super) fn adjust(&mut self, place: Uuid, lot: Uuid, change: i64, line: usize) {
        let entry = Entry {
            lot,
            side: Side::Place(place),
            quantity: change,
            open: false,
            people: None,
            line: Some(line),
        };
        self.carry(Side::Outside(StockSide::Adjusted), Side::Place(place), entry);
    }
}

/// Large and general goods are no woman's own (DISCLOSURE section 5).
pub(super) fn is_bulk(general: bool, quantity: i64) -> bool {
    general && quantity >= i64::from(THRESHOLD)
}

/// Each lot stands once, with a quantity within bounds.
pub(super) fn check_lots(
    faults: &mut Faults,
    lines: impl ExactSizeIterator<Item = (Uuid, i32)>,
    bounds: std::ops::RangeInclusive<i32>,
) {
    faults.check((1..=100).contains(&lines.len()), UserErrorCode::OutOfRange, &["lines"], BAD_LINES);
    let mut seen = BTreeSet::new();
    for (line, (lot, quantity)) in lines.enumerate() {
        let number = line.to_string();
        faults.check(seen.insert(lot), UserErrorCode::Duplicate, &["lines", &number, "lot"], SAME_LOT);
        faults.check(
            bounds.contains(&quantity),
            UserErrorCode::OutOfRange,
            &["lines", &number],
            BAD_QUANTITY,
        );
    }
}

impl ReceiptLine {
    fn as_line(&self) -> LineInput {
        LineInput {
            supplied: self.supplied,
            kit_version: self.kit_version,
            quantity: self.quantity,
            ..LineInput::default()
        }
    }
}

const CAME_EXPIRED: Message =
    Message { en: "It expires before the day it came.", es: "Vence antes del día en que llegó." };
const BY_ASSEMBLY: Message = Message {
    en: "Goods come in as a donation or a purchase; kits are made with assembleKits.",
    es: "Los artículos ingresan como donación o compra; los kits se arman con assembleKits.",
};
const NOT_GIVEN: Message =
    Message { en: "Only a donation has a donor.", es: "Solo una donación tiene donante." };
const NO_GIFT: Message =
    Message { en: "There is no such gift of this donor.", es: "No existe esa donación de esta donante." };
const NO_AWARD: Message = Message { en: "There is no such grant.", es: "No existe esa subvención." };
const NOT_AN_ISSUE: Message =
    Message { en: "Only an issue can come back.", es: "Solo puede devolverse una entrega de inventario." };
pub(super) const BEFORE_IT: Message = Message {
    en: "The day is before the movement that it follows.",
    es: "El día es anterior al movimiento del que se deriva.",
};
pub(super) const MORE_THAN_LEFT: Message =
    Message { en: "More than is left of it.", es: "Es más de lo que queda." };
