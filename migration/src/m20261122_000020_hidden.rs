//! A facility that outsiders are not to see for a while; and the texts of the safeguarding log in ciphertext, under a key
//! that is the organisation's own.

use sea_orm_migration::{prelude::*, schema::*};

use crate::{Uniqueness, drop_tables, index, key, references};

#[derive(DeriveMigrationName)]
pub struct Migration;

const NOTE: &str = "safeguarding_note";
/// The columns of a note that stay as they are.
const KEPT: &str = "organization_id, id, kind, text, about_kind, about_id, status, version, recorded_at, recorded_by, \
     closed_at, closed_by, closing_reason";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [timestamp_with_time_zone_null("hidden_at"), json_binary_null("hidden_before")] {
            manager.alter_table(Table::alter().table("facility").add_column(column).to_owned()).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("organization_key")
                    .col(uuid("organization_id"))
                    .col(text("kind"))
                    .col(uuid("bucket_id"))
                    .col(binary("wrapped"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .primary_key(&mut key(&["organization_id", "kind"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .check(Expr::cust("kind IN ('SAFEGUARDING', 'SURVEY', 'RELEASE', 'TESTIMONY')"))
                    .to_owned(),
            )
            .await?;
        // What is in clear stays so until a server starts: migrations have no keys.
        let mut notes = notes();
        notes
            .col(text_null("text"))
            .col(binary_null("sealed_text"))
            .col(text_null("closing_reason"))
            .col(binary_null("sealed_reason"))
            .check(Expr::cust("(text IS NULL) <> (sealed_text IS NULL)"))
            .check(Expr::cust("closing_reason IS NULL OR sealed_reason IS NULL"))
            .check(Expr::cust("(closed_at IS NULL) = (closing_reason IS NULL AND sealed_reason IS NULL)"));
        replace_notes(manager, notes).await
    }

    /// Fails when there are notes in ciphertext: without keys they cannot be as they were.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut notes = notes();
        notes
            .col(text("text"))
            .col(text_null("closing_reason"))
            .check(Expr::cust("(closed_at IS NULL) = (closing_reason IS NULL)"));
        replace_notes(manager, notes).await?;
        drop_tables(manager, &["organization_key"]).await?;
        for column in ["hidden_at", "hidden_before"] {
            manager.alter_table(Table::alter().table("facility").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}

/// The table of notes without their texts.
fn notes() -> TableCreateStatement {
    Table::create()
        .table(NOTE)
        .col(uuid("organization_id"))
        .col(uuid("id"))
        .col(text("kind"))
        .col(integer_null("about_kind"))
        .col(uuid_null("about_id"))
        .col(text("status"))
        .col(integer("version"))
        .col(timestamp_with_time_zone("recorded_at"))
        .col(uuid_null("recorded_by"))
        .col(timestamp_with_time_zone_null("closed_at"))
        .col(uuid_null("closed_by"))
        .primary_key(&mut key(&["organization_id", "id"]))
        .foreign_key(&mut references("organization_id", "organization", "id"))
        .check(Expr::cust("kind IN ('PATTERN', 'BREAK_GLASS', 'REPORT')"))
        .check(Expr::cust("status IN ('OPEN', 'CLOSED')"))
        .check(Expr::cust("(about_kind IS NULL) = (about_id IS NULL)"))
        .check(Expr::cust("(status = 'CLOSED') = (closed_at IS NOT NULL)"))
        .to_owned()
}

/// SQLite changes no column and no check of a table that is there.
async fn replace_notes(manager: &SchemaManager<'_>, notes: TableCreateStatement) -> Result<(), DbErr> {
    const COLUMNS: [&str; 3] = ["organization_id", "recorded_at", "id"];
    let old = Index::drop().name(format!("{NOTE}_{}", COLUMNS.join("_"))).table(NOTE).to_owned();
    manager.drop_index(old).await?;
    manager.rename_table(Table::rename().table(NOTE, "old_note").to_owned()).await?;
    manager.create_table(notes).await?;
    let copy = format!("INSERT INTO {NOTE} ({KEPT}) SELECT {KEPT} FROM old_note");
    manager.get_connection().execute_unprepared(&copy).await?;
    drop_tables(manager, &["old_note"]).await?;
    index(manager, NOTE, &COLUMNS, Uniqueness::Plain).await
}
