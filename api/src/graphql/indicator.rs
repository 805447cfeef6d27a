//! Indicators: as sealed files tell of them, and as staff define them.

use entity::value::{self, Asked, Cut, ImpactSection, IndicatorKind, Localized, Numerator};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    connection::{Names, from_memory},
    mutation::{Done, Input, Subject},
    node::Node,
    organization::Organization,
    program::Program,
    query::drawn,
    render::{Object, Writer, Written},
    text::LocalizedText,
};
use crate::{
    error::Error,
    id::{self, Kind},
    sealed::IndicatorEntry,
    store::{
        Access,
        indicator::CreateIndicator,
        keyset::{Direction, Key, Place, page_in_memory},
    },
};

/// An indicator as a file tells of it, as staff have defined it, or both.
#[derive(Clone, Copy)]
pub struct Indicator<'a> {
    pub organization: Uuid,
    pub entry: Option<&'a IndicatorEntry>,
    pub row: Option<&'a entity::indicator::Model>,
}

struct Definition<'a>(&'a entity::indicator::Model);
struct Question<'a>(&'a Asked);

const NAMES: Names = Names { connection: "IndicatorConnection", edge: "IndicatorEdge" };

#[derive(Default, Deserialize)]
#[serde(default)]
struct Filter {
    #[serde(deserialize_with = "id::list::<_, {id::ORGANIZATION}>")]
    organization: Option<Vec<Uuid>>,
    code: Option<Vec<String>>,
    section: Option<Vec<ImpactSection>>,
}

impl<'a> Indicator<'a> {
    pub fn of_entry(access: &'a Access, organization: Uuid, entry: &'a IndicatorEntry) -> Self {
        let row = access.own_indicators().find(|row| row.id == entry.id);
        Self { organization, entry: Some(entry), row }
    }

    fn id(&self) -> Uuid {
        self.entry.map(|of| of.id).or(self.row.map(|of| of.id)).unwrap_or_default()
    }

    fn code(&self) -> &'a str {
        self.entry.map(|of| of.code.as_str()).or(self.row.map(|of| of.code.as_str())).unwrap_or_default()
    }

    fn section(&self) -> Option<ImpactSection> {
        self.entry.map_or(self.row.and_then(|of| of.section), |of| of.section)
    }

    fn kind(&self) -> IndicatorKind {
        self.entry.map(|of| of.kind).or(self.row.map(|of| of.kind)).unwrap_or(IndicatorKind::Count)
    }

    fn title(&self) -> Option<&'a Localized> {
        self.entry.map(|of| &of.title).or(self.row.map(|of| &of.title))
    }

    fn place(&self) -> Place {
        Place { key: Key::Text(self.code().to_owned()), id: self.id() }
    }
}

/// Released indicators, and those of the viewer's organisation.
fn all(access: &Access) -> impl Iterator<Item = Indicator<'_>> {
    let released = access
        .released_indicators()
        .map(|(release, entry)| Indicator::of_entry(access, release.row.organization_id, entry));
    let known: Vec<Uuid> = access.released_indicators().map(|(_, entry)| entry.id).collect();
    let others = access.own_indicators().filter(move |row| !known.contains(&row.id));
    let others =
        others.map(|row| Indicator { organization: row.organization_id, entry: None, row: Some(row) });
    released.chain(others)
}

/// `Query.indicators`.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let filter: Filter = match node.argument("filter") {
        Ok(filter) => filter.unwrap_or_default(),
        Err(error) => return w.fail(node, error),
    };
    from_memory(
        w,
        node,
        NAMES,
        "",
        |access, window| {
            let rows = all(access).filter(|of| {
                filter.organization.as_ref().is_none_or(|ids| ids.contains(&of.organization))
                    && filter.code.as_ref().is_none_or(|codes| codes.iter().any(|code| code == of.code()))
                    && filter.section.as_ref().is_none_or(|sections| {
                        of.section().is_some_and(|section| sections.contains(&section))
                    })
            });
            Ok(page_in_memory(rows, Indicator::place, Direction::Ascending, window))
        },
        Indicator::place,
        |w, node, row| w.object(node, row),
    )
}

/// An indicator by its id.
pub fn one(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    let access = w.access;
    drawn(node, w, all(access).find(|of| of.id() == id))
}

