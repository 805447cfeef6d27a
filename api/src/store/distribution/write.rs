//! Recording, correcting, verifying and voiding deliveries.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::{
    distribution, distribution_line, program,
    value::{DistributionStatus, ProgramStatus, ReachMethod, RowClass, Sensitivity, VoidReason},
};
use sea_orm::{
    ColumnTrait, Condition, DbBackend, EntityTrait, QueryFilter, QueryOrder, Set,
    sea_query::{Expr, ExprTrait},
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{Delivery, Line, Row};
use crate::{
    auth::Right,
    error::Result,
    id,
    store::{
        Access,
        class::{ClassInput, LineClassInput, THRESHOLD, classify, line_is_shown},
        facility::NO_FACILITY,
        input::{At, FUTURE, Faults, Message, Once, Refused, UserError, UserErrorCode, Written, or_default},
        kit::BAD_QUANTITY,
        program::NO_PROGRAM,
        write::{Seen, Trace},
    },
};

/// Women reached and quantities that are larger than any real delivery are typing errors.
const MOST: i32 = 1_000_000;

/// An item or a kit, exactly one.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Supplied {
    #[serde(deserialize_with = "id::optional::<_, {id::ITEM}>")]
    pub item: Option<Uuid>,
    #[serde(deserialize_with = "id::optional::<_, {id::KIT}>")]
    pub kit: Option<Uuid>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineInput {
    pub supplied: Supplied,
    #[serde(default)]
    pub kit_version: Option<i32>,
    pub quantity: i32,
    #[serde(default)]
    pub people_reached: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordDistribution {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::FACILITY}>")]
    pub facility: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::PROGRAM}>")]
    pub program: Uuid,
    pub occurred_on: NaiveDate,
    pub people_reached: i32,
    pub reach_method: ReachMethod,
    pub lines: Vec<LineInput>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CorrectDistribution {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub occurred_on: Option<NaiveDate>,
    pub people_reached: Option<i32>,
    pub reach_method: Option<ReachMethod>,
    pub lines: Option<Vec<LineInput>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VoidDistribution {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub reason: VoidReason,
    pub note: Option<String>,
}

/// A line that has been checked: what is supplied exists, and the kit has a version.
#[derive(Clone, Debug)]
pub struct CheckedLine {
    pub item_id: Option<Uuid>,
    pub kit_id: Option<Uuid>,
    pub kit_version: Option<i32>,
    pub quantity: i32,
    pub people_reached: Option<i32>,
    pub sensitive: bool,
}

/// What a recording made: a new row, one that the same key made before, or nothing with `validateOnly`.
pub enum Recorded {
    New(Box<Delivery>),
    Before(Uuid),
    Nothing,
}

impl Access {
    /// Records a delivery that took place. Its class is decided here and never changes.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn record_distribution(&self, input: RecordDistribution) -> Written<Recorded> {
        self.require(Right::DistributionRecord)?;
        let own = self.own()?;
        let mut faults = Faults::default();
        self.check_place(&mut faults, input.facility, input.program, input.occurred_on);
        check_people(&mut faults, input.people_reached, &["peopleReached"]);
        let lines = self.check_lines(&mut faults, &input.lines, input.occurred_on, |_| false);
        check_line_reach(&mut faults, &lines, input.people_reached);
        let checked = faults.refuse();

        let (class, shown) = self.class_of(input.program, input.people_reached, &lines);
        let row = distribution::Model {
            organization_id: own,
            id: self.new_id(),
            class,
            facility_id: input.facility,
            program_id: input.program,
            occurred_on: input.occurred_on,
            recorded_at: self.now,
            status: DistributionStatus::Delivered,
            people_reached: input.people_reached,
            reach_method: input.reach_method,
            version: 1,
            recorded_by: self.viewer.account(),
            import_key: None,
            verified_at: None,
            voided_at: None,
            void_reason: None,
            void_note: None,
        };
        let lines = line_rows(&row, &lines, &shown);
        let at_once = checked.is_ok()
            && self.held.is_none()
            && self.backend() == DbBackend::Postgres
            && !input.validate_only
            && input.once.is_usable();
        if at_once && self.record_at_once(&input.once, &row, &lines).await? {
            return Ok(Recorded::New(Box::new(Delivery::for_staff(row, lines))));
        }
        let write = self.write_delivery().await?;
        if let Seen::Again(id) = write.once(&input.once, row.id).await? {
            return Ok(Recorded::Before(id));
        }
        // A repeated request has been answered as the first one was, even when a program has ended since.
        checked?;
        if input.validate_only {
            write.discard().await?;
            return Ok(Recorded::Nothing);
        }
        insert_row(&write, &row).await?;
        insert_lines(&write, lines.clone()).await?;
        write.audit("RECORD", "distribution", row.id, Some(1), json!({ "class": class })).await?;
        write.commit().await?;
        Ok(Recorded::New(Box::new(Delivery::for_staff(row, lines))))
    }

    /// A correction. It changes no class, so that no row appears or vanishes outside because of a number.
    #[expect(clippy::disallowed_methods, reason = "the writes repeat the scope in their WHERE")]
    pub async fn correct_distribution(&self, input: CorrectDistribution) -> Written<()> {
        self.require(Right::DistributionCorrect)?;
        let write = self.write_delivery().await?;
        let before = self.to_change(&write, input.at).await?;
        let lines_before = self.lines_before(&write, &before).await?;
        let mut faults = Faults::default();
        let nothing = input.occurred_on.is_none()
            && input.people_reached.is_none()
            && input.reach_method.is_none()
            && input.lines.is_none();
        faults.check(!nothing, UserErrorCode::Invalid, &["id"], NOTHING);
        let occurred_on = input.occurred_on.unwrap_or(before.occurred_on);
        if input.occurred_on.is_some()
            && let Some(program) = self.catalog.programs.get(before.program_id)
        {
            self.check_day(&mut faults, &program.row, occurred_on);
        }
        let people = input.people_reached.unwrap_or(before.people_reached);
        check_people(&mut faults, people, &["peopleReached"]);
        let was_there = |id| lines_before.iter().any(|line| line.item_id.or(line.kit_id) == Some(id));
        let lines =
            input.lines.as_ref().map(|lines| self.check_lines(&mut faults, lines, occurred_on, was_there));
        if let Some(lines) = &lines {
            check_line_reach(&mut faults, lines, people);
            for (place, line) in lines.iter().enumerate() {
                let mixed = line.sensitive && before.class == RowClass::Operations;
                faults.check(!mixed, UserErrorCode::NotPermitted, &["lines", &place.to_string()], MIXED);
            }
        }
        faults.refuse()?;

        let row = distribution::ActiveModel {
            occurred_on: Set(occurred_on),
            people_reached: Set(people),
            reach_method: Set(input.reach_method.unwrap_or(before.reach_method)),
            // What was confirmed is not what is written now.
            status: match before.status {
                DistributionStatus::Verified => Set(DistributionStatus::Delivered),
                _ => sea_orm::ActiveValue::NotSet,
            },
            verified_at: Set(None),
            version: Set(input.at.expected + 1),
            ..Default::default()
        };
        let changed = self.change(&write, input.at, row).await?;
        if let (1, Some(lines)) = (changed, &lines) {
            distribution_line::Entity::delete_many()
                .filter(distribution_line::Column::OrganizationId.eq(before.organization_id))
                .filter(distribution_line::Column::DistributionId.eq(before.id))
                .exec(&write.tx)
                .await?;
            let after = distribution::Model { people_reached: people, ..before.clone() };
            let shown = lines
                .iter()
                .map(|line| {
                    let reached = line.people_reached.unwrap_or(people);
                    before.class == RowClass::Operations && line_is_shown(line.quantity, reached)
                })
                .collect::<Vec<_>>();
            insert_lines(&write, line_rows(&after, lines, &shown)).await?;
        }
        if changed == 1 && lines.is_none() && people != before.people_reached {
            self.reach(&write, &before, people).await?;
        }
        let detail = json!({
            "before": {
                "occurredOn": before.occurred_on,
                "peopleReached": before.people_reached,
                "reachMethod": before.reach_method,
                "status": before.status,
            },
            "linesBefore": traced(&lines_before),
        });
        let trace = Trace { action: "CORRECT", entity: "distribution", detail };
        write.finish(changed, trace, input.at, input.validate_only).await
    }

    /// The lines as they are.
    async fn lines_before(
        &self,
        write: &crate::store::write::Write<'_>,
        of: &distribution::Model,
    ) -> Written<Vec<distribution_line::Model>> {
        Ok(self
            .select::<distribution_line::Entity>()
            .filter(distribution_line::Column::OrganizationId.eq(of.organization_id))
            .filter(distribution_line::Column::DistributionId.eq(of.id))
            .order_by_asc(distribution_line::Column::Position)
            .all(&write.tx)
            .await?)
    }

    /// Lines follow the delivery's number: those that had it take the new one, and none has more. What falls
    /// below the threshold is hidden from outsiders as a corrected line is.
    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    async fn reach(
        &self,
        write: &crate::store::write::Write<'_>,
        before: &distribution::Model,
        people: i32,
    ) -> Written<()> {
        use distribution_line::Column as Of;
        let follows = Condition::any()
            .add(Of::PeopleReached.eq(before.people_reached))
            .add(Of::PeopleReached.gt(people));
        let shown: Expr = match before.class {
            RowClass::Operations if people >= THRESHOLD => Expr::col(Of::Quantity).gte(THRESHOLD),
            _ => Expr::value(false),
        };
        distribution_line::Entity::update_many()
            .col_expr(Of::PeopleReached, Expr::value(people))
            .col_expr(Of::Shown, shown)
            .filter(Of::OrganizationId.eq(before.organization_id))
            .filter(Of::DistributionId.eq(before.id))
            .filter(follows)
            .exec(&write.tx)
            .await?;
        Ok(())
    }

    /// A second person confirms what was recorded.
    pub async fn verify_distribution(&self, at: At, validate_only: bool) -> Written<()> {
        self.require(Right::DistributionVerify)?;
        let write = self.write_delivery().await?;
        let before = self.to_change(&write, at).await?;
        if before.status != DistributionStatus::Delivered {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], NOT_DELIVERED).into());
        }
        if self.has_written(&write, at.id).await? {
            return Err(UserError::new(UserErrorCode::NotPermitted, &["id"], SAME_PERSON).into());
        }
        let row = distribution::ActiveModel {
            status: Set(DistributionStatus::Verified),
            verified_at: Set(Some(self.now)),
            version: Set(at.expected + 1),
            ..Default::default()
        };
        let changed = self.change(&write, at, row).await?;
        let trace = Trace { action: "VERIFY", entity: "distribution", detail: serde_json::Value::Null };
        write.finish(changed, trace, at, validate_only).await
    }

    /// Whether the viewer's account has recorded or corrected a delivery: its own trace tells.
    #[expect(clippy::disallowed_methods, reason = "asks for the viewer's own trace in its own organisation")]
    async fn has_written(&self, write: &crate::store::write::Write<'_>, id: Uuid) -> Written<bool> {
        use entity::audit_event::Column as Event;
        let own = entity::audit_event::Entity::find()
            .filter(Event::OrganizationId.eq(self.own()?))
            .filter(Event::EntityId.eq(id))
            .filter(Event::AccountId.eq(self.viewer.account()))
            .filter(Event::Action.is_in(["RECORD", "CORRECT"]))
            .one(&write.tx)
            .await?;
        Ok(own.is_some())
    }

    /// The row stays, and no longer counts.
    pub async fn void_distribution(&self, input: VoidDistribution) -> Written<()> {
        self.require(Right::DistributionVoid)?;
        let write = self.write_delivery().await?;
        let before = self.to_change(&write, input.at).await?;
        if let Some(note) = &input.note {
            let mut faults = Faults::default();
            faults.text(note, &["note"], 500);
            faults.refuse()?;
        }
        let row = distribution::ActiveModel {
            status: Set(DistributionStatus::Voided),
            voided_at: Set(Some(self.now)),
            void_reason: Set(Some(input.reason)),
            void_note: Set(input.note),
            version: Set(input.at.expected + 1),
            ..Default::default()
        };
        let changed = self.change(&write, input.at, row).await?;
        let detail = json!({ "reason": input.reason, "statusBefore": before.status });
        let trace = Trace { action: "VOID", entity: "distribution", detail };
        write.finish(changed, trace, input.at, input.validate_only).await
    }

    /// The row to change, under the viewer's scope, of the viewer's own organisation and not void.
    async fn to_change(
        &self,
        write: &crate::store::write::Write<'_>,
        at: At,
    ) -> Written<distribution::Model> {
        let own = self.own()?;
        let row = self
            .select::<distribution::Entity>()
            .filter(distribution::Column::OrganizationId.eq(own))
            .filter(distribution::Column::Id.eq(at.id))
            .one(&write.tx)
            .await?
            .ok_or_else(|| UserError::not_found(&["id"]))?;
        if row.version != at.expected {
            return Err(UserError::stale().into());
        }
        if row.status == DistributionStatus::Voided {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], IS_VOID).into());
        }
        Ok(row)
    }

    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    async fn change(
        &self,
        write: &crate::store::write::Write<'_>,
        at: At,
        row: distribution::ActiveModel,
    ) -> Written<u64> {
        let changed = distribution::Entity::update_many()
            .set(row)
            .filter(distribution::Column::OrganizationId.eq(self.own()?))
            .filter(distribution::Column::Id.eq(at.id))
            .filter(distribution::Column::Version.eq(at.expected))
            .exec(&write.tx)
            .await?;
        Ok(changed.rows_affected)
    }

    /// A delivery happens at a facility that the viewer may write for, in an open program of the viewer's
    /// organisation that takes place there, on a day of it that is not in the future.
    fn check_place(&self, faults: &mut Faults, facility: Uuid, program: Uuid, day: NaiveDate) {
        let open = self.facility(facility).filter(|entry| entry.row.archived_at.is_none());
        let assigned = self.viewer.facilities().is_none_or(|cut| cut.contains(&facility));
        match open.filter(|_| assigned) {
            None => faults.add(UserErrorCode::NotFound, &["facility"], NO_FACILITY),
            Some(entry) => {
                faults.check(entry.row.published_at.is_some(), UserErrorCode::Invalid, &["facility"], DRAFT)
            }
        }
        let own = self.viewer.organization();
        let Some(view) = self.program(program).filter(|view| Some(view.entry.row.organization_id) == own)
        else {
            faults.check(day <= self.today(), UserErrorCode::OutOfRange, &["occurredOn"], FUTURE);
            return faults.add(UserErrorCode::NotFound, &["program"], NO_PROGRAM);
        };
        let row = &view.entry.row;
        faults.check(row.published_at.is_some(), UserErrorCode::Invalid, &["program"], DRAFT);
        faults.check(row.archived_at.is_none(), UserErrorCode::Invalid, &["program"], ENDED);
        match row.status {
            ProgramStatus::Active | ProgramStatus::Completed => self.check_day(faults, row, day),
            // A plan is not a program: somebody says when it has begun.
            ProgramStatus::Planned => faults.add(UserErrorCode::Invalid, &["program"], PLANNED),
            ProgramStatus::Cancelled => faults.add(UserErrorCode::Invalid, &["program"], ENDED),
        }
        faults.check(view.entry.sites.contains(&facility), UserErrorCode::Invalid, &["facility"], NOT_A_SITE);
    }

    /// A day of a program that is not in the future.
    fn check_day(&self, faults: &mut Faults, program: &program::Model, day: NaiveDate) {
        faults.check(day <= self.today(), UserErrorCode::OutOfRange, &["occurredOn"], FUTURE);
        let in_time = program.starts_on <= day && program.ends_on.is_none_or(|last| day <= last);
        faults.check(in_time, UserErrorCode::OutOfRange, &["program"], CLOSED);
    }

    /// Checks lines of a delivery or a gift on a day. What is archived may stay where it was.
    pub(in crate::store) fn check_lines(
        &self,
        faults: &mut Faults,
        lines: &[LineInput],
        day: NaiveDate,
        was_there: impl Fn(Uuid) -> bool,
    ) -> Vec<CheckedLine> {
        faults.check((1..=100).contains(&lines.len()), UserErrorCode::OutOfRange, &["lines"], BAD_LINES);
        let mut seen: HashMap<(Uuid, Option<i32>), usize> = HashMap::new();
        let mut checked = Vec::new();
        for (place, line) in lines.iter().enumerate() {
            let number = place.to_string();
            let at = |field: &'static str| ["lines".to_owned(), number.clone(), field.to_owned()];
            let path = at("quantity");
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            faults.check((1..=MOST).contains(&line.quantity), UserErrorCode::OutOfRange, &path, BAD_QUANTITY);
            if let Some(people) = line.people_reached {
                let path = at("peopleReached");
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                check_people(faults, people, &path);
            }
            let path = at("supplied");
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let Some(line) = self.check_supplied(faults, line, day, &path, &was_there) else { continue };
            let what = (line.item_id.or(line.kit_id).unwrap_or_default(), line.kit_version);
            if seen.insert(what, place).is_some() {
                faults.add(UserErrorCode::Duplicate, &path, TWICE);
            }
            checked.push(line);
        }
        checked
    }

    fn check_supplied(
        &self,
        faults: &mut Faults,
        line: &LineInput,
        day: NaiveDate,
        path: &[&str],
        was_there: impl Fn(Uuid) -> bool,
    ) -> Option<CheckedLine> {
        let (kit_version, sensitive) = match (line.supplied.item, line.supplied.kit) {
            (Some(id), None) => {
                let open = |archived: &Option<_>| archived.is_none() || was_there(id);
                let Some(view) = self.item(id).filter(|view| open(&view.entry.row.archived_at)) else {
                    faults.add(UserErrorCode::NotFound, path, NOT_SUPPLIED);
                    return None;
                };
                faults.check(view.entry.row.published_at.is_some(), UserErrorCode::Invalid, path, DRAFT);
                faults.check(line.kit_version.is_none(), UserErrorCode::Invalid, path, VERSION_OF_ITEM);
                (None, view.entry.row.sensitivity == Sensitivity::Sensitive)
            }
            (None, Some(id)) => {
                let open = |archived: &Option<_>| archived.is_none() || was_there(id);
                let Some(view) = self.kit(id).filter(|view| open(&view.entry.row.archived_at)) else {
                    faults.add(UserErrorCode::NotFound, path, NOT_SUPPLIED);
                    return None;
                };
                faults.check(view.entry.row.published_at.is_some(), UserErrorCode::Invalid, path, DRAFT);
                let version = match line.kit_version {
                    Some(number) => view.versions().iter().find(|version| version.number == number),
                    None => Some(view.version_on(day)),
                };
                let Some(version) = version else {
                    faults.add(UserErrorCode::NotFound, path, NO_VERSION);
                    return None;
                };
                let fits = version.lines.iter().all(|inside| {
                    i64::from(inside.quantity) * i64::from(line.quantity) <= i64::from(i32::MAX)
                });
                faults.check(fits, UserErrorCode::OutOfRange, path, TOO_MANY);
                let holds_sensitive = version.lines.iter().any(|line| {
                    self.catalog
                        .items
                        .get(line.item_id)
                        .is_none_or(|item| item.row.sensitivity == Sensitivity::Sensitive)
                });
                (
                    Some(version.number),
                    holds_sensitive || view.entry.row.sensitivity == Sensitivity::Sensitive,
                )
            }
            _ => {
                faults.add(UserErrorCode::Invalid, path, ONE_OF);
                return None;
            }
        };
        Some(CheckedLine {
            item_id: line.supplied.item,
            kit_id: line.supplied.kit,
            kit_version,
            quantity: line.quantity,
            people_reached: line.people_reached,
            sensitive,
        })
    }

    fn class_of(&self, program: Uuid, people: i32, lines: &[CheckedLine]) -> (RowClass, Vec<bool>) {
        let program = self.catalog.programs.get(program);
        classify(&ClassInput {
            people_reached: people,
            program: program.map_or(Sensitivity::Sensitive, |entry| entry.row.sensitivity),
            lines: lines
                .iter()
                .map(|line| LineClassInput {
                    quantity: line.quantity,
                    people_reached: line.people_reached.unwrap_or(people),
                    sensitivity: if line.sensitive { Sensitivity::Sensitive } else { Sensitivity::General },
                })
                .collect(),
        })
    }
}

