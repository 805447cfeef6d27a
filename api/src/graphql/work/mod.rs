//! Programs at work and pay-outs, for staff.

mod draw;
mod mutate;
mod payout;
mod sync;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use self::{draw::Drawn, payout::Savings};
pub use self::{
    mutate::mutate,
    sync::{Answer as Synced, sync},
};
use super::{
    connection::{Connection, Names, cursors, window},
    node::Node,
    render::{Need, Writer, Written},
};
use crate::{
    error::{Error, Result},
    id::{GlobalId, Kind},
    store::{
        Access,
        keyset::Page,
        payout::savings,
        work::read::{self, Parent, Row},
    },
};

/// What has to be fetched of programs at work.
pub enum Asked {
    /// A page for the field with this number, below a row or of all.
    Page(usize, Option<(Parent, Uuid)>, Box<read::Asked>),
    /// A row by its id, with the fields that are selected.
    Row(Kind, Uuid, Vec<String>),
    /// The attendance of a session.
    Attendance(Uuid, Vec<String>),
    /// What is kept for a woman.
    Savings(Uuid),
}

/// What has been fetched.
#[derive(Default)]
pub struct Fetched {
    pages: HashMap<(usize, Uuid), Result<Page<Row>>>,
    rows: HashMap<(Kind, Uuid), Result<Option<Row>>>,
    attendance: HashMap<Uuid, Result<Vec<Row>>>,
    savings: HashMap<Uuid, Result<Vec<savings::Savings>>>,
}

/// The names of a kind in the schema: its type, its connection and the edges of that.
fn names(kind: Kind) -> (&'static str, Names) {
    macro_rules! of {
        ($name:literal) => {
            ($name, Names { connection: concat!($name, "Connection"), edge: concat!($name, "Edge") })
        };
    }
    match kind {
        Kind::Workshop => of!("Workshop"),
        Kind::Session => of!("Session"),
        Kind::Enrolment => of!("Enrolment"),
        Kind::Attendance => of!("Attendance"),
        Kind::Skill => of!("Skill"),
        Kind::Product => of!("Product"),
        Kind::ProductionBatch => of!("ProductionBatch"),
        Kind::Sale => of!("Sale"),
        Kind::PayoutPolicy => of!("PayoutPolicy"),
        Kind::PayoutRun => of!("PayoutRun"),
        Kind::Payout => of!("Payout"),
        Kind::SavingsWithdrawal => of!("SavingsWithdrawal"),
        _ => of!("LegalMatter"),
    }
}

/// The kind that a list is of; none when the field is no list.
fn listed(field: &str) -> Option<Kind> {
    Some(match field {
        "workshops" => Kind::Workshop,
        "sessions" => Kind::Session,
        "enrolments" => Kind::Enrolment,
        "attendance" => Kind::Attendance,
        "skills" => Kind::Skill,
        "products" => Kind::Product,
        "productionBatches" => Kind::ProductionBatch,
        "sales" => Kind::Sale,
        "legalMatters" => Kind::LegalMatter,
        "payoutPolicies" => Kind::PayoutPolicy,
        "payoutRuns" => Kind::PayoutRun,
        "payouts" => Kind::Payout,
        "savingsWithdrawals" => Kind::SavingsWithdrawal,
        _ => return None,
    })
}

/// The queries of programs at work.
pub fn query(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let Some(kind) = listed(node.name) else {
        let id = node.required::<String>(if node.name == "savings" { "participant" } else { "id" });
        return match id.and_then(|id| GlobalId::parse(&id).ok_or_else(super::not_an_id)) {
            Err(error) => w.fail(node, error),
            Ok(GlobalId { id, .. }) if node.name == "savings" => kept(node, w, id),
            Ok(GlobalId { kind: Kind::PayoutRun, id }) => one(node, w, Kind::PayoutRun, id),
            Ok(_) => w.null(),
        };
    };
    list(node, w, kind, None)
}

/// A list of rows below one, as its query gives them.
pub fn below(node: &Node<'_>, w: &mut Writer<'_>, parent: Parent, id: Uuid) -> Written {
    match listed(node.name) {
        Some(kind) => list(node, w, kind, Some((parent, id))),
        None => w.absent(node),
    }
}

fn list(node: &Node<'_>, w: &mut Writer<'_>, kind: Kind, parent: Option<(Parent, Uuid)>) -> Written {
    let fetched = w.fetched;
    let (_, list) = names(kind);
    let under = parent.map(|(_, id)| id).unwrap_or_default();
    match fetched.work.pages.get(&(node.number, under)) {
        None => match asked(node, w.access, kind, parent) {
            Ok(asked) => w.need(Need::Work(Box::new(Asked::Page(node.number, parent, Box::new(asked))))),
            Err(error) => w.fail(node, error),
        },
        Some(Err(error)) => w.fail(node, error.clone()),
        Some(Ok(page)) => {
            let connection = Connection {
                names: list,
                page,
                cursors: cursors(w.access, node, list.connection, &text_of(parent)),
                draw: |w: &mut Writer<'_>, node: &Node<'_>, row: &Row| w.object(node, &Drawn(row)),
                place: Row::place,
            };
            w.object(node, &connection)
        }
    }
}

/// What the cursors of a list are bound to beside the list.
fn text_of(parent: Option<(Parent, Uuid)>) -> String {
    parent.map_or_else(String::new, |(_, id)| id.to_string())
}

