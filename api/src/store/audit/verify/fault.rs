//! What can be wrong with an audit, in words that name the place.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use entity::audit_seal;
use uuid::Uuid;

use super::super::{chain::Raw, heads::Head};

/// A seal and the rows that it holds.
#[derive(Clone, Debug)]
pub struct Place {
    pub seal: i64,
    pub first_row: i64,
    pub last_row: i64,
    pub sealed_at: DateTime<Utc>,
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The row at this place is not the one that was sealed.
    Changed(i64, Raw),
    /// The digest of this place is not that of its row.
    DigestChanged(i64, Raw),
    /// Two rows have each other's places.
    Swapped((i64, Raw), (i64, Raw)),
    /// The row of this place is gone.
    Gone {
        number: i64,
        id: Uuid,
        before: Option<Raw>,
    },
    /// These places are gone.
    PlacesGone {
        first: i64,
        last: i64,
    },
    /// A row that no seal was asked for.
    Inserted(Raw),
    /// A row that says it was recorded when a later seal shows that it was not there.
    Late(i64, Raw, DateTime<Utc>),
    /// A row that waited for its place is gone.
    GoneUnsealed(Uuid),
    SealMissing {
        first: i64,
        last: i64,
    },
    SealChanged(Place),
    /// Places that no seal holds.
    BehindSeals {
        first: i64,
        last: i64,
        seal: i64,
    },
    /// The chain ends before a head that was exported.
    CutOff {
        head: Head,
        seals: i64,
        rows: i64,
    },
    /// The chain fits in itself, and not with a head that was exported.
    Rewritten(Head, Option<Place>),
    /// A line that is not a head.
    HeadBroken {
        file: String,
        line: u64,
    },
    /// A line whose signature is not by a key of ours, or over something else.
    HeadForged {
        file: String,
        line: u64,
    },
    /// Lines are missing between two heads.
    HeadsMissing {
        file: String,
        line: u64,
        first: i64,
        last: i64,
    },
    /// The file ends before the chain does.
    HeadsCutOff {
        file: String,
        last: i64,
        seals: i64,
    },
    /// The key of the newest head is no longer here.
    HeadUnknownKey {
        file: String,
        number: i64,
    },
    /// Heads of an organisation that is not in the database.
    HeadsOfNobody {
        file: String,
    },
}

/// All that is wrong with one chain; of many faults the first are named.
#[derive(Debug, Default)]
pub struct Faults {
    pub listed: Vec<Fault>,
    pub more: u64,
}

impl Faults {
    /// How many are named.
    pub const LISTED: usize = 100;

    pub fn add(&mut self, fault: Fault) {
        if self.listed.len() < Self::LISTED {
            self.listed.push(fault);
        } else {
            self.more += 1;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }
}

impl Place {
    pub fn of(seal: &audit_seal::Model) -> Self {
        Self {
            seal: seal.number,
            first_row: seal.first_row,
            last_row: seal.last_row,
            sealed_at: seal.sealed_at,
        }
    }
}

/// A moment as all words of ours have it.
pub fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A row in words.
struct Row<'a>(&'a Raw);

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.0;
        write!(f, "{} ({} {}, recorded {})", row.id(), row.action(), row.entity(), row.time())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(number, row) => write!(f, "row {number} was changed: it is now {}", Row(row)),
            Self::DigestChanged(number, row) => {
                write!(f, "the digest of row {number} was changed; the row itself is as it was: {}", Row(row))
            }
            Self::Swapped((one, row), (other, other_row)) => {
                write!(f, "rows {one} and {other} were swapped: {} and {}", Row(row), Row(other_row))
            }
            Self::Gone { number, id, before: None } => write!(f, "row {number} is missing: {id}, the first"),
            Self::Gone { number, id, before: Some(before) } => {
                write!(f, "row {number} is missing: {id}, behind {}", Row(before))
            }
            Self::PlacesGone { first, last } if first == last => {
                write!(f, "row {first} is missing, place and all")
            }
            Self::PlacesGone { first, last } => {
                write!(f, "rows {first} to {last} are missing, places and all")
            }
            Self::Inserted(row) => write!(f, "a row was inserted past the sealer: {}", Row(row)),
            Self::Late(number, row, sealed_at) => write!(
                f,
                "row {number} was inserted later than it says: {}; it was not there at the seal of {}",
                Row(row),
                moment(*sealed_at)
            ),
            Self::GoneUnsealed(id) => write!(f, "a row that was not sealed yet is missing: {id}"),
            Self::SealMissing { first, last } if first == last => write!(f, "seal {first} is missing"),
            Self::SealMissing { first, last } => write!(f, "seals {first} to {last} are missing"),
            Self::SealChanged(Place { seal, first_row, last_row, sealed_at }) => write!(
                f,
                "seal {seal} over rows {first_row} to {last_row}, of {}, is not what was sealed",
                moment(*sealed_at)
            ),
            Self::BehindSeals { first, last, seal } => {
                write!(f, "rows {first} to {last} have places behind seal {seal}, which is the last")
            }
            Self::CutOff { head, seals, rows } => write!(
                f,
                "the end is cut off: head {} of {} stands for {} rows, and the chain ends with seal {seals} at row {rows}",
                head.number,
                moment(head.sealed_at),
                head.count
            ),
            Self::Rewritten(head, Some(place)) => write!(
                f,
                "the chain was written anew: seal {} over rows {} to {} is not head {} of {}",
                place.seal,
                place.first_row,
                place.last_row,
                head.number,
                moment(head.sealed_at)
            ),
            Self::Rewritten(head, None) => {
                write!(
                    f,
                    "seal {} is missing, of which there is a head of {}",
                    head.number,
                    moment(head.sealed_at)
                )
            }
            Self::HeadBroken { file, line } => write!(f, "{file}, line {line}: cut off, or not a head"),
            Self::HeadForged { file, line } => {
                write!(
                    f,
                    "{file}, line {line}: forged, the signature is not over this head of this organisation"
                )
            }
            Self::HeadsMissing { file, line, first, last } => {
                write!(f, "{file}, line {line}: heads {first} to {last} are missing before it")
            }
            Self::HeadsCutOff { file, last, seals } => {
                write!(f, "{file}: cut off, it ends with head {last} and the chain with seal {seals}")
            }
            Self::HeadUnknownKey { file, number } => {
                write!(f, "{file}: head {number}, the newest, is signed by a key that is not here")
            }
            Self::HeadsOfNobody { file } => {
                write!(f, "{file}: heads of an organisation that is not in the database")
            }
        }
    }
}
