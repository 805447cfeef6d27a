//! Facts into rows: organisations and what they say, facilities, programs, items and kits.

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use entity::{
    value::{FacilityKind, Names, ProgramAreas, Sensitivity},
    *,
};
use uuid::Uuid;

use super::{
    dataset::{Dataset, id_of},
    facts::{
        ClaimFact, FacilityFact, Facts, FactsError, GoodsFacts, KitFact, OrganizationFact, ProgramFact, Scope,
    },
    people, support,
};
use crate::{reference, store::program::sensitivity_of};

/// The page that the published figures are from.
const CLAIM_SOURCE: &str = "La Cana, \"Our Impact\" page";

/// The demonstration data without deliveries, recorded at `now`.
///
/// A larger `scale` has more facilities, all of them invented, so that lists and grouped statistics of
/// large data sets have something to page through.
pub fn registry(now: DateTime<Utc>, scale: u32) -> Result<Dataset, FactsError> {
    let facts = Facts::read()?;
    // PostgreSQL keeps microseconds; what is written must be what is read.
    let now = now.trunc_subsecs(6);
    let mut data = Dataset {
        regions: reference::regions().map_err(FactsError::reference)?,
        techniques: reference::techniques().map_err(FactsError::reference)?,
        ..Dataset::default()
    };
    for organization in facts.organizations {
        add_organization(&mut data, organization, now);
    }
    for (place, claim) in facts.claims.into_iter().enumerate() {
        add_claim(&mut data, claim, place, now)?;
    }
    for facility in facts.facilities.into_iter().chain(invented_facilities(&data.regions, scale)) {
        add_facility(&mut data, facility, now)?;
    }
    for program in facts.programs {
        add_program(&mut data, program, now)?;
    }
    add_goods(&mut data, facts.goods, now)?;
    support::add(&mut data, facts.support, now)?;
    people::add(&mut data, now);
    Ok(data)
}

/// The id of the organisation that the facts call by this slug.
pub(super) fn organization_id(data: &Dataset, slug: &str) -> Result<Uuid, FactsError> {
    known(data.organizations.iter().find(|row| row.slug == slug).map(|row| row.id), "organization", slug)
}

/// The id of one of the organisation's facilities.
pub(super) fn facility_id(data: &Dataset, organization: Uuid, slug: &str) -> Result<Uuid, FactsError> {
    let found = data.facilities.iter().find(|row| row.organization_id == organization && row.slug == slug);
    known(found.map(|row| row.id), "facility", slug)
}

/// The id of one of the organisation's programs.
pub(super) fn program_id(data: &Dataset, organization: Uuid, slug: &str) -> Result<Uuid, FactsError> {
    let found = data.programs.iter().find(|row| row.organization_id == organization && row.slug == slug);
    known(found.map(|row| row.id), "program", slug)
}

/// One of the organisation's items.
pub(super) fn item<'a>(
    data: &'a Dataset,
    organization: Uuid,
    code: &str,
) -> Result<&'a item::Model, FactsError> {
    let found = data.items.iter().find(|row| row.organization_id == organization && row.code == code);
    known(found, "item", code)
}

/// One of the organisation's kits.
pub(super) fn kit<'a>(
    data: &'a Dataset,
    organization: Uuid,
    code: &str,
) -> Result<&'a kit::Model, FactsError> {
    let found = data.kits.iter().find(|row| row.organization_id == organization && row.code == code);
    known(found, "kit", code)
}

pub(super) fn known<T>(found: Option<T>, table: &'static str, key: &str) -> Result<T, FactsError> {
    found.ok_or_else(|| FactsError::Unknown { table, key: key.to_owned() })
}

