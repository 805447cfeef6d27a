//! The best that we know to write by hand: flat prepared statements on connections that requests share, scopes that
//! use an index each, names out of memory, JSON written into one buffer. Of several ways to read the same rows it
//! has the one that was measured to cost the least CPU.

use actix_web::{
    HttpRequest,
    web::{self, ServiceConfig},
};
use api::{
    graphql::render::write_str,
    id::{Kind, text, write},
};
use chrono::NaiveDate;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use super::{
    Answer, Asked, Body, NestedIn, OneBy, PageOf, PoolData, Shared, SharedData, StatsOver, account, bad,
    broken, json,
    memory::{Account, Memory},
    record, seal, uuid,
};

/// In the order of the constants below. `$1` to `$3` are the scopes of a partner.
pub const STATEMENTS: [&str; 7] = [
    "SELECT d.id, d.facility_id, d.program_id, d.occurred_on, d.status, d.people_reached
     FROM unnest($1::uuid[], $2::date[], $3::date[]) s (organization_id, starts, ends)
     CROSS JOIN LATERAL (
       SELECT id, facility_id, program_id, occurred_on, status, people_reached FROM distribution
       WHERE organization_id = s.organization_id AND facility_id = $4 AND class = 'OPERATIONS'
         AND occurred_on >= s.starts AND occurred_on <= s.ends
       ORDER BY occurred_on DESC, id DESC LIMIT 51) d
     ORDER BY d.occurred_on DESC, d.id DESC LIMIT 51",
    "SELECT f.place, d.id, d.occurred_on
     FROM unnest($4::uuid[]) WITH ORDINALITY f (id, place)
     CROSS JOIN LATERAL (
       SELECT d.*
       FROM unnest($1::uuid[], $2::date[], $3::date[]) s (organization_id, starts, ends)
       CROSS JOIN LATERAL (
         SELECT id, occurred_on FROM distribution
         WHERE organization_id = s.organization_id AND facility_id = f.id AND class = 'OPERATIONS'
           AND occurred_on >= s.starts AND occurred_on <= s.ends
         ORDER BY occurred_on DESC, id DESC LIMIT 11) d
       ORDER BY d.occurred_on DESC, d.id DESC LIMIT 11) d
     ORDER BY f.place, d.occurred_on DESC, d.id DESC",
    "SELECT distribution_id, item_id, kit_id, quantity FROM distribution_line
     WHERE organization_id = ANY ($1) AND distribution_id = ANY ($2) AND class = 'OPERATIONS' AND shown
     ORDER BY distribution_id, position",
    "SELECT d.facility_id, date_trunc('month', d.occurred_on::timestamp)::date,
       sum(l.quantity * g.factor)::bigint, min(g.low), max(g.high)
     FROM unnest($1::uuid[], $2::date[], $3::date[]) s (organization_id, starts, ends)
     JOIN distribution d ON d.organization_id = s.organization_id
       AND d.occurred_on >= greatest(s.starts, $4) AND d.occurred_on <= least(s.ends, $5)
       AND d.class = 'OPERATIONS' AND d.status IN ('DELIVERED', 'VERIFIED')
     LEFT JOIN distribution_line l ON l.organization_id = d.organization_id AND l.distribution_id = d.id
       AND l.class = 'OPERATIONS' AND l.shown
     LEFT JOIN unnest($6::uuid[], $7::int[], $8::bigint[], $9::text[], $10::text[])
         g (id, version, factor, low, high)
       ON g.id = coalesce(l.item_id, l.kit_id) AND g.version = coalesce(l.kit_version, 0)
     GROUP BY 1, 2",
    "SELECT d.facility_id, date_trunc('month', d.occurred_on::timestamp)::date,
       sum(l.quantity * g.factor)::bigint, min(g.low), max(g.high)
     FROM unnest($1::uuid[], $2::date[], $3::date[]) s (organization_id, starts, ends)
     JOIN distribution d ON d.organization_id = s.organization_id
       AND d.occurred_on >= greatest(s.starts, $4) AND d.occurred_on <= least(s.ends, $5)
       AND d.class = 'OPERATIONS' AND d.status IN ('DELIVERED', 'VERIFIED')
     JOIN distribution_line l ON l.organization_id = d.organization_id AND l.distribution_id = d.id
       AND l.class = 'OPERATIONS' AND l.shown
     JOIN unnest($6::uuid[], $7::int[], $8::bigint[], $9::text[], $10::text[])
         g (id, version, factor, low, high)
       ON g.id = coalesce(l.item_id, l.kit_id) AND g.version = coalesce(l.kit_version, 0)
     GROUP BY 1, 2",
    "SELECT d.facility_id, d.program_id, d.occurred_on, d.status, d.people_reached,
       l.item_id, l.kit_id, l.quantity, d.organization_id
     FROM distribution d
     LEFT JOIN distribution_line l ON l.organization_id = d.organization_id AND l.distribution_id = d.id
       AND l.class = 'OPERATIONS' AND l.shown
     WHERE d.organization_id = ANY ($1) AND d.id = $2 AND d.class = 'OPERATIONS'
     ORDER BY l.position",
    "WITH once AS (
       INSERT INTO idempotency
         (organization_id, account_id, key, operation, input_hash, object_id, recorded_at)
       VALUES ($1, $2, $3, 'recordDistribution', $4, $5, $6)
       ON CONFLICT DO NOTHING RETURNING object_id),
     entry AS (
       INSERT INTO distribution (organization_id, id, class, facility_id, program_id, occurred_on, recorded_at,
         status, people_reached, reach_method, version, recorded_by)
       SELECT $1, $5, $7, $8, $9, $10, $6, 'DELIVERED', $11, $12, 1, $2 FROM once),
     lines AS (
       INSERT INTO distribution_line (organization_id, distribution_id, position, class, shown, item_id, kit_id,
         kit_version, quantity, people_reached)
       SELECT $1, $5, l.position, $7, l.shown, l.item, l.kit, l.version, l.quantity, l.reached
       FROM once, unnest($13::bool[], $14::uuid[], $15::uuid[], $16::int[], $17::int[], $18::int[])
         WITH ORDINALITY l (shown, item, kit, version, quantity, reached, position)),
     trace AS (
       INSERT INTO audit_event (organization_id, id, recorded_at, account_id, role, action, entity, entity_id,
         entity_version, detail)
       SELECT $1, $19, $6, $2, $20, 'RECORD', 'distribution', $5, 1, jsonb_build_object('class', $7::text)
       FROM once)
     SELECT object_id FROM once",
];