impl Delivery {
    /// A delivery that staff have just written, as a read would give it.
    fn for_staff(row: distribution::Model, lines: Vec<distribution_line::Model>) -> Self {
        let lines = lines
            .into_iter()
            .map(|line| Line {
                distribution_id: line.distribution_id,
                item_id: line.item_id,
                kit_id: line.kit_id,
                kit_version: line.kit_version,
                quantity: line.quantity,
            })
            .collect();
        let row = Row {
            organization_id: row.organization_id,
            id: row.id,
            facility_id: row.facility_id,
            program_id: row.program_id,
            occurred_on: row.occurred_on,
            recorded_at: row.recorded_at,
            status: row.status,
            people_reached: Some(row.people_reached),
            reach_method: row.reach_method,
            voided_at: row.voided_at,
            void_reason: row.void_reason,
            void_note: row.void_note,
            version: Some(row.version),
            class: Some(row.class),
        };
        Self { row, lines }
    }
}

async fn insert_row(
    write: &crate::store::write::Write<'_>,
    row: &distribution::Model,
) -> Result<(), Refused> {
    let row = sea_orm::IntoActiveModel::into_active_model(row.clone());
    distribution::Entity::insert(sea_orm::ActiveModelTrait::reset_all(row))
        .exec_without_returning(&write.tx)
        .await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "lines of a row of the viewer's own organisation")]
