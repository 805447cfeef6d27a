//! Values of indicators and releases.

use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

/// What is published of an indicator.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IndicatorKind {
    /// How many women.
    Count,
    /// Of how many of a hundred women something is so.
    Share,
    /// The mean of an amount of each woman.
    Mean,
    /// The sum of an amount of each woman.
    Sum,
}

/// What the women of a release are grouped by.
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
pub enum OutcomeDimension {
    /// Where a woman was last in the period.
    Facility,
    /// The first-level administrative area of that facility.
    Region,
    /// The programs that she was enrolled in, any number of them.
    Program,
    /// 18 to 29, 30 to 44, 45 and over, on the last day of the period.
    Age,
}

/// The ages that outcomes are told by (DISCLOSURE 3.1).
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
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum OutcomeAge {
    #[serde(rename = "AGE_18_29")]
    #[sea_orm(string_value = "AGE_18_29")]
    From18To29,
    #[serde(rename = "AGE_30_44")]
    #[sea_orm(string_value = "AGE_30_44")]
    From30To44,
    #[serde(rename = "AGE_45_PLUS")]
    #[sea_orm(string_value = "AGE_45_PLUS")]
    From45,
    #[serde(rename = "UNKNOWN")]
    #[sea_orm(string_value = "UNKNOWN")]
    Unknown,
}

/// The one place where an answer is cut into yes and no, or taken as a number.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", tag = "rule")]
pub enum Cut {
    /// She said yes.
    Yes,
    /// She chose at least one of these options.
    AnyOf {
        options: Vec<String>,
    },
    /// She chose all of these options.
    AllOf {
        options: Vec<String>,
    },
    AtLeast {
        number: i32,
    },
    AtMost {
        number: i32,
    },
    /// The number itself, for a mean.
    Amount,
}

/// A question with its cut.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    pub question: String,
    pub cut: Cut,
}

/// What is taken of each woman: the numerator, and where it comes from.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", tag = "source")]
pub enum Numerator {
    /// What she said in a survey. Of several questions it is enough that one cut is met; a missing answer is no.
    Answers { instrument: String, any_of: Vec<Asked> },
    /// That she was enrolled in one of these programs; ever until the end of the period, or in the period.
    Enrolled { programs: Vec<Uuid>, ever: bool },
    /// That she completed one of these programs in the period.
    Completed { programs: Vec<Uuid> },
    /// That she came to so many sessions of these programs in the period.
    Attended { programs: Vec<Uuid>, sessions: u32 },
    /// What she was paid in the period, in minor units of a currency.
    Paid { currency: String },
    /// That she was paid anything in the period.
    WasPaid,
}

impl Numerator {
    /// The programs that it is about; none where it is about all.
    pub fn programs(&self) -> &[Uuid] {
        match self {
            Self::Enrolled { programs, .. }
            | Self::Completed { programs }
            | Self::Attended { programs, .. } => programs,
            Self::Answers { .. } | Self::Paid { .. } | Self::WasPaid => &[],
        }
    }
}

/// Which women a share, a mean or a sum is of. Memberships decide it, never an answer (DISCLOSURE 3.7, ruling 3).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Base {
    /// Those who took part in the round.
    Respondents,
    /// Those who were at a facility in the period.
    Present,
    /// Those who were enrolled in any program in the period.
    Enrolled,
}

/// What an indicator is, written down before anybody looks at data. It never changes: another definition is another
/// indicator.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Definition {
    pub numerator: Numerator,
    pub base: Base,
    /// Values of a mean or a sum are moved into this range.
    #[serde(default)]
    pub range: Option<(i64, i64)>,
    /// How many digits of the values stand after the point: 7.4 hours are 74 with one.
    #[serde(default)]
    pub decimals: u8,
    /// HOUR, DAY, PERSON; for money its ISO 4217 code.
    #[serde(default)]
    pub unit: Option<String>,
    /// Set when what is asked does not change with time, so that all rounds are audited as one.
    #[serde(default)]
    pub is_lasting: bool,
    /// The breakdowns that are published beside the total, each by one or two dimensions.
    #[serde(default)]
    pub breakdowns: Vec<Vec<OutcomeDimension>>,
}

/// Codes of other classifications that an indicator answers to.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Mappings {
    /// DAC and CRS purpose codes, as IATI writes them: 13020.
    #[serde(default)]
    pub iati: Vec<String>,
    /// Indicators of the Sustainable Development Goals: 5.6.1.
    #[serde(default)]
    pub sdg: Vec<String>,
}

/// The section of an impact page.
#[derive(
    Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, EnumIter, DeriveActiveEnum,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ImpactSection {
    Headline,
    Skills,
    Wellbeing,
    Occupation,
    Support,
}

/// How far a release has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReleaseStatus {
    /// Frozen, and not prepared or not sent to review.
    Draft,
    InReview,
    Approved,
    Published,
    /// No longer shown. What it said stays known.
    Retracted,
}

/// What a reviewer decided.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReviewDecision {
    Approve,
    /// The release is not published; another is frozen in its place.
    Reject,
}
