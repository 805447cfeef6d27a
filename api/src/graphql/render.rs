//! Rendering: objects write themselves as JSON, field by field, in the order of the query.
//!
//! Everything that is in memory is written at once. What has to be fetched first is noted as a need; when a
//! pass is through, all needs of the same field are fetched together, and the next pass finds them. So the
//! number of statements follows the depth of the query, never the number of rows.

use std::collections::HashMap;

use async_graphql::{PathSegment, ServerError};
use uuid::Uuid;

use super::{node::Node, types::Base};
use crate::{
    error::Error,
    store::{
        Access, audit,
        changes::{Changes, Position},
        distribution::{Delivery, Filter, Listing, Parent},
        duplicate, gift,
        keyset::{Page, Window},
        participant, release, retention, rights_request, safeguarding,
        shipment::Shipment,
        stats::{Dimension, Stats, Wanted},
        stock::read::{Asked, Found, Movement},
        survey,
    },
};

/// Something with fields.
pub trait Object {
    fn type_name(&self) -> &str;

    /// Writes the value of one selected field.
    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written;
}

/// A non-null place without a value: the nearest nullable parent becomes null. The error has been noted.
#[derive(Debug)]
pub struct Missing;

pub type Written = Result<(), Missing>;

/// What has to be fetched before a field can be written.
pub enum Need {
    /// A page of deliveries for the field with this number, under a parent.
    Deliveries(usize, Option<(Parent, Uuid)>, Box<Listing>),
    /// One delivery by id.
    Delivery(Uuid),
    /// Statistics for the field with this number.
    Stats(usize, Box<(Vec<Dimension>, Filter, usize, Wanted)>),
    /// Something about stock, for the field with this number.
    Stock(usize, Box<Asked>),
    /// Something about gifts that are followed, for the field with this number.
    Gifts(usize, Box<gift::read::Asked>),
    /// A page of deliveries that look alike, for the field with this number.
    Duplicates(usize, Box<duplicate::Filter>, Window),
    /// A page of the audit, or its newest head, for the field with this number.
    AuditEvents(usize, Box<audit::Asked>),
    AuditHead(usize),
    /// What women ask about their data: a page for the field with this number, or the request with this id.
    RightsRequests(usize, Uuid, Box<rights_request::Asked>),
    /// Something of surveys: a list for the field with this number, or the object with this id.
    Surveys(usize, Uuid, Box<survey::Asked>),
    /// What reviewers look at of the release with this id.
    ReleaseReport(Uuid),
    RetentionRules,
    /// A page of the safeguarding log for the field with this number, or one note by id.
    SafeguardingNotes(usize, Box<safeguarding::Asked>),
    SafeguardingNote(Uuid, Vec<String>),
    /// One lot, or one movement, by id.
    StockLot(Uuid),
    StockMovement(Uuid),
    /// What was sent for a delivery, and who signed for it.
    Shipment(Uuid),
    Proofs(Uuid),
    /// Something of programs at work.
    Work(Box<super::work::Asked>),
    /// A page of changes since a position, for the field with this number.
    Changes(usize, Option<Position>, usize),
    /// Something of women's records, for the field with this number: of a woman, or of none in particular (nil).
    Record(usize, Uuid, participant::Asked),
}

/// What has been fetched.
#[derive(Default)]
pub struct Fetched {
    pub pages: HashMap<(usize, Uuid), Result<Page<Delivery>, Error>>,
    pub deliveries: HashMap<Uuid, Result<Option<Delivery>, Error>>,
    pub stats: HashMap<usize, Result<Stats, Error>>,
    pub stock: HashMap<usize, Result<Found, Error>>,
    pub gifts: HashMap<usize, Result<gift::read::Found, Error>>,
    pub lots: HashMap<Uuid, Result<Option<entity::stock_lot::Model>, Error>>,
    pub movements: HashMap<Uuid, Result<Option<Movement>, Error>>,
    pub duplicates: HashMap<usize, Result<Page<duplicate::Alike>, Error>>,
    pub shipments: HashMap<Uuid, Result<Option<Shipment>, Error>>,
    pub proofs: HashMap<Uuid, Result<Vec<entity::delivery_proof::Model>, Error>>,
    pub work: super::work::Fetched,
    pub changes: HashMap<usize, Result<Changes, Error>>,
    pub records: HashMap<(usize, Uuid), Result<participant::Found, Error>>,
    pub audit_events: HashMap<usize, Result<Page<audit::Event>, Error>>,
    pub audit_heads: HashMap<usize, Result<audit::Signed, Error>>,
    pub surveys: HashMap<(usize, Uuid), Result<survey::Found, Error>>,
    pub rights_requests: HashMap<(usize, Uuid), Result<Page<entity::rights_request::Model>, Error>>,
    pub release_reports: HashMap<Uuid, Result<release::FoundReport, Error>>,
    pub retention_rules: Option<Result<Vec<retention::Rule>, Error>>,
    pub safeguarding_notes: HashMap<usize, Result<Page<safeguarding::Note>, Error>>,
    pub safeguarding: HashMap<Uuid, Result<Option<safeguarding::Note>, Error>>,
}

