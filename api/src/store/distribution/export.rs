//! Deliveries for a file: page after page in the order in which they were recorded, which never changes.

use std::collections::HashMap;

use entity::{distribution, distribution_line};
use sea_orm::{ConnectionTrait, DbBackend, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Access, Column, Filter, Line, Listing, OrderBy, OrderField, Row, distribution_line::Column as Of, place,
};
use crate::{
    auth::{Right, Viewer},
    error::{Error, Result},
    store::{
        export::Told,
        keyset::{Direction, Place, Window},
    },
};

/// How many deliveries are in memory at once.
pub const AT_ONCE: usize = 500;

/// The moment of recording and the id never change: whatever is corrected meanwhile comes once, as it is when its
/// page is read, and what is recorded meanwhile comes last.
const ORDER: OrderBy = OrderBy { field: OrderField::RecordedAt, direction: Direction::Ascending };

/// An export whose audit row is written. There is no other way to its pages.
pub struct Begun {
    viewer: Viewer,
    filter: Filter,
}

/// A delivery with what a file says of it.
#[derive(Clone, Debug)]
pub struct Exported {
    pub row: Row,
    /// For staff; not fetched for others.
    pub import_key: Option<String>,
    pub lines: Vec<ExportedLine>,
}

/// A line with what a file says of it.
#[derive(Clone, Debug)]
pub struct ExportedLine {
    pub goods: Line,
    /// For staff; not fetched for others.
    pub people_reached: Option<i32>,
}

impl Access {
    /// Begins an export: writes who takes what, and how many deliveries it is about to give, before anything is given.
    ///
    /// # Errors
    /// `NotPermitted` without the right to export deliveries.
    pub async fn begin_export(&self, filter: Filter, format: &str, asked: Value) -> Result<Begun> {
        self.require(Right::DistributionExport)?;
        self.require(Right::DistributionRead)?;
        let rows = self.totals(&filter, None).await?.into_values().sum();
        self.audit_export(Told { what: "distribution", format, filter: asked, rows }).await?;
        Ok(Begun { viewer: self.viewer.clone(), filter })
    }

    /// The deliveries after a place, at most [`AT_ONCE`], and the place after them; none when these are the last.
    ///
    /// # Errors
    /// `NotPermitted` when the viewer is not who began the export, or has lost the right meanwhile.
    pub async fn export_page(
        &self,
        begun: &Begun,
        after: Option<Place>,
    ) -> Result<(Vec<Exported>, Option<Place>)> {
        self.require(Right::DistributionExport)?;
        if !self.viewer.is_same_member(&begun.viewer) {
            return Err(Error::NotPermitted);
        }
        let window = Window { size: AT_ONCE, backwards: false, after, before: None };
        let listing = Listing {
            filter: begun.filter.clone(),
            order: ORDER,
            window,
            with_lines: true,
            with_total: false,
        };
        let mut rows = self.exported_rows(&listing).await?;
        let more = rows.len() > AT_ONCE;
        rows.truncate(AT_ONCE);
        let next = rows.last().filter(|_| more).map(|(row, _)| place(row, ORDER.field));
        let mut lines = self.exported_lines(&rows).await?;
        let rows = rows
            .into_iter()
            .map(|(row, import_key)| Exported {
                lines: lines.remove(&row.id).unwrap_or_default(),
                row,
                import_key,
            })
            .collect();
        Ok((rows, next))
    }

    async fn exported_rows(&self, listing: &Listing) -> Result<Vec<(Row, Option<String>)>> {
        let outside = self.is_outside();
        let order = self.sql_order(listing.order);
        let select = self
            .select::<distribution::Entity>()
            .filter(self.matching(&listing.filter))
            .filter(order.between(&listing.window));
        let mut select = self.columns(select);
        if !outside {
            select = select.column(Column::ImportKey);
        }
        let mut statement = select.into_query();
        if self.backend() == DbBackend::Postgres {
            statement = self.in_each_scope(statement, &order, listing, None);
        }
        order.sort(&mut statement, listing.window.backwards);
        statement.limit(listing.window.size as u64 + 1);
        let rows = self.fetch(&statement).await?;
        let read = rows.iter().map(|row| {
            let key = if outside { None } else { row.try_get_by_index(Row::width(outside))? };
            Ok((Row::read(row, outside)?, key))
        });
        Ok(read.collect::<Result<_, sea_orm::DbErr>>()?)
    }

    async fn exported_lines(
        &self,
        rows: &[(Row, Option<String>)],
    ) -> Result<HashMap<Uuid, Vec<ExportedLine>>> {
        let outside = self.is_outside();
        let mut organizations: Vec<Uuid> = rows.iter().map(|(row, _)| row.organization_id).collect();
        organizations.sort_unstable();
        organizations.dedup();
        let mut lines: HashMap<Uuid, Vec<ExportedLine>> = HashMap::new();
        if organizations.is_empty() {
            return Ok(lines);
        }
        let mut select = self
            .select::<distribution_line::Entity>()
            .filter(self.any_of(Of::OrganizationId, organizations))
            .filter(self.any_of(Of::DistributionId, rows.iter().map(|(row, _)| row.id)))
            .select_only()
            .column(Of::DistributionId)
            .columns(Line::COLUMNS);
        if !outside {
            select = select.column(Of::PeopleReached);
        }
        let select = select
            .order_by_asc(Of::OrganizationId)
            .order_by_asc(Of::DistributionId)
            .order_by_asc(Of::Position);
        for row in self.reader().query_all(&select.into_query()).await? {
            let Some(goods) = Line::read(&row, 1)? else { continue };
            let people_reached = if outside { None } else { row.try_get_by_index(1 + Line::COLUMNS.len())? };
            let of = lines.entry(row.try_get_by_index(0)?).or_default();
            of.push(ExportedLine { goods, people_reached });
        }
        Ok(lines)
    }
}
