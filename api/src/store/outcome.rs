//! What is published, out of the sealed files alone.
//!
//! Files never change, so each is read once and kept; which of their cells are shown is worked out whenever a release is
//! published or retracted. No function here can reach the database.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use entity::{
    release, release_file, release_review,
    value::{OutcomeAge, OutcomeDimension, ReleaseStatus},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Access,
    catalog::Catalog,
    keyset::{Direction, Key, Page, Place, Window, page_in_memory},
};
use crate::{
    auth::Right,
    error::{Error, Result},
    id,
    sealed::{Cell, File, IndicatorEntry, Sealed, TableEntry},
};

/// A sealed file, and its cells by their places in it.
pub struct Published {
    pub sealed: Sealed,
    /// As it is served.
    pub bytes: Bytes,
    pub cells: Vec<CellAt>,
}

/// Where a cell stands in its file.
pub struct CellAt {
    /// Of nothing else, in no other file.
    pub id: Uuid,
    table: usize,
    cell: usize,
    place: String,
}

/// A release with what people have decided about it.
pub struct Release {
    pub row: release::Model,
    pub reviews: Vec<release_review::Model>,
    /// Null until it is published.
    pub published: Option<Arc<Published>>,
    /// The release that corrects it, and the one before it.
    pub superseded_by: Option<Uuid>,
    pub previous: Option<Uuid>,
    /// Its cells that are no longer shown, and those that are the newest of their indicator.
    gone: HashSet<usize>,
    newest: bool,
    newest_indicators: HashSet<String>,
}

/// A cell as a reader sees it.
#[derive(Clone, Copy)]
pub struct Outcome<'a> {
    pub release: &'a Release,
    pub file: &'a File,
    pub table: &'a TableEntry,
    pub cell: &'a Cell,
    pub indicator: &'a IndicatorEntry,
    at: &'a CellAt,
}

impl Outcome<'_> {
    pub fn id(&self) -> Uuid {
        self.at.id
    }

    pub fn coordinate(&self, dimension: OutcomeDimension) -> Option<&str> {
        self.cell.at.get(&dimension).map(String::as_str)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    #[serde(deserialize_with = "id::list::<_, {id::ORGANIZATION}>")]
    pub organization: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::RELEASE}>")]
    pub release: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::INDICATOR}>")]
    pub indicator: Option<Vec<Uuid>>,
    pub indicator_code: Option<Vec<String>>,
    pub table: Option<Vec<String>>,
    #[serde(deserialize_with = "id::list::<_, {id::FACILITY}>")]
    pub facility: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::PROGRAM}>")]
    pub program: Option<Vec<Uuid>>,
    pub region: Option<Vec<String>>,
    pub age_band: Option<Vec<OutcomeAge>>,
    /// The totals of organisations, without any breakdown.
    pub total_only: Option<bool>,
}

impl Published {
    /// # Errors
    /// When the bytes are no sealed release.
    fn read(bytes: Vec<u8>) -> Result<Self> {
        let sealed: Sealed = serde_json::from_slice(&bytes)
            .map_err(|_| Error::Internal("a file of a release cannot be read".into()))?;
        let mut cells = Vec::new();
        for (number, table) in sealed.release.tables.iter().enumerate() {
            let indicator = sealed.release.indicators.iter().find(|of| of.code == table.indicator);
            let (section, position) = indicator.map_or((None, 0), |of| (of.section, of.position));
            let section = section.map_or(99, |section| section as u8);
            for cell in 0..table.cells.len() {
                let text = format!("{}\n{}\n{cell}", sealed.digest, table.code);
                let mut id = [0; 16];
                id.copy_from_slice(&Sha256::digest(text)[..16]);
                let place = format!(
                    "{} {section:02} {position:05} {} {} {cell:05}",
                    sealed.release.organization.slug, table.code, sealed.release.number
                );
                cells.push(CellAt { id: Uuid::from_bytes(id), table: number, cell, place });
            }
        }
        Ok(Self { sealed, bytes: bytes.into(), cells })
    }
}

