//! The traces that the use of keys leaves.

use std::sync::Arc;

use uuid::Uuid;

use super::{Store, write::Trace};
use crate::{auth::Viewer, error::Result};

impl Store {
    /// Writes the trace of a use of the master key, which every organisation's keys are under, into the audit of each.
    ///
    /// # Errors
    /// When the database is out of reach: the key must not be used then.
    pub async fn trace_master_key(self: &Arc<Self>, action: &str) -> Result<()> {
        let program = self.access(Viewer::system(Uuid::nil())).await?;
        let write = self.bulk().await?.as_write(&program);
        for organization in program.catalog.organizations.iter().map(|entry| entry.row.id) {
            write.trace(organization, Trace::of(action, "master_key"), organization, None).await?;
        }
        write.commit().await
    }
}
