//! What is the same for every organisation: first-level regions of Mexico and Chile by ISO 3166-2 and COD P-code, and the
//! techniques that workshops teach. The files are beside this module and part of the program.

use std::collections::BTreeMap;

use entity::{
    region, technique,
    value::{Localized, Translation, TranslationStatus},
};
use serde::Deserialize;

/// # Errors
/// When the file is not of its shape, which is a fault in the program.
pub fn regions() -> serde_json::Result<Vec<region::Model>> {
    let facts: Vec<RegionFact> = serde_json::from_str(include_str!("regions.json"))?;
    let row =
        |RegionFact { iso, country, pcode, name }| region::Model { iso, country, pcode: Some(pcode), name };
    Ok(facts.into_iter().map(row).collect())
}

/// # Errors
/// As [`regions`].
pub fn techniques() -> serde_json::Result<Vec<technique::Model>> {
    let facts: Vec<TechniqueFact> = serde_json::from_str(include_str!("techniques.json"))?;
    let row = |TechniqueFact { code, name }| technique::Model { code, name: name.into_localized() };
    Ok(facts.into_iter().map(row).collect())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionFact {
    iso: String,
    country: String,
    pcode: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TechniqueFact {
    code: String,
    name: Text,
}

/// A text in both languages, first written in Spanish.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    es: String,
    en: String,
}

impl Text {
    /// The English is marked as a machine translation: no person is known to have made or checked it.
    pub(crate) fn into_localized(self) -> Localized {
        let original = Translation { text: self.es, status: TranslationStatus::Original };
        let english = Translation { text: self.en, status: TranslationStatus::Machine };
        Localized {
            original: "es".to_owned(),
            texts: BTreeMap::from([("es".to_owned(), original), ("en".to_owned(), english)]),
        }
    }
}
