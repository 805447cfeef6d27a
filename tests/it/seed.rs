//! The rows of [`crate::world`].

use api::id::Kind;
use entity::{value::*, *};
use tests::TestApp;

use crate::world::*;

/// Account numbers by role and organisation: a token's subject is `demo:ROLE:ORGANISATION`.
pub const MEMBERS: [(u128, &str, Role, u128); 13] = [
    (1, "coordinator", Role::Coordinator, OWN),
    (2, "coordinator2", Role::Coordinator, OWN),
    (3, "field", Role::Field, OWN),
    (4, "steward", Role::Steward, OWN),
    (5, "admin", Role::Admin, OWN),
    (6, "auditor", Role::Auditor, OWN),
    (7, "coordinator", Role::Coordinator, OTHER),
    (8, "admin", Role::Admin, OTHER),
    (9, "partner", Role::Partner, ALLY),
    (10, "partner", Role::Partner, STRANGER),
    (11, "donor", Role::Donor, GIVER),
    (12, "donor", Role::Donor, GIVER2),
    (13, "field", Role::Field, OTHER),
];

pub async fn all(app: &TestApp) {
    organizations(app).await;
    registry(app).await;
    goods(app).await;
    members(app).await;
    assignments(app).await;
    insert::<agreement::Entity>(
        app,
        vec![agreement::Model {
            organization_id: uuid(Kind::Organization, OWN),
            id: uuid(Kind::Agreement, 1),
            title: "Alianza".to_owned(),
            starts_on: day("2024-01-01"),
            ends_on: None,
            time_zone: "America/Mexico_City".to_owned(),
            all_facilities: true,
            all_programs: true,
            shares: Shares(vec![AgreementShare::Distributions]),
            version: 1,
            recorded_at: moment("2024-01-01T00:00:00Z"),
            published_at: Some(moment("2024-01-01T00:00:00Z")),
            archived_at: None,
        }],
    )
    .await;
    insert::<agreement_party::Entity>(
        app,
        vec![agreement_party::Model {
            organization_id: uuid(Kind::Organization, OWN),
            agreement_id: uuid(Kind::Agreement, 1),
            partner_id: uuid(Kind::Organization, ALLY),
        }],
    )
    .await;
}

pub async fn organizations(app: &TestApp) {
    let rows = ORGANIZATIONS.iter().zip(1..).map(|(slug, n)| organization::Model {
        id: uuid(Kind::Organization, n),
        slug: (*slug).to_owned(),
        name: format!("Organización {slug}"),
        country: "MX".to_owned(),
        kind: match n {
            OWN | OTHER => OrganizationKind::Operator,
            ALLY | STRANGER => OrganizationKind::Partner,
            _ => OrganizationKind::Donor,
        },
        // Ties and nulls, for the order by this column.
        active_since: (n != STRANGER).then(|| day(if n < 3 { "2014-05-01" } else { "2016-01-01" })),
        version: 1,
        recorded_at: moment("2020-01-01T00:00:00Z"),
        published_at: Some(moment("2020-01-01T00:00:00Z")),
        archived_at: None,
    });
    insert::<organization::Entity>(app, rows.collect()).await;
    let rows = [("MX-MEX", "MX"), ("MX-CMX", "MX"), ("CL-RM", "CL")].map(|(iso, country)| region::Model {
        iso: iso.to_owned(),
        country: country.to_owned(),
        pcode: None,
        name: iso.to_owned(),
    });
    insert::<region::Entity>(app, rows.into()).await;
    let rows =
        vec![technique::Model { code: "weaving".to_owned(), name: both_languages("Tejido", "Weaving") }];
    insert::<technique::Entity>(app, rows).await;
}

async fn registry(app: &TestApp) {
    let rows = FACILITIES.iter().zip(1..).map(|((slug, name, region), n)| facility::Model {
        id: uuid(Kind::Facility, n),
        organization_id: uuid(Kind::Organization, if n == 4 { OTHER } else { OWN }),
        slug: (*slug).to_owned(),
        name: (*name).to_owned(),
        aliases: Names(if n == 1 { vec!["Bordo de Xochiaca".to_owned()] } else { vec![] }),
        country: region[..2].to_owned(),
        region_iso: (*region).to_owned(),
        municipality: Some("Municipio".to_owned()),
        kind: if n == 2 { FacilityKind::MixedPrison } else { FacilityKind::WomenPrison },
        version: 1,
        recorded_at: moment("2020-01-01T00:00:00Z"),
        published_at: Some(moment("2020-01-01T00:00:00Z")),
        archived_at: None,
        hidden_at: None,
        hidden_before: None,
    });
    insert::<facility::Entity>(app, rows.collect()).await;
    let rows = (1..=4).map(|n| presence::Model {
        organization_id: uuid(Kind::Organization, if n == 4 { OTHER } else { OWN }),
        id: uuid(Kind::Facility, n),
        facility_id: uuid(Kind::Facility, n),
        starts_on: day("2015-01-01"),
        ends_on: (n == 3).then(|| day("2020-12-31")),
    });
    insert::<presence::Entity>(app, rows.collect()).await;
    let programs = [
        ("supplies", "Artículos básicos", "Basic supplies", ProgramArea::BasicSupplies, OWN, None),
        ("workshop", "Taller", "Workshop", ProgramArea::ProductiveWork, OWN, Some("2027-12-31")),
        ("maternity", "Maternidad", "Motherhood", ProgramArea::Maternity, OWN, Some("2027-12-31")),
        ("theirs", "Ajeno", "Foreign", ProgramArea::Education, OTHER, None),
    ];
    let rows = programs.iter().zip(1..).map(|((slug, es, en, area, owner, ends), n)| program::Model {
        id: uuid(Kind::Program, n),
        organization_id: uuid(Kind::Organization, *owner),
        slug: (*slug).to_owned(),
        name: both_languages(es, en),
        description: Some(both_languages("Descripción", "Description")),
        area: *area,
        areas: ProgramAreas(vec![*area]),
        techniques: Names(vec![]),
        status: ProgramStatus::Active,
        sensitivity: if n == MATERNITY { Sensitivity::Sensitive } else { Sensitivity::General },
        starts_on: day("2020-01-01"),
        ends_on: ends.map(day),
        outside_from: None,
        outside_face: None,
        version: 1,
        recorded_at: moment("2020-01-01T00:00:00Z"),
        published_at: Some(moment("2020-01-01T00:00:00Z")),
        archived_at: None,
    });
    insert::<program::Entity>(app, rows.collect()).await;
    let sites =
        [SUPPLIES, WORKSHOP, MATERNITY].into_iter().flat_map(|program| (1..=3).map(move |n| (program, n)));
    let rows = sites.chain([(THEIRS, 4)]).map(|(program, facility)| program_site::Model {
        program_id: uuid(Kind::Program, program),
        facility_id: uuid(Kind::Facility, facility),
    });
    insert::<program_site::Entity>(app, rows.collect()).await;
}

