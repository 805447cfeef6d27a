//! From exact numbers to published intervals.

use serde::{Deserialize, Serialize};

use crate::Parameters;

/// Integers from `at_least` to `at_most`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interval {
    pub at_least: i64,
    pub at_most: i64,
}

impl Interval {
    pub fn contains(&self, value: i64) -> bool {
        (self.at_least..=self.at_most).contains(&value)
    }
}

/// What is published in a cell: never an exact number, and never the base of a share exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Figure {
    /// Women, from and to.
    Count { women: Interval },
    /// Points of a hundred, rounded outward, of a base that is itself a band.
    Share { base: Interval, percent: Interval },
    /// From `mean.at_least` to below `mean.at_most`; in the highest band that end is included.
    Mean { base: Interval, mean: Interval },
    /// In the unit of the values, from and to.
    Sum { base: Interval, sum: Interval },
}

/// The band of a count. All counts below the threshold are one band, zero included.
pub fn count_band(women: u32, parameters: &Parameters) -> Interval {
    let Parameters { threshold, count_width, .. } = *parameters;
    if women < threshold {
        return Interval { at_least: 0, at_most: i64::from(threshold) - 1 };
    }
    let at_least = i64::from(women / count_width * count_width);
    Interval { at_least, at_most: at_least + i64::from(count_width) - 1 }
}

/// The band of `yes` among `base` women, in women; none when there would be fewer than three bands.
///
/// The bands are the same read from the yes side and from the no side, and the first and the last are as wide as the
/// others: an odd number of them, cut evenly from 0 and mirrored from the middle.
pub fn yes_band(base: u32, yes: u32, parameters: &Parameters) -> Option<Interval> {
    let possible = u64::from(base) + 1;
    let mut bands = (possible / u64::from(parameters.answer_width)).min(u64::from(parameters.most_bands));
    // An even number of bands cannot be symmetric when the base is even.
    if bands % 2 == 0 {
        bands = bands.checked_sub(1)?;
    }
    if bands < 3 || yes > base {
        return None;
    }
    let half = (bands - 1) / 2;
    let edge =
        |i: u64| if i <= half { i * possible / bands } else { possible - (bands - i) * possible / bands };
    let band = (0..bands).find(|i| u64::from(yes) < edge(i + 1))?;
    Some(Interval { at_least: edge(band) as i64, at_most: edge(band + 1) as i64 - 1 })
}

/// A band of women as points of a hundred, rounded outward.
pub fn percent_band(base: u32, yes: Interval) -> Interval {
    let base = i64::from(base.max(1));
    Interval { at_least: yes.at_least * 100 / base, at_most: (yes.at_most * 100 + base - 1) / base }
}

/// The band of a mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeanBand {
    /// The ends in the unit of the values. The upper one belongs to the band in the highest band only.
    pub mean: Interval,
    /// The same as sums over the base, for values that are whole numbers of the unit.
    pub sum: Interval,
}

/// The band of the mean of `base` values in [lower, upper] that sum to `sum`; none when there would be fewer than two.
///
/// The width is the least of 1, 2, 5, 10, 20, 50 ... that is not below `answer_width` whole ranges divided by the base.
/// Bands begin at the lower end, and the last takes the remainder up to the upper end.
pub fn mean_band(lower: i64, upper: i64, base: u32, sum: i64, parameters: &Parameters) -> Option<MeanBand> {
    let women = i64::from(base);
    if base < parameters.mean_threshold || base == 0 || lower >= upper {
        return None;
    }
    let width = ladder(i64::from(parameters.answer_width) * (upper - lower), women);
    let bands = (upper - lower) / width;
    if bands < 2 {
        return None;
    }
    let band = ((sum - women * lower) / (women * width)).clamp(0, bands - 1);
    let at_least = lower + band * width;
    let last = band == bands - 1;
    let at_most = if last { upper } else { at_least + width };
    Some(MeanBand {
        mean: Interval { at_least, at_most },
        sum: Interval { at_least: women * at_least, at_most: women * at_most - i64::from(!last) },
    })
}

/// The band of the sum of `base` values in [0, upper] that is `sum`; none when there would be fewer than two.
///
/// The width is the least of 1, 2, 5, 10, 20, 50 ... that is not below `answer_width` times the largest value. The last
/// band takes the remainder, for else "everybody has the most" could be a band of its own.
pub fn sum_band(upper: i64, base: u32, sum: i64, parameters: &Parameters) -> Option<Interval> {
    if base < parameters.mean_threshold || base == 0 || upper <= 0 {
        return None;
    }
    let width = ladder(i64::from(parameters.answer_width) * upper, 1);
    let bands = i64::from(base) * upper / width;
    if bands < 2 {
        return None;
    }
    let band = (sum / width).clamp(0, bands - 1);
    // The end is a multiple of the width, too: the largest possible sum would tell the base exactly.
    let end = if band == bands - 1 { bands + 1 } else { band + 1 };
    Some(Interval { at_least: band * width, at_most: end * width - 1 })
}

