//! The file of a release: what is around its tables when it is frozen, and its tables when it is prepared.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::{CellState, Coordinates, Figure, Interval, Parameters, RoundKind, Snapshot};
use entity::value::{
    Definition, Localized, Numerator, OutcomeAge, OutcomeDimension, RiskClass, Translation, TranslationStatus,
};
use sea_orm::{ActiveEnum, Iterable};
use uuid::Uuid;

use super::{measure::Measuring, period::span};
use crate::{
    error::{Error, Result},
    sealed::{
        Category, Cell, CellValue, CountBand, DimensionCodes, FORMAT, File, IndicatorEntry, Policy,
        Publisher, Rate, Retraction, RoundEntry, Span, TableEntry,
    },
    store::Access,
};

impl Access {
    /// The file without its tables.
    pub(super) fn skeleton(
        &self,
        measuring: &Measuring<'_>,
        snapshot: &Snapshot,
        id: Uuid,
        title: &Localized,
        corrects: Option<u32>,
    ) -> Result<File> {
        let own = self.catalog.organizations.get(measuring.organization);
        let own = &own.ok_or(Error::NotPermitted)?.row;
        let entry = |row: &&entity::indicator::Model| {
            let round = measuring.round_of(row);
            let asked = match &row.definition.numerator {
                Numerator::Answers { any_of, .. } => any_of.first(),
                _ => None,
            };
            let question = asked.zip(round).and_then(|(asked, round)| {
                round.questions.iter().find(|question| question.code == asked.question)
            });
            let Definition { base, unit, decimals, .. } = row.definition.clone();
            IndicatorEntry {
                id: row.id,
                code: row.code.clone(),
                kind: row.kind,
                title: row.title.clone(),
                question: question.map(|question| question.text.clone()),
                base: row.base_text.clone(),
                base_rule: base,
                section: row.section,
                position: row.position,
                unit,
                decimals,
                round: round.map(|round| round.row.code.clone()),
                iati: row.mappings.iati.clone(),
                sdg: row.mappings.sdg.clone(),
            }
        };
        let is_measured = |row: &&&entity::indicator::Model| {
            let rounds = snapshot.rounds.iter();
            rounds.flat_map(|round| &round.measures).any(|measure| measure.variable.0 == row.code)
        };
        let used: BTreeSet<OutcomeDimension> = measuring
            .indicators
            .iter()
            .flat_map(|row| row.definition.breakdowns.iter().flatten().copied())
            .collect();
        Ok(File {
            format: FORMAT.to_owned(),
            id,
            organization: Publisher {
                id: own.id,
                slug: own.slug.clone(),
                name: own.name.clone(),
                country: own.country.clone(),
            },
            number: 0,
            title: title.clone(),
            period: span(measuring.period),
            published_at: self.now,
            previous: None,
            corrects,
            policy: policy(&Parameters::default()),
            indicators: measuring.indicators.iter().filter(is_measured).map(entry).collect(),
            dimensions: used.into_iter().map(|of| self.dimension_codes(measuring, of)).collect(),
            rounds: self.round_entries(measuring, snapshot),
            tables: Vec::new(),
            retractions: Vec::new(),
            notes: NOTES.iter().map(|(es, en)| both(es, en)).collect(),
        })
    }

    fn dimension_codes(&self, measuring: &Measuring<'_>, dimension: OutcomeDimension) -> DimensionCodes {
        let named = |code: String| {
            let name = match dimension {
                OutcomeDimension::Facility => {
                    self.catalog.facility_by_slug(&code).map(|of| both(&of.row.name, &of.row.name))
                }
                OutcomeDimension::Region => self.catalog.region(&code).map(|of| both(&of.name, &of.name)),
                OutcomeDimension::Program => self
                    .catalog
                    .programs
                    .iter()
                    .find(|of| of.row.organization_id == measuring.organization && of.row.slug == code)
                    .map(|of| of.row.name.clone()),
                OutcomeDimension::Age => age_name(&code),
            };
            let name = name.unwrap_or_else(|| both(&code, &code));
            Category { code, name }
        };
        let categories = measuring.categories(dimension).into_iter().map(named).collect();
        DimensionCodes { dimension, categories }
    }

