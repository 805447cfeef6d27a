//! A delivery as its viewer may see it, and how it is read from a row of the database.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    distribution::Column,
    distribution_line,
    value::{DistributionStatus, ReachMethod, RowClass, VoidReason},
};
use sea_orm::{DbErr, QueryResult};
use uuid::Uuid;

/// A delivery as its viewer may see it. Its fields stand in the order of [`Access::columns`].
#[derive(Clone, Debug)]
pub struct Row {
    pub organization_id: Uuid,
    pub id: Uuid,
    pub facility_id: Uuid,
    pub program_id: Uuid,
    pub occurred_on: NaiveDate,
    pub recorded_at: DateTime<Utc>,
    pub status: DistributionStatus,
    pub people_reached: Option<i32>,
    pub reach_method: ReachMethod,
    pub voided_at: Option<DateTime<Utc>>,
    pub void_reason: Option<VoidReason>,
    /// For staff; not fetched for others.
    pub inside: Option<Inside>,
}

/// What only staff learn of a delivery. Its fields stand in the order of [`Inside::COLUMNS`], and after them the number
/// of women as it is kept.
#[derive(Clone, Debug)]
pub struct Inside {
    pub void_note: Option<String>,
    pub version: i32,
    pub class: RowClass,
    pub client_id: Option<Uuid>,
    pub form_number: Option<String>,
    pub recorded_by: Option<Uuid>,
    /// Women that it is meant for; none once it has taken place.
    pub people_expected: Option<i32>,
}

/// What was handed over. Its fields stand in the order of [`Line::COLUMNS`].
#[derive(Clone, Debug)]
pub struct Line {
    pub quantity: i32,
    pub item_id: Option<Uuid>,
    pub kit_id: Option<Uuid>,
    pub kit_version: Option<i32>,
}

/// A delivery with its lines, which are there only when they were asked for.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub row: Row,
    pub lines: Vec<Line>,
}

/// Columns are read by their place: by name each would be looked up in each row.
impl Row {
    /// Where the version of the reference tables stands.
    pub(super) const VERSION: usize = 0;
    pub(super) const ID: usize = 2;
    /// Where those columns begin that only staff read.
    const INSIDE: usize = 12;

    /// How many columns there are.
    pub(super) fn width(outside: bool) -> usize {
        if outside { Self::INSIDE } else { Self::INSIDE + Inside::COLUMNS.len() + 1 }
    }

    pub(super) fn read(row: &QueryResult, outside: bool) -> Result<Self, DbErr> {
        let mut read = Self {
            organization_id: row.try_get_by_index(1)?,
            id: row.try_get_by_index(Self::ID)?,
            facility_id: row.try_get_by_index(3)?,
            program_id: row.try_get_by_index(4)?,
            occurred_on: row.try_get_by_index(5)?,
            recorded_at: row.try_get_by_index(6)?,
            status: row.try_get_by_index(7)?,
            people_reached: row.try_get_by_index(8)?,
            reach_method: row.try_get_by_index(9)?,
            voided_at: row.try_get_by_index(10)?,
            void_reason: row.try_get_by_index(11)?,
            inside: if outside { None } else { Some(Inside::read(row, Self::INSIDE)?) },
        };
        if let Some(inside) = &mut read.inside
            && read.people_reached.is_some()
        {
            inside.people_expected = None;
        }
        Ok(read)
    }
}

impl Inside {
    pub(super) const COLUMNS: [Column; 6] = [
        Column::VoidNote,
        Column::Version,
        Column::Class,
        Column::ClientId,
        Column::FormNumber,
        Column::RecordedBy,
    ];

    pub(super) fn read(row: &QueryResult, from: usize) -> Result<Self, DbErr> {
        Ok(Self {
            void_note: row.try_get_by_index(from)?,
            version: row.try_get_by_index(from + 1)?,
            class: row.try_get_by_index(from + 2)?,
            client_id: row.try_get_by_index(from + 3)?,
            form_number: row.try_get_by_index(from + 4)?,
            recorded_by: row.try_get_by_index(from + 5)?,
            people_expected: row.try_get_by_index(from + 6)?,
        })
    }
}

impl Line {
    pub(super) const COLUMNS: [distribution_line::Column; 4] = [
        distribution_line::Column::Quantity,
        distribution_line::Column::ItemId,
        distribution_line::Column::KitId,
        distribution_line::Column::KitVersion,
    ];

    /// The line whose columns begin at a place; none where a delivery was joined to no line.
    pub(super) fn read(row: &QueryResult, from: usize) -> Result<Option<Self>, DbErr> {
        let Some(quantity) = row.try_get_by_index(from)? else { return Ok(None) };
        Ok(Some(Self {
            quantity,
            item_id: row.try_get_by_index(from + 1)?,
            kit_id: row.try_get_by_index(from + 2)?,
            kit_version: row.try_get_by_index(from + 3)?,
        }))
    }
}
