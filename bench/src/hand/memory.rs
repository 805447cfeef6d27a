//! The reference tables, read once when the server starts.
//!
//! Umbral asks the database at every request whether they have changed; these servers do not, and would go on
//! answering with what they read. What JSON says of an entry is written when it is read.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use api::{
    graphql::render::write_str,
    id::{Kind, write},
    store::search::needle,
};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::pool::client;
use crate::Result;

pub struct Memory {
    /// By the subject of their tokens.
    pub accounts: HashMap<String, Arc<Account>>,
    pub facilities: HashMap<Uuid, Facility>,
    /// In the order of their names.
    pub facility_order: Vec<Uuid>,
    pub programs: HashMap<Uuid, Program>,
    pub items: HashMap<Uuid, Item>,
    pub kits: HashMap<Uuid, Kit>,
    /// Stores of facilities.
    pub stores: HashMap<Uuid, Store>,
    pub cursor_key: Vec<u8>,
}

pub struct Account {
    pub id: Uuid,
    pub organization: Uuid,
    pub role: String,
    /// What a partner sees: its own rows, and those of agreements from a day on, to a day.
    pub scopes: Scopes,
}

/// One entry of each list is a scope.
#[derive(Default)]
pub struct Scopes {
    pub organizations: Vec<Uuid>,
    pub from: Vec<NaiveDate>,
    pub to: Vec<NaiveDate>,
}

impl Scopes {
    pub fn hold(&self, organization: Uuid, day: NaiveDate) -> bool {
        (0..self.organizations.len()).any(|place| {
            self.organizations[place] == organization && self.from[place] <= day && day <= self.to[place]
        })
    }
}

pub struct Facility {
    pub id: Uuid,
    pub country: String,
    pub name: String,
    pub slug: String,
    /// Published and not archived.
    pub open: bool,
    /// `{"id":…,"slug":…,"name":…}`
    pub json: Vec<u8>,
    /// `{"slug":…}`
    pub slug_json: Vec<u8>,
    /// `"slug":…,"name":…,"programs":{"nodes":[…]}`: the first five programs that partners see.
    pub with_programs: Vec<u8>,
}

pub struct Program {
    pub organization: Uuid,
    pub sites: Vec<Uuid>,
    pub starts_on: NaiveDate,
    pub ends_on: Option<NaiveDate>,
    pub open: bool,
    pub sensitive: bool,
    /// `{"id":…,"name":{"text":…}}`
    pub json: Vec<u8>,
    /// `{"name":{"text":…}}`
    pub name_json: Vec<u8>,
}

pub struct Item {
    pub unit: String,
    pub open: bool,
    pub sensitive: bool,
    /// `{"code":…,"name":{"text":…}}`
    pub json: Vec<u8>,
    /// `{"code":…}`
    pub code_json: Vec<u8>,
}

pub struct Kit {
    pub versions: Vec<Version>,
    pub open: bool,
    pub sensitive: bool,
    /// `{"code":…}`
    pub code_json: Vec<u8>,
}

pub struct Version {
    pub number: i32,
    pub valid_from: NaiveDate,
    pub lines: Vec<(Uuid, i32)>,
}

pub struct Store {
    pub organization: Uuid,
    pub facility: Uuid,
    /// `{"id":…,"name":…}`
    pub json: Vec<u8>,
}

impl Memory {
    pub async fn read(url: &str) -> Result<Self> {
        // The connection's other end runs in this thread.
        tokio::task::LocalSet::new().run_until(Self::read_here(url)).await
    }

    async fn read_here(url: &str) -> Result<Self> {
        let db = client(url).await?;
        let items = items(&db).await?;
        let programs = programs(&db).await?;
        let mut facilities = facilities(&db).await?;
        let mut facility_order: Vec<Uuid> = facilities.keys().copied().collect();
        facility_order.sort_by_key(|id| facilities.get(id).map(|row| (needle(&row.name), row.id)));
        for facility in facilities.values_mut() {
            facility.with_programs = with_programs(&db, facility).await?;
        }
        let kits = kits(&db).await?;
        let accounts = accounts(&db).await?;
        let stores = stores(&db).await?;
        let key = db.query_one("SELECT cursor_key FROM instance", &[]).await?;
        let cursor_key = key.get(0);
        Ok(Self { accounts, facilities, facility_order, programs, items, kits, stores, cursor_key })
    }
}

