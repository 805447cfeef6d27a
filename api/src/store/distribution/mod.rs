//! Deliveries: who sees which, and in what order.

mod at_once;
mod check;
mod correct;
mod differences;
mod export;
mod filter;
mod recipient;
mod record;
mod row;
pub mod sync;

use std::collections::{HashMap, hash_map::Entry};

use entity::{
    distribution::{self, Column},
    distribution_line,
    value::{AgreementShare, DistributionStatus, RowClass},
};
use sea_orm::{
    ActiveEnum, ColumnTrait, Condition, ConnectionTrait, DbBackend, FromQueryResult, QueryFilter, QueryOrder,
    QueryResult, QuerySelect, QueryTrait,
    sea_query::{
        Alias, ArrayType, Asterisk, Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement, Value,
        WindowStatement, extension::postgres::PgFunc,
    },
};
use serde::Deserialize;
use uuid::Uuid;

pub use self::check::CheckedLine;
pub(in crate::store) use self::check::{MOST_OF_A_LINE, When, check_line_reach, check_people, shown_in};
pub use self::correct::{CorrectDistribution, VoidDistribution};
pub(in crate::store) use self::correct::{outside_face, traced_before};
pub use self::export::{AT_ONCE, Begun, Exported, ExportedLine};
pub use self::filter::{DateRange, DateTimeRange, Filter};
pub(in crate::store) use self::filter::{among, among_expr};
pub use self::record::{LineInput, RecordDistribution, Recorded, Supplied};
pub(in crate::store) use self::record::{check_no_lots, insert_lines, insert_row, line_rows, told};
pub use self::row::{Delivery, Inside, Line, Row};
use super::{
    Access, Scoped,
    class::THRESHOLD,
    keyset::{Direction, Key, Page, Place, SqlOrder, Window},
    nothing,
};
use crate::{auth::Right, error::Result, graphql::audience::Audience};

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderField {
    OccurredOn,
    RecordedAt,
    PeopleReached,
}

#[derive(Clone, Copy, Debug)]
pub struct OrderBy {
    pub field: OrderField,
    pub direction: Direction,
}

/// The entry that a nested list hangs on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Parent {
    Facility,
    Program,
}

/// What is asked of a list of deliveries.
pub struct Listing {
    pub filter: Filter,
    pub order: OrderBy,
    pub window: Window,
    pub with_lines: bool,
    pub with_total: bool,
}

/// The version of the reference tables, as the statement sees it.
const VERSION: &str = "(SELECT catalog_version.version FROM catalog_version WHERE catalog_version.id = 1)";

impl Scoped for distribution::Entity {
    fn visible_to(access: &Access) -> Condition {
        let viewer = &access.viewer;
        let Some(own) = viewer.organization() else { return nothing() };
        if !viewer.has(Right::DistributionRead) {
            return nothing();
        }
        let rows = match viewer.audience() {
            Audience::Staff => {
                let mut rows = Condition::all().add(Column::OrganizationId.eq(own));
                if let Some(facilities) = viewer.facilities() {
                    rows = rows.add(among(Column::FacilityId, facilities.iter().copied()));
                }
                rows
            }
            Audience::Partner => {
                let mut rows = Condition::any().add(Column::OrganizationId.eq(own));
                for agreement in access.catalog.agreements_of(own, access.now) {
                    if !agreement.row.shares.0.contains(&AgreementShare::Distributions) {
                        continue;
                    }
                    let mut shared = Condition::all()
                        .add(Column::OrganizationId.eq(agreement.row.organization_id))
                        .add(Column::OccurredOn.gte(agreement.row.starts_on));
                    if let Some(last) = agreement.row.ends_on {
                        shared = shared.add(Column::OccurredOn.lte(last));
                    }
                    if !agreement.row.all_facilities {
                        shared = shared.add(among(Column::FacilityId, agreement.facilities.iter().copied()));
                    }
                    if !agreement.row.all_programs {
                        shared = shared.add(among(Column::ProgramId, agreement.programs.iter().copied()));
                    }
                    rows = rows.add(shared);
                }
                Condition::all().add(Column::Class.eq(RowClass::Operations)).add(rows)
            }
            Audience::Public | Audience::Donor => nothing(),
        };
        rows.add(access.at_shown_facilities(Column::FacilityId))
    }
}

/// Lines are reached through their deliveries, whose scope is applied first.
impl Scoped for distribution_line::Entity {
    fn visible_to(access: &Access) -> Condition {
        use distribution_line::Column as Line;
        if access.is_outside() {
            Condition::all().add(Line::Class.eq(RowClass::Operations)).add(Line::Shown.eq(true))
        } else {
            Condition::all()
        }
    }
}

