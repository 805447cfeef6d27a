//! Recording a delivery on PostgreSQL: the hold of the reference tables, the key, the row, its lines, its event and its
//! trace in one statement.
//!
//! It writes what `record.rs` writes step by step on SQLite, and it is a transaction by itself: one round trip in
//! place of six, for the mutation that field workers send most.

use entity::{distribution, distribution_line, value::RowClass};
use sea_orm::{ActiveEnum, ConnectionTrait, DbBackend, Statement};
use serde_json::json;

use super::sync::alias;
use crate::{
    auth::rights,
    store::{
        Access,
        input::{Once, Written},
    },
};

const RECORD: &str = "\
    WITH checked AS (\
        SELECT version FROM catalog_version WHERE id = 1 AND version = $21 \
        AND NOT EXISTS (SELECT 1 FROM idempotency \
        WHERE organization_id = $1 AND account_id = $2 AND key = $26) FOR SHARE\
    ), new_key AS (\
        INSERT INTO idempotency \
            (organization_id, account_id, key, operation, input_hash, object_id, recorded_at) \
        SELECT $1::uuid, $2::uuid, $3, $4, $5::bytea, $6::uuid, $7::timestamptz FROM checked \
        ON CONFLICT DO NOTHING RETURNING organization_id, object_id, recorded_at\
    ), new_row AS (\
        INSERT INTO distribution \
            (organization_id, id, class, facility_id, program_id, occurred_on, recorded_at, status, \
             people_reached, reach_method, version, recorded_by, client_id, form_number) \
        SELECT organization_id, object_id, $8, $9::uuid, $10::uuid, $11::date, recorded_at, $12, $13::int, $14, \
               $15::int, $16::uuid, $22::uuid, $23 \
        FROM new_key\
    ), new_lines AS (\
        INSERT INTO distribution_line \
            (organization_id, distribution_id, position, class, shown, item_id, kit_id, kit_version, quantity, \
             people_reached) \
        SELECT new_key.organization_id, object_id, position, $8, shown, item_id, kit_id, kit_version, quantity, \
               people_reached \
        FROM new_key, json_to_recordset($17::json) AS line \
            (position int, shown bool, item_id uuid, kit_id uuid, kit_version int, quantity int, \
             people_reached int)\
    ), new_event AS (\
        INSERT INTO outbox (organization_id, id, kind, row_id, open, recorded_at) \
        SELECT organization_id, $24::uuid, 'DISTRIBUTION', object_id, $25::bool, recorded_at FROM new_key\
    ) \
    INSERT INTO audit_event \
        (organization_id, id, recorded_at, account_id, role, action, entity, entity_id, entity_version, detail) \
    SELECT organization_id, $18::uuid, recorded_at, $16::uuid, $19, 'RECORD', 'distribution', object_id, $15::int, \
           $20::jsonb \
    FROM new_key";

impl Access {
    /// Writes a new delivery; false, and nothing written, when its key has been used before, or the reference
    /// tables are not those that it was checked against.
    pub(super) async fn record_at_once(
        &self,
        once: &Once,
        row: &distribution::Model,
        lines: &[distribution_line::Model],
    ) -> Written<bool> {
        let account = self.viewer.account();
        let lines: serde_json::Value = lines
            .iter()
            .map(|line| {
                json!({
                    "position": line.position,
                    "shown": line.shown,
                    "item_id": line.item_id,
                    "kit_id": line.kit_id,
                    "kit_version": line.kit_version,
                    "quantity": line.quantity,
                    "people_reached": line.people_reached,
                })
            })
            .collect();
        let statement = Statement::from_sql_and_values(
            DbBackend::Postgres,
            RECORD,
            [
                row.organization_id.into(),
                once.account(&self.viewer).into(),
                once.key.clone().into(),
                once.operation.clone().into(),
                once.hash.clone().into(),
                row.id.into(),
                row.recorded_at.into(),
                row.class.to_value().into(),
                row.facility_id.into(),
                row.program_id.into(),
                row.occurred_on.into(),
                row.status.to_value().into(),
                row.people_reached.into(),
                row.reach_method.to_value().into(),
                row.version.into(),
                account.into(),
                lines.into(),
                self.new_id().into(),
                self.viewer.role().map_or("SYSTEM", rights::role_name).into(),
                json!({ "class": row.class }).into(),
                self.catalog.version.into(),
                row.client_id.into(),
                row.form_number.clone().into(),
                self.new_id().into(),
                (row.class == RowClass::Operations).into(),
                row.client_id.map(alias).unwrap_or_default().into(),
            ],
        );
        let written = self.store.pools.write.execute_raw(statement).await?.rows_affected() == 1;
        if written {
            self.store.feed.wake();
        }
        Ok(written)
    }
}
