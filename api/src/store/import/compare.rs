//! What of a file is new, what is there already, and what contradicts what is there.

use std::collections::{BTreeSet, HashMap};

use entity::{distribution, distribution_line, value::Localized};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{New, NewKit, Plan};
use crate::{
    error::Result,
    id::{self, GlobalId},
    import::{
        FaultCode, Faults, ItemRow, Reason, Resolved, ResolvedDistribution, ResolvedFacility, ResolvedKit,
        ResolvedLine, ResolvedProgram, Supplied, quoted, reason,
    },
    store::{Access, catalog},
};

/// How many keys are asked for at once: each is a parameter.
const AT_ONCE: usize = 5_000;

/// A delivery that is there.
type Stored = (distribution::Model, Vec<distribution_line::Model>);

/// Lines of a file and columns in which they differ.
type Differences = Vec<(u32, &'static str)>;

impl Access {
    /// Parts what is new from what is there. What is there and not the same is a fault: an import never
    /// changes a row.
    pub async fn import_plan(&self, resolved: Resolved, faults: &mut Faults) -> Result<Plan> {
        let whole = faults.is_empty();
        let mut unchanged = 0;
        let new = match resolved {
            Resolved::Distributions(rows) => {
                let stored = self.imported(&rows).await?;
                New::Distributions(keep(rows, &mut unchanged, |row| {
                    supplied_twice(row, faults);
                    let Some(stored) = stored.get(&row.row.key) else { return Found::New };
                    let differences = delivery(row, stored, whole);
                    let reason = contradiction(&row.row.key, stored.0.voided_at.is_some());
                    report(differences, &reason, faults)
                }))
            }
            Resolved::Facilities(rows) => New::Facilities(keep(rows, &mut unchanged, |row| {
                let Some(entry) = self.catalog.facility_by_slug(&row.row.slug) else { return Found::New };
                if self.facility(entry.row.id).is_none() {
                    // It is the draft of another organisation, of which nothing more is said.
                    return report(vec![(row.row.line, "slug")], &taken(&row.row.slug), faults);
                }
                report(facility(row, entry), &contradiction(&row.row.slug, false), faults)
            })),
            Resolved::Programs(rows) => {
                let own =
                    self.own_entries(|catalog| &catalog.programs, |entry| &entry.row.slug, owner_of_program);
                New::Programs(keep(rows, &mut unchanged, |row| match own.get(row.row.slug.as_str()) {
                    None => Found::New,
                    Some(entry) => report(program(row, entry), &contradiction(&row.row.slug, false), faults),
                }))
            }
            Resolved::Items(rows) => {
                let own = self.own_entries(|catalog| &catalog.items, |entry| &entry.row.code, owner_of_item);
                New::Items(keep(rows, &mut unchanged, |row| match own.get(row.code.as_str()) {
                    None => Found::New,
                    Some(entry) => report(item(row, entry), &contradiction(&row.code, false), faults),
                }))
            }
            Resolved::Kits(rows) => {
                let own = self.own_entries(|catalog| &catalog.kits, |entry| &entry.row.code, owner_of_kit);
                let find = |row: &ResolvedKit| own.get(row.row.code.as_str()).copied();
                let new = keep(rows, &mut unchanged, |row| match find(row) {
                    None => Found::New,
                    Some(entry) => kit(row, entry, whole, faults),
                });
                New::Kits(join_versions(new, |row| find(row).map(|entry| entry.row.id)))
            }
            Resolved::Forms(forms) => New::Forms(self.try_forms(forms, faults, &mut unchanged).await?),
        };
        Ok(Plan { new, unchanged })
    }

    /// The deliveries of these keys that the organisation has: those that were imported with them and, since an export
    /// names by its id what has no key, those of these ids.
    #[expect(
        clippy::disallowed_methods,
        reason = "the program itself reads, and only rows of the organisation that it writes for"
    )]
    async fn imported(&self, rows: &[ResolvedDistribution]) -> Result<HashMap<String, Stored>> {
        let own = self.own()?;
        let mut found = HashMap::new();
        for chunk in rows.chunks(AT_ONCE) {
            let keys = || chunk.iter().map(|row| row.row.key.as_str());
            let named = distribution::Column::ImportKey.is_in(keys());
            let exported = Condition::all()
                .add(distribution::Column::ImportKey.is_null())
                .add(distribution::Column::Id.is_in(keys().filter_map(id_of_delivery)));
            let deliveries = distribution::Entity::find()
                .filter(distribution::Column::OrganizationId.eq(own))
                .filter(Condition::any().add(named).add(exported))
                .all(self.reader())
                .await?;
            if deliveries.is_empty() {
                continue;
            }
            let mut lines: HashMap<Uuid, Vec<distribution_line::Model>> = HashMap::new();
            for line in distribution_line::Entity::find()
                .filter(distribution_line::Column::OrganizationId.eq(own))
                .filter(distribution_line::Column::DistributionId.is_in(deliveries.iter().map(|row| row.id)))
                .all(self.reader())
                .await?
            {
                lines.entry(line.distribution_id).or_default().push(line);
            }
            found.extend(deliveries.into_iter().map(|row| {
                let lines = lines.remove(&row.id).unwrap_or_default();
                let key = row.import_key.clone().unwrap_or_else(|| id::text(id::Kind::Distribution, row.id));
                (key, (row, lines))
            }));
        }
        Ok(found)
    }

    fn own_entries<'a, T: 'a>(
        &'a self,
        table: impl Fn(&'a catalog::Catalog) -> &'a catalog::Table<T>,
        key: impl Fn(&'a T) -> &'a str,
        owner: impl Fn(&T) -> Uuid,
    ) -> HashMap<&'a str, &'a T> {
        let own = self.viewer.organization();
        let entries = table(&self.catalog).iter().filter(|entry| Some(owner(entry)) == own);
        entries.map(|entry| (key(entry), entry)).collect()
    }
}

fn id_of_delivery(key: &str) -> Option<Uuid> {
    GlobalId::parse(key).filter(|id| id.kind == id::Kind::Distribution).map(|id| id.id)
}

fn owner_of_program(entry: &catalog::Program) -> Uuid {
    entry.row.organization_id
}

fn owner_of_item(entry: &catalog::Item) -> Uuid {
    entry.row.organization_id
}

fn owner_of_kit(entry: &catalog::Kit) -> Uuid {
    entry.row.organization_id
}

enum Found {
    New,
    Same,
    Other,
}

fn keep<T>(rows: Vec<T>, unchanged: &mut usize, mut find: impl FnMut(&T) -> Found) -> Vec<T> {
    rows.into_iter()
        .filter(|row| {
            let found = find(row);
            *unchanged += usize::from(matches!(found, Found::Same));
            matches!(found, Found::New)
        })
        .collect()
}

fn report(differences: Differences, reason: &Reason, faults: &mut Faults) -> Found {
    let found = if differences.is_empty() { Found::Same } else { Found::Other };
    for (line, column) in differences {
        faults.add(line, Some(column), FaultCode::Conflict, reason.clone());
    }
    found
}

fn contradiction(name: &str, void: bool) -> Reason {
    let name = quoted(name);
    if void {
        return reason!(
            "{name} is there with another value, and void; record the right delivery under a new key.",
            "{name} ya existe con otro valor y está anulada; registre la entrega correcta con otra clave."
        );
    }
    reason!(
        "{name} is there already with another value; correct it through the API.",
        "{name} ya existe con otro valor; corríjalo mediante la API."
    )
}

fn taken(name: &str) -> Reason {
    let name = quoted(name);
    reason!("{name} is in use by another organisation.", "{name} ya lo usa otra organización.")
}

/// A version that is named and one that follows from the day can be the same.
fn supplied_twice(row: &ResolvedDistribution, faults: &mut Faults) {
    let mut seen = HashMap::new();
    for (found, line) in row.lines.iter().zip(&row.row.lines) {
        if let Some(first) = seen.insert((found.item_id, found.kit_id, found.kit_version), line.line) {
            let column = if found.item_id.is_some() { "item" } else { "kit" };
            let reason = reason!(
                "The delivery has the same on line {first}; write the sum once.",
                "La entrega ya tiene lo mismo en la línea {first}; escriba la suma una sola vez."
            );
            faults.add(line.line, Some(column), FaultCode::Duplicate, reason);
        }
    }
}

/// Rows with faults are not among the lines of a delivery: unless the file is whole, lines that it lacks are
/// no contradiction.
fn delivery(found: &ResolvedDistribution, (row, lines): &Stored, whole: bool) -> Differences {
    let file = &found.row;
    let mut differences = differing(
        file.line,
        [
            ("facility", found.facility_id == row.facility_id),
            ("program", found.program_id == row.program_id),
            ("occurred_on", file.occurred_on == row.occurred_on),
            ("people_reached", file.people_reached == row.people_reached),
            ("reach_method", file.reach_method == row.reach_method),
        ],
    );
    for (line, source) in found.lines.iter().zip(&file.lines) {
        match lines.iter().find(|stored| same_good(line, &source.supplied, stored)) {
            None => {
                let column = if line.item_id.is_some() { "item" } else { "kit" };
                differences.push((source.line, column));
            }
            Some(stored) => differences.extend(differing(
                source.line,
                [
                    ("quantity", line.quantity == stored.quantity),
                    ("line_people_reached", line.people_reached == stored.people_reached),
                ],
            )),
        }
    }
    if whole && differences.is_empty() && found.lines.len() != lines.len() {
        differences.push((file.line, "key"));
    }
    differences
}

/// A file that names no version means the one that was valid when it was first imported.
fn same_good(line: &ResolvedLine, supplied: &Supplied, stored: &distribution_line::Model) -> bool {
    let any_version = matches!(supplied, Supplied::Kit { version: None, .. });
    line.item_id == stored.item_id
        && line.kit_id == stored.kit_id
        && (any_version || line.kit_version == stored.kit_version)
}

fn facility(found: &ResolvedFacility, entry: &catalog::Facility) -> Differences {
    let (file, row) = (&found.row, &entry.row);
    differing(
        file.line,
        [
            ("name", file.name == row.name),
            ("aliases", same_set(&file.aliases, &row.aliases.0)),
            ("country", found.country == row.country),
            ("region", found.region_iso == row.region_iso),
            ("municipality", file.municipality == row.municipality),
            ("kind", file.kind == row.kind),
        ],
    )
}

fn program(found: &ResolvedProgram, entry: &catalog::Program) -> Differences {
    let (file, row) = (&found.row, &entry.row);
    let same_description = match (&file.description, &row.description) {
        (Some(file), Some(row)) => same_text(file, row),
        (None, None) => true,
        _ => false,
    };
    differing(
        file.line,
        [
            ("name_es", same_text(&file.name, &row.name)),
            ("description_es", same_description),
            ("areas", file.areas.first() == Some(&row.area) && same_set(&file.areas, &row.areas.0)),
            ("techniques", same_set(&file.techniques, &row.techniques.0)),
            ("status", file.status == row.status),
            ("starts_on", file.starts_on == row.starts_on),
            ("ends_on", file.ends_on == row.ends_on),
            ("facilities", same_set(&found.sites, &entry.sites)),
        ],
    )
}

fn item(file: &ItemRow, entry: &catalog::Item) -> Differences {
    differing(
        file.line,
        [
            ("name_es", same_text(&file.name, &entry.row.name)),
            ("unit", file.unit == entry.row.unit),
            ("sensitivity", file.sensitivity == entry.row.sensitivity),
        ],
    )
}

/// A version that is there must be the same; another one must come after all that are there.
fn kit(found: &ResolvedKit, entry: &catalog::Kit, whole: bool, faults: &mut Faults) -> Found {
    let file = &found.row;
    let mut differences = differing(file.line, [("name_es", same_text(&file.name, &entry.row.name))]);
    let reason = contradiction(&file.code, false);
    if let Some(version) = entry.version(file.version) {
        differences.extend(differing(file.line, [("valid_from", file.valid_from == version.valid_from)]));
        for (line, item) in file.lines.iter().zip(&found.items) {
            match version.lines.iter().find(|stored| stored.item_id == *item) {
                None => differences.push((line.line, "item")),
                Some(stored) if stored.quantity != line.quantity => differences.push((line.line, "quantity")),
                Some(_) => {}
            }
        }
        if whole && differences.is_empty() && file.lines.len() != version.lines.len() {
            differences.push((file.line, "version"));
        }
        return report(differences, &reason, faults);
    }
    if !differences.is_empty() {
        return report(differences, &reason, faults);
    }
    if let Some(last) = entry.versions.last() {
        let (number, day) = (last.number, last.valid_from);
        if file.version < number {
            let reason = reason!(
                "The kit has version {number} already; a new one needs a higher number.",
                "El kit ya tiene la versión {number}; una nueva debe llevar un número mayor."
            );
            return report(vec![(file.line, "version")], &reason, faults);
        }
        if file.valid_from <= day {
            let reason = reason!(
                "Version {number} is valid from {day}; a new one must begin after it.",
                "La versión {number} rige desde {day}; una nueva debe empezar después."
            );
            return report(vec![(file.line, "valid_from")], &reason, faults);
        }
    }
    Found::New
}

/// The parser has put the versions of a kit one after the other.
fn join_versions(rows: Vec<ResolvedKit>, before: impl Fn(&ResolvedKit) -> Option<Uuid>) -> Vec<NewKit> {
    let mut kits: Vec<NewKit> = Vec::new();
    for row in rows {
        match kits.last_mut().filter(|kit| kit.versions[0].row.code == row.row.code) {
            Some(kit) => kit.versions.push(row),
            None => kits.push(NewKit { before: before(&row), versions: vec![row] }),
        }
    }
    kits
}

fn differing<const N: usize>(line: u32, columns: [(&'static str, bool); N]) -> Differences {
    columns.into_iter().filter(|(_, same)| !same).map(|(column, _)| (line, column)).collect()
}

/// The texts that a file can hold; who translated them is not in it, and other languages are not either.
fn same_text(file: &Localized, row: &Localized) -> bool {
    let text = |of: &Localized, tag: &str| of.texts.get(tag).map(|translation| translation.text.clone());
    file.original == row.original && ["es", "en"].iter().all(|tag| text(file, tag) == text(row, tag))
}

fn same_set<T: Ord>(a: &[T], b: &[T]) -> bool {
    a.iter().collect::<BTreeSet<_>>() == b.iter().collect::<BTreeSet<_>>()
}
