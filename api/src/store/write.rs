//! How a write happens: in one transaction with its audit row and its idempotency key.

use entity::{audit_event, idempotency};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, Set, SqlErr,
    sea_query::{Alias, Expr, ExprTrait, Func, OnConflict, Query},
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Access,
    input::{At, Message, Once, Refused, UserError, UserErrorCode, Written},
};
use crate::{
    auth::rights,
    error::{Error, Result},
    id::Kind,
};

/// An open transaction of a viewer. Dropped without [`Write::commit`], it leaves nothing.
pub struct Write<'a> {
    pub(super) tx: DatabaseTransaction,
    pub(super) access: &'a Access,
}

/// Whether a key has been used before.
pub enum Seen {
    /// Never; it now stands for this object.
    First(Uuid),
    /// With the same input; the object made then.
    Again(Uuid),
}

impl Seen {
    pub fn id(&self) -> Uuid {
        let (Self::First(id) | Self::Again(id)) = self;
        *id
    }
}

impl Access {
    /// The organisation that the viewer writes for.
    pub(super) fn own(&self) -> Result<Uuid> {
        self.viewer.organization().ok_or(Error::NotPermitted)
    }

    /// A random id for a new row.
    pub(super) fn new_id(&self) -> Uuid {
        new_id()
    }

    /// Publishes or archives an entry of the viewer's organisation.
    pub async fn end_or_publish(&self, kind: Kind, at: At, life: Life, validate_only: bool) -> Written<()> {
        let entry = self.entry(kind, at.id).ok_or_else(|| UserError::not_found(&["id"]))?;
        at.check("id", entry.version, entry.archived_at)?;
        if kind == Kind::Kit && life == Life::Publish && !self.contents_are_published(at.id) {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], DRAFT_CONTENTS).into());
        }
        let write = self.write().await?;
        let mut update = Query::update();
        update
            .table(Alias::new(entry.table))
            .value(Alias::new("version"), Expr::col(Alias::new("version")).add(1))
            // The first time counts.
            .value(
                Alias::new(life.column()),
                Func::coalesce([Expr::col(Alias::new(life.column())), Expr::val(self.now)]),
            )
            .and_where(Expr::col(Alias::new("organization_id")).eq(entry.owner))
            .and_where(Expr::col(Alias::new("id")).eq(at.id))
            .and_where(Expr::col(Alias::new("version")).eq(at.expected));
        if life == Life::Publish
            && let Some(from) = self.sensitive_from(kind, at.id)
        {
            update.value(Alias::new("outside_from"), from);
        }
        let changed = write.tx.execute(&update).await?.rows_affected();
        if changed != 1 {
            return Err(UserError::stale().into());
        }
        if validate_only {
            return Ok(write.discard().await?);
        }
        write.audit(life.action(), entry.table, at.id, Some(at.expected + 1), Value::Null).await?;
        Ok(write.commit().await?)
    }

    /// A kit whose items are drafts would have holes for outsiders.
    fn contents_are_published(&self, kit: Uuid) -> bool {
        let lines = self
            .catalog
            .kits
            .get(kit)
            .into_iter()
            .flat_map(|kit| &kit.versions)
            .flat_map(|version| &version.lines);
        lines.into_iter().all(|line| {
            self.catalog.items.get(line.item_id).is_some_and(|item| item.row.published_at.is_some())
        })
    }

    /// Sensitive entries become visible outside with the next quarter, whenever they are published. One that is
    /// published already stays as it is.
    fn sensitive_from(&self, kind: Kind, id: Uuid) -> Option<chrono::NaiveDate> {
        use entity::value::Sensitivity::Sensitive;
        let (sensitivity, published) = match kind {
            Kind::Program => {
                self.catalog.programs.get(id).map(|entry| (entry.row.sensitivity, entry.row.published_at))
            }
            Kind::Item => {
                self.catalog.items.get(id).map(|entry| (entry.row.sensitivity, entry.row.published_at))
            }
            Kind::Kit => {
                self.catalog.kits.get(id).map(|entry| (entry.row.sensitivity, entry.row.published_at))
            }
            _ => None,
        }?;
        (sensitivity == Sensitive && published.is_none()).then(|| next_quarter(self.today()))
    }

    /// Whether an entry is archived for the viewer: lists then leave it out. Others than the staff of its owner learn
    /// with the next quarter only that one is which is not open.
    pub fn is_archived(
        &self,
        owner: Uuid,
        archived_at: Option<chrono::DateTime<chrono::Utc>>,
        is_open: bool,
    ) -> bool {
        let later = !is_open && !self.viewer.is_staff_of(owner);
        archived_at.is_some_and(|at| !later || next_quarter(at.date_naive()) <= self.today())
    }

    /// An entry that the viewer's organisation made.
    fn entry(&self, kind: Kind, id: Uuid) -> Option<Entry> {
        let catalog = &self.catalog;
        let (table, owner, version, archived_at) = match kind {
            Kind::Statement => {
                let own = catalog.organizations.get(self.viewer.organization()?)?;
                let row = own.statements.iter().find(|statement| statement.id == id)?;
                ("statement", row.organization_id, row.version, row.archived_at)
            }
            Kind::Facility => {
                let row = &catalog.facilities.get(id)?.row;
                ("facility", row.organization_id, row.version, row.archived_at)
            }
            Kind::Program => {
                let row = &catalog.programs.get(id)?.row;
                ("program", row.organization_id, row.version, row.archived_at)
            }
            Kind::Item => {
                let row = &catalog.items.get(id)?.row;
                ("item", row.organization_id, row.version, row.archived_at)
            }
            Kind::Kit => {
                let row = &catalog.kits.get(id)?.row;
                ("kit", row.organization_id, row.version, row.archived_at)
            }
            Kind::Agreement => {
                let row = &catalog.agreements.get(id)?.row;
                ("agreement", row.organization_id, row.version, row.archived_at)
            }
            Kind::Award => {
                let row = &catalog.awards.get(id)?.row;
                ("award", row.organization_id, row.version, row.archived_at)
            }
            Kind::Gift => {
                let row = &catalog.gifts.get(id)?.row;
                ("gift", row.organization_id, row.version, row.archived_at)
            }
            _ => return None,
        };
        self.viewer.is_staff_of(owner).then_some(Entry { table, owner, version, archived_at })
    }
}

