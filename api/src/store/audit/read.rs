//! What auditors and stewards read of the audit: who did what when, and never what was there before.

use chrono::{DateTime, Utc};
use entity::{
    audit_event::{self, Column},
    value::VoidReason,
};
use sea_orm::{
    ActiveEnum, ColumnTrait, Condition, DbBackend, FromQueryResult, PaginatorTrait, QueryFilter, QuerySelect,
    QueryTrait, prelude::Json, sea_query::Expr,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{Rows, heads::Line};
use crate::{
    auth::Right,
    error::Result,
    id,
    store::{
        Access, Scoped,
        distribution::{DateTimeRange, among},
        keyset::{Direction, Key, Page, Place, SqlOrder, Window},
        nothing,
    },
};

/// Lists narrow the result to any of their members; an empty list matches nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    #[serde(deserialize_with = "id::list::<_, {id::AUDIT_ACTOR}>")]
    pub account: Option<Vec<Uuid>>,
    pub role: Option<Vec<String>>,
    pub action: Option<Vec<String>>,
    pub entity: Option<Vec<String>>,
    #[serde(deserialize_with = "id::some_list")]
    pub object: Option<Vec<Uuid>>,
    pub at: Option<DateTimeRange>,
}

/// What is asked of the audit.
#[derive(Clone, Debug)]
pub struct Asked {
    pub filter: Filter,
    pub window: Window,
    /// The names of the fields that are asked for, for the trace of this read.
    pub fields: Vec<String>,
    pub with_total: bool,
}

/// An audit row as it may be read. What the detail holds of former values is not fetched.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Event {
    pub organization_id: Uuid,
    pub id: Uuid,
    pub recorded_at: DateTime<Utc>,
    pub account_id: Option<Uuid>,
    pub role: String,
    pub action: String,
    pub entity: String,
    pub entity_id: Uuid,
    pub entity_version: Option<i32>,
    pub purpose: Option<String>,
    pub fields: Option<Json>,
    pub rows: Option<Json>,
    pub document_hash: Option<Vec<u8>>,
    reason: Option<String>,
}

impl Event {
    /// Why, where the reason is one of a closed list: a text that somebody wrote is not given out.
    pub fn reason(&self) -> Option<VoidReason> {
        VoidReason::try_from_value(self.reason.as_ref()?).ok()
    }

    /// How many rows were given out.
    pub fn row_count(&self) -> Option<i64> {
        match self.rows.as_ref()? {
            Json::Array(ids) => Some(ids.len() as i64),
            count => count.as_i64(),
        }
    }
}

impl Scoped for audit_event::Entity {
    fn visible_to(access: &Access) -> Condition {
        match access.viewer.organization() {
            Some(own) if access.viewer.has(Right::AuditRead) => {
                Condition::all().add(Column::OrganizationId.eq(own))
            }
            _ => nothing(),
        }
    }
}

/// The newest head of the viewer's organisation, signed.
pub type Signed = Option<Line>;

impl Access {
    /// A page of the audit of the viewer's organisation, the newest first. That it was read is in the audit before
    /// anything is given out.
    ///
    /// # Errors
    /// `NotPermitted` without the right.
    pub async fn audit_events(&self, asked: &Asked) -> Result<Page<Event>> {
        self.require(Right::AuditRead)?;
        let column = |column: Column| Expr::col((audit_event::Entity, column));
        let order = SqlOrder {
            key: column(Column::RecordedAt),
            id: column(Column::Id),
            nullable: false,
            direction: Direction::Descending,
        };
        let matching = self.select::<audit_event::Entity>().filter(matching(&asked.filter));
        let reason = match self.backend() {
            DbBackend::Postgres => "audit_event.detail ->> 'reason'",
            _ => "json_extract(audit_event.detail, '$.reason')",
        };
        let mut statement = matching
            .clone()
            .filter(order.between(&asked.window))
            .select_only()
            .columns([
                Column::OrganizationId,
                Column::Id,
                Column::RecordedAt,
                Column::AccountId,
                Column::Role,
                Column::Action,
                Column::Entity,
                Column::EntityId,
                Column::EntityVersion,
                Column::Purpose,
                Column::Fields,
                Column::Rows,
                Column::DocumentHash,
            ])
            .expr_as(Expr::cust(reason), "reason")
            .into_query();
        order.sort(&mut statement, asked.window.backwards);
        statement.limit(asked.window.size as u64 + 1);
        let read = Event::find_by_statement(self.backend().build(&statement)).all(self.reader()).await?;
        let mut page = asked.window.cut(read);
        if asked.with_total {
            page.total = Some(matching.count(self.reader()).await? as i64);
        }
        let ids = page.rows.iter().map(|event| event.id).collect();
        self.audit_own_read("audit_event", &asked.fields, Rows::Ids(ids)).await?;
        Ok(page)
    }

    /// Writes the trace of a read that stands alone, in a transaction of its own.
    pub(in crate::store) async fn audit_own_read(
        &self,
        entity: &str,
        fields: &[String],
        rows: Rows,
    ) -> Result<()> {
        let write = self.store.bulk().await?.as_write(self);
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let document = self.document.as_ref().map(<[u8; 32]>::as_slice);
        write.audit_read(entity, None, &fields, rows, document).await?;
        write.commit().await
    }

    pub fn audit_place(event: &Event) -> Place {
        Place { key: Key::Moment(event.recorded_at), id: event.id }
    }

    /// The newest head of the viewer's organisation.
    ///
    /// # Errors
    /// `NotPermitted` without the right to read the audit.
    pub async fn audit_head(&self) -> Result<Signed> {
        self.require(Right::AuditRead)?;
        self.store.head(self.own()?).await
    }

    /// Who of the viewer's organisation has an account; of others the audit gives the role alone.
    pub fn audit_actor(&self, account: Uuid) -> Option<&entity::account::Model> {
        let own = self.viewer.organization()?;
        let member = |membership: &&crate::store::catalog::Membership| {
            membership.row.account_id == account && membership.row.organization_id == own
        };
        self.catalog.memberships.iter().find(member)?;
        self.catalog.accounts.get(&account)
    }
}

fn matching(filter: &Filter) -> Condition {
    let mut rows = Condition::all();
    if let Some(accounts) = &filter.account {
        rows = rows.add(among(Column::AccountId, accounts.iter().copied()));
    }
    if let Some(objects) = &filter.object {
        rows = rows.add(among(Column::EntityId, objects.iter().copied()));
    }
    let texts =
        [(Column::Role, &filter.role), (Column::Action, &filter.action), (Column::Entity, &filter.entity)];
    for (column, wanted) in texts {
        if let Some(wanted) = wanted {
            rows = rows.add(column.is_in(wanted.iter().cloned()));
        }
    }
    if let Some(at) = &filter.at {
        if let Some(from) = at.from {
            rows = rows.add(Column::RecordedAt.gte(from));
        }
        if let Some(to) = at.to {
            rows = rows.add(Column::RecordedAt.lt(to));
        }
    }
    rows
}
