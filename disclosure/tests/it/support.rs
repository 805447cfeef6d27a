//! Made-up populations in the shape of ours: four facilities, three programs, three ages.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub const FACILITIES: [&str; 4] = ["F1", "F2", "F3", "F4"];
pub const PROGRAMS: [&str; 3] = ["WEAVING", "SEWING", "ARTS"];
pub const AGES: [&str; 3] = ["18-29", "30-44", "45+"];

/// How many random cases a property is held against.
#[expect(
    clippy::disallowed_methods,
    reason = "the crate has no configuration; only its tests can be made longer"
)]
pub fn cases() -> u64 {
    std::env::var("UMBRAL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256)
}

pub fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

pub const BUSY: Kind = Kind::Answer { class: RiskClass::SelfReported };
pub const INCOME: Kind = Kind::Mean { class: RiskClass::SelfReported, lower: 0, upper: 2000 };
pub const EARNED: Kind = Kind::Sum { class: RiskClass::SelfReported, upper: 2000 };
pub const ENROLLED: Kind = Kind::Count { sensitive: false };

pub fn variable(code: &str, kind: Kind) -> Variable {
    Variable { code: code.into(), kind, fact: None }
}

pub fn persistent(code: &str, kind: Kind) -> Variable {
    Variable { code: code.into(), kind, fact: Some(FactCode(code.to_owned())) }
}

/// The total, three one-way and three two-way tables of every variable: 44 cells.
pub fn registry(variables: &[Variable]) -> Registry {
    let dimension = |code: &str, role, categories: &[&str]| Dimension {
        code: code.into(),
        role,
        sensitive: BTreeSet::new(),
        categories: categories.iter().map(|&category| category.into()).collect(),
    };
    let breakdowns: [&[&str]; 7] = [
        &[],
        &["facility"],
        &["program"],
        &["age"],
        &["facility", "program"],
        &["facility", "age"],
        &["program", "age"],
    ];
    let tables = variables.iter().flat_map(|variable| {
        breakdowns.iter().map(move |dimensions| TableSpec {
            code: TableCode(format!("{}:{}", variable.code.0, dimensions.join("-"))),
            variable: variable.code.clone(),
            dimensions: dimensions.iter().map(|&code| code.into()).collect(),
        })
    });
    Registry {
        tables: tables.collect(),
        variables: variables.to_vec(),
        dimensions: vec![
            dimension("facility", Role::Site, &FACILITIES),
            dimension("program", Role::Other, &PROGRAMS),
            dimension("age", Role::Age, &AGES),
        ],
        drop_order: vec!["age".into(), "program".into(), "facility".into()],
    }
}

/// One woman: where she is, what she does, how old she is.
#[derive(Clone, Copy, Debug)]
pub struct Woman {
    pub unit: Unit,
    pub facility: usize,
    pub program: usize,
    pub age: usize,
}

pub fn woman(rng: &mut StdRng, unit: u32) -> Woman {
    // Places and programs differ in size, as they do.
    let pick = |rng: &mut StdRng, weights: &[u32]| {
        let mut left = rng.random_range(0..weights.iter().sum::<u32>());
        weights.iter().position(|&weight| left.checked_sub(weight).map(|rest| left = rest).is_none()).unwrap()
    };
    Woman {
        unit: Unit(unit),
        facility: pick(rng, &[4, 3, 2, 1]),
        program: pick(rng, &[3, 2, 1]),
        age: pick(rng, &[2, 3, 1]),
    }
}

pub fn population(rng: &mut StdRng, women: u32) -> Vec<Woman> {
    (0..women).map(|unit| woman(rng, unit)).collect()
}

pub fn units(women: &[Woman]) -> UnitSet {
    women.iter().map(|woman| woman.unit).collect()
}

/// Each of them says yes with a chance of `percent` in a hundred.
pub fn answers(rng: &mut StdRng, women: &[Woman], percent: u32) -> Values {
    Values::Yes(women.iter().map(|w| w.unit).filter(|_| rng.random_range(0..100) < percent).collect())
}

pub fn amounts(rng: &mut StdRng, women: &[Woman]) -> Values {
    // Many earn little, a few earn much more than the range.
    let amount = |rng: &mut StdRng| match rng.random_range(0..10) {
        0..3 => 0,
        3..9 => rng.random_range(1..1500),
        _ => rng.random_range(1500..9000),
    };
    Values::Amounts(women.iter().map(|w| (w.unit, amount(rng))).collect())
}

pub fn round(code: &str, women: &[Woman], measures: Vec<(&str, Values)>) -> Round {
    let group = |codes: &[&str], place: fn(&Woman) -> usize| {
        let members = |at| women.iter().filter(|w| place(w) == at).map(|w| w.unit).collect();
        codes.iter().enumerate().map(|(at, &code)| (code.into(), members(at))).collect()
    };
    Round {
        code: code.into(),
        kind: RoundKind::Survey,
        eligible: units(women),
        respondents: units(women),
        groups: BTreeMap::from([
            ("facility".into(), group(&FACILITIES, |w| w.facility)),
            ("program".into(), group(&PROGRAMS, |w| w.program)),
            ("age".into(), group(&AGES, |w| w.age)),
        ]),
        measures: measures
            .into_iter()
            .map(|(variable, values)| Measure { variable: variable.into(), values })
            .collect(),
    }
}

pub fn snapshot(year: u16, women: &[Woman], measures: Vec<(&str, Values)>) -> Snapshot {
    Snapshot {
        period: Period::Year { year },
        rounds: vec![round(&format!("R{year}"), women, measures)],
        withdrawn: UnitSet::new(),
        known: BTreeMap::new(),
    }
}

/// The cells that are shown, with what they show.
pub fn shown(release: &Release) -> BTreeMap<(VariableCode, Coordinates), (Figure, u32)> {
    let cells = release.tables.iter().flat_map(|table| table.cells.iter().map(move |cell| (table, cell)));
    cells
        .filter_map(|(table, cell)| match cell.state {
            CellState::Published { figure, release, .. } => {
                Some(((table.variable.clone(), cell.coordinates.clone()), (figure, release)))
            }
            CellState::NotReleased => None,
        })
        .collect()
}

pub fn at(coordinates: &[(&str, &str)]) -> Coordinates {
    coordinates.iter().map(|&(dimension, category)| (dimension.into(), category.into())).collect()
}

/// All cells computed in these releases, with their variable.
pub fn cells(history: &History) -> Vec<(&Measurement, &PublishedCell)> {
    let measurements = history.records.iter().flat_map(|record| &record.measurements);
    measurements.flat_map(|m| m.cells.iter().map(move |cell| (m, cell))).collect()
}

/// The value of one woman as the history has it.
pub fn value(values: &Values, unit: Unit) -> i64 {
    match values {
        Values::Members(set) | Values::Yes(set) => set.contains(unit).into(),
        Values::Amounts(amounts) => amounts[&unit],
    }
}

/// The system of everything published, as the attacker writes it: independent of how the engine does.
pub fn system(history: &History, fixed: UnitSet) -> audit::System {
    let mut measures = Vec::new();
    let mut constraints = Vec::new();
    for measurement in history.records.iter().flat_map(|record| &record.measurements) {
        let range = match measurement.kind {
            Kind::Mean { lower, upper, .. } => Some(Interval { at_least: lower, at_most: upper }),
            Kind::Sum { upper, .. } => Some(Interval { at_least: 0, at_most: upper }),
            _ => None,
        };
        for cell in &measurement.cells {
            let (measure, members) = (measures.len(), cell.members.clone());
            constraints.push(audit::Constraint { measure, members, sum: cell.sum });
        }
        measures.push(audit::Measured { values: measurement.values.clone(), range });
    }
    audit::System::new(measures, constraints, fixed).unwrap()
}
