//! The small reference tables, kept in memory and loaded anew when their version has grown.
//!
//! What is read from here passes the same scope as what is read from the database: the functions that hand
//! out rows to a viewer are in the domain files of `store`, on [`super::Access`].

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, Utc};
use entity::value::{Localized, OutsideFace, Sensitivity};
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder};
use uuid::Uuid;

use crate::error::Result;

/// Rows by id, in the order of their ids.
pub struct Table<T> {
    rows: Vec<T>,
    places: HashMap<Uuid, usize>,
}

impl<T> Table<T> {
    fn new(rows: Vec<(Uuid, T)>) -> Self {
        let places = rows.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
        Self { rows: rows.into_iter().map(|(_, row)| row).collect(), places }
    }

    pub fn get(&self, id: Uuid) -> Option<&T> {
        self.rows.get(*self.places.get(&id)?)
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.iter()
    }
}

pub struct Organization {
    pub row: entity::organization::Model,
    pub statements: Vec<entity::statement::Model>,
    pub claims: Vec<entity::claim::Model>,
    pub folded: String,
}

pub struct Facility {
    pub row: entity::facility::Model,
    pub region: Arc<entity::region::Model>,
    pub presences: Vec<entity::presence::Model>,
    pub folded: String,
}

pub struct Program {
    pub row: entity::program::Model,
    pub outside: Outside,
    pub sites: Vec<Uuid>,
    pub folded: String,
}

pub struct Item {
    pub row: entity::item::Model,
    pub outside: Outside,
    pub folded: String,
}

pub struct Kit {
    pub row: entity::kit::Model,
    pub outside: Outside,
    /// By number; never empty.
    pub versions: Vec<KitVersion>,
}

pub struct KitVersion {
    pub number: i32,
    pub valid_from: NaiveDate,
    pub lines: Vec<entity::kit_line::Model>,
}

pub struct Agreement {
    pub row: entity::agreement::Model,
    pub parties: Vec<Uuid>,
    pub facilities: HashSet<Uuid>,
    pub programs: HashSet<Uuid>,
}

pub struct Award {
    pub row: entity::award::Model,
    pub programs: Vec<Uuid>,
}

pub struct Gift {
    pub row: entity::gift::Model,
    pub programs: Vec<Uuid>,
    pub lines: Vec<entity::gift_line::Model>,
}

pub struct Membership {
    pub row: entity::membership::Model,
    pub facilities: Arc<HashSet<Uuid>>,
}

/// What outsiders see of an entry that may be sensitive (DISCLOSURE section 5: changes of sensitive programs,
/// items and kits become public only with a new quarter).
pub enum Outside {
    /// The row as it is.
    Now,
    /// The row as it is from this day on; before it the face, or nothing.
    From(NaiveDate, Option<OutsideFace>),
}

impl Outside {
    fn new(from: Option<NaiveDate>, face: Option<OutsideFace>) -> Self {
        from.map_or(Self::Now, |from| Self::From(from, face))
    }

    /// The face that outsiders see today: the row's own, an older one, or none.
    pub fn on(&self, today: NaiveDate) -> Face<'_> {
        match self {
            Self::From(from, face) if today < *from => face.as_ref().map_or(Face::Hidden, Face::Older),
            _ => Face::Current,
        }
    }
}

/// Which face of an entry is shown.
#[derive(Clone, Copy)]
pub enum Face<'a> {
    Current,
    Older(&'a OutsideFace),
    Hidden,
}

