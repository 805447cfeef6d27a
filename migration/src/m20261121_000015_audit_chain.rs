//! What makes the audit hard to change: each row's place in a chain of digests, and triggers that let rows be added
//! and nothing else. With it what an audit row says of a read, and the log of the steward.
//!
//! A trigger notes each new row as pending, in the transaction that writes it; the sealer gives what is pending its
//! place in the chain. So writers never wait for one another, a row of a transaction that commits late is taken in
//! later, and it makes no difference whose numbers a database that was brought from elsewhere holds.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

use crate::{Uniqueness, drop_tables, index, key, references};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Tables to which rows are added and nothing else.
const KEPT: [&str; 3] = ["audit_event", "audit_link", "audit_seal"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        // SQLite adds one column at a time.
        for column in [
            text_null("purpose"),
            json_binary_null("fields"),
            json_binary_null("rows"),
            binary_null("document_hash"),
        ] {
            let mut table = Table::alter();
            manager.alter_table(table.table("audit_event").add_column(column).to_owned()).await?;
        }
        let mut sequence = big_integer("sequence");
        if postgres {
            sequence.auto_increment();
        }
        manager
            .create_table(
                Table::create()
                    .table("audit_pending")
                    .col(uuid("organization_id"))
                    .col(sequence)
                    .col(uuid("event_id"))
                    .primary_key(&mut key(&["organization_id", "sequence"]))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("audit_link")
                    .col(uuid("organization_id"))
                    .col(big_integer("number"))
                    .col(uuid("event_id"))
                    .col(binary("digest"))
                    .primary_key(&mut key(&["organization_id", "number"]))
                    .to_owned(),
            )
            .await?;
        index(manager, "audit_link", &["organization_id", "event_id"], Uniqueness::Unique).await?;
        manager
            .create_table(
                Table::create()
                    .table("audit_seal")
                    .col(uuid("organization_id"))
                    .col(big_integer("number"))
                    .col(big_integer("first_row"))
                    .col(big_integer("last_row"))
                    .col(boolean("drained"))
                    .col(integer("form"))
                    .col(binary("digest"))
                    .col(timestamp_with_time_zone("sealed_at"))
                    .primary_key(&mut key(&["organization_id", "number"]))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("safeguarding_note")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(text("kind"))
                    .col(text("text"))
                    .col(integer_null("about_kind"))
                    .col(uuid_null("about_id"))
                    .col(text("status"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .col(timestamp_with_time_zone_null("closed_at"))
                    .col(uuid_null("closed_by"))
                    .col(text_null("closing_reason"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .check(Expr::cust("kind IN ('PATTERN', 'BREAK_GLASS', 'REPORT')"))
                    .check(Expr::cust("status IN ('OPEN', 'CLOSED')"))
                    .check(Expr::cust("(about_kind IS NULL) = (about_id IS NULL)"))
                    .check(Expr::cust("(status = 'CLOSED') = (closed_at IS NOT NULL)"))
                    .check(Expr::cust("(closed_at IS NULL) = (closing_reason IS NULL)"))
                    .to_owned(),
            )
            .await?;
        index(manager, "safeguarding_note", &["organization_id", "recorded_at", "id"], Uniqueness::Plain)
            .await?;
        let db = manager.get_connection();
        // What was written before there was a chain.
        db.execute_unprepared(
            "INSERT INTO audit_pending (organization_id, sequence, event_id) \
             SELECT organization_id, row_number() OVER (ORDER BY recorded_at, id), id FROM audit_event",
        )
        .await?;
        if postgres { on_postgres(db).await } else { on_sqlite(db).await }
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        let db = manager.get_connection();
        if postgres {
            db.execute_unprepared("DROP TRIGGER audit_event_pending ON audit_event").await?;
            for table in KEPT {
                db.execute_unprepared(&format!("DROP TRIGGER {table}_kept ON {table}")).await?;
            }
            db.execute_unprepared("DROP FUNCTION audit_is_pending(), audit_is_kept()").await?;
        } else {
            db.execute_unprepared("DROP TRIGGER audit_event_pending").await?;
            for table in KEPT {
                for event in ["update", "delete"] {
                    db.execute_unprepared(&format!("DROP TRIGGER {table}_kept_{event}")).await?;
                }
            }
        }
        drop_tables(manager, &["safeguarding_note", "audit_seal", "audit_link", "audit_pending"]).await?;
        for column in ["purpose", "fields", "rows", "document_hash"] {
            let mut table = Table::alter();
            manager.alter_table(table.table("audit_event").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}

async fn on_postgres(db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
    db.execute_unprepared(
        "SELECT setval(pg_get_serial_sequence('audit_pending', 'sequence'), \
         (SELECT 1 + COALESCE(max(sequence), 0) FROM audit_pending))",
    )
    .await?;
    db.execute_unprepared(
        "CREATE FUNCTION audit_is_pending() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         INSERT INTO audit_pending (organization_id, event_id) SELECT organization_id, id FROM fresh; \
         RETURN NULL; END $$",
    )
    .await?;
    db.execute_unprepared(
        "CREATE TRIGGER audit_event_pending AFTER INSERT ON audit_event REFERENCING NEW TABLE AS fresh \
         FOR EACH STATEMENT EXECUTE FUNCTION audit_is_pending()",
    )
    .await?;
    db.execute_unprepared(
        "CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         RAISE EXCEPTION 'rows are added to the audit and nothing else'; END $$",
    )
    .await?;
    for table in KEPT {
        db.execute_unprepared(&format!(
            "CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} \
             FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept()"
        ))
        .await?;
    }
    Ok(())
}

async fn on_sqlite(db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
    // With one writer at a time, counting up from what is pending keeps the order.
    db.execute_unprepared(
        "CREATE TRIGGER audit_event_pending AFTER INSERT ON audit_event BEGIN \
         INSERT INTO audit_pending (organization_id, sequence, event_id) VALUES (NEW.organization_id, \
         (SELECT 1 + COALESCE(max(sequence), 0) FROM audit_pending WHERE organization_id = NEW.organization_id), \
         NEW.id); END",
    )
    .await?;
    for table in KEPT {
        for event in ["update", "delete"] {
            db.execute_unprepared(&format!(
                "CREATE TRIGGER {table}_kept_{event} BEFORE {event} ON {table} BEGIN \
                 SELECT RAISE(ABORT, 'rows are added to the audit and nothing else'); END"
            ))
            .await?;
        }
    }
    Ok(())
}