    fn round_entries(&self, measuring: &Measuring<'_>, snapshot: &Snapshot) -> Vec<RoundEntry> {
        let surveys = snapshot.rounds.iter().filter(|round| round.kind != RoundKind::Register);
        let entry = |round: &disclosure::Round| {
            let of = measuring.gathered.rounds.iter().find(|of| of.row.code == round.code.0)?;
            let slug = |id: &Uuid| self.catalog.facilities.get(*id).filter(|of| of.row.hidden_at.is_none());
            let mut facilities: Vec<String> =
                of.facilities.iter().filter_map(slug).map(|of| of.row.slug.clone()).collect();
            facilities.sort_unstable();
            Some(RoundEntry {
                code: of.row.code.clone(),
                title: of.instrument.title.clone(),
                field_work: Span { start: of.row.starts_on, end: of.row.ends_on },
                mode: of.row.mode,
                linkage: of.row.linkage,
                facilities,
                response_rate: None,
            })
        };
        surveys.filter_map(entry).collect()
    }
}

/// The file with what `disclosure` made of the snapshot. Nothing tells that a dangerous question was asked of which
/// nothing is shown (DISCLOSURE 3.7, ruling 13).
pub(super) fn with_tables(
    mut file: File,
    release: &disclosure::Release,
    previous: Option<String>,
    dangerous: impl Fn(&str) -> bool,
) -> Result<File> {
    file.number = release.number;
    file.previous = previous;
    for table in &release.tables {
        let dimensions: Vec<OutcomeDimension> = match table.cells.first() {
            Some(cell) => at(&cell.coordinates)?.into_keys().collect(),
            None => continue,
        };
        let mut cells = Vec::with_capacity(table.cells.len());
        for cell in &table.cells {
            let at = at(&cell.coordinates)?;
            cells.push(match &cell.state {
                CellState::NotReleased => Cell { at, value: None, release: None, period: None },
                CellState::Published { figure, release, period } => Cell {
                    at,
                    value: Some(value(*figure)),
                    release: Some(*release),
                    period: Some(span(*period)),
                },
            });
        }
        let is_shown = cells.iter().any(|cell| cell.value.is_some());
        if !is_shown && dangerous(&table.variable.0) {
            continue;
        }
        file.tables.push(TableEntry {
            code: table.code.0.clone(),
            indicator: table.variable.0.clone(),
            dimensions,
            cells,
        });
    }
    let tables = &file.tables;
    file.indicators.retain(|of| tables.iter().any(|table| table.indicator == of.code));
    let of_indicator = |code: &String| file.indicators.iter().any(|of| of.round.as_ref() == Some(code));
    file.rounds.retain(|round| of_indicator(&round.code));
    for round in &mut file.rounds {
        let rate = release.response_rates.iter().find(|rate| rate.round.0 == round.code);
        round.response_rate = rate.and_then(|rate| match rate.figure? {
            Figure::Share { base, percent } => {
                Some(Rate { base: count(base), low_percent: percent.at_least, high_percent: percent.at_most })
            }
            _ => None,
        });
    }
    for retraction in &release.retractions {
        file.retractions.push(Retraction {
            release: retraction.release,
            indicator: retraction.variable.0.clone(),
            at: at(&retraction.coordinates)?,
        });
    }
    Ok(file)
}

/// Whether an indicator of a release is about what somebody could retaliate for.
pub(super) fn is_dangerous(indicators: &[(String, RiskClass)], code: &str) -> bool {
    indicators.iter().any(|(of, class)| of == code && *class == RiskClass::Retaliation)
}

