//! Writing down what donors may know at the end of a quarter.
//!
//! An entry of the ledger says when it is recorded whether it is open. All others (small and sensitive deliveries,
//! and with them small transfers, losses, adjustments and counts, so that nothing tells them apart) are hidden and
//! stand in one sum. A balance leaves that sum out until its deliveries stand for enough women and units; from then
//! on it is part of the balance, and what is hidden later begins a new sum. What is sent for a delivery is hidden until
//! outsiders see the delivery; from then on they know it, and it is as good as open.
//!
//! What is recorded about a facility while it is hidden counts as recorded when the facility is shown again. What was
//! published before stays as it is: a figure that changed would tell how much went there.

mod sql;

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    gift_balance, gift_flow, gift_quarter, gift_trace,
    value::{GiftFlowKind, StockMovementKind},
};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, IntoActiveModel,
    QueryOrder, Statement, Value, sea_query::OnConflict,
};
use serde_json::json;
use uuid::Uuid;

use super::Quarter;
use crate::{
    auth::Viewer,
    error::Result,
    store::{Access, class::THRESHOLD, stock::Goods, write::Trace},
};

/// What a balance is of: an organisation, who gave, and what.
#[derive(Clone, Copy, Debug, Eq, FromQueryResult, Ord, PartialEq, PartialOrd)]
struct Key {
    organization_id: Uuid,
    donor_id: Uuid,
    item_id: Option<Uuid>,
    kit_id: Option<Uuid>,
    kit_version: Option<i32>,
}

/// What a movement did to the warehouses, of one key, where outsiders may not learn of it.
#[derive(Clone, Debug, FromQueryResult)]
struct Hidden {
    #[sea_orm(nested)]
    key: Key,
    recorded_at: DateTime<Utc>,
    occurred_on: NaiveDate,
    distribution_id: Option<Uuid>,
    facility_id: Option<Uuid>,
    quantity: i64,
    people: Option<i32>,
}

impl Access {
    /// Publishes the quarters that have ended since the last one, or since stock was first recorded, up to a quarter.
    #[expect(clippy::disallowed_methods, reason = "the program itself publishes for all organisations")]
    pub(super) async fn publish_quarters(&self, ended: Quarter) -> Result<()> {
        let program = self.store.access_with(Viewer::system(Uuid::nil()), self.store.catalog().await?);
        let bulk = self.store.bulk().await?;
        let last = gift_quarter::Entity::find()
            .order_by_desc(gift_quarter::Column::QuarterEnd)
            .one(&bulk.tx)
            .await?;
        let mut quarter = match last {
            Some(last) => Quarter(last.quarter_end).next(),
            None => first_quarter(&bulk.tx).await?.filter(|first| *first < ended).unwrap_or(ended),
        };
        let mut told = Vec::new();
        let mut published = None;
        while quarter <= ended {
            let row = gift_quarter::Model { quarter_end: quarter.0, recorded_at: self.now };
            // Waits for another server that publishes it, and then leaves it as it is.
            let first = gift_quarter::Entity::insert(row.into_active_model().reset_all())
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .exec_without_returning(&bulk.tx)
                .await?;
            if first == 1 {
                let balances = program.balances(&bulk.tx, quarter).await?;
                told.extend(balances.iter().map(|row| (row.organization_id, quarter)));
                bulk.insert::<gift_balance::Entity>(balances).await?;
                undo_flows(&bulk.tx, quarter).await?;
                bulk.insert::<gift_flow::Entity>(program.flows(&bulk.tx, quarter).await?).await?;
                published = Some(quarter);
            }
            quarter = quarter.next();
        }
        if let Some(quarter) = published {
            // Deliveries that outsiders see can be corrected, and what became of a gift with them.
            gift_trace::Entity::delete_many().exec(&bulk.tx).await?;
            bulk.insert::<gift_trace::Entity>(program.traces(&bulk.tx, quarter).await?).await?;
        }
        let write = bulk.as_write(&program);
        told.dedup();
        for (organization, quarter) in told {
            let detail = json!({ "quarterEnd": quarter.0 });
            let trace = Trace { action: "PUBLISH", entity: "gift_quarter", detail };
            write.trace(organization, trace, organization, None).await?;
        }
        write.commit().await
    }

