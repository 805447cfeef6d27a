//! Deliveries that were likely entered twice.

use super::{
    connection::{Connection, Names, cursors, window},
    distribution,
    facility::Facility,
    mutation::{Done, Input, Subject},
    node::Node,
    render::{Need, Object, Writer, Written},
};
use crate::{
    error::Result,
    store::{
        Access,
        duplicate::{Alike, Filter, ResolveDuplicates},
        keyset::Window,
    },
};

const NAMES: Names = Names { connection: "LikelyDuplicateConnection", edge: "LikelyDuplicateEdge" };

struct LikelyDuplicate<'a>(&'a Alike);

/// `Query.likelyDuplicates`.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let fetched = w.fetched;
    match fetched.duplicates.get(&node.number) {
        Some(Ok(page)) => {
            let connection = Connection {
                names: NAMES,
                page,
                cursors: cursors(w.access, node, NAMES.connection, ""),
                draw: |w: &mut Writer<'_>, node: &Node<'_>, row: &Alike| {
                    w.object(node, &LikelyDuplicate(row))
                },
                place: Access::alike_place,
            };
            w.object(node, &connection)
        }
        Some(Err(error)) => w.fail(node, error.clone()),
        None => match asked(node, w.access) {
            Ok((filter, window)) => w.need(Need::Duplicates(node.number, Box::new(filter), window)),
            Err(error) => w.fail(node, error),
        },
    }
}

fn asked(node: &Node<'_>, access: &Access) -> Result<(Filter, Window)> {
    Ok((node.required("filter")?, window(node, &cursors(access, node, NAMES.connection, ""))?))
}

impl Object for LikelyDuplicate<'_> {
    fn type_name(&self) -> &str {
        "LikelyDuplicate"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "facility" => match w.access.catalog.facilities.get(self.0.facility) {
                Some(entry) => w.object(node, &Facility(entry)),
                None => w.absent(node),
            },
            "occurredOn" => w.date(self.0.occurred_on),
            "distributions" => w.list(node, &self.0.deliveries, |w, id| distribution::one(node, w, *id)),
            _ => w.absent(node),
        }
    }
}

/// `Mutation.resolveLikelyDuplicates`.
pub async fn resolve(access: &Access, input: &Input) -> Done {
    let resolve: ResolveDuplicates = input.read()?;
    let ids = access.resolve_duplicates(&resolve).await?;
    Ok(Some(Subject::Distributions(ids)))
}