impl Object for Indicator<'_> {
    fn type_name(&self) -> &str {
        "Indicator"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let text = |w: &mut Writer<'_>, text: Option<&Localized>| drawn(node, w, text.map(LocalizedText));
        let codes = |w: &mut Writer<'_>, codes: Option<&Vec<String>>| {
            w.list(node, codes.into_iter().flatten(), |w, code| w.str(code))
        };
        let Self { entry, row, .. } = *self;
        match node.name {
            "id" => w.id(Kind::Indicator, self.id()),
            "code" => w.str(self.code()),
            "organization" => drawn(node, w, w.access.organization(self.organization).map(Organization)),
            "title" => text(w, self.title()),
            "question" => text(w, entry.and_then(|of| of.question.as_ref())),
            "base" => text(w, entry.map_or(row.and_then(|of| of.base_text.as_ref()), |of| of.base.as_ref())),
            "kind" => w.word(&self.kind()),
            "unit" => {
                let unit =
                    entry.map_or(row.and_then(|of| of.definition.unit.as_ref()), |of| of.unit.as_ref());
                w.optional_str(unit.map(String::as_str))
            }
            "section" => match self.section() {
                Some(section) => w.word(&section),
                None => w.null(),
            },
            "iatiCodes" => codes(w, entry.map(|of| &of.iati).or(row.map(|of| &of.mappings.iati))),
            "sdgCodes" => codes(w, entry.map(|of| &of.sdg).or(row.map(|of| &of.mappings.sdg))),
            "riskClass" => match row {
                Some(row) => w.word(&row.risk_class),
                None => w.null(),
            },
            "definition" => drawn(node, w, row.map(Definition)),
            "version" => w.optional_int(row.map(|row| row.version.into())),
            "approvedAt" => w.optional_moment(row.and_then(|row| row.approved_at)),
            "archivedAt" => w.optional_moment(row.and_then(|row| row.archived_at)),
            _ => w.absent(node),
        }
    }
}

impl Object for Definition<'_> {
    fn type_name(&self) -> &str {
        "IndicatorDefinition"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let value::Definition { numerator, base, range, decimals, is_lasting, breakdowns, .. } =
            &self.0.definition;
        let (source, instrument, any_of) = match numerator {
            Numerator::Answers { instrument, any_of } => ("ANSWERS", Some(instrument), any_of.as_slice()),
            Numerator::Enrolled { .. } => ("ENROLLED", None, [].as_slice()),
            Numerator::Completed { .. } => ("COMPLETED", None, [].as_slice()),
            Numerator::Attended { .. } => ("ATTENDED", None, [].as_slice()),
            Numerator::Paid { .. } => ("PAID", None, [].as_slice()),
            Numerator::WasPaid => ("WAS_PAID", None, [].as_slice()),
        };
        match node.name {
            "source" => w.str(source),
            "instrument" => w.optional_str(instrument.map(String::as_str)),
            "anyOf" => w.list(node, any_of, |w, asked| w.object(node, &Question(asked))),
            "programs" => {
                let access = w.access;
                let programs = numerator.programs().iter().filter_map(|id| access.program(*id));
                w.list(node, programs, |w, view| w.object(node, &Program(view)))
            }
            "ever" => w.bool(matches!(numerator, Numerator::Enrolled { ever: true, .. })),
            "sessions" => match numerator {
                Numerator::Attended { sessions, .. } => w.int((*sessions).into()),
                _ => w.null(),
            },
            "currency" => match numerator {
                Numerator::Paid { currency } => w.str(currency),
                _ => w.null(),
            },
            "base" => w.word(base),
            "low" => w.optional_int(range.map(|(low, _)| low)),
            "high" => w.optional_int(range.map(|(_, high)| high)),
            "decimals" => w.int((*decimals).into()),
            "lasting" => w.bool(*is_lasting),
            "breakdowns" => {
                w.list(node, breakdowns, |w, of| w.list(node, of, |w, dimension| w.word(dimension)))
            }
            _ => w.absent(node),
        }
    }
}

impl Object for Question<'_> {
    fn type_name(&self) -> &str {
        "IndicatorQuestion"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let (name, options, number) = match &self.0.cut {
            Cut::Yes => ("YES", [].as_slice(), None),
            Cut::AnyOf { options } => ("ANY_OF", options.as_slice(), None),
            Cut::AllOf { options } => ("ALL_OF", options.as_slice(), None),
            Cut::AtLeast { number } => ("AT_LEAST", [].as_slice(), Some(*number)),
            Cut::AtMost { number } => ("AT_MOST", [].as_slice(), Some(*number)),
            Cut::Amount => ("AMOUNT", [].as_slice(), None),
        };
        match node.name {
            "question" => w.str(&self.0.question),
            "cut" => w.str(name),
            "options" => w.list(node, options, |w, code| w.str(code)),
            "number" => w.optional_int(number.map(i64::from)),
            _ => w.absent(node),
        }
    }
}

/// The mutations of indicators.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "createIndicator" => {
            let mut create: CreateIndicator = input.read()?;
            create.once = input.once(name)?;
            return Ok(access.create_indicator(create).await?.map(Subject::Indicator));
        }
        "approveIndicator" => access.approve_indicator(input.at("id")?, input.validate_only()).await?,
        "archiveIndicator" => access.archive_indicator(input.at("id")?, input.validate_only()).await?,
        _ => return Err(Error::Internal(format!("no mutation {name}")).into()),
    }
    Ok(input.subject())
}