async fn accounts(db: &Client) -> Result<HashMap<String, Arc<Account>>> {
    let mut accounts = HashMap::new();
    let rows = db
        .query(
            "SELECT i.subject, i.account_id, m.organization_id, m.role
             FROM identity i JOIN membership m ON m.account_id = i.account_id
             WHERE i.issuer = 'umbral-demo' AND m.starts_on <= current_date
               AND (m.ends_on IS NULL OR current_date <= m.ends_on)",
            &[],
        )
        .await?;
    for row in rows {
        let (organization, role): (Uuid, String) = (row.get(2), row.get(3));
        let scopes = if role == "PARTNER" { scopes(db, organization).await? } else { Scopes::default() };
        accounts.insert(row.get(0), Arc::new(Account { id: row.get(1), organization, role, scopes }));
    }
    Ok(accounts)
}

async fn scopes(db: &Client, partner: Uuid) -> Result<Scopes> {
    let (first, last) = (day(1, 1, 1), day(9999, 12, 31));
    let mut scopes = Scopes { organizations: vec![partner], from: vec![first], to: vec![last] };
    let rows = db
        .query(
            "SELECT a.organization_id, a.starts_on, a.ends_on
             FROM agreement a JOIN agreement_party p ON p.agreement_id = a.id
             WHERE p.partner_id = $1 AND a.starts_on <= current_date AND a.archived_at IS NULL
               AND (a.ends_on IS NULL OR current_date <= a.ends_on) AND a.shares ? 'DISTRIBUTIONS'
               -- The one partner that is measured has none that is cut.
               AND a.all_facilities AND a.all_programs",
            &[&partner],
        )
        .await?;
    for row in rows {
        scopes.organizations.push(row.get(0));
        scopes.from.push(row.get(1));
        scopes.to.push(row.get::<_, Option<NaiveDate>>(2).unwrap_or(last));
    }
    Ok(scopes)
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

async fn facilities(db: &Client) -> Result<HashMap<Uuid, Facility>> {
    let sql = "SELECT id, slug, name, country, published_at, archived_at FROM facility";
    Ok(db.query(sql, &[]).await?.iter().map(facility).map(|row| (row.id, row)).collect())
}

fn facility(row: &Row) -> Facility {
    let (id, slug, name): (Uuid, String, String) = (row.get(0), row.get(1), row.get(2));
    let mut json = b"{\"id\":\"".to_vec();
    write(Kind::Facility, id, &mut json);
    json.extend_from_slice(b"\",\"slug\":");
    write_str(&mut json, &slug);
    json.extend_from_slice(b",\"name\":");
    write_str(&mut json, &name);
    json.push(b'}');
    let mut slug_json = b"{\"slug\":".to_vec();
    write_str(&mut slug_json, &slug);
    slug_json.push(b'}');
    let open = open(row, 4);
    Facility { id, country: row.get(3), name, slug, open, json, slug_json, with_programs: Vec::new() }
}

fn open(row: &Row, at: usize) -> bool {
    row.get::<_, Option<DateTime<Utc>>>(at).is_some() && row.get::<_, Option<DateTime<Utc>>>(at + 1).is_none()
}

async fn with_programs(db: &Client, facility: &Facility) -> Result<Vec<u8>> {
    let mut found: Vec<(String, Uuid, String, String)> = db
        .query(
            "SELECT p.id, p.slug, p.name FROM program p JOIN program_site s ON s.program_id = p.id
             WHERE s.facility_id = $1 AND p.published_at IS NOT NULL AND p.archived_at IS NULL
               AND p.sensitivity = 'GENERAL'",
            &[&facility.id],
        )
        .await?
        .iter()
        .map(|row| {
            let name = original(&row.get(2));
            (needle(&name), row.get(0), row.get(1), name)
        })
        .collect();
    found.sort();
    let mut json = b"\"slug\":".to_vec();
    write_str(&mut json, &facility.slug);
    json.extend_from_slice(b",\"name\":");
    write_str(&mut json, &facility.name);
    json.extend_from_slice(b",\"programs\":{\"nodes\":[");
    for (place, (_, _, slug, name)) in found.iter().take(5).enumerate() {
        json.extend_from_slice(if place > 0 { b",{\"slug\":" } else { b"{\"slug\":" });
        write_str(&mut json, slug);
        json.extend_from_slice(b",\"name\":{\"text\":");
        write_str(&mut json, name);
        json.extend_from_slice(b"}}");
    }
    json.extend_from_slice(b"]}");
    Ok(json)
}

/// A localized text in the language that it was written in.
fn original(text: &Value) -> String {
    let lang = text["original"].as_str().unwrap_or_default();
    text["texts"][lang]["text"].as_str().unwrap_or_default().to_owned()
}

async fn programs(db: &Client) -> Result<HashMap<Uuid, Program>> {
    let mut sites: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for row in db.query("SELECT program_id, facility_id FROM program_site", &[]).await? {
        sites.entry(row.get(0)).or_default().push(row.get(1));
    }
    let rows = db
        .query(
            "SELECT id, organization_id, name, starts_on, ends_on, sensitivity, published_at, archived_at, status
             FROM program",
            &[],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| {
            let id: Uuid = row.get(0);
            let name = original(&row.get(2));
            let mut name_json = b"{\"name\":{\"text\":".to_vec();
            write_str(&mut name_json, &name);
            name_json.extend_from_slice(b"}}");
            let mut json = b"{\"id\":\"".to_vec();
            write(Kind::Program, id, &mut json);
            json.extend_from_slice(b"\",");
            json.extend_from_slice(&name_json[1..]);
            let status: String = row.get(8);
            let program = Program {
                organization: row.get(1),
                sites: sites.remove(&id).unwrap_or_default(),
                starts_on: row.get(3),
                ends_on: row.get(4),
                open: open(row, 6) && (status == "ACTIVE" || status == "COMPLETED"),
                sensitive: row.get::<_, String>(5) == "SENSITIVE",
                json,
                name_json,
            };
            (id, program)
        })
        .collect())
}