/// What all kinds of entries have.
struct Entry {
    table: &'static str,
    owner: Uuid,
    version: i32,
    archived_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// What the audit keeps of a change.
pub(super) struct Trace<'a> {
    pub action: &'a str,
    pub entity: &'a str,
    pub detail: Value,
}

impl<'a> Trace<'a> {
    /// That something happened, which says all.
    pub fn of(action: &'a str, entity: &'a str) -> Self {
        Self { action, entity, detail: Value::Null }
    }
}

/// What can happen to an entry besides a change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Life {
    Publish,
    Archive,
}

impl Life {
    fn column(self) -> &'static str {
        match self {
            Self::Publish => "published_at",
            Self::Archive => "archived_at",
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Publish => "PUBLISH",
            Self::Archive => "ARCHIVE",
        }
    }
}

impl Access {
    /// What a key of the viewer's stands for; none while it is new.
    #[expect(
        clippy::disallowed_methods,
        reason = "the key is the scope: it leads with the viewer's own organisation and account"
    )]
    pub(super) async fn made_with_in(&self, db: &impl ConnectionTrait, once: &Once) -> Result<Option<Uuid>> {
        if !once.is_usable() {
            return Ok(None);
        }
        let key = (self.own()?, once.account(&self.viewer), once.key.clone());
        let known = idempotency::Entity::find_by_id(key).one(db).await?;
        Ok(known.map(|row| row.object_id))
    }

    /// As it is now, outside of any transaction.
    ///
    /// # Errors
    /// When the database is out of reach.
    pub async fn made_with(&self, once: &Once) -> Result<Option<Uuid>> {
        self.made_with_in(self.reader(), once).await
    }
}

