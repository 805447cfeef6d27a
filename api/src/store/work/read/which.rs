//! Which rows of a kind are read, and the conditions that narrow them.

use chrono::{Days, NaiveDate, NaiveTime};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Alias, Expr, ExprTrait, OverStatement, Query, WindowStatement},
};
use uuid::Uuid;

use super::{Filter, Parent};
use crate::{
    error::{Error, Result},
    store::{
        distribution::{DateRange, among, among_expr},
        keyset::{Direction, SqlOrder, Window},
    },
};

/// Which rows of a kind are read.
pub(super) enum Which<'a> {
    Page(&'a Filter, &'a Window),
    /// The first rows below each of some others, and one more of each than a page has.
    Below(Parent, &'a [Uuid], &'a Filter, &'a Window),
    Ids(&'a [Uuid]),
    /// All attendance of some sessions.
    OfSessions(&'a [Uuid]),
}

/// The most rows that hang below others in one answer.
const MOST: u64 = 5_000;

impl Which<'_> {
    /// Reads rows of a table, the newest first: of a page and of each list below a row one more than is shown.
    pub(super) async fn read<E: EntityTrait>(
        &self,
        db: &impl ConnectionTrait,
        rows: Select<E>,
        key: E::Column,
        id: E::Column,
        narrow: impl FnOnce(&Filter) -> Condition,
    ) -> Result<Vec<E::Model>> {
        let column = |column: E::Column| Expr::col((column.entity_name(), column));
        let order =
            SqlOrder { key: column(key), id: column(id), nullable: false, direction: Direction::Descending };
        match self {
            Self::Ids(ids) => Ok(rows.filter(among(id, ids.iter().copied())).all(db).await?),
            Self::OfSessions(sessions) => {
                let filter = Filter { session: Some(sessions.to_vec()), ..Filter::default() };
                let rows = rows.filter(narrow(&filter)).limit(MOST + 1).all(db).await?;
                if rows.len() as u64 > MOST {
                    return Err(Error::invalid("There are too many rows. Ask for fewer sessions."));
                }
                Ok(rows)
            }
            Self::Below(parent, parents, filter, window) => {
                // A list below a woman names her.
                let hers = (*parent == Parent::Participant && filter.participant.is_none())
                    .then(|| Filter { participant: Some(parents.to_vec()), ..(*filter).clone() });
                let under = Expr::col((E::default(), Alias::new(parent.column())));
                let mut each = WindowStatement::new();
                each.add_partition_by(under.clone());
                order.sort_each(&mut each, window.backwards);
                let mut first = rows
                    .clone()
                    .filter(narrow(hers.as_ref().unwrap_or(filter)))
                    .filter(order.between(window))
                    .filter(among_expr(under, parents.iter().copied()))
                    .select_only()
                    .column(id)
                    .into_query();
                let place = Alias::new("place");
                first.expr_window_as(Expr::cust("row_number()"), each, place.clone());
                let first = Query::select()
                    .column(Alias::new("id"))
                    .from_subquery(first, Alias::new("first"))
                    .and_where(Expr::col(place).lte(window.size as u64 + 1))
                    .to_owned();
                Ok(rows.filter(column(id).in_subquery(first)).all(db).await?)
            }
            Self::Page(filter, window) => Ok(order.page(rows.filter(narrow(filter)), window).all(db).await?),
        }
    }
}

/// Rows whose column is among ids, when some are asked for.
pub(super) fn any_of<C: ColumnTrait>(column: C, ids: Option<&Vec<Uuid>>) -> Condition {
    ids.map_or_else(Condition::all, |ids| among(column, ids.iter().copied()))
}

pub(super) fn one_of<C: ColumnTrait>(column: C, names: Option<&Vec<String>>) -> Condition {
    match names {
        None => Condition::all(),
        Some(names) => Condition::all().add(Expr::col((column.entity_name(), column)).is_in(names.clone())),
    }
}

pub(super) fn on_days<C: ColumnTrait>(column: C, days: Option<DateRange>) -> Condition {
    let DateRange { from, to } = days.unwrap_or_default();
    let column = || Expr::col((column.entity_name(), column));
    Condition::all().add_option(from.map(|from| column().gte(from))).add_option(to.map(|to| column().lte(to)))
}

/// The same for a moment, by days in UTC.
pub(super) fn at_days<C: ColumnTrait>(column: C, days: Option<DateRange>) -> Condition {
    let DateRange { from, to } = days.unwrap_or_default();
    let column = || Expr::col((column.entity_name(), column));
    let start = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
    Condition::all()
        .add_option(from.map(|from| column().gte(start(from))))
        .add_option(to.map(|to| column().lt(start(to + Days::new(1)))))
}
