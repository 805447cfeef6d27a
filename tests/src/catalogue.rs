//! What a database says of itself.

use std::collections::BTreeMap;

use sea_orm::{ColumnType, ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement};

/// The bookkeeping of the migrations, which has no entity.
pub const MIGRATIONS_TABLE: &str = "seaql_migrations";

/// A table or view.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Table {
    pub columns: BTreeMap<String, Column>,
    /// The columns of the primary key, in its order.
    pub key: Vec<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Column {
    pub family: Family,
    pub nullable: bool,
}

/// Types that hold the same values. Which of them a system tells apart is its own matter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Family {
    Uuid,
    Text,
    Boolean,
    Integer,
    BigInteger,
    Date,
    Timestamp,
    Json,
    Binary,
}

impl Family {
    /// The family of a type of ours.
    ///
    /// # Panics
    /// When the type is none that we use.
    pub fn of(column: &ColumnType, backend: DbBackend) -> Self {
        match column {
            ColumnType::Uuid => Self::Uuid,
            ColumnType::String(_) | ColumnType::Text => Self::Text,
            ColumnType::Boolean => Self::Boolean,
            ColumnType::Integer => Self::Integer,
            // SQLite has one type of integer.
            ColumnType::BigInteger if backend == DbBackend::Sqlite => Self::Integer,
            ColumnType::BigInteger => Self::BigInteger,
            ColumnType::Date => Self::Date,
            ColumnType::TimestampWithTimeZone => Self::Timestamp,
            ColumnType::Json | ColumnType::JsonBinary => Self::Json,
            ColumnType::Binary(_) | ColumnType::VarBinary(_) | ColumnType::Blob => Self::Binary,
            other => panic!("{other:?} is in no family; add it to tests/src/catalogue.rs"),
        }
    }

    /// The family of a type as the system names it.
    fn named(name: &str) -> Self {
        // SQLite writes lengths down and does not hold to them.
        match name.split('(').next().unwrap_or(name) {
            "uuid" | "uuid_text" => Self::Uuid,
            "text" | "varchar" | "character varying" => Self::Text,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "bigint" => Self::BigInteger,
            "date" | "date_text" => Self::Date,
            "timestamp with time zone" | "timestamp_with_timezone_text" => Self::Timestamp,
            "json" | "jsonb" | "json_text" | "jsonb_text" => Self::Json,
            "bytea" | "blob" => Self::Binary,
            other => panic!("{other} is in no family; add it to tests/src/catalogue.rs"),
        }
    }
}

/// All tables and views that migrations have made, by name.
pub async fn tables(db: &DatabaseConnection) -> BTreeMap<String, Table> {
    let sql = match db.get_database_backend() {
        // Not `information_schema`, which leaves materialised views out.
        DbBackend::Postgres => {
            "SELECT c.relname::text AS \"table\", a.attname::text AS \"column\", \
             format_type(a.atttypid, NULL) AS type, NOT a.attnotnull AS nullable, \
             coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0) AS key_position \
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 \
             AND NOT a.attisdropped LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary \
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
             ORDER BY 1, key_position"
        }
        _ => {
            "SELECT m.name AS \"table\", p.name AS \"column\", lower(p.type) AS type, \
             NOT p.\"notnull\" AS nullable, p.pk AS key_position \
             FROM sqlite_schema m JOIN pragma_table_info(m.name) p \
             WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             ORDER BY 1, key_position"
        }
    };
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for row in query(db, sql).await {
        let name: String = get(&row, "table");
        if name == MIGRATIONS_TABLE {
            continue;
        }
        let table = tables.entry(name).or_default();
        let column: String = get(&row, "column");
        if get::<i32>(&row, "key_position") > 0 {
            table.key.push(column.clone());
        }
        let family = Family::named(&get::<String>(&row, "type"));
        table.columns.insert(column, Column { family, nullable: get(&row, "nullable") });
    }
    tables
}

/// Everything that migrations could have made: tables, indexes, sequences, triggers, functions and types.
pub async fn objects(db: &DatabaseConnection) -> Vec<String> {
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT 'relation ' || relname AS object FROM pg_class \
             WHERE relnamespace = 'public'::regnamespace \
             UNION ALL SELECT 'function ' || proname FROM pg_proc \
             WHERE pronamespace = 'public'::regnamespace \
             UNION ALL SELECT 'type ' || typname FROM pg_type \
             WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e', 'r') \
             UNION ALL SELECT 'trigger ' || tgname || ' on ' || tgrelid::regclass FROM pg_trigger \
             WHERE NOT tgisinternal \
             UNION ALL SELECT 'policy ' || policyname || ' on ' || tablename FROM pg_policies \
             UNION ALL SELECT 'schema ' || nspname FROM pg_namespace \
             WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('public', 'information_schema') \
             ORDER BY 1"
        }
        _ => "SELECT type || ' ' || name AS object FROM sqlite_schema ORDER BY 1",
    };
    query(db, sql).await.iter().map(|row| get::<String>(row, "object")).collect()
}

/// Runs a query that has no parameters.
pub async fn query(db: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    db.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn get<T: sea_orm::TryGetable>(row: &QueryResult, column: &str) -> T {
    row.try_get("", column).unwrap_or_else(|error| panic!("{column}: {error}"))
}
