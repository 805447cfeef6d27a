//! The trace that every export leaves.

use serde_json::{Value, json};

use super::{
    Access,
    audit::{Reading, Rows},
};
use crate::{auth::Right, error::Result};

/// What the audit keeps of an export.
pub struct Told<'a> {
    /// The table whose rows are taken.
    pub what: &'a str,
    pub format: &'a str,
    /// As it was asked.
    pub filter: Value,
    /// How many rows there were when it began.
    pub rows: i64,
}

impl Access {
    /// Writes the one audit row of an export. It is written before the first byte goes out, so that an export that
    /// breaks off, or takes the process with it, is in the audit too.
    ///
    /// # Errors
    /// When the database is out of reach: nothing is given out then.
    pub(super) async fn audit_export(&self, told: Told<'_>) -> Result<()> {
        let write = self.store.bulk().await?.as_write(self);
        let Told { what, format, filter, rows } = told;
        let detail = json!({ "of": what, "format": format, "filter": filter, "rows": rows });
        let export = Reading { action: "EXPORT", detail, ..Reading::of("export", Rows::Count(rows)) };
        write.audit_reading(export).await?;
        write.commit().await
    }

    /// Begins an export of the registry: writes its trace.
    ///
    /// # Errors
    /// `NotPermitted` without the right to export the registry.
    pub async fn begin_registry_export(&self, what: &str, format: &str, rows: usize) -> Result<()> {
        self.require(Right::RegistryExport)?;
        self.audit_export(Told { what, format, filter: json!({}), rows: rows as i64 }).await
    }
}
