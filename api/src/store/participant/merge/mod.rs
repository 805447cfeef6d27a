//! Two records of one woman: one person proposes to merge them, another decides, and it can be undone.
//!
//! What is about her person (who she is, her stays, dependants, maternity and consents) stays with each record, and what
//! the kept one says counts. What she did is moved to the kept one (`rows.rs`), and moved back when the merge is undone.
//! No record into which another was merged is merged itself, so what `merged_into` names is never merged.

mod read;
mod rows;

use entity::{
    consent, participant, participant_merge,
    value::{ConsentPurpose, MergeStatus},
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, Iterable, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

pub use self::read::{Filter, Listing};
use super::scope::reached;
use crate::{
    auth::Right,
    error::{Error, Result},
    id,
    store::{
        Access, Scoped,
        input::{At, Faults, Message, Once, UserError, UserErrorCode, Written, or_default},
        record::KeyHold,
        write::{Seen, Trace, Write},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProposeMerge {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::PARTICIPANT}>")]
    pub kept: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::PARTICIPANT}>")]
    pub merged: Uuid,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecideMerge {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub decision: MergeDecision,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MergeDecision {
    Merge,
    Refuse,
}

/// Who reaches both records sees that they are, or were, one.
impl Scoped for participant_merge::Entity {
    fn visible_to(access: &Access) -> Condition {
        access
            .own_rows(participant_merge::Column::OrganizationId, Right::ParticipantMerge)
            .add(access.of_women(participant_merge::Column::KeptId))
            .add(access.of_women(participant_merge::Column::MergedId))
    }
}

impl Access {
    /// Proposes to merge a record into another of the same woman.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    pub async fn propose_merge(&self, input: ProposeMerge) -> Written<Option<Uuid>> {
        self.require(Right::ParticipantMerge)?;
        self.purpose()?;
        let account = self.viewer.account().ok_or(Error::NotPermitted)?;
        let ProposeMerge { once, validate_only, kept, merged } = input;
        let write = self.write_relying().await?;
        let id = match write.once(&once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        if kept == merged {
            return Err(UserError::new(UserErrorCode::Invalid, &["merged"], ITSELF).into());
        }
        self.pair(&write, (kept, merged), (&["kept"], &["merged"])).await?;
        if self.is_proposed(&write, merged).await? {
            return Err(UserError::new(UserErrorCode::Duplicate, &["merged"], PROPOSED).into());
        }
        let row = participant_merge::Model {
            organization_id: self.own()?,
            id,
            kept_id: kept,
            merged_id: merged,
            status: MergeStatus::Proposed,
            proposed_at: self.now,
            proposed_by: account,
            decided_at: None,
            decided_by: None,
            undone_at: None,
            undone_by: None,
            version: 1,
        };
        write.put::<participant_merge::Entity>(vec![row]).await?;
        let trace = Trace::of("PROPOSE", "participant_merge");
        write.finish_about(vec![kept, merged], trace, (id, 1), validate_only).await
    }

    /// Merges what somebody else has proposed, or refuses it.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    pub async fn decide_merge(&self, input: DecideMerge) -> Written<()> {
        self.require(Right::ParticipantMerge)?;
        self.purpose()?;
        let account = self.viewer.account().ok_or(Error::NotPermitted)?;
        let write = self.write_relying().await?;
        // Before any row: nobody reads or pays by rows that are about to change hands.
        write.hold_keys(KeyHold::Move).await?;
        let merge = self.merge_at(&write, input.at, MergeStatus::Proposed).await?;
        if merge.proposed_by == account {
            return Err(UserError::new(UserErrorCode::NotPermitted, &["id"], ONE_PERSON).into());
        }
        let decided = participant_merge::ActiveModel {
            decided_at: Set(Some(self.now)),
            decided_by: Set(Some(account)),
            ..Default::default()
        };
        if input.decision == MergeDecision::Refuse {
            let change = participant_merge::ActiveModel { status: Set(MergeStatus::Refused), ..decided };
            let trace = Trace::of("REFUSE", "participant_merge");
            return self.end_merge(write, &merge, change, trace, input.validate_only).await;
        }
        let pair = (merge.kept_id, merge.merged_id);
        let merged = self.pair(&write, pair, (&["id"], &["id"])).await?;
        self.check_consents(&write, pair).await?;
        write.check_money(pair).await?;
        let moved = write.move_rows(&merge).await?;
        self.mark(&write, &merged, Some(merge.kept_id)).await?;
        let change = participant_merge::ActiveModel { status: Set(MergeStatus::Merged), ..decided };
        let trace = Trace { detail: json!({ "moved": moved }), ..Trace::of("MERGE", "participant_merge") };
        self.end_merge(write, &merge, change, trace, input.validate_only).await
    }

    /// Gives a record that was merged its rows back. What was recorded since then stays with the kept one.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    pub async fn undo_merge(&self, at: At, validate_only: bool) -> Written<()> {
        self.require(Right::ParticipantMerge)?;
        self.purpose()?;
        let account = self.viewer.account().ok_or(Error::NotPermitted)?;
        let write = self.write_relying().await?;
        write.hold_keys(KeyHold::Move).await?;
        let merge = self.merge_at(&write, at, MergeStatus::Merged).await?;
        // Workshops before women, as everywhere.
        let free = self.seats_are_free(&write, merge.merged_id).await?;
        let women = self.held(&write, (merge.kept_id, merge.merged_id)).await?;
        let mut faults = Faults::default();
        let there = women.len() == 2 && women.iter().all(|woman| woman.erased_at.is_none());
        faults.check(there, UserErrorCode::Invalid, &["id"], ERASED);
        faults.check(free, UserErrorCode::Conflict, &["id"], NO_SEAT);
        faults.refuse()?;
        let moved = write.move_rows_back(&merge).await?;
        // What was handed out of joint savings stays with the kept record: it must have been hers alone.
        let covered = !write.is_overdrawn(&[merge.kept_id, merge.merged_id]).await?;
        let mut faults = Faults::default();
        faults.check(covered, UserErrorCode::Conflict, &["id"], OVERDRAWN);
        faults.refuse()?;
        for merged in women.iter().filter(|woman| woman.id == merge.merged_id) {
            self.mark(&write, merged, None).await?;
        }
        let change = participant_merge::ActiveModel {
            status: Set(MergeStatus::Undone),
            undone_at: Set(Some(self.now)),
            undone_by: Set(Some(account)),
            ..Default::default()
        };
        let trace = Trace { detail: json!({ "moved": moved }), ..Trace::of("UNDO", "participant_merge") };
        self.end_merge(write, &merge, change, trace, validate_only).await
    }

    /// The records of two women whom the viewer looks after, held until the transaction ends.
    async fn held(&self, write: &Write<'_>, women: (Uuid, Uuid)) -> Result<Vec<participant::Model>> {
        // In one order, so that two who name the same women do not wait for each other.
        let rows = self
            .select::<participant::Entity>()
            .filter(participant::Column::Id.is_in([women.0, women.1]))
            .filter(reached(self))
            .order_by_asc(participant::Column::Id)
            .lock_exclusive();
        Ok(rows.all(&write.tx).await?)
    }

    /// Holds two records that can be merged, and gives the one that is to be merged into the other.
    async fn pair(
        &self,
        write: &Write<'_>,
        (kept, merged): (Uuid, Uuid),
        fields: (&[&str], &[&str]),
    ) -> Written<participant::Model> {
        let rows = self.held(write, (kept, merged)).await?;
        let mut faults = Faults::default();
        for (id, field) in [(kept, fields.0), (merged, fields.1)] {
            match rows.iter().find(|row| row.id == id) {
                None => faults.push(UserError::not_found(field)),
                Some(row) => {
                    faults.check(row.erased_at.is_none(), UserErrorCode::Invalid, field, ERASED);
                    faults.check(row.merged_into.is_none(), UserErrorCode::Invalid, field, IS_MERGED);
                }
            }
        }
        let holds_none = self.merged_into(&write.tx, merged).await?.is_empty();
        faults.check(holds_none, UserErrorCode::Invalid, fields.1, HOLDS_OTHERS);
        faults.refuse()?;
        let merged = rows.into_iter().find(|row| row.id == merged);
        merged.ok_or_else(|| UserError::not_found(fields.1).into())
    }

    /// The records that were merged into one.
    #[expect(clippy::disallowed_methods, reason = "of a record that the caller has found in scope")]
    pub(in crate::store) async fn merged_into(
        &self,
        tx: &DatabaseTransaction,
        kept: Uuid,
    ) -> Result<Vec<participant::Model>> {
        let rows = participant::Entity::find()
            .filter(participant::Column::OrganizationId.eq(self.own()?))
            .filter(participant::Column::MergedInto.eq(kept))
            .order_by_asc(participant::Column::Id)
            .lock_exclusive();
        Ok(rows.all(tx).await?)
    }

    /// Whether somebody has proposed already to merge a record into some other.
    #[expect(clippy::disallowed_methods, reason = "whether there is one, of a record in scope")]
    async fn is_proposed(&self, write: &Write<'_>, merged: Uuid) -> Result<bool> {
        use participant_merge::Column::{MergedId, OrganizationId, Status};
        let open = participant_merge::Entity::find()
            .filter(OrganizationId.eq(self.own()?))
            .filter(MergedId.eq(merged))
            .filter(Status.eq(MergeStatus::Proposed));
        Ok(open.count(&write.tx).await? > 0)
    }

    /// She must not come to consent, or lose a refusal, by a merge: the kept record holds her last decision of each purpose.
    async fn check_consents(&self, write: &Write<'_>, (kept, merged): (Uuid, Uuid)) -> Written<()> {
        let rows = self.hanging_in::<consent::Entity>(&write.tx, &[kept, merged]).await?;
        let last = |woman: Uuid, purpose: ConsentPurpose| {
            let hers = rows.iter().filter(|row| row.participant_id == woman && row.purpose == purpose);
            hers.map(|row| (row.decided_on, row.recorded_at, row.id)).max()
        };
        let fine = ConsentPurpose::iter().all(|purpose| last(merged, purpose) <= last(kept, purpose));
        if fine { Ok(()) } else { Err(UserError::new(UserErrorCode::Invalid, &["id"], CONSENT).into()) }
    }

    /// A merge at a version and in a state, held until the transaction ends.
    async fn merge_at(
        &self,
        write: &Write<'_>,
        at: At,
        status: MergeStatus,
    ) -> Written<participant_merge::Model> {
        let rows = self.select::<participant_merge::Entity>().filter(participant_merge::Column::Id.eq(at.id));
        let merge = rows.lock_exclusive().one(&write.tx).await?;
        let merge = merge.ok_or_else(|| UserError::not_found(&["id"]))?;
        at.check("id", merge.version, None)?;
        if merge.status != status {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], NOT_NOW).into());
        }
        Ok(merge)
    }

    /// Says what a record that is held was merged into.
    async fn mark(&self, write: &Write<'_>, merged: &participant::Model, into: Option<Uuid>) -> Written<()> {
        let at = At { id: merged.id, expected: merged.version };
        let row = participant::ActiveModel { merged_into: Set(into), ..Default::default() };
        match self.change_participant(write, at, row).await? {
            1 => Ok(()),
            _ => Err(Error::Internal("a record that is held has changed".into()).into()),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the row was found in scope; organisation and version are in the WHERE"
    )]
    async fn end_merge(
        &self,
        write: Write<'_>,
        merge: &participant_merge::Model,
        change: participant_merge::ActiveModel,
        trace: Trace<'_>,
        validate_only: bool,
    ) -> Written<()> {
        let version = merge.version + 1;
        let changed = participant_merge::Entity::update_many()
            .set(participant_merge::ActiveModel { version: Set(version), ..change })
            .filter(participant_merge::Column::OrganizationId.eq(merge.organization_id))
            .filter(participant_merge::Column::Id.eq(merge.id))
            .filter(participant_merge::Column::Version.eq(merge.version))
            .exec(&write.tx)
            .await?
            .rows_affected;
        if changed != 1 {
            return Err(UserError::stale().into());
        }
        let women = vec![merge.kept_id, merge.merged_id];
        write.finish_about(women, trace, (merge.id, version), validate_only).await?;
        Ok(())
    }
}

