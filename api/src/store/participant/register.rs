//! A new record.

use chrono::NaiveDate;
use entity::{custody_stay, idempotency, participant};
use sea_orm::{ActiveModelTrait, EntityTrait, Set};
use serde::Deserialize;
use uuid::Uuid;

use super::identity::{Document, Plain};
use crate::{
    auth::Right,
    error::{Error, Result},
    id,
    store::{
        Access,
        input::{FUTURE, Faults, Message, Once, UserErrorCode, Written, or_default},
        record::KeyHold,
        write::{Seen, Trace, Write, other_input, taken},
    },
};

/// The most documents of a woman.
const MOST_DOCUMENTS: usize = 10;
const LONGEST_NOTES: usize = 2_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterParticipant {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(default)]
    pub code: Option<String>,
    pub given_names: String,
    pub family_names: String,
    #[serde(default)]
    pub birth_date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "or_default")]
    pub documents: Vec<Document>,
    #[serde(default)]
    pub notes: Option<String>,
    #[serde(deserialize_with = "id::single::<_, {id::FACILITY}>")]
    pub facility: Uuid,
    /// Since when she is there.
    pub starts_on: NaiveDate,
}

impl Access {
    /// Registers a woman, with the facility where she is.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn register_participant(&self, input: RegisterParticipant) -> Written<Option<Uuid>> {
        self.require(Right::ParticipantWrite)?;
        self.purpose()?;
        let own = self.own()?;
        let mut faults = Faults::default();
        let plain = Plain {
            given_names: input.given_names.trim().to_owned(),
            family_names: input.family_names.trim().to_owned(),
            birth_date: input.birth_date,
            documents: input.documents,
            notes: input.notes,
        };
        self.check_identity(&mut faults, &plain);
        self.check_custody(&mut faults, input.facility, input.starts_on, None);
        if let Some(code) = &input.code {
            faults.short_text(code, &["code"]);
            // Who sees a part of the women could else find out which codes there are.
            let all = self.viewer.facilities().is_none();
            faults.check(all, UserErrorCode::NotPermitted, &["code"], CODES_ARE_MADE);
        }
        let write = self.write_relying().await?;
        write.hold_keys(KeyHold::Stay).await?;
        if let Some(id) = write.registered(&input.once).await? {
            return Ok(Some(id));
        }
        faults.refuse()?;
        let id = self.new_id();
        let keys = write.new_keys().await?;
        let once = Once { hash: keys.data.digest(&input.once.hash), ..input.once };
        if let Seen::Again(_) = write.once(&once, id).await? {
            // Somebody has used the key since it was looked for.
            return Err(Error::Unavailable.into());
        }
        let mut row = participant::ActiveModel {
            organization_id: Set(own),
            id: Set(id),
            code: Set(input.code.unwrap_or_else(|| new_code(self.new_id()))),
            version: Set(1),
            recorded_at: Set(self.now),
            recorded_by: Set(self.viewer.account()),
            erased_at: Set(None),
            merged_into: Set(None),
            ..Default::default()
        };
        plain.seal(own, id, 1, &keys.data, &mut row)?;
        row.insert(&write.tx).await.map_err(taken("code"))?;
        write.keep_key(id, &keys).await?;
        write.index(id, &plain, &keys.bucket).await?;
        let stay = custody_stay::ActiveModel {
            organization_id: Set(own),
            id: Set(self.new_id()),
            participant_id: Set(id),
            facility_id: Set(input.facility),
            starts_on: Set(input.starts_on),
            ends_on: Set(None),
            ending: Set(None),
            version: Set(1),
            recorded_at: Set(self.now),
            recorded_by: Set(self.viewer.account()),
        };
        stay.insert(&write.tx).await?;
        let trace = Trace::of("CREATE", "participant");
        write.finish_about(vec![id], trace, (id, 1), input.validate_only).await
    }

    pub(super) fn check_identity(&self, faults: &mut Faults, plain: &Plain) {
        faults.short_text(&plain.given_names, &["givenNames"]);
        faults.short_text(&plain.family_names, &["familyNames"]);
        if let Some(born) = plain.birth_date {
            let fine =
                (NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default()..=self.today()).contains(&born);
            faults.check(fine, UserErrorCode::OutOfRange, &["birthDate"], BAD_BIRTH_DATE);
        }
        let few = plain.documents.len() <= MOST_DOCUMENTS;
        faults.check(few, UserErrorCode::OutOfRange, &["documents"], TOO_MANY_DOCUMENTS);
        for (place, document) in plain.documents.iter().enumerate() {
            let place = place.to_string();
            faults.text(&document.kind, &["documents", &place, "kind"], 40);
            faults.text(&document.number, &["documents", &place, "number"], 60);
        }
        if let Some(notes) = &plain.notes {
            faults.text(notes, &["notes"], LONGEST_NOTES);
        }
    }

    /// A stay at a facility that the viewer works at, between days that have come.
    pub(super) fn check_custody(
        &self,
        faults: &mut Faults,
        facility: Uuid,
        starts_on: NaiveDate,
        ends_on: Option<NaiveDate>,
    ) {
        let known = self.facility(facility).is_some()
            && self.viewer.facilities().is_none_or(|cut| cut.contains(&facility));
        faults.check(known, UserErrorCode::NotFound, &["facility"], NO_FACILITY);
        faults.check(starts_on <= self.today(), UserErrorCode::OutOfRange, &["startsOn"], FUTURE);
        faults.span(starts_on, ends_on, &["endsOn"]);
        faults.check(
            ends_on.is_none_or(|day| day <= self.today()),
            UserErrorCode::OutOfRange,
            &["endsOn"],
            FUTURE,
        );
    }
}

impl Write<'_> {
    /// The woman whom a key has registered before with the same input. What the input said is kept as a digest under her
    /// own key, so that nobody else can try names against it.
    #[expect(
        clippy::disallowed_methods,
        reason = "the key is the scope: it leads with the viewer's own organisation and account"
    )]
    async fn registered(&self, once: &Once) -> Written<Option<Uuid>> {
        let key = (self.access.own()?, once.account(&self.access.viewer), once.key.clone());
        let Some(before) = idempotency::Entity::find_by_id(key).one(&self.tx).await? else { return Ok(None) };
        let same = before.operation == once.operation && self.is_same(&before, &once.hash).await?;
        if same { Ok(Some(before.object_id)) } else { Err(other_input()) }
    }

    async fn is_same(&self, before: &idempotency::Model, hash: &[u8]) -> Result<bool> {
        match self.keys_of(before.object_id).await {
            Ok(keys) => Ok(keys.data.digest(hash) == before.input_hash),
            // She was erased.
            Err(Error::Undecipherable) => Ok(false),
            Err(fault) => Err(fault),
        }
    }
}

/// Six letters and digits that are hard to confuse, out of a random id.
pub(super) fn new_code(random: Uuid) -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let letters = random.as_bytes()[8..16].iter().skip(1).take(7);
    letters.map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

const BAD_BIRTH_DATE: Message = Message {
    en: "A date of birth is from 1900 until today.",
    es: "La fecha de nacimiento va de 1900 a hoy.",
};
const TOO_MANY_DOCUMENTS: Message =
    Message { en: "Give at most 10 documents.", es: "Indique como máximo 10 documentos." };
pub(in crate::store) const NO_FACILITY: Message =
    Message { en: "There is no such facility.", es: "No existe ese centro." };
const CODES_ARE_MADE: Message =
    Message { en: "Leave the code out: it is made here.", es: "Omita el código: se genera aquí." };
