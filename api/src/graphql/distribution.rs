//! Deliveries and their statistics.

use entity::value::DistributionStatus;
use uuid::Uuid;

use super::{
    connection::{Connection, Names, counted, cursors, order, window},
    facility::{Facility, Region},
    item, kit,
    mutation::{Done, Input, Subject},
    node::Node,
    organization::Organization,
    participant,
    program::Program,
    render::{Need, Object, Writer, Written},
    shipment,
};
use crate::{
    auth::Right,
    error::Result,
    id::{GlobalId, Kind},
    store::{
        Access,
        distribution::{
            CorrectDistribution, Delivery, Inside, Line, Listing, OrderBy, OrderField, Parent,
            RecordDistribution, Recorded, VoidDistribution, place,
        },
        keyset::Direction,
        stats::{Group, Stats, Wanted},
    },
};

pub struct Distribution<'a>(pub &'a Delivery);
struct Voided<'a>(&'a Delivery, chrono::DateTime<chrono::Utc>);
struct DistributionLine<'a>(&'a Line);
struct ItemQuantity {
    item: Uuid,
    quantity: i64,
}
struct DistributionStats<'a>(&'a Stats);
struct StatsRow<'a>(&'a Group);
pub struct Period(pub chrono::NaiveDate, pub chrono::NaiveDate);

const NAMES: Names = Names { connection: "DistributionConnection", edge: "DistributionEdge" };

/// `Query.distributions`, and the lists of the same name on facilities and programs.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>, parent: Option<(Parent, Uuid)>) -> Written {
    let under = parent.map(|(_, id)| id).unwrap_or_default();
    let fetched = w.fetched;
    match fetched.pages.get(&(node.number, under)) {
        Some(Ok(page)) => {
            let (asked, cursors) = match ordered(node, w.access, under) {
                Ok(asked) => asked,
                Err(error) => return w.fail(node, error),
            };
            w.object(
                node,
                &Connection {
                    names: NAMES,
                    page,
                    cursors,
                    draw: |w: &mut Writer<'_>, node: &Node<'_>, row: &Delivery| {
                        w.object(node, &Distribution(row))
                    },
                    place: |row: &Delivery| place(&row.row, asked.field),
                },
            )
        }
        Some(Err(error)) => w.fail(node, error.clone()),
        None => match listing(node, w.access, under) {
            Ok(listing) => w.need(Need::Deliveries(node.number, parent, Box::new(listing))),
            Err(error) => w.fail(node, error),
        },
    }
}

fn ordered(node: &Node<'_>, access: &Access, under: Uuid) -> Result<(OrderBy, super::cursor::Cursors)> {
    let (field, direction) = order(node, OrderField::OccurredOn, Direction::Descending)?;
    let parent = if under.is_nil() { String::new() } else { under.to_string() };
    Ok((OrderBy { field, direction }, cursors(access, node, NAMES.connection, &parent)))
}

fn listing(node: &Node<'_>, access: &Access, under: Uuid) -> Result<Listing> {
    access.require(Right::DistributionRead)?;
    let (order, cursors) = ordered(node, access, under)?;
    Ok(Listing {
        filter: node.argument("filter")?.unwrap_or_default(),
        order,
        window: window(node, &cursors)?,
        with_lines: node.reaches("lines"),
        with_total: counted(node, NAMES),
    })
}

/// One delivery by its global id; null when there is none, or none that the viewer may see.
pub fn one(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    let fetched = w.fetched;
    match fetched.deliveries.get(&id) {
        Some(Ok(Some(delivery))) => w.object(node, &Distribution(delivery)),
        Some(Ok(None)) => w.null(),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => w.need(Need::Delivery(id)),
    }
}

/// `Query.distribution`.
pub fn by_id(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    match node.required::<String>("id").map(|text| GlobalId::parse(&text)) {
        Ok(Some(GlobalId { kind: Kind::Distribution, id })) => one(node, w, id),
        Ok(Some(_)) => w.null(),
        Ok(None) => w.fail(node, super::not_an_id()),
        Err(error) => w.fail(node, error),
    }
}

