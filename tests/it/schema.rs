//! The migrations, the entities, and what the database itself refuses.

use std::collections::{BTreeMap, BTreeSet};

use migration::{Migrator, outside};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait, IdenStatic, Iterable,
    PrimaryKeyToColumn, RuntimeErr,
};
use sea_orm_migration::MigratorTrait;
use tests::{
    Backend, TestDatabase, block_on, both,
    catalogue::{self, Column, Family, MIGRATIONS_TABLE, Table},
    postgres::OUTSIDE,
};

type Shape = fn(DbBackend) -> (String, Table);

/// Every entity, under the name of its module.
const ENTITIES: [(&str, Shape); 112] = [
    ("account", shape::<entity::account::Entity>),
    ("adequacy_norm", shape::<entity::adequacy_norm::Entity>),
    ("agreement", shape::<entity::agreement::Entity>),
    ("agreement_facility", shape::<entity::agreement_facility::Entity>),
    ("agreement_party", shape::<entity::agreement_party::Entity>),
    ("agreement_program", shape::<entity::agreement_program::Entity>),
    ("attendance", shape::<entity::attendance::Entity>),
    ("audit_event", shape::<entity::audit_event::Entity>),
    ("audit_link", shape::<entity::audit_link::Entity>),
    ("audit_pending", shape::<entity::audit_pending::Entity>),
    ("audit_seal", shape::<entity::audit_seal::Entity>),
    ("award", shape::<entity::award::Entity>),
    ("award_program", shape::<entity::award_program::Entity>),
    ("blind_index", shape::<entity::blind_index::Entity>),
    ("break_glass", shape::<entity::break_glass::Entity>),
    ("catalog_version", shape::<entity::catalog_version::Entity>),
    ("change", shape::<entity::change::Entity>),
    ("claim", shape::<entity::claim::Entity>),
    ("consent", shape::<entity::consent::Entity>),
    ("credential", shape::<entity::credential::Entity>),
    ("custody_stay", shape::<entity::custody_stay::Entity>),
    ("delivery_proof", shape::<entity::delivery_proof::Entity>),
    ("dependant", shape::<entity::dependant::Entity>),
    ("distribution", shape::<entity::distribution::Entity>),
    ("distribution_line", shape::<entity::distribution_line::Entity>),
    ("distribution_recipient", shape::<entity::distribution_recipient::Entity>),
    ("duplicate_cleared", shape::<entity::duplicate_cleared::Entity>),
    ("ended_session", shape::<entity::ended_session::Entity>),
    ("enrolment", shape::<entity::enrolment::Entity>),
    ("enrolment_step", shape::<entity::enrolment_step::Entity>),
    ("facility", shape::<entity::facility::Entity>),
    ("facility_population", shape::<entity::facility_population::Entity>),
    ("gift", shape::<entity::gift::Entity>),
    ("gift_account", shape::<entity::gift_account::Entity>),
    ("gift_balance", shape::<entity::gift_balance::Entity>),
    ("gift_flow", shape::<entity::gift_flow::Entity>),
    ("gift_line", shape::<entity::gift_line::Entity>),
    ("gift_program", shape::<entity::gift_program::Entity>),
    ("gift_quarter", shape::<entity::gift_quarter::Entity>),
    ("gift_trace", shape::<entity::gift_trace::Entity>),
    ("idempotency", shape::<entity::idempotency::Entity>),
    ("identity", shape::<entity::identity::Entity>),
    ("indicator", shape::<entity::indicator::Entity>),
    ("instance", shape::<entity::instance::Entity>),
    ("instrument", shape::<entity::instrument::Entity>),
    ("instrument_version", shape::<entity::instrument_version::Entity>),
    ("invitation", shape::<entity::invitation::Entity>),
    ("item", shape::<entity::item::Entity>),
    ("item_permission", shape::<entity::item_permission::Entity>),
    ("key_bucket", shape::<entity::key_bucket::Entity>),
    ("kit", shape::<entity::kit::Entity>),
    ("kit_line", shape::<entity::kit_line::Entity>),
    ("kit_version", shape::<entity::kit_version::Entity>),
    ("legal_matter", shape::<entity::legal_matter::Entity>),
    ("mail", shape::<entity::mail::Entity>),
    ("maternity", shape::<entity::maternity::Entity>),
    ("membership", shape::<entity::membership::Entity>),
    ("membership_facility", shape::<entity::membership_facility::Entity>),
    ("organization", shape::<entity::organization::Entity>),
    ("organization_key", shape::<entity::organization_key::Entity>),
    ("outbox", shape::<entity::outbox::Entity>),
    ("participant", shape::<entity::participant::Entity>),
    ("participant_key", shape::<entity::participant_key::Entity>),
    ("participant_merge", shape::<entity::participant_merge::Entity>),
    ("participant_merge_row", shape::<entity::participant_merge_row::Entity>),
    ("payout", shape::<entity::payout::Entity>),
    ("payout_deduction", shape::<entity::payout_deduction::Entity>),
    ("payout_part", shape::<entity::payout_part::Entity>),
    ("payout_policy", shape::<entity::payout_policy::Entity>),
    ("payout_rate", shape::<entity::payout_rate::Entity>),
    ("payout_run", shape::<entity::payout_run::Entity>),
    ("presence", shape::<entity::presence::Entity>),
    ("product", shape::<entity::product::Entity>),
    ("production_batch", shape::<entity::production_batch::Entity>),
    ("production_maker", shape::<entity::production_maker::Entity>),
    ("program", shape::<entity::program::Entity>),
    ("program_site", shape::<entity::program_site::Entity>),
    ("record_reach", shape::<entity::record_reach::Entity>),
    ("refresh_token", shape::<entity::refresh_token::Entity>),
    ("region", shape::<entity::region::Entity>),
    ("release", shape::<entity::release::Entity>),
    ("release_data", shape::<entity::release_data::Entity>),
    ("release_file", shape::<entity::release_file::Entity>),
    ("release_review", shape::<entity::release_review::Entity>),
    ("release_unit", shape::<entity::release_unit::Entity>),
    ("release_units", shape::<entity::release_units::Entity>),
    ("reset_token", shape::<entity::reset_token::Entity>),
    ("retention_rule", shape::<entity::retention_rule::Entity>),
    ("rights_request", shape::<entity::rights_request::Entity>),
    ("safeguarding_note", shape::<entity::safeguarding_note::Entity>),
    ("sale", shape::<entity::sale::Entity>),
    ("savings_withdrawal", shape::<entity::savings_withdrawal::Entity>),
    ("service_key", shape::<entity::service_key::Entity>),
    ("session", shape::<entity::session::Entity>),
    ("shipment", shape::<entity::shipment::Entity>),
    ("shipment_line", shape::<entity::shipment_line::Entity>),
    ("sign_in_session", shape::<entity::sign_in_session::Entity>),
    ("sign_in_try", shape::<entity::sign_in_try::Entity>),
    ("skill", shape::<entity::skill::Entity>),
    ("statement", shape::<entity::statement::Entity>),
    ("stock_balance", shape::<entity::stock_balance::Entity>),
    ("stock_day", shape::<entity::stock_day::Entity>),
    ("stock_entry", shape::<entity::stock_entry::Entity>),
    ("stock_lot", shape::<entity::stock_lot::Entity>),
    ("stock_lot_part", shape::<entity::stock_lot_part::Entity>),
    ("stock_movement", shape::<entity::stock_movement::Entity>),
    ("stock_place", shape::<entity::stock_place::Entity>),
    ("survey_response", shape::<entity::survey_response::Entity>),
    ("survey_round", shape::<entity::survey_round::Entity>),
    ("survey_round_facility", shape::<entity::survey_round_facility::Entity>),
    ("technique", shape::<entity::technique::Entity>),
    ("workshop", shape::<entity::workshop::Entity>),
];

