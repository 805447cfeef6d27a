//! Values of women's records.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// How a stay at a facility ended.
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
pub enum StayEnding {
    /// She left prison.
    LeftPrison,
    /// To another facility.
    Transferred,
    Died,
    /// Some other way, which is not kept.
    Other,
    Unknown,
}

/// What somebody who depends on a woman is to her. No more is kept of third persons than this and an age band.
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
pub enum DependantRelation {
    Daughter,
    Son,
    Mother,
    Father,
    Sibling,
    Partner,
    Grandchild,
    Other,
}

/// A span of completed years.
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
pub enum AgeBand {
    /// 0 to 2.
    #[serde(rename = "UNDER_3")]
    #[sea_orm(string_value = "UNDER_3")]
    Under3,
    /// 3 to 5.
    #[serde(rename = "FROM_3_TO_5")]
    #[sea_orm(string_value = "FROM_3_TO_5")]
    From3To5,
    /// 6 to 11.
    #[serde(rename = "FROM_6_TO_11")]
    #[sea_orm(string_value = "FROM_6_TO_11")]
    From6To11,
    /// 12 to 17.
    #[serde(rename = "FROM_12_TO_17")]
    #[sea_orm(string_value = "FROM_12_TO_17")]
    From12To17,
    /// 18 to 59.
    #[serde(rename = "FROM_18_TO_59")]
    #[sea_orm(string_value = "FROM_18_TO_59")]
    From18To59,
    /// 60 and over.
    #[serde(rename = "FROM_60")]
    #[sea_orm(string_value = "FROM_60")]
    From60,
    Unknown,
}

/// Something about maternity; sensitive, under a right of its own.
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
pub enum MaternityState {
    Pregnant,
    Breastfeeding,
    /// A child lives with her in the facility.
    ChildLivingIn,
}

/// What a woman's data may be used for, each decided by itself.
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
pub enum ConsentPurpose {
    /// To take part, and to be recorded for it.
    Service,
    /// To be counted in what is published.
    Statistics,
    /// That her words are published.
    Testimony,
    /// To be sought after she has left prison.
    FollowUp,
}

/// What she has decided.
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
pub enum ConsentDecision {
    Given,
    Refused,
    Withdrawn,
}

/// How she said it.
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
pub enum ConsentMethod {
    Written,
    Oral,
    /// Aloud, before a witness.
    OralWitnessed,
    Digital,
}

/// What a blind index is of.
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
pub enum BlindIndexKind {
    Name,
    Document,
}

/// How far it has come to merge two records of one woman.
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
pub enum MergeStatus {
    Proposed,
    Merged,
    Refused,
    Undone,
}
