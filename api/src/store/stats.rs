//! Grouped totals of deliveries.
//!
//! The database groups by what rows hold (organisation, facility, program, item, kit and its version, month).
//! Regions, quarters and years are sums of these, since a delivery belongs to one facility and one month; kits are
//! taken apart into items here, by the contents that are in memory.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Months, NaiveDate};
use entity::{
    distribution::{self, Column},
    distribution_line, kit_line,
    value::DistributionStatus,
};
use sea_orm::{
    ActiveEnum, Condition, ConnectionTrait, DbBackend, FromQueryResult, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, ExprTrait, Func, JoinType, SelectStatement, SimpleExpr},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Access,
    distribution::{Filter, among, among_expr},
    stock::Goods,
};
use crate::{
    auth::Right,
    error::{Error, Result},
};

/// The most rows that can be asked for.
pub const MOST_ROWS: usize = 1_000;
/// The most periods that are filled in.
const MOST_PERIODS: usize = 600;
/// The most rows that there may be, shown or not.
const MOST_FILLED: usize = 20_000;

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Dimension {
    Organization,
    Facility,
    Region,
    Program,
    Item,
    Kit,
    Month,
    Quarter,
    Year,
}

/// Which totals are asked for: what is not asked is not computed.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub deliveries: bool,
    pub units: bool,
    pub kits: bool,
    pub contacts: bool,
}

/// One group.
#[derive(Clone, Debug, Default)]
pub struct Group {
    pub organization: Option<Uuid>,
    pub facility: Option<Uuid>,
    pub region: Option<String>,
    pub program: Option<Uuid>,
    pub item: Option<Uuid>,
    pub kit: Option<Uuid>,
    /// The first and the last day.
    pub period: Option<(NaiveDate, NaiveDate)>,
    pub deliveries: i64,
    pub units: Option<i64>,
    pub kits: Option<i64>,
    pub contacts: Option<i64>,
}

pub struct Stats {
    pub rows: Vec<Group>,
    pub truncated: bool,
}

#[derive(Default, FromQueryResult)]
struct Found {
    organization: Option<Uuid>,
    facility: Option<Uuid>,
    program: Option<Uuid>,
    item: Option<Uuid>,
    kit: Option<Uuid>,
    month: Option<NaiveDate>,
    deliveries: Option<i64>,
    contacts: Option<i64>,
    kit_version: Option<i32>,
    quantity: Option<i64>,
}

/// Sums of one group while they are added up.
#[derive(Default)]
struct Sums {
    deliveries: i64,
    contacts: i64,
    units: i64,
    kits: i64,
    unit: Unit,
}

/// The unit of measure that a group's items have in common.
#[derive(Default, PartialEq)]
enum Unit {
    #[default]
    None,
    One(String),
    Several,
}

/// A group's key in the order of the dimensions, by what people sort by; then what it stands for.
type Key = Vec<(String, Member)>;

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Member {
    Row(Option<Uuid>),
    Region(String),
    Period(NaiveDate),
}

