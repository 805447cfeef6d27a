//! Rounds: when, where and to how many women a version of an instrument is put.

use chrono::NaiveDate;
use entity::{
    instrument, instrument_version, survey_round, survey_round_facility,
    value::{SurveyLinkage, SurveyMode},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, Set};
use serde::Deserialize;
use uuid::Uuid;

use super::{IS_CLOSED, NO_INSTRUMENT, instrument::check_code};
use crate::{
    auth::Right,
    id,
    store::{
        Access, Scoped,
        input::{At, Faults, Message, Once, UserError, UserErrorCode, Written, given, or_default},
        participant::register::NO_FACILITY,
        write::{Seen, Trace, Write, taken},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateSurveyRound {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub code: String,
    #[serde(deserialize_with = "id::single::<_, {id::INSTRUMENT}>")]
    pub instrument: Uuid,
    /// The newest one when it is left out.
    #[serde(default)]
    pub instrument_version: Option<i32>,
    #[serde(deserialize_with = "id::named::<_, {id::FACILITY}>")]
    pub facilities: Vec<Uuid>,
    pub mode: SurveyMode,
    pub linkage: SurveyLinkage,
    pub notice_version: String,
    pub starts_on: NaiveDate,
    pub ends_on: NaiveDate,
    #[serde(flatten)]
    pub reach: Reach,
}

/// How many women a round is about.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Reach {
    pub universe: Option<i32>,
    pub eligible: Option<i32>,
    pub invited: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateSurveyRound {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(default)]
    pub ends_on: Option<NaiveDate>,
    #[serde(default, deserialize_with = "given")]
    pub universe: Option<Option<i32>>,
    #[serde(default, deserialize_with = "given")]
    pub eligible: Option<Option<i32>>,
    #[serde(default, deserialize_with = "given")]
    pub invited: Option<Option<i32>>,
}

impl Scoped for survey_round::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(survey_round::Column::OrganizationId, Right::SurveyRead)
    }
}

impl Scoped for survey_round_facility::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(survey_round_facility::Column::OrganizationId, Right::SurveyRead)
    }
}

impl Access {
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_survey_round(&self, input: CreateSurveyRound) -> Written<Option<Uuid>> {
        self.require(Right::SurveyWrite)?;
        let own = self.own()?;
        let write = self.write_relying().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        check_code(&mut faults, &input.code, &["code"]);
        faults.short_text(&input.notice_version, &["noticeVersion"]);
        faults.span(input.starts_on, Some(input.ends_on), &["endsOn"]);
        check_reach(&mut faults, input.reach);
        let facilities = faults.ids(input.facilities, "facilities", NO_FACILITY, |id| {
            let entry = self.catalog.facilities.get(id);
            entry.is_some_and(|entry| entry.row.organization_id == own && entry.row.archived_at.is_none())
        });
        faults.check(!facilities.is_empty(), UserErrorCode::Invalid, &["facilities"], NOWHERE);
        let number = self.usable_version(&write, input.instrument, input.instrument_version).await?;
        faults.check(number.is_some(), UserErrorCode::NotFound, &["instrument"], NO_INSTRUMENT);
        faults.refuse()?;
        let row = survey_round::ActiveModel {
            organization_id: Set(own),
            id: Set(id),
            code: Set(input.code),
            instrument_id: Set(input.instrument),
            instrument_version: Set(number.unwrap_or(1)),
            mode: Set(input.mode),
            linkage: Set(input.linkage),
            notice_version: Set(input.notice_version),
            starts_on: Set(input.starts_on),
            ends_on: Set(input.ends_on),
            universe: Set(input.reach.universe),
            eligible: Set(input.reach.eligible),
            invited: Set(input.reach.invited),
            closed_at: Set(None),
            version: Set(1),
            recorded_at: Set(self.now),
            recorded_by: Set(self.viewer.account()),
        };
        row.insert(&write.tx).await.map_err(taken("code"))?;
        let places = facilities.into_iter().map(|facility_id| survey_round_facility::Model {
            organization_id: own,
            round_id: id,
            facility_id,
        });
        write.put::<survey_round_facility::Entity>(places.collect()).await?;
        write.finish_create("survey_round", id, input.validate_only).await
    }