const PAGE: usize = 0;
const NESTED: usize = 1;
const LINES: usize = 2;
const STATS_ALL: usize = 3;
const STATS_OF_ITEM: usize = 4;
const ONE: usize = 5;
const RECORD: usize = 6;

pub fn routes(services: &mut ServiceConfig) {
    services
        .route("/page", web::get().to(page))
        .route("/nested", web::get().to(nested))
        .route("/stats", web::get().to(stats))
        .route("/one", web::get().to(one))
        .route("/record", web::post().to(record));
}

/// Lines in the order of the ids of their deliveries.
struct Lines(Vec<Row>);

impl Lines {
    /// Read by the keys of their deliveries: PostgreSQL takes the keys in order in one scan, which costs half of a
    /// join with the page, more than a second way to the database does.
    async fn read(
        connection: &super::pool::Connection,
        account: &Account,
        ids: &[Uuid],
    ) -> std::result::Result<Self, actix_web::Error> {
        let parameters: [&(dyn ToSql + Sync); 2] = [&account.scopes.organizations, &ids];
        let found = connection.client.query(&connection.statements[LINES], &parameters).await;
        found.map(Self).map_err(broken)
    }

    /// Writes those of a delivery, with code and name of what was handed over.
    fn write(&self, memory: &Memory, of: Uuid, out: &mut Vec<u8>) {
        let first = self.0.partition_point(|row| row.get::<_, Uuid>(0) < of);
        out.push(b'[');
        for (place, row) in self.0[first..].iter().take_while(|row| row.get::<_, Uuid>(0) == of).enumerate() {
            if place > 0 {
                out.push(b',');
            }
            line(memory, row, 1, out, |item| &item.json);
        }
        out.push(b']');
    }
}