impl Access {
    /// Grouped totals over the delivered and verified rows that the viewer's list of deliveries has.
    ///
    /// # Errors
    /// `NotPermitted` when the role reads no deliveries; `Invalid` for dimensions that do not go together.
    pub async fn distribution_stats(
        &self,
        group_by: &[Dimension],
        filter: &Filter,
        first: usize,
        wanted: Wanted,
    ) -> Result<Stats> {
        self.require(Right::DistributionRead)?;
        check(group_by, first)?;
        let periods = periods(group_by, filter)?;
        let by_goods = group_by.iter().any(|dimension| matches!(dimension, Dimension::Item | Dimension::Kit));
        let mut sums: BTreeMap<Key, Sums> = BTreeMap::new();
        if by_goods || wanted.units || wanted.kits {
            for found in self.found(&self.lines_grouped(group_by, filter, by_goods)).await? {
                self.add_goods(group_by, filter, found, &mut sums);
            }
        }
        let deliveries = match by_goods {
            true if wanted.deliveries => Some(self.deliveries_of_goods(group_by, filter)),
            false if wanted.deliveries || wanted.contacts || !(wanted.units || wanted.kits) => {
                Some(self.rows_grouped(group_by, filter))
            }
            _ => None,
        };
        if let Some(statement) = deliveries {
            for found in self.found(&statement).await? {
                let sum = sums.entry(self.key(group_by, &found)).or_default();
                sum.deliveries += found.deliveries.unwrap_or(0);
                sum.contacts += found.contacts.unwrap_or(0);
            }
        }
        fill_in(group_by, &periods, &mut sums)?;
        let truncated = sums.len() > first;
        let by_item = group_by.contains(&Dimension::Item);
        let rows = sums
            .into_iter()
            .take(first)
            .map(|(key, sums)| {
                let mut group = named(group_by, key);
                group.deliveries = sums.deliveries;
                group.units = (sums.unit != Unit::Several).then_some(sums.units);
                group.kits = (!by_item).then_some(sums.kits);
                group.contacts = (!by_goods).then_some(sums.contacts);
                group
            })
            .collect();
        Ok(Stats { rows, truncated })
    }

    /// Deliveries and contacts.
    fn rows_grouped(&self, group_by: &[Dimension], filter: &Filter) -> SelectStatement {
        let mut statement = self.counted(filter);
        self.keys(&mut statement, group_by);
        statement.expr_as(Expr::col((distribution::Entity, Column::Id)).count(), Alias::new("deliveries"));
        let people = Func::cast_as(self.people_reached().sum(), Alias::new("bigint"));
        statement.expr_as(people, Alias::new("contacts"));
        without_goods(&mut statement);
        statement
    }

    /// What was handed over, by item, kit and kit version.
    fn lines_grouped(&self, group_by: &[Dimension], filter: &Filter, by_goods: bool) -> SelectStatement {
        use distribution_line::Column as Of;
        let line = |column: Of| Expr::col((distribution_line::Entity, column));
        let mut statement = self.counted(filter);
        let kind = if by_goods { JoinType::InnerJoin } else { JoinType::LeftJoin };
        self.join_lines(&mut statement, kind);
        of_kits(&mut statement, filter);
        if let Some(items) = &filter.item {
            statement.cond_where(self.holding_any(items));
        }
        if group_by.contains(&Dimension::Kit) && !group_by.contains(&Dimension::Item) {
            statement.and_where(line(Of::KitId).is_not_null());
        }
        self.keys(&mut statement, group_by);
        for (column, name) in [(Of::ItemId, "item"), (Of::KitId, "kit"), (Of::KitVersion, "kit_version")] {
            statement.expr_as(line(column), Alias::new(name));
            statement.add_group_by([line(column)]);
        }
        let quantity = Func::cast_as(line(Of::Quantity).sum(), Alias::new("bigint"));
        statement.expr_as(quantity, Alias::new("quantity"));
        statement.expr_as(Expr::cust("CAST(NULL AS bigint)"), Alias::new("deliveries"));
        statement.expr_as(Expr::cust("CAST(NULL AS bigint)"), Alias::new("contacts"));
        statement
    }

