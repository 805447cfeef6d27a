//! Women's records.

mod parts;

use serde::Deserialize;
use uuid::Uuid;

use self::parts::{BrokenGlass, Consent, CustodyStay, Dependant, Identity, Maternity, RecordUse};
use super::{
    connection::{Connection, Names, counted, cursors, order, window},
    mutation::{Done, Input, Subject},
    node::Node,
    render::{Need, Object, Writer, Written},
    work,
};
use crate::{
    auth::Right,
    error::{Error, Result},
    id::{GlobalId, Kind},
    store::{
        Access,
        keyset::Direction,
        participant::{
            self, Asked, EraseParticipant, Found, Listing, OrderField, Part, RegisterParticipant,
            SetDependants, UpdateParticipant, Wanted,
            break_glass::TakeRecord,
            consent::RecordConsent,
            maternity::{EndMaternity, RecordMaternity},
            stay::{BeginStay, EndStay},
        },
        work::read::Parent,
    },
};

const NAMES: Names = Names { connection: "ParticipantConnection", edge: "ParticipantEdge" };

struct Participant<'a>(&'a participant::Participant);

/// `Query.participants`.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let of = match order(node, OrderField::Code, Direction::Ascending) {
        Ok(order) => order,
        Err(error) => return w.fail(node, error),
    };
    let fetched = w.fetched;
    match fetched.records.get(&(node.number, Uuid::nil())) {
        Some(Ok(Found::Page(page))) => {
            let connection = Connection {
                names: NAMES,
                page,
                cursors: cursors(w.access, node, NAMES.connection, ""),
                draw: |w: &mut Writer<'_>, node: &Node<'_>, row: &participant::Participant| {
                    w.object(node, &Participant(row))
                },
                place: |row: &participant::Participant| Access::participant_place(row, of.0),
            };
            w.object(node, &connection)
        }
        Some(Err(error)) => w.fail(node, error.clone()),
        Some(Ok(_)) => w.absent(node),
        None => match listing(node, w.access, of) {
            Ok(listing) => w.need(Need::Record(node.number, Uuid::nil(), Asked::Page(Box::new(listing)))),
            Err(error) => w.fail(node, error),
        },
    }
}

fn listing(node: &Node<'_>, access: &Access, order: (OrderField, Direction)) -> Result<Listing> {
    let rows = node.fields(NAMES.connection).iter().flat_map(|field| match field.name {
        "nodes" => vec![field],
        "edges" => field.fields(NAMES.edge).iter().filter(|field| field.name == "node").collect(),
        _ => Vec::new(),
    });
    Ok(Listing {
        filter: node.argument("filter")?.unwrap_or_default(),
        order,
        window: window(node, &cursors(access, node, NAMES.connection, ""))?,
        with_total: counted(node, NAMES),
        wanted: wanted(rows),
    })
}

/// What is read of a record for these selections.
fn wanted<'n>(selections: impl IntoIterator<Item = &'n Node<'n>>) -> Wanted {
    let mut wanted = Wanted::default();
    for field in selections.into_iter().flat_map(|node| node.fields("Participant")) {
        match field.name {
            "identity" => {
                for part in field.fields("Identity") {
                    let named = match part.name {
                        "givenNames" => Part::GivenNames,
                        "familyNames" => Part::FamilyNames,
                        "birthDate" => Part::BirthDate,
                        "documents" => Part::Documents,
                        "notes" => Part::Notes,
                        _ => continue,
                    };
                    wanted.identity.push(named);
                    wanted.fields.push(format!("identity.{}", part.name));
                }
            }
            // These are readings of their own.
            "stays" | "dependants" | "maternity" | "consents" | "enrolments" | "accessReport"
            | "__typename" => {}
            name => wanted.fields.push(name.to_owned()),
        }
    }
    wanted.fields.sort_unstable();
    wanted.fields.dedup();
    wanted
}

