//! Grants of money and gifts in kind.

use entity::{award, award_program, gift, gift_line, gift_program};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Access,
    catalog::{Award, Gift},
    distribution::{DateRange, LineInput},
    input::{
        At, FUTURE, Faults, LocalizedInput, Message, MoneyInput, Once, UserError, UserErrorCode, Written,
        given, or_default,
    },
    keyset::{Direction, Key, Page, Place, Window, page_in_memory},
    write::Seen,
};
use crate::{auth::Right, error::Result, graphql::audience::Audience, id};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    pub awarded_on: Option<DateRange>,
    pub currency: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateAward {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::ORGANIZATION}>")]
    pub donor: Uuid,
    pub title: LocalizedInput,
    pub amount: MoneyInput,
    pub awarded_on: chrono::NaiveDate,
    pub starts_on: chrono::NaiveDate,
    pub ends_on: Option<chrono::NaiveDate>,
    #[serde(deserialize_with = "id::many")]
    pub programs: Vec<Uuid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateAward {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub title: Option<LocalizedInput>,
    pub amount: Option<MoneyInput>,
    #[serde(default, deserialize_with = "given")]
    pub ends_on: Option<Option<chrono::NaiveDate>>,
    #[serde(default, deserialize_with = "id::some_list")]
    pub programs: Option<Vec<Uuid>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateGift {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::ORGANIZATION}>")]
    pub donor: Uuid,
    pub received_on: chrono::NaiveDate,
    pub value: Option<MoneyInput>,
    #[serde(deserialize_with = "id::many")]
    pub programs: Vec<Uuid>,
    pub lines: Vec<LineInput>,
}

impl Access {
    /// An award that the viewer may see: one's own as a donor once published, or one that the viewer's
    /// organisation received.
    pub fn award(&self, id: Uuid) -> Option<&Award> {
        self.catalog.awards.get(id).filter(|entry| self.sees_award(entry))
    }

    pub fn gift(&self, id: Uuid) -> Option<&Gift> {
        self.catalog.gifts.get(id).filter(|entry| self.sees_gift(entry))
    }

    /// The newest first.
    ///
    /// # Errors
    /// `NotPermitted` when the role reads no awards.
    pub fn awards(&self, filter: &Filter, window: &Window) -> Result<Page<&Award>> {
        self.require(Right::AwardRead)?;
        let days = filter.awarded_on.unwrap_or_default();
        let rows = self.catalog.awards.iter().filter(|entry| {
            self.sees_award(entry)
                && entry.row.archived_at.is_none()
                && days.from.is_none_or(|from| from <= entry.row.awarded_on)
                && days.to.is_none_or(|to| entry.row.awarded_on <= to)
                && filter.currency.as_ref().is_none_or(|wanted| wanted.contains(&entry.row.currency))
        });
        Ok(page_in_memory(rows, |entry| Self::award_place(entry), Direction::Descending, window))
    }

    /// The newest first.
    ///
    /// # Errors
    /// `NotPermitted` when the role reads no gifts.
    pub fn gifts(&self, window: &Window) -> Result<Page<&Gift>> {
        self.require(Right::AwardRead)?;
        let rows = self
            .catalog
            .gifts
            .iter()
            .filter(|entry| self.sees_gift(entry) && entry.row.archived_at.is_none());
        Ok(page_in_memory(rows, |entry| Self::gift_place(entry), Direction::Descending, window))
    }

    pub fn award_place(entry: &Award) -> Place {
        Place { key: Key::Day(entry.row.awarded_on), id: entry.row.id }
    }

    pub fn gift_place(entry: &Gift) -> Place {
        Place { key: Key::Day(entry.row.received_on), id: entry.row.id }
    }

    fn sees_award(&self, entry: &Award) -> bool {
        self.sees_gifts_of(entry.row.organization_id, entry.row.donor_id, entry.row.published_at.is_some())
    }

    fn sees_gift(&self, entry: &Gift) -> bool {
        self.sees_gifts_of(entry.row.organization_id, entry.row.donor_id, entry.row.published_at.is_some())
    }