    /// How many deliveries had an item or a kit: one that had an item twice, alone and in a kit, counts once.
    fn deliveries_of_goods(&self, group_by: &[Dimension], filter: &Filter) -> SelectStatement {
        use distribution_line::Column as Of;
        let line = |column: Of| Expr::col((distribution_line::Entity, column));
        let inside = |column: kit_line::Column| Expr::col((kit_line::Entity, column));
        let mut statement = self.counted(filter);
        self.join_lines(&mut statement, JoinType::InnerJoin);
        of_kits(&mut statement, filter);
        statement.join(
            JoinType::LeftJoin,
            kit_line::Entity,
            Condition::all()
                .add(inside(kit_line::Column::KitId).equals((distribution_line::Entity, Of::KitId)))
                .add(inside(kit_line::Column::Number).equals((distribution_line::Entity, Of::KitVersion))),
        );
        let goods: SimpleExpr = Func::coalesce([line(Of::ItemId), inside(kit_line::Column::ItemId)]).into();
        if let Some(items) = &filter.item {
            statement.cond_where(among_expr(goods.clone(), items.iter().copied()));
        }
        self.keys(&mut statement, group_by);
        let (by_item, by_kit) = (group_by.contains(&Dimension::Item), group_by.contains(&Dimension::Kit));
        if by_kit && !by_item {
            statement.and_where(line(Of::KitId).is_not_null());
        }
        for (used, expr, name) in [(by_item, goods, "item"), (by_kit, line(Of::KitId), "kit")] {
            if used {
                statement.expr_as(expr.clone(), Alias::new(name));
                statement.add_group_by([expr]);
            } else {
                statement.expr_as(no_uuid(self.backend()), Alias::new(name));
            }
        }
        let deliveries = Func::count_distinct(Expr::col((distribution::Entity, Column::Id)));
        statement.expr_as(deliveries, Alias::new("deliveries"));
        statement.expr_as(Expr::cust("CAST(NULL AS bigint)"), Alias::new("contacts"));
        without_quantity(&mut statement);
        statement
    }

    /// The rows that count: delivered or verified, in the viewer's scope, as the filter asks.
    fn counted(&self, filter: &Filter) -> SelectStatement {
        let counts =
            [DistributionStatus::Delivered, DistributionStatus::Verified].map(|status| status.to_value());
        let mut statement = self.select::<distribution::Entity>().select_only().into_query();
        statement
            .cond_where(self.matching(filter))
            .and_where(Expr::col((distribution::Entity, Column::Status)).is_in(counts));
        statement
    }

    /// The columns that the database groups by.
    fn keys(&self, statement: &mut SelectStatement, group_by: &[Dimension]) {
        let column = |column: Column| Expr::col((distribution::Entity, column));
        let by = |wanted: &[Dimension]| group_by.iter().any(|dimension| wanted.contains(dimension));
        use Dimension::{Facility, Month, Organization, Program, Quarter, Region, Year};
        for (used, expr, name) in [
            (by(&[Organization]), column(Column::OrganizationId), "organization"),
            (by(&[Facility, Region]), column(Column::FacilityId), "facility"),
            (by(&[Program]), column(Column::ProgramId), "program"),
        ] {
            if used {
                statement.expr_as(expr.clone(), Alias::new(name));
                statement.add_group_by([expr]);
            } else {
                statement.expr_as(no_uuid(self.backend()), Alias::new(name));
            }
        }
        if by(&[Month, Quarter, Year]) {
            let month = match self.backend() {
                DbBackend::Postgres => {
                    "CAST(date_trunc('month', CAST(distribution.occurred_on AS timestamp)) AS date)"
                }
                _ => "date(distribution.occurred_on, 'start of month')",
            };
            statement.expr_as(Expr::cust(month), Alias::new("month"));
            statement.add_group_by([Expr::cust(month)]);
        } else {
            statement.expr_as(Expr::cust("CAST(NULL AS date)"), Alias::new("month"));
        }
    }

    async fn found(&self, statement: &SelectStatement) -> Result<Vec<Found>> {
        let rows = self.reader().query_all(statement).await?;
        Ok(rows.iter().map(|row| Found::from_query_result(row, "")).collect::<Result<_, _>>()?)
    }

