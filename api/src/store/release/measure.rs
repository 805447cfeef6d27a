//! From rows to units, groups and values: what `disclosure` is given. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Datelike, NaiveDate};
use disclosure::{
    CategoryCode, Dimension, DimensionCode, Known, Measure, Period, Registry, RiskClass, Role, RoundCode,
    RoundKind, Snapshot, TableCode, TableSpec, Unit, UnitSet, Values, Variable, VariableCode,
};
use entity::{
    indicator,
    value::{
        self, Base, Cut, Definition, IndicatorKind, Numerator, OutcomeAge, OutcomeDimension, ResponseOutcome,
        Sensitivity, SurveyLinkage,
    },
};
use sea_orm::{ActiveEnum, Iterable};
use uuid::Uuid;

use super::{
    gather::{Gathered, Response, Round},
    period::span,
    units::Units,
};
use crate::{
    sealed::Span,
    store::{catalog::Catalog, indicator::table_code, survey::answer::Answer},
};

/// In which order a question loses its dimensions when the audit fails (DISCLOSURE 3.3, step 8).
const DROP_ORDER: [OutcomeDimension; 4] =
    [OutcomeDimension::Age, OutcomeDimension::Program, OutcomeDimension::Facility, OutcomeDimension::Region];

/// Everything that a snapshot is made of.
pub(super) struct Measuring<'a> {
    pub catalog: &'a Catalog,
    pub organization: Uuid,
    pub period: Period,
    pub indicators: &'a [&'a indicator::Model],
    pub gathered: &'a Gathered,
    pub units: &'a Units,
    /// Whose values are known outside, by indicator.
    pub known: BTreeMap<VariableCode, Known>,
}

/// A dimension by its code in the registry.
pub(super) fn dimension_code(dimension: OutcomeDimension) -> DimensionCode {
    DimensionCode(dimension.to_value())
}

pub(super) fn variable_code(indicator: &indicator::Model) -> VariableCode {
    VariableCode(indicator.code.clone())
}

