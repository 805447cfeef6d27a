//! What a scalar may hold. A bad value is refused before anything runs.

use async_graphql::Value;
use chrono::{DateTime, Datelike, NaiveDate, Utc};

/// The check of a scalar's values; none for a scalar that this program does not know.
pub fn validator(name: &str) -> Option<fn(&Value) -> bool> {
    Some(match name {
        "Int" => {
            |value| matches!(value, Value::Number(number) if number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()))
        }
        "Float" => {
            |value| matches!(value, Value::Number(number) if number.as_f64().is_some_and(f64::is_finite))
        }
        "String" => |value| text(value).is_some(),
        "Boolean" => |value| matches!(value, Value::Boolean(_)),
        "ID" => |value| text(value).is_some_and(|text| text.len() <= 200),
        "Date" => |value| text(value).and_then(date).is_some(),
        "DateTime" => |value| text(value).and_then(date_time).is_some(),
        "Language" => |value| text(value).is_some_and(language),
        "UUID" => {
            |value| text(value).is_some_and(|text| text.len() == 36 && uuid::Uuid::try_parse(text).is_ok())
        }
        "MinorUnits" => {
            |value| text(value).is_some_and(|text| text.len() <= 20 && text.parse::<i64>().is_ok())
        }
        _ => return None,
    })
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// ISO 8601 with four digits of a year that people on record have lived in.
pub fn date(text: &str) -> Option<NaiveDate> {
    if text.len() != 10 {
        return None;
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| (1900..=2200).contains(&day.year()))
}

/// RFC 3339, in the same years.
pub fn date_time(text: &str) -> Option<DateTime<Utc>> {
    let moment = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (1900..=2200).contains(&moment.year()).then_some(moment)
}

/// The shape of a BCP 47 tag: subtags of letters and digits with hyphens between.
pub fn language(text: &str) -> bool {
    text.len() <= 35
        && text.split('-').enumerate().all(|(place, part)| {
            let letters = part.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let length = if place == 0 { 2..=8 } else { 1..=8 };
            letters && length.contains(&part.len())
        })
}
