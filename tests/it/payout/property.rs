//! Whatever the policy, the currency and the rounding: every minor unit is accounted for.

use api::store::payout::{
    currency,
    share::{Amount, Deduction, Paid, Pool, WHOLE, rate_of, share, share_of},
};
use entity::value::{DeductionKind, PayoutRounding};
use sea_orm::{Iterable, prelude::Uuid};

use crate::stock::model::Dice;

const CURRENCIES: [&str; 6] = ["CLP", "MXN", "KWD", "USD", "JPY", "TND"];

/// A sale: pieces, what they fetched, and who made them.
struct Sold {
    gross: i64,
    pieces: i64,
    parts: Vec<(Uuid, u64)>,
}

fn sales(dice: &mut Dice, women: &[Uuid], most: i64) -> Vec<Sold> {
    let number = 1 + dice.below(12);
    (0..number)
        .map(|_| {
            let makers = dice.below(5);
            let parts = (0..makers).filter_map(|_| Some((*dice.of(women)?, dice.below(50) as u64))).collect();
            Sold { gross: dice.below(most as usize) as i64, pieces: dice.below(40) as i64, parts }
        })
        .collect()
}

fn deductions(dice: &mut Dice, unit: i64) -> Vec<Deduction> {
    let kinds: Vec<DeductionKind> = DeductionKind::iter().collect();
    let number = dice.below(5);
    (0..number)
        .map(|_| Deduction {
            kind: *dice.of(&kinds).unwrap(),
            amount: if dice.below(2) == 0 {
                Amount::BasisPoints(dice.below(WHOLE as usize + 1) as i64)
            } else {
                Amount::Fixed(dice.below(200) as i64 * unit)
            },
        })
        .collect()
}

fn shuffled<T: Clone>(dice: &mut Dice, all: &[T]) -> Vec<T> {
    let mut all = all.to_vec();
    for place in (1..all.len()).rev() {
        all.swap(place, dice.below(place + 1));
    }
    all
}

#[test]
fn every_minor_unit_is_accounted_for() {
    let women: Vec<Uuid> = (1..=9).map(|n| Uuid::from_u128(n * 0x9E37_79B9)).collect();
    let (mut cut, mut whole, mut zero) = (0, 0, 0);
    for seed in 0..6_000 {
        let dice = &mut Dice(seed);
        let code = *dice.of(&CURRENCIES).unwrap();
        let unit = 10_i64.pow(currency::decimals(code).unwrap().into());
        let most = [7, 1_000, 100_000, 9_000_000_000][dice.below(4)] * unit;
        let sales = sales(dice, &women, most);
        let by_share = dice.below(2) == 0;
        let (points, rate) = (dice.below(WHOLE as usize + 1) as i64, dice.below(500) as i64 * unit);
        let pools: Vec<Pool> = sales
            .iter()
            .map(|sale| Pool {
                amount: if by_share {
                    share_of(sale.gross, points).unwrap()
                } else {
                    rate_of(rate, sale.pieces).unwrap()
                },
                parts: sale.parts.clone(),
            })
            .collect();
        let sold: i64 = sales.iter().map(|sale| sale.gross).sum();
        let deductions = deductions(dice, unit);
        for rounding in PayoutRounding::iter() {
            let shared = share(sold, &pools, &deductions, rounding).unwrap();
            let sum = |of: fn(&Paid) -> i64| shared.paid.iter().map(of).sum::<i64>();
            let taken = sum(|paid| paid.taken.iter().map(|(_, off)| off).sum());
            let at = format!("seed {seed}, {code}, {rounding:?}");
            assert_eq!(sum(|paid| paid.net) + taken + shared.remainder, sold, "{at}");
            for paid in &shared.paid {
                assert!(paid.gross > 0 && paid.net >= 0, "{at}: {paid:?}");
                assert!(paid.taken.iter().all(|(_, off)| *off >= 0), "{at}: {paid:?}");
                let kinds: Vec<DeductionKind> = paid.taken.iter().map(|(kind, _)| *kind).collect();
                let wanted: Vec<DeductionKind> = deductions.iter().map(|one| one.kind).collect();
                assert_eq!(kinds, wanted, "{at}");
                assert_eq!(paid.net + paid.taken.iter().map(|(_, off)| off).sum::<i64>(), paid.gross, "{at}");
            }
            // A share never costs the organisation anything.
            assert!(!by_share || shared.remainder >= 0, "{at}: {}", shared.remainder);
            // What can be handed out is handed out, or cut by less than a unit for each woman of a sale.
            let shareable = pools.iter().filter(|pool| pool.parts.iter().any(|(_, part)| *part > 0));
            let pooled: i64 = shareable.clone().map(|pool| pool.amount).sum();
            let lost = pooled - sum(|paid| paid.gross);
            let cuts: i64 = shareable.map(|pool| pool.parts.len() as i64).sum();
            match rounding {
                PayoutRounding::LargestRemainder => assert_eq!(lost, 0, "{at}"),
                PayoutRounding::Floor => assert!((0..=cuts).contains(&lost), "{at}: {lost}"),
            }
            cut += i32::from(lost > 0);
            whole += i32::from(lost == 0);
            zero += i32::from(shared.paid.iter().any(|paid| paid.net == 0));
            // Neither the order of sales nor that of women matters.
            let mut other = shuffled(dice, &pools);
            for pool in &mut other {
                pool.parts = shuffled(dice, &pool.parts);
            }
            assert_eq!(share(sold, &other, &deductions, rounding).unwrap(), shared, "{at}");
        }
    }
    // The dice have rolled all of it.
    assert!(cut > 500 && whole > 500 && zero > 500, "{cut} {whole} {zero}");
}
