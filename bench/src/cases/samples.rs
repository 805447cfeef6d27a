//! Rows of the demonstration data that requests are about, and the requests.

use std::net::SocketAddr;

use api::id::{Kind, text};
use chrono::NaiveDate;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Asked, Name, SYNCED, documents};
use crate::{
    Result,
    load::{self, MARK, Requests, Text, http},
};

/// What is asked for.
pub struct Samples {
    pub facilities: Vec<Uuid>,
    pub deliveries: Vec<Uuid>,
    pub year: (NaiveDate, NaiveDate),
    pub item: Uuid,
    pub program: Uuid,
    pub sites: Vec<Uuid>,
    pub day: NaiveDate,
    /// A kit, then items.
    pub goods: (Uuid, [Uuid; 2]),
    pub partner_token: String,
    pub coordinator_token: String,
    /// A session that women were at; empty until there is one.
    pub session: String,
}

/// The organisation whose deliveries are asked for.
pub const ORGANIZATION: &str = "red-de-accion-carcelaria";
/// The partner that asks.
pub const PARTNER: &str = "demo-partner-network";

impl Samples {
    pub async fn read(
        db: &tokio_postgres::Client,
        partner_token: String,
        coordinator_token: String,
    ) -> Result<Self> {
        let ids = async |sql: &str| -> Result<Vec<Uuid>> {
            Ok(db.query(sql, &[&ORGANIZATION]).await?.iter().map(|row| row.get(0)).collect())
        };
        let own = "organization_id = (SELECT id FROM organization WHERE slug = $1)";
        let one = async |sql: String| -> Result<Uuid> {
            ids(&sql).await?.first().copied().ok_or_else(|| format!("no row: {sql}").into())
        };
        let days = db
            .query_one(
                "SELECT (date_trunc('year', now()) - interval '1 year')::date,
                        (date_trunc('year', now()) - interval '1 day')::date, current_date - 3",
                &[],
            )
            .await?;
        Ok(Self {
            facilities: ids(&format!(
                "SELECT facility_id FROM distribution WHERE {own} AND class = 'OPERATIONS'
                 GROUP BY facility_id HAVING count(*) > 200 ORDER BY md5(facility_id::text) LIMIT 16"
            ))
            .await?,
            deliveries: ids(&format!(
                "SELECT id FROM distribution WHERE {own} AND class = 'OPERATIONS'
                 ORDER BY md5(id::text) LIMIT 512"
            ))
            .await?,
            year: (days.get(0), days.get(1)),
            item: one(format!("SELECT id FROM item WHERE {own} AND code = 'soap'")).await?,
            program: one(format!("SELECT id FROM program WHERE {own} AND slug = 'kits-de-higiene'")).await?,
            sites: ids(&format!("SELECT id FROM facility WHERE {own} ORDER BY slug LIMIT 16")).await?,
            day: days.get(2),
            goods: (
                one(format!("SELECT id FROM kit WHERE {own} AND code = 'hygiene-kit'")).await?,
                [
                    one(format!("SELECT id FROM item WHERE {own} AND code = 'soap'")).await?,
                    one(format!("SELECT id FROM item WHERE {own} AND code = 'menstrual-pads'")).await?,
                ],
            ),
            partner_token,
            coordinator_token,
            session: String::new(),
        })
    }

    /// The requests of a case, as one kind of server takes them.
    pub fn requests(&self, name: Name, asked: Asked) -> Requests {
        let staff = name.writes() || name.of_women() || name == Name::Stock;
        let token = if staff { &self.coordinator_token } else { &self.partner_token };
        let texts = self
            .variables(name)
            .into_iter()
            .map(|variables| match asked {
                Asked::Umbral if name.of_women() => self.of_women(name.document(), &variables),
                Asked::Umbral => graphql(token, name.document(), &variables),
                Asked::Hand if name.writes() => {
                    http("POST", name.path(), token, Some(&variables["input"].to_string()))
                }
                Asked::Hand => {
                    http("GET", &format!("{}?{}", name.path(), self.address(name, &variables)), token, None)
                }
            })
            .collect();
        Requests { texts, rows: name.rows() }
    }

    /// A document that is about women, sent by the coordinator.
    pub fn of_women(&self, document: &str, variables: &Value) -> Text {
        graphql(&self.coordinator_token, document, variables).with("Umbral-Purpose: SERVICE")
    }

