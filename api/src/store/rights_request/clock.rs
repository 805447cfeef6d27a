//! By when a request has to be answered: the clocks of countries, which are data.
//!
//! They lie in `clocks.json`; a host sets another file of the same form by `UMBRAL_RIGHTS_CLOCKS`. Working days are Monday
//! to Friday: public holidays are not taken off, so a day that comes out is never later than the law's.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::Deserialize;

/// The clocks that are in force.
#[derive(Clone, Debug, Deserialize)]
pub struct Clocks(Vec<Clock>);

/// What a country's law says of requests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// ISO 3166-1 alpha-2, or `*` for those that are not named.
    pub country: String,
    /// Since when requests that come in go by it; the clock before it ends then.
    #[serde(default)]
    pub from: Option<NaiveDate>,
    /// Until she is told what becomes of it.
    pub answer: Period,
    /// How much longer once, when she is told so in time.
    #[serde(default)]
    pub extension: Option<Period>,
    /// From the answer until it is carried out; none where that belongs to the answer.
    #[serde(default)]
    pub fulfil: Option<Period>,
    /// Where the rule comes from.
    pub source: String,
}

/// A time in days.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    pub days: u16,
    pub count: Count,
}

/// Which days count.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Count {
    Calendar,
    /// Monday to Friday.
    Working,
}

impl Clocks {
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(json: &str) -> Result<Self, String> {
        let clocks: Self = serde_json::from_str(json).map_err(|fault| fault.to_string())?;
        let others = clocks.0.iter().any(|clock| clock.country == "*" && clock.from.is_none());
        if others { Ok(clocks) } else { Err("there is no clock for the country \"*\"".to_owned()) }
    }

    /// The clock of a request that came in on a day.
    pub fn of(&self, country: &str, received_on: NaiveDate) -> Option<&Clock> {
        let begun = |clock: &&Clock| clock.from.is_none_or(|from| from <= received_on);
        let of = |country: &str| {
            let named = self.0.iter().filter(|clock| clock.country == country).filter(begun);
            named.max_by_key(|clock| clock.from)
        };
        of(country).or_else(|| of("*"))
    }
}

impl Default for Clocks {
    fn default() -> Self {
        // A test reads it, so that it is never empty.
        Self::parse(include_str!("clocks.json")).unwrap_or(Self(Vec::new()))
    }
}

impl Period {
    /// The last day of a time that begins with the day after one.
    pub fn after(self, day: NaiveDate) -> NaiveDate {
        let mut left = self.days;
        let mut last = day;
        while left > 0 {
            let Some(next) = last.checked_add_days(Days::new(1)) else { break };
            last = next;
            let counts =
                self.count == Count::Calendar || !matches!(last.weekday(), Weekday::Sat | Weekday::Sun);
            left -= u16::from(counts);
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_clock_is_that_of_the_country_on_the_day_it_came_in() {
        let clocks = Clocks::parse(include_str!("clocks.json")).unwrap();
        let last = |country: &str, received: &str| {
            clocks.of(country, day(received)).unwrap().answer.after(day(received)).to_string()
        };
        // A Friday: twenty working days are four weeks.
        assert_eq!(last("MX", "2026-11-20"), "2026-12-18");
        assert_eq!(last("CL", "2026-11-30"), "2026-12-02");
        assert_eq!(last("CL", "2026-12-01"), "2026-12-31");
        assert_eq!(last("PE", "2026-12-01"), "2026-12-31");
        // A weekend counts for nothing.
        assert_eq!(last("CL", "2026-11-27"), "2026-12-01");
        assert_eq!(last("CL", "2026-11-28"), "2026-12-01");
    }

    #[test]
    fn a_file_without_the_other_countries_is_refused() {
        assert!(Clocks::parse("[]").is_err());
        assert!(Clocks::parse("[{\"country\":\"*\",\"answer\":{\"days\":3}}]").is_err());
        let twice = "[{\"country\":\"*\",\"answr\":{\"days\":3,\"count\":\"WORKING\"},\"source\":\"\"}]";
        assert!(Clocks::parse(twice).is_err());
    }
}