    /// Changes when field work ends and how many women it is about.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn update_survey_round(&self, input: UpdateSurveyRound) -> Written<()> {
        self.require(Right::SurveyWrite)?;
        let write = self.write_relying().await?;
        let before = self.round_at(&write, input.at).await?;
        let ends_on = input.ends_on.unwrap_or(before.ends_on);
        let reach = Reach {
            universe: input.universe.unwrap_or(before.universe),
            eligible: input.eligible.unwrap_or(before.eligible),
            invited: input.invited.unwrap_or(before.invited),
        };
        let mut faults = Faults::default();
        faults.span(before.starts_on, Some(ends_on), &["endsOn"]);
        check_reach(&mut faults, reach);
        faults.refuse()?;
        let row = survey_round::ActiveModel {
            ends_on: Set(ends_on),
            universe: Set(reach.universe),
            eligible: Set(reach.eligible),
            invited: Set(reach.invited),
            ..Default::default()
        };
        let changed = self.change_round(&write, input.at, row).await?;
        write.finish_update(changed, "survey_round", input.at, input.validate_only).await
    }

    /// Closes a round: no response is taken any more.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn close_survey_round(&self, at: At, validate_only: bool) -> Written<()> {
        self.require(Right::SurveyWrite)?;
        let write = self.write_relying().await?;
        self.round_at(&write, at).await?;
        let row = survey_round::ActiveModel { closed_at: Set(Some(self.now)), ..Default::default() };
        let changed = self.change_round(&write, at, row).await?;
        write.finish(changed, Trace::of("CLOSE", "survey_round"), at, validate_only).await
    }

    /// A version of an instrument that a round can begin with.
    async fn usable_version(
        &self,
        write: &Write<'_>,
        instrument: Uuid,
        number: Option<i32>,
    ) -> Written<Option<i32>> {
        let rows = self.select::<instrument::Entity>().filter(instrument::Column::Id.eq(instrument));
        let row = rows.filter(instrument::Column::ArchivedAt.is_null()).one(&write.tx).await?;
        let Some(row) = row else { return Ok(None) };
        let number = number.unwrap_or(row.latest);
        let version = self
            .select::<instrument_version::Entity>()
            .filter(instrument_version::Column::InstrumentId.eq(instrument))
            .filter(instrument_version::Column::Number.eq(number));
        Ok(version.one(&write.tx).await?.map(|version| version.number))
    }

    async fn round_at(&self, write: &Write<'_>, at: At) -> Written<survey_round::Model> {
        let rows = self.select::<survey_round::Entity>().filter(survey_round::Column::Id.eq(at.id));
        let row = rows.lock_exclusive().one(&write.tx).await?;
        let row = row.ok_or_else(|| UserError::not_found(&["id"]))?;
        at.check("id", row.version, None)?;
        if row.closed_at.is_some() {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], IS_CLOSED).into());
        }
        Ok(row)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the update repeats the organisation and the version in its WHERE"
    )]
    async fn change_round(&self, write: &Write<'_>, at: At, row: survey_round::ActiveModel) -> Written<u64> {
        let done = survey_round::Entity::update_many()
            .set(survey_round::ActiveModel { version: Set(at.expected + 1), ..row })
            .filter(survey_round::Column::OrganizationId.eq(self.own()?))
            .filter(survey_round::Column::Id.eq(at.id))
            .filter(survey_round::Column::Version.eq(at.expected))
            .exec(&write.tx)
            .await?;
        Ok(done.rows_affected)
    }
}

/// Those who are invited are eligible, and those are there.
fn check_reach(faults: &mut Faults, reach: Reach) {
    let mut most = 1_000_000;
    for (number, field) in
        [(reach.universe, "universe"), (reach.eligible, "eligible"), (reach.invited, "invited")]
    {
        let fine = number.is_none_or(|number| (0..=most).contains(&number));
        faults.check(fine, UserErrorCode::OutOfRange, &[field], BAD_REACH);
        most = number.unwrap_or(most);
    }
}

const NOWHERE: Message = Message {
    en: "A round takes place at a facility at least.",
    es: "Una ronda se hace al menos en un centro.",
};
const BAD_REACH: Message = Message {
    en: "Women who are invited are eligible, and those who are eligible are there: up to 1,000,000.",
    es: "Las mujeres invitadas son elegibles, y las elegibles están ahí: hasta 1 000 000.",
};