impl Access {
    /// One page of deliveries, or one page for each parent, in a constant number of statements.
    ///
    /// # Errors
    /// `NotPermitted` when the role reads no deliveries at all.
    pub async fn distributions(
        &self,
        listing: &Listing,
        parents: Option<(Parent, &[Uuid])>,
    ) -> Result<HashMap<Uuid, Page<Delivery>>> {
        self.require(Right::DistributionRead)?;
        let rows = self.rows(listing, parents).await?;
        let mut pages: HashMap<Uuid, Page<Row>> = match parents {
            None => HashMap::from([(Uuid::nil(), listing.window.cut(rows))]),
            Some((parent, ids)) => {
                let mut of: HashMap<Uuid, Vec<Row>> = ids.iter().map(|id| (*id, Vec::new())).collect();
                for row in rows {
                    if let Some(list) = of.get_mut(&parent.of(&row)) {
                        list.push(row);
                    }
                }
                of.into_iter().map(|(id, rows)| (id, listing.window.cut(rows))).collect()
            }
        };
        if listing.with_total {
            let totals = self.totals(&listing.filter, parents).await?;
            for (id, page) in &mut pages {
                page.total = Some(totals.get(id).copied().unwrap_or(0));
            }
        }
        let mut lines = if listing.with_lines {
            self.lines_of(pages.values().flat_map(|page| &page.rows)).await?
        } else {
            HashMap::new()
        };
        Ok(pages
            .into_iter()
            .map(|(id, page)| {
                let Page { rows, has_next, has_previous, total } = page;
                let rows = rows
                    .into_iter()
                    .map(|row| Delivery { lines: lines.remove(&row.id).unwrap_or_default(), row })
                    .collect();
                (id, Page { rows, has_next, has_previous, total })
            })
            .collect())
    }

    /// Deliveries by id; those that the viewer may not see are not there.
    pub async fn distributions_by_id(
        &self,
        ids: &[Uuid],
        with_lines: bool,
    ) -> Result<HashMap<Uuid, Delivery>> {
        if ids.is_empty() || !self.viewer.has(Right::DistributionRead) {
            return Ok(HashMap::new());
        }
        // The key leads with the organisation.
        let select = self
            .select::<distribution::Entity>()
            .filter(self.any_of(Column::OrganizationId, self.organizations_in_scope()))
            .filter(self.any_of(Column::Id, ids.iter().copied()));
        let mut statement = self.columns(select).into_query();
        if with_lines {
            self.join_lines(&mut statement, JoinType::LeftJoin);
            statement
                .columns(Line::COLUMNS.map(|column| (distribution_line::Entity, column)))
                .order_by((distribution_line::Entity, distribution_line::Column::Position), Order::Asc);
        }
        let outside = self.is_outside();
        let mut found: HashMap<Uuid, Delivery> = HashMap::new();
        for row in self.fetch(&statement).await? {
            let id = row.try_get_by_index(Row::ID)?;
            let delivery = match found.entry(id) {
                Entry::Occupied(delivery) => delivery.into_mut(),
                Entry::Vacant(place) => {
                    place.insert(Delivery { row: Row::read(&row, outside)?, lines: Vec::new() })
                }
            };
            if with_lines {
                delivery.lines.extend(Line::read(&row, Row::width(outside))?);
            }
        }
        Ok(found)
    }

    /// Joins the lines that the viewer may see.
    pub(super) fn join_lines(&self, statement: &mut SelectStatement, kind: JoinType) {
        use distribution_line::Column as Of;
        let line = |column: Of| Expr::col((distribution_line::Entity, column));
        let lines = Condition::all()
            .add(line(Of::OrganizationId).equals((distribution::Entity, Column::OrganizationId)))
            .add(line(Of::DistributionId).equals((distribution::Entity, Column::Id)))
            .add(distribution_line::Entity::visible_to(self));
        statement.join(kind, distribution_line::Entity, lines);
    }