impl Write<'_> {
    /// Binds a key to a new object, or finds what it has made before.
    #[expect(
        clippy::disallowed_methods,
        reason = "the key is the scope: it leads with the viewer's own organisation and account"
    )]
    pub(super) async fn once(&self, once: &Once, object: Uuid) -> Written<Seen> {
        if !once.is_usable() {
            return Err(UserError::new(UserErrorCode::Invalid, &["idempotencyKey"], BAD_KEY).into());
        }
        let key = (self.access.own()?, once.account(&self.access.viewer), once.key.clone());
        let row = idempotency::ActiveModel {
            organization_id: Set(key.0),
            account_id: Set(key.1),
            key: Set(once.key.clone()),
            operation: Set(once.operation.clone()),
            input_hash: Set(once.hash.clone()),
            object_id: Set(object),
            recorded_at: Set(self.access.now),
        };
        // Waits for another transaction that has just used the key, and then sees its row.
        let inserted = idempotency::Entity::insert(row)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&self.tx)
            .await?;
        if inserted == 1 {
            return Ok(Seen::First(object));
        }
        let before = idempotency::Entity::find_by_id(key)
            .one(&self.tx)
            .await?
            .ok_or_else(|| Error::Internal("an idempotency key is neither new nor there".into()))?;
        if before.operation == once.operation && before.input_hash == once.hash {
            return Ok(Seen::Again(before.object_id));
        }
        Err(other_input())
    }

    /// Appends the trace of a change, in the transaction of the change.
    pub(super) async fn audit(
        &self,
        action: &str,
        entity: &str,
        entity_id: Uuid,
        version: Option<i32>,
        detail: Value,
    ) -> Result<()> {
        let trace = Trace { action, entity, detail };
        self.trace(self.access.own()?, trace, entity_id, version).await?;
        Ok(())
    }

    /// The trace of a change that reaches into another organisation: its own audit must show it. Gives the trace's id.
    pub(super) async fn trace(
        &self,
        organization: Uuid,
        trace: Trace<'_>,
        entity_id: Uuid,
        version: Option<i32>,
    ) -> Result<Uuid> {
        let event = audit_event::ActiveModel {
            organization_id: Set(organization),
            action: Set(trace.action.to_owned()),
            entity: Set(trace.entity.to_owned()),
            entity_id: Set(entity_id),
            entity_version: Set(version),
            detail: Set(trace.detail),
            ..Default::default()
        };
        self.append(event).await
    }

    /// Inserts rows of the viewer's own organisation.
    #[expect(
        clippy::disallowed_methods,
        reason = "rows of the viewer's own organisation, which the caller audits"
    )]
    pub(in crate::store) async fn put<E>(&self, rows: Vec<E::Model>) -> Result<(), DbErr>
    where
        E: EntityTrait,
        E::ActiveModel: Send,
        E::Model: IntoActiveModel<E::ActiveModel>,
    {
        use sea_orm::ActiveModelTrait;
        let rows: Vec<E::ActiveModel> =
            rows.into_iter().map(|row| row.into_active_model().reset_all()).collect();
        for chunk in rows.chunks(500) {
            E::insert_many(chunk.to_vec()).exec_without_returning(&self.tx).await?;
        }
        Ok(())
    }

    /// Appends an audit row, and gives its id: who, when, and what the caller has filled in.
    pub(super) async fn append(&self, event: audit_event::ActiveModel) -> Result<Uuid> {
        let id = self.access.new_id();
        let role = self.access.viewer.role().map_or("SYSTEM", rights::role_name);
        let event = audit_event::ActiveModel {
            id: Set(id),
            recorded_at: Set(self.access.now),
            account_id: Set(self.access.viewer.account()),
            role: Set(role.to_owned()),
            ..event
        };
        audit_event::Entity::insert(event).exec_without_returning(&self.tx).await?;
        Ok(id)
    }

    pub(super) async fn commit(self) -> Result<()> {
        self.tx.commit().await?;
        self.access.store.feed.wake();
        Ok(())
    }

    /// Undoes everything: for `validateOnly`.
    pub(super) async fn discard(self) -> Result<()> {
        Ok(self.tx.rollback().await?)
    }
}

