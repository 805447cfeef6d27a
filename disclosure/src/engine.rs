use std::collections::BTreeSet;

use crate::audit::{Constraint, Measured, System, Verdict, audit};
use crate::band::{Interval, count_band, mean_band, percent_band, sum_band, yes_band};
use crate::history::{CellRef, Measurement, PublishedCell, Record, ResponseRate};
use crate::plan::{Candidate, Group, Topic, groups};
use crate::release::{
    CellState, CloseCell, Outcome, Prepared, Release, Report, Table, TableCell, VariableReport,
};
use crate::select::{Decision, Selection};
use crate::{
    Figure, History, Kind, Known, Parameters, Refusal, Registry, Round, RoundKind, Snapshot, UnitSet,
    Variable,
};

/// How many of the cells nearest to an edge a report names.
const CLOSEST: usize = 20;

/// Makes a release of a frozen snapshot: the same input gives the same bytes.
///
/// Nothing is published by it. When people have approved the release, its record goes into the history.
pub fn prepare(
    history: &History,
    snapshot: &Snapshot,
    registry: &Registry,
    parameters: &Parameters,
) -> Result<Prepared, Refusal> {
    prepare_observed(history, snapshot, registry, parameters, &mut |_, _| ())
}

/// The same, for those who wait: `observe` is told after each group of variables how many are done, and of how many.
pub fn prepare_observed(
    history: &History,
    snapshot: &Snapshot,
    registry: &Registry,
    parameters: &Parameters,
    observe: &mut dyn FnMut(usize, usize),
) -> Result<Prepared, Refusal> {
    check(history, snapshot, registry, parameters)?;
    for round in &snapshot.rounds {
        // A register goes on; a survey is released once.
        let same_survey = |m: &Measurement| round.kind != RoundKind::Register && m.round == round.code;
        for measure in &round.measures {
            let again = history.records.iter().any(|record| {
                let mut earlier = record.measurements.iter().filter(|m| m.variable == measure.variable);
                earlier.any(|m| record.period == snapshot.period || same_survey(m))
            });
            if again {
                return Err(Refusal::AlreadyReleased(measure.variable.clone()));
            }
        }
    }
    Ok(Engine { history, snapshot, registry, parameters, settled: &|_| None }.run(None, Vec::new(), observe))
}

pub(crate) fn check(
    history: &History,
    snapshot: &Snapshot,
    registry: &Registry,
    parameters: &Parameters,
) -> Result<(), Refusal> {
    parameters.check()?;
    registry.check(parameters)?;
    snapshot.check(registry)?;
    for variable in &registry.variables {
        let changed = |m: &Measurement| {
            m.variable == variable.code && (m.kind != variable.kind || m.fact != variable.fact)
                || !m.kind.measures_like(&variable.kind)
        };
        if history.of(variable).any(|(_, measurement)| changed(measurement)) {
            return Err(Refusal::VariableChanged(variable.code.clone()));
        }
    }
    Ok(())
}

pub(crate) struct Engine<'a> {
    pub history: &'a History,
    pub snapshot: &'a Snapshot,
    pub registry: &'a Registry,
    pub parameters: &'a Parameters,
    pub settled: &'a dyn Fn(&Candidate<'_>) -> Option<Decision>,
}

/// A group as it will be published.
struct Decided {
    decisions: Vec<Decision>,
    measurements: Vec<Measurement>,
    outcome: Outcome,
    verdict: Verdict,
    closest: Vec<CloseCell>,
}

