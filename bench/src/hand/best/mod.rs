//! The best that we know to write by hand: flat prepared statements on connections that requests share, scopes that
//! use an index each, names out of memory, JSON written into one buffer. Of several ways to read the same rows it
//! has the one that was measured to cost the least CPU.

mod lists;
mod record;
mod stats;
mod stock;
mod women;

use actix_web::web::{self, ServiceConfig};
use chrono::NaiveDate;
use tokio_postgres::types::ToSql;

use super::memory::Account;

/// In the order of the constants below. `$1` to `$3` are the scopes of a partner.
pub const STATEMENTS: [&str; 10] = [
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
       VALUES ($1, $22, $3, $21, $4, $5, $6)
       ON CONFLICT DO NOTHING RETURNING object_id),
     entry AS (
       INSERT INTO distribution (organization_id, id, class, facility_id, program_id, occurred_on, recorded_at,
         status, people_reached, reach_method, version, recorded_by, client_id)
       SELECT $1, $5, $7, $8, $9, $10, $6, 'DELIVERED', $11, $12, 1, $2, $23 FROM once),
     lines AS (
       INSERT INTO distribution_line (organization_id, distribution_id, position, class, shown, item_id, kit_id,
         kit_version, quantity, people_reached)
       SELECT $1, $5, l.position, $7, l.shown, l.item, l.kit, l.version, l.quantity, l.reached
       FROM once, unnest($13::bool[], $14::uuid[], $15::uuid[], $16::int[], $17::int[], $18::int[])
         WITH ORDINALITY l (shown, item, kit, version, quantity, reached, position)),
     event AS (
       INSERT INTO outbox (organization_id, id, kind, row_id, open, recorded_at)
       SELECT $1, $24, 'DISTRIBUTION', $5, $7 = 'OPERATIONS', $6 FROM once),
     trace AS (
       INSERT INTO audit_event (organization_id, id, recorded_at, account_id, role, action, entity, entity_id,
         entity_version, detail)
       SELECT $1, $19, $6, $2, $20, 'RECORD', 'distribution', $5, 1, jsonb_build_object('class', $7::text)
       FROM once)
     SELECT object_id FROM once",
    "SELECT b.place_id, b.on_hand, l.id, l.number, l.expires_on, l.item_id, l.kit_id
     FROM stock_balance b
     JOIN stock_lot l ON l.organization_id = b.organization_id AND l.id = b.lot_id
     WHERE b.organization_id = $1 AND b.place_id = ANY ($2) AND b.on_hand > 0
     ORDER BY b.place_id, b.lot_id",
    "SELECT w.id, w.code, w.given_names, w.family_names, w.birth_date, e.id, e.status, e.starts_on, e.program_id
     FROM (SELECT * FROM bench_woman WHERE organization_id = $1 ORDER BY code, id LIMIT 50) w
     LEFT JOIN LATERAL (
       SELECT id, status, starts_on, program_id FROM enrolment
       WHERE organization_id = $1 AND participant_id = w.id
       ORDER BY starts_on DESC, id DESC LIMIT 5) e ON TRUE
     ORDER BY w.code, w.id, e.starts_on DESC, e.id DESC",
    "SELECT a.id, a.mark, a.minutes, w.id, w.code, w.given_names, w.family_names
     FROM attendance a
     JOIN bench_woman w ON w.organization_id = a.organization_id AND w.id = a.participant_id
     WHERE a.organization_id = $1 AND a.session_id = $2
     ORDER BY w.code, a.id",
];

const PAGE: usize = 0;
const NESTED: usize = 1;
const LINES: usize = 2;
const STATS_ALL: usize = 3;
const STATS_OF_ITEM: usize = 4;
const ONE: usize = 5;
const RECORD: usize = 6;
const STOCK: usize = 7;
const WOMEN: usize = 8;
const ATTENDANCE: usize = 9;

pub fn routes(services: &mut ServiceConfig) {
    services
        .route("/page", web::get().to(lists::page))
        .route("/nested", web::get().to(lists::nested))
        .route("/stats", web::get().to(stats::stats))
        .route("/one", web::get().to(lists::one))
        .route("/stock", web::get().to(stock::stock))
        .route("/women", web::get().to(women::women))
        .route("/attendance", web::get().to(women::attendance))
        .route("/record", web::post().to(record::record))
        .route("/sync", web::post().to(record::sync));
}

fn int(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn date(out: &mut Vec<u8>, day: NaiveDate) {
    use std::io::Write;
    // Writing to memory does not fail.
    let _ = write!(out, "\"{day}\"");
}

fn scopes(account: &Account) -> [&(dyn ToSql + Sync); 3] {
    [&account.scopes.organizations, &account.scopes.from, &account.scopes.to]
}
