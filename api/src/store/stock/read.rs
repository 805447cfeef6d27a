//! What staff read of stock: what is on hand on a day, lots, and movements.

use std::collections::{HashMap, HashSet};

use chrono::{Days, NaiveDate};
use entity::{
    distribution, stock_balance, stock_day, stock_entry, stock_lot, stock_movement, stock_place,
    value::{StockMovementKind, StockPlaceKind, StockSide},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, Iterable, JoinType, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, ExprTrait, Func, Order, Query, SelectStatement, SubQueryStatement, UnionType},
};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    auth::Right,
    error::{Error, Result},
    id,
    store::{
        Access, Scoped,
        distribution::{DateRange, among},
        keyset::{Direction, Key, Page, Place, SqlOrder, Window},
        nothing,
    },
};

/// What lies somewhere now. The index of such pairs is found by these words, not by a parameter.
pub(in crate::store) const HERE: &str = "stock_balance.on_hand > 0";
/// After all days.
const LAST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// The most rows of an answer without pages.
pub(in crate::store) const MOST: u64 = 5_000;
pub(in crate::store) const TOO_MANY: &str =
    "There are too many rows. Narrow the filter to some places or items.";

/// Lists narrow the result to any of their members; an empty list matches nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    #[serde(deserialize_with = "id::list::<_, {id::STOCK_PLACE}>")]
    pub place: Option<Vec<Uuid>>,
    pub place_kind: Option<Vec<StockPlaceKind>>,
    #[serde(deserialize_with = "id::list::<_, {id::FACILITY}>")]
    pub facility: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::ITEM}>")]
    pub item: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::KIT}>")]
    pub kit: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::STOCK_LOT}>")]
    pub lot: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::ORGANIZATION}>")]
    pub donor: Option<Vec<Uuid>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MovementFilter {
    #[serde(deserialize_with = "id::list::<_, {id::STOCK_PLACE}>")]
    pub place: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::STOCK_LOT}>")]
    pub lot: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::DISTRIBUTION}>")]
    pub distribution: Option<Vec<Uuid>>,
    pub kind: Option<Vec<StockMovementKind>>,
    pub occurred_on: Option<DateRange>,
}

/// So much of a lot at a place.
#[derive(Clone, Debug)]
pub struct Level {
    pub place_id: Uuid,
    pub lot: stock_lot::Model,
    pub quantity: i64,
    pub as_of: NaiveDate,
}

/// A movement with its entries and their lots.
#[derive(Clone, Debug)]
pub struct Movement {
    pub row: stock_movement::Model,
    pub entries: Vec<(stock_entry::Model, stock_lot::Model)>,
    /// The movement that undoes this one.
    pub reversed_by: Option<Uuid>,
    /// What became of a transfer.
    pub progress: Vec<Progress>,
}

/// The numbers of a transfer for one lot. What is in none of the last three is in transit.
#[derive(Clone, Debug)]
pub struct Progress {
    pub lot: stock_lot::Model,
    pub shipped: i64,
    pub received: i64,
    pub returned: i64,
    pub lost: i64,
}

/// What is asked of stock.
#[derive(Clone, Debug)]
pub enum Asked {
    OnHand(Box<Filter>, Option<NaiveDate>),
    Cover(Uuid, Option<NaiveDate>),
    Lots(Box<Filter>, Window),
    Movements(Box<MovementFilter>, Window),
}

/// What was found.
pub enum Found {
    Levels(Vec<Level>),
    Cover(Vec<super::cover::Cover>),
    Lots(Page<stock_lot::Model>),
    Movements(Page<Movement>),
}

impl Scoped for stock_lot::Entity {
    fn visible_to(access: &Access) -> Condition {
        let Some(own) = access.viewer.organization().filter(|own| access.reads_stock_of(*own)) else {
            return nothing();
        };
        let rows = Condition::all().add(stock_lot::Column::OrganizationId.eq(own));
        match access.places_of_cut() {
            None => rows,
            // Lots that have ever been at a place of the viewer's.
            Some(places) => {
                let there = access
                    .select::<stock_balance::Entity>()
                    .filter(among(stock_balance::Column::PlaceId, places))
                    .select_only()
                    .column(stock_balance::Column::LotId);
                rows.add(stock_lot::Column::Id.in_subquery(there.into_query()))
            }
        }
    }
}

