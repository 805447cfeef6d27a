//! Mutations: one input, and a payload with the changed object and what the client can act on.

use std::collections::HashMap;

use async_graphql::Value as Const;
use entity::value::RetentionSubject;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    agreement::{self, Agreement},
    award::{self, Award, Gift},
    distribution::{self, Distribution},
    duplicate,
    facility::{self, Facility},
    indicator,
    item::{self, Item},
    kit::{self, Kit},
    member::{self, Member},
    node::{Node, from_const},
    organization::{self, Statement},
    participant, participant_merge,
    program::{self, Program},
    release,
    render::{Object, Writer, Written},
    retention, rights_request, safeguarding, shipment, sign_in,
    stock::{self, AdequacyNorm, FacilityPopulation, ItemPermission, StockPlace},
    survey, work,
};
use crate::{
    auth::Right,
    error::{Error, Result},
    id::{GlobalId, Kind},
    store::{
        Access,
        distribution::{Delivery, sync::SyncRow},
        input::{At, Once, Refused, UserError, UserErrorCode},
        sign_in::{Caller, Tokens},
        stock::sync::StockRow,
        survey::response::ResponseRow,
        sync::{Answer, Difference},
        work::attendance::AttendanceRow,
        write::Life,
    },
};

/// The object of a payload.
pub enum Subject {
    Statement(Uuid),
    Facility(Uuid),
    Program(Uuid),
    Item(Uuid),
    Kit(Uuid),
    Agreement(Uuid),
    Award(Uuid),
    Gift(Uuid),
    Distribution(Uuid),
    Distributions(Vec<Uuid>),
    StockPlace(Uuid),
    StockMovement(Uuid),
    AdequacyNorm(Uuid),
    FacilityPopulation(Uuid),
    ItemPermission(Uuid),
    SafeguardingNote(Uuid),
    RightsRequest(Uuid),
    RetentionRule(RetentionSubject),
    Indicator(Uuid),
    Release(Uuid),
    /// Something of a survey.
    Survey(Kind, Uuid),
    /// Something of a program at work.
    Work(Kind, Uuid),
    /// One that has just been written, so that it need not be read again.
    NewDistribution(Box<Delivery>),
    Participant(Uuid),
    ParticipantMerge(Uuid),
    /// The answers to the rows of a device.
    Synced(Vec<Answer>),
    WorkSynced(Vec<work::Synced>),
    /// A member, or what makes one.
    Member(Member),
    Tokens(Box<Tokens>),
    /// Nothing to show.
    Done,
}

/// What a mutation made; none with `validateOnly` on a creation.
pub type Done = Result<Option<Subject>, Refused>;

/// The coerced input of a mutation, and whether it is of a device: then its key is the device's, whoever sends it.
pub struct Input(Const, bool);

