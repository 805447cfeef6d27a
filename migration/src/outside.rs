//! The wall in the database: what the role of outside readers is granted, on PostgreSQL.
//!
//! It is applied by `umbral migrate --outside-role NAME` after the migrations, any number of times. A table
//! that is not named here is not granted, so a new table is closed until someone opens it.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, TransactionTrait},
};

/// Tables of which the role reads a part: the columns, and the rows.
const IN_PART: [(&str, &str, &str); 5] = [
    (
        "distribution",
        "organization_id, id, class, facility_id, program_id, occurred_on, recorded_at, status, people_reached, \
         reach_method, voided_at, void_reason",
        "class = 'OPERATIONS'",
    ),
    (
        "distribution_line",
        "organization_id, distribution_id, position, class, shown, item_id, kit_id, kit_version, quantity",
        "class = 'OPERATIONS' AND shown",
    ),
    (
        "gift_balance",
        "organization_id, quarter_end, donor_id, item_id, kit_id, kit_version, quantity",
        "true",
    ),
    (
        "gift_flow",
        "organization_id, quarter_end, donor_id, kind, occurred_on, item_id, kit_id, kit_version, quantity, \
         facility_id, undone_in",
        "true",
    ),
    // What a steward has said in a quarter is shown when that quarter is published.
    (
        "gift_account",
        "organization_id, gift_id, accounted_on, signature",
        "accounted_on <= (SELECT max(quarter_end) FROM gift_quarter)",
    ),
];

/// Grants the outside role what public, donor and partner requests read from the database, and nothing else.
/// What they read of the registry comes from memory.
///
/// # Errors
/// When the role does not exist, the name is not a plain identifier, or the caller does not own the tables.
pub async fn grant(db: &DatabaseConnection, role: &str) -> Result<(), DbErr> {
    let plain = role.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let reserved = ["public", "current_user", "current_role", "session_user", "none"].contains(&role);
    if role.is_empty() || !plain || reserved || role.starts_with("pg_") {
        return Err(DbErr::Custom(
            "the role name may hold a-z, 0-9 and _ only, and must not be reserved".into(),
        ));
    }
    if db.get_database_backend() != DbBackend::Postgres {
        return Err(DbErr::Custom("an outside role needs PostgreSQL".into()));
    }
    // All at once, so that a server that runs meanwhile never sees less than before.
    let tx = db.begin().await?;
    let mut statements = vec![
        format!("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM \"{role}\""),
        format!("GRANT USAGE ON SCHEMA public TO \"{role}\""),
        // Statistics by item look into kits in the database; this holds no names.
        format!("GRANT SELECT ON kit_line TO \"{role}\""),
        // One row and one number, by which a request learns whether the registry in memory is still right.
        format!("GRANT SELECT ON catalog_version TO \"{role}\""),
        // What is published of gifts; its tables hold nothing else.
        format!("GRANT SELECT ON gift_quarter, gift_trace TO \"{role}\""),
    ];
    for (table, columns, rows) in IN_PART {
        statements.push(format!("REVOKE ALL ({columns}) ON {table} FROM \"{role}\""));
        statements.push(format!("GRANT SELECT ({columns}) ON {table} TO \"{role}\""));
        statements.push(format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"));
        statements.push(format!("DROP POLICY IF EXISTS \"{role}_operations\" ON {table}"));
        statements.push(format!(
            "CREATE POLICY \"{role}_operations\" ON {table} FOR SELECT TO \"{role}\" USING ({rows})"
        ));
    }
    for statement in statements {
        tx.execute_unprepared(&statement).await?;
    }
    tx.commit().await
}
