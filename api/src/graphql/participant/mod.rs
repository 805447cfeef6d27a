//! Women's records.

use entity::{consent, custody_stay, dependant, maternity};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    audit::actor,
    connection::{Connection, Names, counted, cursors, order, window},
    facility::Facility,
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
            break_glass::{TakeRecord, Taken},
            consent::RecordConsent,
            maternity::{EndMaternity, RecordMaternity},
            stay::{BeginStay, EndStay},
        },
        work::read::Parent,
    },
};

const NAMES: Names = Names { connection: "ParticipantConnection", edge: "ParticipantEdge" };

struct Participant<'a>(&'a participant::Participant);
struct Identity<'a>(&'a participant::Identity);
struct IdentityDocument<'a>(&'a participant::Document);
struct CustodyStay<'a>(&'a custody_stay::Model);
struct Dependant<'a>(&'a dependant::Model);
struct Maternity<'a>(&'a maternity::Model);
struct Consent<'a>(&'a consent::Model);
struct RecordUse<'a>(&'a participant::RecordUse);
struct BrokenGlass<'a>(&'a Taken);

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

impl Object for Identity<'_> {
    fn type_name(&self) -> &str {
        "Identity"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let part = |w: &mut Writer<'_>, text: &Option<Result<String>>| match text {
            Some(Ok(text)) => w.str(text),
            Some(Err(error)) => w.fail(node, error.clone()),
            None => w.null(),
        };
        match node.name {
            "givenNames" => part(w, &self.0.given_names),
            "familyNames" => part(w, &self.0.family_names),
            "notes" => part(w, &self.0.notes),
            "birthDate" => match &self.0.birth_date {
                Some(Ok(day)) => w.date(*day),
                Some(Err(error)) => w.fail(node, error.clone()),
                None => w.null(),
            },
            "documents" => match &self.0.documents {
                Some(Ok(documents)) => {
                    w.list(node, documents, |w, one| w.object(node, &IdentityDocument(one)))
                }
                Some(Err(error)) => w.fail(node, error.clone()),
                None => w.list(node, std::iter::empty::<()>(), |_, ()| Ok(())),
            },
            _ => w.absent(node),
        }
    }
}

impl Object for IdentityDocument<'_> {
    fn type_name(&self) -> &str {
        "IdentityDocument"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "kind" => w.str(&self.0.kind),
            "number" => w.str(&self.0.number),
            _ => w.absent(node),
        }
    }
}

impl Object for CustodyStay<'_> {
    fn type_name(&self) -> &str {
        "CustodyStay"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = self.0;
        match node.name {
            "id" => w.id(Kind::CustodyStay, row.id),
            "version" => w.int(row.version.into()),
            "facility" => match w.access.catalog.facilities.get(row.facility_id) {
                Some(entry) => w.object(node, &Facility(entry)),
                None => w.absent(node),
            },
            "startsOn" => w.date(row.starts_on),
            "endsOn" => w.optional_date(row.ends_on),
            "ending" => match &row.ending {
                Some(ending) => w.word(ending),
                None => w.null(),
            },
            _ => w.absent(node),
        }
    }
}

impl Object for Dependant<'_> {
    fn type_name(&self) -> &str {
        "Dependant"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "relation" => w.word(&self.0.relation),
            "ageBand" => w.word(&self.0.age_band),
            _ => w.absent(node),
        }
    }
}

impl Object for Maternity<'_> {
    fn type_name(&self) -> &str {
        "Maternity"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = self.0;
        match node.name {
            "id" => w.id(Kind::Maternity, row.id),
            "version" => w.int(row.version.into()),
            "state" => w.word(&row.state),
            "startsOn" => w.date(row.starts_on),
            "endsOn" => w.optional_date(row.ends_on),
            _ => w.absent(node),
        }
    }
}

impl Object for Consent<'_> {
    fn type_name(&self) -> &str {
        "Consent"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = self.0;
        match node.name {
            "id" => w.id(Kind::Consent, row.id),
            "purpose" => w.word(&row.purpose),
            "decision" => w.word(&row.decision),
            "noticeVersion" => w.str(&row.notice_version),
            "language" => w.str(&row.language),
            "method" => w.word(&row.method),
            "decidedOn" => w.date(row.decided_on),
            "recordedAt" => w.moment(row.recorded_at),
            _ => w.absent(node),
        }
    }
}

impl Object for RecordUse<'_> {
    fn type_name(&self) -> &str {
        "RecordUse"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = self.0;
        match node.name {
            "recordedAt" => w.moment(row.recorded_at),
            "account" => actor(node, w, row.account_id),
            "role" => w.str(&row.role),
            "action" => w.str(&row.action),
            "entity" => w.str(&row.entity),
            "purpose" => w.optional_str(row.purpose.as_deref()),
            "fields" => {
                let fields = row.fields.as_ref().and_then(Value::as_array).into_iter().flatten();
                w.list(node, fields.filter_map(Value::as_str), |w, field| w.str(field))
            }
            _ => w.absent(node),
        }
    }
}

impl Object for BrokenGlass<'_> {
    fn type_name(&self) -> &str {
        "BrokenGlass"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let Taken { row, code, reason } = self.0;
        match node.name {
            "id" => w.id(Kind::BreakGlass, row.id),
            "participantCode" => w.str(code),
            "reason" => match reason {
                Some(Ok(reason)) => w.str(reason),
                Some(Err(error)) => w.fail(node, error.clone()),
                None => w.null(),
            },
            "takenAt" => w.moment(row.recorded_at),
            "endsAt" => w.moment(row.ends_at),
            "seenAt" => w.optional_moment(row.seen_at),
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
