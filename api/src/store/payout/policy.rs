//! Policies of pay-outs. A version is never changed; another one follows it.

use std::collections::HashSet;

use chrono::NaiveDate;
use entity::{
    payout_deduction, payout_policy, payout_rate, product,
    value::{DeductionKind, PaidFor, PayoutBasis, PayoutRounding},
};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    currency,
    share::{Amount, Deduction, WHOLE},
};
use crate::{
    auth::Right,
    id,
    store::{
        Access, Scoped,
        distribution::among,
        input::{Faults, Message, Once, UserErrorCode, Written, or_default},
        program::NO_PROGRAM,
        work::production::NO_PRODUCT,
        write::{Seen, taken},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatePayoutPolicy {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::PROGRAM}>")]
    pub program: Uuid,
    pub valid_from: NaiveDate,
    pub currency: String,
    pub basis: PayoutBasis,
    #[serde(default)]
    pub share_basis_points: Option<i32>,
    #[serde(default)]
    pub paid_for: Option<PaidFor>,
    pub rounding: PayoutRounding,
    #[serde(default, deserialize_with = "or_default")]
    pub rates: Vec<RateInput>,
    pub deductions: Vec<DeductionInput>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct RateInput {
    #[serde(deserialize_with = "id::single::<_, {id::PRODUCT}>")]
    pub product: Uuid,
    pub rate: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeductionInput {
    pub kind: DeductionKind,
    #[serde(default)]
    pub basis_points: Option<i32>,
    #[serde(default)]
    pub amount: Option<String>,
}

/// A version of a policy with all that it says.
#[derive(Clone, Debug)]
pub struct Policy {
    pub row: payout_policy::Model,
    pub rates: Vec<payout_rate::Model>,
    pub deductions: Vec<payout_deduction::Model>,
}

impl Policy {
    pub(super) fn deductions(&self) -> Vec<Deduction> {
        let one = |row: &payout_deduction::Model| Deduction {
            kind: row.kind,
            amount: match (row.basis_points, row.amount_minor) {
                (Some(basis_points), _) => Amount::BasisPoints(basis_points.into()),
                (None, amount) => Amount::Fixed(amount.unwrap_or(0)),
            },
        };
        self.deductions.iter().map(one).collect()
    }

    pub(super) fn rate(&self, product: Uuid) -> Option<i64> {
        self.rates.iter().find(|rate| rate.product_id == product).map(|rate| rate.rate_minor)
    }
}

impl Scoped for payout_policy::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(payout_policy::Column::OrganizationId, Right::PayoutRead)
    }
}

impl Scoped for payout_rate::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(payout_rate::Column::OrganizationId, Right::PayoutRead)
    }
}

impl Scoped for payout_deduction::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(payout_deduction::Column::OrganizationId, Right::PayoutRead)
    }
}

impl Access {
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_payout_policy(&self, input: CreatePayoutPolicy) -> Written<Option<Uuid>> {
        self.require(Right::PayoutPolicyWrite)?;
        let write = self.write_relying().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let own = self.own()?;
        let mut faults = Faults::default();
        let program = self.catalog.programs.get(input.program);
        let program = program.filter(|entry| entry.row.organization_id == own);
        faults.check(program.is_some(), UserErrorCode::NotFound, &["program"], NO_PROGRAM);
        let rates = input.check(&mut faults);
        let products = among(product::Column::Id, rates.iter().map(|(product, _)| *product));
        let known: HashSet<Uuid> = self
            .select::<product::Entity>()
            .filter(products)
            .all(&write.tx)
            .await?
            .into_iter()
            .map(|row| row.id)
            .collect();
        for (place, (product, _)) in rates.iter().enumerate() {
            let field = ["rates", &place.to_string(), "product"];
            faults.check(known.contains(product), UserErrorCode::NotFound, &field, NO_PRODUCT);
        }
        faults.refuse()?;
        let before = self.policies_of(&write.tx, input.program).await?;
        let row = payout_policy::Model {
            organization_id: own,
            id,
            program_id: input.program,
            number: before.iter().map(|row| row.number).max().unwrap_or(0) + 1,
            valid_from: input.valid_from,
            currency: input.currency.clone(),
            basis: input.basis,
            share_basis_points: input.share_basis_points,
            paid_for: input.paid_for,
            rounding: input.rounding,
            recorded_at: self.now,
            recorded_by: self.viewer.account(),
        };
        write.put::<payout_policy::Entity>(vec![row]).await.map_err(taken("program"))?;
        let rates = rates.into_iter().map(|(product_id, rate_minor)| payout_rate::Model {
            organization_id: own,
            policy_id: id,
            product_id,
            rate_minor,
        });
        write.put::<payout_rate::Entity>(rates.collect()).await?;
        let deductions = input.deductions.iter().zip(1..).map(|(one, position)| payout_deduction::Model {
            organization_id: own,
            policy_id: id,
            position,
            kind: one.kind,
            basis_points: one.basis_points,
            amount_minor: one.amount.as_ref().and_then(|amount| amount.parse().ok()),
        });
        write.put::<payout_deduction::Entity>(deductions.collect()).await?;
        write.finish_create("payout_policy", id, input.validate_only).await
    }

