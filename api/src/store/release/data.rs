//! What a release is made of, as it lies in the database: ciphertext under a key of the organisation.

use disclosure::{History, Record, Registry, Snapshot};
use entity::{release, release_data, value::ReleaseStatus};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    auth::Right,
    error::{Error, Result},
    sealed::File,
    store::{Access, Scoped},
    vault::{DataKey, Fault, Place},
};

/// Everything that a release is prepared from.
#[derive(Serialize, Deserialize)]
pub(super) struct Frozen {
    pub snapshot: Snapshot,
    pub registry: Registry,
    /// The file without its tables.
    pub file: File,
    /// The number of the release that it corrects.
    pub corrects: Option<u32>,
}

/// What is ciphertext; each is a column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Snapshot,
    Record,
    Report,
    Draft,
}

impl Part {
    fn column(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Record => "record",
            Self::Report => "report",
            Self::Draft => "draft",
        }
    }

    fn place(self, organization: Uuid, release: Uuid) -> Place<'static> {
        // A part is written once; when it is prepared anew, all of it is.
        Place { organization, table: "release_data", column: self.column(), row: release, version: 1 }
    }

    pub fn seal(
        self,
        key: &DataKey,
        organization: Uuid,
        release: Uuid,
        value: &impl Serialize,
    ) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(value).map_err(|_| Fault::Damaged)?;
        Ok(key.seal(self.place(organization, release), &plain)?)
    }

    pub fn open<T: DeserializeOwned>(self, key: &DataKey, row: &release_data::Model) -> Result<Option<T>> {
        let sealed = match self {
            Self::Snapshot => &row.snapshot,
            Self::Record => &row.record,
            Self::Report => &row.report,
            Self::Draft => &row.draft,
        };
        let Some(sealed) = sealed else { return Ok(None) };
        let plain = key.open(self.place(row.organization_id, row.release_id), sealed)?;
        Ok(Some(serde_json::from_slice(&plain).map_err(|_| Fault::Damaged)?))
    }
}

impl Scoped for release_data::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(release_data::Column::OrganizationId, Right::ReleaseReview)
    }
}

impl Scoped for release::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(release::Column::OrganizationId, Right::ReleaseRead)
    }
}

impl Access {
    pub(super) async fn release_data(
        &self,
        db: &impl ConnectionTrait,
        id: Uuid,
    ) -> Result<Option<release_data::Model>> {
        let rows = self.select::<release_data::Entity>();
        Ok(rows.filter(release_data::Column::ReleaseId.eq(id)).one(db).await?)
    }

    /// Everything that the organisation has ever published, with what it was made of.
    pub(super) async fn history(&self, db: &impl ConnectionTrait, key: &DataKey) -> Result<History> {
        let published = self
            .select::<release::Entity>()
            .filter(release::Column::PublishedAt.is_not_null())
            .order_by_asc(release::Column::Number)
            .all(db)
            .await?;
        let mut history = History::default();
        for release in published {
            let row = self.release_data(db, release.id).await?;
            let record = row.map(|row| Part::Record.open::<Record>(key, &row)).transpose()?.flatten();
            // Nothing may be published while a part of what is known outside is not.
            let mut record = record.ok_or(Error::Undecipherable)?;
            if release.status == ReleaseStatus::Retracted {
                record.retractions.extend(all_cells(&record));
            }
            history.publish(record);
        }
        Ok(history)
    }
}

/// All cells that a release was the first to show.
fn all_cells(record: &Record) -> Vec<disclosure::CellRef> {
    let of = |measurement: &disclosure::Measurement| {
        let variable = measurement.variable.clone();
        let cells = measurement.cells.clone().into_iter();
        cells.map(move |cell| disclosure::CellRef {
            release: record.number,
            variable: variable.clone(),
            coordinates: cell.coordinates,
        })
    };
    record.measurements.iter().flat_map(of).collect()
}
