//! Days in a place's own time zone.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// Whether the database of time zones knows this name.
pub fn known(name: &str) -> bool {
    name.parse::<Tz>().is_ok()
}

/// Today in a time zone; in UTC where the name is not known, which writes refuse.
pub fn today(name: &str, now: DateTime<Utc>) -> NaiveDate {
    match name.parse::<Tz>() {
        Ok(zone) => now.with_timezone(&zone).date_naive(),
        Err(_) => now.date_naive(),
    }
}
