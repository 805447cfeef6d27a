//! What devices send that were without a network: rows under ids of their own, each answered on its own.
//!
//! A row is known by the id that its device gave it, and what it says by a digest that is kept beside the key of its
//! first sending, so that a repeat is told from a change, whoever sends it and however often.

use chrono::NaiveDate;
use entity::{
    distribution, idempotency,
    value::{ReachMethod, StockReason, VoidReason},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde::Deserialize;
use uuid::Uuid;

use super::{CorrectDistribution, LineInput, RecordDistribution, Recorded, VoidDistribution};
use crate::{
    auth::Right,
    error::{Error, Result},
    id,
    store::{
        Access,
        input::{At, Faults, Message, Once, Refused, UserError, UserErrorCode, Written},
        shipment::{deliver::DeliverDistribution, is_ahead, proof::ProofInput},
        stock::BAD_REASON,
        sync::{Answer, DeviceRow, Difference, Outcome},
        write::{Seen, Write},
    },
};

/// A delivery as a device has it, whole.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncRow {
    pub client_id: Uuid,
    /// A digest of what the row says.
    #[serde(skip)]
    pub hash: Vec<u8>,
    #[serde(default)]
    pub group: Option<String>,
    #[serde(default, deserialize_with = "id::optional::<_, {id::DISTRIBUTION}>")]
    pub id: Option<Uuid>,
    #[serde(default)]
    pub expected_version: Option<i32>,
    #[serde(deserialize_with = "id::single::<_, {id::FACILITY}>")]
    pub facility: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::PROGRAM}>")]
    pub program: Uuid,
    pub occurred_on: NaiveDate,
    pub people_reached: i32,
    pub reach_method: ReachMethod,
    #[serde(default, deserialize_with = "id::optional::<_, {id::STOCK_PLACE}>")]
    pub place: Option<Uuid>,
    #[serde(default)]
    pub form_number: Option<String>,
    pub lines: Vec<LineInput>,
    #[serde(default)]
    pub loss_reason: Option<StockReason>,
    #[serde(default)]
    pub proof: Option<ProofInput>,
    #[serde(default)]
    pub void: Option<SyncVoid>,
}

/// That a delivery did not take place as it was recorded.
#[derive(Clone, Debug, Deserialize)]
pub struct SyncVoid {
    pub reason: VoidReason,
    #[serde(default)]
    pub note: Option<String>,
}

impl Access {
    /// Records, corrects and voids deliveries row by row, or group by group where rows say that they belong together.
    /// One answer for each row, in their order, and the same viewer with the reference tables of the last one.
    ///
    /// # Errors
    /// `NotPermitted` without the right. When the database is lost half-way there is no
    /// answer at all: what was written is then answered as repeated.
    pub async fn sync_distributions(
        &self,
        rows: &[SyncRow],
        validate_only: bool,
    ) -> Result<(Self, Vec<Answer>)> {
        self.require(Right::DistributionRecord)?;
        self.sync_rows(rows, |_| validate_only).await
    }

    /// A new delivery in one statement, where that can be done.
    async fn sync_alone(&self, row: &SyncRow) -> Written<Option<Answer>> {
        if row.expected_version.is_some() || row.id.is_some() || row.void.is_some() {
            return Ok(None);
        }
        let input = row.as_new();
        let draft = self.draft(&input)?;
        let made = self.record_alone(&input, &draft).await?;
        Ok(made.then(|| Answer::new(&row.client_id, Outcome::Created, Some(draft.row.id))))
    }

    async fn sync_row(&self, write: &Write<'_>, row: &SyncRow) -> Written<Answer> {
        let Some(here) = self.known_as(write, row).await? else {
            return if row.id.is_none() && row.expected_version.is_none() {
                self.sync_new(write, row).await
            } else if row.id.is_some() {
                Err(UserError::not_found(&["id"]).into())
            } else {
                Err(UserError::new(UserErrorCode::NotFound, &["clientId"], NOT_SENT_YET).into())
            };
        };
        if row.id.is_some() && write.once(&row.alias(), here.id).await?.id() != here.id {
            return Err(UserError::new(UserErrorCode::Duplicate, &["clientId"], OTHER_ROW).into());
        }
        match write.once(&row.once(), here.id).await {
            Ok(Seen::Again(_)) => return Ok(Answer::new(&row.client_id, Outcome::Repeated, Some(here.id))),
            // Another content was sent before; whether that matters, the row here says.
            Ok(Seen::First(_)) | Err(Refused::User(_)) => {}
            Err(other) => return Err(other),
        }
        let differences = self.differences(write, row, &here).await?;
        if differences.is_empty() {
            return Ok(Answer::new(&row.client_id, Outcome::Repeated, Some(here.id)));
        }
        if row.expected_version != Some(here.version) {
            return Ok(Answer {
                differences,
                ..Answer::new(&row.client_id, Outcome::Conflict, Some(here.id))
            });
        }
        match self.sync_change(write, row, &here, &differences).await {
            Ok(()) => Ok(Answer::new(&row.client_id, Outcome::Updated, Some(here.id))),
            // Somebody was faster.
            Err(Refused::User(errors))
                if errors.iter().any(|error| error.code == UserErrorCode::Conflict) =>
            {
                let here = self.known_as(write, row).await?.unwrap_or(here);
                let differences = self.differences(write, row, &here).await?;
                Ok(Answer { differences, ..Answer::new(&row.client_id, Outcome::Conflict, Some(here.id)) })
            }
            Err(other) => Err(other),
        }
    }

