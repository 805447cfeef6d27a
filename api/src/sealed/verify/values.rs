//! Whether a figure can come from any women at all, by the rules that the file says it was made with.

use std::collections::{BTreeSet, HashMap};

use disclosure::{Parameters, count_band, percent_band, yes_band};
use entity::value::IndicatorKind;

use super::Flaw;
use crate::sealed::{CellValue, CountBand, Rate};

/// The rules, and the shares that they allow of each base that was asked for.
pub(super) struct Values {
    rules: Parameters,
    shares: HashMap<u32, BTreeSet<(i64, i64)>>,
}

impl Values {
    pub(super) fn new(rules: Parameters) -> Self {
        Self { rules, shares: HashMap::new() }
    }

    pub(super) fn check(&mut self, kind: IndicatorKind, value: &CellValue) -> Result<(), Flaw> {
        match (kind, value) {
            (IndicatorKind::Count, CellValue::Count { low, high }) => {
                self.women(CountBand { low: *low, high: *high }).map(|_| ()).ok_or(Flaw::Count)
            }
            (IndicatorKind::Share, CellValue::Share { base, low_percent, high_percent }) => {
                self.share(*base, *low_percent, *high_percent)
            }
            (IndicatorKind::Mean, CellValue::Mean { base, low, high }) => {
                self.amount(*base, self.rules.mean_threshold, *low, *high)
            }
            (IndicatorKind::Sum, CellValue::Sum { base, low, high }) => {
                self.amount(*base, self.rules.threshold, *low, *high)
            }
            _ => Err(Flaw::Cell),
        }
    }

    pub(super) fn rate(&mut self, rate: &Rate) -> Result<(), Flaw> {
        self.share(rate.base, rate.low_percent, rate.high_percent)
    }

    /// The least and the most women of a band, if it is one.
    fn women(&self, band: CountBand) -> Option<(u32, u32)> {
        let (low, high) = (u32::try_from(band.low).ok()?, u32::try_from(band.high).ok()?);
        let wanted = count_band(low, &self.rules);
        (wanted.at_least == band.low && wanted.at_most == band.high).then_some((low, high))
    }

    fn share(&mut self, base: CountBand, low: i64, high: i64) -> Result<(), Flaw> {
        let (least, most) = self.women(base).ok_or(Flaw::Base)?;
        if low >= high || low < 0 || high > 100 {
            return Err(Flaw::ShareEnds);
        }
        let rules = &self.rules;
        let shares = self.shares.entry(least).or_insert_with(|| {
            let of_base = |base| bands(base, rules).map(move |yes| percent_band(base, yes));
            (least..=most).flat_map(of_base).map(|percent| (percent.at_least, percent.at_most)).collect()
        });
        if shares.is_empty() {
            return Err(Flaw::Base);
        }
        if shares.contains(&(low, high)) { Ok(()) } else { Err(Flaw::ShareBand) }
    }

    fn amount(&self, base: CountBand, threshold: u32, low: i64, high: i64) -> Result<(), Flaw> {
        let (_, most) = self.women(base).ok_or(Flaw::Base)?;
        if most < threshold {
            return Err(Flaw::Base);
        }
        if low < high { Ok(()) } else { Err(Flaw::Amount) }
    }
}

/// The bands of yes among a base, from none to all.
fn bands(base: u32, rules: &Parameters) -> impl Iterator<Item = disclosure::Interval> {
    let after = move |yes: i64| u32::try_from(yes).ok().and_then(|yes| yes_band(base, yes, rules));
    std::iter::successors(after(0), move |band| after(band.at_most + 1))
}

#[cfg(test)]
mod tests {
    use disclosure::Interval;

    use super::*;

    fn band(base: u32, rules: &Parameters) -> CountBand {
        let Interval { at_least, at_most } = count_band(base, rules);
        CountBand { low: at_least, high: at_most }
    }

    /// Whatever the method gives is taken, whoever the women are.
    #[test]
    fn every_figure_of_the_method_is_one() {
        let rules = Parameters::default();
        let mut values = Values::new(rules.clone());
        for base in 0..700 {
            let women = band(base, &rules);
            let count = CellValue::Count { low: women.low, high: women.high };
            assert_eq!(values.check(IndicatorKind::Count, &count), Ok(()));
            for yes in 0..=base {
                let Some(band) = yes_band(base, yes, &rules) else { continue };
                let percent = percent_band(base, band);
                assert_eq!(values.share(women, percent.at_least, percent.at_most), Ok(()), "{yes} of {base}");
            }
        }
    }

    /// And nothing else: a share is refused as soon as no base of its band has it.
    #[test]
    fn every_other_share_is_none() {
        let rules = Parameters::default();
        let mut values = Values::new(rules.clone());
        for low in (0..400).step_by(5) {
            let women = band(low, &rules);
            let mut possible = BTreeSet::new();
            for base in women.low as u32..=women.high as u32 {
                let bands = (0..=base).filter_map(|yes| yes_band(base, yes, &rules));
                possible.extend(bands.map(|yes| percent_band(base, yes)).map(|p| (p.at_least, p.at_most)));
            }
            for from in 0..=100 {
                for to in from + 1..=100 {
                    let taken = values.share(women, from, to).is_ok();
                    assert_eq!(taken, possible.contains(&(from, to)), "{from}-{to} of {women:?}");
                }
            }
        }
    }
}
