//! Women's records: who they are, in ciphertext under a key for each, and what staff keep of them. For staff alone: the
//! outside role is granted none of it.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

use crate::{Uniqueness, drop_tables, index, key, references, references_own};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("key_bucket")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(integer("women"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(timestamp_with_time_zone_null("retired_at"))
                    .col(timestamp_with_time_zone_null("destroyed_at"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("participant")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(text("code"))
                    .col(binary_null("given_names"))
                    .col(binary_null("family_names"))
                    .col(binary_null("birth_date"))
                    .col(binary_null("documents"))
                    .col(binary_null("notes"))
                    .col(integer("identity_version"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .col(timestamp_with_time_zone_null("erased_at"))
                    .col(uuid_null("merged_into"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .to_owned(),
            )
            .await?;
        index(manager, "participant", &["organization_id", "code"], Uniqueness::Unique).await?;
        manager
            .create_table(
                Table::create()
                    .table("participant_key")
                    .col(uuid("organization_id"))
                    .col(uuid("participant_id"))
                    .col(uuid("bucket_id"))
                    .col(binary("wrapped"))
                    .primary_key(&mut key(&["organization_id", "participant_id"]))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .foreign_key(&mut references_own("bucket_id", "key_bucket"))
                    .to_owned(),
            )
            .await?;
        index(manager, "participant_key", &["organization_id", "bucket_id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("blind_index")
                    .col(uuid("organization_id"))
                    .col(uuid("participant_id"))
                    .col(text("kind"))
                    .col(binary("digest"))
                    .primary_key(&mut key(&["organization_id", "participant_id", "kind", "digest"]))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .to_owned(),
            )
            .await?;
        index(manager, "blind_index", &["organization_id", "digest"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("custody_stay")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("participant_id"))
                    .col(uuid("facility_id"))
                    .col(date("starts_on"))
                    .col(date_null("ends_on"))
                    .col(text_null("ending"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .foreign_key(&mut references("facility_id", "facility", "id"))
                    .to_owned(),
            )
            .await?;
        index(manager, "custody_stay", &["organization_id", "participant_id"], Uniqueness::Plain).await?;
        index(manager, "custody_stay", &["organization_id", "facility_id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("dependant")
                    .col(uuid("organization_id"))
                    .col(uuid("participant_id"))
                    .col(integer("position"))
                    .col(text("relation"))
                    .col(text("age_band"))
                    .primary_key(&mut key(&["organization_id", "participant_id", "position"]))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("maternity")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("participant_id"))
                    .col(text("state"))
                    .col(date("starts_on"))
                    .col(date_null("ends_on"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .to_owned(),
            )
            .await?;
        index(manager, "maternity", &["organization_id", "participant_id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("consent")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("participant_id"))
                    .col(text("purpose"))
                    .col(text("decision"))
                    .col(text("notice_version"))
                    .col(text("language"))
                    .col(text("method"))
                    .col(date("decided_on"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .to_owned(),
            )
            .await?;
        index(
            manager,
            "consent",
            &["organization_id", "participant_id", "purpose", "decided_on"],
            Uniqueness::Plain,
        )
        .await?;
        manager
            .create_table(
                Table::create()
                    .table("record_reach")
                    .col(uuid("organization_id"))
                    .col(uuid("participant_id"))
                    .col(uuid("event_id"))
                    .primary_key(&mut key(&["organization_id", "participant_id", "event_id"]))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("break_glass")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("account_id"))
                    .col(uuid("participant_id"))
                    .col(binary_null("reason"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(timestamp_with_time_zone("ends_at"))
                    .col(timestamp_with_time_zone_null("seen_at"))
                    .col(uuid_null("seen_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .to_owned(),
            )
            .await?;
        index(manager, "break_glass", &["organization_id", "account_id", "ends_at"], Uniqueness::Plain)
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("distribution_recipient")
                    .col(uuid("organization_id"))
                    .col(uuid("distribution_id"))
                    .col(uuid("participant_id"))
                    .primary_key(&mut key(&["organization_id", "distribution_id", "participant_id"]))
                    .foreign_key(&mut references_own("distribution_id", "distribution"))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .to_owned(),
            )
            .await?;
        index(manager, "distribution_recipient", &["organization_id", "participant_id"], Uniqueness::Plain)
            .await?;
        consent_is_append_only(manager).await?;
        who_is_named_is_no_operation(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &[
                "distribution_recipient",
                "break_glass",
                "record_reach",
                "consent",
                "maternity",
                "dependant",
                "custody_stay",
                "blind_index",
                "participant_key",
                "participant",
                "key_bucket",
            ],
        )
        .await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            for function in ["refuse_change_of_consent", "refuse_names_outside_records"] {
                let sql = format!("DROP FUNCTION {function}");
                manager.get_connection().execute_unprepared(&sql).await?;
            }
        }
        Ok(())
    }
}

/// What she has decided stays as it was recorded; only an erasure takes it away.
async fn consent_is_append_only(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let sql: &[&str] = match manager.get_database_backend() {
        DbBackend::Postgres => &[
            "CREATE FUNCTION refuse_change_of_consent() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'consent is never changed'; END $$",
            "CREATE TRIGGER consent_stays BEFORE UPDATE ON consent FOR EACH ROW \
             EXECUTE FUNCTION refuse_change_of_consent()",
        ],
        _ => &["CREATE TRIGGER consent_stays BEFORE UPDATE ON consent BEGIN \
                SELECT RAISE(ABORT, 'consent is never changed'); END"],
    };
    for statement in sql {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}

/// A delivery that names a woman is a records row.
async fn who_is_named_is_no_operation(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let of = "SELECT 1 FROM distribution WHERE organization_id = NEW.organization_id \
              AND id = NEW.distribution_id AND class <> 'RECORDS'";
    let sql = match manager.get_database_backend() {
        DbBackend::Postgres => vec![
            format!(
                "CREATE FUNCTION refuse_names_outside_records() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN IF EXISTS ({of}) THEN RAISE EXCEPTION 'an operations row names nobody'; END IF; \
                 RETURN NEW; END $$"
            ),
            "CREATE TRIGGER recipient_of_record BEFORE INSERT OR UPDATE ON distribution_recipient FOR EACH ROW \
             EXECUTE FUNCTION refuse_names_outside_records()"
                .to_owned(),
        ],
        _ => ["INSERT", "UPDATE"]
            .map(|event| {
                format!(
                    "CREATE TRIGGER recipient_of_record_{event} BEFORE {event} ON distribution_recipient \
                     WHEN EXISTS ({of}) BEGIN SELECT RAISE(ABORT, 'an operations row names nobody'); END"
                )
            })
            .into(),
    };
    for statement in sql {
        manager.get_connection().execute_unprepared(&statement).await?;
    }
    Ok(())
}
