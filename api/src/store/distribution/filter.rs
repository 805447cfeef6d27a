//! Which deliveries are asked for.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    distribution::{self, Column},
    distribution_line,
    value::DistributionStatus,
};
use sea_orm::{
    ColumnTrait, Condition, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait},
};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    id,
    store::{Access, nothing},
};

/// A span of days, both included.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
pub struct DateRange {
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

/// From a moment, included, to a moment, excluded.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
pub struct DateTimeRange {
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
}

/// Lists narrow the result to any of their members; an empty list matches nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    #[serde(deserialize_with = "id::list::<_, {id::ORGANIZATION}>")]
    pub organization: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::FACILITY}>")]
    pub facility: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::PROGRAM}>")]
    pub program: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::ITEM}>")]
    pub item: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::KIT}>")]
    pub kit: Option<Vec<Uuid>>,
    pub region: Option<Vec<String>>,
    pub status: Option<Vec<DistributionStatus>>,
    pub occurred_on: Option<DateRange>,
    pub recorded_at: Option<DateTimeRange>,
}

impl Access {
    /// The rows that a filter asks for.
    pub(in crate::store) fn matching(&self, filter: &Filter) -> Condition {
        let mut rows = Condition::all();
        if let Some(ids) = &filter.organization {
            rows = rows.add(among(Column::OrganizationId, ids.iter().copied()));
        }
        if let Some(ids) = &filter.facility {
            rows = rows.add(among(Column::FacilityId, ids.iter().copied()));
        }
        if let Some(isos) = &filter.region {
            let there =
                self.catalog.facilities.iter().filter(|facility| isos.contains(&facility.row.region_iso));
            rows = rows.add(among(Column::FacilityId, there.map(|facility| facility.row.id)));
        }
        if let Some(ids) = &filter.program {
            rows = rows.add(among(Column::ProgramId, ids.iter().copied()));
        }
        if let Some(statuses) = &filter.status {
            rows = rows.add(Column::Status.is_in(statuses.iter().copied()));
        }
        if let Some(days) = filter.occurred_on {
            if let Some(from) = days.from {
                rows = rows.add(Column::OccurredOn.gte(from));
            }
            if let Some(to) = days.to {
                rows = rows.add(Column::OccurredOn.lte(to));
            }
        }
        if let Some(moments) = filter.recorded_at {
            if let Some(from) = moments.from {
                rows = rows.add(Column::RecordedAt.gte(from));
            }
            if let Some(to) = moments.to {
                rows = rows.add(Column::RecordedAt.lt(to));
            }
        }
        if let Some(items) = &filter.item {
            rows = rows.add(self.with_line(self.holding_any(items)));
        }
        if let Some(kits) = &filter.kit {
            rows = rows.add(self.with_line(among(distribution_line::Column::KitId, kits.iter().copied())));
        }
        rows
    }

    /// Deliveries that have such a line which the viewer may see.
    fn with_line(&self, line: Condition) -> Expr {
        use distribution_line::Column as Of;
        let lines = self
            .select::<distribution_line::Entity>()
            .filter(line)
            .filter(
                Expr::col((distribution_line::Entity, Of::OrganizationId))
                    .equals((distribution::Entity, Column::OrganizationId)),
            )
            .filter(
                Expr::col((distribution_line::Entity, Of::DistributionId))
                    .equals((distribution::Entity, Column::Id)),
            )
            .select_only()
            .expr(Expr::cust("1"))
            .into_query();
        Expr::exists(lines)
    }

    /// Lines of an item, or of a kit version that holds it.
    pub(in crate::store) fn holding_any(&self, items: &[Uuid]) -> Condition {
        use distribution_line::Column as Of;
        let mut lines = Condition::any().add(among(Of::ItemId, items.iter().copied()));
        for kit in self.catalog.kits.iter() {
            for version in &kit.versions {
                if version.lines.iter().any(|line| items.contains(&line.item_id)) {
                    lines = lines.add(
                        Condition::all().add(Of::KitId.eq(kit.row.id)).add(Of::KitVersion.eq(version.number)),
                    );
                }
            }
        }
        lines
    }
}

/// A column among ids.
pub(in crate::store) fn among<C: ColumnTrait>(column: C, ids: impl IntoIterator<Item = Uuid>) -> Condition {
    among_expr(Expr::col((column.entity_name(), column)), ids)
}

/// As [`among`]. The list is padded to a power of two, so that few statements have to be prepared.
pub(in crate::store) fn among_expr(column: Expr, ids: impl IntoIterator<Item = Uuid>) -> Condition {
    let mut ids: Vec<Uuid> = ids.into_iter().collect();
    let Some(last) = ids.last().copied() else { return nothing() };
    ids.resize(ids.len().next_power_of_two(), last);
    Condition::all().add(if ids.len() == 1 { column.eq(last) } else { column.is_in(ids) })
}
