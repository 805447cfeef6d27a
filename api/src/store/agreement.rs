//! Alliance agreements.

use entity::{
    agreement, agreement_facility, agreement_party, agreement_program,
    value::{AgreementShare, Shares},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Access,
    catalog::Agreement,
    input::{At, Faults, Message, Once, UserError, UserErrorCode, Written, given, or_default},
    keyset::{Direction, Key, Page, Place, Window, page_in_memory},
    time_zone,
    write::{Seen, Write},
};
use crate::{auth::Right, error::Result, id};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateAgreement {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub title: String,
    #[serde(deserialize_with = "id::many")]
    pub partners: Vec<Uuid>,
    pub starts_on: chrono::NaiveDate,
    pub ends_on: Option<chrono::NaiveDate>,
    pub time_zone: String,
    #[serde(default, deserialize_with = "id::some_list")]
    pub facilities: Option<Vec<Uuid>>,
    #[serde(default, deserialize_with = "id::some_list")]
    pub programs: Option<Vec<Uuid>>,
    pub shares: Vec<AgreementShare>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateAgreement {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub title: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub ends_on: Option<Option<chrono::NaiveDate>>,
    #[serde(default, deserialize_with = "id::given_list")]
    pub facilities: Option<Option<Vec<Uuid>>>,
    #[serde(default, deserialize_with = "id::given_list")]
    pub programs: Option<Option<Vec<Uuid>>>,
    pub shares: Option<Vec<AgreementShare>>,
}

impl Access {
    /// An agreement of the viewer's organisation, on either side.
    pub fn agreement(&self, id: Uuid) -> Option<&Agreement> {
        self.catalog.agreements.get(id).filter(|entry| self.sees_agreement(entry))
    }

    /// # Errors
    /// `NotPermitted` when the role reads no agreements.
    pub fn agreements(&self, window: &Window) -> Result<Page<&Agreement>> {
        self.require(Right::AgreementRead)?;
        let rows = self.catalog.agreements.iter().filter(|entry| self.sees_agreement(entry));
        Ok(page_in_memory(rows, |entry| Self::agreement_place(entry), Direction::Descending, window))
    }

    pub fn agreement_place(entry: &Agreement) -> Place {
        Place { key: Key::Day(entry.row.starts_on), id: entry.row.id }
    }

    fn sees_agreement(&self, entry: &Agreement) -> bool {
        let Some(own) = self.viewer.organization() else { return false };
        self.viewer.has(Right::AgreementRead)
            && (self.viewer.is_staff_of(entry.row.organization_id) || entry.parties.contains(&own))
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_agreement(&self, input: CreateAgreement) -> Written<Option<Uuid>> {
        self.require(Right::AgreementWrite)?;
        let own = self.own()?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        faults.short_text(&input.title, &["title"]);
        faults.span(input.starts_on, input.ends_on, &["endsOn"]);
        let known = time_zone::known(&input.time_zone);
        faults.check(known, UserErrorCode::Invalid, &["timeZone"], NO_ZONE);
        faults.check(!input.partners.is_empty(), UserErrorCode::Invalid, &["partners"], NO_PARTNERS);
        let partners = faults
            .ids(input.partners, "partners", NO_PARTNER, |partner| partner != own && self.may_name(partner));
        let facilities = input.facilities.map(|ids| self.sites(&mut faults, ids, |_| false));
        let programs = input.programs.map(|ids| self.own_programs(&mut faults, ids, |_| false));
        check_shares(&mut faults, &input.shares);
        faults.refuse()?;
        let row = agreement::ActiveModel {
            organization_id: Set(own),
            id: Set(id),
            title: Set(input.title),
            starts_on: Set(input.starts_on),
            ends_on: Set(input.ends_on),
            time_zone: Set(input.time_zone),
            all_facilities: Set(facilities.is_none()),
            all_programs: Set(programs.is_none()),
            shares: Set(Shares(input.shares)),
            version: Set(1),
            recorded_at: Set(self.now),
            published_at: Set(Some(self.now)),
            archived_at: Set(None),
        };
        row.insert(&write.tx).await?;
        for partner in partners {
            let row = agreement_party::ActiveModel {
                organization_id: Set(own),
                agreement_id: Set(id),
                partner_id: Set(partner),
            };
            row.insert(&write.tx).await?;
        }
        set_facilities(&write, own, id, facilities).await?;
        set_programs(&write, own, id, programs).await?;
        write.finish_create("agreement", id, input.validate_only).await
    }

    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    pub async fn update_agreement(&self, input: UpdateAgreement) -> Written<()> {
        self.require(Right::AgreementWrite)?;
        let own = self.own()?;
        let Some(entry) = self.agreement(input.at.id).filter(|entry| entry.row.organization_id == own) else {
            return Err(UserError::not_found(&["id"]).into());
        };
        input.at.check("id", entry.row.version, entry.row.archived_at)?;
        let mut faults = Faults::default();
        let mut row = agreement::ActiveModel { version: Set(input.at.expected + 1), ..Default::default() };
        if let Some(title) = input.title {
            faults.short_text(&title, &["title"]);
            row.title = Set(title);
        }
        if let Some(ends_on) = input.ends_on {
            faults.span(entry.row.starts_on, ends_on, &["endsOn"]);
            row.ends_on = Set(ends_on);
        }
        if let Some(shares) = input.shares {
            check_shares(&mut faults, &shares);
            row.shares = Set(Shares(shares));
        }
        let facilities = input
            .facilities
            .map(|ids| ids.map(|ids| self.sites(&mut faults, ids, |id| entry.facilities.contains(&id))));
        let programs = input
            .programs
            .map(|ids| ids.map(|ids| self.own_programs(&mut faults, ids, |id| entry.programs.contains(&id))));
        faults.refuse()?;
        if let Some(facilities) = &facilities {
            row.all_facilities = Set(facilities.is_none());
        }
        if let Some(programs) = &programs {
            row.all_programs = Set(programs.is_none());
        }
        let write = self.write().await?;
        let changed = agreement::Entity::update_many()
            .set(row)
            .filter(agreement::Column::OrganizationId.eq(own))
            .filter(agreement::Column::Id.eq(input.at.id))
            .filter(agreement::Column::Version.eq(input.at.expected))
            .exec(&write.tx)
            .await?
            .rows_affected;
        if changed == 1 {
            if let Some(facilities) = facilities {
                agreement_facility::Entity::delete_many()
                    .filter(agreement_facility::Column::OrganizationId.eq(own))
                    .filter(agreement_facility::Column::AgreementId.eq(input.at.id))
                    .exec(&write.tx)
                    .await?;
                set_facilities(&write, own, input.at.id, facilities).await?;
            }
            if let Some(programs) = programs {
                agreement_program::Entity::delete_many()
                    .filter(agreement_program::Column::OrganizationId.eq(own))
                    .filter(agreement_program::Column::AgreementId.eq(input.at.id))
                    .exec(&write.tx)
                    .await?;
                set_programs(&write, own, input.at.id, programs).await?;
            }
        }
        write.finish_update(changed, "agreement", input.at, input.validate_only).await
    }
}

fn check_shares(faults: &mut Faults, shares: &[AgreementShare]) {
    faults.check(!shares.is_empty(), UserErrorCode::Invalid, &["shares"], NO_SHARES);
}

async fn set_facilities(write: &Write<'_>, own: Uuid, id: Uuid, ids: Option<Vec<Uuid>>) -> Written<()> {
    for facility in ids.unwrap_or_default() {
        let row = agreement_facility::ActiveModel {
            organization_id: Set(own),
            agreement_id: Set(id),
            facility_id: Set(facility),
        };
        row.insert(&write.tx).await?;
    }
    Ok(())
}

async fn set_programs(write: &Write<'_>, own: Uuid, id: Uuid, ids: Option<Vec<Uuid>>) -> Written<()> {
    for program in ids.unwrap_or_default() {
        let row = agreement_program::ActiveModel {
            organization_id: Set(own),
            agreement_id: Set(id),
            program_id: Set(program),
        };
        row.insert(&write.tx).await?;
    }
    Ok(())
}

const NO_ZONE: Message = Message {
    en: "There is no such time zone. Use an IANA name, such as America/Santiago.",
    es: "No existe esa zona horaria. Use un nombre IANA, como America/Santiago.",
};
const NO_PARTNERS: Message =
    Message { en: "Name at least one partner.", es: "Indique al menos una organización aliada." };
const NO_PARTNER: Message =
    Message { en: "There is no such organisation.", es: "No existe esa organización." };
const NO_SHARES: Message =
    Message { en: "Say what the agreement shares.", es: "Indique qué comparte el convenio." };
