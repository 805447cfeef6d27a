//! Which cells are shown. Memberships decide it: no function here is given an answer or an amount.

use std::collections::BTreeSet;

use crate::history::{CellRef, Version};
use crate::plan::{Candidate, Group, Topic};
use crate::{DimensionCode, History, Kind, Parameters, Registry, RiskClass, Role, Round, UnitSet};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Computed from this snapshot.
    Fresh,
    /// Shown as it was in an earlier release, with its date.
    Carried(CellRef),
    /// Not released; nobody outside is told why.
    Hidden,
}

/// What selection looks at.
pub(crate) struct Selection<'a> {
    pub registry: &'a Registry,
    pub parameters: &'a Parameters,
    pub history: &'a History,
    pub withdrawn: &'a UnitSet,
    /// What a correction has already decided of a cell.
    pub settled: &'a dyn Fn(&Candidate<'_>) -> Option<Decision>,
}

impl Selection<'_> {
    /// One decision for each cell of the group, in its order.
    pub(crate) fn decide(&self, group: &Group<'_>, dropped: &BTreeSet<DimensionCode>) -> Vec<Decision> {
        let mut fresh = Vec::new();
        let mut decisions = Vec::with_capacity(group.cells.len());
        for cell in &group.cells {
            let left_out = || cell.coordinates.keys().any(|dimension| dropped.contains(dimension));
            let decision = match (self.settled)(cell) {
                Some(settled) => settled,
                None if left_out() => Decision::Hidden,
                None => self.decide_cell(group, &fresh, cell),
            };
            if decision == Decision::Fresh && !self.is_below(&group.topics[cell.topic], cell) {
                fresh.push((cell.topic, &cell.members));
            }
            decisions.push(decision);
        }
        decisions
    }

    fn decide_cell(&self, group: &Group<'_>, fresh: &[(usize, &UnitSet)], cell: &Candidate<'_>) -> Decision {
        let topic = &group.topics[cell.topic];
        if !self.is_allowed(topic, cell) {
            return Decision::Hidden;
        }
        let own = self.history.newest(&topic.variable.code, &cell.coordinates);
        if let Some(own) = own.filter(|own| own.linked && topic.round.is_linked()) {
            let apart = own.cell.members.apart(&cell.members);
            // The same fact of the same women says nothing new.
            let repeats = apart == 0 && topic.variable.fact.is_some() && !own.retracted;
            if repeats || self.is_too_close(apart) {
                return self.carry(own);
            }
        }
        if self.is_below(topic, cell) {
            return Decision::Fresh;
        }
        if cell.members.len() < topic.variable.kind.threshold(self.parameters) as usize
            || cell.members.is_empty()
            || !self.gives_figure(&topic.variable.kind, cell.members.len())
        {
            return Decision::Hidden;
        }
        let sensitive = self.registry.covers_sites(topic.variable, &cell.coordinates);
        let published = self.history.of(topic.variable).flat_map(|(_, measurement)| {
            let bases = measurement.cells.iter().filter(|c| !c.is_below(&measurement.kind, self.parameters));
            bases.map(|c| (&c.members, measurement.linked))
        });
        let now = fresh.iter().map(|(other, members)| (*members, group.topics[*other].round.is_linked()));
        for (members, linked) in published.chain(now) {
            // Without links between rounds nobody can say how far two bases are apart.
            if !(linked && topic.round.is_linked()) || self.is_too_close(members.apart(&cell.members)) {
                return Decision::Hidden;
            }
            if sensitive && !self.difference_covers_sites(topic.round, members, &cell.members) {
                return Decision::Hidden;
            }
        }
        if sensitive && !self.covers_sites_with_complement(topic, &cell.members) {
            return Decision::Hidden;
        }
        Decision::Fresh
    }

    /// What the class of a variable and the kind of a round allow at all.
    fn is_allowed(&self, topic: &Topic<'_>, cell: &Candidate<'_>) -> bool {
        let retaliation = topic.variable.kind.class() == Some(RiskClass::Retaliation);
        let roles =
            || cell.coordinates.keys().filter_map(|code| self.registry.dimension(code)).map(|d| d.role);
        let by_site_or_age = roles().any(|role| matches!(role, Role::Site | Role::Age));
        !(retaliation && by_site_or_age) && (topic.round.is_linked() || cell.coordinates.is_empty())
    }

    /// An earlier version again, unless it was wrong or a woman in it has withdrawn.
    fn carry(&self, own: Version<'_>) -> Decision {
        if own.retracted || own.cell.members.intersects(self.withdrawn) {
            Decision::Hidden
        } else {
            Decision::Carried(own.place)
        }
    }

    fn is_too_close(&self, apart: usize) -> bool {
        0 < apart && apart < self.parameters.least_difference as usize
    }

    /// True for a count that is shown as "below T". A sensitive one is not shown at all then: it covers no two sites.
    fn is_below(&self, topic: &Topic<'_>, cell: &Candidate<'_>) -> bool {
        matches!(topic.variable.kind, Kind::Count { .. })
            && cell.members.len() < self.parameters.threshold as usize
            && !self.registry.covers_sites(topic.variable, &cell.coordinates)
    }

    /// True when the band of such a base has enough bands; the values play no part in it.
    fn gives_figure(&self, kind: &Kind, women: usize) -> bool {
        let women = women as u32;
        match *kind {
            Kind::Count { .. } => true,
            Kind::Answer { .. } => crate::yes_band(women, 0, self.parameters).is_some(),
            Kind::Mean { lower, upper, .. } => {
                crate::mean_band(lower, upper, women, i64::from(women) * lower, self.parameters).is_some()
            }
            Kind::Sum { upper, .. } => crate::sum_band(upper, women, 0, self.parameters).is_some(),
        }
    }

    fn covers_sites_with_complement(&self, topic: &Topic<'_>, members: &UnitSet) -> bool {
        let rest = topic.base.minus(members);
        let mut covered = self.covers_sites(topic.round, members)
            && (rest.is_empty() || self.covers_sites(topic.round, &rest));
        // A count is itself the attribute: where hardly anybody is left outside it, it tells of everybody.
        if let Kind::Count { .. } = topic.variable.kind {
            let outside = topic.round.eligible.minus(self.withdrawn).minus(members);
            covered &= self.covers_sites(topic.round, &outside);
        }
        covered
    }

    /// Of two bases, one within the other, the difference is a base that a reader can compute bounds for.
    fn difference_covers_sites(&self, round: &Round, a: &UnitSet, b: &UnitSet) -> bool {
        match (a.minus(b), b.minus(a)) {
            (more, none) | (none, more) if none.is_empty() => {
                more.is_empty() || self.covers_sites(round, &more)
            }
            _ => true,
        }
    }

    fn covers_sites(&self, round: &Round, members: &UnitSet) -> bool {
        let Some(sites) = self.registry.site_dimension() else { return false };
        let enough = |code| {
            round.members(&sites.code, code).shared(members) >= self.parameters.site_threshold as usize
        };
        sites.categories.iter().filter(|code| enough(code)).count() >= self.parameters.sites as usize
    }
}
