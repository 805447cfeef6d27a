//! What is kept for a woman until she leaves: what was taken off her pay-outs for the fund, less what she was handed.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::{
    participant, payout, payout_part, payout_run, savings_withdrawal,
    value::{DeductionKind, PayoutRunStatus, WithdrawalReason},
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, QueryFilter, QuerySelect, Statement};
use serde::Deserialize;
use uuid::Uuid;

use super::currency;
use crate::{
    auth::Right,
    error::Result,
    id,
    store::{
        Access, Scoped,
        distribution::among,
        input::{FUTURE, Faults, Message, MoneyInput, Once, UserError, UserErrorCode, Written, or_default},
        participant::scope::looked_after,
        write::{Seen, Trace, Write},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordSavingsWithdrawal {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::PARTICIPANT}>")]
    pub participant: Uuid,
    pub amount: MoneyInput,
    pub withdrawn_on: NaiveDate,
    pub reason: WithdrawalReason,
}

/// What is kept for a woman in one currency.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Savings {
    pub currency: String,
    pub saved: i64,
    pub withdrawn: i64,
}

impl Savings {
    pub fn balance(&self) -> i64 {
        self.saved - self.withdrawn
    }
}

impl Scoped for savings_withdrawal::Entity {
    fn visible_to(access: &Access) -> Condition {
        access
            .own_rows(savings_withdrawal::Column::OrganizationId, Right::PayoutRead)
            .add(access.of_women(savings_withdrawal::Column::ParticipantId))
    }
}

impl Access {
    /// What is kept for a woman, currency by currency; none for one whom the viewer does not reach.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`.
    pub async fn savings(&self, woman: Uuid) -> Result<Vec<Savings>> {
        self.require(Right::PayoutRead)?;
        let reading = self.reading().await?;
        let women = self.select::<participant::Entity>().filter(participant::Column::Id.eq(woman));
        let known = women.one(reading.tx()).await?.is_some();
        let found = if known { self.savings_on(reading.tx(), woman, None).await? } else { Vec::new() };
        let fields = ["saved", "withdrawn"].map(str::to_owned);
        reading.end("savings", &fields, known.then_some(woman), found).await
    }

    /// The same by what was paid up to a day. Withdrawals of all days are taken off, so that none leaves too little for
    /// one before it.
    async fn savings_on(
        &self,
        db: &impl ConnectionTrait,
        woman: Uuid,
        day: Option<NaiveDate>,
    ) -> Result<Vec<Savings>> {
        use payout_part::Column::{Kind, PayoutId};
        let payouts = self.select::<payout::Entity>().filter(payout::Column::ParticipantId.eq(woman));
        let payouts = payouts.all(db).await?;
        let runs = among(payout_run::Column::Id, payouts.iter().map(|payout| payout.run_id));
        let mut runs = self
            .select::<payout_run::Entity>()
            .filter(runs)
            .filter(payout_run::Column::Status.eq(PayoutRunStatus::Paid))
            .all(db)
            .await?;
        runs.retain(|run| day.is_none_or(|day| run.paid_on.is_some_and(|paid_on| paid_on <= day)));
        let parts = self
            .select::<payout_part::Entity>()
            .filter(among(PayoutId, payouts.iter().map(|payout| payout.id)))
            .filter(Kind.eq(DeductionKind::SavingsFund))
            .all(db)
            .await?;
        let withdrawals = self
            .select::<savings_withdrawal::Entity>()
            .filter(savings_withdrawal::Column::ParticipantId.eq(woman))
            .all(db)
            .await?;
        let mut savings: BTreeMap<String, Savings> = BTreeMap::new();
        let mut of = |currency: &str, saved: i64, withdrawn: i64| {
            let one = savings.entry(currency.to_owned()).or_default();
            one.currency = currency.to_owned();
            one.saved += saved;
            one.withdrawn += withdrawn;
        };
        for part in &parts {
            let payout = payouts.iter().find(|payout| payout.id == part.payout_id);
            let run = payout.and_then(|payout| runs.iter().find(|run| run.id == payout.run_id));
            if let Some(run) = run {
                of(&run.currency, part.amount_minor, 0);
            }
        }
        for withdrawal in &withdrawals {
            of(&withdrawal.currency, 0, withdrawal.amount_minor);
        }
        Ok(savings.into_values().collect())
    }

    /// Hands a woman what is kept for her, and never more.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    pub async fn record_savings_withdrawal(&self, input: RecordSavingsWithdrawal) -> Written<Option<Uuid>> {
        self.require(Right::PayoutRun)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        let amount = faults.money(&input.amount, &["amount"]);
        let known = currency::decimals(&input.amount.currency).is_some();
        faults.check(known, UserErrorCode::Invalid, &["amount", "currency"], currency::UNKNOWN);
        let past = input.withdrawn_on <= self.today();
        faults.check(past, UserErrorCode::OutOfRange, &["withdrawnOn"], FUTURE);
        faults.refuse()?;
        // Held, so that two withdrawals do not take the same money.
        let women = self.select::<participant::Entity>();
        let women = women.filter(participant::Column::Id.eq(input.participant)).filter(looked_after(self));
        let women = women.lock_exclusive();
        if women.one(&write.tx).await?.is_none() {
            return Err(UserError::not_found(&["participant"]).into());
        }
        let savings = self.savings_on(&write.tx, input.participant, Some(input.withdrawn_on)).await?;
        let balance = savings.iter().find(|one| one.currency == input.amount.currency);
        if balance.map_or(0, Savings::balance) < amount {
            return Err(UserError::new(UserErrorCode::OutOfRange, &["amount"], TOO_MUCH).into());
        }
        let row = savings_withdrawal::Model {
            organization_id: self.own()?,
            id,
            participant_id: input.participant,
            amount_minor: amount,
            currency: input.amount.currency,
            withdrawn_on: input.withdrawn_on,
            reason: input.reason,
            recorded_at: self.now,
            recorded_by: self.viewer.account(),
        };
        write.put::<savings_withdrawal::Entity>(vec![row]).await?;
        let trace = Trace::of("CREATE", "savings_withdrawal");
        write.finish_about(vec![input.participant], trace, (id, 1), input.validate_only).await
    }
}

/// What was put aside for women of the organisation `$1` and what was handed out of it, as `woman`, `currency`, `amount`.
pub(in crate::store) const KEPT: &str = "SELECT p.participant_id AS woman, r.currency, t.amount_minor AS amount \
    FROM payout_part t JOIN payout p ON p.organization_id = t.organization_id AND p.id = t.payout_id \
    JOIN payout_run r ON r.organization_id = p.organization_id AND r.id = p.run_id \
    WHERE t.organization_id = $1 AND t.kind = 'SAVINGS_FUND' AND r.status = 'PAID' \
    UNION ALL SELECT participant_id, currency, -amount_minor FROM savings_withdrawal WHERE organization_id = $1";

impl Write<'_> {
    /// Whether more was handed out to any of these women than was put aside for her.
    pub(in crate::store) async fn is_overdrawn(&self, women: &[Uuid]) -> Result<bool> {
        for woman in women {
            let sql = format!(
                "SELECT 1 AS one FROM ({KEPT}) kept WHERE woman = $2 GROUP BY currency HAVING SUM(amount) < 0"
            );
            let values = [self.access.own()?.into(), (*woman).into()];
            let statement = Statement::from_sql_and_values(self.access.backend(), sql, values);
            if self.tx.query_one_raw(statement).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

const TOO_MUCH: Message = Message {
    en: "That is more than is kept for her in this currency on that day.",
    es: "Es más de lo que se le guarda en esta moneda en ese día.",
};