impl Measuring<'_> {
    /// What may be published, and in which tables.
    pub fn registry(&self) -> Registry {
        let variable = |row: &&indicator::Model| Variable {
            code: variable_code(row),
            kind: kind(row),
            fact: row.definition.is_lasting.then(|| disclosure::FactCode(row.code.clone())),
        };
        let tables = |row: &&indicator::Model| {
            let spec = |dimensions: &[OutcomeDimension]| TableSpec {
                code: TableCode(table_code(&row.code, dimensions)),
                variable: variable_code(row),
                dimensions: dimensions.iter().copied().map(dimension_code).collect(),
            };
            let total = std::iter::once(spec(&[]));
            total.chain(row.definition.breakdowns.iter().map(|of| spec(of))).collect::<Vec<_>>()
        };
        Registry {
            variables: self.indicators.iter().map(variable).collect(),
            dimensions: OutcomeDimension::iter().map(|of| self.dimension(of)).collect(),
            tables: self.indicators.iter().flat_map(tables).collect(),
            drop_order: DROP_ORDER.map(dimension_code).to_vec(),
        }
    }

    fn dimension(&self, dimension: OutcomeDimension) -> Dimension {
        let role = match dimension {
            OutcomeDimension::Facility => Role::Site,
            OutcomeDimension::Region => Role::Area,
            OutcomeDimension::Program => Role::Other,
            OutcomeDimension::Age => Role::Age,
        };
        let sensitive =
            |program: &&crate::store::catalog::Program| program.row.sensitivity == Sensitivity::Sensitive;
        let sensitive = match dimension {
            OutcomeDimension::Program => {
                self.programs().filter(sensitive).map(|of| CategoryCode(of.row.slug.clone())).collect()
            }
            _ => BTreeSet::new(),
        };
        let categories = self.categories(dimension).into_iter().map(CategoryCode).collect();
        Dimension { code: dimension_code(dimension), role, categories, sensitive }
    }

    /// All categories that the registry knows, whether any woman is in them or not.
    pub fn categories(&self, dimension: OutcomeDimension) -> Vec<String> {
        let mut codes: Vec<String> = match dimension {
            OutcomeDimension::Facility => self.facilities().map(|of| of.row.slug.clone()).collect(),
            OutcomeDimension::Region => self.facilities().map(|of| of.row.region_iso.clone()).collect(),
            OutcomeDimension::Program => self.programs().map(|of| of.row.slug.clone()).collect(),
            OutcomeDimension::Age => return OutcomeAge::iter().map(|age| age.to_value()).collect(),
        };
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    fn facilities(&self) -> impl Iterator<Item = &crate::store::catalog::Facility> {
        self.catalog.facilities.iter().filter(|of| {
            let row = &of.row;
            row.organization_id == self.organization && row.published_at.is_some() && row.hidden_at.is_none()
        })
    }

    fn programs(&self) -> impl Iterator<Item = &crate::store::catalog::Program> {
        let own = |of: &&crate::store::catalog::Program| of.row.organization_id == self.organization;
        self.catalog.programs.iter().filter(own).filter(|of| of.row.published_at.is_some())
    }

    /// Units, groups and values of all indicators that can be measured in the period.
    pub fn snapshot(&self) -> Snapshot {
        let mut rounds: Vec<disclosure::Round> =
            Register::ALL.into_iter().filter_map(|of| self.register(of)).collect();
        rounds.extend(self.gathered.rounds.iter().filter_map(|round| self.survey(round)));
        Snapshot { period: self.period, rounds, withdrawn: self.units.withdrawn(), known: self.known.clone() }
    }

    /// The last round of the period that puts the questions of an indicator: one round for each variable and period.
    pub fn round_of(&self, indicator: &indicator::Model) -> Option<&Round> {
        let Numerator::Answers { instrument, any_of } = &indicator.definition.numerator else { return None };
        self.gathered.rounds.iter().rev().find(|round| {
            let asks = |code: &str| round.questions.iter().any(|question| question.code == code);
            round.instrument.code == *instrument && any_of.iter().all(|asked| asks(&asked.question))
        })
    }

    fn register(&self, register: Register) -> Option<disclosure::Round> {
        let of_period = span(self.period);
        let span = (register != Register::Ever).then_some(of_period);
        let of_register = |row: &&&indicator::Model| Register::of(row) == Some(register);
        let measures: Vec<Measure> =
            self.indicators.iter().filter(of_register).map(|row| self.of_register(row, span)).collect();
        if measures.is_empty() {
            return None;
        }
        let is_there = |woman: &Uuid| match register {
            Register::Counted | Register::Ever => true,
            Register::Present => self.gathered.facility(*woman, span).is_some(),
            Register::Enrolled => !self.gathered.programs(*woman, span).is_empty(),
        };
        let women = || self.gathered.women.iter().copied().filter(is_there);
        let groups = women().filter_map(|woman| {
            let unit = self.units.of(woman)?;
            Some((unit, self.places(woman, self.gathered.facility(woman, span), span, of_period.end)))
        });
        Some(disclosure::Round {
            code: RoundCode(format!("{}-{}-{}", register.name(), of_period.start, of_period.end)),
            kind: RoundKind::Register,
            eligible: women().filter_map(|woman| self.units.of(woman)).collect(),
            respondents: UnitSet::new(),
            groups: grouped(groups),
            measures,
        })
    }

    fn of_register(&self, row: &indicator::Model, span: Option<Span>) -> Measure {
        let women = self.gathered.women.iter().filter_map(|woman| Some((*woman, self.units.of(*woman)?)));
        let values = match (row.kind, &row.definition.numerator) {
            (IndicatorKind::Mean | IndicatorKind::Sum, Numerator::Paid { currency }) => {
                let paid = |(woman, unit): (Uuid, Unit)| {
                    let of = self.gathered.paid.get(&woman)?.iter().filter(|(code, _)| code == currency);
                    Some((unit, of.map(|(_, amount)| *amount).sum()))
                };
                Values::Amounts(women.filter_map(paid).collect())
            }
            (kind, numerator) => {
                let members =
                    women.filter(|(woman, _)| self.is_so(*woman, numerator, span)).map(|(_, unit)| unit);
                match kind {
                    IndicatorKind::Count => Values::Members(members.collect()),
                    _ => Values::Yes(members.collect()),
                }
            }
        };
        Measure { variable: variable_code(row), values }
    }

    /// Whether something is so of a woman, by the registers.
    fn is_so(&self, woman: Uuid, numerator: &Numerator, span: Option<Span>) -> bool {
        let gathered = self.gathered;
        match numerator {
            Numerator::Enrolled { programs, .. } => {
                let of = gathered.programs(woman, span);
                programs.iter().any(|program| of.contains(program))
            }
            Numerator::Completed { programs } => {
                gathered.enrolments.get(&woman).into_iter().flatten().any(|row| {
                    let in_time = span.is_none_or(|span| (span.start..=span.end).contains(&row.since));
                    row.status == value::EnrolmentStatus::Completed
                        && in_time
                        && programs.contains(&row.program_id)
                })
            }
            Numerator::Attended { programs, sessions } => {
                let of = gathered.attended.get(&woman).into_iter().flatten();
                of.filter(|program| programs.contains(program)).count() >= *sessions as usize
            }
            Numerator::WasPaid => {
                gathered.paid.get(&woman).is_some_and(|paid| paid.iter().any(|(_, amount)| *amount > 0))
            }
            Numerator::Answers { .. } | Numerator::Paid { .. } => false,
        }
    }

    /// The categories of a woman.
    fn places(
        &self,
        woman: Uuid,
        facility: Option<Uuid>,
        span: Option<Span>,
        day: NaiveDate,
    ) -> Vec<(OutcomeDimension, String)> {
        let mut places = self.places_of_facility(facility);
        let programs = self.gathered.programs(woman, span);
        let programs = self.programs().filter(|of| programs.contains(&of.row.id));
        places.extend(programs.map(|of| (OutcomeDimension::Program, of.row.slug.clone())));
        let age = self.gathered.born.get(&woman).map_or(OutcomeAge::Unknown, |born| age_on(*born, day));
        places.push((OutcomeDimension::Age, age.to_value()));
        places
    }

    fn places_of_facility(&self, facility: Option<Uuid>) -> Vec<(OutcomeDimension, String)> {
        let found = facility.and_then(|id| self.facilities().find(|of| of.row.id == id));
        let places = found.map(|of| {
            [
                (OutcomeDimension::Facility, of.row.slug.clone()),
                (OutcomeDimension::Region, of.row.region_iso.clone()),
            ]
        });
        places.into_iter().flatten().collect()
    }

    fn survey(&self, round: &Round) -> Option<disclosure::Round> {
        let of_round =
            |row: &&&indicator::Model| self.round_of(row).is_some_and(|of| of.row.id == round.row.id);
        let rows: Vec<_> = self.indicators.iter().filter(of_round).collect();
        if rows.is_empty() {
            return None;
        }
        let is_linked = round.row.linkage == SurveyLinkage::Pseudonymous;
        let asked = self.numbered(round, is_linked);
        let answered =
            |response: &Response| response.outcome == ResponseOutcome::Answered && !response.is_withdrawn;
        let respondents: Vec<_> = asked.iter().filter(|(_, response)| answered(response)).collect();
        let of_period = span(self.period);
        let groups = respondents.iter().map(|(unit, response)| {
            let places = match response.woman {
                Some(woman) => {
                    self.places(woman, Some(response.facility), Some(of_period), round.row.ends_on)
                }
                None => self.places_of_facility(Some(response.facility)),
            };
            (*unit, places)
        });
        let measures = rows.iter().map(|row| Measure {
            variable: variable_code(row),
            values: said(
                &row.definition,
                row.kind,
                respondents.iter().map(|(unit, response)| (*unit, *response)),
            ),
        });
        let mut eligible: UnitSet = asked.iter().map(|(unit, _)| *unit).collect();
        // Those who could have been asked and of whom there is no sheet, as far as the round says how many they are.
        let missing = round.row.eligible.map_or(0, i32::unsigned_abs) as usize;
        let strangers = missing.saturating_sub(asked.len());
        let beyond = if is_linked { self.units.strangers(strangers) } else { sheets(asked.len(), strangers) };
        eligible = eligible.or(&beyond);
        Some(disclosure::Round {
            code: RoundCode(round.row.code.clone()),
            kind: if is_linked { RoundKind::Survey } else { RoundKind::AnonymousSurvey },
            eligible,
            respondents: respondents.iter().map(|(unit, _)| *unit).collect(),
            groups: grouped(groups),
            measures: measures.collect(),
        })
    }

    /// The responses of women who may be counted; in an anonymous round, sheets by their numbers.
    fn numbered<'r>(&self, round: &'r Round, is_linked: bool) -> Vec<(Unit, &'r Response)> {
        let responses = round.responses.iter();
        if is_linked {
            let of = |response: &'r Response| Some((self.units.of(response.woman?)?, response));
            return responses.filter_map(of).collect();
        }
        (0..).map(Unit).zip(responses).collect()
    }
}

