//! What many would write: one statement for each request, in which PostgreSQL builds the JSON. Only cursors are
//! sealed here, since the database does not hold what that takes.

use actix_web::{
    HttpRequest,
    web::{self, ServiceConfig},
};
use api::id::{Kind, text};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    Answer, Asked, Body, NestedIn, OneBy, PageOf, PoolData, SharedData, StatsOver, account, bad, broken,
    json, memory::Account, record, seal, uuid,
};

/// In the order of the constants below. `$1` to `$3` are the scopes of a partner.
pub const STATEMENTS: [&str; 10] = [
    "WITH page AS (
       SELECT d.* FROM unnest($1::uuid[], $2::date[], $3::date[]) s (organization_id, starts, ends)
       CROSS JOIN LATERAL (
         SELECT * FROM distribution
         WHERE organization_id = s.organization_id AND facility_id = $4 AND class = 'OPERATIONS'
           AND occurred_on >= s.starts AND occurred_on <= s.ends
         ORDER BY occurred_on DESC, id DESC LIMIT 51) d
       ORDER BY d.occurred_on DESC, d.id DESC LIMIT 51),
     shown AS (SELECT * FROM page ORDER BY occurred_on DESC, id DESC LIMIT 50)
     SELECT coalesce(json_agg(json_build_object(
         'id', translate(encode('\\x06'::bytea || uuid_send(d.id), 'base64'), '+/=', '-_'),
         'occurredOn', d.occurred_on, 'status', d.status,
         'peopleReached', CASE WHEN d.status NOT IN ('PLANNED', 'DISPATCHED') AND d.people_reached >= 10
           THEN d.people_reached END,
         'facility', json_build_object(
           'id', translate(encode('\\x02'::bytea || uuid_send(f.id), 'base64'), '+/=', '-_'),
           'slug', f.slug, 'name', f.name),
         'program', json_build_object(
           'id', translate(encode('\\x03'::bytea || uuid_send(p.id), 'base64'), '+/=', '-_'),
           'name', json_build_object('text', p.name -> 'texts' -> (p.name ->> 'original') -> 'text')),
         'lines', l.lines) ORDER BY d.occurred_on DESC, d.id DESC), '[]')::text,
       (SELECT count(*) FROM page) > 50,
       (SELECT occurred_on FROM shown ORDER BY occurred_on, id LIMIT 1),
       (SELECT id FROM shown ORDER BY occurred_on, id LIMIT 1)
     FROM shown d JOIN facility f ON f.id = d.facility_id JOIN program p ON p.id = d.program_id
     CROSS JOIN LATERAL (
       SELECT coalesce(json_agg(json_build_object('quantity', l.quantity,
         'item', CASE WHEN i.id IS NOT NULL THEN json_build_object('code', i.code,
           'name', json_build_object('text', i.name -> 'texts' -> (i.name ->> 'original') -> 'text')) END,
         'kit', CASE WHEN k.id IS NOT NULL THEN json_build_object('code', k.code) END)
         ORDER BY l.position), '[]') AS lines
       FROM distribution_line l LEFT JOIN item i ON i.id = l.item_id LEFT JOIN kit k ON k.id = l.kit_id
       WHERE l.organization_id = d.organization_id AND l.distribution_id = d.id
         AND l.class = 'OPERATIONS' AND l.shown) l",
    "SELECT f.id, json_build_object('slug', f.slug, 'name', f.name, 'programs', (
         SELECT json_build_object('nodes', coalesce(json_agg(json_build_object('slug', p.slug,
           'name', json_build_object('text', p.text)) ORDER BY p.text), '[]'))
         FROM (
           SELECT p.slug, p.name -> 'texts' -> (p.name ->> 'original') ->> 'text' AS text
           FROM program p JOIN program_site s ON s.program_id = p.id
           WHERE s.facility_id = f.id AND p.published_at IS NOT NULL AND p.archived_at IS NULL
             AND p.sensitivity = 'GENERAL' ORDER BY 2 LIMIT 5) p))::text,
       d.nodes::text, d.count > 10, d.day, d.id
     FROM (SELECT * FROM facility
       WHERE country = $4 AND published_at IS NOT NULL AND archived_at IS NULL
       ORDER BY lower(name), id LIMIT 20) f
     CROSS JOIN LATERAL (
       WITH page AS (
         SELECT d.*, row_number() OVER (ORDER BY d.occurred_on DESC, d.id DESC) AS place
         FROM unnest($1::uuid[], $2::date[], $3::date[]) s (organization_id, starts, ends)
         CROSS JOIN LATERAL (
           SELECT organization_id, id, occurred_on FROM distribution
           WHERE organization_id = s.organization_id AND facility_id = f.id AND class = 'OPERATIONS'
             AND occurred_on >= s.starts AND occurred_on <= s.ends
           ORDER BY occurred_on DESC, id DESC LIMIT 11) d
         ORDER BY d.occurred_on DESC, d.id DESC LIMIT 11)
       SELECT coalesce(json_agg(json_build_object(
           'id', translate(encode('\\x06'::bytea || uuid_send(d.id), 'base64'), '+/=', '-_'),
           'occurredOn', d.occurred_on,
           'lines', (
             SELECT coalesce(json_agg(json_build_object('quantity', l.quantity,
               'item', CASE WHEN i.id IS NOT NULL THEN json_build_object('code', i.code, 'name',
                 json_build_object('text', i.name -> 'texts' -> (i.name ->> 'original') -> 'text')) END,
               'kit', CASE WHEN k.id IS NOT NULL THEN json_build_object('code', k.code) END)
               ORDER BY l.position), '[]')
             FROM distribution_line l LEFT JOIN item i ON i.id = l.item_id LEFT JOIN kit k ON k.id = l.kit_id
             WHERE l.organization_id = d.organization_id AND l.distribution_id = d.id
               AND l.class = 'OPERATIONS' AND l.shown))
           ORDER BY d.place) FILTER (WHERE d.place <= 10), '[]') AS nodes,
         count(*) AS count,
         (SELECT occurred_on FROM page WHERE place <= 10 ORDER BY place DESC LIMIT 1) AS day,
         (SELECT id FROM page WHERE place <= 10 ORDER BY place DESC LIMIT 1) AS id
       FROM page d) d
     ORDER BY lower(f.name), f.id",
    "WITH groups AS (
       SELECT d.facility_id, date_trunc('month', d.occurred_on::timestamp)::date AS month,
         sum(l.quantity * coalesce(k.quantity, 1))::bigint AS units, min(i.unit) AS low, max(i.unit) AS high
       FROM unnest($1::uuid[], $2::date[], $3::date[]) s (organization_id, starts, ends)
       JOIN distribution d ON d.organization_id = s.organization_id
         AND d.occurred_on >= greatest(s.starts, $4) AND d.occurred_on <= least(s.ends, $5)
         AND d.class = 'OPERATIONS' AND d.status IN ('DELIVERED', 'VERIFIED')
       LEFT JOIN distribution_line l ON l.organization_id = d.organization_id AND l.distribution_id = d.id
         AND l.class = 'OPERATIONS' AND l.shown
       LEFT JOIN kit_line k ON k.kit_id = l.kit_id AND k.number = l.kit_version
       LEFT JOIN item i ON i.id = coalesce(l.item_id, k.item_id)
       GROUP BY 1, 2)
     SELECT coalesce(json_agg(json_build_object('facility', json_build_object('slug', f.slug),
         'period', json_build_object('start', m.month),
         'units', CASE WHEN g.low = g.high OR g.low IS NULL THEN coalesce(g.units, 0) END)
         ORDER BY f.slug, m.month), '[]')::text
     FROM (SELECT DISTINCT facility_id FROM groups) o JOIN facility f ON f.id = o.facility_id
     CROSS JOIN (SELECT generate_series(date_trunc('month', $4::date::timestamp), $5::date, '1 month')::date
       AS month) m
     LEFT JOIN groups g ON g.facility_id = f.id AND g.month = m.month",
    "WITH groups AS (
       SELECT d.facility_id, date_trunc('month', d.occurred_on::timestamp)::date AS month,
         sum(l.quantity * coalesce(k.quantity, 1))::bigint AS units, min(i.unit) AS low, max(i.unit) AS high
       FROM unnest($1::uuid[], $2::date[], $3::date[]) s (organization_id, starts, ends)
       JOIN distribution d ON d.organization_id = s.organization_id
         AND d.occurred_on >= greatest(s.starts, $4) AND d.occurred_on <= least(s.ends, $5)
         AND d.class = 'OPERATIONS' AND d.status IN ('DELIVERED', 'VERIFIED')
       JOIN distribution_line l ON l.organization_id = d.organization_id AND l.distribution_id = d.id
         AND l.class = 'OPERATIONS' AND l.shown
       LEFT JOIN kit_line k ON k.kit_id = l.kit_id AND k.number = l.kit_version
       JOIN item i ON i.id = coalesce(l.item_id, k.item_id) AND i.id = $6
       GROUP BY 1, 2)
     SELECT coalesce(json_agg(json_build_object('facility', json_build_object('slug', f.slug),
         'period', json_build_object('start', m.month),
         'units', CASE WHEN g.low = g.high OR g.low IS NULL THEN coalesce(g.units, 0) END)
         ORDER BY f.slug, m.month), '[]')::text
     FROM (SELECT DISTINCT facility_id FROM groups) o JOIN facility f ON f.id = o.facility_id
     CROSS JOIN (SELECT generate_series(date_trunc('month', $4::date::timestamp), $5::date, '1 month')::date
       AS month) m
     LEFT JOIN groups g ON g.facility_id = f.id AND g.month = m.month",
    "SELECT json_build_object(
         'id', translate(encode('\\x06'::bytea || uuid_send(d.id), 'base64'), '+/=', '-_'),
         'occurredOn', d.occurred_on, 'status', d.status,
         'peopleReached', CASE WHEN d.status NOT IN ('PLANNED', 'DISPATCHED') AND d.people_reached >= 10
           THEN d.people_reached END,
         'facility', json_build_object('slug', f.slug),
         'program', json_build_object('name',
           json_build_object('text', p.name -> 'texts' -> (p.name ->> 'original') -> 'text')),
         'lines', (
           SELECT coalesce(json_agg(json_build_object('quantity', l.quantity,
             'item', CASE WHEN i.id IS NOT NULL THEN json_build_object('code', i.code) END,
             'kit', CASE WHEN k.id IS NOT NULL THEN json_build_object('code', k.code) END)
             ORDER BY l.position), '[]')
           FROM distribution_line l LEFT JOIN item i ON i.id = l.item_id LEFT JOIN kit k ON k.id = l.kit_id
           WHERE l.organization_id = d.organization_id AND l.distribution_id = d.id
             AND l.class = 'OPERATIONS' AND l.shown))::text
     FROM unnest($1::uuid[], $2::date[], $3::date[]) s (organization_id, starts, ends)
     JOIN distribution d ON d.organization_id = s.organization_id AND d.id = $4
       AND d.class = 'OPERATIONS' AND d.occurred_on >= s.starts AND d.occurred_on <= s.ends
     JOIN facility f ON f.id = d.facility_id JOIN program p ON p.id = d.program_id",
    "INSERT INTO idempotency (organization_id, account_id, key, operation, input_hash, object_id, recorded_at)
     VALUES ($1, $2, $3, 'recordDistribution', $4, $5, $6) ON CONFLICT DO NOTHING",
    "INSERT INTO distribution (organization_id, id, class, facility_id, program_id, occurred_on, recorded_at,
       status, people_reached, reach_method, version, recorded_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 'DELIVERED', $8, $9, 1, $10)",
    "INSERT INTO distribution_line (organization_id, distribution_id, position, class, shown, item_id, kit_id,
       kit_version, quantity, people_reached)
     SELECT $1, $2, l.position, $3, l.shown, l.item, l.kit, l.version, l.quantity, l.reached
     FROM unnest($4::bool[], $5::uuid[], $6::uuid[], $7::int[], $8::int[], $9::int[])
       WITH ORDINALITY l (shown, item, kit, version, quantity, reached, position)",
    "INSERT INTO outbox (organization_id, id, kind, row_id, open, recorded_at)
     VALUES ($1, $2, 'DISTRIBUTION', $3, $4::text = 'OPERATIONS', $5)",
    "WITH trace AS (
       INSERT INTO audit_event (organization_id, id, recorded_at, account_id, role, action, entity, entity_id,
         entity_version, detail)
       VALUES ($1, $2, $3, $4, $5, 'RECORD', 'distribution', $6, 1, jsonb_build_object('class', $7::text)))
     SELECT json_build_object(
       'id', translate(encode('\\x06'::bytea || uuid_send(d.id), 'base64'), '+/=', '-_'),
       'version', d.version, 'class', d.class, 'occurredOn', d.occurred_on,
       'lines', (
         SELECT json_agg(json_build_object('quantity', l.quantity,
           'item', CASE WHEN i.id IS NOT NULL THEN json_build_object('code', i.code) END,
           'kit', CASE WHEN k.id IS NOT NULL THEN json_build_object('code', k.code) END) ORDER BY l.position)
         FROM distribution_line l LEFT JOIN item i ON i.id = l.item_id LEFT JOIN kit k ON k.id = l.kit_id
         WHERE l.organization_id = d.organization_id AND l.distribution_id = d.id))::text
     FROM distribution d WHERE d.organization_id = $1 AND d.id = $6",
];

