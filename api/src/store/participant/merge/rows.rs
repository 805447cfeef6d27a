//! What a merge moves: the rows of what a woman did. Which ones they were is kept, so that they can be moved back.
//!
//! Of what both records have, such as attendance of the same session, the row of the merged one stays with it, where it
//! counts no more ([`Access::unmerged`]). Money alone is never left aside: there both have to be put right first.

use std::collections::BTreeMap;

use entity::participant_merge;
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use crate::{
    error::Result,
    store::{
        input::{Faults, Message, UserErrorCode, Written},
        write::Write,
    },
};

/// A table of what women do.
struct Table {
    name: &'static str,
    /// What names a row beside the woman.
    row: &'static str,
    /// When a row of the kept record, `k`, stands in the way of one of the merged record, `m`.
    same: &'static str,
    /// What both records must not have.
    never_both: Option<(&'static str, Message)>,
}

impl Table {
    const fn new(name: &'static str, row: &'static str, same: &'static str) -> Self {
        Self { name, row, same, never_both: None }
    }
}

const TABLES: [Table; 8] = [
    Table::new(
        "enrolment",
        "id",
        "m.status IN ('APPLIED', 'WAITLISTED', 'ENROLLED', 'ACTIVE') \
         AND k.status IN ('APPLIED', 'WAITLISTED', 'ENROLLED', 'ACTIVE') AND (k.workshop_id = m.workshop_id \
         OR (k.workshop_id IS NULL AND m.workshop_id IS NULL AND k.program_id = m.program_id))",
    ),
    Table::new("attendance", "id", "k.session_id = m.session_id"),
    Table::new("skill", "id", "k.technique = m.technique AND k.level = m.level"),
    Table::new("legal_matter", "id", "1 = 0"),
    Table::new("distribution_recipient", "distribution_id", "k.distribution_id = m.distribution_id"),
    Table {
        never_both: Some(("1 = 1", BOTH_MADE)),
        ..Table::new("production_maker", "batch_id", "k.batch_id = m.batch_id")
    },
    Table {
        never_both: Some((
            "EXISTS (SELECT 1 FROM payout_run r WHERE r.organization_id = m.organization_id AND r.id = m.run_id \
             AND r.status <> 'VOIDED')",
            BOTH_PAID,
        )),
        ..Table::new("payout", "id", "k.run_id = m.run_id")
    },
    Table::new("savings_withdrawal", "id", "1 = 0"),
];

/// How many rows of each table were moved.
pub(super) type Counts = BTreeMap<&'static str, u64>;

impl Write<'_> {
    /// Refuses to merge what was paid, or is to be paid, to both records at once.
    pub(super) async fn check_money(&self, (kept, merged): (Uuid, Uuid)) -> Written<()> {
        let mut faults = Faults::default();
        for Table { name, same, never_both, .. } in TABLES {
            let Some((when, message)) = never_both else { continue };
            let sql = format!(
                "SELECT 1 FROM {name} m JOIN {name} k ON k.organization_id = m.organization_id AND {same} \
                 WHERE m.organization_id = $1 AND m.participant_id = $2 AND k.participant_id = $3 AND {when} LIMIT 1"
            );
            let values = [self.access.own()?, merged, kept];
            let none = self.tx.query_one_raw(self.statement(&sql, values)).await?.is_none();
            faults.check(none, UserErrorCode::Conflict, &["id"], message);
        }
        faults.refuse()
    }

    /// Moves what the merged woman did to the kept record, and keeps which rows those were.
    pub(super) async fn move_rows(&self, merge: &participant_merge::Model) -> Result<Counts> {
        let own = merge.organization_id;
        for Table { name, row, same, .. } in TABLES {
            let sql = format!(
                "INSERT INTO participant_merge_row (organization_id, merge_id, moved, row_id) \
                 SELECT m.organization_id, $4, '{name}', m.{row} FROM {name} m \
                 WHERE m.organization_id = $1 AND m.participant_id = $2 AND NOT EXISTS (SELECT 1 FROM {name} k \
                 WHERE k.organization_id = $1 AND k.participant_id = $3 AND {same})"
            );
            let values = [own, merge.merged_id, merge.kept_id, merge.id];
            self.tx.execute_raw(self.statement(&sql, values)).await?;
        }
        self.hand_over(merge, merge.merged_id, merge.kept_id).await
    }

    /// Moves back what a merge has moved, as it is now.
    pub(super) async fn move_rows_back(&self, merge: &participant_merge::Model) -> Result<Counts> {
        self.hand_over(merge, merge.kept_id, merge.merged_id).await
    }

    async fn hand_over(&self, merge: &participant_merge::Model, from: Uuid, to: Uuid) -> Result<Counts> {
        let mut counts = Counts::new();
        for Table { name, row, .. } in TABLES {
            let sql = format!(
                "UPDATE {name} SET participant_id = $3 WHERE organization_id = $1 AND participant_id = $2 \
                 AND {row} IN (SELECT row_id FROM participant_merge_row WHERE organization_id = $1 \
                 AND merge_id = $4 AND moved = '{name}')"
            );
            let values = [merge.organization_id, from, to, merge.id];
            let moved = self.tx.execute_raw(self.statement(&sql, values)).await?.rows_affected();
            if moved > 0 {
                counts.insert(name, moved);
            }
        }
        Ok(counts)
    }

    fn statement<const N: usize>(&self, sql: &str, values: [Uuid; N]) -> Statement {
        Statement::from_sql_and_values(self.tx.get_database_backend(), sql, values.map(Into::into))
    }
}

const BOTH_MADE: Message = Message {
    en: "Both records are makers of one batch, which would be paid to her twice. Put that batch right first.",
    es: "Ambos expedientes figuran como autoras de un mismo lote, que se le pagaría dos veces. Corrija primero ese lote.",
};
const BOTH_PAID: Message = Message {
    en: "Both records are paid by one run. Void that run first, and make it anew after the merge.",
    es: "Un mismo pago incluye ambos expedientes. Anule primero ese pago y hágalo de nuevo después de unirlos.",
};