    fn sees_gifts_of(&self, organization: Uuid, donor: Uuid, published: bool) -> bool {
        if !self.viewer.has(Right::AwardRead) {
            return false;
        }
        let given = self.viewer.audience() == Audience::Donor && self.viewer.organization() == Some(donor);
        self.viewer.is_staff_of(organization) || given && published
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_award(&self, input: CreateAward) -> Written<Option<Uuid>> {
        self.require(Right::AwardWrite)?;
        let own = self.own()?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        let title = faults.localized(&input.title, &["title"], 200);
        let amount = faults.money(&input.amount, &["amount"]);
        faults.span(input.starts_on, input.ends_on, &["endsOn"]);
        self.check_donor(&mut faults, input.donor);
        let programs = self.own_programs(&mut faults, input.programs, |_| false);
        faults.refuse()?;
        let row = award::ActiveModel {
            organization_id: Set(own),
            id: Set(id),
            donor_id: Set(input.donor),
            title: Set(title),
            amount_minor: Set(amount),
            currency: Set(input.amount.currency),
            awarded_on: Set(input.awarded_on),
            starts_on: Set(input.starts_on),
            ends_on: Set(input.ends_on),
            version: Set(1),
            recorded_at: Set(self.now),
            published_at: Set(None),
            archived_at: Set(None),
        };
        row.insert(&write.tx).await?;
        for program in programs {
            let row = award_program::ActiveModel {
                organization_id: Set(own),
                award_id: Set(id),
                program_id: Set(program),
            };
            row.insert(&write.tx).await?;
        }
        write.finish_create("award", id, input.validate_only).await
    }

    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    pub async fn update_award(&self, input: UpdateAward) -> Written<()> {
        self.require(Right::AwardWrite)?;
        let own = self.own()?;
        let Some(entry) = self.award(input.at.id).filter(|entry| entry.row.organization_id == own) else {
            return Err(UserError::not_found(&["id"]).into());
        };
        input.at.check("id", entry.row.version, entry.row.archived_at)?;
        let mut faults = Faults::default();
        let mut row = award::ActiveModel { version: Set(input.at.expected + 1), ..Default::default() };
        if let Some(title) = &input.title {
            row.title = Set(faults.localized(title, &["title"], 200));
        }
        if let Some(amount) = input.amount {
            row.amount_minor = Set(faults.money(&amount, &["amount"]));
            row.currency = Set(amount.currency);
        }
        if let Some(ends_on) = input.ends_on {
            faults.span(entry.row.starts_on, ends_on, &["endsOn"]);
            row.ends_on = Set(ends_on);
        }
        let programs =
            input.programs.map(|ids| self.own_programs(&mut faults, ids, |id| entry.programs.contains(&id)));
        faults.refuse()?;
        let write = self.write().await?;
        let changed = award::Entity::update_many()
            .set(row)
            .filter(award::Column::OrganizationId.eq(own))
            .filter(award::Column::Id.eq(input.at.id))
            .filter(award::Column::Version.eq(input.at.expected))
            .exec(&write.tx)
            .await?
            .rows_affected;
        if let (1, Some(programs)) = (changed, programs) {
            award_program::Entity::delete_many()
                .filter(award_program::Column::OrganizationId.eq(own))
                .filter(award_program::Column::AwardId.eq(input.at.id))
                .exec(&write.tx)
                .await?;
            for program in programs {
                let row = award_program::ActiveModel {
                    organization_id: Set(own),
                    award_id: Set(input.at.id),
                    program_id: Set(program),
                };
                row.insert(&write.tx).await?;
            }
        }
        write.finish_update(changed, "award", input.at, input.validate_only).await
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_gift(&self, input: CreateGift) -> Written<Option<Uuid>> {
        self.require(Right::AwardWrite)?;
        let own = self.own()?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        self.check_donor(&mut faults, input.donor);
        let value = input.value.as_ref().map(|value| faults.money(value, &["value"]));
        let programs = self.own_programs(&mut faults, input.programs, |_| false);
        let past = input.received_on <= self.today();
        faults.check(past, UserErrorCode::OutOfRange, &["receivedOn"], FUTURE);
        let lines = self.check_lines(&mut faults, &input.lines, input.received_on, |_| false);
        faults.refuse()?;
        let row = gift::ActiveModel {
            organization_id: Set(own),
            id: Set(id),
            donor_id: Set(input.donor),
            received_on: Set(input.received_on),
            value_minor: Set(value),
            currency: Set(input.value.map(|value| value.currency)),
            version: Set(1),
            recorded_at: Set(self.now),
            published_at: Set(None),
            archived_at: Set(None),
        };
        row.insert(&write.tx).await?;
        for program in programs {
            let row = gift_program::ActiveModel {
                organization_id: Set(own),
                gift_id: Set(id),
                program_id: Set(program),
            };
            row.insert(&write.tx).await?;
        }
        for (line, position) in lines.iter().zip(1..) {
            let row = gift_line::ActiveModel {
                organization_id: Set(own),
                gift_id: Set(id),
                position: Set(position),
                item_id: Set(line.item_id),
                kit_id: Set(line.kit_id),
                kit_version: Set(line.kit_version),
                quantity: Set(line.quantity),
            };
            row.insert(&write.tx).await?;
        }
        write.finish_create("gift", id, input.validate_only).await
    }

    fn check_donor(&self, faults: &mut Faults, donor: Uuid) {
        faults.check(self.may_name(donor), UserErrorCode::NotFound, &["donor"], NO_DONOR);
    }
}

pub(super) const NO_DONOR: Message = Message { en: "There is no such donor.", es: "No existe esa donante." };