const PAGE: usize = 0;
const NESTED: usize = 1;
const STATS_ALL: usize = 2;
const STATS_OF_ITEM: usize = 3;
const ONE: usize = 4;
const KEY: usize = 5;
const ROW: usize = 6;
const LINES: usize = 7;
const EVENT: usize = 8;
const TRACE: usize = 9;

pub fn routes(services: &mut ServiceConfig) {
    services
        .route("/page", web::get().to(page))
        .route("/nested", web::get().to(nested))
        .route("/stats", web::get().to(stats))
        .route("/one", web::get().to(one))
        .route("/record", web::post().to(record));
}

/// `nodes` and what a page says of itself, from three columns: whether there is more, and the last row's place.
fn connection(
    nodes: &str,
    row: &Row,
    first: usize,
    key: &[u8],
    account: &Account,
    list: [&str; 4],
) -> String {
    let cursor = match (row.get(first + 1), row.get(first + 2)) {
        (Some(day), Some(id)) => format!("\"{}\"", seal::cursor(key, account, list, day, id)),
        _ => "null".to_owned(),
    };
    let more: bool = row.get(first);
    format!("{{\"nodes\":{nodes},\"pageInfo\":{{\"hasNextPage\":{more},\"endCursor\":{cursor}}}}}")
}