/// Registry entries that belong to an organisation and are referred to by others, so by `id` alone.
const KEYED_BY_ID: [&str; 4] = ["facility", "item", "kit", "program"];

/// Tables without an organisation: what is common to all, and the parts of registry entries.
const WITHOUT_ORGANIZATION: [&str; 18] = [
    "account",
    "catalog_version",
    "credential",
    "ended_session",
    "gift_quarter",
    "identity",
    "instance",
    "kit_line",
    "kit_version",
    "mail",
    "organization",
    "program_site",
    "refresh_token",
    "region",
    "reset_token",
    "sign_in_session",
    "sign_in_try",
    "technique",
];

/// What the outside role may read, by table and column. A star is the whole table.
const OPEN_OUTSIDE: [(&str, &str); 47] = [
    ("catalog_version", "*"),
    ("distribution", "class"),
    ("distribution", "facility_id"),
    ("distribution", "id"),
    ("distribution", "occurred_on"),
    ("distribution", "organization_id"),
    ("distribution", "people_reached"),
    ("distribution", "program_id"),
    ("distribution", "reach_method"),
    ("distribution", "recorded_at"),
    ("distribution", "status"),
    ("distribution", "void_reason"),
    ("distribution", "voided_at"),
    ("distribution_line", "class"),
    ("distribution_line", "distribution_id"),
    ("distribution_line", "item_id"),
    ("distribution_line", "kit_id"),
    ("distribution_line", "kit_version"),
    ("distribution_line", "organization_id"),
    ("distribution_line", "position"),
    ("distribution_line", "quantity"),
    ("distribution_line", "shown"),
    ("gift_account", "accounted_on"),
    ("gift_account", "gift_id"),
    ("gift_account", "organization_id"),
    ("gift_account", "signature"),
    ("gift_balance", "donor_id"),
    ("gift_balance", "item_id"),
    ("gift_balance", "kit_id"),
    ("gift_balance", "kit_version"),
    ("gift_balance", "organization_id"),
    ("gift_balance", "quantity"),
    ("gift_balance", "quarter_end"),
    ("gift_flow", "donor_id"),
    ("gift_flow", "facility_id"),
    ("gift_flow", "item_id"),
    ("gift_flow", "kind"),
    ("gift_flow", "kit_id"),
    ("gift_flow", "kit_version"),
    ("gift_flow", "occurred_on"),
    ("gift_flow", "organization_id"),
    ("gift_flow", "quantity"),
    ("gift_flow", "quarter_end"),
    ("gift_flow", "undone_in"),
    ("gift_quarter", "*"),
    ("gift_trace", "*"),
    ("kit_line", "*"),
];

