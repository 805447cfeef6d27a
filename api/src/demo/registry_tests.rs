use std::collections::{BTreeMap, BTreeSet};

use entity::value::{ClaimStatus, Role, TranslationStatus};

use super::*;
use crate::demo;

fn now() -> DateTime<Utc> {
    "2026-11-21T09:30:00.123456789Z".parse().unwrap()
}

fn data(scale: u32) -> Dataset {
    registry(now(), scale).unwrap()
}

#[test]
fn every_list_is_filled_and_every_id_is_its_own() {
    let data = data(1);
    assert_eq!(data.regions.len(), 48);
    assert_eq!(data.organizations.len(), 8);
    assert_eq!(data.facilities.len(), 13);
    assert_eq!(data.facilities.len(), data.presences.len());
    assert_eq!(data.claims.len(), 24);
    assert!(!data.agreement_facilities.is_empty() && !data.gift_lines.is_empty());
    let ids: Vec<Uuid> = data
        .organizations
        .iter()
        .map(|row| row.id)
        .chain(data.statements.iter().map(|row| row.id))
        .chain(data.claims.iter().map(|row| row.id))
        .chain(data.facilities.iter().map(|row| row.id))
        .chain(data.programs.iter().map(|row| row.id))
        .chain(data.items.iter().map(|row| row.id))
        .chain(data.kits.iter().map(|row| row.id))
        .chain(data.accounts.iter().map(|row| row.id))
        .collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    assert!(ids.iter().all(|id| id.get_version_num() == 4));
}

#[test]
fn ids_do_not_change() {
    assert_eq!(id_of("facility", "barrientos").to_string(), "ad4e5142-7ba3-4b9a-89e5-89150ce893b4");
}

#[test]
fn regions_have_one_code_in_each_scheme() {
    let data = data(1);
    for (country, count) in [("CL", 16), ("MX", 32)] {
        let own: Vec<_> = data.regions.iter().filter(|row| row.country == country).collect();
        assert_eq!(own.len(), count);
        let codes: BTreeSet<_> = own.iter().filter_map(|row| row.pcode.clone()).collect();
        let expected: BTreeSet<_> = (1..=count).map(|number| format!("{country}{number:02}")).collect();
        assert_eq!(codes, expected);
        assert!(own.iter().all(|row| row.iso.starts_with(&format!("{country}-"))));
    }
    let codes: BTreeMap<_, _> =
        data.regions.iter().map(|row| (row.iso.as_str(), row.pcode.as_deref())).collect();
    assert_eq!(codes["MX-MEX"], Some("MX15"));
    assert_eq!(codes["MX-CMX"], Some("MX09"));
    assert_eq!(codes["CL-LR"], Some("CL14"));
    assert_eq!(codes["CL-RM"], Some("CL13"));
}

#[test]
fn the_four_prisons_are_where_they_are() {
    let data = data(1);
    let found: Vec<_> = data
        .facilities
        .iter()
        .filter(|row| row.country == "MX")
        .map(|row| (row.name.as_str(), row.region_iso.as_str(), row.municipality.as_deref().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("Barrientos", "MX-MEX", "Tlalnepantla de Baz"),
            ("Nezahualcóyotl Sur", "MX-MEX", "Nezahualcóyotl"),
            ("Ecatepec", "MX-MEX", "Ecatepec de Morelos"),
            ("Santa Martha Acatitla", "MX-CMX", "Iztapalapa"),
        ]
    );
    let santa_martha = data.facilities.iter().find(|row| row.slug == "santa-martha-acatitla").unwrap();
    assert!(santa_martha.aliases.0.iter().any(|alias| alias == "Santa Marta"));
}