/// `Query.participant`.
pub fn by_id(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    if let Err(error) = w.access.require(Right::ParticipantRead) {
        return w.fail(node, error);
    }
    match node.required::<String>("id").map(|id| GlobalId::parse(&id)) {
        Ok(Some(GlobalId { kind: Kind::Participant, id })) => one(node, w, id),
        Ok(Some(_)) => w.null(),
        Ok(None) => w.fail(node, super::not_an_id()),
        Err(error) => w.fail(node, error),
    }
}

/// A record by its id.
pub fn one(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    let fetched = w.fetched;
    match fetched.records.get(&(node.number, id)) {
        Some(Ok(Found::Record(Some(row)))) => w.object(node, &Participant(row)),
        Some(Ok(_)) => w.null(),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => w.need(Need::Record(node.number, id, Asked::Record(wanted([node])))),
    }
}

/// `Distribution.recipients`.
pub fn recipients(node: &Node<'_>, w: &mut Writer<'_>, delivery: Uuid) -> Written {
    let fetched = w.fetched;
    match fetched.records.get(&(node.number, delivery)) {
        Some(Ok(Found::Recipients(rows))) => w.list(node, rows, |w, row| w.object(node, &Participant(row))),
        Some(Err(error)) => w.fail(node, error.clone()),
        Some(Ok(_)) => w.absent(node),
        None => w.need(Need::Record(node.number, delivery, Asked::Recipients(wanted([node])))),
    }
}

/// `Query.brokenGlass`.
pub fn broken_glass(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let fetched = w.fetched;
    match fetched.records.get(&(node.number, Uuid::nil())) {
        Some(Ok(Found::BreakGlasses(rows))) => w.list(node, rows, |w, row| w.object(node, &BrokenGlass(row))),
        Some(Err(error)) => w.fail(node, error.clone()),
        Some(Ok(_)) => w.absent(node),
        None => {
            let asked = Asked::BreakGlasses(names(node, "BrokenGlass"));
            w.need(Need::Record(node.number, Uuid::nil(), asked))
        }
    }
}

fn names(node: &Node<'_>, type_name: &str) -> Vec<String> {
    node.fields(type_name)
        .iter()
        .filter(|field| field.name != "__typename")
        .map(|field| field.name.to_owned())
        .collect()
}

impl Participant<'_> {
    /// A list that hangs on her.
    fn hanging(
        &self,
        node: &Node<'_>,
        w: &mut Writer<'_>,
        asked: impl FnOnce() -> Asked,
        draw: impl FnOnce(&mut Writer<'_>, &Node<'_>, &Found) -> Written,
    ) -> Written {
        let fetched = w.fetched;
        match fetched.records.get(&(node.number, self.0.id)) {
            Some(Ok(found)) => draw(w, node, found),
            Some(Err(error)) => w.fail(node, error.clone()),
            None => {
                // A list may be non-null: meanwhile an empty one stands here.
                w.needs.push(Need::Record(node.number, self.0.id, asked()));
                w.list(node, std::iter::empty::<()>(), |_, ()| Ok(()))
            }
        }
    }
}