async fn insert_lines(
    write: &crate::store::write::Write<'_>,
    lines: Vec<distribution_line::Model>,
) -> Result<(), Refused> {
    let rows = lines
        .into_iter()
        .map(|line| sea_orm::ActiveModelTrait::reset_all(sea_orm::IntoActiveModel::into_active_model(line)));
    distribution_line::Entity::insert_many(rows).exec_without_returning(&write.tx).await?;
    Ok(())
}

/// Lines as a trace keeps them.
fn traced(lines: &[distribution_line::Model]) -> serde_json::Value {
    lines
        .iter()
        .map(|line| {
            json!({
                "item": line.item_id,
                "kit": line.kit_id,
                "kitVersion": line.kit_version,
                "quantity": line.quantity,
                "peopleReached": line.people_reached,
            })
        })
        .collect()
}

/// The lines of a delivery as rows.
fn line_rows(
    row: &distribution::Model,
    lines: &[CheckedLine],
    shown: &[bool],
) -> Vec<distribution_line::Model> {
    lines
        .iter()
        .zip(shown)
        .zip(1..)
        .map(|((line, shown), position)| distribution_line::Model {
            organization_id: row.organization_id,
            distribution_id: row.id,
            position,
            class: row.class,
            shown: *shown,
            item_id: line.item_id,
            kit_id: line.kit_id,
            kit_version: line.kit_version,
            quantity: line.quantity,
            people_reached: line.people_reached.unwrap_or(row.people_reached),
        })
        .collect()
}

