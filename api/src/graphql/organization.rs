//! Organisations, their statements and their claims.

use entity::value::StatementKind;

use super::{
    connection::{Names, from_memory, order},
    facility,
    mutation::{Done, Input, Subject},
    node::Node,
    program,
    render::{Object, Writer, Written},
    text::LocalizedText,
};
use crate::{
    id::Kind,
    store::{
        Access, catalog,
        keyset::Direction,
        organization::{CreateStatement, OrderField, UpdateStatement},
    },
};

pub struct Organization<'a>(pub &'a catalog::Organization);
pub struct Statement<'a>(pub &'a entity::statement::Model);
pub struct Claim<'a>(pub &'a entity::claim::Model);

const NAMES: Names = Names { connection: "OrganizationConnection", edge: "OrganizationEdge" };

/// `Query.organizations`.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let asked = order(node, OrderField::Name, Direction::Ascending);
    let filter = node.argument("filter");
    let (field, direction) = match asked {
        Ok(asked) => asked,
        Err(error) => return w.fail(node, error),
    };
    from_memory(
        w,
        node,
        NAMES,
        "",
        |access, window| Ok(access.organizations(&filter?.unwrap_or_default(), field, direction, window)),
        |row| Access::organization_place(row, field),
        |w, node, row| w.object(node, &Organization(row)),
    )
}

impl Object for Organization<'_> {
    fn type_name(&self) -> &str {
        "Organization"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = &self.0.row;
        match node.name {
            "id" => w.id(Kind::Organization, row.id),
            "slug" => w.str(&row.slug),
            "name" => w.str(&row.name),
            "country" => w.str(&row.country),
            "kind" => w.word(&row.kind),
            "activeSince" => w.optional_date(row.active_since),
            "statements" => match node.argument::<StatementKind>("kind") {
                Ok(kind) => {
                    let access = w.access;
                    w.list(node, access.statements(self.0, kind), |w, row| w.object(node, &Statement(row)))
                }
                Err(error) => w.fail(node, error),
            },
            "claims" => {
                let access = w.access;
                w.list(node, access.claims(self.0), |w, row| w.object(node, &Claim(row)))
            }
            "facilities" => facility::of_organization(node, w, row.id),
            "programs" => program::of_organization(node, w, row.id),
            _ => w.absent(node),
        }
    }
}

impl Object for Statement<'_> {
    fn type_name(&self) -> &str {
        "Statement"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "id" => w.id(Kind::Statement, self.0.id),
            "kind" => w.word(&self.0.kind),
            "title" => w.object(node, &LocalizedText(&self.0.title)),
            "text" => w.object(node, &LocalizedText(&self.0.text)),
            "position" => w.int(self.0.position.into()),
            "version" => w.version(self.0.organization_id, self.0.version),
            "published" => w.bool(self.0.published_at.is_some()),
            _ => w.absent(node),
        }
    }
}

impl Object for Claim<'_> {
    fn type_name(&self) -> &str {
        "Claim"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "id" => w.id(Kind::Claim, self.0.id),
            "text" => w.object(node, &LocalizedText(&self.0.text)),
            "value" => match self.0.value_thousandths {
                Some(value) => w.float(value as f64 / 1000.0),
                None => w.null(),
            },
            "unit" => w.optional_str(self.0.unit.as_deref()),
            "status" => w.word(&self.0.status),
            "section" => w.str(&self.0.section),
            "source" => w.str(&self.0.source),
            "asOf" => w.optional_date(self.0.as_of),
            "note" => match &self.0.note {
                Some(note) => w.object(node, &LocalizedText(note)),
                None => w.null(),
            },
            _ => w.absent(node),
        }
    }
}

/// The mutations of statements.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "createStatement" => {
            let mut statement: CreateStatement = input.read()?;
            statement.once = input.once(name)?;
            Ok(access.create_statement(statement).await?.map(Subject::Statement))
        }
        "updateStatement" => {
            let mut statement: UpdateStatement = input.read()?;
            statement.at = input.at("id")?;
            access.update_statement(statement).await?;
            Ok(input.subject())
        }
        _ => input.publish_or_archive(access, name, Kind::Statement).await,
    }
}
