//! What the address of an export asks for.

use actix_web::HttpRequest;
use serde_json::{Map, Value, json};

use super::super::door::{Refused, once, pairs, unknown};
use crate::{
    export::Format,
    graphql::scalars,
    import::{quoted, reason},
    store::distribution::Filter,
};

/// An export of deliveries, as it is asked.
pub struct Asked {
    pub format: Format,
    pub filter: Filter,
    /// The filter as it was given, for the audit.
    pub told: Value,
}

/// Parameters that may stand several times; the names of `DistributionFilter`.
const LISTS: [&str; 7] = ["organization", "facility", "program", "item", "kit", "region", "status"];
/// The parameter, the member of `DistributionFilter` and the end of the range.
const ENDS: [(&str, &str, &str); 4] = [
    ("occurredOnFrom", "occurredOn", "from"),
    ("occurredOnTo", "occurredOn", "to"),
    ("recordedAtFrom", "recordedAt", "from"),
    ("recordedAtTo", "recordedAt", "to"),
];
/// The most values of one list.
const MOST: usize = 1_000;

impl Asked {
    /// From the address. What is not known is refused, never dropped: a filter that is left out would give more than
    /// was asked for.
    pub(super) fn of_distributions(request: &HttpRequest) -> Result<Self, Refused> {
        let mut format = None;
        let mut told = Map::new();
        for (name, value) in pairs(request)? {
            if name == "format" {
                once(format.replace(value), "format")?;
            } else if LISTS.contains(&name.as_str()) {
                fits(&name, &value, json!({ name.as_str(): [value.as_str()] }))?;
                let list = told.entry(name.as_str()).or_insert_with(|| json!([]));
                let Some(list) = list.as_array_mut().filter(|list| list.len() < MOST) else {
                    return Err(Refused::Asked(reason!(
                        "{name} stands more than {MOST} times.",
                        "{name} aparece más de {MOST} veces."
                    )));
                };
                list.push(value.into());
            } else if let Some((_, member, end)) = ENDS.iter().find(|(known, _, _)| *known == name) {
                let usable = match *member {
                    "occurredOn" => scalars::date(&value).is_some(),
                    _ => scalars::date_time(&value).is_some(),
                };
                if !usable {
                    return Err(unusable(&name, &value));
                }
                let range = told.entry(*member).or_insert_with(|| json!({}));
                let before =
                    range.as_object_mut().and_then(|range| range.insert((*end).into(), value.into()));
                once(before, &name)?;
            } else {
                return Err(unknown(&name));
            }
        }
        let told = Value::Object(told);
        let filter = serde_json::from_value(told.clone()).map_err(|_| unusable("filter", ""))?;
        Ok(Self { format: parsed(format)?, filter, told })
    }

    /// The format of an export of the registry, which has no filter.
    pub(super) fn of_registry(request: &HttpRequest) -> Result<Format, Refused> {
        let mut format = None;
        for (name, value) in pairs(request)? {
            if name != "format" {
                return Err(unknown(&name));
            }
            once(format.replace(value), "format")?;
        }
        parsed(format)
    }
}

fn fits(name: &str, value: &str, filter: Value) -> Result<(), Refused> {
    serde_json::from_value::<Filter>(filter).map(drop).map_err(|_| unusable(name, value))
}

fn unusable(name: &str, value: &str) -> Refused {
    let value = quoted(value);
    Refused::Asked(reason!("{name} cannot be {value}.", "{name} no puede ser {value}."))
}

fn parsed(format: Option<String>) -> Result<Format, Refused> {
    format.as_deref().map_or(Some(Format::Csv), Format::parse).ok_or_else(|| {
        Refused::Asked(reason!("format is csv, jsonl or xlsx.", "format es csv, jsonl o xlsx."))
    })
}
