//! Legal matters: how far each has come, and nothing else.

use chrono::NaiveDate;
use entity::{
    legal_matter,
    value::{LegalOutcome, LegalStage},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, Set};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    auth::Right,
    id,
    store::{
        Access, Scoped,
        input::{At, FUTURE, Faults, Message, Once, UserError, UserErrorCode, Written, or_default},
        write::{Seen, Trace},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenLegalMatter {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::PARTICIPANT}>")]
    pub participant: Uuid,
    pub opened_on: NaiveDate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeLegalMatter {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub stage: LegalStage,
    pub outcome: LegalOutcome,
}

impl Scoped for legal_matter::Entity {
    fn visible_to(access: &Access) -> Condition {
        access
            .own_rows(legal_matter::Column::OrganizationId, Right::LegalRead)
            .add(access.of_women(legal_matter::Column::ParticipantId))
    }
}

impl Access {
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    pub async fn open_legal_matter(&self, input: OpenLegalMatter) -> Written<Option<Uuid>> {
        self.require(Right::LegalWrite)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        faults.check(input.opened_on <= self.today(), UserErrorCode::OutOfRange, &["openedOn"], FUTURE);
        faults.refuse()?;
        self.hold_woman(&write, input.participant, &["participant"]).await?;
        let row = legal_matter::Model {
            organization_id: self.own()?,
            id,
            participant_id: input.participant,
            opened_on: input.opened_on,
            stage: LegalStage::Opened,
            outcome: LegalOutcome::Pending,
            version: 1,
            recorded_at: self.now,
            recorded_by: self.viewer.account(),
        };
        write.put::<legal_matter::Entity>(vec![row]).await?;
        let trace = Trace::of("CREATE", "legal_matter");
        write.finish_about(vec![input.participant], trace, (id, 1), input.validate_only).await
    }

    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    #[expect(
        clippy::disallowed_methods,
        reason = "the update repeats the organisation and the version in its WHERE"
    )]
    pub async fn change_legal_matter(&self, input: ChangeLegalMatter) -> Written<()> {
        self.require(Right::LegalWrite)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        let rows = self.select::<legal_matter::Entity>().filter(legal_matter::Column::Id.eq(input.at.id));
        let row = rows.lock_exclusive().one(&write.tx).await?.ok_or_else(|| UserError::not_found(&["id"]))?;
        if row.version != input.at.expected {
            return Err(UserError::stale().into());
        }
        let mut faults = Faults::default();
        let open = row.stage != LegalStage::Closed;
        faults.check(open, UserErrorCode::Invalid, &["id"], CLOSED);
        let ends = matches!(input.stage, LegalStage::Decided | LegalStage::Appeal | LegalStage::Closed);
        let fits = ends || input.outcome == LegalOutcome::Pending;
        faults.check(fits, UserErrorCode::Invalid, &["outcome"], TOO_EARLY);
        faults.refuse()?;
        let change = legal_matter::ActiveModel {
            stage: Set(input.stage),
            outcome: Set(input.outcome),
            version: Set(input.at.expected + 1),
            ..Default::default()
        };
        legal_matter::Entity::update_many()
            .set(change)
            .filter(legal_matter::Column::OrganizationId.eq(row.organization_id))
            .filter(legal_matter::Column::Id.eq(row.id))
            .filter(legal_matter::Column::Version.eq(row.version))
            .exec(&write.tx)
            .await?;
        let detail = json!({ "stage": input.stage, "outcome": input.outcome });
        let trace = Trace { detail, ..Trace::of("UPDATE", "legal_matter") };
        let women = vec![row.participant_id];
        write.finish_about(women, trace, (row.id, row.version + 1), input.validate_only).await?;
        Ok(())
    }
}

const CLOSED: Message = Message { en: "This matter is closed.", es: "Este asunto está cerrado." };
const TOO_EARLY: Message = Message {
    en: "There is no outcome before there is a decision.",
    es: "No hay resultado antes de una decisión.",
};
