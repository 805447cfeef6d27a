//! The arithmetic of pay-outs: what was sold becomes gross, deductions, net and a remainder, to the last minor unit.
//!
//! Nothing here knows of a currency, a database or a clock. Amounts are whole minor units; products are worked out in
//! 128 bits, and what does not fit is refused. What a sale leaves below the smallest unit goes to women or to the
//! remainder, as the rounding rule says, and the order in which women or sales are given changes nothing.

use std::collections::BTreeMap;

use entity::value::{DeductionKind, PayoutRounding};
use uuid::Uuid;

/// Hundredths of a percent in a whole.
pub const WHOLE: i64 = 10_000;

/// What some women share: so much money, for so many parts of the work of each.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pool {
    pub amount: i64,
    pub parts: Vec<(Uuid, u64)>,
}

/// Something that is taken off before a woman is paid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deduction {
    pub kind: DeductionKind,
    pub amount: Amount,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Amount {
    /// Of her gross, rounded down.
    BasisPoints(i64),
    Fixed(i64),
}

/// What a woman is paid.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Paid {
    pub woman: Uuid,
    pub gross: i64,
    /// One for each deduction, in their order.
    pub taken: Vec<(DeductionKind, i64)>,
    pub net: i64,
}

/// A run, worked out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shared {
    /// By woman; those who are paid nothing are left out.
    pub paid: Vec<Paid>,
    /// What is left to the organisation; below zero what it has added.
    pub remainder: i64,
}

/// A sum that does not fit its column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooLarge;

/// So many hundredths of a percent of an amount, rounded down; nothing of one below zero.
///
/// # Errors
/// When it does not fit.
pub fn share_of(amount: i64, basis_points: i64) -> Result<i64, TooLarge> {
    let part = i128::from(amount.max(0)) * i128::from(basis_points.max(0)) / i128::from(WHOLE);
    i64::try_from(part).map_err(|_| TooLarge)
}

/// So much for each of some pieces.
///
/// # Errors
/// When it does not fit.
pub fn rate_of(rate: i64, pieces: i64) -> Result<i64, TooLarge> {
    rate.max(0).checked_mul(pieces.max(0)).ok_or(TooLarge)
}

/// Shares out what was sold. Sums of the women's nets, deductions and the remainder are what was sold.
///
/// # Errors
/// When a sum does not fit.
pub fn share(
    sold: i64,
    pools: &[Pool],
    deductions: &[Deduction],
    rounding: PayoutRounding,
) -> Result<Shared, TooLarge> {
    let mut gross: BTreeMap<Uuid, i64> = BTreeMap::new();
    for pool in pools {
        for (woman, part) in allot(pool, rounding)? {
            let sum = gross.entry(woman).or_default();
            *sum = sum.checked_add(part).ok_or(TooLarge)?;
        }
    }
    let mut remainder = i128::from(sold);
    let mut paid = Vec::with_capacity(gross.len());
    for (woman, gross) in gross.into_iter().filter(|(_, gross)| *gross > 0) {
        remainder -= i128::from(gross);
        let (taken, net) = deduct(gross, deductions)?;
        paid.push(Paid { woman, gross, taken, net });
    }
    Ok(Shared { paid, remainder: i64::try_from(remainder).map_err(|_| TooLarge)? })
}

/// Each woman's part of a pool. Nobody gets a part of nothing, and nothing is shared among nobody.
fn allot(pool: &Pool, rounding: PayoutRounding) -> Result<Vec<(Uuid, i64)>, TooLarge> {
    // One woman may have worked on several batches that a sale draws from.
    let mut parts: BTreeMap<Uuid, i128> = BTreeMap::new();
    for (woman, part) in &pool.parts {
        *parts.entry(*woman).or_default() += i128::from(*part);
    }
    let whole: i128 = parts.values().sum();
    let amount = i128::from(pool.amount.max(0));
    if whole == 0 || amount == 0 {
        return Ok(Vec::new());
    }
    let mut cut: Vec<(Uuid, i128, i128)> = Vec::with_capacity(parts.len());
    for (woman, part) in parts {
        let product = amount.checked_mul(part).ok_or(TooLarge)?;
        cut.push((woman, product / whole, product % whole));
    }
    if rounding == PayoutRounding::LargestRemainder {
        let mut left = amount - cut.iter().map(|(_, part, _)| part).sum::<i128>();
        // Where two were cut alike the id decides, which says nothing of either.
        cut.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)));
        for (_, part, _) in &mut cut {
            let unit = left.clamp(0, 1);
            *part += unit;
            left -= unit;
        }
    }
    let part = |(woman, part, _)| Ok((woman, i64::try_from(part).map_err(|_| TooLarge)?));
    cut.into_iter().map(part).collect()
}

