//! Totals by facility and month.

use actix_web::HttpRequest;
use chrono::NaiveDate;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    super::{Answer, Asked, PoolData, SharedData, StatsOver, account, broken, json, memory::Memory, uuid},
    STATS_ALL, STATS_OF_ITEM, date, int, scopes,
};

/// What a unit of goods counts: itself, or all that a version of a kit holds; of one item, or of all.
#[derive(Default)]
struct Goods<'a> {
    ids: Vec<Uuid>,
    versions: Vec<i32>,
    factors: Vec<i64>,
    low: Vec<&'a str>,
    high: Vec<&'a str>,
}

impl<'a> Goods<'a> {
    fn new(memory: &'a Memory, only: Option<Uuid>) -> Self {
        let mut goods = Self::default();
        for (id, item) in memory.items.iter().filter(|(id, _)| only.is_none_or(|only| **id == only)) {
            goods.add(*id, 0, 1, &item.unit, &item.unit);
        }
        for (id, kit) in &memory.kits {
            for version in &kit.versions {
                let inside = || version.lines.iter().filter(|(id, _)| only.is_none_or(|only| *id == only));
                let units = || inside().filter_map(|(id, _)| memory.items.get(id)).map(|item| &*item.unit);
                if let (Some(low), Some(high)) = (units().min(), units().max()) {
                    let factor = inside().map(|(_, quantity)| i64::from(*quantity)).sum();
                    goods.add(*id, version.number, factor, low, high);
                }
            }
        }
        goods
    }

    fn add(&mut self, id: Uuid, version: i32, factor: i64, low: &'a str, high: &'a str) {
        self.ids.push(id);
        self.versions.push(version);
        self.factors.push(factor);
        self.low.push(low);
        self.high.push(high);
    }
}

pub async fn stats(
    shared: SharedData,
    pools: PoolData,
    asked: Asked<StatsOver>,
    request: HttpRequest,
) -> Answer {
    let account = account(&shared, &request).await?;
    let memory = &shared.memory;
    let item = asked.item.as_deref().map(uuid).transpose()?;
    let goods = Goods::new(memory, item);
    let statement = if item.is_some() { STATS_OF_ITEM } else { STATS_ALL };
    let taken = pools.outside.shared();
    let [organizations, from, to] = scopes(account);
    let parameters = [
        organizations,
        from,
        to,
        &asked.from,
        &asked.to,
        &goods.ids,
        &goods.versions,
        &goods.factors,
        &goods.low,
        &goods.high,
    ];
    let found = taken.connection.client.query(&taken.connection.statements[statement], &parameters).await;
    json(stats_json(memory, &found.map_err(broken)?, asked.from, asked.to))
}

/// Sorted by facility and month, months without any filled in.
fn stats_json(memory: &Memory, found: &[Row], from: NaiveDate, to: NaiveDate) -> Vec<u8> {
    use chrono::{Datelike, Months};
    let mut rows: Vec<(&str, Uuid, NaiveDate, Option<i64>)> = found
        .iter()
        .filter_map(|row| {
            let facility = memory.facilities.get(&row.get(0))?;
            let (low, high): (Option<&str>, Option<&str>) = (row.get(3), row.get(4));
            let units = (low == high).then(|| row.get::<_, Option<i64>>(2).unwrap_or(0));
            Some((facility.slug.as_str(), facility.id, row.get(1), units))
        })
        .collect();
    rows.sort_unstable_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)));
    let first = from.with_day(1).unwrap_or(from);
    let mut out = Vec::with_capacity(64 * 1024);
    out.extend_from_slice(b"{\"data\":{\"distributionStats\":{\"rows\":[");
    let mut count = 0;
    for group in rows.chunk_by(|a, b| a.1 == b.1) {
        let Some(facility) = memory.facilities.get(&group[0].1) else { continue };
        let mut known = group.iter().peekable();
        let mut month = first;
        while month <= to {
            let units = known.next_if(|row| row.2 == month).map_or(Some(0), |row| row.3);
            count += 1;
            if count <= 1000 {
                out.extend_from_slice(if count > 1 { b",{\"facility\":" } else { b"{\"facility\":" });
                out.extend_from_slice(&facility.slug_json);
                out.extend_from_slice(b",\"period\":{\"start\":");
                date(&mut out, month);
                out.extend_from_slice(b"},\"units\":");
                match units {
                    Some(units) => int(&mut out, units),
                    None => out.extend_from_slice(b"null"),
                }
                out.push(b'}');
            }
            match month.checked_add_months(Months::new(1)) {
                Some(next) => month = next,
                None => break,
            }
        }
    }
    out.extend_from_slice(b"],\"truncated\":");
    out.extend_from_slice(if count > 1000 { b"true" } else { b"false" });
    out.extend_from_slice(b"}}}");
    out
}
