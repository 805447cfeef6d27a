//! Rows of cells into typed rows; rows that belong together are joined and compared.

use std::collections::HashMap;

use entity::value::{DistributionStatus, ProgramStatus};

use super::{
    Kind,
    cells::Cells,
    columns::Row,
    fault::{FaultCode, Faults, quoted, reason},
    forms,
    rows::{
        DistributionLineRow, DistributionRow, FacilityRow, ItemRow, KitLineRow, KitRow, ProgramRow, Rows,
        Supplied,
    },
};
use crate::store::program::sensitivity_of;

/// The most lines of a delivery, and the most items of a kit.
pub(super) const MOST_LINES: usize = 100;

/// The most of one item in a kit.
const MOST_IN_KIT: i32 = 10_000;

/// Collects typed rows of one kind.
pub(super) struct Parser {
    kind: Kind,
    rows: Rows,
    /// Where among `rows` the entry with a key is.
    places: HashMap<String, usize>,
}

impl Parser {
    pub(super) fn new(kind: Kind) -> Self {
        let rows = match kind {
            Kind::Distributions => Rows::Distributions(Vec::new()),
            Kind::Facilities => Rows::Facilities(Vec::new()),
            Kind::Programs => Rows::Programs(Vec::new()),
            Kind::Items => Rows::Items(Vec::new()),
            Kind::Kits => Rows::Kits(Vec::new()),
            Kind::Receipts | Kind::Movements => Rows::Forms(Vec::new()),
        };
        Parser { kind, rows, places: HashMap::new() }
    }

    pub(super) fn row(&mut self, row: &Row<'_>, faults: &mut Faults) {
        let mut cells = Cells::new(row, faults);
        match &mut self.rows {
            Rows::Distributions(rows) => {
                if let Some(found) = distribution(&mut cells) {
                    join_distribution(rows, &mut self.places, found, &mut cells);
                }
            }
            Rows::Kits(rows) => {
                if let Some(found) = kit(&mut cells) {
                    join_kit(rows, &mut self.places, found, &mut cells);
                }
            }
            Rows::Forms(rows) => {
                if let Some(found) = forms::form(self.kind, &mut cells) {
                    forms::join(rows, &mut self.places, found, &mut cells);
                }
            }
            Rows::Facilities(rows) => {
                if let Some(found) = facility(&mut cells) {
                    once(&mut self.places, "slug", &found.slug, &mut cells);
                    rows.push(found);
                }
            }
            Rows::Programs(rows) => {
                if let Some(found) = program(&mut cells) {
                    once(&mut self.places, "slug", &found.slug, &mut cells);
                    rows.push(found);
                }
            }
            Rows::Items(rows) => {
                if let Some(found) = item(&mut cells) {
                    once(&mut self.places, "code", &found.code, &mut cells);
                    rows.push(found);
                }
            }
        }
    }

    pub(super) fn finish(mut self, faults: &mut Faults) -> Rows {
        if let Rows::Kits(rows) = &mut self.rows {
            compare_versions(rows, faults);
        }
        self.rows
    }
}

/// Reports a second row with a name that must be the only one.
fn once(places: &mut HashMap<String, usize>, column: &str, name: &str, cells: &mut Cells<'_, '_>) {
    let line = cells.line();
    if let Some(first) = places.insert(name.to_owned(), line as usize) {
        let shown = quoted(name);
        let reason = reason!("{shown} is on line {first} already.", "{shown} ya está en la línea {first}.");
        cells.fault(column, FaultCode::Duplicate, reason);
    }
}

/// All cells are read before any is missed, so that a row reports everything that is wrong with it.
fn distribution(cells: &mut Cells<'_, '_>) -> Option<DistributionRow> {
    let key = cells.name("key");
    let facility = cells.name("facility");
    let program = cells.name("program");
    let occurred_on = cells.date("occurred_on");
    let people_reached = cells.number("people_reached", 0);
    let reach_method = cells.choice("reach_method");
    let supplied = supplied(cells);
    let quantity = cells.number("quantity", 1);
    let of_line = if cells.is_blank("line_people_reached") {
        people_reached
    } else {
        cells.number("line_people_reached", 0)
    };
    if let (Some(of_line), Some(people_reached)) = (of_line, people_reached)
        && of_line > people_reached
    {
        let reason = reason!(
            "The line reached {of_line}, more than the whole delivery: {people_reached}.",
            "El renglón alcanzó a {of_line}, más que toda la entrega: {people_reached}."
        );
        cells.fault("line_people_reached", FaultCode::OutOfRange, reason);
    }
    let happened = cells.is_blank("status") || happened(cells);
    let line = DistributionLineRow {
        line: cells.line(),
        supplied: supplied?,
        quantity: quantity?,
        people_reached: of_line?,
    };
    happened.then_some(())?;
    Some(DistributionRow {
        line: cells.line(),
        key: key?,
        facility: facility?,
        program: program?,
        occurred_on: occurred_on?,
        people_reached: people_reached?,
        reach_method: reach_method?,
        lines: vec![line],
    })
}