/// What is taken off a gross, each in its turn and never more than is there, and what is left.
fn deduct(gross: i64, deductions: &[Deduction]) -> Result<(Vec<(DeductionKind, i64)>, i64), TooLarge> {
    let mut net = gross;
    let mut taken = Vec::with_capacity(deductions.len());
    for deduction in deductions {
        let wanted = match deduction.amount {
            Amount::BasisPoints(basis_points) => share_of(gross, basis_points)?,
            Amount::Fixed(amount) => amount.max(0),
        };
        let off = std::cmp::min(wanted, net);
        net -= off;
        taken.push((deduction.kind, off));
    }
    Ok((taken, net))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn woman(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn two_tenths() -> [Deduction; 2] {
        let tenth = Amount::BasisPoints(1_000);
        [
            Deduction { kind: DeductionKind::Reparation, amount: tenth },
            Deduction { kind: DeductionKind::SavingsFund, amount: tenth },
        ]
    }

    #[test]
    fn a_tenth_each_for_reparation_and_savings() {
        let pool =
            Pool { amount: share_of(10_000, 3_000).unwrap(), parts: vec![(woman(1), 2), (woman(2), 1)] };
        let shared = share(10_000, &[pool], &two_tenths(), PayoutRounding::Floor).unwrap();
        let sums: Vec<_> = shared.paid.iter().map(|paid| (paid.gross, paid.net)).collect();
        assert_eq!(sums, [(2_000, 1_600), (1_000, 800)]);
        assert_eq!(shared.remainder, 7_000);
    }

    #[test]
    fn the_last_peso_goes_where_the_rule_says() {
        let pool = Pool { amount: 100, parts: vec![(woman(1), 1), (woman(2), 1), (woman(3), 1)] };
        let grosses = |rounding| {
            let shared = share(100, std::slice::from_ref(&pool), &[], rounding).unwrap();
            (shared.paid.iter().map(|paid| paid.gross).collect::<Vec<_>>(), shared.remainder)
        };
        assert_eq!(grosses(PayoutRounding::Floor), (vec![33, 33, 33], 1));
        assert_eq!(grosses(PayoutRounding::LargestRemainder), (vec![34, 33, 33], 0));
    }

    #[test]
    fn no_deduction_takes_more_than_there_is() {
        let pool = Pool { amount: 50, parts: vec![(woman(1), 1)] };
        let fixed = Deduction { kind: DeductionKind::Other, amount: Amount::Fixed(80) };
        let tenth = two_tenths()[0];
        let shared = share(50, &[pool], &[tenth, fixed, tenth], PayoutRounding::Floor).unwrap();
        let taken: Vec<_> = shared.paid[0].taken.iter().map(|(_, off)| *off).collect();
        assert_eq!((taken, shared.paid[0].net, shared.remainder), (vec![5, 45, 0], 0, 0));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let pool = |amount| Pool { amount, parts: vec![(woman(1), 1)] };
        let refused = share(0, &[pool(i64::MAX), pool(1)], &[], PayoutRounding::Floor);
        assert_eq!(refused, Err(TooLarge));
        let crowd = Pool { amount: i64::MAX, parts: vec![(woman(1), u64::MAX), (woman(1), u64::MAX)] };
        assert_eq!(share(0, &[crowd], &[], PayoutRounding::Floor), Err(TooLarge));
        assert_eq!(rate_of(i64::MAX, 2), Err(TooLarge));
        assert_eq!(share_of(i64::MAX, WHOLE), Ok(i64::MAX));
        assert_eq!(share_of(-5, WHOLE), Ok(0));
    }
}