/// The table that an entity takes itself to be.
fn shape<E: EntityTrait>(backend: DbBackend) -> (String, Table) {
    let columns = E::Column::iter().map(|column| {
        let definition = column.def();
        let family = Family::of(definition.get_column_type(), backend);
        (column.as_str().to_owned(), Column { family, nullable: definition.is_null() })
    });
    let key = E::PrimaryKey::iter().map(|key| key.into_column().as_str().to_owned());
    (E::default().table_name().to_owned(), Table { columns: columns.collect(), key: key.collect() })
}

#[test]
fn the_list_names_every_entity() {
    let modules: Vec<&str> = include_str!("../../entity/src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .filter(|module| *module != "value")
        .collect();
    let listed: Vec<&str> = ENTITIES.iter().map(|(module, _)| *module).collect();
    assert_eq!(listed, modules, "ENTITIES in tests/it/schema.rs and entity/src/lib.rs differ");
}

both!(
    async fn migrations_equal_the_entities(database: &TestDatabase) {
        let db = database.connect().await;
        let mut tables = catalogue::tables(&db).await;
        for (module, shape) in ENTITIES {
            let (name, of_entity) = shape(db.get_database_backend());
            assert_eq!(name, module, "a table and the module of its entity have the same name");
            let of_migrations = tables.remove(&name);
            let Some(of_migrations) = of_migrations else { panic!("no migration makes {name}") };
            let columns: BTreeSet<_> = of_migrations.columns.keys().chain(of_entity.columns.keys()).collect();
            for column in columns {
                let (left, right) = (of_migrations.columns.get(column), of_entity.columns.get(column));
                assert_eq!(left, right, "{name}.{column}: the migrations (left) and the entity (right)");
            }
            let (left, right) = (of_migrations.key, of_entity.key);
            assert_eq!(left, right, "the key of {name}: the migrations (left) and the entity (right)");
        }
        let left: Vec<_> = tables.keys().collect();
        assert!(left.is_empty(), "tables without an entity: {left:?}");
    }
);

#[test]
fn migrations_go_up_down_and_up_on_sqlite() {
    block_on(up_down_up(Backend::Sqlite));
}

#[test]
fn migrations_go_up_down_and_up_on_postgres() {
    block_on(up_down_up(Backend::Postgres));
}

async fn up_down_up(backend: Backend) {
    let database = TestDatabase::empty(backend).await;
    let db = database.connect().await;
    let before = own_objects(&db).await;

    Migrator::up(&db, None).await.unwrap();
    let first = (catalogue::tables(&db).await, own_objects(&db).await);
    assert!(!first.0.is_empty());

    // One by one, so that each is undone by itself.
    for _ in Migrator::migrations() {
        Migrator::down(&db, Some(1)).await.unwrap();
    }
    assert_eq!(own_objects(&db).await, before, "the migrations leave something behind");

    Migrator::up(&db, None).await.unwrap();
    assert_eq!((catalogue::tables(&db).await, own_objects(&db).await), first, "the second time differs");
}

/// Everything but the bookkeeping of the migrations, which stays.
async fn own_objects(db: &DatabaseConnection) -> Vec<String> {
    let mut objects = catalogue::objects(db).await;
    objects.retain(|object| !object.contains(MIGRATIONS_TABLE));
    objects
}

both!(
    async fn keys_lead_with_the_organization(database: &TestDatabase) {
        let db = database.connect().await;
        let mut by_id = BTreeSet::new();
        let mut without = BTreeSet::new();
        for (name, table) in catalogue::tables(&db).await {
            let leads = table.key.first().is_some_and(|column| column == "organization_id");
            match table.columns.get("organization_id") {
                Some(column) => assert!(!column.nullable, "{name}.organization_id may be null"),
                None => {
                    without.insert(name);
                    continue;
                }
            }
            if !leads {
                assert_eq!(table.key, ["id"], "{name}: neither led by its organisation nor a registry entry");
                by_id.insert(name);
            }
        }
        assert_eq!(by_id, KEYED_BY_ID.map(String::from).into(), "tables keyed without their organisation");
        assert_eq!(without, WITHOUT_ORGANIZATION.map(String::from).into(), "tables without an organisation");
    }
);

#[test]
fn outside_role_reads_operations_rows_only() {
    block_on(async {
        let database = TestDatabase::new(Backend::Postgres).await;
        db_distribution_of_each_class(&database.connect().await).await;
        let outside = database.connect_outside().await;
        for table in ["distribution", "distribution_line"] {
            let rows = catalogue::query(&outside, &format!("SELECT class FROM {table}")).await;
            let classes: Vec<String> = rows.iter().map(|row| row.try_get("", "class").unwrap()).collect();
            assert_eq!(classes, ["OPERATIONS"], "{table}");
            // The role cannot step out of the policy, only have its question refused. That undoes the SET.
            let sql = format!("SET row_security = off; SELECT class FROM {table}");
            assert_refused(&outside, &sql).await;
        }
    });
}

#[test]
fn outside_role_reads_no_column_that_is_not_granted() {
    block_on(async {
        let database = TestDatabase::new(Backend::Postgres).await;
        let outside = database.connect_outside().await;
        let mut read: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, columns) in every_table(&database).await {
            let mut open = Vec::new();
            for column in &columns {
                if allowed(&outside, &format!("SELECT \"{column}\" FROM \"{name}\"")).await {
                    open.push(column.clone());
                }
            }
            if open.len() == columns.len() {
                open = vec!["*".into()];
            }
            // Without a column of its own, a row could still be counted.
            let counted = allowed(&outside, &format!("SELECT count(*) FROM \"{name}\"")).await;
            assert_eq!(counted, !open.is_empty(), "{name} counted");
            if counted {
                read.insert(name, open);
            }
        }
        let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (table, column) in OPEN_OUTSIDE {
            expected.entry(table.into()).or_default().push(column.into());
        }
        for columns in read.values_mut() {
            columns.sort();
        }
        assert_eq!(read, expected, "what the outside role reads (left) and may read (right)");
    });
}

