//! Runs: what a program has sold in a period is worked out, approved by a second person, and paid.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::{
    payout, payout_part, payout_run, production_batch, production_maker, sale,
    value::{PaidFor, PayoutRunStatus},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    currency,
    policy::Policy,
    pools::{Fault, Work},
    share::{Shared, share},
};
use crate::{
    auth::Right,
    id,
    store::{
        Access, Scoped,
        distribution::among,
        input::{At, FUTURE, Faults, Message, Once, Refused, UserError, UserErrorCode, Written, or_default},
        program::NO_PROGRAM,
        record::KeyHold,
        write::{Seen, Trace, Write},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatePayoutRun {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::PROGRAM}>")]
    pub program: Uuid,
    pub starts_on: NaiveDate,
    pub ends_on: NaiveDate,
    #[serde(default)]
    pub currency: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PayPayoutRun {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub paid_on: NaiveDate,
}

impl Scoped for payout_run::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(payout_run::Column::OrganizationId, Right::PayoutRead)
    }
}

impl Scoped for payout::Entity {
    fn visible_to(access: &Access) -> Condition {
        access
            .own_rows(payout::Column::OrganizationId, Right::PayoutRead)
            .add(access.of_women(payout::Column::ParticipantId))
    }
}

/// Parts are reached through their pay-outs, whose scope is applied first.
impl Scoped for payout_part::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(payout_part::Column::OrganizationId, Right::PayoutRead)
    }
}

