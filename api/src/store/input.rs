//! What a client sends in a mutation, and how it is refused.

use std::collections::BTreeMap;

use entity::value::{Localized, Translation, TranslationStatus};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::tied::Outdated;
use crate::{auth::Viewer, error::Error};

/// What is wrong with an input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UserErrorCode {
    Invalid,
    NotFound,
    Conflict,
    Duplicate,
    OutOfRange,
    NotPermitted,
    InsufficientStock,
    Expired,
    /// It is too early, or too late, for this period.
    PeriodLocked,
    /// What was shown to be let in is not accepted.
    NotAccepted,
    TooManyTries,
}

impl UserErrorCode {
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "INVALID",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::Duplicate => "DUPLICATE",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::NotPermitted => "NOT_PERMITTED",
            Self::InsufficientStock => "INSUFFICIENT_STOCK",
            Self::Expired => "EXPIRED",
            Self::PeriodLocked => "PERIOD_LOCKED",
            Self::NotAccepted => "NOT_ACCEPTED",
            Self::TooManyTries => "TOO_MANY_TRIES",
        }
    }
}

/// A text of ours in English and Spanish.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Message {
    pub en: &'static str,
    pub es: &'static str,
}

/// What a client can act on.
#[derive(Clone, Debug)]
pub struct UserError {
    pub code: UserErrorCode,
    /// The path of the input field, from the input's root.
    pub field: Vec<String>,
    /// `{day}` in it stands for the day.
    pub message: Message,
    /// The day that the client has to look at, where there is one.
    pub day: Option<chrono::NaiveDate>,
    /// Seconds after which it is worth to try again, where there is such a time.
    pub retry_after: Option<i64>,
}

/// Why a write did not happen. Nothing was written.
#[derive(Debug)]
pub enum Refused {
    Fault(Error),
    User(Vec<UserError>),
    /// The checks have to be done again.
    Outdated(Outdated),
}

/// The answer of a write.
pub type Written<T> = Result<T, Refused>;

impl<E: Into<Error>> From<E> for Refused {
    fn from(fault: E) -> Self {
        Self::Fault(fault.into())
    }
}

impl From<UserError> for Refused {
    fn from(fault: UserError) -> Self {
        Self::User(vec![fault])
    }
}

impl UserError {
    pub fn new(code: UserErrorCode, field: &[&str], message: Message) -> Self {
        Self {
            code,
            field: field.iter().map(|part| (*part).to_owned()).collect(),
            message,
            day: None,
            retry_after: None,
        }
    }

    /// The same for a member of a list, from the list's place in the input.
    pub(super) fn within(mut self, list: &str, place: usize) -> Self {
        self.field.splice(0..0, [list.to_owned(), place.to_string()]);
        self
    }

    /// The row has another version than the client has seen.
    pub fn stale() -> Self {
        Self::new(UserErrorCode::Conflict, &["expectedVersion"], STALE)
    }

    pub fn not_found(field: &[&str]) -> Self {
        Self::new(UserErrorCode::NotFound, field, NOT_FOUND)
    }
}

impl At {
    /// Refuses to change an entry that has changed since the client saw it, or that is archived: nothing brings that
    /// back.
    pub fn check(
        self,
        field: &str,
        version: i32,
        archived_at: Option<chrono::DateTime<chrono::Utc>>,
    ) -> Result<(), UserError> {
        if version != self.expected {
            return Err(UserError::stale());
        }
        if archived_at.is_some() {
            return Err(UserError::new(UserErrorCode::Invalid, &[field], ARCHIVED));
        }
        Ok(())
    }
}

/// All that is wrong with one input, so that a client can mend it in one go.
#[derive(Debug, Default)]
pub struct Faults(Vec<UserError>);

impl Faults {
    pub fn add(&mut self, code: UserErrorCode, field: &[&str], message: Message) {
        self.0.push(UserError::new(code, field, message));
    }

    pub(super) fn push(&mut self, fault: UserError) {
        self.0.push(fault);
    }

