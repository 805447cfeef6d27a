//! What is asked: of Umbral as GraphQL, of the servers written by hand at a path of its own.

use api::id::{Kind, text};
use chrono::NaiveDate;
use clap::ValueEnum;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Result,
    load::{MARK, Requests, http},
};

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Name {
    /// The first 50 deliveries of a facility, with facility, program and lines with items.
    Page,
    /// 20 facilities with programs, and the first 10 deliveries of each with lines.
    Nested,
    /// Units by facility and month over a year.
    Stats,
    /// The same of one item, also inside kits.
    StatsItem,
    /// One delivery by id, with lines.
    One,
    /// A delivery recorded, with three lines.
    Record,
}

impl Name {
    pub const ALL: [Self; 6] =
        [Self::Page, Self::Nested, Self::Stats, Self::StatsItem, Self::One, Self::Record];

    pub fn text(self) -> &'static str {
        match self {
            Self::Page => "first page",
            Self::Nested => "nested",
            Self::Stats => "statistics",
            Self::StatsItem => "statistics of an item",
            Self::One => "single row",
            Self::Record => "mutation",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Page => "/page",
            Self::Nested => "/nested",
            Self::Stats | Self::StatsItem => "/stats",
            Self::One => "/one",
            Self::Record => "/record",
        }
    }

    fn document(self) -> &'static str {
        match self {
            Self::Page => PAGE,
            Self::Nested => NESTED,
            Self::Stats | Self::StatsItem => STATS,
            Self::One => ONE,
            Self::Record => RECORD,
        }
    }
}

const PAGE: &str = "query Page($facility: ID!) {
  distributions(first: 50, filter: {facility: [$facility]}) {
    nodes {
      id occurredOn status peopleReached
      facility { id slug name }
      program { id name { text } }
      lines { quantity item { code name { text } } kit { code } }
    }
    pageInfo { hasNextPage endCursor }
  }
}";

const NESTED: &str = "query Nested($country: String!) {
  facilities(first: 20, filter: {country: [$country]}) {
    nodes {
      slug name
      programs(first: 5) { nodes { slug name { text } } }
      distributions(first: 10) {
        nodes { id occurredOn lines { quantity item { code name { text } } kit { code } } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}";

const STATS: &str = "query Stats($filter: DistributionFilter!) {
  distributionStats(groupBy: [FACILITY, MONTH], first: 1000, filter: $filter) {
    rows { facility { slug } period { start } units }
    truncated
  }
}";

const ONE: &str = "query One($id: ID!) {
  distribution(id: $id) {
    id occurredOn status peopleReached
    facility { slug }
    program { name { text } }
    lines { quantity item { code } kit { code } }
  }
}";

const RECORD: &str = "mutation Record($input: RecordDistributionInput!) {
  recordDistribution(input: $input) {
    distribution { id version class occurredOn lines { quantity item { code } kit { code } } }
    userErrors { code field message }
  }
}";

/// Which of the servers is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    Umbral,
    Hand,
}

/// Rows of the demonstration data that requests are about.
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
        })
    }

    /// The requests of a case, as one kind of server takes them.
    pub fn requests(&self, name: Name, asked: Asked) -> Requests {
        let token = if name == Name::Record { &self.coordinator_token } else { &self.partner_token };
        let texts = self
            .variables(name)
            .into_iter()
            .map(|variables| match asked {
                Asked::Umbral => {
                    let body = json!({ "query": name.document(), "variables": variables });
                    http("POST", "/graphql", token, Some(&body.to_string()))
                }
                Asked::Hand if name == Name::Record => {
                    http("POST", name.path(), token, Some(&variables["input"].to_string()))
                }
                Asked::Hand => {
                    http("GET", &format!("{}?{}", name.path(), self.address(name, &variables)), token, None)
                }
            })
            .collect();
        Requests { texts, fresh: name == Name::Record }
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
            Name::Record => self.sites.iter().map(|site| json!({ "input": self.input(*site) })).collect(),
        }
    }

    fn input(&self, site: Uuid) -> Value {
        let (kit, [soap, pads]) = self.goods;
        json!({
            "idempotencyKey": MARK,
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
            Name::Page => format!("facility={}", value("facility")),
            Name::Nested => format!("country={}", value("country")),
            Name::Stats => format!("from={from}&to={to}"),
            Name::StatsItem => format!("from={from}&to={to}&item={}", text(Kind::Item, self.item)),
            Name::One | Name::Record => format!("id={}", value("id")),
        }
    }
}