fn line(
    memory: &Memory,
    row: &Row,
    first: usize,
    out: &mut Vec<u8>,
    of_item: impl Fn(&super::memory::Item) -> &[u8],
) {
    out.extend_from_slice(b"{\"quantity\":");
    int(out, row.get::<_, i32>(first + 2).into());
    out.extend_from_slice(b",\"item\":");
    let item: Option<Uuid> = row.get(first);
    out.extend_from_slice(item.and_then(|id| memory.items.get(&id)).map_or(b"null", of_item));
    out.extend_from_slice(b",\"kit\":");
    let kit: Option<Uuid> = row.get(first + 1);
    let kit = kit.and_then(|id| memory.kits.get(&id));
    out.extend_from_slice(kit.map_or(b"null", |kit| &kit.code_json));
    out.push(b'}');
}

fn int(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn date(out: &mut Vec<u8>, day: NaiveDate) {
    use std::io::Write;
    // Writing to memory does not fail.
    let _ = write!(out, "\"{day}\"");
}

/// Null while it is not known, and for partners below the threshold.
fn people(out: &mut Vec<u8>, status: &str, people: i32) {
    if status == "PLANNED" || status == "DISPATCHED" || people < api::store::class::THRESHOLD {
        out.extend_from_slice(b"null");
    } else {
        int(out, people.into());
    }
}

fn page_info(out: &mut Vec<u8>, has_next: bool, cursor: Option<String>) {
    out.extend_from_slice(b",\"pageInfo\":{\"hasNextPage\":");
    out.extend_from_slice(if has_next { b"true" } else { b"false" });
    out.extend_from_slice(b",\"endCursor\":");
    match cursor {
        Some(cursor) => write_str(out, &cursor),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}

fn scopes(account: &Account) -> [&(dyn ToSql + Sync); 3] {
    [&account.scopes.organizations, &account.scopes.from, &account.scopes.to]
}

async fn page(shared: SharedData, pools: PoolData, asked: Asked<PageOf>, request: HttpRequest) -> Answer {
    let account = account(&shared, &request).await?;
    let memory = &shared.memory;
    let facility = uuid(&asked.facility)?;
    let taken = pools.outside.shared();
    let connection = taken.connection;
    let [organizations, from, to] = scopes(account);
    let parameters = [organizations, from, to, &facility];
    let rows = connection.client.query(&connection.statements[PAGE], &parameters).await.map_err(broken)?;
    let ids: Vec<Uuid> = rows.iter().take(50).map(|row| row.get(0)).collect();
    let lines = Lines::read(connection, account, &ids).await?;
    let mut out = Vec::with_capacity(48 * 1024);
    out.extend_from_slice(b"{\"data\":{\"distributions\":{\"nodes\":[");
    for (place, row) in rows.iter().take(50).enumerate() {
        if place > 0 {
            out.push(b',');
        }
        let (id, day): (Uuid, NaiveDate) = (row.get(0), row.get(3));
        out.extend_from_slice(b"{\"id\":\"");
        write(Kind::Distribution, id, &mut out);
        out.extend_from_slice(b"\",\"occurredOn\":");
        date(&mut out, day);
        out.extend_from_slice(b",\"status\":");
        let status: &str = row.get(4);
        write_str(&mut out, status);
        out.extend_from_slice(b",\"peopleReached\":");
        people(&mut out, status, row.get(5));
        out.extend_from_slice(b",\"facility\":");
        out.extend_from_slice(memory.facilities.get(&row.get(1)).map_or(b"null", |row| &row.json));
        out.extend_from_slice(b",\"program\":");
        out.extend_from_slice(memory.programs.get(&row.get(2)).map_or(b"null", |row| &row.json));
        out.extend_from_slice(b",\"lines\":");
        lines.write(memory, id, &mut out);
        out.push(b'}');
    }
    out.push(b']');
    let last = rows.iter().take(50).last().map(|row| {
        let filter = format!("{{facility: [\"{}\"]}}", text(Kind::Facility, facility));
        seal::cursor(
            &memory.cursor_key,
            account,
            ["DistributionConnection", "", &filter, ""],
            row.get(3),
            row.get(0),
        )
    });
    page_info(&mut out, rows.len() > 50, last);
    out.extend_from_slice(b"}}}");
    json(out)
}

async fn nested(shared: SharedData, pools: PoolData, asked: Asked<NestedIn>, request: HttpRequest) -> Answer {
    let account = account(&shared, &request).await?;
    let memory = &shared.memory;
    let found: Vec<&super::memory::Facility> = memory
        .facility_order
        .iter()
        .filter_map(|id| memory.facilities.get(id))
        .filter(|row| row.open && row.country == asked.country)
        .take(20)
        .collect();
    let ids: Vec<Uuid> = found.iter().map(|row| row.id).collect();
    let taken = pools.outside.shared();
    let connection = taken.connection;
    let [organizations, from, to] = scopes(account);
    let parameters = [organizations, from, to, &ids];
    let rows = connection.client.query(&connection.statements[NESTED], &parameters).await.map_err(broken)?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.get(1)).collect();
    let lines = Lines::read(connection, account, &ids).await?;
    let mut rows = rows.into_iter().peekable();
    let mut out = Vec::with_capacity(96 * 1024);
    out.extend_from_slice(b"{\"data\":{\"facilities\":{\"nodes\":[");
    for (facility, place) in found.iter().zip(1_i64..) {
        out.extend_from_slice(if place > 1 { b",{" } else { b"{" });
        out.extend_from_slice(&facility.with_programs);
        out.extend_from_slice(b",\"distributions\":{\"nodes\":[");
        let (mut count, mut last) = (0, None);
        while let Some(row) = rows.next_if(|row| row.get::<_, i64>(0) == place) {
            count += 1;
            if count > 10 {
                continue;
            }
            let (id, day): (Uuid, NaiveDate) = (row.get(1), row.get(2));
            out.extend_from_slice(if count > 1 { b",{\"id\":\"" } else { b"{\"id\":\"" });
            write(Kind::Distribution, id, &mut out);
            out.extend_from_slice(b"\",\"occurredOn\":");
            date(&mut out, day);
            out.extend_from_slice(b",\"lines\":");
            lines.write(memory, id, &mut out);
            out.push(b'}');
            last = Some((day, id));
        }
        out.push(b']');
        let cursor = last.map(|(day, id)| {
            let list = ["DistributionConnection", &facility.id.to_string(), "", ""];
            seal::cursor(&memory.cursor_key, account, list, day, id)
        });
        page_info(&mut out, count > 10, cursor);
        out.extend_from_slice(b"}}");
    }
    out.extend_from_slice(b"]}}}");
    json(out)
}

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

async fn stats(shared: SharedData, pools: PoolData, asked: Asked<StatsOver>, request: HttpRequest) -> Answer {
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

async fn one(shared: SharedData, pools: PoolData, asked: Asked<OneBy>, request: HttpRequest) -> Answer {
    let account = account(&shared, &request).await?;
    let memory = &shared.memory;
    let id = uuid(&asked.id)?;
    let taken = pools.outside.shared();
    // One statement costs less than two here, although the row comes with each of its lines.
    let found = taken
        .connection
        .client
        .query(&taken.connection.statements[ONE], &[&account.scopes.organizations, &id])
        .await
        .map_err(broken)?;
    let row = found.first().filter(|row| account.scopes.hold(row.get(8), row.get(2)));
    let Some(row) = row else { return json(&b"{\"data\":{\"distribution\":null}}"[..]) };
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(b"{\"data\":{\"distribution\":{\"id\":\"");
    write(Kind::Distribution, id, &mut out);
    out.extend_from_slice(b"\",\"occurredOn\":");
    date(&mut out, row.get(2));
    out.extend_from_slice(b",\"status\":");
    let status: &str = row.get(3);
    write_str(&mut out, status);
    out.extend_from_slice(b",\"peopleReached\":");
    people(&mut out, status, row.get(4));
    out.extend_from_slice(b",\"facility\":");
    out.extend_from_slice(memory.facilities.get(&row.get(0)).map_or(b"null", |row| &row.slug_json));
    out.extend_from_slice(b",\"program\":");
    out.extend_from_slice(memory.programs.get(&row.get(1)).map_or(b"null", |row| &row.name_json));
    out.extend_from_slice(b",\"lines\":[");
    let lines = found.iter().filter(|row| row.get::<_, Option<i32>>(7).is_some());
    for (place, row) in lines.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        line(memory, row, 5, &mut out, |item| &item.code_json);
    }
    out.extend_from_slice(b"]}}}");
    json(out)
}

async fn record(shared: SharedData, pools: PoolData, body: Body, request: HttpRequest) -> Answer {
    let account = account(&shared, &request).await?;
    let memory = &shared.memory;
    let new = record::check(memory, account, &body).ok_or_else(|| bad("the input breaks a rule"))?;
    let taken = pools.main.shared();
    // One statement is one transaction.
    let made = taken
        .connection
        .client
        .query_opt(
            &taken.connection.statements[RECORD],
            &[
                &account.organization,
                &account.id,
                &new.key,
                &new.hash,
                &new.id,
                &new.now,
                &new.class,
                &new.facility,
                &new.program,
                &new.occurred_on,
                &new.people_reached,
                &new.reach_method,
                &new.shown,
                &new.items,
                &new.kits,
                &new.versions,
                &new.quantities,
                &new.reached,
                &new.audit_id,
                &account.role,
            ],
        )
        .await
        .map_err(broken)?;
    if made.is_none() {
        return Err(actix_web::error::ErrorConflict("the key was used"));
    }
    json(recorded(&shared, &new))
}

fn recorded(shared: &Shared, new: &record::Recording) -> Vec<u8> {
    let memory = &shared.memory;
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(b"{\"data\":{\"recordDistribution\":{\"distribution\":{\"id\":\"");
    write(Kind::Distribution, new.id, &mut out);
    out.extend_from_slice(b"\",\"version\":1,\"class\":");
    write_str(&mut out, new.class);
    out.extend_from_slice(b",\"occurredOn\":");
    date(&mut out, new.occurred_on);
    out.extend_from_slice(b",\"lines\":[");
    for (place, quantity) in new.quantities.iter().enumerate() {
        out.extend_from_slice(if place > 0 { b",{\"quantity\":" } else { b"{\"quantity\":" });
        int(&mut out, (*quantity).into());
        out.extend_from_slice(b",\"item\":");
        let item = new.items[place].and_then(|id| memory.items.get(&id));
        out.extend_from_slice(item.map_or(b"null", |item| &item.code_json));
        out.extend_from_slice(b",\"kit\":");
        let kit = new.kits[place].and_then(|id| memory.kits.get(&id));
        out.extend_from_slice(kit.map_or(b"null", |kit| &kit.code_json));
        out.push(b'}');
    }
    out.extend_from_slice(b"]},\"userErrors\":[]}}}");
    out
}