    async fn balances(&self, tx: &DatabaseTransaction, quarter: Quarter) -> Result<Vec<gift_balance::Model>> {
        #[derive(FromQueryResult)]
        struct Open {
            #[sea_orm(nested)]
            key: Key,
            quantity: i64,
        }
        #[derive(FromQueryResult)]
        struct Merged {
            #[sea_orm(nested)]
            key: Key,
            merged_on: NaiveDate,
        }
        const MERGED: &str = "SELECT organization_id, donor_id, item_id, kit_id, kit_version, \
             max(merged_on) AS merged_on FROM gift_balance WHERE merged_on IS NOT NULL \
             GROUP BY organization_id, donor_id, item_id, kit_id, kit_version";
        let statement = Statement::from_string(self.backend(), MERGED);
        let merged = Merged::find_by_statement(statement).all(tx).await?;
        let merged: BTreeMap<Key, NaiveDate> =
            merged.into_iter().map(|row| (row.key, row.merged_on)).collect();
        let open = Open::find_by_statement(self.told_by(quarter, sql::open_balances)).all(tx).await?;
        let mut sums: BTreeMap<Key, i64> = open.into_iter().map(|row| (row.key, row.quantity)).collect();
        let mut hidden: BTreeMap<Key, Vec<Hidden>> = BTreeMap::new();
        for row in Hidden::find_by_statement(self.told_by(quarter, sql::hidden_movements)).all(tx).await? {
            hidden.entry(row.key).or_default().push(row);
        }
        for key in hidden.keys() {
            sums.entry(*key).or_default();
        }
        let shown =
            sums.into_iter().filter(|(key, _)| self.catalog.is_shown(key.goods(), quarter.public_on()));
        let rows = shown.map(|(key, open)| {
            let movements = hidden.get(&key).map_or(&[][..], Vec::as_slice);
            let merged_on = merge(movements, merged.get(&key).map(|day| Quarter(*day)), quarter);
            let merged = movements.iter().filter(|one| merged_on.is_some_and(|by| one.is_known_by(by)));
            let quantity = open + merged.map(|one| one.quantity).sum::<i64>();
            gift_balance::Model {
                organization_id: key.organization_id,
                id: self.new_id(),
                quarter_end: quarter.0,
                donor_id: key.donor_id,
                // What came in unseen can go out in the open.
                quantity: std::cmp::max(quantity, 0),
                merged_on: merged_on.map(|quarter| quarter.0),
                item_id: key.item_id,
                kit_id: key.kit_id,
                kit_version: key.kit_version,
            }
        });
        Ok(rows.collect())
    }

    /// What came in and what left the warehouses, line by line where a line is bulk.
    async fn flows(&self, tx: &DatabaseTransaction, quarter: Quarter) -> Result<Vec<gift_flow::Model>> {
        #[derive(FromQueryResult)]
        struct Flow {
            #[sea_orm(nested)]
            key: Key,
            movement_id: Uuid,
            lot_id: Uuid,
            kind: StockMovementKind,
            occurred_on: NaiveDate,
            facility_id: Option<Uuid>,
            quantity: i64,
        }
        let flows = Flow::find_by_statement(self.told_by(quarter, sql::flows)).all(tx).await?;
        let bulk = flows.into_iter().filter(|flow| {
            flow.quantity >= i64::from(THRESHOLD)
                && self.catalog.is_shown(flow.key.goods(), quarter.public_on())
        });
        let rows = bulk.map(|flow| gift_flow::Model {
            organization_id: flow.key.organization_id,
            movement_id: flow.movement_id,
            lot_id: flow.lot_id,
            quarter_end: quarter.0,
            donor_id: flow.key.donor_id,
            kind: match flow.kind {
                StockMovementKind::Receipt => GiftFlowKind::Receipt,
                _ => GiftFlowKind::Dispatch,
            },
            occurred_on: flow.occurred_on,
            quantity: flow.quantity,
            facility_id: flow.facility_id,
            undone_in: None,
            item_id: flow.key.item_id,
            kit_id: flow.key.kit_id,
            kit_version: flow.key.kit_version,
        });
        Ok(rows.collect())
    }

