//! What is read of gifts: balances and flows by quarter, and where a gift went.

use chrono::NaiveDate;
use entity::{
    gift_account, gift_balance, gift_flow, gift_trace,
    value::{GiftFlowKind, StockPlaceKind},
};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Select};
use uuid::Uuid;

use super::Quarter;
use crate::{
    auth::Right,
    error::{Error, Result},
    store::{
        Access,
        stock::{
            Goods,
            read::{Filter, Level, MOST, TOO_MANY},
        },
    },
};

/// What is asked of gifts.
#[derive(Clone, Debug)]
pub enum Asked {
    Balances(Box<Filter>, NaiveDate),
    Flows(GiftFlowKind, NaiveDate),
    Trace(Uuid),
}

/// What was found.
pub enum Found {
    /// For staff, who see each lot at each place.
    Levels(Vec<Level>),
    Balances(Vec<Balance>),
    Flows(Vec<Flow>),
    Trace(Trace),
}

/// What a donor is shown to lie in the warehouses of an organisation.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Balance {
    pub organization_id: Uuid,
    pub quarter_end: NaiveDate,
    pub item_id: Option<Uuid>,
    pub kit_id: Option<Uuid>,
    pub kit_version: Option<i32>,
    pub quantity: i64,
}

/// Goods that came in, or left a warehouse, in bulk.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Flow {
    pub organization_id: Uuid,
    pub donor_id: Uuid,
    pub occurred_on: NaiveDate,
    pub item_id: Option<Uuid>,
    pub kit_id: Option<Uuid>,
    pub kit_version: Option<i32>,
    pub quantity: i64,
    pub facility_id: Option<Uuid>,
    pub undone_in: Option<NaiveDate>,
}

/// Where a gift went.
#[derive(Clone, Debug)]
pub struct Trace {
    pub gift_id: Uuid,
    pub until: NaiveDate,
    pub rows: Vec<gift_trace::Model>,
    pub account: Option<Account>,
}

/// A steward's word about a gift.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Account {
    pub accounted_on: NaiveDate,
    pub signature: String,
}

impl Access {
    /// What a question about gifts finds.
    ///
    /// # Errors
    /// `NotPermitted` when the role follows no gifts; `Invalid` for a day that ends no quarter or is not over, and
    /// for a gift that the viewer may not see as for one that is not there.
    pub async fn gifts_asked(&self, asked: &Asked) -> Result<Found> {
        self.require(Right::GiftFollow)?;
        Ok(match asked {
            Asked::Balances(filter, day) if self.is_outside() => {
                Found::Balances(self.shown_balances(filter, *day).await?)
            }
            Asked::Balances(filter, day) => Found::Levels(self.warehouse_levels(filter, *day).await?),
            Asked::Flows(kind, day) => Found::Flows(self.gift_flows(*kind, *day).await?),
            Asked::Trace(gift) => Found::Trace(self.gift_trace(*gift).await?),
        })
    }

    /// For staff: everything that lay in warehouses at the end of a quarter.
    async fn warehouse_levels(&self, filter: &Filter, day: NaiveDate) -> Result<Vec<Level>> {
        let quarter = self.ended_quarter(day)?;
        let asked = filter.place_kind.as_ref();
        let warehouses = asked.is_none_or(|kinds| kinds.contains(&StockPlaceKind::Warehouse));
        let place_kind = Some(if warehouses { vec![StockPlaceKind::Warehouse] } else { Vec::new() });
        self.require(Right::StockRead)?;
        self.stock_on_hand(&Filter { place_kind, ..filter.clone() }, Some(quarter.0)).await
    }

    async fn shown_balances(&self, filter: &Filter, day: NaiveDate) -> Result<Vec<Balance>> {
        use gift_balance::Column::{ItemId, KitId, KitVersion, OrganizationId, Quantity, QuarterEnd};
        let quarter = self.ended_quarter(day)?;
        self.published_quarter().await?;
        let select = self
            .select::<gift_balance::Entity>()
            .filter(QuarterEnd.eq(quarter.0))
            .filter(Quantity.gt(0))
            .select_only()
            .columns([OrganizationId, QuarterEnd, ItemId, KitId, KitVersion, Quantity]);
        let mut rows: Vec<Balance> = self.bounded(select).await?;
        rows.retain(|row| {
            let goods = Goods::new(row.item_id, row.kit_id, row.kit_version);
            self.is_shown(goods) && self.matches(filter, goods)
        });
        rows.sort_by_key(|row| (row.organization_id, row.item_id, row.kit_id, row.kit_version));
        Ok(rows)
    }