const ITSELF: Message =
    Message { en: "Name two different records.", es: "Indique dos expedientes diferentes." };
const PROPOSED: Message = Message {
    en: "It is proposed already to merge this record. Decide on that first.",
    es: "Ya se propuso unir este expediente. Decida primero sobre esa propuesta.",
};
const ONE_PERSON: Message = Message {
    en: "Somebody else than who proposed it has to decide.",
    es: "Debe decidir una persona distinta de quien lo propuso.",
};
const ERASED: Message =
    Message { en: "A record of these is erased.", es: "Uno de estos expedientes fue suprimido." };
const IS_MERGED: Message =
    Message { en: "This record was merged into another already.", es: "Este expediente ya se unió a otro." };
const HOLDS_OTHERS: Message = Message {
    en: "Other records were merged into this one. Keep it, or undo those merges first.",
    es: "Otros expedientes se unieron a este. Consérvelo o deshaga primero esas uniones.",
};
const CONSENT: Message = Message {
    en: "The other record holds a decision of hers about her data that the kept one has not, or a newer one. Record her \
         decision in the record that is kept first.",
    es: "El otro expediente tiene una decisión suya sobre sus datos que el conservado no tiene, o una más reciente. Registre \
         primero su decisión en el expediente que se conserva.",
};
const OVERDRAWN: Message = Message {
    en: "More was handed out of the savings of both than the record that is kept has saved alone.",
    es: "Del ahorro de ambos expedientes se entregó más de lo que ahorró por sí solo el que se conserva.",
};
const NOT_NOW: Message = Message {
    en: "This is decided already, or is not merged.",
    es: "Ya se decidió sobre esta propuesta, o los expedientes no están unidos.",
};
const NO_SEAT: Message = Message {
    en: "Her place in a workshop was given to somebody else meanwhile. Give the workshop one place more first.",
    es: "Su lugar en un taller se dio entretanto a otra persona. Agregue primero un lugar al taller.",
};