impl Input {
    /// # Errors
    /// `Invalid` for an id that is none.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        from_const("input", self.0.clone())
    }

    fn get(&self, name: &str) -> Option<&Const> {
        match &self.0 {
            Const::Object(fields) => fields.get(name),
            _ => None,
        }
    }

    /// The idempotency key with a digest of what the input says. Coercion has put the fields in the order of the
    /// schema, so equal inputs have equal digests.
    pub fn once(&self, operation: &str) -> Result<Once> {
        let key = match self.get("idempotencyKey") {
            Some(Const::String(key)) => key.clone(),
            _ => return Err(Error::invalid("\"idempotencyKey\" is needed.")),
        };
        let hash = self.digest(&["idempotencyKey", "validateOnly"]);
        Ok(Once { key, operation: operation.to_owned(), hash, shared: self.1 })
    }

    /// A digest of what the input says in its other fields.
    fn digest(&self, without: &[&str]) -> Vec<u8> {
        let mut digest = Sha256::new();
        if let Const::Object(fields) = &self.0 {
            let said = fields
                .iter()
                .filter(|(name, value)| !without.contains(&name.as_str()) && **value != Const::Null);
            for (name, value) in said {
                digest.update(name.as_str());
                digest.update([0]);
                digest.update(value.to_string());
                digest.update([0]);
            }
        }
        digest.finalize().to_vec()
    }

    /// The rows that a device sends.
    fn rows(&self) -> &[Const] {
        match self.get("rows") {
            Some(Const::List(rows)) => rows,
            _ => &[],
        }
    }

    /// Deliveries that a device sends, each with a digest of what it says.
    fn deliveries(&self) -> Result<Vec<SyncRow>> {
        let read = |(place, row): (usize, &Const)| {
            let hash = Self(row.clone(), true).digest(&["clientId", "expectedVersion", "group"]);
            Ok(SyncRow { hash, ..from_const(&format!("rows.{place}"), row.clone())? })
        };
        self.rows().iter().enumerate().map(read).collect()
    }

    /// The rows that a device sends, where their fields say all.
    fn sent<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        let read = |(place, row): (usize, &Const)| from_const(&format!("rows.{place}"), row.clone());
        self.rows().iter().enumerate().map(read).collect()
    }

    /// The rows that a device sends, each of which holds one member: its name, and what it says.
    pub fn members(&self, fault: &str) -> Result<Vec<(String, Self)>> {
        let member = |row: &Const| {
            let Const::Object(members) = row else { return Err(Error::invalid(fault)) };
            let mut given = members.iter().filter(|(_, value)| **value != Const::Null);
            match (given.next(), given.next()) {
                (Some((name, said)), None) => Ok((name.to_string(), Self(said.clone(), true))),
                _ => Err(Error::invalid(fault)),
            }
        };
        self.rows().iter().map(member).collect()
    }

    /// Movements that a device sends: each is the one member of its row, and its key is the device's id.
    fn movements(&self) -> Result<Vec<StockRow>> {
        let groups = match self.get("groups") {
            Some(groups @ Const::List(_)) => from_const::<Vec<Vec<String>>>("groups", groups.clone())?,
            _ => Vec::new(),
        };
        let mut group_of: HashMap<&String, usize> = HashMap::new();
        for (number, group) in groups.iter().enumerate() {
            for key in group {
                if group_of.insert(key, number).is_some_and(|other| other != number) {
                    return Err(Error::invalid("\"groups\": a row is in two of them."));
                }
            }
        }
        let read = |(place, row): (usize, &Const)| {
            let of_row = match row {
                Const::Object(members) => members.iter().find(|(_, value)| **value != Const::Null),
                _ => None,
            };
            let (name, said) = of_row.ok_or_else(|| Error::invalid("A row holds one movement."))?;
            let once = Self(said.clone(), true).once(name)?;
            let sent = said.clone().into_json().unwrap_or_default();
            let group = group_of.get(&once.key).map(ToString::to_string);
            let action = from_const(&format!("rows.{place}"), row.clone())?;
            Ok(StockRow { once, group, action, sent })
        };
        let rows: Vec<StockRow> = self.rows().iter().enumerate().map(read).collect::<Result<_>>()?;
        if group_of.keys().any(|key| rows.iter().all(|row| row.once.key != **key)) {
            return Err(Error::invalid("\"groups\": a key is of no row."));
        }
        if rows.iter().any(|row| row.group.is_some() && row.action.validate_only()) {
            return Err(Error::invalid("\"groups\": a row is only to be checked."));
        }
        Ok(rows)
    }

    /// The row and the version that the client has seen.
    pub fn at(&self, id: &str) -> Result<At> {
        let id = self.id(id)?;
        match self.get("expectedVersion") {
            Some(Const::Number(version)) => {
                // No row has version 0, and none can follow the last one.
                let expected = version
                    .as_i64()
                    .and_then(|version| i32::try_from(version).ok())
                    .filter(|version| *version < i32::MAX)
                    .unwrap_or(0);
                Ok(At { id: id.id, expected })
            }
            _ => Err(Error::invalid("\"expectedVersion\" is needed.")),
        }
    }

    fn id(&self, name: &str) -> Result<GlobalId> {
        match self.get(name) {
            Some(Const::String(text)) => GlobalId::parse(text).ok_or_else(super::not_an_id),
            _ => Err(super::not_an_id()),
        }
    }

    pub fn validate_only(&self) -> bool {
        matches!(self.get("validateOnly"), Some(Const::Boolean(true)))
    }

    /// The object that the input names.
    pub fn subject(&self) -> Option<Subject> {
        if let Some(Const::List(members)) = self.get("distributions") {
            let id = |member: &Const| Self(member.clone(), false).id("id").map(|id| id.id).ok();
            return Some(Subject::Distributions(members.iter().filter_map(id).collect()));
        }
        let GlobalId { kind, id } = self.id("id").or_else(|_| self.id("kit")).ok()?;
        Some(match kind {
            Kind::Statement => Subject::Statement(id),
            Kind::Facility => Subject::Facility(id),
            Kind::Program => Subject::Program(id),
            Kind::Item => Subject::Item(id),
            Kind::Kit => Subject::Kit(id),
            Kind::Agreement => Subject::Agreement(id),
            Kind::Award => Subject::Award(id),
            Kind::Gift => Subject::Gift(id),
            Kind::Distribution => Subject::Distribution(id),
            Kind::Participant => Subject::Participant(id),
            Kind::ParticipantMerge => Subject::ParticipantMerge(id),
            Kind::SafeguardingNote => Subject::SafeguardingNote(id),
            Kind::RightsRequest => Subject::RightsRequest(id),
            Kind::Indicator => Subject::Indicator(id),
            Kind::Release => Subject::Release(id),
            kind @ (Kind::Instrument | Kind::SurveyRound | Kind::SurveyResponse) => Subject::Survey(kind, id),
            kind @ (Kind::Workshop
            | Kind::Session
            | Kind::Enrolment
            | Kind::Attendance
            | Kind::Skill
            | Kind::Product
            | Kind::ProductionBatch
            | Kind::Sale
            | Kind::PayoutPolicy
            | Kind::PayoutRun
            | Kind::Payout
            | Kind::SavingsWithdrawal
            | Kind::LegalMatter) => Subject::Work(kind, id),
            Kind::Organization
            | Kind::Claim
            | Kind::Outcome
            | Kind::StockPlace
            | Kind::StockLot
            | Kind::StockMovement
            | Kind::AdequacyNorm
            | Kind::FacilityPopulation
            | Kind::ItemPermission
            | Kind::CustodyStay
            | Kind::Maternity
            | Kind::Consent
            | Kind::BreakGlass
            | Kind::AuditEvent
            | Kind::AuditActor
            | Kind::AuditObject
            | Kind::User
            | Kind::Membership
            | Kind::ServiceKey
            | Kind::Invitation => return None,
        })
    }

    /// `publish…` and `archive…` of any kind of entry.
    pub async fn publish_or_archive(&self, access: &Access, name: &str, kind: Kind) -> Done {
        let life = if name.starts_with("publish") {
            Life::Publish
        } else if name.starts_with("archive") {
            Life::Archive
        } else {
            return Err(Error::Internal(format!("no mutation {name}")).into());
        };
        let right = match (life, kind) {
            (_, Kind::Award | Kind::Gift) => Right::AwardWrite,
            (Life::Publish, _) => Right::RegistryPublish,
            (Life::Archive, Kind::Agreement) => Right::AgreementWrite,
            (Life::Archive, _) => Right::RegistryWrite,
        };
        access.require(right)?;
        let at = if self.id("id")?.kind == kind { self.at("id")? } else { At::default() };
        access.end_or_publish(kind, at, life, self.validate_only()).await?;
        Ok(self.subject())
    }
}

