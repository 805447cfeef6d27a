use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Coordinates, Interval, Parameters, Refusal};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl From<&str> for $name {
            fn from(code: &str) -> Self {
                Self(code.to_owned())
            }
        }
    )* };
}

codes! {
    VariableCode
    /// A fact that does not change, asked under one or several variables.
    FactCode
    DimensionCode
    CategoryCode
    TableCode
    RoundCode
}

/// Everything that may be published, written down beforehand. There are no free predicates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registry {
    pub variables: Vec<Variable>,
    pub dimensions: Vec<Dimension>,
    /// In the order in which tables of equal depth are considered.
    pub tables: Vec<TableSpec>,
    /// The dimensions that a question loses, one after the other, when the audit fails: age, program, facility.
    pub drop_order: Vec<DimensionCode>,
}

/// What is counted, asked or measured of each woman.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    pub code: VariableCode,
    pub kind: Kind,
    /// Set when the fact does not change with time, so that answers of all rounds, under all variables of the fact,
    /// are one system of inequalities.
    pub fact: Option<FactCode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// How many women took part. Who takes part is assumed to be known. Where that is not so, as with a diagnosis, the
    /// membership is registered as an answer, which a register can give, too.
    Count { sensitive: bool },
    /// The share of the respondents who said yes, or of the women in a register of whom something is so.
    Answer { class: RiskClass },
    /// The mean over the respondents of a value in [lower, upper]; what is outside is moved to the nearer end.
    Mean { class: RiskClass, lower: i64, upper: i64 },
    /// The sum over the respondents of a value in [0, upper], moved to the nearer end as for a mean.
    Sum { class: RiskClass, upper: i64 },
}

/// What could happen to a woman whose answer becomes known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RiskClass {
    /// O: known to those who were there.
    Operations,
    /// S: what she said of herself, and money.
    SelfReported,
    /// R: conduct of staff, violence, health, sexuality, pregnancy, children, offence. Never by site or age.
    Retaliation,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimension {
    pub code: DimensionCode,
    pub role: Role,
    pub categories: Vec<CategoryCode>,
    /// Those that tell something of the women in them, as a program of mental health does. A cell of one covers several
    /// sites, whatever is measured in it.
    pub sensitive: BTreeSet<CategoryCode>,
}

/// What a dimension means for the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// The places where women live together: facilities. There is at most one such dimension.
    Site,
    /// Sites put together: regions.
    Area,
    Age,
    Other,
}

/// One table: a variable over every combination of the categories of its dimensions; without any, its total.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSpec {
    pub code: TableCode,
    pub variable: VariableCode,
    pub dimensions: Vec<DimensionCode>,
}

/// Amounts beyond this could overflow sums over a million women.
const MOST_AMOUNT: i64 = 1_000_000_000_000;

