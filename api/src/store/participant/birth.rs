//! When women were born, for what is counted by age: many at once, and no other part of who they are.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::participant;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::identity::{Part, text};
use crate::{error::Result, store::Access};

impl Access {
    /// The birth dates of women of the organisation, where they are known and can be read.
    #[expect(
        clippy::disallowed_methods,
        reason = "women of the viewer's own organisation, whom the caller may count"
    )]
    pub(in crate::store) async fn birth_dates(
        &self,
        tx: &DatabaseTransaction,
        women: &[Uuid],
    ) -> Result<HashMap<Uuid, NaiveDate>> {
        use participant::Column::{BirthDate, Id, IdentityVersion, OrganizationId};
        let own = self.own()?;
        let keys = self.data_keys(tx, women).await?;
        let rows: Vec<(Uuid, Vec<u8>, i32)> = participant::Entity::find()
            .select_only()
            .columns([Id, BirthDate, IdentityVersion])
            .filter(OrganizationId.eq(own))
            .filter(BirthDate.is_not_null())
            .into_tuple()
            .all(tx)
            .await?;
        let open = |(woman, sealed, version): (Uuid, Vec<u8>, i32)| {
            let (_, key) = keys.get(&woman)?;
            let key = key.as_ref().ok()?.as_ref()?;
            let born = text(key, Part::BirthDate.place(own, woman, version), &sealed).ok()?;
            Some((woman, born.parse().ok()?))
        };
        Ok(rows.into_iter().filter_map(open).collect())
    }
}