impl Object for Participant<'_> {
    fn type_name(&self) -> &str {
        "Participant"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = self.0;
        match node.name {
            "id" => w.id(Kind::Participant, row.id),
            "version" => w.int(row.version.into()),
            "code" => w.str(&row.code),
            "identity" => match &row.identity {
                Some(Ok(identity)) => w.object(node, &Identity(identity)),
                Some(Err(error)) => w.fail(node, error.clone()),
                // Nothing but the name of the type is asked for, or she is erased.
                None => w.null(),
            },
            "stays" => self.hanging(
                node,
                w,
                || Asked::Stays(names(node, "CustodyStay")),
                |w, node, found| {
                    let Found::Stays(rows) = found else { return w.absent(node) };
                    w.list(node, rows, |w, row| w.object(node, &CustodyStay(row)))
                },
            ),
            "dependants" => self.hanging(
                node,
                w,
                || Asked::Dependants(names(node, "Dependant")),
                |w, node, found| {
                    let Found::Dependants(rows) = found else { return w.absent(node) };
                    w.list(node, rows, |w, row| w.object(node, &Dependant(row)))
                },
            ),
            "maternity" => self.hanging(
                node,
                w,
                || Asked::Maternities(names(node, "Maternity")),
                |w, node, found| {
                    let Found::Maternities(rows) = found else { return w.absent(node) };
                    w.list(node, rows, |w, row| w.object(node, &Maternity(row)))
                },
            ),
            "consents" => self.hanging(
                node,
                w,
                || Asked::Consents(names(node, "Consent")),
                |w, node, found| {
                    let Found::Consents(rows) = found else { return w.absent(node) };
                    w.list(node, rows, |w, row| w.object(node, &Consent(row)))
                },
            ),
            "accessReport" => self.hanging(
                node,
                w,
                || Asked::Uses(names(node, "RecordUse")),
                |w, node, found| {
                    let Found::Uses(rows) = found else { return w.absent(node) };
                    w.list(node, rows, |w, row| w.object(node, &RecordUse(row)))
                },
            ),
            "enrolments" => work::below(node, w, Parent::Participant, row.id),
            "recordedAt" => w.moment(row.recorded_at),
            "erasedAt" => w.optional_moment(row.erased_at),
            "mergedInto" => match row.merged_into {
                Some(kept) => w.id(Kind::Participant, kept),
                None => w.null(),
            },
            _ => w.absent(node),
        }
    }
}

#[derive(Deserialize)]
struct ById {
    #[serde(deserialize_with = "crate::id::single::<_, {crate::id::BREAK_GLASS}>")]
    id: Uuid,
}

/// The mutations of women's records.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "registerParticipant" => {
            let mut register: RegisterParticipant = input.read()?;
            register.once = input.once(name)?;
            Ok(access.register_participant(register).await?.map(Subject::Participant))
        }
        "updateParticipant" => {
            let mut update: UpdateParticipant = input.read()?;
            update.at = input.at("id")?;
            access.update_participant(update).await?;
            Ok(input.subject())
        }
        "setDependants" => {
            let mut set: SetDependants = input.read()?;
            set.at = input.at("id")?;
            access.set_dependants(set).await?;
            Ok(input.subject())
        }
        "beginStay" => {
            let mut begin: BeginStay = input.read()?;
            begin.once = input.once(name)?;
            Ok(access.begin_stay(begin).await?.map(Subject::Participant))
        }
        "endStay" => {
            let mut end: EndStay = input.read()?;
            end.at = input.at("id")?;
            Ok(Some(Subject::Participant(access.end_stay(end).await?)))
        }
        "recordMaternity" => {
            let mut record: RecordMaternity = input.read()?;
            record.once = input.once(name)?;
            Ok(access.record_maternity(record).await?.map(Subject::Participant))
        }
        "endMaternity" => {
            let mut end: EndMaternity = input.read()?;
            end.at = input.at("id")?;
            Ok(Some(Subject::Participant(access.end_maternity(end).await?)))
        }
        "recordConsent" => {
            let mut record: RecordConsent = input.read()?;
            record.once = input.once(name)?;
            Ok(access.record_consent(record).await?.map(Subject::Participant))
        }
        "takeRecord" => {
            let take: TakeRecord = input.read()?;
            Ok(Some(Subject::Participant(access.take_record(take).await?)))
        }
        "eraseParticipant" => {
            let mut erase: EraseParticipant = input.read()?;
            erase.at = input.at("id")?;
            access.erase_participant(erase).await?;
            Ok(input.subject())
        }
        _ => Err(Error::Internal(format!("no mutation {name}")).into()),
    }
}

/// `Mutation.seeBrokenGlass`.
pub async fn see(access: &Access, input: &Input) -> Done {
    let ById { id } = input.read()?;
    access.see_break_glass(id).await?;
    Ok(Some(Subject::Done))
}