fn add_organization(data: &mut Dataset, fact: OrganizationFact, now: DateTime<Utc>) {
    let id = id_of("organization", &fact.slug);
    let mut last = None;
    let mut position = 0;
    for statement in fact.statements {
        position = if last == Some(statement.kind) { position + 1 } else { 1 };
        last = Some(statement.kind);
        data.statements.push(statement::Model {
            organization_id: id,
            id: id_of("statement", &format!("{}:{:?}:{position}", fact.slug, statement.kind)),
            kind: statement.kind,
            position,
            title: statement.title.into_localized(),
            text: statement.text.into_localized(),
            version: 1,
            recorded_at: now,
            published_at: Some(now),
            archived_at: None,
        });
    }
    data.organizations.push(organization::Model {
        id,
        slug: fact.slug,
        name: fact.name,
        country: fact.country,
        kind: fact.kind,
        active_since: fact.active_since,
        version: 1,
        recorded_at: now,
        published_at: Some(now),
        archived_at: None,
    });
}

fn add_claim(
    data: &mut Dataset,
    fact: ClaimFact,
    place: usize,
    now: DateTime<Utc>,
) -> Result<(), FactsError> {
    let value = thousandths(&fact.value).ok_or(FactsError::NotANumber { text: fact.value })?;
    data.claims.push(claim::Model {
        organization_id: organization_id(data, "la-cana")?,
        id: id_of("claim", &format!("la-cana:{}", fact.row)),
        position: place as i32 + 1,
        section: fact.section,
        text: fact.text.into_localized(),
        value_thousandths: Some(value),
        unit: Some(fact.unit),
        status: fact.status,
        source: CLAIM_SOURCE.to_owned(),
        // The page carries no date.
        as_of: None,
        note: fact.note.map(|note| note.into_localized()),
        version: 1,
        recorded_at: now,
        published_at: Some(now),
        archived_at: None,
    });
    Ok(())
}

/// A decimal number times 1,000, without going through a floating-point number.
fn thousandths(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 3 {
        return None;
    }
    format!("{whole}{decimals:0<3}").parse().ok()
}

/// Facilities that do not exist, two thirds of them in Chile, spread over the regions.
fn invented_facilities(regions: &[region::Model], scale: u32) -> Vec<FacilityFact> {
    let count = match scale {
        0..=1 => 0,
        2..=9 => 8,
        10..=99 => 24,
        _ => 48,
    };
    let of_country =
        |country: &str| regions.iter().filter(|row| row.country == country).cloned().collect::<Vec<_>>();
    let (chile, mexico) = (of_country("CL"), of_country("MX"));
    (1..=count)
        .filter_map(|number: usize| {
            let (organization, regions) = if number.is_multiple_of(3) {
                ("la-cana", &mexico)
            } else {
                ("red-de-accion-carcelaria", &chile)
            };
            // A step that shares no factor with 16 or 32 visits every region before any comes again.
            let region = regions.get((number * 5) % regions.len().max(1))?;
            Some(FacilityFact {
                organization: organization.to_owned(),
                slug: format!("demo-facility-{number:03}"),
                name: format!("Demo facility {number:03}"),
                aliases: Vec::new(),
                region: region.iso.clone(),
                municipality: None,
                kind: FacilityKind::Other,
                present_from: NaiveDate::from_ymd_opt(2021, 1 + number as u32 % 12, 1)?,
            })
        })
        .collect()
}

fn add_facility(data: &mut Dataset, fact: FacilityFact, now: DateTime<Utc>) -> Result<(), FactsError> {
    let organization_id = organization_id(data, &fact.organization)?;
    let region = known(data.regions.iter().find(|row| row.iso == fact.region), "region", &fact.region)?;
    let country = region.country.clone();
    let id = id_of("facility", &fact.slug);
    data.presences.push(presence::Model {
        organization_id,
        id: id_of("presence", &format!("{}:{}", fact.organization, fact.slug)),
        facility_id: id,
        starts_on: fact.present_from,
        ends_on: None,
    });
    data.facilities.push(facility::Model {
        id,
        organization_id,
        slug: fact.slug,
        name: fact.name,
        aliases: Names(fact.aliases),
        country,
        region_iso: fact.region,
        municipality: fact.municipality,
        kind: fact.kind,
        version: 1,
        recorded_at: now,
        published_at: Some(now),
        archived_at: None,
        hidden_at: None,
        hidden_before: None,
    });
    Ok(())
}