fn check_people(faults: &mut Faults, people: i32, field: &[&str]) {
    faults.check((0..=MOST).contains(&people), UserErrorCode::OutOfRange, field, BAD_PEOPLE);
}

fn check_line_reach(faults: &mut Faults, lines: &[CheckedLine], people: i32) {
    for (place, line) in lines.iter().enumerate() {
        let fits = line.people_reached.is_none_or(|reached| reached <= people);
        let field = ["lines", &place.to_string(), "peopleReached"];
        faults.check(fits, UserErrorCode::OutOfRange, &field, MORE_THAN_ALL);
    }
}

const DRAFT: Message =
    Message { en: "This is a draft. Publish it first.", es: "Es un borrador. Publíquelo primero." };
const CLOSED: Message =
    Message { en: "The program is not open on this day.", es: "El programa no está abierto en ese día." };
const PLANNED: Message = Message {
    en: "The program is only planned. Once it has begun, set its status to ACTIVE.",
    es: "El programa solo está planeado. Cuando haya comenzado, cambie su estado a ACTIVE.",
};
const ENDED: Message = Message {
    en: "The program is cancelled or archived. It takes no new deliveries.",
    es: "El programa está cancelado o archivado. No admite entregas nuevas.",
};
const NOT_A_SITE: Message = Message {
    en: "The program does not take place at this facility.",
    es: "El programa no se realiza en ese centro.",
};
const BAD_LINES: Message = Message { en: "Give 1 to 100 lines.", es: "Indique de 1 a 100 renglones." };
const TWICE: Message =
    Message { en: "The same thing is on two lines.", es: "Lo mismo aparece en dos renglones." };
