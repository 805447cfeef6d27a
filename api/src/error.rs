//! What can go wrong, as far as a client can act on it.

use sea_orm::{DbErr, RuntimeErr};

use crate::{store::record::Purpose, vault};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A refusal or a fault.
///
/// It has no `Display` on purpose: async-graphql would send that text to the client.
#[derive(Clone, Debug)]
pub enum Error {
    /// The viewer may not do this at all, whatever the row.
    NotPermitted,
    /// The request asks for something that cannot be: the text says what, and holds nothing of any row.
    Invalid(String),
    /// A cursor that this server did not make for this list and this viewer.
    BadCursor,
    /// An event that is no longer kept, or never was for this viewer.
    EventsGone,
    /// Women's records are read for a purpose, and none was said.
    PurposeNeeded,
    /// A ciphertext does not open. What is wrong with it is in the log, without a word of it.
    Undecipherable,
    /// The database is out of reach or too busy.
    Unavailable,
    /// The work took longer than a request may.
    TimedOut,
    /// A fault of ours. The text is for the log, never for a client.
    Internal(String),
}

impl Error {
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }

    /// The stable code that a client branches on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotPermitted => "NOT_PERMITTED",
            Self::Invalid(_) => "BAD_USER_INPUT",
            Self::BadCursor => "BAD_CURSOR",
            Self::EventsGone => "EVENTS_GONE",
            Self::PurposeNeeded => "PURPOSE_NEEDED",
            Self::Undecipherable => "UNDECIPHERABLE",
            Self::Unavailable => "UNAVAILABLE",
            Self::TimedOut => "TIMED_OUT",
            Self::Internal(_) => "INTERNAL",
        }
    }

    /// The text that a client may read.
    pub fn message(&self) -> String {
        match self {
            Self::NotPermitted => "Your role does not allow this.".into(),
            Self::Invalid(message) => message.clone(),
            Self::BadCursor => "This cursor does not belong to this list.".into(),
            Self::EventsGone => {
                "The events after this one are no longer kept. Subscribe without it, and read the list again."
                    .into()
            }
            Self::PurposeNeeded => {
                format!("Say why you use women's records: Umbral-Purpose: {}", Purpose::names().join(" | "))
            }
            Self::Undecipherable => "This value cannot be deciphered. An operator has to look at it.".into(),
            Self::Unavailable => "The service is busy. Try again in a moment.".into(),
            Self::TimedOut => "The request took too long and was stopped.".into(),
            Self::Internal(_) => "Something went wrong on our side.".into(),
        }
    }
}

impl From<vault::Fault> for Error {
    fn from(fault: vault::Fault) -> Self {
        use vault::Fault;
        match fault {
            Fault::Gone | Fault::Damaged | Fault::WrongMaster => {
                tracing::error!(fault = %fault.text(), "a record cannot be deciphered");
                Self::Undecipherable
            }
            other => Self::Internal(other.text()),
        }
    }
}

impl From<DbErr> for Error {
    fn from(fault: DbErr) -> Self {
        match &fault {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unavailable,
            DbErr::Exec(RuntimeErr::SqlxError(source)) | DbErr::Query(RuntimeErr::SqlxError(source))
                if source
                    .as_database_error()
                    .and_then(|fault| fault.code())
                    .is_some_and(|code| is_passing(&code)) =>
            {
                Self::Unavailable
            }
            // The text of a database error may quote a row, so only its kind is kept.
            other => Self::Internal(kind_of(other)),
        }
    }
}

/// Whether a client may simply try again: SQLite's busy, and PostgreSQL's conflicts between transactions,
/// time limits, missing resources and shutdowns.
fn is_passing(code: &str) -> bool {
    matches!(code, "5" | "6" | "261" | "517" | "40001" | "40P01" | "55P03" | "57014")
        || code.starts_with("53")
        || code.starts_with("57P")
}

/// The kind of a database error and, for PostgreSQL, its SQLSTATE: enough to find it, with no value in it.
fn kind_of(fault: &DbErr) -> String {
    let source = match fault {
        DbErr::Exec(source) | DbErr::Query(source) => source,
        DbErr::RecordNotFound(_) => return "record not found".into(),
        DbErr::Type(_) | DbErr::TryIntoErr { .. } => return "a column could not be read".into(),
        DbErr::Migration(text) => return format!("migration: {text}"),
        _ => return "database error".into(),
    };
    match source {
        RuntimeErr::SqlxError(fault) => match fault.as_database_error() {
            Some(database) => format!(
                "database error {} on {}",
                database.code().unwrap_or_default(),
                database.constraint().or(database.table()).unwrap_or("-")
            ),
            None => "database driver error".into(),
        },
        RuntimeErr::Internal(_) => "database error".into(),
    }
}
