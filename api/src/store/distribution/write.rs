//! Recording, correcting, verifying and voiding deliveries.

use chrono::NaiveDate;
use entity::{
    distribution, distribution_line,
    value::{DistributionStatus, OutboxKind, ReachMethod, RowClass, VoidReason},
};
use sea_orm::{
    ColumnTrait, Condition, DbBackend, EntityTrait, QueryFilter, QueryOrder, Set,
    sea_query::{Expr, ExprTrait},
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    Delivery, Inside, Line, Row,
    check::{CheckedLine, check_line_reach, check_people},
};
use crate::{
    auth::Right,
    error::Result,
    id,
    store::{
        Access,
        class::{THRESHOLD, line_is_shown},
        input::{At, Faults, Message, Once, Refused, UserError, UserErrorCode, Written, or_default},
        outbox::Change,
        stock::deliver::Draw,
        write::{Seen, Trace, Write},
    },
};

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
    /// The lot that the goods are taken from.
    #[serde(default, deserialize_with = "id::optional::<_, {id::STOCK_LOT}>")]
    pub lot: Option<Uuid>,
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
    /// The place of stock that it draws from; none where no stock is kept.
    #[serde(default, deserialize_with = "id::optional::<_, {id::STOCK_PLACE}>")]
    pub place: Option<Uuid>,
    /// The id that a device gave it.
    #[serde(skip)]
    pub client_id: Option<Uuid>,
    #[serde(default)]
    pub form_number: Option<String>,
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
    #[serde(default, deserialize_with = "id::optional::<_, {id::STOCK_PLACE}>")]
    pub place: Option<Uuid>,
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

/// What a recording made: a new row, one that the same key made before, or nothing with `validateOnly`.
pub enum Recorded {
    New(Box<Delivery>),
    Before(Uuid),
    Nothing,
}

/// A new delivery that has been checked.
pub(super) struct Draft {
    pub row: distribution::Model,
    pub lines: Vec<distribution_line::Model>,
    /// What is wrong with it, which does not matter when it was recorded before.
    checked: Written<()>,
}