    async fn rows(&self, listing: &Listing, parents: Option<(Parent, &[Uuid])>) -> Result<Vec<Row>> {
        let order = self.sql_order(listing.order);
        let backwards = listing.window.backwards;
        let limit = listing.window.size as u64 + 1;
        let select = self
            .select::<distribution::Entity>()
            .filter(self.matching(&listing.filter))
            .filter(order.between(&listing.window));
        let backend = self.backend();
        let mut statement = self.columns(select).into_query();
        let mut rows = match (parents, backend) {
            (None, _) => {
                if backend == DbBackend::Postgres {
                    statement = self.in_each_scope(statement, &order, listing, None);
                }
                order.sort(&mut statement, backwards);
                statement.limit(limit);
                return self.read(&statement).await;
            }
            (_, DbBackend::Postgres) => {
                self.read(&self.in_each_scope(statement, &order, listing, parents)).await?
            }
            (Some((parent, ids)), _) => {
                statement.cond_where(among(parent.column(), ids.iter().copied()));
                let mut window = WindowStatement::partition_by((distribution::Entity, parent.column()));
                order.sort_each(&mut window, backwards);
                statement.expr_window_as(Expr::cust("row_number()"), window, Alias::new("place"));
                let first = Query::select()
                    .column(Asterisk)
                    .from_subquery(statement, Alias::new("child"))
                    .and_where(Expr::col(Alias::new("place")).lte(limit))
                    .to_owned();
                self.read(&first).await?
            }
        };
        let ascending = (listing.order.direction == Direction::Ascending) != backwards;
        rows.sort_by(|a, b| {
            let (a, b) = (place(a, listing.order.field), place(b, listing.order.field));
            let missing = (a.key == Key::Null).cmp(&(b.key == Key::Null));
            let missing = if backwards { missing.reverse() } else { missing };
            let order = a.key.cmp(&b.key).then_with(|| a.id.cmp(&b.id));
            missing.then(if ascending { order } else { order.reverse() })
        });
        Ok(rows)
    }

    async fn read(&self, statement: &SelectStatement) -> Result<Vec<Row>> {
        let outside = self.is_outside();
        let rows = self.fetch(statement).await?;
        Ok(rows.iter().map(|row| Row::read(row, outside)).collect::<Result<_, _>>()?)
    }

    /// What a statement answers that begins with [`Access::columns`].
    async fn fetch(&self, statement: &SelectStatement) -> Result<Vec<QueryResult>> {
        let rows = self.reader().query_all(statement).await?;
        if let Some(first) = rows.first() {
            let version: i64 = first.try_get_by_index(Row::VERSION)?;
            self.seen.note(version == self.catalog.version);
        }
        Ok(rows)
    }

    /// The first rows of each organisation in scope, and under each parent: one scan of an index in the order of
    /// the list for each of them, since PostgreSQL reads no index in order across an OR. For PostgreSQL only.
    fn in_each_scope(
        &self,
        mut statement: SelectStatement,
        order: &SqlOrder,
        listing: &Listing,
        parents: Option<(Parent, &[Uuid])>,
    ) -> SelectStatement {
        let column = |column: Column| Expr::col((distribution::Entity, column));
        let (scope, under) = (Alias::new("scope"), Alias::new("parent"));
        let organizations = self.organizations_in_scope();
        statement.and_where(column(Column::OrganizationId).equals((scope.clone(), scope.clone())));
        if let Some((parent, _)) = parents {
            statement.and_where(column(parent.column()).equals((under.clone(), under.clone())));
        }
        order.sort(&mut statement, listing.window.backwards);
        statement.limit(listing.window.size as u64 + 1);
        let mut each = Query::select();
        each.column((distribution::Entity, Asterisk));
        each.from_function(Func::cust("unnest").arg(array(organizations)), scope);
        if let Some((_, ids)) = parents {
            each.from_function(Func::cust("unnest").arg(array(ids.iter().copied())), under);
        }
        let always = Condition::all().add(Expr::cust("TRUE"));
        each.join_lateral(JoinType::InnerJoin, statement, distribution::Entity, always);
        each
    }

    /// The organisations of which the viewer may see any row at all.
    pub(super) fn organizations_in_scope(&self) -> Vec<Uuid> {
        let Some(own) = self.viewer.organization() else { return vec![Uuid::nil()] };
        let mut organizations = vec![own];
        if self.viewer.audience() == Audience::Partner {
            let granting = self.catalog.agreements_of(own, self.now);
            organizations.extend(granting.map(|agreement| agreement.row.organization_id));
            organizations.sort_unstable();
            organizations.dedup();
        }
        organizations
    }

    /// As [`among`]; on PostgreSQL one parameter, and so one statement, whatever the number of ids.
    fn any_of<C: ColumnTrait>(&self, column: C, ids: impl IntoIterator<Item = Uuid>) -> Condition {
        match self.backend() {
            DbBackend::Postgres => {
                let column = Expr::col((column.entity_name(), column));
                Condition::all().add(column.eq(PgFunc::any(array(ids))))
            }
            _ => among(column, ids),
        }
    }

    async fn totals(
        &self,
        filter: &Filter,
        parents: Option<(Parent, &[Uuid])>,
    ) -> Result<HashMap<Uuid, i64>> {
        #[derive(FromQueryResult)]
        struct Total {
            parent: Option<Uuid>,
            total: i64,
        }
        let mut select = self
            .select::<distribution::Entity>()
            .filter(self.matching(filter))
            .select_only()
            .column_as(Expr::col((distribution::Entity, Column::Id)).count(), "total");
        select = match parents {
            None => select.expr_as(Expr::value(Option::<Uuid>::None), "parent"),
            Some((parent, ids)) => select
                .column_as(parent.column(), "parent")
                .filter(among(parent.column(), ids.iter().copied()))
                .group_by(parent.column()),
        };
        let totals: Vec<Total> = select.into_model().all(self.reader()).await?;
        Ok(totals.into_iter().map(|row| (row.parent.unwrap_or_default(), row.total)).collect())
    }

