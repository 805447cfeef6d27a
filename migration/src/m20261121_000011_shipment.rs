//! What was sent for a delivery and what became of it, line by line, and who signed that it arrived. For staff alone:
//! the outside role is granted none of it.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

use crate::{Uniqueness, drop_tables, index, key, references, references_own};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// A class is decided when a delivery has taken place, and never again.
const IS_FIXED: &str = "OLD.class <> NEW.class AND (\
     OLD.status NOT IN ('PLANNED', 'DISPATCHED') OR NEW.status IN ('PLANNED', 'DISPATCHED'))";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("shipment")
                    .col(uuid("organization_id"))
                    .col(uuid("distribution_id"))
                    .col(date("dispatched_on"))
                    .col(text_null("loss_reason"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "distribution_id"]))
                    .foreign_key(&mut references_own("distribution_id", "distribution"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("shipment_line")
                    .col(uuid("organization_id"))
                    .col(uuid("distribution_id"))
                    .col(integer("position"))
                    .col(uuid_null("item_id"))
                    .col(uuid_null("kit_id"))
                    .col(integer_null("kit_version"))
                    .col(integer("shipped"))
                    .col(integer_null("received"))
                    .col(integer_null("returned"))
                    .col(integer_null("lost"))
                    .primary_key(&mut key(&["organization_id", "distribution_id", "position"]))
                    .foreign_key(
                        ForeignKey::create()
                            .from_col("organization_id")
                            .from_col("distribution_id")
                            .to("shipment", ("organization_id", "distribution_id")),
                    )
                    .foreign_key(&mut references("item_id", "item", "id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from_col("kit_id")
                            .from_col("kit_version")
                            .to("kit_version", ("kit_id", "number")),
                    )
                    .check(Expr::cust("(item_id IS NULL) <> (kit_id IS NULL)"))
                    .check(Expr::cust("shipped > 0"))
                    .check(Expr::cust(
                        "(received IS NULL) = (returned IS NULL) AND (received IS NULL) = (lost IS NULL)",
                    ))
                    .check(Expr::cust("received IS NULL OR received >= 0 AND returned >= 0 AND lost >= 0"))
                    .check(Expr::cust("received IS NULL OR received + returned + lost = shipped"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("delivery_proof")
                    .col(uuid("organization_id"))
                    .col(uuid("id"))
                    .col(uuid("distribution_id"))
                    .col(text("signed_by"))
                    .col(date("signed_on"))
                    .col(text_null("document_sha256"))
                    .col(timestamp_with_time_zone("recorded_at"))
                    .col(uuid_null("recorded_by"))
                    .primary_key(&mut key(&["organization_id", "id"]))
                    .foreign_key(&mut references_own("distribution_id", "distribution"))
                    .to_owned(),
            )
            .await?;
        index(
            manager,
            "delivery_proof",
            &["organization_id", "distribution_id", "recorded_at"],
            Uniqueness::Plain,
        )
        .await?;
        let db = manager.get_connection();
        match manager.get_database_backend() {
            DbBackend::Postgres => {
                db.execute_unprepared(
                    "CREATE FUNCTION class_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                     RAISE EXCEPTION 'the class of a delivery is decided when it takes place, and is fixed'; END $$",
                )
                .await?;
                db.execute_unprepared(&format!(
                    "CREATE TRIGGER distribution_class BEFORE UPDATE OF class ON distribution \
                     FOR EACH ROW WHEN ({IS_FIXED}) EXECUTE FUNCTION class_is_fixed()"
                ))
                .await?;
            }
            _ => {
                db.execute_unprepared(&format!(
                    "CREATE TRIGGER distribution_class BEFORE UPDATE OF class ON distribution WHEN {IS_FIXED} BEGIN \
                     SELECT RAISE(ABORT, 'the class of a delivery is decided when it takes place, and is fixed'); END"
                ))
                .await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            db.execute_unprepared("DROP TRIGGER distribution_class ON distribution").await?;
            db.execute_unprepared("DROP FUNCTION class_is_fixed()").await?;
        } else {
            db.execute_unprepared("DROP TRIGGER distribution_class").await?;
        }
        drop_tables(manager, &["delivery_proof", "shipment_line", "shipment"]).await
    }
}