    pub(super) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// Gives faults of the members of a list the places that these have in the client's own list.
    pub(super) fn renumber(&mut self, list: &str, places: &[usize]) {
        for error in self.0.iter_mut().filter(|error| error.field.first().is_some_and(|first| first == list))
        {
            let place = error.field.get(1).and_then(|place| places.get(place.parse::<usize>().ok()?));
            if let (Some(place), Some(field)) = (place, error.field.get_mut(1)) {
                *field = place.to_string();
            }
        }
    }

    /// Gives faults of fields that an input does not have to one that it has.
    pub(super) fn rename(&mut self, fields: &[&str], to: &str) {
        for error in &mut self.0 {
            if error.field.first().is_some_and(|first| fields.contains(&first.as_str())) {
                error.field = vec![to.to_owned()];
            }
        }
    }

    pub fn check(&mut self, holds: bool, code: UserErrorCode, field: &[&str], message: Message) {
        if !holds {
            self.add(code, field, message);
        }
    }

    pub fn refuse(self) -> Result<(), Refused> {
        if self.0.is_empty() { Ok(()) } else { Err(Refused::User(self.0)) }
    }

    /// A name or a title: not blank, of bounded length, without control characters.
    pub fn short_text(&mut self, text: &str, field: &[&str]) {
        self.text(text, field, 200);
    }

    pub fn text(&mut self, text: &str, field: &[&str], most: usize) {
        let fine = !text.trim().is_empty()
            && text.chars().count() <= most
            && !text.chars().any(|letter| letter.is_control() && letter != '\n');
        self.check(fine, UserErrorCode::Invalid, field, BAD_TEXT);
    }

    /// Lower-case letters, digits and hyphens.
    pub fn slug(&mut self, slug: &str, field: &[&str]) {
        let fine = (2..=80).contains(&slug.len())
            && slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !slug.starts_with('-')
            && !slug.ends_with('-');
        self.check(fine, UserErrorCode::Invalid, field, BAD_SLUG);
    }

    /// ISO 3166-1 alpha-2.
    pub fn country(&mut self, code: &str, field: &[&str]) {
        let fine = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        self.check(fine, UserErrorCode::Invalid, field, NO_COUNTRY);
    }

    pub fn localized(&mut self, input: &LocalizedInput, field: &[&str], most: usize) -> Localized {
        let mut texts = BTreeMap::new();
        for (place, translation) in input.translations.iter().enumerate() {
            let place = place.to_string();
            let mut path = field.to_vec();
            path.extend(["translations", &place, "text"]);
            self.text(&translation.text, &path, most);
            let status = if translation.lang == input.original {
                TranslationStatus::Original
            } else {
                match translation.status {
                    Some(TranslationStatus::Machine) => TranslationStatus::Machine,
                    _ => TranslationStatus::Human,
                }
            };
            let entry = Translation { text: translation.text.trim().to_owned(), status };
            if texts.insert(translation.lang.clone(), entry).is_some() {
                self.add(UserErrorCode::Duplicate, &path, SAME_LANGUAGE);
            }
        }
        let mut path = field.to_vec();
        path.push("original");
        self.check(texts.contains_key(&input.original), UserErrorCode::Invalid, &path, NO_ORIGINAL);
        Localized { original: input.original.clone(), texts }
    }

