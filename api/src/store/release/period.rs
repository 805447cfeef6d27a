//! The fixed calendar: quarters for counts, years for everything.

use chrono::{Months, NaiveDate};
use disclosure::Period;
use serde::Deserialize;

use crate::sealed::Span;

/// A quarter or, without one, a whole year.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub struct Quarter {
    pub year: u16,
    #[serde(default)]
    pub quarter: Option<u8>,
}

impl Quarter {
    /// None for a quarter or a year that does not exist.
    pub fn period(self) -> Option<Period> {
        match self.quarter {
            None => Some(Period::Year { year: self.year }),
            Some(quarter @ 1..=4) => Some(Period::Quarter { year: self.year, quarter }),
            Some(_) => None,
        }
        .filter(|_| (2000..=2999).contains(&self.year))
    }
}

/// The days of a period.
pub fn span(period: Period) -> Span {
    let (year, month, months) = match period {
        Period::Year { year } => (year, 1, 12),
        Period::Quarter { year, quarter } => (year, u32::from(quarter.clamp(1, 4)) * 3 - 2, 3),
    };
    let start = NaiveDate::from_ymd_opt(year.into(), month, 1).unwrap_or_default();
    let next = start.checked_add_months(Months::new(months)).unwrap_or(start);
    Span { start, end: next.pred_opt().unwrap_or(start) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_days_of_the_calendar() {
        let day = |text: &str| text.parse().unwrap();
        for (period, start, end) in [
            (Period::Year { year: 2024 }, "2024-01-01", "2024-12-31"),
            (Period::Quarter { year: 2024, quarter: 1 }, "2024-01-01", "2024-03-31"),
            (Period::Quarter { year: 2023, quarter: 4 }, "2023-10-01", "2023-12-31"),
        ] {
            assert_eq!(span(period), Span { start: day(start), end: day(end) });
        }
        assert_eq!(Quarter { year: 2024, quarter: Some(5) }.period(), None);
    }
}