fn at(coordinates: &Coordinates) -> Result<BTreeMap<OutcomeDimension, String>> {
    let dimension = |code: &String| {
        OutcomeDimension::try_from_value(code).map_err(|_| Error::Internal("a dimension that is none".into()))
    };
    coordinates.iter().map(|(code, category)| Ok((dimension(&code.0)?, category.0.clone()))).collect()
}

fn value(figure: Figure) -> CellValue {
    match figure {
        Figure::Count { women } => CellValue::Count { low: women.at_least, high: women.at_most },
        Figure::Share { base, percent } => CellValue::Share {
            base: count(base),
            low_percent: percent.at_least,
            high_percent: percent.at_most,
        },
        Figure::Mean { base, mean } => {
            CellValue::Mean { base: count(base), low: mean.at_least, high: mean.at_most }
        }
        Figure::Sum { base, sum } => {
            CellValue::Sum { base: count(base), low: sum.at_least, high: sum.at_most }
        }
    }
}

fn count(women: Interval) -> CountBand {
    CountBand { low: women.at_least, high: women.at_most }
}

fn policy(parameters: &Parameters) -> Policy {
    Policy {
        threshold: parameters.threshold,
        count_width: parameters.count_width,
        answer_width: parameters.answer_width,
        most_bands: parameters.most_bands,
        mean_threshold: parameters.mean_threshold,
        retaliation_threshold: parameters.retaliation_threshold,
        sites: parameters.sites,
        site_threshold: parameters.site_threshold,
        least_difference: parameters.least_difference,
        coalition: parameters.coalition,
        most_dimensions: parameters.most_dimensions,
        delay_days: parameters.delay_days,
    }
}

/// The same text in Spanish and in English.
fn both(es: &str, en: &str) -> Localized {
    let text = |text: &str, status| Translation { text: text.to_owned(), status };
    Localized {
        original: "es".to_owned(),
        texts: [
            ("es".to_owned(), text(es, TranslationStatus::Original)),
            ("en".to_owned(), text(en, TranslationStatus::Human)),
        ]
        .into(),
    }
}

fn age_name(code: &str) -> Option<Localized> {
    let age = OutcomeAge::iter().find(|age| age.to_value() == code)?;
    Some(match age {
        OutcomeAge::From18To29 => both("de 18 a 29 años", "18 to 29 years"),
        OutcomeAge::From30To44 => both("de 30 a 44 años", "30 to 44 years"),
        OutcomeAge::From45 => both("45 años o más", "45 years and over"),
        OutcomeAge::Unknown => both("edad desconocida", "age unknown"),
    })
}

/// What every reader should know (METHOD.md, section 9).
const NOTES: [(&str, &str); 6] = [
    (
        "Cada cifra es un intervalo, nunca un número exacto. Los intervalos no siempre suman.",
        "Each figure is an interval, never an exact number. Intervals do not always add up.",
    ),
    (
        "«Menos de 10» incluye ninguna. «No publicado» tiene muchas razones y no dice cuál.",
        "\"Fewer than 10\" includes none. \"Not released\" has many reasons and does not tell which.",
    ),
    (
        "Una pregunta sin respuesta cuenta como «no», así que las proporciones son más bien bajas.",
        "A question without an answer counts as \"no\", so shares are rather low.",
    ),
    (
        "Lo que llega tarde entra en el periodo siguiente; una cifra publicada no se actualiza.",
        "What comes in late goes into the next period; a published figure is not updated.",
    ),
    (
        "Una cifra verdadera sobre un grupo uniforme dice algo de cada mujer del grupo. Quien conociera las respuestas de todas las demás podría deducir la de una.",
        "A true figure about a uniform group tells something of each woman in it. Somebody who knew the answers of all others could work out that of one.",
    ),
    (
        "Solo se cuenta a mujeres que aceptaron ser contadas; pueden cambiar de opinión.",
        "Only women who agreed to be counted are counted; they may change their minds.",
    ),
];
