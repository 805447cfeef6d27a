//! What a sealed release says, as JSON. Numbers are whole: what has digits after the point is told with how many.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use entity::value::{
    Base, ImpactSection, IndicatorKind, Localized, OutcomeDimension, SurveyLinkage, SurveyMode,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The name of this format.
pub const FORMAT: &str = "umbral-release-1";

/// The file: a release, and who stands for it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sealed {
    /// The SHA-256 of the canonical bytes of `release`, in hexadecimal digits.
    pub digest: String,
    /// The id of the key that signed it.
    pub key: String,
    pub release: File,
    /// The Ed25519 signature, in base64url.
    pub signature: String,
}

/// What is published.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct File {
    pub format: String,
    pub id: Uuid,
    pub organization: Publisher,
    /// 1 for the organisation's first.
    pub number: u32,
    pub title: Localized,
    pub period: Span,
    pub published_at: DateTime<Utc>,
    /// The digest of the release before it; null for the first.
    pub previous: Option<String>,
    /// The number of the release whose errors it corrects.
    pub corrects: Option<u32>,
    pub policy: Policy,
    pub indicators: Vec<IndicatorEntry>,
    pub dimensions: Vec<DimensionCodes>,
    pub rounds: Vec<RoundEntry>,
    pub tables: Vec<TableEntry>,
    /// Cells of earlier releases that are no longer shown.
    pub retractions: Vec<Retraction>,
    /// What every reader should know.
    pub notes: Vec<Note>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Publisher {
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    pub country: String,
}

/// Days, the first and the last included.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Span {
    pub start: NaiveDate,
    pub end: NaiveDate,
}

/// The rules by which figures were selected and made (METHOD.md, section 3).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    pub threshold: u32,
    pub count_width: u32,
    pub answer_width: u32,
    pub most_bands: u32,
    pub mean_threshold: u32,
    pub retaliation_threshold: u32,
    pub sites: u32,
    pub site_threshold: u32,
    pub least_difference: u32,
    pub coalition: u32,
    pub most_dimensions: u32,
    pub delay_days: u32,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IndicatorEntry {
    pub id: Uuid,
    pub code: String,
    pub kind: IndicatorKind,
    pub title: Localized,
    /// What women were asked; null where nobody was asked, and where nothing of a dangerous question is shown.
    pub question: Option<Localized>,
    /// Which women it is of, in words.
    pub base: Option<Localized>,
    pub base_rule: Base,
    pub section: Option<ImpactSection>,
    pub position: i32,
    pub unit: Option<String>,
    pub decimals: u8,
    /// The round that it was asked in.
    pub round: Option<String>,
    pub iati: Vec<String>,
    pub sdg: Vec<String>,
}

/// The categories of a dimension, in their order.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DimensionCodes {
    pub dimension: OutcomeDimension,
    pub categories: Vec<Category>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Category {
    /// The slug of a facility or a program, the ISO 3166-2 code of a region, an age.
    pub code: String,
    pub name: Localized,
}

/// A survey that the release tells of.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoundEntry {
    pub code: String,
    pub title: Localized,
    pub field_work: Span,
    pub mode: SurveyMode,
    pub linkage: SurveyLinkage,
    /// Slugs.
    pub facilities: Vec<String>,
    /// How many of those who could be asked took part; null where they are too few.
    pub response_rate: Option<Rate>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rate {
    pub base: CountBand,
    pub low_percent: i64,
    pub high_percent: i64,
}

/// A registered table: every combination of the categories of its dimensions, whether it is shown or not.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TableEntry {
    pub code: String,
    /// The code of an indicator.
    pub indicator: String,
    pub dimensions: Vec<OutcomeDimension>,
    pub cells: Vec<Cell>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cell {
    /// A category of each dimension of the table.
    pub at: BTreeMap<OutcomeDimension, String>,
    /// Null when it is not released, for whatever reason.
    pub value: Option<CellValue>,
    /// The number of the release that it was computed in: an earlier one when it was carried forward.
    pub release: Option<u32>,
    /// The period that it is of.
    pub period: Option<Span>,
}

/// How many women: from and to. `low` is 0 exactly when there are fewer than the threshold.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CountBand {
    pub low: i64,
    pub high: i64,
}

/// An interval, never a point.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase",
    tag = "kind",
    deny_unknown_fields
)]
pub enum CellValue {
    Count {
        low: i64,
        high: i64,
    },
    /// In whole points of a hundred, rounded outward.
    Share {
        base: CountBand,
        low_percent: i64,
        high_percent: i64,
    },
    /// In the indicator's unit, with its decimals.
    Mean {
        base: CountBand,
        low: i64,
        high: i64,
    },
    Sum {
        base: CountBand,
        low: i64,
        high: i64,
    },
}

/// A cell of an earlier release that is no longer shown.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retraction {
    pub release: u32,
    pub indicator: String,
    pub at: BTreeMap<OutcomeDimension, String>,
}

/// A sentence for readers.
pub type Note = Localized;