impl<'a> Face<'a> {
    pub fn name(self, current: &'a Localized) -> &'a Localized {
        match self {
            Self::Older(face) => &face.name,
            _ => current,
        }
    }

    pub fn sensitivity(self, current: Sensitivity) -> Sensitivity {
        match self {
            Self::Older(face) => face.sensitivity,
            _ => current,
        }
    }

    /// A further column of the older face, where it differs.
    pub fn older<T: serde::de::DeserializeOwned>(self, column: &str) -> Option<T> {
        match self {
            Self::Older(face) => serde_json::from_value(face.rest.get(column)?.clone()).ok(),
            _ => None,
        }
    }
}

/// How a person is reached.
pub struct Contact {
    pub email: String,
    pub language: String,
}

/// All reference tables as they were at one version.
pub struct Catalog {
    pub version: i64,
    pub organizations: Table<Organization>,
    pub facilities: Table<Facility>,
    pub techniques: HashMap<String, entity::technique::Model>,
    pub programs: Table<Program>,
    pub items: Table<Item>,
    pub kits: Table<Kit>,
    pub agreements: Table<Agreement>,
    pub awards: Table<Award>,
    pub gifts: Table<Gift>,
    pub stock_places: Table<entity::stock_place::Model>,
    pub adequacy_norms: Table<entity::adequacy_norm::Model>,
    pub facility_populations: Table<entity::facility_population::Model>,
    pub item_permissions: Table<entity::item_permission::Model>,
    pub accounts: HashMap<Uuid, entity::account::Model>,
    pub memberships: Vec<Membership>,
    pub indicators: Table<entity::indicator::Model>,
    pub releases: Table<super::outcome::Release>,
    /// By account.
    pub contacts: HashMap<Uuid, Contact>,
    pub invitations: Table<entity::invitation::Model>,
    pub service_keys: Table<entity::service_key::Model>,
    /// Sessions that ended while access tokens of theirs may still be about.
    pub ended_sessions: HashSet<Uuid>,
    identities: HashMap<(String, String), Uuid>,
    slugs: HashMap<String, Uuid>,
    facility_slugs: HashMap<String, Uuid>,
    regions: HashMap<String, Arc<entity::region::Model>>,
}

impl Catalog {
    /// Reads all reference tables. The connection should be a transaction that sees one moment. Files of releases that
    /// are kept already are not read again.
    #[expect(
        clippy::disallowed_methods,
        reason = "whole reference tables are read; the scope is applied when rows leave"
    )]
    pub async fn load(db: &impl ConnectionTrait, version: i64, kept: Option<&Self>) -> Result<Self> {
        let regions: HashMap<String, Arc<entity::region::Model>> = entity::region::Entity::find()
            .all(db)
            .await?
            .into_iter()
            .map(|row| (row.iso.clone(), Arc::new(row)))
            .collect();

        let mut statements = grouped(
            entity::statement::Entity::find()
                .order_by_asc(entity::statement::Column::Position)
                .all(db)
                .await?,
            |row| row.organization_id,
        );
        let mut claims = grouped(
            entity::claim::Entity::find().order_by_asc(entity::claim::Column::Position).all(db).await?,
            |row| row.organization_id,
        );
        let organizations: Vec<_> = entity::organization::Entity::find()
            .order_by_asc(entity::organization::Column::Id)
            .all(db)
            .await?
            .into_iter()
            .map(|row| {
                let id = row.id;
                let statements = statements.remove(&id).unwrap_or_default();
                let claims = claims.remove(&id).unwrap_or_default();
                let folded = super::search::fold(&[&row.name, &row.slug]);
                (id, Organization { row, statements, claims, folded })
            })
            .collect();
        let slugs = organizations.iter().map(|(id, entry)| (entry.row.slug.clone(), *id)).collect();

        let mut presences = grouped(entity::presence::Entity::find().all(db).await?, |row| row.facility_id);
        let mut facilities = Vec::new();
        for row in entity::facility::Entity::find().order_by_asc(entity::facility::Column::Id).all(db).await?
        {
            let Some(region) = regions.get(&row.region_iso).cloned() else { continue };
            let id = row.id;
            let mut names: Vec<&str> = vec![&row.name, &row.slug];
            names.extend(row.aliases.0.iter().map(String::as_str));
            let folded = super::search::fold(&names);
            let mut presences = presences.remove(&id).unwrap_or_default();
            presences.sort_by_key(|presence| (presence.starts_on, presence.organization_id));
            facilities.push((id, Facility { row, region, presences, folded }));
        }
        let facility_slugs = facilities.iter().map(|(id, entry)| (entry.row.slug.clone(), *id)).collect();

        let mut sites = grouped(
            entity::program_site::Entity::find()
                .order_by_asc(entity::program_site::Column::FacilityId)
                .all(db)
                .await?,
            |row| row.program_id,
        );
        let programs = entity::program::Entity::find()
            .order_by_asc(entity::program::Column::Id)
            .all(db)
            .await?
            .into_iter()
            .map(|row| {
                let id = row.id;
                let sites =
                    sites.remove(&id).unwrap_or_default().iter().map(|site| site.facility_id).collect();
                let folded = super::search::fold_localized(&row.name, &[&row.slug]);
                let outside = Outside::new(row.outside_from, row.outside_face.clone());
                (id, Program { row, outside, sites, folded })
            })
            .collect();

        let items = entity::item::Entity::find()
            .order_by_asc(entity::item::Column::Id)
            .all(db)
            .await?
            .into_iter()
            .map(|row| {
                let folded = super::search::fold_localized(&row.name, &[&row.code]);
                let outside = Outside::new(row.outside_from, row.outside_face.clone());
                (row.id, Item { row, outside, folded })
            })
            .collect();

        let mut lines: HashMap<(Uuid, i32), Vec<entity::kit_line::Model>> = HashMap::new();
        for line in
            entity::kit_line::Entity::find().order_by_asc(entity::kit_line::Column::Position).all(db).await?
        {
            lines.entry((line.kit_id, line.number)).or_default().push(line);
        }
        let mut versions = grouped(
            entity::kit_version::Entity::find()
                .order_by_asc(entity::kit_version::Column::Number)
                .all(db)
                .await?,
            |row| row.kit_id,
        );
        let mut kits = Vec::new();
        for row in entity::kit::Entity::find().order_by_asc(entity::kit::Column::Id).all(db).await? {
            let versions: Vec<KitVersion> = versions
                .remove(&row.id)
                .unwrap_or_default()
                .into_iter()
                .map(|version| KitVersion {
                    lines: lines.remove(&(version.kit_id, version.number)).unwrap_or_default(),
                    number: version.number,
                    valid_from: version.valid_from,
                })
                .collect();
            if !versions.is_empty() {
                let outside = Outside::new(row.outside_from, row.outside_face.clone());
                kits.push((row.id, Kit { row, outside, versions }));
            }
        }

        let mut parties =
            grouped(entity::agreement_party::Entity::find().all(db).await?, |row| row.agreement_id);
        let mut in_facilities =
            grouped(entity::agreement_facility::Entity::find().all(db).await?, |row| row.agreement_id);
        let mut in_programs =
            grouped(entity::agreement_program::Entity::find().all(db).await?, |row| row.agreement_id);
        let agreements = entity::agreement::Entity::find()
            .order_by_asc(entity::agreement::Column::Id)
            .all(db)
            .await?
            .into_iter()
            .map(|row| {
                let id = row.id;
                let agreement = Agreement {
                    parties: parties
                        .remove(&id)
                        .unwrap_or_default()
                        .iter()
                        .map(|party| party.partner_id)
                        .collect(),
                    facilities: in_facilities
                        .remove(&id)
                        .unwrap_or_default()
                        .iter()
                        .map(|scope| scope.facility_id)
                        .collect(),
                    programs: in_programs
                        .remove(&id)
                        .unwrap_or_default()
                        .iter()
                        .map(|scope| scope.program_id)
                        .collect(),
                    row,
                };
                (id, agreement)
            })
            .collect();

        let mut award_programs =
            grouped(entity::award_program::Entity::find().all(db).await?, |row| row.award_id);
        let awards = entity::award::Entity::find()
            .order_by_asc(entity::award::Column::Id)
            .all(db)
            .await?
            .into_iter()
            .map(|row| {
                let programs = award_programs.remove(&row.id).unwrap_or_default();
                (row.id, Award { row, programs: programs.iter().map(|link| link.program_id).collect() })
            })
            .collect();

        let mut gift_programs =
            grouped(entity::gift_program::Entity::find().all(db).await?, |row| row.gift_id);
        let mut gift_lines = grouped(
            entity::gift_line::Entity::find()
                .order_by_asc(entity::gift_line::Column::Position)
                .all(db)
                .await?,
            |row| row.gift_id,
        );
        let gifts = entity::gift::Entity::find()
            .order_by_asc(entity::gift::Column::Id)
            .all(db)
            .await?
            .into_iter()
            .map(|row| {
                let programs = gift_programs.remove(&row.id).unwrap_or_default();
                let lines = gift_lines.remove(&row.id).unwrap_or_default();
                let programs = programs.iter().map(|link| link.program_id).collect();
                (row.id, Gift { row, programs, lines })
            })
            .collect();

        let stock_places = entity::stock_place::Entity::find()
            .order_by_asc(entity::stock_place::Column::Id)
            .all(db)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        let adequacy_norms = entity::adequacy_norm::Entity::find()
            .order_by_asc(entity::adequacy_norm::Column::Id)
            .all(db)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        let facility_populations = entity::facility_population::Entity::find()
            .order_by_asc(entity::facility_population::Column::Id)
            .all(db)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        let item_permissions = entity::item_permission::Entity::find()
            .order_by_asc(entity::item_permission::Column::Id)
            .all(db)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();

        let mut cuts =
            grouped(entity::membership_facility::Entity::find().all(db).await?, |row| row.membership_id);
        let memberships = entity::membership::Entity::find()
            .order_by_asc(entity::membership::Column::Id)
            .all(db)
            .await?
            .into_iter()
            .map(|row| {
                let facilities = cuts.remove(&row.id).unwrap_or_default();
                Membership {
                    facilities: Arc::new(facilities.iter().map(|cut| cut.facility_id).collect()),
                    row,
                }
            })
            .collect();
        let identities = entity::identity::Entity::find()
            .all(db)
            .await?
            .into_iter()
            .map(|row| ((row.issuer, row.subject), row.account_id))
            .collect();
        let accounts =
            entity::account::Entity::find().all(db).await?.into_iter().map(|row| (row.id, row)).collect();
        let contacts = entity::credential::Entity::find()
            .all(db)
            .await?
            .into_iter()
            .map(|row| (row.account_id, Contact { email: row.email, language: row.language }))
            .collect();
        let invitations = entity::invitation::Entity::find()
            .order_by_asc(entity::invitation::Column::Id)
            .all(db)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        let service_keys = entity::service_key::Entity::find()
            .order_by_asc(entity::service_key::Column::Id)
            .all(db)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        let ended_sessions =
            entity::ended_session::Entity::find().all(db).await?.into_iter().map(|row| row.id).collect();
        let indicators = entity::indicator::Entity::find()
            .order_by_asc(entity::indicator::Column::Id)
            .all(db)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        let releases = super::outcome::load(db, kept).await?;
        let techniques = entity::technique::Entity::find()
            .all(db)
            .await?
            .into_iter()
            .map(|row| (row.code.clone(), row))
            .collect();

        Ok(Self {
            version,
            organizations: Table::new(organizations),
            facilities: Table::new(facilities),
            techniques,
            programs: Table::new(programs),
            items: Table::new(items),
            kits: Table::new(kits),
            agreements: Table::new(agreements),
            awards: Table::new(awards),
            gifts: Table::new(gifts),
            stock_places: Table::new(stock_places),
            adequacy_norms: Table::new(adequacy_norms),
            facility_populations: Table::new(facility_populations),
            item_permissions: Table::new(item_permissions),
            indicators: Table::new(indicators),
            releases: Table::new(releases),
            accounts,
            memberships,
            contacts,
            invitations: Table::new(invitations),
            service_keys: Table::new(service_keys),
            ended_sessions,
            identities,
            slugs,
            facility_slugs,
            regions,
        })
    }

    pub fn organization_by_slug(&self, slug: &str) -> Option<&Organization> {
        self.organizations.get(*self.slugs.get(slug)?)
    }

    pub fn facility_by_slug(&self, slug: &str) -> Option<&Facility> {
        self.facilities.get(*self.facility_slugs.get(slug)?)
    }

    pub fn region(&self, iso: &str) -> Option<&Arc<entity::region::Model>> {
        self.regions.get(iso)
    }

    pub fn regions(&self) -> impl Iterator<Item = &Arc<entity::region::Model>> {
        self.regions.values()
    }

    /// The account that a token names, unless it is disabled.
    pub fn account(&self, issuer: &str, subject: &str, now: DateTime<Utc>) -> Option<Uuid> {
        let id = *self.identities.get(&(issuer.to_owned(), subject.to_owned()))?;
        self.is_enabled(id, now).then_some(id)
    }

    /// Whether there is such an account, and it is not disabled.
    pub fn is_enabled(&self, account: Uuid, now: DateTime<Utc>) -> bool {
        self.accounts.get(&account).is_some_and(|row| row.disabled_at.is_none_or(|at| now < at))
    }

    /// The key with this digest, when it and its account still hold.
    pub fn service_key(&self, digest: &[u8], now: DateTime<Utc>) -> Option<&entity::service_key::Model> {
        let key = self.service_keys.iter().find(|key| key.hash == digest)?;
        self.key_holds(key.id, now).then_some(key)
    }

    pub(super) fn key_holds(&self, key: Uuid, now: DateTime<Utc>) -> bool {
        self.service_keys.get(key).is_some_and(|key| {
            key.ended_at.is_none() && now < key.expires_at && self.is_enabled(key.account_id, now)
        })
    }

    /// The subjects of an issuer and the accounts that they name.
    pub fn identities_of(&self, issuer: &str) -> impl Iterator<Item = (String, Uuid)> {
        self.identities
            .iter()
            .filter(move |((of, _), _)| of == issuer)
            .map(|((_, subject), account)| (subject.clone(), *account))
    }

    /// The agreements in force today that this partner is a party to.
    pub fn agreements_of(&self, partner: Uuid, now: DateTime<Utc>) -> impl Iterator<Item = &Agreement> {
        self.agreements
            .iter()
            .filter(move |agreement| agreement.parties.contains(&partner) && agreement.active(now))
    }
}

