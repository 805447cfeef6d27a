//! Pages by keyset: where a page starts is the sort key and the id of a row, so that rows that come and go
//! meanwhile neither repeat nor hide one.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    Condition, EntityTrait, QueryFilter, QuerySelect, Select,
    sea_query::{Expr, ExprTrait, NullOrdering, Order, SelectStatement, WindowStatement},
};
use uuid::Uuid;

use crate::error::{Error, Result};

/// The most rows of a page.
pub const MOST: usize = 100;

/// The value that a row is sorted by. Rows without one come last in either direction.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Key {
    Int(i64),
    Text(String),
    Day(NaiveDate),
    Moment(DateTime<Utc>),
    Null,
}

/// A place between rows of a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    pub key: Key,
    pub id: Uuid,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    Ascending,
    Descending,
}

/// Which part of a list is asked for.
#[derive(Clone, Debug)]
pub struct Window {
    /// At most [`MOST`].
    pub size: usize,
    /// From the end of the list backwards.
    pub backwards: bool,
    pub after: Option<Place>,
    pub before: Option<Place>,
}

/// Part of a list, and whether there is more on either side of it.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub has_next: bool,
    pub has_previous: bool,
    /// How many rows the whole list has; computed only when asked for.
    pub total: Option<i64>,
}

impl Window {
    /// # Errors
    /// `Invalid` unless exactly one of `first` and `last` is given, within its bounds.
    pub fn new(
        first: Option<i64>,
        after: Option<Place>,
        last: Option<i64>,
        before: Option<Place>,
    ) -> Result<Self> {
        let (size, backwards) = match (first, last) {
            (Some(size), None) => (size, false),
            (None, Some(size)) => (size, true),
            (None, None) => {
                return Err(Error::invalid("Give first or last: how many rows the page should have."));
            }
            (Some(_), Some(_)) => return Err(Error::invalid("Give first or last, not both.")),
        };
        match usize::try_from(size) {
            Ok(size) if size <= MOST => Ok(Self { size, backwards, after, before }),
            _ => Err(Error::invalid("first and last are from 0 to 100.")),
        }
    }

    /// Cuts one row more than the page from rows that were read in the direction of the window.
    pub fn cut<T>(&self, mut rows: Vec<T>) -> Page<T> {
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        let (has_next, has_previous) = if self.backwards {
            rows.reverse();
            (self.before.is_some(), more)
        } else {
            (more, self.after.is_some())
        };
        Page { rows, has_next, has_previous, total: None }
    }
}

/// An order over SQL rows: by an expression, then by id in the same direction.
pub struct SqlOrder {
    pub key: Expr,
    pub id: Expr,
    pub nullable: bool,
    pub direction: Direction,
}

impl SqlOrder {
    /// The rows of a page, in the direction that the window reads, and one more: see [`Window::cut`].
    pub fn page<E: EntityTrait>(&self, rows: Select<E>, window: &Window) -> Select<E> {
        let mut rows = rows.filter(self.between(window)).limit(window.size as u64 + 1);
        self.sort(QuerySelect::query(&mut rows), window.backwards);
        rows
    }

    /// Sorts a statement in the direction that the window reads.
    pub fn sort(&self, statement: &mut SelectStatement, backwards: bool) {
        let order = match (self.direction, backwards) {
            (Direction::Ascending, false) | (Direction::Descending, true) => Order::Asc,
            (Direction::Descending, false) | (Direction::Ascending, true) => Order::Desc,
        };
        if self.nullable {
            let nulls = if backwards { NullOrdering::First } else { NullOrdering::Last };
            statement.order_by_expr_with_nulls(self.key.clone(), order.clone(), nulls);
        } else {
            statement.order_by_expr(self.key.clone(), order.clone());
        }
        statement.order_by_expr(self.id.clone(), order);
    }

    /// Sorts the rows of each partition in the direction that the window reads.
    pub fn sort_each(&self, partition: &mut WindowStatement, backwards: bool) {
        let direction =
            if (self.direction == Direction::Ascending) == backwards { Order::Desc } else { Order::Asc };
        if self.nullable {
            let nulls = if backwards { Order::Desc } else { Order::Asc };
            partition.order_by_expr(self.key.clone().is_null(), nulls);
        }
        partition.order_by_expr(self.key.clone(), direction.clone());
        partition.order_by_expr(self.id.clone(), direction);
    }

    /// The rows between the window's ends.
    pub fn between(&self, window: &Window) -> Condition {
        let mut condition = Condition::all();
        if let Some(place) = &window.after {
            condition = condition.add(self.beyond(place, true));
        }
        if let Some(place) = &window.before {
            condition = condition.add(self.beyond(place, false));
        }
        condition
    }

    /// The rows after (or before) a place in the list's own order.
    fn beyond(&self, place: &Place, after: bool) -> Condition {
        let greater = (self.direction == Direction::Ascending) == after;
        let id = Expr::val(place.id);
        let id_beyond = if greater { self.id.clone().gt(id.clone()) } else { self.id.clone().lt(id.clone()) };
        let Some(key) = value(&place.key) else {
            // The place is among the rows without a value, which are last.
            let among = Condition::all().add(self.key.clone().is_null()).add(id_beyond);
            return if after {
                among
            } else {
                Condition::any().add(self.key.clone().is_not_null()).add(among)
            };
        };
        if !self.nullable {
            let row = Expr::tuple([self.key.clone(), self.id.clone()]);
            let there = Expr::tuple([key, id]);
            return Condition::all().add(if greater { row.gt(there) } else { row.lt(there) });
        }
        let key_beyond =
            if greater { self.key.clone().gt(key.clone()) } else { self.key.clone().lt(key.clone()) };
        let mut beyond = Condition::any()
            .add(key_beyond)
            .add(Condition::all().add(self.key.clone().eq(key)).add(id_beyond));
        if after {
            beyond = beyond.add(self.key.clone().is_null());
        }
        beyond
    }
}

fn value(key: &Key) -> Option<Expr> {
    Some(match key {
        Key::Int(value) => Expr::val(*value),
        Key::Text(value) => Expr::val(value.clone()),
        Key::Day(value) => Expr::val(*value),
        Key::Moment(value) => Expr::val(*value),
        Key::Null => return None,
    })
}

/// A page of a list that is in memory.
pub fn page_in_memory<T>(
    rows: impl Iterator<Item = T>,
    place_of: impl Fn(&T) -> Place,
    direction: Direction,
    window: &Window,
) -> Page<T> {
    let mut rows: Vec<(Place, T)> = rows.map(|row| (place_of(&row), row)).collect();
    let total = rows.len() as i64;
    rows.sort_by(|(a, _), (b, _)| compare(a, b, direction));
    rows.retain(|(place, _)| {
        window.after.as_ref().is_none_or(|after| compare(place, after, direction).is_gt())
            && window.before.as_ref().is_none_or(|before| compare(place, before, direction).is_lt())
    });
    if window.backwards {
        rows.reverse();
    }
    let mut page = window.cut(rows.into_iter().take(window.size + 1).map(|(_, row)| row).collect());
    page.total = Some(total);
    page
}

fn compare(a: &Place, b: &Place, direction: Direction) -> std::cmp::Ordering {
    let by_key = match (&a.key, &b.key) {
        (Key::Null, Key::Null) => std::cmp::Ordering::Equal,
        (Key::Null, _) => return std::cmp::Ordering::Greater,
        (_, Key::Null) => return std::cmp::Ordering::Less,
        (a, b) => a.cmp(b),
    };
    let order = by_key.then_with(|| a.id.cmp(&b.id));
    if direction == Direction::Ascending { order } else { order.reverse() }
}
