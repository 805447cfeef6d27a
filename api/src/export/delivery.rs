//! Deliveries: a row for each line.

use entity::value::{ReachMethod, RowClass, VoidReason};
use sea_orm::ActiveEnum;

use super::Cell;
use crate::{
    id::{self, Kind},
    import::{self, Header, headers, passed_over},
    store::{
        Access,
        distribution::{Exported, ExportedLine},
    },
};

/// What outsiders do not read of a delivery.
const FOR_STAFF: [&str; 4] = ["line_people_reached", "class", "version", "void_note"];

/// The columns of deliveries: those that an import reads, then what only tells.
pub fn columns(outside: bool) -> Vec<Header> {
    let kind = import::Kind::Distributions;
    let all = headers(kind).iter().chain(passed_over(kind));
    all.filter(|header| !outside || !FOR_STAFF.contains(&header.name)).copied().collect()
}

/// The rows of a delivery: one for each line and, without lines that the viewer may see, one of the delivery alone.
/// What the registry does not show this viewer is empty.
pub fn rows<'a>(access: &'a Access, columns: &[Header], delivery: &'a Exported) -> Vec<Vec<Cell<'a>>> {
    let row = |line: Option<&'a ExportedLine>| -> Vec<Cell<'a>> {
        columns.iter().map(|column| cell(access, column.name, delivery, line)).collect()
    };
    if delivery.lines.is_empty() {
        return vec![row(None)];
    }
    delivery.lines.iter().map(|line| row(Some(line))).collect()
}

fn cell<'a>(
    access: &'a Access,
    column: &str,
    delivery: &'a Exported,
    line: Option<&'a ExportedLine>,
) -> Cell<'a> {
    let row = &delivery.row;
    let catalog = &access.catalog;
    let goods = line.map(|line| &line.goods);
    let inside = row.inside.as_ref();
    match column {
        "key" => match &delivery.import_key {
            Some(key) => key.as_str().into(),
            None => id::text(Kind::Distribution, row.id).into(),
        },
        "organization" => {
            catalog.organizations.get(row.organization_id).map(|entry| entry.row.slug.as_str()).into()
        }
        "facility" => catalog.facilities.get(row.facility_id).map(|entry| entry.row.slug.as_str()).into(),
        "program" => access.program(row.program_id).map(|view| view.entry.row.slug.as_str()).into(),
        "occurred_on" => row.occurred_on.to_string().into(),
        "recorded_at" => row.recorded_at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true).into(),
        "status" => row.status.to_value().into(),
        "people_reached" => row.people_reached.into(),
        "reach_method" => row.people_reached.map(|_| ReachMethod::to_value(&row.reach_method)).into(),
        "item" => {
            let item = goods.and_then(|goods| access.item(goods.item_id?));
            item.map(|view| view.entry.row.code.as_str()).into()
        }
        "kit" => {
            let kit = goods.and_then(|goods| access.kit(goods.kit_id?));
            kit.map(|view| view.entry.row.code.as_str()).into()
        }
        "kit_version" => goods.and_then(|goods| goods.kit_version).into(),
        "quantity" => goods.map(|goods| goods.quantity).into(),
        "line_people_reached" => line.and_then(|line| line.people_reached).into(),
        "class" => inside.map(|inside| RowClass::to_value(&inside.class)).into(),
        "version" => inside.map(|inside| inside.version).into(),
        "void_reason" => row.void_reason.as_ref().map(VoidReason::to_value).into(),
        "void_note" => inside.and_then(|inside| inside.void_note.as_deref()).into(),
        _ => Cell::Empty,
    }
}
