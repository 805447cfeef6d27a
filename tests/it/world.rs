//! A small world whose every row is known, for tests that compute what the server should answer.

use std::{collections::BTreeMap, ops::Deref};

use api::{
    config::Config,
    id::{GlobalId, Kind, text},
};
use entity::{value::*, *};
use sea_orm::{
    ConnectionTrait, EntityTrait, IntoActiveModel,
    prelude::{Date, DateTimeUtc, Uuid},
};
use serde_json::{Value, json};
use tests::{Backend, Client, Fixture, TestApp, TestDatabase, catalogue};

/// A server on this world. See the constants below for what is in it.
pub struct World(pub TestApp);

pub const OWN: u128 = 1;
pub const OTHER: u128 = 2;
pub const ALLY: u128 = 3;
pub const STRANGER: u128 = 4;
pub const GIVER: u128 = 5;
pub const GIVER2: u128 = 6;
pub const ORGANIZATIONS: [&str; 6] = ["own", "other", "ally", "stranger", "giver", "giver2"];

/// 1 and 2 are in MX-MEX, 3 in MX-CMX; 4 is of the other organisation, in CL-RM.
pub const FACILITIES: [(&str, &str, &str); 4] = [
    ("neza", "Centro Nezahualcóyotl Sur", "MX-MEX"),
    ("ecatepec", "Ecatepec", "MX-MEX"),
    ("santa-martha", "Santa Martha", "MX-CMX"),
    ("san-joaquin", "San Joaquín", "CL-RM"),
];

/// 1 and 2 are general and everywhere, 3 is sensitive; 4 is of the other organisation.
pub const SUPPLIES: u128 = 1;
pub const WORKSHOP: u128 = 2;
pub const MATERNITY: u128 = 3;
pub const THEIRS: u128 = 4;

/// Code, unit and sensitivity; 5 is of the other organisation.
pub const ITEMS: [(&str, &str, Sensitivity); 5] = [
    ("SOAP", "piece", Sensitivity::General),
    ("PADS", "pack", Sensitivity::General),
    ("BOOK", "piece", Sensitivity::General),
    ("FORMULA", "tin", Sensitivity::Sensitive),
    ("TOWEL", "piece", Sensitivity::General),
];
pub const SOAP: u128 = 1;
pub const PADS: u128 = 2;
pub const BOOK: u128 = 3;
pub const FORMULA: u128 = 4;
pub const TOWEL: u128 = 5;

/// HYGIENE has two versions, BATH one unit only, MATERNAL is sensitive.
pub const HYGIENE: u128 = 1;
pub const BATH: u128 = 2;
pub const MATERNAL: u128 = 3;
/// Kit, version, valid from, contents.
type Contents = (u128, i32, &'static str, &'static [(u128, i32)]);

pub const CONTENTS: [Contents; 4] = [
    (HYGIENE, 1, "2020-01-01", &[(SOAP, 2), (PADS, 3)]),
    (HYGIENE, 2, "2026-01-01", &[(PADS, 1), (SOAP, 5), (BOOK, 1)]),
    (BATH, 1, "2020-01-01", &[(SOAP, 4)]),
    (MATERNAL, 1, "2020-01-01", &[(FORMULA, 2)]),
];

/// The key of the `n`th row of a table.
pub fn uuid(kind: Kind, n: u128) -> Uuid {
    Uuid::from_u128(0x8000_0000_0000_4000_8000_0000_0000_0000 | ((kind as u128) << 96) | n)
}

/// The global id of the `n`th row of a table.
pub fn id(kind: Kind, n: u128) -> String {
    text(kind, uuid(kind, n))
}

