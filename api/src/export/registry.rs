//! The organisation's own registry, in the columns that the imports read.

use entity::value::{Localized, Sensitivity};
use sea_orm::ActiveEnum;

use super::Cell;
use crate::{
    import::Kind,
    store::{Access, catalog},
};

/// The rows of a kind of registry entry that the viewer's organisation made and has not archived, in the order of
/// their short names. None for deliveries, which are no registry.
pub fn registry(access: &Access, kind: Kind) -> Option<Vec<Vec<Cell<'_>>>> {
    let own = access.viewer.organization()?;
    let catalog = &access.catalog;
    let mut rows: Vec<Vec<Cell<'_>>> = match kind {
        Kind::Facilities => {
            let entries = catalog.facilities.iter().map(|entry| &entry.row);
            let ours = entries.filter(|row| row.organization_id == own && row.archived_at.is_none());
            ours.map(facility).collect()
        }
        Kind::Programs => {
            let ours = catalog.programs.iter().filter(|entry| entry.row.organization_id == own);
            let open = ours.filter(|entry| entry.row.archived_at.is_none());
            open.map(|entry| program(access, entry)).collect()
        }
        Kind::Items => {
            let entries = catalog.items.iter().map(|entry| &entry.row);
            let ours = entries.filter(|row| row.organization_id == own && row.archived_at.is_none());
            ours.map(item).collect()
        }
        Kind::Kits => {
            let ours = catalog.kits.iter().filter(|entry| entry.row.organization_id == own);
            let open = ours.filter(|entry| entry.row.archived_at.is_none());
            open.flat_map(|entry| kit(access, entry)).collect()
        }
        _ => return None,
    };
    // The lines of a kit stay in their order.
    rows.sort_by(|a, b| name(a).cmp(name(b)));
    Some(rows)
}

fn name<'r>(row: &'r [Cell<'_>]) -> &'r str {
    match row.first() {
        Some(Cell::Text(text)) => text,
        _ => "",
    }
}

fn facility(row: &entity::facility::Model) -> Vec<Cell<'_>> {
    vec![
        row.slug.as_str().into(),
        row.name.as_str().into(),
        list(&row.aliases.0),
        row.country.as_str().into(),
        row.region_iso.as_str().into(),
        row.municipality.as_deref().into(),
        row.kind.to_value().into(),
    ]
}

fn program<'a>(access: &'a Access, entry: &'a catalog::Program) -> Vec<Cell<'a>> {
    let row = &entry.row;
    let [name_es, name_en, original] = texts(&row.name);
    let [description_es, description_en, _] =
        row.description.as_ref().map_or([const { Cell::Empty }; 3], texts);
    let areas: Vec<String> = row.areas.0.iter().map(ActiveEnum::to_value).collect();
    let sites = entry.sites.iter().filter_map(|id| access.facility(*id));
    let mut sites: Vec<&str> = sites.map(|facility| facility.row.slug.as_str()).collect();
    sites.sort_unstable();
    vec![
        row.slug.as_str().into(),
        name_es,
        name_en,
        original,
        description_es,
        description_en,
        list(&areas),
        list(&row.techniques.0),
        row.status.to_value().into(),
        row.starts_on.to_string().into(),
        row.ends_on.map(|day| day.to_string()).into(),
        list(&sites),
    ]
}

fn item(row: &entity::item::Model) -> Vec<Cell<'_>> {
    let [name_es, name_en, original] = texts(&row.name);
    vec![
        row.code.as_str().into(),
        name_es,
        name_en,
        original,
        row.unit.as_str().into(),
        Sensitivity::to_value(&row.sensitivity).into(),
    ]
}

fn kit<'a>(access: &'a Access, entry: &'a catalog::Kit) -> Vec<Vec<Cell<'a>>> {
    let mut rows = Vec::new();
    for version in &entry.versions {
        for line in &version.lines {
            let [name_es, name_en, original] = texts(&entry.row.name);
            let item = access.item(line.item_id);
            rows.push(vec![
                entry.row.code.as_str().into(),
                version.number.into(),
                version.valid_from.to_string().into(),
                name_es,
                name_en,
                original,
                item.map(|view| view.entry.row.code.as_str()).into(),
                line.quantity.into(),
            ]);
        }
    }
    rows
}

/// Spanish, English, and which of them is the original. Other languages have no columns.
fn texts(text: &Localized) -> [Cell<'_>; 3] {
    let of = |lang: &str| text.texts.get(lang).map(|translation| translation.text.as_str()).into();
    let original = text.texts.get_key_value(&text.original).map(|(lang, _)| lang.as_str());
    [of("es"), of("en"), original.filter(|lang| ["es", "en"].contains(lang)).into()]
}

fn list<T: AsRef<str>>(parts: &[T]) -> Cell<'static> {
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    if parts.is_empty() { Cell::Empty } else { parts.join("|").into() }
}
