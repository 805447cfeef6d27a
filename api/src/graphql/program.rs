//! Programs and techniques.

use uuid::Uuid;

use super::{
    connection::{Names, from_memory, order},
    distribution,
    facility::Facility,
    mutation::{Done, Input, Subject},
    node::Node,
    organization::Organization,
    render::{Object, Writer, Written},
    text::LocalizedText,
    work,
};
use crate::{
    id::Kind,
    store::{
        Access,
        distribution::Parent,
        keyset::Direction,
        program::{CreateProgram, Filter, OrderField, UpdateProgram, View},
        work::read,
    },
};

pub struct Program<'a>(pub View<'a>);
struct Technique<'a>(&'a entity::technique::Model);

const NAMES: Names = Names { connection: "ProgramConnection", edge: "ProgramEdge" };

/// `Query.programs`.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let (field, direction) = match order(node, OrderField::Name, Direction::Ascending) {
        Ok(asked) => asked,
        Err(error) => return w.fail(node, error),
    };
    filtered(node, w, "", |_| {}, field, direction)
}

/// `Organization.programs`.
pub fn of_organization(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    let own = |filter: &mut Filter| narrow(&mut filter.organization, id);
    filtered(node, w, &id.to_string(), own, OrderField::Name, Direction::Ascending)
}

/// `Facility.programs`.
pub fn of_facility(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    let here = |filter: &mut Filter| narrow(&mut filter.facility, id);
    filtered(node, w, &id.to_string(), here, OrderField::Name, Direction::Ascending)
}

/// What a filter asks for, and this one as well.
fn narrow(ids: &mut Option<Vec<Uuid>>, id: Uuid) {
    let asked = ids.as_ref().is_none_or(|ids| ids.contains(&id));
    *ids = Some(if asked { vec![id] } else { Vec::new() });
}

fn filtered(
    node: &Node<'_>,
    w: &mut Writer<'_>,
    parent: &str,
    narrow: impl FnOnce(&mut Filter),
    field: OrderField,
    direction: Direction,
) -> Written {
    let mut filter = match node.argument::<Filter>("filter") {
        Ok(filter) => filter.unwrap_or_default(),
        Err(error) => return w.fail(node, error),
    };
    narrow(&mut filter);
    from_memory(
        w,
        node,
        NAMES,
        parent,
        |access, window| Ok(access.programs(&filter, field, direction, window)),
        |view| Access::program_place(*view, field),
        |w, node, view| w.object(node, &Program(*view)),
    )
}

impl Object for Program<'_> {
    fn type_name(&self) -> &str {
        "Program"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = &self.0.entry.row;
        let access = w.access;
        match node.name {
            "id" => w.id(Kind::Program, row.id),
            "slug" => w.str(&row.slug),
            "name" => w.object(node, &LocalizedText(self.0.name())),
            "description" => match self.0.description() {
                Some(text) => w.object(node, &LocalizedText(&text)),
                None => w.null(),
            },
            "area" => w.word(&row.area),
            "areas" => w.list(node, &row.areas.0, |w, area| w.word(area)),
            "techniques" => {
                let known = self.0.techniques();
                let known = known.iter().filter_map(|code| access.catalog.techniques.get(code));
                w.list(node, known, |w, row| w.object(node, &Technique(row)))
            }
            "status" => w.word(&self.0.status()),
            "startsOn" => w.date(row.starts_on),
            "endsOn" => w.optional_date(self.0.ends_on()),
            "version" => w.version(row.organization_id, row.version),
            "published" => w.bool(row.published_at.is_some()),
            "archived" => w.bool(access.is_archived(row.organization_id, row.archived_at, self.0.is_open())),
            "sensitivity" => w.word(&row.sensitivity),
            "organization" => match access.catalog.organizations.get(row.organization_id) {
                Some(entry) => w.object(node, &Organization(entry)),
                None => w.absent(node),
            },
            "facilities" => {
                w.list(node, access.program_facilities(self.0), |w, entry| w.object(node, &Facility(entry)))
            }
            "distributions" => distribution::list(node, w, Some((Parent::Program, row.id))),
            "workshops" | "sessions" => work::below(node, w, read::Parent::Program, row.id),
            _ => w.absent(node),
        }
    }
}

impl Object for Technique<'_> {
    fn type_name(&self) -> &str {
        "Technique"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "code" => w.str(&self.0.code),
            "name" => w.object(node, &LocalizedText(&self.0.name)),
            _ => w.absent(node),
        }
    }
}

/// The mutations of programs.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "createProgram" => {
            let mut program: CreateProgram = input.read()?;
            program.once = input.once(name)?;
            Ok(access.create_program(program).await?.map(Subject::Program))
        }
        "updateProgram" => {
            let mut program: UpdateProgram = input.read()?;
            program.at = input.at("id")?;
            access.update_program(program).await?;
            Ok(input.subject())
        }
        _ => input.publish_or_archive(access, name, Kind::Program).await,
    }
}