    async fn lines_of(&self, rows: impl IntoIterator<Item = &Row>) -> Result<HashMap<Uuid, Vec<Line>>> {
        use distribution_line::Column as Of;
        let (ids, mut organizations): (Vec<Uuid>, Vec<Uuid>) =
            rows.into_iter().map(|row| (row.id, row.organization_id)).unzip();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        organizations.sort_unstable();
        organizations.dedup();
        let select = self
            .select::<distribution_line::Entity>()
            .filter(self.any_of(Of::OrganizationId, organizations))
            .filter(self.any_of(Of::DistributionId, ids))
            .select_only()
            .column(Of::DistributionId)
            .columns(Line::COLUMNS)
            .order_by_asc(Of::OrganizationId)
            .order_by_asc(Of::DistributionId)
            .order_by_asc(Of::Position);
        let mut lines: HashMap<Uuid, Vec<Line>> = HashMap::new();
        for row in self.reader().query_all(&select.into_query()).await? {
            lines.entry(row.try_get_by_index(0)?).or_default().extend(Line::read(&row, 1)?);
        }
        Ok(lines)
    }

    /// The columns that this viewer may read, the others are not fetched; before them the version of the reference
    /// tables.
    fn columns(
        &self,
        select: sea_orm::Select<distribution::Entity>,
    ) -> sea_orm::Select<distribution::Entity> {
        let select = select
            .select_only()
            .expr_as(Expr::cust(VERSION), "catalog_version")
            .columns([
                Column::OrganizationId,
                Column::Id,
                Column::FacilityId,
                Column::ProgramId,
                Column::OccurredOn,
                Column::RecordedAt,
                Column::Status,
            ])
            .expr_as(self.people_reached(), "people_reached")
            .columns([Column::ReachMethod, Column::VoidedAt, Column::VoidReason]);
        if self.is_outside() {
            return select;
        }
        let kept = Expr::col((distribution::Entity, Column::PeopleReached));
        select.columns(Inside::COLUMNS).expr_as(kept, "people_kept")
    }

    /// Women reached as this viewer may see it: null while planned, and for outsiders after a correction below
    /// the threshold (DISCLOSURE section 5). The list is ordered by the same expression.
    pub(super) fn people_reached(&self) -> Expr {
        let delivered =
            [DistributionStatus::Planned, DistributionStatus::Dispatched].map(|status| status.to_value());
        let mut known =
            Condition::all().add(Expr::col((distribution::Entity, Column::Status)).is_not_in(delivered));
        if self.is_outside() {
            known = known.add(Expr::col((distribution::Entity, Column::PeopleReached)).gte(THRESHOLD));
        }
        Expr::case(known, Expr::col((distribution::Entity, Column::PeopleReached))).into()
    }

    fn sql_order(&self, order: OrderBy) -> SqlOrder {
        let column = |column: Column| Expr::col((distribution::Entity, column));
        let (key, nullable) = match order.field {
            OrderField::OccurredOn => (column(Column::OccurredOn), false),
            OrderField::RecordedAt => (column(Column::RecordedAt), false),
            OrderField::PeopleReached => (self.people_reached(), true),
        };
        SqlOrder { key, id: column(Column::Id), nullable, direction: order.direction }
    }
}

impl Parent {
    fn column(self) -> Column {
        match self {
            Self::Facility => Column::FacilityId,
            Self::Program => Column::ProgramId,
        }
    }

    fn of(self, row: &Row) -> Uuid {
        match self {
            Self::Facility => row.facility_id,
            Self::Program => row.program_id,
        }
    }
}

/// Where a delivery stands in a list of this order.
pub fn place(row: &Row, field: OrderField) -> Place {
    let key = match field {
        OrderField::OccurredOn => Key::Day(row.occurred_on),
        OrderField::RecordedAt => Key::Moment(row.recorded_at),
        OrderField::PeopleReached => row.people_reached.map_or(Key::Null, |people| Key::Int(people.into())),
    };
    Place { key, id: row.id }
}

/// Ids as one parameter, for PostgreSQL.
fn array(ids: impl IntoIterator<Item = Uuid>) -> Expr {
    let ids = ids.into_iter().map(Into::into).collect();
    Expr::val(Value::Array(ArrayType::Uuid, Some(Box::new(ids))))
}