    async fn sync_new(&self, write: &Write<'_>, row: &SyncRow) -> Written<Answer> {
        if row.void.is_some() {
            return Err(UserError::new(UserErrorCode::Invalid, &["void"], NEVER_HERE).into());
        }
        row.check_unsent()?;
        let input = row.as_new();
        let draft = self.draft(&input)?;
        match self.record_in(write, &input, draft).await {
            Ok(Recorded::New(made)) => Ok(Answer::new(&row.client_id, Outcome::Created, Some(made.row.id))),
            Ok(Recorded::Before(id)) => Ok(Answer::new(&row.client_id, Outcome::Repeated, Some(id))),
            Ok(Recorded::Nothing) => {
                Err(Error::Internal("a row was neither recorded nor refused".into()).into())
            }
            // The id stands for a row that this viewer does not see.
            Err(Refused::User(errors)) if errors.iter().any(|error| error.field == ["idempotencyKey"]) => {
                Err(UserError::new(UserErrorCode::Duplicate, &["clientId"], OTHER_ROW).into())
            }
            Err(other) => Err(other),
        }
    }

    async fn sync_change(
        &self,
        write: &Write<'_>,
        row: &SyncRow,
        here: &distribution::Model,
        differences: &[Difference],
    ) -> Written<()> {
        let at = At { id: here.id, expected: here.version };
        let may = |right, field: &str| {
            let refused = || UserError::new(UserErrorCode::NotPermitted, &[field], NOT_YOURS);
            if self.viewer.has(right) { Ok(()) } else { Err(refused()) }
        };
        if let Some(void) = &row.void {
            may(Right::DistributionVoid, "void")?;
            let (reason, note) = (void.reason, void.note.clone());
            let input = VoidDistribution { at, validate_only: false, reason, note };
            return self.void_in(write, &input).await;
        }
        let differs = |field: &str| differences.iter().any(|difference| difference.field == field);
        let ahead = is_ahead(here);
        let fixed = ["facility", "program", "formNumber"].into_iter().find(|field| differs(field));
        if let Some(fixed) = fixed.filter(|fixed| !ahead || *fixed != "formNumber") {
            return Err(UserError::new(UserErrorCode::Invalid, &[fixed], STAYS).into());
        }
        if ahead {
            return self.deliver_in(write, &row.as_delivered(at)).await;
        }
        // Whoever records deliveries adds proofs.
        if let (true, Some(proof), 1) = (differs("proof"), &row.proof, differences.len()) {
            return self.prove_in(write, at, proof).await;
        }
        may(Right::DistributionCorrect, "id")?;
        if self.shipment_of(write, here.id).await?.is_some() {
            let proof = row.proof.clone().filter(|_| differs("proof"));
            return self.deliver_in(write, &DeliverDistribution { proof, ..row.as_delivered(at) }).await;
        }
        row.check_unsent()?;
        if let Some(proof) = &row.proof {
            let mut faults = Faults::default();
            self.check_proof(&mut faults, proof, row.occurred_on);
            faults.refuse()?;
        }
        let input = CorrectDistribution {
            at,
            validate_only: false,
            occurred_on: differs("occurredOn").then_some(row.occurred_on),
            people_reached: differs("peopleReached").then_some(row.people_reached),
            reach_method: differs("reachMethod").then_some(row.reach_method),
            place: row.place.filter(|_| differs("place")),
            people_expected: None,
            lines: differs("lines").then(|| row.lines.clone()),
        };
        self.correct_in(write, &input).await?;
        match &row.proof {
            Some(proof) if differs("proof") => self.insert_proof(write, here.id, proof).await,
            _ => Ok(()),
        }
    }

