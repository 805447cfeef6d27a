//! Demonstration accounts: one for each role that makes sense in each organisation, none with a person's name.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    value::{AccountKind, OrganizationKind, Role},
    *,
};

use super::dataset::{Dataset, id_of};

/// The issuer that the demonstration accounts are known by; production refuses it.
pub const ISSUER: &str = "umbral-demo";

/// A field worker of the demonstration is assigned to so many facilities.
const FIELD_FACILITIES: usize = 2;

/// The subject of the demonstration account with this role in this organisation.
pub fn subject(role: Role, organization: &str) -> String {
    format!("demo:{}:{organization}", name(role))
}

pub(super) fn add(data: &mut Dataset, now: DateTime<Utc>) {
    for organization in data.organizations.clone() {
        for &role in roles(organization.kind) {
            add_account(data, &organization, role, now);
        }
    }
}

/// The roles that accounts of such an organisation can have.
fn roles(kind: OrganizationKind) -> &'static [Role] {
    match kind {
        OrganizationKind::Operator => {
            &[Role::Field, Role::Coordinator, Role::Steward, Role::Admin, Role::Auditor]
        }
        OrganizationKind::Partner => &[Role::Partner],
        OrganizationKind::Donor => &[Role::Donor],
    }
}

fn add_account(data: &mut Dataset, organization: &organization::Model, role: Role, now: DateTime<Utc>) {
    let subject = subject(role, &organization.slug);
    let account_id = id_of("account", &subject);
    let membership_id = id_of("membership", &subject);
    data.accounts.push(account::Model {
        id: account_id,
        kind: AccountKind::Service,
        name: format!("Demo {} ({})", name(role), organization.slug),
        recorded_at: now,
        disabled_at: None,
        tokens_valid_from: None,
    });
    data.identities.push(identity::Model { issuer: ISSUER.to_owned(), subject, account_id });
    data.memberships.push(membership::Model {
        organization_id: organization.id,
        id: membership_id,
        account_id,
        role,
        starts_on: organization.active_since.unwrap_or_else(first_day),
        ends_on: None,
        recorded_at: now,
    });
    if role == Role::Field {
        let own = data.facilities.iter().filter(|row| row.organization_id == organization.id);
        let assigned = own.take(FIELD_FACILITIES).map(|row| membership_facility::Model {
            organization_id: organization.id,
            membership_id,
            facility_id: row.id,
        });
        data.membership_facilities.extend(assigned);
    }
}

/// Early enough for every delivery of the demonstration.
fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2016, 1, 1).unwrap_or_default()
}

/// As `umbral token --role` spells it.
fn name(role: Role) -> &'static str {
    match role {
        Role::Donor => "donor",
        Role::Partner => "partner",
        Role::Field => "field",
        Role::Coordinator => "coordinator",
        Role::Steward => "steward",
        Role::Admin => "admin",
        Role::Auditor => "auditor",
    }
}
