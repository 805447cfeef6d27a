//! Values of requests that women make about their data, and of how long data are kept.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// What she asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RightsRequestKind {
    /// To see what is held about her.
    Access,
    /// That what is wrong is put right.
    Rectification,
    /// That she is forgotten.
    Erasure,
    /// That her data are not used for a purpose.
    Opposition,
    /// Her data in a form that another program reads.
    Portability,
}

/// How a request came in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RightsRequestChannel {
    /// She said it to somebody.
    InPerson,
    Letter,
    /// Her lawyer, or somebody else whom she has authorised.
    Representative,
    /// By way of the authority that watches over data protection.
    Authority,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RightsRequestStatus {
    /// Not answered yet.
    Open,
    /// She gets it; it may still have to be carried out.
    Granted,
    /// She gets a part of it.
    PartlyGranted,
    Refused,
    /// She has taken it back.
    Withdrawn,
}

/// Why a request is refused, as a whole or in part.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefusalGround {
    /// It is not shown that she asks, or that somebody may ask for her.
    NotShownWhoAsks,
    /// A law asks that the data are kept, such as the accounts of what she was paid.
    LegalDuty,
    /// It would hurt the rights of somebody else.
    RightsOfOthers,
    /// What she asks for was done before, or the data are right.
    Unfounded,
    /// There is nothing that it could be about.
    NothingHeld,
}

/// What a retention rule is about.
#[derive(
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
    Deserialize,
    EnumIter,
    DeriveActiveEnum,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RetentionSubject {
    /// A woman's record.
    Participant,
    /// The notes of a record, which are free text.
    ParticipantNotes,
    Maternity,
    /// Why somebody took a record.
    BreakGlassReason,
    SafeguardingNote,
    RightsRequest,
}

/// The event after which the time of a retention rule runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RetentionEvent {
    /// Her last stay in custody ended.
    LastStayEnded,
    /// The thing itself came to its end: a maternity ended, a note was closed, a request was done with.
    Ended,
    Recorded,
}

/// What happens when the time of a retention rule is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RetentionAction {
    /// As an erasure on request: her key is destroyed, and the ledgers keep rows that name nobody.
    Erase,
    /// The row goes.
    Delete,
    /// The text goes, and the row stays.
    Empty,
}