async fn goods(app: &TestApp) {
    let names = ["Jabón", "Toallas sanitarias", "Libro", "Fórmula", "Toalla"];
    let rows = ITEMS.iter().zip(names).zip(1..).map(|(((code, unit, sensitivity), name), n)| item::Model {
        id: uuid(Kind::Item, n),
        organization_id: uuid(Kind::Organization, if n == TOWEL { OTHER } else { OWN }),
        code: (*code).to_owned(),
        name: both_languages(name, &format!("{} (en)", code.to_lowercase())),
        unit: (*unit).to_owned(),
        sensitivity: *sensitivity,
        outside_from: None,
        outside_face: None,
        version: 1,
        recorded_at: moment("2020-01-01T00:00:00Z"),
        published_at: Some(moment("2020-01-01T00:00:00Z")),
        archived_at: None,
    });
    insert::<item::Entity>(app, rows.collect()).await;
    let rows = ["HYGIENE", "BATH", "MATERNAL"].iter().zip(1..).map(|(code, n)| kit::Model {
        id: uuid(Kind::Kit, n),
        organization_id: uuid(Kind::Organization, OWN),
        code: (*code).to_owned(),
        name: both_languages(&format!("Kit {code}"), &format!("{code} kit")),
        sensitivity: if n == MATERNAL { Sensitivity::Sensitive } else { Sensitivity::General },
        outside_from: None,
        outside_face: None,
        version: 1,
        recorded_at: moment("2020-01-01T00:00:00Z"),
        published_at: Some(moment("2020-01-01T00:00:00Z")),
        archived_at: None,
    });
    insert::<kit::Entity>(app, rows.collect()).await;
    let rows = CONTENTS.iter().map(|(kit, number, from, _)| kit_version::Model {
        kit_id: uuid(Kind::Kit, *kit),
        number: *number,
        valid_from: day(from),
    });
    insert::<kit_version::Entity>(app, rows.collect()).await;
    let rows = CONTENTS.iter().flat_map(|(kit, number, _, lines)| {
        lines.iter().zip(1..).map(|((item, quantity), position)| kit_line::Model {
            kit_id: uuid(Kind::Kit, *kit),
            number: *number,
            position,
            item_id: uuid(Kind::Item, *item),
            quantity: *quantity,
        })
    });
    insert::<kit_line::Entity>(app, rows.collect()).await;
}

/// The key of a member's account and membership.
pub fn account(n: u128) -> sea_orm::prelude::Uuid {
    uuid(Kind::Claim, 1_000 + n)
}

pub async fn members(app: &TestApp) {
    let rows = MEMBERS.iter().map(|(n, ..)| account::Model {
        id: account(*n),
        kind: AccountKind::Service,
        name: format!("account {n}"),
        recorded_at: moment("2020-01-01T00:00:00Z"),
        disabled_at: None,
        tokens_valid_from: None,
    });
    insert::<account::Entity>(app, rows.collect()).await;
    let rows = MEMBERS.iter().map(|(n, role, _, organization)| identity::Model {
        issuer: "umbral-demo".to_owned(),
        subject: format!("demo:{role}:{}", ORGANIZATIONS[*organization as usize - 1]),
        account_id: account(*n),
    });
    insert::<identity::Entity>(app, rows.collect()).await;
    let rows = MEMBERS.iter().map(|(n, _, role, organization)| membership::Model {
        organization_id: uuid(Kind::Organization, *organization),
        id: account(*n),
        account_id: account(*n),
        role: *role,
        starts_on: day("2020-01-01"),
        ends_on: None,
        recorded_at: moment("2020-01-01T00:00:00Z"),
    });
    insert::<membership::Entity>(app, rows.collect()).await;
}

async fn assignments(app: &TestApp) {
    let rows = [(3, OWN, 1), (13, OTHER, 4)].map(|(n, organization, facility)| membership_facility::Model {
        organization_id: uuid(Kind::Organization, organization),
        membership_id: account(n),
        facility_id: uuid(Kind::Facility, facility),
    });
    insert::<membership_facility::Entity>(app, rows.into()).await;
}
