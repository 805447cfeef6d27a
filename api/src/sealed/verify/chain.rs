//! A release and those before it.

use std::collections::{BTreeMap, HashMap};

use entity::value::OutcomeDimension;

use super::{Fault, Flaw, content};
use crate::sealed::{Cell, File};

/// Whether a release comes right after another one.
pub(super) fn follows(release: &File, previous: &File, digest: &str) -> Result<(), Fault> {
    if release.organization.id != previous.organization.id {
        return Err(Fault::Publisher);
    }
    let wanted = previous.number.saturating_add(1);
    if release.number != wanted {
        return Err(Fault::Number { wanted, found: release.number });
    }
    if release.previous.as_deref() != Some(digest) {
        return Err(Fault::PreviousDigest);
    }
    if release.published_at < previous.published_at {
        return Err(Fault::BeforePrevious);
    }
    Ok(())
}

type At = BTreeMap<OutcomeDimension, String>;

/// Whether the cells that a release carries forward are those of an earlier one, which has not retracted them.
pub(super) fn agrees(release: &File, earlier: &File) -> Result<(), Fault> {
    let shown: HashMap<(&str, &At), &Cell> = cells(earlier).map(|(_, key, cell)| (key, cell)).collect();
    for (table, key, cell) in cells(release) {
        let Some(from) = cell.release.filter(|from| *from <= earlier.number) else { continue };
        if earlier.retractions.iter().any(|retraction| retraction.is_of(from, key)) {
            return Err(Flaw::Retracted.at(content::place(table, &cell.at)));
        }
        // Between the two it may not have been shown.
        let same = match shown.get(&key).filter(|before| before.release == Some(from)) {
            Some(before) => before.value == cell.value && before.period == cell.period,
            None => from != earlier.number,
        };
        if !same {
            return Err(Flaw::CarriedOtherwise.at(content::place(table, &cell.at)));
        }
    }
    Ok(())
}

/// The cells of a release with their tables, and what they are of: there is one of each.
fn cells(release: &File) -> impl Iterator<Item = (&str, (&str, &At), &Cell)> {
    release.tables.iter().flat_map(|table| {
        table.cells.iter().map(|cell| (table.code.as_str(), (table.indicator.as_str(), &cell.at), cell))
    })
}