/// Reads what is new of the releases; files that are in memory already are not read again.
#[expect(
    clippy::disallowed_methods,
    reason = "whole reference tables are read; the scope is applied when rows leave"
)]
pub(super) async fn load(db: &impl ConnectionTrait, kept: Option<&Catalog>) -> Result<Vec<(Uuid, Release)>> {
    use release_file::Column::{Digest, OrganizationId, ReleaseId};
    let mut known: HashMap<&str, &Arc<Published>> = HashMap::new();
    for published in kept.iter().flat_map(|kept| kept.releases.iter()).filter_map(|of| of.published.as_ref())
    {
        known.insert(&published.sealed.digest, published);
    }
    let mut files: HashMap<(Uuid, Uuid), Arc<Published>> = HashMap::new();
    let listed: Vec<(Uuid, String, Uuid)> = release_file::Entity::find()
        .select_only()
        .columns([OrganizationId, Digest, ReleaseId])
        .into_tuple()
        .all(db)
        .await?;
    for (organization, digest, release) in listed {
        let published = match known.get(digest.as_str()) {
            Some(published) => Arc::clone(published),
            None => {
                let row = release_file::Entity::find().filter(OrganizationId.eq(organization));
                let row = row.filter(Digest.eq(&digest)).one(db).await?;
                let Some(row) = row else { continue };
                Arc::new(Published::read(row.bytes)?)
            }
        };
        files.insert((organization, release), published);
    }
    let mut reviews: HashMap<Uuid, Vec<release_review::Model>> = HashMap::new();
    for review in
        release_review::Entity::find().order_by_asc(release_review::Column::RecordedAt).all(db).await?
    {
        reviews.entry(review.release_id).or_default().push(review);
    }
    let rows = release::Entity::find().order_by_asc(release::Column::Id).all(db).await?;
    let mut releases: Vec<Release> = rows
        .into_iter()
        .map(|row| Release {
            reviews: reviews.remove(&row.id).unwrap_or_default(),
            published: files.remove(&(row.organization_id, row.id)),
            superseded_by: None,
            previous: None,
            gone: HashSet::new(),
            newest: false,
            newest_indicators: HashSet::new(),
            row,
        })
        .collect();
    relate(&mut releases);
    Ok(releases.into_iter().map(|release| (release.row.id, release)).collect())
}

/// What releases of one organisation are to each other.
fn relate(releases: &mut [Release]) {
    let organizations: BTreeSet<Uuid> = releases.iter().map(|release| release.row.organization_id).collect();
    for organization in organizations {
        let mut of: Vec<&mut Release> = releases
            .iter_mut()
            .filter(|release| release.row.organization_id == organization && release.published.is_some())
            .collect();
        of.sort_by_key(|release| release.row.number);
        let known: Vec<(Uuid, Arc<Published>, bool)> = of
            .iter()
            .filter_map(|release| {
                let shown = release.row.status == ReleaseStatus::Published;
                Some((release.row.id, release.published.clone()?, shown))
            })
            .collect();
        // The newest release of each indicator: of the latest period, and of these the last.
        let mut newest: BTreeMap<&str, (chrono::NaiveDate, u32, Uuid)> = BTreeMap::new();
        for (id, published, _) in known.iter().filter(|(.., shown)| *shown) {
            let file = &published.sealed.release;
            for indicator in &file.indicators {
                let this = (file.period.end, file.number, *id);
                let entry = newest.entry(&indicator.code).or_insert(this);
                *entry = (*entry).max(this);
            }
        }
        let latest = newest.values().max().map(|(.., id)| *id);
        for release in of {
            let Some(published) = &release.published else { continue };
            let file = &published.sealed.release;
            release.previous = known
                .iter()
                .find(|(_, of, _)| Some(&of.sealed.digest) == file.previous.as_ref())
                .map(|of| of.0);
            release.superseded_by = known
                .iter()
                .rfind(|(_, of, shown)| *shown && of.sealed.release.corrects == Some(file.number))
                .map(|(id, ..)| *id);
            release.newest = latest == Some(release.row.id);
            release.newest_indicators = newest
                .iter()
                .filter(|(_, (.., id))| *id == release.row.id)
                .map(|(code, _)| (*code).to_owned())
                .collect();
            let later =
                known.iter().map(|(_, of, _)| &of.sealed.release).filter(|of| of.number > file.number);
            let retractions: Vec<_> = later.flat_map(|of| &of.retractions).collect();
            // What a retracted release said, no other release says either.
            let retracted: BTreeSet<u32> = known
                .iter()
                .filter(|(.., shown)| !shown)
                .map(|(_, of, _)| of.sealed.release.number)
                .collect();
            let is_gone = |at: &CellAt| {
                let table = &file.tables[at.table];
                let cell = &table.cells[at.cell];
                cell.release.is_some_and(|origin| {
                    retracted.contains(&origin)
                        || retractions.iter().any(|of| {
                            of.release == origin && of.indicator == table.indicator && of.at == cell.at
                        })
                })
            };
            release.gone = published
                .cells
                .iter()
                .enumerate()
                .filter(|(_, at)| is_gone(at))
                .map(|(number, _)| number)
                .collect();
        }
    }
}