/// `Query.distributionStats`.
pub fn stats(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let fetched = w.fetched;
    match fetched.stats.get(&node.number) {
        Some(Ok(stats)) => w.object(node, &DistributionStats(stats)),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => match stats_need(node) {
            Ok(need) => w.need(need),
            Err(error) => w.fail(node, error),
        },
    }
}

fn stats_need(node: &Node<'_>) -> Result<Need> {
    let wanted = Wanted {
        deliveries: node.reaches("deliveries"),
        units: node.reaches("units"),
        kits: node.reaches("kits"),
        contacts: node.reaches("contacts"),
    };
    let first: i64 = node.required("first")?;
    Ok(Need::Stats(
        node.number,
        Box::new((
            node.required("groupBy")?,
            node.argument("filter")?.unwrap_or_default(),
            usize::try_from(first).unwrap_or(0),
            wanted,
        )),
    ))
}

impl Object for Distribution<'_> {
    fn type_name(&self) -> &str {
        "Distribution"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = &self.0.row;
        let access = w.access;
        match node.name {
            "id" => w.id(Kind::Distribution, row.id),
            "status" => w.word(&row.status),
            "occurredOn" => w.date(row.occurred_on),
            "recordedAt" => w.moment(row.recorded_at),
            "organization" => match access.catalog.organizations.get(row.organization_id) {
                Some(entry) => w.object(node, &Organization(entry)),
                None => w.absent(node),
            },
            "facility" => match access.catalog.facilities.get(row.facility_id) {
                Some(entry) => w.object(node, &Facility(entry)),
                None => w.absent(node),
            },
            "program" => {
                let program = access.program(row.program_id).map(Program);
                w.optional(node, program.as_ref().map(|program| program as &dyn Object))
            }
            "lines" => w.list(node, &self.0.lines, |w, line| w.object(node, &DistributionLine(line))),
            "peopleReached" => w.optional_int(row.people_reached.map(Into::into)),
            "reachMethod" if row.people_reached.is_none() => w.null(),
            "reachMethod" => w.word(&row.reach_method),
            "voided" => match row.voided_at {
                Some(at) if row.status == DistributionStatus::Voided => w.object(node, &Voided(self.0, at)),
                _ => w.null(),
            },
            "shipment" => shipment::of(node, w, row.id),
            "proofs" => shipment::proofs(node, w, row.id),
            "recipients" => participant::recipients(node, w, row.id),
            name => match &row.inside {
                Some(inside) => inside_field(name, node, w, inside),
                None => w.absent(node),
            },
        }
    }
}

/// What only staff learn.
fn inside_field(name: &str, node: &Node<'_>, w: &mut Writer<'_>, inside: &Inside) -> Written {
    match name {
        "version" => w.int(inside.version.into()),
        "class" => w.word(&inside.class),
        "clientId" => w.optional_str(inside.client_id.map(|id| id.to_string()).as_deref()),
        "formNumber" => w.optional_str(inside.form_number.as_deref()),
        "enteredFromPaperBy" => {
            let by = inside.recorded_by.filter(|_| inside.form_number.is_some());
            let account = by.and_then(|id| w.access.catalog.accounts.get(&id));
            w.optional_str(account.map(|account| account.name.as_str()))
        }
        "peopleExpected" => w.optional_int(inside.people_expected.map(Into::into)),
        _ => w.absent(node),
    }
}

impl Object for Voided<'_> {
    fn type_name(&self) -> &str {
        "Voided"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "reason" => match &self.0.row.void_reason {
                Some(reason) => w.word(reason),
                None => w.absent(node),
            },
            "note" => {
                w.optional_str(self.0.row.inside.as_ref().and_then(|inside| inside.void_note.as_deref()))
            }
            "at" => w.moment(self.1),
            _ => w.absent(node),
        }
    }
}

impl Object for DistributionLine<'_> {
    fn type_name(&self) -> &str {
        "DistributionLine"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let access = w.access;
        match node.name {
            "item" => item::of(node, w, self.0.item_id),
            "kit" => kit::of(node, w, self.0.kit_id),
            "kitVersion" => w.optional_int(self.0.kit_version.map(Into::into)),
            "quantity" => w.int(self.0.quantity.into()),
            "items" => {
                let items = exploded(access, self.0).filter(|one| access.item(one.item).is_some());
                w.list(node, items, |w, one| w.object(node, &one))
            }
            _ => w.absent(node),
        }
    }
}