impl Engine<'_> {
    pub fn run(
        &self,
        corrects: Option<u32>,
        retractions: Vec<CellRef>,
        observe: &mut dyn FnMut(usize, usize),
    ) -> Prepared {
        let number = self.history.next_number();
        let period = self.snapshot.period;
        let response_rates: Vec<_> =
            self.snapshot.rounds.iter().filter_map(|round| self.response_rate(round)).collect();
        let mut record = Record {
            number,
            period,
            corrects,
            measurements: Vec::new(),
            response_rates: response_rates.clone(),
            carried: Vec::new(),
            retractions: retractions.clone(),
        };
        let mut tables = Vec::new();
        let mut report = Report::default();
        let groups = groups(self.registry, self.snapshot);
        let of = groups.len();
        for (done, group) in groups.into_iter().enumerate() {
            let decided = self.decide(&group);
            report.variables.extend(variable_reports(&group, &decided));
            let carried = decided.decisions.iter().filter_map(|decision| match decision {
                Decision::Carried(place) => Some(place.clone()),
                Decision::Fresh | Decision::Hidden => None,
            });
            record.carried.extend(carried);
            tables.extend(self.tables(number, &group, &decided));
            record.measurements.extend(decided.measurements);
            report.closest.extend(decided.closest);
            observe(done + 1, of);
        }
        report
            .closest
            .sort_by_key(|cell| std::cmp::Reverse((cell.at_the_edge * 1000 / cell.women.max(1), cell.women)));
        report.closest.truncate(CLOSEST);
        let order = |table: &Table| self.registry.tables.iter().position(|spec| spec.code == table.code);
        tables.sort_by_key(order);
        let public = Release { number, period, corrects, tables, response_rates, retractions };
        Prepared { public, report, record }
    }

    /// Selects, computes and audits; while the audit fails, the question loses one dimension after the other.
    fn decide(&self, group: &Group<'_>) -> Decided {
        let used: BTreeSet<_> = group.cells.iter().flat_map(|cell| cell.coordinates.keys()).collect();
        let mut droppable = self.registry.drop_order.iter().filter(|code| used.contains(code));
        let mut dropped = BTreeSet::new();
        let mut order = Vec::new();
        loop {
            let decisions = self.selection().decide(group, &dropped);
            let measurements = self.measurements(group, &decisions);
            let (verdict, closest) = self.audit(group, &measurements);
            if verdict.safe {
                let outcome = if order.is_empty() { Outcome::Whole } else { Outcome::Without(order) };
                return Decided { decisions, measurements, outcome, verdict, closest };
            }
            let Some(next) = droppable.next() else {
                return Decided {
                    // What a correction leaves as it was, is no question of this audit.
                    decisions: group
                        .cells
                        .iter()
                        .map(|c| (self.settled)(c).unwrap_or(Decision::Hidden))
                        .collect(),
                    measurements: Vec::new(),
                    outcome: Outcome::Dropped,
                    verdict: Verdict::default(),
                    closest: Vec::new(),
                };
            };
            dropped.insert(next.clone());
            order.push(next.clone());
        }
    }

    fn selection(&self) -> Selection<'_> {
        Selection {
            registry: self.registry,
            parameters: self.parameters,
            history: self.history,
            withdrawn: &self.snapshot.withdrawn,
            settled: self.settled,
        }
    }

    fn measurements(&self, group: &Group<'_>, decisions: &[Decision]) -> Vec<Measurement> {
        let of_topic = |(at, topic): (usize, &Topic<'_>)| {
            let fresh = group.cells.iter().zip(decisions);
            let fresh = fresh.filter(|(cell, decision)| cell.topic == at && **decision == Decision::Fresh);
            let cells: Vec<&Candidate<'_>> = fresh.map(|(cell, _)| cell).collect();
            let women = cells.iter().fold(UnitSet::new(), |women, cell| women.or(&cell.members));
            let values = topic.measure.values.within(&women, topic.variable);
            let cells: Vec<_> = cells
                .into_iter()
                .filter_map(|cell| {
                    let (figure, sum) =
                        self.figure(&topic.variable.kind, &cell.members, values.sum(&cell.members))?;
                    Some(PublishedCell {
                        coordinates: cell.coordinates.clone(),
                        members: cell.members.clone(),
                        figure,
                        sum,
                    })
                })
                .collect();
            let (code, kind, fact) =
                (topic.variable.code.clone(), topic.variable.kind, topic.variable.fact.clone());
            let (round, linked) = (topic.round.code.clone(), topic.round.is_linked());
            (!cells.is_empty()).then_some(Measurement {
                variable: code,
                round,
                kind,
                fact,
                linked,
                values,
                cells,
            })
        };
        group.topics.iter().enumerate().filter_map(of_topic).collect()
    }

    /// What is published for a sum over so many women, and what a reader who knows the women learns of the sum.
    fn figure(&self, kind: &Kind, members: &UnitSet, sum: i64) -> Option<(Figure, Interval)> {
        let women = members.len() as u32;
        let base = count_band(women, self.parameters);
        match *kind {
            Kind::Count { .. } => Some((Figure::Count { women: base }, base)),
            Kind::Answer { .. } => {
                let yes = yes_band(women, sum as u32, self.parameters)?;
                Some((Figure::Share { base, percent: percent_band(women, yes) }, yes))
            }
            Kind::Mean { lower, upper, .. } => {
                let band = mean_band(lower, upper, women, sum, self.parameters)?;
                Some((Figure::Mean { base, mean: band.mean }, band.sum))
            }
            Kind::Sum { upper, .. } => {
                let sum = sum_band(upper, women, sum, self.parameters)?;
                Some((Figure::Sum { base, sum }, sum))
            }
        }
    }

    /// Audits the new figures together with every earlier one about the same values.
    fn audit(&self, group: &Group<'_>, new: &[Measurement]) -> (Verdict, Vec<CloseCell>) {
        let safe = Verdict { safe: true, ..Verdict::default() };
        let Some(first) = new.first().filter(|measurement| measurement.kind.is_audited()) else {
            return (safe, Vec::new());
        };
        let variable = group.topics.iter().map(|topic| topic.variable).find(|v| v.code == first.variable);
        let earlier =
            variable.into_iter().flat_map(|variable| self.history.of(variable)).filter(|(record, m)| {
                // Of what changes with time, another period is another value.
                m.linked && first.linked && (m.fact.is_some() || record.period == self.snapshot.period)
            });
        let mut measures = Vec::new();
        let mut constraints = Vec::new();
        // The new cells come first, so that their constraints are found again by their order.
        for measurement in new.iter().chain(earlier.map(|(_, measurement)| measurement)) {
            let measure = measures.len();
            let range = measurement.kind.range();
            measures.push(Measured { values: measurement.values.clone(), range });
            constraints.extend(measurement.cells.iter().map(|cell| Constraint {
                measure,
                members: cell.members.clone(),
                sum: cell.sum,
            }));
        }
        let everybody_unknown = || vec![UnitSet::new()];
        let known = variable.filter(|_| first.linked).map_or_else(everybody_unknown, |v| self.known(v));
        let mut verdict = safe;
        for fixed in known {
            // A figure that is not true of its own values would be a fault of ours: then nothing is published.
            let Ok(system) = System::new(measures.clone(), constraints.clone(), fixed) else {
                return (Verdict::default(), Vec::new());
            };
            verdict = verdict.and(audit(&system, self.parameters));
        }
        let cells = new.iter().flat_map(|m| m.cells.iter().map(move |cell| (&m.variable, cell)));
        let closest = cells
            .zip(&verdict.at_the_edge)
            .filter(|(_, at_the_edge)| **at_the_edge > 0)
            .map(|((variable, cell), at_the_edge)| CloseCell {
                variable: variable.clone(),
                coordinates: cell.coordinates.clone(),
                women: cell.members.len(),
                at_the_edge: *at_the_edge,
            })
            .collect();
        (verdict, closest)
    }

    /// Whose values the audit takes as known, under any variable of the same fact, one set at a time: first what is known
    /// to all outside together, then for each partner what is known to the others, so that its women are safe from these.
    fn known(&self, variable: &Variable) -> Vec<UnitSet> {
        let same = |v: &&Variable| v.code == variable.code || v.fact.is_some() && v.fact == variable.fact;
        let known: Vec<&Known> = self
            .registry
            .variables
            .iter()
            .filter(same)
            .filter_map(|v| self.snapshot.known.get(&v.code))
            .collect();
        let published = known.iter().fold(UnitSet::new(), |all, known| all.or(&known.published));
        let partners: Vec<&UnitSet> = known.iter().flat_map(|known| &known.partners).collect();
        let all = partners.iter().fold(published.clone(), |all, partner| all.or(partner));
        let others = partners.iter().map(|partner| all.minus(partner).or(&published));
        std::iter::once(all.clone()).chain(others).collect()
    }

    fn tables(&self, number: u32, group: &Group<'_>, decided: &Decided) -> Vec<Table> {
        let mut tables: Vec<Table> = Vec::new();
        for (cell, decision) in group.cells.iter().zip(&decided.decisions) {
            let variable = &group.topics[cell.topic].variable.code;
            let state = match decision {
                Decision::Fresh => {
                    let measurement = decided.measurements.iter().find(|m| m.variable == *variable);
                    let cells = measurement.into_iter().flat_map(|m| &m.cells);
                    published(cells, cell, number, self.snapshot.period)
                }
                Decision::Carried(place) => self.history.record(place.release).and_then(|record| {
                    let measurement = record.measurements.iter().find(|m| m.variable == *variable);
                    let cells = measurement.into_iter().flat_map(|m| &m.cells);
                    published(cells, cell, place.release, record.period)
                }),
                Decision::Hidden => None,
            };
            let state = state.unwrap_or(CellState::NotReleased);
            let shown = TableCell { coordinates: cell.coordinates.clone(), state };
            match tables.iter_mut().find(|table| table.code == cell.table.code) {
                Some(table) => table.cells.push(shown),
                None => tables.push(Table {
                    code: cell.table.code.clone(),
                    variable: variable.clone(),
                    cells: vec![shown],
                }),
            }
        }
        tables
    }

    /// One band for each survey, whichever release it is asked for in.
    fn response_rate(&self, round: &Round) -> Option<ResponseRate> {
        if round.kind == RoundKind::Register {
            return None;
        }
        if let Some(rate) = self.history.response_rate(&round.code) {
            return Some(rate.clone());
        }
        let withdrawn = if round.is_linked() { self.snapshot.withdrawn.clone() } else { UnitSet::new() };
        let eligible = round.eligible.minus(&withdrawn);
        let (asked, answered) = (eligible.len() as u32, eligible.shared(&round.respondents) as u32);
        let figure = yes_band(asked, answered, self.parameters).map(|yes| Figure::Share {
            base: count_band(asked, self.parameters),
            percent: percent_band(asked, yes),
        });
        Some(ResponseRate { round: round.code.clone(), figure })
    }
}