    /// Adds units and kits, kits taken apart into the items that the filter asks for.
    fn add_goods(
        &self,
        group_by: &[Dimension],
        filter: &Filter,
        mut found: Found,
        sums: &mut BTreeMap<Key, Sums>,
    ) {
        let quantity = found.quantity.unwrap_or(0);
        if found.item.or(found.kit).is_none() {
            // A delivery without a line that the viewer may see: its group is there all the same.
            sums.entry(self.key(group_by, &found)).or_default();
            return;
        }
        let contents = self.catalog.contents(Goods::new(found.item, found.kit, found.kit_version));
        let by_item = group_by.contains(&Dimension::Item);
        let mut kits = if found.kit.is_some() { quantity } else { 0 };
        for (item, inside) in contents {
            if filter.item.as_ref().is_some_and(|items| !items.contains(&item)) {
                continue;
            }
            if by_item {
                found.item = Some(item);
            }
            let sum = sums.entry(self.key(group_by, &found)).or_default();
            sum.units += quantity * inside;
            // A kit counts once, however many of its items do.
            sum.kits += std::mem::take(&mut kits);
            if let Some(entry) = self.catalog.items.get(item) {
                sum.unit.add(&entry.row.unit);
            }
        }
    }

    fn key(&self, group_by: &[Dimension], found: &Found) -> Key {
        let catalog = &self.catalog;
        let row =
            |id: Option<Uuid>, name: Option<&str>| (name.unwrap_or_default().to_owned(), Member::Row(id));
        group_by
            .iter()
            .map(|dimension| match dimension {
                Dimension::Organization => {
                    let entry = found.organization.and_then(|id| catalog.organizations.get(id));
                    row(found.organization, entry.map(|entry| entry.row.slug.as_str()))
                }
                Dimension::Facility => {
                    let entry = found.facility.and_then(|id| catalog.facilities.get(id));
                    row(found.facility, entry.map(|entry| entry.row.slug.as_str()))
                }
                Dimension::Region => {
                    let entry = found.facility.and_then(|id| catalog.facilities.get(id));
                    let iso = entry.map_or_else(String::new, |entry| entry.row.region_iso.clone());
                    (iso.clone(), Member::Region(iso))
                }
                Dimension::Program => {
                    let entry = found.program.and_then(|id| catalog.programs.get(id));
                    row(found.program, entry.map(|entry| entry.row.slug.as_str()))
                }
                Dimension::Item => {
                    let entry = found.item.and_then(|id| catalog.items.get(id));
                    row(found.item, entry.map(|entry| entry.row.code.as_str()))
                }
                Dimension::Kit => {
                    let entry = found.kit.and_then(|id| catalog.kits.get(id));
                    row(found.kit, entry.map(|entry| entry.row.code.as_str()))
                }
                Dimension::Month | Dimension::Quarter | Dimension::Year => {
                    (String::new(), Member::Period(start_of(*dimension, found.month.unwrap_or_default())))
                }
            })
            .collect()
    }
}

impl Unit {
    fn add(&mut self, unit: &str) {
        match self {
            Self::None => *self = Self::One(unit.to_owned()),
            Self::One(before) if before == unit => {}
            _ => *self = Self::Several,
        }
    }
}

fn check(group_by: &[Dimension], first: usize) -> Result<()> {
    if !(1..=3).contains(&group_by.len()) {
        return Err(Error::invalid("Group by one to three dimensions."));
    }
    let twice = group_by.iter().enumerate().any(|(place, dimension)| group_by[..place].contains(dimension));
    if twice {
        return Err(Error::invalid("A dimension can be used once."));
    }
    if group_by.iter().filter(|dimension| is_period(**dimension)).count() > 1 {
        return Err(Error::invalid("Group by one of MONTH, QUARTER and YEAR."));
    }
    if !(1..=MOST_ROWS).contains(&first) {
        return Err(Error::invalid("first is from 1 to 1000."));
    }
    Ok(())
}

fn is_period(dimension: Dimension) -> bool {
    matches!(dimension, Dimension::Month | Dimension::Quarter | Dimension::Year)
}

/// The starts of all periods that the filter spans; none without a period dimension.
fn periods(group_by: &[Dimension], filter: &Filter) -> Result<Vec<NaiveDate>> {
    let Some(dimension) = group_by.iter().copied().find(|dimension| is_period(*dimension)) else {
        return Ok(Vec::new());
    };
    let days = filter.occurred_on.unwrap_or_default();
    let (Some(from), Some(to)) = (days.from, days.to) else {
        return Err(Error::invalid("A period needs both ends of filter.occurredOn."));
    };
    let mut periods = Vec::new();
    let mut start = start_of(dimension, from);
    while start <= to {
        periods.push(start);
        if periods.len() > MOST_PERIODS {
            return Err(Error::invalid("filter.occurredOn spans too many periods."));
        }
        match start.checked_add_months(Months::new(months_of(dimension))) {
            Some(next) => start = next,
            None => break,
        }
    }
    Ok(periods)
}

