//! What staff read of runs and pay-outs.

use std::collections::HashMap;

use entity::{payout, payout_part, payout_run, sale, value::PayoutRunStatus};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Alias, ExprTrait},
};
use uuid::Uuid;

use crate::{
    error::Result,
    store::{Access, distribution::among},
};

/// A run with its sums.
#[derive(Clone, Debug)]
pub struct Run {
    pub row: payout_run::Model,
    pub gross: i64,
    pub deductions: i64,
    pub net: i64,
    pub women: i64,
    pub acknowledged: i64,
    /// The sum of the sales that are marked as its own.
    pub sales: i64,
}

impl Run {
    /// Whether every minor unit that was sold is accounted for. A run that was voided has given its sales back.
    pub fn reconciles(&self) -> bool {
        let row = &self.row;
        self.gross == self.net + self.deductions
            && self.gross + row.remainder_minor == row.sold_minor
            && (row.status == PayoutRunStatus::Voided || self.sales == row.sold_minor)
    }
}

/// A pay-out with what was taken off.
#[derive(Clone, Debug)]
pub struct Payout {
    pub row: payout::Model,
    pub currency: String,
    pub parts: Vec<payout_part::Model>,
    pub code: String,
}

#[derive(FromQueryResult)]
struct Sums {
    run_id: Uuid,
    women: i64,
    acknowledged: i64,
    gross: i64,
    net: i64,
}

#[derive(FromQueryResult)]
struct Sum {
    run_id: Uuid,
    sum: i64,
}

impl Access {
    /// Runs with their sums, in three statements more. The sums are of all women of a run.
    #[expect(clippy::disallowed_methods, reason = "sums over runs that the viewer has been shown")]
    pub(in crate::store) async fn with_sums(
        &self,
        db: &impl ConnectionTrait,
        rows: Vec<payout_run::Model>,
    ) -> Result<Vec<Run>> {
        let Some(own) = rows.first().map(|row| row.organization_id) else { return Ok(Vec::new()) };
        let ids = || rows.iter().map(|row| row.id);
        let whole = || Alias::new("BIGINT");
        let sums: Vec<Sums> = payout::Entity::find()
            .filter(payout::Column::OrganizationId.eq(own))
            .filter(among(payout::Column::RunId, ids()))
            .select_only()
            .column(payout::Column::RunId)
            .column_as(payout::Column::Id.count(), "women")
            .column_as(payout::Column::AcknowledgedOn.count(), "acknowledged")
            .column_as(payout::Column::GrossMinor.sum().cast_as(whole()), "gross")
            .column_as(payout::Column::NetMinor.sum().cast_as(whole()), "net")
            .group_by(payout::Column::RunId)
            .into_model()
            .all(db)
            .await?;
        let parts: Vec<Sum> = payout_part::Entity::find()
            .join(
                JoinType::InnerJoin,
                payout_part::Entity::belongs_to(payout::Entity)
                    .from((payout_part::Column::OrganizationId, payout_part::Column::PayoutId))
                    .to((payout::Column::OrganizationId, payout::Column::Id))
                    .into(),
            )
            .filter(payout_part::Column::OrganizationId.eq(own))
            .filter(among(payout::Column::RunId, ids()))
            .select_only()
            .column(payout::Column::RunId)
            .column_as(payout_part::Column::AmountMinor.sum().cast_as(whole()), "sum")
            .group_by(payout::Column::RunId)
            .into_model()
            .all(db)
            .await?;
        let sales: Vec<Sum> = sale::Entity::find()
            .filter(sale::Column::OrganizationId.eq(own))
            .filter(among(sale::Column::PayoutRunId, ids()))
            .select_only()
            .column_as(sale::Column::PayoutRunId, "run_id")
            .column_as(sale::Column::GrossMinor.sum().cast_as(whole()), "sum")
            .group_by(sale::Column::PayoutRunId)
            .into_model()
            .all(db)
            .await?;
        let of = |sums: &[Sum], run| sums.iter().find(|one| one.run_id == run).map_or(0, |one| one.sum);
        let run = |row: payout_run::Model| {
            let paid = sums.iter().find(|one| one.run_id == row.id);
            Run {
                gross: paid.map_or(0, |one| one.gross),
                net: paid.map_or(0, |one| one.net),
                women: paid.map_or(0, |one| one.women),
                acknowledged: paid.map_or(0, |one| one.acknowledged),
                deductions: of(&parts, row.id),
                sales: of(&sales, row.id),
                row,
            }
        };
        Ok(rows.into_iter().map(run).collect())
    }

    /// Pay-outs with what was taken off, in two statements more.
    pub(in crate::store) async fn with_parts(
        &self,
        db: &impl ConnectionTrait,
        rows: Vec<payout::Model>,
        codes: &HashMap<Uuid, String>,
    ) -> Result<Vec<Payout>> {
        use payout_part::Column::{PayoutId, Position};
        let parts = self
            .select::<payout_part::Entity>()
            .filter(among(PayoutId, rows.iter().map(|row| row.id)))
            .order_by_asc(PayoutId)
            .order_by_asc(Position)
            .all(db)
            .await?;
        let runs = self
            .select::<payout_run::Entity>()
            .filter(among(payout_run::Column::Id, rows.iter().map(|row| row.run_id)))
            .all(db)
            .await?;
        let payout = |row: payout::Model| Payout {
            currency: runs
                .iter()
                .find(|run| run.id == row.run_id)
                .map(|run| run.currency.clone())
                .unwrap_or_default(),
            parts: parts.iter().filter(|part| part.payout_id == row.id).cloned().collect(),
            code: codes.get(&row.participant_id).cloned().unwrap_or_default(),
            row,
        };
        Ok(rows.into_iter().map(payout).collect())
    }
}
