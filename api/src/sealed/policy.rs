//! The rules of publication as a file says them.

use disclosure::Parameters;

use super::Policy;

/// Far above any use, and far below where sums of them overflow.
const MOST: u32 = 10_000;

impl From<&Parameters> for Policy {
    fn from(rules: &Parameters) -> Self {
        Self {
            threshold: rules.threshold,
            count_width: rules.count_width,
            answer_width: rules.answer_width,
            most_bands: rules.most_bands,
            mean_threshold: rules.mean_threshold,
            retaliation_threshold: rules.retaliation_threshold,
            sites: rules.sites,
            site_threshold: rules.site_threshold,
            least_difference: rules.least_difference,
            coalition: rules.coalition,
            most_dimensions: rules.most_dimensions,
            delay_days: rules.delay_days,
        }
    }
}

impl Policy {
    /// The rules as the method computes with them.
    pub fn parameters(&self) -> Parameters {
        Parameters {
            threshold: self.threshold,
            count_width: self.count_width,
            answer_width: self.answer_width,
            most_bands: self.most_bands,
            mean_threshold: self.mean_threshold,
            retaliation_threshold: self.retaliation_threshold,
            sites: self.sites,
            site_threshold: self.site_threshold,
            least_difference: self.least_difference,
            coalition: self.coalition,
            most_dimensions: self.most_dimensions,
            delay_days: self.delay_days,
            ..Parameters::default()
        }
    }

    /// Whether the rules go together and are nowhere weaker than those of the method.
    pub(super) fn is_sound(&self) -> bool {
        let method = Self::from(&Parameters::default());
        let at_least = |rule: fn(&Self) -> u32| (rule(&method)..=MOST).contains(&rule(self));
        at_least(|rules| rules.threshold)
            && at_least(|rules| rules.count_width)
            && at_least(|rules| rules.answer_width)
            && at_least(|rules| rules.mean_threshold)
            && at_least(|rules| rules.retaliation_threshold)
            && at_least(|rules| rules.sites)
            && at_least(|rules| rules.site_threshold)
            && at_least(|rules| rules.least_difference)
            && at_least(|rules| rules.coalition)
            && at_least(|rules| rules.delay_days)
            && (3..=method.most_bands).contains(&self.most_bands)
            && self.most_dimensions <= method.most_dimensions
            && self.threshold.is_multiple_of(self.count_width)
            && self.coalition + 2 <= self.answer_width
    }
}
