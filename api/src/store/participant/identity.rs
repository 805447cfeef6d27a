//! Who a woman is: columns of ciphertext under a key of her own, and blind indexes to find her by.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::{blind_index, key_bucket, participant, participant_key, value::BlindIndexKind};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait,
    FromQueryResult, QueryFilter, QuerySelect, Set, Statement,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Row;
use crate::{
    error::{Error, Result},
    store::{Access, Store, search, write::Write},
    vault::{self, Bucket, DataKey, Place},
};

/// How many women share a bucket key: an erasure wraps the keys of so many anew.
const OF_BUCKET: i32 = 8;

/// A part of who a woman is; each is a column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    GivenNames,
    FamilyNames,
    BirthDate,
    Documents,
    Notes,
}

/// Who a woman is, as far as it was asked for. A part that does not open is an error of its own.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    pub given_names: Option<Result<String>>,
    pub family_names: Option<Result<String>>,
    pub birth_date: Option<Result<NaiveDate>>,
    pub documents: Option<Result<Vec<Document>>>,
    pub notes: Option<Result<String>>,
}

/// A document that she is known by.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Document {
    /// Such as CURP, RUN or PASSPORT.
    pub kind: String,
    pub number: String,
}

/// Bucket keys, or why they cannot be had.
pub(super) type Buckets = HashMap<Uuid, std::result::Result<Bucket, vault::Fault>>;

/// A woman's key, and the bucket that wraps it.
pub(in crate::store) struct Keys {
    pub bucket: Bucket,
    pub data: DataKey,
}

impl Part {
    pub const ALL: [Self; 5] =
        [Self::GivenNames, Self::FamilyNames, Self::BirthDate, Self::Documents, Self::Notes];

    /// The name of its column.
    pub fn name(self) -> &'static str {
        match self {
            Self::GivenNames => "given_names",
            Self::FamilyNames => "family_names",
            Self::BirthDate => "birth_date",
            Self::Documents => "documents",
            Self::Notes => "notes",
        }
    }

    pub(super) fn column(self) -> participant::Column {
        match self {
            Self::GivenNames => participant::Column::GivenNames,
            Self::FamilyNames => participant::Column::FamilyNames,
            Self::BirthDate => participant::Column::BirthDate,
            Self::Documents => participant::Column::Documents,
            Self::Notes => participant::Column::Notes,
        }
    }

    pub(super) fn place(self, organization: Uuid, row: Uuid, version: i32) -> Place<'static> {
        Place { organization, table: "participant", column: self.name(), row, version }
    }
}

/// Deciphers what was fetched of a woman.
///
/// # Errors
/// `NotPermitted` when nothing was fetched because the viewer may not know it; `Undecipherable` when her key cannot be had.
pub(super) fn open(own: Uuid, row: &Row, buckets: &Buckets) -> Result<Identity> {
    let (Some(bucket), Some(wrapped)) = (row.bucket_id, &row.wrapped) else {
        return Err(Error::NotPermitted);
    };
    let bucket = match buckets.get(&bucket) {
        Some(Ok(bucket)) => bucket,
        _ => return Err(vault::Fault::Gone.into()),
    };
    let key = bucket.unwrap(own, row.id, wrapped)?;
    let text = |part: Part, sealed: &Option<Vec<u8>>| -> Option<Result<String>> {
        let sealed = sealed.as_deref()?;
        Some(text(&key, part.place(own, row.id, row.identity_version), sealed))
    };
    let birth_date = text(Part::BirthDate, &row.birth_date).map(|text| text?.parse().map_err(|_| damaged()));
    let documents = text(Part::Documents, &row.documents);
    let documents = documents.map(|text| serde_json::from_str(&text?).map_err(|_| damaged()));
    Ok(Identity {
        given_names: text(Part::GivenNames, &row.given_names),
        family_names: text(Part::FamilyNames, &row.family_names),
        birth_date,
        documents,
        notes: text(Part::Notes, &row.notes),
    })
}

pub(super) fn text(key: &DataKey, place: Place<'_>, sealed: &[u8]) -> Result<String> {
    let plain = key.open(place, sealed)?;
    std::str::from_utf8(&plain).map(str::to_owned).map_err(|_| damaged())
}

fn damaged() -> Error {
    vault::Fault::Damaged.into()
}