/// The least of 1, 2, 5, 10, 20, 50 ... that is at least `numerator / denominator`.
fn ladder(numerator: i64, denominator: i64) -> i64 {
    let mut ten = 1;
    loop {
        for step in [1, 2, 5] {
            // Both stay far below the limits of the type: values are at most 10^12 and a base at most 10^6.
            if step * ten * denominator >= numerator {
                return step * ten;
            }
        }
        ten *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(at_least: i64, at_most: i64) -> Interval {
        Interval { at_least, at_most }
    }

    #[test]
    fn counts_have_one_band_below_the_threshold_and_then_fives() {
        let p = Parameters::default();
        assert!((0..10).all(|n| count_band(n, &p) == interval(0, 9)));
        assert_eq!(count_band(10, &p), interval(10, 14));
        assert_eq!(count_band(184, &p), interval(180, 184));
    }

    #[test]
    fn shares_of_the_comparison_table() {
        let p = Parameters::default();
        let percent = |n, t| yes_band(n, t, &p).map(|band| percent_band(n, band));
        assert_eq!(percent(22, 11), None);
        assert_eq!(percent(23, 23), Some(interval(69, 100)));
        assert_eq!(percent(40, 39), Some(interval(82, 100)));
        assert_eq!(percent(40, 32), Some(interval(62, 80)));
        assert_eq!(percent(180, 175), Some(interval(96, 100)));
        assert_eq!(percent(180, 144), Some(interval(76, 82)));
        assert_eq!(percent(350, 340), Some(interval(95, 98)));
    }

    #[test]
    fn bands_of_answers_cover_every_count_are_wide_and_symmetric() {
        for width in [3, 5, 8] {
            let p = Parameters { answer_width: width, coalition: 1, ..Parameters::default() };
            for n in 0..=3000_u32 {
                let Some(first) = yes_band(n, 0, &p) else {
                    assert!((n + 1) / width < 3);
                    continue;
                };
                assert_eq!(first.at_least, 0);
                let mut next = 0;
                let mut bands = 0;
                while next <= i64::from(n) {
                    let band = yes_band(n, next as u32, &p).unwrap();
                    assert_eq!(band.at_least, next, "base {n}");
                    assert!(band.at_most - band.at_least + 1 >= i64::from(width), "base {n}");
                    let mirrored = yes_band(n, n - next as u32, &p).unwrap();
                    let no = interval(i64::from(n) - mirrored.at_most, i64::from(n) - mirrored.at_least);
                    assert_eq!(band, no, "base {n}");
                    assert_eq!(yes_band(n, band.at_most as u32, &p), Some(band));
                    next = band.at_most + 1;
                    bands += 1;
                }
                assert_eq!(next, i64::from(n) + 1);
                assert!(bands % 2 == 1 && (3..=49).contains(&bands));
                let last = yes_band(n, n, &p).unwrap();
                assert!(percent_band(n, last).at_least < 100 && percent_band(n, first).at_most > 0);
            }
        }
    }

    #[test]
    fn means_of_the_comparison_table() {
        let p = Parameters::default();
        let width = |n: u32| {
            let band = mean_band(0, 2000, n, 0, &p).unwrap();
            band.mean.at_most - band.mean.at_least
        };
        assert_eq!([25, 40, 180, 350].map(width), [1000, 500, 100, 50]);
        assert_eq!(mean_band(0, 2000, 24, 0, &p), None);
    }

    #[test]
    fn sums_have_bands_of_eight_women_and_no_thin_end() {
        let p = Parameters::default();
        let band = |base, sum| sum_band(2000, base, sum, &p);
        assert_eq!(band(24, 0), None);
        assert_eq!(band(25, 0), Some(interval(0, 19_999)));
        assert_eq!(band(25, 19_999), Some(interval(0, 19_999)));
        // Two and a half bands: the last takes the half.
        assert!([20_000, 40_000, 50_000].iter().all(|&sum| band(25, sum) == Some(interval(20_000, 59_999))));
        // Three whole bands: that all have the most is no band of its own.
        assert_eq!(band(30, 39_999), Some(interval(20_000, 39_999)));
        assert_eq!(band(30, 60_000), band(30, 40_000));
        // A largest value that the ladder does not fit well: fewer than two bands.
        assert_eq!([33, 34].map(|base| sum_band(3000, base, 0, &p)), [None, Some(interval(0, 49_999))]);
    }

    #[test]
    fn bands_of_sums_follow_one_another_and_hold_every_sum() {
        let p = Parameters::default();
        for (upper, base) in [(1, 25), (1, 400), (3, 117), (7, 64), (10, 30)] {
            let most = i64::from(base) * upper;
            let Some(mut last) = sum_band(upper, base, 0, &p) else { continue };
            assert_eq!(last.at_least, 0);
            for sum in 0..=most {
                let band = sum_band(upper, base, sum, &p).unwrap();
                assert!(band.contains(sum));
                assert!(band == last || band.at_least == last.at_most + 1, "{sum} of {most}");
                assert!(band.at_most.min(most) - band.at_least >= 8 * upper - 1, "{band:?} of {most}");
                last = band;
            }
        }
    }

    #[test]
    fn the_last_band_of_a_mean_takes_the_remainder() {
        let p = Parameters::default();
        // A width of 200 fits four times into 900.
        let band = mean_band(100, 1000, 40, 40 * 1000, &p).unwrap();
        assert_eq!(band.mean, interval(700, 1000));
        assert_eq!(band.sum, interval(40 * 700, 40 * 1000));
        let below = mean_band(100, 1000, 40, 40 * 700 - 1, &p).unwrap();
        assert_eq!(below.mean, interval(500, 700));
        assert_eq!(below.sum, interval(40 * 500, 40 * 700 - 1));
    }
}