    /// The versions of a program, in their order.
    pub(super) async fn policies_of(
        &self,
        db: &impl sea_orm::ConnectionTrait,
        program: Uuid,
    ) -> crate::error::Result<Vec<payout_policy::Model>> {
        use payout_policy::Column::{Number, ProgramId};
        let rows = self.select::<payout_policy::Entity>().filter(ProgramId.eq(program));
        Ok(rows.order_by_asc(Number).all(db).await?)
    }

    /// Versions with all that they say, in three statements whatever their number.
    pub(in crate::store) async fn with_terms(
        &self,
        db: &impl sea_orm::ConnectionTrait,
        rows: Vec<payout_policy::Model>,
    ) -> crate::error::Result<Vec<Policy>> {
        let ids = || rows.iter().map(|row| row.id);
        let rates = self
            .select::<payout_rate::Entity>()
            .filter(among(payout_rate::Column::PolicyId, ids()))
            .order_by_asc(payout_rate::Column::ProductId)
            .all(db)
            .await?;
        let deductions = self
            .select::<payout_deduction::Entity>()
            .filter(among(payout_deduction::Column::PolicyId, ids()))
            .order_by_asc(payout_deduction::Column::Position)
            .all(db)
            .await?;
        let policy = |row: payout_policy::Model| Policy {
            rates: rates.iter().filter(|rate| rate.policy_id == row.id).cloned().collect(),
            deductions: deductions.iter().filter(|one| one.policy_id == row.id).cloned().collect(),
            row,
        };
        Ok(rows.into_iter().map(policy).collect())
    }
}

impl CreatePayoutPolicy {
    /// What is wrong with it beside what it names; and the rates as numbers.
    fn check(&self, faults: &mut Faults) -> Vec<(Uuid, i64)> {
        use UserErrorCode::{Duplicate, Invalid, OutOfRange};
        let known = currency::decimals(&self.currency).is_some();
        faults.check(known, Invalid, &["currency"], currency::UNKNOWN);
        let by_share = self.basis == PayoutBasis::Share;
        faults.check(by_share == self.share_basis_points.is_some(), Invalid, &["shareBasisPoints"], OF_SHARE);
        faults.check(by_share != self.paid_for.is_some(), Invalid, &["paidFor"], OF_PIECES);
        faults.check(by_share == self.rates.is_empty(), Invalid, &["rates"], OF_PIECES);
        let share = self.share_basis_points.is_none_or(|share| (1..=WHOLE).contains(&share.into()));
        faults.check(share, OutOfRange, &["shareBasisPoints"], BAD_SHARE);
        let mut seen = HashSet::new();
        let mut rates = Vec::with_capacity(self.rates.len());
        for (place, rate) in self.rates.iter().enumerate() {
            let place = place.to_string();
            let once = seen.insert(rate.product);
            faults.check(once, Duplicate, &["rates", &place, "product"], TWICE);
            let amount = rate.rate.parse().unwrap_or(0);
            let fine = (1..=MOST).contains(&amount);
            faults.check(fine, OutOfRange, &["rates", &place, "rate"], BAD_AMOUNT);
            rates.push((rate.product, amount));
        }
        faults.check(self.rates.len() <= 500, OutOfRange, &["rates"], TOO_MANY);
        faults.check(self.deductions.len() <= 10, OutOfRange, &["deductions"], TOO_MANY);
        let mut whole = 0;
        for (place, deduction) in self.deductions.iter().enumerate() {
            let field = ["deductions", &place.to_string()];
            let fine = match (deduction.basis_points, &deduction.amount) {
                (Some(points), None) => {
                    whole += i64::from(points);
                    (1..=WHOLE).contains(&points.into())
                }
                (None, Some(amount)) => (1..=MOST).contains(&amount.parse().unwrap_or(0)),
                _ => false,
            };
            faults.check(fine, Invalid, &field, BAD_DEDUCTION);
        }
        faults.check(whole <= WHOLE, OutOfRange, &["deductions"], BAD_SHARE);
        rates
    }
}

/// More for a piece is a typing error.
const MOST: i64 = 1_000_000_000;

const OF_SHARE: Message = Message {
    en: "A share has its basis points, and a piece rate has none.",
    es: "Una participación tiene sus puntos base, y un pago por pieza no los tiene.",
};
const OF_PIECES: Message = Message {
    en: "A piece rate has rates and says for which pieces; a share does not.",
    es: "Un pago por pieza tiene tarifas e indica por cuáles piezas; una participación no.",
};
const BAD_SHARE: Message = Message {
    en: "Shares are from 1 to 10,000 basis points, all together.",
    es: "Las partes van de 1 a 10 000 puntos base, en total.",
};
const TWICE: Message = Message { en: "It is named twice.", es: "Aparece dos veces." };
const BAD_AMOUNT: Message =
    Message { en: "The amount is out of range.", es: "El monto está fuera de rango." };
const TOO_MANY: Message = Message { en: "There are too many of them.", es: "Son demasiados." };
const BAD_DEDUCTION: Message = Message {
    en: "A deduction has basis points or an amount.",
    es: "Un descuento tiene puntos base o un monto.",
};
