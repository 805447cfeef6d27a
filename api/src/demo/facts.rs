//! The shapes of the files in `facts/`, and reading them.

use std::fmt;

use chrono::NaiveDate;
use entity::value::{
    AgreementShare, ClaimStatus, FacilityKind, OrganizationKind, ProgramArea, ProgramStatus, Sensitivity,
    StatementKind,
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::reference::Text;

/// A file of facts that cannot be used. The files are part of the program, so this is a fault in them.
#[derive(Debug)]
pub enum FactsError {
    /// It is not JSON of the shape that is expected.
    Unreadable { file: &'static str, cause: serde_json::Error },
    /// It names an entry that no file has.
    Unknown { table: &'static str, key: String },
    /// A figure that is not a decimal number with at most three decimals.
    NotANumber { text: String },
}

impl FactsError {
    /// A file of what is the same for every organisation.
    pub(super) fn reference(cause: serde_json::Error) -> Self {
        Self::Unreadable { file: "reference", cause }
    }
}

impl fmt::Display for FactsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FactsError::Unreadable { file, cause } => {
                write!(f, "the facts in {file} cannot be read: {cause}")
            }
            FactsError::Unknown { table, key } => write!(f, "the facts name an unknown {table}: {key}"),
            FactsError::NotANumber { text } => write!(f, "the facts hold a figure that is no number: {text}"),
        }
    }
}

impl std::error::Error for FactsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            FactsError::Unreadable { cause, .. } => Some(cause),
            FactsError::Unknown { .. } | FactsError::NotANumber { .. } => None,
        }
    }
}

/// All files.
pub(super) struct Facts {
    pub organizations: Vec<OrganizationFact>,
    pub facilities: Vec<FacilityFact>,
    pub programs: Vec<ProgramFact>,
    pub goods: GoodsFacts,
    pub claims: Vec<ClaimFact>,
    pub support: SupportFacts,
}

impl Facts {
    pub(super) fn read() -> Result<Self, FactsError> {
        Ok(Facts {
            organizations: parse("organizations.json", include_str!("facts/organizations.json"))?,
            facilities: parse("facilities.json", include_str!("facts/facilities.json"))?,
            programs: parse("programs.json", include_str!("facts/programs.json"))?,
            goods: parse("goods.json", include_str!("facts/goods.json"))?,
            claims: parse("claims.json", include_str!("facts/claims.json"))?,
            support: parse("support.json", include_str!("facts/support.json"))?,
        })
    }
}

/// What synthetic deliveries are made of.
pub(super) fn synthetic() -> Result<SyntheticFacts, FactsError> {
    parse("synthetic.json", include_str!("facts/synthetic.json"))
}

pub(super) fn parse<T: DeserializeOwned>(file: &'static str, text: &str) -> Result<T, FactsError> {
    serde_json::from_str(text).map_err(|cause| FactsError::Unreadable { file, cause })
}

/// Some entries by name, or all that the organisation has.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Scope {
    All(Everything),
    Some(Vec<String>),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Everything {
    All,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrganizationFact {
    pub slug: String,
    pub name: String,
    pub country: String,
    pub kind: OrganizationKind,
    pub active_since: Option<NaiveDate>,
    pub statements: Vec<StatementFact>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatementFact {
    pub kind: StatementKind,
    pub title: Text,
    pub text: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FacilityFact {
    pub organization: String,
    pub slug: String,
    pub name: String,
    pub aliases: Vec<String>,
    pub region: String,
    pub municipality: Option<String>,
    pub kind: FacilityKind,
    pub present_from: NaiveDate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProgramFact {
    pub organization: String,
    pub slug: String,
    pub name: Text,
    pub description: Text,
    pub areas: Vec<ProgramArea>,
    pub techniques: Vec<String>,
    pub status: ProgramStatus,
    pub starts_on: NaiveDate,
    pub ends_on: Option<NaiveDate>,
    pub sites: Scope,
    pub published: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GoodsFacts {
    pub items: Vec<ItemFact>,
    pub kits: Vec<KitFact>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemFact {
    pub organization: String,
    pub code: String,
    pub name: Text,
    pub unit: String,
    pub sensitivity: Sensitivity,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KitFact {
    pub organization: String,
    pub code: String,
    pub name: Text,
    pub versions: Vec<KitVersionFact>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KitVersionFact {
    pub number: i32,
    pub valid_from: NaiveDate,
    pub lines: Vec<KitLineFact>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KitLineFact {
    pub item: String,
    pub quantity: i32,
}

/// A figure of La Cana's page; `row` is its name in our list of the page's facts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimFact {
    pub row: String,
    pub section: String,
    pub value: String,
    pub unit: String,
    pub status: ClaimStatus,
    pub text: Text,
    pub note: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SupportFacts {
    pub agreements: Vec<AgreementFact>,
    pub awards: Vec<AwardFact>,
    pub gifts: Vec<GiftFact>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgreementFact {
    pub organization: String,
    pub key: String,
    pub title: String,
    pub partners: Vec<String>,
    pub starts_on: NaiveDate,
    pub ends_on: Option<NaiveDate>,
    pub time_zone: String,
    pub facilities: Scope,
    pub programs: Scope,
    pub shares: Vec<AgreementShare>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AwardFact {
    pub organization: String,
    pub key: String,
    pub donor: String,
    pub title: Text,
    pub amount_minor: i64,
    pub currency: String,
    pub awarded_on: NaiveDate,
    pub starts_on: NaiveDate,
    pub ends_on: Option<NaiveDate>,
    pub programs: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GiftFact {
    pub organization: String,
    pub key: String,
    pub donor: String,
    pub received_on: NaiveDate,
    pub value_minor: Option<i64>,
    pub currency: Option<String>,
    pub programs: Vec<String>,
    pub lines: Vec<GiftLineFact>,
}

/// An item, or a kit of a version.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GiftLineFact {
    pub item: Option<String>,
    pub kit: Option<String>,
    pub version: Option<i32>,
    pub quantity: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SyntheticFacts {
    pub recipes: Vec<RecipeFact>,
}

/// How often a program delivers, and what.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecipeFact {
    pub organization: String,
    pub program: String,
    pub weight: u64,
    pub goods: Vec<RecipeGood>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecipeGood {
    pub item: Option<String>,
    pub kit: Option<String>,
    pub per_woman: i32,
    pub weight: u64,
}