fn published<'a>(
    mut cells: impl Iterator<Item = &'a PublishedCell>,
    wanted: &Candidate<'_>,
    release: u32,
    period: crate::Period,
) -> Option<CellState> {
    let cell = cells.find(|cell| cell.coordinates == wanted.coordinates)?;
    Some(CellState::Published { figure: cell.figure, release, period })
}

fn variable_reports(group: &Group<'_>, decided: &Decided) -> Vec<VariableReport> {
    let of_topic = |(at, topic): (usize, &Topic<'_>)| {
        let count = |wanted: fn(&Decision) -> bool| {
            let cells = group.cells.iter().zip(&decided.decisions).filter(|(cell, _)| cell.topic == at);
            cells.filter(|(_, decision)| wanted(decision)).count()
        };
        VariableReport {
            variable: topic.variable.code.clone(),
            outcome: decided.outcome.clone(),
            fresh: count(|decision| *decision == Decision::Fresh),
            carried: count(|decision| matches!(decision, Decision::Carried(_))),
            hidden: count(|decision| *decision == Decision::Hidden),
            audited: decided.verdict.targets,
            safe_alone: decided.verdict.alone,
            largest_witness: decided.verdict.largest_witness,
        }
    };
    group.topics.iter().enumerate().map(of_topic).collect()
}
