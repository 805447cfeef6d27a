use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    CategoryCode, DimensionCode, Interval, Kind, Refusal, Registry, RoundCode, Unit, UnitSet, Variable,
    VariableCode,
};

/// A period of the fixed calendar. Counts come by quarter or year, all else by year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Period {
    Year { year: u16 },
    Quarter { year: u16, quarter: u8 },
}

/// The data of one release, frozen. Women are units; whoever calls keeps the links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub period: Period,
    pub rounds: Vec<Round>,
    /// All women who have ever withdrawn. They are in no new base, and no cell with them is carried forward.
    pub withdrawn: UnitSet,
    /// Whose values are known outside, ever.
    pub known: BTreeMap<VariableCode, Known>,
}

/// The women whose value of a variable somebody outside knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// To everybody: from testimonies.
    pub published: UnitSet,
    /// To partners: for each, the women whose records it holds. They are still to be protected from everybody else.
    pub partners: Vec<UnitSet>,
}

/// One occasion on which women were counted or asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    pub code: RoundCode,
    pub kind: RoundKind,
    /// Who was there to be counted or asked.
    pub eligible: UnitSet,
    /// Who took part in the survey: the base of every answer in it. Not read in a register, where all eligible women are.
    pub respondents: UnitSet,
    /// Who belongs to which category. A woman may be in several, as with programs, or in none.
    pub groups: BTreeMap<DimensionCode, BTreeMap<CategoryCode, UnitSet>>,
    pub measures: Vec<Measure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoundKind {
    /// Records kept all the time.
    Register,
    /// A survey whose respondents are linked to women.
    Survey,
    /// A survey without links: its units are numbers of sheets and mean nothing outside this round.
    AnonymousSurvey,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    pub variable: VariableCode,
    pub values: Values,
}

/// What is known of each woman in one measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Values {
    /// Of a count: the women who are counted.
    Members(UnitSet),
    /// Of an answer: the women who said yes. Who is not here, said no or nothing.
    Yes(UnitSet),
    /// Of a mean or sum: each woman's amount. Who is not here, counts as the lower end of the range.
    Amounts(BTreeMap<Unit, i64>),
}

/// Numbers of women are small and dense; a stray large one would only cost memory.
const MOST_UNITS: usize = 1 << 20;

impl Snapshot {
    pub(crate) fn check(&self, registry: &Registry) -> Result<(), Refusal> {
        if let Period::Quarter { quarter, .. } = self.period
            && !(1..=4).contains(&quarter)
        {
            return Err(Refusal::Snapshot("no such quarter"));
        }
        let mut rounds = BTreeSet::new();
        let mut measured = BTreeSet::new();
        for round in &self.rounds {
            if !rounds.insert(&round.code) {
                return Err(Refusal::Snapshot("a round stands twice"));
            }
            round.check(registry)?;
            for measure in &round.measures {
                let variable = registry
                    .variable(&measure.variable)
                    .ok_or(Refusal::Snapshot("a measure of an unknown variable"))?;
                // A second round of one variable in one period could be held against the first.
                if !measured.insert(&measure.variable) {
                    return Err(Refusal::Snapshot("a variable is measured twice in one period"));
                }
                let fits = match (&variable.kind, &measure.values) {
                    (Kind::Count { .. }, Values::Members(_)) => round.kind != RoundKind::AnonymousSurvey,
                    (Kind::Answer { .. }, Values::Yes(_))
                    | (Kind::Mean { .. } | Kind::Sum { .. }, Values::Amounts(_)) => {
                        matches!(self.period, Period::Year { .. })
                    }
                    _ => false,
                };
                if !fits {
                    return Err(Refusal::Snapshot(
                        "a measure does not fit its variable, its round or the period",
                    ));
                }
            }
        }
        Ok(())
    }

    /// The women over whom a measure is taken. Memberships decide it, never an answer.
    pub(crate) fn base(&self, round: &Round, measure: &Measure) -> UnitSet {
        match (&measure.values, round.kind) {
            (Values::Members(members), _) => members.and(&round.eligible).minus(&self.withdrawn),
            // The numbers of sheets are no numbers of women.
            (_, RoundKind::AnonymousSurvey) => round.respondents.and(&round.eligible),
            (_, RoundKind::Register) => round.eligible.minus(&self.withdrawn),
            (_, RoundKind::Survey) => round.respondents.and(&round.eligible).minus(&self.withdrawn),
        }
    }
}

impl Round {
    pub(crate) fn is_linked(&self) -> bool {
        self.kind != RoundKind::AnonymousSurvey
    }

    pub(crate) fn members(&self, dimension: &DimensionCode, category: &CategoryCode) -> UnitSet {
        self.groups.get(dimension).and_then(|groups| groups.get(category)).cloned().unwrap_or_default()
    }

    fn check(&self, registry: &Registry) -> Result<(), Refusal> {
        if self.eligible.end() > MOST_UNITS {
            return Err(Refusal::Snapshot("a number of a woman is too large"));
        }
        for (code, groups) in &self.groups {
            let dimension =
                registry.dimension(code).ok_or(Refusal::Snapshot("groups of an unknown dimension"))?;
            if groups.keys().any(|category| !dimension.categories.contains(category)) {
                return Err(Refusal::Snapshot("an unknown category"));
            }
        }
        Ok(())
    }
}

impl Values {
    /// The same, of these women only and as the variable's range allows: what the history keeps.
    pub(crate) fn within(&self, women: &UnitSet, variable: &Variable) -> Values {
        match (self, variable.kind.range()) {
            (Values::Members(_), _) => Values::Members(women.clone()),
            (Values::Yes(yes), _) => Values::Yes(yes.and(women)),
            (Values::Amounts(amounts), Some(Interval { at_least, at_most })) => {
                let clipped = |unit| amounts.get(&unit).map_or(at_least, |a| (*a).clamp(at_least, at_most));
                Values::Amounts(women.iter().map(|unit| (unit, clipped(unit))).collect())
            }
            (Values::Amounts(amounts), None) => Values::Amounts(amounts.clone()),
        }
    }

    /// The value of one woman as an integer: 0 or 1 for memberships and answers.
    pub(crate) fn of(&self, unit: Unit) -> i64 {
        match self {
            Values::Members(set) | Values::Yes(set) => set.contains(unit).into(),
            Values::Amounts(amounts) => amounts.get(&unit).copied().unwrap_or_default(),
        }
    }

    pub(crate) fn sum(&self, women: &UnitSet) -> i64 {
        match self {
            Values::Members(set) | Values::Yes(set) => set.shared(women) as i64,
            Values::Amounts(_) => women.iter().map(|unit| self.of(unit)).sum(),
        }
    }
}
