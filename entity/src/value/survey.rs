//! Values of surveys.

use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use super::Localized;

/// How a question is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum QuestionKind {
    /// One of the options.
    Single,
    /// Any of the options.
    Multiple,
    /// A whole number on a scale, whose ends are its least and its greatest.
    Scale,
    /// A whole number of a unit.
    Number,
    YesNo,
}

/// What an answer could bring upon the woman who gave it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RiskClass {
    /// That she takes part, which everybody inside knows.
    Membership,
    /// What she says of herself, and money.
    SelfReported,
    /// Conduct of staff, violence, health, sexuality, pregnancy, children, offences.
    Retaliation,
}

/// One that can be chosen.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct QuestionOption {
    pub code: String,
    pub text: Localized,
}

/// That a question is put only to women who chose any of some options of an earlier one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct AskedWhen {
    pub question: String,
    /// Codes of options; `YES` and `NO` of a question that is answered by them.
    pub any_of: Vec<String>,
}

/// A question of a version of an instrument.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Question {
    pub code: String,
    pub kind: QuestionKind,
    pub text: Localized,
    pub risk_class: RiskClass,
    /// Whether a response has to answer it, or to say why it does not.
    pub required: bool,
    #[serde(default)]
    pub options: Vec<QuestionOption>,
    #[serde(default)]
    pub min: Option<i32>,
    #[serde(default)]
    pub max: Option<i32>,
    #[serde(default)]
    pub unit: Option<String>,
    #[serde(default)]
    pub asked_when: Option<AskedWhen>,
}

/// All questions of a version, in their order.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Questions(pub Vec<Question>);

/// How a round is carried out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SurveyMode {
    /// Somebody asks each woman by herself.
    Interview,
    /// She writes by herself.
    SelfCompleted,
    /// In a group, each for herself, with somebody who reads the questions aloud.
    GroupSession,
}

/// Whether responses can be linked to women.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SurveyLinkage {
    /// Each response is of a woman who has a record, under its id.
    Pseudonymous,
    /// Nobody knows whose a response is.
    Anonymous,
}

/// What became of a woman whom a round wanted to ask.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResponseOutcome {
    /// She answered, all or some of the questions.
    Answered,
    /// She did not want to.
    Refused,
    /// She was not there: a hearing, a visit, hospital.
    Absent,
    /// She could not: illness, language, no place to speak.
    Unable,
    /// She had left before she could be asked.
    Left,
}

/// How a response came in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResponseChannel {
    OnLine,
    /// From a device that had no network.
    Device,
    /// From a paper form.
    Paper,
    /// From a file.
    Import,
}

/// Why a question that was put has no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MissingAnswer {
    Refused,
    DoesNotKnow,
}
