//! Carrying out the rules: what is due, what it is kept for all the same, and what becomes of it.

use std::collections::{BTreeMap, HashMap};

use chrono::{Months, NaiveDate};
use entity::{
    break_glass, maternity, participant, retention_rule, rights_request, safeguarding_note,
    value::{RetentionAction, RetentionSubject},
};
use sea_orm::{
    ActiveEnum, ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, Set, Statement,
    sea_query::{Alias, Expr, ExprTrait},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    store::{
        Access,
        input::{At, Refused},
        payout::savings::KEPT,
        record::KeyHold,
        write::{Trace, Write},
    },
};

/// Why something that is due is kept all the same.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum KeptFor {
    /// A request of hers is open.
    RightsRequest,
    /// Money is kept for her.
    Savings,
    /// She has not signed for what she is paid.
    Payout,
    /// A legal matter of hers is open.
    LegalMatter,
}

impl KeptFor {
    const ALL: [Self; 4] = [Self::RightsRequest, Self::Savings, Self::Payout, Self::LegalMatter];

    pub fn name(self) -> &'static str {
        match self {
            Self::RightsRequest => "RIGHTS_REQUEST",
            Self::Savings => "SAVINGS",
            Self::Payout => "PAYOUT",
            Self::LegalMatter => "LEGAL_MATTER",
        }
    }

    /// The women of the organisation `$1` who are held by it.
    fn women(self) -> String {
        let sql = match self {
            Self::RightsRequest => {
                "SELECT participant_id AS woman FROM rights_request WHERE organization_id = $1 \
                 AND (status = 'OPEN' OR (fulfil_by IS NOT NULL AND fulfilled_on IS NULL))"
            }
            Self::Savings => {
                return format!(
                    "SELECT woman FROM ({KEPT}) kept GROUP BY woman, currency HAVING SUM(amount) <> 0"
                );
            }
            Self::Payout => {
                "SELECT p.participant_id AS woman FROM payout p JOIN payout_run r \
                 ON r.organization_id = p.organization_id AND r.id = p.run_id \
                 WHERE p.organization_id = $1 AND p.acknowledged_on IS NULL AND r.status <> 'VOIDED'"
            }
            Self::LegalMatter => {
                "SELECT participant_id AS woman FROM legal_matter \
                 WHERE organization_id = $1 AND stage <> 'CLOSED'"
            }
        };
        sql.to_owned()
    }
}

/// What a run has done by a rule, or would do.
#[derive(Clone, Debug)]
pub struct Done {
    pub subject: RetentionSubject,
    pub done: i64,
    pub held: BTreeMap<KeptFor, i64>,
}

/// Something whose time is over.
#[derive(Clone, Debug, FromQueryResult)]
pub(super) struct Due {
    id: Uuid,
    version: i32,
    /// Whom it is about; none where it is about nobody.
    woman: Option<Uuid>,
}

impl Access {
    /// Carries out the rules of the organisation that the program acts for; with `dry` it only counts.
    ///
    /// # Errors
    /// When the database is out of reach, or a key could not be destroyed. What is done by then stays done, and the next
    /// run goes on.
    #[expect(clippy::disallowed_methods, reason = "the command line acts for the organisation it was told")]
    pub async fn run_retention(&self, dry: bool) -> Result<Vec<Done>> {
        let own = self.own()?;
        let rules = retention_rule::Entity::find().filter(retention_rule::Column::OrganizationId.eq(own));
        let mut rules = rules.all(self.reader()).await?;
        rules.sort_by_key(|rule| rule.subject);
        let mut report = Vec::with_capacity(rules.len());
        for rule in rules {
            let held = self.women_held(self.reader(), None).await?;
            let (due, held) = free(self.due(self.reader(), &rule, None).await?, &held);
            let mut done = due.len() as i64;
            if !dry {
                done = 0;
                for one in due {
                    done += i64::from(self.carry_out(&rule, &one).await?);
                }
            }
            report.push(Done { subject: rule.subject, done, held });
        }
        if !dry {
            self.store.destroy_retired().await?;
        }
        Ok(report)
    }