async fn items(db: &Client) -> Result<HashMap<Uuid, Item>> {
    let sql = "SELECT id, code, name, unit, sensitivity, published_at, archived_at FROM item";
    let rows = db.query(sql, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| {
            let code: String = row.get(1);
            let mut json = b"{\"code\":".to_vec();
            write_str(&mut json, &code);
            let mut code_json = json.clone();
            code_json.push(b'}');
            json.extend_from_slice(b",\"name\":{\"text\":");
            write_str(&mut json, &original(&row.get(2)));
            json.extend_from_slice(b"}}");
            let sensitive = row.get::<_, String>(4) == "SENSITIVE";
            (row.get(0), Item { unit: row.get(3), open: open(row, 5), sensitive, json, code_json })
        })
        .collect())
}

async fn kits(db: &Client) -> Result<HashMap<Uuid, Kit>> {
    let mut versions: HashMap<Uuid, BTreeMap<i32, Version>> = HashMap::new();
    let rows = db
        .query(
            "SELECT v.kit_id, v.number, v.valid_from, l.item_id, l.quantity
             FROM kit_version v JOIN kit_line l ON l.kit_id = v.kit_id AND l.number = v.number
             ORDER BY v.kit_id, v.number, l.position",
            &[],
        )
        .await?;
    for row in rows {
        let number: i32 = row.get(1);
        let of_kit = versions.entry(row.get(0)).or_default();
        let version =
            of_kit.entry(number).or_insert(Version { number, valid_from: row.get(2), lines: Vec::new() });
        version.lines.push((row.get(3), row.get(4)));
    }
    let sql = "SELECT id, code, sensitivity, published_at, archived_at FROM kit";
    let rows = db.query(sql, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| {
            let id: Uuid = row.get(0);
            let mut code_json = b"{\"code\":".to_vec();
            write_str(&mut code_json, row.get(1));
            code_json.push(b'}');
            let kit = Kit {
                versions: versions.remove(&id).unwrap_or_default().into_values().collect(),
                open: open(row, 3),
                sensitive: row.get::<_, String>(2) == "SENSITIVE",
                code_json,
            };
            (id, kit)
        })
        .collect())
}

async fn stores(db: &Client) -> Result<HashMap<Uuid, Store>> {
    let sql = "SELECT id, organization_id, facility_id, name FROM stock_place WHERE facility_id IS NOT NULL";
    let rows = db.query(sql, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| {
            let mut json = b"{\"id\":\"".to_vec();
            write(Kind::StockPlace, row.get(0), &mut json);
            json.extend_from_slice(b"\",\"name\":");
            write_str(&mut json, row.get(3));
            json.push(b'}');
            (row.get(0), Store { organization: row.get(1), facility: row.get(2), json })
        })
        .collect())
}