impl Facility {
    /// From when until when it was hidden from outsiders; while it is, until after all time.
    pub(super) fn hidden_spans(&self) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
        /// The end of the year 9999.
        const LAST: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
            Some(last) => last,
            None => DateTime::UNIX_EPOCH,
        };
        let before = self.row.hidden_before.iter().flat_map(|spans| spans.0.iter().copied());
        before.chain(self.row.hidden_at.map(|since| (since, LAST)))
    }
}

impl Agreement {
    /// In force: begun, not ended and not archived. Its days are days of its own time zone.
    pub fn active(&self, now: DateTime<Utc>) -> bool {
        let today = super::time_zone::today(&self.row.time_zone, now);
        self.row.archived_at.is_none_or(|at| now < at)
            && self.row.starts_on <= today
            && self.row.ends_on.is_none_or(|last| today <= last)
    }
}

impl Kit {
    /// The newest version that is valid on a day; the first one before its time.
    pub fn version_on(&self, day: NaiveDate) -> &KitVersion {
        self.versions.iter().rfind(|version| version.valid_from <= day).unwrap_or(&self.versions[0])
    }

    pub fn version(&self, number: i32) -> Option<&KitVersion> {
        self.versions.iter().find(|version| version.number == number)
    }
}

fn grouped<T>(rows: Vec<T>, parent: impl Fn(&T) -> Uuid) -> HashMap<Uuid, Vec<T>> {
    let mut groups: HashMap<Uuid, Vec<T>> = HashMap::new();
    for row in rows {
        groups.entry(parent(&row)).or_default().push(row);
    }
    groups
}