impl Registry {
    pub fn variable(&self, code: &VariableCode) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.code == *code)
    }

    pub fn dimension(&self, code: &DimensionCode) -> Option<&Dimension> {
        self.dimensions.iter().find(|dimension| dimension.code == *code)
    }

    /// True when a cell must cover several sites, and what is left without it, too.
    pub(crate) fn covers_sites(&self, variable: &Variable, coordinates: &Coordinates) -> bool {
        let sensitive = |(code, category): (&DimensionCode, &CategoryCode)| {
            self.dimension(code).is_some_and(|dimension| dimension.sensitive.contains(category))
        };
        variable.kind.covers_sites() || coordinates.iter().any(sensitive)
    }

    pub(crate) fn site_dimension(&self) -> Option<&Dimension> {
        self.dimensions.iter().find(|dimension| dimension.role == Role::Site)
    }

    pub(crate) fn check(&self, parameters: &Parameters) -> Result<(), Refusal> {
        all_different(self.variables.iter().map(|v| &v.code))?;
        all_different(self.dimensions.iter().map(|d| &d.code))?;
        all_different(self.tables.iter().map(|t| &t.code))?;
        all_different(&self.drop_order)?;
        self.dimensions.iter().try_for_each(|d| all_different(&d.categories))?;
        if self.dimensions.iter().filter(|d| d.role == Role::Site).count() > 1 {
            return Err(Refusal::Registry("more than one dimension of sites"));
        }
        if self.dimensions.iter().any(|d| !d.sensitive.is_empty()) && self.site_dimension().is_none() {
            return Err(Refusal::Registry("a sensitive category needs the dimension of sites"));
        }
        if self.dimensions.iter().any(|d| d.sensitive.iter().any(|category| !d.categories.contains(category)))
        {
            return Err(Refusal::Registry("a sensitive category that is none"));
        }
        for variable in &self.variables {
            if variable.kind.covers_sites() && self.site_dimension().is_none() {
                return Err(Refusal::Registry("a sensitive variable needs the dimension of sites"));
            }
            if let Some(Interval { at_least, at_most }) = variable.kind.range()
                && (at_least >= at_most || at_least < -MOST_AMOUNT || at_most > MOST_AMOUNT)
            {
                return Err(Refusal::Registry("the ends of a range are in the wrong order or too large"));
            }
            let same_fact = self.variables.iter().filter(|v| v.fact.is_some() && v.fact == variable.fact);
            if same_fact.into_iter().any(|other| !variable.kind.measures_like(&other.kind)) {
                return Err(Refusal::Registry("variables of one fact are of different kinds"));
            }
        }
        self.tables.iter().try_for_each(|table| self.check_table(table, parameters))?;
        all_different(
            self.tables
                .iter()
                .map(|table| (&table.variable, table.dimensions.iter().collect::<BTreeSet<_>>())),
        )
    }

    fn check_table(&self, table: &TableSpec, parameters: &Parameters) -> Result<(), Refusal> {
        if self.variable(&table.variable).is_none() {
            return Err(Refusal::Registry("a table of an unknown variable"));
        }
        if table.dimensions.len() > parameters.most_dimensions as usize {
            return Err(Refusal::Registry("a table with too many dimensions"));
        }
        all_different(&table.dimensions)?;
        for code in &table.dimensions {
            if self.dimension(code).is_none() {
                return Err(Refusal::Registry("a table of an unknown dimension"));
            }
            if !self.drop_order.contains(code) {
                return Err(Refusal::Registry("a dimension without a place in the order of dropping"));
            }
        }
        Ok(())
    }
}

impl Kind {
    pub(crate) fn class(&self) -> Option<RiskClass> {
        match self {
            Kind::Count { .. } => None,
            Kind::Answer { class } | Kind::Mean { class, .. } | Kind::Sum { class, .. } => Some(*class),
        }
    }

    /// Between which ends each woman's amount is; none where there are no amounts.
    pub(crate) fn range(&self) -> Option<Interval> {
        match *self {
            Kind::Count { .. } | Kind::Answer { .. } => None,
            Kind::Mean { lower, upper, .. } => Some(Interval { at_least: lower, at_most: upper }),
            Kind::Sum { upper, .. } => Some(Interval { at_least: 0, at_most: upper }),
        }
    }

    /// True when all its cells must cover several sites.
    fn covers_sites(&self) -> bool {
        matches!(self, Kind::Count { sensitive: true }) || self.class() == Some(RiskClass::Retaliation)
    }

    /// True when witnesses must be found before it is published.
    pub(crate) fn is_audited(&self) -> bool {
        !matches!(self, Kind::Count { .. })
    }

    /// The least base that is published.
    pub(crate) fn threshold(&self, parameters: &Parameters) -> u32 {
        let own = match self {
            Kind::Mean { .. } | Kind::Sum { .. } => parameters.mean_threshold.max(parameters.threshold),
            Kind::Count { .. } | Kind::Answer { .. } => parameters.threshold,
        };
        match self.class() {
            Some(RiskClass::Retaliation) => own.max(parameters.retaliation_threshold),
            _ => own,
        }
    }

    /// True when values of both can stand in one system.
    pub(crate) fn measures_like(&self, other: &Kind) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

fn all_different<T: Ord>(codes: impl IntoIterator<Item = T>) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    if codes.into_iter().all(|code| seen.insert(code)) {
        Ok(())
    } else {
        Err(Refusal::Registry("a code stands twice"))
    }
}