    /// The row that a device means, when the viewer may see it: the one that it names, or else the one that it has
    /// made, or has named before.
    ///
    /// # Errors
    /// `DUPLICATE` when its id stands for another delivery, or for one that the viewer does not see.
    #[expect(clippy::disallowed_methods, reason = "the key is the scope; the row is read in scope")]
    async fn known_as(&self, write: &Write<'_>, row: &SyncRow) -> Written<Option<distribution::Model>> {
        use distribution::Column::{ClientId, Id, OrganizationId};
        let own = self.own()?;
        let find = async |by: Condition| {
            let rows = self.select::<distribution::Entity>().filter(OrganizationId.eq(own)).filter(by);
            rows.all(&write.tx).await
        };
        let other = || UserError::new(UserErrorCode::Duplicate, &["clientId"], OTHER_ROW);
        let made = Condition::any().add(ClientId.eq(row.client_id));
        let Some(id) = row.id else {
            if let Some(here) = find(made).await?.pop() {
                return Ok(Some(here));
            }
            let alias = row.alias();
            let key = (own, alias.account(&self.viewer), alias.key);
            let Some(named) = idempotency::Entity::find_by_id(key).one(&write.tx).await? else {
                return Ok(None);
            };
            let here = find(Condition::all().add(Id.eq(named.object_id))).await?.pop();
            return Ok(Some(here.ok_or_else(other)?));
        };
        let found = find(made.add(Id.eq(id))).await?;
        if found.iter().any(|here| here.id != id) {
            return Err(other().into());
        }
        Ok(found.into_iter().next())
    }
}

impl DeviceRow for SyncRow {
    const GROUPED_BY: &'static str = "group";

    fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    fn client_id(&self) -> String {
        self.client_id.to_string()
    }

    async fn write(&self, access: &Access, write: &Write<'_>) -> Written<Answer> {
        access.sync_row(write, self).await
    }

    async fn write_alone(&self, access: &Access) -> Written<Option<Answer>> {
        access.sync_alone(self).await
    }
}

impl SyncRow {
    fn as_new(&self) -> RecordDistribution {
        RecordDistribution {
            once: self.once(),
            validate_only: false,
            facility: self.facility,
            program: self.program,
            occurred_on: self.occurred_on,
            people_reached: self.people_reached,
            reach_method: self.reach_method,
            place: self.place,
            client_id: Some(self.client_id),
            form_number: self.form_number.clone(),
            lines: self.lines.clone(),
            proof: self.proof.clone(),
            // Devices hold no women's records.
            recipients: Vec::new(),
        }
    }

    fn as_delivered(&self, at: At) -> DeliverDistribution {
        DeliverDistribution {
            at,
            validate_only: false,
            occurred_on: self.occurred_on,
            people_reached: self.people_reached,
            reach_method: self.reach_method,
            place: self.place,
            form_number: self.form_number.clone(),
            lines: Some(self.lines.clone()),
            loss_reason: self.loss_reason,
            proof: self.proof.clone(),
        }
    }

    /// A loss has a reason where goods were dispatched, and only there.
    fn check_unsent(&self) -> Written<()> {
        let mut faults = Faults::default();
        faults.check(self.loss_reason.is_none(), UserErrorCode::Invalid, &["lossReason"], BAD_REASON);
        faults.refuse()
    }

    /// That the device's id stands for a delivery which it has not made.
    fn alias(&self) -> Once {
        Once { key: alias(self.client_id), hash: Vec::new(), ..self.once() }
    }

    /// Each version of a row is sent once; a new one has none.
    fn once(&self) -> Once {
        Once {
            key: format!("{}/{}", self.client_id, self.expected_version.unwrap_or_default()),
            operation: "syncDistributions".to_owned(),
            hash: self.hash.clone(),
            shared: true,
        }
    }
}

const NEVER_HERE: Message = Message {
    en: "This row was never here. Leave it out.",
    es: "Esta fila nunca llegó aquí. No la envíe.",
};
/// The key under which the delivery is kept that a device has named under an id of its own.
pub(super) fn alias(client_id: Uuid) -> String {
    format!("{client_id}/*")
}

const NOT_SENT_YET: Message = Message {
    en: "No delivery here has this clientId. Leave expectedVersion out, or give the id.",
    es: "Ninguna entrega tiene aquí este clientId. Omita expectedVersion, o indique el id.",
};
const OTHER_ROW: Message = Message {
    en: "This id stands for another row. Make a new one.",
    es: "Este identificador corresponde a otra fila. Cree uno nuevo.",
};
const NOT_YOURS: Message = Message {
    en: "Your role does not change deliveries that were recorded.",
    es: "Su función no cambia entregas ya registradas.",
};
const STAYS: Message = Message {
    en: "This cannot change. Void the delivery and record it anew.",
    es: "Esto no puede cambiar. Anule la entrega y regístrela de nuevo.",
};