impl Access {
    /// Releases that the viewer may see, the newest first: published and retracted ones for everybody, others for those
    /// of the organisation's staff who work on them.
    pub fn releases(&self) -> impl Iterator<Item = &Release> {
        self.catalog.releases.iter().filter(|release| self.sees_release(release))
    }

    pub fn release(&self, id: Uuid) -> Option<&Release> {
        self.catalog.releases.get(id).filter(|release| self.sees_release(release))
    }

    fn sees_release(&self, release: &Release) -> bool {
        let own = self.viewer.organization() == Some(release.row.organization_id);
        own && self.viewer.has(Right::ReleaseRead)
            || release.published.is_some() && self.organization(release.row.organization_id).is_some()
    }

    /// The cells of the newest releases, or of those that are named, which the viewer may see.
    pub fn outcomes<'a, 'f>(&'a self, filter: &'f Filter) -> impl Iterator<Item = Outcome<'a>> + use<'a, 'f> {
        self.releases()
            .filter(move |release| {
                let row = &release.row;
                filter.organization.as_ref().is_none_or(|ids| ids.contains(&row.organization_id))
                    && filter.release.as_ref().is_none_or(|ids| ids.contains(&row.id))
                    && row.status == ReleaseStatus::Published
                    && (filter.release.is_some() || !release.newest_indicators.is_empty())
            })
            .flat_map(move |release| {
                let of_release = filter.release.is_some();
                self.cells(release).filter(move |outcome| {
                    of_release || release.newest_indicators.contains(&outcome.indicator.code)
                })
            })
            .filter(move |outcome| self.is_wanted(outcome, filter))
    }

    /// All cells of a release.
    pub fn cells<'a>(&'a self, release: &'a Release) -> impl Iterator<Item = Outcome<'a>> {
        let cells = release.published.iter().flat_map(move |published| {
            let file = &published.sealed.release;
            published.cells.iter().enumerate().filter_map(move |(number, at)| {
                let table = file.tables.get(at.table)?;
                let indicator = file.indicators.iter().find(|of| of.code == table.indicator)?;
                let cell = table.cells.get(at.cell)?;
                let outcome = Outcome { release, file, table, cell, indicator, at };
                (!release.gone.contains(&number)).then_some(outcome)
            })
        });
        cells.filter(|outcome| self.sees_places(outcome))
    }

    /// A facility that is hidden is nowhere; no more is a program that is not there for the viewer.
    fn sees_places(&self, outcome: &Outcome<'_>) -> bool {
        let facility = outcome.coordinate(OutcomeDimension::Facility);
        let program = outcome.coordinate(OutcomeDimension::Program);
        let organization = self.catalog.organizations.get(outcome.release.row.organization_id);
        facility.is_none_or(|slug| self.facility_by_slug(slug).is_some())
            && program.is_none_or(|slug| {
                organization.is_some_and(|of| self.program_by_slug(&of.row.slug, slug).is_some())
            })
    }

    fn is_wanted(&self, outcome: &Outcome<'_>, filter: &Filter) -> bool {
        use OutcomeDimension::{Age, Facility, Region};
        let among = |ids: &Option<Vec<Uuid>>, found: Option<Uuid>| {
            ids.as_ref().is_none_or(|ids| found.is_some_and(|id| ids.contains(&id)))
        };
        let facility =
            || outcome.coordinate(Facility).and_then(|slug| self.facility_by_slug(slug)).map(|of| of.row.id);
        let program = || self.program_of(outcome).map(|of| of.entry.row.id);
        let coded = |codes: &Option<Vec<String>>, found: Option<&str>| {
            codes.as_ref().is_none_or(|codes| found.is_some_and(|code| codes.iter().any(|of| of == code)))
        };
        let age = |ages: &Vec<OutcomeAge>| {
            let found = outcome.coordinate(Age).and_then(age_of);
            found.is_some_and(|age| ages.contains(&age))
        };
        among(&filter.indicator, Some(outcome.indicator.id))
            && coded(&filter.indicator_code, Some(&outcome.indicator.code))
            && coded(&filter.table, Some(&outcome.table.code))
            && (filter.facility.is_none() || among(&filter.facility, facility()))
            && (filter.program.is_none() || among(&filter.program, program()))
            && coded(&filter.region, outcome.coordinate(Region))
            && filter.age_band.as_ref().is_none_or(age)
            && (filter.total_only != Some(true) || outcome.table.dimensions.is_empty())
    }

    /// The program that a cell is of.
    pub fn program_of<'a>(&'a self, outcome: &Outcome<'_>) -> Option<super::program::View<'a>> {
        let slug = outcome.coordinate(OutcomeDimension::Program)?;
        let organization = self.catalog.organizations.get(outcome.release.row.organization_id)?;
        self.program_by_slug(&organization.row.slug, slug)
    }

    /// A page of outcomes, in the order of sections, indicators, tables and categories.
    pub fn outcome_page<'a>(&'a self, filter: &Filter, window: &Window) -> Page<Outcome<'a>> {
        page_in_memory(self.outcomes(filter), Self::outcome_place, Direction::Ascending, window)
    }

    pub fn outcome_place(outcome: &Outcome<'_>) -> Place {
        Place { key: Key::Text(outcome.at.place.clone()), id: outcome.at.id }
    }

    /// A cell by its id.
    pub fn outcome(&self, id: Uuid) -> Option<Outcome<'_>> {
        self.releases()
            .filter(|release| release.row.status == ReleaseStatus::Published)
            .flat_map(|release| self.cells(release))
            .find(|outcome| outcome.at.id == id)
    }

    /// Indicators of which something is released, by the newest file that tells of each.
    pub fn released_indicators(&self) -> impl Iterator<Item = (&Release, &IndicatorEntry)> {
        self.releases().filter(|release| release.row.status == ReleaseStatus::Published).flat_map(|release| {
            let entries = release.published.iter().flat_map(|of| &of.sealed.release.indicators);
            entries
                .filter(|entry| release.newest_indicators.contains(&entry.code))
                .map(move |entry| (release, entry))
        })
    }

    /// The newest release of an organisation.
    pub fn newest_release(&self, organization: Uuid) -> Option<&Release> {
        self.releases().find(|release| release.row.organization_id == organization && release.newest)
    }

    pub fn release_place(release: &&Release) -> Place {
        // What has no number yet comes first.
        let number = release.row.number.map_or(i64::from(i32::MAX), i64::from);
        Place { key: Key::Int(number), id: release.row.id }
    }

    /// A sealed file by its digest, and whether it may still be shown.
    pub fn sealed_file(&self, digest: &str) -> Option<(&Published, bool)> {
        self.releases().find_map(|release| {
            let published = release.published.as_deref().filter(|of| of.sealed.digest == digest)?;
            Some((published, release.row.status == ReleaseStatus::Published))
        })
    }
}

/// An age by its code in files.
pub fn age_of(code: &str) -> Option<OutcomeAge> {
    use sea_orm::ActiveEnum;
    OutcomeAge::try_from_value(&code.to_owned()).ok()
}
