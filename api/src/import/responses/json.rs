//! Submissions as KoboToolbox and ODK export them: an array, or an object that holds one as `results` or `value`.
//!
//! They are read one after the other, and of each only what could be an answer is kept, so that a file takes no more room
//! than a table would. The text of a fault of the reader may hold what it stumbled over, so only its place is told.

use std::collections::HashSet;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Cells, Collector, table::too_many};
use crate::import::{
    Limits, Reason,
    fault::{FaultCode, quoted, reason},
};

/// The most members of a submission, far beyond the longest instrument.
const MOST_MEMBERS: usize = 2_000;

/// The longest name of a member, with those of all its groups.
const LONGEST_NAME: usize = 1_000;

/// What a device or a server notes by itself, as forms usually call it.
const METADATA: [&str; 11] = [
    "start",
    "end",
    "today",
    "deviceid",
    "username",
    "phonenumber",
    "email",
    "simserial",
    "subscriberid",
    "audit",
    "instanceID",
];

/// The bytes without a byte order mark.
pub(super) fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

pub(super) fn read(bytes: &[u8], limits: &Limits, collector: &mut Collector<'_>) -> Option<()> {
    if bytes.len() > limits.bytes {
        let most = limits.bytes / 1024 / 1024;
        let reason = reason!(
            "The file is larger than {most} MiB; import it in parts.",
            "El archivo pesa más de {most} MiB; impórtelo por partes."
        );
        collector.faults.add(1, None, FaultCode::TooLarge, reason);
        return None;
    }
    let mut source = serde_json::Deserializer::from_slice(unmarked(bytes));
    let mut file = File { collector, most: limits.rows, count: 0, unknown: HashSet::new(), too_large: false };
    let read = Document(&mut file).deserialize(&mut source).and_then(|()| source.end());
    let (count, too_large) = (file.count, file.too_large);
    let Err(fault) = read else { return Some(()) };
    let number = u32::try_from(count).unwrap_or(u32::MAX);
    let (code, reason) = match too_large {
        true => (FaultCode::TooLarge, too_many(limits.rows)),
        false => (FaultCode::BadText, broken(fault.line(), fault.column())),
    };
    collector.faults.add(number.max(1), None, code, reason);
    None
}

/// A file that is being read.
struct File<'f, 'a> {
    collector: &'f mut Collector<'a>,
    most: usize,
    /// How many submissions there were so far.
    count: usize,
    /// Names that are nothing to us, of which each is told once.
    unknown: HashSet<String>,
    too_large: bool,
}

/// What a member of a submission holds.
enum Value {
    Text(String),
    Nothing,
    /// Something with parts: a repeated group, or a list.
    Parts,
}

/// The members of a submission by their whole names: those of groups have the group's before their own.
type Members = Vec<(String, Value)>;

impl File<'_, '_> {
    fn submission(&mut self, members: &Members) {
        let line = u32::try_from(self.count).unwrap_or(u32::MAX);
        let (asked, names) = (self.collector.asked, self.collector.names);
        let mut cells = Cells {
            line,
            client_id: "",
            participant: "",
            facility: "",
            answered_on: "",
            outcome: "",
            form_number: "",
            answers: Vec::new(),
        };
        // The first of these that is there: the root stays the same when a submission is edited.
        let mut ids = [""; 3];
        let mut days = [""; 2];
        for (path, value) in members {
            let name = path.rsplit('/').next().unwrap_or_default();
            let text = match value {
                Value::Text(text) => text.as_str(),
                Value::Nothing => continue,
                Value::Parts => {
                    if !is_metadata(path, name) {
                        self.unknown(line, path, name);
                    }
                    continue;
                }
            };
            let [root, own, instance] = &mut ids;
            let [today, sent] = &mut days;
            let place = match path.as_str() {
                "meta/rootUuid" => Some(root),
                "_uuid" | "__id" => Some(own),
                "meta/instanceID" | "instanceID" => Some(instance),
                "_submission_time" | "__system/submissionDate" => Some(sent),
                _ if name == names.answered_on => Some(today),
                _ if name == names.participant => Some(&mut cells.participant),
                _ if name == names.facility => Some(&mut cells.facility),
                _ if name == names.outcome => Some(&mut cells.outcome),
                _ if name == names.form_number => Some(&mut cells.form_number),
                _ => None,
            };
            if let Some(place) = place {
                *place = text;
                continue;
            }
            match asked.questions.iter().position(|question| question.code == name) {
                Some(_) if is_noted(path) => {}
                Some(question) if cells.answers.iter().any(|(before, _)| *before == question) => {
                    self.collector.fault(line, name, FaultCode::Duplicate, answered_twice());
                }
                Some(question) if !text.is_empty() => cells.answers.push((question, text)),
                Some(_) => {}
                None if text.is_empty() || is_metadata(path, name) => {}
                None => self.unknown(line, path, name),
            }
        }
        cells.client_id = ids.into_iter().find(|id| !id.is_empty()).unwrap_or_default();
        // Of a moment the day.
        let day = days.into_iter().find(|day| !day.is_empty()).unwrap_or_default();
        cells.answered_on = day.get(..10).unwrap_or(day);
        self.collector.take(&cells);
    }