/// Runs a mutation, and once more when somebody has changed what it was checked against.
pub async fn run(
    access: &mut Access,
    node: &Node<'_>,
    subject_type: &str,
    caller: Caller,
) -> Result<(Option<Subject>, Vec<UserError>)> {
    let input = Input(node.raw("input").cloned().unwrap_or_default(), false);
    if let "SyncResult" | "StockSyncResult" | "AttendanceSyncResult" | "SurveyResponseResult" = subject_type {
        let (next, answers) = match subject_type {
            "SyncResult" => access.sync_distributions(&input.deliveries()?, input.validate_only()).await?,
            "AttendanceSyncResult" => {
                access.record_attendance(&input.sent::<AttendanceRow>()?, input.validate_only()).await?
            }
            "SurveyResponseResult" => {
                access.submit_responses(&input.sent::<ResponseRow>()?, input.validate_only()).await?
            }
            _ => access.sync_stock_movements(&input.movements()?).await?,
        };
        *access = next;
        return Ok((Some(Subject::Synced(answers)), Vec::new()));
    }
    if subject_type == "WorkSyncResult" {
        let answers = work::sync(access, &input).await?;
        return Ok((Some(Subject::WorkSynced(answers)), Vec::new()));
    }
    let mut done = attempt(access, node.name, &input, subject_type, caller).await;
    if let Err(Refused::Outdated(outdated)) = done {
        let again = access.again(outdated).await?;
        done = attempt(&again, node.name, &input, subject_type, caller).await;
        *access = again.released();
    }
    match done {
        Ok(subject) => Ok((subject, Vec::new())),
        Err(Refused::Fault(error)) => Err(error),
        Err(Refused::Outdated(_)) => Err(Error::Unavailable),
        // A conflict is answered with the row as it is now, everything else without one.
        Err(Refused::User(errors)) => {
            let conflict = errors.iter().any(|error| error.code == UserErrorCode::Conflict);
            Ok((input.subject().filter(|_| conflict), errors))
        }
    }
}

