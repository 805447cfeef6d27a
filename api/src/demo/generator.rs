//! A small generator of pseudo-random numbers, written out so that the data of a seed never change with a
//! library. It makes demonstration data and nothing that has to be secret.

use uuid::{Builder, Uuid};

/// The xoshiro256** generator.
pub(super) struct Generator {
    state: [u64; 4],
}

impl Generator {
    /// Every row has a generator of its own, so that a row does not depend on the rows before it.
    pub(super) fn for_row(seed: u64, row: u64) -> Self {
        let mut mix = seed ^ split_mix(&mut row.wrapping_add(1));
        Generator { state: std::array::from_fn(|_| split_mix(&mut mix)) }
    }

    pub(super) fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number below `bound`, and zero when `bound` is zero. The bias is below one in 2^32 for our bounds.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i32, high: i32) -> i32 {
        let span = (i64::from(high) - i64::from(low)).max(0) as u64 + 1;
        low + self.below(span) as i32
    }

    /// True this many times in a thousand.
    pub(super) fn per_mille(&mut self, share: u64) -> bool {
        self.below(1000) < share
    }

    /// The place of one of `weights`, each as likely as it weighs; `None` when nothing weighs anything.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = u64> + Clone) -> Option<usize> {
        let total: u64 = weights.clone().sum();
        let mut rest = self.below(total);
        weights.enumerate().find_map(|(place, weight)| {
            if rest < weight {
                return Some(place);
            }
            rest -= weight;
            None
        })
    }

    pub(super) fn uuid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next().to_le_bytes());
        bytes[8..].copy_from_slice(&self.next().to_le_bytes());
        Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// One step of splitmix64, which spreads close seeds far apart.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_the_published_sequence() {
        let mut state = 1_234_567;
        assert_eq!(split_mix(&mut state), 6_457_827_717_110_365_317);
        assert_eq!(split_mix(&mut state), 3_203_168_211_198_807_973);
    }

    #[test]
    fn xoshiro_gives_the_published_sequence() {
        let mut generator = Generator { state: [1, 2, 3, 4] };
        let found: Vec<u64> = (0..4).map(|_| generator.next()).collect();
        assert_eq!(found, [11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
    }

    #[test]
    fn numbers_stay_within_their_bounds() {
        let mut generator = Generator::for_row(1, 2);
        for _ in 0..1000 {
            assert!((3..=7).contains(&generator.between(3, 7)));
            assert_eq!(generator.below(0), 0);
            assert_ne!(generator.weighted([1, 0, 5].into_iter()), Some(1));
        }
        assert_eq!(generator.weighted(std::iter::empty()), None);
    }
}
