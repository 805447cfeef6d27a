//! The wall in the database: what the role of outside readers is granted, on PostgreSQL.
//!
//! It is applied by `umbral migrate --outside-role NAME` after the migrations, any number of times. A table
//! that is not named here is not granted, so a new table is closed until someone opens it.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend},
};

/// Tables that hold rows of two planes: the role sees operations rows only.
const TWO_PLANES: [&str; 2] = ["distribution", "distribution_line"];

/// Grants the outside role what public, donor and partner requests read from the database, and nothing else.
/// What they read of the registry comes from memory.
///
/// # Errors
/// When the role does not exist, the name is not a plain identifier, or the caller does not own the tables.
pub async fn grant(db: &DatabaseConnection, role: &str) -> Result<(), DbErr> {
    let plain = role.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if role.is_empty() || !plain {
        return Err(DbErr::Custom("the role name may hold a-z, 0-9 and _ only".into()));
    }
    if db.get_database_backend() != DbBackend::Postgres {
        return Err(DbErr::Custom("an outside role needs PostgreSQL".into()));
    }
    db.execute_unprepared(&format!("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")).await?;
    db.execute_unprepared(&format!("GRANT USAGE ON SCHEMA public TO {role}")).await?;
    for table in TWO_PLANES {
        db.execute_unprepared(&format!("GRANT SELECT ON {table} TO {role}")).await?;
        db.execute_unprepared(&format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")).await?;
        db.execute_unprepared(&format!("DROP POLICY IF EXISTS {role}_operations ON {table}")).await?;
        db.execute_unprepared(&format!(
            "CREATE POLICY {role}_operations ON {table} FOR SELECT TO {role} USING (class = 'OPERATIONS')"
        ))
        .await?;
    }
    // Statistics explode kits and compare units in the database; these hold no names.
    db.execute_unprepared(&format!("GRANT SELECT ON kit_line TO {role}")).await?;
    db.execute_unprepared(&format!("GRANT SELECT (id, unit) ON item TO {role}")).await?;
    db.execute_unprepared(&format!("GRANT SELECT (id) ON facility, program TO {role}")).await?;
    Ok(())
}
