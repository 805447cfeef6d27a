//! Deliveries, in pages and one by one.

use actix_web::HttpRequest;
use api::{
    graphql::render::write_str,
    id::{Kind, text, write},
};
use chrono::NaiveDate;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use super::{
    super::{
        Answer, Asked, NestedIn, OneBy, PageOf, PoolData, SharedData, account, broken, json,
        memory::{Account, Facility, Item, Memory},
        pool::Connection,
        seal, uuid,
    },
    LINES, NESTED, ONE, PAGE, date, int, scopes,
};

/// Lines in the order of the ids of their deliveries.
struct Lines(Vec<Row>);

impl Lines {
    /// Read by the keys of their deliveries: PostgreSQL takes the keys in order in one scan, which costs half of a
    /// join with the page, more than a second way to the database does.
    async fn read(
        connection: &Connection,
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

fn line(memory: &Memory, row: &Row, first: usize, out: &mut Vec<u8>, of_item: impl Fn(&Item) -> &[u8]) {
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

pub async fn page(shared: SharedData, pools: PoolData, asked: Asked<PageOf>, request: HttpRequest) -> Answer {
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

pub async fn nested(
    shared: SharedData,
    pools: PoolData,
    asked: Asked<NestedIn>,
    request: HttpRequest,
) -> Answer {
    let account = account(&shared, &request).await?;
    let memory = &shared.memory;
    let found: Vec<&Facility> = memory
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

pub async fn one(shared: SharedData, pools: PoolData, asked: Asked<OneBy>, request: HttpRequest) -> Answer {
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