impl Access {
    /// Records a delivery that took place. Its class is decided here and never changes.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn record_distribution(&self, input: RecordDistribution) -> Written<Recorded> {
        self.require(Right::DistributionRecord)?;
        let draft = self.draft(&input)?;
        if !input.validate_only && self.record_alone(&input, &draft).await? {
            return Ok(Recorded::New(Box::new(Delivery::for_staff(draft.row, draft.lines))));
        }
        let write = self.write_operations().await?;
        let recorded = self.record_in(&write, &input, draft).await?;
        let made = matches!(recorded, Recorded::New(_)) && !input.validate_only;
        write.end(!made).await?;
        let nothing = !made && matches!(recorded, Recorded::New(_));
        Ok(if nothing { Recorded::Nothing } else { recorded })
    }

    /// Checks a new delivery, and decides its class.
    pub(super) fn draft(&self, input: &RecordDistribution) -> Result<Draft> {
        let mut faults = Faults::default();
        self.check_place(&mut faults, input.facility, input.program, input.occurred_on);
        check_people(&mut faults, input.people_reached, &["peopleReached"]);
        let lines = self.check_lines(&mut faults, &input.lines, input.occurred_on, |_| false);
        check_line_reach(&mut faults, &lines, input.people_reached);
        self.check_permitted(&mut faults, input.facility, input.occurred_on, &lines);
        self.check_drawing(&mut faults, input.place);
        if input.place.is_none() {
            check_no_lots(&mut faults, &input.lines);
        }
        if let Some(number) = &input.form_number {
            faults.text(number, &["formNumber"], 100);
        }
        let (class, shown) = self.class_of(input.program, input.people_reached, &lines);
        let row = distribution::Model {
            organization_id: self.own()?,
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
            client_id: input.client_id,
            form_number: input.form_number.clone(),
            verified_at: None,
            voided_at: None,
            void_reason: None,
            void_note: None,
        };
        let lines = line_rows(&row, &lines, &shown);
        Ok(Draft { row, lines, checked: faults.refuse() })
    }

    /// Records in one statement where that can be done; false when nothing was written.
    pub(super) async fn record_alone(&self, input: &RecordDistribution, draft: &Draft) -> Written<bool> {
        let can = draft.checked.is_ok()
            && self.held.is_none()
            && self.backend() == DbBackend::Postgres
            && input.once.is_usable()
            // What draws from stock takes more than one statement.
            && input.place.is_none();
        if can { self.record_at_once(&input.once, &draft.row, &draft.lines).await } else { Ok(false) }
    }

    /// Records as a part of a transaction.
    pub(super) async fn record_in(
        &self,
        write: &Write<'_>,
        input: &RecordDistribution,
        draft: Draft,
    ) -> Written<Recorded> {
        let Draft { row, lines, checked } = draft;
        if let Seen::Again(id) = write.once(&input.once, row.id).await? {
            return Ok(Recorded::Before(id));
        }
        // A repeated request has been answered as the first one was, even when a program has ended since.
        checked?;
        insert_row(write, &row).await?;
        insert_lines(write, lines.clone()).await?;
        if let Some(place) = input.place {
            let lots: Vec<_> = input.lines.iter().map(|line| line.lot).collect();
            let occurred_on = row.occurred_on;
            let draw = Draw { delivery: &row, occurred_on, lines: &lines, lots: &lots, place };
            self.draw(write, draw, None).await?;
        }
        write.tell([told(row.id, row.class == RowClass::Operations)]).await?;
        write.audit("RECORD", "distribution", row.id, Some(1), json!({ "class": row.class })).await?;
        Ok(Recorded::New(Box::new(Delivery::for_staff(row, lines))))
    }

    /// A correction. It changes no class, so that no row appears or vanishes outside because of a number.
    pub async fn correct_distribution(&self, input: CorrectDistribution) -> Written<()> {
        self.require(Right::DistributionCorrect)?;
        let write = self.write_operations().await?;
        self.correct_in(&write, &input).await?;
        write.end(input.validate_only).await
    }

    /// Corrects as a part of a transaction.
    #[expect(clippy::disallowed_methods, reason = "the writes repeat the scope in their WHERE")]
    pub(super) async fn correct_in(&self, write: &Write<'_>, input: &CorrectDistribution) -> Written<()> {
        let before = self.to_change(write, input.at).await?;
        let lines_before = self.lines_now(write, &before).await?;
        let mut faults = Faults::default();
        let nothing = input.occurred_on.is_none()
            && input.place.is_none()
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
        self.check_drawing(&mut faults, input.place);
        if let Some(lines) = &lines {
            self.check_permitted(&mut faults, before.facility_id, occurred_on, lines);
            check_line_reach(&mut faults, lines, people);
            for (place, line) in lines.iter().enumerate() {
                let mixed = line.sensitive && before.class == RowClass::Operations;
                faults.check(!mixed, UserErrorCode::NotPermitted, &["lines", &place.to_string()], MIXED);
            }
        }
        faults.refuse()?;

        // What was confirmed is not what is written now.
        let status_after = match before.status {
            DistributionStatus::Verified => DistributionStatus::Delivered,
            status => status,
        };
        let row = distribution::ActiveModel {
            occurred_on: Set(occurred_on),
            people_reached: Set(people),
            reach_method: Set(input.reach_method.unwrap_or(before.reach_method)),
            status: Set(status_after),
            verified_at: Set(None),
            version: Set(input.at.expected + 1),
            ..Default::default()
        };
        let changed = self.change(write, input.at, row).await?;
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
            insert_lines(write, line_rows(&after, lines, &shown)).await?;
        }
        if changed == 1 && lines.is_none() && people != before.people_reached {
            self.reach(write, &before, people).await?;
        }
        if changed == 1
            && (input.lines.is_some() || input.place.is_some() || occurred_on != before.occurred_on)
        {
            self.draw_again(write, &before, occurred_on, input).await?;
        }
        let after = distribution::Model {
            occurred_on,
            people_reached: people,
            reach_method: input.reach_method.unwrap_or(before.reach_method),
            status: status_after,
            ..before.clone()
        };
        let lines_after = self.lines_now(write, &before).await?;
        // How often a row has changed is not for outsiders, so they hear only of what they can see.
        let open = outside_face(&after, &lines_after) != outside_face(&before, &lines_before);
        write.tell([told(before.id, open)]).await?;
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
        write.changed(changed, trace, input.at).await
    }

    /// What a corrected delivery takes from stock, in the place of what it took before.
    async fn draw_again(
        &self,
        write: &Write<'_>,
        delivery: &distribution::Model,
        occurred_on: NaiveDate,
        input: &CorrectDistribution,
    ) -> Written<()> {
        let drawn = self.drawn_by(write, delivery.id).await?;
        let Some(place) = input.place.or(drawn.as_ref().map(|drawn| drawn.place)) else {
            let mut faults = Faults::default();
            check_no_lots(&mut faults, input.lines.as_deref().unwrap_or_default());
            return faults.refuse();
        };
        let lines = self.lines_now(write, delivery).await?;
        let lots = match (&input.lines, &drawn) {
            (Some(lines), _) => lines.iter().map(|line| line.lot).collect(),
            (None, Some(drawn)) if drawn.place == place => {
                let known = self.lots_in(write, drawn.lots()).await?;
                drawn.lots_of(&lines, &known)
            }
            (None, _) => vec![None; lines.len()],
        };
        let draw = Draw { delivery, occurred_on, lines: &lines, lots: &lots, place };
        self.draw(write, draw, drawn).await
    }

    /// A delivery draws from a place that keeps stock.
    fn check_drawing(&self, faults: &mut Faults, place: Option<Uuid>) {
        if let Some(place) = place {
            faults.check(
                self.viewer.has(Right::StockRecord),
                UserErrorCode::NotPermitted,
                &["place"],
                NO_DRAWING,
            );
            self.check_store(faults, place, "place");
        }
    }

    /// The lines as they are.
    pub(super) async fn lines_now(
        &self,
        write: &Write<'_>,
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
    async fn reach(&self, write: &Write<'_>, before: &distribution::Model, people: i32) -> Written<()> {
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
        let write = self.write_operations().await?;
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
        write.tell([told(before.id, before.class == RowClass::Operations)]).await?;
        let trace = Trace { action: "VERIFY", entity: "distribution", detail: serde_json::Value::Null };
        write.finish(changed, trace, at, validate_only).await
    }

    /// Whether the viewer's account has recorded or corrected a delivery: its own trace tells.
    #[expect(clippy::disallowed_methods, reason = "asks for the viewer's own trace in its own organisation")]
    async fn has_written(&self, write: &Write<'_>, id: Uuid) -> Written<bool> {
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
        let write = self.write_operations().await?;
        self.void_in(&write, &input).await?;
        write.end(input.validate_only).await
    }

    /// Voids as a part of a transaction.
    pub(super) async fn void_in(&self, write: &Write<'_>, input: &VoidDistribution) -> Written<()> {
        let before = self.to_change(write, input.at).await?;
        if let Some(note) = &input.note {
            let mut faults = Faults::default();
            faults.text(note, &["note"], 500);
            faults.refuse()?;
        }
        let row = distribution::ActiveModel {
            status: Set(DistributionStatus::Voided),
            voided_at: Set(Some(self.now)),
            void_reason: Set(Some(input.reason)),
            void_note: Set(input.note.clone()),
            version: Set(input.at.expected + 1),
            ..Default::default()
        };
        let changed = self.change(write, input.at, row).await?;
        if changed == 1 {
            let drawn = self.drawn_by(write, before.id).await?;
            self.give_back(write, drawn).await?;
        }
        write.tell([told(before.id, before.class == RowClass::Operations)]).await?;
        let detail = json!({ "reason": input.reason, "statusBefore": before.status });
        let trace = Trace { action: "VOID", entity: "distribution", detail };
        write.changed(changed, trace, input.at).await
    }

    /// The row to change, under the viewer's scope, of the viewer's own organisation and not void.
    async fn to_change(&self, write: &Write<'_>, at: At) -> Written<distribution::Model> {
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
    async fn change(&self, write: &Write<'_>, at: At, row: distribution::ActiveModel) -> Written<u64> {
        let changed = distribution::Entity::update_many()
            .set(row)
            .filter(distribution::Column::OrganizationId.eq(self.own()?))
            .filter(distribution::Column::Id.eq(at.id))
            .filter(distribution::Column::Version.eq(at.expected))
            .exec(&write.tx)
            .await?;
        Ok(changed.rows_affected)
    }
}

impl Delivery {
    /// A delivery that staff have just written, as a read would give it.
    fn for_staff(row: distribution::Model, lines: Vec<distribution_line::Model>) -> Self {
        let lines = lines
            .into_iter()
            .map(|line| Line {
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
            inside: Some(Inside {
                void_note: row.void_note,
                version: row.version,
                class: row.class,
                client_id: row.client_id,
                form_number: row.form_number,
                recorded_by: row.recorded_by,
            }),
        };
        Self { row, lines }
    }
}

async fn insert_row(write: &Write<'_>, row: &distribution::Model) -> Result<(), Refused> {
    let row = sea_orm::IntoActiveModel::into_active_model(row.clone());
    distribution::Entity::insert(sea_orm::ActiveModelTrait::reset_all(row))
        .exec_without_returning(&write.tx)
        .await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "lines of a row of the viewer's own organisation")]
async fn insert_lines(write: &Write<'_>, lines: Vec<distribution_line::Model>) -> Result<(), Refused> {
    let rows = lines
        .into_iter()
        .map(|line| sea_orm::ActiveModelTrait::reset_all(sea_orm::IntoActiveModel::into_active_model(line)));
    distribution_line::Entity::insert_many(rows).exec_without_returning(&write.tx).await?;
    Ok(())
}

/// That a delivery has changed, and whether outsiders may learn of that.
fn told(id: Uuid, open: bool) -> Change {
    Change { kind: OutboxKind::Distribution, row_id: id, open }
}

/// What a correction can change of what outsiders see of a row; none when they do not see it at all.
fn outside_face<'a>(
    row: &distribution::Model,
    lines: &'a [distribution_line::Model],
) -> Option<impl PartialEq + 'a> {
    let reached = (row.people_reached >= THRESHOLD).then_some((row.people_reached, row.reach_method));
    let lines: Vec<_> = lines
        .iter()
        .filter(|line| line.shown)
        .map(|line| (line.item_id, line.kit_id, line.kit_version, line.quantity))
        .collect();
    (row.class == RowClass::Operations).then_some((row.occurred_on, row.status, reached, lines))
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