const NOT_SUPPLIED: Message =
    Message { en: "There is no such item or kit.", es: "No existe ese artículo o kit." };
const NO_VERSION: Message =
    Message { en: "The kit has no such version.", es: "El kit no tiene esa versión." };
const VERSION_OF_ITEM: Message =
    Message { en: "Only a kit has versions.", es: "Solo un kit tiene versiones." };
const ONE_OF: Message = Message {
    en: "Give an item or a kit, exactly one.",
    es: "Indique un artículo o un kit, exactamente uno.",
};
const BAD_PEOPLE: Message = Message {
    en: "The number of women reached is out of range.",
    es: "El número de mujeres alcanzadas está fuera de rango.",
};
const MORE_THAN_ALL: Message = Message {
    en: "A line cannot reach more women than the delivery.",
    es: "Un renglón no puede alcanzar a más mujeres que la entrega.",
};
const MIXED: Message = Message {
    en: "Sensitive goods go on a delivery of their own.",
    es: "Los artículos sensibles van en una entrega aparte.",
};
const SAME_PERSON: Message = Message {
    en: "Who recorded or corrected a delivery cannot verify it.",
    es: "Quien registró o corrigió una entrega no puede verificarla.",
};
const NOT_DELIVERED: Message = Message {
    en: "Only a delivery that took place, and is not verified yet, can be verified.",
    es: "Solo se puede verificar una entrega realizada y aún no verificada.",
};
const NOTHING: Message = Message { en: "There is nothing to correct.", es: "No hay nada que corregir." };
const TOO_MANY: Message = Message {
    en: "These kits hold more units than one line can.",
    es: "Estos kits contienen más unidades de las que caben en un renglón.",
};
const IS_VOID: Message = Message { en: "The delivery is void.", es: "La entrega está anulada." };

const _: () = assert!(THRESHOLD == 10, "DISCLOSURE section 3.1");
