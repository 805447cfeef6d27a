//! That a woman confirmed what she was paid.

use chrono::NaiveDate;
use entity::{
    payout, payout_run,
    value::{AcknowledgementMethod, PayoutRunStatus},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    auth::Right,
    store::{
        Access,
        input::{At, Faults, Message, UserError, UserErrorCode, Written, or_default},
        write::Trace,
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AcknowledgePayout {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub method: AcknowledgementMethod,
    pub acknowledged_on: NaiveDate,
}

impl Access {
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    #[expect(
        clippy::disallowed_methods,
        reason = "the update repeats the organisation and the version in its WHERE"
    )]
    pub async fn acknowledge_payout(&self, input: AcknowledgePayout) -> Written<()> {
        self.require(Right::PayoutRun)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        let rows = self.select::<payout::Entity>().filter(payout::Column::Id.eq(input.at.id));
        let row = rows.lock_exclusive().one(&write.tx).await?.ok_or_else(|| UserError::not_found(&["id"]))?;
        if row.version != input.at.expected {
            return Err(UserError::stale().into());
        }
        let paid_on = self.paid_on(&write, row.run_id).await?;
        let mut faults = Faults::default();
        let paid = paid_on.is_some() && row.acknowledged_on.is_none();
        faults.check(paid, UserErrorCode::Invalid, &["id"], NOT_PAID);
        let day = input.acknowledged_on;
        let inside = paid_on.is_none_or(|paid_on| paid_on <= day) && day <= self.today();
        faults.check(inside, UserErrorCode::OutOfRange, &["acknowledgedOn"], BAD_DAY);
        faults.refuse()?;
        let change = payout::ActiveModel {
            acknowledged_on: Set(Some(day)),
            method: Set(Some(input.method)),
            version: Set(row.version + 1),
            ..Default::default()
        };
        payout::Entity::update_many()
            .set(change)
            .filter(payout::Column::OrganizationId.eq(row.organization_id))
            .filter(payout::Column::Id.eq(row.id))
            .filter(payout::Column::Version.eq(row.version))
            .exec(&write.tx)
            .await?;
        let about = (row.id, row.version + 1);
        let women = vec![row.participant_id];
        write.finish_about(women, Trace::of("ACKNOWLEDGE", "payout"), about, input.validate_only).await?;
        Ok(())
    }

    /// The day on which a run was paid; none while it is not.
    async fn paid_on(&self, write: &crate::store::write::Write<'_>, run: Uuid) -> Written<Option<NaiveDate>> {
        use payout_run::Column::{Id, Status};
        let rows = self.select::<payout_run::Entity>().filter(Id.eq(run));
        let run = rows.filter(Status.eq(PayoutRunStatus::Paid)).one(&write.tx).await?;
        Ok(run.and_then(|run| run.paid_on))
    }
}

const NOT_PAID: Message = Message {
    en: "This is not paid yet, or was confirmed already.",
    es: "Esto aún no se ha pagado, o ya fue confirmado.",
};
const BAD_DAY: Message = Message {
    en: "The day is before the payment, or in the future.",
    es: "El día es anterior al pago, o está en el futuro.",
};