    /// What of each gift was handed over in deliveries that outsiders see: of its own lots, and of kits that were
    /// put together from them.
    async fn traces(&self, tx: &DatabaseTransaction, quarter: Quarter) -> Result<Vec<gift_trace::Model>> {
        #[derive(FromQueryResult)]
        struct Handed {
            organization_id: Uuid,
            gift_id: Uuid,
            item_id: Option<Uuid>,
            kit_id: Option<Uuid>,
            kit_version: Option<i32>,
            facility_id: Uuid,
            occurred_on: NaiveDate,
            quantity: i64,
        }
        // Organisation, gift, first day of the quarter, facility, item.
        type Group = (Uuid, Uuid, NaiveDate, Uuid, Uuid);
        let mut sums: BTreeMap<Group, (i64, i64)> = BTreeMap::new();
        for (statement, assembled) in [(sql::HANDED_OVER, false), (sql::HANDED_OVER_IN_KITS, true)] {
            for row in Handed::find_by_statement(self.known_by(quarter, statement)).all(tx).await? {
                let contents = self.catalog.contents(Goods::new(row.item_id, row.kit_id, row.kit_version));
                let starts_on = Quarter::of(row.occurred_on).start();
                for (item, inside) in contents {
                    let key = (row.organization_id, row.gift_id, starts_on, row.facility_id, item);
                    let (all, in_kits) = sums.entry(key).or_default();
                    *all += row.quantity * inside;
                    *in_kits += if assembled || row.kit_id.is_some() { row.quantity * inside } else { 0 };
                }
            }
        }
        let rows = sums.into_iter().filter(|((.., item), (all, _))| {
            *all >= i64::from(THRESHOLD) && self.catalog.is_shown(Goods::Item(*item), quarter.public_on())
        });
        let rows =
            rows.map(|((organization_id, gift_id, starts_on, facility_id, item_id), (all, in_kits))| {
                gift_trace::Model {
                    organization_id,
                    gift_id,
                    starts_on,
                    facility_id,
                    item_id,
                    quantity: all,
                    in_kits: in_kits.clamp(0, all),
                }
            });
        Ok(rows.collect())
    }

    /// A statement about what is recorded before a quarter closes and happened by its end.
    fn known_by(&self, quarter: Quarter, sql: &str) -> Statement {
        let values = [quarter.closes_at().into(), quarter.0.into()];
        Statement::from_sql_and_values(self.backend(), sql, values)
    }

    /// The same, where what is recorded about a facility while it is hidden counts as recorded when it is shown again.
    fn told_by(&self, quarter: Quarter, sql: impl FnOnce(&dyn Fn(&str) -> String) -> String) -> Statement {
        let mut values: Vec<Value> = vec![quarter.closes_at().into(), quarter.0.into()];
        let facilities = self.catalog.facilities.iter();
        let mut hidden: Vec<_> = facilities
            .flat_map(|entry| entry.hidden_spans().map(|(from, until)| (until, from, entry.row.id)))
            .collect();
        // Of two facilities, the one that is hidden for longer decides.
        hidden.sort_unstable_by(|a, b| b.cmp(a));
        let mut places = Vec::new();
        for (until, from, facility) in hidden {
            let next = values.len() + 1;
            places.push([next, next + 1, next + 2]);
            values.extend([facility.into(), from.into(), until.into()]);
        }
        let recorded = |alias: &str| match places.as_slice() {
            [] => format!("{alias}.recorded_at"),
            places => {
                let cases: String = places.iter().map(|place| sql::shown_again(alias, *place)).collect();
                format!("(CASE {cases}ELSE {alias}.recorded_at END)")
            }
        };
        Statement::from_sql_and_values(self.backend(), sql(&recorded), values)
    }
}

