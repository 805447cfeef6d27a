//! The chain: what of a row is digested, and how one digest follows on another.
//!
//! All columns go in as the database itself writes them, so that no two contents of a row have the same bytes. They
//! stand in a fixed order, each with its length. A later form gets another number; the seals say which one is theirs.

use chrono::{DateTime, Utc};
use entity::audit_seal;
use sea_orm::{DbBackend, DbErr, QueryResult};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The form that is described here.
pub const FORM: i32 = 1;

/// The columns of an audit row, in the order in which they are digested.
const COLUMNS: [&str; 14] = [
    "organization_id",
    "id",
    "recorded_at",
    "account_id",
    "role",
    "action",
    "entity",
    "entity_id",
    "entity_version",
    "detail",
    "purpose",
    "fields",
    "rows",
    "document_hash",
];
const ID: usize = 1;
const RECORDED_AT: usize = 2;
const ACTION: usize = 5;
const ENTITY: usize = 6;

/// An audit row as the database has it. Behind its columns stand, on SQLite, the types of their values, which can
/// change there without a change of the bytes.
#[derive(Clone, Debug)]
pub struct Raw(Vec<Option<Vec<u8>>>);

impl Raw {
    /// What to select of a table `e` of audit rows.
    pub fn selection(backend: DbBackend) -> String {
        let column = |column: &&str| match (backend, *column) {
            (DbBackend::Postgres, "document_hash") => "encode(e.document_hash, 'hex')".to_owned(),
            (DbBackend::Postgres, column) => format!("e.{column}::text"),
            (_, column) => format!("CAST(e.{column} AS BLOB)"),
        };
        let mut parts: Vec<String> = COLUMNS.iter().map(column).collect();
        parts.push(match backend {
            DbBackend::Postgres => "''".to_owned(),
            _ => {
                let types: Vec<String> = COLUMNS.iter().map(|column| format!("typeof(e.{column})")).collect();
                format!("CAST({} AS BLOB)", types.join(" || ' ' || "))
            }
        });
        parts.join(", ")
    }

    /// Reads a row whose columns begin at a place of the selection; none where a join has found none.
    pub fn read(row: &QueryResult, backend: DbBackend, from: usize) -> Result<Option<Self>, DbErr> {
        let mut columns = Vec::with_capacity(COLUMNS.len() + 1);
        for place in from..=from + COLUMNS.len() {
            columns.push(match backend {
                DbBackend::Postgres => row.try_get_by_index::<Option<String>>(place)?.map(String::into_bytes),
                _ => row.try_get_by_index(place)?,
            });
        }
        let found = columns.get(ID).is_some_and(Option::is_some);
        Ok(found.then_some(Self(columns)))
    }

    /// The same content under the key of another row.
    pub fn under_key_of(&self, other: &Self) -> Self {
        let mut columns = self.0.clone();
        if let (Some(own), Some(key)) = (columns.get_mut(ID), other.0.get(ID)) {
            own.clone_from(key);
        }
        Self(columns)
    }

    pub fn id(&self) -> String {
        let bytes = self.bytes(ID);
        Uuid::from_slice(bytes)
            .map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), |id| id.to_string())
    }

    /// When it says that it was recorded, as the database has it.
    pub fn time(&self) -> String {
        self.text(RECORDED_AT)
    }

    /// The same as a moment; none when it is not one.
    pub fn recorded_at(&self) -> Option<DateTime<Utc>> {
        let text = self.time();
        let read = DateTime::parse_from_rfc3339(&text)
            .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f%#z"));
        read.ok().map(|at| at.to_utc())
    }

    pub fn action(&self) -> String {
        self.text(ACTION)
    }

    pub fn entity(&self) -> String {
        self.text(ENTITY)
    }

    fn bytes(&self, column: usize) -> &[u8] {
        self.0.get(column).and_then(Option::as_deref).unwrap_or_default()
    }

    fn text(&self, column: usize) -> String {
        String::from_utf8_lossy(self.bytes(column)).into_owned()
    }
}

/// What the first row of an organisation follows on.
pub fn beginning(organization: Uuid) -> Vec<u8> {
    let mut digest = Sha256::new();
    digest.update(b"umbral audit chain\0");
    digest.update(organization);
    digest.finalize().to_vec()
}

/// The digest of a row at a place of the chain, behind the digest of the place before.
pub fn link(before: &[u8], number: i64, row: &Raw) -> Vec<u8> {
    let mut digest = Sha256::new();
    digest.update(b"umbral audit row 1\0");
    part(&mut digest, before);
    digest.update(number.to_be_bytes());
    for column in &row.0 {
        match column {
            None => digest.update([0]),
            Some(bytes) => {
                digest.update([1]);
                part(&mut digest, bytes);
            }
        }
    }
    digest.finalize().to_vec()
}

/// The digest of a seal behind that of the seal before, over all that it says and the digest of its last row.
pub fn seal(before: &[u8], seal: &audit_seal::Model, last_link: &[u8]) -> Vec<u8> {
    let mut digest = Sha256::new();
    digest.update(b"umbral audit seal 1\0");
    digest.update(seal.organization_id);
    for number in [
        seal.number,
        seal.first_row,
        seal.last_row,
        seal.drained.into(),
        seal.form.into(),
        seal.sealed_at.timestamp_micros(),
    ] {
        digest.update(number.to_be_bytes());
    }
    part(&mut digest, before);
    part(&mut digest, last_link);
    digest.finalize().to_vec()
}

fn part(digest: &mut Sha256, bytes: &[u8]) {
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use entity::audit_event;
    use sea_orm::{IdenStatic, Iterable};

    use super::*;

    #[test]
    fn every_column_is_digested() {
        let columns: BTreeSet<&str> = audit_event::Column::iter().map(|column| column.as_str()).collect();
        assert_eq!(columns, COLUMNS.into_iter().collect(), "a new column needs a new FORM");
    }

    #[test]
    fn what_moves_between_columns_is_another_row() {
        let row = |columns: &[Option<&str>]| Raw(columns.iter().map(|text| text.map(Into::into)).collect());
        let rows = [
            row(&[Some("ab"), Some("c"), None]),
            row(&[Some("a"), Some("bc"), None]),
            row(&[Some("ab"), None, Some("c")]),
            row(&[Some("ab"), Some("c"), Some("")]),
        ];
        let digests: BTreeSet<Vec<u8>> = rows.iter().map(|row| link(&[7], 1, row)).collect();
        assert_eq!(digests.len(), rows.len());
        assert_ne!(link(&[7], 1, &rows[0]), link(&[7], 2, &rows[0]));
        assert_ne!(link(&[7], 1, &rows[0]), link(&[8], 1, &rows[0]));
    }
}