#[test]
fn outside_role_writes_nowhere() {
    block_on(async {
        let database = TestDatabase::new(Backend::Postgres).await;
        db_distribution_of_each_class(&database.connect().await).await;
        let outside = database.connect_outside().await;
        // First what it is granted: a policy could refuse what a privilege allows.
        let sql = format!(
            "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace \
             AND relkind IN ('r', 'p', 'v', 'm', 'f') AND (has_any_column_privilege('{OUTSIDE}', oid, \
             'INSERT, UPDATE, REFERENCES') OR has_table_privilege('{OUTSIDE}', oid, 'DELETE, TRUNCATE, TRIGGER'))"
        );
        let granted = catalogue::query(&outside, &sql).await;
        let granted: Vec<String> = granted.iter().map(|row| row.try_get("", "name").unwrap()).collect();
        assert!(granted.is_empty(), "the outside role is granted more than reading on {granted:?}");
        for (name, columns) in every_table(&database).await {
            let column = &columns[0];
            for sql in [
                format!("INSERT INTO \"{name}\" DEFAULT VALUES"),
                format!("INSERT INTO \"{name}\" (\"{column}\") VALUES (NULL)"),
                format!("DELETE FROM \"{name}\""),
                format!("TRUNCATE \"{name}\" CASCADE"),
                format!("ALTER TABLE \"{name}\" DISABLE ROW LEVEL SECURITY"),
                format!("CREATE INDEX ON \"{name}\" (\"{column}\")"),
                format!("DROP TABLE \"{name}\" CASCADE"),
            ] {
                assert_refused(&outside, &sql).await;
            }
            for column in columns {
                let sql = format!("UPDATE \"{name}\" SET \"{column}\" = NULL");
                assert_refused(&outside, &sql).await;
            }
        }
        for sql in [
            "CREATE TABLE stolen (id integer)",
            "CREATE SCHEMA stolen",
            "CREATE ROLE stolen",
            "CREATE DATABASE stolen",
            "SET ROLE umbral",
            "SELECT id FROM facility FOR UPDATE",
            "SELECT class FROM distribution FOR SHARE",
        ] {
            assert_refused(&outside, sql).await;
        }
    });
}