impl Access {
    /// Works out what each woman is paid of what was sold in a period and is in no other run.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    pub async fn create_payout_run(&self, input: CreatePayoutRun) -> Written<Option<Uuid>> {
        self.require(Right::PayoutRun)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        // Who made what stays as it is until they are paid.
        write.hold_keys(KeyHold::Stay).await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let own = self.own()?;
        let mut faults = Faults::default();
        let program = self.catalog.programs.get(input.program);
        let program = program.filter(|entry| entry.row.organization_id == own);
        faults.check(program.is_some(), UserErrorCode::NotFound, &["program"], NO_PROGRAM);
        faults.span(input.starts_on, Some(input.ends_on), &["endsOn"]);
        faults.check(input.ends_on <= self.today(), UserErrorCode::OutOfRange, &["endsOn"], FUTURE);
        if let Some(code) = &input.currency {
            let known = currency::decimals(code).is_some();
            faults.check(known, UserErrorCode::Invalid, &["currency"], currency::UNKNOWN);
        }
        faults.refuse()?;
        let (policy, work) = self.policy_and_work(&write, &input).await?;
        let shared = shared(&policy, &work)?;
        let row = payout_run::Model {
            organization_id: own,
            id,
            program_id: input.program,
            policy_id: policy.row.id,
            currency: policy.row.currency.clone(),
            starts_on: input.starts_on,
            ends_on: input.ends_on,
            status: PayoutRunStatus::Draft,
            sold_minor: work.sold().map_err(|_| too_large())?,
            remainder_minor: shared.remainder,
            approved_at: None,
            approved_by: None,
            paid_on: None,
            voided_at: None,
            version: 1,
            recorded_at: self.now,
            recorded_by: self.viewer.account(),
        };
        write.put::<payout_run::Entity>(vec![row]).await?;
        self.take_work(&write, &work, id).await?;
        let women = shared.paid.iter().map(|paid| paid.woman).collect();
        self.put_payouts(&write, id, shared).await?;
        write.finish_about(women, Trace::of("CREATE", "payout_run"), (id, 1), input.validate_only).await
    }

    /// The one policy of a period, and what it is applied to. The sales are held until the transaction ends.
    async fn policy_and_work(&self, write: &Write<'_>, input: &CreatePayoutRun) -> Written<(Policy, Work)> {
        use sale::Column::{Id, OrganizationId, PayoutRunId, ProgramId, SoldOn};
        let own = self.own()?;
        let rows =
            self.select::<sale::Entity>().filter(OrganizationId.eq(own)).filter(ProgramId.eq(input.program));
        let mut sales = rows
            .filter(SoldOn.between(input.starts_on, input.ends_on))
            .filter(PayoutRunId.is_null())
            .order_by_asc(Id)
            .lock_exclusive()
            .all(&write.tx)
            .await?;
        let mut currencies: Vec<String> = sales.iter().map(|sale| sale.currency.clone()).collect();
        currencies.sort_unstable();
        currencies.dedup();
        let currency = match (&input.currency, currencies.as_slice()) {
            (Some(code), _) => code.clone(),
            (None, [one]) => one.clone(),
            (None, []) => return Err(UserError::new(UserErrorCode::Invalid, &["startsOn"], NOTHING).into()),
            // Amounts in two currencies are never added.
            (None, _) => {
                return Err(UserError::new(UserErrorCode::Invalid, &["currency"], TWO_CURRENCIES).into());
            }
        };
        sales.retain(|sale| sale.currency == currency);
        let mut policies = self.policies_of(&write.tx, input.program).await?;
        policies.retain(|row| row.currency == currency && row.valid_from <= input.ends_on);
        let Some(row) = policies.pop() else {
            return Err(UserError::new(UserErrorCode::NotFound, &["program"], NO_POLICY).into());
        };
        if row.valid_from > input.starts_on {
            return Err(UserError::new(UserErrorCode::Invalid, &["startsOn"], POLICY_CHANGES).into());
        }
        let policy = self.with_terms(&write.tx, vec![row]).await?.pop();
        let policy = policy.ok_or_else(|| crate::error::Error::Internal("a policy without terms".into()))?;
        let work = self.work_of(write, input, &policy, sales).await?;
        if work.sales.is_empty() && work.made.is_empty() {
            return Err(UserError::new(UserErrorCode::Invalid, &["startsOn"], NOTHING).into());
        }
        Ok((policy, work))
    }

    /// The batches of a program with their makers, whoever they are: all of them are paid.
    #[expect(
        clippy::disallowed_methods,
        reason = "rows of the viewer's own organisation, whose makers are all paid"
    )]
    async fn work_of(
        &self,
        write: &Write<'_>,
        input: &CreatePayoutRun,
        policy: &Policy,
        sales: Vec<sale::Model>,
    ) -> Written<Work> {
        use production_batch::Column::{Id, MadeOn, OrganizationId, PayoutRunId, ProductId, ProgramId};
        let own = self.own()?;
        let in_program = || {
            production_batch::Entity::find()
                .filter(OrganizationId.eq(own))
                .filter(ProgramId.eq(input.program))
        };
        let for_made = policy.row.paid_for == Some(PaidFor::Made);
        let made = if for_made {
            let unpaid = in_program()
                .filter(MadeOn.between(input.starts_on, input.ends_on))
                .filter(PayoutRunId.is_null())
                .order_by_asc(Id)
                .lock_exclusive();
            unpaid.all(&write.tx).await?
        } else {
            Vec::new()
        };
        let products = sales.iter().map(|sale| sale.product_id);
        let batches = if for_made {
            made.clone()
        } else {
            in_program().filter(among(ProductId, products)).order_by_asc(Id).all(&write.tx).await?
        };
        let of = among(production_maker::Column::BatchId, batches.iter().map(|batch| batch.id));
        let rows = production_maker::Entity::find()
            .filter(production_maker::Column::OrganizationId.eq(own))
            .filter(of)
            .all(&write.tx)
            .await?;
        let mut makers: HashMap<Uuid, Vec<production_maker::Model>> = HashMap::new();
        for maker in rows {
            makers.entry(maker.batch_id).or_default().push(maker);
        }
        Ok(Work { sales, made: made.into_iter().map(|batch| batch.id).collect(), batches, makers })
    }

    /// Marks what a run is of, so that no other takes it.
    #[expect(
        clippy::disallowed_methods,
        reason = "rows of the viewer's own organisation that this transaction holds"
    )]
    async fn take_work(&self, write: &Write<'_>, work: &Work, run: Uuid) -> Written<()> {
        let own = self.own()?;
        for chunk in work.sales.chunks(500) {
            sale::Entity::update_many()
                .set(sale::ActiveModel { payout_run_id: Set(Some(run)), ..Default::default() })
                .filter(sale::Column::OrganizationId.eq(own))
                .filter(among(sale::Column::Id, chunk.iter().map(|sale| sale.id)))
                .exec(&write.tx)
                .await?;
        }
        for chunk in work.made.chunks(500) {
            production_batch::Entity::update_many()
                .set(production_batch::ActiveModel { payout_run_id: Set(Some(run)), ..Default::default() })
                .filter(production_batch::Column::OrganizationId.eq(own))
                .filter(among(production_batch::Column::Id, chunk.iter().copied()))
                .exec(&write.tx)
                .await?;
        }
        Ok(())
    }

    async fn put_payouts(&self, write: &Write<'_>, run: Uuid, shared: Shared) -> Written<()> {
        let own = self.own()?;
        let mut rows = Vec::with_capacity(shared.paid.len());
        let mut parts = Vec::new();
        for paid in shared.paid {
            let id = self.new_id();
            rows.push(payout::Model {
                organization_id: own,
                id,
                run_id: run,
                participant_id: paid.woman,
                gross_minor: paid.gross,
                net_minor: paid.net,
                acknowledged_on: None,
                method: None,
                version: 1,
                recorded_at: self.now,
                recorded_by: self.viewer.account(),
            });
            parts.extend(paid.taken.into_iter().zip(1..).map(|((kind, amount_minor), position)| {
                payout_part::Model { organization_id: own, payout_id: id, position, kind, amount_minor }
            }));
        }
        write.put::<payout::Entity>(rows).await?;
        Ok(write.put::<payout_part::Entity>(parts).await?)
    }

    /// Approves a run that somebody else has made.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn approve_payout_run(&self, at: At, validate_only: bool) -> Written<()> {
        self.require(Right::PayoutApprove)?;
        let write = self.write_relying().await?;
        let run = self.run_at(&write, at, &[PayoutRunStatus::Draft]).await?;
        if run.recorded_by.is_none() || run.recorded_by == self.viewer.account() {
            return Err(UserError::new(UserErrorCode::NotPermitted, &["id"], ONE_PERSON).into());
        }
        let change = payout_run::ActiveModel {
            status: Set(PayoutRunStatus::Approved),
            approved_at: Set(Some(self.now)),
            approved_by: Set(self.viewer.account()),
            ..Default::default()
        };
        self.end_run(write, change, "APPROVE", at, validate_only).await
    }

    /// Says that the women of an approved run were paid.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn pay_payout_run(&self, input: PayPayoutRun) -> Written<()> {
        self.require(Right::PayoutRun)?;
        let write = self.write_relying().await?;
        let run = self.run_at(&write, input.at, &[PayoutRunStatus::Approved]).await?;
        let mut faults = Faults::default();
        let inside = run.ends_on <= input.paid_on && input.paid_on <= self.today();
        faults.check(inside, UserErrorCode::OutOfRange, &["paidOn"], BAD_DAY);
        faults.refuse()?;
        let change = payout_run::ActiveModel {
            status: Set(PayoutRunStatus::Paid),
            paid_on: Set(Some(input.paid_on)),
            ..Default::default()
        };
        self.end_run(write, change, "PAY", input.at, input.validate_only).await
    }

    /// Voids a run that was not paid; what it was of is free for another.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    #[expect(clippy::disallowed_methods, reason = "rows of a run of the viewer's own organisation")]
    pub async fn void_payout_run(&self, at: At, validate_only: bool) -> Written<()> {
        self.require(Right::PayoutRun)?;
        let write = self.write_relying().await?;
        let run = self.run_at(&write, at, &[PayoutRunStatus::Draft, PayoutRunStatus::Approved]).await?;
        sale::Entity::update_many()
            .set(sale::ActiveModel { payout_run_id: Set(None), ..Default::default() })
            .filter(sale::Column::OrganizationId.eq(run.organization_id))
            .filter(sale::Column::PayoutRunId.eq(run.id))
            .exec(&write.tx)
            .await?;
        production_batch::Entity::update_many()
            .set(production_batch::ActiveModel { payout_run_id: Set(None), ..Default::default() })
            .filter(production_batch::Column::OrganizationId.eq(run.organization_id))
            .filter(production_batch::Column::PayoutRunId.eq(run.id))
            .exec(&write.tx)
            .await?;
        let change = payout_run::ActiveModel {
            status: Set(PayoutRunStatus::Voided),
            voided_at: Set(Some(self.now)),
            ..Default::default()
        };
        self.end_run(write, change, "VOID", at, validate_only).await
    }

    /// A run at a version and in one of some states, held until the transaction ends.
    async fn run_at(
        &self,
        write: &Write<'_>,
        at: At,
        states: &[PayoutRunStatus],
    ) -> Written<payout_run::Model> {
        let rows = self.select::<payout_run::Entity>().filter(payout_run::Column::Id.eq(at.id));
        let run = rows.lock_exclusive().one(&write.tx).await?.ok_or_else(|| UserError::not_found(&["id"]))?;
        if run.version != at.expected {
            return Err(UserError::stale().into());
        }
        if !states.contains(&run.status) {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], NOT_NOW).into());
        }
        Ok(run)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the update repeats the organisation and the version in its WHERE"
    )]
    async fn end_run(
        &self,
        write: Write<'_>,
        change: payout_run::ActiveModel,
        action: &str,
        at: At,
        validate_only: bool,
    ) -> Written<()> {
        let change = payout_run::ActiveModel { version: Set(at.expected + 1), ..change };
        let done = payout_run::Entity::update_many()
            .set(change)
            .filter(payout_run::Column::OrganizationId.eq(self.own()?))
            .filter(payout_run::Column::Id.eq(at.id))
            .filter(payout_run::Column::Version.eq(at.expected))
            .exec(&write.tx)
            .await?;
        let trace = Trace { action, entity: "payout_run", detail: json!(null) };
        write.finish(done.rows_affected, trace, at, validate_only).await
    }
}

