//! How people and tools sign in: passwords, sessions, one-time tokens, keys, the tries that bound guessing, and mail.

use sea_orm_migration::{prelude::*, schema::*};

use crate::{
    Uniqueness, drop_tables, index, key,
    m20261121_000004_catalog_version::{unwatch, watch},
    references,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const KEPT_IN_MEMORY: [&str; 4] = ["credential", "invitation", "ended_session", "service_key"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let valid_from = timestamp_with_time_zone_null("tokens_valid_from");
        manager.alter_table(Table::alter().table("account").add_column(valid_from).to_owned()).await?;
        manager
            .create_table(
                Table::create()
                    .table("credential")
                    .col(uuid("account_id").primary_key())
                    .col(text("email"))
                    .col(text("password_hash"))
                    .col(text("language"))
                    .col(timestamp_with_time_zone("changed_at"))
                    .foreign_key(&mut references("account_id", "account", "id"))
                    .to_owned(),
            )
            .await?;
        index(manager, "credential", &["email"], Uniqueness::Unique).await?;
        manager
            .create_table(
                Table::create()
                    .table("invitation")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(text("email"))
                    .col(text("name"))
                    .col(text("role"))
                    .col(json_binary("facilities"))
                    .col(date("starts_on"))
                    .col(date_null("ends_on"))
                    .col(text("language"))
                    .col(binary("token_hash"))
                    .col(uuid_null("invited_by"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .col(timestamp_with_time_zone_null("accepted_at"))
                    .col(timestamp_with_time_zone_null("ended_at"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .to_owned(),
            )
            .await?;
        index(manager, "invitation", &["token_hash"], Uniqueness::Unique).await?;
        manager
            .create_table(
                Table::create()
                    .table("sign_in_session")
                    .col(uuid("id").primary_key())
                    .col(uuid("account_id"))
                    .col(binary("address_key"))
                    .col(timestamp_with_time_zone("started_at"))
                    .col(timestamp_with_time_zone("renewed_at"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .col(timestamp_with_time_zone_null("ended_at"))
                    .foreign_key(&mut references("account_id", "account", "id"))
                    .to_owned(),
            )
            .await?;
        index(manager, "sign_in_session", &["account_id", "started_at"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("refresh_token")
                    .col(binary("hash").primary_key())
                    .col(uuid("session_id"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .col(timestamp_with_time_zone_null("used_at"))
                    .foreign_key(&mut references("session_id", "sign_in_session", "id"))
                    .to_owned(),
            )
            .await?;
        index(manager, "refresh_token", &["expires_at"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("ended_session")
                    .col(uuid("id").primary_key())
                    .col(timestamp_with_time_zone("ended_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("reset_token")
                    .col(binary("hash").primary_key())
                    .col(uuid("account_id"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .col(timestamp_with_time_zone_null("used_at"))
                    .foreign_key(&mut references("account_id", "account", "id"))
                    .to_owned(),
            )
            .await?;
        index(manager, "reset_token", &["account_id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("sign_in_try")
                    .col(binary("key"))
                    .col(uuid("id"))
                    .col(timestamp_with_time_zone("tried_at"))
                    .primary_key(&mut key(&["key", "id"]))
                    .to_owned(),
            )
            .await?;
        for columns in [&["key", "tried_at"][..], &["tried_at"], &["id"]] {
            index(manager, "sign_in_try", columns, Uniqueness::Plain).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("mail")
                    .col(uuid("id").primary_key())
                    .col(text("kind"))
                    .col(text("recipient"))
                    .col(text("language"))
                    .col(text("subject"))
                    .col(binary_null("text"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .col(timestamp_with_time_zone("next_try_at"))
                    .col(timestamp_with_time_zone_null("sent_at"))
                    .col(integer("tries"))
                    .to_owned(),
            )
            .await?;
        index(manager, "mail", &["sent_at", "next_try_at"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("service_key")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("account_id"))
                    .col(text("name"))
                    .col(binary("hash"))
                    .col(json_binary_null("scopes"))
                    .col(uuid_null("made_by"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .col(timestamp_with_time_zone_null("ended_at"))
                    .col(date_null("used_on"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references("account_id", "account", "id"))
                    .to_owned(),
            )
            .await?;
        index(manager, "service_key", &["hash"], Uniqueness::Unique).await?;
        watch(manager, &KEPT_IN_MEMORY).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        unwatch(manager, &KEPT_IN_MEMORY).await?;
        drop_tables(
            manager,
            &[
                "service_key",
                "mail",
                "sign_in_try",
                "reset_token",
                "ended_session",
                "refresh_token",
                "sign_in_session",
                "invitation",
                "credential",
            ],
        )
        .await?;
        manager.alter_table(Table::alter().table("account").drop_column("tokens_valid_from").to_owned()).await
    }
}
