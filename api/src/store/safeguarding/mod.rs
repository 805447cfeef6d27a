//! The safeguarding log: what staff want a steward to look into. Who writes in it cannot read it, unless a steward.
//!
//! Its texts are ciphertext under a key of the organisation, each bound to its row, column and version.

mod encipher;

use entity::{
    safeguarding_note::{self, Column},
    value::{OrganizationKeyKind, SafeguardingKind, SafeguardingStatus},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, Set, sea_query::Expr,
};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    Access, Scoped,
    audit::Rows,
    input::{At, Faults, Message, Once, UserError, UserErrorCode, Written, or_default},
    keyset::{self, Direction, Page, Place, SqlOrder, Window},
    nothing,
    write::{Seen, Trace},
};
use crate::{
    auth::Right,
    error::Result,
    id::{self, GlobalId},
    vault::{DataKey, Fault, Place as Sealed},
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

/// A note with its texts in clear. One that does not open is an error of its own.
#[derive(Clone, Debug)]
pub struct Note {
    pub row: safeguarding_note::Model,
    pub text: Result<String>,
    /// Null while it is open.
    pub closing_reason: Option<Result<String>>,
}

/// A text of a note; each is a column.
#[derive(Clone, Copy, Debug)]
enum Text {
    Note,
    Closing,
}

impl Text {
    /// Where it stands. The text is written with the first version, the reason with the last.
    fn place(self, organization: Uuid, row: Uuid, version: i32) -> Sealed<'static> {
        let (column, version) = match self {
            Self::Note => ("sealed_text", 1),
            Self::Closing => ("sealed_reason", version),
        };
        Sealed { organization, table: "safeguarding_note", column, row, version }
    }

    fn open(self, row: &safeguarding_note::Model, key: &Key, sealed: &[u8]) -> Result<String> {
        let place = self.place(row.organization_id, row.id, row.version);
        let key = key.as_ref().map_err(Clone::clone)?.as_ref().ok_or(Fault::Gone)?;
        let plain = key.open(place, sealed)?;
        Ok(std::str::from_utf8(&plain).map_err(|_| Fault::Damaged)?.to_owned())
    }
}

/// The key of the log; none where there is none yet.
type Key = Result<Option<DataKey>>;

impl Note {
    fn open(row: safeguarding_note::Model, key: &Key) -> Self {
        let open = |text: Text, clear: &Option<String>, sealed: &Option<Vec<u8>>| match (clear, sealed) {
            (Some(clear), _) => Some(Ok(clear.clone())),
            (None, Some(sealed)) => Some(text.open(&row, key, sealed)),
            (None, None) => None,
        };
        let text = open(Text::Note, &row.text, &row.sealed_text);
        let closing_reason = open(Text::Closing, &row.closing_reason, &row.sealed_reason);
        let text = text.unwrap_or_else(|| Err(Fault::Damaged.into()));
        Self { row, text, closing_reason }
    }
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
        let key = self.note_key(input.validate_only).await?;
        let write = self.store.bulk().await?.as_write(self);
        // A digest of the text alone could be tried against guesses.
        let once = Once { hash: key.digest(&input.once.hash), ..input.once };
        let id = match write.once(&once, self.new_id()).await? {
            Seen::First(id) => id,
            Seen::Again(id) => return Ok(Some(id)),
        };
        let row = safeguarding_note::ActiveModel {
            organization_id: Set(own),
            id: Set(id),
            kind: Set(input.kind),
            sealed_text: Set(Some(key.seal(Text::Note.place(own, id, 1), input.text.as_bytes())?)),
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
        let note = note.ok_or_else(|| UserError::not_found(&["id"]))?.row;
        input.at.check("id", note.version, None)?;
        let mut faults = Faults::default();
        faults.check(note.status == SafeguardingStatus::Open, UserErrorCode::Invalid, &["id"], IS_CLOSED);
        faults.text(&input.reason, &["reason"], LONGEST);
        faults.refuse()?;
        let key = self.note_key(input.validate_only).await?;
        let place = Text::Closing.place(note.organization_id, note.id, input.at.expected + 1);
        let write = self.store.bulk().await?.as_write(self);
        let row = safeguarding_note::ActiveModel {
            status: Set(SafeguardingStatus::Closed),
            version: Set(input.at.expected + 1),
            closed_at: Set(Some(self.now)),
            closed_by: Set(self.viewer.account()),
            sealed_reason: Set(Some(key.seal(place, input.reason.as_bytes())?)),
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

    /// A note for a payload, which shows it: that it was read is in the audit first.
    ///
    /// # Errors
    /// When the trace cannot be written.
    pub async fn safeguarding_note_shown(&self, id: Uuid, fields: &[String]) -> Result<Option<Note>> {
        let note = self.safeguarding_note(id).await?;
        if note.is_some() {
            self.audit_own_read("safeguarding_note", fields, Rows::Ids(vec![id])).await?;
        }
        Ok(note)
    }

    /// A note, for who may read the log.
    pub async fn safeguarding_note(&self, id: Uuid) -> Result<Option<Note>> {
        let row = self.select::<safeguarding_note::Entity>().filter(Column::Id.eq(id));
        let Some(row) = row.one(self.reader()).await? else { return Ok(None) };
        let key = self.organization_key(OrganizationKeyKind::Safeguarding).await;
        Ok(Some(Note::open(row, &key)))
    }

    /// The key that texts are sealed with, made when it is needed for the first time.
    async fn note_key(&self, validate_only: bool) -> Result<DataKey> {
        if !validate_only {
            return self.needed_key(OrganizationKeyKind::Safeguarding).await;
        }
        // Nothing is kept of what it seals.
        let key = self.organization_key(OrganizationKeyKind::Safeguarding).await?;
        Ok(key.map_or_else(DataKey::generate, Ok)?)
    }

    /// A page of the log, the newest first. That it was read is in the audit before anything is given out.
    ///
    /// # Errors
    /// `NotPermitted` without the right.
    pub async fn safeguarding_notes(&self, asked: &Asked) -> Result<Page<Note>> {
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
        let rows = order.page(matching.clone(), &asked.window).all(self.reader()).await?;
        let mut page = asked.window.cut(rows);
        if asked.with_total {
            page.total = Some(matching.count(self.reader()).await? as i64);
        }
        let ids = page.rows.iter().map(|note| note.id).collect();
        self.audit_own_read("safeguarding_note", &asked.fields, Rows::Ids(ids)).await?;
        let key = self.organization_key(OrganizationKeyKind::Safeguarding).await;
        let Page { rows, has_next, has_previous, total } = page;
        let rows = rows.into_iter().map(|row| Note::open(row, &key)).collect();
        Ok(Page { rows, has_next, has_previous, total })
    }

    pub fn safeguarding_place(note: &Note) -> Place {
        Place { key: keyset::Key::Moment(note.row.recorded_at), id: note.row.id }
    }
}

const IS_CLOSED: Message = Message { en: "The note is closed.", es: "La nota está cerrada." };
