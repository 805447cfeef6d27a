//! The list of merges, read as what it is about: women's records.

use std::collections::HashMap;

use entity::{participant_merge, value::MergeStatus};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, sea_query::Expr};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    auth::Right,
    error::Result,
    store::{
        Access,
        distribution::among,
        keyset::{Direction, Key, Page, Place, SqlOrder, Window},
        participant::Found,
    },
};

/// Which merges are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Filter {
    pub status: Option<Vec<MergeStatus>>,
}

/// A page of merges.
#[derive(Clone, Debug)]
pub struct Listing {
    pub filter: Filter,
    pub window: Window,
    pub with_total: bool,
    /// The fields as the audit keeps them.
    pub fields: Vec<String>,
}

impl Access {
    /// The newest first.
    pub(in crate::store) async fn merges(&self, listing: &Listing) -> Result<Page<participant_merge::Model>> {
        use participant_merge::Column::{Id, ProposedAt, Status};
        self.require(Right::ParticipantMerge)?;
        let column = |column| Expr::col((participant_merge::Entity, column));
        let order = SqlOrder {
            key: column(ProposedAt),
            id: column(Id),
            nullable: false,
            direction: Direction::Descending,
        };
        let mut matching = self.select::<participant_merge::Entity>();
        if let Some(statuses) = &listing.filter.status {
            matching = matching.filter(Status.is_in(statuses.iter().copied()));
        }
        let reading = self.reading().await?;
        let rows = order.page(matching.clone(), &listing.window).all(reading.tx()).await?;
        // Whoever decides what the answer says is in its trace, the row that says whether there are more included.
        let women: Vec<Uuid> = rows.iter().flat_map(|row| [row.kept_id, row.merged_id]).collect();
        let mut page = listing.window.cut(rows);
        if listing.with_total {
            page.total = Some(matching.count(reading.tx()).await? as i64);
        }
        reading.end("participant_merge", &listing.fields, women, page).await
    }

    /// Merges by id.
    pub(in crate::store) async fn merges_by_id(
        &self,
        ids: &[Uuid],
        fields: &[String],
    ) -> Result<HashMap<Uuid, Found>> {
        self.require(Right::ParticipantMerge)?;
        let reading = self.reading().await?;
        let rows = self
            .select::<participant_merge::Entity>()
            .filter(among(participant_merge::Column::Id, ids.iter().copied()))
            .all(reading.tx())
            .await?;
        let women: Vec<Uuid> = rows.iter().flat_map(|row| [row.kept_id, row.merged_id]).collect();
        let mut found: HashMap<Uuid, Found> = ids.iter().map(|id| (*id, Found::Merge(None))).collect();
        found.extend(rows.into_iter().map(|row| (row.id, Found::Merge(Some(Box::new(row))))));
        reading.end("participant_merge", fields, women, found).await
    }

    /// Where a merge stands in the list.
    pub fn merge_place(row: &participant_merge::Model) -> Place {
        Place { key: Key::Moment(row.proposed_at), id: row.id }
    }
}
