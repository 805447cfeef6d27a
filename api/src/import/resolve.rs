//! Codes into ids, and the checks that need the registry.

use chrono::NaiveDate;
use entity::value::{ProgramStatus, RowClass, Sensitivity};
use uuid::Uuid;

use super::{
    fault::{Fault, FaultCode, Faults, quoted, reason},
    rows::{DistributionRow, FacilityRow, FormRow, ItemRow, KitRow, ProgramRow, Rows, Supplied, Table},
};
use crate::store::class::{ClassInput, LineClassInput, classify};

/// What the importing organisation may refer to.
pub trait Lookup {
    fn facility(&self, slug: &str) -> Option<Uuid>;
    fn program(&self, slug: &str) -> Option<ProgramFound<'_>>;
    fn item(&self, code: &str) -> Option<GoodFound>;
    fn kit(&self, code: &str) -> Option<KitFound<'_>>;
    /// By ISO 3166-2 code or P-code.
    fn region(&self, code: &str) -> Option<RegionFound<'_>>;
    fn technique(&self, code: &str) -> bool;
}

#[derive(Clone, Copy, Debug)]
pub struct ProgramFound<'a> {
    pub id: Uuid,
    pub sensitivity: Sensitivity,
    pub status: ProgramStatus,
    pub starts_on: NaiveDate,
    pub ends_on: Option<NaiveDate>,
    pub sites: &'a [Uuid],
}

#[derive(Clone, Copy, Debug)]
pub struct GoodFound {
    pub id: Uuid,
    pub sensitivity: Sensitivity,
}

#[derive(Clone, Copy, Debug)]
pub struct KitFound<'a> {
    pub id: Uuid,
    pub sensitivity: Sensitivity,
    /// Numbers, and from when on each is valid.
    pub versions: &'a [(i32, NaiveDate)],
}

#[derive(Clone, Copy, Debug)]
pub struct RegionFound<'a> {
    pub iso: &'a str,
    pub country: &'a str,
}

