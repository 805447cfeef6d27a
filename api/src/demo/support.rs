//! Facts into rows: agreements with partners, awards and gifts of donors. All of them are invented.

use chrono::{DateTime, Utc};
use entity::{
    value::{Names, Shares},
    *,
};

use super::{
    dataset::{Dataset, id_of},
    facts::{AgreementFact, AwardFact, FactsError, GiftFact, GiftLineFact, Scope, SupportFacts},
    registry::{facility_id, item, kit, known, organization_id, program_id},
};

pub(super) fn add(data: &mut Dataset, facts: SupportFacts, now: DateTime<Utc>) -> Result<(), FactsError> {
    facts.agreements.into_iter().try_for_each(|fact| add_agreement(data, fact, now))?;
    facts.awards.into_iter().try_for_each(|fact| add_award(data, fact, now))?;
    facts.gifts.into_iter().try_for_each(|fact| add_gift(data, fact, now))
}

fn add_agreement(data: &mut Dataset, fact: AgreementFact, now: DateTime<Utc>) -> Result<(), FactsError> {
    let organization_id = organization_id(data, &fact.organization)?;
    let agreement_id = id_of("agreement", &format!("{}:{}", fact.organization, fact.key));
    for partner in &fact.partners {
        let partner_id = super::registry::organization_id(data, partner)?;
        data.agreement_parties.push(agreement_party::Model { organization_id, agreement_id, partner_id });
    }
    let (all_facilities, facilities) = split(fact.facilities);
    for slug in &facilities.0 {
        let facility_id = facility_id(data, organization_id, slug)?;
        data.agreement_facilities.push(agreement_facility::Model {
            organization_id,
            agreement_id,
            facility_id,
        });
    }
    let (all_programs, programs) = split(fact.programs);
    for slug in &programs.0 {
        let program_id = program_id(data, organization_id, slug)?;
        data.agreement_programs.push(agreement_program::Model { organization_id, agreement_id, program_id });
    }
    data.agreements.push(agreement::Model {
        organization_id,
        id: agreement_id,
        title: fact.title,
        starts_on: fact.starts_on,
        ends_on: fact.ends_on,
        time_zone: fact.time_zone,
        all_facilities,
        all_programs,
        shares: Shares(fact.shares),
        version: 1,
        recorded_at: now,
        published_at: Some(now),
        archived_at: None,
    });
    Ok(())
}

fn split(scope: Scope) -> (bool, Names) {
    match scope {
        Scope::All(_) => (true, Names(Vec::new())),
        Scope::Some(slugs) => (false, Names(slugs)),
    }
}

fn add_award(data: &mut Dataset, fact: AwardFact, now: DateTime<Utc>) -> Result<(), FactsError> {
    let organization_id = organization_id(data, &fact.organization)?;
    let award_id = id_of("award", &format!("{}:{}", fact.organization, fact.key));
    for slug in &fact.programs {
        let program_id = program_id(data, organization_id, slug)?;
        data.award_programs.push(award_program::Model { organization_id, award_id, program_id });
    }
    data.awards.push(award::Model {
        organization_id,
        id: award_id,
        donor_id: super::registry::organization_id(data, &fact.donor)?,
        title: fact.title.into_localized(),
        amount_minor: fact.amount_minor,
        currency: fact.currency,
        awarded_on: fact.awarded_on,
        starts_on: fact.starts_on,
        ends_on: fact.ends_on,
        version: 1,
        recorded_at: now,
        published_at: Some(now),
        archived_at: None,
    });
    Ok(())
}

fn add_gift(data: &mut Dataset, fact: GiftFact, now: DateTime<Utc>) -> Result<(), FactsError> {
    let organization_id = organization_id(data, &fact.organization)?;
    let gift_id = id_of("gift", &format!("{}:{}", fact.organization, fact.key));
    for slug in &fact.programs {
        let program_id = program_id(data, organization_id, slug)?;
        data.gift_programs.push(gift_program::Model { organization_id, gift_id, program_id });
    }
    for (place, line) in fact.lines.into_iter().enumerate() {
        let GiftLineFact { item: item_code, kit: kit_code, version, quantity } = line;
        let item_id =
            item_code.map(|code| item(data, organization_id, &code).map(|row| row.id)).transpose()?;
        let kit_id = kit_code.map(|code| kit(data, organization_id, &code).map(|row| row.id)).transpose()?;
        if let (Some(kit_id), Some(number)) = (kit_id, version) {
            let mut versions = data.kit_versions.iter();
            let found = versions.find(|row| row.kit_id == kit_id && row.number == number);
            known(found, "kit version", &number.to_string())?;
        }
        let position = place as i32 + 1;
        data.gift_lines.push(gift_line::Model {
            organization_id,
            gift_id,
            position,
            item_id,
            kit_id,
            kit_version: version,
            quantity,
        });
    }
    data.gifts.push(gift::Model {
        organization_id,
        id: gift_id,
        donor_id: super::registry::organization_id(data, &fact.donor)?,
        received_on: fact.received_on,
        value_minor: fact.value_minor,
        currency: fact.currency,
        version: 1,
        recorded_at: now,
        published_at: Some(now),
        archived_at: None,
    });
    Ok(())
}
