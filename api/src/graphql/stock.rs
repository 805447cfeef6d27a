//! The stock ledger, for staff.

use chrono::NaiveDate;
use entity::{
    adequacy_norm, facility_population, item_permission, stock_entry, stock_lot, stock_place,
    value::StockReason,
};
use uuid::Uuid;

use super::{
    award::{Award, Gift, Money},
    connection::{Connection, Names, cursors, window},
    distribution,
    facility::Facility,
    item, kit,
    mutation::{Done, Input, Subject},
    node::Node,
    organization::Organization,
    render::{Fetched, Need, Object, Writer, Written},
};
use crate::{
    error::{Error, Result},
    id::{GlobalId, Kind},
    store::{
        Access,
        input::{Once, Written as StoreWritten},
        stock::{
            action::Action,
            cover::Cover,
            read::{Asked, Filter, Found, Level, Movement, MovementFilter, Progress},
            reference::{CreateStockPlace, RecordFacilityPopulation, SetAdequacyNorm, SetItemPermission},
        },
    },
};

pub struct StockPlace<'a>(pub &'a stock_place::Model);
pub struct AdequacyNorm<'a>(pub &'a adequacy_norm::Model);
pub struct FacilityPopulation<'a>(pub &'a facility_population::Model);
pub struct ItemPermission<'a>(pub &'a item_permission::Model);
struct StockLot<'a>(&'a stock_lot::Model);
pub struct StockLevel<'a>(pub &'a Level);
pub struct StockCover<'a>(pub &'a Cover);
struct StockMovement<'a>(&'a Movement);
struct StockEntry<'a>(&'a stock_entry::Model, &'a stock_lot::Model);
struct TransferProgress<'a>(&'a Progress);

const LOTS: Names = Names { connection: "StockLotConnection", edge: "StockLotEdge" };
const MOVEMENTS: Names = Names { connection: "StockMovementConnection", edge: "StockMovementEdge" };

/// The queries of stock.
pub fn query(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    if node.name == "stockPlaces" {
        let access = w.access;
        return match access.stock_places() {
            Ok(places) => w.list(node, places, |w, place| w.object(node, &StockPlace(place))),
            Err(error) => w.fail(node, error),
        };
    }
    let fetched = w.fetched;
    match fetched.stock.get(&node.number) {
        None => match asked(node, w.access) {
            Ok(asked) => w.need(Need::Stock(node.number, Box::new(asked))),
            Err(error) => w.fail(node, error),
        },
        Some(Err(error)) => w.fail(node, error.clone()),
        Some(Ok(Found::Levels(rows))) => w.list(node, rows, |w, row| w.object(node, &StockLevel(row))),
        Some(Ok(Found::Cover(rows))) => w.list(node, rows, |w, row| w.object(node, &StockCover(row))),
        Some(Ok(Found::Lots(page))) => {
            let connection = Connection {
                names: LOTS,
                page,
                cursors: cursors(w.access, node, LOTS.connection, ""),
                draw: |w: &mut Writer<'_>, node: &Node<'_>, row: &stock_lot::Model| {
                    w.object(node, &StockLot(row))
                },
                place: Access::lot_place,
            };
            w.object(node, &connection)
        }
        Some(Ok(Found::Movements(page))) => {
            let connection = Connection {
                names: MOVEMENTS,
                page,
                cursors: cursors(w.access, node, MOVEMENTS.connection, ""),
                draw: |w: &mut Writer<'_>, node: &Node<'_>, row: &Movement| {
                    w.object(node, &StockMovement(row))
                },
                place: Access::movement_place,
            };
            w.object(node, &connection)
        }
    }
}

