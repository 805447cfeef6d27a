//! Values that columns hold.

mod outbox;
mod record;
mod release;
mod rights;
mod safeguarding;
mod sign_in;
mod stock;
mod survey;
mod work;

use std::collections::BTreeMap;

use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

pub use self::outbox::OutboxKind;
pub use self::record::{
    AgeBand, BlindIndexKind, ConsentDecision, ConsentMethod, ConsentPurpose, DependantRelation,
    MaternityState, MergeStatus, StayEnding,
};
pub use self::release::{
    Asked, Base, Cut, Definition, ImpactSection, IndicatorKind, Mappings, Numerator, OutcomeAge,
    OutcomeDimension, ReleaseStatus, ReviewDecision,
};
pub use self::rights::{
    RefusalGround, RetentionAction, RetentionEvent, RetentionSubject, RightsRequestChannel,
    RightsRequestKind, RightsRequestStatus,
};
pub use self::safeguarding::{OrganizationKeyKind, SafeguardingKind, SafeguardingStatus};
pub use self::sign_in::{Ids, MailKind};
pub use self::stock::{GiftFlowKind, StockMovementKind, StockPlaceKind, StockReason, StockSide, StockSource};
pub use self::survey::{
    AskedWhen, MissingAnswer, Question, QuestionKind, QuestionOption, Questions, ResponseChannel,
    ResponseOutcome, RiskClass, SurveyLinkage, SurveyMode,
};
pub use self::work::{
    AbsenceReason, AcknowledgementMethod, AttendanceMark, DeductionKind, EnrolmentStatus, LegalOutcome,
    LegalStage, PaidFor, PayoutBasis, PayoutRounding, PayoutRunStatus, SaleChannel, SessionStatus,
    SkillLevel, WithdrawalReason,
};

/// What an organisation is to the others.
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
pub enum OrganizationKind {
    /// Runs programs.
    Operator,
    /// Works with an operator under an agreement.
    Partner,
    /// Gives money or goods.
    Donor,
}

/// What an organisation says of itself.
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
pub enum StatementKind {
    Mission,
    Vision,
    Value,
    Origin,
    Objective,
    LineOfAction,
    WorkArea,
}

/// What kind of place a facility is.
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
pub enum FacilityKind {
    /// Women only.
    WomenPrison,
    /// A prison with a section for women.
    MixedPrison,
    /// An education and work centre, semi-open.
    WorkCentre,
    /// Any other place.
    Other,
}

/// The field that a program works in.
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
pub enum ProgramArea {
    ProductiveWork,
    SkillsTraining,
    MentalHealth,
    SexualReproductiveHealth,
    Maternity,
    ArtsCulture,
    Education,
    BasicSupplies,
    LegalDefence,
    Research,
    Advocacy,
    Reintegration,
}

/// Where a program stands.
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
pub enum ProgramStatus {
    Planned,
    Active,
    Completed,
    Cancelled,
}

/// Whether small numbers of it could tell something of one woman (DISCLOSURE section 5).
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
pub enum Sensitivity {
    /// Soap, toilet paper and the like.
    General,
    /// Maternity and infant goods, contraception, tests, medication, disability and mental-health goods.
    Sensitive,
}

/// The plane that a delivery belongs to, fixed when it is made.
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
pub enum RowClass {
    /// Partners in scope see it.
    Operations,
    /// Staff of the owning organisation only.
    Records,
}

/// Where a delivery stands.
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
pub enum DistributionStatus {
    Planned,
    Dispatched,
    Delivered,
    Verified,
    Voided,
}

/// How the number of women reached was established.
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
pub enum ReachMethod {
    Counted,
    EstimatedPerKit,
    EstimatedOther,
}

/// Why a delivery no longer counts.
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
pub enum VoidReason {
    EntryError,
    Duplicate,
    NotDelivered,
    Returned,
}

/// How far a published figure can be trusted.
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
pub enum ClaimStatus {
    /// A measurement here confirms it.
    Verified,
    /// Its base is not known.
    LegacyUnverified,
    /// It contradicts other figures of its own source.
    DoesNotReconcile,
    /// Staff only: it would expose a few women.
    Withheld,
}

/// What an agreement lets its partners read.
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
pub enum AgreementShare {
    Distributions,
    Stock,
    Programs,
}

/// Who signs in.
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
pub enum AccountKind {
    Person,
    Service,
}

/// What a membership lets an account do. The rights of each are in the rights table.
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
pub enum Role {
    /// Follows its own awards and gifts, in totals.
    Donor,
    /// Reads operations in the scope of agreements.
    Partner,
    /// Records deliveries at assigned facilities.
    Field,
    /// Runs the organisation's programs.
    Coordinator,
    /// Consent, releases, read audit.
    Steward,
    /// Users, keys and agreements; no records.
    Admin,
    /// The audit log, nothing else.
    Auditor,
}

/// Where a translation comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TranslationStatus {
    Original,
    Human,
    Machine,
}

/// A text in one or more languages.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Localized {
    /// BCP 47 tag of the language that the text was written in; always a key of `texts`.
    pub original: String,
    pub texts: BTreeMap<String, Translation>,
}

impl Localized {
    /// The text in a language, or else in the one that it was written in.
    pub fn text(&self, language: &str) -> &str {
        let found = self.texts.get(language).or_else(|| self.texts.get(&self.original));
        found.map_or("", |found| &found.text)
    }
}

/// The text in one language, and where it comes from.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Translation {
    pub text: String,
    pub status: TranslationStatus,
}

/// A list of names or codes.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Names(pub Vec<String>);

/// Spans of time: from a moment, included, to a moment, excluded.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Spans(pub Vec<(DateTimeUtc, DateTimeUtc)>);

/// The areas of a program, the main one first.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct ProgramAreas(pub Vec<ProgramArea>);

/// What an agreement lets its partners read.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Shares(pub Vec<AgreementShare>);

/// The face of a sensitive entry that outsiders go on seeing until the next quarter.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct OutsideFace {
    pub name: Localized,
    pub sensitivity: Sensitivity,
    /// The rest of the row as outsiders saw it, by column.
    pub rest: serde_json::Value,
}