/// A random id for a new row.
#[expect(clippy::disallowed_methods, reason = "the one place that makes ids of rows")]
pub(super) fn new_id() -> Uuid {
    Uuid::new_v4()
}

/// The first day of the quarter after a day.
pub fn next_quarter(day: chrono::NaiveDate) -> chrono::NaiveDate {
    use chrono::{Datelike, Months, NaiveDate};
    let first = day.month0() / 3 * 3 + 1;
    NaiveDate::from_ymd_opt(day.year(), first, 1)
        .and_then(|start| start.checked_add_months(Months::new(3)))
        .unwrap_or(day)
}

/// A unique key that is taken is something the client can act on.
pub(super) fn taken(field: &'static str) -> impl Fn(sea_orm::DbErr) -> Refused {
    move |fault| match fault.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            UserError::new(UserErrorCode::Duplicate, &[field], TAKEN).into()
        }
        _ => fault.into(),
    }
}

/// The key of a request was used before, and said something else then.
pub(super) fn other_input() -> Refused {
    UserError::new(UserErrorCode::Conflict, &["idempotencyKey"], OTHER_INPUT).into()
}

const BAD_KEY: Message = Message {
    en: "The key must have 1 to 200 characters.",
    es: "La clave debe tener de 1 a 200 caracteres.",
};
const OTHER_INPUT: Message =
    Message { en: "This key was used with another input.", es: "Esta clave ya se usó con otros datos." };
const DRAFT_CONTENTS: Message = Message {
    en: "An item of the kit is a draft. Publish it first.",
    es: "Un artículo del kit es un borrador. Publíquelo primero.",
};
const TAKEN: Message = Message { en: "This is taken.", es: "Ya está en uso." };

impl Write<'_> {
    /// Ends a change of one row at a version: refuses when the version was another, else audits and commits.
    pub(super) async fn finish_update(
        self,
        changed: u64,
        entity: &str,
        at: At,
        validate_only: bool,
    ) -> Written<()> {
        self.finish(changed, Trace { action: "UPDATE", entity, detail: Value::Null }, at, validate_only).await
    }

    /// As [`Write::finish_update`], with a trace that says what was done and what was there before.
    pub(super) async fn finish(
        self,
        changed: u64,
        trace: Trace<'_>,
        at: At,
        validate_only: bool,
    ) -> Written<()> {
        self.changed(changed, trace, at).await?;
        self.end(validate_only).await
    }

    /// Follows up a change of one row at a version: refuses when the version was another, else audits.
    pub(super) async fn changed(&self, changed: u64, trace: Trace<'_>, at: At) -> Written<()> {
        if changed != 1 {
            return Err(UserError::stale().into());
        }
        self.audit(trace.action, trace.entity, at.id, Some(at.expected + 1), trace.detail).await?;
        Ok(())
    }

    /// Keeps what was written, or undoes it.
    pub(super) async fn end(self, validate_only: bool) -> Written<()> {
        if validate_only {
            self.discard().await?
        } else {
            self.commit().await?
        }
        Ok(())
    }

    /// Ends the making of a row: null when nothing was to be written.
    pub(super) async fn finish_create(
        self,
        entity: &str,
        id: Uuid,
        validate_only: bool,
    ) -> Written<Option<Uuid>> {
        if validate_only {
            self.discard().await?;
            return Ok(None);
        }
        self.audit("CREATE", entity, id, Some(1), Value::Null).await?;
        self.commit().await?;
        Ok(Some(id))
    }
}