/// The field of a payload that is not `userErrors` tells which file knows the mutation; of deliveries its name does.
async fn attempt(access: &Access, name: &str, input: &Input, subject_type: &str, caller: Caller) -> Done {
    match subject_type {
        "Statement" => organization::mutate(access, name, input).await,
        "Facility" => facility::mutate(access, name, input).await,
        "Program" => program::mutate(access, name, input).await,
        "Item" => item::mutate(access, name, input).await,
        "Kit" => kit::mutate(access, name, input).await,
        "Agreement" => agreement::mutate(access, name, input).await,
        "Award" => award::mutate(access, name, input).await,
        "Gift" => award::mutate_gift(access, name, input).await,
        "Distribution" => match name {
            "planDistribution" | "dispatchDistribution" | "deliverDistribution" | "recordDeliveryProof" => {
                shipment::mutate(access, name, input).await
            }
            "resolveLikelyDuplicates" => duplicate::resolve(access, input).await,
            _ => distribution::mutate(access, name, input).await,
        },
        "Participant" => participant::mutate(access, name, input).await,
        "ParticipantMerge" => participant_merge::mutate(access, name, input).await,
        "Boolean" if name == "seeBrokenGlass" => participant::see(access, input).await,
        "RightsRequest" => rights_request::mutate(access, name, input).await,
        "RetentionRule" => retention::mutate(access, name, input).await,
        "Instrument" | "SurveyRound" | "SurveyResponse" => survey::mutate(access, name, input).await,
        "Indicator" => indicator::mutate(access, name, input).await,
        "Release" => release::mutate(access, name, input).await,
        "SafeguardingNote" => safeguarding::mutate(access, name, input).await,
        "Workshop" | "Session" | "Enrolment" | "Skill" | "Product" | "ProductionBatch" | "Sale"
        | "LegalMatter" | "PayoutPolicy" | "PayoutRun" | "Payout" | "SavingsWithdrawal" => {
            work::mutate(access, name, input).await
        }
        "StockMovement" => stock::mutate(access, name, input).await,
        "StockPlace" | "AdequacyNorm" | "FacilityPopulation" | "ItemPermission" => {
            stock::mutate_reference(access, name, input).await
        }
        "Tokens" | "Boolean" => sign_in::mutate(access, name, input, caller).await,
        "User" | "Invitation" | "NewServiceKey" | "ServiceKey" => member::mutate(access, name, input).await,
        _ => Err(Error::Internal(format!("no mutation {name}")).into()),
    }
}

/// The answer to one row of a device.
struct SyncResult<'a>(&'a Answer, &'static str);

impl Object for SyncResult<'_> {
    fn type_name(&self) -> &str {
        self.1
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let answer = self.0;
        match node.name {
            "clientId" => w.str(&answer.client_id),
            "outcome" => w.str(answer.outcome.name()),
            "distribution" | "stockMovement" | "attendance" | "response" => match answer.object {
                Some(id) if node.name == "distribution" => distribution::one(node, w, id),
                Some(id) if node.name == "attendance" => work::one(node, w, Kind::Attendance, id),
                Some(id) if node.name == "response" => survey::one(node, w, Kind::SurveyResponse, id),
                Some(id) => stock::movement(node, w, id),
                None => w.null(),
            },
            "differences" => {
                w.list(node, &answer.differences, |w, difference| w.object(node, &SyncDifference(difference)))
            }
            "userErrors" => w.list(node, &answer.errors, |w, error| w.object(node, &UserErrorObject(error))),
            _ => w.absent(node),
        }
    }
}

struct SyncDifference<'a>(&'a Difference);

impl Object for SyncDifference<'_> {
    fn type_name(&self) -> &str {
        "SyncDifference"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "field" => w.str(self.0.field),
            "here" => w.str(&self.0.here.to_string()),
            "sent" => w.str(&self.0.sent.to_string()),
            _ => w.absent(node),
        }
    }
}

