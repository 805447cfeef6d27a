//! What the rows of a file may refer to.

use std::collections::{HashMap, hash_map::Entry};

use chrono::NaiveDate;
use entity::value::Sensitivity;
use uuid::Uuid;

use crate::{
    error::Result,
    import::{GoodFound, Kind, KitFound, Lookup, ProgramFound, RegionFound},
    store::{Access, catalog},
};

/// The registry as staff of the importing organisation may use it.
pub struct Registry<'a> {
    access: &'a Access,
    drafts: Drafts,
    programs: HashMap<&'a str, &'a catalog::Program>,
    items: HashMap<&'a str, GoodFound>,
    kits: HashMap<&'a str, KitEntry>,
    regions: HashMap<String, RegionFound<'a>>,
}

/// Deliveries refer to what is published; the registry's own entries also to the organisation's drafts.
#[derive(Clone, Copy, PartialEq)]
enum Drafts {
    Refused,
    Accepted,
}

struct KitEntry {
    id: Uuid,
    sensitivity: Sensitivity,
    versions: Vec<(i32, NaiveDate)>,
}

impl Access {
    /// The registry that a file of this kind is checked against.
    pub fn import_registry(&self, kind: Kind) -> Result<Registry<'_>> {
        let own = self.own()?;
        let drafts = match kind {
            Kind::Distributions | Kind::Receipts | Kind::Movements => Drafts::Refused,
            Kind::Facilities | Kind::Programs | Kind::Items | Kind::Kits => Drafts::Accepted,
        };
        let usable = |published: bool, archived: bool| !archived && (published || drafts == Drafts::Accepted);
        let catalog = &self.catalog;
        let programs = catalog
            .programs
            .iter()
            .filter(|entry| entry.row.organization_id == own)
            .filter(|entry| usable(entry.row.published_at.is_some(), entry.row.archived_at.is_some()))
            .map(|entry| (entry.row.slug.as_str(), entry))
            .collect();
        let items = by_code(own, catalog.items.iter(), |entry| {
            let row = &entry.row;
            let found =
                self.item(row.id).is_some() && usable(row.published_at.is_some(), row.archived_at.is_some());
            let good = GoodFound { id: row.id, sensitivity: row.sensitivity };
            (row.code.as_str(), row.organization_id, found.then_some(good))
        });
        let kits = by_code(own, catalog.kits.iter(), |entry| {
            let row = &entry.row;
            let found =
                self.kit(row.id).is_some() && usable(row.published_at.is_some(), row.archived_at.is_some());
            (row.code.as_str(), row.organization_id, found.then(|| self.kit_entry(entry)))
        });
        let mut regions = HashMap::new();
        for region in catalog.regions() {
            let found = RegionFound { iso: &region.iso, country: &region.country };
            for code in std::iter::once(&region.iso).chain(&region.pcode) {
                regions.insert(code.to_ascii_uppercase(), found);
            }
        }
        Ok(Registry { access: self, drafts, programs, items, kits, regions })
    }

    /// As recording through the API does, a kit counts as sensitive when anything in it is.
    fn kit_entry(&self, entry: &catalog::Kit) -> KitEntry {
        let items = entry.versions.iter().flat_map(|version| &version.lines);
        let of_item = |id| {
            self.catalog
                .items
                .get(id)
                .map_or(Sensitivity::Sensitive, |item: &catalog::Item| item.row.sensitivity)
        };
        KitEntry {
            id: entry.row.id,
            sensitivity: items.map(|line| of_item(line.item_id)).fold(entry.row.sensitivity, Ord::max),
            versions: entry.versions.iter().map(|version| (version.number, version.valid_from)).collect(),
        }
    }
}

/// A code means one's own entry, even one that cannot be used; else that of others, if it is one only.
fn by_code<'a, E: 'a, T>(
    own: Uuid,
    entries: impl Iterator<Item = &'a E>,
    part: impl Fn(&'a E) -> (&'a str, Uuid, Option<T>),
) -> HashMap<&'a str, T> {
    let mut others: HashMap<&str, Option<T>> = HashMap::new();
    let mut ours: HashMap<&str, Option<T>> = HashMap::new();
    for entry in entries {
        let (code, owner, usable) = part(entry);
        if owner == own {
            ours.insert(code, usable);
        } else if usable.is_some() {
            match others.entry(code) {
                Entry::Vacant(place) => {
                    place.insert(usable);
                }
                Entry::Occupied(mut place) => {
                    place.insert(None);
                }
            }
        }
    }
    others.extend(ours);
    others.into_iter().filter_map(|(code, found)| Some((code, found?))).collect()
}

impl Lookup for Registry<'_> {
    fn facility(&self, slug: &str) -> Option<Uuid> {
        let row = &self.access.facility_by_slug(slug)?.row;
        let published = row.published_at.is_some() || self.drafts == Drafts::Accepted;
        (row.archived_at.is_none() && published).then_some(row.id)
    }

    fn program(&self, slug: &str) -> Option<ProgramFound<'_>> {
        let entry = self.programs.get(slug)?;
        Some(ProgramFound {
            id: entry.row.id,
            sensitivity: entry.row.sensitivity,
            status: entry.row.status,
            starts_on: entry.row.starts_on,
            ends_on: entry.row.ends_on,
            sites: &entry.sites,
        })
    }

    fn item(&self, code: &str) -> Option<GoodFound> {
        self.items.get(code).copied()
    }

    fn kit(&self, code: &str) -> Option<KitFound<'_>> {
        let kit = self.kits.get(code)?;
        Some(KitFound { id: kit.id, sensitivity: kit.sensitivity, versions: &kit.versions })
    }

    fn region(&self, code: &str) -> Option<RegionFound<'_>> {
        self.regions.get(&code.to_ascii_uppercase()).copied()
    }

    fn technique(&self, code: &str) -> bool {
        self.access.catalog.techniques.contains_key(code)
    }
}
