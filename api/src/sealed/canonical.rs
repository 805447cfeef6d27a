//! Canonical JSON (RFC 8785): one value, one text.
//!
//! Numbers are whole and exact for every reader of JSON. What has digits after the point is told with how many, so the one
//! part of the RFC that is hard to get right, how a fraction is written, is never needed.

use canon_json::CanonJsonSerialize;
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};

/// The largest whole number that every reader of JSON knows exactly (RFC 7493, section 2.2).
const MOST: u64 = (1 << 53) - 1;

/// The canonical bytes of a value.
///
/// # Errors
/// When a number in it is not whole or too large.
pub fn canonical(value: &impl Serialize) -> Result<Vec<u8>> {
    let value = serde_json::to_value(value).map_err(fault)?;
    if !is_whole(&value) {
        return Err(Error::Internal("canonical JSON: a number that is not whole, or beyond 2^53".into()));
    }
    value.to_canon_json_vec().map_err(fault)
}

fn is_whole(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.as_i64().is_some_and(|number| number.unsigned_abs() <= MOST),
        Value::Array(values) => values.iter().all(is_whole),
        Value::Object(members) => members.values().all(is_whole),
    }
}

fn fault(fault: impl std::fmt::Display) -> Error {
    Error::Internal(format!("canonical JSON: {fault}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(given: &str, wanted: &str) {
        let value: Value = serde_json::from_str(given).unwrap();
        assert_eq!(String::from_utf8(canonical(&value).unwrap()).unwrap(), wanted);
    }

    /// RFC 8785, section 3.2.2, without its fractions.
    #[test]
    fn the_example_of_the_rfc() {
        check(
            r#"{ "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false] }"#,
            r#"{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#,
        );
    }

    /// RFC 8785, section 3.2.3: keys in the order of their UTF-16 units, where a surrogate comes before U+FB33.
    #[test]
    fn keys_are_sorted_as_the_rfc_says() {
        check(
            r#"{ "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
                "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
                "\u00f6": "Latin Small Letter O With Diaeresis" }"#,
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\
             \"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\
             \"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
        );
    }

    /// The test data of the RFC's authors: arrays.json, french.json, structures.json, unicode.json.
    #[test]
    fn the_data_of_the_authors() {
        check(r#"[ 56, { "d": true, "10": null, "1": [ ] } ]"#, r#"[56,{"1":[],"10":null,"d":true}]"#);
        check(
            r#"{ "peach": "This sorting order", "péché": "is wrong according to French",
                "pêche": "but canonicalization MUST", "sin": "ignore locale" }"#,
            r#"{"peach":"This sorting order","péché":"is wrong according to French","pêche":"but canonicalization MUST","sin":"ignore locale"}"#,
        );
        check(
            r#"{ "1": {"f": {"f": "hi","F": 5} ,"\n": 56}, "10": { }, "": "empty", "a": { },
                "111": [ {"e": "yes","E": "no" } ], "A": { } }"#,
            r#"{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}"#,
        );
        check(r#"{ "Unnormalized Unicode": "A\u030a" }"#, "{\"Unnormalized Unicode\":\"A\u{30a}\"}");
    }

    /// RFC 8785, section 3.2.2.2: the short forms, and else four small hexadecimal digits; nothing else is escaped.
    #[test]
    fn control_characters_have_one_form() {
        check(
            r#"["\u0000\u0008\u0009\u000A\u000C\u000D\u001F\u007F\u2028"]"#,
            "[\"\\u0000\\b\\t\\n\\f\\r\\u001f\u{7f}\u{2028}\"]",
        );
    }

    #[test]
    fn numbers_are_whole_and_exact() {
        check("[0, -1, 9007199254740991, -9007199254740991]", "[0,-1,9007199254740991,-9007199254740991]");
        for number in
            ["1.5", "1.0", "1e2", "-0", "9007199254740992", "-9007199254740992", "18446744073709551615"]
        {
            let value: Value = serde_json::from_str(&format!(r#"{{"a":[{number}]}}"#)).unwrap();
            assert!(canonical(&value).is_err(), "{number}");
        }
        assert!(canonical(&json!({ "a": 0.1 })).is_err());
    }
}