    fn unknown(&mut self, line: u32, path: &str, name: &str) {
        let passed = self.collector.asked.pass_over.iter().any(|passed| passed == name || passed == path);
        if !passed && self.unknown.insert(name.to_owned()) {
            self.collector.fault(line, name, FaultCode::UnknownHeader, unknown(name));
        }
    }
}

/// Whether a member is what a device or a server notes by itself.
fn is_metadata(path: &str, name: &str) -> bool {
    path.starts_with('_') || is_noted(path) || METADATA.contains(&name)
}

/// Whether a member is of a group that no form has.
fn is_noted(path: &str) -> bool {
    path.split_once('/').is_some_and(|(group, _)| matches!(group, "meta" | "formhub" | "__system"))
}

struct Document<'d, 'f, 'a>(&'d mut File<'f, 'a>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("submissions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Submission(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut is_there = false;
        while let Some(key) = map.next_key::<String>()? {
            if matches!(key.as_str(), "results" | "value") {
                is_there = true;
                map.next_value_seed(Submissions(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if is_there { Ok(()) } else { Err(A::Error::custom("no submissions")) }
    }
}

/// The list in a document, which holds no other document.
struct Submissions<'d, 'f, 'a>(&'d mut File<'f, 'a>);

impl<'de> DeserializeSeed<'de> for Submissions<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_seq(Document(self.0))
    }
}

struct Submission<'d, 'f, 'a>(&'d mut File<'f, 'a>);

impl<'de> DeserializeSeed<'de> for Submission<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        self.0.count += 1;
        if self.0.count > self.0.most {
            self.0.too_large = true;
            return Err(D::Error::custom("too many"));
        }
        let mut members = Members::new();
        source.deserialize_map(Member { path: "", members: &mut members })?;
        self.0.submission(&members);
        Ok(())
    }
}

/// A member of a submission, or the submission itself.
struct Member<'m> {
    path: &'m str,
    members: &'m mut Members,
}

impl Member<'_> {
    fn put<E: serde::de::Error>(self, value: Value) -> Result<(), E> {
        if self.members.len() >= MOST_MEMBERS {
            return Err(E::custom("too many members"));
        }
        self.members.push((self.path.to_owned(), value));
        Ok(())
    }

    fn text<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.put(Value::Text(text.trim().to_owned()))
    }
}

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a submission")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.text(text)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.text(if value { "true" } else { "false" })
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.text(&number.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.text(&number.to_string())
    }

    // A whole number is written without a point.
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        self.text(&number.to_string())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.put(Value::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut is_empty = true;
        while list.next_element::<IgnoredAny>()?.is_some() {
            is_empty = false;
        }
        self.put(if is_empty { Value::Nothing } else { Value::Parts })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let path = if self.path.is_empty() { key } else { format!("{}/{key}", self.path) };
            if path.len() > LONGEST_NAME {
                return Err(A::Error::custom("too long"));
            }
            map.next_value_seed(Member { path: &path, members: self.members })?;
        }
        Ok(())
    }
}

fn broken(line: usize, column: usize) -> Reason {
    reason!(
        "This is no JSON of submissions from line {line}, column {column} of the text on.",
        "Desde la línea {line}, columna {column} del texto, esto no es un JSON de envíos."
    )
}

fn unknown(name: &str) -> Reason {
    let shown = quoted(name);
    reason!(
        "{shown} is no question of the round. Say --pass-over with its name to leave it out.",
        "{shown} no es ninguna pregunta de la ronda. Con --pass-over y su nombre se deja fuera."
    )
}

fn answered_twice() -> Reason {
    reason!(
        "Two groups of the form have a question of this name.",
        "Dos grupos del formulario tienen una pregunta con este nombre."
    )
}