fn sheets(from: usize, count: usize) -> UnitSet {
    (from as u32..).take(count).map(Unit).collect()
}

/// The occasions of registers: who is counted, and where.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Register {
    /// Everybody, as of the period.
    Counted,
    /// Everybody, as of all time up to the end of the period.
    Ever,
    /// Those who were at a facility in the period.
    Present,
    /// Those who were enrolled in the period.
    Enrolled,
}

impl Register {
    const ALL: [Self; 4] = [Self::Counted, Self::Ever, Self::Present, Self::Enrolled];

    fn of(row: &indicator::Model) -> Option<Self> {
        Some(match (&row.definition.numerator, row.kind, row.definition.base) {
            (Numerator::Answers { .. }, ..) => return None,
            (Numerator::Enrolled { ever: true, .. }, ..) => Self::Ever,
            (_, IndicatorKind::Count, _) => Self::Counted,
            (.., Base::Enrolled) => Self::Enrolled,
            (.., Base::Present | Base::Respondents) => Self::Present,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Counted => "REGISTER",
            Self::Ever => "EVER",
            Self::Present => "PRESENT",
            Self::Enrolled => "ENROLLED",
        }
    }
}

fn kind(row: &indicator::Model) -> disclosure::Kind {
    let class = match row.risk_class {
        value::RiskClass::Membership => RiskClass::Operations,
        value::RiskClass::SelfReported => RiskClass::SelfReported,
        value::RiskClass::Retaliation => RiskClass::Retaliation,
    };
    let (lower, upper) = row.definition.range.unwrap_or((0, 1));
    match row.kind {
        IndicatorKind::Count => {
            disclosure::Kind::Count { sensitive: row.risk_class == value::RiskClass::Retaliation }
        }
        IndicatorKind::Share => disclosure::Kind::Answer { class },
        IndicatorKind::Mean => disclosure::Kind::Mean { class, lower, upper },
        IndicatorKind::Sum => disclosure::Kind::Sum { class, upper },
    }
}

/// What respondents said, cut as the indicator says. A missing answer is no, and a missing number the low end.
fn said<'r>(
    definition: &Definition,
    kind: IndicatorKind,
    respondents: impl Iterator<Item = (Unit, &'r Response)>,
) -> Values {
    let Numerator::Answers { any_of, .. } = &definition.numerator else { return Values::Yes(UnitSet::new()) };
    let answer = |response: &'r Response, question: &str| {
        response.answers.iter().find(|answer| answer.question == question && answer.missing.is_none())
    };
    match kind {
        IndicatorKind::Mean | IndicatorKind::Sum => {
            let number = |(unit, response): (Unit, &'r Response)| {
                let asked = any_of.first()?;
                // Whole numbers are said; their mean is told with digits after the point.
                let said = i64::from(answer(response, &asked.question)?.number?);
                Some((unit, said * 10_i64.pow(definition.decimals.into())))
            };
            Values::Amounts(respondents.filter_map(number).collect())
        }
        IndicatorKind::Count | IndicatorKind::Share => {
            let is_yes = |response: &'r Response| {
                any_of
                    .iter()
                    .any(|asked| answer(response, &asked.question).is_some_and(|of| meets(of, &asked.cut)))
            };
            Values::Yes(respondents.filter(|(_, response)| is_yes(response)).map(|(unit, _)| unit).collect())
        }
    }
}