async fn page(shared: SharedData, pools: PoolData, asked: Asked<PageOf>, request: HttpRequest) -> Answer {
    let account = account(&shared, &request).await?;
    let facility = uuid(&asked.facility)?;
    let taken = pools.main.alone().await.map_err(broken)?;
    let scopes = &account.scopes;
    let row = taken
        .connection
        .client
        .query_one(
            &taken.connection.statements[PAGE],
            &[&scopes.organizations, &scopes.from, &scopes.to, &facility],
        )
        .await
        .map_err(broken)?;
    let filter = format!("{{facility: [\"{}\"]}}", text(Kind::Facility, facility));
    let list = ["DistributionConnection", "", &filter, ""];
    let page = connection(row.get(0), &row, 1, &shared.memory.cursor_key, account, list);
    json(format!("{{\"data\":{{\"distributions\":{page}}}}}"))
}

async fn nested(shared: SharedData, pools: PoolData, asked: Asked<NestedIn>, request: HttpRequest) -> Answer {
    let account = account(&shared, &request).await?;
    let taken = pools.main.alone().await.map_err(broken)?;
    let scopes = &account.scopes;
    let rows = taken
        .connection
        .client
        .query(
            &taken.connection.statements[NESTED],
            &[&scopes.organizations, &scopes.from, &scopes.to, &asked.country],
        )
        .await
        .map_err(broken)?;
    let mut out = "{\"data\":{\"facilities\":{\"nodes\":[".to_owned();
    for (place, row) in rows.iter().enumerate() {
        let (id, facility): (Uuid, &str) = (row.get(0), row.get(1));
        let list = ["DistributionConnection", &id.to_string(), "", ""];
        let page = connection(row.get(2), row, 3, &shared.memory.cursor_key, account, list);
        out.push_str(if place > 0 { "," } else { "" });
        out.push_str(facility.strip_suffix('}').unwrap_or(facility));
        out.push_str(",\"distributions\":");
        out.push_str(&page);
        out.push('}');
    }
    out.push_str("]}}}");
    json(out)
}