#[test]
fn claims_keep_what_is_wrong_with_them() {
    let data = data(1);
    let with = |status| data.claims.iter().filter(move |row| row.status == status);
    let withheld: Vec<_> = with(ClaimStatus::Withheld).map(|row| row.value_thousandths).collect();
    assert_eq!(withheld, [Some(11_000)]);
    let odd: Vec<_> = with(ClaimStatus::DoesNotReconcile).map(|row| row.value_thousandths).collect();
    assert_eq!(odd, [Some(30_000)]);
    assert_eq!(with(ClaimStatus::Verified).count(), 0);
    let values: BTreeSet<_> = data.claims.iter().filter_map(|row| row.value_thousandths).collect();
    assert!(values.contains(&84_400) && values.contains(&7_400) && values.contains(&5_300));
    let sections: BTreeSet<_> = data.claims.iter().map(|row| row.section.as_str()).collect();
    assert_eq!(sections.len(), 5);
}

#[test]
fn figures_are_read_digit_by_digit() {
    assert_eq!(thousandths("84.4"), Some(84_400));
    assert_eq!(thousandths("350"), Some(350_000));
    assert_eq!(thousandths("0.125"), Some(125));
    for bad in ["", ".5", "5.", "-1", "1.2345", "1e3", "99999999999999999999"] {
        assert_eq!(thousandths(bad), None, "{bad}");
    }
}

#[test]
fn texts_say_where_they_come_from() {
    let data = data(1);
    let texts = data.statements.iter().flat_map(|row| [&row.title, &row.text]);
    for text in texts.chain(data.items.iter().map(|row| &row.name)) {
        assert_eq!(text.texts[&text.original].status, TranslationStatus::Original);
        assert_eq!(text.texts["en"].status, TranslationStatus::Machine);
        assert!(text.texts.values().all(|translation| !translation.text.trim().is_empty()));
    }
}

#[test]
fn sensitivity_follows_from_areas_and_contents() {
    let data = data(1);
    let sensitive: Vec<_> = data
        .programs
        .iter()
        .filter(|row| row.sensitivity == Sensitivity::Sensitive)
        .map(|row| row.slug.as_str())
        .collect();
    let expected =
        ["salud-mental", "defensa-legal", "salud-sexual-y-reproductiva", "salud-mental", "maternidad"];
    assert_eq!(sensitive, expected);
    let kits: Vec<_> = data.kits.iter().map(|row| (row.code.as_str(), row.sensitivity)).collect();
    assert!(kits.contains(&("hygiene-kit", Sensitivity::General)));
    assert!(kits.contains(&("postpartum-kit", Sensitivity::Sensitive)));
    let pads = data.items.iter().find(|row| row.code == "menstrual-pads").unwrap();
    assert_eq!(pads.sensitivity, Sensitivity::General);
}

#[test]
fn accounts_carry_roles_and_no_names() {
    let data = data(1);
    assert_eq!(data.accounts.len(), 2 * 5 + 4 + 2);
    let wanted = demo::subject(Role::Coordinator, "la-cana");
    assert_eq!(wanted, "demo:coordinator:la-cana");
    let identity = data.identities.iter().find(|row| row.subject == wanted).unwrap();
    assert_eq!(identity.issuer, demo::ISSUER);
    let account = data.accounts.iter().find(|row| row.id == identity.account_id).unwrap();
    assert_eq!(account.name, "Demo coordinator (la-cana)");
    for membership in &data.memberships {
        let facilities =
            data.membership_facilities.iter().filter(|row| row.membership_id == membership.id).count();
        assert_eq!(facilities, if membership.role == Role::Field { 2 } else { 0 });
    }
}

#[test]
fn larger_scales_have_more_facilities() {
    for (scale, count) in [(0, 13), (1, 13), (2, 21), (10, 37), (100, 61)] {
        assert_eq!(data(scale).facilities.len(), count, "scale {scale}");
    }
    let data = data(100);
    let regions: BTreeSet<_> = data.facilities.iter().map(|row| &row.region_iso).collect();
    assert!(regions.len() > 25, "{} regions", regions.len());
}

#[test]
fn time_is_kept_to_the_microsecond() {
    assert_eq!(data(1).organizations[0].recorded_at.to_rfc3339(), "2026-11-21T09:30:00.123456+00:00");
}
