//! Notes that an older server has written in clear.

use std::{collections::BTreeMap, sync::Arc};

use entity::{
    idempotency,
    safeguarding_note::{self, Column, Model},
    value::OrganizationKeyKind,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, Set};
use serde_json::json;
use uuid::Uuid;

use super::Text;
use crate::{
    auth::Viewer,
    error::Result,
    store::{Access, Store, write::Write},
    vault::DataKey,
};

impl Store {
    /// Enciphers the notes that are in clear, and has the database forget what they were.
    ///
    /// # Errors
    /// When the database or the keys are out of reach.
    #[expect(clippy::disallowed_methods, reason = "this runs for all organisations, and gives out nothing")]
    pub async fn encipher_notes(self: &Arc<Self>) -> Result<()> {
        let rows = safeguarding_note::Entity::find().filter(in_clear()).all(&self.pools.read).await?;
        let mut notes: BTreeMap<Uuid, Vec<Model>> = BTreeMap::new();
        for row in rows {
            notes.entry(row.organization_id).or_default().push(row);
        }
        if notes.is_empty() {
            return Ok(());
        }
        for (organization, notes) in notes {
            self.access_with(Viewer::system(organization), self.kept()).encipher(notes).await?;
        }
        let forget = match self.pools.write.get_database_backend() {
            DbBackend::Postgres => "VACUUM FULL safeguarding_note",
            _ => "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)",
        };
        self.pools.write.execute_unprepared(forget).await?;
        Ok(())
    }
}

impl Access {
    async fn encipher(&self, notes: Vec<Model>) -> Result<()> {
        let key = self.needed_key(OrganizationKeyKind::Safeguarding).await?;
        let write = self.store.bulk().await?.as_write(self);
        for note in &notes {
            write.encipher_note(note, &key).await?;
        }
        let detail = json!({ "notes": notes.len() });
        write.audit("ENCIPHER", "safeguarding_note", self.own()?, None, detail).await?;
        write.commit().await
    }
}

impl Write<'_> {
    #[expect(clippy::disallowed_methods, reason = "the organisation leads each condition")]
    async fn encipher_note(&self, note: &Model, key: &DataKey) -> Result<()> {
        let own = self.access.own()?;
        let seal = |text: Text, clear: &Option<String>| {
            let place = text.place(own, note.id, note.version);
            clear.as_ref().map(|clear| key.seal(place, clear.as_bytes())).transpose()
        };
        let row = safeguarding_note::ActiveModel {
            text: Set(None),
            sealed_text: Set(seal(Text::Note, &note.text)?.or_else(|| note.sealed_text.clone())),
            closing_reason: Set(None),
            sealed_reason: Set(
                seal(Text::Closing, &note.closing_reason)?.or_else(|| note.sealed_reason.clone())
            ),
            ..Default::default()
        };
        let sealed = safeguarding_note::Entity::update_many()
            .set(row)
            .filter(Column::OrganizationId.eq(own))
            .filter(Column::Id.eq(note.id))
            // Another server may do the same, and a note that was closed meanwhile is left to the next start.
            .filter(Column::Version.eq(note.version))
            .filter(in_clear())
            .exec(&self.tx)
            .await?;
        if sealed.rows_affected == 0 || note.text.is_none() {
            return Ok(());
        }
        // What the input said was kept as a digest, which could be tried against guesses.
        let made = Condition::all()
            .add(idempotency::Column::OrganizationId.eq(own))
            .add(idempotency::Column::ObjectId.eq(note.id));
        for sent in idempotency::Entity::find().filter(made.clone()).all(&self.tx).await? {
            idempotency::Entity::update_many()
                .set(idempotency::ActiveModel {
                    input_hash: Set(key.digest(&sent.input_hash)),
                    ..Default::default()
                })
                .filter(made.clone())
                .exec(&self.tx)
                .await?;
        }
        Ok(())
    }
}

/// Notes of which anything is in clear.
fn in_clear() -> Condition {
    Condition::any().add(Column::Text.is_not_null()).add(Column::ClosingReason.is_not_null())
}
