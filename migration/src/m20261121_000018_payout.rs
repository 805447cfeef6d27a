//! Pay-outs: policies, runs, what each woman is paid, and her savings. For staff alone: the outside role is granted none
//! of it.

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
                    .table("payout_policy")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("program_id"))
                    .col(integer("number"))
                    .col(date("valid_from"))
                    .col(text("currency"))
                    .col(text("basis"))
                    .col(integer_null("share_basis_points"))
                    .col(text_null("paid_for"))
                    .col(text("rounding"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references("program_id", "program", "id"))
                    .to_owned(),
            )
            .await?;
        index(manager, "payout_policy", &["organization_id", "program_id", "number"], Uniqueness::Unique)
            .await?;
        index(manager, "payout_policy", &["organization_id", "valid_from", "id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("payout_rate")
                    .col(uuid("organization_id"))
                    .col(uuid("policy_id"))
                    .col(uuid("product_id"))
                    .col(big_integer("rate_minor"))
                    .primary_key(&mut key(&["organization_id", "policy_id", "product_id"]))
                    .foreign_key(&mut references_own("policy_id", "payout_policy"))
                    .foreign_key(&mut references_own("product_id", "product"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("payout_deduction")
                    .col(uuid("organization_id"))
                    .col(uuid("policy_id"))
                    .col(integer("position"))
                    .col(text("kind"))
                    .col(integer_null("basis_points"))
                    .col(big_integer_null("amount_minor"))
                    .primary_key(&mut key(&["organization_id", "policy_id", "position"]))
                    .foreign_key(&mut references_own("policy_id", "payout_policy"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("payout_run")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("program_id"))
                    .col(uuid("policy_id"))
                    .col(text("currency"))
                    .col(date("starts_on"))
                    .col(date("ends_on"))
                    .col(text("status"))
                    .col(big_integer("sold_minor"))
                    .col(big_integer("remainder_minor"))
                    .col(timestamp_with_time_zone_null("approved_at"))
                    .col(uuid_null("approved_by"))
                    .col(date_null("paid_on"))
                    .col(timestamp_with_time_zone_null("voided_at"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references("program_id", "program", "id"))
                    .foreign_key(&mut references_own("policy_id", "payout_policy"))
                    .to_owned(),
            )
            .await?;
        index(manager, "payout_run", &["organization_id", "program_id"], Uniqueness::Plain).await?;
        index(manager, "payout_run", &["organization_id", "starts_on", "id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("payout")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("run_id"))
                    .col(uuid("participant_id"))
                    .col(big_integer("gross_minor"))
                    .col(big_integer("net_minor"))
                    .col(date_null("acknowledged_on"))
                    .col(text_null("method"))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references_own("run_id", "payout_run"))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .to_owned(),
            )
            .await?;
        index(manager, "payout", &["organization_id", "run_id", "participant_id"], Uniqueness::Unique)
            .await?;
        index(manager, "payout", &["organization_id", "participant_id"], Uniqueness::Plain).await?;
        index(manager, "payout", &["organization_id", "recorded_at", "id"], Uniqueness::Plain).await?;
        manager
            .create_table(
                Table::create()
                    .table("payout_part")
                    .col(uuid("organization_id"))
                    .col(uuid("payout_id"))
                    .col(integer("position"))
                    .col(text("kind"))
                    .col(big_integer("amount_minor"))
                    .primary_key(&mut key(&["organization_id", "payout_id", "position"]))
                    .foreign_key(&mut references_own("payout_id", "payout"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("savings_withdrawal")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("participant_id"))
                    .col(big_integer("amount_minor"))
                    .col(text("currency"))
                    .col(date("withdrawn_on"))
                    .col(text("reason"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references("organization_id", "organization", "id"))
                    .foreign_key(&mut references_own("participant_id", "participant"))
                    .to_owned(),
            )
            .await?;
        index(manager, "savings_withdrawal", &["organization_id", "participant_id"], Uniqueness::Plain)
            .await?;
        policies_stay(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &[
                "savings_withdrawal",
                "payout_part",
                "payout",
                "payout_run",
                "payout_deduction",
                "payout_rate",
                "payout_policy",
            ],
        )
        .await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared("DROP FUNCTION refuse_change_of_policy").await?;
        }
        Ok(())
    }
}

/// A version of a policy, and what a run has worked out of it, stay as they were recorded.
async fn policies_stay(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let postgres = manager.get_database_backend() == DbBackend::Postgres;
    if postgres {
        db.execute_unprepared(
            "CREATE FUNCTION refuse_change_of_policy() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'a policy of pay-outs is never changed'; END $$",
        )
        .await?;
    }
    for table in ["payout_policy", "payout_rate", "payout_deduction"] {
        let sql = if postgres {
            format!(
                "CREATE TRIGGER {table}_stays BEFORE UPDATE ON {table} FOR EACH ROW \
                 EXECUTE FUNCTION refuse_change_of_policy()"
            )
        } else {
            format!(
                "CREATE TRIGGER {table}_stays BEFORE UPDATE ON {table} BEGIN \
                 SELECT RAISE(ABORT, 'a policy of pay-outs is never changed'); END"
            )
        };
        db.execute_unprepared(&sql).await?;
    }
    Ok(())
}
