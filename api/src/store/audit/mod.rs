//! The audit: what it keeps of a read, how its rows are chained and sealed, and how a change of the past is found.
//!
//! Writers append rows and wait for nobody. A trigger notes each row as pending; the sealer ([`seal`]) gives it its
//! place in the chain of its organisation ([`chain`]) and exports what the chain has come to ([`heads`]); [`verify`]
//! walks all of it again.

mod chain;
pub mod heads;
mod read;
mod seal;
pub mod verify;

use entity::audit_event;
use sea_orm::Set;
use serde_json::{Value, json};
use uuid::Uuid;

pub use self::read::{Asked, Event, Filter, Signed};
use super::write::Write;
use crate::error::Result;

/// Rows that were given out.
pub(super) enum Rows {
    Ids(Vec<Uuid>),
    /// How many, where there are too many to name.
    Count(i64),
}

/// What the audit keeps of a read. Who and when is the viewer's [`super::Access`].
pub(super) struct Reading<'a> {
    pub action: &'a str,
    /// The table whose rows were given out.
    pub entity: &'a str,
    pub purpose: Option<&'a str>,
    /// The names of the fields that were given out; none where all were.
    pub fields: Option<Vec<&'a str>>,
    pub rows: Rows,
    /// The SHA-256 of the document that asked.
    pub document_hash: Option<Vec<u8>>,
    pub detail: Value,
}

impl Reading<'_> {
    /// A read of rows of a table.
    pub fn of(entity: &str, rows: Rows) -> Reading<'_> {
        Reading {
            action: "READ",
            entity,
            purpose: None,
            fields: None,
            rows,
            document_hash: None,
            detail: Value::Null,
        }
    }
}

impl Write<'_> {
    /// Appends the trace of a read of records: before anything is given out, and in the transaction of what is read
    /// where there is one. Gives the trace's id.
    pub(super) async fn audit_read(
        &self,
        entity: &str,
        purpose: Option<&str>,
        fields: &[&str],
        rows: Rows,
        document_hash: Option<&[u8]>,
    ) -> Result<Uuid> {
        let document_hash = document_hash.map(<[u8]>::to_vec);
        let fields = Some(fields.to_vec());
        self.audit_reading(Reading { purpose, fields, document_hash, ..Reading::of(entity, rows) }).await
    }

    /// As [`Write::audit_read`], for what is more than a read.
    pub(super) async fn audit_reading(&self, reading: Reading<'_>) -> Result<Uuid> {
        let (entity_id, rows) = match &reading.rows {
            Rows::Ids(ids) => (
                match ids.as_slice() {
                    [one] => *one,
                    _ => self.access.new_id(),
                },
                json!(ids),
            ),
            Rows::Count(count) => (self.access.new_id(), json!(count)),
        };
        self.append(audit_event::ActiveModel {
            organization_id: Set(self.access.own()?),
            action: Set(reading.action.to_owned()),
            entity: Set(reading.entity.to_owned()),
            entity_id: Set(entity_id),
            entity_version: Set(None),
            detail: Set(reading.detail),
            purpose: Set(reading.purpose.map(str::to_owned)),
            fields: Set(reading.fields.map(|fields| json!(fields))),
            rows: Set(Some(rows)),
            document_hash: Set(reading.document_hash),
            ..Default::default()
        })
        .await
    }
}
