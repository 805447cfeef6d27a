use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::band::{Figure, Interval};
use crate::{
    CategoryCode, DimensionCode, FactCode, Kind, Parameters, Period, RoundCode, UnitSet, Values, Variable,
    VariableCode,
};

/// Everything that was ever published, with what it was made of. Readers have the figures; memberships and values are
/// for this crate only and belong where women's records are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// In the order of publication.
    pub records: Vec<Record>,
}

/// One release, as it must be remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// 1 for the first.
    pub number: u32,
    pub period: Period,
    /// The release whose errors this one corrects.
    pub corrects: Option<u32>,
    pub measurements: Vec<Measurement>,
    pub response_rates: Vec<ResponseRate>,
    /// Cells of earlier releases that this one shows again.
    pub carried: Vec<CellRef>,
    /// Cells of earlier releases that are no longer shown. What they said stays known.
    pub retractions: Vec<CellRef>,
}

/// One variable in one release: what was published of it for the first time, and the values behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurement {
    pub variable: VariableCode,
    pub round: RoundCode,
    pub kind: Kind,
    pub fact: Option<FactCode>,
    /// False for an anonymous round: its units are not those of other rounds.
    pub linked: bool,
    /// Of the women in the cells.
    pub values: Values,
    pub cells: Vec<PublishedCell>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedCell {
    pub coordinates: Coordinates,
    pub members: UnitSet,
    pub figure: Figure,
    /// What a reader who knows the members learns of the sum of their values.
    pub sum: Interval,
}

/// A category of each dimension of the table; empty for the total.
pub type Coordinates = BTreeMap<DimensionCode, CategoryCode>;

/// A cell in the release where it was computed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CellRef {
    pub release: u32,
    pub variable: VariableCode,
    pub coordinates: Coordinates,
}

/// How many of those who were asked took part: one band for a round, whatever else is published of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseRate {
    pub round: RoundCode,
    /// None when too few were eligible for a share.
    pub figure: Option<Figure>,
}

impl History {
    pub fn publish(&mut self, record: Record) {
        self.records.push(record);
    }

    pub(crate) fn next_number(&self) -> u32 {
        self.records.iter().map(|record| record.number).max().unwrap_or_default() + 1
    }

    pub(crate) fn record(&self, number: u32) -> Option<&Record> {
        self.records.iter().find(|record| record.number == number)
    }

    /// What was published of this variable, and of variables of the same fact, with the releases it was in.
    pub(crate) fn of<'a>(
        &'a self,
        variable: &'a Variable,
    ) -> impl Iterator<Item = (&'a Record, &'a Measurement)> {
        self.records.iter().flat_map(move |record| {
            let same = move |m: &&Measurement| {
                m.variable == variable.code || m.fact.is_some() && m.fact == variable.fact
            };
            record.measurements.iter().filter(same).map(move |measurement| (record, measurement))
        })
    }

    /// The newest published version of a cell.
    pub(crate) fn newest(&self, variable: &VariableCode, coordinates: &Coordinates) -> Option<Version<'_>> {
        self.records.iter().rev().find_map(|record| {
            let measurement = record.measurements.iter().find(|m| m.variable == *variable)?;
            let cell = measurement.cells.iter().find(|cell| cell.coordinates == *coordinates)?;
            let place = CellRef {
                release: record.number,
                variable: variable.clone(),
                coordinates: coordinates.clone(),
            };
            let retracted = self.records.iter().any(|later| later.retractions.contains(&place));
            Some(Version { place, cell, linked: measurement.linked, retracted })
        })
    }

    pub(crate) fn response_rate(&self, round: &RoundCode) -> Option<&ResponseRate> {
        self.records.iter().flat_map(|record| &record.response_rates).find(|rate| rate.round == *round)
    }
}

/// A cell as it stands in the history.
pub(crate) struct Version<'a> {
    pub place: CellRef,
    pub cell: &'a PublishedCell,
    pub linked: bool,
    pub retracted: bool,
}

impl PublishedCell {
    /// True for a count that only says "below T". Such a cell is no base for differences: it gives no number.
    pub(crate) fn is_below(&self, kind: &Kind, parameters: &Parameters) -> bool {
        matches!(kind, Kind::Count { .. }) && self.members.len() < parameters.threshold as usize
    }
}