fn asked(node: &Node<'_>, access: &Access) -> Result<Asked> {
    let day = || node.argument::<NaiveDate>("asOf");
    let filter = || node.argument::<Filter>("filter").map(Option::unwrap_or_default).map(Box::new);
    Ok(match node.name {
        "stockOnHand" => Asked::OnHand(filter()?, day()?),
        "stockCover" => {
            let facility = node.required::<String>("facility")?;
            let facility = GlobalId::parse(&facility).ok_or_else(super::not_an_id)?;
            Asked::Cover(facility.id, day()?)
        }
        "lots" => Asked::Lots(filter()?, window(node, &cursors(access, node, LOTS.connection, ""))?),
        _ => {
            let filter: Option<MovementFilter> = node.argument("filter")?;
            let window = window(node, &cursors(access, node, MOVEMENTS.connection, ""))?;
            Asked::Movements(Box::new(filter.unwrap_or_default()), window)
        }
    })
}

/// One lot by its id; null when there is none, or none that the viewer may see.
pub fn lot(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    let fetched = w.fetched;
    match fetched.lots.get(&id) {
        Some(Ok(Some(lot))) => w.object(node, &StockLot(lot)),
        Some(Ok(None)) => w.null(),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => w.need(Need::StockLot(id)),
    }
}

/// One movement by its id; null when there is none, or none that the viewer may see.
pub fn movement(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    let fetched = w.fetched;
    match fetched.movements.get(&id) {
        Some(Ok(Some(movement))) => w.object(node, &StockMovement(movement)),
        Some(Ok(None)) => w.null(),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => w.need(Need::StockMovement(id)),
    }
}

/// Fetches lots and movements by id, each kind together.
pub async fn fetch_rows(access: &Access, lots: Vec<Uuid>, movements: Vec<Uuid>, fetched: &mut Fetched) {
    if !lots.is_empty() {
        let found = access.lots_by_id(&lots).await;
        fetched.lots.extend(lots.into_iter().map(|id| {
            let row = match &found {
                Ok(rows) => Ok(rows.get(&id).cloned()),
                Err(error) => Err(error.clone()),
            };
            (id, row)
        }));
    }
    if !movements.is_empty() {
        let found = access.stock_movements_by_id(&movements).await;
        fetched.movements.extend(movements.into_iter().map(|id| {
            let row = match &found {
                Ok(rows) => Ok(rows.get(&id).cloned()),
                Err(error) => Err(error.clone()),
            };
            (id, row)
        }));
    }
}

fn optional_movement(node: &Node<'_>, w: &mut Writer<'_>, id: Option<Uuid>) -> Written {
    match id {
        Some(id) => movement(node, w, id),
        None => w.null(),
    }
}

fn place(node: &Node<'_>, w: &mut Writer<'_>, id: Option<Uuid>) -> Written {
    let place = id.and_then(|id| w.access.other_side(id)).map(StockPlace);
    w.optional(node, place.as_ref().map(|place| place as &dyn Object))
}

fn facility(node: &Node<'_>, w: &mut Writer<'_>, id: Option<Uuid>) -> Written {
    let entry = id.and_then(|id| w.access.catalog.facilities.get(id)).map(Facility);
    w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
}

impl Object for StockPlace<'_> {
    fn type_name(&self) -> &str {
        "StockPlace"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "id" => w.id(Kind::StockPlace, self.0.id),
            "kind" => w.word(&self.0.kind),
            "name" => w.str(&self.0.name),
            "facility" => facility(node, w, self.0.facility_id),
            "version" => w.int(self.0.version.into()),
            _ => w.absent(node),
        }
    }
}

impl Object for StockLot<'_> {
    fn type_name(&self) -> &str {
        "StockLot"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let lot = self.0;
        let access = w.access;
        match node.name {
            "id" => w.id(Kind::StockLot, lot.id),
            "item" => item::of(node, w, lot.item_id),
            "kit" => kit::of(node, w, lot.kit_id),
            "kitVersion" => w.optional_int(lot.kit_version.map(Into::into)),
            "number" => w.optional_str(lot.number.as_deref()),
            "expiresOn" => w.optional_date(lot.expires_on),
            "source" => w.word(&lot.source),
            "donor" => {
                let donor =
                    lot.donor_id.and_then(|id| access.catalog.organizations.get(id)).map(Organization);
                w.optional(node, donor.as_ref().map(|donor| donor as &dyn Object))
            }
            "gift" => {
                let gift = lot.gift_id.and_then(|id| access.gift(id)).map(Gift);
                w.optional(node, gift.as_ref().map(|gift| gift as &dyn Object))
            }
            "award" => {
                let award = lot.award_id.and_then(|id| access.award(id)).map(Award);
                w.optional(node, award.as_ref().map(|award| award as &dyn Object))
            }
            "unitValue" => match (lot.unit_value_minor, &lot.currency) {
                (Some(minor), Some(currency)) => w.object(node, &Money { minor, currency }),
                _ => w.null(),
            },
            "recordedAt" => w.moment(lot.recorded_at),
            _ => w.absent(node),
        }
    }
}