/// What each woman is paid, and what remains.
fn shared(policy: &Policy, work: &Work) -> Written<Shared> {
    let pools = work.pools(policy).map_err(|fault| match fault {
        Fault::TooLarge => too_large(),
        Fault::NoRate => UserError::new(UserErrorCode::NotFound, &["program"], NO_RATE).into(),
    })?;
    let sold = work.sold().map_err(|_| too_large())?;
    share(sold, &pools, &policy.deductions(), policy.row.rounding).map_err(|_| too_large())
}

fn too_large() -> Refused {
    UserError::new(UserErrorCode::OutOfRange, &["startsOn"], TOO_LARGE).into()
}

const NOTHING: Message = Message {
    en: "There is nothing in this period that was not paid out.",
    es: "En este periodo no hay nada sin pagar.",
};
const TWO_CURRENCIES: Message = Message {
    en: "The period has sales in several currencies, which are never added. Name one.",
    es: "El periodo tiene ventas en varias monedas, que nunca se suman. Indique una.",
};
const NO_POLICY: Message = Message {
    en: "The program has no policy of pay-outs in this currency for the period.",
    es: "El programa no tiene una política de pago en esta moneda para el periodo.",
};
const POLICY_CHANGES: Message = Message {
    en: "The policy begins within the period. Make a run for each part.",
    es: "La política comienza dentro del periodo. Haga un pago por cada parte.",
};
const NO_RATE: Message = Message {
    en: "The policy has no rate for a product of the period.",
    es: "La política no tiene tarifa para un producto del periodo.",
};
const ONE_PERSON: Message = Message {
    en: "A run is approved by another person than made it.",
    es: "Un pago lo aprueba una persona distinta de quien lo hizo.",
};
const BAD_DAY: Message = Message {
    en: "The day is before the end of the period, or in the future.",
    es: "El día es anterior al final del periodo, o está en el futuro.",
};
const NOT_NOW: Message = Message {
    en: "The run is past this, or not there yet.",
    es: "El pago ya pasó por esto, o aún no llega.",
};
const TOO_LARGE: Message =
    Message { en: "The amounts are too large.", es: "Los montos son demasiado grandes." };