async fn stats(shared: SharedData, pools: PoolData, asked: Asked<StatsOver>, request: HttpRequest) -> Answer {
    let account = account(&shared, &request).await?;
    let item = asked.item.as_deref().map(uuid).transpose()?;
    let taken = pools.main.alone().await.map_err(broken)?;
    let (client, statements) = (&taken.connection.client, &taken.connection.statements);
    let scopes = &account.scopes;
    let row = match item {
        None => {
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
                [&scopes.organizations, &scopes.from, &scopes.to, &asked.from, &asked.to];
            client.query_one(&statements[STATS_ALL], &parameters).await
        }
        Some(item) => {
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
                [&scopes.organizations, &scopes.from, &scopes.to, &asked.from, &asked.to, &item];
            client.query_one(&statements[STATS_OF_ITEM], &parameters).await
        }
    };
    let rows: String = row.map_err(broken)?.get(0);
    json(format!("{{\"data\":{{\"distributionStats\":{{\"rows\":{rows},\"truncated\":false}}}}}}"))
}

async fn one(shared: SharedData, pools: PoolData, asked: Asked<OneBy>, request: HttpRequest) -> Answer {
    let account = account(&shared, &request).await?;
    let id = uuid(&asked.id)?;
    let taken = pools.main.alone().await.map_err(broken)?;
    let scopes = &account.scopes;
    let row = taken
        .connection
        .client
        .query_opt(&taken.connection.statements[ONE], &[&scopes.organizations, &scopes.from, &scopes.to, &id])
        .await
        .map_err(broken)?;
    let found: &str = row.as_ref().map_or("null", |row| row.get(0));
    json(format!("{{\"data\":{{\"distribution\":{found}}}}}"))
}