/// Writes one root field.
pub struct Writer<'a> {
    pub access: &'a Access,
    /// Languages that the client reads, best first.
    pub languages: &'a [String],
    pub fetched: &'a Fetched,
    pub needs: Vec<Need>,
    pub errors: Vec<ServerError>,
    pub cost_limit: u64,
    out: Vec<u8>,
    path: Vec<PathSegment>,
}

impl<'a> Writer<'a> {
    pub fn new(access: &'a Access, languages: &'a [String], fetched: &'a Fetched, key: &str) -> Self {
        Self {
            access,
            languages,
            fetched,
            needs: Vec::new(),
            errors: Vec::new(),
            cost_limit: 0,
            out: Vec::with_capacity(4096),
            path: vec![PathSegment::Field(key.to_owned())],
        }
    }

    /// What was written.
    pub fn into_parts(self) -> (Vec<u8>, Vec<ServerError>, Vec<Need>) {
        (self.out, self.errors, self.needs)
    }

    /// Writes the value of a field of an object, or null where the schema allows it.
    pub fn value(&mut self, object: &dyn Object, node: &Node<'_>) -> Written {
        let start = self.out.len();
        match object.field(node, self) {
            Err(Missing) if node.nullable() => {
                self.out.truncate(start);
                self.null()
            }
            written => written,
        }
    }