impl Scoped for stock_balance::Entity {
    fn visible_to(access: &Access) -> Condition {
        let Some(own) = access.viewer.organization().filter(|own| access.reads_stock_of(*own)) else {
            return nothing();
        };
        let rows = Condition::all().add(stock_balance::Column::OrganizationId.eq(own));
        match access.places_of_cut() {
            None => rows,
            Some(places) => rows.add(among(stock_balance::Column::PlaceId, places)),
        }
    }
}

impl Scoped for stock_movement::Entity {
    fn visible_to(access: &Access) -> Condition {
        use stock_movement::Column::{Id, OrganizationId, ToPlaceId};
        let Some(own) = access.viewer.organization().filter(|own| access.reads_stock_of(*own)) else {
            return nothing();
        };
        let rows = Condition::all().add(OrganizationId.eq(own));
        match access.places_of_cut() {
            None => rows,
            // Movements at a place of the viewer's, and transfers on their way to one.
            Some(places) => {
                use stock_entry::Column::{MovementId, OrganizationId as OfOrganization, PlaceId};
                let entry = |column| Expr::col((stock_entry::Entity, column));
                let mut there = access
                    .select::<stock_entry::Entity>()
                    .filter(among(PlaceId, places.clone()))
                    .filter(entry(OfOrganization).equals((stock_movement::Entity, OrganizationId)))
                    .filter(entry(MovementId).equals((stock_movement::Entity, Id)))
                    .select_only()
                    .expr(Expr::cust("1"))
                    .into_query();
                // Looked up for each movement: PostgreSQL would else read all entries of the places beforehand.
                there.limit(1);
                let here = Condition::any().add(Expr::exists(there));
                rows.add(here.add(among(ToPlaceId, places)))
            }
        }
    }
}

/// Entries are reached through their movements, whose scope is applied first.
impl Scoped for stock_entry::Entity {
    fn visible_to(access: &Access) -> Condition {
        match access.viewer.organization().filter(|own| access.reads_stock_of(*own)) {
            Some(own) => Condition::all().add(stock_entry::Column::OrganizationId.eq(own)),
            None => nothing(),
        }
    }
}

impl Access {
    /// Places of stock that the viewer may see, by name.
    ///
    /// # Errors
    /// `NotPermitted` when the role reads no stock.
    pub fn stock_places(&self) -> Result<Vec<&stock_place::Model>> {
        self.require(Right::StockRead)?;
        let mut places: Vec<_> =
            self.catalog.stock_places.iter().filter(|place| self.sees_stock_place(place)).collect();
        places.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(places)
    }

    /// The places of a member that is cut to facilities, or from whom facilities are hidden at which its organisation
    /// has stores.
    fn places_of_cut(&self) -> Option<Vec<Uuid>> {
        let own = self.viewer.organization();
        let mut places = self.catalog.stock_places.iter().filter(|place| Some(place.organization_id) == own);
        if self.viewer.facilities().is_none() && !places.any(|place| self.hides_place(place)) {
            return None;
        }
        let seen = self.catalog.stock_places.iter().filter(|place| self.sees_stock_place(place));
        Some(seen.map(|place| place.id).collect())
    }

    /// What a question about stock finds, in a number of statements that no history changes.
    ///
    /// # Errors
    /// `NotPermitted` when the role reads no stock.
    pub async fn stock(&self, asked: &Asked) -> Result<Found> {
        self.require(Right::StockRead)?;
        Ok(match asked {
            Asked::OnHand(filter, day) => Found::Levels(self.stock_on_hand(filter, *day).await?),
            Asked::Cover(facility, day) => Found::Cover(self.stock_cover(*facility, *day).await?),
            Asked::Lots(filter, window) => Found::Lots(self.lots(filter, window).await?),
            Asked::Movements(filter, window) => Found::Movements(self.stock_movements(filter, window).await?),
        })
    }

