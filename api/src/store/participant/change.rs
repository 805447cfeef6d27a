//! Changes of a record: who she is, and who depends on her.

use chrono::NaiveDate;
use entity::{
    dependant, participant,
    value::{AgeBand, DependantRelation},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::LockType};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    identity::{Document, Plain},
    scope::looked_after,
};
use crate::{
    auth::Right,
    error::Result,
    store::{
        Access,
        input::{At, Faults, Message, UserError, UserErrorCode, Written, given, or_default},
        record::KeyHold,
        write::{Trace, Write},
    },
};

/// The most dependants of a woman.
const MOST_DEPENDANTS: usize = 30;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateParticipant {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(default)]
    pub given_names: Option<String>,
    #[serde(default)]
    pub family_names: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub birth_date: Option<Option<NaiveDate>>,
    #[serde(default)]
    pub documents: Option<Vec<Document>>,
    #[serde(default, deserialize_with = "given")]
    pub notes: Option<Option<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetDependants {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub dependants: Vec<DependantInput>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DependantInput {
    pub relation: DependantRelation,
    pub age_band: AgeBand,
}

impl Access {
    /// The record to change, under the viewer's scope, held until the transaction ends.
    pub(super) async fn participant_to_change(
        &self,
        write: &Write<'_>,
        at: At,
    ) -> Written<participant::Model> {
        let row = self.participant_in(write, at.id, LockType::Update).await?;
        let Some(row) = row else { return Err(UserError::not_found(&["id"]).into()) };
        at.check("id", row.version, None)?;
        Ok(row)
    }

    /// A woman whom the viewer looks after, who is not erased, held until the transaction ends.
    pub(in crate::store) async fn participant_in(
        &self,
        write: &Write<'_>,
        id: Uuid,
        lock: LockType,
    ) -> Result<Option<participant::Model>> {
        let select = self
            .select::<participant::Entity>()
            .filter(participant::Column::Id.eq(id))
            .filter(looked_after(self))
            .filter(participant::Column::ErasedAt.is_null());
        Ok(select.lock(lock).one(&write.tx).await?)
    }

    /// Changes a row at the version that it was read with; how many rows that was.
    #[expect(
        clippy::disallowed_methods,
        reason = "the row was found in scope; organisation and version are in the WHERE"
    )]
    pub(in crate::store) async fn change_participant(
        &self,
        write: &Write<'_>,
        at: At,
        row: participant::ActiveModel,
    ) -> Result<u64> {
        let changed = participant::Entity::update_many()
            .set(participant::ActiveModel { version: Set(at.expected + 1), ..row })
            .filter(participant::Column::OrganizationId.eq(self.own()?))
            .filter(participant::Column::Id.eq(at.id))
            .filter(participant::Column::Version.eq(at.expected))
            .exec(&write.tx)
            .await?;
        Ok(changed.rows_affected)
    }

    /// Puts right who she is.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `Undecipherable` when what is there cannot be read; user errors for what a client
    /// can mend.
    pub async fn update_participant(&self, input: UpdateParticipant) -> Written<()> {
        self.require(Right::ParticipantWrite)?;
        self.require(Right::ParticipantIdentify)?;
        self.purpose()?;
        let own = self.own()?;
        let write = self.write_relying().await?;
        write.hold_keys(KeyHold::Stay).await?;
        let before = self.participant_to_change(&write, input.at).await?;
        let keys = write.keys_of(before.id).await?;
        let mut plain = Plain::read(own, &before, &keys.data)?;
        let mut fields = Vec::new();
        if let Some(names) = input.given_names {
            plain.given_names = names.trim().to_owned();
            fields.push("givenNames");
        }
        if let Some(names) = input.family_names {
            plain.family_names = names.trim().to_owned();
            fields.push("familyNames");
        }
        if let Some(born) = input.birth_date {
            plain.birth_date = born;
            fields.push("birthDate");
        }
        if let Some(documents) = input.documents {
            plain.documents = documents;
            fields.push("documents");
        }
        if let Some(notes) = input.notes {
            plain.notes = notes;
            fields.push("notes");
        }
        let mut faults = Faults::default();
        self.check_identity(&mut faults, &plain);
        faults.refuse()?;
        let mut row = participant::ActiveModel::default();
        plain.seal(own, before.id, input.at.expected + 1, &keys.data, &mut row)?;
        write.index(before.id, &plain, &keys.bucket).await?;
        let changed = self.change_participant(&write, input.at, row).await?;
        let detail = json!({ "fields": fields });
        write
            .finish_of(
                changed,
                Trace { action: "UPDATE", entity: "participant", detail },
                input.at,
                input.validate_only,
            )
            .await
    }

    /// Says who depends on her, in place of what was said before.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    #[expect(
        clippy::disallowed_methods,
        reason = "third persons are not kept when they are not named any more"
    )]
    pub async fn set_dependants(&self, input: SetDependants) -> Written<()> {
        self.require(Right::ParticipantWrite)?;
        self.purpose()?;
        let own = self.own()?;
        let write = self.write_relying().await?;
        let before = self.participant_to_change(&write, input.at).await?;
        let few = input.dependants.len() <= MOST_DEPENDANTS;
        let mut faults = Faults::default();
        faults.check(few, UserErrorCode::OutOfRange, &["dependants"], TOO_MANY_DEPENDANTS);
        faults.refuse()?;
        dependant::Entity::delete_many()
            .filter(dependant::Column::OrganizationId.eq(own))
            .filter(dependant::Column::ParticipantId.eq(before.id))
            .exec(&write.tx)
            .await?;
        let rows = input.dependants.iter().zip(1..).map(|(one, position)| dependant::ActiveModel {
            organization_id: Set(own),
            participant_id: Set(before.id),
            position: Set(position),
            relation: Set(one.relation),
            age_band: Set(one.age_band),
        });
        dependant::Entity::insert_many(rows).exec_without_returning(&write.tx).await?;
        let changed = self.change_participant(&write, input.at, participant::ActiveModel::default()).await?;
        let detail = json!({ "fields": ["dependants"] });
        write
            .finish_of(
                changed,
                Trace { action: "UPDATE", entity: "participant", detail },
                input.at,
                input.validate_only,
            )
            .await
    }
}

impl Write<'_> {
    /// Ends a change of a woman's own row at a version.
    pub(super) async fn finish_of(
        self,
        changed: u64,
        trace: Trace<'_>,
        at: At,
        validate_only: bool,
    ) -> Written<()> {
        if changed != 1 {
            return Err(UserError::stale().into());
        }
        self.audit_about(vec![at.id], trace, at.id, Some(at.expected + 1)).await?;
        self.end(validate_only).await
    }
}

const TOO_MANY_DEPENDANTS: Message =
    Message { en: "Give at most 30 dependants.", es: "Indique como máximo 30 dependientes." };
