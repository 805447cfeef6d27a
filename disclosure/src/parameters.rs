use serde::{Deserialize, Serialize};

use crate::Refusal;

/// The rules of publication as numbers. They are public: nothing relies on their secrecy.
///
/// `Parameters::default()` is what releases are made with; other values serve tests and studies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// T: a count of fewer women is shown as "below T", zero included. A multiple of `count_width`.
    pub threshold: u32,
    /// K of counts: how many counts a published interval of women holds.
    pub count_width: u32,
    /// K of answers: the least number of possible yes-counts in a published interval, in the middle and at both ends.
    /// For means and sums, the interval is as wide as the whole range of this many women.
    pub answer_width: u32,
    /// The most bands that a share is cut into, so that very large bases do not give ever finer shares.
    pub most_bands: u32,
    /// The least base of a mean or a sum.
    pub mean_threshold: u32,
    /// The least base of an answer that somebody could retaliate for.
    pub retaliation_threshold: u32,
    /// Such answers, and sensitive counts, cover at least this many sites with `site_threshold` women each,
    /// and so does what is left when they are subtracted.
    pub sites: u32,
    pub site_threshold: u32,
    /// D_min: two published bases of one variable are the same women, or one has at least this many that the other
    /// has not.
    pub least_difference: u32,
    /// C: so many women may pool what they know of themselves.
    pub coalition: u32,
    /// The most breakdowns of a table at a time, beside the period.
    pub most_dimensions: u32,
    /// Days between the end of a period or of field work and the release. This crate has no clock: whoever freezes
    /// the data holds to it.
    pub delay_days: u32,
    /// How far the search for witnesses goes. A shorter search can only raise false alarms.
    pub search: SearchLimits,
}

/// Bounds on the search for one witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchLimits {
    /// The most other women whose values one witness changes.
    pub helpers: u32,
    /// How many ways to go on are followed at each step.
    pub breadth: u32,
    /// How many single changes are looked at in all.
    pub steps: u64,
    /// How many walks are tried where that found nothing.
    pub walks: u32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            threshold: 10,
            count_width: 5,
            answer_width: 8,
            most_bands: 49,
            mean_threshold: 25,
            retaliation_threshold: 40,
            sites: 2,
            site_threshold: 10,
            least_difference: 10,
            coalition: 3,
            most_dimensions: 2,
            delay_days: 60,
            search: SearchLimits { helpers: 8, breadth: 12, steps: 20_000, walks: 100 },
        }
    }
}

impl Parameters {
    /// Refuses numbers that do not fit together.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let sound = self.count_width >= 2
            && self.threshold >= self.count_width
            && self.threshold.is_multiple_of(self.count_width)
            && self.answer_width >= 2
            // So many women of one mind could otherwise know that they are the whole of the lowest band.
            && self.coalition + 2 <= self.answer_width
            && self.most_bands >= 3
            && self.least_difference >= 1
            && self.search.helpers >= 1
            && self.search.breadth >= 1;
        if sound { Ok(()) } else { Err(Refusal::Parameters) }
    }
}