    /// Lots by id; those that the viewer may not see are not there.
    pub async fn lots_by_id(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, stock_lot::Model>> {
        let lots = self.select::<stock_lot::Entity>();
        let lots = lots.filter(among(stock_lot::Column::Id, ids.iter().copied())).all(self.reader()).await?;
        Ok(lots.into_iter().map(|lot| (lot.id, lot)).collect())
    }

    /// Movements by id; those that the viewer may not see are not there.
    pub async fn stock_movements_by_id(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Movement>> {
        let rows = self.select::<stock_movement::Entity>();
        let rows =
            rows.filter(among(stock_movement::Column::Id, ids.iter().copied())).all(self.reader()).await?;
        let movements = self.with_entries(rows).await?;
        Ok(movements.into_iter().map(|movement| (movement.row.id, movement)).collect())
    }

    /// What is on hand, now or at the end of a day: one row for each place and lot, none where there is nothing.
    pub(in crate::store) async fn stock_on_hand(
        &self,
        filter: &Filter,
        day: Option<NaiveDate>,
    ) -> Result<Vec<Level>> {
        let past = day.filter(|day| *day < self.today());
        let mut statement = self.levels(filter, past).cond_where(Expr::cust(HERE)).to_owned();
        if let Some(day) = past {
            // What has come to its end since. With two ends PostgreSQL expects few rows, and reads their index.
            let since = Expr::col((stock_balance::Entity, stock_balance::Column::LastDay));
            let ended =
                self.levels(filter, past).cond_where(since.between(day + Days::new(1), LAST_DAY)).to_owned();
            statement.union(UnionType::Distinct, ended);
        }
        statement
            .order_by(Alias::new("place_id"), Order::Asc)
            .order_by(Alias::new("id"), Order::Asc)
            .limit(MOST + 1);
        let rows = self.reader().query_all(&statement).await?;
        if rows.len() as u64 > MOST {
            return Err(Error::invalid(TOO_MANY));
        }
        let as_of = past.unwrap_or_else(|| self.today());
        let mut levels = Vec::with_capacity(rows.len());
        for row in &rows {
            let level = Level {
                place_id: row.try_get("", "place_id")?,
                lot: stock_lot::Model::from_query_result(row, "")?,
                quantity: row.try_get("", "on_hand")?,
                as_of,
            };
            if level.quantity > 0 {
                levels.push(level);
            }
        }
        Ok(levels)
    }

    /// Pairs of a place and a lot, with what they hold now or held at the end of a day.
    fn levels(&self, filter: &Filter, past: Option<NaiveDate>) -> SelectStatement {
        use stock_balance::Column::{LotId, OnHand, OrganizationId, PlaceId};
        let column = |column| Expr::col((stock_balance::Entity, column));
        let places = self.catalog.stock_places.iter().filter(|place| {
            self.sees_stock_place(place)
                && filter.place.as_ref().is_none_or(|ids| ids.contains(&place.id))
                && filter.place_kind.as_ref().is_none_or(|kinds| kinds.contains(&place.kind))
                && filter
                    .facility
                    .as_ref()
                    .is_none_or(|ids| place.facility_id.is_some_and(|facility| ids.contains(&facility)))
        });
        // A lot is in scope where its balance is.
        self.select::<stock_balance::Entity>()
            .join(
                JoinType::InnerJoin,
                stock_balance::Entity::belongs_to(stock_lot::Entity)
                    .from((OrganizationId, LotId))
                    .to((stock_lot::Column::OrganizationId, stock_lot::Column::Id))
                    .into(),
            )
            .filter(column(PlaceId).is_in(places.map(|place| place.id)))
            .filter(self.lots_matching(filter))
            .select_only()
            .columns(stock_lot::Column::iter())
            .column_as(column(PlaceId), "place_id")
            .column_as(past.map_or_else(|| column(OnHand), closing_on), "on_hand")
            .into_query()
    }

    fn lots_matching(&self, filter: &Filter) -> Condition {
        use stock_lot::Column::{DonorId, Id, ItemId, KitId, KitVersion};
        let mut lots = Condition::all();
        if let Some(items) = &filter.item {
            let mut holding = Condition::any().add(among(ItemId, items.iter().copied()));
            for kit in self.catalog.kits.iter() {
                for version in &kit.versions {
                    if version.lines.iter().any(|line| items.contains(&line.item_id)) {
                        let one =
                            Condition::all().add(KitId.eq(kit.row.id)).add(KitVersion.eq(version.number));
                        holding = holding.add(one);
                    }
                }
            }
            lots = lots.add(holding);
        }
        for (column, ids) in [(KitId, &filter.kit), (Id, &filter.lot), (DonorId, &filter.donor)] {
            if let Some(ids) = ids {
                lots = lots.add(among(column, ids.iter().copied()));
            }
        }
        lots
    }

    /// Lots, the newest first.
    async fn lots(&self, filter: &Filter, window: &Window) -> Result<Page<stock_lot::Model>> {
        use stock_lot::Column::{Id, RecordedAt};
        let order = SqlOrder {
            key: Expr::col((stock_lot::Entity, RecordedAt)),
            id: Expr::col((stock_lot::Entity, Id)),
            nullable: false,
            direction: Direction::Descending,
        };
        let lots = self.select::<stock_lot::Entity>().filter(self.lots_matching(filter));
        Ok(window.cut(order.page(lots, window).all(self.reader()).await?))
    }

    /// Movements, those of the newest day in the field first.
    async fn stock_movements(&self, filter: &MovementFilter, window: &Window) -> Result<Page<Movement>> {
        use stock_movement::Column::{DistributionId, Id, Kind, OccurredOn};
        let order = SqlOrder {
            key: Expr::col((stock_movement::Entity, OccurredOn)),
            id: Expr::col((stock_movement::Entity, Id)),
            nullable: false,
            direction: Direction::Descending,
        };
        let mut rows = Condition::all();
        if let Some(kinds) = &filter.kind {
            rows = rows.add(Kind.is_in(kinds.iter().copied()));
        }
        if let Some(ids) = &filter.distribution {
            rows = rows.add(among(DistributionId, ids.iter().copied()));
        }
        let days = filter.occurred_on.unwrap_or_default();
        if let Some(from) = days.from {
            rows = rows.add(OccurredOn.gte(from));
        }
        if let Some(to) = days.to {
            rows = rows.add(OccurredOn.lte(to));
        }
        let sides =
            [(stock_entry::Column::PlaceId, &filter.place), (stock_entry::Column::LotId, &filter.lot)];
        for (column, ids) in sides {
            if let Some(ids) = ids {
                let there = self.select::<stock_entry::Entity>().filter(among(column, ids.iter().copied()));
                let there = there.select_only().column(stock_entry::Column::MovementId);
                rows = rows.add(Id.in_subquery(there.into_query()));
            }
        }
        let rows = order.page(self.select::<stock_movement::Entity>().filter(rows), window);
        let Page { rows, has_next, has_previous, total } = window.cut(rows.all(self.reader()).await?);
        Ok(Page { rows: self.with_entries(rows).await?, has_next, has_previous, total })
    }

    /// Movements with all that belongs to them, in four statements whatever their number.
    async fn with_entries(&self, rows: Vec<stock_movement::Model>) -> Result<Vec<Movement>> {
        use stock_movement::Column::{FollowsId, ReversesId};
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let Some(own) = self.viewer.organization().filter(|_| !ids.is_empty()) else { return Ok(Vec::new()) };
        let related = self
            .related_movements(
                own,
                among(ReversesId, ids.iter().copied()),
                among(FollowsId, ids.iter().copied()),
            )
            .await?;
        let all = ids.iter().copied().chain(related.iter().map(|row| row.id));
        let entries = self
            .select::<stock_entry::Entity>()
            .filter(among(stock_entry::Column::MovementId, all))
            .order_by_asc(stock_entry::Column::MovementId)
            .order_by_asc(stock_entry::Column::Position)
            .all(self.reader())
            .await?;
        let lots = self.lots_of_entries(own, &entries).await?;
        let mut by_movement: HashMap<Uuid, Vec<stock_entry::Model>> = HashMap::new();
        for entry in entries {
            by_movement.entry(entry.movement_id).or_default().push(entry);
        }
        let elsewhere = self.for_others(&rows).await?;
        let movements = rows.into_iter().map(|mut row| {
            let is_elsewhere = row.distribution_id.is_some_and(|delivery| elsewhere.contains(&delivery));
            if is_elsewhere {
                row.reason = None;
            }
            let followers = related.iter().filter(|other| other.follows_id == Some(row.id));
            let followers = followers.flat_map(|other| by_movement.get(&other.id)).flatten();
            let own = by_movement.get(&row.id).map_or(&[][..], Vec::as_slice);
            let progress = match row.kind {
                StockMovementKind::Transfer if row.reverses_id.is_none() && !is_elsewhere => {
                    progress(&row, own, &followers.collect::<Vec<_>>(), &lots)
                }
                _ => Vec::new(),
            };
            let own = own.iter().filter(|entry| !is_elsewhere || self.sees_side(entry));
            let entries = own.filter_map(|entry| Some((entry.clone(), lots.get(&entry.lot_id)?.clone())));
            Movement {
                reversed_by: related
                    .iter()
                    .find(|other| other.reverses_id == Some(row.id))
                    .map(|other| other.id),
                entries: entries.collect(),
                progress,
                row,
            }
        });
        Ok(movements.collect())
    }

    /// Whether there are deliveries of its own organisation that the viewer does not see.
    fn is_cut(&self) -> bool {
        self.viewer.facilities().is_some()
            || self.catalog.facilities.iter().any(|entry| self.hides(entry.row.id))
    }

    /// Deliveries that a member who is cut to facilities does not see. Of goods that left one of its stores for such a
    /// delivery it sees that they left, and not what became of them.
    async fn for_others(&self, rows: &[stock_movement::Model]) -> Result<HashSet<Uuid>> {
        let all: HashSet<Uuid> = rows.iter().filter_map(|row| row.distribution_id).collect();
        if all.is_empty() || !self.is_cut() {
            return Ok(HashSet::new());
        }
        let seen: Vec<Uuid> = self
            .select::<distribution::Entity>()
            .filter(among(distribution::Column::Id, all.iter().copied()))
            .select_only()
            .column(distribution::Column::Id)
            .into_tuple()
            .all(self.reader())
            .await?;
        Ok(all.into_iter().filter(|delivery| !seen.contains(delivery)).collect())
    }

    fn sees_side(&self, entry: &stock_entry::Model) -> bool {
        entry.place_id.is_some_and(|place| self.stock_place(place).is_some())
    }

    #[expect(clippy::disallowed_methods, reason = "what belongs to movements that the viewer has been shown")]
    async fn related_movements(
        &self,
        own: Uuid,
        reversing: Condition,
        following: Condition,
    ) -> Result<Vec<stock_movement::Model>> {
        Ok(stock_movement::Entity::find()
            .filter(stock_movement::Column::OrganizationId.eq(own))
            .filter(Condition::any().add(reversing).add(following))
            .all(self.reader())
            .await?)
    }

    #[expect(clippy::disallowed_methods, reason = "lots of movements that the viewer has been shown")]
    async fn lots_of_entries(
        &self,
        own: Uuid,
        entries: &[stock_entry::Model],
    ) -> Result<HashMap<Uuid, stock_lot::Model>> {
        let lots = stock_lot::Entity::find()
            .filter(stock_lot::Column::OrganizationId.eq(own))
            .filter(among(stock_lot::Column::Id, entries.iter().map(|entry| entry.lot_id)))
            .all(self.reader())
            .await?;
        Ok(lots.into_iter().map(|lot| (lot.id, lot)).collect())
    }

    pub fn lot_place(lot: &stock_lot::Model) -> Place {
        Place { key: Key::Moment(lot.recorded_at), id: lot.id }
    }

    pub fn movement_place(movement: &Movement) -> Place {
        Place { key: Key::Day(movement.row.occurred_on), id: movement.row.id }
    }
}

/// What a pair closed with on a day: that of the last day with a change.
fn closing_on(day: NaiveDate) -> Expr {
    use stock_day::Column::{Closing, Day, LotId, OrganizationId, PlaceId};
    let column = |column: stock_day::Column| Expr::col((stock_day::Entity, column));
    let last = Query::select()
        .expr(column(Closing))
        .from(stock_day::Entity)
        .and_where(
            column(OrganizationId).equals((stock_balance::Entity, stock_balance::Column::OrganizationId)),
        )
        .and_where(column(PlaceId).equals((stock_balance::Entity, stock_balance::Column::PlaceId)))
        .and_where(column(LotId).equals((stock_balance::Entity, stock_balance::Column::LotId)))
        .and_where(column(Day).lte(day))
        .order_by((stock_day::Entity, Day), Order::Desc)
        .limit(1)
        .to_owned();
    Func::coalesce([Expr::from(SubQueryStatement::SelectStatement(last)), Expr::val(0_i64)]).into()
}

/// What became of a transfer, lot by lot. Reversed arrivals and their reversals cancel out.
fn progress(
    row: &stock_movement::Model,
    sent: &[stock_entry::Model],
    after: &[&stock_entry::Model],
    lots: &HashMap<Uuid, stock_lot::Model>,
) -> Vec<Progress> {
    let mut all = Vec::new();
    for out in sent.iter().filter(|entry| entry.quantity < 0) {
        let Some(lot) = lots.get(&out.lot_id) else { continue };
        let sum = |side: StockSide, place: Option<Uuid>| {
            let of = after
                .iter()
                .filter(|entry| entry.lot_id == lot.id && entry.side == side && entry.place_id == place);
            of.map(|entry| entry.quantity).sum()
        };
        all.push(Progress {
            lot: lot.clone(),
            shipped: -out.quantity,
            // What was sent for a delivery goes to no place.
            received: match row.to_place_id {
                Some(to) => sum(StockSide::Place, Some(to)),
                None => sum(StockSide::Consumed, None),
            },
            returned: sum(StockSide::Place, out.place_id),
            lost: sum(StockSide::Lost, None),
        });
    }
    all
}