    /// Writes an object with the fields selected on it.
    pub fn object(&mut self, node: &Node<'_>, object: &dyn Object) -> Written {
        let type_name = object.type_name();
        self.out.push(b'{');
        for (place, field) in node.fields(type_name).iter().enumerate() {
            if place > 0 {
                self.out.push(b',');
            }
            self.out.push(b'"');
            self.out.extend_from_slice(field.key.as_bytes());
            self.out.extend_from_slice(b"\":");
            if field.name == "__typename" {
                self.str(type_name)?;
                continue;
            }
            self.path.push(PathSegment::Field(field.key.to_owned()));
            let written = self.value(object, field);
            self.path.pop();
            written?;
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Writes an object, or null when there is none; none is an error where the schema wants one.
    pub fn optional(&mut self, node: &Node<'_>, object: Option<&dyn Object>) -> Written {
        match object {
            Some(object) => self.object(node, object),
            None => self.absent(node),
        }
    }

    /// Null, or an error where the schema wants a value.
    pub fn absent(&mut self, node: &Node<'_>) -> Written {
        if node.nullable() {
            return self.null();
        }
        self.fail(node, Error::Internal(format!("{} has no value", node.name)))
    }

    /// Writes a list. A member without a value becomes null where members may be null.
    pub fn list<T>(
        &mut self,
        node: &Node<'_>,
        members: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Written,
    ) -> Written {
        let members_nullable = matches!(
            node.def.map(|def| &def.ty.base),
            Some(Base::List(inner)) if inner.nullable
        );
        self.out.push(b'[');
        for (place, member) in members.into_iter().enumerate() {
            if place > 0 {
                self.out.push(b',');
            }
            self.path.push(PathSegment::Index(place));
            let start = self.out.len();
            let mut written = write(self, member);
            if written.is_err() && members_nullable {
                self.out.truncate(start);
                written = self.null();
            }
            self.path.pop();
            written?;
        }
        self.out.push(b']');
        Ok(())
    }

    /// Notes an error at this place.
    pub fn fail(&mut self, node: &Node<'_>, error: Error) -> Written {
        let mut fault = super::server_error(&error, node.position);
        fault.path = self.path.clone();
        self.errors.push(fault);
        Err(Missing)
    }

    /// Asks for something to be fetched; null stands here meanwhile.
    pub fn need(&mut self, need: Need) -> Written {
        self.needs.push(need);
        self.null()
    }

    pub fn null(&mut self) -> Written {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    pub fn bool(&mut self, value: bool) -> Written {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    pub fn int(&mut self, value: i64) -> Written {
        let mut buffer = itoa::Buffer::new();
        self.out.extend_from_slice(buffer.format(value).as_bytes());
        Ok(())
    }

    /// The version of an entry. Staff of other organisations are outsiders to it: how often it has changed is
    /// not for them.
    pub fn version(&mut self, organization: Uuid, version: i32) -> Written {
        self.int(if self.access.viewer.reads_drafts_of(organization) { version.into() } else { 0 })
    }

    pub fn optional_int(&mut self, value: Option<i64>) -> Written {
        match value {
            Some(value) => self.int(value),
            None => self.null(),
        }
    }

    /// A sum that the schema gives as Int, which holds 32 bits.
    pub fn count(&mut self, node: &Node<'_>, value: i64) -> Written {
        if i32::try_from(value).is_ok() {
            return self.int(value);
        }
        self.fail(node, Error::invalid("The number is too large for an Int. Ask for a shorter period."))
    }

    pub fn float(&mut self, value: f64) -> Written {
        match serde_json::to_vec(&value) {
            Ok(text) => self.out.extend_from_slice(&text),
            Err(_) => self.out.extend_from_slice(b"null"),
        }
        Ok(())
    }

    pub fn str(&mut self, value: &str) -> Written {
        write_str(&mut self.out, value);
        Ok(())
    }

    pub fn optional_str(&mut self, value: Option<&str>) -> Written {
        match value {
            Some(value) => self.str(value),
            None => self.null(),
        }
    }

    /// An enum value, by the name that it has in the database and in the schema alike.
    pub fn word<T: sea_orm::ActiveEnum<Value = String>>(&mut self, value: &T) -> Written {
        self.str(&value.to_value())
    }

    pub fn id(&mut self, kind: crate::id::Kind, id: Uuid) -> Written {
        self.out.push(b'"');
        crate::id::write(kind, id, &mut self.out);
        self.out.push(b'"');
        Ok(())
    }

    pub fn date(&mut self, day: chrono::NaiveDate) -> Written {
        use chrono::Datelike;
        let (year, month, day) = (day.year(), day.month(), day.day());
        let digit = |value: u32| b'0' + (value % 10) as u8;
        let year = year.unsigned_abs();
        self.out.extend_from_slice(&[
            b'"',
            digit(year / 1000),
            digit(year / 100),
            digit(year / 10),
            digit(year),
            b'-',
            digit(month / 10),
            digit(month),
            b'-',
            digit(day / 10),
            digit(day),
            b'"',
        ]);
        Ok(())
    }

    pub fn optional_date(&mut self, day: Option<chrono::NaiveDate>) -> Written {
        match day {
            Some(day) => self.date(day),
            None => self.null(),
        }
    }

    pub fn optional_moment(&mut self, at: Option<chrono::DateTime<chrono::Utc>>) -> Written {
        match at {
            Some(at) => self.moment(at),
            None => self.null(),
        }
    }

    pub fn moment(&mut self, at: chrono::DateTime<chrono::Utc>) -> Written {
        self.str(&at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
    }
}

/// Writes a JSON string.
pub fn write_str(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    let mut start = 0;
    for (place, byte) in value.bytes().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..=0x1f => b"",
            _ => continue,
        };
        out.extend_from_slice(&value.as_bytes()[start..place]);
        if escape.is_empty() {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
        } else {
            out.extend_from_slice(escape);
        }
        start = place + 1;
    }
    out.extend_from_slice(&value.as_bytes()[start..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_string_is_written_as_json() {
        for text in ["", "plain", "\"quoted\" \\ and\nlines\r\t", "\u{0}\u{1f}\u{7f}", "Nezahualcóyotl 🧼"]
        {
            let mut out = Vec::new();
            super::write_str(&mut out, text);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
