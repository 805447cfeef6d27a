//! Workshops: for staff only.

use chrono::NaiveDate;
use entity::{value::SkillLevel, workshop};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Set};
use serde::Deserialize;
use uuid::Uuid;

use super::NO_TECHNIQUE;
use crate::{
    auth::Right,
    id,
    store::{
        Access, Scoped,
        distribution::When,
        input::{
            At, Faults, LocalizedInput, Message, Once, UserError, UserErrorCode, Written, given, or_default,
        },
        write::{Seen, Trace, Write},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateWorkshop {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::PROGRAM}>")]
    pub program: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::FACILITY}>")]
    pub facility: Uuid,
    pub title: LocalizedInput,
    #[serde(default)]
    pub technique: Option<String>,
    #[serde(default)]
    pub level: Option<SkillLevel>,
    #[serde(default)]
    pub hours: Option<i32>,
    #[serde(default)]
    pub capacity: Option<i32>,
    pub starts_on: NaiveDate,
    #[serde(default)]
    pub ends_on: Option<NaiveDate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateWorkshop {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(default)]
    pub title: Option<LocalizedInput>,
    #[serde(default, deserialize_with = "given")]
    pub technique: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    pub level: Option<Option<SkillLevel>>,
    #[serde(default, deserialize_with = "given")]
    pub hours: Option<Option<i32>>,
    #[serde(default, deserialize_with = "given")]
    pub capacity: Option<Option<i32>>,
    #[serde(default)]
    pub starts_on: Option<NaiveDate>,
    #[serde(default, deserialize_with = "given")]
    pub ends_on: Option<Option<NaiveDate>>,
}

impl Scoped for workshop::Entity {
    fn visible_to(access: &Access) -> Condition {
        access
            .own_rows(workshop::Column::OrganizationId, Right::SessionRead)
            .add(access.within_cut(workshop::Column::FacilityId))
    }
}

impl Access {
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_workshop(&self, input: CreateWorkshop) -> Written<Option<Uuid>> {
        self.require(Right::WorkshopWrite)?;
        let write = self.write_relying().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        let row = workshop::Model {
            organization_id: self.own()?,
            id,
            program_id: input.program,
            facility_id: input.facility,
            title: faults.localized(&input.title, &["title"], 200),
            technique: input.technique,
            level: input.level,
            hours: input.hours,
            capacity: input.capacity,
            starts_on: input.starts_on,
            ends_on: input.ends_on,
            cancelled_at: None,
            version: 1,
            recorded_at: self.now,
            recorded_by: self.viewer.account(),
        };
        self.check_workshop(&mut faults, &row);
        faults.refuse()?;
        write.put::<workshop::Entity>(vec![row]).await?;
        write.finish_create("workshop", id, input.validate_only).await
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn update_workshop(&self, input: UpdateWorkshop) -> Written<()> {
        self.require(Right::WorkshopWrite)?;
        let write = self.write_relying().await?;
        let mut row = self.workshop_at(&write, input.at).await?;
        let mut faults = Faults::default();
        if let Some(title) = &input.title {
            row.title = faults.localized(title, &["title"], 200);
        }
        row.technique = input.technique.unwrap_or(row.technique);
        row.level = input.level.unwrap_or(row.level);
        row.hours = input.hours.unwrap_or(row.hours);
        row.capacity = input.capacity.unwrap_or(row.capacity);
        row.starts_on = input.starts_on.unwrap_or(row.starts_on);
        row.ends_on = input.ends_on.unwrap_or(row.ends_on);
        self.check_workshop(&mut faults, &row);
        faults.refuse()?;
        let change = workshop::ActiveModel {
            title: Set(row.title),
            technique: Set(row.technique),
            level: Set(row.level),
            hours: Set(row.hours),
            capacity: Set(row.capacity),
            starts_on: Set(row.starts_on),
            ends_on: Set(row.ends_on),
            ..Default::default()
        };
        let changed = self.change_workshop(&write, change, input.at).await?;
        write.finish_update(changed, "workshop", input.at, input.validate_only).await
    }

    /// Cancels a workshop. Its enrolments stay as they are.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn cancel_workshop(&self, at: At, validate_only: bool) -> Written<()> {
        self.require(Right::WorkshopWrite)?;
        let write = self.write_relying().await?;
        self.workshop_at(&write, at).await?;
        let change = workshop::ActiveModel { cancelled_at: Set(Some(self.now)), ..Default::default() };
        let changed = self.change_workshop(&write, change, at).await?;
        let trace = Trace::of("CANCEL", "workshop");
        write.finish(changed, trace, at, validate_only).await
    }

    async fn workshop_at(&self, write: &Write<'_>, at: At) -> Written<workshop::Model> {
        let rows = self.select::<workshop::Entity>().filter(workshop::Column::Id.eq(at.id));
        let row = rows.one(&write.tx).await?.ok_or_else(|| UserError::not_found(&["id"]))?;
        if row.version != at.expected {
            return Err(UserError::stale().into());
        }
        if row.cancelled_at.is_some() {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], CANCELLED).into());
        }
        Ok(row)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the update repeats the organisation and the version in its WHERE"
    )]
    async fn change_workshop(
        &self,
        write: &Write<'_>,
        change: workshop::ActiveModel,
        at: At,
    ) -> Written<u64> {
        let change = workshop::ActiveModel { version: Set(at.expected + 1), ..change };
        let done = workshop::Entity::update_many()
            .set(change)
            .filter(workshop::Column::OrganizationId.eq(self.own()?))
            .filter(workshop::Column::Id.eq(at.id))
            .filter(workshop::Column::Version.eq(at.expected))
            .exec(&write.tx)
            .await?;
        Ok(done.rows_affected)
    }

    fn check_workshop(&self, faults: &mut Faults, row: &workshop::Model) {
        let mut of_place = Faults::default();
        self.check_place(&mut of_place, row.facility_id, row.program_id, row.starts_on, When::Planned);
        of_place.rename(&["occurredOn"], "startsOn");
        faults.extend(of_place);
        faults.span(row.starts_on, row.ends_on, &["endsOn"]);
        let program_ends = self.catalog.programs.get(row.program_id).and_then(|entry| entry.row.ends_on);
        let inside = program_ends.is_none_or(|last| row.ends_on.is_none_or(|ends| ends <= last));
        faults.check(inside, UserErrorCode::OutOfRange, &["endsOn"], super::OUTSIDE);
        if let Some(technique) = &row.technique {
            let known = self.catalog.techniques.contains_key(technique);
            faults.check(known, UserErrorCode::NotFound, &["technique"], NO_TECHNIQUE);
        }
        for (number, field) in [(row.hours, "hours"), (row.capacity, "capacity")] {
            let fine = number.is_none_or(|number| (1..=10_000).contains(&number));
            faults.check(fine, UserErrorCode::OutOfRange, &[field], BAD_NUMBER);
        }
    }
}

pub(super) const CANCELLED: Message = Message { en: "This was cancelled.", es: "Esto fue cancelado." };
pub(super) const BAD_NUMBER: Message =
    Message { en: "The number is from 1 to 10,000.", es: "El número va de 1 a 10 000." };
