//! Outcomes: cells of sealed files, and their intervals.

use entity::value::OutcomeDimension;
use uuid::Uuid;

use super::{
    connection::{Names, from_memory},
    distribution::Period,
    facility::{Facility, Region},
    indicator::Indicator,
    node::Node,
    program::Program,
    query::drawn,
    release::{Release, Round},
    render::{Object, Writer, Written},
};
use crate::{
    id::Kind,
    print::Language,
    sealed::{CellValue, CountBand, Span, label},
    store::{
        Access,
        outcome::{self, Filter, age_of},
    },
};

pub struct Outcome<'a>(pub outcome::Outcome<'a>);
struct Count(CountBand);
pub struct Share {
    pub base: CountBand,
    pub low: i64,
    pub high: i64,
}
/// A mean or a sum, with the name of its type.
struct Amount<'a> {
    name: &'static str,
    base: CountBand,
    low: i64,
    high: i64,
    unit: &'a str,
    decimals: u8,
}

const NAMES: Names = Names { connection: "OutcomeConnection", edge: "OutcomeEdge" };

/// `Query.outcomes`, and `Release.outcomes` of this release.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>, release: Option<Uuid>) -> Written {
    let mut filter: Filter = match node.argument("filter") {
        Ok(filter) => filter.unwrap_or_default(),
        Err(error) => return w.fail(node, error),
    };
    if let Some(release) = release {
        let named = filter.release.is_none_or(|ids| ids.contains(&release));
        filter.release = Some(if named { vec![release] } else { Vec::new() });
    }
    let parent = release.map(|id| id.to_string()).unwrap_or_default();
    from_memory(
        w,
        node,
        NAMES,
        &parent,
        |access, window| Ok(access.outcome_page(&filter, window)),
        Access::outcome_place,
        |w, node, row| w.object(node, &Outcome(*row)),
    )
}

/// A cell by its id.
pub fn one(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    let access = w.access;
    drawn(node, w, access.outcome(id).map(Outcome))
}

/// Days as a period.
pub fn period(span: Span) -> Period {
    Period(span.start, span.end)
}

impl Object for Outcome<'_> {
    fn type_name(&self) -> &str {
        "Outcome"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let of = &self.0;
        let access = w.access;
        match node.name {
            "id" => w.id(Kind::Outcome, of.id()),
            "indicator" => {
                w.object(node, &Indicator::of_entry(access, of.release.row.organization_id, of.indicator))
            }
            "release" => w.object(node, &Release(of.release)),
            "period" => w.object(node, &period(of.cell.period.unwrap_or(of.file.period))),
            "table" => w.str(&of.table.code),
            "region" => {
                let region =
                    of.coordinate(OutcomeDimension::Region).and_then(|iso| access.catalog.region(iso));
                drawn(node, w, region.map(|region| Region(region)))
            }
            "facility" => {
                let slug = of.coordinate(OutcomeDimension::Facility);
                drawn(node, w, slug.and_then(|slug| access.facility_by_slug(slug)).map(Facility))
            }
            "program" => drawn(node, w, access.program_of(of).map(Program)),
            "ageBand" => match of.coordinate(OutcomeDimension::Age).and_then(age_of) {
                Some(age) => w.word(&age),
                None => w.null(),
            },
            "state" => w.str(if of.cell.value.is_some() { "PUBLISHED" } else { "NOT_RELEASED" }),
            "value" => self.value(node, w),
            "carriedFrom" => {
                let number = of.cell.release.filter(|number| *number != of.file.number);
                let mut releases = access.releases();
                let earlier = number.and_then(|number| {
                    let number = Some(number.cast_signed());
                    let own = of.release.row.organization_id;
                    releases.find(|of| of.row.organization_id == own && of.row.number == number)
                });
                drawn(node, w, earlier.map(Release))
            }
            "round" => {
                let code = of.indicator.round.as_ref();
                let round = code.and_then(|code| of.file.rounds.iter().find(|round| round.code == *code));
                drawn(node, w, round.map(Round))
            }
            _ => w.absent(node),
        }
    }
}

impl Outcome<'_> {
    fn value(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let Some(value) = &self.0.cell.value else { return w.null() };
        let unit = self.0.indicator.unit.as_deref().unwrap_or_default();
        let decimals = self.0.indicator.decimals;
        match *value {
            CellValue::Count { low, high } => w.object(node, &Count(CountBand { low, high })),
            CellValue::Share { base, low_percent, high_percent } => {
                w.object(node, &Share { base, low: low_percent, high: high_percent })
            }
            CellValue::Mean { base, low, high } => {
                w.object(node, &Amount { name: "MeanBand", base, low, high, unit, decimals })
            }
            CellValue::Sum { base, low, high } => {
                w.object(node, &Amount { name: "SumBand", base, low, high, unit, decimals })
            }
        }
    }
}

/// The language of a label: the argument, else what the reader accepts.
fn language(node: &Node<'_>, w: &Writer<'_>) -> Language {
    let asked = node.argument::<String>("lang").ok().flatten();
    let wanted = asked.iter().chain(w.languages);
    wanted
        .filter_map(|tag| Language::parse(tag.split('-').next().unwrap_or_default()))
        .next()
        .unwrap_or(Language::Es)
}

impl Object for Count {
    fn type_name(&self) -> &str {
        "CountBand"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let shown = (!self.0.is_below()).then_some(self.0);
        match node.name {
            "low" => w.optional_int(shown.map(|band| band.low)),
            "high" => w.optional_int(shown.map(|band| band.high)),
            "belowThreshold" => w.bool(self.0.is_below()),
            "label" => w.str(&self.0.label(language(node, w))),
            _ => w.absent(node),
        }
    }
}

impl Object for Share {
    fn type_name(&self) -> &str {
        "ShareBand"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "lowPercent" => w.int(self.low),
            "highPercent" => w.int(self.high),
            "base" => w.object(node, &Count(self.base)),
            "label" => w.str(&label::share(self.low, self.high, language(node, w))),
            _ => w.absent(node),
        }
    }
}

impl Object for Amount<'_> {
    fn type_name(&self) -> &str {
        self.name
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let end = |w: &mut Writer<'_>, value: i64| match self.name {
            "MeanBand" => w.float(value as f64 / 10_f64.powi(self.decimals.into())),
            _ => w.str(&value.to_string()),
        };
        match node.name {
            "low" => end(w, self.low),
            "high" => end(w, self.high),
            "unit" => w.str(self.unit),
            "base" => w.object(node, &Count(self.base)),
            "label" => {
                let label = label::amount(self.low, self.high, self.decimals, self.unit, language(node, w));
                w.str(&label)
            }
            _ => w.absent(node),
        }
    }
}