impl Object for StockLevel<'_> {
    fn type_name(&self) -> &str {
        "StockLevel"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let level = self.0;
        match node.name {
            "organization" => match w.access.catalog.organizations.get(level.lot.organization_id) {
                Some(entry) => w.object(node, &Organization(entry)),
                None => w.absent(node),
            },
            "place" => place(node, w, Some(level.place_id)),
            "lot" => w.object(node, &StockLot(&level.lot)),
            "item" => item::of(node, w, level.lot.item_id),
            "kit" => kit::of(node, w, level.lot.kit_id),
            "kitVersion" => w.optional_int(level.lot.kit_version.map(Into::into)),
            "quantity" => w.count(node, level.quantity),
            "asOf" => w.date(level.as_of),
            "expired" => w.bool(level.lot.expires_on.is_some_and(|last| last < level.as_of)),
            _ => w.absent(node),
        }
    }
}

impl Object for StockCover<'_> {
    fn type_name(&self) -> &str {
        "StockCover"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let cover = self.0;
        match node.name {
            "item" => item::of(node, w, Some(cover.item_id)),
            "quantity" => w.count(node, cover.quantity),
            "norm" => w.object(node, &AdequacyNorm(&cover.norm)),
            "population" => w.object(node, &FacilityPopulation(&cover.population)),
            "days" => match cover.days() {
                Some(days) => w.count(node, days),
                None => w.null(),
            },
            "months" => match cover.months() {
                Some(months) => w.float(months),
                None => w.null(),
            },
            _ => w.absent(node),
        }
    }
}

impl Object for AdequacyNorm<'_> {
    fn type_name(&self) -> &str {
        "AdequacyNorm"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "id" => w.id(Kind::AdequacyNorm, self.0.id),
            "item" => item::of(node, w, Some(self.0.item_id)),
            "source" => w.str(&self.0.source),
            "edition" => w.str(&self.0.edition),
            "quantity" => w.int(self.0.quantity.into()),
            "months" => w.int(self.0.months.into()),
            "validFrom" => w.date(self.0.valid_from),
            _ => w.absent(node),
        }
    }
}

impl Object for FacilityPopulation<'_> {
    fn type_name(&self) -> &str {
        "FacilityPopulation"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "id" => w.id(Kind::FacilityPopulation, self.0.id),
            "facility" => facility(node, w, Some(self.0.facility_id)),
            "countedOn" => w.date(self.0.counted_on),
            "women" => w.int(self.0.women.into()),
            "source" => w.str(&self.0.source),
            _ => w.absent(node),
        }
    }
}

impl Object for ItemPermission<'_> {
    fn type_name(&self) -> &str {
        "ItemPermission"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "id" => w.id(Kind::ItemPermission, self.0.id),
            "facility" => facility(node, w, Some(self.0.facility_id)),
            "item" => item::of(node, w, Some(self.0.item_id)),
            "permitted" => w.bool(self.0.permitted),
            "since" => w.date(self.0.since),
            "source" => w.str(&self.0.source),
            _ => w.absent(node),
        }
    }
}