fn asked(
    node: &Node<'_>,
    access: &Access,
    kind: Kind,
    parent: Option<(Parent, Uuid)>,
) -> Result<read::Asked> {
    let (ty, list) = names(kind);
    let mut fields = BTreeSet::new();
    for field in node.fields(list.connection) {
        match field.name {
            "nodes" => fields.extend(selected(field, ty)),
            "edges" => {
                let nodes = field.fields(list.edge).iter().filter(|field| field.name == "node");
                fields.extend(nodes.flat_map(|node| selected(node, ty)));
            }
            _ => {}
        }
    }
    Ok(read::Asked {
        kind,
        filter: node.argument("filter")?.unwrap_or_default(),
        window: window(node, &cursors(access, node, list.connection, &text_of(parent)))?,
        fields: fields.into_iter().collect(),
    })
}

/// The fields that are selected on an object of a type.
fn selected(node: &Node<'_>, ty: &str) -> Vec<String> {
    let fields: BTreeSet<&str> = node.fields(ty).iter().map(|field| field.name).collect();
    fields.into_iter().map(str::to_owned).collect()
}

/// A row by its id; null when there is none, or none that the viewer may see.
pub fn one(node: &Node<'_>, w: &mut Writer<'_>, kind: Kind, id: Uuid) -> Written {
    let fetched = w.fetched;
    match fetched.work.rows.get(&(kind, id)) {
        Some(Ok(Some(row))) => w.object(node, &Drawn(row)),
        Some(Ok(None)) => w.null(),
        Some(Err(error)) => w.fail(node, error.clone()),
        None if !w.access.reads_work(kind) => w.null(),
        None => {
            let fields = selected(node, names(kind).0);
            w.need(Need::Work(Box::new(Asked::Row(kind, id, fields))))
        }
    }
}

fn optional(node: &Node<'_>, w: &mut Writer<'_>, kind: Kind, id: Option<Uuid>) -> Written {
    match id {
        Some(id) => one(node, w, kind, id),
        None => w.null(),
    }
}

/// `Session.attendance`.
fn attendance(node: &Node<'_>, w: &mut Writer<'_>, session: Uuid) -> Written {
    let fetched = w.fetched;
    match fetched.work.attendance.get(&session) {
        Some(Ok(rows)) => w.list(node, rows, |w, row| w.object(node, &Drawn(row))),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => {
            let fields = selected(node, "Attendance");
            w.need(Need::Work(Box::new(Asked::Attendance(session, fields))))
        }
    }
}

/// `Query.savings`.
fn kept(node: &Node<'_>, w: &mut Writer<'_>, woman: Uuid) -> Written {
    let fetched = w.fetched;
    match fetched.work.savings.get(&woman) {
        Some(Ok(rows)) => w.list(node, rows, |w, row| w.object(node, &Savings(row))),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => w.need(Need::Work(Box::new(Asked::Savings(woman)))),
    }
}

/// Rows that are fetched together, with all fields that any of them is asked for.
#[derive(Default)]
struct Together {
    ids: BTreeSet<Uuid>,
    fields: BTreeSet<String>,
}

impl Together {
    fn add(&mut self, id: Uuid, fields: Vec<String>) {
        self.ids.insert(id);
        self.fields.extend(fields);
    }

    fn parts(self) -> (Vec<Uuid>, Vec<String>) {
        (self.ids.into_iter().collect(), self.fields.into_iter().collect())
    }
}

/// Fetches what a pass has missed, each kind together.
pub async fn fetch(access: &Access, needs: Vec<Asked>, fetched: &mut Fetched) {
    let mut rows: BTreeMap<u8, (Kind, Together)> = BTreeMap::new();
    let mut sessions = Together::default();
    let mut below: BTreeMap<usize, Vec<(Parent, Uuid, read::Asked)>> = BTreeMap::new();
    for need in needs {
        match need {
            Asked::Page(number, None, asked) => {
                fetched.pages.insert((number, Uuid::nil()), access.work(&asked).await);
            }
            Asked::Page(number, Some((parent, id)), asked) => {
                below.entry(number).or_default().push((parent, id, *asked));
            }
            Asked::Row(kind, id, fields) => {
                rows.entry(kind as u8).or_insert_with(|| (kind, Together::default())).1.add(id, fields);
            }
            Asked::Attendance(session, fields) => sessions.add(session, fields),
            Asked::Savings(woman) => {
                fetched.savings.insert(woman, access.savings(woman).await);
            }
        }
    }
    for (number, lists) in below {
        // A cursor belongs to one parent, so pages that start at one are read one by one.
        let placed =
            lists.iter().any(|(.., asked)| asked.window.after.is_some() || asked.window.before.is_some());
        for together in lists.chunks(if placed { 1 } else { lists.len() }) {
            let Some((parent, _, asked)) = together.first() else { continue };
            let mut ids: Vec<Uuid> = together.iter().map(|(_, id, _)| *id).collect();
            ids.sort_unstable();
            ids.dedup();
            let mut found = access.work_below(asked, *parent, &ids).await;
            fetched.pages.extend(ids.into_iter().map(|id| {
                let none = || Error::Internal("a list was not looked for".into());
                let page = found.as_mut().map_err(|error| error.clone());
                ((number, id), page.and_then(|found| found.remove(&id).ok_or_else(none)))
            }));
        }
    }
    for (kind, together) in rows.into_values() {
        let (ids, fields) = together.parts();
        let mut found = access.work_by_id(kind, &ids, &fields).await;
        fetched.rows.extend(ids.into_iter().map(|id| {
            let row = found.as_mut().map(|found| found.remove(&id)).map_err(|error| error.clone());
            ((kind, id), row)
        }));
    }
    if !sessions.ids.is_empty() {
        let (ids, fields) = sessions.parts();
        let mut found: Result<HashMap<_, _>, Error> = access.attendance_by_session(&ids, &fields).await;
        fetched.attendance.extend(ids.into_iter().map(|id| {
            let rows = found.as_mut().map(|found| found.remove(&id).unwrap_or_default());
            (id, rows.map_err(|error| error.clone()))
        }));
    }
}