/// A lot is named only where a delivery draws from a place.
fn check_no_lots(faults: &mut Faults, lines: &[LineInput]) {
    for (place, line) in lines.iter().enumerate() {
        let field = ["lines", &place.to_string(), "lot"];
        faults.check(line.lot.is_none(), UserErrorCode::Invalid, &field, NO_PLACE_TO_DRAW);
    }
}

const MIXED: Message = Message {
    en: "Sensitive goods go on a delivery of their own.",
    es: "Los artículos sensibles van en una entrega aparte.",
};
const SAME_PERSON: Message = Message {
    en: "Who recorded or corrected a delivery cannot verify it.",
    es: "Quien registró o corrigió una entrega no puede verificarla.",
};
const NO_PLACE_TO_DRAW: Message = Message {
    en: "A lot is taken from a place. Name the place.",
    es: "Un lote se toma de un lugar. Indique el lugar.",
};
const NO_DRAWING: Message =
    Message { en: "Your role does not record stock.", es: "Su función no registra existencias." };
const NOT_DELIVERED: Message = Message {
    en: "Only a delivery that took place, and is not verified yet, can be verified.",
    es: "Solo se puede verificar una entrega realizada y aún no verificada.",
};
const NOTHING: Message = Message { en: "There is nothing to correct.", es: "No hay nada que corregir." };
const IS_VOID: Message = Message { en: "The delivery is void.", es: "La entrega está anulada." };

const _: () = assert!(THRESHOLD == 10, "DISCLOSURE section 3.1");