/// Who a woman is, in clear: what is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Plain {
    pub given_names: String,
    pub family_names: String,
    pub birth_date: Option<NaiveDate>,
    pub documents: Vec<Document>,
    pub notes: Option<String>,
}

impl Plain {
    /// As it lies in a row.
    pub(super) fn read(own: Uuid, row: &participant::Model, key: &DataKey) -> Result<Self> {
        let text = |part: Part, sealed: &Option<Vec<u8>>| -> Result<Option<String>> {
            let place = part.place(own, row.id, row.identity_version);
            sealed.as_deref().map(|sealed| text(key, place, sealed)).transpose()
        };
        let birth_date = text(Part::BirthDate, &row.birth_date)?;
        let documents = text(Part::Documents, &row.documents)?;
        Ok(Self {
            given_names: text(Part::GivenNames, &row.given_names)?.unwrap_or_default(),
            family_names: text(Part::FamilyNames, &row.family_names)?.unwrap_or_default(),
            birth_date: birth_date.map(|text| text.parse().map_err(|_| damaged())).transpose()?,
            documents: match documents {
                Some(text) => serde_json::from_str(&text).map_err(|_| damaged())?,
                None => Vec::new(),
            },
            notes: text(Part::Notes, &row.notes)?,
        })
    }

    /// Puts the ciphertexts into a row, bound to its new version.
    pub(super) fn seal(
        &self,
        own: Uuid,
        id: Uuid,
        version: i32,
        key: &DataKey,
        row: &mut participant::ActiveModel,
    ) -> Result<()> {
        let seal = |part: Part, text: Option<&str>| -> Result<Option<Vec<u8>>> {
            let sealed = text.map(|text| key.seal(part.place(own, id, version), text.as_bytes()));
            Ok(sealed.transpose()?)
        };
        let birth_date = self.birth_date.map(|day| day.to_string());
        let documents = (!self.documents.is_empty()).then(|| serde_json::to_string(&self.documents));
        let documents = documents.transpose().map_err(|_| damaged())?;
        row.given_names = Set(seal(Part::GivenNames, Some(&self.given_names))?);
        row.family_names = Set(seal(Part::FamilyNames, Some(&self.family_names))?);
        row.birth_date = Set(seal(Part::BirthDate, birth_date.as_deref())?);
        row.documents = Set(seal(Part::Documents, documents.as_deref())?);
        row.notes = Set(seal(Part::Notes, self.notes.as_deref())?);
        row.identity_version = Set(version);
        Ok(())
    }

    /// What she is found by.
    fn indexed(&self) -> Vec<(BlindIndexKind, String)> {
        let names = [
            self.given_names.clone(),
            self.family_names.clone(),
            format!("{} {}", self.given_names, self.family_names),
            format!("{} {}", self.family_names, self.given_names),
        ];
        let names = names.iter().map(|name| (BlindIndexKind::Name, normal(BlindIndexKind::Name, name)));
        let documents = self
            .documents
            .iter()
            .map(|document| (BlindIndexKind::Document, normal(BlindIndexKind::Document, &document.number)));
        let mut all: Vec<_> = names.chain(documents).filter(|(_, text)| !text.is_empty()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// A text as it is compared: names without accents, case and double spaces, numbers without anything but letters and
/// digits.
fn normal(kind: BlindIndexKind, text: &str) -> String {
    match kind {
        BlindIndexKind::Name => search::needle(text).split_whitespace().collect::<Vec<_>>().join(" "),
        BlindIndexKind::Document => {
            text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_uppercase).collect()
        }
    }
}

impl Store {
    /// Works with the keys outside the database, which are files, beside the tasks of the server.
    pub(in crate::store) async fn with_vault<T: Send + 'static>(
        &self,
        work: impl FnOnce(&vault::Vault) -> T + Send + 'static,
    ) -> Result<T> {
        let vault = self.vault()?.clone();
        let done = tokio::task::spawn_blocking(move || work(&vault)).await;
        done.map_err(|_| Error::Internal("a task with keys has ended early".into()))
    }
}

impl Access {
    pub(super) async fn buckets(&self, ids: impl IntoIterator<Item = Uuid>) -> Result<Buckets> {
        let mut ids: Vec<Uuid> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        self.store.with_vault(move |vault| ids.into_iter().map(|id| (id, vault.bucket(id))).collect()).await
    }

