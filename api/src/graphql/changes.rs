//! The feed of a device: what has changed since it asked last.

use super::{
    cursor::Cursors,
    node::Node,
    query,
    render::{Need, Object, Writer, Written},
};
use crate::{
    error::{Error, Result},
    id,
    store::{
        Access,
        changes::{Change, Changes, Place, Position},
        keyset,
    },
};

/// The most changes of a page.
const MOST: i64 = 500;

struct Page<'a>(&'a Changes);
struct Changed<'a>(&'a Change);

/// `Query.changes`.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let fetched = w.fetched;
    match fetched.changes.get(&node.number) {
        Some(Ok(changes)) => w.object(node, &Page(changes)),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => match asked(node, w.access) {
            Ok((since, first)) => w.need(Need::Changes(node.number, since, first)),
            Err(error) => w.fail(node, error),
        },
    }
}

fn asked(node: &Node<'_>, access: &Access) -> Result<(Option<Position>, usize)> {
    let since: Option<String> = node.argument("since")?;
    let since = since.map(|since| open(access, &since)).transpose()?;
    let first: i64 = node.required("first")?;
    match usize::try_from(first) {
        Ok(first) if (1..=MOST).contains(&(first as i64)) => Ok((since, first)),
        _ => Err(Error::invalid("Ask for 1 to 500 changes at a time.")),
    }
}

/// A position fits one viewer with the facilities that the viewer has now: with others, other rows are in scope.
fn cursors(access: &Access) -> Cursors {
    let cut = access.viewer.facilities().map(|cut| {
        let mut cut: Vec<String> = cut.iter().map(ToString::to_string).collect();
        cut.sort_unstable();
        cut.join(" ")
    });
    let role = access.viewer.role().map_or("", crate::auth::rights::role_name);
    Cursors::new(access, &["changes", role, cut.as_deref().unwrap_or("all")])
}

fn seal(access: &Access, position: &Position) -> String {
    let last = position.last.map(|last| format!(" {} {} {}", position.from, last.changed, last.kind));
    let last = last.unwrap_or_default();
    let place = keyset::Place {
        key: keyset::Key::Text(format!("{}{last}", position.safe)),
        id: position.last.map_or_else(uuid::Uuid::nil, |last| last.row),
    };
    cursors(access).seal(&place)
}

fn open(access: &Access, text: &str) -> Result<Position> {
    let place = cursors(access).open(text)?;
    let keyset::Key::Text(numbers) = place.key else { return Err(Error::BadCursor) };
    let mut numbers = numbers.split(' ').map(str::parse::<i64>);
    let mut next = || numbers.next().transpose().map_err(|_| Error::BadCursor);
    let safe = next()?.ok_or(Error::BadCursor)?;
    let (from, changed, kind) = (next()?, next()?, next()?);
    let last = match (changed, kind) {
        (Some(changed), Some(kind)) => {
            let kind = i32::try_from(kind).map_err(|_| Error::BadCursor)?;
            Some(Place { changed, kind, row: place.id })
        }
        _ => None,
    };
    Ok(Position { safe, from: from.unwrap_or(safe), last })
}

impl Object for Page<'_> {
    fn type_name(&self) -> &str {
        "Changes"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "changes" => w.list(node, &self.0.rows, |w, change| w.object(node, &Changed(change))),
            "next" => {
                let next = seal(w.access, &self.0.next);
                w.str(&next)
            }
            "more" => w.bool(self.0.more),
            _ => w.absent(node),
        }
    }
}

impl Object for Changed<'_> {
    fn type_name(&self) -> &str {
        "Change"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let change = self.0;
        match node.name {
            "id" => w.id(change.kind, change.id),
            "ended" => w.bool(change.ended),
            "node" => query::by_id(node, w, &id::text(change.kind, change.id)),
            _ => w.absent(node),
        }
    }
}