    async fn gift_flows(&self, kind: GiftFlowKind, day: NaiveDate) -> Result<Vec<Flow>> {
        use gift_flow::Column::{
            DonorId, FacilityId, ItemId, Kind, KitId, KitVersion, OccurredOn, OrganizationId, Quantity,
            QuarterEnd, UndoneIn,
        };
        let quarter = self.ended_quarter(day)?;
        self.published_quarter().await?;
        let select = self
            .select::<gift_flow::Entity>()
            .filter(QuarterEnd.eq(quarter.0))
            .filter(Kind.eq(kind))
            .select_only()
            .columns([OrganizationId, DonorId, OccurredOn, ItemId, KitId, KitVersion])
            .columns([Quantity, FacilityId, UndoneIn]);
        let mut rows: Vec<Flow> = self.bounded(select).await?;
        rows.retain(|row| {
            !self.is_outside() || self.is_shown(Goods::new(row.item_id, row.kit_id, row.kit_version))
        });
        let order = |row: &Flow| (row.occurred_on, row.organization_id, row.donor_id);
        rows.sort_by_key(|row| {
            (order(row), row.item_id, row.kit_id, row.kit_version, row.quantity, row.facility_id)
        });
        Ok(rows)
    }

    async fn gift_trace(&self, id: Uuid) -> Result<Trace> {
        use gift_account::Column::{AccountedOn, GiftId as AccountOf, Signature};
        let Some(gift) = self.gift(id) else { return Err(Error::invalid("There is no such gift.")) };
        let quarter = self.published_quarter().await?;
        let rows = self.select::<gift_trace::Entity>().filter(gift_trace::Column::GiftId.eq(id));
        let mut rows = rows.all(self.reader()).await?;
        rows.retain(|row| !self.is_outside() || self.is_shown(Goods::Item(row.item_id)));
        rows.sort_by_cached_key(|row| {
            let facility = self.catalog.facilities.get(row.facility_id).map(|entry| entry.row.slug.clone());
            let item = self.catalog.items.get(row.item_id).map(|entry| entry.row.code.clone());
            (row.starts_on, facility, item)
        });
        let account = self.select::<gift_account::Entity>().filter(AccountOf.eq(id));
        let account = account.select_only().columns([AccountedOn, Signature]);
        let account = account.into_model::<Account>().one(self.reader()).await?;
        Ok(Trace { gift_id: gift.row.id, until: quarter.0, rows, account })
    }

    async fn bounded<E: EntityTrait, R: FromQueryResult + Send + Sync>(
        &self,
        select: Select<E>,
    ) -> Result<Vec<R>> {
        let rows = select.limit(MOST + 1).into_model::<R>().all(self.reader()).await?;
        if rows.len() as u64 > MOST { Err(Error::invalid(TOO_MANY)) } else { Ok(rows) }
    }

    /// Whether goods are those that a filter asks for: kits also by what they hold.
    fn matches(&self, filter: &Filter, goods: Goods) -> bool {
        let of_kit = |ids: &Vec<Uuid>| matches!(goods, Goods::Kit(kit, _) if ids.contains(&kit));
        let holds = |ids: &Vec<Uuid>| self.catalog.contents(goods).iter().any(|(item, _)| ids.contains(item));
        filter.kit.as_ref().is_none_or(of_kit) && filter.item.as_ref().is_none_or(holds)
    }
}

impl Trace {
    /// The first and the last day of the quarter that a row is about.
    pub fn period(row: &gift_trace::Model) -> (NaiveDate, NaiveDate) {
        (row.starts_on, Quarter::of(row.starts_on).0)
    }
}
