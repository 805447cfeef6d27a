//! What reviewers look at: the draft, and the report of how close it came to its limits.

use disclosure::Report;
use uuid::Uuid;

use super::data::Part;
use crate::{
    auth::Right,
    error::{Error, Result},
    sealed::File,
    store::Access,
};

/// A draft with its report; the draft is gone once it is published.
#[derive(Clone, Debug)]
pub struct ReleaseReport {
    pub release: Uuid,
    pub report: Report,
    pub draft: Option<File>,
}

/// What was found.
pub type Found = Option<ReleaseReport>;

impl Access {
    /// The report of a release, which only those who review may read: it says what was left out because of values.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `Undecipherable` when the key cannot be had.
    pub async fn release_report(&self, id: Uuid) -> Result<Found> {
        self.require(Right::ReleaseReview)?;
        let own = self.own()?;
        if self.release(id).is_none_or(|of| of.row.organization_id != own) {
            return Ok(None);
        }
        let Some(row) = self.release_data(&self.store.pools.read, id).await? else { return Ok(None) };
        if row.report.is_none() {
            return Ok(None);
        }
        let key = self.release_key().await?;
        let report = Part::Report.open(&key, &row)?.ok_or(Error::Undecipherable)?;
        let draft = Part::Draft.open(&key, &row)?;
        Ok(Some(ReleaseReport { release: id, report, draft }))
    }
}