    async fn bucket(&self, id: Uuid) -> Result<Bucket> {
        Ok(self.store.with_vault(move |vault| vault.bucket(id)).await??)
    }

    /// The women whose name or document is exactly this. Each bucket has digests of its own, so that without its key
    /// nobody can try names against what a copy of the database holds.
    #[expect(clippy::disallowed_methods, reason = "rows of the viewer's own organisation")]
    pub(super) async fn found_blind(
        &self,
        tx: &DatabaseTransaction,
        kind: BlindIndexKind,
        text: &str,
    ) -> Result<Vec<Uuid>> {
        let own = self.own()?;
        let live: Vec<Uuid> = key_bucket::Entity::find()
            .select_only()
            .column(key_bucket::Column::Id)
            .filter(key_bucket::Column::OrganizationId.eq(own))
            .filter(key_bucket::Column::RetiredAt.is_null())
            .into_tuple()
            .all(tx)
            .await?;
        let text = normal(kind, text);
        let digests = self.store.with_vault(move |vault| {
            let digest = |id: Uuid| Ok(vault.bucket(id)?.index(own, &kind.to_value(), &text));
            live.into_iter().map(digest).collect::<vault::Result<Vec<_>>>()
        });
        let digests = digests.await??;
        let mut found = Vec::new();
        for chunk in digests.chunks(500) {
            let women: Vec<Uuid> = blind_index::Entity::find()
                .select_only()
                .column(blind_index::Column::ParticipantId)
                .filter(blind_index::Column::OrganizationId.eq(own))
                .filter(blind_index::Column::Kind.eq(kind))
                .filter(blind_index::Column::Digest.is_in(chunk.iter().cloned()))
                .into_tuple()
                .all(tx)
                .await?;
            found.extend(women);
        }
        Ok(found)
    }
}

impl Write<'_> {
    /// A new woman's key, in a bucket that has room.
    pub(super) async fn new_keys(&self) -> Result<Keys> {
        #[derive(FromQueryResult)]
        struct Room {
            id: Uuid,
        }
        let own = self.access.own()?;
        let backend = self.tx.get_database_backend();
        let lock = if backend == DbBackend::Postgres { "FOR UPDATE SKIP LOCKED" } else { "" };
        let sql = format!(
            "SELECT id FROM key_bucket WHERE organization_id = $1 AND retired_at IS NULL AND women < $2 \
             ORDER BY id LIMIT 1 {lock}"
        );
        let statement = Statement::from_sql_and_values(backend, sql, [own.into(), OF_BUCKET.into()]);
        let data = DataKey::generate()?;
        if let Some(Room { id }) = Room::find_by_statement(statement).one(&self.tx).await? {
            let more = "UPDATE key_bucket SET women = women + 1 WHERE organization_id = $1 AND id = $2";
            let values = [own.into(), id.into()];
            self.tx.execute_raw(Statement::from_sql_and_values(backend, more, values)).await?;
            return Ok(Keys { bucket: self.access.bucket(id).await?, data });
        }
        Ok(Keys { bucket: self.new_bucket(1).await?, data })
    }

    /// A new bucket for so many women. Its key is on the disk before anything is wrapped by it.
    pub(super) async fn new_bucket(&self, women: i32) -> Result<Bucket> {
        let id = self.access.new_id();
        let bucket = self.access.store.with_vault(move |vault| vault.create(id)).await??;
        let row = key_bucket::ActiveModel {
            organization_id: Set(self.access.own()?),
            id: Set(id),
            women: Set(women),
            recorded_at: Set(self.access.now),
            retired_at: Set(None),
            destroyed_at: Set(None),
        };
        row.insert(&self.tx).await?;
        Ok(bucket)
    }

    /// A woman's key as it is wrapped now; nobody wraps it anew before this transaction ends.
    ///
    /// # Errors
    /// `Undecipherable` when it is not there.
    pub(in crate::store) async fn keys_of(&self, woman: Uuid) -> Result<Keys> {
        let own = self.access.own()?;
        let row = self.locked_keys(&[woman]).await?.pop().ok_or(Error::Undecipherable)?;
        let bucket = self.access.bucket(row.bucket_id).await?;
        let data = bucket.unwrap(own, woman, &row.wrapped)?;
        Ok(Keys { bucket, data })
    }