/// The answer of a mutation.
pub struct Payload {
    pub type_name: String,
    pub subject: Option<Subject>,
    pub errors: Vec<UserError>,
}

impl Object for Payload {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        if node.name == "userErrors" {
            return w.list(node, &self.errors, |w, error| w.object(node, &UserErrorObject(error)));
        }
        let Some(subject) = &self.subject else { return w.null() };
        let access = w.access;
        match subject {
            Subject::Statement(id) => {
                let entry = access.statement(*id).map(Statement);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            Subject::Facility(id) => {
                let entry = access.facility(*id).map(Facility);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            Subject::Program(id) => {
                let entry = access.program(*id).map(Program);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            Subject::Item(id) => {
                let entry = access.item(*id).map(Item);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            Subject::Kit(id) => {
                let entry = access.kit(*id).map(Kit);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            Subject::Agreement(id) => {
                let entry = access.agreement(*id).map(Agreement);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            Subject::Award(id) => {
                let entry = access.award(*id).map(Award);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            Subject::Gift(id) => {
                let entry = access.gift(*id).map(Gift);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            Subject::Distribution(id) => distribution::one(node, w, *id),
            Subject::Distributions(ids) => w.list(node, ids, |w, id| distribution::one(node, w, *id)),
            Subject::StockMovement(id) => stock::movement(node, w, *id),
            Subject::StockPlace(id) => {
                let place = access.stock_place(*id).map(StockPlace);
                w.optional(node, place.as_ref().map(|place| place as &dyn Object))
            }
            Subject::AdequacyNorm(id) => {
                let norm = access.adequacy_norm(*id).map(AdequacyNorm);
                w.optional(node, norm.as_ref().map(|norm| norm as &dyn Object))
            }
            Subject::FacilityPopulation(id) => {
                let population = access.facility_population(*id).map(FacilityPopulation);
                w.optional(node, population.as_ref().map(|population| population as &dyn Object))
            }
            Subject::ItemPermission(id) => {
                let permission = access.item_permission(*id).map(ItemPermission);
                w.optional(node, permission.as_ref().map(|permission| permission as &dyn Object))
            }
            Subject::Participant(id) => participant::one(node, w, *id),
            Subject::RightsRequest(id) => rights_request::one(node, w, *id),
            Subject::RetentionRule(subject) => retention::one(node, w, *subject),
            Subject::Indicator(id) => indicator::one(node, w, *id),
            Subject::Release(id) => release::one(node, w, *id),
            Subject::Survey(kind, id) => survey::one(node, w, *kind, *id),
            Subject::ParticipantMerge(id) => participant_merge::one(node, w, *id),
            Subject::SafeguardingNote(id) => safeguarding::one(node, w, *id),
            Subject::Work(kind, id) => work::one(node, w, *kind, *id),
            Subject::Member(member) => member::subject(node, w, member),
            Subject::Tokens(tokens) => w.object(node, &sign_in::Tokens(tokens)),
            Subject::Done => w.bool(true),
            Subject::NewDistribution(delivery) => w.object(node, &Distribution(delivery)),
            Subject::WorkSynced(answers) => w.list(node, answers, |w, answer| w.object(node, answer)),
            Subject::Synced(answers) => {
                let ty = match self.type_name.as_str() {
                    "SyncStockMovementsPayload" => "StockSyncResult",
                    "RecordAttendancePayload" => "AttendanceSyncResult",
                    "SubmitResponsesPayload" => "SurveyResponseResult",
                    _ => "SyncResult",
                };
                w.list(node, answers, |w, answer| w.object(node, &SyncResult(answer, ty)))
            }
        }
    }
}

pub struct UserErrorObject<'a>(pub &'a UserError);

impl Object for UserErrorObject<'_> {
    fn type_name(&self) -> &str {
        "UserError"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "code" => w.str(self.0.code.name()),
            "field" => w.list(node, &self.0.field, |w, part| w.str(part)),
            "day" => w.optional_date(self.0.day),
            "retryAfter" => w.optional_int(self.0.retry_after),
            "message" => {
                let spanish =
                    w.languages.first().is_some_and(|lang| lang.to_ascii_lowercase().starts_with("es"));
                let text = if spanish { self.0.message.es } else { self.0.message.en };
                match self.0.day {
                    Some(day) => w.str(&text.replace("{day}", &day.to_string())),
                    None => w.str(text),
                }
            }
            _ => w.absent(node),
        }
    }
}
