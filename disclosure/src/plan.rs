//! What a snapshot asks to publish, in the order in which it is considered.

use crate::history::Coordinates;
use crate::{Measure, Registry, Round, Snapshot, TableSpec, UnitSet, Variable};

/// Variables that are selected and audited together: one, or all of one fact.
pub(crate) struct Group<'a> {
    pub topics: Vec<Topic<'a>>,
    /// Coarse to fine, then as the registry has them.
    pub cells: Vec<Candidate<'a>>,
}

/// One variable as it was measured in this period.
pub(crate) struct Topic<'a> {
    pub variable: &'a Variable,
    pub round: &'a Round,
    pub measure: &'a Measure,
    pub base: UnitSet,
}

/// A cell that could be published.
pub(crate) struct Candidate<'a> {
    /// Its variable, as a place in `Group::topics`.
    pub topic: usize,
    pub table: &'a TableSpec,
    pub coordinates: Coordinates,
    pub members: UnitSet,
}

/// The groups of a snapshot, in the order of the registry.
pub(crate) fn groups<'a>(registry: &'a Registry, snapshot: &'a Snapshot) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for variable in &registry.variables {
        let Some((round, measure)) = measured(snapshot, variable) else { continue };
        let topic = Topic { variable, round, measure, base: snapshot.base(round, measure) };
        let same_fact = |group: &&mut Group<'_>| {
            group.topics.iter().any(|other| variable.fact.is_some() && other.variable.fact == variable.fact)
        };
        match groups.iter_mut().find(same_fact) {
            Some(group) => group.topics.push(topic),
            None => groups.push(Group { topics: vec![topic], cells: Vec::new() }),
        }
    }
    for group in &mut groups {
        group.cells = cells(registry, &group.topics);
    }
    groups
}

fn measured<'a>(snapshot: &'a Snapshot, variable: &Variable) -> Option<(&'a Round, &'a Measure)> {
    snapshot.rounds.iter().find_map(|round| {
        let measure = round.measures.iter().find(|measure| measure.variable == variable.code)?;
        Some((round, measure))
    })
}

fn cells<'a>(registry: &'a Registry, topics: &[Topic<'_>]) -> Vec<Candidate<'a>> {
    let mut cells = Vec::new();
    for table in &registry.tables {
        let Some(topic) = topics.iter().position(|topic| topic.variable.code == table.variable) else {
            continue;
        };
        for coordinates in combinations(registry, table) {
            let members =
                coordinates.iter().fold(topics[topic].base.clone(), |members, (dimension, category)| {
                    members.and(&topics[topic].round.members(dimension, category))
                });
            cells.push(Candidate { topic, table, coordinates, members });
        }
    }
    // Stable: within one depth the registry's order holds.
    cells.sort_by_key(|cell| cell.coordinates.len());
    cells
}

/// Every combination of categories, the last dimension changing fastest.
fn combinations(registry: &Registry, table: &TableSpec) -> Vec<Coordinates> {
    let mut all = vec![Coordinates::new()];
    for dimension in table.dimensions.iter().filter_map(|code| registry.dimension(code)) {
        all = all
            .into_iter()
            .flat_map(|coordinates| {
                dimension.categories.iter().map(move |category| {
                    let mut coordinates = coordinates.clone();
                    coordinates.insert(dimension.code.clone(), category.clone());
                    coordinates
                })
            })
            .collect();
    }
    all
}