fn meets(answer: &Answer, cut: &Cut) -> bool {
    let chosen = |code: &String| answer.options.contains(code);
    match cut {
        Cut::Yes => answer.yes == Some(true),
        Cut::AnyOf { options } => options.iter().any(chosen),
        Cut::AllOf { options } => options.iter().all(chosen),
        Cut::AtLeast { number } => answer.number.is_some_and(|said| said >= *number),
        Cut::AtMost { number } => answer.number.is_some_and(|said| said <= *number),
        Cut::Amount => false,
    }
}

fn age_on(born: NaiveDate, day: NaiveDate) -> OutcomeAge {
    match day.years_since(born).or_else(|| (born.year() > day.year()).then_some(0)) {
        Some(45..) => OutcomeAge::From45,
        Some(30..=44) => OutcomeAge::From30To44,
        Some(18..=29) => OutcomeAge::From18To29,
        _ => OutcomeAge::Unknown,
    }
}

type Groups = BTreeMap<DimensionCode, BTreeMap<CategoryCode, UnitSet>>;

fn grouped(women: impl Iterator<Item = (Unit, Vec<(OutcomeDimension, String)>)>) -> Groups {
    let mut groups: HashMap<(OutcomeDimension, String), UnitSet> = HashMap::new();
    for (unit, places) in women {
        for place in places {
            groups.entry(place).or_default().insert(unit);
        }
    }
    let mut by_dimension = Groups::new();
    for ((dimension, category), units) in groups {
        by_dimension.entry(dimension_code(dimension)).or_default().insert(CategoryCode(category), units);
    }
    by_dimension
}
