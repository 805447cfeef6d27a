//! Writing down what donors may know at the end of a quarter.
//!
//! An entry of the ledger says when it is recorded whether it is open. All others (small and sensitive deliveries,
//! and with them small transfers, losses, adjustments and counts, so that nothing tells them apart) are hidden and
//! stand in one sum. A balance leaves that sum out until its deliveries stand for enough women and units; from then
//! on it is part of the balance, and what is hidden later begins a new sum. What is sent for a delivery is hidden until
//! outsiders see the delivery; from then on they know it, and it is as good as open.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    gift_balance, gift_flow, gift_quarter, gift_trace,
    value::{GiftFlowKind, StockMovementKind},
};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, IntoActiveModel,
    QueryOrder, Statement, sea_query::OnConflict,
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
        let open = Open::find_by_statement(self.known_by(quarter, &open_balances())).all(tx).await?;
        let mut sums: BTreeMap<Key, i64> = open.into_iter().map(|row| (row.key, row.quantity)).collect();
        let mut hidden: BTreeMap<Key, Vec<Hidden>> = BTreeMap::new();
        for row in Hidden::find_by_statement(self.known_by(quarter, &hidden_movements())).all(tx).await? {
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
        let flows = Flow::find_by_statement(self.known_by(quarter, FLOWS)).all(tx).await?;
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
        for (statement, assembled) in [(HANDED_OVER, false), (HANDED_OVER_IN_KITS, true)] {
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

/// Whether an entry is of goods that were sent for a delivery, and outsiders see how much of them it handed over.
const SEEN: &str = "m.kind IN ('TRANSFER', 'ARRIVAL') AND m.distribution_id IS NOT NULL AND (\
     SELECT COALESCE(sum(x.quantity), 0) FROM stock_movement n \
     JOIN stock_entry x ON x.organization_id = n.organization_id AND x.movement_id = n.id \
     JOIN stock_lot y ON y.organization_id = x.organization_id AND y.id = x.lot_id \
     WHERE n.organization_id = m.organization_id AND n.distribution_id = m.distribution_id \
     AND n.recorded_at < $1 AND x.side = 'CONSUMED' AND x.open \
     AND COALESCE(y.item_id, y.kit_id) = COALESCE(l.item_id, l.kit_id) \
     AND COALESCE(y.kit_version, 0) = COALESCE(l.kit_version, 0)) > 0";

fn open_balances() -> String {
    format!(
        "SELECT l.organization_id, l.donor_id, l.item_id, l.kit_id, l.kit_version, \
         CAST(sum(e.quantity) AS bigint) AS quantity \
         FROM stock_entry e \
         JOIN stock_movement m ON m.organization_id = e.organization_id AND m.id = e.movement_id \
         JOIN stock_lot l ON l.organization_id = e.organization_id AND l.id = e.lot_id \
         JOIN stock_place p ON p.organization_id = e.organization_id AND p.id = e.place_id \
         WHERE p.kind = 'WAREHOUSE' AND l.donor_id IS NOT NULL AND (e.open OR {SEEN}) \
         AND m.recorded_at < $1 AND m.occurred_on <= $2 \
         GROUP BY l.organization_id, l.donor_id, l.item_id, l.kit_id, l.kit_version"
    )
}

/// The women of what was sent are those whom the delivery reached, once it has taken place.
fn hidden_movements() -> String {
    format!(
        "SELECT l.organization_id, l.donor_id, l.item_id, l.kit_id, l.kit_version, \
         m.recorded_at, m.occurred_on, m.distribution_id, d.facility_id, \
         CAST(sum(e.quantity) AS bigint) AS quantity, \
         COALESCE(min(e.people_reached), (\
             SELECT min(x.people_reached) FROM stock_movement n \
             JOIN stock_entry x ON x.organization_id = n.organization_id AND x.movement_id = n.id \
             WHERE n.organization_id = l.organization_id AND n.distribution_id = m.distribution_id \
             AND n.recorded_at < $1)) AS people \
         FROM stock_entry e \
         JOIN stock_movement m ON m.organization_id = e.organization_id AND m.id = e.movement_id \
         JOIN stock_lot l ON l.organization_id = e.organization_id AND l.id = e.lot_id \
         JOIN stock_place p ON p.organization_id = e.organization_id AND p.id = e.place_id \
         LEFT JOIN distribution d ON d.organization_id = m.organization_id AND d.id = m.distribution_id \
         WHERE p.kind = 'WAREHOUSE' AND l.donor_id IS NOT NULL AND NOT e.open AND NOT ({SEEN}) \
         AND m.recorded_at < $1 AND m.occurred_on <= $2 \
         GROUP BY l.organization_id, l.donor_id, l.item_id, l.kit_id, l.kit_version, \
         m.id, m.recorded_at, m.occurred_on, m.distribution_id, d.facility_id"
    )
}

const FLOWS: &str = "SELECT l.organization_id, l.donor_id, l.item_id, l.kit_id, l.kit_version, \
     e.movement_id, e.lot_id, m.kind, m.occurred_on, t.facility_id, \
     CAST(sum(abs(e.quantity)) AS bigint) AS quantity \
     FROM stock_entry e \
     JOIN stock_movement m ON m.organization_id = e.organization_id AND m.id = e.movement_id \
     JOIN stock_lot l ON l.organization_id = e.organization_id AND l.id = e.lot_id \
     JOIN stock_place p ON p.organization_id = e.organization_id AND p.id = e.place_id \
     LEFT JOIN stock_place t ON t.organization_id = m.organization_id AND t.id = m.to_place_id \
     WHERE l.donor_id IS NOT NULL AND e.open AND m.reverses_id IS NULL \
     AND (m.kind = 'RECEIPT' OR m.kind = 'TRANSFER' AND p.kind = 'WAREHOUSE' AND e.quantity < 0) \
     AND m.recorded_at < $1 AND m.occurred_on <= $2 \
     AND NOT EXISTS (SELECT 1 FROM stock_movement r WHERE r.organization_id = m.organization_id \
     AND r.reverses_id = m.id AND r.recorded_at < $1) \
     AND NOT EXISTS (SELECT 1 FROM gift_flow f WHERE f.organization_id = e.organization_id \
     AND f.movement_id = e.movement_id AND f.lot_id = e.lot_id) \
     GROUP BY l.organization_id, l.donor_id, l.item_id, l.kit_id, l.kit_version, \
     e.movement_id, e.lot_id, m.kind, m.occurred_on, t.facility_id";

const HANDED_OVER: &str = "SELECT l.organization_id, l.gift_id, l.item_id, l.kit_id, l.kit_version, \
     d.facility_id, m.occurred_on, CAST(sum(e.quantity) AS bigint) AS quantity \
     FROM stock_entry e \
     JOIN stock_movement m ON m.organization_id = e.organization_id AND m.id = e.movement_id \
     JOIN stock_lot l ON l.organization_id = e.organization_id AND l.id = e.lot_id \
     JOIN distribution d ON d.organization_id = m.organization_id AND d.id = m.distribution_id \
     WHERE e.side = 'CONSUMED' AND e.open AND d.class = 'OPERATIONS' AND l.gift_id IS NOT NULL \
     AND m.recorded_at < $1 AND m.occurred_on <= $2 \
     GROUP BY l.organization_id, l.gift_id, l.item_id, l.kit_id, l.kit_version, d.facility_id, m.occurred_on";

const HANDED_OVER_IN_KITS: &str = "SELECT l.organization_id, l.gift_id, l.item_id, l.kit_id, l.kit_version, \
     d.facility_id, m.occurred_on, CAST(sum(e.quantity * a.quantity) AS bigint) AS quantity \
     FROM stock_entry e \
     JOIN stock_movement m ON m.organization_id = e.organization_id AND m.id = e.movement_id \
     JOIN stock_lot_part a ON a.organization_id = e.organization_id AND a.lot_id = e.lot_id \
     JOIN stock_lot l ON l.organization_id = a.organization_id AND l.id = a.part_lot_id \
     JOIN distribution d ON d.organization_id = m.organization_id AND d.id = m.distribution_id \
     WHERE e.side = 'CONSUMED' AND e.open AND d.class = 'OPERATIONS' AND l.gift_id IS NOT NULL \
     AND m.recorded_at < $1 AND m.occurred_on <= $2 \
     GROUP BY l.organization_id, l.gift_id, l.item_id, l.kit_id, l.kit_version, d.facility_id, m.occurred_on";

#[cfg(test)]
mod tests;
