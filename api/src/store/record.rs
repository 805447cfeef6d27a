//! Women's records: why they are used, and the trace that each reading leaves.

use entity::record_reach;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, Set, Statement};
use serde_json::json;
use uuid::Uuid;

use super::{
    Access,
    audit::{self, Rows},
    begin,
    input::Written,
    write::{Trace, Write},
};
use crate::error::{Error, Result};

/// Why somebody uses women's records: said with each request, and kept in the audit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// To run the programs that she takes part in.
    Service,
    /// To pay her.
    Payment,
    /// To answer a request of her own about her data.
    RightsRequest,
    /// To protect her.
    Safeguarding,
    /// To look after the quality of the records.
    Supervision,
}

impl Purpose {
    pub const ALL: [Self; 5] =
        [Self::Service, Self::Payment, Self::RightsRequest, Self::Safeguarding, Self::Supervision];

    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "SERVICE",
            Self::Payment => "PAYMENT",
            Self::RightsRequest => "RIGHTS_REQUEST",
            Self::Safeguarding => "SAFEGUARDING",
            Self::Supervision => "SUPERVISION",
        }
    }

    pub fn names() -> [&'static str; 5] {
        Self::ALL.map(Self::name)
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}

/// A reading of women's records. Its transaction is the way to them, and it ends with its trace.
pub(super) struct Reading<'a> {
    write: Write<'a>,
    purpose: Purpose,
}

impl Access {
    /// The same viewer, with the purpose that a request says.
    #[must_use]
    pub fn asking(self, purpose: Option<Purpose>) -> Self {
        Self { purpose, ..self }
    }

    /// # Errors
    /// `PurposeNeeded` when the request has said none.
    pub fn purpose(&self) -> Result<Purpose> {
        self.purpose.ok_or(Error::PurposeNeeded)
    }

    /// Begins to read women's records.
    ///
    /// # Errors
    /// As [`Access::purpose`].
    pub(super) async fn reading(&self) -> Result<Reading<'_>> {
        let purpose = self.purpose()?;
        let write = Write { tx: begin(&self.store.pools.write).await?, access: self };
        write.hold_keys(KeyHold::Stay).await?;
        Ok(Reading { write, purpose })
    }
}

impl Reading<'_> {
    pub fn tx(&self) -> &DatabaseTransaction {
        &self.write.tx
    }

    /// Leaves the trace of what was read, and then gives it.
    pub async fn end<T>(
        self,
        entity: &str,
        fields: &[String],
        women: impl IntoIterator<Item = Uuid>,
        found: T,
    ) -> Result<T> {
        let mut women: Vec<Uuid> = women.into_iter().collect();
        women.sort_unstable();
        women.dedup();
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let document = self.write.access.document;
        let purpose = Some(self.purpose.name());
        let rows = Rows::Ids(women.clone());
        let event = self
            .write
            .audit_read(entity, purpose, &fields, rows, document.as_ref().map(|of| &of[..]))
            .await?;
        self.write.reached(event, women).await?;
        self.write.commit().await?;
        Ok(found)
    }
}

impl Reading<'_> {
    /// As [`Reading::end`], for what leaves in a file.
    pub async fn end_export(self, entity: &str, format: &str, women: Vec<Uuid>) -> Result<()> {
        let reading = audit::Reading {
            action: "EXPORT",
            purpose: Some(self.purpose.name()),
            detail: json!({ "format": format }),
            ..audit::Reading::of(entity, Rows::Ids(women.clone()))
        };
        let event = self.write.audit_reading(reading).await?;
        self.write.reached(event, women).await?;
        self.write.commit().await
    }
}

/// What a transaction does with the keys of women's records while it is open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum KeyHold {
    /// It reads by them: none is moved and destroyed meanwhile.
    Stay,
    /// It moves women to another key, or what they did to another record.
    Move,
}

impl Write<'_> {
    /// Takes hold of the keys of an organisation's records until the transaction ends. On SQLite there is one at a time,
    /// which is hold enough.
    pub(super) async fn hold_keys(&self, hold: KeyHold) -> Result<()> {
        if self.tx.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let lock = match hold {
            KeyHold::Stay => "SELECT pg_advisory_xact_lock_shared(1, $1)",
            KeyHold::Move => "SELECT pg_advisory_xact_lock(1, $1)",
        };
        // Two organisations with the same number wait for each other, and that is all.
        let organization = (self.access.own()?.as_u128() as u32).cast_signed();
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, lock, [organization.into()]);
        self.tx.query_one_raw(statement).await?;
        Ok(())
    }

    /// Notes which women a trace is about, so that each can be told who has used her data.
    #[expect(clippy::disallowed_methods, reason = "rows of the viewer's own organisation, part of its audit")]
    async fn reached(&self, event: Uuid, women: Vec<Uuid>) -> Result<()> {
        let own = self.access.own()?;
        let rows = women.into_iter().map(|woman| record_reach::ActiveModel {
            organization_id: Set(own),
            participant_id: Set(woman),
            event_id: Set(event),
        });
        let rows: Vec<_> = rows.collect();
        for chunk in rows.chunks(1_000) {
            record_reach::Entity::insert_many(chunk.to_vec()).exec_without_returning(&self.tx).await?;
        }
        Ok(())
    }

    /// The trace of a change of a row about women.
    pub(super) async fn audit_about(
        &self,
        mut women: Vec<Uuid>,
        trace: Trace<'_>,
        id: Uuid,
        version: Option<i32>,
    ) -> Result<()> {
        women.sort_unstable();
        women.dedup();
        let event = self.trace(self.access.own()?, trace, id, version).await?;
        self.reached(event, women).await
    }

    /// Ends a change of a row about women: audits it, notes whom it is about, and commits. None when nothing was to be
    /// written.
    pub(super) async fn finish_about(
        self,
        women: Vec<Uuid>,
        trace: Trace<'_>,
        row: (Uuid, i32),
        validate_only: bool,
    ) -> Written<Option<Uuid>> {
        if validate_only {
            self.discard().await?;
            return Ok(None);
        }
        self.audit_about(women, trace, row.0, Some(row.1)).await?;
        self.commit().await?;
        Ok(Some(row.0))
    }
}
