//! The safeguarding log, for stewards; who else works at it only writes.

use uuid::Uuid;

use super::{
    audit::actor,
    connection::{Connection, Names, counted, cursors, selected, window},
    mutation::{Done, Input, Subject},
    node::Node,
    render::{Need, Object, Writer, Written},
};
use crate::{
    auth::Right,
    error::{Error, Result},
    id::Kind,
    store::{
        Access,
        safeguarding::{Asked, CloseNote, Note, RecordNote},
    },
};

const NAMES: Names = Names { connection: "SafeguardingNoteConnection", edge: "SafeguardingNoteEdge" };

struct SafeguardingNote<'a>(&'a Note);

/// `Query.safeguardingNotes`.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let fetched = w.fetched;
    match fetched.safeguarding_notes.get(&node.number) {
        Some(Ok(page)) => {
            let connection = Connection {
                names: NAMES,
                page,
                cursors: cursors(w.access, node, NAMES.connection, ""),
                draw: |w: &mut Writer<'_>, node: &Node<'_>, row: &Note| {
                    w.object(node, &SafeguardingNote(row))
                },
                place: Access::safeguarding_place,
            };
            w.object(node, &connection)
        }
        Some(Err(error)) => w.fail(node, error.clone()),
        None => match asked(node, w.access) {
            Ok(asked) => w.need(Need::SafeguardingNotes(node.number, Box::new(asked))),
            Err(error) => w.fail(node, error),
        },
    }
}

fn asked(node: &Node<'_>, access: &Access) -> Result<Asked> {
    Ok(Asked {
        filter: node.argument("filter")?.unwrap_or_default(),
        window: window(node, &cursors(access, node, NAMES.connection, ""))?,
        fields: selected(node, NAMES, "SafeguardingNote"),
        with_total: counted(node, NAMES),
    })
}

/// A note that was just written or closed; null for who may not read the log.
pub fn one(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    if !w.access.viewer.has(Right::SafeguardingRead) {
        return w.null();
    }
    let fetched = w.fetched;
    match fetched.safeguarding.get(&id) {
        Some(Ok(Some(note))) => w.object(node, &SafeguardingNote(note)),
        Some(Ok(None)) => w.null(),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => {
            let fields = node.fields("SafeguardingNote").iter().map(|field| field.name.to_owned()).collect();
            w.need(Need::SafeguardingNote(id, fields))
        }
    }
}

impl Object for SafeguardingNote<'_> {
    fn type_name(&self) -> &str {
        "SafeguardingNote"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let Note { row: note, text, closing_reason } = self.0;
        let kind = note.about_kind.and_then(|kind| u8::try_from(kind).ok()).and_then(Kind::from_byte);
        match node.name {
            "id" => w.id(Kind::SafeguardingNote, note.id),
            "kind" => w.word(&note.kind),
            "text" => in_clear(node, w, Some(text)),
            "about" => match kind.zip(note.about_id) {
                Some((kind, id)) => w.id(kind, id),
                None => w.null(),
            },
            "recordedAt" => w.moment(note.recorded_at),
            "recordedBy" => actor(node, w, note.recorded_by),
            "status" => w.word(&note.status),
            "closedAt" => match note.closed_at {
                Some(at) => w.moment(at),
                None => w.null(),
            },
            "closedBy" => actor(node, w, note.closed_by),
            "closingReason" => in_clear(node, w, closing_reason.as_ref()),
            "version" => w.int(note.version.into()),
            _ => w.absent(node),
        }
    }
}

fn in_clear(node: &Node<'_>, w: &mut Writer<'_>, text: Option<&Result<String>>) -> Written {
    match text {
        Some(Ok(text)) => w.str(text),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => w.null(),
    }
}

/// The mutations of the log.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "recordSafeguardingNote" => {
            let mut note: RecordNote = input.read()?;
            note.once = input.once(name)?;
            Ok(access.record_safeguarding_note(note).await?.map(Subject::SafeguardingNote))
        }
        "closeSafeguardingNote" => {
            let mut note: CloseNote = input.read()?;
            note.at = input.at("id")?;
            access.close_safeguarding_note(note).await?;
            Ok(input.subject())
        }
        _ => Err(Error::Internal(format!("no mutation {name}")).into()),
    }
}