pub fn day(text: &str) -> Date {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub fn moment(text: &str) -> DateTimeUtc {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A text in Spanish and English.
pub fn both_languages(es: &str, en: &str) -> Localized {
    let text = |text: &str, status| Translation { text: text.to_owned(), status };
    Localized {
        original: "es".to_owned(),
        texts: BTreeMap::from([
            ("es".to_owned(), text(es, TranslationStatus::Original)),
            ("en".to_owned(), text(en, TranslationStatus::Machine)),
        ]),
    }
}

/// A text as an input.
pub fn words(text: &str) -> Value {
    json!({ "original": "es", "translations": [{ "lang": "es", "text": text }] })
}

/// A delivery of a world, delivered and an operations row unless changed.
#[derive(Clone, Debug)]
pub struct Seed {
    pub row: distribution::Model,
    pub lines: Vec<distribution_line::Model>,
}

/// Goods of a line.
#[derive(Clone, Copy, Debug)]
pub enum Goods {
    Item(u128),
    Kit(u128, i32),
}

impl Seed {
    pub fn new(n: u128, facility: u128, program: u128, on: &str, people: i32) -> Self {
        let organization = if program == THEIRS { OTHER } else { OWN };
        let row = distribution::Model {
            organization_id: uuid(Kind::Organization, organization),
            // Spread, so that the order of ids is not that of the rows.
            id: uuid(Kind::Distribution, (n * 7_919) % 100_003),
            class: RowClass::Operations,
            facility_id: uuid(Kind::Facility, facility),
            program_id: uuid(Kind::Program, program),
            occurred_on: day(on),
            recorded_at: moment("2026-11-01T00:00:00Z"),
            status: DistributionStatus::Delivered,
            people_reached: people,
            reach_method: ReachMethod::Counted,
            version: 1,
            recorded_by: None,
            import_key: None,
            client_id: None,
            form_number: None,
            verified_at: None,
            voided_at: None,
            void_reason: None,
            void_note: None,
        };
        Self { row, lines: Vec::new() }
    }

    #[must_use]
    pub fn line(mut self, goods: Goods, quantity: i32) -> Self {
        let (item, kit) = match goods {
            Goods::Item(item) => (Some(item), None),
            Goods::Kit(kit, version) => (None, Some((kit, version))),
        };
        self.lines.push(distribution_line::Model {
            organization_id: self.row.organization_id,
            distribution_id: self.row.id,
            position: self.lines.len() as i32 + 1,
            class: self.row.class,
            shown: self.row.class == RowClass::Operations,
            item_id: item.map(|n| uuid(Kind::Item, n)),
            kit_id: kit.map(|(n, _)| uuid(Kind::Kit, n)),
            kit_version: kit.map(|(_, version)| version),
            quantity,
            people_reached: self.row.people_reached,
        });
        self
    }

    /// Makes it a row that only staff see. Before its lines are added.
    #[must_use]
    pub fn records(mut self) -> Self {
        self.row.class = RowClass::Records;
        self
    }

    #[must_use]
    pub fn status(mut self, status: DistributionStatus) -> Self {
        self.row.status = status;
        self
    }

    #[must_use]
    pub fn recorded_at(mut self, at: &str) -> Self {
        self.row.recorded_at = moment(at);
        self
    }

    pub fn id(&self) -> String {
        text(Kind::Distribution, self.row.id)
    }
}

impl World {
    /// This world on a server with another configuration than tests usually have.
    pub async fn configured(backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        let app = TestApp::configured(TestDatabase::new(backend).await, change).await;
        crate::seed::all(&app).await;
        Self(app)
    }

    /// Adds deliveries, past all rules.
    pub async fn add(&self, seeds: &[Seed]) {
        self.insert::<distribution::Entity>(seeds.iter().map(|seed| seed.row.clone()).collect()).await;
        let lines = seeds.iter().flat_map(|seed| seed.lines.clone()).collect();
        self.insert::<distribution_line::Entity>(lines).await;
    }

    /// Inserts rows, past all rules.
    pub async fn insert<E>(&self, rows: Vec<E::Model>)
    where
        E: EntityTrait,
        E::Model: IntoActiveModel<E::ActiveModel>,
    {
        insert::<E>(&self.0, rows).await;
    }

    /// Runs SQL as somebody with a console does. It may hold several statements.
    pub async fn sql(&self, sql: &str) {
        self.try_sql(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// As [`World::sql`], with what the database says against it.
    pub async fn try_sql(&self, sql: &str) -> Result<(), String> {
        let db = self.database.connect().await;
        let done = db.execute_unprepared(sql).await;
        db.close().await.unwrap_or_else(|error| panic!("{error}"));
        done.map(drop).map_err(|error| error.to_string())
    }

    /// The texts that SQL gives in its first column.
    pub async fn text(&self, sql: &str) -> Vec<String> {
        let db = self.database.connect().await;
        let rows = catalogue::query(&db, sql).await;
        let text = |row: &sea_orm::QueryResult| {
            row.try_get_by_index(0).unwrap_or_else(|error| panic!("{sql}: {error}"))
        };
        let texts = rows.iter().map(text).collect();
        db.close().await.unwrap_or_else(|error| panic!("{error}"));
        texts
    }

    /// A number that SQL gives.
    pub async fn number(&self, sql: &str) -> i64 {
        let db = self.database.connect().await;
        let rows = catalogue::query(&db, sql).await;
        let number = rows[0].try_get_by_index(0).unwrap_or_else(|error| panic!("{sql}: {error}"));
        db.close().await.unwrap_or_else(|error| panic!("{error}"));
        number
    }

    /// A UUID as this system's SQL writes it.
    pub fn literal(&self, kind: Kind, n: u128) -> String {
        self.written(uuid(kind, n))
    }

    /// The UUID of a global id as this system's SQL writes it.
    pub fn literal_of(&self, global: &str) -> String {
        self.written(GlobalId::parse(global).unwrap_or_else(|| panic!("no id: {global}")).id)
    }

    fn written(&self, id: Uuid) -> String {
        match self.database.backend {
            Backend::Sqlite => format!("x'{}'", id.simple()),
            Backend::Postgres => format!("'{id}'"),
        }
    }

    /// How many rows each table has, and the version of the reference tables. Without the audit rows that wait for
    /// their seal, which are counted where they are.
    pub async fn counts(&self) -> BTreeMap<String, i64> {
        let db = self.database.connect().await;
        let mut counts = BTreeMap::new();
        for table in catalogue::tables(&db).await.into_keys().filter(|table| table != "audit_pending") {
            let rows = catalogue::query(&db, &format!("SELECT count(*) FROM {table}")).await;
            counts.insert(table, rows[0].try_get_by_index(0).unwrap_or_else(|error| panic!("{error}")));
        }
        let version = catalogue::query(&db, "SELECT version FROM catalog_version").await;
        let version = version[0].try_get_by_index(0).unwrap_or_else(|error| panic!("{error}"));
        counts.insert("(catalog version)".to_owned(), version);
        db.close().await.unwrap_or_else(|error| panic!("{error}"));
        counts
    }

    /// As [`World::counts`], without the traces that are left of what was only told.
    pub async fn stored(&self) -> BTreeMap<String, i64> {
        let mut counts = self.counts().await;
        counts.retain(|table, _| table != "audit_event" && table != "record_reach");
        counts
    }

    /// The audit rows, as role, action, entity, version and account, the newest of a moment in any order.
    pub async fn audit(&self) -> Vec<Audit> {
        let db = self.database.connect().await;
        let sql = "SELECT role, action, entity, entity_id, entity_version, account_id, organization_id \
                   FROM audit_event ORDER BY recorded_at, entity_version, action";
        let rows = catalogue::query(&db, sql).await;
        db.close().await.unwrap_or_else(|error| panic!("{error}"));
        let audit = rows.iter().map(|row| {
            let text = |name| row.try_get::<String>("", name).unwrap_or_else(|error| panic!("{error}"));
            Audit {
                role: text("role"),
                action: text("action"),
                entity: text("entity"),
                entity_id: row.try_get("", "entity_id").unwrap_or_else(|error| panic!("{error}")),
                version: row.try_get("", "entity_version").unwrap_or_else(|error| panic!("{error}")),
                account: row.try_get("", "account_id").unwrap_or_else(|error| panic!("{error}")),
                organization: row.try_get("", "organization_id").unwrap_or_else(|error| panic!("{error}")),
            }
        });
        audit.collect()
    }

    pub fn coordinator(&self) -> Client {
        self.member("coordinator", "own")
    }

    pub fn partner(&self) -> Client {
        self.member("partner", "ally")
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Audit {
    pub role: String,
    pub action: String,
    pub entity: String,
    pub entity_id: Uuid,
    pub version: Option<i32>,
    pub account: Option<Uuid>,
    pub organization: Uuid,
}

impl Deref for World {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.0
    }
}

impl Fixture for World {
    async fn start(backend: Backend) -> Self {
        let app = TestApp::start(backend).await;
        crate::seed::all(&app).await;
        Self(app)
    }

    async fn stop(self) {
        self.0.shut_down().await;
    }
}

pub async fn insert<E>(app: &TestApp, rows: Vec<E::Model>)
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let bulk = app.running.store.bulk().await.unwrap_or_else(|error| panic!("{error:?}"));
    let count = rows.len() as u64;
    let inserted = bulk.insert::<E>(rows).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(inserted, count, "a row is there already");
    bulk.commit().await.unwrap_or_else(|error| panic!("{error:?}"));
}