fn add_program(data: &mut Dataset, fact: ProgramFact, now: DateTime<Utc>) -> Result<(), FactsError> {
    let organization_id = organization_id(data, &fact.organization)?;
    let id = id_of("program", &format!("{}:{}", fact.organization, fact.slug));
    let area = *known(fact.areas.first(), "area of program", &fact.slug)?;
    for code in &fact.techniques {
        known(data.techniques.iter().find(|row| row.code == *code), "technique", code)?;
    }
    for facility_id in scope(data, organization_id, &fact.sites)? {
        data.program_sites.push(program_site::Model { program_id: id, facility_id });
    }
    data.programs.push(program::Model {
        id,
        organization_id,
        slug: fact.slug,
        name: fact.name.into_localized(),
        description: Some(fact.description.into_localized()),
        area,
        sensitivity: sensitivity_of(&fact.areas),
        areas: ProgramAreas(fact.areas),
        techniques: Names(fact.techniques),
        status: fact.status,
        starts_on: fact.starts_on,
        ends_on: fact.ends_on,
        outside_from: None,
        outside_face: None,
        version: 1,
        recorded_at: now,
        published_at: fact.published.then_some(now),
        archived_at: None,
    });
    Ok(())
}

/// The facilities that a list in the facts names, or all of the organisation's.
fn scope(data: &Dataset, organization: Uuid, scope: &Scope) -> Result<Vec<Uuid>, FactsError> {
    match scope {
        Scope::All(_) => {
            let own = data.facilities.iter().filter(|row| row.organization_id == organization);
            Ok(own.map(|row| row.id).collect())
        }
        Scope::Some(slugs) => slugs.iter().map(|slug| facility_id(data, organization, slug)).collect(),
    }
}

fn add_goods(data: &mut Dataset, facts: GoodsFacts, now: DateTime<Utc>) -> Result<(), FactsError> {
    for fact in facts.items {
        data.items.push(item::Model {
            id: id_of("item", &format!("{}:{}", fact.organization, fact.code)),
            organization_id: organization_id(data, &fact.organization)?,
            code: fact.code,
            name: fact.name.into_localized(),
            unit: fact.unit,
            sensitivity: fact.sensitivity,
            outside_from: None,
            outside_face: None,
            version: 1,
            recorded_at: now,
            published_at: Some(now),
            archived_at: None,
        });
    }
    facts.kits.into_iter().try_for_each(|fact| add_kit(data, fact, now))
}

fn add_kit(data: &mut Dataset, fact: KitFact, now: DateTime<Utc>) -> Result<(), FactsError> {
    let organization_id = organization_id(data, &fact.organization)?;
    let id = id_of("kit", &format!("{}:{}", fact.organization, fact.code));
    let mut sensitivity = Sensitivity::General;
    for version in fact.versions {
        data.kit_versions.push(kit_version::Model {
            kit_id: id,
            number: version.number,
            valid_from: version.valid_from,
        });
        for (place, line) in version.lines.into_iter().enumerate() {
            let item = item(data, organization_id, &line.item)?;
            sensitivity = sensitivity.max(item.sensitivity);
            let item_id = item.id;
            data.kit_lines.push(kit_line::Model {
                kit_id: id,
                number: version.number,
                position: place as i32 + 1,
                item_id,
                quantity: line.quantity,
            });
        }
    }
    data.kits.push(kit::Model {
        id,
        organization_id,
        code: fact.code,
        name: fact.name.into_localized(),
        sensitivity,
        outside_from: None,
        outside_face: None,
        version: 1,
        recorded_at: now,
        published_at: Some(now),
        archived_at: None,
    });
    Ok(())
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
