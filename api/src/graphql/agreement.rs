//! Alliance agreements.

use super::{
    connection::{Names, from_memory},
    facility::Facility,
    mutation::{Done, Input, Subject},
    node::Node,
    organization::Organization,
    program::Program,
    render::{Object, Writer, Written},
};
use crate::{
    id::Kind,
    store::{
        Access,
        agreement::{CreateAgreement, UpdateAgreement},
        catalog,
    },
};

pub struct Agreement<'a>(pub &'a catalog::Agreement);

const NAMES: Names = Names { connection: "AgreementConnection", edge: "AgreementEdge" };

/// `Query.agreements`, the newest first.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    from_memory(
        w,
        node,
        NAMES,
        "",
        |access, window| access.agreements(window),
        |row| Access::agreement_place(row),
        |w, node, row| w.object(node, &Agreement(row)),
    )
}

impl Object for Agreement<'_> {
    fn type_name(&self) -> &str {
        "Agreement"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = &self.0.row;
        let access = w.access;
        match node.name {
            "id" => w.id(Kind::Agreement, row.id),
            "organization" => match access.catalog.organizations.get(row.organization_id) {
                Some(entry) => w.object(node, &Organization(entry)),
                None => w.absent(node),
            },
            "partners" => {
                let partners = self.0.parties.iter().filter_map(|id| access.organization(*id));
                w.list(node, partners, |w, entry| w.object(node, &Organization(entry)))
            }
            "title" => w.str(&row.title),
            "startsOn" => w.date(row.starts_on),
            "endsOn" => w.optional_date(row.ends_on),
            "timeZone" => w.str(&row.time_zone),
            "facilities" if row.all_facilities => w.null(),
            "facilities" => {
                let scope = self.0.facilities.iter().filter_map(|id| access.facility(*id));
                let mut scope: Vec<_> = scope.collect();
                scope.sort_by(|a, b| a.row.slug.cmp(&b.row.slug));
                w.list(node, scope, |w, entry| w.object(node, &Facility(entry)))
            }
            "programs" if row.all_programs => w.null(),
            "programs" => {
                // A sensitive program in scope would tell an outsider where it takes place.
                let inside = access.viewer.is_staff_of(row.organization_id);
                let scope = self.0.programs.iter().filter_map(|id| access.program(*id)).filter(|view| {
                    inside || view.entry.row.sensitivity == entity::value::Sensitivity::General
                });
                let mut scope: Vec<_> = scope.collect();
                scope.sort_by(|a, b| a.entry.row.slug.cmp(&b.entry.row.slug));
                w.list(node, scope, |w, view| w.object(node, &Program(view)))
            }
            "shares" => w.list(node, &row.shares.0, |w, share| w.word(share)),
            "active" => w.bool(self.0.active(access.now)),
            "version" => w.int(row.version.into()),
            _ => w.absent(node),
        }
    }
}

/// The mutations of agreements.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "createAgreement" => {
            let mut agreement: CreateAgreement = input.read()?;
            agreement.once = input.once(name)?;
            Ok(access.create_agreement(agreement).await?.map(Subject::Agreement))
        }
        "updateAgreement" => {
            let mut agreement: UpdateAgreement = input.read()?;
            agreement.at = input.at("id")?;
            access.update_agreement(agreement).await?;
            Ok(input.subject())
        }
        _ => input.publish_or_archive(access, name, Kind::Agreement).await,
    }
}
