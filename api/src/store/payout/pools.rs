//! What the women of a run share: for each sale, or each batch, so much money for so many parts of the work.

use std::collections::{HashMap, HashSet};

use entity::{
    production_batch, production_maker, sale,
    value::{PaidFor, PayoutBasis},
};
use uuid::Uuid;

use super::{
    policy::Policy,
    share::{Pool, TooLarge, rate_of, share_of},
};

/// What a program has made and sold that no run has paid for yet, with all batches that sales draw from.
pub(super) struct Work {
    pub sales: Vec<sale::Model>,
    /// Batches of the period, for rates that are paid for what was made.
    pub made: Vec<Uuid>,
    pub batches: Vec<production_batch::Model>,
    pub makers: HashMap<Uuid, Vec<production_maker::Model>>,
}

/// Why nothing can be shared out.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Fault {
    TooLarge,
    /// A product that the policy has no rate for.
    NoRate,
}

impl From<TooLarge> for Fault {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

/// The finest part of a piece that is told apart where a sale comes out of the common stock.
const FINE: u128 = 1_000_000;

impl Work {
    /// What was sold, reversals taken off.
    pub fn sold(&self) -> Result<i64, TooLarge> {
        let sum: i128 = self.sales.iter().map(|sale| i128::from(sale.gross_minor)).sum();
        i64::try_from(sum).map_err(|_| TooLarge)
    }

    pub fn pools(&self, policy: &Policy) -> Result<Vec<Pool>, Fault> {
        let rate = |product| policy.rate(product).ok_or(Fault::NoRate);
        if policy.row.basis == PayoutBasis::PieceRate && policy.row.paid_for == Some(PaidFor::Made) {
            let made = self.batches.iter().filter(|batch| self.made.contains(&batch.id));
            let pool = |batch: &production_batch::Model| {
                let pieces = i64::from(batch.quantity - batch.rejected);
                let amount = rate_of(rate(batch.product_id)?, pieces)?;
                Ok(Pool { amount, parts: self.parts_of(std::iter::once(batch)) })
            };
            return made.map(pool).collect();
        }
        // A sale that was undone before it was paid for, and a reversal, are nobody's.
        let undone: HashSet<Uuid> = self.sales.iter().filter_map(|sale| sale.reverses_id).collect();
        let standing =
            self.sales.iter().filter(|sale| sale.reverses_id.is_none() && !undone.contains(&sale.id));
        let pool = |sale: &sale::Model| {
            let amount = match policy.row.share_basis_points {
                Some(share) => share_of(sale.gross_minor, share.into())?,
                None => rate_of(rate(sale.product_id)?, sale.quantity.into())?,
            };
            let from = self.batches.iter().filter(|batch| match sale.batch_id {
                Some(id) => batch.id == id,
                None => batch.product_id == sale.product_id && batch.made_on <= sale.sold_on,
            });
            Ok(Pool { amount, parts: self.parts_of(from) })
        };
        standing.map(pool).collect()
    }

    /// The parts of the women who made some batches: of each batch as many as it has good pieces.
    fn parts_of<'a>(&self, batches: impl Iterator<Item = &'a production_batch::Model>) -> Vec<(Uuid, u64)> {
        let mut parts = Vec::new();
        for batch in batches {
            let makers = self.makers.get(&batch.id).map_or(&[][..], Vec::as_slice);
            let whole: u128 = makers.iter().map(|maker| u128::from(maker.parts.unsigned_abs())).sum();
            let pieces = u128::from((batch.quantity - batch.rejected).unsigned_abs());
            for maker in makers {
                let part = pieces * FINE * u128::from(maker.parts.unsigned_abs()) / whole.max(1);
                parts.push((maker.participant_id, u64::try_from(part).unwrap_or(u64::MAX)));
            }
        }
        parts
    }
}
