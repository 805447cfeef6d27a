//! The safeguarding log: what staff want a steward to look into. Who writes in it cannot read it, unless a steward.

use entity::{
    safeguarding_note::{self, Column},
    value::{SafeguardingKind, SafeguardingStatus},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, Set,
    sea_query::Expr,
};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    Access, Scoped,
    audit::Rows,
    input::{At, Faults, Message, Once, UserError, UserErrorCode, Written, or_default},
    keyset::{Direction, Key, Page, Place, SqlOrder, Window},
    nothing,
    write::Trace,
};
use crate::{
    auth::Right,
    error::Result,
    id::{self, GlobalId},
};

/// The longest text.
const LONGEST: usize = 4_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordNote {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub kind: SafeguardingKind,
    pub text: String,
    #[serde(default, deserialize_with = "id::optional_any")]
    pub about: Option<GlobalId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CloseNote {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub reason: String,
}

/// Lists narrow the result to any of their members; an empty list matches nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    pub kind: Option<Vec<SafeguardingKind>>,
    pub status: Option<Vec<SafeguardingStatus>>,
    #[serde(deserialize_with = "id::some_list")]
    pub about: Option<Vec<Uuid>>,
}

/// What is asked of the log.
#[derive(Clone, Debug)]
pub struct Asked {
    pub filter: Filter,
    pub window: Window,
    /// The names of the fields that are asked for, for the trace of this read.
    pub fields: Vec<String>,
    pub with_total: bool,
}

impl Scoped for safeguarding_note::Entity {
    fn visible_to(access: &Access) -> Condition {
        match access.viewer.organization() {
            Some(own) if access.viewer.has(Right::SafeguardingRead) => {
                Condition::all().add(Column::OrganizationId.eq(own))
            }
            _ => nothing(),
        }
    }
}

impl Access {
    /// Writes a note for the stewards of the viewer's organisation.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn record_safeguarding_note(&self, input: RecordNote) -> Written<Option<Uuid>> {
        self.require(Right::SafeguardingRecord)?;
        let own = self.own()?;
        let mut faults = Faults::default();
        faults.text(&input.text, &["text"], LONGEST);
        faults.refuse()?;
        let write = self.store.bulk().await?.as_write(self);
        let id = match write.once(&input.once, self.new_id()).await? {
            super::write::Seen::First(id) => id,
            super::write::Seen::Again(id) => return Ok(Some(id)),
        };
        let row = safeguarding_note::ActiveModel {
            organization_id: Set(own),
            id: Set(id),
            kind: Set(input.kind),
            text: Set(input.text),
            about_kind: Set(input.about.map(|about| about.kind as i32)),
            about_id: Set(input.about.map(|about| about.id)),
            status: Set(SafeguardingStatus::Open),
            version: Set(1),
            recorded_at: Set(self.now),
            recorded_by: Set(self.viewer.account()),
            ..Default::default()
        };
        row.insert(&write.tx).await?;
        write.finish_create("safeguarding_note", id, input.validate_only).await
    }

    /// Says that nothing is left to look into, and why.
    ///
    /// # Errors
    /// `NotPermitted` without the right to read the log; user errors for what a client can mend.
    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    pub async fn close_safeguarding_note(&self, input: CloseNote) -> Written<()> {
        self.require(Right::SafeguardingRead)?;
        let note = self.safeguarding_note(input.at.id).await?;
        let note = note.ok_or_else(|| UserError::not_found(&["id"]))?;
        input.at.check("id", note.version, None)?;
        let mut faults = Faults::default();
        faults.check(note.status == SafeguardingStatus::Open, UserErrorCode::Invalid, &["id"], IS_CLOSED);
        faults.text(&input.reason, &["reason"], LONGEST);
        faults.refuse()?;
        let write = self.store.bulk().await?.as_write(self);
        let row = safeguarding_note::ActiveModel {
            status: Set(SafeguardingStatus::Closed),
            version: Set(input.at.expected + 1),
            closed_at: Set(Some(self.now)),
            closed_by: Set(self.viewer.account()),
            closing_reason: Set(Some(input.reason)),
            ..Default::default()
        };
        let changed = safeguarding_note::Entity::update_many()
            .set(row)
            .filter(Column::OrganizationId.eq(self.own()?))
            .filter(Column::Id.eq(input.at.id))
            .filter(Column::Version.eq(input.at.expected))
            .exec(&write.tx)
            .await?
            .rows_affected;
        let trace = Trace { action: "CLOSE", entity: "safeguarding_note", detail: Value::Null };
        write.finish(changed, trace, input.at, input.validate_only).await
    }

    /// A note, for who may read the log.
    pub async fn safeguarding_note(&self, id: Uuid) -> Result<Option<safeguarding_note::Model>> {
        Ok(self.select::<safeguarding_note::Entity>().filter(Column::Id.eq(id)).one(self.reader()).await?)
    }

    /// A page of the log, the newest first. That it was read is in the audit before anything is given out.
    ///
    /// # Errors
    /// `NotPermitted` without the right.
    pub async fn safeguarding_notes(&self, asked: &Asked) -> Result<Page<safeguarding_note::Model>> {
        self.require(Right::SafeguardingRead)?;
        let column = |column: Column| Expr::col((safeguarding_note::Entity, column));
        let order = SqlOrder {
            key: column(Column::RecordedAt),
            id: column(Column::Id),
            nullable: false,
            direction: Direction::Descending,
        };
        let mut matching = self.select::<safeguarding_note::Entity>();
        if let Some(kinds) = &asked.filter.kind {
            matching = matching.filter(Column::Kind.is_in(kinds.iter().copied()));
        }
        if let Some(statuses) = &asked.filter.status {
            matching = matching.filter(Column::Status.is_in(statuses.iter().copied()));
        }
        if let Some(about) = &asked.filter.about {
            matching = matching.filter(Column::AboutId.is_in(about.iter().copied()));
        }
        let mut select = matching.clone().filter(order.between(&asked.window));
        order.sort(QuerySelect::query(&mut select), asked.window.backwards);
        let rows = select.limit(asked.window.size as u64 + 1).all(self.reader()).await?;
        let mut page = asked.window.cut(rows);
        if asked.with_total {
            page.total = Some(matching.count(self.reader()).await? as i64);
        }
        let ids = page.rows.iter().map(|note| note.id).collect();
        self.audit_own_read("safeguarding_note", &asked.fields, Rows::Ids(ids)).await?;
        Ok(page)
    }

    pub fn safeguarding_place(note: &safeguarding_note::Model) -> Place {
        Place { key: Key::Moment(note.recorded_at), id: note.id }
    }
}

const IS_CLOSED: Message = Message { en: "The note is closed.", es: "La nota está cerrada." };
