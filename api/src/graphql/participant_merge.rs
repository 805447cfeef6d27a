//! Records of one woman that are, or were, merged.

use entity::participant_merge::Model;
use uuid::Uuid;

use super::{
    audit::actor,
    connection::{Connection, Names, counted, cursors, selected, window},
    mutation::{Done, Input, Subject},
    node::Node,
    participant,
    render::{Need, Object, Writer, Written},
};
use crate::{
    error::{Error, Result},
    id::Kind,
    store::{
        Access,
        participant::{
            Asked, Found,
            merge::{DecideMerge, Listing, ProposeMerge},
        },
    },
};

const NAMES: Names = Names { connection: "ParticipantMergeConnection", edge: "ParticipantMergeEdge" };

struct ParticipantMerge<'a>(&'a Model);

/// `Query.participantMerges`.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let fetched = w.fetched;
    match fetched.records.get(&(node.number, Uuid::nil())) {
        Some(Ok(Found::Merges(page))) => {
            let connection = Connection {
                names: NAMES,
                page,
                cursors: cursors(w.access, node, NAMES.connection, ""),
                draw: |w: &mut Writer<'_>, node: &Node<'_>, row: &Model| {
                    w.object(node, &ParticipantMerge(row))
                },
                place: Access::merge_place,
            };
            w.object(node, &connection)
        }
        Some(Err(error)) => w.fail(node, error.clone()),
        Some(Ok(_)) => w.absent(node),
        None => match listing(node, w.access) {
            Ok(listing) => w.need(Need::Record(node.number, Uuid::nil(), Asked::Merges(Box::new(listing)))),
            Err(error) => w.fail(node, error),
        },
    }
}

fn listing(node: &Node<'_>, access: &Access) -> Result<Listing> {
    Ok(Listing {
        filter: node.argument("filter")?.unwrap_or_default(),
        window: window(node, &cursors(access, node, NAMES.connection, ""))?,
        with_total: counted(node, NAMES),
        fields: selected(node, NAMES, "ParticipantMerge"),
    })
}

/// One that was just proposed, decided or undone.
pub fn one(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    let fetched = w.fetched;
    match fetched.records.get(&(node.number, id)) {
        Some(Ok(Found::Merge(Some(row)))) => w.object(node, &ParticipantMerge(row)),
        Some(Ok(_)) => w.null(),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => {
            let fields = node.fields("ParticipantMerge").iter().map(|field| field.name.to_owned()).collect();
            w.need(Need::Record(node.number, id, Asked::Merge(fields)))
        }
    }
}

impl Object for ParticipantMerge<'_> {
    fn type_name(&self) -> &str {
        "ParticipantMerge"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = self.0;
        match node.name {
            "id" => w.id(Kind::ParticipantMerge, row.id),
            "version" => w.int(row.version.into()),
            "status" => w.word(&row.status),
            "kept" => participant::one(node, w, row.kept_id),
            "merged" => participant::one(node, w, row.merged_id),
            "proposedAt" => w.moment(row.proposed_at),
            "proposedBy" => actor(node, w, Some(row.proposed_by)),
            "decidedAt" => w.optional_moment(row.decided_at),
            "decidedBy" => actor(node, w, row.decided_by),
            "undoneAt" => w.optional_moment(row.undone_at),
            "undoneBy" => actor(node, w, row.undone_by),
            _ => w.absent(node),
        }
    }
}

/// The mutations of merges.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "proposeMerge" => {
            let propose: ProposeMerge = input.read()?;
            let propose = ProposeMerge { once: input.once(name)?, ..propose };
            Ok(access.propose_merge(propose).await?.map(Subject::ParticipantMerge))
        }
        "decideMerge" => {
            let decide: DecideMerge = input.read()?;
            access.decide_merge(DecideMerge { at: input.at("id")?, ..decide }).await?;
            Ok(input.subject())
        }
        "undoMerge" => {
            access.undo_merge(input.at("id")?, input.validate_only()).await?;
            Ok(input.subject())
        }
        _ => Err(Error::Internal(format!("no mutation {name}")).into()),
    }
}
