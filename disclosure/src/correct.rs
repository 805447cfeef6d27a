use std::collections::BTreeMap;

use crate::engine::{Engine, check};
use crate::history::{CellRef, Coordinates, Measurement};
use crate::plan::{Candidate, groups};
use crate::select::Decision;
use crate::{History, Parameters, Prepared, Refusal, Registry, Snapshot, UnitSet, Values, VariableCode};

/// What becomes of one cell of the release that was wrong.
enum Fate {
    /// No error touches it.
    Stands,
    /// The error touches too few women: a second figure beside the first would be about them.
    Retracted,
    /// Computed again, if memberships and the audit allow it beside the first figure, which stays known.
    Again,
}

/// Makes the release that corrects an earlier one, of the same period and with the whole snapshot as it should have
/// been. Cells that the error touches are retracted; only those with errors in at least ten women are computed
/// again. Nothing appears that the wrong release did not show.
pub fn prepare_correction(
    history: &History,
    wrong: u32,
    snapshot: &Snapshot,
    registry: &Registry,
    parameters: &Parameters,
) -> Result<Prepared, Refusal> {
    check(history, snapshot, registry, parameters)?;
    let record = history.record(wrong).filter(|record| record.period == snapshot.period);
    let record = record.ok_or(Refusal::NothingToCorrect)?;

    // That a woman has withdrawn since is no error of the cells that she was in.
    let gone = &snapshot.withdrawn;
    let mut fates: BTreeMap<(VariableCode, Coordinates), Fate> = BTreeMap::new();
    let mut retractions = Vec::new();
    for group in groups(registry, snapshot) {
        for cell in &group.cells {
            let topic = &group.topics[cell.topic];
            let measurement = record.measurements.iter().find(|m| m.variable == topic.variable.code);
            let Some(measurement) = measurement else { continue };
            let published = measurement.cells.iter().find(|c| c.coordinates == cell.coordinates);
            let Some(published) = published else { continue };
            let place = CellRef {
                release: wrong,
                variable: topic.variable.code.clone(),
                coordinates: cell.coordinates.clone(),
            };
            let retracted = history.records.iter().any(|later| later.retractions.contains(&place));
            let values = topic.measure.values.within(&cell.members, topic.variable);
            let fate = match touched(measurement, &published.members.minus(gone), &cell.members, &values) {
                // What was retracted before comes back in the next period at the earliest.
                _ if retracted => Fate::Retracted,
                0 => Fate::Stands,
                few if few < parameters.least_difference as usize => Fate::Retracted,
                _ => Fate::Again,
            };
            if !matches!(fate, Fate::Stands) && !retracted {
                retractions.push(place);
            }
            fates.insert((topic.variable.code.clone(), cell.coordinates.clone()), fate);
        }
    }

    // The retractions are known to the selection, so that nothing wrong is carried forward.
    let mut known = history.clone();
    if let Some(last) = known.records.last_mut() {
        last.retractions.extend(retractions.iter().cloned());
    }
    let settled = |cell: &Candidate<'_>| {
        let variable = cell.table.variable.clone();
        match fates.get(&(variable.clone(), cell.coordinates.clone())) {
            Some(Fate::Again) => None,
            Some(Fate::Stands) => {
                let coordinates = cell.coordinates.clone();
                Some(Decision::Carried(CellRef { release: wrong, variable, coordinates }))
            }
            Some(Fate::Retracted) => Some(Decision::Hidden),
            // What the wrong release showed from an earlier one, it still shows.
            None => Some(earlier(record.carried.iter(), cell)),
        }
    };
    Ok(Engine { history: &known, snapshot, registry, parameters, settled: &settled }.run(
        Some(wrong),
        retractions,
        &mut |_, _| (),
    ))
}

fn earlier<'a>(mut carried: impl Iterator<Item = &'a CellRef>, cell: &Candidate<'_>) -> Decision {
    let same =
        |place: &&CellRef| place.variable == cell.table.variable && place.coordinates == cell.coordinates;
    carried.find(same).map_or(Decision::Hidden, |place| Decision::Carried(place.clone()))
}

/// How many women the error touches: they should not have been there, or should have, or had another value.
fn touched(measurement: &Measurement, before: &UnitSet, now: &UnitSet, values: &Values) -> usize {
    let moved = before.minus(now).or(&now.minus(before));
    let both = before.and(now);
    let changed = both.iter().filter(|unit| measurement.values.of(*unit) != values.of(*unit)).count();
    moved.len() + changed
}