#[test]
fn grants_may_be_given_again_and_are_then_the_same() {
    block_on(async {
        let database = TestDatabase::new(Backend::Postgres).await;
        let owner = database.connect().await;
        let before = grants(&owner).await;
        assert!(!before.is_empty());
        // What somebody has granted by hand goes, whole tables and columns alike.
        for sql in
            ["GRANT ALL ON audit_event TO umbral_outside", "GRANT SELECT (name) ON item TO umbral_outside"]
        {
            owner.execute_unprepared(sql).await.unwrap();
        }
        outside::grant(&owner, OUTSIDE).await.unwrap();
        assert_eq!(grants(&owner).await, before);
        for role in ["", "Umbral", "a b", "a;drop", "a\"b"] {
            assert!(outside::grant(&owner, role).await.is_err(), "{role:?}");
        }
    });
}

/// Every privilege of the outside role on a column, and every policy.
async fn grants(owner: &DatabaseConnection) -> Vec<String> {
    let sql = format!(
        "SELECT table_name || '.' || column_name || ' ' || privilege_type AS line \
         FROM information_schema.column_privileges WHERE grantee = '{OUTSIDE}' \
         UNION ALL SELECT tablename || ' ' || policyname || ' ' || cmd || ' ' || qual FROM pg_policies \
         ORDER BY 1"
    );
    let rows = catalogue::query(owner, &sql).await;
    rows.iter().map(|row| row.try_get("", "line").unwrap()).collect()
}