/// Rows that can be written.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved {
    Distributions(Vec<ResolvedDistribution>),
    Facilities(Vec<ResolvedFacility>),
    Programs(Vec<ResolvedProgram>),
    Items(Vec<ItemRow>),
    Kits(Vec<ResolvedKit>),
    /// The ledger checks them, since only it knows what is there.
    Forms(Vec<FormRow>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedDistribution {
    /// As it was in the file; its codes are still in it.
    pub row: DistributionRow,
    pub facility_id: Uuid,
    pub program_id: Uuid,
    pub program_sensitivity: Sensitivity,
    /// In the order of the lines of `row`.
    pub lines: Vec<ResolvedLine>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedLine {
    pub item_id: Option<Uuid>,
    pub kit_id: Option<Uuid>,
    pub kit_version: Option<i32>,
    pub sensitivity: Sensitivity,
    pub quantity: i32,
    pub people_reached: i32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedFacility {
    pub row: FacilityRow,
    pub country: String,
    pub region_iso: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedProgram {
    pub row: ProgramRow,
    pub sites: Vec<Uuid>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedKit {
    pub row: KitRow,
    /// Of this version's items; the kit's is the most sensitive of all its versions'.
    pub sensitivity: Sensitivity,
    /// In the order of the lines of `row`.
    pub items: Vec<Uuid>,
}

impl ResolvedDistribution {
    /// The plane that the delivery belongs to, and which of its lines outsiders may see.
    pub fn classify(&self) -> (RowClass, Vec<bool>) {
        let lines = self
            .lines
            .iter()
            .map(|line| LineClassInput {
                quantity: line.quantity,
                people_reached: line.people_reached,
                sensitivity: line.sensitivity,
            })
            .collect();
        classify(&ClassInput {
            people_reached: self.row.people_reached,
            program: self.program_sensitivity,
            lines,
        })
    }
}

/// Finds what the rows refer to, or reports every reference that does not hold.
pub fn resolve(table: Table, lookup: &impl Lookup, today: NaiveDate) -> Result<Resolved, Vec<Fault>> {
    let mut faults = Faults::default();
    let resolved = resolve_into(table, lookup, today, &mut faults);
    faults.into_result(resolved)
}

/// As [`resolve`], for more checks to come: the rows whose references hold.
pub fn resolve_into(table: Table, lookup: &impl Lookup, today: NaiveDate, faults: &mut Faults) -> Resolved {
    match table.rows {
        Rows::Distributions(rows) => {
            let found = rows.into_iter().filter_map(|row| distribution(row, lookup, today, faults));
            Resolved::Distributions(found.collect())
        }
        Rows::Facilities(rows) => {
            Resolved::Facilities(rows.into_iter().filter_map(|row| facility(row, lookup, faults)).collect())
        }
        Rows::Programs(rows) => {
            Resolved::Programs(rows.into_iter().filter_map(|row| program(row, lookup, faults)).collect())
        }
        Rows::Items(rows) => Resolved::Items(rows),
        Rows::Forms(rows) => Resolved::Forms(rows),
        Rows::Kits(rows) => {
            Resolved::Kits(rows.into_iter().filter_map(|row| kit(row, lookup, faults)).collect())
        }
    }
}

fn distribution(
    row: DistributionRow,
    lookup: &impl Lookup,
    today: NaiveDate,
    faults: &mut Faults,
) -> Option<ResolvedDistribution> {
    let facility = lookup.facility(&row.facility);
    if facility.is_none() {
        unknown(faults, row.line, "facility", &row.facility);
    }
    let program = lookup.program(&row.program);
    match &program {
        None => unknown(faults, row.line, "program", &row.program),
        Some(program) => check_program(&row, program, facility, faults),
    }
    if row.occurred_on > today {
        let day = row.occurred_on;
        let reason = reason!("{day} is in the future.", "{day} está en el futuro.");
        faults.add(row.line, Some("occurred_on"), FaultCode::OutsideDates, reason);
    }
    // Every line is looked up before any is missed, so that all unknown codes are reported.
    let lines: Vec<_> = row
        .lines
        .iter()
        .map(|line| {
            let good = good(&line.supplied, line.line, row.occurred_on, lookup, faults)?;
            Some(ResolvedLine { quantity: line.quantity, people_reached: line.people_reached, ..good })
        })
        .collect();
    let program = program?;
    Some(ResolvedDistribution {
        facility_id: facility?,
        program_id: program.id,
        program_sensitivity: program.sensitivity,
        lines: lines.into_iter().collect::<Option<_>>()?,
        row,
    })
}

/// The same rules as recording through the API has: a program that is completed takes deliveries of the days
/// when it ran.
fn check_program(
    row: &DistributionRow,
    program: &ProgramFound<'_>,
    facility: Option<Uuid>,
    faults: &mut Faults,
) {
    let mut fault = |column, code, reason| faults.add(row.line, Some(column), code, reason);
    let (name, day) = (quoted(&row.program), row.occurred_on);
    match program.status {
        ProgramStatus::Planned => {
            let reason =
                reason!("The program {name} is only planned.", "El programa {name} apenas está planeado.");
            fault("program", FaultCode::ProgramClosed, reason);
        }
        ProgramStatus::Cancelled => {
            let reason = reason!("The program {name} is cancelled.", "El programa {name} está cancelado.");
            fault("program", FaultCode::ProgramClosed, reason);
        }
        ProgramStatus::Active | ProgramStatus::Completed => {}
    }
    if facility.is_some_and(|facility| !program.sites.contains(&facility)) {
        let site = quoted(&row.facility);
        let reason = reason!(
            "{site} is not a site of the program {name}.",
            "{site} no es una sede del programa {name}."
        );
        fault("facility", FaultCode::NotASite, reason);
    }
    let starts_on = program.starts_on;
    if day < starts_on {
        let reason = reason!(
            "The program {name} begins on {starts_on}, after {day}.",
            "El programa {name} empieza el {starts_on}, después del {day}."
        );
        fault("occurred_on", FaultCode::OutsideDates, reason);
    }
    if let Some(ends_on) = program.ends_on.filter(|&ends_on| day > ends_on) {
        let reason = reason!(
            "The program {name} ended on {ends_on}, before {day}.",
            "El programa {name} terminó el {ends_on}, antes del {day}."
        );
        fault("occurred_on", FaultCode::OutsideDates, reason);
    }
}

/// The item or kit of a line, with no quantities yet.
fn good(
    supplied: &Supplied,
    line: u32,
    day: NaiveDate,
    lookup: &impl Lookup,
    faults: &mut Faults,
) -> Option<ResolvedLine> {
    let none = ResolvedLine {
        item_id: None,
        kit_id: None,
        kit_version: None,
        sensitivity: Sensitivity::Sensitive,
        quantity: 0,
        people_reached: 0,
    };
    match supplied {
        Supplied::Item(code) => {
            let Some(item) = lookup.item(code) else {
                unknown(faults, line, "item", code);
                return None;
            };
            Some(ResolvedLine { item_id: Some(item.id), sensitivity: item.sensitivity, ..none })
        }
        Supplied::Kit { code, version } => {
            let Some(kit) = lookup.kit(code) else {
                unknown(faults, line, "kit", code);
                return None;
            };
            let number = kit_version(&kit, code, *version, line, day, faults)?;
            let (kit_id, kit_version) = (Some(kit.id), Some(number));
            Some(ResolvedLine { kit_id, kit_version, sensitivity: kit.sensitivity, ..none })
        }
    }
}

/// The version named or, as recording through the API does, the one valid on the day, and the first for
/// days before it.
fn kit_version(
    kit: &KitFound<'_>,
    code: &str,
    wanted: Option<i32>,
    line: u32,
    day: NaiveDate,
    faults: &mut Faults,
) -> Option<i32> {
    let versions = || kit.versions.iter();
    let found = match wanted {
        Some(number) => versions().find(|version| version.0 == number),
        None => versions()
            .filter(|version| version.1 <= day)
            .max_by_key(|version| version.1)
            .or_else(|| versions().min_by_key(|version| version.1)),
    };
    if found.is_none() {
        let (code, number) = (quoted(code), wanted.unwrap_or(1));
        let reason =
            reason!("The kit {code} has no version {number}.", "El kit {code} no tiene la versión {number}.");
        faults.add(line, Some("kit_version"), FaultCode::NotFound, reason);
    }
    found.map(|version| version.0)
}

fn facility(row: FacilityRow, lookup: &impl Lookup, faults: &mut Faults) -> Option<ResolvedFacility> {
    let Some(region) = lookup.region(&row.region) else {
        unknown(faults, row.line, "region", &row.region);
        return None;
    };
    if let Some(country) =
        row.country.as_ref().filter(|country| !country.eq_ignore_ascii_case(region.country))
    {
        let (iso, found, country) = (region.iso, region.country, quoted(country));
        let reason = reason!(
            "The region {iso} is in {found}, not in {country}.",
            "La región {iso} está en {found}, no en {country}."
        );
        faults.add(row.line, Some("country"), FaultCode::Disagrees, reason);
        return None;
    }
    let (country, region_iso) = (region.country.to_owned(), region.iso.to_owned());
    Some(ResolvedFacility { row, country, region_iso })
}

fn program(row: ProgramRow, lookup: &impl Lookup, faults: &mut Faults) -> Option<ResolvedProgram> {
    let mut whole = true;
    for code in row.techniques.iter().filter(|code| !lookup.technique(code)) {
        unknown(faults, row.line, "techniques", code);
        whole = false;
    }
    let mut sites = Vec::with_capacity(row.sites.len());
    for slug in &row.sites {
        match lookup.facility(slug) {
            Some(id) => sites.push(id),
            None => {
                unknown(faults, row.line, "facilities", slug);
                whole = false;
            }
        }
    }
    whole.then_some(ResolvedProgram { row, sites })
}

fn kit(row: KitRow, lookup: &impl Lookup, faults: &mut Faults) -> Option<ResolvedKit> {
    let mut items = Vec::with_capacity(row.lines.len());
    let mut sensitivity = Sensitivity::General;
    for line in &row.lines {
        match lookup.item(&line.item) {
            Some(item) => {
                sensitivity = sensitivity.max(item.sensitivity);
                items.push(item.id);
            }
            None => unknown(faults, line.line, "item", &line.item),
        }
    }
    (items.len() == row.lines.len()).then_some(ResolvedKit { row, sensitivity, items })
}

fn unknown(faults: &mut Faults, line: u32, column: &'static str, code: &str) {
    let shown = quoted(code);
    let reason = reason!("{shown} is not known.", "No se conoce {shown}.");
    faults.add(line, Some(column), FaultCode::NotFound, reason);
}
