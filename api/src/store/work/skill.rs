//! Skills that women have been seen to master.

use chrono::NaiveDate;
use entity::{skill, value::SkillLevel};
use sea_orm::Condition;
use serde::Deserialize;
use uuid::Uuid;

use super::NO_TECHNIQUE;
use crate::{
    auth::Right,
    id,
    store::{
        Access, Scoped,
        input::{FUTURE, Faults, Once, UserErrorCode, Written, or_default},
        write::{Seen, Trace, taken},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttestSkill {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::PARTICIPANT}>")]
    pub participant: Uuid,
    pub technique: String,
    pub level: SkillLevel,
    pub attested_on: NaiveDate,
}

impl Scoped for skill::Entity {
    fn visible_to(access: &Access) -> Condition {
        access
            .own_rows(skill::Column::OrganizationId, Right::EnrolmentRead)
            .add(access.of_women(skill::Column::ParticipantId))
    }
}

impl Access {
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    pub async fn attest_skill(&self, input: AttestSkill) -> Written<Option<Uuid>> {
        self.require(Right::SkillAttest)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        let known = self.catalog.techniques.contains_key(&input.technique);
        faults.check(known, UserErrorCode::NotFound, &["technique"], NO_TECHNIQUE);
        faults.check(input.attested_on <= self.today(), UserErrorCode::OutOfRange, &["attestedOn"], FUTURE);
        faults.refuse()?;
        self.hold_woman(&write, input.participant, &["participant"]).await?;
        let row = skill::Model {
            organization_id: self.own()?,
            id,
            participant_id: input.participant,
            technique: input.technique,
            level: input.level,
            attested_on: input.attested_on,
            attested_by: self.viewer.account(),
            recorded_at: self.now,
        };
        write.put::<skill::Entity>(vec![row]).await.map_err(taken("level"))?;
        let trace = Trace::of("CREATE", "skill");
        write.finish_about(vec![input.participant], trace, (id, 1), input.validate_only).await
    }
}