/// A line as items: itself, or the contents of its kit's version.
fn exploded<'a>(access: &'a Access, line: &'a Line) -> impl Iterator<Item = ItemQuantity> + 'a {
    let itself = line.item_id.map(|item| ItemQuantity { item, quantity: line.quantity.into() });
    let version = line
        .kit_id
        .and_then(|id| access.kit(id))
        .zip(line.kit_version)
        .and_then(|(kit, number)| kit.versions().iter().find(|version| version.number == number));
    let inside = version.map_or(&[][..], |version| &version.lines).iter().map(|inside| ItemQuantity {
        item: inside.item_id,
        quantity: i64::from(inside.quantity) * i64::from(line.quantity),
    });
    itself.into_iter().chain(inside)
}

impl Object for ItemQuantity {
    fn type_name(&self) -> &str {
        "ItemQuantity"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "item" => item::of(node, w, Some(self.item)),
            "quantity" => w.count(node, self.quantity),
            _ => w.absent(node),
        }
    }
}

impl Object for DistributionStats<'_> {
    fn type_name(&self) -> &str {
        "DistributionStats"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "rows" => w.list(node, &self.0.rows, |w, row| w.object(node, &StatsRow(row))),
            "truncated" => w.bool(self.0.truncated),
            _ => w.absent(node),
        }
    }
}

impl Object for StatsRow<'_> {
    fn type_name(&self) -> &str {
        "DistributionStatsRow"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let group = self.0;
        let access = w.access;
        let catalog = &access.catalog;
        match node.name {
            "organization" => {
                let entry = group.organization.and_then(|id| catalog.organizations.get(id)).map(Organization);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            "facility" => {
                let entry = group.facility.and_then(|id| catalog.facilities.get(id)).map(Facility);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            "region" => {
                let entry = group.region.as_deref().and_then(|iso| catalog.region(iso));
                let entry = entry.map(|entry| Region(entry));
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            "program" => {
                let entry = group.program.and_then(|id| access.program(id)).map(Program);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            "item" => item::of(node, w, group.item),
            "kit" => kit::of(node, w, group.kit),
            "period" => {
                let period = group.period.map(|(start, end)| Period(start, end));
                w.optional(node, period.as_ref().map(|period| period as &dyn Object))
            }
            "deliveries" => w.count(node, group.deliveries),
            "units" => optional_count(node, w, group.units),
            "kits" => optional_count(node, w, group.kits),
            "contacts" => optional_count(node, w, group.contacts),
            _ => w.absent(node),
        }
    }
}

fn optional_count(node: &Node<'_>, w: &mut Writer<'_>, value: Option<i64>) -> Written {
    match value {
        Some(value) => w.count(node, value),
        None => w.null(),
    }
}

impl Object for Period {
    fn type_name(&self) -> &str {
        "Period"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "start" => w.date(self.0),
            "end" => w.date(self.1),
            _ => w.absent(node),
        }
    }
}

/// The mutations of deliveries.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "recordDistribution" => {
            let mut delivery: RecordDistribution = input.read()?;
            delivery.once = input.once(name)?;
            Ok(match access.record_distribution(delivery).await? {
                Recorded::New(delivery) => Some(Subject::NewDistribution(delivery)),
                Recorded::Before(id) => Some(Subject::Distribution(id)),
                Recorded::Nothing => None,
            })
        }
        "updateDistribution" => {
            let mut delivery: CorrectDistribution = input.read()?;
            delivery.at = input.at("id")?;
            access.correct_distribution(delivery).await?;
            Ok(input.subject())
        }
        "verifyDistribution" => {
            access.verify_distribution(input.at("id")?, input.validate_only()).await?;
            Ok(input.subject())
        }
        "voidDistribution" => {
            let mut delivery: VoidDistribution = input.read()?;
            delivery.at = input.at("id")?;
            access.void_distribution(delivery).await?;
            Ok(input.subject())
        }
        _ => Err(crate::error::Error::Internal(format!("no mutation {name}")).into()),
    }
}