/// Only deliveries that took place are imported.
fn happened(cells: &mut Cells<'_, '_>) -> bool {
    use DistributionStatus::{Delivered, Dispatched, Planned, Verified, Voided};
    match cells.choice("status") {
        Some(Delivered | Verified) => true,
        Some(Planned | Dispatched | Voided) => {
            let reason = reason!(
                "Only deliveries that took place are imported; export with status=DELIVERED and status=VERIFIED.",
                "Solo se importan entregas que ocurrieron; exporte con status=DELIVERED y status=VERIFIED."
            );
            cells.fault("status", FaultCode::BadChoice, reason);
            false
        }
        None => false,
    }
}

pub(super) fn supplied(cells: &mut Cells<'_, '_>) -> Option<Supplied> {
    match (cells.is_blank("item"), cells.is_blank("kit")) {
        (true, true) => {
            let reason = reason!(
                "Either an item or a kit must be filled in.",
                "Debe llenarse un artículo (item) o un kit."
            );
            cells.fault("item", FaultCode::ItemOrKit, reason);
            None
        }
        (false, false) => {
            let reason = reason!(
                "An item and a kit are both filled in; use two rows with the same key.",
                "Hay un artículo y un kit; use dos filas con la misma clave (key)."
            );
            cells.fault("kit", FaultCode::ItemOrKit, reason);
            None
        }
        (false, true) => {
            if !cells.is_blank("kit_version") {
                let reason = reason!(
                    "Only a kit has versions, and here is an item.",
                    "Solo un kit tiene versiones, y aquí hay un artículo."
                );
                cells.fault("kit_version", FaultCode::ItemOrKit, reason);
                return None;
            }
            Some(Supplied::Item(cells.name("item")?))
        }
        (true, false) => {
            let code = cells.name("kit");
            let version =
                if cells.is_blank("kit_version") { None } else { Some(cells.number("kit_version", 1)?) };
            Some(Supplied::Kit { code: code?, version })
        }
    }
}

fn join_distribution(
    rows: &mut Vec<DistributionRow>,
    places: &mut HashMap<String, usize>,
    mut found: DistributionRow,
    cells: &mut Cells<'_, '_>,
) {
    let Some(first) = places.get(&found.key).and_then(|&place| rows.get_mut(place)) else {
        places.insert(found.key.clone(), rows.len());
        rows.push(found);
        return;
    };
    for (column, same) in [
        ("facility", first.facility == found.facility),
        ("program", first.program == found.program),
        ("occurred_on", first.occurred_on == found.occurred_on),
        ("people_reached", first.people_reached == found.people_reached),
        ("reach_method", first.reach_method == found.reach_method),
    ] {
        if !same {
            let (key, line) = (quoted(&found.key), first.line);
            let reason = reason!(
                "This differs from line {line}, which has the same key {key}.",
                "Esto difiere de la línea {line}, que tiene la misma clave {key}."
            );
            cells.fault(column, FaultCode::Disagrees, reason);
        }
    }
    for line in found.lines.drain(..) {
        if let Some(twice) = first.lines.iter().find(|other| other.supplied == line.supplied) {
            let column = if matches!(line.supplied, Supplied::Item(_)) { "item" } else { "kit" };
            let line = twice.line;
            let reason = reason!(
                "The delivery has the same on line {line}; write the sum once.",
                "La entrega ya tiene lo mismo en la línea {line}; escriba la suma una sola vez."
            );
            cells.fault(column, FaultCode::Duplicate, reason);
        }
        if first.lines.len() == MOST_LINES {
            let reason = reason!(
                "The delivery has more than {MOST_LINES} lines.",
                "La entrega tiene más de {MOST_LINES} renglones."
            );
            cells.fault("key", FaultCode::TooLarge, reason);
        } else if first.lines.len() < MOST_LINES {
            first.lines.push(line);
        }
    }
}

fn facility(cells: &mut Cells<'_, '_>) -> Option<FacilityRow> {
    let slug = cells.slug("slug");
    let name = cells.name("name");
    let aliases = cells.list("aliases");
    let country = if cells.is_blank("country") { Some(None) } else { cells.name("country").map(Some) };
    let region = cells.name("region");
    let municipality =
        if cells.is_blank("municipality") { Some(None) } else { cells.name("municipality").map(Some) };
    let kind = cells.choice("kind");
    Some(FacilityRow {
        line: cells.line(),
        slug: slug?,
        name: name?,
        aliases: aliases?,
        country: country?,
        region: region?,
        municipality: municipality?,
        kind: kind?,
    })
}

