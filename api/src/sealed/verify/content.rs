//! Whether what a release says goes together: names, cells, figures, days.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::Hash,
};

use chrono::Days;
use entity::value::{OutcomeDimension, SurveyLinkage};

use super::{Fault, Flaw, values::Values};
use crate::sealed::{Cell, File, IndicatorEntry, Retraction, Span, TableEntry};

/// Whether a release keeps to the format and to its own rules. Who signed it, and what came before, is not looked at.
///
/// # Errors
/// The first thing that does not.
pub fn check(release: &File) -> Result<(), Fault> {
    if release.format != crate::sealed::FORMAT {
        return Err(Fault::Format(format!("format: {}", release.format)));
    }
    if !release.policy.is_sound() {
        return Err(Fault::Policy);
    }
    place_in_chain(release)?;
    Content::of(release)?.check()
}

/// What `previous` says fits the number.
fn place_in_chain(release: &File) -> Result<(), Fault> {
    let is_digest = |text: &String| {
        text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    match (release.number, &release.previous) {
        (0, _) => Err(Fault::Number { wanted: 1, found: 0 }),
        (1, None) => Ok(()),
        (2.., Some(digest)) if is_digest(digest) => Ok(()),
        _ => Err(Fault::PreviousDigest),
    }
}

/// A place, for people: `table employed, FACILITY north, AGE AGE_18_29`.
pub(super) fn place(table: &str, at: &BTreeMap<OutcomeDimension, String>) -> String {
    let coordinates = at.iter().map(|(dimension, code)| format!(", {} {code}", name(*dimension)));
    format!("{table}{}", coordinates.collect::<String>())
}

fn name(dimension: OutcomeDimension) -> &'static str {
    match dimension {
        OutcomeDimension::Facility => "FACILITY",
        OutcomeDimension::Region => "REGION",
        OutcomeDimension::Program => "PROGRAM",
        OutcomeDimension::Age => "AGE",
    }
}

impl Retraction {
    /// Whether it is of this cell of this release.
    pub(super) fn is_of(&self, release: u32, cell: (&str, &BTreeMap<OutcomeDimension, String>)) -> bool {
        self.release == release && (self.indicator.as_str(), &self.at) == cell
    }
}

/// A release by its names.
struct Content<'a> {
    release: &'a File,
    indicators: HashMap<&'a str, &'a IndicatorEntry>,
    /// The rounds in which women said who they are: these alone are broken down.
    anonymous: HashMap<&'a str, bool>,
    dimensions: BTreeMap<OutcomeDimension, Vec<&'a str>>,
    values: Values,
}