    #[expect(clippy::disallowed_methods, reason = "keys of rows that the caller has found in scope")]
    async fn locked_keys(&self, women: &[Uuid]) -> Result<Vec<participant_key::Model>> {
        let select = participant_key::Entity::find()
            .filter(participant_key::Column::OrganizationId.eq(self.access.own()?))
            .filter(participant_key::Column::ParticipantId.is_in(women.iter().copied()));
        Ok(select.lock_exclusive().all(&self.tx).await?)
    }

    /// Writes what she is found by, in place of what it was.
    #[expect(clippy::disallowed_methods, reason = "indexes are no records: they follow from the row")]
    pub(super) async fn index(&self, woman: Uuid, plain: &Plain, bucket: &Bucket) -> Result<()> {
        let own = self.access.own()?;
        self.unindex(woman).await?;
        let rows = plain.indexed().into_iter().map(|(kind, text)| blind_index::ActiveModel {
            organization_id: Set(own),
            participant_id: Set(woman),
            digest: Set(bucket.index(own, &kind.to_value(), &text)),
            kind: Set(kind),
        });
        blind_index::Entity::insert_many(rows).exec_without_returning(&self.tx).await?;
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "indexes are no records: they follow from the row")]
    pub(super) async fn unindex(&self, woman: Uuid) -> Result<()> {
        blind_index::Entity::delete_many()
            .filter(blind_index::Column::OrganizationId.eq(self.access.own()?))
            .filter(blind_index::Column::ParticipantId.eq(woman))
            .exec(&self.tx)
            .await?;
        Ok(())
    }

    /// Wraps a new woman's key into the database.
    pub(super) async fn keep_key(&self, woman: Uuid, keys: &Keys) -> Result<()> {
        let own = self.access.own()?;
        let row = participant_key::ActiveModel {
            organization_id: Set(own),
            participant_id: Set(woman),
            bucket_id: Set(keys.bucket.id()),
            wrapped: Set(keys.bucket.wrap(own, woman, &keys.data)?),
        };
        row.insert(&self.tx).await?;
        Ok(())
    }
}

/// A woman's bucket and her wrapped key.
type Wrapped = (Uuid, Vec<u8>);

/// A woman's code, and her key: none when there is none any more.
type CodeAndKey = (String, Result<Option<DataKey>>);

impl Access {
    /// Women's codes, with their keys as far as these are still there.
    #[expect(clippy::disallowed_methods, reason = "women of rows that the caller has found in scope")]
    async fn keys_and_codes(
        &self,
        tx: &DatabaseTransaction,
        women: &[Uuid],
    ) -> Result<HashMap<Uuid, (String, Option<Wrapped>)>> {
        let own = self.own()?;
        let rows = participant::Entity::find()
            .select_only()
            .columns([participant::Column::Id, participant::Column::Code])
            .filter(participant::Column::OrganizationId.eq(own))
            .filter(participant::Column::Id.is_in(women.iter().copied()))
            .into_tuple::<(Uuid, String)>()
            .all(tx)
            .await?;
        let keys = participant_key::Entity::find()
            .filter(participant_key::Column::OrganizationId.eq(own))
            .filter(participant_key::Column::ParticipantId.is_in(women.iter().copied()))
            .all(tx)
            .await?;
        let mut keys: HashMap<Uuid, Wrapped> =
            keys.into_iter().map(|key| (key.participant_id, (key.bucket_id, key.wrapped))).collect();
        Ok(rows.into_iter().map(|(id, code)| (id, (code, keys.remove(&id)))).collect())
    }

    /// Women's codes, with their keys in clear.
    pub(in crate::store) async fn data_keys(
        &self,
        tx: &DatabaseTransaction,
        women: &[Uuid],
    ) -> Result<HashMap<Uuid, CodeAndKey>> {
        let own = self.own()?;
        let known = self.keys_and_codes(tx, women).await?;
        let wrapped = known.values().filter_map(|(_, key)| key.as_ref().map(|key| key.0));
        let buckets = self.buckets(wrapped).await?;
        let open = |(woman, (code, key)): (Uuid, (String, Option<Wrapped>))| {
            let key = key.map(|(bucket, wrapped)| {
                let bucket = buckets.get(&bucket).and_then(|bucket| bucket.as_ref().ok());
                Ok(bucket.ok_or(Error::Undecipherable)?.unwrap(own, woman, &wrapped)?)
            });
            (woman, (code, key.transpose()))
        };
        Ok(known.into_iter().map(open).collect())
    }
}