/// The last quarter whose hidden movements are part of the balance: this one when what is hidden since then stands
/// for enough women and units, else the one that it was.
///
/// Ten deliveries may be to one woman. So only the largest delivery at each facility counts, by what it said when it
/// reached fewest.
fn merge(hidden: &[Hidden], merged_on: Option<Quarter>, quarter: Quarter) -> Option<Quarter> {
    #[derive(Default)]
    struct Delivery {
        facility: Option<Uuid>,
        women: Option<i32>,
        units: i64,
    }
    let (before, since): (Vec<&Hidden>, Vec<&Hidden>) =
        hidden.iter().partition(|one| merged_on.is_some_and(|by| one.is_known_by(by)));
    let counted: HashSet<Uuid> = before.iter().filter_map(|one| one.distribution_id).collect();
    let mut deliveries: BTreeMap<Uuid, Delivery> = BTreeMap::new();
    for one in since {
        let Some(id) = one.distribution_id.filter(|id| !counted.contains(id)) else { continue };
        let delivery = deliveries.entry(id).or_default();
        delivery.facility = one.facility_id;
        delivery.units -= one.quantity;
        delivery.women = delivery.women.into_iter().chain(one.people).min();
    }
    let mut women: BTreeMap<Option<Uuid>, i32> = BTreeMap::new();
    let mut units = 0;
    for delivery in deliveries.into_values().filter(|delivery| delivery.units > 0) {
        // What is on its way stands for nobody yet.
        let Some(of_delivery) = delivery.women else { continue };
        units += delivery.units;
        let most = women.entry(delivery.facility).or_default();
        *most = std::cmp::max(*most, of_delivery);
    }
    let women: i64 = women.into_values().map(i64::from).sum();
    let enough = women >= i64::from(THRESHOLD) && units >= i64::from(THRESHOLD);
    if enough { Some(quarter) } else { merged_on }
}

/// The quarter in which stock was first recorded.
async fn first_quarter(tx: &DatabaseTransaction) -> Result<Option<Quarter>> {
    #[derive(FromQueryResult)]
    struct First {
        recorded_at: Option<DateTime<Utc>>,
    }
    const FIRST: &str = "SELECT min(recorded_at) AS recorded_at FROM stock_movement";
    let first =
        First::find_by_statement(Statement::from_string(tx.get_database_backend(), FIRST)).one(tx).await?;
    Ok(first.and_then(|first| first.recorded_at).map(|at| Quarter::of(at.date_naive())))
}

async fn undo_flows(tx: &DatabaseTransaction, quarter: Quarter) -> Result<()> {
    const UNDO: &str = "UPDATE gift_flow SET undone_in = $2 WHERE undone_in IS NULL AND EXISTS (\
         SELECT 1 FROM stock_movement r WHERE r.organization_id = gift_flow.organization_id \
         AND r.reverses_id = gift_flow.movement_id AND r.recorded_at < $1)";
    let values = [quarter.closes_at().into(), quarter.0.into()];
    tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), UNDO, values)).await?;
    Ok(())
}

impl Key {
    fn goods(&self) -> Goods {
        Goods::new(self.item_id, self.kit_id, self.kit_version)
    }
}

impl Hidden {
    fn is_known_by(&self, quarter: Quarter) -> bool {
        self.recorded_at < quarter.closes_at() && self.occurred_on <= quarter.0
    }
}

#[cfg(test)]
mod tests;
