//! Maternity: sensitive, and under rights of its own.

use chrono::NaiveDate;
use entity::{maternity, value::MaternityState};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::Deserialize;
use uuid::Uuid;

use super::scope::taken;
use crate::{
    auth::Right,
    error::{Error, Result},
    id,
    store::{
        Access,
        input::{At, FUTURE, Faults, Message, Once, UserError, UserErrorCode, Written, or_default},
        write::Trace,
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordMaternity {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::PARTICIPANT}>")]
    pub participant: Uuid,
    pub state: MaternityState,
    pub starts_on: NaiveDate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndMaternity {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    /// The last day, included.
    pub ends_on: NaiveDate,
}

impl Access {
    /// What is recorded of the maternity of women.
    ///
    /// # Errors
    /// `NotPermitted` without the right, unless the records of all of them were taken for a reason.
    pub(super) async fn maternities(
        &self,
        women: &[Uuid],
        fields: &[String],
    ) -> Result<Vec<maternity::Model>> {
        let reading = self.reading().await?;
        let mut rows = self.hanging_in::<maternity::Entity>(reading.tx(), women).await?;
        if !self.viewer.has(Right::MaternityRead) {
            let open = self.taken_in(reading.tx()).await?;
            if women.iter().any(|woman| !open.contains(woman)) {
                return Err(Error::NotPermitted);
            }
            rows.retain(|row| open.contains(&row.participant_id));
        }
        reading.end("maternity", fields, women.iter().copied(), rows).await
    }

    /// The women whose records the viewer has taken.
    async fn taken_in(&self, tx: &sea_orm::DatabaseTransaction) -> Result<Vec<Uuid>> {
        use sea_orm::ConnectionTrait;
        let rows = tx.query_all(&taken(self)).await?;
        Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn record_maternity(&self, input: RecordMaternity) -> Written<Option<Uuid>> {
        self.require(Right::MaternityWrite)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        let Some(woman) = self.woman_once(&write, &input.once, input.participant).await? else {
            return Ok(Some(input.participant));
        };
        let mut faults = Faults::default();
        faults.check(input.starts_on <= self.today(), UserErrorCode::OutOfRange, &["startsOn"], FUTURE);
        let open = self.hanging_in::<maternity::Entity>(&write.tx, &[woman.id]).await?;
        let open = open.iter().any(|row| row.state == input.state && row.ends_on.is_none());
        faults.check(!open, UserErrorCode::Duplicate, &["state"], IS_OPEN);
        faults.refuse()?;
        let row = maternity::ActiveModel {
            organization_id: Set(self.own()?),
            id: Set(self.new_id()),
            participant_id: Set(woman.id),
            state: Set(input.state),
            starts_on: Set(input.starts_on),
            ends_on: Set(None),
            version: Set(1),
            recorded_at: Set(self.now),
            recorded_by: Set(self.viewer.account()),
        };
        let row = row.insert(&write.tx).await?;
        let trace = Trace::of("CREATE", "maternity");
        let made = write.finish_about(vec![woman.id], trace, (row.id, 1), input.validate_only).await?;
        Ok(made.map(|_| woman.id))
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    #[expect(
        clippy::disallowed_methods,
        reason = "the row was found in scope; organisation and version are in the WHERE"
    )]
    pub async fn end_maternity(&self, input: EndMaternity) -> Written<Uuid> {
        self.require(Right::MaternityWrite)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        let Some(before) = self.hung::<maternity::Entity>(&write, input.at.id).await? else {
            return Err(UserError::not_found(&["id"]).into());
        };
        input.at.check("id", before.version, None)?;
        let mut faults = Faults::default();
        faults.check(before.ends_on.is_none(), UserErrorCode::Invalid, &["id"], HAS_ENDED);
        self.check_end(&mut faults, before.starts_on, input.ends_on);
        faults.refuse()?;
        let changed = maternity::Entity::update_many()
            .set(maternity::ActiveModel {
                ends_on: Set(Some(input.ends_on)),
                version: Set(input.at.expected + 1),
                ..Default::default()
            })
            .filter(maternity::Column::OrganizationId.eq(self.own()?))
            .filter(maternity::Column::Id.eq(input.at.id))
            .filter(maternity::Column::Version.eq(input.at.expected))
            .exec(&write.tx)
            .await?
            .rows_affected;
        let trace = Trace::of("UPDATE", "maternity");
        write.finish_hung(changed, trace, before.participant_id, input.at, input.validate_only).await?;
        Ok(before.participant_id)
    }
}

const IS_OPEN: Message = Message { en: "That is recorded already.", es: "Eso ya está registrado." };
const HAS_ENDED: Message = Message { en: "It has ended already.", es: "Ya terminó." };