fn months_of(dimension: Dimension) -> u32 {
    match dimension {
        Dimension::Year => 12,
        Dimension::Quarter => 3,
        _ => 1,
    }
}

fn start_of(dimension: Dimension, day: NaiveDate) -> NaiveDate {
    let length = months_of(dimension);
    NaiveDate::from_ymd_opt(day.year(), day.month0() / length * length + 1, 1).unwrap_or(day)
}

/// Adds a row of zeros for every period in which a group had none.
///
/// # Errors
/// `Invalid` when there would be more rows than anybody can read.
fn fill_in(group_by: &[Dimension], periods: &[NaiveDate], sums: &mut BTreeMap<Key, Sums>) -> Result<()> {
    let Some(place) = group_by.iter().position(|dimension| is_period(*dimension)) else { return Ok(()) };
    let mut groups: BTreeSet<Key> = BTreeSet::new();
    for mut key in sums.keys().cloned() {
        key[place].1 = Member::Period(NaiveDate::default());
        groups.insert(key);
    }
    if groups.is_empty() && group_by.len() == 1 {
        groups.insert(vec![(String::new(), Member::Period(NaiveDate::default()))]);
    }
    if groups.len() * periods.len() > MOST_FILLED {
        return Err(Error::invalid(
            "There are too many groups and periods. Ask for a shorter time or fewer dimensions.",
        ));
    }
    for mut key in groups {
        for start in periods {
            key[place].1 = Member::Period(*start);
            sums.entry(key.clone()).or_default();
        }
    }
    Ok(())
}

fn named(group_by: &[Dimension], key: Key) -> Group {
    let mut group = Group::default();
    for (dimension, (_, member)) in group_by.iter().zip(key) {
        match (dimension, member) {
            (Dimension::Organization, Member::Row(id)) => group.organization = id,
            (Dimension::Facility, Member::Row(id)) => group.facility = id,
            (Dimension::Program, Member::Row(id)) => group.program = id,
            (Dimension::Item, Member::Row(id)) => group.item = id,
            (Dimension::Kit, Member::Row(id)) => group.kit = id,
            (Dimension::Region, Member::Region(iso)) => group.region = Some(iso),
            (dimension, Member::Period(start)) => {
                let next = start.checked_add_months(Months::new(months_of(*dimension)));
                let last = next.and_then(|next| next.pred_opt()).unwrap_or(start);
                group.period = Some((start, last));
            }
            _ => {}
        }
    }
    group
}

/// Keeps the lines of the kits that are asked for. A delivery that has none of them is not in the list either.
fn of_kits(statement: &mut SelectStatement, filter: &Filter) {
    if let Some(kits) = &filter.kit {
        statement.cond_where(among(distribution_line::Column::KitId, kits.iter().copied()));
    }
}

fn without_goods(statement: &mut SelectStatement) {
    for name in ["item", "kit"] {
        statement.expr_as(Expr::value(Option::<Uuid>::None), Alias::new(name));
    }
    without_quantity(statement);
}

fn without_quantity(statement: &mut SelectStatement) {
    for (name, kind) in [("kit_version", "integer"), ("quantity", "bigint")] {
        statement.expr_as(Expr::cust(format!("CAST(NULL AS {kind})")), Alias::new(name));
    }
}

/// A null in the place of an id.
fn no_uuid(backend: DbBackend) -> SimpleExpr {
    match backend {
        DbBackend::Postgres => Expr::cust("CAST(NULL AS uuid)"),
        _ => Expr::cust("NULL"),
    }
}