    /// The objects that a list names, each once, in the order of their ids. `may` says which may be named.
    pub fn ids(
        &mut self,
        mut ids: Vec<Uuid>,
        field: &str,
        message: Message,
        may: impl Fn(Uuid) -> bool,
    ) -> Vec<Uuid> {
        for (place, id) in ids.iter().enumerate() {
            self.check(may(*id), UserErrorCode::NotFound, &[field, &place.to_string()], message);
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// A last day that is not before the first.
    pub fn span(&mut self, starts: chrono::NaiveDate, ends: Option<chrono::NaiveDate>, field: &[&str]) {
        self.check(ends.is_none_or(|ends| starts <= ends), UserErrorCode::OutOfRange, field, ENDS_BEFORE);
    }
}

/// Texts that a database can hold: others are of no row.
pub(super) fn storable(texts: &[String]) -> impl Iterator<Item = &str> {
    texts.iter().map(String::as_str).filter(|text| !text.contains('\0'))
}

/// A text in one or more languages, as a client sends it.
#[derive(Clone, Debug, Deserialize)]
pub struct LocalizedInput {
    pub original: String,
    pub translations: Vec<TranslationInput>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct TranslationInput {
    pub lang: String,
    pub text: String,
    #[serde(default)]
    pub status: Option<TranslationStatus>,
}

/// An amount as a client sends it: minor units as a decimal string.
#[derive(Clone, Debug, Deserialize)]
pub struct MoneyInput {
    pub amount: String,
    pub currency: String,
}

impl Faults {
    /// A positive amount in a currency that ISO 4217 could hold.
    pub fn money(&mut self, input: &MoneyInput, field: &[&str]) -> i64 {
        let amount = input.amount.parse().unwrap_or(0);
        self.check(amount > 0, UserErrorCode::OutOfRange, field, NOT_POSITIVE);
        let known = input.currency.len() == 3 && input.currency.bytes().all(|byte| byte.is_ascii_uppercase());
        self.check(known, UserErrorCode::Invalid, field, BAD_CURRENCY);
        amount
    }
}

/// What has to be done at most once: the client's key, the mutation, and a digest of its input.
#[derive(Clone, Debug, Default)]
pub struct Once {
    pub key: String,
    pub operation: String,
    pub hash: Vec<u8>,
    /// The key is the organisation's, whoever sends it: a device may change hands before its rows are sent.
    pub shared: bool,
}

impl Once {
    /// The account whose key it is; nil for the program itself. The organisation's devices have a number of their
    /// own, so that no key of theirs stands in the way of an import.
    pub fn account(&self, viewer: &Viewer) -> Uuid {
        const DEVICES: Uuid = Uuid::from_u128(1);
        if self.shared { DEVICES } else { viewer.account().unwrap_or_default() }
    }

    /// Whether the key can be kept: some visible text of bounded length.
    pub fn is_usable(&self) -> bool {
        (1..=200).contains(&self.key.len()) && !self.key.chars().any(char::is_control)
    }
}

/// An entry at the version that the client has seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct At {
    pub id: Uuid,
    pub expected: i32,
}

/// A field that may be left out or null, both of which stand for its default.
pub fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    source: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(source).map(Option::unwrap_or_default)
}

/// A field that may be left out (keep) or null (clear).
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    source: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(source).map(Some)
}

const STALE: Message = Message {
    en: "The row has changed since it was read. The answer holds it as it is now.",
    es: "El registro cambió desde que se leyó. La respuesta lo trae como está ahora.",
};
const ARCHIVED: Message = Message {
    en: "This is archived. It can no longer be changed.",
    es: "Está archivado. Ya no se puede cambiar.",
};
const NOT_FOUND: Message = Message { en: "There is no such object.", es: "No existe ese objeto." };
const BAD_TEXT: Message = Message {
    en: "The text is blank, too long or holds control characters.",
    es: "El texto está vacío, es demasiado largo o contiene caracteres de control.",
};
pub(super) const FUTURE: Message =
    Message { en: "The day is in the future.", es: "El día está en el futuro." };
const NO_COUNTRY: Message = Message {
    en: "This is no country code of ISO 3166-1, such as MX or CL.",
    es: "No es un código de país ISO 3166-1, como MX o CL.",
};
const BAD_SLUG: Message = Message {
    en: "Use 2 to 80 lower-case letters, digits and hyphens.",
    es: "Use de 2 a 80 letras minúsculas, dígitos y guiones.",
};
const SAME_LANGUAGE: Message =
    Message { en: "The language is given twice.", es: "El idioma aparece dos veces." };
const NO_ORIGINAL: Message = Message {
    en: "The translations must include the original.",
    es: "Las traducciones deben incluir el original.",
};
const ENDS_BEFORE: Message =
    Message { en: "The last day is before the first.", es: "El último día es anterior al primero." };
const NOT_POSITIVE: Message =
    Message { en: "The amount must be above zero.", es: "El monto debe ser mayor que cero." };
const BAD_CURRENCY: Message =
    Message { en: "This is not an ISO 4217 code.", es: "No es un código ISO 4217." };
