//! What transfers have sent and nobody has accounted for yet.

use entity::{stock_lot, stock_movement, value::StockMovementKind};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::transfer::{left, legs};
use crate::{
    error::Result,
    store::{Access, write::Write},
};

impl Access {
    /// The transfers with this number of a form that are not undone.
    pub(in crate::store) async fn transfers_of_form(
        &self,
        write: &Write<'_>,
        number: &str,
    ) -> Result<Vec<stock_movement::Model>> {
        use stock_movement::Column::{FormNumber, Id, Kind, OrganizationId, ReversesId};
        let undone = self
            .select::<stock_movement::Entity>()
            .filter(OrganizationId.eq(self.own()?))
            .filter(ReversesId.is_not_null())
            .select_only()
            .column(ReversesId);
        Ok(self
            .select::<stock_movement::Entity>()
            .filter(OrganizationId.eq(self.own()?))
            .filter(FormNumber.eq(number))
            .filter(Kind.eq(StockMovementKind::Transfer))
            .filter(ReversesId.is_null())
            .filter(Id.not_in_subquery(undone.into_query()))
            .all(&write.tx)
            .await?)
    }

    /// The lots of a transfer, and how much of each is on its way still.
    pub(in crate::store) async fn on_the_way(
        &self,
        write: &Write<'_>,
        transfer: Uuid,
    ) -> Result<Vec<(stock_lot::Model, i64)>> {
        let sent = self.entries_of(write, [transfer]).await?;
        let Some((_, via)) = legs(&sent) else { return Ok(Vec::new()) };
        let followers = self.followers(write, transfer).await?;
        let arrived = self.entries_of(write, followers).await?;
        let left = left(via, sent.iter().chain(&arrived));
        let lots = self.lots_in(write, left.keys().copied()).await?;
        let with_rest = |lot: stock_lot::Model| {
            let rest = left.get(&lot.id).copied().unwrap_or_default();
            (lot, rest)
        };
        Ok(lots.into_values().map(with_rest).collect())
    }
}