impl<'a> Content<'a> {
    fn of(release: &'a File) -> Result<Self, Fault> {
        let categories = |codes: &'a crate::sealed::DimensionCodes| {
            let codes_in_order: Vec<&str> =
                codes.categories.iter().map(|category| category.code.as_str()).collect();
            once(&codes_in_order, |code| format!("{} {code}", name(codes.dimension)))?;
            Ok((codes.dimension, codes_in_order))
        };
        let codes: Vec<&str> = release.indicators.iter().map(|indicator| indicator.code.as_str()).collect();
        once(&codes, |code| format!("indicator {code}"))?;
        let rounds: Vec<&str> = release.rounds.iter().map(|round| round.code.as_str()).collect();
        once(&rounds, |code| format!("round {code}"))?;
        let tables: Vec<&str> = release.tables.iter().map(|table| table.code.as_str()).collect();
        once(&tables, |code| format!("table {code}"))?;
        let dimensions: Vec<OutcomeDimension> =
            release.dimensions.iter().map(|codes| codes.dimension).collect();
        once(&dimensions, |dimension| name(*dimension).to_owned())?;
        // Two tables of the same women would be two answers to one question.
        let breakdowns: Vec<(&str, BTreeSet<OutcomeDimension>)> = release
            .tables
            .iter()
            .map(|table| (table.indicator.as_str(), table.dimensions.iter().copied().collect()))
            .collect();
        once(&breakdowns, |(indicator, dimensions)| {
            let dimensions = dimensions.iter().map(|dimension| format!(" {}", name(*dimension)));
            format!("tables of {indicator}{}", dimensions.collect::<String>())
        })?;
        Ok(Self {
            release,
            indicators: release.indicators.iter().map(|entry| (entry.code.as_str(), entry)).collect(),
            anonymous: release
                .rounds
                .iter()
                .map(|round| (round.code.as_str(), round.linkage == SurveyLinkage::Anonymous))
                .collect(),
            dimensions: release.dimensions.iter().map(categories).collect::<Result<_, Fault>>()?,
            values: Values::new(release.policy.parameters()),
        })
    }

    fn check(mut self) -> Result<(), Fault> {
        let release = self.release;
        self.is_over(release.period, "period")?;
        for round in &release.rounds {
            let place = format!("round {}", round.code);
            self.is_over(round.field_work, &place)?;
            if let Some(rate) = &round.response_rate {
                self.values.rate(rate).map_err(|flaw| flaw.at(place))?;
            }
        }
        for indicator in &release.indicators {
            if let Some(round) = indicator.round.as_deref().filter(|code| !self.anonymous.contains_key(code))
            {
                return Err(Flaw::NotThere.at(format!("round {round}")));
            }
        }
        if release.corrects.is_some_and(|corrected| !is_earlier(corrected, release.number)) {
            return Err(Flaw::NotEarlier.at("corrects"));
        }
        for retraction in &release.retractions {
            if !is_earlier(retraction.release, release.number) {
                return Err(Flaw::NotEarlier.at(place(&retraction.indicator, &retraction.at)));
            }
        }
        release.tables.iter().try_for_each(|table| self.table(table))
    }

    fn table(&mut self, table: &TableEntry) -> Result<(), Fault> {
        let Some(indicator) = self.indicators.get(table.indicator.as_str()).copied() else {
            return Err(Flaw::NotThere.at(format!("indicator {}", table.indicator)));
        };
        let anonymous =
            indicator.round.as_deref().is_some_and(|round| self.anonymous.get(round) == Some(&true));
        let most = if anonymous { 0 } else { self.release.policy.most_dimensions as usize };
        if table.dimensions.len() > most {
            return Err(Flaw::Breakdown.at(&table.code));
        }
        once(&table.dimensions, |dimension| format!("{}, {}", table.code, name(*dimension)))?;
        self.order(table)?;
        for cell in &table.cells {
            self.cell(table, indicator, cell)?;
        }
        Ok(())
    }

    /// Every combination of categories stands there once, the last dimension changing fastest.
    fn order(&self, table: &TableEntry) -> Result<(), Fault> {
        let mut axes = Vec::new();
        for dimension in &table.dimensions {
            match self.dimensions.get(dimension) {
                Some(codes) => axes.push((*dimension, codes)),
                None => return Err(Flaw::NotThere.at(format!("{}, {}", table.code, name(*dimension)))),
            }
        }
        let known = |at: &BTreeMap<OutcomeDimension, String>| {
            at.len() == axes.len()
                && axes.iter().all(|(dimension, codes)| {
                    at.get(dimension).is_some_and(|code| codes.contains(&code.as_str()))
                })
        };
        if let Some(cell) = table.cells.iter().find(|cell| !known(&cell.at)) {
            return Err(Flaw::UnknownCoordinate.at(place(&table.code, &cell.at)));
        }
        let mut seen = HashSet::new();
        if let Some(cell) = table.cells.iter().find(|cell| !seen.insert(&cell.at)) {
            return Err(Flaw::CellTwice.at(place(&table.code, &cell.at)));
        }
        // All are known and different, so if there are as many as there can be, they are all.
        let combinations = axes.iter().map(|(_, codes)| codes.len()).try_fold(1, usize::checked_mul);
        if combinations != Some(table.cells.len()) {
            return Err(Flaw::CellMissing.at(&table.code));
        }
        let position = |cell: &Cell| -> Vec<Option<usize>> {
            let place = |(dimension, codes): &(OutcomeDimension, &Vec<&str>)| {
                let code = cell.at.get(dimension)?;
                codes.iter().position(|known| known == code)
            };
            axes.iter().map(place).collect()
        };
        if table.cells.is_sorted_by_key(position) { Ok(()) } else { Err(Flaw::CellOrder.at(&table.code)) }
    }

    fn cell(&mut self, table: &TableEntry, indicator: &IndicatorEntry, cell: &Cell) -> Result<(), Fault> {
        let place = || place(&table.code, &cell.at);
        let (value, from, period) = match (&cell.value, cell.release, cell.period) {
            (Some(value), Some(from), Some(period)) => (value, from, period),
            (None, None, None) => return Ok(()),
            _ => return Err(Flaw::Cell.at(place())),
        };
        self.values.check(indicator.kind, value).map_err(|flaw| flaw.at(place()))?;
        let number = self.release.number;
        if from != number && !is_earlier(from, number) {
            return Err(Flaw::NotEarlier.at(place()));
        }
        let key = (table.indicator.as_str(), &cell.at);
        if self.release.retractions.iter().any(|retraction| retraction.is_of(from, key)) {
            return Err(Flaw::Retracted.at(place()));
        }
        self.is_over(period, &place())
    }

    /// A span of days, and the delay after it, lie before the day of publication, as it is in UTC.
    fn is_over(&self, span: Span, place: &str) -> Result<(), Fault> {
        if span.end < span.start {
            return Err(Flaw::Span.at(place));
        }
        let earliest = span.end.checked_add_days(Days::new(self.release.policy.delay_days.into()));
        let published = self.release.published_at.date_naive();
        if earliest.is_some_and(|earliest| earliest <= published) {
            Ok(())
        } else {
            Err(Flaw::Early.at(place))
        }
    }
}

fn is_earlier(release: u32, number: u32) -> bool {
    (1..number).contains(&release)
}

/// Refuses what stands twice.
fn once<T: Eq + Hash>(all: &[T], place: impl Fn(&T) -> String) -> Result<(), Fault> {
    let mut seen = HashSet::new();
    match all.iter().find(|one| !seen.insert(*one)) {
        Some(twice) => Err(Flaw::Twice.at(place(twice))),
        None => Ok(()),
    }
}