fn program(cells: &mut Cells<'_, '_>) -> Option<ProgramRow> {
    let slug = cells.slug("slug");
    let name = cells.localized_name();
    let description = cells.localized_text("description_es", "description_en");
    let areas = cells.choices("areas");
    let techniques = cells.list("techniques");
    let status = if cells.is_blank("status") { Some(ProgramStatus::Active) } else { cells.choice("status") };
    let starts_on = cells.date("starts_on");
    let ends_on = if cells.is_blank("ends_on") { Some(None) } else { cells.date("ends_on").map(Some) };
    let sites = cells.list("facilities");
    if let (Some(starts_on), Some(Some(ends_on))) = (starts_on, ends_on)
        && ends_on < starts_on
    {
        let reason = reason!(
            "The last day, {ends_on}, is before the first, {starts_on}.",
            "El último día, {ends_on}, es anterior al primero, {starts_on}."
        );
        cells.fault("ends_on", FaultCode::OutOfRange, reason);
    }
    let areas = areas?;
    Some(ProgramRow {
        line: cells.line(),
        slug: slug?,
        name: name?,
        description: description?,
        sensitivity: sensitivity_of(&areas),
        areas,
        techniques: techniques?,
        status: status?,
        starts_on: starts_on?,
        ends_on: ends_on?,
        sites: sites?,
    })
}

fn item(cells: &mut Cells<'_, '_>) -> Option<ItemRow> {
    let code = cells.code("code");
    let name = cells.localized_name();
    let unit = cells.name("unit");
    let sensitivity = cells.choice("sensitivity");
    let line = cells.line();
    Some(ItemRow { line, code: code?, name: name?, unit: unit?, sensitivity: sensitivity? })
}

fn kit(cells: &mut Cells<'_, '_>) -> Option<KitRow> {
    let code = cells.code("code");
    let version = cells.number("version", 1);
    let valid_from = cells.date("valid_from");
    let name = cells.localized_name();
    let item = cells.name("item");
    let quantity = cells.number_up_to("quantity", 1, MOST_IN_KIT);
    let line = cells.line();
    let lines = vec![KitLineRow { line, item: item?, quantity: quantity? }];
    Some(KitRow { line, code: code?, version: version?, valid_from: valid_from?, name: name?, lines })
}

fn join_kit(
    rows: &mut Vec<KitRow>,
    places: &mut HashMap<String, usize>,
    mut found: KitRow,
    cells: &mut Cells<'_, '_>,
) {
    // A code has no spaces, so that no two pairs share a key.
    let key = format!("{} {}", found.code, found.version);
    let Some(first) = places.get(&key).and_then(|&place| rows.get_mut(place)) else {
        places.insert(key, rows.len());
        rows.push(found);
        return;
    };
    for (column, same) in
        [("valid_from", first.valid_from == found.valid_from), ("name_es", first.name == found.name)]
    {
        if !same {
            let line = first.line;
            let reason = reason!(
                "This differs from line {line}, which has the same kit and version.",
                "Esto difiere de la línea {line}, que tiene el mismo kit y la misma versión."
            );
            cells.fault(column, FaultCode::Disagrees, reason);
        }
    }
    for line in found.lines.drain(..) {
        if let Some(twice) = first.lines.iter().find(|other| other.item == line.item) {
            let line = twice.line;
            let reason = reason!(
                "The kit has the item on line {line} already.",
                "El kit ya tiene el artículo en la línea {line}."
            );
            cells.fault("item", FaultCode::Duplicate, reason);
        }
        if first.lines.len() == MOST_LINES {
            let reason = reason!(
                "The kit has more than {MOST_LINES} items.",
                "El kit tiene más de {MOST_LINES} artículos."
            );
            cells.fault("code", FaultCode::TooLarge, reason);
        } else {
            first.lines.push(line);
        }
    }
}

/// The versions of a kit have one name, and a later number is valid from a later day.
fn compare_versions(rows: &mut [KitRow], faults: &mut Faults) {
    rows.sort_by(|a, b| (&a.code, a.version).cmp(&(&b.code, b.version)));
    for pair in rows.windows(2) {
        let [earlier, later] = pair else { continue };
        if earlier.code != later.code {
            continue;
        }
        if later.valid_from <= earlier.valid_from {
            let (number, day) = (earlier.version, earlier.valid_from);
            let reason = reason!(
                "Version {number} is valid from {day}; this one must begin after it.",
                "La versión {number} rige desde {day}; esta debe empezar después."
            );
            faults.add(later.line, Some("valid_from"), FaultCode::OutOfRange, reason);
        }
        if later.name != earlier.name {
            let line = earlier.line;
            let reason = reason!(
                "The kit has another name on line {line}.",
                "El kit tiene otro nombre en la línea {line}."
            );
            faults.add(later.line, Some("name_es"), FaultCode::Disagrees, reason);
        }
    }
}