impl Object for StockMovement<'_> {
    fn type_name(&self) -> &str {
        "StockMovement"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let Movement { row, entries, reversed_by, progress } = self.0;
        match node.name {
            "id" => w.id(Kind::StockMovement, row.id),
            "kind" => w.word(&row.kind),
            "occurredOn" => w.date(row.occurred_on),
            "recordedAt" => w.moment(row.recorded_at),
            "reason" => match &row.reason {
                Some(reason) => w.word::<StockReason>(reason),
                None => w.null(),
            },
            "note" => w.optional_str(row.note.as_deref()),
            "formNumber" => w.optional_str(row.form_number.as_deref()),
            "reverses" => optional_movement(node, w, row.reverses_id),
            "reversedBy" => optional_movement(node, w, *reversed_by),
            "follows" => optional_movement(node, w, row.follows_id),
            "toPlace" => place(node, w, row.to_place_id),
            "distribution" => match row.distribution_id {
                Some(id) => distribution::one(node, w, id),
                None => w.null(),
            },
            "entries" => w.list(node, entries, |w, (entry, lot)| w.object(node, &StockEntry(entry, lot))),
            "progress" => w.list(node, progress, |w, one| w.object(node, &TransferProgress(one))),
            _ => w.absent(node),
        }
    }
}

impl Object for StockEntry<'_> {
    fn type_name(&self) -> &str {
        "StockEntry"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "lot" => w.object(node, &StockLot(self.1)),
            "side" => w.word(&self.0.side),
            "place" => place(node, w, self.0.place_id),
            "quantity" => w.count(node, self.0.quantity),
            _ => w.absent(node),
        }
    }
}

impl Object for TransferProgress<'_> {
    fn type_name(&self) -> &str {
        "TransferProgress"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let Progress { lot, shipped, received, returned, lost } = self.0;
        match node.name {
            "lot" => w.object(node, &StockLot(lot)),
            "shipped" => w.count(node, *shipped),
            "received" => w.count(node, *received),
            "returned" => w.count(node, *returned),
            "lost" => w.count(node, *lost),
            "inTransit" => w.count(node, shipped - received - returned - lost),
            _ => w.absent(node),
        }
    }
}

/// The mutations whose payload is a movement.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    let action = match name {
        "receiveStock" => Action::Receive(input.read()?),
        "transferStock" => Action::Transfer(input.read()?),
        "receiveTransfer" => Action::Arrive(input.read()?),
        "issueStock" => Action::Issue(input.read()?),
        "loseStock" => Action::Lose(input.read()?),
        "returnStock" => Action::Return(input.read()?),
        "adjustStock" => Action::Adjust(input.read()?),
        "assembleKits" => Action::Assemble(input.read()?),
        "unpackKits" => Action::Unpack(input.read()?),
        "countStock" => Action::Count(input.read()?),
        "reverseStockMovement" => Action::Reverse(input.read()?),
        _ => return Err(Error::Internal(format!("no mutation {name}")).into()),
    };
    let seen = access.move_stock(&input.once(name)?, &action).await?;
    Ok(seen.map(|seen| Subject::StockMovement(seen.id())))
}

/// The mutations of places, norms, populations and permissions.
pub async fn mutate_reference(access: &Access, name: &str, input: &Input) -> Done {
    let once: Once = input.once(name)?;
    let made: StoreWritten<Option<Subject>> = match name {
        "createStockPlace" => {
            let place = CreateStockPlace { once, ..input.read()? };
            access.create_stock_place(place).await.map(|id| id.map(Subject::StockPlace))
        }
        "setAdequacyNorm" => {
            let norm = SetAdequacyNorm { once, ..input.read()? };
            access.set_adequacy_norm(norm).await.map(|id| id.map(Subject::AdequacyNorm))
        }
        "recordFacilityPopulation" => {
            let population = RecordFacilityPopulation { once, ..input.read()? };
            let id = access.record_facility_population(population).await;
            id.map(|id| id.map(Subject::FacilityPopulation))
        }
        "setItemPermission" => {
            let permission = SetItemPermission { once, ..input.read()? };
            access.set_item_permission(permission).await.map(|id| id.map(Subject::ItemPermission))
        }
        _ => return Err(Error::Internal(format!("no mutation {name}")).into()),
    };
    made
}
