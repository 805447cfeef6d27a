//! Relay connections over pages.

use serde::Deserialize;

use super::{
    cursor::Cursors,
    node::Node,
    render::{Object, Writer, Written},
};
use crate::{
    error::Result,
    store::keyset::{Direction, Page, Place, Window},
};

/// A page as a connection: how a row is drawn, and where it stands.
pub struct Connection<'a, T, D, P>
where
    D: Fn(&mut Writer<'_>, &Node<'_>, &T) -> Written,
    P: Fn(&T) -> Place,
{
    pub names: Names,
    pub page: &'a Page<T>,
    pub cursors: Cursors,
    pub draw: D,
    pub place: P,
}

/// The names of a connection's types.
#[derive(Clone, Copy)]
pub struct Names {
    pub connection: &'static str,
    pub edge: &'static str,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum OrderDirection {
    Asc,
    Desc,
}

#[derive(Deserialize)]
struct OrderInput<F> {
    field: F,
    direction: OrderDirection,
}

/// The order that a field asks for, or the list's own.
pub fn order<F: serde::de::DeserializeOwned>(
    node: &Node<'_>,
    field: F,
    direction: Direction,
) -> Result<(F, Direction)> {
    Ok(match node.argument::<OrderInput<F>>("orderBy")? {
        None => (field, direction),
        Some(OrderInput { field, direction: OrderDirection::Asc }) => (field, Direction::Ascending),
        Some(OrderInput { field, direction: OrderDirection::Desc }) => (field, Direction::Descending),
    })
}

/// The list that a field stands for: what its cursors are bound to.
pub fn cursors(access: &crate::store::Access, node: &Node<'_>, list: &str, parent: &str) -> Cursors {
    let part = |name: &str| node.raw(name).map(ToString::to_string).unwrap_or_default();
    Cursors::new(access, &[list, parent, &part("filter"), &part("orderBy")])
}

/// Whether the whole list has to be counted.
pub fn counted(node: &Node<'_>, names: Names) -> bool {
    node.fields(names.connection).iter().any(|field| field.name == "totalCount")
}

/// The names of the fields that a list is asked for of each row.
pub fn selected(node: &Node<'_>, names: Names, row: &str) -> Vec<String> {
    let mut selected = std::collections::BTreeSet::new();
    for field in node.fields(names.connection) {
        let edges = field.fields(names.edge).iter().filter(|field| field.name == "node");
        for row_at in std::iter::once(field).chain(edges) {
            selected.extend(row_at.fields(row).iter().map(|field| field.name.to_owned()));
        }
    }
    selected.into_iter().collect()
}

/// The page that a field asks for.
///
/// # Errors
/// `Invalid` unless one of `first` and `last` is given; `BadCursor` for a cursor of another list.
pub fn window(node: &Node<'_>, cursors: &Cursors) -> Result<Window> {
    let open = |name| -> Result<Option<Place>> {
        node.argument::<String>(name)?.map(|cursor| cursors.open(&cursor)).transpose()
    };
    Window::new(node.argument("first")?, open("after")?, node.argument("last")?, open("before")?)
}

impl<T, D, P> Object for Connection<'_, T, D, P>
where
    D: Fn(&mut Writer<'_>, &Node<'_>, &T) -> Written,
    P: Fn(&T) -> Place,
{
    fn type_name(&self) -> &str {
        self.names.connection
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "nodes" => w.list(node, &self.page.rows, |w, row| (self.draw)(w, node, row)),
            "edges" => {
                w.list(node, &self.page.rows, |w, row| w.object(node, &Edge { connection: self, row }))
            }
            "pageInfo" => w.object(node, &PageInfo { connection: self }),
            "totalCount" => match self.page.total {
                Some(total) => w.count(node, total),
                None => w.absent(node),
            },
            _ => w.absent(node),
        }
    }
}

struct Edge<'c, 'a, T, D, P>
where
    D: Fn(&mut Writer<'_>, &Node<'_>, &T) -> Written,
    P: Fn(&T) -> Place,
{
    connection: &'c Connection<'a, T, D, P>,
    row: &'c T,
}

impl<T, D, P> Object for Edge<'_, '_, T, D, P>
where
    D: Fn(&mut Writer<'_>, &Node<'_>, &T) -> Written,
    P: Fn(&T) -> Place,
{
    fn type_name(&self) -> &str {
        self.connection.names.edge
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "cursor" => w.str(&self.connection.cursors.seal(&(self.connection.place)(self.row))),
            "node" => (self.connection.draw)(w, node, self.row),
            _ => w.absent(node),
        }
    }
}

struct PageInfo<'c, 'a, T, D, P>
where
    D: Fn(&mut Writer<'_>, &Node<'_>, &T) -> Written,
    P: Fn(&T) -> Place,
{
    connection: &'c Connection<'a, T, D, P>,
}

impl<T, D, P> Object for PageInfo<'_, '_, T, D, P>
where
    D: Fn(&mut Writer<'_>, &Node<'_>, &T) -> Written,
    P: Fn(&T) -> Place,
{
    fn type_name(&self) -> &str {
        "PageInfo"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let Connection { page, cursors, place, .. } = self.connection;
        let seal = |row: Option<&T>| row.map(|row| cursors.seal(&place(row)));
        match node.name {
            "hasNextPage" => w.bool(page.has_next),
            "hasPreviousPage" => w.bool(page.has_previous),
            "startCursor" => w.optional_str(seal(page.rows.first()).as_deref()),
            "endCursor" => w.optional_str(seal(page.rows.last()).as_deref()),
            _ => w.absent(node),
        }
    }
}

/// A page of a list that is in memory, drawn as a connection.
pub fn from_memory<'a, T: 'a>(
    w: &mut Writer<'a>,
    node: &Node<'_>,
    names: Names,
    parent: &str,
    read: impl FnOnce(&'a crate::store::Access, &Window) -> Result<Page<T>>,
    place: impl Fn(&T) -> Place,
    draw: impl Fn(&mut Writer<'_>, &Node<'_>, &T) -> Written,
) -> Written {
    let access = w.access;
    let cursors = cursors(access, node, names.connection, parent);
    match window(node, &cursors).and_then(|window| read(access, &window)) {
        Ok(page) => w.object(node, &Connection { names, page: &page, cursors, draw, place }),
        Err(error) => w.fail(node, error),
    }
}