    /// Does what a rule says to one thing, in a transaction of its own; whether it was still due there.
    async fn carry_out(&self, rule: &retention_rule::Model, due: &Due) -> Result<bool> {
        let write = self.write_relying().await.map_err(fault)?;
        if rule.action == RetentionAction::Erase {
            write.hold_keys(KeyHold::Move).await?;
        }
        // Whoever is about to record something of her is waited for, or waits.
        if let Some(woman) = due.woman {
            write.hold_records_of(woman).await?;
        }
        // Something may have changed since the list was read: a request came in, she is back.
        let held = self.women_held(&write.tx, due.woman).await?;
        let (still, _) = free(self.due(&write.tx, rule, Some(due.id)).await?, &held);
        if still.is_empty() {
            write.discard().await?;
            return Ok(false);
        }
        let detail = json!({ "reason": "RETENTION", "months": rule.months, "after": rule.event });
        let changed = write.retain(rule, due, &detail).await?;
        if changed == 0 {
            write.discard().await?;
            return Ok(false);
        }
        let entity = match rule.subject {
            RetentionSubject::Participant | RetentionSubject::ParticipantNotes => "participant",
            RetentionSubject::Maternity => "maternity",
            RetentionSubject::BreakGlassReason => "break_glass",
            RetentionSubject::SafeguardingNote => "safeguarding_note",
            RetentionSubject::RightsRequest => "rights_request",
        };
        let action = rule.action.to_value();
        let trace = Trace { action: &action, entity, detail };
        write.audit_about(due.woman.into_iter().collect(), trace, due.id, None).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Whose data are kept whatever the rules say; of all women or of one.
    pub(super) async fn women_held(
        &self,
        db: &impl ConnectionTrait,
        one: Option<Uuid>,
    ) -> Result<HashMap<Uuid, Vec<KeptFor>>> {
        let mut held: HashMap<Uuid, Vec<KeptFor>> = HashMap::new();
        for hold in KeptFor::ALL {
            // What is held of a record that was merged is held of the one that was kept.
            let mut sql = format!(
                "SELECT COALESCE(p.merged_into, p.id) AS woman FROM ({}) held \
                 JOIN participant p ON p.organization_id = $1 AND p.id = held.woman",
                hold.women()
            );
            let mut values = vec![self.own()?.into()];
            if let Some(woman) = one {
                sql.push_str(" WHERE COALESCE(p.merged_into, p.id) = $2");
                values.push(woman.into());
            }
            let statement = Statement::from_sql_and_values(self.backend(), sql, values);
            for row in db.query_all_raw(statement).await? {
                let women = held.entry(row.try_get("", "woman")?).or_default();
                if !women.contains(&hold) {
                    women.push(hold);
                }
            }
        }
        Ok(held)
    }

    /// What the time of a rule is over for; all of it, or one thing.
    pub(super) async fn due(
        &self,
        db: &impl ConnectionTrait,
        rule: &retention_rule::Model,
        one: Option<Uuid>,
    ) -> Result<Vec<Due>> {
        // As of the last moment of this day.
        let months = u32::try_from(rule.months).unwrap_or(u32::MAX);
        let last = self.today().checked_sub_months(Months::new(months)).unwrap_or(NaiveDate::MIN);
        // All stays of all her records have ended by then, and there was one; and it was recorded by then, so that a day
        // that is wrong, or made up, erases nobody who was there a short while ago.
        let hers = "custody_stay s JOIN participant o ON o.organization_id = s.organization_id \
                    AND o.id = s.participant_id WHERE s.organization_id = p.organization_id \
                    AND COALESCE(o.merged_into, o.id) = COALESCE(p.merged_into, p.id)";
        let gone = format!(
            "EXISTS (SELECT 1 FROM {hers}) AND NOT EXISTS (SELECT 1 FROM {hers} \
             AND (s.ends_on IS NULL OR s.ends_on > $2)) \
             AND NOT EXISTS (SELECT 1 FROM record_reach r JOIN audit_event e \
             ON e.organization_id = r.organization_id AND e.id = r.event_id \
             JOIN participant o ON o.organization_id = r.organization_id AND o.id = r.participant_id \
             WHERE r.organization_id = p.organization_id \
             AND COALESCE(o.merged_into, o.id) = COALESCE(p.merged_into, p.id) AND e.recorded_at >= $3 \
             AND e.entity IN ('participant', 'custody_stay') AND e.action IN ('CREATE', 'UPDATE'))"
        );
        // Whom a row is about is the woman of the record that counts.
        let woman = "(SELECT COALESCE(p.merged_into, p.id) FROM participant p \
                     WHERE p.organization_id = $1 AND p.id = participant_id) AS woman";
        let mut sql = match rule.subject {
            RetentionSubject::Participant => format!(
                "SELECT p.id, p.version, p.id AS woman FROM participant p WHERE p.organization_id = $1 \
                 AND p.erased_at IS NULL AND p.merged_into IS NULL AND {gone}"
            ),
            RetentionSubject::ParticipantNotes => format!(
                "SELECT p.id, p.version, COALESCE(p.merged_into, p.id) AS woman FROM participant p \
                 WHERE p.organization_id = $1 AND p.notes IS NOT NULL AND {gone}"
            ),
            RetentionSubject::Maternity => format!(
                "SELECT id, version, {woman} FROM maternity WHERE organization_id = $1 AND ends_on <= $2"
            ),
            RetentionSubject::BreakGlassReason => format!(
                "SELECT id, 1 AS version, {woman} FROM break_glass \
                 WHERE organization_id = $1 AND reason IS NOT NULL AND seen_at IS NOT NULL AND recorded_at < $3"
            ),
            RetentionSubject::SafeguardingNote => "SELECT id, version, NULL AS woman FROM safeguarding_note \
                 WHERE organization_id = $1 AND closed_at < $3"
                .to_owned(),
            RetentionSubject::RightsRequest => format!(
                "SELECT id, version, {woman} FROM rights_request WHERE organization_id = $1 \
                 AND COALESCE(fulfilled_on, CASE WHEN fulfil_by IS NULL THEN answered_on END) <= $2"
            ),
        };
        let until = last.succ_opt().unwrap_or(last).and_time(chrono::NaiveTime::MIN).and_utc();
        let mut values = vec![self.own()?.into(), last.into(), until.into()];
        if let Some(id) = one {
            sql = format!("SELECT * FROM ({sql}) due WHERE id = $4");
            values.push(id.into());
        }
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        Ok(Due::find_by_statement(statement).all(db).await?)
    }
}

impl Write<'_> {
    /// Holds all records of a woman until the transaction ends.
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing is read of them; the organisation is in the WHERE"
    )]
    async fn hold_records_of(&self, woman: Uuid) -> Result<()> {
        use participant::Column;
        let hers = Condition::any().add(Column::Id.eq(woman)).add(Column::MergedInto.eq(woman));
        let rows = participant::Entity::find()
            .filter(Column::OrganizationId.eq(self.access.own()?))
            .filter(hers)
            .order_by_asc(Column::Id)
            .lock_exclusive();
        rows.all(&self.tx).await?;
        Ok(())
    }

    /// Does what a rule says to one row; how many that was.
    #[expect(
        clippy::disallowed_methods,
        reason = "rows of the own organisation whose time is over; it is audited"
    )]
    async fn retain(&self, rule: &retention_rule::Model, due: &Due, detail: &Value) -> Result<u64> {
        let own = self.access.own()?;
        let at = At { id: due.id, expected: due.version };
        Ok(match rule.subject {
            RetentionSubject::Participant => self.access.forget_participant(self, at, detail).await?,
            RetentionSubject::ParticipantNotes => {
                let row = participant::ActiveModel { notes: Set(None), ..Default::default() };
                self.access.change_participant(self, at, row).await?
            }
            RetentionSubject::Maternity => self.delete::<maternity::Entity>(due.id).await?,
            RetentionSubject::BreakGlassReason => {
                let row = break_glass::ActiveModel { reason: Set(None), ..Default::default() };
                let rows = break_glass::Entity::update_many().set(row);
                let rows = rows.filter(break_glass::Column::OrganizationId.eq(own));
                rows.filter(break_glass::Column::Id.eq(due.id)).exec(&self.tx).await?.rows_affected
            }
            RetentionSubject::SafeguardingNote => self.delete::<safeguarding_note::Entity>(due.id).await?,
            RetentionSubject::RightsRequest => self.delete::<rights_request::Entity>(due.id).await?,
        })
    }

    #[expect(clippy::disallowed_methods, reason = "as retain, which it is a part of")]
    async fn delete<E: EntityTrait>(&self, id: Uuid) -> Result<u64> {
        let column = |name: &'static str| Expr::col((E::default(), Alias::new(name)));
        let rows = E::delete_many()
            .filter(column("organization_id").eq(self.access.own()?))
            .filter(column("id").eq(id));
        Ok(rows.exec(&self.tx).await?.rows_affected)
    }
}

/// What is due and not held, and how many things are held by what.
pub(super) fn free(due: Vec<Due>, held: &HashMap<Uuid, Vec<KeptFor>>) -> (Vec<Due>, BTreeMap<KeptFor, i64>) {
    let mut counts = BTreeMap::new();
    let free = due.into_iter().filter(|one| {
        let holds = one.woman.and_then(|woman| held.get(&woman));
        for hold in holds.into_iter().flatten() {
            *counts.entry(*hold).or_insert(0) += 1;
        }
        holds.is_none()
    });
    let free = free.collect();
    (free, counts)
}

/// Nothing that a client has said is wrong here.
fn fault(refused: Refused) -> Error {
    match refused {
        Refused::Fault(error) => error,
        _ => Error::Unavailable,
    }
}