    fn variables(&self, name: Name) -> Vec<Value> {
        let facility = |id: &Uuid| text(Kind::Facility, *id);
        let year = json!({ "from": self.year.0, "to": self.year.1 });
        match name {
            Name::Page => self.facilities.iter().map(|id| json!({ "facility": facility(id) })).collect(),
            Name::Nested => vec![json!({ "country": "CL" })],
            Name::Stats => vec![json!({ "filter": { "occurredOn": year } })],
            Name::StatsItem => {
                let item = text(Kind::Item, self.item);
                vec![json!({ "filter": { "item": [item], "occurredOn": year } })]
            }
            Name::One => {
                let ids = self.deliveries.iter();
                ids.map(|id| json!({ "id": text(Kind::Distribution, *id) })).collect()
            }
            Name::Stock => self.sites.iter().map(|id| json!({ "facility": facility(id) })).collect(),
            Name::Women => vec![json!({})],
            Name::Attendance => vec![json!({ "id": self.session })],
            // These are of a device.
            Name::Changes | Name::Unchanged => Vec::new(),
            Name::Record => {
                let input = |site| self.delivery("idempotencyKey", site);
                self.sites.iter().map(|site| json!({ "input": input(*site) })).collect()
            }
            Name::Sync => {
                let sites = self.sites.iter().cycle().take(SYNCED);
                let rows: Vec<_> = sites.map(|site| self.delivery("clientId", *site)).collect();
                vec![json!({ "input": { "rows": rows } })]
            }
        }
    }

    /// A new delivery under a key that is new in each request.
    fn delivery(&self, key: &str, site: Uuid) -> Value {
        let (kit, [soap, pads]) = self.goods;
        json!({
            (key): MARK,
            "facility": text(Kind::Facility, site),
            "program": text(Kind::Program, self.program),
            "occurredOn": self.day,
            "peopleReached": 40,
            "reachMethod": "COUNTED",
            "lines": [
                { "supplied": { "kit": text(Kind::Kit, kit) }, "quantity": 40 },
                { "supplied": { "item": text(Kind::Item, soap) }, "quantity": 80 },
                { "supplied": { "item": text(Kind::Item, pads) }, "quantity": 80, "peopleReached": 35 },
            ],
        })
    }

    /// The same as parameters of an address.
    fn address(&self, name: Name, variables: &Value) -> String {
        let (from, to) = self.year;
        let value = |name: &str| variables[name].as_str().unwrap_or_default();
        match name {
            Name::Page | Name::Stock => format!("facility={}", value("facility")),
            Name::Women => String::new(),
            Name::Nested => format!("country={}", value("country")),
            Name::Stats => format!("from={from}&to={to}"),
            Name::StatsItem => format!("from={from}&to={to}&item={}", text(Kind::Item, self.item)),
            _ => format!("id={}", value("id")),
        }
    }
}

/// A device of a field worker, with two places in its feed.
pub struct Device {
    token: String,
    /// In the midst of its first walk.
    midst: String,
    /// Where it has got everything.
    end: String,
}

impl Device {
    /// Walks through the feed once, as a new device does.
    pub async fn read(address: SocketAddr, token: String) -> Result<Self> {
        let mut places: Vec<String> = Vec::new();
        loop {
            let variables = json!({ "since": places.last(), "first": 500 });
            let page = load::data(address, &graphql(&token, documents::CHANGES, &variables)).await?;
            let next = page["changes"]["next"].as_str().ok_or("a page of changes without its end")?;
            places.push(next.to_owned());
            if page["changes"]["more"] == json!(false) {
                break;
            }
        }
        let midst = places[places.len().saturating_sub(2) / 2].clone();
        let end = places.pop().unwrap_or_default();
        Ok(Self { token, midst, end })
    }

    /// The requests of a case that is about devices.
    pub fn requests(&self, name: Name) -> Requests {
        let since = if name == Name::Changes { &self.midst } else { &self.end };
        let variables = json!({ "since": since, "first": 100 });
        Requests { texts: vec![graphql(&self.token, name.document(), &variables)], rows: name.rows() }
    }
}

/// A document sent to Umbral.
fn graphql(token: &str, document: &str, variables: &Value) -> Text {
    let body = json!({ "query": document, "variables": variables });
    http("POST", "/graphql", token, Some(&body.to_string()))
}