async fn record(shared: SharedData, pools: PoolData, body: Body, request: HttpRequest) -> Answer {
    let account = account(&shared, &request).await?;
    let new = record::check(&shared.memory, account, &body).ok_or_else(|| bad("the input breaks a rule"))?;
    let taken = pools.main.alone().await.map_err(broken)?;
    let (client, statements) = (&taken.connection.client, &taken.connection.statements);
    let own = &account.organization;
    client.batch_execute("BEGIN").await.map_err(broken)?;
    let inserted = client
        .execute(&statements[KEY], &[own, &account.id, &new.key, &new.hash, &new.id, &new.now])
        .await
        .map_err(broken)?;
    if inserted == 0 {
        client.batch_execute("ROLLBACK").await.map_err(broken)?;
        return Err(actix_web::error::ErrorConflict("the key was used"));
    }
    client
        .execute(
            &statements[ROW],
            &[
                own,
                &new.id,
                &new.class,
                &new.facility,
                &new.program,
                &new.occurred_on,
                &new.now,
                &new.people_reached,
                &new.reach_method,
                &account.id,
            ],
        )
        .await
        .map_err(broken)?;
    client
        .execute(
            &statements[LINES],
            &[
                own,
                &new.id,
                &new.class,
                &new.shown,
                &new.items,
                &new.kits,
                &new.versions,
                &new.quantities,
                &new.reached,
            ],
        )
        .await
        .map_err(broken)?;
    client
        .execute(&statements[EVENT], &[own, &new.event_id, &new.id, &new.class, &new.now])
        .await
        .map_err(broken)?;
    let row = client
        .query_one(
            &statements[TRACE],
            &[own, &new.audit_id, &new.now, &account.id, &account.role, &new.id, &new.class],
        )
        .await
        .map_err(broken)?;
    client.batch_execute("COMMIT").await.map_err(broken)?;
    let made: &str = row.get(0);
    json(format!("{{\"data\":{{\"recordDistribution\":{{\"distribution\":{made},\"userErrors\":[]}}}}}}"))
}