/// From the catalogue, so that a new table is tried from its first day; with the migrations' own table.
async fn every_table(database: &TestDatabase) -> BTreeMap<String, Vec<String>> {
    let tables = catalogue::tables(&database.connect().await).await.into_iter();
    let mut names: BTreeMap<String, Vec<String>> =
        tables.map(|(name, table)| (name, table.columns.into_keys().collect())).collect();
    names.insert(MIGRATIONS_TABLE.into(), vec!["version".into(), "applied_at".into()]);
    names
}

/// Whether the role has the privilege. Any other fault than a refusal is one of the test.
async fn allowed(db: &DatabaseConnection, sql: &str) -> bool {
    match db.execute_unprepared(sql).await {
        Ok(_) => true,
        Err(DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) => {
            let code = error.as_database_error().and_then(|error| error.code());
            assert_eq!(code.as_deref(), Some("42501"), "{sql}: {error}");
            false
        }
        Err(error) => panic!("{sql}: {error}"),
    }
}

async fn assert_refused(db: &DatabaseConnection, sql: &str) {
    assert!(!allowed(db, sql).await, "not refused: {sql}");
}

/// Two deliveries with a line each, one of either plane.
async fn db_distribution_of_each_class(owner: &DatabaseConnection) {
    let id = |number: u32| format!("'00000000-0000-4000-8000-{number:012}'");
    let (organization, facility, program, item) = (id(1), id(2), id(3), id(4));
    let name = r#"'{"original": "es", "texts": {}}'"#;
    let mut sql = format!(
        "INSERT INTO organization (id, slug, name, country, kind, version, recorded_at) \
         VALUES ({organization}, 'one', 'One', 'CL', 'OPERATOR', 1, now()); \
         INSERT INTO region (iso, country, name) VALUES ('CL-RM', 'CL', 'Metropolitana'); \
         INSERT INTO facility (id, organization_id, slug, name, aliases, country, region_iso, kind, version, \
         recorded_at) VALUES ({facility}, {organization}, 'one', 'One', '[]', 'CL', 'CL-RM', 'OTHER', 1, now()); \
         INSERT INTO program (id, organization_id, slug, name, sensitivity, area, areas, techniques, status, \
         starts_on, version, recorded_at) VALUES ({program}, {organization}, 'one', {name}, 'GENERAL', \
         'EDUCATION', '[]', '[]', 'ACTIVE', '2026-01-01', 1, now()); \
         INSERT INTO item (id, organization_id, code, name, sensitivity, unit, version, recorded_at) \
         VALUES ({item}, {organization}, 'one', {name}, 'GENERAL', 'piece', 1, now());"
    );
    for (number, class) in [(10, "OPERATIONS"), (11, "RECORDS")] {
        sql += &format!(
            "INSERT INTO distribution (organization_id, id, class, facility_id, program_id, occurred_on, \
             recorded_at, status, people_reached, reach_method, version) VALUES ({organization}, {id}, \
             '{class}', {facility}, {program}, '2026-01-01', now(), 'DELIVERED', 20, 'COUNTED', 1); \
             INSERT INTO distribution_line (organization_id, distribution_id, position, class, shown, item_id, \
             quantity, people_reached) VALUES ({organization}, {id}, 1, '{class}', true, {item}, 20, 20);",
            id = id(number)
        );
    }
    owner.execute_unprepared(&sql).await.unwrap();
}
